package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import json.Json;
import json.JsonWriter;

/**
 * One turn of the assistant's as items of the Responses API, in the order of its blocks. {@code
 * [{"type":"thinking",…},{"type":"text","text":T},{"type":"tool_use","id":I,"name":N,"input":X}]} becomes
 * {@code {"type":"reasoning",…}}, {@code {"type":"message","role":"assistant","content":T}} and {@code
 * {"type":"function_call","call_id":I,"name":N,"arguments":"X"}}. Neighbouring texts are one message.
 *
 * <p>Source: Anthropic Messages, "Content blocks"; OpenAI API reference, "Create a model response", input.
 */
final class AssistantItems {
    private static final int MAX_CALL_ID = 64; // characters
    private static final int HASH_CHARACTERS = 8;
    private static final Json.Str BLANK_LINE = JsonWriter.text("\n\n");

    private final Turns.AssistantTurn turn;
    private final Request request;
    private final Dialect dialect;
    private final Blocks blocks;
    private final String place; // that envelopes must be for
    private final JsonWriter out;
    private final Map<Json, Envelope> envelopes = new IdentityHashMap<>(); // by their blocks: opened once
    private final boolean hasPhases; // whether the backend says the phase of each message, as an envelope knows
    private final List<Json.Str> texts = new ArrayList<>(); // of the message that is being made, with what is between
    private final List<JsonWriter> reasoning = new ArrayList<>(); // items that wait for the one they belong to
    private int callsWritten;

    /** @param place which backend and model this is, as envelopes say it */
    AssistantItems(Turns.AssistantTurn turn, Request request, Dialect dialect, Blocks blocks, String place,
                   JsonWriter out) {
        this.turn = turn;
        this.request = request;
        this.dialect = dialect;
        this.blocks = blocks;
        this.place = place;
        this.out = out;
        openEnvelopes();
        this.hasPhases = envelopes.values().stream().anyMatch(Envelope::hasPhases);
    }

    private void openEnvelopes() {
        for (List<Json> message : turn.messages()) {
            for (Json block : message) {
                if (isThought(block)) envelopes.put(block, envelope(block));
            }
        }
    }

    private static boolean isThought(Json block) {
        return Blocks.isKind(block, "thinking") || Blocks.isKind(block, "redacted_thinking");
    }

    private static Envelope envelope(Json block) {
        return Envelope.of(block.get(Blocks.isKind(block, "thinking") ? "signature" : "data"));
    }

    /**
     * Writes the items. {@return the beginning of the reply, which ends the conversation as it is sent; ""
     * where it is none} Dropped: reasoning that nothing follows, for it says nothing, and strict gateways
     * refuse it.
     */
    String write() {
        for (List<Json> message : turn.messages()) {
            boolean isApart = true; // whether something other than text stood since the last text
            for (Json block : message) {
                if (isThought(block)) {
                    writeMessage();
                    addReasoning(block);
                } else if (blocks.isCall(block)) {
                    writeMessage();
                    writeCall(block);
                } else {
                    isApart = addText(block, isApart);
                }
            }
        }
        String prefill = turn.isLast() ? prefill() : "";
        writeMessage();
        return prefill;
    }

    /** Adds the text of a block to the message. {@return whether the next text stands apart from it} */
    private boolean addText(Json block, boolean isApart) {
        boolean isPlain = Blocks.isKind(block, "text");
        Optional<Json.Str> text = blocks.text(block);
        if (text.isEmpty()) return isApart || !isPlain;
        boolean isParted = isApart || !isPlain;
        if (isParted && !texts.isEmpty()) texts.add(BLANK_LINE);
        texts.add(text.get());
        return !isPlain;
    }

    /** Cuts white space from the end of the last message, which the model is to go on with. {@return the message} */
    private String prefill() {
        if (texts.isEmpty()) return "";
        String prefill = Blocks.joined(texts, "").text().stripTrailing();
        texts.clear();
        if (!prefill.isEmpty()) texts.add(JsonWriter.text(prefill));
        return prefill;
    }

    /** Writes the texts gathered, if there are any, as one message. */
    private void writeMessage() {
        if (texts.isEmpty()) return;
        writeReasoning();
        out.object().field("type", "message").field("role", "assistant").name("content").openString();
        texts.forEach(out::piece);
        out.closeString();
        boolean isBeforeCalls = callsWritten < turn.calls().size();
        if (hasPhases) out.field("phase", isBeforeCalls ? "commentary" : "final_answer");
        out.endObject();
        texts.clear();
    }

    private void writeCall(Json block) {
        writeReasoning();
        callsWritten++;
        Json input = request.optional(block, "input", Shape.OBJECT);
        out.object().field("type", "function_call")
                .field("call_id", callId(dialect.callId(request.text(block, "id"))))
                .field("name", blocks.function(block))
                .name("arguments").openString();
        if (input.isNull()) {
            out.piece("{}");
        } else {
            out.pieceOf(input);
        }
        out.closeString().endObject();
    }

    /** {@return the id of a call; one from elsewhere that is too long becomes its beginning and a hash of it} */
    static Json callId(Json id) {
        String text = id.text();
        if (text.length() <= MAX_CALL_ID) return id;
        String hash = Request.hash(text).substring(0, HASH_CHARACTERS);
        return JsonWriter.text(text.substring(0, MAX_CALL_ID - HASH_CHARACTERS - 1) + "_" + hash);
    }

    /**
     * Adds the item that a thinking block came from: {@code
     * {"type":"reasoning","summary":[],"encrypted_content":E}}, or where the backend showed all of its
     * reasoning {@code {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":T}]}}.
     * Dropped: what another backend or model has made, for this one cannot open it; and summaries.
     */
    private void addReasoning(Json block) {
        Envelope envelope = envelopes.get(block);
        if (envelope.isSealed()) {
            boolean canOpen = envelope.place().equals(place) && dialect.wantsBack(envelope.encrypted());
            if (canOpen) reasoning.add(item().field("encrypted_content", envelope.encrypted()).endObject());
        } else if (envelope.isText() && dialect.wantsReasoningText() && block.get("thinking").hasText()) {
            JsonWriter item = item().name("content").array();
            item.object().field("type", "reasoning_text").field("text", block.get("thinking")).endObject();
            reasoning.add(item.endArray().endObject());
        }
    }

    private static JsonWriter item() {
        return new JsonWriter().object().field("type", "reasoning").name("summary").array().endArray();
    }

    private void writeReasoning() {
        reasoning.forEach(out::value);
        reasoning.clear();
    }
}
