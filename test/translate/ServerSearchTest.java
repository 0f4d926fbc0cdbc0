package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Proxies;
import testing.RandomJson;
import testing.Tree;
import testing.Wire;

/**
 * A search that nobody can run must not be answered by the backend's guess (SPEC decision 14): where it is the only
 * tool or is forced, the client is told; beside other tools it is left out.
 */
class ServerSearchTest {
    private static final String SEARCH = "{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":8}";
    private static final String FETCH = "{\"type\":\"web_fetch_20250910\",\"name\":\"web_fetch\"}";
    private static final String CODE = "{\"type\":\"code_execution_20250825\",\"name\":\"code_execution\"}";
    private static final String CUSTOM = "{\"name\":\"get\",\"input_schema\":{\"type\":\"object\"}}";
    private static final String QUESTION = "Perform a web search for the query: weather in \\\"Berlin\\\"";

    private static String asked(boolean stream, String tools, String more) {
        return """
                {"model":"m","max_tokens":100,"stream":%s,"tools":[%s]%s,
                "messages":[{"role":"user","content":[{"type":"text","text":"%s"}]}]}"""
                .formatted(stream, tools, more, QUESTION);
    }

    /** In the words of A2o; Anthropic refuses the same ("Web search tool": one list alone, max_uses above 0, "Domain filtering"). */
    @TestFactory
    Stream<DynamicTest> limitsThatCannotBeReadAreRefused() {
        String domains = "domains as example.com or example.com/blog expected";
        return Map.ofEntries(
                Map.entry("'max_uses':0", "max_uses: an integer > 0 expected"),
                Map.entry("'max_uses':-1", "max_uses: an integer > 0 expected"),
                Map.entry("'max_uses':1.5", "max_uses: an integer > 0 expected"),
                Map.entry("'max_uses':'3'", "max_uses: an integer > 0 expected"),
                Map.entry("'allowed_domains':'a.test'", "allowed_domains: an array expected"),
                Map.entry("'allowed_domains':[5]", "allowed_domains: " + domains),
                Map.entry("'allowed_domains':['']", "allowed_domains: " + domains),
                Map.entry("'blocked_domains':['a.test','*.b.test']", "blocked_domains: " + domains),
                Map.entry("'blocked_domains':['a.test:80']", "blocked_domains: " + domains),
                Map.entry("'blocked_domains':['a b.test']", "blocked_domains: " + domains),
                Map.entry("'allowed_domains':['a.test'],'blocked_domains':['b.test']",
                        "blocked_domains: not both this and allowed_domains expected"))
                .entrySet().stream().map(row -> DynamicTest.dynamicTest(row.getKey(), () -> {
                    Wire.Reply reply = askedWith(row.getKey());
                    assertEquals(400, reply.status(), reply.body());
                    assertEquals("invalid_request_error", reply.text("error.type"));
                    assertEquals("tools[0]." + row.getValue(), reply.text("error.message"));
                }));
    }

    /** Clients of other vendors' models send empty lists beside a full one. */
    @TestFactory
    Stream<DynamicTest> limitsThatSayNothingAreNone() {
        return Stream.of("'max_uses':null,'allowed_domains':null,'blocked_domains':null", "'max_uses':1",
                "'allowed_domains':[],'blocked_domains':[]", "'allowed_domains':['https://a.test/b/*'],'blocked_domains':[]")
                .map(limits -> DynamicTest.dynamicTest(limits, () -> assertEquals(200, askedWith(limits).status())));
    }

    private static Wire.Reply askedWith(String limits) throws Exception {
        String tool = "{'type':'web_search_20250305','name':'web_search',%s}".formatted(limits).replace('\'', '"');
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            return Wire.post(proxy.port(), asked(false, tool, ""));
        }
    }

    private static String choice(String type, String name) {
        String named = name.isEmpty() ? "" : ",\"name\":\"" + name + "\"";
        return ",\"tool_choice\":{\"type\":\"%s\"%s}".formatted(type, named);
    }

    private static DynamicTest unavailable(String tool, String input, String tools, String more) {
        return DynamicTest.dynamicTest(tools + more, () -> {
            try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
                Wire.Reply whole = Wire.post(proxy.port(), asked(false, tools, more));
                assertEquals(200, whole.status(), whole.body());
                check(tool, input, (List<?>) Tree.at(whole.json(), "content"));
                assertEquals("end_turn", whole.text("stop_reason"));
                checkUsage(Tree.at(whole.json(), "usage"));
                assertTrue(whole.headers().get("x-proxy-warnings").contains(tool + "_unavailable"), whole.toString());
                Wire.Reply stream = Wire.post(proxy.port(), asked(true, tools, more));
                assertEquals("message_start content_block_start content_block_delta content_block_stop"
                        + " content_block_start content_block_stop message_delta message_stop", stream.names());
                checkStream(tool, input, stream.events());
                assertEquals(0, backend.requests());
            }
        });
    }

    private static void check(String tool, String input, List<?> content) {
        assertEquals(2, content.size(), content.toString());
        Object call = content.getFirst();
        String id = (String) Tree.at(call, "id");
        assertTrue(id.matches("srvtoolu_[A-Za-z0-9_]{8,}"), id);
        assertEquals(Tree.of("""
                {"type":"server_tool_use","id":"%s","name":"%s","input":%s,"caller":{"type":"direct"}}"""
                .formatted(id, tool, input)), call);
        assertEquals(Tree.of("""
                {"type":"%1$s_tool_result","tool_use_id":"%2$s","caller":{"type":"direct"},
                "content":{"type":"%1$s_tool_result_error","error_code":"unavailable"}}""".formatted(tool, id)),
                content.get(1));
    }

    private static void checkStream(String tool, String input, List<Wire.Event> events) {
        Object started = Tree.at(events.get(1).data(), "content_block");
        assertEquals(Map.of(), Tree.at(started, "input"));
        String piece = events.get(2).text("delta.partial_json");
        assertEquals("input_json_delta", events.get(2).text("delta.type"));
        assertEquals(Tree.of(input), Tree.of(piece));
        Object result = Tree.at(events.get(4).data(), "content_block");
        assertEquals(Tree.at(started, "id"), Tree.at(result, "tool_use_id"));
        assertEquals("server_tool_use", Tree.at(started, "type"));
        assertEquals(tool, Tree.at(started, "name"));
        assertEquals(tool + "_tool_result", Tree.at(result, "type"));
        assertEquals("unavailable", Tree.at(result, "content.error_code"));
        assertEquals("end_turn", events.get(6).text("delta.stop_reason"));
        assertTrue(Integer.parseInt(number(events.getFirst().data(), "message.usage.input_tokens")) > 0);
        checkUsage(Tree.at(events.get(6).data(), "usage"));
    }

    /** The prompt is what it is; no model has said anything, and no search was made. */
    private static void checkUsage(Object usage) {
        assertTrue(Integer.parseInt(number(usage, "input_tokens")) > 5, usage.toString());
        assertEquals("0", number(usage, "output_tokens"));
        Object none = Tree.of("{\"web_search_requests\":0,\"web_fetch_requests\":0}");
        assertEquals(none, Tree.at(usage, "server_tool_use"));
    }

    private static String number(Object tree, String path) {
        return ((Tree.Num) Tree.at(tree, path)).text();
    }

    @TestFactory
    Stream<DynamicTest> aSearchThatIsTheOnlyToolOrForcedIsUnavailable() {
        String query = "{\"query\":\"weather in \\\"Berlin\\\"\"}";
        String forced = choice("tool", "web_search");
        return Stream.of(unavailable("web_search", query, SEARCH, ""),
                unavailable("web_search", query, SEARCH, choice("auto", "")),
                unavailable("web_search", query, SEARCH, choice("any", "")),
                unavailable("web_search", query, SEARCH, forced),
                unavailable("web_search", query, SEARCH.replace("20250305", "20991231"), ""),
                unavailable("web_search", query, SEARCH.replace("_20250305", ""), ""),
                unavailable("web_search", query, CODE + "," + SEARCH + "," + FETCH, ""),
                unavailable("web_search", query, CUSTOM + "," + SEARCH, forced),
                unavailable("web_search", query, SEARCH.replace("\"web_search\"", "\"find\""), choice("tool", "find")),
                unavailable("web_fetch", "{\"url\":\"\"}", FETCH + "," + CUSTOM, choice("tool", "web_fetch")));
    }

    private static DynamicTest asks(String tools, String more, String sent) {
        return DynamicTest.dynamicTest(tools + more, () -> {
            try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
                for (boolean stream : new boolean[] {true, false}) {
                    Wire.Reply reply = Wire.post(proxy.port(), asked(stream, tools, more));
                    assertEquals("Hello there", reply.said());
                    String asked = backend.take().text();
                    assertEquals(!sent.isEmpty(), asked.contains("\"tools\""), asked);
                    assertTrue(asked.contains(sent), asked);
                    assertFalse(asked.contains("web_search_2"), asked);
                    boolean isOmitted = tools.contains("_20");
                    assertEquals(isOmitted, reply.headers().getOrDefault("x-proxy-warnings", "").contains("omitted"));
                }
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> otherwiseTheBackendIsAsked() {
        String custom = "{\"name\":\"web_search\",\"input_schema\":{\"type\":\"object\"}}";
        return Stream.of(asks(CUSTOM + "," + SEARCH, "", "\"get\""),
                asks(SEARCH + "," + CUSTOM, choice("any", ""), "\"required\""),
                asks(SEARCH, choice("none", ""), ""), asks(CODE, "", ""),
                asks(custom, "", "\"web_search\""), asks(custom, choice("tool", "web_search"), "\"web_search\""),
                asks("{\"type\":\"bash_20250124\",\"name\":\"bash\"}," + SEARCH, "", "\"bash\""));
    }

    @Test
    void theWordsOfTheQueryAreTheLastOfTheUser() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            Wire.Reply reply = Wire.post(proxy.port(), """
                    {"model":"m","max_tokens":100,"tools":[%s],"messages":[{"role":"user","content":"first"},
                    {"role":"assistant","content":"yes?"},{"role":"user","content":[{"type":"text","text":"%s"},
                    {"type":"text","text":"<system-reminder>be brief</system-reminder>"}]},
                    {"role":"system","content":"brief"}]}""".formatted(SEARCH, "x".repeat(1000)));
            assertEquals("x".repeat(400), reply.text("content.0.input.query"));
            assertEquals(0, backend.requests());
        }
    }

    /** It comes back with the history, also when the same tool is there again. */
    @Test
    void theAnswerCanComeBack() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            Wire.Reply first = Wire.post(proxy.port(), asked(false, SEARCH, ""));
            String content = RandomJson.write(Tree.at(first.json(), "content"));
            Wire.Reply next = Wire.post(proxy.port(), """
                    {"model":"m","max_tokens":100,"tools":[%s],"messages":[{"role":"user","content":"q"},
                    {"role":"assistant","content":%s},{"role":"user","content":"and now?"}]}"""
                    .formatted(CUSTOM, content));
            assertEquals("Hello there", next.said());
            assertTrue(backend.take().text().contains("[web_search_tool_result]\\nunavailable"));
        }
    }

    @Test
    void aRequestThatIsWrongIsStillRefused() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            String nothing = "{\"model\":\"m\",\"tools\":[%s],\"messages\":[]}".formatted(SEARCH);
            Wire.Reply reply = Wire.post(proxy.port(), nothing);
            assertEquals(400, reply.status());
            Wire.Reply noLimit = Wire.post(proxy.port(), asked(false, SEARCH, "").replace("\"max_tokens\":100,", ""));
            assertTrue(noLimit.body().contains("max_tokens: Field required"), noLimit.body());
            assertEquals(0, backend.requests());
        }
    }
}
