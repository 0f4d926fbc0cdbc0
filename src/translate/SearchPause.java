package translate;

import anthropic.MessageWriter;
import anthropic.RecordedMessage;
import anthropic.Request;
import anthropic.StopReason;
import anthropic.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import json.Json;

/**
 * The pause of a reply for searches that A2o makes: the calls until then, the message as it is kept for the
 * request that follows, and how it goes on.
 */
final class SearchPause {
    private final Request request;
    private final Optional<Continuation> before;
    private final String id; // of the message
    private final SearchCalls calls;
    private final RecordedMessage message;
    private Optional<StopReason> held = Optional.empty(); // with which the reply would have ended
    private Usage used = Usage.NONE; // for the request before the pause

    /** @param before what came before an earlier pause */
    SearchPause(WebSearch search, Request request, Optional<Continuation> before, String id,
                LongSupplier roughTokens) {
        this.request = request;
        this.before = before;
        this.id = id;
        this.calls = new SearchCalls(search, before.map(Continuation::counts).orElse(SearchCounts.NONE));
        this.message = new RecordedMessage(request.isStream(), id, request.get("model"), roughTokens);
    }

    SearchCalls calls() { return calls; }
    MessageWriter message() { return message; }
    /** {@return whether the reply waits for searches} */
    boolean isHeld() { return held.isPresent(); }

    /** {@return the search that the request is for, if the model has made none in the whole reply} */
    Optional<ServerSearch> demanded() {
        return before.isPresent() ? Optional.empty() : ServerSearch.demanded(request);
    }

    /** The reply would end. {@return whether it waits for searches instead} */
    boolean holds(StopReason reason, Usage usedForIt) {
        if (calls.isEmpty()) return false;
        held = Optional.of(reason);
        used = usedForIt;
        return true;
    }

    /**
     * Adds the results of the searches. {@return how the reply goes on; nothing if it has ended} It ends
     * where the client has a tool to run, or the model has reached its limit.
     */
    Optional<Continuation> answered(List<SearchAnswer> answers) {
        boolean mayGoOn = calls.counts().allowRound();
        StopReason reason = held.orElseThrow();
        held = Optional.empty();
        calls.answer(answers, message);
        boolean isAnswerMissing = reason.equals(StopReason.END_TURN);
        boolean isOver = !isAnswerMissing || !mayGoOn;
        Optional<Continuation> next = isOver ? Optional.empty() : continuation();
        if (next.isEmpty()) message.finish(isAnswerMissing ? StopReason.PAUSE_TURN : reason, usedSoFar());
        return next;
    }

    private Usage usedSoFar() { return before.map(earlier -> earlier.used().plus(used)).orElse(used); }

    /** {@return how the reply goes on; nothing if it holds more values than a request may} */
    private Optional<Continuation> continuation() {
        try {
            List<Json> written = message.recorded();
            List<Json> blocks = new ArrayList<>(before.map(Continuation::blocks).orElse(List.of()));
            blocks.addAll(written);
            SearchCounts counts = calls.counts();
            Json next = ContinuedRequest.of(request, written, used.output(), !counts.allowRound());
            return Optional.of(new Continuation(next, id, blocks, usedSoFar(), counts));
        } catch (Json.Malformed e) {
            return Optional.empty();
        }
    }
}
