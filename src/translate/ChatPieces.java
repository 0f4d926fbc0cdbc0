package translate;

import java.util.ArrayList;
import java.util.List;
import json.Json;
import json.JsonWriter;

/**
 * The pieces in one choice of a reply or chunk of OpenAI's chat completions, in the order in which they
 * belong into the reply. It keeps nothing from one choice to the next.
 *
 * <pre>
 *  {"delta":{"content":"Hel"},…}                               Answer "Hel"
 *  {"message":{"reasoning":"Hm","content":"Hi"},…}             Reasoning "Hm", Answer "Hi"
 *  {"delta":{"tool_calls":[{"index":0,"function":{…}}]},…}     Call
 * </pre>
 * Source: OpenAI, "The chat completion object", "The chat completion chunk object"; SPEC B.2 and D.2.
 */
final class ChatPieces {
    /** What details of reasoning, and parts of content that are reasoning, are said to have come under. */
    private static final String FIELD = "reasoning";

    private final List<Piece> pieces = new ArrayList<>();

    private ChatPieces() { }

    /** {@return what a delta brings, or a message, which is {@code isWhole}} */
    static List<Piece> of(Json delta, boolean isWhole) {
        var found = new ChatPieces();
        found.delta(delta, isWhole);
        return found.pieces;
    }

    /** {@return only the calls of a message} */
    static List<Piece> calls(Json message) {
        var found = new ChatPieces();
        found.toolCalls(message, true);
        return found.pieces;
    }

    /** {@return the text of a legacy completion, or of another kind of content} */
    static List<Piece> text(Json content) {
        var found = new ChatPieces();
        found.content(content);
        return found.pieces;
    }

    private void delta(Json delta, boolean isWhole) {
        reasoning(delta, isWhole);
        Json content = delta.get("content");
        content.items().forEach(this::part);
        content(content);
        if (content.isNull()) content(delta.get("audio").get("transcript"));
        refusal(delta.get("refusal"));
        toolCalls(delta, isWhole);
    }

    /** The same reasoning may stand under several keys, so only the first that has text counts. */
    private void reasoning(Json delta, boolean isWhole) {
        for (String list : Opaque.LISTS) {
            delta.get(list).items().forEach(detail -> pieces.add(new Piece.Detail(detail, list)));
        }
        for (String field : Opaque.FIELDS) {
            Json text = reasoningText(delta.get(field));
            if (text instanceof Json.Str str && str.hasText()) {
                pieces.add(new Piece.Reasoning(str, field));
                return;
            }
        }
        for (Json detail : delta.get("reasoning_details").items()) {
            thought(detail.get(detail.get("text").hasText() ? "text" : "summary"));
        }
        for (String field : Opaque.FIELDS) {
            if (!delta.get(field).isNull()) return; // all of it was said there
        }
        delta.get("thinking_blocks").items().forEach(block -> thinking(block, isWhole));
    }

    /** A block of Claude's. In a stream, the one with the signature may say all of its text once more. */
    private void thinking(Json block, boolean isWhole) {
        boolean isRepeated = !isWhole && block.get("signature").hasText();
        if (!isRepeated) thought(block.get("thinking"));
    }

    /** {@return the reasoning under one of the keys; in some gateways that is an object} */
    private static Json reasoningText(Json value) {
        if (!(value instanceof Json.Obj)) return value;
        return value.get(value.get("content").isNull() ? "text" : "content");
    }

    private void thought(Json text) {
        if (text instanceof Json.Str str && str.hasText()) pieces.add(new Piece.Reasoning(str, FIELD));
    }

    /** A part of content that is an array, {@code {"type":"text","text":T}}. */
    private void part(Json part) {
        switch (part.get("type").text()) {
            case "text" -> content(part.get("text"));
            case "refusal" -> refusal(part.get("refusal"));
            case "thinking" -> { // Mistral: {"type":"thinking","thinking":[{"type":"text","text":T}]}
                thought(part.get("thinking"));
                part.get("thinking").items().forEach(inner -> thought(inner.get("text")));
            }
            case "image_url" -> content(JsonWriter.text("[image]"));
            default -> { } // dropped: parts that a message has no room for
        }
    }

    /** Text; a number or an object in its place is shown as it is written. */
    private void content(Json content) {
        switch (content) {
            case Json.Str text when text.hasText() -> pieces.add(new Piece.Answer(text));
            case Json.Num number -> pieces.add(new Piece.Answer(JsonWriter.text(number.raw())));
            case Json.Obj object -> pieces.add(new Piece.Answer(JsonWriter.text(object.raw())));
            case Json.Str empty -> { }
            case Json.Arr parts -> { } // read one by one
            case Json.Word word -> { }
        }
    }

    private void refusal(Json text) {
        if (text instanceof Json.Str str && str.hasText()) {
            pieces.add(new Piece.Refusal(str));
        } else {
            content(text);
        }
    }

    /** {@code tool_calls}, and {@code function_call} of old servers. */
    private void toolCalls(Json delta, boolean isWhole) {
        for (Json call : delta.get("tool_calls").items()) {
            Json function = call.get(call.get("function").isNull() ? "custom" : "function");
            pieces.add(call(call, function, isWhole));
        }
        if (delta.get("function_call") instanceof Json.Obj function) pieces.add(call(delta, function, false));
    }

    /** {@code {"index":I,"id":…,"function":{"name":N,"arguments":A}}}, any of it missing. */
    private static Piece call(Json call, Json function, boolean isWhole) {
        return new Piece.Call(call.get("index"), call.get("id"), function.get("name"),
                function.get("arguments"), function.get("input"), call.get("extra_content"), isWhole);
    }
}
