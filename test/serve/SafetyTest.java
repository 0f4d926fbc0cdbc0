package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.CommandLine;
import config.Options;
import config.UsageError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.Logged;
import testing.Pair;
import testing.Tasks;
import testing.Wire;

/** What must not get through: foreign sites to the proxy, keys and headers past it, line breaks out of it. */
@ResourceLock("log")
class SafetyTest {
    private static final String UPSTREAM_KEY = "sk-upstream-0123456789abcdef";
    private static final String AUTH_KEY = "auth-key-0123456789abcdef";
    private static final String CLIENT_KEY = "sk-client-0123456789abcdef";
    private static final String BREAK = "\\r\\nx-evil: 1\\r\\n\\r\\n\\nx-evil: 2\\rx-evil: 3"; // as JSON escapes it

    private interface Claim {
        void prove(int number) throws Exception;
    }

    private Logged log;

    @BeforeEach
    void keepTheLog() {
        log = new Logged();
    }

    @AfterEach
    void leaveTheLog() {
        log.close();
    }

    private static Options options(Map<String, String> environment, String... args) {
        return Options.of(CommandLine.read(args, environment));
    }

    /** {@return the key for the backend} */
    private static Optional<String> upstreamKey(Map<String, String> environment, String... args) {
        return options(environment, args).upstreams().getFirst().key();
    }

    /** Sends a request whose head has these lines, among them all that are to name a host. */
    private static Wire.Reply raw(Pair pair, String requestLine, String... headers) throws IOException {
        String body = requestLine.startsWith("POST") ? plain("hi") : "";
        try (var wire = new Wire(pair.port())) {
            return wire.write(request(requestLine, body, headers)).reply();
        }
    }

    private static byte[] request(String requestLine, String body, String... headers) {
        var head = new StringBuilder(requestLine + " HTTP/1.1\r\n");
        for (String header : headers) head.append(header).append("\r\n");
        head.append("content-length: %d\r\n\r\n".formatted(body.getBytes(StandardCharsets.UTF_8).length));
        return (head + body).getBytes(StandardCharsets.UTF_8);
    }

    /** {@return JSON that is written with single quotes here} */
    private static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    private static String plain(String text) {
        String request = "{'model':'claude-x','max_tokens':100,'messages':[{'role':'user','content':'%s'}]}";
        return json(request).formatted(text);
    }

    private static String stream(String text) {
        return plain(text).replaceFirst("\\{", "{\"stream\":true,");
    }

    /** {@return a script that answers the prompt "script N" by the Nth of these} */
    private static Backend.Script byNumber(List<Backend.Script> scripts) {
        return call -> {
            Matcher number = Pattern.compile("script (\\d+)").matcher(call.text());
            scripts.get(number.find() ? Integer.parseInt(number.group(1)) : 0).answer(call);
        };
    }

    /** Proves the claim for all numbers below {@code count} at once: what is tried again takes its time. */
    private static void forEach(int count, Claim claim) throws Exception {
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            tasks.add(Tasks.begin(() -> claim.prove(number)));
        }
        for (FutureTask<Void> task : tasks) Tasks.outcome(task);
    }

    /** {@return the message of what must be an error in Anthropic's shape} */
    private static String error(Wire.Reply reply, int status, String type, String what) {
        String said = reply.body().startsWith("{") ? reply.text("error.type") : "no JSON";
        assertEquals(status + " " + type, reply.status() + " " + said, what);
        assertEquals("application/json", reply.headers().get("content-type"), what);
        assertEquals("error", reply.text("type"), what);
        assertEquals(reply.headers().get("request-id"), reply.text("request_id"), what);
        assertNotEquals("", reply.text("error.message"), what);
        return reply.text("error.message");
    }

    private static void assertGood(Wire.Reply reply, String what) {
        assertEquals(200, reply.status(), () -> what + ": " + reply.body());
        if (reply.body().contains("\"message\"")) assertEquals("Hello there", reply.said(), what);
    }

    // Local means local

    private static final List<String> REQUESTS = List.of("GET /", "GET /health", "POST /v1/messages",
            "OPTIONS /v1/messages", "GET /v1/no-such-path");

    private static void assertForbidden(Pair pair, String... headers) throws IOException {
        for (String request : REQUESTS) {
            String what = request + " with " + List.of(headers);
            Wire.Reply reply = raw(pair, request, headers);
            error(reply, 403, "permission_error", what);
            assertNull(reply.headers().get("access-control-allow-origin"), what);
        }
        assertEquals(0, pair.backend.requests(), "what is refused does not reach the backend");
    }

    private static void assertAllowed(Pair pair, String... headers) throws IOException {
        String what = List.of(headers).toString();
        for (String request : REQUESTS.subList(0, 3)) assertGood(raw(pair, request, headers), what);
    }

    @Test
    void aForeignHostIsRefused() throws Exception {
        try (var pair = new Pair()) {
            for (String host : List.of("evil.test", "evil.test:" + pair.port(), "EVIL.TEST", "localhost.evil.test",
                    "127.0.0.1.evil.test:3578", "notlocalhost", "evil.test:localhost", "localhost@evil.test",
                    "evil.test@localhost", "localhost/evil.test", "localhost, evil.test",
                    "0.0.0.0:" + pair.port(), "192.168.1.5", "2130706433", "[::2]:80", "[::]", "[::1].evil.test")) {
                assertForbidden(pair, "host: " + host);
            }
        }
    }

    @Test
    void aLocalHostIsAccepted() throws Exception {
        try (var pair = new Pair()) {
            for (String host : List.of("localhost", "127.0.0.1", "[::1]", "LocalHost", "localhost:1", "127.0.0.1:80",
                    "[::1]:3578", "LOCALHOST:" + pair.port())) {
                assertAllowed(pair, "host: " + host);
            }
            assertAllowed(pair, "HOST:localhost");
        }
    }

    @Test
    void oneForeignHostAmongSeveralIsRefused() throws Exception {
        try (var pair = new Pair()) {
            assertForbidden(pair, "host: localhost", "host: evil.test");
            assertForbidden(pair, "host: evil.test", "host: localhost");
        }
    }

    @Test
    void aForeignOriginIsRefused() throws Exception {
        try (var pair = new Pair()) {
            String local = "host: 127.0.0.1:" + pair.port();
            for (String origin : List.of("http://evil.test", "https://evil.test", "http://evil.test:" + pair.port(),
                    "null", "http://localhost.evil.test", "http://127.0.0.1.evil.test:3578", "http://notlocalhost",
                    "http://192.168.1.5", "http://localhost@evil.test", "http://evil.test#http://localhost",
                    "http://evil.test/localhost", "http://localhost http://evil.test", "evil.test", "file://",
                    "chrome-extension://abcdefghijklmnop")) {
                assertForbidden(pair, local, "origin: " + origin);
            }
            assertForbidden(pair, local, "origin: http://localhost", "origin: http://evil.test");
            assertForbidden(pair, local, "origin: http://evil.test", "origin: http://localhost");
            assertForbidden(pair, "host: evil.test", "origin: http://localhost:1234");
        }
    }

    @Test
    void aLocalOriginIsAccepted() throws Exception {
        try (var pair = new Pair()) {
            for (String origin : List.of("http://localhost:1234", "http://127.0.0.1:" + pair.port(),
                    "http://localhost", "http://[::1]:1234")) {
                assertAllowed(pair, "host: localhost:" + pair.port(), "origin: " + origin);
            }
        }
    }

    /** What a browser says of the page that asks; an image or a form has no Origin. */
    @Test
    void aPageOfAnotherSiteIsRefused() throws Exception {
        try (var pair = new Pair("--allow-origin", "https://ours.test")) {
            String local = "host: 127.0.0.1:" + pair.port();
            assertForbidden(pair, local, "sec-fetch-site: cross-site");
            assertForbidden(pair, local, "sec-fetch-site: Cross-Site", "origin: http://localhost");
            assertForbidden(pair, local, "sec-fetch-site: none", "sec-fetch-site: cross-site");
            assertAllowed(pair, local, "sec-fetch-site: cross-site", "origin: https://ours.test");
            for (String site : List.of("same-origin", "same-site", "none")) { // same-site: another port of localhost
                assertAllowed(pair, local, "sec-fetch-site: " + site);
            }
        }
    }

    @Test
    void aForeignHostIsRefusedAlsoWithTheKey() throws Exception {
        try (var pair = new Pair("--auth-key", AUTH_KEY, "--host", "localhost")) {
            assertForbidden(pair, "host: evil.test", "x-api-key: " + AUTH_KEY);
            assertForbidden(pair, "host: localhost", "origin: http://evil.test", "x-api-key: " + AUTH_KEY);
        }
    }

    @Test
    void boundElsewhereAnyHostIsServed() throws Exception {
        try (var pair = new Pair("--host", "0.0.0.0", "--auth-key", AUTH_KEY)) {
            for (String host : List.of("proxy.test:" + pair.port(), "192.168.1.5", "localhost")) {
                assertAllowed(pair, "host: " + host, "x-api-key: " + AUTH_KEY);
                error(raw(pair, "POST /v1/messages", "host: " + host), 401, "authentication_error", host);
            }
        }
    }

    // Keys

    private static String refusal(Pair pair, String header) throws IOException {
        return error(raw(pair, "POST /v1/messages", "host: localhost", header), 401, "authentication_error", header);
    }

    @Test
    void theAuthKeyIsNeededEverywhereButForHealth() throws Exception {
        try (var pair = new Pair("--auth-key", AUTH_KEY)) {
            for (String request : REQUESTS) {
                if (request.equals("GET /health")) continue;
                for (String header : List.of("x-none: x", "x-api-key: wrong", "x-api-key: " + AUTH_KEY + "x",
                        "x-api-key: " + AUTH_KEY.substring(1), "authorization: Bearer wrong", "authorization: Bearer",
                        "authorization: Basic " + AUTH_KEY, "cookie: x-api-key=" + AUTH_KEY)) {
                    String message = error(raw(pair, request, "host: localhost", header), 401, "authentication_error",
                            request + " with " + header);
                    assertFalse(message.contains(AUTH_KEY), message);
                }
            }
            assertEquals(0, pair.backend.requests(), "what is refused does not reach the backend");
            for (String header : List.of("x-none: x", "x-api-key: ", "authorization: Bearer", "authorization: Basic x")) {
                assertEquals("this proxy needs its own key, as x-api-key or bearer: no key was sent", refusal(pair, header));
            }
            for (String header : List.of("x-api-key: wrong", "authorization: Bearer wrong")) {
                assertEquals("this proxy needs its own key, as x-api-key or bearer: the key that was sent is not one of "
                        + "this proxy's", refusal(pair, header));
            }
            assertGood(raw(pair, "GET /health", "host: localhost"), "no key");
            assertGood(raw(pair, "GET /health", "host: localhost", "x-api-key: wrong"), "a wrong key");
            assertAllowed(pair, "host: localhost", "x-api-key: " + AUTH_KEY);
            assertAllowed(pair, "host: localhost", "authorization: Bearer " + AUTH_KEY);
            assertAllowed(pair, "host: localhost", "authorization: Bearer other", "x-api-key: " + AUTH_KEY);
            assertAllowed(pair, "host: localhost", "authorization: Bearer " + AUTH_KEY, "x-api-key: other");
        }
    }

    @Test
    void theAuthKeyDoesNotReachTheBackend() throws Exception {
        for (String header : List.of("x-api-key: " + AUTH_KEY, "authorization: Bearer " + AUTH_KEY)) {
            try (var pair = new Pair("--auth-key", AUTH_KEY)) {
                assertGood(pair.post(plain("hi"), header), header);
                assertNull(pair.backend.take().headers().get("authorization"));
            }
            try (var pair = new Pair("--auth-key", AUTH_KEY, "--upstream-key", UPSTREAM_KEY)) {
                assertGood(pair.post(plain("hi"), header), header);
                Backend.Call call = pair.backend.take();
                assertEquals("Bearer " + UPSTREAM_KEY, call.headers().get("authorization"));
                assertFalse((call.line() + call.headers() + call.text()).contains(AUTH_KEY), header);
            }
        }
    }

    private static final String[] LOCAL = {"127.0.0.1", "localhost", "::1"};
    private static final String[] OPEN = {"0.0.0.0", "::", "192.168.1.5", "127.0.0.1.evil.test"};

    private static void assertDoesNotStart(Map<String, String> environment, String... args) {
        String what = List.of(args) + " " + environment;
        UsageError e = assertThrows(UsageError.class, () -> options(environment, args), what);
        assertEquals(1, e.exitStatus(), what);
        assertTrue(e.getMessage().contains("--auth-key"), e.getMessage());
        assertFalse(e.getMessage().contains(UPSTREAM_KEY), e.getMessage());
    }

    @Test
    void aKeyIsNotLentToTheNetworkWithoutAnAuthKey() {
        String[] upstream = {"--upstream", "http://backend.test/v1"};
        for (String host : OPEN) {
            assertDoesNotStart(Map.of(), upstream[0], upstream[1], "--host", host, "--upstream-key", UPSTREAM_KEY);
            assertDoesNotStart(Map.of("A2O_HOST", host, "A2O_UPSTREAM_KEY", UPSTREAM_KEY), upstream);
            assertDoesNotStart(Map.of("A2O_HOST", host, "A2O_UPSTREAM_KEY", UPSTREAM_KEY, "A2O_AUTH_KEY", " "),
                    upstream);
            assertDoesNotStart(Map.of("OPENAI_API_KEY", UPSTREAM_KEY), "--upstream", "https://api.openai.com/v1",
                    "--host", host);
        }
    }

    @Test
    void aKeyIsLentWithAnAuthKeyOrLocally() {
        String[] upstream = {"--upstream", "http://backend.test/v1"};
        Map<String, String> key = Map.of("A2O_UPSTREAM_KEY", UPSTREAM_KEY);
        for (String host : OPEN) {
            assertEquals(host, options(key, upstream[0], upstream[1], "--host", host, "--auth-key", "k").host());
            assertEquals(host, options(Map.of(), upstream[0], upstream[1], "--host", host).host());
            assertEquals(host, options(Map.of("OPENAI_API_KEY", UPSTREAM_KEY), upstream[0], upstream[1], "--host",
                    host).host(), "a key for another backend");
        }
        for (String host : LOCAL) {
            assertEquals(host, options(key, upstream[0], upstream[1], "--host", host).host());
        }
        assertEquals(Optional.of(UPSTREAM_KEY), upstreamKey(key, upstream));
    }

    private static Optional<String> keyFor(String url) {
        Map<String, String> variable = Map.of("OPENAI_API_KEY", UPSTREAM_KEY);
        Optional<String> key = upstreamKey(variable, "--upstream", url);
        Map<String, String> both = Map.of("OPENAI_API_KEY", UPSTREAM_KEY, "A2O_UPSTREAM", url);
        assertEquals(key, upstreamKey(both), url + " from the environment");
        return key;
    }

    @Test
    void openaiApiKeyIsForOpenaiAndAzureAlone() {
        for (String url : List.of("https://api.openai.com", "https://api.openai.com:443/v1",
                "https://eu.api.openai.com/v1", "https://API.OpenAI.com/v1", "https://us.openai.azure.com/openai/v1",
                "https://x.services.ai.azure.com/openai/v1")) {
            assertEquals(Optional.of(UPSTREAM_KEY), keyFor(url), url);
        }
        for (String url : List.of("http://127.0.0.1:8080/v1", "http://localhost:11434/v1",
                "https://openrouter.ai/api/v1", "https://api.openai.com.evil.test/v1", "https://evilopenai.com/v1",
                "https://api-openai.com/v1", "https://evilazure.com/v1", "https://x.azure.com.evil.test/v1",
                "https://evil.test/api.openai.com/v1",
                "https://evil.test/v1?x=.openai.com", "https://api.openai.com@evil.test/v1", "demo")) {
            assertEquals(Optional.empty(), keyFor(url), url);
        }
    }

    @Test
    void aKeyThatIsGivenToA2oIsForAnyBackend() {
        Map<String, String> both = Map.of("OPENAI_API_KEY", "other", "A2O_UPSTREAM_KEY", UPSTREAM_KEY);
        for (String url : List.of("http://backend.test/v1", "https://api.openai.com/v1")) {
            assertEquals(Optional.of(UPSTREAM_KEY), upstreamKey(both, "--upstream", url), url);
            assertEquals(Optional.of("k"), upstreamKey(both, "--upstream", url, "--upstream-key", "k"), url);
        }
    }

    @Test
    void noHeaderOfTheClientReachesTheBackendButTheKey() throws Exception {
        try (var pair = new Pair()) {
            Wire.Reply reply = pair.post(plain("hi"), "x-api-key: " + CLIENT_KEY, "cookie: a=leak",
                    "user-agent: leak/1", "x-foo: leak", "anthropic-beta: leak-2025", "anthropic-version: leak",
                    "x-forwarded-for: leak", "forwarded: for=leak", "x-forwarded-host: leak", "via: 1.1 leak",
                    "referer: http://leak.test/", "accept-language: leak", "x-stainless-os: leak", "range: leak",
                    "proxy-authorization: Basic leak", "if-none-match: leak", "traceparent: leak",
                    "openai-organization: leak", "accept: leak/leak",
                    "origin: http://localhost:4242", "te: leak", "connection: x-foo");
            assertGood(reply, "many headers");
            Backend.Call call = pair.backend.take();
            assertEquals("Bearer " + CLIENT_KEY, call.headers().get("authorization"));
            assertNull(call.headers().get("x-api-key"));
            assertEquals(pair.backend.url().getAuthority(), call.headers().get("host"));
            String all = call.line() + call.headers() + call.text();
            assertFalse(all.contains("leak") || all.contains("x-foo") || all.contains("4242"), all);
        }
    }

    // Line breaks

    /** Sends the request, reads all there is, and fails unless that is one reply with a head of well-formed lines. */
    private static void assertOneReply(Pair pair, byte[] request, String what) throws IOException {
        String reply = Wire.all(pair.port(), request);
        String[] parts = reply.split("\r\n\r\n", 2);
        String[] lines = parts[0].split("\r\n", -1);
        assertTrue(lines[0].matches("HTTP/1\\.1 [2-5]\\d\\d( [ -~]*)?"), () -> what + ": " + reply);
        int length = -1;
        for (String line : List.of(lines).subList(1, lines.length)) {
            assertTrue(line.matches("[A-Za-z][A-Za-z0-9-]*: *[ -~]*"), () -> what + ": " + reply);
            assertFalse(line.matches("(?i)x-evil.*"), () -> what + ": " + reply);
            if (line.matches("(?i)content-length: *\\d+")) length = Integer.parseInt(line.replaceAll("\\D", ""));
        }
        String body = parts[1];
        boolean isEnded = length < 0 ? body.indexOf("0\r\n\r\n") == body.length() - 5 : body.length() == length;
        assertTrue(isEnded, () -> what + ": " + reply);
    }

    private void assertNoLineBreaksInTheLog(Pair pair) throws Exception {
        pair.backend.answers(Backend.saying("Hello", " there"));
        List<String> records = log.until(pair.post(plain("the end")));
        for (String record : records) assertFalse(record.matches("(?s).*[\\r\\n].*"), record);
    }

    private static void assertSafe(Pair pair, String body, String what) throws IOException {
        String[] headers = {"host: localhost", "connection: close", "x-api-key: " + CLIENT_KEY};
        assertOneReply(pair, request("POST /v1/messages", body, headers), what);
    }

    @Test
    void lineBreaksInTheClientsNamesBreakNoLine() throws Exception {
        try (var pair = new Pair()) {
            List<String> requests = List.of(
                    "{'model':'m%s','max_tokens':9,'messages':[{'role':'user','content':'hi'}]}",
                    "{'model':'m','max_tokens':9,'metadata':{'user_id':'u%s'},"
                            + "'messages':[{'role':'user','content':'x'}]}",
                    "{'model':'m','max_tokens':9,'tools':[{'name':'t%1$s','input_schema':{'type':'object'}}],"
                            + "'tool_choice':{'type':'tool','name':'t%1$s'},"
                            + "'messages':[{'role':'user','content':'x'}]}",
                    "{'model':'m','max_tokens':9,'tools':[{'type':'bash%s','name':'bash'}],"
                            + "'messages':[{'role':'user','content':'x'}]}",
                    "{'model':'m','max_tokens':9,'messages':[{'role':'role%s','content':'hi'}]}",
                    "{'model':'m','max_tokens':9,'messages':[{'role':'user','content':[{'type':'no%s'}]}]}",
                    "{'model':'m','max_tokens':9,'messages':[{'role':'user','content':[{'type':'tool_result',"
                            + "'tool_use_id':'i%s','content':'x'}]}]}",
                    "{'model':'m','max_tokens':9,'odd%s':1,'messages':[{'role':'user','content':'hi'}]}",
                    "{'model':'m','max_tokens':'%s'}");
            for (String request : requests) {
                String body = json(request).formatted(BREAK);
                assertSafe(pair, body, body);
                String streamed = body.replaceFirst("\\{", "{\"stream\":true,");
                assertSafe(pair, streamed, streamed);
            }
            assertNoLineBreaksInTheLog(pair);
        }
    }

    @Test
    void lineBreaksInTheBackendsWordsBreakNoLine() throws Exception {
        String error = json("{'error':{'message':'m%1$s','type':'t%1$s','code':'c%1$s','param':'p%1$s'}}")
                .formatted(BREAK);
        String chunk = json("{'id':'i%1$s','model':'m%1$s','system_fingerprint':'f%1$s','choices':[{'index':0,"
                + "'delta':{'role':'r%1$s','content':'Hello','tool_calls':[{'index':0,'id':'i%1$s','type':'t%1$s',"
                + "'function':{'name':'n%1$s','arguments':'{}'}}]},'finish_reason':'f%1$s'}]}").formatted(BREAK);
        String raw = "bad" + BREAK.replace("\\r", "\r").replace("\\n", "\n");
        List<Backend.Script> scripts = new ArrayList<>(List.of(
                call -> call.events("request-id: x", "set-cookie: x-evil=1").data(chunk, "[DONE]").end(),
                call -> call.events().data(Backend.chunk("Hello"), error).end(),
                call -> call.events().data(error).end(),
                call -> call.reply(200, "application/json", chunk.replace("\"delta\"", "\"message\"")),
                call -> call.reply(200, "application/json", error),
                call -> call.reply(200, "text/html", raw)));
        for (int status : List.of(400, 401, 404, 413, 429, 500, 503)) {
            scripts.add(call -> call.reply(status, "application/json", error, "retry-after: 1\t;x-evil: 1"));
            scripts.add(call -> call.reply(status, "text/plain", raw, "retry-after: soon"));
        }
        try (var pair = new Pair()) {
            pair.backend.answers(byNumber(scripts));
            forEach(scripts.size() * 2, i -> {
                String prompt = "script " + i / 2;
                String request = i % 2 == 0 ? plain(prompt) : stream(prompt);
                assertSafe(pair, request, request);
            });
            assertNoLineBreaksInTheLog(pair);
        }
    }

    @Test
    void controlCharactersInARequestLineBreakNoLine() throws Exception {
        try (var pair = new Pair()) {
            for (String line : List.of("GET /%0d%0ax-evil:%201%0d%0a%0d%0a", "POST /v1/messages%0d%0ax-evil:%201",
                    "GET /%00%1b[31m", "GET /?a=%0d%0ax-evil:%201", "GET /a\rx-evil:1", "GET /a\u0001b", "GET /a\tb",
                    "GET /\u001b[31m", "GET /\u00e9\u2028", "GET /%zz", "GET //evil.test/%0a", "G\u0001T /",
                    "GET%0d%0a /", "GET /a#%0d%0a", "GET /%E2%80%A8", "GET http://evil.test/%0d%0a")) {
                String what = line.replace("\r", "<CR>");
                assertOneReply(pair, request(line, "", "host: localhost", "connection: close"), what);
            }
            assertEquals(0, pair.backend.requests(), "none of these is for the backend");
            assertNoLineBreaksInTheLog(pair);
        }
    }

    // Keys in the log and in errors

    /** Fails if the text holds a telling part of the key. */
    private static void assertWithout(String key, String text, String what) {
        assertFalse(text.contains(key.substring(0, 12)), () -> what + ": " + text);
    }

    @Test
    void theDebugLogHoldsBodiesButNoKeys() throws Exception {
        List<Backend.Script> scripts = List.of(Backend.saying("Hello", " there"), Backend.Call::reset,
                call -> call.reply(401, "application/json", json("{'error':{'message':'no such key'}}")));
        String[][] all = {{"--debug"}, {"--debug", "--upstream-key", UPSTREAM_KEY, "--auth-key", AUTH_KEY}};
        for (String[] args : all) {
            String own = args.length == 1 ? CLIENT_KEY : AUTH_KEY;
            try (var pair = new Pair(args)) {
                pair.backend.answers(byNumber(scripts));
                forEach(scripts.size() * 2, i -> {
                    String prompt = "script " + i / 2;
                    log.until(i % 2 == 0 ? pair.post(plain(prompt), "x-api-key: " + own)
                            : pair.post(stream(prompt), "authorization: Bearer " + own));
                });
                pair.post(plain("hi"), "x-api-key: " + CLIENT_KEY + "\u0001");
                raw(pair, "GET /v1/no-such-path", "host: evil.test", "x-api-key: " + own);
                String kept = log.until(pair.post(plain("the end"), "x-api-key: " + own)).toString();
                assertTrue(kept.contains("script 2"), kept);
                for (String key : List.of(CLIENT_KEY, UPSTREAM_KEY, AUTH_KEY)) assertWithout(key, kept, "the log");
            }
        }
    }

    @Test
    void theDebugLogHoldsWhatTheBackendSaidAndWhatTheClientGot() throws Exception {
        try (var pair = new Pair("--debug"); var quiet = new Pair()) {
            for (Pair each : List.of(pair, quiet)) each.backend.answers(Backend.saying("Hello", " there"));
            for (String request : List.of(plain("the question"), stream("the question"))) {
                Wire.Reply reply = pair.post(request);
                String last = log.line(reply.headers().get("request-id") + " to client 200 /v1/messages ");
                assertTrue(last.endsWith(reply.body().strip().replace("\n", last.contains("/messages {") ? " " : "\\n")), last);
                String kept = log.lines().toString();
                assertTrue(kept.matches("(?s).* from backend 200 http://\\S+/v1/chat/completions (\\{|data: \\{).*Hello.*"), kept);
                assertNoLineBreaksInTheLog(pair);
                String id = quiet.post(request).headers().get("request-id");
                log.line(id);
                List<String> less = log.lines(id);
                assertFalse(less.toString().matches("(?s).*(there|question).*"), less.toString());
            }
        }
    }

    /** Looking for keys takes many times the memory of the text: of a long body the beginning is logged. */
    @Test
    void theDebugLogHoldsTheBeginningOfALongBody() throws Exception {
        int limit = 1024 * 1024;
        try (var pair = new Pair("--debug", "--upstream-key", "up/0123456789abcdef")) {
            pair.backend.answers(Backend.saying("Hello"));
            Wire.Reply reply = pair.post(plain("x".repeat(3 * limit)));
            assertEquals(200, reply.status());
            String id = reply.headers().get("request-id");
            log.line(id + " to client ");
            for (String way : List.of(" from client POST /v1/messages {", " to backend POST http://")) {
                String line = log.lines(id + way).getFirst();
                assertTrue(line.length() < limit + 200, () -> "a line of " + line.length());
                assertTrue(line.matches("(?s).*x \\.\\.\\. and \\d+ characters more\\s*"), line.substring(line.length() - 60));
            }
        }
    }

    @Test
    void theDebugLogHasNoSecretHoweverTheBackendWritesIt() throws Exception {
        String echo = "{\"error\":{\"message\":\"no: up\\\\/0123456789abcdef, head-0123456789abcdef\"}}".replace("\\\\", "\\");
        try (var pair = new Pair("--debug", "--upstream-key", "up/0123456789abcdef",
                "--header", "x-b: head-0123456789abcdef")) {
            pair.backend.answers(call -> call.reply(400, "application/json", echo));
            pair.post(plain("hi"));
            String kept = log.until(pair.post(plain("the end"))).toString();
            assertTrue(kept.matches("(?s).* from backend 400 http://\\S+ \\{\"error\".*"), kept);
            assertFalse(kept.contains("0123456789abcdef"), kept);
        }
    }

    /** {@return backends that tell the key which they were given, each in another way} */
    private static List<Backend.Script> echoes() {
        String text = "Incorrect API key provided: " + UPSTREAM_KEY + ".";
        String error = json("{'error':{'message':'%s','type':'x','code':'y'}}").formatted(text);
        String atTheCut = "x".repeat(185) + UPSTREAM_KEY; // where a long text is cut, half the key would be left
        List<Backend.Script> echoes = new ArrayList<>(List.of(
                call -> call.reply(200, "application/json", error),
                call -> call.reply(200, "text/html", "<html><body>" + text + "</body></html>"),
                call -> call.events().data(error).end(),
                call -> call.events().data(Backend.ROLE, Backend.chunk("Hello"), error).end(),
                call -> call.reply(400, "application/json", error.replace("sk-", "sk\\u002d")),
                call -> call.reply(422, "application/json", json("{'detail':[{'msg':'%s'}]}").formatted(text)),
                call -> call.reply(400, "application/json", json("{'error':'%s'}").formatted(text)),
                call -> call.reply(400, "application/json",
                        json("{'error':{'message':'x','metadata':{'raw':'%s'}}}").formatted(text)),
                call -> call.reply(400, "application/json",
                        json("{'error':{'message':'prompt is too long, %s'}}").formatted(text)),
                call -> call.reply(404, "application/json",
                        json("{'error':{'message':'no model for %s'}}").formatted(text))));
        for (int status : List.of(302, 400, 401, 403, 429, 500, 502)) {
            echoes.add(call -> call.reply(status, "application/json", error));
            echoes.add(call -> call.reply(status, "text/plain", text));
            echoes.add(call -> call.reply(status, "text/plain", atTheCut));
            echoes.add(call -> call.reply(status, "text/html", "<html><h1>No</h1>" + text + "</html>"));
        }
        return echoes;
    }

    @Test
    void aKeyThatTheBackendEchoesIsNotPassedOn() throws Exception {
        List<Backend.Script> echoes = echoes();
        try (var quiet = new Pair("--upstream-key", UPSTREAM_KEY);
                var debug = new Pair("--upstream-key", UPSTREAM_KEY, "--debug")) {
            for (Pair pair : List.of(quiet, debug)) pair.backend.answers(byNumber(echoes));
            forEach(echoes.size() * 4, i -> {
                String prompt = "script " + i / 4;
                Wire.Reply reply = (i % 2 == 0 ? quiet : debug).post(i % 4 < 2 ? plain(prompt) : stream(prompt));
                assertTrue(reply.body().contains("\"error\""), () -> prompt + ": " + reply.body());
                assertWithout(UPSTREAM_KEY, reply.headers() + reply.body(), prompt);
                String kept = log.until(reply).toString();
                assertWithout(UPSTREAM_KEY, kept, "the log of " + prompt);
                assertFalse(kept.contains(UPSTREAM_KEY.substring(12)), () -> "the end of the key: " + kept);
            });
        }
    }
}
