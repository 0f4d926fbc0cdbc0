package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.HeldClock;
import testing.Pair;
import testing.PatientClock;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** The proxy between a client on a bare socket and a scripted backend, each exchange over real connections. */
class ProxyTest {
    private static final String WHY = "it says why";
    private static final byte[] NOTHING = new byte[0];
    private static final int MAX_BODY_BYTES = 32 * 1024 * 1024;

    private static Proxy proxy(URI url) throws Exception {
        return Proxies.start("--upstream", url.toString());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
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

    /** {@return the message of what must be an error in Anthropic's shape} */
    private static String error(Wire.Reply reply, int status, String type) {
        String said = reply.body().startsWith("{") ? reply.text("error.type") : "no JSON";
        assertEquals(status + " " + type, reply.status() + " " + said, reply.body());
        assertEquals("application/json", reply.headers().get("content-type"));
        assertEquals("error", reply.text("type"));
        assertTrue(reply.headers().get("request-id").matches("req_\\w{20,}"), reply.headers().get("request-id"));
        assertEquals(reply.headers().get("request-id"), reply.text("request_id"));
        assertNotEquals("", reply.text("error.message"));
        return reply.text("error.message");
    }

    /** {@return the message of the error that must end the stream, which has begun well} */
    private static String broken(Wire.Reply reply, String type) {
        assertEquals(200, reply.status());
        assertEquals("message_start", reply.events().getFirst().name());
        assertEquals("error", reply.last().name(), reply.body());
        assertEquals(type, reply.last().text("error.type"));
        assertEquals(reply.headers().get("request-id"), reply.last().text("request_id"));
        assertFalse(reply.body().contains("message_stop"), reply.body());
        assertFalse(reply.body().contains("message_delta"), reply.body());
        return reply.last().text("error.message");
    }

    private static void assertGood(Wire.Reply reply, String said) {
        assertEquals(200, reply.status(), reply.body());
        assertEquals(said, reply.said());
        boolean isStream = reply.headers().get("content-type").startsWith("text/event-stream");
        if (isStream) assertEquals("message_stop", reply.last().name());
    }

    // Replies that go well

    @Test
    void aWholeReplyIsOneMessage() throws Exception {
        try (var pair = new Pair()) {
            Wire.Reply reply = pair.post(plain("hi"));
            assertGood(reply, "Hello there");
            assertEquals("application/json", reply.headers().get("content-type"));
            assertTrue(reply.headers().get("request-id").startsWith("req_"));
            assertEquals(List.of("message", "assistant", "claude-x", "end_turn"),
                    Stream.of("type", "role", "model", "stop_reason").map(reply::text).toList());
            assertEquals(List.of(new Tree.Num("7"), new Tree.Num("3")),
                    List.of(Tree.at(reply.json(), "usage.input_tokens"), Tree.at(reply.json(), "usage.output_tokens")));
            Backend.Call call = pair.backend.take();
            assertEquals("POST /v1/chat/completions HTTP/1.1", call.line());
            assertEquals("application/json", call.headers().get("content-type"));
            assertEquals("hi", Tree.at(Tree.of(call.text()), "messages.0.content"));
        }
    }

    @Test
    void aStreamedReplyIsAnEventStream() throws Exception {
        try (var pair = new Pair()) {
            Wire.Reply reply = pair.post(stream("hi"));
            assertGood(reply, "Hello there");
            assertEquals("text/event-stream; charset=utf-8", reply.headers().get("content-type"));
            assertEquals("no-cache", reply.headers().get("cache-control"));
            assertEquals("chunked", reply.headers().get("transfer-encoding"));
            assertNull(reply.headers().get("content-length"));
            assertTrue(reply.headers().get("request-id").startsWith("req_"));
            assertFalse(reply.body().contains("\r"));
            assertEquals("message_start content_block_start content_block_delta content_block_delta content_block_stop "
                    + "message_delta message_stop", reply.names());
            assertEquals(true, Tree.at(Tree.of(pair.backend.take().text()), "stream"));
        }
    }

    @Test
    void eachWordIsPassedOnWhenItComes() throws Exception {
        var read = new CountDownLatch(1);
        try (var pair = new Pair()) {
            pair.backend.answers(call -> {
                call.events().data(Backend.chunk("first"));
                Tasks.await(read);
                call.data(Backend.chunk("second"), Backend.FINISH, "[DONE]").end();
            });
            try (Wire wire = pair.sent(stream("hi"))) {
                Wire.Reply begun = wire.until("first");
                read.countDown();
                assertFalse(begun.body().contains("second"));
                assertGood(wire.reply(), "firstsecond");
            }
        }
    }

    @Test
    void aJsonReplyToAStreamedRequestBecomesEvents() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(call -> call.reply(200, "application/json", Backend.completion("whole")));
            Wire.Reply reply = pair.post(stream("hi"));
            assertTrue(reply.headers().get("content-type").startsWith("text/event-stream"));
            assertGood(reply, "whole");
        }
    }

    @Test
    void anEventStreamToAPlainRequestIsGathered() throws Exception {
        try (var pair = new Pair()) {
            String[] events = {Backend.chunk("a"), Backend.chunk("b"), Backend.FINISH};
            pair.backend.answers(call -> call.events().data(events).end());
            Wire.Reply reply = pair.post(plain("hi"));
            assertEquals("application/json", reply.headers().get("content-type"));
            assertGood(reply, "ab");
        }
    }

    @Test
    void aStreamMayEndWithItsConnection() throws Exception {
        try (var pair = new Pair()) {
            String[] events = {Backend.chunk("all"), Backend.FINISH};
            pair.backend.answers(call -> call.unbounded("text/event-stream").data(events));
            assertGood(pair.post(stream("hi")), "all");
        }
    }

    @Test
    void headersOfTheBackendStayBehind() throws Exception {
        try (var pair = new Pair()) {
            List<String> names = List.of("set-cookie", "server", "x-request-id", "content-language");
            String[] headers = names.stream().map(name -> name + ": theirs").toArray(String[]::new);
            pair.backend.answers(call -> call.reply(200, "application/json", Backend.completion("x"), headers));
            Map<String, String> seen = pair.post(plain("hi")).headers();
            for (String name : names) assertNull(seen.get(name), name);
        }
    }

    @Test
    void fiftyStreamsAtOnceDoNotMix() throws Exception {
        int streams = 50;
        var allHere = new CountDownLatch(streams);
        try (var pair = new Pair()) {
            pair.backend.answers(call -> {
                String marker = call.text().replaceAll("(?s).*(<\\d+>).*", "$1");
                call.events().data(Backend.chunk(marker));
                allHere.countDown();
                Tasks.await(allHere);
                for (int i = 1; i < 20; i++) call.data(Backend.chunk(marker));
                call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
            });
            List<FutureTask<Wire.Reply>> asked = IntStream.range(0, streams)
                    .mapToObj(i -> Tasks.ask(() -> pair.post(stream("I am <%d>".formatted(i))))).toList();
            for (int i = 0; i < streams; i++) assertGood(Tasks.outcome(asked.get(i)), "<%d>".formatted(i).repeat(20));
            Stream<Wire.Event> starts = asked.stream().map(task -> task.resultNow().events().getFirst());
            assertEquals(streams, starts.map(start -> start.text("message.id")).distinct().count());
        }
    }

    // Paths

    @Test
    void anyQueryAndADoubledV1AreTaken() throws Exception {
        try (var pair = new Pair()) {
            for (String path : List.of("/v1/messages?beta=true", "/v1/messages?", "/v1/messages?a=b%20c&x=%2Fv1&y=a+b",
                    "/v1/v1/messages", "/v1/v1/messages?beta=true")) {
                assertGood(Wire.ask(pair.proxy.port(), "POST", path, utf8(plain("hi"))), "Hello there");
                assertEquals("POST /v1/chat/completions HTTP/1.1", pair.backend.take().line(), path);
            }
        }
    }

    @Test
    void thePathsThatClientsProbeAnswer200() throws Exception {
        try (var pair = new Pair()) {
            for (String path : List.of("/", "/health", "/api/hello")) {
                for (String method : List.of("GET", "HEAD")) {
                    Wire.Reply reply = pair.ask(method, path);
                    assertEquals(200, reply.status(), method + path);
                    assertTrue(reply.headers().get("request-id").startsWith("req_"), method + path);
                }
            }
            assertEquals("ok", pair.ask("GET", "/health").text("status"));
            assertEquals(0, pair.backend.requests());
        }
    }

    @Test
    void anUnknownPathIs404WithoutRetry() throws Exception {
        try (var pair = new Pair()) {
            for (String path : List.of("/nope", "/v1/complete", "/v1/messages/batches", "/v1/files/f1?x=y",
                    "/v1/skills", "/api/event_logging/batch", "/v1/organizations/o", "/favicon.ico", "/v1/x%2Fy")) {
                for (String method : List.of("GET", "POST", "DELETE")) {
                    byte[] body = utf8(method.equals("POST") ? "{}" : "");
                    Wire.Reply reply = Wire.ask(pair.proxy.port(), method, path, body);
                    assertTrue(error(reply, 404, "not_found_error").contains("not available on this proxy"), path);
                    assertEquals("false", reply.headers().get("x-should-retry"), path);
                }
            }
            assertEquals(404, pair.ask("HEAD", "/nope").status());
        }
    }

    @Test
    void aWrongMethodIs405() throws Exception {
        try (var pair = new Pair()) {
            for (String call : List.of("GET /v1/messages", "DELETE /v1/messages", "PUT /v1/messages?beta=true",
                    "POST /health", "POST /", "PUT /api/hello")) {
                Wire.Reply reply = pair.ask(call.split(" ")[0], call.split(" ")[1]);
                error(reply, 405, "invalid_request_error");
                String allowed = call.contains("/v1/messages") ? "POST" : "GET, HEAD";
                assertEquals(allowed, reply.headers().get("allow"), call);
            }
            assertEquals(405, pair.ask("HEAD", "/v1/messages").status());
            assertEquals(0, pair.backend.requests());
        }
    }

    // Keys and headers

    private static String keySeen(Pair pair, String... headers) throws Exception {
        assertGood(pair.post(plain("hi"), headers), "Hello there");
        Map<String, String> upstream = pair.backend.take().headers();
        assertNull(upstream.get("x-api-key"));
        return upstream.get("authorization");
    }

    @Test
    void theClientsKeyGoesUpstreamAsBearer() throws Exception {
        try (var pair = new Pair()) {
            assertEquals("Bearer K1", keySeen(pair, "x-api-key: K1"));
            assertEquals("Bearer K2", keySeen(pair, "Authorization: Bearer K2"));
            assertEquals("Bearer K3", keySeen(pair, "authorization: bearer K3"));
            assertEquals("Bearer K4", keySeen(pair, "authorization: Bearer other", "X-Api-Key: K4"));
            assertEquals("Bearer K5", keySeen(pair, "authorization: Bearer K5", "x-api-key: "));
            assertNull(keySeen(pair));
        }
    }

    @Test
    void theUpstreamKeyReplacesTheClients() throws Exception {
        try (var pair = new Pair("--upstream-key", "OWN")) {
            assertEquals("Bearer OWN", keySeen(pair, "x-api-key: K1"));
            assertEquals("Bearer OWN", keySeen(pair, "authorization: Bearer K2"));
            assertEquals("Bearer OWN", keySeen(pair));
        }
    }

    @Test
    void theProxysKeyIsAskedForAndStaysHere() throws Exception {
        try (var pair = new Pair("--auth-key", "SECRET");
                var keyed = new Pair("--auth-key", "SECRET", "--upstream-key", "OWN")) {
            for (String header : List.of("x-none: x", "x-api-key: wrong", "x-api-key: SECRETs",
                    "authorization: Bearer SECRE", "authorization: SECRET")) {
                error(pair.post(plain("hi"), header), 401, "authentication_error");
            }
            assertEquals(401, pair.ask("GET", "/").status());
            assertEquals(401, pair.ask("GET", "/nope").status());
            assertEquals(200, pair.ask("GET", "/health").status());
            assertEquals(0, pair.backend.requests());
            for (String header : List.of("x-api-key: SECRET", "authorization: Bearer SECRET")) {
                assertNull(keySeen(pair, header));
                assertEquals("Bearer OWN", keySeen(keyed, header));
            }
            assertGood(pair.post(plain("hi"), "x-api-key: SECRET", "authorization: Bearer SECRET"), "Hello there");
            Backend.Call call = pair.backend.take();
            assertFalse((call.headers() + call.text()).contains("SECRET"));
        }
    }

    @Test
    void headersOfTheOptionGoUpstreamAndNoneOfTheClient() throws Exception {
        try (var pair = new Pair("--header", "X-Title: a2o", "--header", "http-referer:https://a.test/x:y")) {
            String[] headers = Stream.of("user-agent", "anthropic-version", "anthropic-beta", "anthropic-workspace-id",
                    "x-app", "x-stainless-lang", "x-stainless-retry-count", "traceparent", "cookie", "accept",
                    "accept-language", "x-forwarded-for", "x-title", "http-referer")
                    .map(name -> name + ": marker").toArray(String[]::new);
            assertGood(pair.post(plain("hi"), headers), "Hello there");
            Map<String, String> upstream = pair.backend.take().headers();
            assertEquals("a2o", upstream.get("x-title"));
            assertEquals("https://a.test/x:y", upstream.get("http-referer"));
            assertFalse(upstream.toString().contains("marker"), upstream.toString());
            for (String name : upstream.keySet()) {
                assertFalse(name.matches("anthropic.*|x-stainless.*|x-app|cookie"), name);
            }
        }
    }

    // Errors of the backend

    /** Bodies that say {@link #WHY}; {@code %d} is the status. */
    private static final Map<String, String> SHAPES = Map.ofEntries(
            Map.entry("OpenAI", "{'error':{'message':'it says why','type':'some_error','param':null,'code':null}}"),
            Map.entry("FastAPI detail", "{'detail':'it says why'}"),
            Map.entry("FastAPI details", "{'detail':[{'loc':['body','x'],'msg':'it says why','type':'value_error'}]}"),
            Map.entry("Gemini", "[{'error':{'code':%d,'message':'it says why','status':'SOME_STATUS'}}]"),
            Map.entry("text in error", "{'error':'it says why'}"),
            Map.entry("vLLM", "{'object':'error','message':'it says why','type':'SomeError','param':null,'code':%d}"),
            Map.entry("Venice", "{'error_type':'some','error_message':'it says why'}"),
            Map.entry("code and message", "{'code':'some','message':'it says why'}"),
            Map.entry("list of errors", "{'errors':[{'message':'it says why'}]}"),
            Map.entry("plain text", "it says why\n"));

    /** @param upstream what the backend answers; status and type are what the client gets */
    private record Row(int upstream, int status, String type) { }

    /** SPEC E.1, E.3. */
    private static final List<Row> BY_STATUS = List.of(
            new Row(400, 400, "invalid_request_error"), new Row(401, 401, "authentication_error"),
            new Row(402, 402, "billing_error"), new Row(403, 403, "permission_error"),
            new Row(404, 404, "not_found_error"), new Row(408, 408, "timeout_error"),
            new Row(409, 529, "overloaded_error"), new Row(413, 413, "request_too_large"),
            new Row(422, 400, "invalid_request_error"), new Row(429, 429, "rate_limit_error"),
            new Row(500, 500, "api_error"), new Row(502, 529, "overloaded_error"),
            new Row(503, 529, "overloaded_error"), new Row(504, 504, "timeout_error"),
            new Row(529, 529, "overloaded_error"));

    @TestFactory
    Stream<DynamicTest> anErrorOfAnyShapeKeepsItsMeaningAndItsWords() {
        return BY_STATUS.stream().map(row -> DynamicTest.dynamicTest(String.valueOf(row.upstream), () -> {
            try (var pair = new Pair()) {
                for (String shape : SHAPES.keySet()) {
                    String body = json(SHAPES.get(shape)).replace("%d", String.valueOf(row.upstream));
                    String contentType = body.startsWith("it") ? "text/plain" : "application/json";
                    pair.backend.answers(call -> call.reply(row.upstream, contentType, body, "retry-after: 86400"));
                    assertRefused(pair.post(plain("hi"), "x-api-key: K"), row, shape);
                    assertRefused(pair.post(stream("hi"), "x-api-key: K"), row, shape);
                }
            }
        }));
    }

    private static void assertRefused(Wire.Reply reply, Row row, String shape) {
        String message = error(reply, row.status, row.type);
        assertTrue(message.contains(WHY) && message.contains("127.0.0.1"), shape + ": " + message);
        String wait = reply.headers().getOrDefault("retry-after", "none");
        if (row.status == 429) assertTrue(wait.matches("[1-9]|[1-5][0-9]|60"), "retry-after: " + wait);
        if (row.status == 402) assertEquals("false", reply.headers().get("x-should-retry"));
    }

    @Test
    void anErrorWithoutABodyNamesTheBackend() throws Exception {
        try (var pair = new Pair()) {
            for (Row row : BY_STATUS) {
                pair.backend.answers(call -> call.reply(row.upstream, "", ""));
                String message = error(pair.post(stream("hi"), "x-api-key: K"), row.status, row.type);
                assertTrue(message.contains("127.0.0.1"), message);
            }
        }
    }

    private static final String PAGE = "<!DOCTYPE html><html><head><title>Oops</title><style>p { color: red }</style>"
            + "<script>if (a < b) alert(1)</script></head><body><p class='x'>it says why</p>"
            + "<p>and more</p>".repeat(1000);

    private static Wire.Reply page(int status) throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(call -> call.reply(status, "text/html; charset=utf-8", PAGE));
            Wire.Reply reply = pair.post(stream("hi"));
            String message = reply.text("error.message");
            assertTrue(message.contains("127.0.0.1") && message.contains(WHY), message);
            assertTrue(message.length() < 300 && !message.contains("<") && !message.contains("color"), message);
            return reply;
        }
    }

    /** It comes from something before the backend (SPEC D.1, H.101). */
    @Test
    void anHtmlPageIsABadGateway() throws Exception {
        error(page(200), 502, "api_error");
        error(page(502), 502, "api_error");
    }

    /** As a 413 of nginx: the status says more than that it is a page (SPEC E.3). */
    @Test
    void anHtmlPageWithAStatusOfTheRequestsKeepsIt() throws Exception {
        error(page(400), 400, "invalid_request_error");
        error(page(404), 404, "not_found_error");
        error(page(413), 413, "request_too_large");
    }

    @Test
    void anUnpaidAccountIsABillingErrorWithoutRetry() throws Exception {
        try (var pair = new Pair()) {
            for (String body : List.of("{'error':{'message':'You exceeded your current quota'}}",
                    "{'error':{'message':'No','type':'insufficient_quota','code':'insufficient_quota'}}",
                    "{'error':{'message':'Insufficient Balance'}}")) {
                pair.backend.answers(call -> call.reply(429, "application/json", json(body)));
                Wire.Reply reply = pair.post(stream("hi"));
                error(reply, 402, "billing_error");
                assertEquals("false", reply.headers().get("x-should-retry"));
            }
        }
    }

    @Test
    void aKeyOfTheProxyThatIsRefusedIsNotTheClientsFault() throws Exception {
        try (var pair = new Pair("--upstream-key", "OWN")) {
            for (int status : new int[] {401, 403}) {
                String body = json("{'error':{'message':'Incorrect API key provided: OWN'}}");
                pair.backend.answers(call -> call.reply(status, "application/json", body));
                Wire.Reply reply = pair.post(stream("hi"), "x-api-key: K");
                String message = error(reply, 500, "api_error");
                assertTrue(message.contains("backend rejected the proxy's credentials"), message);
                assertFalse(message.contains("OWN"), message);
                assertEquals("false", reply.headers().get("x-should-retry"));
            }
        }
    }

    @Test
    void anOverflowIsSaidInTheWordsThatMakeClientsCompact() throws Exception {
        String openai = json("{'error':{'message':'Here the maximum context length is 8192 tokens. However, your "
                + "messages resulted in 9000 tokens.','param':'messages','code':'context_length_exceeded'}}");
        String llama = json("{'error':{'code':400,'message':'the request exceeds the available context size',"
                + "'type':'exceed_context_size_error','n_prompt_tokens':9000,'n_ctx':8192}}");
        String vague = json("{'error':{'message':'too many tokens in the prompt'}}");
        String said = "prompt is too long: 9000 tokens > 8192 maximum";
        try (var pair = new Pair("--context", "4096")) {
            for (String body : List.of(openai, llama)) {
                for (int status : new int[] {400, 413, 500}) {
                    pair.backend.answers(call -> call.reply(status, "application/json", body));
                    Wire.Reply reply = pair.post(stream("hi"));
                    assertEquals(said, error(reply, 400, "invalid_request_error"));
                }
            }
            pair.backend.answers(call -> call.reply(413, "application/json", vague));
            String message = error(pair.post(plain("hi")), 400, "invalid_request_error");
            assertTrue(message.matches("prompt is too long: (409[7-9]|4[1-9]\\d\\d) tokens > 4096 maximum"), message);
        }
    }

    @Test
    void aBackendThatIsNotThereIs502() throws Exception {
        int port = Backend.deadPort();
        try (Proxy proxy = proxy(URI.create("http://127.0.0.1:%d/v1/chat/completions".formatted(port)))) {
            for (String request : List.of(plain("hi"), stream("hi"))) {
                String message = error(Wire.post(proxy.port(), request), 502, "api_error");
                assertTrue(message.contains("127.0.0.1"), message);
            }
        }
    }

    /** And without asking the network: no label may be that long. */
    @Test
    void aHostThatIsNotKnownIs502() throws Exception {
        String host = "x".repeat(64) + ".invalid";
        try (Proxy proxy = proxy(URI.create("http://%s/v1/chat/completions".formatted(host)))) {
            String message = error(Wire.post(proxy.port(), stream("hi")), 502, "api_error");
            assertTrue(message.contains(host), message);
        }
    }

    @Test
    void anErrorThatBeginsAStreamGetsItsStatus() throws Exception {
        String coded = json("{'error':{'code':%d,'message':'it says why'}}");
        String typed = json("{'error':{'message':'it says why','type':'invalid_request_error'}}");
        try (var pair = new Pair()) {
            for (Row row : BY_STATUS) {
                pair.backend.answers(call -> call.events().data(coded.formatted(row.upstream)).end());
                String message = error(pair.post(stream("hi"), "x-api-key: K"), row.status, row.type);
                assertTrue(message.contains(WHY), message);
            }
            pair.backend.answers(call -> call.events().write(": comment\n\n").data(Backend.ROLE, typed).end());
            error(pair.post(stream("hi")), 400, "invalid_request_error");
            pair.backend.answers(call -> call.events().write("event: error\ndata: " + typed + "\n\n").end());
            error(pair.post(stream("hi")), 400, "invalid_request_error");
            pair.backend.answers(call -> call.reply(200, "application/json", coded.formatted(429)));
            error(pair.post(stream("hi")), 429, "rate_limit_error");
            error(pair.post(plain("hi")), 429, "rate_limit_error");
        }
    }

    @Test
    void anErrorInMidStreamEndsIt() throws Exception {
        var read = new CountDownLatch(1);
        try (var pair = new Pair()) {
            pair.backend.answers(call -> {
                call.events().data(Backend.chunk("half"));
                Tasks.await(read);
                call.data(json("{'error':{'code':503,'message':'it says why'}}")).end();
            });
            try (Wire wire = pair.sent(stream("hi"))) {
                wire.until("half");
                read.countDown();
                Wire.Reply reply = wire.reply();
                assertTrue(broken(reply, "overloaded_error").contains(WHY), reply.body());
                assertEquals("half", reply.said());
            }
            error(pair.post(plain("hi")), 529, "overloaded_error");
        }
    }

    // Connections that break

    /** How a stream may break off once the client has read its first half. */
    private static final Map<String, Backend.Script> CUTS = Map.of(
            "cut", call -> { },
            "reset", Backend.Call::reset,
            "cut within an event", call -> call.write("data: {\"choices\":[{\"ind"),
            "chunks that end too early", Backend.Call::end,
            "[DONE] without finish_reason", call -> call.data("[DONE]").end(),
            "more text, then a cut", call -> call.data(Backend.chunk("more"), Backend.ROLE));

    @TestFactory
    Stream<DynamicTest> aStreamWithoutItsEndIsAnErrorAndNotAnEnd() {
        return CUTS.entrySet().stream().map(cut -> DynamicTest.dynamicTest(cut.getKey(), () -> {
            assertCut(call -> call.events().data(Backend.chunk("half")), cut.getValue());
        }));
    }

    @Test
    void anUnboundedBodyThatEndsWithoutFinishReasonIsAnError() throws Exception {
        assertCut(call -> call.unbounded("text/event-stream").data(Backend.chunk("half")), call -> { });
    }

    private static void assertCut(Backend.Script half, Backend.Script cut) throws Exception {
        var read = new CountDownLatch(1);
        try (var pair = new Pair()) {
            pair.backend.answers(call -> {
                half.answer(call);
                Tasks.await(read);
                cut.answer(call);
            });
            try (Wire wire = pair.sent(stream("hi"))) {
                wire.until("half");
                read.countDown();
                assertTrue(broken(wire.reply(), "api_error").contains("127.0.0.1"));
            }
            error(pair.post(plain("hi")), 502, "api_error");
        }
    }

    @Test
    void aReplyThatBreaksBeforeItBeginsIs502() throws Exception {
        List<Backend.Script> scripts = List.of(
                call -> { },
                Backend.Call::reset,
                call -> call.raw("HTTP/1.1 200 OK\r\ncontent-ty"),
                call -> call.raw("SSH-2.0-OpenSSH_9.6\r\n"),
                call -> call.events(),
                call -> call.events().end(),
                call -> call.events().data(Backend.ROLE),
                call -> call.events().write(": comment\n\n").data("[DONE]").end(),
                call -> call.unbounded("text/event-stream"),
                call -> call.unbounded("application/json").write("{\"choices\":[{\"index\":0,\"mess"),
                call -> call.raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"),
                call -> call.reply(200, "application/json", ""),
                call -> call.reply(200, "application/json", "{}"));
        for (int i = 0; i < scripts.size(); i++) {
            for (String request : List.of(stream("hi"), plain("hi"))) {
                String name = "script %d: ".formatted(i);
                try (var pair = new Pair(PatientClock.withoutPauses())) {
                    pair.backend.answers(scripts.get(i));
                    Wire.Reply reply = pair.post(request);
                    assertEquals(502, reply.status(), name + reply.body());
                    assertTrue(error(reply, 502, "api_error").contains("127.0.0.1"), name + reply.body());
                }
            }
        }
    }

    @Test
    void aClientThatLeavesEndsTheBackendsWork() throws Exception {
        var seen = new CountDownLatch(1);
        try (var pair = new Pair()) {
            pair.backend.answers(call -> {
                call.events();
                while (!call.isLeft(20)) call.data(Backend.chunk("word "));
                seen.countDown();
            });
            try (Wire wire = pair.sent(stream("hi"))) {
                wire.until("word ");
            }
            Tasks.await(seen);
        }
    }

    @Test
    void aConnectionKeptOpenAfterTheFinishIsNotWaitedFor() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock)) {
            var over = new CountDownLatch(1);
            pair.backend.answers(call -> {
                call.events().data(Backend.chunk("all"), Backend.FINISH);
                Tasks.await(over);
            });
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> pair.post(stream("hi")));
            clock.elapse(5_000);
            assertGood(Tasks.outcome(reply), "all");
            over.countDown();
        }
    }

    @Test
    void aConnectionKeptOpenAfterDoneGivesItsPlaceBack() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock, "--max-connections", "1")) {
            var over = new CountDownLatch(1);
            pair.backend.answers(call -> {
                String usage = json("{'choices':[],'usage':{'prompt_tokens':1}}");
                call.events().data(Backend.chunk("all"), usage, "[DONE]");
                Tasks.await(over);
            }, Backend.saying("next"));
            assertGood(pair.post(stream("hi")), "all");
            FutureTask<Wire.Reply> next = Tasks.ask(() -> pair.post(stream("hi")));
            clock.elapse(5_000);
            assertGood(Tasks.outcome(next), "next");
            over.countDown();
        }
    }

    /** Time passes here more slowly than the proxy looks at it, so that only what does not go on at all is ended. */
    @Test
    void aClientThatDoesNotReadLosesItsPlace() throws Exception {
        var clock = new HeldClock();
        var ended = new CountDownLatch(1);
        try (var pair = new Pair(clock, "--max-connections", "1", "--timeout", "20")) {
            pair.backend.answers(call -> {
                Backend.Call events = call.events();
                try {
                    while (true) events.data(Backend.chunk("x".repeat(10_000)));
                } catch (IOException closed) {
                    ended.countDown(); // the proxy has given up, as it should
                }
            }, Backend.saying("next"));
            try (var unread = new Wire(pair.proxy.port())) {
                unread.message(stream("hi"));
                pair.backend.take();
                while (!ended.await(500, TimeUnit.MILLISECONDS)) clock.passes(4_000);
                assertGood(pair.post(stream("hi")), "next");
                assertEquals(2, pair.backend.requests());
            }
        }
    }

    // Silence

    @Test
    void aBackendThatDoesNotBeginIs504() throws Exception {
        for (String request : List.of(plain("hi"), stream("hi"))) {
            var clock = new HeldClock();
            try (var pair = new Pair(clock, "--timeout", "9")) {
                var over = new CountDownLatch(1);
                pair.backend.answers(call -> Tasks.await(over));
                FutureTask<Wire.Reply> reply = Tasks.ask(() -> pair.post(request));
                pair.backend.take();
                clock.elapse(9_000);
                assertTrue(error(Tasks.outcome(reply), 504, "timeout_error").contains("127.0.0.1"));
                over.countDown();
            }
        }
    }

    @Test
    void aBackendThatFallsSilentIsAnErrorEvent() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock, "--timeout", "9")) {
            var over = new CountDownLatch(1);
            pair.backend.answers(call -> {
                call.events().data(Backend.chunk("half"));
                Tasks.await(over);
            });
            try (Wire wire = pair.sent(stream("hi"))) {
                wire.until("half");
                clock.elapse(9_000);
                assertTrue(broken(wire.reply(), "timeout_error").contains("127.0.0.1"));
            }
            over.countDown();
        }
    }

    @Test
    void aWholeReplyThatFallsSilentIs504() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock, "--timeout", "9")) {
            var begun = new CountDownLatch(1);
            var over = new CountDownLatch(1);
            pair.backend.answers(call -> {
                clock.awaitWait(9_000);
                clock.passes(1_000);
                call.unbounded("application/json");
                clock.awaitWait(9_000);
                clock.passes(1_000);
                begun.countDown();
                call.write("{\"choices\":");
                Tasks.await(over);
            });
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> pair.post(plain("hi")));
            Tasks.await(begun);
            clock.elapse(9_000);
            error(Tasks.outcome(reply), 504, "timeout_error");
            over.countDown();
        }
    }

    @Test
    void tokensAreCountedWithoutTheBackend() throws Exception {
        String request = json("{'model':'claude-x','messages':[{'role':'user','content':%s}]}");
        String image = json("[{'type':'image','source':{'type':'base64','media_type':'image/png','data':'aGk='}}]");
        try (var pair = new Pair()) {
            String path = "/v1/messages/count_tokens?beta=true";
            Wire.Reply few = Wire.ask(pair.proxy.port(), "POST", path, utf8(request.formatted("\"hi\"")));
            assertEquals("200 {\"input_tokens\":", "%d %.16s".formatted(few.status(), few.body()));
            String much = '"' + "hi ".repeat(1000) + '"';
            Wire.Reply many = Wire.ask(pair.proxy.port(), "POST", path, utf8(request.formatted(much)));
            Wire.Reply seen = Wire.ask(pair.proxy.port(), "POST", path, utf8(request.formatted(image)));
            long least = Long.parseLong(((Tree.Num) Tree.at(few.json(), "input_tokens")).text());
            long most = Long.parseLong(((Tree.Num) Tree.at(many.json(), "input_tokens")).text());
            long shown = Long.parseLong(((Tree.Num) Tree.at(seen.json(), "input_tokens")).text());
            assertTrue(least > 0 && least < 20, few.body());
            assertTrue(most > 800 && most < 1200, many.body());
            assertTrue(shown > 1000 && shown < 2000, seen.body());
            assertEquals(400, Wire.ask(pair.proxy.port(), "POST", path, utf8("{}")).status());
            assertEquals(405, Wire.ask(pair.proxy.port(), "GET", path, NOTHING).status());
            assertEquals(0, pair.backend.requests());
        }
    }

    @Test
    void commentsAreSignsOfLife() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock, "--timeout", "2")) {
            pair.backend.answers(call -> {
                call.events();
                for (int i = 0; i < 12; i++) {
                    clock.awaitWait(2_000); // the comment before has been seen
                    clock.passes(1_500);
                    call.write(": processing\n\n");
                }
                clock.awaitWait(2_000);
                call.data(Backend.chunk("late"), Backend.FINISH, "[DONE]").end();
            });
            assertGood(pair.post(plain("hi")), "late");
        }
    }

    @Test
    void commentsAfterTheFinishReasonDoNotKeepAReplyOpen() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock)) {
            pair.backend.answers(call -> {
                call.events().data(Backend.chunk("all"), Backend.FINISH);
                for (int left = 5_000; left > 1_000; left -= 2_000) {
                    clock.awaitWait(left); // the comment before has been seen
                    clock.passes(2_000);
                    call.write(": processing\n\n");
                }
                clock.elapse(1_000);
                call.awaitLeft();
            });
            assertGood(pair.post(stream("hi")), "all");
        }
    }

    /** The ping has begun the reply, so there is no other try. */
    @Test
    void aPingInTheWaitForAnotherTryEndsIt() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock)) {
            pair.backend.answers(call -> {
                clock.awaitWait(10_000);
                clock.passes(7_000);
                call.reply(429, "application/json", json("{'error':{'message':'it says why'}}"), "retry-after: 5");
            }, Backend.saying("no more"));
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> pair.post(stream("hi")));
            pair.awaitStatus("upstreams.0.errors", 1);
            clock.elapse(3_000); // to the ping
            clock.elapse(1_000); // to the second of the pair
            clock.elapse(1_000); // to the end of the five seconds
            assertEquals("message_start error", Tasks.outcome(reply).names());
            assertEquals(1, pair.backend.requests());
        }
    }

    /** Also: what goes wrong after the status has been sent is an event. */
    @Test
    void silenceOfTenSecondsIsFilledWithPings() throws Exception {
        assertGood(pinged(Backend.saying("at last")), "at last");
        String error = json("{'error':{'message':'it says why'}}");
        Wire.Reply refused = pinged(call -> call.reply(503, "application/json", error));
        assertTrue(broken(refused, "overloaded_error").contains(WHY));
    }

    /** The client has got nothing of a reply yet, so the request may be mended. */
    @Test
    void whatIsRefusedAfterAPingIsMended() throws Exception {
        String error = json("{'error':{'message':'unknown field stream_options'}}");
        assertGood(pinged(call -> {
            boolean isRefused = call.text().contains("stream_options");
            if (isRefused) call.reply(400, "application/json", error); else Backend.saying("mended").answer(call);
        }), "mended");
    }

    private static Wire.Reply pinged(Backend.Script script) throws Exception {
        var clock = new HeldClock();
        var pinged = new CountDownLatch(1);
        try (var pair = new Pair(clock)) {
            pair.backend.answers(call -> {
                Tasks.await(pinged);
                script.answer(call);
            });
            try (Wire wire = pair.sent(stream("hi"))) {
                clock.elapse(10_000);
                Wire.Reply silent = wire.until("event: ping\ndata: {\"type\":\"ping\"}\n\n");
                assertEquals(200, silent.status());
                assertTrue(silent.body().startsWith("event: message_start\n"), silent.body());
                pinged.countDown();
                Wire.Reply reply = wire.reply();
                assertEquals(1, reply.body().split("event: message_start", -1).length - 1);
                return reply;
            }
        }
    }

    // Bodies of requests

    @Test
    void aDeclaredLengthBeyond32MbIsRefusedUnread() throws Exception {
        try (var pair = new Pair(); var wire = new Wire(pair.proxy.port())) {
            wire.head("POST", "/v1/messages", "content-length: " + 33 * 1024 * 1024);
            error(wire.reply(), 413, "request_too_large");
            assertEquals(0, pair.backend.requests());
        }
    }

    @Test
    void aChunkedBodyThatGrowsBeyond32MbIsRefused() throws Exception {
        try (var pair = new Pair(); var wire = new Wire(pair.proxy.port())) {
            wire.head("POST", "/v1/messages", "transfer-encoding: chunked");
            byte[] megabyte = utf8("100000\r\n" + " ".repeat(1 << 20) + "\r\n");
            for (int i = 0; i < MAX_BODY_BYTES >> 20; i++) wire.write(megabyte);
            wire.write(utf8("100000\r\n" + " ".repeat(1000))); // no more comes, nor need it
            error(wire.reply(), 413, "request_too_large");
            assertEquals(0, pair.backend.requests());
        }
    }

    @Test
    void aChunkedBodyIsTaken() throws Exception {
        try (var pair = new Pair(); var wire = new Wire(pair.proxy.port())) {
            String request = plain("in chunks");
            wire.head("POST", "/v1/messages", "transfer-encoding: chunked");
            for (String piece : request.split("(?<=,)")) {
                wire.write(utf8("%x\r\n%s\r\n".formatted(piece.length(), piece)));
            }
            assertGood(wire.write(utf8("0\r\n\r\n")).reply(), "Hello there");
            assertEquals("in chunks", Tree.at(Tree.of(pair.backend.take().text()), "messages.0.content"));
        }
    }

    private interface Packing {
        OutputStream over(OutputStream out) throws IOException;
    }

    private static byte[] packed(Packing packing, byte[] body) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (OutputStream out = packing.over(bytes)) {
            out.write(body);
        }
        return bytes.toByteArray();
    }

    private static Wire.Reply encoded(Pair pair, String encoding, byte[] body) throws IOException {
        return Wire.ask(pair.proxy.port(), "POST", "/v1/messages", body, "content-encoding: " + encoding);
    }

    @Test
    void gzipAndDeflateAreUnpacked() throws Exception {
        try (var pair = new Pair()) {
            assertGood(encoded(pair, "gzip", packed(GZIPOutputStream::new, utf8(stream("zipped")))), "Hello there");
            assertEquals("zipped", Tree.at(Tree.of(pair.backend.take().text()), "messages.0.content"));
            byte[] deflated = packed(DeflaterOutputStream::new, utf8(plain("deflated")));
            assertGood(encoded(pair, "deflate", deflated), "Hello there");
            assertEquals("deflated", Tree.at(Tree.of(pair.backend.take().text()), "messages.0.content"));
            assertGood(encoded(pair, "identity", utf8(plain("as is"))), "Hello there");
        }
    }

    @Test
    void packingThatIsWrongOrUnknownIsNamed() throws Exception {
        byte[] zipped = packed(GZIPOutputStream::new, utf8(plain("hi")));
        byte[] spoilt = zipped.clone();
        spoilt[zipped.length - 8] ^= 1; // the checksum
        try (var pair = new Pair()) {
            byte[][] bodies = {utf8(plain("hi")), Arrays.copyOf(zipped, 30), Arrays.copyOf(zipped, 5), spoilt, NOTHING};
            for (byte[] body : bodies) {
                Wire.Reply reply = encoded(pair, "gzip", body);
                error(reply, 400, "invalid_request_error");
                assertEquals("request_body_encoding_invalid", reply.text("error.details.error_code"));
            }
            error(encoded(pair, "deflate", utf8(plain("hi"))), 400, "invalid_request_error");
            Wire.Reply reply = encoded(pair, "br", utf8(plain("hi")));
            error(reply, 400, "invalid_request_error");
            assertEquals("request_body_encoding_unsupported", reply.text("error.details.error_code"));
            assertEquals(0, pair.backend.requests());
        }
    }

    @Test
    void aBodyThatUnpacksBeyond32MbIsRefused() throws Exception {
        try (var pair = new Pair()) {
            byte[] body = packed(GZIPOutputStream::new, utf8(" ".repeat(MAX_BODY_BYTES + 1)));
            Wire.Reply reply = encoded(pair, "gzip", body);
            error(reply, 413, "request_too_large");
            assertEquals("request_body_too_large_after_decoding", reply.text("error.details.error_code"));
        }
    }

    @Test
    void invalidJsonIsRefusedByItsPlaceAndNotQuoted() throws Exception {
        try (var pair = new Pair()) {
            for (String body : List.of("{'secret':secret}", "{'a':'secret", "[1,2", "secret", "", "{} secret")) {
                String message = error(pair.post(json(body)), 400, "invalid_request_error");
                assertTrue(message.matches(".*\\bbyte \\d+.*") && !message.contains("secret"), message);
            }
            for (String body : List.of("[]", "null", "'secretword'", "{}", "{'model':'m','max_tokens':1}")) {
                assertFalse(error(pair.post(json(body)), 400, "invalid_request_error").contains("secret"), body);
            }
            assertEquals(0, pair.backend.requests());
        }
    }

    @Test
    void aRequestForNoTokensIsAnsweredHere() throws Exception {
        try (var pair = new Pair()) {
            Wire.Reply whole = pair.post(plain("warm up").replace(":100", ":0"));
            assertEquals(200, whole.status());
            assertEquals(List.of(), Tree.at(whole.json(), "content"));
            assertEquals("max_tokens", whole.text("stop_reason"));
            assertEquals(new Tree.Num("0"), Tree.at(whole.json(), "usage.output_tokens"));
            Wire.Reply streamed = pair.post(stream("warm up").replace(":100", ":0"));
            assertEquals("message_start message_delta message_stop", streamed.names());
            assertEquals("max_tokens", streamed.events().get(1).text("delta.stop_reason"));
            assertEquals(0, pair.backend.requests());
        }
    }

    /** An agent's conversation; every text is kept as it stands in the source, escapes and all. */
    private static final class Conversation {
        private static final List<String> SPICE = List.of("\\\"quoted\\\"", "line\\nline\\r\\n",
                "\\t\\\\path\\\\to\\/file", "\\u00e9\\u2028\\u001b[31m", "\\ud83d\\ude00", "déjà — 你好 😀",
                "{\\\"a\\\": [1, 2]}", "<b>&amp;</b>", "' % %s $1 {} %n", "data: [DONE]\\n\\n");
        private final List<String> texts = new ArrayList<>();
        private final List<String> inputs = new ArrayList<>();
        private final StringBuilder messages = new StringBuilder();
        private final String json;

        private Conversation(int bytes) {
            String tool = json("{'name':'Tool%d','description':%s,'input_schema':"
                    + "{'type':'object','properties':{'a':{'type':'string','description':%s}},'required':['a']}}");
            String tools = IntStream.range(0, 12).mapToObj(i -> tool.formatted(i, text(1500), text(100)))
                    .collect(Collectors.joining(","));
            messages.append(json("{'role':'user','content':%s}").formatted(text(300)));
            for (int turn = 0; messages.length() < bytes - 40_000; turn++) addTurn("toolu_" + turn);
            String request = "{'model':'claude-x','max_tokens':32000,'stream':true,'system':[{'type':'text','text':%s},"
                    + "{'type':'text','text':%s}],'tools':[%s],'messages':[%s]}";
            json = json(request).formatted(text(2000), text(9000), tools, messages);
        }

        private void addTurn(String id) {
            String pattern = "{'path':%s,'n':1.50,'deep':{'list':[%s,null,true]}}";
            String input = json(pattern).formatted(literal(40), literal(400));
            inputs.add(input);
            messages.append(json(",{'role':'assistant','content':[{'type':'text','text':%s},"
                    + "{'type':'tool_use','id':'%s','name':'Tool1','input':%s}]}").formatted(text(200), id, input));
            messages.append(json(",{'role':'user','content':[{'type':'tool_result','tool_use_id':'%s','content':%s},"
                    + "{'type':'text','text':%s}]}").formatted(id, turnResult(), text(150)));
        }

        private String turnResult() {
            return inputs.size() % 2 == 0 ? text(4000) : json("[{'type':'text','text':%s}]").formatted(text(4000));
        }

        private String text(int length) {
            String literal = literal(length);
            texts.add(literal.substring(1, literal.length() - 1));
            return literal;
        }

        private String literal(int length) {
            var text = new StringBuilder("\"#%d ".formatted(texts.size() + 1000 * inputs.size()));
            for (int i = length; text.length() < length; i++) {
                text.append("some words, ").append(SPICE.get(i % SPICE.size())).append(' ');
            }
            return text.append("end.\"").toString();
        }
    }

    private static void assertCarried(int bytes) throws Exception {
        var conversation = new Conversation(bytes);
        assertEquals(bytes, utf8(conversation.json).length, bytes / 4.0);
        try (var pair = new Pair()) {
            assertGood(pair.post(conversation.json), "Hello there");
            String upstream = pair.backend.take().text();
            int at = 0;
            for (String text : conversation.texts) {
                int found = Math.max(upstream.indexOf(text, at), upstream.indexOf(text));
                assertTrue(found >= 0, () -> "lost or changed: " + text);
                at = found;
            }
            Object openai = Tree.of(upstream);
            List<Object> inputs = new ArrayList<>();
            for (Object message : (List<?>) Tree.at(openai, "messages")) {
                Object arguments = Tree.at(message, "tool_calls.0.function.arguments");
                if (arguments != null) inputs.add(Tree.of((String) arguments));
            }
            assertEquals(conversation.inputs.stream().map(Tree::of).toList(), inputs);
            assertEquals(12, ((List<?>) Tree.at(openai, "tools")).size());
        }
    }

    @Test
    void everyTextOfAnAgentsRequestArrivesByteForByte() throws Exception {
        assertCarried(188 * 1024);
    }

    @Test
    void everyTextOfALongConversationArrivesByteForByte() throws Exception {
        assertCarried(1200 * 1024);
    }

    // Connections that are kept

    /** The next request may come while the end of a reply is still being read, so some need a connection more. */
    @Test
    void connectionsOnBothSidesAreUsedAgain() throws Exception {
        try (var pair = new Pair(); var wire = new Wire(pair.proxy.port())) {
            for (int i = 0; i < 12; i++) assertGood(wire.message(plain("no. " + i)).reply(), "Hello there");
            for (int i = 0; i < 12; i++) {
                assertEquals("no. " + i, Tree.at(Tree.of(pair.backend.take().text()), "messages.0.content"));
            }
            assertTrue(pair.backend.connections() <= 3, pair.backend.connections() + " connections for 12 requests");
        }
    }

    @Test
    void aConnectionThatServedAStreamIsUsedAgain() throws Exception {
        try (var pair = new Pair(); var wire = new Wire(pair.proxy.port())) {
            for (int i = 0; i < 12; i++) assertGood(wire.message(stream("hi")).reply(), "Hello there");
            assertTrue(pair.backend.connections() <= 3, pair.backend.connections() + " connections for 12 requests");
        }
    }

    @Test
    void aClientsConnectionOutlivesAnError() throws Exception {
        try (var pair = new Pair(); var wire = new Wire(pair.proxy.port())) {
            for (String text : List.of("{", plain("hi"), "{\"model\":1}", stream("hi"))) {
                Wire.Reply reply = wire.message(text).reply();
                assertEquals(text.length() > 20 ? 200 : 400, reply.status(), reply.body());
            }
        }
    }

    /** The first request's connection may not be free yet when the second one needs one. */
    @Test
    void aKeptConnectionThatHasDiedIsReplaced() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(Backend.saying("one"), call -> { }, Backend.saying("two"));
            assertGood(pair.post(plain("hi")), "one");
            assertGood(pair.post(plain("hi")), "two");
            assertTrue(pair.backend.connections() <= 3, pair.backend.connections() + " connections");
        }
    }

    @Test
    void aRequestBeyondTheLimitWaitsForItsTurn() throws Exception {
        for (String flag : List.of("--max-connections", "--max-connections-per-host")) {
            var go = new CountDownLatch(1);
            try (var pair = new Pair(flag, "1")) {
                pair.backend.answers(call -> {
                    Tasks.await(go);
                    Backend.saying("done").answer(call);
                });
                FutureTask<Wire.Reply> first = Tasks.ask(() -> pair.post(stream("first")));
                pair.backend.take();
                FutureTask<Wire.Reply> second = Tasks.ask(() -> pair.post(stream("second")));
                pair.awaitStatus("counts.in_flight", 2);
                assertEquals(1, pair.backend.requests());
                go.countDown();
                assertGood(Tasks.outcome(first), "done");
                assertGood(Tasks.outcome(second), "done");
                assertEquals(2, pair.backend.requests());
                assertEquals(1, pair.backend.mostActive());
            }
        }
    }

    /** What a client gets that is refused before its body is read: the answer, not a broken connection. */
    @Test
    void aRefusalReachesAClientThatIsStillSending() throws Exception {
        try (var pair = new Pair("--auth-key", "SECRET")) {
            byte[] body = utf8(new Conversation(1200 * 1024).json);
            int port = pair.proxy.port();
            error(Wire.ask(port, "POST", "/v1/messages", body, "x-api-key: wrong"), 401, "authentication_error");
            error(Wire.ask(port, "POST", "/v1/nope", body, "x-api-key: SECRET"), 404, "not_found_error");
        }
    }
}
