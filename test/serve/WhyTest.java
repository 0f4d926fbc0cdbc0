package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.HeldClock;
import testing.Logged;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** What the log says: why a request failed and at which backend, and each change of a backend's state. */
@ResourceLock("log")
class WhyTest {
    private static final String PLAIN =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");

    private final HeldClock clock = new HeldClock();
    private Logged log;

    @BeforeEach
    void keepTheLog() {
        log = new Logged();
    }

    @AfterEach
    void leaveTheLog() {
        log.close();
    }

    private static String url(Backend backend) {
        return backend.url().toString();
    }

    private static String host(Backend backend) {
        return backend.url().getAuthority();
    }

    private static String dead() throws IOException {
        return "127.0.0.1:" + Backend.deadPort();
    }

    @Test
    void theLineOfAFailedRequestEndsWithTheReason() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start(clock, "--upstream", url(backend))) {
            for (int status : new int[] {400, 401, 404, 429, 500}) {
                backend.answers(Backend.refusing(status, "just so"));
                Wire.Reply reply = Wire.post(proxy.port(), PLAIN);
                String line = log.line(reply.headers().get("request-id"));
                assertTrue(line.contains(" m -> m at %s ".formatted(host(backend))), line);
                assertTrue(line.endsWith("_error: " + reply.text("error.message")), line);
                assertTrue(line.endsWith(host(backend) + ": just so"), line);
            }
            backend.answers(call -> call.events().data(Backend.chunk("half"),
                    "{\"error\":{\"code\":500,\"message\":\"in the middle\"}}").end());
            Wire.Reply reply = Wire.post(proxy.port(), STREAM);
            String line = log.line(reply.headers().get("request-id"));
            assertTrue(line.endsWith(" api_error: %s: in the middle".formatted(host(backend))), line);
            backend.answers(Backend.saying("fine"));
            reply = Wire.post(proxy.port(), PLAIN);
            line = log.line(reply.headers().get("request-id"));
            assertTrue(line.contains(" 200 m -> m at %s ".formatted(host(backend))) && line.endsWith(" stop"), line);
        }
        try (Proxy proxy = Proxies.start(clock, "--upstream", "http://" + dead() + "/v1")) {
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN);
            String line = log.line(reply.headers().get("request-id"));
            assertTrue(line.endsWith(" api_error: %s: cannot connect; is the backend running?".formatted(dead())), line);
        }
    }

    @Test
    void theReasonIsCutMaskedAndOnOneLine() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start(clock, "--upstream", url(backend))) {
            backend.answers(Backend.refusing(400, "no key-0123456789\\nnext \\u001b[31m line " + "x".repeat(5000)));
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN, "x-api-key: key-0123456789");
            String line = log.line(reply.headers().get("request-id"));
            assertTrue(line.contains(": no (key)?next ?[31m line xxx"), line);
            assertTrue(line.length() < 700, line.length() + " characters");
        }
    }

    @Test
    void goingOnToTheNextBackendAndSettingAsideAreLogged() throws Exception {
        try (var first = new Backend(); var second = new Backend();
                Proxy proxy = Proxies.start(clock, "--upstream", url(first), "--upstream", url(second))) {
            first.answers(Backend.refusing(503, "full"));
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN);
            assertEquals(200, reply.status());
            String id = reply.headers().get("request-id");
            String failover = "%s 529, %s: full; tries %s".formatted(id, host(first), host(second));
            assertEquals(failover, log.line(id + " 529"));
            String aside = host(first) + " is set aside for ";
            assertEquals(aside + "1 s: full", log.line(aside));
            assertTrue(log.line(id + " 200").contains(" at " + host(second)), "one line for the exchange");
            assertEquals(1, log.lines(id + " 200").size());

            log.clear();
            log.line(Wire.post(proxy.port(), PLAIN).headers().get("request-id") + " 200 ");
            assertEquals(List.of(), log.lines(aside), "it is not asked meanwhile");
            clock.passes(1000);
            assertEquals(200, Wire.post(proxy.port(), PLAIN).status());
            assertEquals(aside + "2 s: full", log.line(aside));

            log.clear();
            clock.passes(2000);
            first.answers(Backend.saying("fine"));
            for (int i = 0; i < 2; i++) assertEquals("fine", Wire.post(proxy.port(), PLAIN).said());
            log.line(host(first) + " works again");
            assertEquals(1, log.lines(host(first) + " works again").size());
        }
    }

    @Test
    void aSecondTryAtTheOnlyBackendIsLoggedButItIsNotSetAside() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start(clock, "--upstream", url(backend))) {
            backend.answers(Backend.refusing(429, "wait", "retry-after: 1"), Backend.saying("fine"));
            var reply = Tasks.ask(() -> Wire.post(proxy.port(), PLAIN));
            clock.elapse(1000);
            assertEquals("fine", Tasks.outcome(reply).said());
            String id = Tasks.outcome(reply).headers().get("request-id");
            assertEquals("%s 429, %s: wait; tries %s".formatted(id, host(backend), host(backend)), log.line(id + " 429"));
            log.line(id + " 200 ");
            assertEquals(List.of(), log.lines(host(backend) + " is set aside"));
            assertEquals(List.of(), log.lines(host(backend) + " works again"), "a rate limit is no state of it");
        }
    }

    @Test
    void aBackendThatCanBeReachedAgainIsLogged() throws Exception {
        try (var port = new Socket()) {
            port.setReuseAddress(true); // so that a backend can listen there later
            port.bind(new InetSocketAddress("127.0.0.1", 0));
            String host = "127.0.0.1:" + port.getLocalPort();
            try (Proxy proxy = Proxies.start(clock, "--upstream", "http://" + host + "/v1")) {
                assertEquals(502, Wire.post(proxy.port(), PLAIN).status());
                clock.awaitWait(1000);
                try (var listening = new ServerSocket(port.getLocalPort(), 50, InetAddress.getByName("127.0.0.1"))) {
                    clock.elapse(1000);
                    log.line(host + " can be reached again");
                    listening.accept().close();
                }
            }
        }
    }

    /** {@return the status and the message that a client gets where the backends do so} */
    private String told(String... urls) throws Exception {
        List<String> args = new ArrayList<>();
        for (String url : urls) args.addAll(List.of("--upstream", url));
        try (Proxy proxy = Proxies.start(clock, args.toArray(String[]::new))) {
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN);
            String line = log.line(reply.headers().get("request-id") + " " + reply.status() + " ");
            String message = reply.text("error.message");
            assertTrue(line.endsWith(": " + message), line);
            assertTrue(line.contains(" at " + message.substring(0, message.indexOf(": ")) + " "), line);
            return reply.status() + " " + message;
        }
    }

    @Test
    void anAnswerInWordsBeatsNoneWhateverTheOrder() throws Exception {
        String dead = "http://" + dead() + "/v1";
        for (int status : new int[] {402, 429, 500, 501}) {
            try (var backend = new Backend().answers(Backend.refusing(status, "in words"))) {
                int shown = status == 501 ? 500 : status;
                String expected = "%d %s: in words".formatted(shown, host(backend));
                assertEquals(expected, told(url(backend), dead));
                assertEquals(expected, told(dead, url(backend)));
                assertEquals(expected, told(dead, url(backend), dead));
                assertEquals(expected, told(url(backend), dead, dead));
            }
        }
        try (var first = new Backend().answers(Backend.refusing(429, "first"));
                var second = new Backend().answers(Backend.refusing(500, "second"))) {
            assertEquals("500 %s: second".formatted(host(second)), told(url(first), dead, url(second)));
            assertEquals("429 %s: first".formatted(host(first)), told(url(second), url(first), dead));
        }
    }

    /** A connection that breaks, or that brings no HTTP, beats that there was none. */
    @Test
    void aBrokenConnectionBeatsNone() throws Exception {
        String dead = "http://" + dead() + "/v1";
        try (var backend = new Backend().answers(call -> call.raw("220 ready\r\n"))) {
            String expected = "502 %s: what answers there does not speak HTTP".formatted(host(backend));
            assertEquals(expected, told(url(backend), dead));
        }
    }

    @Test
    void aRefusalOfTheRequestIsToldAtOnce() throws Exception {
        try (var first = new Backend().answers(Backend.refusing(429, "first"));
                var second = new Backend().answers(Backend.refusing(400, "second"))) {
            assertEquals("400 %s: second".formatted(host(second)), told(url(first), url(second)));
        }
    }
}
