package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static testing.Inspect.ask;
import static testing.Inspect.get;
import static testing.Inspect.number;
import static testing.Inspect.request;
import static testing.Inspect.status;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.HeldClock;
import testing.Proxies;
import testing.Samples;
import testing.Tasks;
import testing.Wire;

/** When the proxy says that it is ready, and why not. */
class ReadyTest {
    @Test
    void readyButNotWhileDraining() throws Exception {
        var rest = new CountDownLatch(1);
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend);
             var wire = new Wire(proxy.port()); var probe = new Wire(proxy.port())) {
            backend.answers(call -> {
                call.events().data(Backend.ROLE, Backend.chunk("Hello"));
                Tasks.await(rest);
                call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
            });
            wire.message(request("m", true)).until("Hello");
            assertEquals(200, probe.head("GET", "/ready", "content-length: 0").reply().status());
            Thread.ofPlatform().daemon().start(() -> proxy.drain(Tasks.WAIT_SECONDS));
            var last = new AtomicReference<Wire.Reply>();
            Tasks.await(() -> {
                last.set(probe.head("GET", "/ready", "content-length: 0").reply());
                return last.get().status() != 200;
            }, "it is ready");
            Wire.Reply ready = last.get(); // after which the connection is closed
            assertEquals(503, ready.status());
            assertEquals("close", ready.headers().get("connection"));
            assertEquals("the proxy is being stopped", ready.text("error.message"));
            rest.countDown();
            assertEquals("message_stop", wire.reply().last().name());
        }
    }

    @Test
    void aBackendThatNobodyCanConnectToIsNotReadyUntilSomebodyCan() throws Exception {
        var clock = new HeldClock();
        try (var port = new Socket()) {
            port.setReuseAddress(true); // so that a backend can listen there later
            port.bind(new InetSocketAddress("127.0.0.1", 0));
            String address = "127.0.0.1:" + port.getLocalPort();
            try (Proxy proxy = Proxies.start(clock, "--upstream", "http://" + address + "/v1")) {
                assertEquals(200, get(proxy, "/ready").status(), "not tried yet");
                assertEquals(502, ask(proxy, "m", true).status());
                assertNotReady("no backend can be reached", "unreachable", proxy);
                assertEquals(address + ": cannot connect; is the backend running?",
                        status(proxy, 1).text("upstreams.0.last_error.message"));
                assertEquals(1, Samples.sum(Samples.of(proxy), "a2o_upstream_errors_total{upstream=\"%s\",status=\"502\"}"
                        .formatted(address)));
                for (int millis : new int[] {1000, 2000, 4000, 5000}) {
                    clock.elapse(millis); // it has tried, or will, to connect
                    assertNotReady("no backend can be reached", "unreachable", proxy);
                }
                clock.awaitWait(5000);
                try (var listening = new ServerSocket(port.getLocalPort(), 50, InetAddress.getByName("127.0.0.1"))) {
                    clock.elapse(5000);
                    Tasks.await(() -> get(proxy, "/ready").status() == 200, "ready again");
                    assertEquals("ready", status(proxy).text("upstreams.0.state"));
                    try (Socket connection = listening.accept()) {
                        assertEquals(-1, connection.getInputStream().read(), "nothing is sent");
                    }
                }
            }
        }
    }

    private static void assertNotReady(String why, String state, Proxy proxy) throws Exception {
        Wire.Reply ready = get(proxy, "/ready");
        assertEquals("503 " + why, ready.status() + " " + ready.text("error.message"));
        assertEquals(why, status(proxy).text("state"));
        assertEquals(state, status(proxy).text("upstreams.0.state"));
        assertEquals(200, get(proxy, "/health").status());
    }

    /** It is not ready after that, though it can be connected to; after a second it is, and without a request. */
    @TestFactory
    Stream<DynamicTest> aBackendThatFailsIsNotReadyUntilAConnectionIsMade() {
        Map<String, Backend.Script> failures = Map.of("500", Backend.refusing(500, "why"),
                "501", Backend.refusing(501, "why"), "a finish that is an error", call -> call.events().data(Backend.chunk("half"),
                        Backend.FINISH.replace("\"stop\"", "\"error\"")).end());
        return failures.entrySet().stream().map(failure -> DynamicTest.dynamicTest(failure.getKey(), () -> {
            var clock = new HeldClock();
            try (var backend = new Backend().answers(failure.getValue()); Proxy proxy = Proxies.before(clock, backend)) {
                ask(proxy, "m", true);
                status(proxy, 1);
                assertNotReady("no backend works", "set aside", proxy);
                clock.elapse(1000);
                Tasks.await(() -> get(proxy, "/ready").status() == 200, "ready again");
                assertEquals("failing", status(proxy).text("upstreams.0.state"), "no request has gone well");
                assertEquals(1, backend.requests());
                backend.answers(Backend.saying("fine"));
                assertEquals(200, ask(proxy, "m", true).status());
                assertEquals("ready", status(proxy, 2).text("upstreams.0.state"));
                assertTrue(status(proxy).text("upstreams.0.last_error.message").contains("127.0.0.1:"), "still known");
            }
        }));
    }

    @Test
    void aBackendThatIsSilentForTooLongIsNotReady() throws Exception {
        var clock = new HeldClock();
        var over = new CountDownLatch(1);
        try (var backend = new Backend().answers(call -> Tasks.await(over));
                Proxy proxy = Proxies.before(clock, backend, "--timeout", "7")) {
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> ask(proxy, "m", false));
            backend.take();
            clock.elapse(7000);
            assertEquals(504, Tasks.outcome(reply).status());
            status(proxy, 1);
            assertNotReady("no backend works", "set aside", proxy);
            clock.elapse(1000);
            Tasks.await(() -> get(proxy, "/ready").status() == 200, "ready again");
            over.countDown();
        }
    }

    /** What is wrong with a request, a key or the rate is no reason to send the next one elsewhere. */
    @TestFactory
    Stream<DynamicTest> aBackendThatRefusesIsReady() {
        return Stream.of(400, 401, 402, 403, 404, 413, 422, 429).map(status -> DynamicTest.dynamicTest("" + status, () -> {
            String[] wait = {"retry-after: 60"};
            for (String[] args : new String[][] {{}, {"--upstream-key", "K"}}) {
                try (var backend = new Backend().answers(Backend.refusing(status, "why", wait));
                        Proxy proxy = Proxies.before(new HeldClock(), backend, args)) {
                    ask(proxy, "m", true);
                    Wire.Reply state = status(proxy, 1);
                    assertEquals(200, get(proxy, "/ready").status());
                    assertTrue(number(state, "upstreams.0.last_error.status") >= 400, state.body());
                    boolean isOfTheAccount = status == 402 || status == 429;
                    boolean isOfOurKey = args.length > 0 && (status == 401 || status == 403);
                    String expected = isOfTheAccount ? "set aside" : isOfOurKey ? "failing" : "ready";
                    assertEquals(expected, state.text("upstreams.0.state"));
                }
            }
        }));
    }

    @Test
    void oneBackendThatWorksIsEnough() throws Exception {
        String dead = "http://127.0.0.1:%d/v1".formatted(Backend.deadPort());
        try (var backend = new Backend();
                var both = Proxies.start(new HeldClock(), "--upstream", dead, "--upstream", backend.url().toString())) {
            assertEquals(200, ask(both, "m", true).status());
            assertEquals(200, get(both, "/ready").status());
            assertEquals("unreachable", status(both, 1).text("upstreams.0.state"));
            assertEquals("ready", status(both).text("upstreams.1.state"));
            assertEquals("null", status(both).text("upstreams.1.last_error"));
        }
    }
}
