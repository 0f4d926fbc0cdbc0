package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import json.JsonWriter;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.Proxies;
import testing.RandomJson;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/**
 * A call that was cut must not become one that can be run (SPEC C.5), whatever the backend says of its end: a client
 * would run {@code touch out/ran-}. Seen through the proxy, streamed and whole, from backends that stream and do not.
 */
class CutCallTest {
    private static final Logger LOG = Logger.getLogger("a2o"); // held, or its level would be lost
    private static final String ASKED = """
            {"model":"m","max_tokens":1000,"stream":%s,"messages":[{"role":"user","content":"go"}],
            "tools":[{"name":"Bash","input_schema":{"type":"object","properties":{"command":{"type":"string"}}}}]}""";
    /** Beginnings of calls, each cut somewhere else. */
    private static final List<String> CUT = List.of("{\"command\":\"touch out/ran-", "{\"command\":\"", "{\"comm",
            "{\"command\":\"a\",\"timeout\":12", "{\"command\":\"a\",", "{\"command\":\"a\\", "{\"command\":[\"a\",\"b",
            "\"{\\\"command\\\":\\\"touch out/ran-", "\"{\\\"command\\\":\\\"touch out/ran-\"", "{");

    private static String quoted(String text) {
        return new JsonWriter().string(text).toString();
    }

    private static String call(String arguments) {
        return "{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"Bash\",\"arguments\":%s}}"
                .formatted(quoted(arguments));
    }

    private static Backend.Script streaming(String arguments, String finish) {
        return backend -> {
            backend.events().data("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[%s]}}]}".formatted(call("")));
            for (int at = 0; at < arguments.length(); at++) { // a character at a time
                backend.data("""
                        {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}}]}"""
                        .formatted(quoted(arguments.substring(at, at + 1))));
            }
            backend.data("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}".formatted(finish),
                    Backend.USAGE, "[DONE]").end();
        };
    }

    private static Backend.Script whole(String arguments, String finish) {
        return backend -> backend.reply(200, "application/json", """
                {"choices":[{"index":0,"finish_reason":"%s","message":{"role":"assistant","content":null,
                "tool_calls":[%s]}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"""
                .formatted(finish, call(arguments)));
    }

    private static String input(Wire.Reply reply) {
        var input = new StringBuilder();
        for (Wire.Event event : reply.events()) {
            if (event.name().equals("content_block_delta")) input.append(event.text("delta.partial_json"));
        }
        return input.toString();
    }

    @TestFactory
    Stream<DynamicTest> noneCanBeRun() {
        return CUT.stream().flatMap(cut -> Stream.of("tool_calls", "stop", "STOP", "length", "function_call")
                .map(finish -> DynamicTest.dynamicTest(cut + " and " + finish, () -> check(cut, finish))));
    }

    private static void check(String cut, String finish) throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (Backend.Script script : List.of(streaming(cut, finish), whole(cut, finish))) {
                backend.answers(script);
                Wire.Reply stream = Wire.post(proxy.port(), ASKED.formatted(true));
                assertFalse(RandomJson.isObject(input(stream)), input(stream));
                assertFalse(input(stream).isEmpty(), "nothing is as good as {}");
                Wire.Event end = stream.events().get(stream.events().size() - 2);
                assertEquals("max_tokens", end.text("delta.stop_reason"));
                assertEquals("message_stop", stream.last().name());

                Wire.Reply whole = Wire.post(proxy.port(), ASKED.formatted(false));
                assertEquals("{}", Tree.at(whole.json(), "content.0.input").toString());
                assertEquals("max_tokens", whole.text("stop_reason"));
                assertTrue(whole.headers().get("x-proxy-warnings").contains("tool_call_cut"), whole.toString());
            }
        }
    }

    @Test
    void aWholeOneIsRunAsBefore() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            String arguments = "{\"command\":\"ls\"}";
            backend.answers(streaming(arguments, "tool_calls"));
            Wire.Reply stream = Wire.post(proxy.port(), ASKED.formatted(true));
            assertEquals(arguments, input(stream));
            long empty = stream.events().stream().filter(event -> event.text("delta.partial_json").isEmpty()).count();
            assertEquals(1, empty, "the first, and no other: " + stream.body());
            assertEquals("tool_use", stream.events().get(stream.events().size() - 2).text("delta.stop_reason"));
            Wire.Reply whole = Wire.post(proxy.port(), ASKED.formatted(false));
            assertEquals("ls", whole.text("content.0.input.command"));
            assertFalse(whole.headers().containsKey("x-proxy-warnings"), whole.toString());
        }
    }

    /** In a stream that has begun there is no header any more: the log says it. */
    @Test
    @ResourceLock("log")
    void aWarningThatComesTooLateForTheHeaderIsLogged() throws Exception {
        var seen = new CountDownLatch(1);
        var logged = new CountDownLatch(1);
        var handler = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                if (entry.getMessage().contains("warnings: tool_call_cut")) logged.countDown();
            }

            @Override
            public void flush() { }

            @Override
            public void close() { }
        };
        Level before = LOG.getLevel();
        LOG.setLevel(Level.INFO);
        LOG.addHandler(handler);
        try (var backend = new Backend(); var proxy = Proxies.before(backend); var client = new Wire(proxy.port())) {
            backend.answers(call -> {
                call.events().data(Backend.chunk("Now"));
                Tasks.await(seen);
                call.data("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[%s]}}]}"
                        .formatted(call("{\"command\":\"touch out/ran-")), Backend.FINISH, "[DONE]").end();
            });
            Wire.Reply begun = client.message(ASKED.formatted(true)).until("Now");
            assertFalse(begun.headers().containsKey("x-proxy-warnings"), begun.toString());
            seen.countDown();
            assertTrue(client.reply().body().contains("\"max_tokens\""));
            Tasks.await(logged);
        } finally {
            LOG.removeHandler(handler);
            LOG.setLevel(before);
        }
    }
}
