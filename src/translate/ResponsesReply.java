package translate;

import anthropic.Usage;
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
import json.SseEvent;
import json.Text;

/**
 * Reads a reply of the Responses API, whole or as the events of a stream, and hands it on in pieces. Items of the output
 * begin, come in deltas and end; whatever of an item has not come in deltas is taken from its end.
 *
 * <pre>
 *  response.created  ( output_item.added  delta*  output_item.done )*  response.completed | incomplete | failed
 * </pre>
 *
 * <p>Source: OpenAI API reference, "Streaming events", "The response object".
 */
final class ResponsesReply implements Reader {
    private static final Json.Str BLANK_LINE = JsonWriter.text("\n\n");
    /** Codes of a response that failed because a policy forbids it. */
    private static final Set<String> REFUSALS = Set.of("invalid_prompt", "bio_policy", "misalignment_policy_violation",
            "image_content_policy_violation");
    private static final Set<String> NOT_COMPLETED = Set.of("incomplete", "failed", "cancelled"); // but over
    private static final String INDEX = "#"; // before an index, so that it is not taken for an id

    /** An item of the output, as far as it has come. */
    private static final class Item {
        private final Json place; // among the items, in the order in which they begin
        private final Set<String> parts = new HashSet<>(); // of a message: those whose text has come, by index
        private String reasoningField = ""; // under which the text of reasoning comes; the other one does not count
        private boolean isCall; // whether it has begun as a call
        private boolean isFed; // whether arguments of a call have come
        private boolean isOver;

        private Item(Json place) { this.place = place; }
    }

    private final Reply reply;
    private final BackendErrors errors;
    private final String envelopePlace; // which backend and model this is, as envelopes say it
    private final boolean hasPhases; // as far as it was known before this reply
    private final Optional<ServerSearch> unsureSearch; // all that the request is for, if the backend can do it
    private final Set<String> warnings;
    private final Searches searches = new Searches();
    private final Map<String, Item> items = new HashMap<>(); // by index, and by id
    private final List<Piece> pieces = new ArrayList<>(); // of this event
    private Optional<EventTemplate> template = Optional.empty();
    private Optional<Envelope> held = Optional.empty(); // of reasoning that is over, until something follows
    private boolean isOneObject; // whether the reply came as one, and not in events
    private int places;
    private boolean saysPhases;
    private Json response = Json.NULL; // the backend's last word about the reply
    private Optional<String> status = Optional.empty(); // with which the reply ended

    /**
     * @param envelopePlace which backend and model this is, as envelopes say it
     * @param unsureSearch  all that the request is for, where it is not known whether the backend can do it
     * @param warnings      takes codes of what was left out
     */
    ResponsesReply(Reply reply, BackendErrors errors, String envelopePlace, boolean hasPhases,
                   Optional<ServerSearch> unsureSearch, Set<String> warnings) {
        this.reply = reply;
        this.errors = errors;
        this.envelopePlace = envelopePlace;
        this.hasPhases = hasPhases;
        this.unsureSearch = unsureSearch;
        this.warnings = warnings;
    }

    /** {@return whether a message has said its phase, so that the envelopes to come must say so too} */
    boolean saysPhases() { return saysPhases; }
    /** {@return whether the reply is over, and the backend has not done what was all that it was to do} */
    boolean hasNotSearched() { return isFinished() && unsureSearch.isPresent() && searches.count() == 0; }
    @Override public boolean isFinished() { return status.isPresent(); }

    @Override
    public boolean event(SseEvent event) {
        isOneObject = false;
        if (event.isDone()) return true;
        Optional<Piece> known = held.isPresent() ? Optional.empty() : template.flatMap(usual -> usual.read(event.data()));
        if (known.isPresent()) {
            reply.take(List.of(known.get()));
            return reply.isStopped();
        }
        Json data = parsed(event);
        if (data.get("type").hasText()) {
            event(data);
            template = EventTemplate.of(data, pieces).or(() -> template);
        } else if (event.isError() || !data.get("error").isNull()) {
            throw errors.sent(data);
        }
        hand();
        return isFinished() || reply.isStopped();
    }

    private Json parsed(SseEvent event) {
        try {
            return JsonParser.parse(event.data());
        } catch (Json.Malformed e) {
            throw event.isError() ? errors.sent(event.data()) : errors.broken(502, "the stream's data is " + e.getMessage());
        }
    }

    private void add(Piece piece) {
        releaseReasoning();
        pieces.add(piece);
    }

    /** A piece of reasoning is over; by now it is known whether the message after it says its phase. */
    private void releaseReasoning() {
        if (held.isEmpty()) return;
        Envelope envelope = held.get().withPhases(hasPhases || saysPhases);
        held = Optional.empty();
        pieces.add(new Piece.ReasoningEnd(envelope.signature(), envelope.isKept()));
    }

    private void hand() {
        reply.take(pieces);
        pieces.clear();
    }

    @Override
    public boolean whole(Json json) {
        isOneObject = true;
        if (json.get("type").hasText()) { // the first of several events
            isOneObject = false;
            event(json);
        } else if (json.get("output") instanceof Json.Arr) {
            last(json, json.get("status").text());
        } else {
            refuse(json);
        }
        hand();
        return isFinished();
    }

    private void refuse(Json json) {
        if (!json.get("error").isNull() || !(json instanceof Json.Obj)) throw errors.sent(json);
        throw errors.broken(502, "the backend returned no output").asPassing();
    }

    private void event(Json event) {
        switch (event.get("type").text()) {
            case "response.output_item.added" -> begin(beginning(event), event.get("item"));
            case "response.output_item.done" -> end(item(event), event.get("item"));
            case "response.output_text.delta" -> text(item(event), index(event), event.get("delta"));
            case "response.refusal.delta" -> refusal(item(event), index(event), event.get("delta"));
            case "response.output_text.done", "response.refusal.done" -> restOfPart(item(event), index(event), event);
            case "response.content_part.done" -> restOfPart(item(event), index(event), event.get("part"));
            case "response.output_text.annotation.added" -> searches.cite(event.get("annotation"));
            case "response.reasoning_summary_part.added" -> nextSummary(item(event), event.get("summary_index"));
            case "response.reasoning_summary_text.delta" -> think(item(event), Envelope.SUMMARY, event.get("delta"));
            case "response.reasoning_text.delta" -> think(item(event), Envelope.REASONING_TEXT, event.get("delta"));
            case "response.function_call_arguments.delta" -> arguments(item(event), event.get("delta"));
            case "response.function_call_arguments.done" -> restOfArguments(item(event), event.get("arguments"));
            case "response.custom_tool_call_input.delta" -> input(item(event), event.get("delta"));
            case "response.custom_tool_call_input.done" -> restOfInput(item(event), event.get("input"));
            case "response.completed" -> last(event.get("response"), completed(event.get("response")));
            case "response.incomplete" -> last(event.get("response"), "incomplete");
            case "response.failed" -> last(event.get("response"), "failed");
            case "response.cancelled" -> last(event.get("response"), "cancelled");
            case "error" -> throw errors.reported(event.get("error") instanceof Json.Obj error ? error : event);
            default -> { } // created, keepalive, the progress of tools, and kinds that are not known: nothing to show
        }
    }

    /** {@return the status of a response that is said to be complete} Of vLLM's it may say itself that it is not. */
    private static String completed(Json response) {
        String said = response.get("status").text();
        return NOT_COMPLETED.contains(said) ? said : "completed";
    }

    /** Takes a response: the last word about the reply, or all of it. */
    private void last(Json response, String status) {
        this.response = response;
        this.status = Optional.of(status);
        boolean isNew = items.isEmpty(); // what has come in events is not taken again
        if (isNew) output(response.get("output").items());
        searches.atTheEnd().forEach(this::add);
        releaseReasoning();
        if (response.get("service_tier").is("priority")) reply.setTier("priority");
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
        var item = new Item(JsonParser.parse(String.valueOf(places++)));
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
        add(new Piece.Answer((Json.Str) text));
    }

    private void refusal(Item item, String index, Json text) {
        if (!text.hasText()) return;
        item.parts.add(index);
        add(new Piece.Refusal((Json.Str) text));
    }

    /** Takes the text of a part of a message, {@code {"text":T}} or {@code {"refusal":T}}, if it has not come. */
    private void restOfPart(Item item, String index, Json part) {
        if (item.parts.contains(index) || part.get("type").is(Envelope.REASONING_TEXT)) return;
        text(item, index, part.get("text"));
        refusal(item, index, part.get("refusal"));
    }

    private void endMessage(Item item, Json said) {
        saysPhases |= said.get("phase").hasText();
        List<Json> parts = said.get("content").items();
        for (int i = 0; i < parts.size(); i++) {
            restOfPart(item, String.valueOf(i), parts.get(i));
            parts.get(i).get("annotations").items().forEach(searches::cite);
        }
        add(new Piece.AnswerEnd());
    }

    /** A summary of several parts is shown as one text. */
    private void nextSummary(Item item, Json index) {
        boolean isFirst = index.toLong(0) == 0;
        if (!isFirst) think(item, Envelope.SUMMARY, item.reasoningField.isEmpty() ? Json.NULL : BLANK_LINE);
    }

    /** Takes reasoning; of a backend that sends a summary beside all of it, whichever comes first. */
    private void think(Item item, String field, Json text) {
        if (!text.hasText()) return;
        if (item.reasoningField.isEmpty()) item.reasoningField = field;
        if (item.reasoningField.equals(field)) add(new Piece.Reasoning((Json.Str) text, field));
    }

    /** Each item has a block of its own, for each has a ciphertext of its own; nothing is made of an item without both. */
    private void endReasoning(Item item, Json said) {
        if (item.reasoningField.isEmpty()) {
            thinkAll(item, Envelope.SUMMARY, said.get("summary").items());
            if (item.reasoningField.isEmpty()) thinkAll(item, Envelope.REASONING_TEXT, said.get("content").items());
        }
        String encrypted = said.get("encrypted_content").text();
        if (item.reasoningField.isEmpty() && encrypted.isEmpty()) return;
        String field = item.reasoningField.isEmpty() ? Envelope.SUMMARY : item.reasoningField;
        releaseReasoning(); // that of the item before, where this one has no text
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
        if (item.isFed) return;
        arguments(item, all instanceof Json.Obj ? JsonWriter.text(all.raw()) : all);
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

    /** {@return the backend's word for how the reply ended, and why} */
    @Override
    public String shownFinishReason() {
        String ended = status.orElse("");
        String reason = response.get("incomplete_details").get("reason").text();
        return Text.cut(reason.isEmpty() ? ended : ended + ": " + reason);
    }

    @Override
    public void finish() {
        boolean isOver = isFinished() || reply.isStopped();
        if (!isOver) throw errors.broken(502, "the stream ended early").asPassing();
        if (reply.isStopped()) {
            end(Finish.STOP);
            return;
        }
        switch (status.orElse("")) {
            case "failed" -> fail(response.get("error"));
            case "cancelled" -> throw errors.broken(502, "the response was cancelled");
            case "in_progress", "queued" -> throw errors.broken(502, "the response is " + shownFinishReason());
            case "incomplete" -> end(incomplete(response.get("incomplete_details").get("reason").text()));
            default -> end(Finish.STOP); // completed; local servers may leave it out
        }
    }

    private static Finish incomplete(String reason) {
        return switch (reason) {
            case "max_output_tokens" -> Finish.LENGTH;
            case "content_filter" -> Finish.REFUSAL;
            default -> Finish.STOP; // another limit than that of tokens, or none that is named
        };
    }

    /** A policy that forbids the request makes a refusal of it; whatever else fails is an error. */
    private void fail(Json error) {
        boolean isRefusal = REFUSALS.contains(error.get("code").text()) && !reply.hasBlocks();
        if (!isRefusal) throw errors.reported(error);
        reply.explainRefusal(error.get("message").text());
        end(Finish.REFUSAL);
    }

    @Override
    public void endAs(String reason) { end(Finish.of(reason)); }

    private void end(Finish finish) {
        Usage counted = new ChatUsage(response.get("usage"), Json.NULL).toAnthropic();
        Json counts = response.get("tool_usage").get("web_search").get("num_requests");
        reply.setSearches(counts.toLong(searches.count()));
        reply.endBlocks(finish, counted);
        if (hasNotSearched()) reply.failedSearch(unsureSearch.get()); // what it says is from memory
        reply.end(finish, "", counted);
    }
}
