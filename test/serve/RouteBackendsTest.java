package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** Two named backends: which of them a request goes to, and what the list of models says. */
class RouteBackendsTest {
    private static final String NO_MODEL = "the model `m` does not exist";

    private Backend local;
    private Backend cloud;

    @BeforeEach
    void start() throws IOException {
        local = new Backend().answers(Backend.saying("from local"));
        cloud = new Backend().answers(Backend.saying("from cloud"));
    }

    @AfterEach
    void stop() throws IOException {
        local.close();
        cloud.close();
    }

    private Proxy proxy(String... args) throws IOException {
        List<String> all = new ArrayList<>(List.of("--upstream", "local=" + local.url(), "--upstream", "cloud=" + cloud.url()));
        all.addAll(List.of(args));
        return Proxies.start(all.toArray(String[]::new));
    }

    private static Wire.Reply ask(Proxy proxy, String model) throws IOException {
        return Wire.post(proxy.port(), """
                {"model":"%s","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""".formatted(model), "x-api-key: K");
    }

    private static List<Object> ids(Proxy proxy) throws IOException {
        Wire.Reply reply = Wire.ask(proxy.port(), "GET", "/v1/models?limit=100", new byte[0], "x-api-key: K");
        return ((List<?>) Tree.at(reply.json(), "data")).stream().map(model -> Tree.at(model, "id")).toList();
    }

    /** From now on the backend lists these, and says what it said otherwise. */
    private static void lists(Backend backend, String name, String... models) {
        List<String> data = new ArrayList<>();
        for (String model : models) data.add("{\"id\":\"%s\"}".formatted(model));
        String list = "{\"data\":[%s]}".formatted(String.join(",", data));
        backend.answers(call -> {
            if (call.line().startsWith("GET")) {
                call.reply(200, "application/json", list);
            } else {
                Backend.saying("from " + name).answer(call);
            }
        });
    }

    @Test
    void eachModelGoesToItsBackend() throws Exception {
        try (Proxy proxy = proxy("--map", "*haiku*=small@local", "--map", "*=big@cloud,local", "--upstream-key", "C@cloud",
                "--header", "X-A: 1@local", "--extra-body", "{\"provider\":\"p\"}@cloud")) {
            assertEquals("from local", ask(proxy, "claude-haiku-4-5").said());
            awaitLast(proxy, "local"); // an exchange is listed after its reply is sent
            assertEquals("from cloud", ask(proxy, "claude-opus-5-5").said());
            awaitLast(proxy, "cloud");
            Backend.Call small = local.take();
            Backend.Call big = cloud.take();
            assertTrue(small.text().contains("\"model\":\"small\""), small.text());
            assertTrue(big.text().contains("\"model\":\"big\""), big.text());
            assertEquals("Bearer K", small.headers().get("authorization"), "the client's own");
            assertEquals("Bearer C", big.headers().get("authorization"));
            assertEquals("1", small.headers().get("x-a"));
            assertEquals(null, big.headers().get("x-a"));
            assertTrue(!small.text().contains("provider") && big.text().contains("\"provider\":\"p\""), big.text());
        }
    }

    /** Waits until the newest exchange that the status lists is one of that backend. */
    private static void awaitLast(Proxy proxy, String upstream) throws Exception {
        Tasks.await(() -> {
            Object status = Wire.ask(proxy.port(), "GET", "/status.json", new byte[0]).json();
            return Tree.at(status, "last") instanceof List<?> last && !last.isEmpty()
                    && upstream.equals(Tree.at(status, "last.0.upstream"));
        }, "no exchange of " + upstream);
    }

    @Test
    void theRouteHasItsOwnNextBackend() throws Exception {
        try (Proxy proxy = proxy("--map", "*haiku*=small@local", "--map", "*=big@cloud,local")) {
            cloud.answers(Backend.refusing(503, "why"));
            assertEquals("from local", ask(proxy, "claude-opus-5-5").said());
            local.answers(Backend.refusing(500, "down"));
            assertEquals(500, ask(proxy, "claude-haiku-4-5").status());
            assertEquals(1, cloud.requests(), "the small model is asked for at its own backend alone");
        }
    }

    /** As for Claude first, and a local server second that has no model of that name. */
    @Test
    void theNextBackendMayHaveAModelOfItsOwn() throws Exception {
        try (Proxy proxy = proxy("--extra-body", "{\"model\":\"qwen3\"}@cloud")) {
            local.answers(call -> call.reply(529, "application/json", "{}"));
            assertEquals("from cloud", ask(proxy, "claude-opus-5-5").said());
            String sent = cloud.take().text();
            if (sent.isEmpty()) sent = cloud.take().text(); // the first was for the list
            assertTrue(sent.contains("\"model\":\"qwen3\"") && !sent.contains("claude"), sent);
        }
    }

    @Test
    void aBackendWithoutTheModelIsPassedOver() throws Exception {
        try (Proxy proxy = proxy()) {
            local.answers(Backend.refusing(404, NO_MODEL));
            assertEquals("from cloud", ask(proxy, "m").said());
            cloud.answers(Backend.refusing(404, NO_MODEL));
            Wire.Reply reply = ask(proxy, "m");
            assertEquals(404, reply.status());
            assertEquals("model: m, cloud: " + NO_MODEL, reply.text("error.message"));
        }
    }

    /** The model is there, where nothing works for a moment: the client may try again. */
    @Test
    void aMissingModelTellsLessThanAFailure() throws Exception {
        try (Proxy proxy = proxy()) {
            local.answers(Backend.refusing(404, NO_MODEL));
            cloud.answers(Backend.refusing(503, "busy"));
            Wire.Reply reply = ask(proxy, "m");
            assertEquals(529, reply.status(), reply.body());
            assertEquals(2, local.requests(), "for its list, and once for the model");
            assertEquals(3, cloud.requests());
        }
    }

    @Test
    void theNameOfTheBackendMayStandBeforeTheModel() throws Exception {
        try (Proxy proxy = proxy("--map", "*=big@local")) {
            assertEquals("from cloud", ask(proxy, "cloud/z/glm").said());
            assertTrue(cloud.take().text().contains("\"model\":\"z/glm\""));
        }
    }

    @Test
    void theModelsOfAllBackendsAreListed() throws Exception {
        lists(local, "local", "both", "qwen3");
        lists(cloud, "cloud", "both", "z/glm");
        try (Proxy proxy = proxy()) {
            assertEquals(List.of("anthropic/local/both", "anthropic/qwen3", "anthropic/cloud/both", "anthropic/z/glm"),
                    ids(proxy));
            for (Object id : ids(proxy)) {
                String from = List.of("anthropic/cloud/both", "anthropic/z/glm").contains(id) ? "from cloud" : "from local";
                assertEquals(from, ask(proxy, (String) id).said(), (String) id);
            }
            Wire.Reply one = Wire.ask(proxy.port(), "GET", "/v1/models/cloud/z/glm", new byte[0], "x-api-key: K");
            assertEquals(200, one.status(), one.body());
            assertEquals(404, Wire.ask(proxy.port(), "GET", "/v1/models/cloud/qwen3", new byte[0], "x-api-key: K").status());
        }
    }

    /** As Anthropic lists models: twenty on a page. */
    @Test
    void allPagesOfAListAreRead() throws Exception {
        String list = "{\"data\":[{\"id\":\"%s\",\"max_input_tokens\":%d}],\"has_more\":%s,\"first_id\":\"%1$s\",\"last_id\":\"%1$s\"}";
        local.answers(call -> {
            boolean isFirst = call.line().equals("GET /v1/models HTTP/1.1");
            call.reply(200, "application/json", isFirst ? list.formatted("a b", 1000, true) : list.formatted("c", 2000, false));
        });
        cloud.answers(call -> call.reply(500, "application/json", "{}"));
        try (Proxy proxy = proxy()) {
            assertEquals(List.of("anthropic/a b", "anthropic/c"), ids(proxy));
            local.take();
            assertEquals("GET /v1/models?after_id=a+b HTTP/1.1", local.take().line());
        }
    }

    @Test
    void modelsOfAnthropicsAreListedAsTheyAre() throws Exception {
        String model = "{\"type\":\"model\",\"id\":\"claude-x\",\"display_name\":\"Claude X\",\"created_at\":\"2026-10-01T00:00:00Z\","
                + "\"max_input_tokens\":1000000,\"max_tokens\":128000}";
        local.answers(call -> call.reply(200, "application/json", "{\"data\":[" + model + "],\"has_more\":false}"));
        try (Proxy proxy = Proxies.start("--upstream", local.url().toString().replace("chat/completions", "messages"))) {
            String listed = Wire.ask(proxy.port(), "GET", "/v1/models/claude-x", new byte[0], "x-api-key: K").body();
            assertEquals("GET /v1/models HTTP/1.1", local.take().line());
            for (String member : List.of("\"display_name\":\"Claude X\"", "\"created_at\":\"2026-10-01T00:00:00Z\"",
                    "\"max_input_tokens\":1000000", "\"max_tokens\":128000")) {
                assertTrue(listed.contains(member), listed);
            }
        }
    }

    /** A list without end is read for as long as clients wait, and no further than some pages. */
    @Test
    void whatHasComeIsListedWhereTheNextPageDoesNotCome() throws Exception {
        String page = "{\"data\":[{\"id\":\"a\"}],\"has_more\":true,\"last_id\":\"a\"}";
        local.answers(call -> call.reply(200, "application/json", page), call -> call.reply(200, "application/json", "no list"));
        cloud.answers(call -> call.reply(200, "application/json", page));
        try (Proxy proxy = proxy()) {
            assertEquals(List.of("anthropic/local/a", "anthropic/cloud/a"), ids(proxy));
            assertTrue(cloud.requests() <= 20, "" + cloud.requests());
        }
    }

    /** Many a local server takes any name for its own model, so that it would not say that it has no such one. */
    @Test
    void aModelGoesToTheBackendThatListsItFromTheFirstRequestOn() throws Exception {
        lists(local, "local", "qwen3");
        lists(cloud, "cloud", "z/glm");
        try (Proxy proxy = proxy()) {
            assertEquals("from cloud", ask(proxy, "z/glm").said());
            assertEquals("from local", ask(proxy, "qwen3").said());
            assertEquals("from local", ask(proxy, "other").said());
            assertEquals("from cloud", ask(proxy, "z/glm").said());
            assertEquals(3, local.requests(), "its list, and two messages");
        }
    }

    @Test
    void aNameThatLeadsElsewhereIsListedWithItsBackend() throws Exception {
        lists(local, "local", "qwen3");
        lists(cloud, "cloud", "z/glm");
        try (Proxy proxy = proxy("--map", "*=z/glm@cloud")) {
            assertEquals(List.of("anthropic/local/qwen3", "anthropic/z/glm"), ids(proxy));
            assertEquals("from local", ask(proxy, "anthropic/local/qwen3").said());
        }
    }

    @Test
    void theListSaysTheWindowOfTheRoute() throws Exception {
        lists(local, "local", "qwen3");
        lists(cloud, "cloud", "z/glm");
        try (Proxy proxy = proxy("--map", "small=qwen3@local", "--context", "64k@local", "--context", "200k@cloud")) {
            Wire.Reply reply = Wire.ask(proxy.port(), "GET", "/v1/models", new byte[0], "x-api-key: K");
            List<Object> windows = List.of(new Tree.Num("64000"), new Tree.Num("64000"), new Tree.Num("200000"));
            assertEquals(windows, ((List<?>) Tree.at(reply.json(), "data")).stream()
                    .map(model -> Tree.at(model, "max_input_tokens")).toList(), reply.body());
        }
    }

    @Test
    void aPasswordInTheUrlIsSentAndNotShown() throws Exception {
        String url = local.url().toString().replace("http://", "http://me:correct-horse@");
        local.answers(Backend.refusing(400, "you said correct-horse"));
        try (Proxy proxy = Proxies.start("--upstream", url)) {
            Wire.Reply reply = ask(proxy, "m");
            assertEquals("Basic bWU6Y29ycmVjdC1ob3JzZQ==", local.take().headers().get("authorization"), "not the client's");
            assertTrue(reply.body().contains("you said (key)"), reply.body());
        }
    }
}
