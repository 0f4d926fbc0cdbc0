package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.HeldClock;
import testing.Logged;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** Backends of Anthropic's own API: what goes up, what comes back, and others beside them. */
class NativeTest {
    private static final String START = event("message_start", """
            {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],\
            "model":"claude-x","usage":{"input_tokens":25,"cache_read_input_tokens":70,"output_tokens":1}}}""");
    private static final String BLOCK = event("content_block_start", """
            {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""");
    private static final String DELTA = event("content_block_delta", """
            {"type": "content_block_delta", "index": 0, "delta":{"type":"text_delta","text":"wörld \\u00e9"}  }""");
    private static final String STOP = event("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}");
    private static final String END = event("message_delta", """
            {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12},"new":[1.0]}""")
            + event("message_stop", "{\"type\":\"message_stop\"   }");
    private static final String PING = event("ping", "{\"type\": \"ping\"}");
    private static final String WHOLE = """
            {"id":"msg_1", "type":"message","role":"assistant","model":"claude-x",
              "content":[{"type":"text","text":"hi","new":null}], "stop_reason":"end_turn",
              "usage":{"input_tokens":25,"output_tokens":12}}

            """;
    private static final String OVERLOADED =
            "{\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}";

    /** An id of a call that Anthropic's API takes: {@code toolu_01A09q90qw90lq917835lq9}. */
    private static final Pattern ID = Pattern.compile("toolu_[a-zA-Z0-9_-]+");

    private static String event(String name, String data) {
        return "event: " + name + "\ndata: " + data + "\n\n";
    }

    private static String request(String more) {
        return "{ \"max_tokens\":9, \"model\":\"claude-x\",%s \"messages\":[{\"role\":\"user\",\"content\":\"h\\u0069\"}] }"
                .formatted(more);
    }

    private static final String PLAIN = request("");
    private static final String STREAM = request("\"stream\":true,");

    private static Backend.Script streaming(String... pieces) {
        return call -> {
            call.events();
            for (String piece : pieces) call.write(piece);
            call.end();
        };
    }

    private static Backend.Script refusing(int status, String body, String... headers) {
        return call -> call.reply(status, "application/json", body, headers);
    }

    private static String nativeUrl(Backend backend) { return backend.url().resolve("/v1/messages").toString(); }

    private static Proxy before(Backend backend, String... args) throws Exception {
        String[] all = new String[args.length + 2];
        all[0] = "--upstream";
        all[1] = nativeUrl(backend);
        System.arraycopy(args, 0, all, 2, args.length);
        return Proxies.start(all);
    }

    // What goes up and comes back

    @Test
    void requestAndStreamAreByteIdentical() throws Exception {
        String stream = ": a comment\n\n" + START + PING + BLOCK + DELTA + "event: of_tomorrow\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n"
                + DELTA + ":\n\n" + STOP + END;
        try (var backend = new Backend(); Proxy proxy = before(backend)) {
            for (int size : List.of(1, 7, 100, stream.length())) {
                String[] pieces = stream.split("(?s)(?<=\\G.{%d})".formatted(size));
                backend.answers(streaming(pieces));
                Wire.Reply reply = Wire.post(proxy.port(), STREAM);
                assertEquals(stream.substring(": a comment\n\n".length()), reply.body()); // that one begins no reply
                Backend.Call call = backend.take();
                assertEquals("POST /v1/messages HTTP/1.1", call.line());
                assertEquals(STREAM, call.text());
            }
            String status = Wire.ask(proxy.port(), "GET", "/status.json", new byte[0]).body();
            assertTrue(status.contains("\"end\":\"end_turn\""), status);
            assertTrue(status.contains("\"input\":25,\"cached\":70,\"cache_writes\":0,\"output\":12"), status);
        }
    }

    @Test
    void aWholeReplyIsByteIdentical() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE)); Proxy proxy = before(backend)) {
            assertEquals(WHOLE, Wire.post(proxy.port(), PLAIN).body());
        }
    }

    @Test
    void theModelIsMappedAndTheRestStays() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE));
             Proxy proxy = before(backend, "--map", "claude-*=other", "--extra-body", "{\"service_tier\":\"auto\"}")) {
            assertEquals(200, Wire.post(proxy.port(), PLAIN).status());
            assertEquals("{\"max_tokens\":9,\"model\":\"other\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u0069\"}],"
                    + "\"service_tier\":\"auto\"}", backend.take().text());
        }
    }

    @Test
    void versionAndBetasArePassedAndNoOtherHeaders() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE, "request-id: req_9",
                "anthropic-ratelimit-unified-status: allowed", "set-cookie: a=b")); Proxy proxy = before(backend)) {
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN, "anthropic-version: 2023-01-01", "anthropic-beta: a-1,b-2",
                    "anthropic-beta: c", "x-other: y");
            var sent = backend.take().headers();
            assertEquals("2023-01-01", sent.get("anthropic-version"));
            assertEquals("a-1,b-2,c", sent.get("anthropic-beta"));
            assertNull(sent.get("x-other"));
            assertEquals("allowed", reply.headers().get("anthropic-ratelimit-unified-status"));
            assertEquals("req_9", reply.headers().get("x-backend-request-id"));
            assertNull(reply.headers().get("set-cookie"));
            Wire.post(proxy.port(), PLAIN);
            assertEquals("2023-06-01", backend.take().headers().get("anthropic-version"));
        }
    }

    @Test
    @ResourceLock("log")
    void theKeyGoesAsTheClientSentItAndAnthropicsToNobodyElse() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE)); Proxy proxy = before(backend)) {
            Wire.post(proxy.port(), PLAIN, "x-api-key: K");
            var sent = backend.take().headers();
            assertEquals("K", sent.get("x-api-key"));
            assertNull(sent.get("authorization"));
            Wire.post(proxy.port(), PLAIN, "authorization: Bearer K");
            sent = backend.take().headers();
            assertEquals("Bearer K", sent.get("authorization"));
            assertNull(sent.get("x-api-key"));
            Wire.post(proxy.port(), PLAIN, "x-api-key: sk-ant-api03-x");
            assertFalse(backend.take().headers().toString().contains("sk-ant-"));
        }
    }

    @Test
    void theOperatorsKeyIsABearerAndItsHeaderReplacesTheClientsKey() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE));
             Proxy withKey = before(backend, "--upstream-key", "ours");
             Proxy withHeader = before(backend, "--header", "x-api-key: ours")) {
            Wire.post(withKey.port(), PLAIN, "x-api-key: K");
            assertEquals("Bearer ours", backend.take().headers().get("authorization"));
            Wire.post(withHeader.port(), PLAIN, "authorization: Bearer K");
            var sent = backend.take().headers();
            assertEquals("ours", sent.get("x-api-key"));
            assertNull(sent.get("authorization"));
        }
    }

    @Test
    void whatOtherBackendsCannotDoGoesUp() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE)); Proxy proxy = before(backend)) {
            String body = request("\"mcp_servers\":[{\"type\":\"url\"}],\"container\":{\"skills\":[{}]},");
            assertEquals(200, Wire.post(proxy.port(), body).status());
            assertEquals(body, backend.take().text());
        }
    }

    @Test
    void whatOnlyThisProxyUnderstandsIsTakenOutOfTheHistory() throws Exception {
        String history = """
                {"model":"claude-x","messages":[{"role":"user","content":"hi"},
                {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"a2o1.reasoning.e30"}]},
                {"role":"assistant","content":[{"type":"redacted_thinking","data":"a2o1.reasoning"},
                 {"type":"thinking","thinking":"theirs","signature":"EqQB"},
                 {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}},
                 {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result",
                  "url":"u","title":"t","encrypted_content":""}]},
                 {"type":"server_tool_use","id":"srvtoolu_2","name":"web_search","input":{}},
                 {"type":"web_search_tool_result","tool_use_id":"srvtoolu_2","content":[{"type":"web_search_result",
                  "url":"u","title":"t","encrypted_content":"a2o1.excerpt.eyJleGNlcnB0IjoieCJ9"}]},
                 {"type":"tool_use","id":"functions.Bash:0","name":"Bash","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"functions.Bash:0","content":"x"}]}]}
                """;
        try (var backend = new Backend().answers(refusing(200, WHOLE)); Proxy proxy = before(backend)) {
            assertEquals(200, Wire.post(proxy.port(), history).status());
            String sent = backend.take().text();
            List<String> ids = ID.matcher(sent).results().map(MatchResult::group).toList();
            assertEquals(2, ids.size(), sent);
            assertEquals(ids.getFirst(), ids.getLast());
            assertEquals("""
                    {"model":"claude-x","messages":[{"role":"user","content":"hi"},\
                    {"role":"assistant","content":[{"type":"thinking","thinking":"theirs","signature":"EqQB"},\
                    {"type":"tool_use","id":"ID","name":"Bash","input":{}}]},\
                    {"role":"user","content":[{"type":"tool_result","tool_use_id":"ID","content":"x"}]}]}\
                    """.replace("ID", ids.getFirst()), sent);
        }
    }

    /** SDKs of before 2026 and Claude Code ask so for betas; the operator's own parameters stay. */
    @Test
    void aRequestForBetasSaysSoInItsUrl() throws Exception {
        try (var backend = new Backend().answers(refusing(200, WHOLE)); Proxy proxy = before(backend);
             Proxy withQuery = Proxies.start("--upstream", nativeUrl(backend) + "?v=1");
             Proxy withBeta = Proxies.start("--upstream", nativeUrl(backend) + "?beta=false")) {
            for (String[] row : new String[][] {{"?beta=true", "?beta=true"}, {"?key=K&beta=true&x", "?beta=true"},
                {"?beta=1", ""}, {"?", ""}, {"", ""}}) {
                Wire.ask(proxy.port(), "POST", "/v1/messages" + row[0], PLAIN.getBytes());
                assertEquals("POST /v1/messages%s HTTP/1.1".formatted(row[1]), backend.take().line());
            }
            Wire.ask(proxy.port(), "POST", "/v1/messages/count_tokens?beta=true", PLAIN.getBytes());
            assertEquals("POST /v1/messages/count_tokens?beta=true HTTP/1.1", backend.take().line());
            Wire.ask(withQuery.port(), "POST", "/v1/messages?beta=true", PLAIN.getBytes());
            assertEquals("POST /v1/messages?v=1&beta=true HTTP/1.1", backend.take().line());
            Wire.ask(withBeta.port(), "POST", "/v1/messages?beta=true", PLAIN.getBytes());
            assertEquals("POST /v1/messages?beta=false HTTP/1.1", backend.take().line());
        }
    }

    @Test
    void otherApisGetNoWordOfBetas() throws Exception {
        try (var openai = new Backend(); Proxy proxy = Proxies.start("--upstream", openai.url().toString())) {
            Wire.ask(proxy.port(), "POST", "/v1/messages?beta=true", PLAIN.getBytes());
            assertEquals("POST /v1/chat/completions HTTP/1.1", openai.take().line());
        }
    }

    /** "When `thinking` is enabled, a final `assistant` message must start with a thinking block": it is not there any more. */
    @Test
    void aLoopThatAnotherBackendBeganGoesOnWithoutThinking() throws Exception {
        String request = """
                {"model":"claude-x","thinking":{"type":"%s","budget_tokens":1024},"context_management":{"edits":[]},"messages":[%s
                {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"%s"},
                {"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"x"}]}]}""";
        String ours = "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"a2o1.r\"},"
                + "{\"type\":\"tool_use\",\"id\":\"toolu_0\",\"name\":\"f\",\"input\":{}}]},";
        String[][] rows = {{"enabled", "", "a2o1.r", "disabled"}, {"adaptive", "", "a2o1.r", "adaptive"},
            {"enabled", ours, "EqQB", "enabled"}, {"disabled", "", "a2o1.r", "disabled"}};
        try (var backend = new Backend().answers(refusing(200, WHOLE)); Proxy proxy = before(backend)) {
            for (String[] row : rows) {
                Wire.post(proxy.port(), request.formatted(row[0], row[1], row[2]));
                String sent = backend.take().text();
                boolean isChanged = !row[0].equals(row[3]);
                assertTrue(sent.contains("\"thinking\":{\"type\":\"%s\"%s".formatted(row[3], isChanged ? "}" : ",")), sent);
                assertEquals(!isChanged, sent.contains("context_management"), sent);
                assertFalse(sent.contains("a2o1"), sent);
            }
        }
    }

    /** Also where A2o has not asked for it; the client gets the bytes that were packed. */
    @Test
    void compressedRepliesAreUnpacked() throws Exception {
        String stream = START + BLOCK + DELTA + STOP + END;
        try (var backend = new Backend().answers(call -> packed(call, "text/event-stream", stream)); Proxy proxy = before(backend)) {
            assertEquals(stream, Wire.post(proxy.port(), STREAM).body());
            backend.answers(call -> packed(call, "application/json", WHOLE));
            assertEquals(WHOLE, Wire.post(proxy.port(), PLAIN).body());
            backend.answers(call -> packed(call, "application/json", "{ \"input_tokens\": 4711 }"));
            Wire.Reply count = Wire.ask(proxy.port(), "POST", "/v1/messages/count_tokens", PLAIN.getBytes());
            assertEquals("{ \"input_tokens\": 4711 }", count.body());
        }
    }

    private static void packed(Backend.Call call, String type, String text) throws Exception {
        var bytes = new ByteArrayOutputStream();
        try (var packing = new GZIPOutputStream(bytes)) {
            packing.write(text.getBytes(StandardCharsets.UTF_8));
        }
        String head = "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n";
        call.raw(head.formatted(type, bytes.size())).raw(bytes.toByteArray(), 0, bytes.size());
    }

    /** Line ends, spaces, comments and events of other servers than Anthropic's; what follows the end is read and not sent on. */
    @Test
    void otherFramesGoThroughAsTheyCome() throws Exception {
        String plain = START + BLOCK + DELTA + STOP + END;
        try (var backend = new Backend(); Proxy proxy = before(backend)) {
            for (String stream : List.of(plain.replace("\n", "\r\n"), plain.replace("data: ", "data:"),
                    plain.replaceAll("event: .*\n", ""), plain.replace("event: ", "id: 7\nevent:"),
                    plain.replace(STOP, ": keep-alive\n\n" + PING + STOP), plain.replace(STOP, event("ping", "") + STOP))) {
                backend.answers(streaming(stream));
                assertEquals(stream, Wire.post(proxy.port(), STREAM).body());
                backend.answers(streaming(stream + "data: [DONE]\n\n"));
                assertEquals(stream, Wire.post(proxy.port(), STREAM).body());
            }
        }
    }

    // Errors, and other backends

    /** What OpenAI's APIs have no place for, for which A2o is not to pretend anything. */
    private static final List<String> ONLY_ANTHROPICS = List.of("\"mcp_servers\":[{\"type\":\"url\"}],",
            "\"container\":{\"skills\":[{}]},", "\"tools\":[{\"type\":\"browser_toolset_20260801\"}],",
            "\"tools\":[{\"type\":\"code_execution_20250825\",\"name\":\"run\"}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"run\"},",
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"container_upload\",\"file_id\":\"f\"}]}],",
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"file\",\"file_id\":\"f\"}}]}],");

    private static String only(String member) {
        return member.startsWith("\"messages\"") ? "{\"max_tokens\":9,%s\"model\":\"claude-x\"}".formatted(member)
                : request(member);
    }

    private static Proxy openAiFirst(Backend openai, Backend anthropic, String... more) throws Exception {
        String[] all = new String[more.length + 4];
        System.arraycopy(new String[] {"--upstream", openai.url().toString(), "--upstream", nativeUrl(anthropic)}, 0, all, 0, 4);
        System.arraycopy(more, 0, all, 4, more.length);
        return Proxies.start(all);
    }

    @Test
    void whatTheFirstHasNoPlaceForGoesToTheNextThatHas() throws Exception {
        try (var openai = new Backend(); var anthropic = new Backend().answers(refusing(200, WHOLE));
             Proxy proxy = openAiFirst(openai, anthropic)) {
            for (String member : ONLY_ANTHROPICS) {
                String body = only(member);
                assertEquals(WHOLE, Wire.post(proxy.port(), body).body());
                assertEquals(body, anthropic.take().text());
            }
            anthropic.answers(refusing(200, "{ \"input_tokens\": 4711 }"));
            for (String member : ONLY_ANTHROPICS) {
                Wire.Reply count = Wire.ask(proxy.port(), "POST", "/v1/messages/count_tokens", only(member).getBytes());
                assertEquals("{ \"input_tokens\": 4711 }", count.body());
            }
            assertEquals("Hello there", Wire.post(proxy.port(), PLAIN).said());
            assertEquals(1, openai.requests());
        }
    }

    @Test
    void aModelThatIsNotThereIsAskedForAtTheNextWhateverTheStatus() throws Exception {
        String error = "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"%s\"}}";
        List<Backend.Script> failures = List.of(refusing(404, error.formatted("not_found_error", "Model not found: x")),
                refusing(400, error.formatted("invalid_request_error", "Unknown model 'claude-x'")),
                refusing(404, error.formatted("model_not_found", "no")));
        for (Backend.Script failure : failures) {
            try (var anthropic = new Backend().answers(failure); var openai = new Backend();
                 Proxy proxy = before(anthropic, "--upstream", openai.url().toString())) {
                assertEquals("Hello there", Wire.post(proxy.port(), PLAIN).said());
            }
        }
        try (var anthropic = new Backend().answers(refusing(400, error.formatted("invalid_request_error", "Unknown model 'x'")));
             Proxy proxy = before(anthropic)) {
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN);
            assertEquals("400 Unknown model 'x'", reply.status() + " " + reply.text("error.message"), "as it came");
        }
    }

    @Test
    void oneThatCannotTakeItIsLeftOutAlsoInTheMiddle() throws Exception {
        try (var first = new Backend().answers(refusing(529, OVERLOADED)); var openai = new Backend();
             var last = new Backend().answers(refusing(200, WHOLE));
             Proxy proxy = before(first, "--upstream", openai.url().toString(), "--upstream", nativeUrl(last))) {
            assertEquals(WHOLE, Wire.post(proxy.port(), only(ONLY_ANTHROPICS.getFirst())).body());
            assertEquals("1 0 1", first.requests() + " " + openai.requests() + " " + last.requests());
        }
    }

    @Test
    @ResourceLock("log")
    void theLogShowsWhatWasSentAndNoMore() throws Exception {
        try (var openai = new Backend().answers(Backend.refusing(529, "why")); var anthropic = new Backend().answers(refusing(200, WHOLE));
             var log = new Logged(); Proxy proxy = openAiFirst(openai, anthropic, "--debug")) {
            log.until(Wire.post(proxy.port(), PLAIN));
            assertEquals(2, log.lines(" to backend ").size(), log.lines().toString());
            log.clear();
            log.until(Wire.post(proxy.port(), only(ONLY_ANTHROPICS.getFirst())));
            assertEquals(1, log.lines(" to backend ").size(), log.lines().toString());
        }
    }

    /** A mistake, or a thread, which the client gives up when it is told, is no reason to leave the first backend. */
    @Test
    void whatTheClientCanMendItIsTold() throws Exception {
        try (var openai = new Backend(); var anthropic = new Backend(); Proxy proxy = openAiFirst(openai, anthropic)) {
            assertEquals(400, Wire.post(proxy.port(), "{\"model\":\"m\",\"messages\":[]}").status());
            Wire.Reply thread = Wire.post(proxy.port(), request("\"thread\":{\"type\":\"create\"},"));
            assertEquals("thread_unsupported_request", thread.text("error.details.error_code"));
            assertEquals(0, anthropic.requests() + openai.requests());
        }
    }

    @Test
    void withoutSuchABackendItIsRefusedAsEver() throws Exception {
        try (var one = new Backend(); var two = new Backend();
             Proxy proxy = Proxies.start("--upstream", one.url().toString(), "--upstream", two.url().toString())) {
            for (String member : ONLY_ANTHROPICS) assertEquals(400, Wire.post(proxy.port(), only(member)).status(), member);
            assertEquals(0, one.requests() + two.requests());
        }
    }

    @Test
    void aSearchGoesFirstToTheBackendThatCanSearch() throws Exception {
        String search = request("\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}],");
        try (var openai = new Backend(); var anthropic = new Backend().answers(refusing(200, WHOLE));
             Proxy proxy = openAiFirst(openai, anthropic)) {
            assertEquals(WHOLE, Wire.post(proxy.port(), search).body());
            assertEquals(search, anthropic.take().text());
            for (int status : List.of(400, 401, 404, 529)) {
                anthropic.answers(refusing(status, OVERLOADED));
                Wire.Reply reply = Wire.post(proxy.port(), search);
                assertEquals(200, reply.status());
                assertTrue(reply.body().contains("\"error_code\":\"unavailable\""), reply.body());
            }
            assertEquals(0, openai.requests());
        }
    }

    @Test
    void errorsKeepStatusTypeAndWords() throws Exception {
        String error = "{\"type\":\"error\",\"error\":{\"type\":\"special_error\",\"message\":\"it says why\","
                + "\"details\":{\"error_code\":\"c\"}},\"request_id\":\"req_0\"}";
        try (var backend = new Backend(); Proxy proxy = before(backend)) {
            for (int status : List.of(400, 401, 404, 413, 418)) {
                backend.answers(refusing(status, error));
                Wire.Reply reply = Wire.post(proxy.port(), STREAM, "x-api-key: K");
                assertEquals(status, reply.status());
                assertEquals("special_error", reply.text("error.type"));
                assertEquals("it says why", reply.text("error.message"));
                assertEquals("c", reply.text("error.details.error_code"));
            }
            backend.answers(refusing(429, OVERLOADED.replace("overloaded", "rate_limit"), "retry-after: 30"));
            assertEquals("30", Wire.post(proxy.port(), PLAIN).headers().get("retry-after"));
        }
    }

    @Test
    void aReplyThatBreaksOffEndsInAnErrorAfterWholeEvents() throws Exception {
        Wire.Event broken = endOfBroken("event: content_block_delta\ndata: {\"ty");
        assertEquals("api_error", broken.text("error.type"));
        Wire.Event overloaded = endOfBroken(event("error", OVERLOADED));
        assertEquals("overloaded_error", overloaded.text("error.type"));
        assertEquals("Overloaded", overloaded.text("error.message"));
    }

    /** {@return the event that ends a reply which the backend goes on with {@code rest} and then breaks off} */
    private static Wire.Event endOfBroken(String rest) throws Exception {
        var isSeen = new CountDownLatch(1);
        try (var backend = new Backend().answers(call -> {
            call.events().write(START + BLOCK + DELTA);
            Tasks.await(isSeen);
            call.write(rest).end();
        }); Proxy proxy = before(backend); var wire = new Wire(proxy.port())) {
            wire.message(STREAM).until(DELTA);
            isSeen.countDown();
            Wire.Reply reply = wire.reply();
            assertTrue(reply.body().startsWith(START + BLOCK + DELTA + "event: error\ndata: "), reply.body());
            return reply.last();
        }
    }

    @Test
    void beforeTheFirstContentTheNextBackendIsAskedWhateverItsApi() throws Exception {
        List<Backend.Script> failures = List.of(refusing(529, OVERLOADED), refusing(503, "down"),
                streaming(event("error", OVERLOADED)), streaming(START, PING, event("error", OVERLOADED)), streaming(START));
        for (Backend.Script failure : failures) {
            try (var anthropic = new Backend().answers(failure); var openai = new Backend();
                 Proxy proxy = before(anthropic, "--upstream", openai.url().toString())) {
                assertEquals("Hello there", Wire.post(proxy.port(), STREAM).said());
                assertTrue(openai.take().text().contains("\"stream_options\""));
            }
        }
        try (var openai = new Backend().answers(Backend.refusing(529, "why"));
             var anthropic = new Backend().answers(streaming(START, BLOCK, DELTA, STOP, END));
             Proxy proxy = Proxies.start("--upstream", openai.url().toString(), "--upstream", nativeUrl(anthropic))) {
            assertEquals(START + BLOCK + DELTA + STOP + END, Wire.post(proxy.port(), STREAM).body());
            assertEquals(STREAM, anthropic.take().text());
        }
    }

    @Test
    void aRequestThatTheNextCannotTakeEndsWithTheErrorOfTheFirst() throws Exception {
        try (var anthropic = new Backend().answers(refusing(529, OVERLOADED)); var openai = new Backend();
             Proxy proxy = before(anthropic, "--upstream", openai.url().toString())) {
            Wire.Reply reply = Wire.post(proxy.port(), request("\"mcp_servers\":[{\"type\":\"url\"}],"));
            assertEquals(529, reply.status());
            assertEquals("Overloaded", reply.text("error.message"));
        }
    }

    @Test
    void aHistoryOfAnthropicsGoesToOthersWithoutSignatures() throws Exception {
        String history = """
                {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},
                {"role":"assistant","content":[{"type":"redacted_thinking","data":"EmwKAhgB"},
                 {"type":"thinking","thinking":"hm","signature":"EqQBCgIYAhIM"},{"type":"text","text":"yes"}]},
                {"role":"user","content":"go on"}]}
                """;
        try (var anthropic = new Backend().answers(refusing(529, OVERLOADED)); var openai = new Backend();
             Proxy proxy = before(anthropic, "--upstream", openai.url().toString())) {
            assertEquals(200, Wire.post(proxy.port(), history).status());
            String sent = openai.take().text();
            assertFalse(sent.contains("EqQB") || sent.contains("EmwK"), sent);
            assertTrue(sent.contains("yes"), sent);
        }
    }

    // Pings

    @Test
    void aPingStandsBetweenEvents() throws Exception {
        var clock = new HeldClock();
        var isPinged = new CountDownLatch(1);
        try (var backend = new Backend().answers(call -> {
            call.events().write(START + BLOCK + DELTA.substring(0, 40));
            Tasks.await(isPinged);
            call.write(DELTA.substring(40) + STOP + END).end();
        }); Proxy proxy = Proxies.start(clock, "--upstream", nativeUrl(backend)); var wire = new Wire(proxy.port())) {
            wire.message(STREAM);
            wire.until(BLOCK);
            clock.elapse(10_000);
            wire.until(PING);
            isPinged.countDown();
            assertEquals(START + BLOCK + PING + DELTA + STOP + END, wire.reply().body());
        }
    }

    // Counting

    @Test
    void tokensAreCountedByTheBackendIfItCan() throws Exception {
        String path = "/v1/messages/count_tokens";
        try (var backend = new Backend().answers(refusing(200, "{ \"input_tokens\": 4711 }")); Proxy proxy = before(backend)) {
            byte[] body = "{\"model\":\"claude-x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}".getBytes();
            assertEquals("{ \"input_tokens\": 4711 }", Wire.ask(proxy.port(), "POST", path, body, "anthropic-beta: b").body());
            Backend.Call call = backend.take();
            assertEquals("POST /v1/messages/count_tokens HTTP/1.1", call.line());
            assertEquals(new String(body), call.text());
            assertEquals("b", call.headers().get("anthropic-beta"));
            backend.answers(refusing(404, "{\"detail\":\"Not Found\"}"));
            Wire.Reply estimate = Wire.ask(proxy.port(), "POST", path, body);
            assertEquals(200, estimate.status());
            assertTrue(estimate.body().startsWith("{\"input_tokens\":"), estimate.body());
            backend.answers(refusing(400, OVERLOADED.replace("overloaded_error", "invalid_request_error")));
            assertEquals("invalid_request_error", Wire.ask(proxy.port(), "POST", path, body).text("error.type"));
        }
    }
}
