package anthropic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.HeldClock;
import testing.Pair;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** {@code GET /v1/models} over real sockets, before a backend that lists models as OpenAI does, or not at all. */
class ModelsTest {
    private static final String LIST = """
            {"object":"list","data":[{"id":"a/b:c","object":"model","created":86400,"max_model_len":4096},
            {"id":"claude-x","object":"model"},{"id":"qwen3","name":"Qwen 3","context_length":8192}]}""";

    private static Pair pair(int status, String list, String... args) throws IOException {
        var pair = new Pair(args);
        pair.backend.answers(call -> call.reply(status, "application/json", list));
        return pair;
    }

    private static Wire.Reply get(Pair pair, String path) throws IOException {
        return pair.ask("GET", path, "x-api-key: K");
    }

    private static List<Object> ids(Wire.Reply reply) {
        return ((List<?>) Tree.at(reply.json(), "data")).stream().map(model -> Tree.at(model, "id")).toList();
    }

    @Test
    void theBackendsModelsAreListedUnderNamesThatClaudeCodeShows() throws Exception {
        try (var pair = pair(200, LIST, "--map", "fast=qwen3", "--map", "*haiku*=qwen3")) {
            Wire.Reply reply = get(pair, "/v1/models?limit=1000");
            assertEquals(200, reply.status(), reply.body());
            assertEquals(List.of("anthropic/fast", "anthropic/a/b:c", "claude-x", "anthropic/qwen3"), ids(reply));
            assertEquals("Qwen 3", reply.text("data.3.display_name"));
            assertEquals(new Tree.Num("4096"), Tree.at(reply.json(), "data.1.max_input_tokens"));
            assertEquals("1970-01-02T00:00:00Z", reply.text("data.1.created_at"));
            assertNull(Tree.at(reply.json(), "data.2.max_input_tokens"));
            assertEquals("false", reply.text("has_more"));
            Backend.Call call = pair.backend.take();
            assertEquals("GET /v1/models HTTP/1.1", call.line());
            assertEquals("Bearer K", call.headers().get("authorization"));
            get(pair, "/v1/models");
            assertEquals(1, pair.backend.requests(), "asked once a minute");
        }
    }

    @Test
    void pagesFollowOneAnother() throws Exception {
        try (var pair = pair(200, LIST)) {
            Wire.Reply first = get(pair, "/v1/models?limit=2");
            assertEquals(List.of("anthropic/a/b:c", "claude-x"), ids(first));
            assertEquals("true claude-x", first.text("has_more") + " " + first.text("last_id"));
            Wire.Reply second = get(pair, "/v1/models?limit=2&after_id=claude-x");
            assertEquals(List.of("anthropic/qwen3"), ids(second));
            assertEquals("false", second.text("has_more"));
            assertEquals(List.of("claude-x"), ids(get(pair, "/v1/models?limit=1&before_id=anthropic%2Fqwen3")));
            assertEquals(400, get(pair, "/v1/models?limit=x").status());
        }
    }

    @Test
    void oneModelIsFoundByItsName() throws Exception {
        try (var pair = pair(200, LIST)) {
            for (String path : List.of("a%2Fb:c", "anthropic%2Fa%2Fb%3Ac", "anthropic/a/b:c")) {
                assertEquals("anthropic/a/b:c", get(pair, "/v1/models/" + path).text("id"), path);
            }
            Wire.Reply unknown = get(pair, "/v1/models/nothing");
            assertEquals("404 not_found_error", unknown.status() + " " + unknown.text("error.type"));
        }
    }

    @Test
    void aBackendWithoutAListLeavesTheNamesThatAreMapped() throws Exception {
        try (var pair = pair(404, "{}", "--map", "fast=m")) {
            assertEquals(List.of("anthropic/fast"), ids(get(pair, "/v1/models")));
        }
        try (var pair = pair(200, LIST, "--model", "m", "--context", "1000")) {
            Wire.Reply reply = get(pair, "/v1/models");
            assertEquals(List.of("anthropic/m"), ids(reply));
            assertEquals(new Tree.Num("1000"), Tree.at(reply.json(), "data.0.max_input_tokens"));
        }
        try (var pair = pair(500, "")) {
            assertEquals("{\"data\":[],\"has_more\":false,\"first_id\":null,\"last_id\":null}",
                    get(pair, "/v1/models").body());
        }
    }

    /** {@return what clients are told of the model's context window} */
    private static String window(Pair pair, String model) throws Exception {
        Object window = Tree.at(get(pair, "/v1/models/" + model).json(), "max_input_tokens");
        return window instanceof Tree.Num number ? number.text() : "none";
    }

    @Test
    void theWindowIsTheOneOfContextElseTheOneThatTheBackendLists() throws Exception {
        try (var pair = pair(200, LIST, "--map", "fast=qwen3")) {
            assertEquals("8192", window(pair, "qwen3"));
            assertEquals("8192", window(pair, "fast"), "of the model that it is mapped to");
            assertEquals("none", window(pair, "claude-x"));
        }
        try (var pair = pair(200, LIST, "--model", "a/b:c")) {
            assertEquals("4096", window(pair, "a/b:c"));
            assertEquals("4096", window(pair, "claude-opus-5-5"), "by whatever name");
        }
        try (var pair = pair(200, LIST, "--context", "7k")) {
            assertEquals("7000", window(pair, "qwen3"));
            assertEquals("7000", window(pair, "claude-x"));
        }
    }

    /** The members by the lists of llama.cpp, LM Studio, vLLM and SGLang, OpenRouter, Groq, Mistral and LiteLLM. */
    @Test
    void theWindowIsFoundWhereverBackendsSayIt() throws Exception {
        List<String> members = List.of("'meta':{'n_ctx':64,'n_ctx_train':99}", "'loaded_context_length':64,"
                + "'max_context_length':99", "'max_model_len':64", "'context_length':99,"
                + "'top_provider':{'context_length':64}", "'context_length':64,'top_provider':{'context_length':null}",
                "'context_window':64", "'max_context_length':64", "'max_input_tokens':64", "'meta':{'n_ctx_train':64}");
        for (String member : members) {
            String list = "{'data':[{'id':'other','context_length':5},{'id':'m',%s}]}".formatted(member);
            try (var pair = pair(200, list.replace('\'', '"'), "--model", "m")) {
                assertEquals("64", window(pair, "m"), member);
            }
        }
    }

    @Test
    void theModelIsFoundAsBackendsSpellIt() throws Exception {
        String list = """
                {"data":[{"id":"models/gemini-3","context_length":1},{"id":"qwen3:latest","context_length":2},
                {"id":"z-ai/glm-5","context_length":3},{"id":"p","aliases":["q"],"context_length":4}]}""";
        String[][] rows = {{"gemini-3", "1"}, {"qwen3", "2"}, {"z-ai/glm-5:free", "3"}, {"q", "4"}, {"gemini", "none"}};
        for (String[] row : rows) {
            try (var pair = pair(200, list, "--model", row[0])) {
                assertEquals(row[1], window(pair, "any"), row[0]);
            }
        }
        String one = "{\"data\":[{\"id\":\"/models/q.gguf\",\"meta\":{\"n_ctx\":5}}]}";
        try (var pair = pair(200, one, "--model", "whatever")) {
            assertEquals("5", window(pair, "any"), "the only one serves all names");
        }
    }

    @Test
    void namesThatAreServedAreFound() throws Exception {
        try (var pair = pair(200, LIST, "--map", "*haiku*=qwen3", "--map", "big[1m]=qwen3")) {
            String[][] rows = {{"claude-haiku-4-5", "claude-haiku-4-5"}, {"my-haiku", "anthropic/my-haiku"},
                {"big%5B1m%5D", "anthropic/big[1m]"}, {"qwen3%5B1m%5D", "anthropic/qwen3"}};
            for (String[] row : rows) assertEquals(row[1], get(pair, "/v1/models/" + row[0]).text("id"), row[0]);
            assertEquals(404, get(pair, "/v1/models/claude-opus-5-5").status(), "is sent as it is, and not listed");
            assertEquals(List.of("anthropic/big[1m]", "anthropic/a/b:c", "claude-x", "anthropic/qwen3"),
                    ids(get(pair, "/v1/models")), "a glob is no name");
        }
        try (var pair = pair(200, LIST, "--model", "qwen3")) {
            assertEquals("claude-opus-5-5", get(pair, "/v1/models/claude-opus-5-5").text("id"));
            assertEquals("anthropic/gpt-6", get(pair, "/v1/models/gpt-6").text("id"));
        }
    }

    private static String ask(Pair pair, String model) throws Exception {
        Wire.Reply reply = Wire.post(pair.proxy.port(), """
                {"model":"%s","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""".formatted(model));
        return reply.status() == 200 ? reply.text("stop_reason") : reply.text("error.message");
    }

    /** What clients are told of the window, and what A2o makes of it, is the same. */
    @Test
    void theListedWindowIsTheOneThatOverflows() throws Exception {
        String empty = """
                {"choices":[{"finish_reason":"length","message":{"role":"assistant","content":""}}],
                "usage":{"prompt_tokens":8192,"completion_tokens":0}}""";
        try (var pair = pair(200, LIST, "--map", "fast=qwen3")) {
            pair.backend.answers(call -> {
                if (call.line().startsWith("GET")) {
                    call.reply(200, "application/json", LIST);
                } else if (call.text().contains("claude-x")) {
                    Backend.refusing(400, "the context length was exceeded").answer(call);
                } else {
                    call.reply(200, "application/json", empty);
                }
            });
            assertEquals("max_tokens", ask(pair, "fast"), "no list has come yet");
            get(pair, "/v1/models");
            assertEquals("model_context_window_exceeded", ask(pair, "fast"));
            assertEquals("max_tokens", ask(pair, "other"), "its window is not known");
            assertTrue(ask(pair, "claude-x").endsWith("the context length was exceeded"), "nor this one");
        }
        try (var pair = pair(200, LIST, "--model", "a/b:c")) {
            get(pair, "/v1/models");
            pair.backend.answers(Backend.refusing(400, "the context length was exceeded"));
            assertEquals("prompt is too long: 4097 tokens > 4096 maximum", ask(pair, "any"));
        }
    }

    /** Claude Code waits for three seconds. */
    @Test
    void aListOfModelsThatDoesNotEndIsNotWaitedFor() throws Exception {
        var clock = new HeldClock();
        try (var pair = new Pair(clock)) {
            pair.backend.answers(call -> {
                call.raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                        + "content-length: 9999\r\n\r\n{\"data\":[");
                call.awaitLeft();
            });
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> get(pair, "/v1/models"));
            pair.backend.take();
            clock.elapse(2_500);
            assertEquals(200, Tasks.outcome(reply).status());
        }
    }
}
