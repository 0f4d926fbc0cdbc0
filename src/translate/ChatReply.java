package translate;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.SseEvent;

/**
 * Reads a reply of OpenAI's chat completions, whole or in chunks, and hands it on in pieces. A whole reply is
 * read as one chunk that holds everything. What the pieces come to is not its concern.
 *
 * <pre>
 *  {"choices":[{"delta"|"message":{…},"finish_reason":F}],"usage":{…}}
 * </pre>
 * Source: OpenAI, "The chat completion chunk object"; what else backends send is in SPEC D.
 */
final class ChatReply implements Reader {
    /** The end of a stream, written as JSON: {@code "[DONE]"}. */
    private static final Pattern DONE = Pattern.compile("(?i)\\s*(\\[done]|done)\\s*");
    private static final int MAX_SHOWN_REASON = 100; // characters

    private final Reply reply;
    private final BackendErrors errors;
    private final List<String> stops; // the client's
    private final Optional<ServerSearch> search; // that the request is for, and that the backend runs
    private final Searches searches = new Searches();
    private boolean isOneObject; // whether the reply came as one, and not in chunks
    private boolean hasChoice; // whether one has come that holds anything
    private boolean isUsageLast; // whether it came in a chunk of its own, as it does at the end
    private String finishReason = ""; // the last one
    private String matchedStop = ""; // the stop sequence that ended the text, if the backend says so
    private boolean namesStops; // whether the backend says that, where there is one
    private boolean hasReasoned; // whether reasoning has come
    private ChatUsage usage = new ChatUsage(Json.NULL, Json.NULL);
    private Optional<ChunkTemplate> template = Optional.empty();

    /** @param search that the request is for, and that the backend runs */
    ChatReply(Reply reply, BackendErrors errors, List<String> stops, Optional<ServerSearch> search) {
        this.reply = reply;
        this.errors = errors;
        this.stops = stops;
        this.search = search;
    }

    @Override
    public boolean isFinished() {
        return !finishReason.isEmpty();
    }

    boolean namesStops() { return namesStops; }
    boolean hasReasoned() { return hasReasoned; }

    @Override
    public String shownFinishReason() {
        return finishReason.substring(0, Math.min(MAX_SHOWN_REASON, finishReason.length()));
    }

    @Override
    public boolean whole(Json json) {
        chunk(json);
        List<Json> choices = json.get("choices").items();
        Json choice = choices.isEmpty() ? Json.NULL : choices.getFirst();
        isOneObject = choice.get("delta").isNull();
        return choice.get("message") instanceof Json.Obj && choice.get("finish_reason").hasText();
    }

    @Override
    public boolean event(SseEvent event) {
        isOneObject = false;
        if (event.isDone()) return true;
        if (event.isError()) throw errors.sent(event.data());
        Optional<Piece> known = template.flatMap(usual -> usual.read(event.data()));
        if (known.isPresent()) {
            isUsageLast = false;
            reply.take(known.get());
            return reply.isStopped();
        }
        try {
            return data(JsonParser.parse(event.data()));
        } catch (Json.Malformed e) {
            if (isFinished()) return true; // what broke off is not of the reply
            if (errors.isSignOfLife(event.data())) return false;
            throw errors.unreadable(event.data(), e);
        }
    }

    /** Takes the data of an event: mostly a chunk. {@return whether nothing more is wanted} */
    private boolean data(Json data) {
        boolean isDone = data instanceof Json.Str && DONE.matcher(data.text()).matches();
        if (isDone) return true;
        for (Json chunk : chunks(data)) chunk(chunk);
        return reply.isStopped();
    }

    /**
     * {@return the chunks in an event's data: one, those of a list, none in null, a number, an empty list}
     */
    private List<Json> chunks(Json data) {
        return switch (data) {
            case Json.Obj chunk -> List.of(chunk);
            case Json.Arr list when list.items().stream().allMatch(ChatReply::hasChoices) -> list.items();
            case Json.Arr error -> throw errors.sent(error); // Gemini: [{"error":{…}}]
            case Json.Str text when isFinished() || errors.isSignOfLife(text.text()) -> List.of();
            case Json.Str error -> throw errors.sent(error);
            case Json.Num number -> List.of();
            case Json.Word word -> List.of();
        };
    }

    private static boolean hasChoices(Json item) {
        return item.get("choices") instanceof Json.Arr;
    }

    /**
     * Takes a chunk, or a whole reply. A chunk that brought one piece of text and did not end the reply is
     * the template for those that follow.
     */
    private void chunk(Json chunk) {
        Json choice = firstChoice(chunk);
        refuseErrors(chunk, choice);
        readUsage(chunk, choice);
        if (chunk.get("service_tier").is("priority")) reply.setTier("priority");
        if (reply.isStopped() || choice.isNull()) return;
        hasChoice |= choice.parts().length > 0;
        isUsageLast = false;
        boolean isDelta = choice.get("delta") instanceof Json.Obj;
        List<Piece> pieces = isDelta ? ChatPieces.of(choice.get("delta"), false) : messagePieces(choice);
        List<Piece> legacy = ChatPieces.text(choice.get("text"));
        for (Piece piece : pieces) hasReasoned |= piece instanceof Piece.Reasoning;
        reply.take(pieces);
        reply.take(legacy);
        if (search.isPresent()) readCitations(choice);
        readMatchedStop(choice);
        boolean isEnd = readFinishReason(choice.get("finish_reason"));
        boolean isUsual = isDelta && legacy.isEmpty() && !isEnd;
        if (isUsual) template = ChunkTemplate.of(chunk, pieces).or(() -> template);
    }

    /** OpenRouter names the pages that it has found in {@code annotations}, and no search. */
    private void readCitations(Json choice) {
        choice.get("delta").get("annotations").items().forEach(searches::cite);
        choice.get("message").get("annotations").items().forEach(searches::cite);
    }

    /** {@return the first choice of index 0 or without one; NULL if there is none} */
    private static Json firstChoice(Json chunk) {
        for (Json choice : chunk.get("choices").items()) {
            if (isFirst(choice)) return choice;
        }
        return Json.NULL;
    }

    private static boolean isFirst(Json choice) {
        return !choice.isNull() && choice.get("index").toLong(0) == 0;
    }

    private void refuseErrors(Json chunk, Json choice) {
        boolean isNamed = holdsAnything(chunk.get("error")) || chunk.get("object").is("error");
        if (isNamed || isBareError(chunk)) throw errors.sent(chunk);
        if (holdsAnything(choice.get("error"))) throw errors.sent(choice);
    }

    /**
     * {@return whether this is an error without that name, as {@code {"detail":"not found"}} and {@code
     * [{…}]}}
     */
    private static boolean isBareError(Json chunk) {
        boolean isStatusBad = chunk.get("base_resp").get("status_code").toLong(0) != 0; // MiniMax
        if (isStatusBad && chunk.get("choices").items().isEmpty()) return true;
        if (!chunk.get("choices").isNull()) return false;
        boolean hasMessage = Stream.of("message", "error_message", "detail", "errors", "msg", "error_msg", "Response")
                .anyMatch(name -> !chunk.get(name).isNull());
        return chunk instanceof Json.Arr || hasMessage;
    }

    /** {@return whether an error is one, and no empty form as {@code {"code":0,"message":""}}} */
    private static boolean holdsAnything(Json error) {
        return switch (error) {
            case Json.Obj object -> object.values().stream().anyMatch(ChatReply::holdsAnything);
            case Json.Arr list -> list.items().stream().anyMatch(ChatReply::holdsAnything);
            case Json.Num number -> number.toLong(1) != 0;
            case Json.Str text -> text.hasText();
            case Json.Word word -> word == Json.TRUE;
        };
    }

    /** The last usage counts: where every chunk has it, it is that of all of them so far. */
    private void readUsage(Json chunk, Json choice) {
        boolean isWithoutChoices = chunk.get("choices").items().isEmpty();
        List<Json> places = List.of(choice.get("usage"), chunk.get("x_groq").get("usage"), chunk.get("usage"));
        for (Json found : places) {
            if (found instanceof Json.Obj) {
                usage = new ChatUsage(found, usage.timings());
                isUsageLast |= hasChoice && isWithoutChoices;
            }
        }
        Json timings = chunk.get("timings");
        if (timings instanceof Json.Obj) usage = new ChatUsage(usage.usage(), timings);
    }

    /**
     * {@return the pieces of a message; in a stream it counts only if nothing came before, for some repeat
     * all in it}
     */
    private List<Piece> messagePieces(Json choice) {
        Json message = choice.get("message");
        if (reply.isEmpty()) return ChatPieces.of(message, true);
        return reply.hasCalls() ? List.of() : ChatPieces.calls(message);
    }

    /**
     * vLLM says in {@code stop_reason}, SGLang in {@code matched_stop}, which of the stop sequences it met:
     * null or the number of a token where it was none of them.
     */
    private void readMatchedStop(Json choice) {
        Json[] members = choice.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean isMatch = members[i].is("stop_reason") || members[i].is("matched_stop");
            if (isMatch) readMatchedStopIn(members[i + 1]);
        }
    }

    private void readMatchedStopIn(Json match) {
        boolean isOther = match.hasText() && !stops.contains(match.text()); // a gateway's word, as "end_turn"
        if (isOther) return;
        namesStops = true;
        if (match.hasText()) matchedStop = match.text();
    }

    /**
     * {@return whether a choice says how the reply ends} The last word counts, but a stop does not replace
     * {@code tool_calls}.
     */
    private boolean readFinishReason(Json said) {
        Json word = said instanceof Json.Obj ? said.get("type") : said; // an object at SGLang
        String reason = word.text().strip();
        boolean isLess = finishReason.equalsIgnoreCase("tool_calls") && reason.equalsIgnoreCase("stop");
        if (reason.isEmpty() || isLess) return false;
        finishReason = reason;
        return true;
    }

    @Override
    public void finish() {
        refuseUnfinished();
        Finish finish = Finish.of(finishReason);
        switch (finish) {
            case BUSY -> throw errors.broken(529, shownFinishReason());
            case FAILURE -> throw errors.broken(502, "finish_reason " + shownFinishReason());
            case STOP, LENGTH, WINDOW, REFUSAL, UNKNOWN -> end(finish);
        }
    }

    private void refuseUnfinished() {
        if (isOneObject && !hasChoice) throw errors.broken(502, "the backend returned no choices").asPassing();
        if (!isOneObject && !isStreamOver()) throw errors.broken(502, "the stream ended early").asPassing();
    }

    private boolean isStreamOver() {
        boolean isSaid = isFinished() || isUsageLast;
        return isSaid || reply.isStopped() || reply.endsInWholeCalls();
    }

    @Override
    public void endAs(String reason) {
        finishReason = reason;
        end(Finish.of(reason));
    }

    private void end(Finish finish) {
        var counted = usage.toAnthropic();
        reply.endBlocks(finish, counted);
        search.ifPresent(wanted -> searches.suppose(wanted.input().get("query")));
        reply.take(searches.atTheEnd());
        reply.setSearches(searches.count());
        boolean isNothing = finish == Finish.UNKNOWN && !reply.hasBlocks();
        String what = "no content, and finish_reason " + shownFinishReason();
        if (isNothing) throw errors.broken(502, what).asPassing();
        reply.end(finish, matchedStop, counted);
    }
}
