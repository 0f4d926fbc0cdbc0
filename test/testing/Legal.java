package testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a client may be sent: a message (SPEC B), or the sequence of events that SPEC C.2 allows, checked event by
 * event. Anything else is an AssertionError.
 */
public final class Legal {
    private static final Set<String> MESSAGE = Set.of("id", "type", "role", "model", "content", "container",
        "context_management", "diagnostics", "stop_reason", "stop_sequence", "stop_details", "usage");
    private static final Set<String> USAGE = Set.of("input_tokens", "cache_creation_input_tokens",
        "cache_read_input_tokens", "cache_creation", "output_tokens", "output_tokens_details", "server_tool_use",
        "service_tier", "speed", "inference_geo");
    private static final Set<String> LAST_USAGE = Set.of("input_tokens", "cache_creation_input_tokens",
        "cache_read_input_tokens", "output_tokens", "output_tokens_details", "server_tool_use");
    private static final Set<String> STOP_REASONS = Set.of("end_turn", "max_tokens", "stop_sequence", "tool_use",
        "refusal", "model_context_window_exceeded");

    private final boolean failed;
    private final Set<Object> ids = new HashSet<>();
    private final List<String> inputs = new ArrayList<>();
    private final StringBuilder said = new StringBuilder();
    private final StringBuilder text = new StringBuilder(); // of the open block
    private Object open; // the type of the open block
    private int blocks;
    private int deltas; // of the open block
    private boolean signed;
    private String signature = ""; // of the block of thinking
    private boolean started;
    private Object reason;
    private boolean over;

    private Legal(boolean failed) {
        this.failed = failed;
    }

    /** {@return what the stream says: thinking, text, input of calls} If it {@code failed} it ends with an error. */
    public static String stream(String sse, boolean failed) {
        var events = new Legal(failed);
        events.check(sse);
        return events.said.toString();
    }

    /** {@return all that the message says, as the events of {@link #stream} would} */
    public static String message(String anthropic) {
        Object message;
        try {
            message = Tree.of(anthropic);
        } catch (IllegalArgumentException e) {
            if (!RandomJson.isDuplicate(e)) throw e;
            assertTrue(RandomJson.isObject(anthropic), "an object");
            return "";
        }
        head(message);
        Set<Object> ids = new HashSet<>();
        var said = new StringBuilder();
        for (Object block : (List<?>) Tree.at(message, "content")) {
            String type = (String) Tree.at(block, "type");
            switch (type) {
                case "text" -> assertTrue(Tree.at(block, "text") instanceof String text && !text.isBlank(), "text");
                case "thinking" -> assertTrue(Tree.at(block, "thinking") instanceof String text
                        && Tree.at(block, "signature") instanceof String signature
                        && isThinking(text, signature), "thinking and its signature");
                case "tool_use" -> {
                    assertTrue(Tree.at(block, "input") instanceof Map, "input");
                    call(block, ids);
                }
                case "redacted_thinking" -> assertEquals(Set.of("type", "data"), ((Map<?, ?>) block).keySet());
                case "server_tool_use" -> search(block, true);
                case "web_search_tool_result" -> searchResult(block);
                default -> throw new AssertionError("a block of type " + type);
            }
            if (type.startsWith("redacted") || type.startsWith("server") || type.startsWith("web")) continue;
            said.append(type.equals("tool_use") ? RandomJson.write(Tree.at(block, "input")) : Tree.at(block, type));
        }
        end(message, Tree.at(message, "usage"), !ids.isEmpty());
        return said.toString();
    }

    private static void head(Object message) {
        assertEquals(MESSAGE, names(message));
        assertEquals(USAGE, names(Tree.at(message, "usage")));
        assertEquals("message", Tree.at(message, "type"));
        assertEquals("assistant", Tree.at(message, "role"));
        assertTrue(Tree.at(message, "id") instanceof String id && id.startsWith("msg_"), "the message's id");
    }

    private static Set<?> names(Object object) {
        return ((Map<?, ?>) object).keySet();
    }

    /** {@return whether there is text, or in the signature what the backend wants back} */
    private static boolean isThinking(String text, String signature) {
        boolean isKept = signature.matches("a2o1\\.\\w+\\.[\\w-]+");
        return !signature.isEmpty() && (!text.isEmpty() || isKept);
    }

    private static void search(Object block, boolean isWhole) {
        assertEquals(Set.of("type", "id", "name", "input", "caller"), names(block));
        assertTrue(Tree.at(block, "id") instanceof String id && id.startsWith("srvtoolu_"), "the id of a search");
        assertTrue(Tree.at(block, "name") instanceof String name && name.startsWith("web_"), "a search's name");
        assertTrue(Tree.at(block, "input") instanceof Map<?, ?> input && input.isEmpty() != isWhole, "a search's input");
    }

    private static void searchResult(Object block) {
        assertEquals(Set.of("type", "tool_use_id", "content", "caller"), names(block));
        if (!(Tree.at(block, "content") instanceof List<?> results)) {
            assertEquals("web_search_tool_result_error", Tree.at(block, "content.type"));
            assertEquals("unavailable", Tree.at(block, "content.error_code"));
            return;
        }
        for (Object result : results) {
            assertEquals(Set.of("type", "url", "title", "encrypted_content", "page_age"), names(result));
            assertTrue(Tree.at(result, "url") instanceof String && Tree.at(result, "title") instanceof String, "a result");
        }
    }

    private static void call(Object block, Set<Object> ids) {
        assertEquals(Set.of("type", "id", "name", "input", "caller"), names(block));
        assertTrue(Tree.at(block, "id") instanceof String id && !id.isEmpty() && ids.add(id), () -> "id empty or used: "
                + Tree.at(block, "id"));
        assertTrue(Tree.at(block, "name") instanceof String name && !name.isEmpty(), "name");
        assertEquals("direct", Tree.at(block, "caller.type"));
    }

    /** {@code delta} holds how the message ends, in both forms. */
    private static void end(Object delta, Object usage, boolean called) {
        Object reason = Tree.at(delta, "stop_reason");
        assertTrue(STOP_REASONS.contains(reason), () -> "stop_reason " + reason);
        assertEquals(reason.equals("stop_sequence"), Tree.at(delta, "stop_sequence") instanceof String,
                "stop_sequence");
        assertEquals(reason.equals("refusal"), Tree.at(delta, "stop_details") instanceof Map, "stop_details");
        assertTrue(!reason.equals("tool_use") || called, "tool_use without a call");
        assertTrue(!reason.equals("end_turn") || !called, "end_turn with a call");
        for (String name : List.of("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
                "output_tokens")) {
            assertTrue(Tree.at(usage, name) instanceof Tree.Num number && number.text().matches("\\d{1,16}"), () -> name
                    + ": " + Tree.at(usage, name));
        }
    }

    private void check(String sse) {
        assertTrue(sse.endsWith("\n\n"), "the last event does not end with a blank line");
        String[] events = sse.split("\n\n");
        for (String event : events) {
            String[] lines = event.split("\n", -1);
            assertEquals(2, lines.length, event);
            assertTrue(lines[0].startsWith("event: ") && lines[1].startsWith("data: "), event);
            Object data = Tree.of(lines[1].substring("data: ".length()));
            assertEquals(lines[0].substring("event: ".length()), Tree.at(data, "type"), event);
            assertFalse(over, "an event after the last: " + event);
            event((String) Tree.at(data, "type"), data);
        }
        assertTrue(over, "no end");
    }

    private void event(String type, Object data) {
        if (type.equals("error")) {
            assertTrue(failed && Tree.at(data, "error.message") instanceof String, "an error");
            assertEquals(null, reason, "an error after message_delta");
            over = true;
            return;
        }
        if (type.equals("ping")) return;
        assertEquals(!type.equals("message_start"), started, "begun");
        assertTrue(reason == null || type.equals("message_stop"), () -> type + " after message_delta");
        switch (type) {
            case "message_start" -> {
                started = true;
                head(Tree.at(data, "message"));
                assertEquals(List.of(), Tree.at(data, "message.content"));
            }
            case "content_block_start" -> start(Tree.at(data, "content_block"), Tree.at(data, "index"));
            case "content_block_delta" -> delta(Tree.at(data, "delta"), Tree.at(data, "index"));
            case "content_block_stop" -> stop(Tree.at(data, "index"));
            case "message_delta" -> {
                assertEquals(null, open, "a block is open at the end");
                assertEquals(LAST_USAGE, names(Tree.at(data, "usage")));
                assertEquals(Set.of("container", "stop_reason", "stop_sequence", "stop_details"),
                        names(Tree.at(data, "delta")));
                reason = Tree.at(data, "delta.stop_reason");
                end(Tree.at(data, "delta"), Tree.at(data, "usage"), !ids.isEmpty());
            }
            case "message_stop" -> {
                assertTrue(reason != null && !failed, "message_stop before message_delta, or although it failed");
                over = true;
                for (String input : inputs) {
                    boolean mayBeCut = !reason.equals("tool_use") && !reason.equals("end_turn");
                    assertTrue(input.isEmpty() || mayBeCut || RandomJson.isObject(input), () -> "input " + input);
                }
            }
            default -> throw new AssertionError("event " + type);
        }
    }

    private void start(Object block, Object index) {
        assertEquals(null, open, "two blocks are open");
        assertEquals(new Tree.Num(String.valueOf(blocks)), index);
        blocks++;
        deltas = 0;
        signed = false;
        text.setLength(0);
        open = Tree.at(block, "type");
        switch ((String) open) {
            case "text" -> assertEquals(Tree.of("{\"type\":\"text\",\"text\":\"\",\"citations\":null}"), block);
            case "thinking" -> assertEquals(Map.of("type", "thinking", "thinking", "", "signature", ""), block);
            case "tool_use" -> {
                call(block, ids);
                assertEquals(Map.of(), Tree.at(block, "input"));
            }
            case "redacted_thinking" -> assertEquals(Set.of("type", "data"), ((Map<?, ?>) block).keySet());
            case "server_tool_use" -> search(block, false);
            case "web_search_tool_result" -> searchResult(block);
            default -> throw new AssertionError("a block of type " + open);
        }
    }

    private void delta(Object delta, Object index) {
        assertEquals(new Tree.Num(String.valueOf(blocks - 1)), index);
        assertFalse(signed, "a delta after the signature");
        String fits = switch (String.valueOf(open)) {
            case "text" -> "text_delta";
            case "tool_use", "server_tool_use" -> "input_json_delta";
            case "thinking" -> Tree.at(delta, "type").equals("signature_delta") ? "signature_delta"
                    : "thinking_delta";
            default -> "none: no block is open";
        };
        assertEquals(fits, Tree.at(delta, "type"));
        deltas++;
        signed = fits.equals("signature_delta");
        String piece = (String) Tree.at(delta, switch (fits) {
            case "text_delta" -> "text";
            case "thinking_delta" -> "thinking";
            case "signature_delta" -> "signature";
            default -> "partial_json";
        });
        if (signed) signature = piece;
        if (signed) assertFalse(piece.isEmpty(), "an empty signature");
        if (signed) return;
        text.append(piece);
        if (!open.equals("server_tool_use")) said.append(piece);
    }

    private void stop(Object index) {
        assertEquals(new Tree.Num(String.valueOf(blocks - 1)), index);
        switch (String.valueOf(open)) {
            case "text" -> assertFalse(text.toString().isBlank(), "a block without text");
            case "thinking" -> assertTrue(signed && isThinking(text.toString(), signature),
                    "a block of thinking without a signature or text");
            case "server_tool_use" -> assertTrue(RandomJson.isObject(text.toString()), "a search's input");
            case "web_search_tool_result" -> assertEquals(0, deltas);
            case "tool_use" -> {
                assertTrue(deltas > 0, "tool_use without input_json_delta");
                inputs.add(text.toString());
            }
            case "redacted_thinking" -> assertEquals(0, deltas);
            default -> throw new AssertionError("no block is open");
        }
        open = null;
    }
}
