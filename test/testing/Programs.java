package testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs of others that a machine may have, as a real balancer or a real Prometheus. */
public final class Programs {
    private Programs() { }

    public static boolean isThere(String name) {
        return find(name).isPresent();
    }

    /** {@return the path of the program} Servers are often where only the administrator looks for them. */
    public static Optional<String> find(String name) {
        Stream<String> folders = Stream.concat(Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"));
        return folders.map(folder -> Path.of(folder, name)).filter(Files::isExecutable).map(Path::toString).findFirst();
    }

    /** {@return the exit status and all that the program has said, given that input} */
    public static String run(byte[] input, String name, String... words) throws Exception {
        Process process = start(name, words);
        try (OutputStream in = process.getOutputStream()) {
            in.write(input);
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), name);
        return process.exitValue() + " " + said.strip();
    }

    /** Starts a program, whose two outputs are one. */
    public static Process start(String name, String... words) throws IOException {
        Stream<String> command = Stream.concat(Stream.of(find(name).orElseThrow()), Stream.of(words));
        return new ProcessBuilder(command.toList()).redirectErrorStream(true).start();
    }
}
