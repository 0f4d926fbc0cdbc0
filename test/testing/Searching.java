package testing;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import serve.Proxy;
import upstream.Clock;

/** A backend without a search of its own, a search service, and the proxy between them. */
public final class Searching implements AutoCloseable {
    /** The server tool as Claude Code asks for it. */
    public static final String SEARCH = "{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":8}";
    /** A tool of the client's. */
    public static final String CUSTOM = "{\"name\":\"get\",\"input_schema\":{\"type\":\"object\"}}";
    /** As SearXNG answers, without what A2o does not read. */
    public static final String PAGES = """
            {"query":"q","results":[{"url":"https://a.test/one","title":"One","content":"First excerpt",
            "publishedDate":"2026-11-01T00:00:00","engine":"x"},
            {"url":"https://b.test/two","title":"Two","content":""}],"answers":[]}""";

    public final Backend backend = new Backend();
    public final Backend service = new Backend().answers(found(PAGES));
    public final Proxy proxy;

    public Searching(String... args) throws IOException {
        this(PatientClock.withoutPauses(), args);
    }

    public Searching(Clock clock, String... args) throws IOException {
        List<String> all = new ArrayList<>(List.of("--search", url(service)));
        all.addAll(List.of(args));
        proxy = Proxies.before(clock, backend, all.toArray(new String[0]));
    }

    /** {@return where a service is asked, as --search has it} */
    public static String url(Backend service) {
        return service.url().toString().replace("/v1/chat/completions", "/search?format=json");
    }

    public static Backend.Script found(String json) {
        return call -> call.reply(200, "application/json", json);
    }

    /** {@return a request with one question} */
    public static String asked(boolean isStream, String tools, String more) {
        return """
                {"model":"m","max_tokens":100,"stream":%s,"tools":[%s]%s,
                "messages":[{"role":"user","content":"what is new?"}]}""".formatted(isStream, tools, more);
    }

    /** {@return arguments of a search, for {@link #calling}} */
    public static String query(String words) {
        return "{\"query\":\"%s\"}".formatted(words);
    }

    /** {@return a script that calls functions, each given as name and arguments, after some words} */
    public static Backend.Script calling(String words, String... calls) {
        return ending("tool_calls", words, calls);
    }

    /** {@return the same, with another finish_reason} */
    public static Backend.Script ending(String reason, String words, String... calls) {
        List<String> list = new ArrayList<>();
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
                call.data(Backend.FINISH.replace("stop", reason), Backend.USAGE, "[DONE]").end();
            } else {
                call.reply(200, "application/json", """
                        {"choices":[{"index":0,"finish_reason":"%s","message":{"role":"assistant","content":"%s",
                        "tool_calls":[%s]}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"""
                        .formatted(reason, words, all));
            }
        };
    }

    public Wire.Reply post(String body) throws IOException {
        return Wire.post(proxy.port(), body);
    }

    /** {@return the next request of the backend's} */
    public Object asked() throws InterruptedException {
        return Tree.of(backend.take().text());
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        backend.close();
        service.close();
    }

    /** {@return the blocks of a message; those of a stream put together, their indexes checked} */
    public static List<Map<String, Object>> blocks(Wire.Reply reply) {
        List<Map<String, Object>> blocks = new ArrayList<>();
        if (!isStream(reply)) {
            for (Object block : (List<?>) Tree.at(reply.json(), "content")) blocks.add(copy(block));
            return blocks;
        }
        for (Wire.Event event : reply.events()) {
            if (event.name().equals("content_block_start")) {
                String index = number(event.data(), "index");
                if (!index.equals(String.valueOf(blocks.size()))) throw new AssertionError("index " + index);
                blocks.add(copy(Tree.at(event.data(), "content_block")));
            } else if (event.name().equals("content_block_delta")) {
                add(event, blocks.getLast());
            }
        }
        return blocks;
    }

    private static boolean isStream(Wire.Reply reply) {
        return reply.headers().get("content-type").startsWith("text/event-stream");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> copy(Object block) {
        return new LinkedHashMap<>((Map<String, Object>) block);
    }

    private static void add(Wire.Event event, Map<String, Object> block) {
        switch (event.text("delta.type")) {
            case "input_json_delta" -> {
                String input = event.text("delta.partial_json");
                if (!input.isEmpty()) block.put("input", Tree.of(input));
            }
            case "signature_delta" -> block.put("signature", event.text("delta.signature"));
            case "thinking_delta" -> block.merge("thinking", event.text("delta.thinking"), (a, b) -> a + "" + b);
            default -> block.merge("text", event.text("delta.text"), (a, b) -> a + "" + b);
        }
    }

    /** {@return the types of the blocks, in one line} */
    public static String types(Wire.Reply reply) {
        return String.join(" ", blocks(reply).stream().map(block -> (String) block.get("type")).toList());
    }

    /** {@return a member of the message, or of a stream's message_delta} */
    public static Object end(Wire.Reply reply, String path) {
        if (!isStream(reply)) return Tree.at(reply.json(), path);
        Wire.Event delta = reply.events().get(reply.events().size() - 2);
        return Tree.at(delta.data(), path.startsWith("stop_") ? "delta." + path : path);
    }

    public static String number(Object tree, String path) {
        return ((Tree.Num) Tree.at(tree, path)).text();
    }

    /** {@return what a search has come to: how many pages, or the code of the error} */
    public static List<Object> results(Wire.Reply reply) {
        List<Object> results = new ArrayList<>();
        for (Map<String, Object> block : blocks(reply)) {
            if (!block.get("type").equals("web_search_tool_result")) continue;
            Object content = block.get("content");
            results.add(content instanceof List<?> pages ? pages.size() : Tree.at(content, "error_code"));
        }
        return results;
    }
}
