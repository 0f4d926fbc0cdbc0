package translate;

import anthropic.ApiError;
import anthropic.Request;
import anthropic.Usage;
import config.Api;
import config.Options;
import config.Route;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;
import json.SseEvent;

/**
 * Translates one exchange: the client's request (Anthropic Messages, {@code POST /v1/messages}) into the
 * backend's (OpenAI, {@code POST /v1/chat/completions} or {@code /v1/responses}), and the backend's reply,
 * whole or in chunks, into a message or its events. It is the face of those that do it: {@link ChatRequest}
 * or {@link ResponsesRequest} writes the request, {@link ChatReply} or {@link ResponsesReply} reads the
 * reply, {@link Reply} puts it together.
 */
public final class Translator implements Conversation {
    /** Of all stop sequences, which are looked for in the reply: they take room and time. */
    private static final int MAX_STOP_CHARACTERS = 20_000;
    private static final String TOO_MANY_STOPS = MAX_STOP_CHARACTERS + " characters in all at most";

    private final Request request;
    private final Dialect dialect;
    private final Route route;
    private final Optional<ServerSearch> search; // that the request is for, and that nobody can run
    private final Optional<WebSearch> ownSearch; // that A2o runs
    private final Set<String> warnings = new LinkedHashSet<>();
    private final BackendRequest backendRequest;
    private final JsonWriter openai = new JsonWriter();
    private final BackendErrors errors;
    private final Reply reply;
    private final ChatReply chatReader;
    private final Optional<ResponsesReply> responsesReader; // where that API is spoken
    private Reader reader;
    private final TokenEstimate tokens;

    /** For a model of which no more is known than what the options say. */
    public Translator(Json anthropic, Options options, Dialect dialect, Supplier<String> newIds) {
        this(anthropic, Optional.empty(), options, dialect, () -> dialect.target().context().orElse(0),
                new Calibration(), newIds);
    }

    /**
     * @param before what came before searches, where the reply goes on after them
     * @param window the model's context window in tokens as far as it is known by then, else 0
     * @param calibration of this backend and model
     * @throws ApiError if {@code anthropic} is not a request that can be translated
     */
    public Translator(Json anthropic, Optional<Continuation> before, Options options, Dialect dialect,
                      LongSupplier window, Calibration calibration, Supplier<String> newIds) {
        this.request = new Request(anthropic);
        this.dialect = dialect;
        this.tokens = new TokenEstimate(openai, calibration);
        this.route = options.routes().of(asked());
        Optional<ServerSearch> wanted = ServerSearch.of(request);
        Optional<ServerSearch> hosted = wanted.flatMap(search -> search.ifHosted(dialect));
        this.ownSearch = WebSearch.of(request, dialect);
        this.search = hosted.isPresent() ? Optional.empty() : wanted.filter(this::isUnanswered);
        this.backendRequest = dialect.api() == Api.RESPONSES
                ? new ResponsesRequest(request, dialect, model(), warnings)
                : new ChatRequest(request, dialect, model(), warnings);
        this.errors = new BackendErrors(request, options, dialect, window, this::inputTokens);
        var limits = new Limits(backendRequest::maxTokensSent, dialect.target().context().orElse(0), window);
        List<String> stops = stops();
        this.reply = new Reply(request, newIds, stops, limits,
                tokens::rough, this::inputTokens, warnings, ownSearch, before);
        this.chatReader = new ChatReply(reply, errors, stops, hosted);
        this.responsesReader = responsesReader(hosted);
        this.reader = responsesReader.isPresent() ? responsesReader.get() : chatReader;
    }

    /** {@return whether A2o does not run the search either} */
    private boolean isUnanswered(ServerSearch wanted) { return ownSearch.isEmpty() || !wanted.isOfWeb(); }

    private Optional<ResponsesReply> responsesReader(Optional<ServerSearch> hosted) {
        if (dialect.api() != Api.RESPONSES) return Optional.empty();
        Optional<ServerSearch> unsure = hosted.filter(search -> dialect.mayHostWebSearch());
        String place = Envelope.place(dialect.target(), model());
        var pieces = new ResponsesPieces(place, dialect.saysPhases(), warnings);
        return Optional.of(new ResponsesReply(reply, errors, pieces, unsure));
    }

    private List<String> stops() {
        List<String> stops = new ArrayList<>();
        int characters = 0;
        for (Json stop : request.stops()) {
            stops.add(stop.text());
            characters += stops.getLast().length();
            request.refuse("stop_sequences", characters > MAX_STOP_CHARACTERS, TOO_MANY_STOPS);
        }
        return stops;
    }

    @Override
    public String asked() {
        return request.get("model").text();
    }

    @Override
    public String model() {
        return route.model();
    }

    /** {@return what was known when the request was made, and what the reply has told} */
    @Override
    public Dialect dialect() {
        if (responsesReader.isEmpty()) {
            return chatReader.namesStops() ? dialect.withStopsNamed(chatReader.hasReasoned()) : dialect;
        }
        Dialect known = responsesReader.get().saysPhases() ? dialect.withPhases() : dialect;
        return responsesReader.get().hasNotSearched() ? known.withoutWebSearch() : known;
    }

    @Override
    public Stream<Dialect> afterRefusal(String refusal) {
        return dialect.afterRefusal(refusal, sentTools(), Attachments.sent(request, dialect));
    }

    @Override
    public Optional<String> refusedTool(String refusal) {
        boolean mayBe = ToolLessons.isAboutSchema(refusal);
        return mayBe ? ToolLessons.named(refusal, sentTools()).map(tool -> tool.get("name").text()) : Optional.empty();
    }

    private List<Json> sentTools() {
        return new Tools(request, dialect, new HashSet<>()).sent();
    }

    @Override
    public boolean isStream() {
        return request.isStream();
    }

    @Override
    public Set<String> warnings() {
        return warnings;
    }

    @Override
    public boolean isBeyondBackend() {
        return search.isPresent() && !wantsNothing();
    }

    /** {@return whether no token is wanted, or nothing but a search that nobody runs} */
    @Override
    public boolean isAnsweredHere() {
        return wantsNothing() || search.isPresent();
    }

    /** {@return whether the request only warms a cache, which chat completions cannot do} */
    private boolean wantsNothing() {
        return request.get("max_tokens").toLong(1) == 0;
    }

    @Override
    public void answer() {
        if (wantsNothing()) {
            endAtLimit();
        } else {
            search.ifPresent(reply::failedSearch);
            reader.endAs("stop");
        }
    }

    /** {@return the body for the backend: {@code {"model":…,"messages":[…],…}}} */
    @Override
    public JsonWriter request() {
        request.requireMaxTokens();
        write();
        return openai;
    }

    private void write() {
        backendRequest.write(openai);
        reply.continues(backendRequest.prefill(), dialect.repeatsBegunReply());
    }

    /** {@return a guess of the tokens that the request takes, for which it need not say max_tokens} */
    public long inputTokens() {
        boolean isUnwritten = !tokens.isKnown() && openai.isEmpty();
        if (isUnwritten) write();
        return tokens.whole();
    }

    @Override
    public void forget() {
        inputTokens();
        openai.free();
        request.forget();
    }

    @Override
    public boolean event(SseEvent event) {
        return reader.event(event);
    }

    @Override
    public boolean whole(Json json) {
        boolean isOfChat = json.get("choices") instanceof Json.Arr; // some gateways answer so in any case
        if (isOfChat) reader = chatReader;
        return reader.whole(json);
    }

    @Override
    public boolean isFinished() {
        return reader.isFinished();
    }

    @Override
    public boolean isStopped() {
        return reply.isStopped();
    }

    @Override
    public void finish() {
        reader.finish();
        reply.counted().ifPresent(tokens::learn);
    }

    @Override
    public void endAtLimit() {
        reader.endAs("length");
    }

    @Override
    public boolean maySearch() {
        return ownSearch.isPresent();
    }

    @Override
    public boolean isPaused() {
        return reply.pause().isPresent();
    }

    @Override
    public List<String> searchWords() {
        return reply.pause().map(pause -> pause.calls().words()).orElse(List.of());
    }

    @Override
    public Optional<Continuation> answered(List<SearchAnswer> answers) {
        return reply.pause().orElseThrow().answered(answers);
    }

    @Override
    public JsonWriter ready() {
        return reply.ready();
    }

    @Override
    public void resume() {
        reply.resume();
    }

    @Override
    public void ping() {
        reply.ping();
    }

    @Override
    public void fail(ApiError error, String requestId) {
        reply.fail(error, requestId);
    }

    @Override
    public ApiError error(int status, byte[] body) {
        return errors.answered(status, body);
    }

    @Override
    public ApiError broken(int status, String what) {
        return errors.broken(status, what);
    }

    @Override
    public String finishReason() {
        return reader.shownFinishReason();
    }

    @Override
    public long tokensSoFar() {
        return reply.tokensSoFar();
    }

    @Override
    public Usage used() {
        return reply.used();
    }
}
