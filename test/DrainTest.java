import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The jar as it is stopped: what it has begun it ends, and then leaves. Needs what build.sh makes of src/. */
@Execution(ExecutionMode.CONCURRENT)
class DrainTest {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Pattern BANNER = Pattern.compile("a2o \\S+ listens on http://127\\.0\\.0\\.1:(\\d+)\\b.*");
    private static final long DRAIN_SECONDS = 30; // after which it leaves in any case

    /** A backend, the jar before it as a process of its own, and a way to signal that. */
    private static final class Jar implements AutoCloseable {
        private final Backend backend = new Backend();
        private final Path log = Files.createTempFile("a2o-drain-", ".log");
        private final Process process;
        private final int port;

        private Jar() throws IOException {
            var command = new ProcessBuilder(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar",
                    "build/a2o.jar", "--port", "0", "--upstream", backend.url().toString(),
                    "--log-file", log.toString()).redirectError(ProcessBuilder.Redirect.DISCARD);
            command.environment().keySet()
                    .removeIf(name -> name.matches("A2O_.*|OPENAI_API_KEY|J.*_OPTIONS|CLASSPATH|(?i).*_proxy"));
            process = command.start();
            port = port(process);
        }

        private static int port(Process process) throws IOException {
            BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                Matcher banner = BANNER.matcher(line);
                if (banner.matches()) return Integer.parseInt(banner.group(1));
            }
            return fail("the process has ended without its banner");
        }

        /** Sends a signal as a shell does: {@code Process.destroy} would also close the streams of the process. */
        private void signal(String name) throws Exception {
            String command = "kill -%s %d".formatted(name, process.pid());
            assertEquals(0, new ProcessBuilder("sh", "-c", command).inheritIO().start().waitFor());
        }

        /** {@return the status that the process ends with} It must not wait for what may still be in flight. */
        private int status() throws InterruptedException {
            assertTrue(process.waitFor(DRAIN_SECONDS - 5, TimeUnit.SECONDS), "still running");
            return process.exitValue();
        }

        /** Returns when the process answers no new connection. */
        private void awaitClosed() throws Exception {
            Tasks.await(() -> !isOpen(), "new connections are still served");
        }

        private boolean isOpen() {
            try {
                String request = "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
                return !Wire.all(port, request.getBytes(StandardCharsets.UTF_8)).isEmpty();
            } catch (IOException refused) {
                return false;
            }
        }

        private Wire stream() throws IOException {
            return new Wire(port).message("""
                    {"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}""");
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly();
            backend.close();
            Files.deleteIfExists(log);
        }
    }

    private static void assumeSignals() {
        assumeTrue(ProcessHandle.current().supportsNormalTermination(), "no signals here");
    }

    /** A process that was started where ctrl-C is ignored, as by nohup, never sees it, nor do those it starts. */
    private static void assumeInterruptible() throws IOException {
        assumeSignals();
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) return;
        Matcher ignored = Pattern.compile("(?m)^SigIgn:\\s*([0-9a-f]+)$").matcher(Files.readString(status));
        boolean isIgnored = ignored.find() && (Long.parseUnsignedLong(ignored.group(1), 16) & 2) != 0;
        assumeFalse(isIgnored, "SIGINT is ignored here");
    }

    /** The exchange that is in flight ends whole, then the process; nothing new is begun. */
    private static void drains(String signal) throws Exception {
        var rest = new CountDownLatch(1);
        try (var jar = new Jar()) {
            jar.backend.answers(call -> {
                call.events().data(Backend.ROLE, Backend.chunk("Hello"));
                Tasks.await(rest);
                call.data(Backend.chunk(" there"), Backend.FINISH, Backend.USAGE, "[DONE]").end();
            });
            try (Wire wire = jar.stream()) {
                wire.until("Hello");
                jar.signal(signal);
                jar.awaitClosed();
                assertTrue(jar.process.isAlive(), "it has left an exchange behind");
                rest.countDown();
                Wire.Reply reply = wire.reply();
                assertEquals(List.of("message_stop", "Hello there"), List.of(reply.last().name(), reply.said()));
            }
            assertEquals(0, jar.status());
            assertEquals(1, jar.backend.requests());
            String log = Files.readString(jar.log);
            assertTrue(log.matches("(?s).* a2o stops; exchanges to end: 1\\R.* 200 m -> m .* stop\\R"), log);
        }
    }

    @Test
    void sigtermLetsAnExchangeEndWhole() throws Exception {
        assumeSignals();
        drains("TERM");
    }

    @Test
    void sigintLetsAnExchangeEndWhole() throws Exception {
        assumeInterruptible();
        drains("INT");
    }

    /** An exchange that never ends goes on after the first signal; the second ends all. */
    private static void endsAtTheSecond(String signal) throws Exception {
        try (var jar = new Jar()) {
            jar.backend.answers(call -> {
                call.events().data(Backend.ROLE, Backend.chunk("Hello"));
                for (int i = 0; !call.isLeft(20); i++) call.data(Backend.chunk("word" + i));
            });
            try (Wire wire = jar.stream()) {
                wire.until("Hello");
                jar.signal(signal);
                jar.awaitClosed();
                int words = wire.until("word1").body().split("word").length;
                assertFalse(wire.until("word" + (words + 5)).body().contains("message_stop"), "it goes on");
                assertTrue(jar.process.isAlive(), "one signal has ended it");
                jar.signal(signal);
                jar.status(); // whichever, but in time
            }
        }
    }

    @Test
    void aSecondSigtermEndsItAtOnce() throws Exception {
        assumeSignals();
        endsAtTheSecond("TERM");
    }

    @Test
    void aSecondSigintEndsItAtOnce() throws Exception {
        assumeInterruptible();
        endsAtTheSecond("INT");
    }

    /** Nothing is in flight, though a client keeps a connection for its next request. */
    private static void leaves(String signal) throws Exception {
        try (var jar = new Jar(); var wire = new Wire(jar.port)) {
            assertEquals(200, wire.head("GET", "/health", "content-length: 0").reply().status());
            jar.signal(signal);
            assertEquals(0, jar.status());
        }
    }

    @Test
    void sigtermWithNothingInFlightEndsItAtOnce() throws Exception {
        assumeSignals();
        leaves("TERM");
    }

    @Test
    void sigintWithNothingInFlightEndsItAtOnce() throws Exception {
        assumeInterruptible();
        leaves("INT");
    }
}
