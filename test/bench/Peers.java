import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Two other translators, as anyone can install them, with their default settings. They are looked for on the PATH, in
 * ~/.cargo/bin and in ~/.local/bin; what is not there is said, and left out.
 */
final class Peers {
    private final List<Program> programs = new ArrayList<>();
    private final List<String> versions = new ArrayList<>();

    /** Looks for them; they get the mock on that port as their backend. */
    Peers(int mock) throws IOException, InterruptedException {
        String backend = "http://127.0.0.1:%d/v1".formatted(mock);
        Optional<Path> rust = file("anthropic-proxy", false); // a script of that name is another program, from npm
        if (rust.isPresent()) {
            String file = rust.get().toString();
            versions.add(output(List.of(file, "--version")));
            programs.add(new Program("anthropic-proxy", port -> List.of(file, "--port", "" + port, "--bind", "127.0.0.1"),
                    Map.of("UPSTREAM_BASE_URL", backend)));
        } else {
            System.out.println("anthropic-proxy is not there (cargo install anthropic-proxy)");
        }
        Optional<Path> python = file("ant2oai", true);
        if (python.isPresent()) {
            String file = python.get().toString();
            versions.add("ant2oai " + version(python.get()));
            programs.add(new Program("ant2oai", port -> List.of(file, "--port", "" + port,
                    "--upstream", backend + "/chat/completions"), Map.of()));
        } else {
            System.out.println("ant2oai is not there (pip install ant2oai)");
        }
    }

    List<Program> programs() { return List.copyOf(programs); }

    /** {@return name and version of each} */
    List<String> versions() { return List.copyOf(versions); }

    /** {@return the first file of that name that can be run, and is a script or is none} */
    private static Optional<Path> file(String name, boolean isScript) {
        String home = System.getProperty("user.home");
        String path = System.getenv().getOrDefault("PATH", "");
        String folders = String.join(":", path, home + "/.cargo/bin", home + "/.local/bin");
        return Stream.of(folders.split(":")).filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name)).filter(Files::isExecutable).filter(file -> firstLine(file).startsWith("#!") == isScript).findFirst();
    }

    private static String firstLine(Path file) {
        try (var in = Files.newInputStream(file)) {
            String start = new String(in.readNBytes(1000), StandardCharsets.ISO_8859_1);
            return start.lines().findFirst().orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /** {@return the version of the package that the script ant2oai belongs to, by the Python that runs it} */
    private static String version(Path script) throws IOException, InterruptedException {
        String code = "from importlib.metadata import version; print(version('ant2oai'))";
        return output(List.of(firstLine(script).substring(2).strip(), "-c", code));
    }

    private static String output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return output.lines().findFirst().orElse("of unknown version");
    }
}
