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
    private StartCommand() { }

    /** {@code main} is the program's main class. */
    static String words(Class<?> main) {
        String classPath = System.getProperty("java.class.path", "");
        Optional<String> source = sourceFile(main);
        if (source.isPresent()) return "%s %s".formatted(java(), ClientVariables.quoted(source.get()));
        if (classPath.endsWith(".jar")) return "%s -jar %s".formatted(java(), ClientVariables.quoted(classPath));
        boolean isProgram = Files.isRegularFile(Path.of(classPath)); // build/a2o: a script, then the jar
        if (isProgram) return program(Path.of(classPath));
        return "%s -cp %s %s".formatted(java(), ClientVariables.quoted(classPath), main.getName());
    }

    /** {@return the name of a program that is on the PATH, else where it is} */
    private static String program(Path file) {
        String name = file.getFileName().toString();
        boolean isOnPath = onPath(name).filter(found -> isSame(found, file)).isPresent();
        return isOnPath ? name : ClientVariables.quoted(fromHere(file).toString());
    }

    private static Optional<Path> onPath(String name) {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty()).map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable).findFirst();
    }

    /** {@return a file below this directory from there, and others as they are} */
    private static Path fromHere(Path file) {
        Path here = Path.of("").toAbsolutePath();
        boolean isBelow = file.startsWith(here) && file.getNameCount() > here.getNameCount() + 1;
        return isBelow ? here.relativize(file) : file; // a bare name would be looked for on the PATH
    }

    /** {@return the file that is run without having been compiled before, if that is so} */
    private static Optional<String> sourceFile(Class<?> main) {
        return Optional.ofNullable(main.getProtectionDomain().getCodeSource())
                .map(CodeSource::getLocation) // none for a class from an AOT cache whose jar was moved
                .filter(location -> location.getPath().endsWith(".java"))
                .map(location -> fromHere(Path.of(URI.create(location.toString()))).toString());
    }

    /** {@return the command of the Java that runs, which may not be the one on the PATH} */
    private static String java() {
        Path own = Path.of(System.getProperty("java.home"), "bin", "java");
        boolean isOnPath = onPath("java").filter(found -> isSame(found, own)).isPresent();
        return isOnPath ? "java" : ClientVariables.quoted(own.toString());
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) { // one is not there
            return false;
        }
    }
}
