package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import serve.Proxy;
import testing.Backend;
import testing.HeldClock;
import testing.PatientClock;
import testing.Proxies;
import testing.Sockets;
import testing.Tasks;
import testing.Wire;

/** Replies whose head is not that of an HTTP/1.1 reply: the client gets an error, and no socket is left open. */
class ReplyHeadTest {
    private static final String MODEL = "\"model\":\"m\",\"max_tokens\":9,";
    private static final String PLAIN = "{" + MODEL + "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");
    private static final String OK = "HTTP/1.1 200 OK\r\n";

    /** What a backend sends in the place of a head; it leaves the connection open then. */
    private static Map<String, String> heads() {
        Map<String, String> heads = new LinkedHashMap<>();
        heads.put("a greeting of FTP or SMTP", "220 ready\r\n");
        heads.put("a greeting of SSH", "SSH-2.0-OpenSSH_9.2\r\n");
        heads.put("a stream of radio", "ICY 200 OK\r\n\r\n");
        heads.put("an alert of TLS", "\u0015\u0003\u0001\u0000\u0002\u0002\u0046\r\n\r\n");
        heads.put("no status", "HTTP/1.1 OK\r\n\r\n");
        heads.put("a status that is none", "HTTP/1.1 2x0 OK\r\n\r\n");
        heads.put("a status below 100", "HTTP/1.1 042 OK\r\n\r\n");
        heads.put("a carriage return within the line", "HTTP/1.1 200 O\rK\r\n\r\n");
        heads.put("a control byte in a value", OK + "x-a: b\u0001c\r\n\r\n");
        heads.put("a zero byte in a value", OK + "x-a: b\u0000c\r\n\r\n");
        heads.put("a space in a name", OK + "x a: b\r\n\r\n");
        heads.put("a length that is none", OK + "content-length: abc\r\n\r\n");
        heads.put("a length below zero", OK + "content-length: -5\r\n\r\n");
        heads.put("a body where none may be", "HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\nhello");
        heads.put("another protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
        heads.put("twenty notices of work", "HTTP/1.1 102 Processing\r\n\r\n".repeat(20));
        heads.put("twenty hints", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(20));
        heads.put("one long line", OK + "x-a: " + "b".repeat(1_000_000) + "\r\n\r\n");
        heads.put("very many headers", OK + "x-a: b\r\n".repeat(100_000) + "\r\n");
        heads.put("a long status line", "HTTP/1.1 200 " + "b".repeat(1_000_000) + "\r\n\r\n");
        heads.put("a chunk without a size", OK + "transfer-encoding: chunked\r\n\r\nzz\r\n");
        return heads;
    }

    /** Sends that, and notes whether the proxy then closes the connection. */
    private static Backend.Script sending(String head, BlockingQueue<Boolean> left) {
        return call -> {
            try {
                call.raw(head);
            } catch (IOException closed) { // before all of it was sent
                left.add(true);
                return;
            }
            left.add(call.isLeft(Tasks.WAIT_SECONDS * 1000));
        };
    }

    @TestFactory
    Stream<DynamicTest> theConnectionIsClosedAndTheClientTold() {
        return heads().entrySet().stream()
                .map(head -> DynamicTest.dynamicTest(head.getKey(), () -> assertClosed(head.getValue())));
    }

    private static void assertClosed(String head) throws Exception {
        var left = new LinkedBlockingQueue<Boolean>();
        try (var backend = new Backend().answers(sending(head, left));
                Proxy proxy = Proxies.before(PatientClock.withoutPauses(), backend)) {
            for (String request : List.of(PLAIN, STREAM)) {
                Wire.Reply reply = Wire.post(proxy.port(), request);
                assertEquals(502, reply.status(), reply.body());
                assertEquals("api_error", reply.text("error.type"));
            }
            assertAllAreLeft(backend, left);
        }
    }

    private static void assertAllAreLeft(Backend backend, BlockingQueue<Boolean> left) throws Exception {
        for (int i = backend.requests(); i > 0; i--) {
            assertEquals(true, left.poll(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "a connection is left open");
        }
        assertNoneIsHeld(backend);
    }

    @Test
    void theListOfModelsLeavesNoneOpenEither() throws Exception {
        var left = new LinkedBlockingQueue<Boolean>();
        try (var backend = new Backend().answers(sending("220 ready\r\n", left)); Proxy proxy = Proxies.before(backend)) {
            assertEquals(200, Wire.ask(proxy.port(), "GET", "/v1/models", new byte[0]).status());
            assertAllAreLeft(backend, left);
        }
    }

    /** The head comes a byte at a time and never ends: that is silence too. */
    @Test
    void aHeadThatDripsForEverIsWaitedForNoLongerThanForSilence() throws Exception {
        var left = new LinkedBlockingQueue<Boolean>();
        Backend.Script drips = call -> {
            call.raw(OK + "x-a: ");
            while (!call.isLeft(50)) call.raw("b");
            left.add(true);
        };
        var clock = new HeldClock();
        try (var backend = new Backend().answers(drips); Proxy proxy = Proxies.before(clock, backend, "--timeout", "7")) {
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> Wire.post(proxy.port(), PLAIN));
            backend.take();
            clock.elapse(7_000);
            assertEquals(504, Tasks.outcome(reply).status());
            assertAllAreLeft(backend, left);
        }
    }

    private static void assertNoneIsHeld(Backend backend) throws Exception {
        assumeTrue(Sockets.canBeCounted(), "no /proc here");
        Tasks.await(() -> Sockets.to(backend.url().getPort()) == 0, "a socket to the backend is left open");
    }
}
