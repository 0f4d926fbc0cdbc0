package serve;

import anthropic.ApiError;
import anthropic.Ids;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import config.Options;
import config.Secrets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import json.JsonParser;
import json.Text;
import translate.Dialect;
import translate.Translator;
import upstream.Clock;
import upstream.ServerThreads;
import upstream.SystemClock;
import upstream.Upstream;
import upstream.Upstreams;

/**
 * The server: its life from start to drain, and the one place where exceptions become answers. One thread
 * serves each request. A ticker enforces the time limits of clients.
 */
public final class Proxy implements AutoCloseable {
    private static final long TICK_NANOS = 250_000_000;
    private static final long QUIET_NANOS = 60_000_000_000L; // after which memory is given back
    private static final String MAX_CONNECTIONS = "jdk.httpserver.maxConnections";
    private static final int BUDGET_SHARE = 2; // of the memory, for requests in flight: a half
    private static final int HEADS_SHARE = 8; // for heads while they are read
    private static final int BACKLOG = 1024; // connections that the kernel accepts before the server does
    private static final int MAX_REASON = 300; // characters
    private static final String WARM_UP_REQUEST = """
            {"model":"m","max_tokens":9,"stream":true,"tools":[{"name":"f","input_schema":{"type":"object"}}],
            "messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}""";
    private static final String WARM_UP_CHUNK = """
            {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}""";
    private static final Logger LOG = Logger.getLogger("a2o");

    static { // read when the server's and the client's classes load
        System.setProperty("sun.net.httpserver.nodelay", "true"); // or an event waits for an acknowledgement
        System.setProperty("sun.net.httpserver.maxIdleConnections", "1000");
        System.setProperty("sun.net.httpserver.maxReqTime", "120"); // seconds for a request to arrive
        System.setProperty("sun.net.httpserver.maxReqHeaderSize", "65536"); // bytes of a request's head
        System.setProperty("sun.net.httpserver.drainAmount", "67108864"); // bytes; else a refusal may be lost
        System.setProperty("jdk.httpclient.keepalive.timeout", "4"); // seconds; many servers close after 5
        ServerThreads.setUpCommonPool();
    }

    private final Clock clock;
    private final Status status;
    private final HttpServer server;
    private final ClientThreads threads;
    private final Descriptors descriptors;
    private final Drain drain;
    private final boolean isLoopback;
    private final Messages messages;
    private final Routes routes;
    private volatile Serving serving; // with the options
    private volatile Secrets secrets;
    private final Thread ticker = Thread.ofPlatform().daemon().name("a2o-ticker").unstarted(this::tick);
    private OptionalLong lastBusy = OptionalLong.empty(); // until memory is given back; the ticker's

    public Proxy(Options options) throws IOException { this(options, SystemClock.INSTANCE); }

    /** Listens from here on; requests are served after {@link #start}. */
    public Proxy(Options options, Clock clock) throws IOException {
        long memory = Runtime.getRuntime().maxMemory();
        int connections = Integer.getInteger(MAX_CONNECTIONS, Descriptors.maxConnections(memory));
        System.setProperty(MAX_CONNECTIONS, "" + connections); // read when the server's class loads
        this.secrets = options.secrets();
        this.clock = clock;
        var upstreams = new Upstreams(options, clock);
        Thread.ofPlatform().daemon().start(() -> warmUp(upstreams.first(), options));
        this.status = new Status(this::upstreams, options.timeout());
        this.threads = new ClientThreads(memory / HEADS_SHARE, () -> upstreams().options().timeout(), clock);
        this.server = listen(options);
        this.isLoopback = server.getAddress().getAddress().isLoopbackAddress();
        this.serving = serving(upstreams);
        this.drain = new Drain(server, threads, clock);
        this.descriptors = new Descriptors(port(), connections, clock.nanos());
        var budget = new Budget(memory / BUDGET_SHARE, threads::makeRoom, clock);
        this.messages = new Messages(clock, budget, status);
        var pages = new Pages(status, drain, this::upstreams, messages);
        this.routes = new Routes(messages, pages);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
    }

    private static HttpServer listen(Options options) throws IOException {
        try {
            return HttpServer.create(new InetSocketAddress(options.host(), options.port()), BACKLOG);
        } catch (IOException e) {
            String at = "cannot listen on %s port %d: ".formatted(options.host(), options.port());
            throw new IOException(at + e.getMessage(), e);
        }
    }

    private Serving serving(Upstreams upstreams) {
        return new Serving(upstreams, new Gate(upstreams.options(), isLoopback));
    }

    private Upstreams upstreams() { return serving.upstreams(); }

    public void start() {
        server.start();
        ticker.start();
    }

    /**
     * Translates a request and a reply of its own, so that the first real one need not wait for classes to
     * load.
     */
    private static void warmUp(Upstream upstream, Options options) {
        Dialect dialect = upstream.dialect("");
        var translator = new Translator(JsonParser.parse(WARM_UP_REQUEST), options, dialect, Ids::newId);
        translator.request();
        translator.whole(JsonParser.parse(WARM_UP_CHUNK));
        translator.finish();
    }

    /**
     * Serves by other options from now on; requests in flight end by those that they began with.
     *
     * @throws IOException if the certificates of {@code --ca-cert} cannot be read; then nothing changes
     */
    public void use(Options options) throws IOException {
        Secrets before = upstreams().options().secrets();
        secrets = options.secrets().and(before); // which requests in flight may still tell
        serving = serving(upstreams().with(options));
    }

    /** {@return what must not be shown in the log} */
    public Secrets secrets() { return secrets; }

    public int port() { return server.getAddress().getPort(); }

    /** As {@link Upstreams#askWindow}. */
    public OptionalLong askWindow(String asked, String clientKey) {
        return upstreams().askWindow(asked, clientKey);
    }

    Upstream firstBackend() { return upstreams().first(); }
    boolean hasAuthKeys() { return upstreams().options().hasAuthKeys(); }

    @Override
    public void close() {
        ticker.interrupt();
        upstreams().close();
        server.stop(0);
    }

    /** Stops within that time; requests in flight are finished, see {@link Drain}. */
    public void drain(int seconds) {
        status.drain();
        LOG.info("a2o stops; exchanges to end: " + messages.inFlight());
        drain.run(seconds, messages::stopAll);
    }

    private void tick() {
        while (true) {
            LockSupport.parkNanos(TICK_NANOS);
            if (Thread.interrupted()) return; // by close
            long now = clock.nanos();
            try {
                lookAfterClients(now);
            } catch (RuntimeException | LinkageError e) { // the latter if descriptors are used up
                LOG.log(Level.SEVERE, "the ticker", e); // it goes on: all time limits depend on it
            }
            giveMemoryBack(now);
        }
    }

    /** Ends requests whose clients are too slow, or have left. */
    private void lookAfterClients(long now) {
        descriptors.tick(now);
        threads.tick(now);
        if (upstreams().areAwaited()) threads.makeRoom();
    }

    /** Has the heap shrink when no message has been in flight for a while. */
    private void giveMemoryBack(long now) {
        if (messages.inFlight() > 0) lastBusy = OptionalLong.of(now);
        boolean isQuiet = lastBusy.isPresent() && now - lastBusy.getAsLong() > QUIET_NANOS;
        if (!isQuiet) return;
        System.gc();
        lastBusy = OptionalLong.empty();
    }

    /** Answers a request, also where that fails; the server's own answer to an exception would be none. */
    private void handle(HttpExchange http) throws IOException {
        Serving by = serving;
        var client = new Client(http, threads.current(), threads::isDraining);
        String requestId = "req_" + Ids.newId();
        http.getResponseHeaders().set("request-id", requestId);
        try {
            doHandle(client, requestId, by);
        } catch (ApiError e) { // before there was an exchange, or after its client has left
            if (!client.isAnswered()) noteRefusal(http, requestId, by.gate(), e);
            client.answer(e, requestId);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            LOG.log(Level.SEVERE, requestId, e);
            client.answer(new ApiError(500, "an error of the proxy; its log has more by this id"), requestId);
        } finally {
            client.end();
        }
    }

    /** Logs a request that no backend was asked for, and counts it if it was for a message. */
    private void noteRefusal(HttpExchange http, String requestId, Gate gate, ApiError error) {
        Optional<Endpoint> endpoint = endpoint(http);
        boolean isMessage = endpoint.equals(Optional.of(Endpoint.MESSAGES));
        boolean isOfApi = endpoint.map(Endpoint::isApi).orElse(http.getRequestMethod().equals("POST"));
        if (!isOfApi) return;
        Optional<String> client = gate.clientName(http);
        if (isMessage) status.addRefused(client, error.status());
        Secrets hidden = gate.secrets(http);
        var asked = new Refused.Asked(Text.cut(http.getRequestMethod()),
                Text.cut(hidden.mask(http.getRequestURI().getRawPath())),
                http.getRemoteAddress().getAddress().getHostAddress());
        String why = Text.cut(hidden.mask(error.getMessage()), MAX_REASON);
        new Refused(requestId, client, asked, error.status(), error.type(), why).log(LOG);
    }

    private static Optional<Endpoint> endpoint(HttpExchange http) {
        return Endpoint.at(Routes.path(http.getRequestURI()));
    }

    /**
     * Answers a request, or throws why not: what is wrong with its framing, its origin, its key, its path.
     */
    private void doHandle(Client client, String requestId, Serving by) throws IOException {
        Gate gate = by.gate();
        HttpExchange http = client.http();
        drain.noteRequest();
        Optional<ApiError> flaw = Framing.flaw(http);
        if (flaw.isPresent()) client.closeAfter(); // where the next request begins is not certain
        gate.checkOrigin(http);
        if (gate.allowPage(http)) {
            client.answer(204);
            return;
        }
        Optional<Endpoint> endpoint = endpoint(http);
        checkKey(http, endpoint, gate);
        if (flaw.isPresent()) throw flaw.get();
        routes.answer(client, endpoint.orElseThrow(() -> notFound(http)), requestId, by);
    }

    private static void checkKey(HttpExchange http, Optional<Endpoint> endpoint, Gate gate) {
        boolean isOpen = endpoint.isPresent() && endpoint.get().isOpen();
        if (isOpen) return;
        boolean isForBrowsers = endpoint.isPresent() && endpoint.get().isForBrowsers();
        if (isForBrowsers) gate.checkPageKey(http); else gate.checkKey(http);
    }

    /** SDKs are told not to retry: the answer would be the same. */
    private static ApiError notFound(HttpExchange http) {
        String path = http.getRequestURI().getRawPath();
        return new ApiError(404, "%s is not available on this proxy".formatted(path)).asFinal();
    }
}
