import java.io.IOException;
import java.io.InputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Logger;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * One backend: sends it requests, no more at a time than allowed, and remembers how it does and what it takes. Safe for
 * use by many threads; shared are the places, what was learned by model, and for how long it is set aside.
 */
final class Upstream {
    private static final Duration PATIENCE = Duration.ofSeconds(8); // to connect, and to get a place
    static final byte[] END = {};
    private static final int MAX_LEARNED = 1000; // models, whose names clients choose
    private static final int MAX_SHOWN = 50; // of these
    private static final long MAX_ASIDE_SECONDS = 60;
    static final Duration LIST_PATIENCE = Duration.ofMillis(2500); // Claude Code waits for 3 s
    private static final int MAX_WINDOW_ASKS = 5; // of a backend that may never list models
    private static final Logger LOG = Logger.getLogger("a2o");

    /** A request's body on its way out, as it is: the JDK's own publisher would copy it. */
    private record Sending(Flow.Subscriber<? super ByteBuffer> reader, AtomicReference<ByteBuffer> body)
            implements Flow.Subscription {
        @Override public void cancel() { }

        @Override
        public void request(long pieces) {
            ByteBuffer all = body.getAndSet(null);
            if (all == null) return; // it has been handed over
            reader.onNext(all);
            reader.onComplete();
        }
    }

    /** A reply's body on its way in: what came at once is handed on as one piece, of however many chunks. */
    private record Receiving(Arrivals arrived) implements Flow.Subscriber<List<ByteBuffer>> {
        @Override public void onSubscribe(Flow.Subscription all) { all.request(Long.MAX_VALUE); }
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
            if (size > 0) arrived.put(piece);
        }
    }

    /**
     * What comes of a reply, in order: the head ({@code ResponseInfo}), pieces of the body ({@code byte[]}, the last
     * one empty), and the {@code Throwable} that ends it before that.
     */
    static final class Arrivals {
        private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>(64); // pieces of 16 KB at most
        private volatile boolean isClosed;

        boolean isEmpty() { return queue.isEmpty(); }
        Object poll(long nanos) throws InterruptedException { return queue.poll(nanos, TimeUnit.NANOSECONDS); }

        /** Nobody waits for more: what comes is dropped. */
        void close() {
            isClosed = true;
            queue.clear();
        }

        /** Waits while there is enough already, so that a client that reads slowly slows the backend down. */
        private void put(Object next) {
            try {
                while (!isClosed && !queue.offer(next, 1, TimeUnit.SECONDS)) { }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e); // ends the reply; nothing interrupts the HTTP client's threads
            }
        }
    }

    /** What a key was last shown as the backend's models. */
    private record Listing(long until, String key, List<Json> models) {
        private boolean isFresh(String forKey) { return until - System.nanoTime() > 0 && key.equals(forKey); }
    }

    private final Options options;
    private final Options.Target target;
    private final URI url;
    private final CompletableFuture<HttpClient> client; // made meanwhile: it would hold up the start
    private final Semaphore allPlaces;
    private final Semaphore places;
    private final Dialect base;
    private final Map<String, Dialect> learned = new ConcurrentHashMap<>();
    private final LongAdder lessons = new LongAdder(); // learned, also those that were forgotten
    private final Map<Integer, LongAdder> errors = new ConcurrentHashMap<>(); // by status
    private volatile boolean isSilent; // whether the last try brought no answer
    private volatile boolean hasAnswered; // at any time
    private volatile Listing listing = new Listing(System.nanoTime(), "", List.of());
    private volatile List<Json> listed = List.of(); // the models of the last list that named some
    private volatile boolean isWindowSought; // whether the list is asked for so that windows are known
    private final AtomicInteger windowAsks = new AtomicInteger();
    private long asideSeconds; // the last time that it was set aside
    private long asideUntil = System.nanoTime();

    /** @throws IOException if the certificates that it is to be trusted by cannot be read */
    Upstream(Options options, Options.Target target, Semaphore allPlaces) throws IOException {
        this.options = options;
        this.target = target;
        this.allPlaces = allPlaces;
        this.base = Dialect.of(target);
        this.url = target.isDemo() ? new Demo().start() : target.url();
        this.places = new Semaphore(options.maxConnectionsPerHost(), true);
        HttpClient.Builder client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                .proxy(ProxySelector.of(target.proxy().orElse(null)))
                .connectTimeout(PATIENCE)
                .executor(Executors.newVirtualThreadPerTaskExecutor()); // spares a change of threads for each step
        if (options.caCert().isPresent()) client.sslContext(trusting(options.caCert().get()));
        else if (url.getScheme().equals("http")) client.sslContext(new SSLContext(new NoTls(), null, "none") { });
        this.client = CompletableFuture.supplyAsync(client::build);
    }

    /** The TLS of a backend that has none: the JDK's, made for every client, would take 100 ms to read certificates. */
    private static final class NoTls extends SSLContextSpi {
        private static final SSLParameters NONE = new SSLParameters(new String[0], new String[0]);

        @Override protected void engineInit(KeyManager[] keys, TrustManager[] trusted, SecureRandom random) { }
        @Override protected SSLParameters engineGetDefaultSSLParameters() { return NONE; }
        @Override protected SSLParameters engineGetSupportedSSLParameters() { return NONE; }
        @Override protected SSLSocketFactory engineGetSocketFactory() { return null; }
        @Override protected SSLServerSocketFactory engineGetServerSocketFactory() { return null; }
        @Override protected SSLEngine engineCreateSSLEngine() { return null; }
        @Override protected SSLEngine engineCreateSSLEngine(String host, int port) { return null; }
        @Override protected SSLSessionContext engineGetServerSessionContext() { return null; }
        @Override protected SSLSessionContext engineGetClientSessionContext() { return null; }
    }

    /** {@return TLS that trusts the certificates in a PEM file besides the JDK's} */
    private static SSLContext trusting(String file) throws IOException {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((KeyStore) null);
            var known = ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers();
            List<Certificate> trusted = new ArrayList<>(List.of(known));
            trusted.addAll(CertificateFactory.getInstance("X.509").generateCertificates(in));
            if (trusted.size() == known.length) throw new IOException("it holds no certificate");
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            for (Certificate each : trusted) store.setCertificateEntry("c" + store.size(), each);
            factory.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IOException("--ca-cert %s cannot be read: %s".formatted(file, e), e);
        }
    }

    /** {@return the backends in the order to try them: as they are given, but those set aside last} */
    static List<Upstream> inOrder(List<Upstream> all) {
        return all.size() == 1 ? all : all.stream().sorted(Comparator.comparing(Upstream::isAside)).toList();
    }

    private synchronized boolean isAside() { return System.nanoTime() - asideUntil < 0; }

    /** Sets the backend aside, each time for twice as long, until {@link #works}. */
    synchronized void fails() {
        if (isAside()) return;
        asideSeconds = Math.clamp(asideSeconds * 2, 1, MAX_ASIDE_SECONDS);
        asideUntil = System.nanoTime() + TimeUnit.SECONDS.toNanos(asideSeconds);
    }

    synchronized void works() {
        if (!isAside()) asideSeconds = 0; // else it is the end of an older request
    }

    /** Remembers what the backend takes for {@code model}. */
    void learns(String model, Dialect dialect) {
        if (dialect == dialect(model)) return;
        Map<String, String> taught = taught(dialect);
        if (learned.size() > MAX_LEARNED) learned.clear();
        Dialect known = dialect(model).with(taught);
        if (taught.isEmpty() || taught.containsKey("once") || known.equals(learned.put(model, known))) return;
        lessons.increment();
        LOG.info(() -> A2o.printable("learned about %s at %s: %s".formatted(model, target.host(), taught)));
    }

    private Map<String, String> taught(Dialect dialect) {
        Map<String, String> taught = new TreeMap<>(dialect.rules());
        taught.entrySet().removeAll(base.rules().entrySet());
        return taught;
    }

    Dialect dialect(String model) { return learned.getOrDefault(model, base); }
    String host() { return target.address(); }
    long lessons() { return lessons.sum(); }
    Map<Integer, LongAdder> errors() { return errors; }
    void errs(int status) { errors.computeIfAbsent(status, none -> new LongAdder()).increment(); }
    /** {@return whether it did not answer when last tried, and is not to be tried now} */
    boolean isUnreachable() { return isSilent && isAside(); }

    /** {@return how it does, and what was learned about it, for {@link Status}} */
    Json.Writer json() {
        String state = isUnreachable() ? "unreachable" : isAside() ? "set aside" : "ready";
        var out = new Json.Writer().put("{'host':%,'state':%,'errors':%,'learned':[", host(), state,
                errors.values().stream().mapToLong(LongAdder::sum).sum());
        learned.entrySet().stream().limit(MAX_SHOWN).forEach(known -> {
            out.put("{'model':%,'rules':{", Status.cut(known.getKey()));
            taught(known.getValue()).forEach((name, value) -> out.put("%:%,", name, Status.cut(value)));
            out.closeWith('}').put("},");
        });
        return out.closeWith(']').put("}");
    }

    /** Waits for a place among the requests in flight; {@link #release} gives it back. */
    void acquire() {
        long until = System.nanoTime() + PATIENCE.toNanos();
        boolean first = false;
        try {
            first = places.tryAcquire(PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
            if (first && allPlaces.tryAcquire(until - System.nanoTime(), TimeUnit.NANOSECONDS)) return;
        } catch (InterruptedException e) {
            // the proxy is being stopped
        }
        if (first) places.release();
        String limits = "--max-connections, --max-connections-per-host";
        throw new ApiError(529, "too many requests in flight (%s)".formatted(limits)).retryAfter(1);
    }

    void release() {
        places.release();
        allPlaces.release();
    }

    /**
     * Sends a request, with the client's key unless there is one for this backend; of the client's other headers none.
     * To cancel what is returned stops all.
     */
    CompletableFuture<HttpResponse<Void>> send(Json.Writer body, String clientKey, Arrivals arrived) {
        var all = new AtomicReference<>(ByteBuffer.wrap(body.array(), 0, body.size())); // until it is handed over
        try {
            HttpRequest request = request(url, clientKey).setHeader("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.fromPublisher(
                            reader -> reader.onSubscribe(new Sending(reader, all)), body.size())).build();
            CompletableFuture<HttpResponse<Void>> sent = client.join().sendAsync(request, head -> {
                isSilent = false;
                hasAnswered = true;
                arrived.put(head);
                return HttpResponse.BodySubscribers.fromSubscriber(new Receiving(arrived));
            });
            sent.whenComplete((reply, e) -> {
                if (e != null) arrived.put(e);
            });
            return sent;
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
        boolean isNeeded = isWindowSought && listed.isEmpty() && !listing.isFresh(clientKey);
        if (!isNeeded || windowAsks.incrementAndGet() > MAX_WINDOW_ASKS) return;
        Thread.ofVirtual().start(() -> models(clientKey));
    }

    /** {@return the models that the backend lists, for a minute the same; none if it does not, or not in time} */
    List<Json> models(String clientKey) {
        Listing known = listing;
        if (known.isFresh(clientKey)) return known.models;
        List<Json> models = List.of();
        try {
            URI list = URI.create(url.toString().replaceFirst("/chat/completions(?=$|\\?)", "/models"));
            HttpRequest request = request(list, clientKey).GET().build();
            var sent = client.join().sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
            try {
                models = Json.parse(sent.get(LIST_PATIENCE.toMillis(), TimeUnit.MILLISECONDS).body()).get("data")
                        .items().stream().filter(model -> model.get("id").hasText()).toList();
            } finally {
                sent.cancel(true);
            }
        } catch (InterruptedException | ExecutionException | TimeoutException | IllegalArgumentException
                | Json.Malformed e) { // the message of one may hold the key
            LOG.info(() -> "%s lists no models: %s".formatted(target.host(), e.getClass().getSimpleName()));
        }
        if (!models.isEmpty()) listed = models;
        listing = new Listing(System.nanoTime() + TimeUnit.MINUTES.toNanos(1), clientKey, models);
        return models;
    }

    private HttpRequest.Builder request(URI url, String clientKey) {
        HttpRequest.Builder request = HttpRequest.newBuilder(url);
        String key = target.key().orElse(clientKey);
        boolean isBearer = base.is("key", "authorization") || key.startsWith("eyJ"); // a token of Azure's, no key
        if (!key.isEmpty()) request.setHeader(isBearer ? "authorization" : "api-key", isBearer ? "Bearer " + key : key);
        options.headers().forEach(header -> request.setHeader(header.name(), header.value()));
        return request;
    }

    /** {@return the error for what went wrong before a reply came} */
    ApiError failure(Throwable e) {
        isSilent = true;
        Throwable cause = e instanceof CompletionException ? e.getCause() : e;
        ConnectionHelp.Diagnosis why = ConnectionHelp.diagnose(cause, target, url, hasAnswered);
        var error = new ApiError(502, "%s: %s".formatted(host(), why.reason()));
        return why.mayPass() ? error.asPassing() : error;
    }
}
