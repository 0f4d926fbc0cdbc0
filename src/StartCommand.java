import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Arrays;
import java.util.Optional;
import serve.ClientVariables;

/** The words for a shell that start this program as it was started: by a launcher, a jar, or the source. */
final class StartCommand {
    /** What a launcher sets that has a command of its own: {@code ./build.sh run}. */
    private static final String LAUNCHER = "a2o.command";

    private StartCommand() { }

    /** {@code main} is the program's main class. */
    static String words(Class<?> main) {
        String launcher = System.getProperty(LAUNCHER, "");
        return launcher.isBlank() ? withoutLauncher(main) : launcher;
    }

    private static String withoutLauncher(Class<?> main) {
        String classPath = System.getProperty("java.class.path", "");
        Optional<String> source = sourceFile(main);
        if (source.isPresent()) return "%s %s".formatted(java(), ClientVariables.quoted(source.get()));
        if (classPath.endsWith(".jar")) return "%s -jar %s".formatted(java(), ClientVariables.quoted(classPath));
        boolean isProgram = Files.isRegularFile(Path.of(classPath)); // dist/a2o: a script, then the jar
        if (isProgram) return ClientVariables.quoted(classPath);
        return "%s -cp %s %s".formatted(java(), ClientVariables.quoted(classPath), main.getName());
    }

    /** {@return the file that is run without having been compiled before, if that is so} */
    private static Optional<String> sourceFile(Class<?> main) {
        CodeSource source = main.getProtectionDomain().getCodeSource();
        if (source == null || !source.getLocation().getPath().endsWith(".java")) return Optional.empty();
        Path file = Path.of(URI.create(source.getLocation().toString()));
        Path here = Path.of("").toAbsolutePath();
        return Optional.of((file.startsWith(here) ? here.relativize(file) : file).toString());
    }

    /** {@return the command of the Java that runs, which may not be the one on the PATH} */
    private static String java() {
        Path own = Path.of(System.getProperty("java.home"), "bin", "java");
        String[] folders = System.getenv().getOrDefault("PATH", "").split(File.pathSeparator);
        Optional<Path> first = Arrays.stream(folders)
                .map(folder -> Path.of(folder, "java")).filter(Files::isExecutable).findFirst();
        boolean isSame = first.isPresent() && isSame(first.get(), own);
        return isSame ? "java" : ClientVariables.quoted(own.toString());
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) { // one is not there
            return false;
        }
    }
}
