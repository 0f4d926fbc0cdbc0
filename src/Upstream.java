import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Logger;

/**
 * One backend: sends it requests, no more at a time than allowed, and remembers how it does and what it takes. Safe for
 * use by many threads; shared are the places, what was learned by model, and its health.
 */
final class Upstream implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(8); // to get a place
    static final byte[] END = {};
    private static final int MAX_LEARNED = 1000; // models, whose names clients choose
    private static final int MAX_SHOWN = 50; // of these
    private static final int MAX_MESSAGE = 200; // characters of an error that are shown
    private static final Duration FIRST_PROBE = Duration.ofSeconds(1); // after a failure; the next ones later and later
    private static final Duration LONGEST_PROBE = Duration.ofSeconds(5);
    private static final int MAX_LIST_BYTES = 8 * 1024 * 1024; // of models
    private static final int PROBE_MILLIS = 2000; // to connect
    static final Duration LIST_PATIENCE = Duration.ofMillis(2500); // Claude Code waits for 3 s
    private static final int MAX_WINDOW_ASKS = 5; // of a backend that may never list models
    private static final Logger LOG = Logger.getLogger("a2o");

    /** A reply's body on its way in: what came at once is handed on as one piece, of however many chunks. */
    record Receiving(Arrivals arrived) implements Flow.Subscriber<List<ByteBuffer>> {
        @Override public void onSubscribe(Flow.Subscription body) { arrived.begins(body); }
        @Override public void onComplete() { arrived.put(END); }
        @Override public void onError(Throwable e) { } // the future that send returned says so

        @Override
        public void onNext(List<ByteBuffer> chunks) {
            int size = 0;
            for (ByteBuffer chunk : chunks) size += chunk.remaining();
            var piece = new byte[size];
            int at = 0;
            for (ByteBuffer chunk : chunks) {
                int length = chunk.remaining();
                chunk.get(piece, at, length);
                at += length;
            }
            arrived.putPiece(piece);
        }
    }

    /**
     * What comes of a reply, in order: the head ({@code ResponseInfo}), pieces of the body ({@code byte[]}, the last
     * one empty), and the {@code Throwable} that ends it before that.
     */
    static final class Arrivals {
        private static final int MAX_BYTES = 64 * 1024; // queued
        private static final int MAX_PIECE_BYTES = 16 * 1024; // that the JDK's client reads at once
        private static final long LESS_THAN_NOTHING = -1;

        private final Clock clock;
        private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>();
        private volatile boolean isClosed;
        private Flow.Subscription body; // null before it has begun
        private int queuedBytes; // guarded by this, as is the next
        private int requested; // pieces that have not arrived yet

        Arrivals(Clock clock) { this.clock = clock; }

        boolean isEmpty() { return queue.isEmpty(); }

        /** Takes the next, or null if nothing comes in that time; what is taken makes room for more. */
        Object poll(long nanos) throws InterruptedException {
            Object next = clock.poll(queue, nanos);
            if (next instanceof byte[] piece && piece.length > 0) request(0, -piece.length);
            return next;
        }

        private void putPiece(byte[] piece) {
            if (piece.length > 0) put(piece);
            request(1, piece.length);
        }

        /**
         * Requests as many pieces as may be queued beside those that are: if the client reads slowly, its backend has
         * to wait. {@code arrived} counts pieces, {@code bytes} is by how much the queue has grown.
         */
        private void request(int arrived, int bytes) {
            int more;
            synchronized (this) {
                requested -= arrived;
                queuedBytes += bytes;
                int room = (MAX_BYTES - queuedBytes) / MAX_PIECE_BYTES;
                boolean isLow = requested <= room / 2; // so that not each small piece needs a request of its own
                more = isLow ? Math.max(0, room - requested) : 0;
                requested += more;
            }
            if (more > 0) body.request(more);
        }

        /** The body begins: its first pieces are wanted, or nothing more if it was stopped before. */
        private void begins(Flow.Subscription begun) {
            boolean isWanted;
            synchronized (this) {
                body = begun;
                isWanted = !isClosed;
            }
            if (isWanted) request(0, 0); else begun.request(LESS_THAN_NOTHING);
        }

        /**
         * Closes, and ends the request that {@link #send} returned as {@code sent} although its reply goes on.
         *
         * <p>Once the body has begun, neither {@code sent.cancel} nor the subscription's {@code cancel} will do (JDK 21
         * to 25): they close the connection at once, even if the reply has just come to its end and the connection
         * serves another request by now. A request for less than nothing is an error, for which the client closes the
         * connection in turn with the bytes that arrive, and only if it still belongs to this reply.
         */
        void stop(CompletableFuture<?> sent) {
            Flow.Subscription begun;
            synchronized (this) {
                isClosed = true;
                begun = body;
            }
            if (begun == null) {
                sent.cancel(true); // no body has begun, so the connection is this request's alone
            } else {
                begun.request(LESS_THAN_NOTHING);
            }
            queue.clear();
        }

        /** Nobody waits for more: what comes is dropped. */
        void close() {
            isClosed = true;
            queue.clear();
        }

        void put(Object next) {
            if (!isClosed) queue.add(next);
        }
    }

    /** What a key was last shown as the backend's models. */
    private record Listing(long until, String key, List<Json> models) { }

    private final Options options;
    private final Options.Target target;
    private final Credentials credentials;
    private final URI url;
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
    private final Clock clock;
    private volatile Listing listing;
    private volatile List<Json> listed = List.of(); // the models of the last list that named some
    private volatile boolean isWindowSought; // whether the list is asked for so that windows are known
    private final AtomicInteger windowAsks = new AtomicInteger();

    /** @throws IOException if the certificates that it is to be trusted by cannot be read */
    Upstream(Options options, Options.Target target, Places allPlaces, Clock clock) throws IOException {
        this.clock = clock;
        this.listing = new Listing(clock.nanos(), "", List.of());
        this.health = new Health(clock);
        this.options = options;
        this.target = target;
        this.allPlaces = allPlaces;
        this.base = Dialect.of(target);
        this.credentials = new Credentials(options, target, base);
        this.url = target.isDemo() ? new Demo().start() : credentials.url(target.url());
        this.places = new Places(options.maxConnectionsPerHost(), clock);
        this.transport = new Transport(options, target, url, clock);
    }

    /** {@return the backends in the order to try them: as they are given, but those set aside last} */
    static List<Upstream> inOrder(List<Upstream> all) {
        return all.size() == 1 ? all : all.stream().sorted(Comparator.comparing(Upstream::isAside)).toList();
    }

    private boolean isAside() { return health.isAside(); }

    /** {@return the number of a try that begins now} */
    long begins() { return health.begin(); }

    /** The head of a reply has come. */
    void answers(long number, int status) {
        hasAnswered = true;
        if (status / 100 == 2) health.answers(number);
    }

    void works(long number) {
        health.works(number).filter(this::isTold).ifPresent(was -> LOG.info(() -> host() + " works again"));
    }

    /** Notes that a try has failed, which may be shown to everybody as {@code message}. */
    void fails(ApiError error, String message) {
        Health.Kind kind = kind(error);
        var failure = new Health.Failure(System.currentTimeMillis(), error.status(), Status.cut(message, MAX_MESSAGE));
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
    static boolean isFailure(ApiError e) {
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
    void learns(String model, Dialect dialect) {
        if (dialect == dialect(model)) return;
        Map<String, String> taught = taught(dialect);
        if (learned.size() > MAX_LEARNED) learned.clear();
        Dialect known = dialect(model).with(taught);
        if (taught.isEmpty() || taught.containsKey("once") || known.equals(learned.put(model, known))) return;
        lessons.increment();
        String line = "learned about %s at %s: %s".formatted(model, host(), taught);
        LOG.info(() -> A2o.printable(options.secrets().mask(line)));
    }

    private Map<String, String> taught(Dialect dialect) {
        Map<String, String> taught = new TreeMap<>(dialect.rules());
        taught.entrySet().removeAll(base.rules().entrySet());
        return taught;
    }

    Dialect dialect(String model) { return learned.getOrDefault(model, base); }
    String host() { return target.address(); }
    Credentials credentials() { return credentials; }
    long lessons() { return lessons.sum(); }
    Map<Integer, LongAdder> errors() { return errors; }
    void errs(int status) { errors.computeIfAbsent(status, none -> new LongAdder()).increment(); }
    /** {@return whether its last try failed, and not by the request, and no connection has been made since} */
    boolean isDown() { return health.isDown(); }
    Health.State state() { return health.state(); }

    /** {@return how it does, and what was learned about it, for {@link Status}} */
    Json.Writer json() {
        var out = new Json.Writer().put("{'host':%,'state':%,'errors':%,'last_error':", host(), "" + state(),
                errors.values().stream().mapToLong(LongAdder::sum).sum());
        health.lastFailure().ifPresentOrElse(last -> out.put("{'time':%,'status':%,'message':%}", last.epochMillis(),
                last.status(), last.message()), () -> out.put("null"));
        out.put(",'learned':[");
        learned.entrySet().stream().limit(MAX_SHOWN).forEach(known -> {
            out.put("{'model':%,'rules':{", shown(known.getKey()));
            taught(known.getValue()).forEach((name, value) -> out.put("%:%,", name, shown(value)));
            out.closeWith('}').put("},");
        });
        return out.closeWith(']').put("}");
    }

    /** {@return the beginning of a text of others' making, for a page} */
    private String shown(String text) { return Status.cut(options.secrets().mask(text)); }

    /** Waits for a place among the requests in flight; {@link #release} gives it back. */
    void acquire(boolean isStream) {
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

    void release(boolean isStream) {
        places.release(isStream);
        allPlaces.release(isStream);
    }

    /** {@return whether a request waits for a place} */
    boolean isAwaited() { return places.areAwaited() || allPlaces.areAwaited(); }

    /**
     * Sends a request, with the client's key unless there is one for this backend; of the client's other headers none.
     * What is returned is for {@link Arrivals#stop} alone.
     */
    CompletableFuture<?> send(Json.Writer body, String clientKey, Arrivals arrived) {
        try {
            HttpRequest.Builder request = request(url, clientKey).setHeader("content-type", "application/json");
            return transport.post(request, body, arrived);
        } catch (IllegalArgumentException e) {
            throw new ApiError(401, "the key holds characters that no header may hold");
        }
    }

    /**
     * {@return the context window of a model in tokens: --context, else what the backend's last list said; 0 if
     * that is not known} It does not ask the backend.
     */
    long window(String model) {
        return options.context() > 0 ? options.context() : Models.window(listed, model);
    }

    /** {@return the context window of a model at the first of the backends of which it is known; else 0} */
    static long window(List<Upstream> all, String model) {
        return all.stream().mapToLong(each -> each.window(model)).filter(tokens -> tokens > 0)
                .findFirst().orElse(0);
    }

    /** Asks for the list of models, so that windows are known; {@link #seekWindow} may ask again. */
    void askWindows(String clientKey) {
        isWindowSought = true;
        models(clientKey);
    }

    /**
     * Asks for the list of models once more, in the background, if none has come yet: the backend was not
     * running then, or it wanted a key. Called when the backend has answered a request with that key.
     */
    void seekWindow(String clientKey) {
        boolean isNeeded = isWindowSought && listed.isEmpty() && !isFresh(listing, clientKey);
        if (!isNeeded || windowAsks.incrementAndGet() > MAX_WINDOW_ASKS) return;
        Thread.ofVirtual().start(() -> models(clientKey));
    }

    private boolean isFresh(Listing known, String clientKey) {
        return known.until - clock.nanos() > 0 && known.key.equals(clientKey);
    }

    List<Json> models(String clientKey) { return models(clientKey, LIST_PATIENCE); }

    /** {@return the models that the backend lists, for a minute the same; none if it does not, or not in time} */
    List<Json> models(String clientKey, Duration patience) {
        Listing known = listing;
        if (isFresh(known, clientKey)) return known.models;
        List<Json> models = List.of();
        try {
            URI list = URI.create(url.toString().replaceFirst("/chat/completions(?=$|\\?)", "/models"));
            models = Json.parse(whole(request(list, clientKey), patience)).get("data")
                    .items().stream().filter(model -> model.get("id").hasText()).toList();
        } catch (InterruptedException | ExecutionException | TimeoutException | IllegalArgumentException
                | ApiError | Json.Malformed e) { // the message of one may hold the key
            LOG.info(() -> "%s lists no models: %s".formatted(host(), e.getClass().getSimpleName()));
        }
        if (!models.isEmpty()) listed = models;
        listing = new Listing(clock.nanos() + TimeUnit.MINUTES.toNanos(1), clientKey, models);
        return models;
    }

    /** {@return the body of a reply without its compression, which must be there in that time} */
    private byte[] whole(HttpRequest.Builder request, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        var body = new ByteArrayOutputStream();
        var arrived = new Arrivals(clock);
        CompletableFuture<?> sent = transport.get(request, arrived);
        long until = clock.nanos() + patience.toNanos();
        try {
            for (Object next = null; next != END; ) {
                next = arrived.poll(until - clock.nanos());
                if (next == null) throw new TimeoutException();
                if (next instanceof Throwable e) throw new ExecutionException(e);
                if (next instanceof byte[] piece) body.writeBytes(piece);
                if (body.size() > MAX_LIST_BYTES) throw new TimeoutException();
            }
            var pieces = new ArrayDeque<>(List.of(body.toByteArray()));
            return new ReplyBody(() -> pieces.isEmpty() ? END : pieces.remove(), "").rest(MAX_LIST_BYTES);
        } finally {
            arrived.stop(sent);
        }
    }

    private HttpRequest.Builder request(URI url, String clientKey) {
        HttpRequest.Builder request = HttpRequest.newBuilder(url);
        credentials.headers(clientKey).forEach(request::setHeader);
        return request;
    }

    /** {@return the error for what went wrong before a reply came} */
    ApiError failure(Throwable e) {
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
