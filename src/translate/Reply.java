package translate;

import anthropic.ApiError;
import anthropic.MessageWriter;
import anthropic.Request;
import anthropic.StopReason;
import anthropic.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import json.Json;
import json.JsonWriter;

/**
 * The reply to the client, put together of pieces as a reader of the backend's API finds them: it opens and
 * closes the blocks, keeps them in order, and finds the stop reason. It knows nothing of that API.
 *
 * <p>Blocks come one after the other. While a tool call is not finished, text and reasoning wait for its end.
 *
 * <pre>
 *  Answer, Refusal ─► Prefill ─► TextFilter ─► write ─────────────────────────┐
 *  Reasoning ────────────────────────────────► write ─────────────────────────┼─► MessageWriter
 *  Call ─────────────► ToolCalls ────────────► openCall, addInput, closeCall ─┘
 *                                                of A2o's search: SearchPause
 *  Detail ───────────► Opaque ───────────────► the signature of a block
 * </pre>
 */
final class Reply implements ToolCalls.Output {
    private static final String SEARCH_ID = "srvtoolu_"; // begins the ids of calls of server tools

    private final Request request;
    private final Supplier<String> newIds;
    private final Limits limits;
    private final LongSupplier inputTokens;
    private final Set<String> warnings;
    private final Optional<Continuation> before;
    private final MessageWriter message;
    private final Optional<SearchPause> search; // where A2o runs the search
    private final int earlierBlocks; // of the message, from before this request
    private final TextFilter filter;
    private final ToolCalls calls;
    private final List<Piece> waiting = new ArrayList<>(); // for the end of a call
    private final Opaque opaque = new Opaque();
    private final StringBuilder refusal = new StringBuilder();
    private Prefill prefill;
    private String thinkingField = Opaque.FIELDS.getFirst(); // that the last reasoning came under
    private Usage used = Usage.NONE; // for this request alone
    private boolean isCounted; // by the backend

    /**
     * @param stops       sequences to look for
     * @param roughTokens a quick guess of the tokens that the request takes
     * @param inputTokens a better one
     * @param warnings    takes codes of what was mended
     * @param search      that A2o runs
     * @param before      what came before searches, if this reply is what comes after
     */
    Reply(Request request, Supplier<String> newIds, List<String> stops, Limits limits,
          LongSupplier roughTokens, LongSupplier inputTokens, Set<String> warnings,
          Optional<WebSearch> search, Optional<Continuation> before) {
        this.request = request;
        this.newIds = newIds;
        this.limits = limits;
        this.inputTokens = inputTokens;
        this.warnings = warnings;
        this.before = before;
        this.calls = new ToolCalls(request, search.map(WebSearch::functionName), newIds, this);
        this.filter = new TextFilter(stops, new JsonInProse(request.schema()),
                text -> write(new Piece.Answer(text)), text -> write(new Piece.Reasoning(text, "reasoning")));
        this.prefill = new Prefill("", filter::feed);
        String id = before.map(Continuation::id).orElseGet(() -> "msg_" + newIds.get());
        this.search = search.map(tool -> new SearchPause(tool, request, before, id, roughTokens));
        this.message = this.search.<MessageWriter>map(SearchPause::message)
                .orElseGet(() -> new MessageWriter(request.isStream(), id, request.get("model"), roughTokens));
        before.ifPresent(earlier -> message.goOn(earlier.blocks()));
        this.earlierBlocks = message.blocks();
    }

    /** The request has begun the reply; {@code isRepeated} if the backend sends that beginning once more. */
    void continues(String begun, boolean isRepeated) {
        filter.continues(begun);
        prefill = new Prefill(isRepeated ? begun : "", filter::feed);
    }

    JsonWriter ready() {
        return message.out();
    }

    /** {@return whether a stop sequence has come, after which nothing more is wanted} */
    boolean isStopped() {
        return filter.stop().isPresent();
    }

    /** {@return whether nothing has come that the client will see} */
    boolean isEmpty() {
        boolean isWithoutText = filter.isUnused() && prefill.isUnused();
        return !hasBlocks() && !hasCalls() && isWithoutText;
    }

    boolean hasBlocks() {
        return message.blocks() > earlierBlocks;
    }

    boolean hasCalls() {
        return !calls.isEmpty();
    }

    /** {@return whether there are calls, all of them whole, and nothing after them} */
    boolean endsInWholeCalls() {
        boolean isTextLast = isOpen(MessageWriter.Block.TEXT) || isOpen(MessageWriter.Block.THINKING);
        boolean areCallsLast = !isTextLast && waiting.isEmpty();
        return areCallsLast && hasCalls() && calls.areWhole();
    }

    private boolean isOpen(MessageWriter.Block kind) {
        return message.isOpen(kind);
    }

    /** {@return the tokens that the reply took so far; of each request none before its part has ended} */
    Usage used() {
        return before.map(earlier -> earlier.used().plus(used)).orElse(used);
    }

    /** {@return the tokens of this request by the backend's own count; none before the reply has ended, or where it has none} */
    Optional<Usage> counted() {
        return isCounted ? Optional.of(used) : Optional.empty();
    }

    /** {@return about how many tokens have been written} */
    long tokensSoFar() {
        return message.tokens();
    }

    void setTier(String tier) {
        message.setTier(tier);
    }

    void resume() {
        message.resume();
    }

    void ping() {
        message.ping();
    }

    void fail(ApiError error, String requestId) {
        message.error(error.body(requestId));
    }

    /** Takes the pieces of one chunk, in their order. */
    void take(List<Piece> pieces) {
        for (Piece piece : pieces) add(piece);
        writeCalls();
    }

    /** Takes a piece that has come alone. */
    void take(Piece piece) {
        add(piece);
        writeCalls();
    }

    private void writeCalls() {
        boolean isWriting = calls.hasUnfinished() && request.isStream();
        if (!isWriting) return;
        calls.write();
        if (!calls.hasUnfinished()) writeWaiting();
    }

    /** Adds a piece; what it adds to a call is not written yet. */
    private void add(Piece piece) {
        switch (piece) {
            case Piece.Answer answer -> prefill.feed(answer.text());
            case Piece.Reasoning reasoning -> {
                filter.flush();
                write(reasoning);
            }
            case Piece.Refusal words -> {
                refusal.append(words.text().text());
                prefill.feed(words.text());
            }
            case Piece.Detail detail -> opaque.addDetail(detail.list(), detail.detail());
            case Piece.Call call -> add(call);
            case Piece.CallEnd end -> endCall(end);
            case Piece.AnswerEnd end -> {
                prefill.flush();
                filter.flush();
                write(end);
            }
            case Piece.ReasoningEnd end -> write(end);
            case Piece.Search search -> {
                filter.flush();
                write(search);
            }
        }
    }

    /** Writes the call now, if those before it are over: what follows is not to wait for calls that come later. */
    private void endCall(Piece.CallEnd end) {
        calls.end(end.index());
        if (request.isStream()) calls.write(); else calls.writeEnded();
        if (!calls.hasUnfinished()) writeWaiting();
    }

    private void add(Piece.Call call) {
        if (isStopped()) return;
        prefill.flush();
        filter.flush();
        calls.take(call);
    }

    /** Writes a piece; while a call is open, it waits for the end of that. */
    private void write(Piece piece) {
        if (calls.hasUnfinished()) {
            waiting.add(piece);
            return;
        }
        switch (piece) {
            case Piece.Answer answer -> writeText(answer);
            case Piece.Reasoning reasoning -> writeReasoning(reasoning);
            case Piece.AnswerEnd end -> endText();
            case Piece.ReasoningEnd end -> endReasoning(end);
            case Piece.Search search -> writeSearch(search);
            case Piece.Refusal refusal -> { } // these four go other ways
            case Piece.Detail detail -> { }
            case Piece.Call call -> { }
            case Piece.CallEnd end -> { }
        }
    }

    private void writeText(Piece.Answer answer) {
        if (!isOpen(MessageWriter.Block.TEXT)) {
            close();
            message.openText();
        }
        message.text(answer.text());
    }

    private void writeReasoning(Piece.Reasoning reasoning) {
        if (request.isThinkingOff()) return;
        if (!isOpen(MessageWriter.Block.THINKING)) {
            close();
            message.openThinking();
            thinkingField = reasoning.field();
        }
        message.text(reasoning.text());
    }

    private void endText() {
        if (isOpen(MessageWriter.Block.TEXT)) close();
    }

    private void endReasoning(Piece.ReasoningEnd end) {
        if (request.isThinkingOff()) return;
        if (!isOpen(MessageWriter.Block.THINKING)) {
            if (!end.isNeeded()) return;
            close();
            message.openThinking();
        }
        message.closeThinking(end.signature());
    }

    private void writeSearch(Piece.Search search) {
        close();
        message.webSearch(SEARCH_ID + newIds.get(), search.query(), search.results());
    }

    private void writeWaiting() {
        waiting.forEach(this::write);
        waiting.clear();
    }

    /** Closes the open block. A signature carries what the backend wants back. */
    private void close() {
        if (isOpen(MessageWriter.Block.THINKING)) {
            message.closeThinking(opaque.take(thinkingField));
        } else {
            message.close();
        }
    }

    @Override
    public void openCall(String id, String name, Json extra) {
        boolean isSearch = search.filter(each -> each.calls().isFor(name)).isPresent();
        String shownId = isSearch ? SEARCH_ID + newIds.get() : id;
        if (!extra.isNull()) opaque.add(shownId, extra);
        close();
        keepOpaque();
        if (isSearch) search.get().calls().open(shownId); else message.openToolUse(id, name);
    }

    @Override
    public void addInput(String json) {
        if (isSearchOpen()) search.get().calls().addInput(json); else message.input(json);
    }

    @Override
    public void closeCall() {
        if (isSearchOpen()) search.get().calls().close(message); else message.close();
    }

    private boolean isSearchOpen() { return search.isPresent() && search.get().calls().isOpen(); }

    /** Writes what the backend wants back in a block of its own, if no thinking block has taken it. */
    private void keepOpaque() {
        if (!opaque.isEmpty()) message.redactedThinking(opaque.take(thinkingField));
    }

    /** The backend refuses to answer, in these words, which are no text of the model's. */
    void explainRefusal(String words) { refusal.append(words); }

    /** @param count of the searches in the web that the backend has run */
    void setSearches(long count) {
        message.setSearches(count + before.map(earlier -> earlier.counts().found()).orElse(0));
    }

    /** {@return where the reply waits for searches, once it has ended so far} */
    Optional<SearchPause> pause() { return search.filter(SearchPause::isHeld); }

    /**
     * Adds a call of a server tool, and that its results cannot be had. Source: Anthropic, "Web search tool".
     */
    void failedSearch(ServerSearch search) {
        warnings.add(search.tool() + "_unavailable");
        message.failedServerTool(SEARCH_ID + newIds.get(), search.tool(), search.input());
    }

    /** Writes to its end what has come: no more pieces do. */
    void endBlocks(Finish finish, Usage counted) {
        prefill.flush();
        filter.flush();
        calls.end(ending(finish, counted));
        if (calls.isCut()) warnings.add("tool_call_cut");
        if (calls.isBroken()) warnings.add("tool_input_not_json");
        writeWaiting();
        close();
    }

    private Arguments.Ending ending(Finish finish, Usage counted) {
        if (finish == Finish.LENGTH || finish == Finish.WINDOW) return Arguments.Ending.CUT;
        return limits.areReached(counted) ? Arguments.Ending.AT_LIMIT : Arguments.Ending.WHOLE;
    }

    /**
     * Ends the message, after its blocks; where it holds searches, once they are made.
     *
     * @param matched the stop sequence that the backend says the text met; "" for none
     * @param counted the tokens by the backend's count; where it has not counted, a guess stands for it
     */
    void end(Finish finish, String matched, Usage counted) {
        keepOpaque();
        isCounted = counted.isCounted();
        used = isCounted ? counted : new Usage(inputTokens.getAsLong(), 0, 0, message.tokens(), 0);
        StopReason reason = stopReason(finish, matched);
        boolean isHeld = search.filter(each -> each.holds(reason, used)).isPresent();
        if (isHeld) return;
        search.flatMap(SearchPause::demanded).ifPresent(this::failedSearch); // what was said is from memory
        message.finish(reason, used());
    }

    /** Source: Anthropic, "stop_reason". What was sent counts more than what was said. */
    private StopReason stopReason(Finish finish, String matched) {
        if (isStopped()) return StopReason.sequence(filter.stop().get());
        if (!refusal.isEmpty()) return StopReason.refused(refusal.toString());
        return switch (finish) {
            case WINDOW -> StopReason.WINDOW_EXCEEDED;
            case LENGTH -> lengthReason();
            case REFUSAL -> StopReason.REFUSED;
            case STOP, UNKNOWN -> calls.isCut() ? lengthReason() : endReason(matched);
            case BUSY, FAILURE -> throw new IllegalStateException(finish + " is an error, and no end");
        };
    }

    private StopReason lengthReason() {
        boolean isNoRoomLeft = !hasBlocks() && limits.isWindowFull(used);
        return isNoRoomLeft ? StopReason.WINDOW_EXCEEDED : StopReason.MAX_TOKENS;
    }

    private StopReason endReason(String matched) {
        if (message.hasToolUse()) return StopReason.TOOL_USE;
        return matched.isEmpty() ? StopReason.END_TURN : StopReason.sequence(matched);
    }
}
