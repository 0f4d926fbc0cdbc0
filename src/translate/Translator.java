package translate;

import anthropic.ApiError;
import anthropic.MessageWriter;
import anthropic.Request;
import anthropic.Usage;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;
import json.Sse;

/**
 * Translates one exchange: the client's request (Anthropic Messages, {@code POST /v1/messages}) into the upstream's
 * (OpenAI, {@code POST /v1/chat/completions}), and what the upstream answers, whole or in chunks, into a message or
 * its events. It does no input or output and knows nothing of HTTP; it is not safe for use by several threads.
 *
 * <p>There is one state machine for all four ways (stream or not, on either side): a whole reply is a chunk that holds
 * everything, and blocks are written either as events or as the elements of {@code content}.
 */
public final class Translator implements Conversation {
    private static final int MAX_STOP_CHARACTERS = 20_000; // of all that are looked for here, for room and time
    private static final Pattern DONE = Pattern.compile("(?i)\\s*(\\[done]|done)\\s*");

    private final Request request;
    private final Dialect dialect;
    private final String model; // the upstream's
    private final Options options;
    private final LongSupplier window;
    private final Supplier<String> newIds;
    private final Optional<ServerSearch> search; // that the request is for, and that nobody can run
    private final Set<String> warnings = new LinkedHashSet<>();

    // the request's side
    private final ChatRequest chat;
    private final JsonWriter out = new JsonWriter();
    private long inputTokens; // an estimate; 0 until it is asked for

    // the reply's side
    private final MessageWriter message;
    private final TextFilter filter;
    private Prefill repeated = new Prefill("", this::text);
    private final Calls calls;
    private final List<Runnable> later = new ArrayList<>(); // text and reasoning that wait for the end of a call
    private boolean answered;
    private boolean isOneObject; // whether the reply came as one, and not in chunks
    private boolean usageIsLast; // whether it came in a chunk of its own, as it does at the end
    private String half = ""; // the first half of a surrogate pair
    private final Opaque opaque = new Opaque();
    private String thinkingField = Opaque.FIELDS.getFirst(); // that the last reasoning came under
    private final StringBuilder refusal = new StringBuilder();
    private String finishReason = "";
    private String stopSequence = "";
    private Json usage = Json.NULL, timings = Json.NULL;
    private Usage used = new Usage(0, 0, 0, 0, 0);
    private Usual usual = new Usual(new byte[0], 0, 0, "");
    private int pieces; // of text in this chunk, and what else makes it unlike those that only bring text
    private Json last = Json.NULL; // of these pieces
    private String lastField = "";

    /** For a model of which no more is known than what the options say. */
    public Translator(Json anthropic, Options options, Dialect dialect, Supplier<String> newIds) {
        this(anthropic, options, dialect, options::context, newIds);
    }

    /**
     * @param window the model's context window in tokens as far as it is known by then, else 0
     * @throws ApiError if {@code anthropic} is not a request that can be translated
     */
    public Translator(Json anthropic, Options options, Dialect dialect, LongSupplier window,
                      Supplier<String> newIds) {
        this.request = new Request(anthropic);
        this.options = options;
        this.dialect = dialect;
        this.window = window;
        this.newIds = newIds;
        this.search = ServerSearch.of(request);
        this.calls = new Calls(request, newIds);
        this.model = options.model(request.get("model").text());
        this.chat = new ChatRequest(request, options, dialect, warnings);
        List<String> unsent = chat.unsentStops();
        boolean isTooMuch = unsent.stream().mapToLong(String::length).sum() > MAX_STOP_CHARACTERS;
        request.refuse("stop_sequences", isTooMuch, MAX_STOP_CHARACTERS + " characters in all at most");
        filter = new TextFilter(unsent, new JsonInProse(request.schema()),
                text -> write(text, ""), text -> write(text, "reasoning"));
        message = new MessageWriter(isStream(), "msg_" + newIds.get(), request.get("model"),
                () -> Tokens.rough(out.buffer(), out.size()));
    }

    @Override
    public Set<String> warnings() { return warnings; }
    @Override
    public boolean isStream() { return request.isStream(); }
    @Override
    public String model() { return model; }
    /** {@return whether no backend is asked: no token is wanted, or nothing but a search that nobody runs} */
    @Override
    public boolean isAnsweredHere() { return wantsNothing() || search.isPresent(); }
    /** {@return whether the request only warms a cache, which chat completions cannot do} */
    private boolean wantsNothing() { return request.get("max_tokens").toLong(1) == 0; }

    /** {@return an estimate of the tokens that the request takes, for which it need not say max_tokens} */
    public long inputTokens() {
        if (inputTokens > 0) return inputTokens;
        if (out.size() == 0) write();
        return inputTokens = Tokens.of(out.buffer(), out.size());
    }

    @Override
    public void forget() {
        inputTokens();
        out.free();
        request.forget();
    }

    /** {@return the body for the upstream: {@code {"model":…,"messages":[…],…}}} */
    @Override
    public JsonWriter request() {
        request.requireMaxTokens();
        return write();
    }

    private JsonWriter write() {
        chat.write(out);
        filter.continues(chat.prefill());
        if (dialect.repeatsBegunReply()) repeated = new Prefill(chat.prefill(), this::text);
        return out;
    }

    /**
     * A chunk that brought nothing but a string, from {@code from} to {@code to} in it, of text or of reasoning under
     * {@code field}. Most chunks of a stream differ only there, and need not be parsed.
     */
    private record Usual(byte[] chunk, int from, int to, String field) {
        /** {@return the string that {@code other} brings; NULL if it differs elsewhere too} */
        private Json piece(byte[] other) {
            int end = other.length - (chunk.length - to);
            boolean same = end > from && Arrays.equals(chunk, 0, from, other, 0, from)
                    && Arrays.equals(chunk, to, chunk.length, other, end, other.length);
            Json found = same ? JsonParser.string(other, from, end) : Json.NULL;
            return found.hasText() ? found : Json.NULL;
        }
    }

    @Override
    public JsonWriter ready() { return message.out(); }
    @Override
    public boolean isFinished() { return !finishReason.isEmpty(); }
    @Override
    public boolean isStopped() { return !filter.stop().isEmpty(); }

    @Override
    public void ping() {
        message.start();
        message.out().put("event: ping\ndata: {'type':'ping'}\n\n");
    }

    @Override
    public boolean whole(Json reply) {
        chunk(reply);
        Json choice = reply.get("choices").items().isEmpty() ? Json.NULL : reply.get("choices").items().getFirst();
        isOneObject = choice.get("delta").isNull();
        return choice.get("message") instanceof Json.Obj && choice.get("finish_reason").hasText();
    }

    @Override
    public boolean event(Sse event) {
        isOneObject = false;
        if (event.isDone()) return true;
        byte[] data = event.data();
        try {
            Json text = event.isError() ? Json.NULL : usual.piece(data);
            if (!text.isNull()) piece(text, usual.field);
            if (!text.isNull()) return isStopped();
            Json chunk = JsonParser.parse(data);
            if (event.isError()) throw upstreamError(chunk);
            if (isDone(chunk)) return true;
            for (Json each : chunks(chunk)) chunk(each);
        } catch (Json.Malformed e) {
            if (isFinished() && !event.isError()) return true; // what broke off is not of the reply
            throw event.isError() ? upstreamError(JsonWriter.text(new String(data, StandardCharsets.UTF_8)))
                    : broken(502, "the stream's data is " + e.getMessage());
        }
        return isStopped();
    }

    /** {@return whether this is {@code "[DONE]"}, the end of the stream written as JSON} */
    private static boolean isDone(Json chunk) {
        return chunk instanceof Json.Str && DONE.matcher(chunk.text()).matches();
    }

    /** {@return the chunks in an event's data: one, those of a list, none in null, a number, an empty list} */
    private List<Json> chunks(Json data) {
        boolean isList = data instanceof Json.Arr
                && data.items().stream().allMatch(item -> item.get("choices") instanceof Json.Arr);
        if (isList) return data.items();
        return switch (data) {
            case Json.Obj chunk -> List.of(chunk);
            case Json.Num number -> List.of();
            case Json.Word word -> List.of();
            case Json.Str text when text.text().isBlank() || isFinished() -> List.of();
            case Json.Str text -> throw upstreamError(text);
            case Json.Arr list -> throw upstreamError(list);
        };
    }

    /** {@return the error that the upstream sent in the place of a reply or in mid-stream} */
    private ApiError upstreamError(Json error) { return UpstreamError.of(200, error, context()); }

    @Override
    public ApiError error(int status, byte[] body) { return UpstreamError.of(status, body, context()); }

    private ErrorContext context() {
        long maxTokens = request.get("max_tokens").toLong(0);
        boolean isKeyOurs = options.areKeysOurs(dialect.target());
        return new ErrorContext(dialect.target().address(), model(), isKeyOurs, options.secrets(),
                window.getAsLong(), inputTokens(), maxTokens);
    }

    @Override
    public ApiError broken(int status, String what) {
        return new ApiError(status, dialect.target().address() + ": " + what);
    }

    @Override
    public Dialect dialect() { return dialect; }

    /**
     * Takes a chunk or a whole reply, {@code {"choices":[{"delta"|"message":{…},"finish_reason":F}],"usage":{…}}}. In a
     * chunk {@code message} counts only if nothing has come by {@code delta}: some repeat all in the last one.
     */
    private void chunk(Json chunk) {
        Json choices = chunk.get("choices");
        Json choice = Json.NULL;
        for (Json each : choices.items()) choice = choice.isNull() && each.get("index").toLong(0) == 0 ? each : choice;
        boolean bare = choices.isNull() && (chunk instanceof Json.Arr
                || !Stream.of("message", "error_message", "detail", "errors").map(chunk::get).allMatch(Json::isNull));
        if (bare || isSaid(chunk.get("error")) || chunk.get("object").is("error")) throw upstreamError(chunk);
        if (isSaid(choice.get("error"))) throw upstreamError(choice);
        for (Json found : List.of(choice.get("usage"), chunk.get("x_groq").get("usage"), chunk.get("usage"))) {
            usageIsLast |= found instanceof Json.Obj && answered && choices.items().isEmpty();
            usage = found instanceof Json.Obj ? found : usage;
        }
        if (chunk.get("timings") instanceof Json.Obj found) timings = found;
        if (chunk.get("service_tier").is("priority")) message.setTier("priority");
        if (isStopped() || choice.isNull()) return;
        pieces = 0;
        answered |= choice.parts().length > 0;
        usageIsLast = false;
        boolean isDelta = choice.get("delta") instanceof Json.Obj;
        boolean isFirst = message.blocks() == 0 && calls.isEmpty() && isTextUnused();
        if (isDelta || isFirst) delta(choice.get(isDelta ? "delta" : "message"), !isDelta);
        if (!isDelta && !isFirst && calls.isEmpty()) toolCalls(choice.get("message"), true);
        content(choice.get("text"));
        String matched = choice.get(choice.get("stop_reason").hasText() ? "stop_reason" : "matched_stop").text();
        boolean isStop = !matched.isEmpty() && request.stops().stream().anyMatch(stop -> stop.text().equals(matched));
        if (isStop) stopSequence = matched;
        String reason = finishReason(choice.get("finish_reason"));
        if (!reason.isEmpty()) finishReason = reason;
        boolean isUsual = pieces == 1 && isDelta && reason.isEmpty() && last.source() == chunk.source();
        if (isUsual) usual = new Usual(chunk.source(), last.from(), last.to(), lastField);
    }

    /** {@return what a choice says of its end; "" for nothing, and for a stop after calls, which is less} */
    private String finishReason(Json said) {
        Json word = said instanceof Json.Obj ? said.get("type") : said; // an object at SGLang
        String reason = word.text().strip();
        boolean isLess = finishReason.equalsIgnoreCase("tool_calls") && reason.equalsIgnoreCase("stop");
        return isLess ? "" : reason;
    }

    /** Takes a piece of text or, with the {@code field} that it came under, of reasoning. */
    private void piece(Json text, String field) {
        pieces++;
        usageIsLast = false;
        last = text;
        lastField = field;
        if (field.isEmpty()) {
            filter.feed(text);
        } else {
            filter.flush();
            write(text, field);
        }
    }

    private static boolean isSaid(Json error) {
        return error.hasText() || error.parts().length > 0 || !error.items().isEmpty();
    }

    private void delta(Json delta, boolean whole) {
        reasoning(delta);
        Json content = delta.get("content");
        content.items().forEach(this::contentPart);
        content(content.isNull() ? delta.get("audio").get("transcript") : content);
        refusal(delta.get("refusal"));
        toolCalls(delta, whole);
    }

    private boolean isTextUnused() { return filter.isUnused() && repeated.isUnused(); }

    private void toolCalls(Json delta, boolean whole) {
        if (isStopped()) return;
        for (Json call : delta.get("tool_calls").items()) {
            toolCall(call, call.get(call.get("function").isNull() ? "custom" : "function"), whole);
        }
        if (delta.get("function_call") instanceof Json.Obj function) toolCall(delta, function, false);
        if (calls.isOpen() && isStream()) pump();
    }

    /** The reasoning in a delta; the same text may stand under several keys, so only one counts. */
    private void reasoning(Json delta) {
        delta.get("reasoning_details").items().forEach(opaque::add);
        if (!delta.get("reasoning_details").items().isEmpty()) pieces++; // no usual chunk
        for (String field : Opaque.FIELDS) {
            Json value = delta.get(field);
            if (value instanceof Json.Obj) value = value.get(value.get("content").isNull() ? "text" : "content");
            think(value, field);
            if (value.hasText()) return;
        }
        for (Json detail : delta.get("reasoning_details").items()) {
            think(detail.get(detail.get("text").hasText() ? "text" : "summary"), "reasoning");
        }
    }

    private void contentPart(Json part) {
        switch (part.get("type").text()) {
            case "text" -> content(part.get("text"));
            case "refusal" -> refusal(part.get("refusal"));
            case "thinking" -> {
                think(part.get("thinking"), "reasoning");
                part.get("thinking").items().forEach(inner -> think(inner.get("text"), "reasoning"));
            }
            case "image_url" -> content(JsonWriter.text("[image]"));
            default -> { } // dropped: parts that a message has no room for
        }
    }

    private void refusal(Json text) {
        refusal.append(text.text());
        content(text);
        if (text.hasText()) pieces++; // no usual chunk
    }

    private void content(Json text) {
        boolean odd = text instanceof Json.Num || text instanceof Json.Obj;
        if (odd || text.hasText()) repeated.feed(odd ? JsonWriter.text(text.raw()) : text);
    }

    private void text(Json text) { piece(text, ""); }

    private void think(Json text, String field) {
        if (text.hasText()) piece(text, field);
    }

    /** Writes text, or with a {@code field} reasoning that came under it; while a tool call is open, it waits. */
    private void write(Json text, String field) {
        var kind = field.isEmpty() ? MessageWriter.Block.TEXT : MessageWriter.Block.THINKING;
        if (!field.isEmpty() && request.isThinkingOff()) return;
        if (calls.isOpen()) {
            later.add(() -> write(text, field));
            return;
        }
        if (!message.isOpen(kind)) {
            open(kind);
            if (!field.isEmpty()) thinkingField = field;
        }
        show((Json.Str) text);
    }

    /** Half of a surrogate pair at the end waits for the other, which some backends send in the next chunk. */
    private void show(Json.Str text) {
        boolean plain = half.isEmpty() && !text.mayEndInHalf();
        String all = plain ? "" : half + text.text();
        int end = all.length() - (!plain && Character.isHighSurrogate(all.charAt(all.length() - 1)) ? 1 : 0);
        half = all.substring(end);
        if (plain || end > 0) message.delta(plain ? text : JsonWriter.text(all.substring(0, end)));
    }

    private void open(MessageWriter.Block kind, Object... values) {
        close();
        boolean isLeft = kind == MessageWriter.Block.TOOL_USE && !opaque.isEmpty(); // by the thinking block, if any
        if (isLeft) redacted();
        message.open(kind, values);
    }

    private void redacted() {
        message.open(MessageWriter.Block.REDACTED, opaque.take(thinkingField));
        message.close("");
    }

    private void close() {
        if (!half.isEmpty()) message.delta(JsonWriter.text(half));
        half = "";
        message.close(message.isOpen(MessageWriter.Block.THINKING) ? opaque.take(thinkingField) : "");
    }

    private void toolCall(Json delta, Json function, boolean whole) {
        repeated.flush();
        filter.flush();
        pieces++; // no usual chunk
        calls.take(delta, function, whole);
    }

    private void pump() {
        if (calls.write(this, message)) writeLater();
    }

    /** Writes the text and reasoning that waited for the end of a call. */
    private void writeLater() {
        later.forEach(Runnable::run);
        later.clear();
    }

    private void endCalls() {
        calls.end(this, message, isStream(), ending());
        if (calls.isCut()) warnings.add("tool_call_cut");
        if (calls.isBroken()) warnings.add("tool_input_not_json");
        writeLater();
    }

    private Arguments.Ending ending() {
        Finish finish = Finish.of(finishReason);
        if (finish == Finish.LENGTH || finish == Finish.WINDOW) return Arguments.Ending.CUT;
        Usage counted = Usage.of(usage, timings);
        long maxTokens = chat.maxTokensSent();
        boolean isAtLimit = maxTokens > 0 && counted.output() >= maxTokens;
        boolean isFull = options.context() > 0 && counted.prompt() + counted.output() >= options.context();
        return isAtLimit || isFull ? Arguments.Ending.AT_LIMIT : Arguments.Ending.WHOLE;
    }

    /** Begins the block of a call; {@code extra} is what the backend wants back with it. */
    void openCall(String id, String name, Json extra) {
        if (!extra.isNull()) opaque.add(id, extra);
        open(MessageWriter.Block.TOOL_USE, id, name);
    }

    @Override
    public void finish() {
        boolean more = message.isOpen(MessageWriter.Block.TEXT) || message.isOpen(MessageWriter.Block.THINKING)
                || !later.isEmpty();
        boolean called = !more && !calls.isEmpty() && calls.isWhole();
        boolean ended = isOneObject ? answered : isFinished() || isStopped() || usageIsLast || called;
        if (!ended) throw broken(502, isOneObject ? "the backend returned no choices" : "the stream ended early").asPassing();
        switch (Finish.of(finishReason)) {
            case BUSY -> throw broken(529, finishReason());
            case FAILURE -> throw broken(502, "finish_reason " + finishReason());
            case STOP, LENGTH, WINDOW, REFUSAL, UNKNOWN -> end();
        }
    }

    @Override
    public void answer() {
        if (wantsNothing()) {
            endAtLimit();
            return;
        }
        search.ifPresent(this::refuse);
        finishReason = "stop";
        end();
    }

    /** A call of a server tool, and that its results cannot be had. Source: Anthropic, "Web search tool". */
    private void refuse(ServerSearch search) {
        warnings.add(search.tool() + "_unavailable");
        String id = "srvtoolu_" + newIds.get();
        String result = search.tool() + "_tool_result";
        message.open(MessageWriter.Block.SERVER_TOOL_USE, id, search.tool());
        message.input(search.input().raw());
        message.close("");
        message.open(MessageWriter.Block.SERVER_TOOL_ERROR, result, id, result + "_error");
        message.close("");
    }

    @Override
    public void endAtLimit() {
        finishReason = "length";
        end();
    }

    /** Ends the message as the upstream's last finish_reason says. */
    private void end() {
        repeated.flush();
        filter.flush();
        endCalls();
        close();
        boolean isNothing = Finish.of(finishReason) == Finish.UNKNOWN && message.blocks() == 0;
        if (isNothing) throw broken(502, "no content, and finish_reason " + finishReason()).asPassing();
        if (!opaque.isEmpty()) redacted();
        if (isStopped()) stopSequence = filter.stop();
        String reason = stopReason();
        used = usage();
        message.finish(reason, reason.equals("stop_sequence") ? stopSequence : "", refusal.toString(), used);
    }

    /** Source: OpenAI, "finish_reason"; Anthropic, "stop_reason". What was sent counts more than what was said. */
    private String stopReason() {
        if (isStopped()) return "stop_sequence";
        if (!refusal.isEmpty()) return "refusal";
        return switch (Finish.of(finishReason)) {
            case WINDOW -> "model_context_window_exceeded";
            case LENGTH -> lengthReason();
            case REFUSAL -> "refusal";
            case STOP, UNKNOWN -> calls.isCut() ? lengthReason() : endReason();
            case BUSY, FAILURE -> throw new IllegalStateException(finishReason()); // an error, and no end
        };
    }

    private String lengthReason() {
        boolean isFull = window.getAsLong() > 0 && usage().prompt() >= window.getAsLong();
        return isFull && message.blocks() == 0 ? "model_context_window_exceeded" : "max_tokens";
    }

    private String endReason() {
        if (message.hasToolUse()) return "tool_use";
        return stopSequence.isEmpty() ? "end_turn" : "stop_sequence";
    }

    /** {@return the tokens that the backend counted; where it did not, a guess} */
    private Usage usage() {
        Usage counted = Usage.of(usage, timings);
        if (counted.isCounted()) return counted;
        return new Usage(inputTokens(), 0, 0, isAnsweredHere() ? 0 : message.tokens(), 0);
    }

    @Override
    public String asked() { return request.get("model").text(); }
    @Override
    public String finishReason() { return "%.100s".formatted(finishReason); }
    @Override
    public Usage used() { return used; }

    @Override
    public void fail(ApiError error, String requestId) {
        message.out().put("event: error\ndata: %\n\n", error.body(requestId));
    }
}
