package upstream;

import anthropic.ApiError;
import anthropic.BackendModels;
import config.Api;
import config.Options;
import config.Parameter;
import config.Route;
import config.Target;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Logger;
import json.JsonWriter;
import json.Text;
import translate.Calibration;
import translate.Dialect;

/**
 * One backend: sends it requests, no more at a time than allowed, and knows how it does and what it takes.
 * Safe for use by many threads; shared are the options, the places, what was learned, its health, and the
 * counts of errors.
 */
public final class Upstream implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(8); // to get a place
    private static final Duration COUNT_PATIENCE = Duration.ofSeconds(8); // to have tokens counted
    private static final int MAX_MESSAGE = 200; // characters of an error that are shown
    private static final Logger LOG = Logger.getLogger("a2o");

    private volatile Options options;
    private final Target target;
    private final Target address; // without what the backend must not get
    private final Target betaAddress; // the same for betas of Anthropic's API
    private final Map<Api, URI> urls; // by the API; made once, for they are asked for at each request
    private final Map<Api, URI> betaUrls;
    private final URI url; // of one of the APIs, for connections alone
    private final Clock clock;
    private final Peer peer;
    private final Credentials credentials;
    private final Transport transport;
    private final Optional<SearchService> search;
    private final Places placesOfAll;
    private final Places places;
    private final Learned learned;
    private final ModelList models;
    private final Health health;
    private final Probe probe;
    private final Map<Integer, LongAdder> errors = new ConcurrentHashMap<>(); // by status
    private final AtomicInteger waiting = new AtomicInteger(); // for a place
    private volatile boolean hasAnswered; // at any time

    /**
     * {@code placesOfAll} are those of all backends together.
     *
     * @throws IOException if the certificates of {@code --ca-cert} cannot be read
     */
    public Upstream(Options options, Target target, Places placesOfAll, Clock clock) throws IOException {
        this.options = options;
        this.target = target;
        this.clock = clock;
        Dialect dialect = Dialect.of(target);
        this.credentials = new Credentials(options, target, dialect);
        this.address = target.isDemo() ? target.at(new Demo().start()) : credentials.address();
        this.peer = Peer.of(target);
        this.betaAddress = address.with(Parameter.BETA);
        this.urls = urls(address);
        this.betaUrls = urls(betaAddress);
        this.url = address.url(dialect.api());
        this.transport = new Transport(options, target.proxy(), url, clock);
        this.search = target.search().isPresent()
                ? Optional.of(new SearchService(target.search().get(), options, clock)) : Optional.empty();
        this.placesOfAll = placesOfAll;
        this.places = new Places(options.maxConnectionsPerHost(), clock);
        this.learned = new Learned(dialect, label(), () -> this.options.secrets());
        this.models = new ModelList(address, label(), credentials, transport, clock);
        this.health = new Health(clock);
        this.probe = new Probe(health, target, url, clock);
    }

    /** From now on these are the options; those that are about this backend are the same as before. */
    void use(Options others) { options = others; }

    private static Map<Api, URI> urls(Target address) {
        Map<Api, URI> urls = new EnumMap<>(Api.class);
        for (Api api : Api.values()) urls.put(api, address.url(api));
        return urls;
    }

    /** {@return its name, or else its address} */
    public String label() { return target.label(); }
    public Peer peer() { return peer; }
    /** {@return where it is asked by an API for a client with those headers} It may hold secrets. */
    public URI url(Api api, ClientHeaders client) {
        boolean isBeta = api == Api.MESSAGES && client.isOfBeta();
        return (isBeta ? betaUrls : urls).get(api);
    }
    boolean isNamed() { return target.name().isPresent(); }
    Target target() { return target; }
    public Credentials credentials() { return credentials; }
    public ModelList models() { return models; }
    /** {@return the service that A2o asks when a model of this backend searches the web} */
    public Optional<SearchService> search() { return search; }
    /** {@return its models where it is not asked for them} */
    public BackendModels unlisted() { return new BackendModels(target, List.of()); }

    @Override
    public void close() { probe.close(); }

    // Sending

    /** Waits for a place among the requests in flight; {@link #release} gives it back. */
    public void acquire(boolean isStream) {
        waiting.incrementAndGet();
        try {
            awaitPlaces(isStream);
        } finally {
            waiting.decrementAndGet();
        }
    }

    private void awaitPlaces(boolean isStream) {
        long until = clock.nanos() + PATIENCE.toNanos();
        boolean hasOwn = false;
        try {
            hasOwn = places.tryAcquire(isStream, PATIENCE.toNanos());
            boolean hasBoth = hasOwn && placesOfAll.tryAcquire(isStream, until - clock.nanos());
            if (hasBoth) return;
        } catch (InterruptedException e) {
            // the client has left, or the proxy is being stopped
        }
        if (hasOwn) places.release(isStream);
        throw new ApiError(529, "too many requests in flight (--max-connections, --max-connections-per-host)")
                .retryAfter(1).from(ApiError.Origin.PROXY);
    }

    public void release(boolean isStream) {
        places.release(isStream);
        placesOfAll.release(isStream);
    }

    /** {@return how many requests wait for a place} */
    public int waiting() { return waiting.get(); }

    /** {@return whether a request waits for a place} */
    public boolean isAwaited() { return places.areAwaited() || placesOfAll.areAwaited(); }

    /**
     * Sends a request to an API. The client's key goes with it, unless this backend has its own; of the
     * client's other headers {@link Credentials} chooses.
     */
    public Arrivals send(Api api, JsonWriter body, ClientHeaders client) {
        return send(url(api, client), body, client);
    }

    private Arrivals send(URI to, JsonWriter body, ClientHeaders client) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(to);
            credentials.headers(client).forEach(request::setHeader);
            return transport.post(request.setHeader("content-type", "application/json"), body);
        } catch (IllegalArgumentException e) {
            throw new ApiError(401, "the key contains characters that are not allowed in a header");
        }
    }

    /**
     * Asks a backend of Anthropic's API how many tokens a request takes. {@return its answer; none if it has
     * none, or not in time}
     */
    public Optional<ShortReply> countTokens(JsonWriter request, ClientHeaders client) {
        acquire(false);
        try {
            URI url = (client.isOfBeta() ? betaAddress : address).countUrl();
            return Optional.of(ShortReply.read(send(url, request, client), COUNT_PATIENCE, clock));
        } catch (IOException | InterruptedException e) { // interrupted: the client has left
            return Optional.empty();
        } finally {
            release(false);
        }
    }

    /**
     * {@return what a reply's status means where it is of the HTTP proxy on the way} Only 407 tells: a plain
     * request goes through the proxy as it is, and so does the backend's reply. Over TLS, all that comes is the
     * backend's.
     */
    public Optional<String> refusalByProxy(int status) {
        boolean isPlain = target.proxy().isPresent() && "http".equalsIgnoreCase(url.getScheme());
        boolean isOfProxy = isPlain && status == ConnectionHelp.WANTS_PASSWORD;
        return isOfProxy ? Optional.of(ConnectionHelp.refusalByProxy(target, "" + status)) : Optional.empty();
    }

    /** {@return the error for a request to which no reply came} */
    public ApiError failure(Throwable e) {
        Throwable cause = e instanceof CompletionException ? e.getCause() : e;
        ConnectionHelp.Diagnosis why = ConnectionHelp.diagnose(cause, target, url, hasAnswered, clock);
        var error = new ApiError(502, "%s: %s".formatted(label(), why.reason()));
        return switch (why.kind()) {
            case UNCONNECTED -> error.from(ApiError.Origin.CONNECTION);
            case LASTING -> error;
            case PASSING -> error.asPassing();
        };
    }

    // How it does

    /** {@return how many requests were sent to it} */
    public long tries() { return health.tries(); }

    /** {@return the number of a try that begins now} */
    public long beginTry() { return health.begin(); }

    /** The head of a reply to that try has come. */
    public void noteAnswer(long number, Arrival.Head head, String model) {
        hasAnswered = true;
        if (head.status() / 100 == 2) health.noteAnswer(number);
        String server = head.headers().firstValue("server").orElse("");
        learn(model, dialect(model).servedBy(server));
    }

    /** The reply to that try is whole. */
    public void noteSuccess(long number) {
        health.noteSuccess(number).filter(this::isLogged)
                .ifPresent(was -> LOG.info(() -> label() + " works again"));
    }

    /**
     * {@return whether the end of such trouble is logged} The end of a rate limit is not if there is only one
     * backend: then its beginning was not logged either.
     */
    private boolean isLogged(Health.Kind kind) { return kind != Health.Kind.DENIED || isOneOfSeveral(); }

    private boolean isOneOfSeveral() { return options.upstreams().size() > 1; }

    /** A try has failed. {@code message} may be shown to everybody. */
    public void noteFailure(ApiError error, String message) {
        String shown = Text.cut(message, MAX_MESSAGE);
        var failure = new Health.Failure(System.currentTimeMillis(), error.status(), shown);
        long seconds = health.noteFailure(kind(error), failure, isWorthRetry(error));
        boolean isSetAside = seconds > 0 && isOneOfSeveral();
        String why = failure.message().replace(label() + ": ", "");
        if (isSetAside) LOG.info(() -> "%s is set aside for %d s: %s".formatted(label(), seconds, why));
        if (health.isDown()) probe.start();
    }

    private static Health.Kind kind(ApiError error) {
        if (error.origin() == ApiError.Origin.CONNECTION) return Health.Kind.UNCONNECTED;
        boolean isOurKey = error.status() >= 500 && error.isFinal();
        if (isOurKey || isLimit(error)) return Health.Kind.DENIED;
        return error.status() >= 500 ? Health.Kind.BROKEN : Health.Kind.REFUSED;
    }

    /** {@return whether another backend may do better, or the same one at another time} */
    public static boolean isWorthRetry(ApiError error) {
        boolean mayPass = error.status() >= 500 && !error.isFinal();
        return mayPass || isLimit(error);
    }

    /** {@return whether the account may not do more now: it is not paid for, or a rate limit is reached} */
    private static boolean isLimit(ApiError error) { return error.status() == 402 || error.status() == 429; }

    public Health.State state() { return health.state(); }

    /**
     * {@return whether its last try failed, and not by the request, and no connection has been made since}
     */
    public boolean isDown() { return health.isDown(); }

    /** {@return whether other backends are tried before it} */
    boolean isAside() { return health.isAside(); }

    /** Counts an error, by the backend's status if it gave one. */
    public void countError(int status) {
        errors.computeIfAbsent(status, none -> new LongAdder()).increment();
    }

    public Map<Integer, LongAdder> errors() { return errors; }

    /** {@return how it does, and what was learned about it, for {@code serve.Status}} */
    public JsonWriter json() {
        var out = new JsonWriter().object().field("host", label()).field("address", target.address());
        out.field("state", state().toString());
        out.field("errors", errors.values().stream().mapToLong(LongAdder::sum).sum());
        out.name("last_error");
        health.lastFailure().ifPresentOrElse(last -> write(last, out), out::nothing);
        out.name("learned");
        learned.write(out);
        out.name("counted");
        learned.writeCounted(out);
        return out.endObject();
    }

    private static void write(Health.Failure last, JsonWriter out) {
        out.object().field("time", last.epochMillis()).field("status", last.status());
        out.field("message", last.message()).endObject();
    }

    // What it takes

    /** {@return what it takes for a model, as far as it is known} */
    public Dialect dialect(String model) { return learned.dialect(model); }

    /** Remembers what it takes for a model. */
    public void learn(String model, Dialect dialect) { learned.learn(model, dialect); }

    /** {@return what the backend has counted for a model, beside what was estimated} */
    public Calibration calibration(String model) { return learned.calibration(model); }

    /** {@return how many rules about it are known by now} */
    public long rules() { return learned.rules(); }

    /** {@return how often something was learned} */
    public long timesLearned() { return learned.times(); }

    /** {@return the context window of a route's model in tokens, if it is known by now} It does not ask. */
    public OptionalLong window(Route route) {
        OptionalLong given = target.context();
        return given.isPresent() ? given : models.window(route.model());
    }

    /** {@return the context window of a route's model at the first of the backends of which it is known} */
    public static OptionalLong window(List<Upstream> all, Route route) {
        return all.stream().map(each -> each.window(route)).filter(OptionalLong::isPresent)
                .findFirst().orElse(OptionalLong.empty());
    }
}
