import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;

/**
 * The server: routes, keys, limits, and the one place where exceptions become answers. A thread serves each
 * request. Shared between them: the clients and the budget, which a ticker looks after, and the status.
 */
final class Proxy implements AutoCloseable {
    private static final long TICK_NANOS = 250_000_000;
    private static final long QUIET_NANOS = 60_000_000_000L; // after which memory is given back
    private static final long STEP_NANOS = 20_000_000; // from one look whether an exchange runs to the next
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long POLLED_NOTICE_NANOS = TimeUnit.SECONDS.toNanos(5); // where /ready is asked for
    private static final long NOTICE_NANOS = TimeUnit.MILLISECONDS.toNanos(500); // where it is not, but others are
    private static final String MAX_CONNECTIONS = "jdk.httpserver.maxConnections";
    private static final int LATE_MILLIS = 1000; // for requests on connections that have just been accepted
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(LATE_MILLIS);
    private static final String LATE =
            "POST /ready HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    private static final Pattern LOCAL = Pattern.compile("(?i)(https?://)?(localhost|127(\\.\\d+){3}|\\[::1])(:\\d+)?");
    private static final Logger LOG = Logger.getLogger("a2o");

    static { // read when the server's and the client's classes load
        System.setProperty("sun.net.httpserver.nodelay", "true"); // or an event waits for an acknowledgement
        System.setProperty("sun.net.httpserver.maxIdleConnections", "1000");
        System.setProperty("sun.net.httpserver.maxReqTime", "120"); // seconds for a request to arrive
        System.setProperty("sun.net.httpserver.maxReqHeaderSize", "65536"); // bytes of a request's head
        System.setProperty("sun.net.httpserver.drainAmount", "67108864"); // bytes; or a refused client would miss why
        System.setProperty("jdk.httpclient.keepalive.timeout", "4"); // seconds; many servers close after 5
    }

    private final Options options;
    private final Clock clock;
    private final List<Upstream> upstreams = new ArrayList<>();
    private final Status status;
    private final HttpServer server;
    private final Clients clients;
    private final Budget budget;
    private final Descriptors descriptors;
    private final Set<Exchange> live = ConcurrentHashMap.newKeySet();
    private volatile long lastAsked = System.nanoTime() - RECENT_NANOS; // for anything
    private volatile long lastPolled = lastAsked; // whether it is ready
    private final Thread ticker = Thread.ofPlatform().daemon().name("a2o-ticker").unstarted(this::tick);

    Proxy(Options options) throws IOException { this(options, Clock.SYSTEM); }

    /** Listens from here on; requests are served after {@link #start}. */
    Proxy(Options options, Clock clock) throws IOException {
        this.options = options;
        this.clock = clock;
        long memory = Runtime.getRuntime().maxMemory();
        int connections = Integer.getInteger(MAX_CONNECTIONS, Descriptors.maxConnections(memory));
        System.setProperty(MAX_CONNECTIONS, "" + connections); // read when the server's class loads
        var places = new Places(options.maxConnections(), clock);
        for (Options.Target target : options.upstreams()) upstreams.add(new Upstream(options, target, places, clock));
        this.status = new Status(options, upstreams);
        this.clients = new Clients(memory / 8, options.timeout().toNanos(), clock);
        this.budget = new Budget(memory / 2, clients::makeRoom);
        try {
            this.server = HttpServer.create(new InetSocketAddress(options.host(), options.port()), 1024);
        } catch (IOException e) {
            String at = "no listening on %s port %d: ".formatted(options.host(), options.port());
            throw new IOException(at + e.getMessage(), e);
        }
        this.descriptors = new Descriptors(port(), connections, clock.nanos());
        server.setExecutor(clients);
        server.createContext("/", this::handle);
    }

    void start() {
        server.start();
        ticker.start();
        Thread.ofPlatform().daemon().start(this::warmUp);
    }

    /** Translates a request and a reply that nobody sees, so that the first real one need not load the classes. */
    private void warmUp() {
        Json request = Json.of("""
                {'model':'m','max_tokens':9,'stream':true,'tools':[{'name':'f','input_schema':{'type':'object'}}],
                'messages':[{'role':'user','content':[{'type':'text','text':'hi'}]}]}""");
        var translator = new Translator(request, options, upstreams.getFirst().dialect(""), Proxy::newId);
        translator.openai();
        translator.chunk(Json.of("{'choices':[{'delta':{'content':'hi'},'finish_reason':'stop'}]}"));
        translator.finish(true);
    }

    int port() { return server.getAddress().getPort(); }

    /**
     * {@return the context window of a model in tokens; 0 if it is not known} Where --context does not say it,
     * all backends are asked at once for their models, and the first one in order that tells it counts. None is
     * waited for longer than {@link Upstream#LIST_PATIENCE}.
     */
    long askWindow(String model, String clientKey) {
        if (options.context() > 0) return options.context();
        List<Thread> askers = upstreams.stream()
                .map(upstream -> Thread.ofVirtual().start(() -> upstream.askWindows(clientKey))).toList();
        try {
            for (Thread asker : askers) asker.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // what is known by now has to do
        }
        return Upstream.window(upstreams, model);
    }

    @Override
    public void close() {
        ticker.interrupt();
        upstreams.forEach(Upstream::close);
        server.stop(0);
    }

    /**
     * Ends within that time. It says that it is not ready, and while balancers find that out it goes on as before, but
     * keeps no connection. Then it accepts no new ones, and ends when the last exchange has.
     */
    void drain(int seconds) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        status.drain();
        clients.drain();
        LOG.info("a2o stops; exchanges to end: " + live.size());
        long notice = noticeNanos();
        LockSupport.parkNanos(notice);
        try (Socket late = new Socket()) {
            if (notice > 0) beginLate(late);
            Thread.ofPlatform().daemon().start(() -> server.stop(seconds)); // closes the listener at once
            if (late.isConnected()) LockSupport.parkNanos(LATE_NANOS);
        } catch (IOException e) {
            // the server has closed it
        }
        long stop = until - TimeUnit.SECONDS.toNanos(1); // the last second is for saying that it ends
        while (clients.areServed() && System.nanoTime() - stop < 0) LockSupport.parkNanos(STEP_NANOS);
        live.forEach(Exchange::stop);
        while (clients.areServed() && System.nanoTime() - until < 0) LockSupport.parkNanos(STEP_NANOS);
    }

    /**
     * Begins a request whose body never comes. When the server is told to stop, it closes all connections as soon as no
     * request is there; on some, just accepted, one may be about to come. This one makes it wait for those.
     */
    private void beginLate(Socket socket) {
        InetAddress own = server.getAddress().getAddress();
        InetAddress address = own.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : own;
        try {
            socket.connect(new InetSocketAddress(address, port()), LATE_MILLIS);
            socket.setSoTimeout(LATE_MILLIS);
            socket.getOutputStream().write(LATE.getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().read(); // of 100 Continue: the request is there
        } catch (IOException e) {
            // then the server does not wait
        }
    }

    /** {@return how long it takes until nobody sends requests any more to a proxy that is not ready} */
    private long noticeNanos() {
        long now = System.nanoTime();
        if (now - lastPolled < RECENT_NANOS) return POLLED_NOTICE_NANOS;
        if (now - lastAsked < RECENT_NANOS || clients.areServed()) return NOTICE_NANOS;
        return 0;
    }

    private void tick() {
        long busy = 0; // when exchanges were last seen; 0: the memory that they took has been given back
        while (!Thread.interrupted()) { // that is, until close
            LockSupport.parkNanos(TICK_NANOS);
            long now = clock.nanos();
            try {
                lookAfterClients(now);
            } catch (RuntimeException | LinkageError e) { // a class cannot be loaded for want of a descriptor
                LOG.log(Level.SEVERE, "the proxy's ticker", e);
            }
            boolean isQuiet = busy != 0 && live.isEmpty() && now - busy > QUIET_NANOS;
            if (isQuiet) System.gc();
            busy = !live.isEmpty() ? now : isQuiet ? 0 : busy;
        }
    }

    private void lookAfterClients(long now) {
        descriptors.tick(now);
        clients.tick(now);
        if (upstreams.stream().anyMatch(Upstream::isWanted)) clients.makeRoom();
    }

    /** {@return 24 hex digits that are not given twice; no secret} */
    static String newId() {
        var random = ThreadLocalRandom.current();
        return HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextInt());
    }

    private void handle(HttpExchange http) throws IOException {
        Client client = clients.current();
        client.begin(http);
        String requestId = "req_" + newId();
        http.getResponseHeaders().set("request-id", requestId);
        try {
            doHandle(client, requestId);
        } catch (ApiError e) { // before there was an exchange, or after its client has left
            if (!client.isAnswered() && Routes.path(http.getRequestURI()).equals("/v1/messages")) {
                status.refuse(e.status());
                String why = secrets(client).mask(e.getMessage());
                LOG.info(A2o.printable("%s %d refused: %.300s".formatted(requestId, e.status(), why)));
            }
            client.answer(e, requestId);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            LOG.log(Level.SEVERE, requestId, e);
            client.answer(new ApiError(500, "an error of the proxy; its log has more by this id"), requestId);
        } finally {
            client.end();
        }
    }

    private void doHandle(Client client, String requestId) throws IOException {
        HttpExchange http = client.http();
        lastAsked = System.nanoTime();
        Optional<ApiError> flaw = Framing.flaw(http);
        if (flaw.isPresent()) client.closeAfter(); // who knows where the next request begins
        String asked = http.getRequestURI().getRawPath();
        String path = Routes.path(http.getRequestURI());
        String method = http.getRequestMethod();
        if (isForeign(client)) throw new ApiError(403, "only requests to localhost, and of pages from there, are served");
        boolean isShared = options.origins().contains(client.header("origin", "")); // with pages of that origin
        if (isShared) share(client);
        if (isShared && method.equals("OPTIONS")) return;
        if (!path.equals("/health") && !path.equals("/ready")) authorize(client);
        if (flaw.isPresent()) throw flaw.get();
        String allowed = switch (path) {
            case "/v1/messages", "/v1/messages/count_tokens" -> "POST";
            case "/", "/health", "/ready", "/status.json", "/metrics", "/api/hello", "/v1/models" -> "GET|HEAD";
            default -> path.startsWith("/v1/models/") ? "GET|HEAD" : "";
        };
        String notOurs = "%s is not available on this proxy".formatted(asked);
        if (allowed.isEmpty()) throw new ApiError(404, notOurs).asFinal();
        boolean isAllowed = allowed.equals(method) || allowed.startsWith("GET") && method.matches(allowed);
        if (!isAllowed) http.getResponseHeaders().set("allow", allowed.replace("|", ", "));
        if (!isAllowed) throw new ApiError(405, "%s is not allowed here; use %s".formatted(method, allowed));
        switch (path) {
            case "/v1/messages" -> messages(client, requestId);
            case "/v1/messages/count_tokens" -> countTokens(client);
            default -> client.answer(200, path.startsWith("/v1/models") ? models(client) : about(client, path));
        }
    }

    /** {@return what those want to know who look after the proxy; browsers are shown a page} */
    private Json.Writer about(Client client, String path) {
        Headers headers = client.http().getResponseHeaders();
        headers.set("cache-control", "no-store");
        boolean isReady = status.state().equals("ready");
        if (path.equals("/ready")) lastPolled = System.nanoTime();
        if (path.equals("/ready") && !isReady) throw new ApiError(503, status.state());
        if (path.equals("/status.json")) return status.json(live.size());
        boolean isPage = path.equals("/") && client.header("accept", "").matches("(?i)[^,]*\\b(text/html|xhtml)\\b.*");
        if (isPage) {
            headers.set("content-type", "text/html; charset=utf-8");
            Thread.ofVirtual().start(() -> askWindow("", "")); // which the page will show, when it is known
        }
        if (path.equals("/metrics")) headers.set("content-type", "text/plain; version=0.0.4; charset=utf-8");
        return isPage ? Status.page(headers) : path.equals("/metrics") ? status.metrics(live.size())
                : new Json.Writer().put("{'name':'a2o','version':%,'status':'ok'}", A2o.VERSION);
    }

    /** {@return whether a web page asks that must not spend the user's tokens, or somebody by a name not ours} */
    private boolean isForeign(Client client) {
        if (!server.getAddress().getAddress().isLoopbackAddress()) return false;
        boolean isShared = options.origins().contains(client.header("origin", ""));
        Headers headers = client.http().getRequestHeaders();
        boolean isOfAnotherSite = headers.getOrDefault("Sec-fetch-site", List.of()).stream().anyMatch("cross-site"::equalsIgnoreCase);
        if (isOfAnotherSite && !isShared) return true;
        for (String name : List.of("Host", "Origin")) {
            for (String value : headers.getOrDefault(name, List.of())) {
                boolean isAllowed = name.equals("Origin") && options.origins().contains(value);
                if (!isAllowed && !LOCAL.matcher(value).matches()) return true;
            }
        }
        return false;
    }

    /** Lets the page that asks read the answer (CORS); a preflight is answered with that alone. */
    private static void share(Client client) throws IOException {
        Headers headers = client.http().getResponseHeaders();
        headers.set("access-control-allow-origin", client.header("origin", ""));
        headers.set("access-control-expose-headers", "*");
        headers.set("vary", "origin");
        if (!client.http().getRequestMethod().equals("OPTIONS")) return;
        headers.set("access-control-allow-methods", "GET, POST");
        headers.set("access-control-allow-headers", client.header("access-control-request-headers", "*"));
        headers.set("access-control-max-age", "86400"); // seconds
        client.answer(204);
    }

    /** Lists the first backend's models; with {@code --model} that one alone, as the backend lists it. */
    private Json.Writer models(Client client) {
        HttpExchange http = client.http();
        Map<String, String> query = new HashMap<>();
        for (String pair : Objects.requireNonNullElse(http.getRequestURI().getRawQuery(), "").split("&")) {
            String value = pair.replaceFirst("^[^=]*=?", "");
            query.put(pair.split("=", 2)[0], URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        String id = Routes.modelId(Routes.path(http.getRequestURI()));
        boolean isListNeeded = options.model().isEmpty() || options.context() == 0;
        List<Json> listed = isListNeeded ? upstreams.getFirst().models(key(client)) : List.of();
        return Models.answer(options, listed, id, query);
    }

    /** {@return the first backend's models as it lists them, if it does in that time} */
    List<Json> listed(String clientKey, Duration patience) {
        return upstreams.getFirst().models(options.authKey().isPresent() ? "" : clientKey, patience);
    }

    /** {@return the client's key for the backend; none if it is the proxy's own} */
    private String key(Client client) {
        return options.authKey().isPresent() ? "" : keys(client).getFirst();
    }

    /** Counts by an estimate, and asks no backend. */
    private void countTokens(Client client) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            Dialect dialect = upstreams.getFirst().dialect(options.model(anthropic.get("model").text()));
            long tokens = new Translator(anthropic, options, dialect, Proxy::newId).inputTokens();
            client.answer(200, new Json.Writer().put("{'input_tokens':%,'context_management':null}", tokens));
        }
    }

    private void authorize(Client client) {
        if (options.authKey().isEmpty()) return;
        byte[] own = options.authKey().get().getBytes(StandardCharsets.UTF_8);
        boolean known = keys(client).stream().map(key -> key.getBytes(StandardCharsets.UTF_8))
                .anyMatch(key -> MessageDigest.isEqual(key, own));
        if (!known) throw new ApiError(401, "this proxy needs its own key, as x-api-key or bearer");
    }

    /** {@return the keys that the client sent, x-api-key, then the bearer's; "" if there is none} */
    private static List<String> keys(Client client) {
        String authorization = client.header("authorization", "");
        String bearer = authorization.regionMatches(true, 0, "bearer ", 0, 7) ? authorization.substring(7).strip() : "";
        String key = client.header("x-api-key", "").strip();
        return key.isEmpty() ? List.of(bearer) : List.of(key, bearer);
    }

    private Secrets secrets(Client client) { return options.secrets().with(keys(client).toArray(String[]::new)); }

    private void messages(Client client, String requestId) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            var exchange = new Exchange(client, requestId, anthropic, upstreams, options, key(client), share, clock);
            live.add(exchange);
            try {
                exchange.run();
            } finally {
                live.remove(exchange);
                Status.Entry entry = exchange.entry();
                status.add(entry);
                LOG.info(entry::line);
            }
        }
    }
}
