package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Pair;
import testing.Tree;
import testing.Wire;

/** A stop sequence that the reply reaches is told, and the backend is left there. */
class StopTest {
    private static final String UNTIL_END = """
            {"model":"m","max_tokens":9,%s"stop_sequences":["never","END"],
            "messages":[{"role":"user","content":"hi"}]}""";

    private static String request(boolean isStream) {
        return UNTIL_END.formatted(isStream ? "\"stream\":true," : "");
    }

    @TestFactory
    Stream<DynamicTest> theBackendIsLeftAtTheFirstThatComes() {
        return Stream.of(true, false).map(isStream -> DynamicTest.dynamicTest("stream " + isStream, () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(call -> {
                    call.events().data(Backend.chunk("before E"), Backend.chunk("ND after")).awaitLeft();
                });
                Wire.Reply reply = pair.post(request(isStream));
                Object sent = Tree.of(pair.backend.take().text());
                assertNull(Tree.at(sent, "stop"));
                assertEquals(true, Tree.at(sent, "stream"));
                String place = isStream ? "delta." : "";
                Object last = isStream ? reply.events().get(reply.events().size() - 2).data() : reply.json();
                assertEquals("stop_sequence", Tree.at(last, place + "stop_reason"));
                assertEquals("END", Tree.at(last, place + "stop_sequence"));
                if (isStream) assertEquals("before ", reply.said());
                if (!isStream) assertEquals("before ", Tree.at(last, "content.0.text"));
            }
        }));
    }

    @Test
    void aBackendThatDoesNotStreamIsReadToTheFirstThatComes() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(call ->
                    call.reply(200, "application/json", Backend.completion("before END after never")));
            Wire.Reply reply = pair.post(request(false));
            assertEquals("stop_sequence", reply.text("stop_reason"));
            assertEquals("before ", reply.text("content.0.text"));
        }
    }

    @Test
    void aReplyThatReachesNoneEndsAsItDid() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(Backend.saying("the E", "N"));
            Wire.Reply reply = pair.post(request(false));
            assertEquals("end_turn", reply.text("stop_reason"));
            assertEquals("the EN", reply.text("content.0.text"));
        }
    }

    /** {@return the end of a reply as a server says it that names what it has met} */
    private static String end(String member, String value) {
        return "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"%s\":%s}]}".formatted(member, value);
    }

    /** As vLLM and SGLang do; null and the number of a token say that it was none. */
    @TestFactory
    Stream<DynamicTest> aBackendThatNamesWhatItHasMetGetsThemFromThenOn() {
        return Stream.of("stop_reason null", "stop_reason 128009", "matched_stop null", "matched_stop 2").map(said ->
                DynamicTest.dynamicTest(said, () -> {
                    try (var pair = new Pair()) {
                        String member = said.split(" ")[0];
                        pair.backend.answers(call -> call.events().data(Backend.chunk("hi"), end(member, said.split(" ")[1])));
                        pair.post(request(true));
                        assertNull(sent(pair, "stop"), "nothing is known yet");
                        pair.backend.answers(call -> {
                            String choice = Backend.completion("before ").replace("\"finish_reason\"", "\"%s\":\"END\",\"finish_reason\"".formatted(member));
                            call.reply(200, "application/json", choice);
                        });
                        Wire.Reply reply = pair.post(request(false));
                        Object second = Tree.of(pair.backend.take().text());
                        assertEquals(List.of("never", "END"), Tree.at(second, "stop"));
                        assertNull(Tree.at(second, "stream"), "it will end there by itself");
                        assertEquals("stop_sequence END", reply.text("stop_reason") + " " + reply.text("stop_sequence"));
                    }
                }));
    }

    /** There the backend would look in calls and in reasoning too. */
    @TestFactory
    Stream<DynamicTest> whereMoreThanTextMayComeItGetsNone() {
        return Stream.of("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2048},", "\"thinking\":{\"type\":\"adaptive\"},",
                "\"tools\":[{\"name\":\"t\",\"input_schema\":{\"type\":\"object\"}}],").map(member -> DynamicTest.dynamicTest(member, () -> {
                    try (var pair = new Pair()) {
                        pair.backend.answers(call -> call.events().data(Backend.chunk("hi"), end("stop_reason", "null")));
                        for (int i = 0; i < 2; i++) {
                            pair.post(request(true).replaceFirst("\\{", "{" + member).replace("\"max_tokens\":9", "\"max_tokens\":9000"));
                            assertNull(sent(pair, "stop"));
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> aBackendThatDoesNotNameThemOrThinksGetsNone() {
        String thought = Backend.chunk("hi").replace("\"content\"", "\"reasoning_content\":\"Hm\",\"content\"");
        return Stream.of(new String[] {Backend.chunk("hi"), end("stop_reason", "\"end_turn\"")}, new String[] {Backend.chunk("hi"), end("x", "null")},
                new String[] {thought, end("stop_reason", "null")}).map(said -> DynamicTest.dynamicTest(String.join("", said), () -> {
                    try (var pair = new Pair()) {
                        pair.backend.answers(call -> call.events().data(said));
                        for (int i = 0; i < 2; i++) {
                            pair.post(request(true));
                            assertNull(sent(pair, "stop"));
                        }
                    }
                }));
    }

    /** A model that began to think after it was known gets none any more. */
    @Test
    void aModelThatThinksLaterGetsNoneFromThenOn() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(call -> call.events().data(Backend.chunk("hi"), end("stop_reason", "null")));
            pair.post(request(true));
            String thought = Backend.chunk("hi").replace("\"content\"", "\"reasoning_content\":\"Hm\",\"content\"");
            pair.backend.answers(call -> call.events().data(thought, end("stop_reason", "null")));
            pair.post(request(true));
            pair.backend.answers(call -> call.events().data(Backend.chunk("hi"), end("stop_reason", "null")));
            pair.post(request(true));
            pair.post(request(true));
            assertNull(sent(pair, "stop"));
            assertEquals(List.of("never", "END"), sent(pair, "stop"));
            assertNull(sent(pair, "stop"));
            assertNull(sent(pair, "stop"));
        }
    }

    private static Object sent(Pair pair, String member) throws Exception { return Tree.at(Tree.of(pair.backend.take().text()), member); }

    /** Reasoning, also in tags, and the arguments of calls may hold what looks like one. */
    @TestFactory
    Stream<DynamicTest> onlyTextIsLookedThrough() {
        String thought = Backend.chunk("").replace("\"content\":\"\"", "\"reasoning_content\":\"not the END yet\"");
        String call = "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":"
                + "{\"name\":\"t\",\"arguments\":\"{\\\"a\\\":\\\"END\\\"}\"}}]},\"finish_reason\":null}]}";
        String end = "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}";
        return Stream.of(thought, Backend.chunk("<think>not the EN") + "\n\ndata: " + Backend.chunk("D yet</think>")).flatMap(first ->
                Stream.of(true, false).map(isStream -> DynamicTest.dynamicTest(isStream + first, () -> {
                    try (var pair = new Pair()) {
                        pair.backend.answers(one -> one.events().data(first, Backend.chunk("so E"), Backend.chunk("N"), call, end, "[DONE]"));
                        String tools = "\"tools\":[{\"name\":\"t\",\"input_schema\":{\"type\":\"object\"}}],";
                        Wire.Reply reply = pair.post(request(isStream).replaceFirst("\\{", "{" + tools));
                        Object last = isStream ? reply.events().get(reply.events().size() - 2).data() : reply.json();
                        assertEquals("tool_use", Tree.at(last, (isStream ? "delta." : "") + "stop_reason"));
                        String body = reply.body();
                        assertTrue(isStream ? body.contains("\\\"END\\\"") : "END".equals(reply.text("content.2.input.a")), body);
                    }
                })));
    }

    /** What follows in the same chunk is no part of the reply, and the tokens are told by an estimate. */
    @Test
    void afterItNothingComesAndTheTokensAreTold() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(call -> call.events().data(Backend.chunk("some words before END and after never"), Backend.chunk("more")).awaitLeft());
            Wire.Reply reply = pair.post(request(false));
            assertEquals("some words before ", reply.text("content.0.text"));
            for (String side : List.of("input", "output")) {
                Tree.Num tokens = (Tree.Num) Tree.at(reply.json(), "usage." + side + "_tokens");
                assertTrue(Long.parseLong(tokens.text()) > 1, reply.body());
            }
        }
    }
}
