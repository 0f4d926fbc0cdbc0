package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import testing.Backend;
import testing.Proxies;
import testing.Tree;
import testing.Wire;

/** Searches that A2o makes for models whose backend cannot, with a service and a backend that do as told. */
class WebSearchTest {
    private static final String SEARCH = "{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":8}";
    private static final String CUSTOM = "{\"name\":\"get\",\"input_schema\":{\"type\":\"object\"}}";
    private static final String PAGES = """
            {"query":"q","results":[{"url":"https://a.test/one","title":"One","content":"First excerpt",
            "publishedDate":"2026-11-01T00:00:00","engine":"x"},
            {"url":"https://b.test/two","title":"Two","content":""}],"answers":[]}""";

    /** A backend and a search service, and the proxy between them. */
    private static final class Setup implements AutoCloseable {
        private final Backend backend = new Backend();
        private final Backend service = new Backend();
        private final Proxy proxy;

        private Setup(String... args) throws IOException {
            List<String> all = new ArrayList<>(List.of("--search", searchUrl(service)));
            all.addAll(List.of(args));
            service.answers(found(PAGES));
            proxy = Proxies.before(backend, all.toArray(new String[0]));
        }

        private Wire.Reply post(String body) throws IOException { return Wire.post(proxy.port(), body); }

        @Override
        public void close() throws IOException {
            proxy.close();
            backend.close();
            service.close();
        }
    }

    private static String searchUrl(Backend service) {
        return service.url().toString().replace("/v1/chat/completions", "/search?format=json");
    }

    private static Backend.Script found(String json) { return call -> call.reply(200, "application/json", json); }

    private static String asked(boolean isStream, String tools, String more) {
        return """
                {"model":"m","max_tokens":100,"stream":%s,"tools":[%s]%s,
                "messages":[{"role":"user","content":"what is new?"}]}""".formatted(isStream, tools, more);
    }

    /** {@return a script that calls functions, each given as name and arguments, after some words} */
    private static Backend.Script calling(String words, String... calls) {
        var list = new ArrayList<String>();
        for (int i = 0; i < calls.length; i += 2) {
            list.add("""
                    {"index":%d,"id":"call_%1$d","type":"function","function":{"name":"%s","arguments":"%s"}}"""
                    .formatted(i / 2, calls[i], calls[i + 1].replace("\"", "\\\"")));
        }
        String all = String.join(",", list);
        return call -> {
            if (call.text().contains("\"stream\":true")) {
                call.events().data(Backend.ROLE);
                if (!words.isEmpty()) call.data(Backend.chunk(words));
                call.data("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[%s]}}]}".formatted(all));
                call.data(Backend.FINISH.replace("stop", "tool_calls"), Backend.USAGE, "[DONE]").end();
            } else {
                call.reply(200, "application/json", """
                        {"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":"%s",
                        "tool_calls":[%s]}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"""
                        .formatted(words, all));
            }
        };
    }

    private static String query(String words) { return "{\"query\":\"%s\"}".formatted(words); }

    /** {@return the blocks of a message, those of a stream put together} */
    private static List<Map<String, Object>> blocks(Wire.Reply reply) {
        List<Map<String, Object>> blocks = new ArrayList<>();
        if (!reply.headers().get("content-type").startsWith("text/event-stream")) {
            for (Object block : (List<?>) Tree.at(reply.json(), "content")) blocks.add(copy(block));
            return blocks;
        }
        for (Wire.Event event : reply.events()) {
            if (event.name().equals("content_block_start")) {
                assertEquals(String.valueOf(blocks.size()), number(event.data(), "index"));
                blocks.add(copy(Tree.at(event.data(), "content_block")));
            } else if (event.name().equals("content_block_delta")) {
                add(event, blocks.getLast());
            }
        }
        return blocks;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> copy(Object block) { return new java.util.LinkedHashMap<>((Map<String, Object>) block); }

    private static void add(Wire.Event event, Map<String, Object> block) {
        String input = (String) Tree.at(event.data(), "delta.partial_json");
        if (input == null) {
            block.merge("text", event.text("delta.text"), (a, b) -> a + "" + b);
        } else if (!input.isEmpty()) {
            block.put("input", Tree.of(input));
        }
    }

    private static String number(Object tree, String path) { return ((Tree.Num) Tree.at(tree, path)).text(); }

    private static List<Object> types(List<Map<String, Object>> blocks) {
        return blocks.stream().map(block -> block.get("type")).toList();
    }

    private static Object end(Wire.Reply reply, String path) {
        boolean isStream = reply.headers().get("content-type").startsWith("text/event-stream");
        if (!isStream) return Tree.at(reply.json(), path);
        Wire.Event delta = reply.events().get(reply.events().size() - 2);
        return Tree.at(delta.data(), path.equals("stop_reason") ? "delta.stop_reason" : path);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSearchIsMadeAndTheReplyGoesOn(boolean isStream) throws Exception {
        try (var setup = new Setup()) {
            setup.backend.answers(calling("Let me look.", "web_search", query("news & more")),
                    Backend.saying("Here it is."));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH, ""));
            assertEquals(200, reply.status(), reply.body());
            List<Map<String, Object>> blocks = blocks(reply);
            assertEquals(List.of("text", "server_tool_use", "web_search_tool_result", "text"), types(blocks));
            assertEquals("Let me look.", blocks.get(0).get("text"));
            assertEquals("web_search", blocks.get(1).get("name"));
            assertEquals(Map.of("query", "news & more"), blocks.get(1).get("input"));
            assertEquals(blocks.get(1).get("id"), blocks.get(2).get("tool_use_id"));
            assertEquals(null, Tree.difference(Tree.of("""
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

    private static void checkRequests(Setup setup) throws Exception {
        Backend.Call search = setup.service.take();
        assertEquals("GET /search?format=json&q=news%20%26%20more HTTP/1.1", search.line());
        assertFalse(search.headers().containsKey("authorization"), search.headers().toString());
        Object first = Tree.of(setup.backend.take().text());
        assertEquals("web_search", Tree.at(first, "tools.0.function.name"));
        Object second = Tree.of(setup.backend.take().text());
        assertEquals(3, ((List<?>) Tree.at(second, "messages")).size());
        assertEquals("Let me look.", Tree.at(second, "messages.1.content"));
        assertEquals(query("news & more"), Tree.at(second, "messages.1.tool_calls.0.function.arguments"));
        assertEquals(Tree.at(second, "messages.1.tool_calls.0.id"), Tree.at(second, "messages.2.tool_call_id"));
        assertEquals("tool", Tree.at(second, "messages.2.role"));
        assertEquals("One\nhttps://a.test/one (2026-11-01T00:00:00)\nFirst excerpt\n\nTwo\nhttps://b.test/two",
                Tree.at(second, "messages.2.content"));
    }
}
