package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import config.Options;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.HeldClock;
import testing.Logged;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** What the proxy tells those who run it: page, JSON, metrics, readiness; in a real browser, if there is one. */
class StatusTest {
    private static final String HTML = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    private static final Pattern SAMPLE = Pattern.compile("(a2o_[a-z_]+?)(_bucket|_sum|_count)?"
            + "(\\{([a-z_]+=\"([^\"\\\\\n]|\\\\[\\\\\"n])*\"(,(?=[a-z])|(?=})))+})? ([0-9.]+(E-?[0-9]+)?)");

    private static Wire.Reply get(Proxy proxy, String path, String... headers) throws IOException {
        return Wire.ask(proxy.port(), "GET", path, new byte[0], headers);
    }

    private static Wire.Reply ask(Proxy proxy, String model, boolean isStream, String... headers)
            throws IOException {
        return Wire.post(proxy.port(), request(model, isStream), headers);
    }

    private static Wire.Reply status(Proxy proxy) throws IOException {
        return get(proxy, "/status.json");
    }

    /** {@return the status when so many exchanges have ended, which may be after their clients were served} */
    private static Wire.Reply status(Proxy proxy, int requests) throws Exception {
        Tasks.await(() -> number(status(proxy), "counts.requests") == requests, "no %d requests".formatted(requests));
        return status(proxy);
    }

    private static String request(String model, boolean isStream) {
        return """
                {"model":"%s","max_tokens":9,"temperature":0.5,"stream":%s,
                "messages":[{"role":"user","content":"hi PROMPT-MARK"}]}""".formatted(model, isStream);
    }

    private static double number(Wire.Reply reply, String path) {
        return number(Tree.at(reply.json(), path));
    }

    private static double number(Object json) {
        return Double.parseDouble(((Tree.Num) json).text());
    }

    /** {@return the samples by name and labels, of a text that is strictly what Prometheus 0.0.4 wants} */
    private static Map<String, Double> metrics(Proxy proxy) throws IOException {
        Wire.Reply reply = get(proxy, "/metrics");
        assertEquals(200, reply.status());
        assertEquals("text/plain; version=0.0.4; charset=utf-8", reply.headers().get("content-type"));
        assertTrue(reply.body().endsWith("\n"));
        Map<String, Double> samples = new LinkedHashMap<>();
        Set<String> families = new HashSet<>();
        String family = "";
        String type = "";
        String[] lines = reply.body().split("\n");
        for (int i = 0; i < lines.length; i++) {
            if (lines[i].startsWith("# HELP ")) {
                family = lines[i].split(" ")[2];
                assertTrue(families.add(family), "twice: " + family);
                assertTrue(lines[i].matches("# HELP a2o_[a-z_]+ [A-Z][^\\\\]+\\."), lines[i]);
                assertTrue(lines[++i].matches("# TYPE " + family + " (counter|gauge|histogram)"), lines[i]);
                type = lines[i].split(" ")[3];
                assertEquals(type.equals("counter"), family.endsWith("_total"), lines[i]);
                continue;
            }
            Matcher sample = SAMPLE.matcher(lines[i]);
            assertTrue(sample.matches(), lines[i]);
            assertEquals(family, sample.group(1), lines[i]);
            assertEquals(type.equals("histogram"), sample.group(2) != null, lines[i]);
            String name = lines[i].substring(0, lines[i].lastIndexOf(' '));
            assertNull(samples.put(name, Double.valueOf(sample.group(7))), lines[i]);
        }
        for (String histogram : List.of("a2o_request_duration_seconds", "a2o_time_to_first_token_seconds")) {
            if (samples.containsKey(histogram + "_count")) assertHistogram(samples, histogram);
        }
        return samples;
    }

    private static void assertHistogram(Map<String, Double> samples, String name) {
        double bound = 0;
        double below = 0;
        for (Map.Entry<String, Double> sample : samples.entrySet()) {
            if (!sample.getKey().startsWith(name + "_bucket{le=\"")) continue;
            String le = sample.getKey().split("\"")[1];
            double next = le.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(le);
            assertTrue(next > bound, "bounds in order");
            assertTrue(sample.getValue() >= below, "counts that include the lower ones");
            bound = next;
            below = sample.getValue();
        }
        assertEquals(Double.POSITIVE_INFINITY, bound);
        assertEquals(samples.get(name + "_count"), below);
    }

    private static double sum(Map<String, Double> samples, String start) {
        return samples.entrySet().stream().filter(sample -> sample.getKey().startsWith(start))
                .mapToDouble(Map.Entry::getValue).sum();
    }

    /** {@return a proxy with five exchanges: three went well, one was refused, one was tried three times in vain} */
    private static Proxy seasoned(Backend backend, String... args) throws Exception {
        Backend.Script down = Backend.refusing(503, "out of order");
        backend.answers(Backend.saying("one", " two"), Backend.saying("one"), Backend.saying("one"),
                Backend.refusing(401, "no such key"), down, down, down, Backend.saying("again"));
        Proxy proxy = Proxies.before(backend, args);
        for (int i = 1; i <= 3; i++) {
            assertEquals(200, ask(proxy, "good", i != 2).status());
            status(proxy, i); // so that they are in order
        }
        assertEquals(args.length == 0 ? 401 : 500, ask(proxy, "bad", true).status()); // 500: it was the proxy's key
        status(proxy, 4);
        assertEquals(529, ask(proxy, "bad", true).status());
        status(proxy, 5);
        return proxy;
    }

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
    void metricsAddUp() throws Exception {
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            Map<String, Double> samples = metrics(proxy);
            assertEquals(1, samples.get("a2o_build_info{version=\"%s\"}".formatted(Options.VERSION)));
            assertEquals(0, samples.get("a2o_requests_in_flight"));
            assertEquals(3, samples.get("a2o_requests_total{status=\"200\",model=\"good\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"401\",model=\"bad\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"529\",model=\"bad\"}"));
            assertEquals(5, sum(samples, "a2o_requests_total{"));
            assertEquals(5, samples.get("a2o_request_duration_seconds_count"));
            assertEquals(3, samples.get("a2o_time_to_first_token_seconds_count"));
            assertEquals(21, samples.get("a2o_tokens_total{kind=\"input\"}"));
            assertEquals(0, samples.get("a2o_tokens_total{kind=\"cache_read\"}"));
            assertEquals(0, samples.get("a2o_tokens_total{kind=\"cache_creation\"}"));
            assertEquals(9, samples.get("a2o_tokens_total{kind=\"output\"}"));
            assertEquals(2, samples.get("a2o_retries_total"));
            String errors = "a2o_upstream_errors_total{upstream=\"%s\",status=\"%%d\"}"
                    .formatted(backend.url().getAuthority());
            assertEquals(1, samples.get(errors.formatted(401)));
            assertEquals(3, samples.get(errors.formatted(503)));
            assertEquals(0, samples.get("a2o_learned_downgrades_total"));
            assertEquals(samples, metrics(proxy), "asking changes nothing");
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
            for (String count : List.of("401\",model=\"\"} 1.0", "400\",model=\"\"} 2.0", "403\",model=\"\"} 1.0")) {
                assertTrue(metrics.contains("a2o_requests_total{status=\"" + count + "\n"), metrics);
            }
            assertFalse(metrics.contains("404"), metrics);
            assertFalse(metrics.contains("request_duration_seconds_count"), metrics);
            for (Wire.Reply reply : refused) {
                String id = reply.headers().get("request-id");
                List<String> about = log.lines(id);
                assertEquals(1, about.size(), about::toString);
                assertTrue(about.getFirst().startsWith(id + " " + reply.status() + " refused: "), about::toString);
            }
            assertFalse(log.lines(" refused: messages: Field required").isEmpty(), log.lines()::toString);
        }
    }

    @Test
    void metricsAreThereBeforeAnyExchange() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            assertEquals(0, metrics(proxy).get("a2o_requests_in_flight"));
            assertEquals(0, number(status(proxy), "counts.requests"));
        }
    }

    @Test
    void oneBackendUnderTwoKeysIsOneSeries() throws Exception {
        try (var backend = new Backend().answers(Backend.refusing(429, "slow down", "retry-after: 60"));
             Proxy proxy = Proxies.start("--upstream", backend.url().toString(), "--upstream", backend.url().toString())) {
            ask(proxy, "m", true);
            status(proxy, 1);
            assertEquals(2, sum(metrics(proxy), "a2o_upstream_errors_total"));
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
            assertEquals(1, metrics(proxy).get("a2o_requests_in_flight"));
            rest.countDown();
            wire.reply();
            status(proxy, 1);
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
            assertEquals(1, metrics(proxy).get("a2o_learned_downgrades_total"));
            assertEquals(1, sum(metrics(proxy), "a2o_upstream_errors_total"));
        }
    }

    @Test
    void namesOfModelsAreEscapedAndBounded() throws Exception {
        List<String> hostile = List.of("a\\\"b", "a\\\\", "a\\nb\\u2028c\\u0000", "{} #\\ta", "é漢😀",
                "x".repeat(200), "</script><img src=x onerror=alert(1)>", "\\ud800", "", " ", "other");
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            int served = 0; // some of the names may be refused
            for (String model : hostile) served += ask(proxy, model, false).status() == 200 ? 1 : 0;
            for (int i = 0; i < 120; i++) served += ask(proxy, "m" + i, false).status() == 200 ? 1 : 0;
            status(proxy, served);
            Map<String, Double> samples = metrics(proxy);
            assertEquals(131, sum(samples, "a2o_requests_total"), 20);
            assertEquals(number(status(proxy), "counts.requests"), sum(samples, "a2o_requests_total"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"a\\\\\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"a\\\"b\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"a?b?c?\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"" + "x".repeat(100) + "\"}"));
            long names = samples.keySet().stream().filter(name -> name.startsWith("a2o_requests_total")).count();
            assertTrue(names <= 101, "%d names".formatted(names));
            assertTrue(samples.get("a2o_requests_total{status=\"200\",model=\"other\"}") > 20);
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
                assertEquals(1, sum(metrics(proxy), "a2o_upstream_errors_total{upstream=\"%s\",status=\"502\"}"
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

    @Test
    void browsersGetThePageAndOthersJson() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            Wire.Reply page = get(proxy, "/", HTML);
            assertEquals(200, page.status());
            assertEquals("text/html; charset=utf-8", page.headers().get("content-type"));
            for (String accept : List.of("*/*", "application/json, text/html", "text/plain", "")) {
                Wire.Reply json = accept.isEmpty() ? get(proxy, "/") : get(proxy, "/", "accept: " + accept);
                assertEquals("application/json", json.headers().get("content-type"));
                assertEquals("a2o", json.text("name"));
            }
            assertEquals(200, Wire.ask(proxy.port(), "HEAD", "/", new byte[0]).status());
            assertEquals(200, Wire.ask(proxy.port(), "HEAD", "/", new byte[0], HTML).status());
            assertEquals(405, Wire.ask(proxy.port(), "POST", "/status.json", new byte[0]).status());
            assertEquals("application/json", get(proxy, "/health", HTML).headers().get("content-type"));
        }
    }

    @Test
    void thePageAsksNobodyElse() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            Wire.Reply page = get(proxy, "/", HTML);
            Matcher policy = Pattern.compile("default-src 'none'; style-src 'nonce-(\\w{24})'; "
                    + "script-src 'nonce-\\1'; connect-src 'self'; img-src data:; base-uri 'none'; "
                    + "form-action 'none'; frame-ancestors 'none'")
                    .matcher(page.headers().get("content-security-policy"));
            assertTrue(policy.matches(), page.headers().toString());
            assertEquals(2, page.body().split("nonce=\"%s\">".formatted(policy.group(1)), -1).length - 1);
            assertFalse(get(proxy, "/", HTML).body().contains(policy.group(1)), "a nonce is used once");
            for (String no : List.of("://", "\"//", "src=", "@import", "url(", "innerHTML", "eval", " style=")) {
                assertFalse(page.body().contains(no), no);
            }
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
                boolean isStatus = path.equals("/status.json"); // which has the last error of each backend
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

    /** Waits until the page tells to set this, besides the address. */
    private static void awaitVariables(Proxy proxy, String expected) throws Exception {
        Tasks.await(() -> status(proxy).text("variables").equals(expected), "the page does not tell " + expected);
    }

    @Test
    void thePageTellsHowToConnect() throws Exception {
        String list = "{\"data\":[{\"id\":\"m\",\"max_model_len\":65536}]}";
        try (var backend = new Backend().answers(call -> call.reply(200, "application/json", list));
                Proxy proxy = Proxies.before(backend, "--model", "m", "--upstream-key", "KEY-MARK")) {
            String before = "ANTHROPIC_AUTH_TOKEN=any ANTHROPIC_MODEL=m CLAUDE_CODE_AUTO_MODE_SERVER=0";
            assertEquals(before, status(proxy).text("variables"));
            assertEquals(0, backend.requests(), "nobody looks");
            get(proxy, "/", HTML);
            String after = before.replace("CLAUDE", "CLAUDE_CODE_MAX_CONTEXT_TOKENS=65536 CLAUDE");
            awaitVariables(proxy, after); // with the window that the backend lists
            assertEquals("Bearer KEY-MARK", backend.take().headers().get("authorization"));
        }
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--context", "64k", "--auth-key", "s3cret")) {
            assertEquals("ANTHROPIC_AUTH_TOKEN='<key of --auth-key>' CLAUDE_CODE_MAX_CONTEXT_TOKENS=64000 "
                    + "CLAUDE_CODE_AUTO_MODE_SERVER=0",
                    get(proxy, "/status.json", "x-api-key: s3cret").text("variables"));
        }
    }

    @Test
    void aListThatWantsAKeyIsAskedForWithTheFirstThatIsGood() throws Exception {
        String list = "{\"data\":[{\"id\":\"m\",\"max_model_len\":65536}]}";
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--model", "m")) {
            backend.answers(call -> {
                boolean isKnown = "Bearer good".equals(call.headers().get("authorization"));
                if (!isKnown) {
                    Backend.refusing(401, "who are you").answer(call);
                } else if (call.line().startsWith("GET")) {
                    call.reply(200, "application/json", list);
                } else {
                    Backend.saying("hi").answer(call);
                }
            });
            assertEquals(0, proxy.askWindow("m", ""));
            assertEquals(401, ask(proxy, "m", false, "x-api-key: bad").status());
            assertEquals(200, ask(proxy, "m", false, "x-api-key: good").status());
            String expected = "ANTHROPIC_AUTH_TOKEN='<key of the backend, or any word>' ANTHROPIC_MODEL=m "
                    + "CLAUDE_CODE_MAX_CONTEXT_TOKENS=65536 CLAUDE_CODE_AUTO_MODE_SERVER=0";
            awaitVariables(proxy, expected);
            assertEquals(200, ask(proxy, "m", false, "x-api-key: good").status());
            assertEquals(5, backend.requests(), "two lists, and three messages");
        }
    }

    private static String chromium() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable).map(Path::toString).findFirst().orElse("");
    }

    /** {@return the page as it is when its script has run} */
    private static String shown(String chromium, Path profile, int port) throws Exception {
        Process process = new ProcessBuilder(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--user-data-dir=" + profile, "--virtual-time-budget=5000", "--dump-dom",
                "http://127.0.0.1:%d/".formatted(port))
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            String shown = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "chromium is still running");
            return shown;
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    @Test
    void aBrowserShowsTheExchanges() throws Exception {
        String chromium = chromium();
        assumeTrue(!chromium.isEmpty(), "no chromium here");
        Path profile = Files.createTempDirectory("a2o-test");
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            ask(proxy, "<img src=x onerror=document.title=1><b>", false);
            Wire.Reply status = status(proxy, 6);
            String shown = shown(chromium, profile, proxy.port());
            for (int i = 0; i < 6; i++) {
                String id = status.text("last.%d.id".formatted(i));
                assertEquals(2, shown.split(">%s<".formatted(id), -1).length, "one cell with " + id + " in " + shown);
            }
            assertEquals(7, shown.split("<tr>", -1).length - 1, "six rows and the head's");
            assertTrue(shown.contains(">ready</p>"), shown);
            assertTrue(shown.contains("<p class=\"good\">ready, errors: 4</p>"), shown);
            assertTrue(Pattern.compile(">last error: 529 at [^<]*: 127[.\\d]+:\\d+: out of order</p>").matcher(shown).find(),
                    shown);
            assertTrue(shown.contains("<div class=\"\">requests<b class=\"\">6</b></div>"), shown);
            assertTrue(shown.contains("<td class=\"bad\" data-name=\"end\">overloaded_error</td>"), shown);
            assertTrue(shown.contains("&lt;img src=x onerror=document.title=1&gt;&lt;b&gt;</td>"), "a name is text");
            assertTrue(shown.contains("<title>A2o</title>"), "a name is not run");
            String line = "ANTHROPIC_BASE_URL=http://127.0.0.1:%d ANTHROPIC_AUTH_TOKEN='&lt;key of the backend, or any word&gt;' "
                    + "CLAUDE_CODE_AUTO_MODE_SERVER=0 claude";
            assertTrue(shown.contains(line.formatted(proxy.port())), shown);
            var plot = Pattern.compile("<div id=\"first\"><h2>Time to first token: .*?<path d=\"M");
            assertTrue(plot.matcher(shown).find(), shown);
        } finally {
            new ProcessBuilder("rm", "-rf", profile.toString()).start().waitFor(); // some of it may vanish meanwhile
        }
    }
}
