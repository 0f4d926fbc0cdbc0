package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static testing.Searching.CUSTOM;
import static testing.Searching.SEARCH;
import static testing.Searching.asked;
import static testing.Searching.blocks;
import static testing.Searching.calling;
import static testing.Searching.end;
import static testing.Searching.number;
import static testing.Searching.query;
import static testing.Searching.results;
import static testing.Searching.types;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import testing.Backend;
import testing.Logged;
import testing.Proxies;
import testing.RandomJson;
import testing.Samples;
import testing.Searching;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** Searches that A2o makes for models whose backend cannot (SPEC A.5.5): what the client, the model and the service get. */
class WebSearchTest {
    private static final String CLAUDE_CODES = "Perform a web search for the query: news";

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSearchIsMadeAndTheReplyGoesOn(boolean isStream) throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("Let me look.", "web_search", query("news & more")),
                    Backend.saying("Here it is."));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH, ""));
            assertEquals(200, reply.status(), reply.body());
            List<Map<String, Object>> blocks = blocks(reply);
            assertEquals("text server_tool_use web_search_tool_result text", types(reply));
            assertEquals("Let me look.", blocks.get(0).get("text"));
            assertEquals("web_search", blocks.get(1).get("name"));
            assertEquals(Map.of("query", "news & more"), blocks.get(1).get("input"));
            assertEquals(blocks.get(1).get("id"), blocks.get(2).get("tool_use_id"));
            assertNull(Tree.difference(Tree.of("""
                    [{"type":"web_search_result","url":"https://a.test/one","title":"One",
                    "encrypted_content":"a2o1.excerpt.*","page_age":"2026-11-01T00:00:00"},
                    {"type":"web_search_result","url":"https://b.test/two","title":"Two",
                    "encrypted_content":"a2o1.*","page_age":null}]"""), blocks.get(2).get("content"), ""));
            assertEquals("Here it is.", blocks.get(3).get("text"));
            assertEquals("end_turn", end(reply, "stop_reason"));
            assertEquals("14", number(end(reply, "usage"), "input_tokens"));
            assertEquals("6", number(end(reply, "usage"), "output_tokens"));
            assertEquals("1", number(end(reply, "usage.server_tool_use"), "web_search_requests"));
            if (isStream) {
                assertEquals(1, reply.events().stream().filter(e -> e.name().equals("message_start")).count());
                assertEquals("message_stop", reply.last().name());
            }
            checkRequests(setup);
        }
    }

    private static void checkRequests(Searching setup) throws Exception {
        Backend.Call search = setup.service.take();
        assertEquals("GET /search?format=json&q=news%20%26%20more HTTP/1.1", search.line());
        assertFalse(search.headers().containsKey("authorization"), search.headers().toString());
        assertEquals("application/json", search.headers().get("accept"));
        Object first = setup.asked();
        assertEquals("web_search", Tree.at(first, "tools.0.function.name"));
        assertEquals(Tree.of("[\"query\"]"), Tree.at(first, "tools.0.function.parameters.required"));
        Object second = setup.asked();
        assertEquals(3, ((List<?>) Tree.at(second, "messages")).size());
        assertEquals("Let me look.", Tree.at(second, "messages.1.content"));
        assertEquals(query("news & more"), Tree.at(second, "messages.1.tool_calls.0.function.arguments"));
        assertEquals(Tree.at(second, "messages.1.tool_calls.0.id"), Tree.at(second, "messages.2.tool_call_id"));
        assertEquals("tool", Tree.at(second, "messages.2.role"));
        assertEquals("One\nhttps://a.test/one (2026-11-01T00:00:00)\nFirst excerpt\n\nTwo\nhttps://b.test/two",
                Tree.at(second, "messages.2.content"));
        assertEquals(Tree.at(first, "tools"), Tree.at(second, "tools"));
        assertEquals("97", number(second, "max_tokens"), "what the client allows, without what was written");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aModelMaySearchThreeTimesInOneReply(boolean isStream) throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", query("a"), "web_search", query("b")),
                    calling("More.", "web_search", query("c")), Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH, ""));
            assertEquals("server_tool_use server_tool_use web_search_tool_result web_search_tool_result"
                    + " text server_tool_use web_search_tool_result text", types(reply));
            assertEquals(List.of(2, 2, 2), results(reply));
            assertEquals("3", number(end(reply, "usage"), "server_tool_use.web_search_requests"));
            assertEquals("21", number(end(reply, "usage"), "input_tokens"));
            setup.backend.take();
            setup.backend.take();
            Object third = setup.asked();
            List<?> messages = (List<?>) Tree.at(third, "messages");
            assertEquals(List.of("user", "assistant", "tool", "tool", "assistant", "tool"),
                    messages.stream().map(message -> Tree.at(message, "role")).toList());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReplyThatAlsoCallsAToolOfTheClientsEndsForThat(boolean isStream) throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("Both.", "web_search", query("a"), "get", "{\"x\":1}"),
                    Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH + "," + CUSTOM, ""));
            assertEquals("text server_tool_use tool_use web_search_tool_result", types(reply));
            assertEquals("tool_use", end(reply, "stop_reason"));
            assertEquals("1", number(end(reply, "usage"), "server_tool_use.web_search_requests"));
            assertEquals(1, setup.backend.requests());
            String content = RandomJson.write(blocks(reply));
            setup.backend.take();
            Wire.Reply next = setup.post(continued(SEARCH + "," + CUSTOM, content));
            assertEquals("Done.", next.said());
            Object asked = setup.asked();
            assertEquals("Both.", Tree.at(asked, "messages.1.content"));
            assertEquals("web_search", Tree.at(asked, "messages.1.tool_calls.0.function.name"));
            assertEquals("get", Tree.at(asked, "messages.1.tool_calls.1.function.name"));
            assertTrue(((String) Tree.at(asked, "messages.2.content")).contains("First excerpt"));
            assertEquals("call_1", Tree.at(asked, "messages.3.tool_call_id"));
            assertEquals("got", Tree.at(asked, "messages.3.content"));
        }
    }

    private static String continued(String tools, String content) {
        return """
                {"model":"m","max_tokens":100,"tools":[%s],"messages":[{"role":"user","content":"q"},
                {"role":"assistant","content":%s},{"role":"user","content":[
                {"type":"tool_result","tool_use_id":"call_1","content":"got"}]}]}""".formatted(tools, content);
    }

    @Test
    void withoutTheToolTheHistoryIsText() throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            String content = RandomJson.write(blocks(setup.post(asked(false, SEARCH, ""))));
            setup.backend.take();
            setup.backend.take();
            setup.post("""
                    {"model":"m","max_tokens":100,"messages":[{"role":"user","content":"q"},
                    {"role":"assistant","content":%s},{"role":"user","content":"thanks"}]}""".formatted(content));
            String said = (String) Tree.at(setup.asked(), "messages.1.content");
            assertTrue(said.startsWith("[web_search called with {\"query\":\"a\"}]"), said);
            assertTrue(said.contains("https://a.test/one (2026-11-01T00:00:00)\nFirst excerpt"), said);
        }
    }

    /** Claude Code may force the tool; then the model must be free in what follows. */
    @Test
    void aForcedSearchIsForcedOnce() throws Exception {
        for (String choice : List.of("{\"type\":\"tool\",\"name\":\"web_search\"}", "{\"type\":\"any\"}")) {
            try (var setup = new Searching()) {
                setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
                String tools = SEARCH + "," + CUSTOM;
                Wire.Reply reply = setup.post(asked(true, tools, ",\"tool_choice\":" + choice));
                assertEquals("message_stop", reply.last().name());
                Object first = Tree.at(setup.asked(), "tool_choice");
                Object named = Tree.of("{\"type\":\"function\",\"function\":{\"name\":\"web_search\"}}");
                assertEquals(choice.contains("any") ? "required" : named, first);
                assertNull(Tree.at(setup.asked(), "tool_choice"));
            }
        }
    }

    /** Claude Code's request is for a search and nothing else: a model that makes none says what it remembers. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRequestForASearchIsNotAnsweredFromMemory(boolean isStream) throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(Backend.saying("I remember."));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH, "").replace("what is new?", CLAUDE_CODES));
            assertEquals("required", Tree.at(setup.asked(), "tool_choice"));
            assertEquals("text server_tool_use web_search_tool_result", types(reply));
            assertEquals(List.of("unavailable"), results(reply));
            assertEquals(0, setup.service.requests());
            setup.backend.answers(calling("", "web_search", query("news")), Backend.saying("Read."));
            reply = setup.post(asked(isStream, SEARCH, "").replace("what is new?", CLAUDE_CODES));
            assertEquals("server_tool_use web_search_tool_result text", types(reply));
        }
    }

    @Test
    void aToolOfTheClientsMayHaveTheSameName() throws Exception {
        String custom = CUSTOM.replace("get", "web_search");
        String search = SEARCH.replace("\"web_search\"", "\"find\"");
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", "{\"x\":1}", "web_search_of_pages", query("a")));
            Wire.Reply reply = setup.post(asked(false, search + "," + custom, ""));
            assertEquals("tool_use server_tool_use web_search_tool_result", types(reply));
            assertEquals("web_search", blocks(reply).getFirst().get("name"));
            assertEquals("tool_use", end(reply, "stop_reason"));
            Object asked = setup.asked();
            assertEquals("web_search_of_pages", Tree.at(asked, "tools.0.function.name"));
            assertEquals("web_search", Tree.at(asked, "tools.1.function.name"));
        }
    }

    @Test
    void reasoningGoesBackWithTheCall() throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(call -> {
                call.events().data("{\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"Hm.\"}}]}");
                call.data("""
                        {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"web_search",\
                        "arguments":"{\\"query\\":\\"a\\"}"},"extra_content":{"google":{"thought_signature":"s1"}}}]}}]}""");
                call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
            }, Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(true, SEARCH, ""));
            assertEquals("thinking server_tool_use web_search_tool_result text", types(reply));
            setup.backend.take();
            Object second = setup.asked();
            assertEquals("Hm.", Tree.at(second, "messages.1.reasoning_content"));
            assertEquals("s1", Tree.at(second, "messages.1.tool_calls.0.extra_content.google.thought_signature"));
        }
    }

    @Test
    void theResponsesApiGetsItemsInTheirOrder() throws Exception {
        try (var backend = new Backend(); var service = new Backend().answers(Searching.found(Searching.PAGES));
             var proxy = Proxies.start("--upstream", backend.url().toString().replace("chat/completions", "responses"),
                     "--search", Searching.url(service))) {
            backend.answers(call -> call.reply(200, "application/json", """
                    {"id":"r","object":"response","status":"completed","output":[{"type":"function_call","id":"f",
                    "call_id":"c","name":"web_search","arguments":"{\\"query\\":\\"a\\"}","status":"completed"}],
                    "usage":{"input_tokens":7,"output_tokens":3}}"""), call -> call.reply(200, "application/json", """
                    {"id":"r","object":"response","status":"completed","output":[{"type":"message","id":"m",
                    "role":"assistant","status":"completed","content":[{"type":"output_text","text":"Done."}]}],
                    "usage":{"input_tokens":7,"output_tokens":3}}"""));
            Wire.Reply reply = Wire.post(proxy.port(), asked(false, SEARCH, ""));
            assertEquals("server_tool_use web_search_tool_result text", types(reply));
            assertEquals("1", number(end(reply, "usage"), "server_tool_use.web_search_requests"));
            assertEquals("function", Tree.at(Tree.of(backend.take().text()), "tools.0.type"));
            Object second = Tree.of(backend.take().text());
            assertEquals("function_call", Tree.at(second, "input.1.type"));
            assertEquals("function_call_output", Tree.at(second, "input.2.type"));
            assertEquals(Tree.at(second, "input.1.call_id"), Tree.at(second, "input.2.call_id"));
            assertTrue(((String) Tree.at(second, "input.2.output")).contains("First excerpt"));
        }
    }

    @Test
    void domainsOfTheToolHold() throws Exception {
        String tool = "{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"allowed_domains\":[\"b.test\"]}";
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(false, tool, ""));
            assertEquals(List.of(1), results(reply));
            assertEquals("https://b.test/two", Tree.at(blocks(reply).get(1).get("content"), "0.url"));
            assertEquals(Map.of("query", "a"), blocks(reply).getFirst().get("input"));
            assertTrue(setup.service.take().line().contains("q=a%20site%3Ab.test "));
        }
    }

    @Test
    @ResourceLock("log")
    void theHeadersOfTheServiceAreSecretsAndTheWordsAreNotLogged() throws Exception {
        try (var log = new Logged();
             var setup = new Searching("--search-header", "X-Subscription-Token: BSA-0123456789abcdef")) {
            setup.service.answers(Searching.found("no BSA-0123456789abcdef"));
            setup.backend.answers(calling("", "web_search", query("confidential")), Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(true, SEARCH, ""));
            assertEquals("BSA-0123456789abcdef", setup.service.take().headers().get("x-subscription-token"));
            log.line(", searches 1 failed 1, stop");
            String all = String.join("\n", log.lines());
            assertTrue(all.contains(reply.headers().get("request-id") + " search at " + setup.service.url().getAuthority() + " has failed"), all);
            assertFalse(all.contains("confidential") || all.contains("BSA-"), all);
            assertFalse(reply.body().contains("BSA-"), reply.body());
        }
    }

    @Test
    void searchesAreCounted() throws Exception {
        try (var setup = new Searching()) {
            setup.service.answers(Searching.found(Searching.PAGES), Backend.refusing(500, "no"));
            setup.backend.answers(calling("", "web_search", query("a"), "web_search", query("b")), Backend.saying("."));
            Wire.Reply reply = setup.post(asked(false, SEARCH, ""));
            assertEquals("1", number(end(reply, "usage"), "server_tool_use.web_search_requests"), "errors do not count");
            Tasks.await(() -> Samples.of(setup.proxy).get("a2o_searches_total") == 2, "nothing is counted");
            Map<String, Double> samples = Samples.of(setup.proxy);
            assertEquals(2, samples.get("a2o_searches_total"));
            assertEquals(1, samples.get("a2o_search_errors_total"));
        }
    }

    @Test
    void theServiceIsReachedByTheProxyOfTheEnvironment() throws Exception {
        try (var backend = new Backend(); var relay = new Backend().answers(Searching.found(Searching.PAGES));
             var proxy = Proxies.start(Map.of("HTTP_PROXY", "http://" + relay.url().getAuthority(), "NO_PROXY", "127.0.0.1"),
                     "--upstream", backend.url().toString(), "--search", "http://searx.test")) {
            backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            assertEquals(List.of(2), results(Wire.post(proxy.port(), asked(true, SEARCH, ""))));
            assertEquals("GET http://searx.test/search?format=json&q=a HTTP/1.1", relay.take().line());
        }
    }

    /** A search that nobody can run is answered at once; the log does not name a backend that was not asked. */
    @Test
    @ResourceLock("log")
    void whatIsAnsweredWithoutABackendIsLoggedSo() throws Exception {
        try (var log = new Logged(); var backend = new Backend(); var proxy = Proxies.before(backend)) {
            Wire.Reply reply = Wire.post(proxy.port(), asked(true, SEARCH, ""));
            String line = log.line(reply.headers().get("request-id"));
            assertTrue(line.contains(" 200 m answered without a backend "), line);
            assertFalse(line.contains(backend.url().getAuthority()), line);
            assertTrue(Samples.of(proxy).containsKey("a2o_requests_total{status=\"200\",model=\"\",upstream=\"\"}"));
        }
    }
}
