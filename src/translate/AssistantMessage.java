package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import json.Json;
import json.JsonWriter;

/**
 * An assistant's turn as one message of chat completions: gathered block by block, then written.
 *
 * <pre>
 *  [{"type":"thinking","thinking":R,"signature":S},
 *   {"type":"text","text":T},
 *   {"type":"tool_use","id":I,"name":N,"input":X}]
 * </pre>
 * becomes
 * <pre>
 *  {"role":"assistant","content":T,"reasoning_content":R,
 *   "tool_calls":[{"id":I,"type":"function","function":{"name":N,"arguments":"X"}}]}
 * </pre>
 * Texts after a call lose their place. The signature says under which key R came, and holds what else the
 * backend wants back ({@link Opaque}).
 *
 * <p>Source: Anthropic Messages, "Content blocks"; OpenAI chat completions, "assistant message".
 */
final class AssistantMessage {
    private static final Json.Str BLANK_LINE = JsonWriter.text("\n\n");

    private final Turns.AssistantTurn turn;
    private final Request request;
    private final Dialect dialect;
    private final Blocks blocks;
    private final List<Json.Str> texts = new ArrayList<>(); // and the blank lines between them
    private final List<Part.Text> marked = new ArrayList<>(); // the texts up to each mark for prompt caches
    private int unmarked; // where the texts after the last mark begin
    private final List<Json.Str> thoughts = new ArrayList<>();
    private final Map<String, List<Json>> details = new LinkedHashMap<>(); // by the key of their list
    private final Map<String, Json> extraContents = new HashMap<>(); // by the id of their call
    private String thoughtsField = Opaque.FIELDS.getFirst(); // the key that the last one came under

    AssistantMessage(Turns.AssistantTurn turn, Request request, Dialect dialect, Blocks blocks) {
        this.turn = turn;
        this.request = request;
        this.dialect = dialect;
        this.blocks = blocks;
        turn.messages().forEach(this::gather);
    }

    private void gather(List<Json> message) {
        boolean continuesText = false; // whether only text blocks stood since the last text
        for (Json block : message) {
            boolean isText = Blocks.isKind(block, "text");
            Optional<Json.Str> text = blocks.text(block);
            if (text.isPresent()) {
                addText(text.get(), isText && continuesText);
                addMark(blocks.mark(block));
            }
            continuesText = isText && (text.isPresent() || continuesText);
            if (Blocks.isKind(block, "thinking")) {
                addThought(block);
            } else if (Blocks.isKind(block, "redacted_thinking")) {
                addOpaque(block.get("data"));
            }
        }
    }

    private void addText(Json.Str text, boolean continuesText) {
        if (!texts.isEmpty() && !continuesText) {
            texts.add(BLANK_LINE);
        }
        texts.add(text);
    }

    private void addMark(Json mark) {
        if (mark.isNull()) return;
        marked.add(new Part.Text(textFrom(unmarked), mark));
        unmarked = texts.size();
    }

    private void addThought(Json block) {
        Json signature = block.get("signature");
        Optional<Json.Str> thought = blocks.thought(block);
        if (thought.isPresent()) {
            thoughts.add(thought.get());
            String field = Opaque.field(signature);
            thoughtsField = Opaque.FIELDS.contains(field) ? field : Opaque.FIELDS.getFirst();
        }
        addOpaque(signature);
    }

    /** Adds what the signature holds for the backend, if the backend takes it. */
    private void addOpaque(Json signature) {
        Json kept = Opaque.of(signature);
        if (kept.isNull()) return;
        if (dialect.takes("reasoning_content")) {
            Opaque.LISTS.forEach(list -> addDetails(list, kept.get(list).items()));
        }
        if (dialect.takes("extra_content")) {
            Json[] contentByCall = kept.get("extra_content").parts();
            for (int i = 0; i < contentByCall.length; i += 2) {
                extraContents.put(contentByCall[i].text(), contentByCall[i + 1]);
            }
        }
    }

    private void addDetails(String list, List<Json> more) {
        boolean isTaken = dialect.takes(list) && !dialect.hasLostThinking();
        if (isTaken && !more.isEmpty()) details.computeIfAbsent(list, none -> new ArrayList<>()).addAll(more);
    }

    /**
     * {@return the text that the reply is to go on from, if the conversation ends with this turn; else ""}
     * Space at its end is taken off, as some backends refuse that.
     */
    String prefill() {
        return turn.isLast() ? text().text().stripTrailing() : "";
    }

    private Json.Str text() { return textFrom(0); }

    private Json.Str textFrom(int index) {
        List<Json.Str> wanted = texts.subList(index, texts.size());
        return wanted.size() == 1 ? wanted.getFirst() : JsonWriter.text(wanted.toArray());
    }

    void write(JsonWriter out) {
        out.object().field("role", "assistant");
        writeContent(out);
        writeReasoning(out);
        writeToolCalls(out);
        writeMarkOfCalls(out);
        out.endObject();
    }

    private void writeContent(JsonWriter out) {
        boolean isNothing = texts.isEmpty() && !turn.calls().isEmpty();
        if (isNothing && !dialect.refusesNullContent()) {
            out.nullField("content");
        } else if (turn.isLast()) {
            out.field("content", prefill());
        } else if (!marked.isEmpty()) {
            writeMarked(out);
        } else {
            out.field("content", text());
        }
    }

    /** Writes {@code "content":[{"type":"text","text":T,"cache_control":M},…]}. */
    private void writeMarked(JsonWriter out) {
        out.name("content").array();
        for (Part.Text part : marked) {
            out.object().field("type", "text").field("text", part.text());
            out.field("cache_control", part.cacheControl()).endObject();
        }
        if (unmarked < texts.size()) {
            out.object().field("type", "text").field("text", textFrom(unmarked)).endObject();
        }
        out.endArray();
    }

    /** Writes reasoning as it came: as details, or else as text under the key that it came under. */
    private void writeReasoning(JsonWriter out) {
        details.forEach((list, all) -> {
            out.name(list).array();
            all.forEach(out::value);
            out.endArray();
        });
        if (details.isEmpty() && !thoughts.isEmpty()) {
            out.field(thoughtsField, Blocks.joined(thoughts, "\n\n"));
        }
        boolean isMissing = thoughts.isEmpty() && dialect.requires("reasoning_content");
        if (isMissing) out.field("reasoning_content", " ");
    }

    private void writeToolCalls(JsonWriter out) {
        if (turn.calls().isEmpty()) return;
        out.name("tool_calls").array();
        for (Json call : turn.calls()) {
            writeToolCall(call, out);
        }
        out.endArray();
    }

    /** A call has no place for a mark: it goes on the message. Source: OpenRouter's provider for the AI SDK. */
    private void writeMarkOfCalls(JsonWriter out) {
        for (Json call : turn.calls().reversed()) {
            Json mark = blocks.mark(call);
            if (mark.isNull()) continue;
            out.field("cache_control", mark);
            return;
        }
    }

    private void writeExtraContent(Json.Str id, JsonWriter out) {
        Json extraContent = extraContents.get(id.text());
        if (extraContent != null) out.field("extra_content", extraContent);
    }

    private void writeToolCall(Json block, JsonWriter out) {
        Json input = request.optional(block, "input", Shape.OBJECT);
        Json.Str id = request.text(block, "id");
        out.object().field("id", dialect.callId(id)).field("type", "function");
        if (!extraContents.isEmpty()) writeExtraContent(id, out);
        out.name("function").object().field("name", blocks.function(block));
        out.name("arguments").openString();
        if (input.isNull()) {
            out.piece("{}");
        } else {
            out.pieceOf(input);
        }
        out.closeString().endObject().endObject();
    }
}
