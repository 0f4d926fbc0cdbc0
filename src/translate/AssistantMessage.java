package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import json.Json;
import json.JsonWriter;

/**
 * One turn of the assistant's as one message of chat completions: gathered block by block, then written.
 * {@code [{"type":"thinking",…},{"type":"text","text":T},{"type":"tool_use","id":I,"name":N,"input":X}]} becomes
 * {@code {"role":"assistant","content":T,"reasoning_content":…,"tool_calls":[{"id":I,"type":"function",
 * "function":{"name":N,"arguments":"X"}}]}}. Where among the calls a text stood is lost.
 *
 * <p>Source: Anthropic Messages, "Content blocks"; OpenAI chat completions, "assistant message".
 */
final class AssistantMessage {
    private static final Json.Str BLANK_LINE = JsonWriter.text("\n\n");

    private final Turns.AssistantTurn turn;
    private final Request request;
    private final Dialect dialect;
    private final Blocks blocks;
    private final List<Json.Str> texts = new ArrayList<>(); // with what stands between them
    private final List<Json.Str> thoughts = new ArrayList<>();
    private final List<Json> reasoningDetails = new ArrayList<>();
    private final Map<String, Json> extraContents = new HashMap<>(); // by the id of their call
    private String thoughtsField = Opaque.FIELDS.getFirst(); // that the backend itself sent them under

    AssistantMessage(Turns.AssistantTurn turn, Request request, Dialect dialect, Blocks blocks) {
        this.turn = turn;
        this.request = request;
        this.dialect = dialect;
        this.blocks = blocks;
        turn.messages().forEach(this::gather);
    }

    private void gather(Json message) {
        boolean isApart = true; // whether something other than text stood since the last text
        for (Json block : Blocks.of(message, "content")) {
            boolean isText = Blocks.isKind(block, "text");
            Optional<Json.Str> text = blocks.text(block);
            if (text.isPresent()) addText(text.get(), isApart || !isText);
            if (!isText) {
                isApart = true;
            } else if (text.isPresent()) {
                isApart = false;
            }
            if (Blocks.isKind(block, "thinking")) addThought(block);
            if (Blocks.isKind(block, "redacted_thinking")) addOpaque(block.get("data").text());
        }
    }

    private void addText(Json.Str text, boolean isApart) {
        if (isApart && !texts.isEmpty()) texts.add(BLANK_LINE);
        texts.add(text);
    }

    private void addThought(Json block) {
        String signature = block.get("signature").text();
        Optional<Json.Str> thought = blocks.thought(block);
        if (thought.isPresent()) {
            thoughts.add(thought.get());
            String field = Opaque.field(signature);
            thoughtsField = Opaque.FIELDS.contains(field) ? field : Opaque.FIELDS.getFirst();
        }
        addOpaque(signature);
    }

    /** Adds what the backend wants back as it gave it, as far as it takes that. */
    private void addOpaque(String signature) {
        Json kept = Opaque.of(signature);
        if (dialect.takes("reasoning_content")) reasoningDetails.addAll(kept.get("reasoning_details").items());
        if (!dialect.takes("extra_content")) return;
        Json[] extras = kept.get("extra_content").parts();
        for (int i = 0; i < extras.length; i += 2) extraContents.put(extras[i].text(), extras[i + 1]);
    }

    /** {@return the beginning of the reply, which the client gave; "" unless this turn ends the conversation} */
    String prefill() {
        return turn.isLast() ? text().text().stripTrailing() : ""; // backends refuse space at the end
    }

    private Json.Str text() {
        return texts.size() == 1 ? texts.getFirst() : JsonWriter.text(texts.toArray());
    }

    void write(JsonWriter out) {
        out.object().field("role", "assistant");
        content(out);
        reasoning(out);
        toolCalls(out);
        out.endObject();
    }

    private void content(JsonWriter out) {
        boolean isNothing = texts.isEmpty() && !turn.calls().isEmpty();
        if (isNothing && !dialect.refusesNullContent()) {
            out.nullField("content");
        } else if (turn.isLast()) {
            out.field("content", prefill());
        } else {
            out.field("content", text());
        }
    }

    /** Gives reasoning back as it came: in details, or else as text under the key that it came under. */
    private void reasoning(JsonWriter out) {
        boolean isDetailed = !reasoningDetails.isEmpty() && dialect.takes("reasoning_details");
        if (isDetailed) {
            out.name("reasoning_details").array();
            reasoningDetails.forEach(out::value);
            out.endArray();
        } else if (!thoughts.isEmpty()) {
            out.field(thoughtsField, Blocks.joined(thoughts, "\n\n"));
        }
        boolean isMissing = thoughts.isEmpty() && dialect.requires("reasoning_content");
        if (isMissing) out.field("reasoning_content", " ");
    }

    private void toolCalls(JsonWriter out) {
        if (turn.calls().isEmpty()) return;
        out.name("tool_calls").array();
        for (Json call : turn.calls()) toolCall(call, out);
        out.endArray();
    }

    private void toolCall(Json block, JsonWriter out) {
        Json input = request.optional(block, "input", Shape.OBJECT);
        Json.Str id = request.text(block, "id");
        out.object().field("id", id).field("type", "function");
        Json extraContent = extraContents.get(id.text());
        if (extraContent != null) out.field("extra_content", extraContent);
        out.name("function").object().field("name", ToolNames.shortName(request.text(block, "name")));
        out.name("arguments").openString();
        if (input.isNull()) {
            out.piece("{}");
        } else {
            out.pieceOf(input);
        }
        out.closeString().endObject().endObject();
    }
}
