package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.HeldClock;
import testing.Pair;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;
import upstream.Clock;
import upstream.SystemClock;

/** Clients that are slow, that send too much or read too little: they are borne with or cut, and others are served. */
class ClientThreadsTest {
    private static final String BODY = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";

    /** Connections that have sent as much as they will. */
    private static final class Crowd implements AutoCloseable {
        private final List<Socket> sockets = new ArrayList<>();

        private void join(Proxy proxy, int size, String sent) throws IOException {
            for (int i = 0; i < size; i++) {
                var socket = new Socket("127.0.0.1", proxy.port());
                sockets.add(socket);
                socket.getOutputStream().write(sent.getBytes(StandardCharsets.ISO_8859_1));
            }
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : sockets) socket.close();
        }
    }

    private static void assertServed(Proxy proxy) throws IOException {
        assertEquals(200, Wire.ask(proxy.port(), "GET", "/health", new byte[0]).status());
        assertEquals(200, Wire.post(proxy.port(), BODY).status());
    }

    @Test
    void manySlowClientsHoldUpNobody() throws Exception {
        int many = Runtime.getRuntime().availableProcessors() * 2 + 8;
        String head = "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n";
        try (var backend = new Backend(); var proxy = Proxies.before(backend); var slow = new Crowd()) {
            slow.join(proxy, many, "P");
            slow.join(proxy, many, "POST / HTTP/1.1\r\nHo");
            slow.join(proxy, many, head + "{");
            assertServed(proxy);
        }
    }

    /** Lets time pass, more than {@code millis} at once, until the proxy has closed the connection. */
    private static void assertCut(HeldClock clock, Wire wire, long millis) throws Exception {
        FutureTask<Wire.Reply> reply = Tasks.ask(wire::reply);
        Tasks.await(() -> {
            clock.passes(millis);
            return reply.isDone();
        }, "it is not cut");
        assertThrows(IOException.class, () -> Tasks.outcome(reply));
    }

    @Test
    void aHeadThatDoesNotComeIsCut() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock); var wire = new Wire(pair.port())) {
            wire.write("POST /v1/messages HTTP/1.1\r\nHost:".getBytes(StandardCharsets.US_ASCII));
            assertCut(clock, wire, 11_000);
        }
    }

    @Test
    void aBodyThatDoesNotComeIsCut() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock); var wire = new Wire(pair.port())) {
            wire.head("POST", "/v1/messages", "content-length: 100").write("{".getBytes(StandardCharsets.US_ASCII));
            assertCut(clock, wire, 31_000);
        }
    }

    private static boolean has499(Pair pair) throws IOException {
        return pair.ask("GET", "/status.json").body().contains("\"status\":499");
    }

    /** The reply is longer than what sockets keep, so that the proxy must wait for a client that does not read it. */
    private static void assertSlowReaderIsCut(Backend.Script script, String request) throws Exception {
        assertSlowReaderIsCut(script, request, pair -> { }, "60");
    }

    /** What is done to the two happens while the reply is being sent. */
    private static void assertSlowReaderIsCut(Backend.Script script, String request, Change change, String timeout)
            throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock, "--timeout", timeout); var wire = new Wire(pair.port())) {
            pair.backend.answers(script);
            wire.message(request).begin();
            change.of(pair);
            Tasks.await(() -> {
                clock.passesUnlessAwaited(61_000); // it waits for the client, not for the backend
                return has499(pair);
            }, "it keeps its place");
            assertThrows(IOException.class, wire::reply);
            assertEquals(200, pair.ask("GET", "/health").status());
        }
    }

    private interface Change {
        void of(Pair pair) throws IOException;
    }

    @Test
    void aLimitThatIsChangedHoldsFromThenOn() throws Exception {
        String completion = Backend.completion("x".repeat(30_000_000));
        assertSlowReaderIsCut(call -> call.reply(200, "application/json", completion), BODY,
                pair -> pair.use("--timeout", "60"), "80000");
    }

    @Test
    void aClientThatDoesNotReadAWholeReplyIsCut() throws Exception {
        String completion = Backend.completion("x".repeat(30_000_000));
        assertSlowReaderIsCut(call -> call.reply(200, "application/json", completion), BODY);
    }

    @Test
    void aClientThatDoesNotReadAStreamIsCut() throws Exception {
        Backend.Script endless = call -> {
            call.events();
            for (int i = 0; i < 100_000; i++) call.data(Backend.chunk("x".repeat(1000)));
        };
        assertSlowReaderIsCut(endless, BODY.replaceFirst("\\{", "{\"stream\":true,"));
    }

    @Test
    void aClientThatLeavesAWholeRequestGivesItsPlaceBack() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/net/tcp")), "only Linux shows who has left");
        var left = new CountDownLatch(1);
        try (var pair = new Pair(SystemClock.INSTANCE, "--max-connections", "1", "--timeout", "10000")) {
            pair.backend.answers(call -> {
                if (call.isLeft(Tasks.WAIT_SECONDS * 1000)) left.countDown();
            }, Backend.saying("served"));
            Wire wire = pair.sent(BODY);
            pair.backend.take();
            wire.close();
            Tasks.await(left);
            assertEquals("served", pair.post(BODY).said());
            Tasks.await(() -> has499(pair), "it is not said that the client has left");
        }
    }

    @Test
    void aWholeRequestIsServedAsLongAsItsClientWaits() throws Exception {
        for (String header : List.of("x-stainless-timeout: 20", "x-stainless-read-timeout: 20.0")) {
            var clock = new HeldClock();
            try (var pair = new Pair(clock, "--timeout", "300")) {
                pair.backend.answers(call -> call.isLeft(Tasks.WAIT_SECONDS * 1000));
                FutureTask<Wire.Reply> reply = Tasks.ask(() -> pair.post(BODY, header));
                clock.elapse(21_000);
                assertEquals(504, Tasks.outcome(reply).status());
                String message = Tasks.outcome(reply).text("error.message");
                assertTrue(message.endsWith("no whole reply in the 20 seconds that the client waits (x-stainless-timeout)"),
                        message);
            }
        }
    }

    @Test
    void whatIsNoTimeIsNoLimit() throws Exception {
        for (String value : List.of("0", "-1", "soon", "NOT_GIVEN", "1e9", "", "99999999999999999999")) {
            var clock = new HeldClock();
            try (var pair = new Pair(clock, "--timeout", "300")) {
                pair.backend.answers(call -> call.isLeft(Tasks.WAIT_SECONDS * 1000));
                FutureTask<Wire.Reply> reply = Tasks.ask(() -> pair.post(BODY, "x-stainless-timeout: " + value));
                clock.elapse(300_000);
                assertTrue(Tasks.outcome(reply).text("error.message").endsWith("nothing came for 300 seconds"), value);
            }
        }
    }
}
