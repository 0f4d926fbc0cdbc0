import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

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
