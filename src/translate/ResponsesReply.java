package translate;

import anthropic.Usage;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import json.Json;
import json.JsonParser;
import json.SseEvent;
import json.Text;

/**
 * Reads a reply of the Responses API, whole or as the events of a stream, and hands it on in pieces
 * ({@link ResponsesPieces}). The last event says how the reply ends; without it the reply is not whole.
 *
 * <pre>
 *  response.created ( output_item.added delta* output_item.done )* response.completed | incomplete | failed
 * </pre>
 *
 * <p>Source: OpenAI API reference, "Streaming events", "The response object"; RESPONSES R.3.
 */
final class ResponsesReply implements Reader {
    /** Codes of a response that failed because a policy forbids it. */
    private static final Set<String> REFUSALS = Set.of("invalid_prompt", "bio_policy",
            "misalignment_policy_violation", "image_content_policy_violation");

    /** A response that is over and not complete, whatever the event says that brings it: vLLM has one for all. */
    private static final Set<String> NOT_COMPLETED = Set.of("incomplete", "failed", "cancelled");

    private final Reply reply;
    private final BackendErrors errors;
    private final ResponsesPieces pieces;
    private final Optional<ServerSearch> unsureSearch; // all that the request is for, if the backend can do it
    private Optional<EventTemplate> template = Optional.empty();
    private Json response = Json.NULL; // the backend's last word about the reply
    private Optional<String> status = Optional.empty(); // with which the reply ended

    /** @param unsureSearch all that the request is for, where it is not known whether the backend can do it */
    ResponsesReply(Reply reply, BackendErrors errors, ResponsesPieces pieces, Optional<ServerSearch> unsureSearch) {
        this.reply = reply;
        this.errors = errors;
        this.pieces = pieces;
        this.unsureSearch = unsureSearch;
    }

    /** {@return whether a message has said its phase} */
    boolean saysPhases() { return pieces.saysPhases(); }

    /** {@return whether the reply is over, and the backend has not done what was all that it was to do} */
    boolean hasNotSearched() { return isFinished() && unsureSearch.isPresent() && pieces.searches() == 0; }

    @Override
    public boolean isFinished() { return status.isPresent(); }

    @Override
    public boolean event(SseEvent event) {
        if (event.isDone()) return true;
        Optional<Piece> known = pieces.isHolding() ? Optional.empty()
                : template.flatMap(usual -> usual.read(event.data()));
        if (known.isPresent()) {
            reply.take(known.get());
        } else {
            data(parsed(event), event.isError());
        }
        return isFinished() || reply.isStopped();
    }

    private Json parsed(SseEvent event) {
        try {
            return JsonParser.parse(event.data());
        } catch (Json.Malformed e) {
            if (event.isError()) throw errors.sent(event.data());
            if (errors.isSignOfLife(event.data())) return Json.NULL;
            throw errors.unreadable(event.data(), e);
        }
    }

    private void data(Json data, boolean isError) {
        boolean isEvent = data.get("type").hasText();
        if (!isEvent && (isError || !data.get("error").isNull())) throw errors.sent(data);
        takeEvent(data);
        List<Piece> taken = pieces.take();
        template = EventTemplate.of(data, taken).or(() -> template);
        reply.take(taken);
    }

    @Override
    public boolean whole(Json json) {
        boolean isEvent = json.get("type").hasText(); // the first of several
        if (isEvent) {
            takeEvent(json);
        } else if (json.get("output") instanceof Json.Arr) {
            takeLast(json, json.get("status").text());
        } else {
            refuse(json);
        }
        reply.take(pieces.take());
        return isFinished();
    }

    private void refuse(Json json) {
        boolean isError = !json.get("error").isNull() || !(json instanceof Json.Obj);
        if (isError) throw errors.sent(json);
        throw errors.broken(502, "the backend returned no output").asPassing();
    }

    private void takeEvent(Json event) {
        switch (event.get("type").text()) {
            case "response.completed" -> takeLast(event.get("response"), completed(event.get("response")));
            case "response.incomplete" -> takeLast(event.get("response"), "incomplete");
            case "response.failed" -> takeLast(event.get("response"), "failed");
            case "response.cancelled" -> takeLast(event.get("response"), "cancelled");
            case "error" -> throw errors.reported(event.get("error") instanceof Json.Obj error ? error : event);
            default -> pieces.event(event);
        }
    }

    private static String completed(Json response) {
        String said = response.get("status").text();
        return NOT_COMPLETED.contains(said) ? said : "completed";
    }

    /** Takes a response: the last word about the reply, or all of it. */
    private void takeLast(Json response, String status) {
        this.response = response;
        this.status = Optional.of(status);
        pieces.end(response.get("output"));
        if (response.get("service_tier").is("priority")) reply.setTier("priority");
    }

    /** {@return the backend's word for how the reply ended, and why} */
    @Override
    public String shownFinishReason() {
        String ended = status.orElse("");
        String reason = reasonOfIncomplete();
        return Text.cut(reason.isEmpty() ? ended : ended + ": " + reason);
    }

    private String reasonOfIncomplete() { return response.get("incomplete_details").get("reason").text(); }

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
            case "incomplete" -> end(incomplete(reasonOfIncomplete()));
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
        reply.setSearches(counts.toLong(pieces.searches()));
        reply.endBlocks(finish, counted);
        if (hasNotSearched()) reply.failedSearch(unsureSearch.get()); // what it says is from memory
        reply.end(finish, "", counted);
    }
}
