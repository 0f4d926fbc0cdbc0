import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * A program that can be started: its name in the tables, its command for a port to listen on, and what its environment has
 * beyond {@link #ENVIRONMENT}. What it prints is dropped, as it may be a log line for each request.
 */
record Program(String name, IntFunction<List<String>> command, Map<String, String> environment) {
    static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Set<String> ENVIRONMENT =
            Set.of("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LANG", "LC_ALL");
    private static final int START_SECONDS = 20; // for a process to listen

    /** {@return A2o from that jar, before that backend} */
    static Program a2o(String name, String jar, String backend, String... flags) {
        return new Program(name, port -> {
            var command = new ArrayList<>(List.of(JAVA));
            command.addAll(List.of(flags));
            command.addAll(List.of("-jar", jar, "--port", "" + port, "--upstream", backend));
            return command;
        }, Map.of());
    }

    /** {@return the command for a program beside this one, compiled as this one is, or from its source} */
    static List<String> beside(List<String> flags, String name, String... args) {
        String classes = System.getProperty("java.class.path");
        var command = new ArrayList<>(List.of(JAVA));
        command.addAll(flags);
        boolean isCompiled = Files.exists(Path.of(classes, name + ".class"));
        command.addAll(isCompiled ? List.of("-cp", classes, name) : List.of("test/bench/" + name + ".java"));
        command.addAll(List.of(args));
        return command;
    }

    /** Starts it, and waits until it listens. */
    Running start() throws IOException, InterruptedException {
        int port = freePort();
        var builder = new ProcessBuilder(command.apply(port))
                .redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD);
        builder.environment().keySet().removeIf(each -> !ENVIRONMENT.contains(each.toUpperCase(Locale.ROOT)));
        builder.environment().putAll(environment);
        var running = new Running(name, port, builder.start());
        Runtime.getRuntime().addShutdownHook(new Thread(running::kill));
        long end = System.nanoTime() + START_SECONDS * 1_000_000_000L;
        while (System.nanoTime() < end && running.process().isAlive()) {
            try {
                new Socket(InetAddress.getLoopbackAddress(), port).close();
                return running;
            } catch (IOException notYet) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
        running.stop();
        throw new IOException("%s does not listen: %s".formatted(name, String.join(" ", builder.command())));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
