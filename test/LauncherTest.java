import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import testing.Tasks;

/**
 * {@code a2o}, the jar as a program: which Java it takes, and with which options. These Javas are small shell scripts
 * that print their arguments. Needs build/a2o, and a {@code sh}.
 */
@Execution(ExecutionMode.CONCURRENT)
class LauncherTest {
    private static final Path SHELL = Path.of("/bin/sh");

    @TempDir
    Path temporary;

    private Path program;

    private record Outcome(int status, List<String> out, String err) { }

    /** The program, with the usual places moved to where nothing is: this machine may have a Java there. */
    @BeforeEach
    void makeProgram() throws Exception {
        assumeTrue(Files.isExecutable(SHELL), "no shell here");
        String script = Files.readString(Path.of("src/a2o.sh"));
        for (String place : List.of("/usr/lib/jvm/", "/opt/", "/Library/Java/")) {
            assertTrue(script.contains(" " + place), place);
            script = script.replace(" " + place, " " + temporary + place);
        }
        Path folder = Files.createDirectories(temporary.resolve("my programs"));
        program = executable(folder.resolve("a2o"), script);
    }

    /** Writes a script, by a shell: what this process has just written, and another has inherited, cannot be run. */
    private static Path executable(Path file, String text) throws Exception {
        Files.createDirectories(file.getParent());
        Process shell = new ProcessBuilder(SHELL.toString(), "-c", "cat > \"$0\" && chmod +x \"$0\"", file.toString())
                .start();
        try (var in = shell.outputWriter(StandardCharsets.UTF_8)) {
            in.write(text);
        }
        assertEquals(0, shell.waitFor());
        return file;
    }

    /** {@return the folder of a Java that prints its name and its arguments, each in a line of its own} */
    private Path java(String name, String version) throws Exception {
        Path home = temporary.resolve(name);
        executable(home.resolve("bin/java"), script(name, version));
        return home;
    }

    private static String script(String name, String version) {
        return """
                #!/bin/sh
                if [ "$1" = -version ]; then echo 'openjdk version "%s" 2026-01-01' >&2; exit; fi
                echo "%s ${LC_ALL:-}"; for word do echo "$word"; done
                """.formatted(version, name);
    }

    private static void writeRelease(Path home, String version) throws Exception {
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"" + version + "\"\n");
    }

    /** Runs a command with these variables alone, in the temporary folder. */
    private Outcome run(Map<String, String> environment, String... command) throws Exception {
        var builder = new ProcessBuilder(command).directory(temporary.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", "/usr/bin:/bin");
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "still running");
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.exitValue(), process.inputReader(StandardCharsets.UTF_8).lines().toList(), err);
        } finally {
            process.destroyForcibly();
        }
    }

    /** {@return what the program makes Java do; that Java is named in the first line} */
    private List<String> started(Map<String, String> environment, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Outcome outcome = run(environment, command.toArray(String[]::new));
        assertEquals("0 ", outcome.status + " " + outcome.err);
        return outcome.out;
    }

    @Test
    void itTakesASmallHeapAndPassesArgumentsOnAsTheyAre() throws Exception {
        String home = java("jre-21", "21.0.1").toString();
        assertEquals(List.of("jre-21 C.UTF-8", "-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-jar", program.toString(),
                "--header", "a: b  c", "", "*"), started(Map.of("JAVA_HOME", home), "--header", "a: b  c", "", "*"));
    }

    @Test
    void whatTheUserSetsForJavaIsKept() throws Exception {
        String home = java("jre-21", "21.0.1").toString();
        Map<String, String> ofA2o = Map.of("JAVA_HOME", home, "JAVA_OPTS", "-Xmx1g -XX:+UseZGC -Da=b");
        assertEquals(List.of("-XX:-UsePerfData", "-Xmx1g", "-XX:+UseZGC", "-Da=b", "-jar"), started(ofA2o).subList(1, 6));
        Map<String, String> ofAll = Map.of("JAVA_HOME", home, "JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=50");
        assertEquals(List.of("-XX:+UseSerialGC", "-XX:-UsePerfData", "-jar"), started(ofAll).subList(1, 4));
    }

    /** An older one is passed over wherever it is found, by its file or by what it says. */
    @Test
    void theFirstJavaThatIsNewEnoughIsTaken() throws Exception {
        Path eight = java("jre-8", "1.8.0_402"), seventeen = java("jre-17", "17.0.9");
        writeRelease(seventeen, "17.0.9");
        String path = seventeen.resolve("bin") + ":/usr/bin:/bin";
        Map<String, String> old = new LinkedHashMap<>(Map.of("JAVA_HOME", eight.toString(), "PATH", path));
        Path usual = java("usr/lib/jvm/java-25", "25");
        writeRelease(usual, "25");
        assertEquals("usr/lib/jvm/java-25 C.UTF-8", started(old).getFirst());
        Path onPath = java("jre-22", "22.0.1");
        Files.createDirectories(temporary.resolve("bin"));
        Files.createSymbolicLink(temporary.resolve("bin/java"), onPath.resolve("bin/java"));
        old.put("PATH", temporary.resolve("bin") + ":/usr/bin:/bin");
        assertEquals("jre-22 C.UTF-8", started(old).getFirst());
    }

    @Test
    void withoutAJavaItSaysWhatToDo() throws Exception {
        String path = java("jre-17", "17.0.9").resolve("bin") + ":/usr/bin:/bin";
        Outcome outcome = run(Map.of("PATH", path), program.toString(), "--version");
        assertEquals("1 []", outcome.status + " " + outcome.out);
        assertTrue(outcome.err.startsWith("a2o: no Java 21 or newer found"), outcome.err);
        assertTrue(outcome.err.contains("apt install openjdk-21-jre-headless"), outcome.err);
    }

    @Test
    void aUtf8LocaleIsSetWhereThereIsNone() throws Exception {
        String home = java("jre-21", "21.0.1").toString();
        for (String locale : List.of("C", "POSIX")) {
            assertEquals("jre-21 C.UTF-8", started(Map.of("JAVA_HOME", home, "LC_ALL", locale)).getFirst());
        }
        assertEquals("jre-21 ", started(Map.of("JAVA_HOME", home, "LANG", "de_DE.UTF-8")).getFirst());
    }

    @Test
    void itIsFoundThroughLinksAndByItsBareName() throws Exception {
        String home = java("jre-21", "21.0.1").toString();
        Files.createSymbolicLink(temporary.resolve("one"), Path.of("my programs/a2o"));
        Path two = Files.createSymbolicLink(Files.createDirectory(temporary.resolve("links")).resolve("two"), Path.of("../one"));
        Outcome linked = run(Map.of("JAVA_HOME", home), two.toString());
        assertTrue(Files.isSameFile(program, temporary.resolve("links").resolve(linked.out.get(5))), linked.out.toString());
        Files.copy(program, temporary.resolve("a2o"));
        Outcome bare = run(Map.of("JAVA_HOME", home), "sh", "a2o");
        assertEquals("./a2o", bare.out.get(5));
    }

    @Test
    void inABundleItTakesTheRuntimeBesideItAndTheCache() throws Exception {
        executable(program.resolveSibling("runtime/bin/java"), script("own", "25"));
        String other = java("jre-21", "21.0.1").toString();
        assertEquals(List.of("own C.UTF-8", "-Xmx256m"), started(Map.of("JAVA_HOME", other)).subList(0, 2));
        Path cache = Files.createFile(program.resolveSibling("a2o.aot"));
        assertEquals(List.of("own C.UTF-8", "-XX:AOTCache=" + cache, "-Xlog:aot*=off", "-Xmx256m"),
                started(Map.of()).subList(0, 4));
    }

    /** Nothing is set but where Java is: no HOME, no locale. */
    @Test
    void theRealProgramRunsInAnEmptyEnvironment() throws Exception {
        String home = System.getProperty("java.home"), a2o = Path.of("build/a2o").toAbsolutePath().toString();
        Outcome version = run(Map.of("JAVA_HOME", home), a2o, "--version");
        assertEquals("0 ", version.status + " " + version.err);
        assertTrue(version.out.getFirst().matches("a2o \\d.*"), version.out.toString());
        Outcome command = run(Map.of("JAVA_HOME", home), a2o, "--upstream", "demo", "--log-file", "grün.log", "--", "pwd");
        assertEquals("0 ", command.status + " " + command.err);
        assertTrue(Files.exists(temporary.resolve("grün.log")), "the name is read as UTF-8");
    }
}
