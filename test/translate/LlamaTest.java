package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import serve.Proxy;
import testing.Backend;
import testing.Proxies;
import testing.Tree;
import testing.Wire;

/** What A2o learns from the name that llama.cpp's server gives itself in its replies. */
class LlamaTest {
    private static final String HI = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}%s]%s}";
    private static final String TOOLS = """
            ,"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"g","input_schema":{"type":"object"}}],
            "tool_choice":{"type":"tool","name":"g"}""";

    private static Backend.Script saying(String text) {
        return call -> call.reply(200, "application/json", Backend.completion(text), "Server: llama.cpp");
    }

    /** SPEC A.6: llama.cpp reads only strings, and takes an object for auto. */
    @Test
    void aForcedToolIsTheOnlyOne() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(saying("hello"));
            Wire.post(proxy.port(), HI.formatted("", ""));
            backend.take();
            Wire.post(proxy.port(), HI.formatted("", TOOLS));
            Object sent = Tree.of(new String(backend.take().body(), StandardCharsets.UTF_8));
            assertEquals("required", Tree.at(sent, "tool_choice"));
            assertEquals(1, ((List<?>) Tree.at(sent, "tools")).size());
            assertEquals("g", Tree.at(((List<?>) Tree.at(sent, "tools")).getFirst(), "function.name"));
        }
    }

    /** As llama-cpp-python's server says it, with status 500; what helps is remembered. */
    @Test
    void aCallWithoutTextGetsAnEmptyOneWhereNoneIsRefused() throws Exception {
        String refusal = """
                {"error":{"message":"[{'type': 'string_type', 'loc': ('body','messages',1,\
                'ChatCompletionRequestAssistantMessage','content'), 'msg': 'Input should be a valid string'}]"}}""";
        String request = HI.formatted("""
                ,{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"r"}]}""", "");
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(call -> call.reply(500, "application/json", refusal), saying("sunny"));
            assertEquals("sunny", Wire.post(proxy.port(), request).said());
            assertEquals("sunny", Wire.post(proxy.port(), request).said());
            assertEquals(3, backend.requests());
            for (Object content : new Object[] {null, "", ""}) {
                Object sent = Tree.of(new String(backend.take().body(), StandardCharsets.UTF_8));
                assertEquals(content, Tree.at(sent, "messages.1.content"));
            }
        }
    }

    /** Of two guesses the first does not help: it is not remembered, whoever refuses it. */
    @Test
    void whatDidNotHelpIsNotLearned() throws Exception {
        String format = ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}";
        String refusal = "{\"error\":{\"message\":\"'response_format' with 'tool_choice' is unsupported\"}}";
        Backend.Script refuse = call -> call.reply(400, "application/json", refusal, "Server: llama.cpp");
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(saying("hello"), refuse, refuse, saying("{}"), saying("{}"));
            Wire.post(proxy.port(), HI.formatted("", ""));
            String any = TOOLS.replace("tool\",\"name\":\"g", "any");
            assertEquals("{}", Wire.post(proxy.port(), HI.formatted("", any + format)).said());
            Wire.post(proxy.port(), HI.formatted("", format));
            assertEquals(5, backend.requests());
            List<Boolean> sent = new ArrayList<>();
            for (int i = 0; i < 5; i++) sent.add(backend.take().text().contains("response_format"));
            assertEquals(List.of(false, true, false, true, true), sent);
        }
    }

    /** SPEC A.4: what the client began is not said again, but what only looks like it is. */
    @Test
    void aRepeatedPrefillIsTakenOff() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            String begun = HI.formatted(",{\"role\":\"assistant\",\"content\":\"One, two,\"}", "");
            backend.answers(saying("hello"));
            Wire.post(proxy.port(), HI.formatted("", ""));
            backend.answers(saying("One, two, three"));
            assertEquals(" three", Wire.post(proxy.port(), begun).said());
            assertEquals("One, two, three", Wire.post(proxy.port(), HI.formatted("", "")).said());
            backend.answers(saying("three"));
            assertEquals("three", Wire.post(proxy.port(), begun).said());
        }
    }

    /** The server repeats what the request had begun, in whatever pieces; and whatever is held back meanwhile. */
    @Test
    void aRepeatedPrefillIsTakenOffAStreamOnce() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(saying("hello"));
            Wire.post(proxy.port(), HI.formatted("", ""));
            String format = """
                    ,"stream":true,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}""";
            assertEquals("\"a\":{\"b\":1}}", streamed(backend, proxy, "{", format,
                    "{", "\\\"a\\\":", "{\\\"b\\\":1}", "}"));
            assertEquals("\"a\":{\"b\":1}}", streamed(backend, proxy, "{", format, "{\\\"a\\\":{\\\"b\\\":1}}"));
            assertEquals("{\"a\":1}}", streamed(backend, proxy, "{\\\"x\\\":", format,
                    "{\\\"x", "\\\":", "{\\\"a\\\":1}}"));
            String plain = ",\"stream\":true";
            assertEquals(" three, One, two,", streamed(backend, proxy, "One, two,", plain,
                    "One", ", two", ",", " three,", " One, two,"));
            assertEquals("One, three", streamed(backend, proxy, "One, two,", plain, "One", ", t", "hree"));
            assertEquals("One", streamed(backend, proxy, "One, two,", plain, "One"));
            assertEquals("((", streamed(backend, proxy, "(", plain, "(", "(", "("));
        }
    }

    private static String streamed(Backend backend, Proxy proxy, String begun, String more, String... words)
            throws Exception {
        backend.answers(call -> {
            call.events("Server: llama.cpp").data(Backend.ROLE);
            for (String word : words) call.data(Backend.chunk(word));
            call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
        });
        String assistant = ",{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(begun);
        return Wire.post(proxy.port(), HI.formatted(assistant, more)).said();
    }
}
