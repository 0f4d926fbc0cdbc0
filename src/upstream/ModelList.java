package upstream;

import anthropic.ApiError;
import anthropic.ListedModel;
import config.Parameter;
import config.Target;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import json.Json;
import json.JsonParser;

/**
 * The models that one backend lists. It asks for them when somebody wants to know, and no more than once a
 * minute for the same key. Safe for use by many threads; shared are the last answer and the last list that
 * named models.
 *
 * <p>Source: OpenAI, "List models": {@code {"object":"list","data":[{"id":"gpt-5","created":1686935002}]}}.
 */
public final class ModelList {
    /** How long clients are made to wait; Claude Code waits for 3 s. */
    static final Duration PATIENCE = Duration.ofMillis(2500);
    private static final Duration MAX_AGE = Duration.ofMinutes(1);
    private static final int MAX_PAGES = 20; // of a list
    private static final int MAX_RETRIES = 5; // of a backend that may never list models
    private static final long MAX_SECONDS = 253_402_300_799L; // the end of the year 9999
    /**
     * Where lists give the context window: first the one that is served, then the one that the model was made
     * for. Source: lists of llama.cpp, LM Studio, vLLM and SGLang, OpenRouter, Groq, Mistral, LiteLLM;
     * November 2026.
     */
    private static final List<List<String>> WINDOW_MEMBERS = List.of(
            List.of("meta", "n_ctx"),
            List.of("loaded_context_length"),
            List.of("max_model_len"),
            List.of("top_provider", "context_length"),
            List.of("context_length"),
            List.of("context_window"),
            List.of("max_context_length"),
            List.of("max_input_tokens"),
            List.of("meta", "n_ctx_train"));
    private static final List<List<String>> MAX_TOKENS_MEMBERS =
            List.of(List.of("top_provider", "max_completion_tokens"), List.of("max_tokens"));
    private static final Logger LOG = Logger.getLogger("a2o");

    /** The last answer: what a client's key was shown, and until when it counts. */
    private record Answer(String clientKey, List<ListedModel> models, long validUntil) { }

    private final Target backend;
    private final String host; // for the log
    private final Credentials credentials;
    private final Transport transport;
    private final Clock clock;
    private final AtomicBoolean isAskedAgain = new AtomicBoolean(); // now
    private final AtomicInteger retries = new AtomicInteger();
    private volatile Optional<Answer> answer = Optional.empty();
    private volatile List<ListedModel> lastNamed = List.of(); // the models of the last list that named some
    private volatile OptionalInt refusal = OptionalInt.empty();
    private volatile boolean areWindowsWanted;

    ModelList(Target backend, String host, Credentials credentials, Transport transport, Clock clock) {
        this.backend = backend;
        this.host = host;
        this.credentials = credentials;
        this.transport = transport;
        this.clock = clock;
    }

    public List<ListedModel> listed(String clientKey) { return listed(clientKey, PATIENCE); }

    /** {@return the models that the backend lists for that key; none if it does not, or not in time} */
    public List<ListedModel> listed(String clientKey, Duration patience) {
        Optional<Answer> known = valid(clientKey);
        if (known.isPresent()) return known.get().models;
        List<ListedModel> models = ask(clientKey, patience);
        if (!models.isEmpty()) lastNamed = models;
        answer = Optional.of(new Answer(clientKey, models, clock.nanos() + MAX_AGE.toNanos()));
        return models;
    }

    /** {@return the last answer, if it is for that key and not too old} */
    private Optional<Answer> valid(String clientKey) {
        return answer.filter(last -> last.validUntil - clock.nanos() > 0 && last.clientKey.equals(clientKey));
    }

    private boolean hasJustAnswered(String clientKey) { return valid(clientKey).isPresent(); }

    /**
     * {@return the context window of a model in tokens, by the last list that named models} It does not ask.
     */
    OptionalLong window(String model) { return ListedModel.window(lastNamed, model); }

    /** {@return true if the last list that named models has that name} It does not ask. */
    boolean names(String model) { return lastNamed.stream().anyMatch(listed -> listed.id().equals(model)); }

    /** {@return the status, 4xx, by which the backend has refused its list when it was last asked, if it has} */
    public OptionalInt refusal() { return refusal; }

    /** {@return whether nobody has wanted to know yet} */
    boolean isUnasked() { return answer.isEmpty(); }

    /** Asks in the background, unless it has answered within the last minute, or is being asked. */
    void askAgain(String clientKey) {
        if (hasJustAnswered(clientKey) || isAskedAgain.getAndSet(true)) return;
        Thread.ofVirtual().start(() -> {
            try {
                listed(clientKey);
            } finally {
                isAskedAgain.set(false);
            }
        });
    }

    /**
     * Asks, so that windows are known from then on; if no list comes, {@link #retryForWindows} asks again.
     */
    public void askForWindows(String clientKey) {
        areWindowsWanted = true;
        listed(clientKey);
    }

    /**
     * Asks again in the background if windows are wanted and none has come yet: the backend was not running
     * then, or it wanted a key. Called when the backend has answered a request with that key.
     */
    public void retryForWindows(String clientKey) {
        if (!areWindowsWanted || !lastNamed.isEmpty()) return;
        if (hasJustAnswered(clientKey) || retries.incrementAndGet() > MAX_RETRIES) return;
        Thread.ofVirtual().start(() -> listed(clientKey));
    }

    private List<ListedModel> ask(String clientKey, Duration patience) {
        try {
            return pages(clientKey, patience);
        } catch (InterruptedException | IOException | IllegalArgumentException
                | ApiError | Json.Malformed e) { // interrupted: the client has left
            // the message is not logged, for it may hold the key
            LOG.info(() -> "%s lists no models: %s".formatted(host, e.getClass().getSimpleName()));
            return List.of();
        }
    }

    /**
     * {@return the models of all pages; of those that have come, where one does not} OpenAI's lists have no
     * pages.
     *
     * <p>Source: Anthropic, "List models": {@code {"data":[…],"has_more":true,"last_id":"claude-x"}}.
     */
    private List<ListedModel> pages(String clientKey, Duration patience)
            throws InterruptedException, IOException {
        long until = clock.nanos() + patience.toNanos();
        Json page = page(backend, clientKey, until);
        List<ListedModel> models = new ArrayList<>(models(page));
        try {
            for (int pages = 1; pages < MAX_PAGES && isMoreAfter(page); pages++) {
                var after = Parameter.of("after_id", page.get("last_id").text());
                page = page(backend.with(after), clientKey, until);
                models.addAll(models(page));
            }
        } catch (IOException | ApiError | Json.Malformed e) {
            LOG.info(() -> "%s lists no more models: %s".formatted(host, e.getClass().getSimpleName()));
        }
        return List.copyOf(models);
    }

    private static boolean isMoreAfter(Json page) {
        return page.get("has_more") == Json.TRUE && page.get("last_id").hasText();
    }

    private static List<ListedModel> models(Json page) {
        return page.get("data").items().stream().filter(model -> model.get("id").hasText())
                .map(ModelList::read).toList();
    }

    /** {@return a page of the list, without its compression} */
    private Json page(Target from, String clientKey, long until) throws InterruptedException, IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(from.modelsUrl());
        credentials.headers(ClientHeaders.of(clientKey)).forEach(request::setHeader);
        var patience = Duration.ofNanos(until - clock.nanos());
        ShortReply reply = ShortReply.read(transport.get(request), patience, clock);
        boolean isRefused = reply.status() / 100 == 4;
        refusal = isRefused ? OptionalInt.of(reply.status()) : OptionalInt.empty();
        return JsonParser.parse(reply.body());
    }

    private static ListedModel read(Json model) {
        List<String> aliases = model.get("aliases").items().stream().map(Json::text).toList();
        Json name = model.get("name").hasText() ? model.get("name") : model.get("display_name"); // Anthropic's
        Optional<String> title = Optional.of(name.text()).filter(text -> !text.isEmpty());
        OptionalLong maxTokens = firstTokens(model, MAX_TOKENS_MEMBERS);
        return new ListedModel(model.get("id").text(), aliases, title, created(model),
                firstTokens(model, WINDOW_MEMBERS), maxTokens);
    }

    /** {@return the time of creation: a number of seconds, or Anthropic's 2026-10-01T00:00:00Z; else 1970} */
    private static Instant created(Json model) {
        try {
            return Instant.parse(model.get("created_at").text());
        } catch (DateTimeException e) { // it is not there
            return Instant.ofEpochSecond(Math.clamp(model.get("created").toLong(0), 0, MAX_SECONDS));
        }
    }

    /** {@return the first number of tokens that is given in one of those members} */
    private static OptionalLong firstTokens(Json model, List<List<String>> paths) {
        return paths.stream().mapToLong(path -> at(model, path).toLong(0))
                .filter(tokens -> tokens > 0).findFirst();
    }

    private static Json at(Json json, List<String> path) {
        Json found = json;
        for (String member : path) found = found.get(member);
        return found;
    }
}
