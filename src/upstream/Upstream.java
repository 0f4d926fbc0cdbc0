package upstream;

import anthropic.ApiError;
import config.Api;
import config.Options;
import config.Target;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Logger;
import json.JsonWriter;
import json.Text;
import translate.Dialect;

/**
 * One backend: sends it requests, no more at a time than allowed, and remembers how it does and what it takes. Safe for
 * use by many threads; shared are the places, what was learned by model, and its health.
 */
public final class Upstream implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(8); // to get a place
    private static final int MAX_LEARNED = 1000; // models, whose names clients choose
    private static final int MAX_SHOWN = 50; // of these
    private static final int MAX_MESSAGE = 200; // characters of an error that are shown
    private static final Duration FIRST_PROBE = Duration.ofSeconds(1); // after a failure; the next ones later and later
    private static final Duration LONGEST_PROBE = Duration.ofSeconds(5);
    private static final int PROBE_MILLIS = 2000; // to connect
    private static final Logger LOG = Logger.getLogger("a2o");

    private final Options options;
    private final Target target;
    private final Credentials credentials;
    private final Target address; // without what the backend must not get
    private final URI url; // of one of the APIs, for connections alone
    private final Transport transport;
    private final Places allPlaces;
    private final Places places;
    private final Dialect base;
    private final Map<String, Dialect> learned = new ConcurrentHashMap<>();
    private final LongAdder lessons = new LongAdder(); // learned, also those that were forgotten
    private final Map<Integer, LongAdder> errors = new ConcurrentHashMap<>(); // by status
    private final Health health;
    private final BlockingQueue<Boolean> ends = new LinkedBlockingQueue<>(); // holds something when it is closed
    private final AtomicBoolean isProbing = new AtomicBoolean();
    private volatile boolean hasAnswered; // at any time
    private volatile Dialect forAll; // what goes for models of which no more is known
    private final Clock clock;
    private final ModelList models;

    /** @throws IOException if the certificates that it is to be trusted by cannot be read */
    public Upstream(Options options, Target target, Places allPlaces, Clock clock)
            throws IOException {
        this.clock = clock;
        this.health = new Health(clock);
        this.options = options;
        this.target = target;
        this.allPlaces = allPlaces;
        this.base = Dialect.of(target);
        this.forAll = base;
        this.credentials = new Credentials(options, target, base);
        this.address = target.isDemo() ? target.at(new Demo().start()) : credentials.address();
        this.url = address.url(base.api());
        this.places = new Places(options.maxConnectionsPerHost(), clock);
        this.transport = new Transport(options, target, url, clock);
        this.models = new ModelList(address.modelsUrl(), host(), credentials, transport, clock);
    }

    /** {@return the backends in the order to try them: as they are given, but those set aside last} */
    public static List<Upstream> inOrder(List<Upstream> all) {
        return all.size() == 1 ? all : all.stream().sorted(Comparator.comparing(Upstream::isAside)).toList();
    }

    private boolean isAside() { return health.isAside(); }

    /** {@return the number of a try that begins now} */
    public long begins() { return health.begin(); }

    /** The head of a reply has come. */
    public void answers(long number, int status) {
        hasAnswered = true;
        if (status / 100 == 2) health.answers(number);
    }

    public void works(long number) {
        health.works(number).filter(this::isTold).ifPresent(was -> LOG.info(() -> host() + " works again"));
    }

    /** Notes that a try has failed, which may be shown to everybody as {@code message}. */
    public void fails(ApiError error, String message) {
        Health.Kind kind = kind(error);
        var failure = new Health.Failure(System.currentTimeMillis(), error.status(), Text.cut(message, MAX_MESSAGE));
        long seconds = health.fails(kind, failure, isFailure(error));
        boolean isSetAside = seconds > 0 && isOneOfSeveral();
        String why = failure.message().replace(host() + ": ", "");
        if (isSetAside) LOG.info(() -> "%s is set aside for %d s: %s".formatted(host(), seconds, why));
        if (health.isDown()) probe();
    }

    private static Health.Kind kind(ApiError error) {
        if (error.origin() == ApiError.Origin.CONNECTION) return Health.Kind.UNCONNECTED;
        boolean isOurKey = error.status() >= 500 && error.isFinal();
        if (isOurKey || error.status() == 402 || error.status() == 429) return Health.Kind.DENIED;
        return error.status() >= 500 ? Health.Kind.BROKEN : Health.Kind.REFUSED;
    }

    /** {@return whether another backend, or another time, may do better} */
    public static boolean isFailure(ApiError e) {
        return e.status() == 402 || e.status() == 429 || e.status() >= 500 && !e.isFinal();
    }

    private boolean isOneOfSeveral() { return options.upstreams().size() > 1; }

    /** {@return whether the log says when that is over: a rate limit of the only backend is no state of it} */
    private boolean isTold(Health.Kind kind) { return kind != Health.Kind.DENIED || isOneOfSeveral(); }

    /** Looks in the background, until it is up, whether a connection can be made; sends nothing. */
    private void probe() {
        if (isProbing.getAndSet(true)) return;
        Thread.ofVirtual().start(() -> {
            try {
                long wait = FIRST_PROBE.toNanos();
                while (health.isDown() && clock.poll(ends, wait) == null) {
                    if (health.isDown() && canConnect()) connects();
                    wait = Math.min(2 * wait, LONGEST_PROBE.toNanos());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // and the thread ends
            } finally {
                isProbing.set(false);
            }
            if (health.isDown() && ends.isEmpty()) probe(); // it has failed again just now
        });
    }

    private void connects() {
        if (health.connects()) LOG.info(() -> host() + " can be reached again");
    }

    private boolean canConnect() {
        String scheme = url.getScheme();
        int port = url.getPort() >= 0 ? url.getPort() : scheme.equals("https") ? 443 : 80;
        InetSocketAddress way = target.proxy().orElse(InetSocketAddress.createUnresolved(url.getHost(), port));
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(way.getHostString(), way.getPort()), PROBE_MILLIS);
            return true;
        } catch (IOException e) { // also that the host is not known
            return false;
        }
    }

    @Override
    public void close() { ends.add(true); }

    /** Remembers what the backend takes for {@code model}. */
    public void learns(String model, Dialect dialect) {
        boolean isNothing = dialect.learned().isEmpty() || dialect.isForOnce() || dialect == dialect(model);
        if (isNothing) return;
        if (learned.size() > MAX_LEARNED) learned.clear();
        Dialect known = dialect(model).withLessonsOf(dialect);
        if (known.equals(learned.put(model, known))) return;
        learnForAll(known);
        lessons.increment();
        String line = "learned about %s at %s: %s".formatted(model, host(), dialect.learnedWords());
        LOG.info(() -> Text.printable(options.secrets().mask(line)));
    }

    private void learnForAll(Dialect known) {
        Dialect all = forAll.withLessonsForAllOf(known);
        if (all == forAll) return;
        forAll = all;
        learned.replaceAll((model, dialect) -> dialect.withLessonsForAllOf(known));
    }

    public Dialect dialect(String model) { return learned.getOrDefault(model, forAll); }
    public String host() { return target.address(); }
    public Credentials credentials() { return credentials; }
    public ModelList models() { return models; }
    public long lessons() { return lessons.sum(); }
    public Map<Integer, LongAdder> errors() { return errors; }
    public void errs(int status) { errors.computeIfAbsent(status, none -> new LongAdder()).increment(); }
    /** {@return whether its last try failed, and not by the request, and no connection has been made since} */
    public boolean isDown() { return health.isDown(); }
    public Health.State state() { return health.state(); }

    /** {@return how it does, and what was learned about it, for {@code serve.Status}} */
    public JsonWriter json() {
        var out = new JsonWriter().put("{'host':%,'state':%,'errors':%,'last_error':", host(), "" + state(),
                errors.values().stream().mapToLong(LongAdder::sum).sum());
        health.lastFailure().ifPresentOrElse(last -> out.put("{'time':%,'status':%,'message':%}", last.epochMillis(),
                last.status(), last.message()), () -> out.put("null"));
        out.put(",'learned':[");
        learned.entrySet().stream().limit(MAX_SHOWN).forEach(known -> {
            out.put("{'model':%,'rules':{", shown(known.getKey()));
            known.getValue().learnedWords().forEach((name, value) -> out.put("%:%,", name, shown(value)));
            out.closeWith('}').put("},");
        });
        return out.closeWith(']').put("}");
    }

    /** {@return the beginning of a text of others' making, for a page} */
    private String shown(String text) { return Text.cut(options.secrets().mask(text)); }

    /** Waits for a place among the requests in flight; {@link #release} gives it back. */
    public void acquire(boolean isStream) {
        long until = clock.nanos() + PATIENCE.toNanos();
        boolean first = false;
        try {
            first = places.tryAcquire(isStream, PATIENCE.toNanos());
            if (first && allPlaces.tryAcquire(isStream, until - clock.nanos())) return;
        } catch (InterruptedException e) {
            // the client has left, or the proxy is being stopped
        }
        if (first) places.release(isStream);
        String limits = "--max-connections, --max-connections-per-host";
        throw new ApiError(529, "too many requests in flight (%s)".formatted(limits)).retryAfter(1)
                .from(ApiError.Origin.PROXY);
    }

    public void release(boolean isStream) {
        places.release(isStream);
        allPlaces.release(isStream);
    }

    /** {@return whether a request waits for a place} */
    public boolean isAwaited() { return places.areAwaited() || allPlaces.areAwaited(); }

    /**
     * Sends a request to an API, with the client's key unless there is one for this backend; of the client's other headers none.
     * What is returned is for {@link Arrivals#stop} alone.
     */
    public CompletableFuture<?> send(Api api, JsonWriter body, String clientKey, Arrivals arrived) {
        try {
            HttpRequest.Builder request = request(address.url(api), clientKey).setHeader("content-type", "application/json");
            return transport.post(request, body, arrived);
        } catch (IllegalArgumentException e) {
            throw new ApiError(401, "the key holds characters that no header may hold");
        }
    }

    /** {@return the context window of a model in tokens, as far as it is known by now; else 0} It does not ask. */
    public long window(String model) {
        return options.context() > 0 ? options.context() : models.window(model).orElse(0);
    }

    /** {@return the context window of a model at the first of the backends of which it is known; else 0} */
    public static long window(List<Upstream> all, String model) {
        return all.stream().mapToLong(each -> each.window(model)).filter(tokens -> tokens > 0)
                .findFirst().orElse(0);
    }

    private HttpRequest.Builder request(URI url, String clientKey) {
        HttpRequest.Builder request = HttpRequest.newBuilder(url);
        credentials.headers(clientKey).forEach(request::setHeader);
        return request;
    }

    /** {@return the error for what went wrong before a reply came} */
    public ApiError failure(Throwable e) {
        Throwable cause = e instanceof CompletionException ? e.getCause() : e;
        ConnectionHelp.Diagnosis why = ConnectionHelp.diagnose(cause, target, url, hasAnswered, clock);
        var error = new ApiError(502, "%s: %s".formatted(host(), why.reason()));
        return switch (why.kind()) {
            case UNCONNECTED -> error.from(ApiError.Origin.CONNECTION);
            case LASTING -> error;
            case PASSING -> error.asPassing();
        };
    }
}
