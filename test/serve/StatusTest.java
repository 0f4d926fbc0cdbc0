package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static testing.Inspect.HTML;
import static testing.Inspect.ask;
import static testing.Inspect.get;
import static testing.Inspect.number;
import static testing.Inspect.request;
import static testing.Inspect.seasoned;
import static testing.Inspect.status;

import config.Options;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.HeldClock;
import testing.Logged;
import testing.Proxies;
import testing.Samples;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** What the proxy tells those who run it as JSON, what is counted, and that no key and no prompt is told. */
class StatusTest {
    @Test
    void jsonHasCountsAndTheLastExchanges() throws Exception {
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            Wire.Reply status = status(proxy);
            assertEquals("application/json", status.headers().get("content-type"));
            assertEquals("no-store", status.headers().get("cache-control"));
            assertEquals(Options.VERSION, status.text("version"));
            assertTrue(status.text("state").matches("no backend works|ready"), "until a connection is made");
            assertEquals(System.currentTimeMillis(), number(status, "started"), Tasks.WAIT_SECONDS * 1000);
            Map<String, Integer> counts = Map.of("in_flight", 0, "requests", 5, "errors", 2, "retries", 2,
                    "input_tokens", 21, "cached_tokens", 0, "cache_writes", 0, "output_tokens", 9);
            counts.forEach((name, count) -> assertEquals((double) count, number(status, "counts." + name), name));
            assertEquals(backend.url().getAuthority(), status.text("upstreams.0.host"));
            assertEquals(4, number(status, "upstreams.0.errors"));
            assertTrue(status.text("upstreams.0.state").matches("set aside|failing"), status.body());
            assertEquals(529, number(status, "upstreams.0.last_error.status"));
            assertEquals(backend.url().getAuthority() + ": out of order", status.text("upstreams.0.last_error.message"));
            double when = number(status, "upstreams.0.last_error.time");
            assertEquals(System.currentTimeMillis(), when, Tasks.WAIT_SECONDS * 1000);
            List<?> last = (List<?>) Tree.at(status.json(), "last");
            assertEquals(5, last.size());
            assertEquals("529 overloaded_error bad", (int) number(status, "last.0.status") + " "
                    + status.text("last.0.end") + " " + status.text("last.0.model"));
            assertEquals("authentication_error", status.text("last.1.end"));
            assertEquals(-1, number(status, "last.1.first_ms"));
            assertEquals("good", status.text("last.4.asked"));
            assertEquals("stop", status.text("last.4.end"));
            assertTrue(status.text("last.4.id").matches("req_\\w{24}"));
            assertEquals(7, number(status, "last.4.input"));
            assertEquals(3, number(status, "last.4.output"));
            assertTrue(number(status, "last.4.ms") >= number(status, "last.4.first_ms"), status.body());
        }
    }

    @Test
    void noMoreThanFiftyExchangesAreKept() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            for (int i = 0; i < 53; i++) {
                ask(proxy, "m" + i, false);
                status(proxy, i + 1); // so that they are in order
            }
            Wire.Reply status = status(proxy);
            assertEquals(50, ((List<?>) Tree.at(status.json(), "last")).size());
            assertEquals("m52", status.text("last.0.model"));
            assertEquals("m3", status.text("last.49.model"));
        }
    }

    @Test
    @ResourceLock("log")
    void requestsThatAreRefusedAreCountedAndLogged() throws Exception {
        try (var log = new Logged(); var backend = new Backend();
             Proxy proxy = Proxies.before(backend, "--auth-key", "key-of-a2o")) {
            String key = "x-api-key: key-of-a2o";
            List<Wire.Reply> refused = List.of(ask(proxy, "m", false, "x-api-key: no\u0001no"),
                    Wire.post(proxy.port(), "{", key), Wire.post(proxy.port(), "{\"model\":\"m\"}", key),
                    ask(proxy, "m", true, key, "origin: http://evil.test"));
            assertEquals(List.of(401, 400, 400, 403), refused.stream().map(Wire.Reply::status).toList());
            get(proxy, "/favicon.ico", key);
            String metrics = get(proxy, "/metrics", key).body();
            for (String count : List.of("401\",%s 1.0", "400\",%s 2.0", "403\",%s 1.0")) {
                assertTrue(metrics.contains("a2o_requests_total{status=\"" + count.formatted("model=\"\",upstream=\"\"}") + "\n"), metrics);
            }
            assertTrue(metrics.contains("a2o_request_errors_total{status=\"404\"} 0.0\n"), metrics);
            assertFalse(metrics.contains("request_duration_seconds_count"), metrics);
            for (Wire.Reply reply : refused) {
                String id = reply.headers().get("request-id");
                List<String> about = log.lines(id);
                assertEquals(1, about.size(), about::toString);
                String expected = id + " " + reply.status() + " refused: POST /v1/messages from 127.0.0.1: ";
                assertTrue(about.getFirst().startsWith(expected), about::toString);
            }
            assertFalse(log.lines(" from 127.0.0.1: messages: Field required").isEmpty(), log.lines()::toString);
            String other = Wire.ask(proxy.port(), "POST", "/v1/nothing%20key-of-a2o", new byte[0], key).headers().get("request-id");
            assertEquals(List.of(other + " 404 refused: POST /v1/nothing%20(key) from 127.0.0.1: /v1/nothing%20(key) is not "
                    + "available on this proxy"), log.lines(other));
        }
    }

    @Test
    void whatIsInFlightIsCounted() throws Exception {
        var rest = new CountDownLatch(1);
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend);
             var wire = new Wire(proxy.port())) {
            backend.answers(call -> {
                call.events().data(Backend.ROLE, Backend.chunk("Hello"));
                Tasks.await(rest);
                call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
            });
            wire.message(request("m", true)).until("Hello");
            assertEquals(1, number(status(proxy), "counts.in_flight"));
            assertEquals(1, Samples.of(proxy).get("a2o_requests_in_flight"));
            rest.countDown();
            wire.reply();
            status(proxy, 1);
        }
    }

    @Test
    void whatRunsIsShownWithWhatHasComeOfIt() throws Exception {
        var first = new CountDownLatch(1);
        var rest = new CountDownLatch(1);
        var clock = new HeldClock();
        try (var backend = new Backend();
             Proxy proxy = Proxies.before(clock, backend, "--map", "*=big", "--auth-key", "anna=key-of-anna");
             var wire = new Wire(proxy.port())) {
            String key = "x-api-key: key-of-anna";
            backend.answers(call -> {
                call.events();
                Tasks.await(first);
                call.data(Backend.ROLE, Backend.chunk("Hello, that are some tokens"));
                Tasks.await(rest);
                call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
            });
            wire.message(request("<b>", true), key);
            backend.take();
            clock.passes(3_000);
            Wire.Reply status = get(proxy, "/status.json", key);
            assertEquals(1, ((List<?>) Tree.at(status.json(), "running")).size());
            assertEquals("<b> big anna " + backend.url().getAuthority(), status.text("running.0.asked") + " "
                    + status.text("running.0.model") + " " + status.text("running.0.client") + " " + status.text("running.0.upstream"));
            assertEquals(3_000, number(status, "running.0.ms"));
            assertEquals(-1, number(status, "running.0.first_ms"));
            assertEquals(0, number(status, "running.0.tokens"));
            first.countDown();
            wire.until("some tokens");
            clock.passes(2_000);
            status = get(proxy, "/status.json", key);
            assertEquals(3_000, number(status, "running.0.first_ms"));
            assertEquals(7, number(status, "running.0.tokens"), "27 characters, four a token");
            assertEquals(3, number(status, "running.0.rate"), "in two seconds");
            rest.countDown();
            wire.reply();
            Tasks.await(() -> ((List<?>) Tree.at(get(proxy, "/status.json", key).json(), "running")).isEmpty(), "it still runs");
        }
    }

    @Test
    void totalsAreByModelAndBackendAndErrorsInWords() throws Exception {
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            Wire.Reply status = status(proxy);
            String host = backend.url().getAuthority();
            assertEquals("good at %s, bad at %1$s".formatted(host), status.text("models.0.name") + " at "
                    + status.text("models.0.upstream") + ", " + status.text("models.1.name") + " at " + status.text("models.1.upstream"));
            List<Double> good = Stream.of("requests", "errors", "input_tokens", "output_tokens")
                    .map(name -> number(status, "models.0." + name)).toList();
            assertEquals(List.of(3.0, 0.0, 21.0, 9.0), good);
            assertEquals(2, number(status, "models.1.errors"));
            assertEquals(host + ": out of order", status.text("last.0.error"));
            assertFalse(status.body().contains("\"end\":\"stop\",\"error\""), status.body());
            assertEquals("good", status.text("upstreams.0.counted.0.model"));
            assertEquals(3, number(status, "upstreams.0.counted.0.replies"));
            assertEquals(21, number(status, "upstreams.0.counted.0.counted"));
            assertTrue(number(status, "upstreams.0.counted.0.estimated") > 21, "estimates are high by intention");
        }
    }

    @Test
    void whatWasLearnedIsShown() throws Exception {
        var refusal = Backend.refusing(400, "Unsupported parameter: 'temperature' is not supported with this model.");
        try (var backend = new Backend().answers(refusal, Backend.saying("fine"));
             Proxy proxy = Proxies.before(backend)) {
            assertEquals(200, ask(proxy, "m", true).status());
            Wire.Reply status = status(proxy, 1);
            assertEquals("m", status.text("upstreams.0.learned.0.model"));
            assertEquals("", status.text("upstreams.0.learned.0.rules.temperature"));
            assertEquals(0, number(status, "counts.retries"));
            assertEquals(1, Samples.of(proxy).get("a2o_learned_downgrades_total"));
            assertEquals(1, Samples.sum(Samples.of(proxy), "a2o_upstream_errors_total"));
        }
    }

    @Test
    void aClientThatLeavesIsNoError() throws Exception {
        var left = new CountDownLatch(1);
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            backend.answers(call -> {
                call.events().data(Backend.ROLE, Backend.chunk("Hello"));
                Tasks.await(left);
                while (!call.isLeft(1)) call.data(Backend.chunk("more"));
            });
            try (var wire = new Wire(proxy.port())) {
                wire.message(request("m", true)).until("Hello");
            }
            left.countDown();
            Wire.Reply status = status(proxy, 1);
            assertEquals(499, number(status, "last.0.status"));
            assertEquals("client_left", status.text("last.0.end"));
            assertEquals(0, number(status, "counts.errors"));
            assertEquals(0, number(status, "upstreams.0.errors"));
        }
    }

    /** A backend that thinks for long is not made to look quick by the pings meanwhile. */
    @Test
    void timeToFirstTokenIsNotThatToAPing() throws Exception {
        var clock = new HeldClock();
        var pinged = new CountDownLatch(1);
        try (var backend = new Backend(); Proxy proxy = Proxies.before(clock, backend);
             var wire = new Wire(proxy.port())) {
            backend.answers(call -> {
                call.events();
                Tasks.await(pinged);
                call.data(Backend.ROLE, Backend.chunk("Hello"), Backend.FINISH, Backend.USAGE, "[DONE]").end();
            });
            wire.message(request("m", true));
            clock.elapse(10_000);
            clock.elapse(1_000); // the second ping comes a second after the first
            wire.until("event: ping\ndata: {\"type\":\"ping\"}\n\nevent: ping");
            pinged.countDown();
            wire.reply();
            assertEquals(11_000, number(status(proxy, 1), "last.0.first_ms"));
        }
    }

    @Test
    void noKeyAndNoPromptIsTold() throws Exception {
        try (var backend = new Backend(); Proxy proxy = seasoned(backend, "--upstream-key", "KEY-MARK",
                "--header", "x-extra: HEADER-MARK")) {
            ask(proxy, "m", true, "x-api-key: CLIENT-MARK", "authorization: Bearer CLIENT-MARK");
            status(proxy, 6);
            for (String path : List.of("/", "/status.json", "/metrics", "/ready", "/health")) {
                String told = get(proxy, path, HTML).body();
                assertFalse(told.contains("MARK"), told);
                boolean isStatus = path.equals("/status.json"); // which has the errors in words
                assertEquals(isStatus, told.contains("out of order"), "words of the backend: " + told);
            }
        }
    }

    @Test
    void withAKeyOfItsOwnOnlyLivenessAndReadinessAreForAll() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--auth-key", "s3cret")) {
            for (String path : List.of("/", "/status.json", "/metrics")) {
                assertEquals(401, get(proxy, path, HTML).status());
                assertEquals(200, get(proxy, path, HTML, "authorization: Bearer s3cret").status());
                assertEquals(403, get(proxy, path, "x-api-key: s3cret", "origin: https://evil.example").status());
            }
            for (String path : List.of("/health", "/ready")) assertEquals(200, get(proxy, path).status());
            assertEquals("<key of --auth-key>", get(proxy, "/status.json", "x-api-key: s3cret").text("key"));
        }
    }
}
