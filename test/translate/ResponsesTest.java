package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import serve.Proxy;
import testing.Backend;
import testing.HeldClock;
import testing.Logged;
import testing.Proxies;
import testing.RandomJson;
import testing.ResponsesModel;
import testing.Tree;
import testing.Wire;

/** The Responses API on the wire: which API is spoken, what is learned, and conversations of several turns (RESPONSES). */
class ResponsesTest {
    private static final String TOOL =
            "'tools':[{'name':'get','description':'gets','input_schema':{'type':'object','properties':{'a':{'type':'string'}}}}]";
    private static final String HI = "{'role':'user','content':'hi'}";

    private final ResponsesModel model = new ResponsesModel();
    private Backend backend;
    private Proxy proxy;

    @BeforeEach
    void begin() throws IOException {
        backend = new Backend().answers(model);
    }

    @AfterEach
    void end() throws IOException {
        if (proxy != null) proxy.close();
        backend.close();
    }

    /** {@return the backend's base, or with {@code /responses} the URL that pins the API} */
    private String url(String path) {
        return backend.url().toString().replace("/chat/completions", path);
    }

    private void start(String path, String... args) throws IOException {
        List<String> all = new ArrayList<>(List.of("--upstream", url(path)));
        all.addAll(List.of(args));
        proxy = Proxies.start(all.toArray(String[]::new));
    }

    private static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    private static String request(String members, String... messages) {
        return json("{'model':'m1','max_tokens':100,'stream':true,%s,'messages':[%s]}".formatted(members,
                String.join(",", messages)));
    }

    private static String withTool(String... messages) {
        return request(TOOL, messages);
    }

    private Wire.Reply post(String body) throws IOException {
        return Wire.post(proxy.port(), body);
    }

    /** Posts what must go well. {@return its reply} */
    private Wire.Reply well(String body) throws IOException {
        Wire.Reply reply = post(body);
        assertEquals(200, reply.status(), reply.body());
        assertEquals("message_stop", reply.last().name(), reply.body());
        return reply;
    }

    /** {@return the requests that have come since the last time} */
    private List<Backend.Call> taken() throws InterruptedException {
        List<Backend.Call> calls = new ArrayList<>();
        for (int left = backend.requests() - calls0; left > 0; left--) calls.add(backend.take());
        calls0 = backend.requests();
        return calls;
    }

    private int calls0;

    /** {@return the APIs that were asked since the last time} */
    private String apis() throws InterruptedException {
        var apis = new StringBuilder();
        for (Backend.Call call : taken()) {
            apis.append(apis.isEmpty() ? "" : " ").append(call.line().contains("/responses") ? "responses" : "chat");
        }
        return apis.toString();
    }

    /** {@return the last request's body} */
    private Object lastBody() throws InterruptedException {
        return Tree.of(taken().getLast().text());
    }

    /** {@return a stream's content blocks as the client sends them back} */
    private static String assistant(Wire.Reply reply) {
        Map<Integer, Map<String, Object>> blocks = new TreeMap<>();
        Map<Integer, StringBuilder> texts = new TreeMap<>();
        for (Wire.Event event : reply.events()) {
            if (event.name().equals("content_block_start")) {
                int index = Integer.parseInt(((Tree.Num) Tree.at(event.data(), "index")).text());
                Map<String, Object> block = new LinkedHashMap<>();
                ((Map<?, ?>) Tree.at(event.data(), "content_block")).forEach((name, value) -> block.put((String) name, value));
                block.remove("caller");
                block.remove("citations");
                blocks.put(index, block);
                texts.put(index, new StringBuilder());
            }
            if (!event.name().equals("content_block_delta")) continue;
            int index = Integer.parseInt(((Tree.Num) Tree.at(event.data(), "index")).text());
            Map<?, ?> delta = (Map<?, ?>) Tree.at(event.data(), "delta");
            switch ((String) delta.get("type")) {
                case "text_delta" -> texts.get(index).append(delta.get("text"));
                case "thinking_delta" -> texts.get(index).append(delta.get("thinking"));
                case "input_json_delta" -> texts.get(index).append(delta.get("partial_json"));
                default -> blocks.get(index).put("signature", delta.get("signature"));
            }
        }
        blocks.forEach((index, block) -> {
            String text = texts.get(index).toString();
            switch ((String) block.get("type")) {
                case "text" -> block.put("text", text);
                case "thinking" -> block.put("thinking", text);
                default -> block.put("input", Tree.of(text.isEmpty() ? "{}" : text));
            }
        });
        return "{\"role\":\"assistant\",\"content\":%s}".formatted(RandomJson.write(List.copyOf(blocks.values())));
    }

    private static String result(String id) {
        return json("{'role':'user','content':[{'type':'tool_result','tool_use_id':'%s','content':'r'}]}".formatted(id));
    }

    // --- which API is spoken

    @Test
    void aUrlOfResponsesPinsTheApi() throws Exception {
        backend.answers(call -> {
            if (call.line().startsWith("GET")) {
                call.reply(200, "application/json", json("{'data':[{'id':'m1'}]}"));
            } else {
                model.answer(call);
            }
        });
        start("/responses?api-version=v1");
        assertEquals("Hello", well(withTool(HI)).said());
        Backend.Call call = backend.take();
        assertEquals("POST /v1/responses?api-version=v1 HTTP/1.1", call.line());
        calls0++;
        assertEquals(200, Wire.ask(proxy.port(), "GET", "/v1/models", new byte[0]).status());
        assertEquals("GET /v1/models?api-version=v1 HTTP/1.1", backend.take().line());
    }

    @Test
    void whereTheApiIsPinnedAMissingRouteIsShown() throws Exception {
        model.withoutRoute();
        start("/responses");
        Wire.Reply reply = post(withTool(HI));
        assertEquals(404, reply.status());
        assertTrue(reply.text("error.message").contains("Invalid URL (POST /v1/responses)"), reply.body());
        assertEquals("responses", apis());
    }

    @Test
    void whereChatIsPinnedItsRefusalIsShown() throws Exception {
        model.chat(ResponsesModel.Chat.NOT_CHAT);
        start("/chat/completions");
        Wire.Reply reply = post(withTool(HI));
        assertEquals(404, reply.status());
        assertTrue(reply.text("error.message").contains("This is not a chat model"), reply.body());
        assertEquals("chat", apis());
    }

    @ParameterizedTest
    @EnumSource(value = ResponsesModel.Chat.class, mode = EnumSource.Mode.EXCLUDE, names = "ANSWERS")
    @ResourceLock("log")
    void aRefusalOfChatTeachesTheOtherApi(ResponsesModel.Chat words) throws Exception {
        model.chat(words).efforts("low", "medium", "high", "xhigh", "max");
        start("");
        try (var log = new Logged()) {
            assertEquals("Hello", well(withTool(HI)).said());
            assertEquals("chat responses", apis());
            String line = log.line("learned about m1 at " + backend.url().getAuthority());
            assertTrue(line.contains("api=responses"), line);
        }
        assertEquals("Hello", well(withTool(HI)).said());
        assertEquals("Hello", well(request("'temperature':null", HI)).said(), "also without tools");
        assertEquals("responses responses", apis());
    }

    @Test
    void whatWasLearnedHoldsForThatModelAlone() throws Exception {
        start("");
        well(withTool(HI));
        assertEquals("chat responses", apis());
        well(withTool(HI).replace("m1", "m2"));
        assertEquals("chat responses", apis());
    }

    @Test
    @ResourceLock("log")
    void whereNeitherRouteTakesToolsChatIsAskedWithoutReasoning() throws Exception {
        model.withoutRoute();
        start("");
        try (var log = new Logged()) {
            Wire.Reply reply = well(withTool(HI));
            assertEquals("answer of chat", reply.said());
            String learned = "learned about m1 at " + backend.url().getAuthority();
            String line = log.line(learned);
            assertTrue(line.contains("api=chat"), line);
            assertEquals(1, log.lines(learned).size(), "that Responses is spoken was not learned");
        }
        assertEquals("chat responses chat", apis());
        well(withTool(HI));
        assertEquals("none", Tree.at(Tree.of(backend.take().text()), "reasoning_effort"));
        calls0++;
        assertEquals("", apis(), "no other request");
    }

    /** As a server that has no such path answers: in JSON, in words, by a page, with nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"404 {\"detail\":\"Not Found\"}", "404 404 page not found", "404 <html>Not here</html>", "404 ",
        "405 {\"detail\":\"Method Not Allowed\"}", "501 {\"error\":\"not implemented\"}",
        "501 <html><h1>Unsupported method</h1></html>"})
    void aMissingRouteIsFoundHoweverItIsSaid(String answer) throws Exception {
        String body = answer.substring(4);
        backend.answers(call -> {
            if (call.line().contains("/responses")) {
                call.reply(Integer.parseInt(answer.substring(0, 3)), body.startsWith("<") ? "text/html" : "text/plain", body);
            } else {
                model.answer(call);
            }
        });
        start("");
        assertEquals("answer of chat", well(withTool(HI)).said());
        assertEquals("chat responses chat", apis());
    }

    @Test
    void switchesEndWhereNothingHelps() throws Exception {
        model.withoutRoute().efforts("low", "high");
        start("");
        Wire.Reply reply = post(withTool(HI));
        assertEquals(400, reply.status(), reply.body());
        assertTrue(backend.requests() <= 6, () -> backend.requests() + " requests");
    }

    // --- conversations

    @Test
    void reasoningGoesBackFromTurnToTurn() throws Exception {
        model.says("reasoning I look.\ntext Let me see.\ncall call_1 get {\"a\":\"x\"}", "reasoning Aha.\ntext Done.");
        start("/responses");
        Wire.Reply first = well(withTool(HI));
        String turn = assistant(first);
        assertTrue(turn.contains("\"thinking\":\"I look.\"") && turn.contains("\"id\":\"call_1\""), turn);
        Object before = lastBody();
        Wire.Reply second = well(withTool(HI, turn, result("call_1")));
        Object body = lastBody();
        assertEquals(1, ResponsesModel.items(body, "reasoning").size());
        assertEquals(((List<?>) Tree.at(before, "input")).getFirst(), ((List<?>) Tree.at(body, "input")).getFirst());
        well(withTool(HI, turn, result("call_1"), assistant(second), HI));
        assertEquals(2, ResponsesModel.items(lastBody(), "reasoning").size());
    }

    @Test
    void theSameHistoryGivesTheSameBytes() throws Exception {
        model.says("reasoning I look.\ncall call_1 get {}", "reasoning Aha.\ntext Done.");
        start("/responses");
        String turn = assistant(well(withTool(HI)));
        taken();
        well(withTool(HI, turn, result("call_1")));
        well(withTool(HI, turn, result("call_1")));
        well(withTool(HI, turn, result("call_1"), "{\"role\":\"assistant\",\"content\":\"Done.\"}", HI));
        List<Backend.Call> calls = taken();
        assertEquals(calls.get(0).text(), calls.get(1).text());
        String input = calls.get(0).text().split("\"input\":", 2)[1];
        String items = input.substring(0, input.indexOf("\"function_call_output\""));
        assertTrue(calls.get(2).text().contains(items), calls.get(2).text());
    }

    @Test
    void phasesGoBack() throws Exception {
        model.withPhases().says("reasoning I look.\ntext Let me see.\ncall call_1 get {}", "reasoning Aha.\ntext Done.");
        start("/responses");
        String first = assistant(well(withTool(HI)));
        String second = assistant(well(withTool(HI, first, result("call_1"))));
        taken();
        well(withTool(HI, first, result("call_1"), second, HI));
        List<?> said = ResponsesModel.items(lastBody(), "message").stream()
                .filter(item -> "assistant".equals(Tree.at(item, "role"))).toList();
        assertEquals("commentary", Tree.at(said.get(0), "phase"));
        assertEquals("final_answer", Tree.at(said.get(1), "phase"));
    }

    @Test
    void aTurnWithoutReasoningSaysNoPhase() throws Exception {
        model.withPhases().says("text Hm.");
        start("/responses");
        String first = assistant(well(withTool(HI)));
        taken();
        well(withTool(HI, first, HI));
        Object said = ResponsesModel.items(lastBody(), "message").get(1);
        assertEquals("Hm.", Tree.at(said, "content"));
        assertNull(Tree.at(said, "phase"));
    }

    @Test
    void reasoningThatNobodyCanOpenIsLeftOutAndRemembered() throws Exception {
        model.says("reasoning I look.\ntext Hm.", "text Fine.");
        start("/responses");
        String turn = assistant(well(withTool(HI)));
        taken();
        model.changeKey();
        assertEquals("Fine.", well(withTool(HI, turn, HI)).said());
        List<Backend.Call> calls = taken();
        assertEquals(2, calls.size());
        assertEquals(List.of(), ResponsesModel.items(Tree.of(calls.get(1).text()), "reasoning"));
        well(withTool(HI, turn, HI, "{\"role\":\"assistant\",\"content\":\"Fine.\"}", HI));
        assertEquals(1, taken().size(), "the next turn is not refused");
    }

    @Test
    void newReasoningIsKeptWhereOldIsLeftOut() throws Exception {
        model.says("reasoning I look.\ntext Hm.", "reasoning Aha.\ntext Done.");
        start("/responses");
        String first = assistant(well(withTool(HI)));
        model.changeKey();
        String second = assistant(well(withTool(HI, first, HI)));
        taken();
        well(withTool(HI, first, HI, second, HI));
        assertEquals(1, ResponsesModel.items(lastBody(), "reasoning").size());
    }

    @Test
    void anotherModelGetsNoReasoningOfTheFirst() throws Exception {
        model.says("reasoning I look.\ntext Hm.", "text Done.");
        start("/responses");
        String first = assistant(well(withTool(HI)));
        well(withTool(HI, first, HI).replace("m1", "m2"));
        assertEquals(List.of(), ResponsesModel.items(lastBody(), "reasoning"));
        assertEquals(2, backend.requests());
    }

    // --- lessons

    @Test
    void anUnverifiedOrganizationGetsNoSummariesOfAnyModel() throws Exception {
        model.unverified().says("reasoning I look.\ntext Hm.");
        start("/responses");
        String turn = assistant(well(withTool(HI)));
        assertTrue(turn.contains("\"thinking\":\"\",\"signature\":\"a2o1.summary."), turn);
        assertEquals(2, taken().size());
        well(withTool(HI).replace("m1", "m2"));
        assertEquals(1, taken().size());
    }

    @Test
    void aModelThatDoesNotReasonIsAskedForNoReasoning() throws Exception {
        model.efforts();
        start("/responses");
        assertEquals("Hello", well(request("'temperature':0.5", HI)).said());
        taken();
        well(request("'temperature':0.5", HI));
        Object body = lastBody();
        assertNull(Tree.at(body, "reasoning"));
        assertNull(Tree.at(body, "include"));
        assertEquals(new Tree.Num("0.5"), Tree.at(body, "temperature"));
    }

    @Test
    void anEffortThatTheModelLacksIsReplaced() throws Exception {
        model.efforts("low", "medium", "high", "xhigh", "max").says("reasoning Hm.\ntext Hello");
        start("/responses");
        Wire.Reply reply = well(request("'thinking':{'type':'disabled'}", HI));
        assertFalse(reply.body().contains("thinking_delta"), reply.body());
        assertEquals(2, taken().size());
        well(request("'thinking':{'type':'disabled'}", HI));
        assertEquals("low", Tree.at(lastBody(), "reasoning.effort"));
        assertEquals(3, backend.requests());
    }

    @Test
    void fiveThingsMayBeLearnedInOneRequest() throws Exception {
        model.unverified().efforts("low", "high");
        start("");
        assertEquals("Hello", well(request(TOOL + ",'temperature':0.5,'top_p':0.5,'output_config':{'effort':'max'}", HI)).said());
        assertEquals("high", Tree.at(lastBody(), "reasoning.effort"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Encrypted content is not supported.", "Encrypted content is not supported with this model."})
    void encryptedContentThatIsNotSupportedIsNotAskedFor(String words) throws Exception {
        backend.answers(call -> {
            if (call.text().contains("encrypted_content")) {
                Backend.refusing(400, words).answer(call);
            } else {
                model.answer(call);
            }
        });
        start("/responses");
        well(withTool(HI));
        assertEquals(2, taken().size());
        well(withTool(HI));
        assertNull(Tree.at(lastBody(), "include"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "404 Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. Try again with `store` set"
            + " to true, or remove this item from your input.",
        "400 Item 'rs_1' of type 'reasoning' was provided without its required following item.",
        "400 Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'.",
        "400 reasoning `encrypted_content` was not issued to this caller"})
    void refusedReasoningIsLeftOutOnce(String refusal) throws Exception {
        model.says("reasoning I look.\ntext Hm.", "text Done.");
        start("/responses");
        String turn = assistant(well(withTool(HI)));
        taken();
        backend.answers(Backend.refusing(Integer.parseInt(refusal.substring(0, 3)), refusal.substring(4)), model);
        assertEquals("Done.", well(withTool(HI, turn, HI)).said());
        List<Backend.Call> calls = taken();
        assertEquals(List.of(), ResponsesModel.items(Tree.of(calls.getLast().text()), "reasoning"));
        assertEquals(2, calls.size());
    }

    /** Reasoning that a local server shows in full is an item too. */
    @Test
    void refusedReasoningThatIsNotSealedIsLeftOutToo() throws Exception {
        start("/responses");
        backend.answers(Backend.refusing(400, "Item 'rs_1' of type 'reasoning' was provided without its required following item."),
                model);
        String turn = json("{'role':'assistant','content':[{'type':'thinking','thinking':'Hm.','signature':'a2o1.reasoning_text'},"
                + "{'type':'text','text':'Fine.'}]}");
        well(withTool(HI, turn, HI));
        List<Backend.Call> calls = taken();
        assertEquals(1, ResponsesModel.items(Tree.of(calls.getFirst().text()), "reasoning").size());
        assertEquals(List.of(), ResponsesModel.items(Tree.of(calls.getLast().text()), "reasoning"));
    }

    @Test
    void aValueOfIncludeThatIsRefusedIsNotAskedForAgain() throws Exception {
        backend.answers(call -> {
            if (call.text().contains("reasoning.encrypted_content")) {
                Backend.refusing(400, "Invalid value: 'reasoning.encrypted_content'. Supported values are:"
                        + " 'file_search_call.results' and 'web_search_call.action.sources'.").answer(call);
            } else {
                model.answer(call);
            }
        });
        start("/responses");
        well(withTool(HI));
        assertEquals(2, taken().size());
        well(withTool(HI));
        assertEquals(1, taken().size());
    }

    @Test
    void whereFormatsAreRefusedTheModelIsToldTheSchema() throws Exception {
        backend.answers(call -> {
            if (call.text().contains("json_schema")) {
                Backend.refusing(400, "Invalid parameter: 'text.format' of type 'json_schema' is not supported with model"
                        + " version `m1`.").answer(call);
            } else {
                model.answer(call);
            }
        });
        start("/responses");
        well(request("'output_config':{'format':{'type':'json_schema','schema':{'type':'object','properties':{}}}}", HI));
        String told = (String) Tree.at(lastBody(), "instructions");
        assertTrue(told.startsWith("Answer with JSON alone"), told);
    }

    @ParameterizedTest
    @ValueSource(strings = {"include", "safety_identifier", "prompt_cache_key", "parallel_tool_calls", "store"})
    void whatIsUnknownThereIsLeftOut(String name) throws Exception {
        backend.answers(call -> {
            if (call.text().contains("\"" + name + "\":")) {
                Backend.refusing(400, "Unknown parameter: '" + name + "'.").answer(call);
            } else {
                Backend.refusing(400, "that is it").answer(call);
            }
        });
        start("/responses");
        Wire.Reply reply = post(request(TOOL + ",'tool_choice':{'type':'auto','disable_parallel_tool_use':true}", HI));
        assertTrue(reply.body().contains("that is it"), reply.body());
    }

    /** Refuses what {@code isRefused} says, in these words; otherwise it is the model. */
    private void refuses(String words, Predicate<Object> isRefused) {
        backend.answers(call -> {
            if (isRefused.test(Tree.of(call.text()))) {
                Backend.refusing(400, words).answer(call);
            } else {
                model.answer(call);
            }
        });
    }

    private static final String PNG = "{'type':'image','source':{'type':'base64','media_type':'image/png','data':'iVBORw0K'}}";
    private static final String CALL = "{'role':'assistant','content':[{'type':'tool_use','id':'c1','name':'get','input':{}}]}";
    private static final String SEEN = "{'role':'user','content':[{'type':'tool_result','tool_use_id':'c1','content':[" + PNG + "]}]}";

    private static boolean hasImageInOutput(Object body) {
        return ResponsesModel.items(body, "function_call_output").stream()
                .anyMatch(item -> Tree.at(item, "output") instanceof List);
    }

    @Test
    void imagesThatOutputsMayNotHoldGoIntoTheNextMessage() throws Exception {
        refuses("Output of tool call should be 'Input text'", ResponsesTest::hasImageInOutput);
        start("/responses");
        well(withTool(HI, CALL, SEEN));
        taken();
        well(withTool(HI, CALL, SEEN));
        Object body = lastBody();
        assertEquals("[image 1: see next message]", Tree.at(body, "input.2.output"));
        assertEquals("[image 1 from tool call c1]", Tree.at(body, "input.3.content.0.text"));
        assertEquals("input_image", Tree.at(body, "input.3.content.1.type"));
    }

    @Test
    void imagesThatTheModelCannotSeeAreLeftOut() throws Exception {
        refuses("'input_image' is not supported by this model", body -> RandomJson.write(body).contains("input_image"));
        start("/responses");
        well(withTool(HI, CALL, SEEN));
        taken();
        well(withTool(HI, CALL, SEEN));
        assertEquals("[image omitted: this model cannot see images]", Tree.at(lastBody(), "input.2.output"));
    }

    private static final String SEARCH = "'tools':[{'type':'web_search_20250305','name':'web_search'}]";

    @Test
    void aSearchThatTheBackendRefusesIsUnavailable() throws Exception {
        refuses("Invalid value: 'web_search'. Supported values are: 'function'.", body -> Tree.at(body, "tools") != null);
        start("/responses");
        String request = request(SEARCH, "{'role':'user','content':'Perform a web search for the query: q'}");
        assertTrue(well(request).body().contains("\"error_code\":\"unavailable\""));
        assertEquals(1, taken().size());
        assertTrue(well(request).body().contains("\"error_code\":\"unavailable\""));
        assertEquals("", apis(), "it is not asked again");
    }

    @Test
    void aSearchThatTheBackendDoesNotMakeIsUnavailable() throws Exception {
        model.says("text From memory.");
        start("/responses");
        String request = request(SEARCH, "{'role':'user','content':'Perform a web search for the query: q'}");
        assertTrue(well(request).body().contains("\"error_code\":\"unavailable\""));
        assertEquals(1, taken().size());
        well(request);
        assertEquals("", apis(), "it is not asked again");
    }

    @Test
    void tooLittleEffortForASearchIsRaisedOnce() throws Exception {
        model.efforts("minimal", "low", "high").says("text Hello");
        start("/responses");
        well(request(SEARCH + ",'output_config':{'effort':'minimal'}", HI));
        assertEquals("low", Tree.at(lastBody(), "reasoning.effort"));
        well(request("'output_config':{'effort':'minimal'}", HI));
        assertEquals("minimal", Tree.at(lastBody(), "reasoning.effort"));
    }

    // --- replies

    private static String event(String type, String members) {
        return json("{'type':'%s'%s}".formatted(type, members));
    }

    private static final String CREATED = event("response.created", ",'response':{'status':'in_progress','output':[]}");
    private static final String COMPLETED = event("response.completed", ",'response':{'status':'completed','output':[],"
            + "'usage':{'input_tokens':7,'output_tokens':3,'total_tokens':10}}");

    private static String text(String text) {
        return event("response.output_text.delta", ",'output_index':0,'content_index':0,'delta':'" + text + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "400 invalid_request_error 'code':'context_length_exceeded','message':'Your input exceeds the context window of this model.'",
        "429 rate_limit_error 'code':'rate_limit_exceeded','message':'Rate limit reached. Please try again in 8.2s.'",
        "402 billing_error 'code':'insufficient_quota','message':'You exceeded your current quota.'"})
    void anErrorAfterCreatedHasAStatusOfItsOwn(String expected) throws Exception {
        String[] parts = expected.split(" ", 3);
        backend.answers(call -> call.events().data(CREATED, event("error", ",'error':{%s}".formatted(parts[2]))).end());
        start("/responses");
        Wire.Reply reply = post(withTool(HI));
        assertEquals(Integer.parseInt(parts[0]), reply.status(), reply.body());
        assertEquals(parts[1], reply.text("error.type"));
        if (reply.status() == 429) assertEquals("9", reply.headers().get("retry-after"));
        if (reply.status() == 400) assertTrue(reply.text("error.message").startsWith("prompt is too long"), reply.body());
    }

    @Test
    void aWaitOfMinutesIsToldAsTheLongestThatClientsTake() throws Exception {
        backend.answers(call -> call.events().data(CREATED, event("error", ",'error':{'code':'rate_limit_exceeded',"
                + "'message':'Please try again in 1m12.5s.'}")).end());
        start("/responses");
        Wire.Reply reply = post(withTool(HI));
        assertEquals(429, reply.status(), reply.body());
        assertEquals("60", reply.headers().get("retry-after"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"server_error", "a_code_of_tomorrow"})
    void aFailureBeforeAnythingIsTriedAgain(String code) throws Exception {
        String failed = event("response.failed",
                ",'response':{'status':'failed','error':{'code':'%s','message':'Oh.'}}".formatted(code));
        backend.answers(call -> call.events().data(CREATED, failed).end(), model);
        start("/responses");
        assertEquals("Hello", well(withTool(HI)).said());
    }

    @Test
    void theTerminalEventEndsTheReplyThoughTheConnectionStays() throws Exception {
        var over = new CountDownLatch(1);
        backend.answers(call -> {
            call.events().data(CREATED, text("Hello"), COMPLETED);
            over.await();
            call.end();
        });
        start("/responses");
        assertEquals("Hello", well(withTool(HI)).said());
        over.countDown();
    }

    @Test
    void keepalivesAreSignsOfLife() throws Exception {
        var clock = new HeldClock();
        backend.answers(call -> {
            call.events().data(CREATED);
            for (int i = 0; i < 12; i++) {
                clock.awaitWait(2_000); // the event before has been seen
                clock.passes(1_500);
                call.data(json("{'type':'keepalive','sequence_number':1}"));
            }
            clock.awaitWait(2_000);
            call.data(text("late"), COMPLETED).end();
        });
        proxy = Proxies.start(clock, "--upstream", url("/responses"), "--timeout", "2");
        Wire.Reply reply = post(withTool(HI).replace("\"stream\":true,", ""));
        assertEquals("late", reply.text("content.0.text"), reply.body());
    }

    @Test
    void aStreamThatWasNotAskedForIsPutTogether() throws Exception {
        backend.answers(call -> call.events().data(CREATED, text("Hello "), text("there"), COMPLETED).end());
        start("/responses");
        Wire.Reply reply = post(withTool(HI).replace("\"stream\":true,", ""));
        assertEquals("Hello there", reply.text("content.0.text"), reply.body());
    }

    @Test
    void aWholeReplyThatWasNotAskedForBecomesEvents() throws Exception {
        backend.answers(call -> call.reply(200, "application/json", json("{'object':'response','status':'completed','output':"
                + "[{'type':'message','content':[{'type':'output_text','text':'Hello'}]}],'usage':{'input_tokens':7,'output_tokens':3}}")));
        start("/responses");
        assertEquals("Hello", well(withTool(HI)).said());
    }

    @Test
    void aStreamThatEndsEarlyIsAnError() throws Exception {
        var isSeen = new CountDownLatch(1);
        backend.answers(call -> {
            call.events().data(CREATED, text("Hello"));
            isSeen.await();
            call.end();
        });
        start("/responses");
        try (var wire = new Wire(proxy.port()).message(withTool(HI))) {
            wire.until("Hello");
            isSeen.countDown();
            assertEquals("error", wire.reply().last().name());
        }
    }
}
