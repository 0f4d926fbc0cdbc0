package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

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
}
