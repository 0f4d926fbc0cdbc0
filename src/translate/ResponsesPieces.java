package translate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * Makes pieces of the items of a reply's output. Each begins, comes in deltas and ends; whatever of an item
 * has not come in deltas is taken from its end. How the reply as a whole ends is not its concern ({@link
 * ResponsesReply}).
 *
 * <p>Source: OpenAI API reference, "Streaming events"; RESPONSES R.3.1, R.3.4.
 */
final class ResponsesPieces {
    private static final Json.Str BLANK_LINE = JsonWriter.text("\n\n");
    private static final String INDEX = "#"; // before an index, so that it is not taken for an id

    /** An item of the output, as far as it has come. */
    private static final class Item {
        private final Json place; // among the items, in the order in which they begin
        private final Set<String> parts = new HashSet<>(); // of a message: whose text has come, by index
        private String reasoningField = ""; // under which the text of reasoning comes; the other does not count
        private boolean isCall; // whether it has begun as a call
        private boolean isFed; // whether arguments of a call have come
        private boolean isPartOpen; // whether text of a part has come, and not its end
        private boolean isOver;

        private Item(Json place) { this.place = place; }
    }

    private final String envelopePlace;
    private final boolean hadPhases; // as far as it was known before this reply
    private final Set<String> warnings;
    private final Searches searches = new Searches();
    private final Map<String, Item> items = new HashMap<>(); // by index, and by id
    private final List<Piece> pieces = new ArrayList<>(); // not yet taken
    private Optional<Envelope> held = Optional.empty(); // of reasoning that is over, until something follows
    private boolean saysPhases;
    private int begun; // items so far

    /**
     * @param envelopePlace which backend and model this is, as envelopes say it
     * @param hadPhases     whether it is known that the backend says the phase of each message
     * @param warnings      takes codes of what was left out
     */
    ResponsesPieces(String envelopePlace, boolean hadPhases, Set<String> warnings) {
        this.envelopePlace = envelopePlace;
        this.hadPhases = hadPhases;
        this.warnings = warnings;
    }

    /** {@return whether a message has said its phase, so that the envelopes to come must say so too} */
    boolean saysPhases() { return saysPhases; }
    /** {@return how many searches in the web the backend has made} */
    int searches() { return searches.count(); }
    /** {@return whether reasoning waits for what follows it} */
    boolean isHolding() { return held.isPresent(); }

    /** {@return what has come since the last time} */
    List<Piece> take() {
        List<Piece> taken = List.copyOf(pieces);
        pieces.clear();
        return taken;
    }

    private void add(Piece piece) {
        releaseReasoning();
        pieces.add(piece);
    }

    /** A piece of reasoning is over; by now it is known whether the message after it says its phase. */
    private void releaseReasoning() {
        if (held.isEmpty()) return;
        Envelope envelope = held.get().withPhases(hadPhases || saysPhases);
        held = Optional.empty();
        pieces.add(new Piece.ReasoningEnd(envelope.signature(), envelope.isKept()));
    }

    /** Takes an event about an item. Others have nothing to show: created, keepalive, the progress of tools. */
    void event(Json event) {
        switch (event.get("type").text()) {
            case "response.output_item.added" -> begin(beginning(event), event.get("item"));
            case "response.output_item.done" -> end(item(event), event.get("item"));
            case "response.reasoning_summary_part.added" -> nextSummary(item(event), event.get("summary_index"));
            case "response.reasoning_summary_text.delta" -> think(item(event), Envelope.SUMMARY, event.get("delta"));
            case "response.reasoning_text.delta" -> think(item(event), Envelope.REASONING_TEXT, event.get("delta"));
            case "response.output_text.annotation.added" -> searches.cite(event.get("annotation"));
            default -> {
                eventOfMessage(event);
                eventOfCall(event);
            }
        }
    }

    private void eventOfMessage(Json event) {
        switch (event.get("type").text()) {
            case "response.output_text.delta" -> text(item(event), index(event), event.get("delta"));
            case "response.refusal.delta" -> refusal(item(event), index(event), event.get("delta"));
            case "response.output_text.done", "response.refusal.done" ->
                    restOfPart(item(event), index(event), event);
            case "response.content_part.done" -> restOfPart(item(event), index(event), event.get("part"));
            default -> { } // about something else
        }
    }

    private void eventOfCall(Json event) {
        switch (event.get("type").text()) {
            case "response.function_call_arguments.delta" -> arguments(item(event), event.get("delta"));
            case "response.function_call_arguments.done" -> restOfArguments(item(event), event.get("arguments"));
            case "response.custom_tool_call_input.delta" -> input(item(event), event.get("delta"));
            case "response.custom_tool_call_input.done" -> restOfInput(item(event), event.get("input"));
            default -> { } // about something else, or of a kind that is not known
        }
    }

    /** The reply is over. Takes all of its output, if nothing of it has come in events. */
    void end(Json output) {
        boolean isNew = items.isEmpty();
        if (isNew) output(output.items());
        searches.atTheEnd().forEach(this::add);
        releaseReasoning();
    }

    private void output(List<Json> output) {
        for (int i = 0; i < output.size(); i++) {
            Item item = newItem(INDEX + i);
            end(item, output.get(i));
        }
    }

    /** {@return the item that an event is about: by its index, else by its id; a new one if it is not known} */
    private Item item(Json event) {
        String key = key(event);
        Item item = items.containsKey(key) ? items.get(key) : newItem(key);
        if (!id(event).isEmpty()) items.putIfAbsent(id(event), item);
        return item;
    }

    /** {@return the item that begins} Some gateways give all of them the same index. */
    private Item beginning(Json event) {
        Item known = item(event);
        if (!known.isOver) return known;
        Item item = newItem(key(event));
        items.put(id(event), item);
        return item;
    }

    private static String key(Json event) {
        Json index = event.get("output_index");
        return index.isNull() ? id(event) : INDEX + index.raw();
    }

    /** {@return the id of the item that an event is about} llama.cpp names a call by its {@code call_id}. */
    private static String id(Json event) {
        Json item = event.get("item");
        Stream<Json> ids = Stream.of(event.get("item_id"), item.get("id"), item.get("call_id"));
        return ids.map(Json::text).filter(id -> !id.isEmpty()).findFirst().orElse("");
    }

    private Item newItem(String key) {
        var item = new Item(JsonParser.parse(String.valueOf(begun++)));
        items.put(key, item);
        return item;
    }

    /** {@return the index of a part of a message} llama.cpp, whose messages have one part, gives none. */
    private static String index(Json event) { return String.valueOf(event.get("content_index").toLong(0)); }

    private void begin(Item item, Json said) {
        switch (said.get("type").text()) {
            case "function_call", "custom_tool_call" -> beginCall(item, said);
            case "message" -> saysPhases |= said.get("phase").hasText();
            default -> { } // nothing is known of it yet
        }
    }

    /** Takes an item that is over, or all of it. */
    private void end(Item item, Json said) {
        if (item.isOver) return;
        item.isOver = true;
        switch (said.get("type").text()) {
            case "message" -> endMessage(item, said);
            case "reasoning" -> endReasoning(item, said);
            case "function_call" -> {
                beginCall(item, said);
                restOfArguments(item, said.get("arguments"));
                endCall(item, said);
            }
            case "custom_tool_call" -> {
                beginCall(item, said);
                restOfInput(item, said.get("input"));
                endCall(item, said);
            }
            case "web_search_call" -> searches.take(said).ifPresent(this::add);
            default -> warnings.add("dropped_output_item"); // what a message has no room for
        }
    }

    private void text(Item item, String index, Json text) {
        if (!text.hasText()) return;
        item.parts.add(index);
        item.isPartOpen = true;
        add(new Piece.Answer((Json.Str) text));
    }

    private void refusal(Item item, String index, Json text) {
        if (!text.hasText()) return;
        item.parts.add(index);
        item.isPartOpen = true;
        add(new Piece.Refusal((Json.Str) text));
    }

    /**
     * Takes the text of a part, {@code {"text":T}} or {@code {"refusal":T}}, if it has not come. vLLM may
     * end a part by another index than that of its deltas.
     */
    private void restOfPart(Item item, String index, Json part) {
        if (part.get("type").is(Envelope.REASONING_TEXT)) return;
        boolean hasCome = item.isPartOpen || item.parts.contains(index);
        if (!hasCome) {
            text(item, index, part.get("text"));
            refusal(item, index, part.get("refusal"));
        }
        item.parts.add(index);
        item.isPartOpen = false;
    }

    private void endMessage(Item item, Json said) {
        saysPhases |= said.get("phase").hasText();
        Json content = said.get("content");
        if (item.parts.isEmpty()) text(item, "", content); // a bare string, as some local servers have it
        List<Json> parts = content.items();
        boolean haveAllCome = item.parts.size() >= parts.size(); // by whatever index
        for (int i = 0; i < parts.size(); i++) {
            if (!haveAllCome) restOfPart(item, String.valueOf(i), parts.get(i));
            parts.get(i).get("annotations").items().forEach(searches::cite);
        }
        add(new Piece.AnswerEnd());
    }

    /** A summary of several parts is shown as one text. */
    private void nextSummary(Item item, Json index) {
        boolean isFirst = index.toLong(0) == 0;
        boolean isApart = !isFirst && !item.reasoningField.isEmpty();
        if (isApart) think(item, Envelope.SUMMARY, BLANK_LINE);
    }

    /** Takes reasoning; of a backend that sends a summary beside all of it, whichever comes first. */
    private void think(Item item, String field, Json text) {
        if (!text.hasText()) return;
        if (item.reasoningField.isEmpty()) item.reasoningField = field;
        if (item.reasoningField.equals(field)) add(new Piece.Reasoning((Json.Str) text, field));
    }

    /**
     * Each item has a block of its own, for each has a ciphertext of its own. Nothing is made of an item that
     * has neither text nor ciphertext.
     */
    private void endReasoning(Item item, Json said) {
        if (item.reasoningField.isEmpty()) {
            thinkAll(item, Envelope.SUMMARY, said.get("summary").items());
        }
        if (item.reasoningField.isEmpty()) {
            thinkAll(item, Envelope.REASONING_TEXT, said.get("content").items());
        }
        String encrypted = said.get("encrypted_content").text();
        if (item.reasoningField.isEmpty() && encrypted.isEmpty()) return;
        String field = item.reasoningField.isEmpty() ? Envelope.SUMMARY : item.reasoningField;
        releaseReasoning(); // of the item before, if this one has no text
        held = Optional.of(new Envelope(field, encrypted, envelopePlace, false));
    }

    private void thinkAll(Item item, String field, List<Json> parts) {
        for (Json part : parts) {
            if (!part.get("text").hasText()) continue;
            if (!item.reasoningField.isEmpty()) think(item, field, BLANK_LINE);
            think(item, field, part.get("text"));
        }
    }

    private void beginCall(Item item, Json said) {
        if (!item.isCall) add(call(item, said.get("call_id"), said.get("name"), Json.NULL, Json.NULL));
        item.isCall = true;
    }

    private static Piece.Call call(Item item, Json id, Json name, Json arguments, Json input) {
        return new Piece.Call(item.place, id, name, arguments, input, Json.NULL, false);
    }

    private void arguments(Item item, Json text) {
        if (!text.hasText()) return;
        item.isFed = true;
        add(call(item, Json.NULL, Json.NULL, text, Json.NULL));
    }

    private void restOfArguments(Item item, Json all) {
        if (!item.isFed) arguments(item, all instanceof Json.Obj ? JsonWriter.text(all.raw()) : all);
    }

    /** Takes the input of a custom tool, which is text. */
    private void input(Item item, Json text) {
        if (!text.hasText()) return;
        item.isFed = true;
        add(call(item, Json.NULL, Json.NULL, Json.NULL, text));
    }

    private void restOfInput(Item item, Json all) {
        if (!item.isFed) input(item, all);
    }

    /** The arguments of a call are over, unless the reply was cut in them. */
    private void endCall(Item item, Json said) {
        if (!said.get("status").is("incomplete")) add(new Piece.CallEnd(item.place));
    }
}
