package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What {@code --check} reads in a reply of A2o's, whole or as events. */
class CheckReplyTest {
    private static final String BLOCK = """
            event: content_block_start
            data: {"type":"content_block_start","index":0,"content_block":%s}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":%s}

            """;
    private static final String TEXT = BLOCK.formatted("{\"type\":\"text\",\"text\":\"\"}",
            "{\"type\":\"text_delta\",\"text\":\"Answer: \\\"391\\\"\\n\"}");
    private static final String END = """
            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":%d}}

            event: message_stop
            data: {"type":"message_stop"}

            """;

    private static CheckReply events(String... events) {
        return CheckReply.of(200, String.join("", events), 0.5, 2);
    }

    @Test
    void textIsReadAndShownInALine() {
        CheckReply reply = events(TEXT, END.formatted(9));
        assertEquals("Answer: \"391\"\n", reply.text());
        assertEquals("Answer: \"391\"", reply.summary());
        assertTrue(reply.isGood());
        assertEquals(9, reply.outputTokens());
        assertEquals(4.5, reply.tokensPerSecond());
    }

    @Test
    void theStopSequenceIsTheOneThatIsTold() {
        assertEquals("", events(TEXT, END.formatted(9)).stopSequence());
        String met = END.replace("\"end_turn\"", "\"stop_sequence\",\"stop_sequence\":\"7\"").formatted(9);
        assertEquals("7", events(TEXT, met).stopSequence());
    }

    @Test
    void wordsBeforeAColonAreNoReasoning() {
        assertFalse(events(TEXT, END.formatted(9)).hasThinking());
    }

    @Test
    void reasoningIsShownWithTheFieldThatItCameIn() {
        String thinking = BLOCK.formatted("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}",
                "{\"type\":\"thinking_delta\",\"thinking\":\"17*23\"}");
        String signature = BLOCK.formatted("{}", "{\"type\":\"signature_delta\",\"signature\":\"a2o1.reasoning\"}");
        CheckReply reply = events(thinking, signature, END.formatted(9));
        assertTrue(reply.hasThinking());
        assertEquals("reasoning: 17*23", reply.summary());
    }

    @Test
    void callsAreCounted() {
        String call = BLOCK.formatted("{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{}}",
                "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":1}\"}");
        CheckReply reply = events(call, call, END.formatted(9));
        assertEquals(2, reply.calls());
        assertEquals("calls 2: {\"a\":1}{\"a\":1}", reply.summary());
    }

    @Test
    void aStreamThatEndsWithAnErrorIsNotGood() {
        String error = """
                event: error
                data: {"type":"error","error":{"type":"api_error","message":"the connection broke"}}

                """;
        CheckReply reply = events(TEXT, error);
        assertTrue(reply.isError());
        assertFalse(reply.isGood());
    }

    @Test
    void aWholeReplyIsReadAsTheEventsAre() {
        CheckReply reply = CheckReply.of(200, """
                {"type":"message","content":[{"type":"thinking","thinking":"hm","signature":"a2o1.thinking"},
                {"type":"text","text":"OK."}],"usage":{"output_tokens":3}}""", 0, 0);
        assertTrue(reply.isGood());
        assertEquals("thinking: hmOK.", reply.summary());
        assertEquals(3, reply.outputTokens());
        assertEquals(0, reply.tokensPerSecond(), "all came at once");
    }

    @Test
    void anErrorIsShownWithItsStatus() {
        CheckReply reply = CheckReply.of(404, """
                {"type":"error","error":{"type":"not_found_error","message":"no such model"},"request_id":"r"}""", 0, 0);
        assertTrue(reply.isError());
        assertEquals("404: no such model", reply.summary());
        assertEquals("504: no reply in time", CheckReply.missing().summary());
    }

    @Test
    void anEmptyReplyIsNotGood() {
        assertFalse(events(END.formatted(0)).isGood());
    }
}
