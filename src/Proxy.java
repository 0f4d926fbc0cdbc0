import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/**
 * The server: routes, keys, limits, and the one place where exceptions become answers. A virtual thread serves each
 * request. Shared between them: the set of live exchanges, which a ticker looks after, and the status.
 */
final class Proxy implements AutoCloseable {
    private static final int MAX_BODY_BYTES = 32 * 1024 * 1024;
    private static final int MAX_TRUSTED_BYTES = 2 * 1024 * 1024; // made room for because a client says they come
    private static final long TICK_NANOS = 250_000_000;
    private static final long QUIET_NANOS = 60_000_000_000L; // after which memory is given back
    private static final Pattern LOCAL = Pattern.compile("(?i)(https?://)?(localhost|127(\\.\\d+){3}|\\[::1])(:\\d+)?");
    private static final Logger LOG = Logger.getLogger("a2o");

    static { // read when the server's and the client's classes load
        System.setProperty("sun.net.httpserver.nodelay", "true"); // or an event waits for an acknowledgement
        System.setProperty("sun.net.httpserver.maxIdleConnections", "1000");
        System.setProperty("sun.net.httpserver.maxReqTime", "120"); // seconds for a request to arrive
        System.setProperty("sun.net.httpserver.drainAmount", "67108864"); // bytes; or a refused client would miss why
        System.setProperty("jdk.httpclient.keepalive.timeout", "4"); // seconds; many servers close after 5
    }

    private final Options options;
    private final List<Upstream> upstreams = new ArrayList<>();
    private final Status status;
    private final HttpServer server;
    private final Set<Exchange> live = ConcurrentHashMap.newKeySet();
    private final Thread ticker = Thread.ofPlatform().daemon().name("a2o-ticker").unstarted(this::tick);

    /** Listens from here on; requests are served after {@link #start}. */
    Proxy(Options options) throws IOException {
        this.options = options;
        var places = new Semaphore(options.maxConnections(), true);
        for (Options.Target target : options.upstreams()) upstreams.add(new Upstream(options, target, places));
        this.status = new Status(options, upstreams);
        try {
            this.server = HttpServer.create(new InetSocketAddress(options.host(), options.port()), 1024);
        } catch (IOException e) {
            String at = "no listening on %s port %d: ".formatted(options.host(), options.port());
            throw new IOException(at + e.getMessage(), e);
        }
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
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
        server.stop(0);
    }

    /** Accepts nothing more, and lets the exchanges that run end, for so long. */
    void drain(int seconds) {
        status.drain();
        System.err.printf("a2o stops; exchanges to end: %d%n", live.size()); // the log has been closed by now
        Thread.ofVirtual().start(() -> {
            LockSupport.parkNanos((seconds - 1) * 1_000_000_000L); // the last second is for saying that it ends
            live.forEach(Exchange::stop);
        });
        server.stop(live.isEmpty() ? 0 : seconds);
    }

    private void tick() {
        long busy = 0; // when exchanges were last seen; 0: the memory that they took has been given back
        while (!Thread.interrupted()) { // that is, until close
            LockSupport.parkNanos(TICK_NANOS);
            long now = System.nanoTime();
            live.forEach(exchange -> exchange.tick(now));
            boolean isQuiet = busy != 0 && live.isEmpty() && now - busy > QUIET_NANOS;
            if (isQuiet) System.gc();
            busy = !live.isEmpty() ? now : isQuiet ? 0 : busy;
        }
    }

    /** {@return 24 hex digits that are not given twice; no secret} */
    static String newId() {
        var random = ThreadLocalRandom.current();
        return HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextInt());
    }

    private void handle(HttpExchange http) throws IOException {
        String requestId = "req_" + newId();
        http.getResponseHeaders().set("request-id", requestId);
        try {
            doHandle(http, requestId);
        } catch (ApiError e) { // before there was an exchange, or after its client has left
            if (http.getResponseCode() < 0 && Routes.path(http.getRequestURI()).equals("/v1/messages")) {
                status.refuse(e.status());
                LOG.info(A2o.printable("%s %d refused: %.300s".formatted(requestId, e.status(), e.getMessage())));
            }
            answer(http, e, requestId);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            LOG.log(Level.SEVERE, requestId, e);
            answer(http, new ApiError(500, "an error of the proxy; its log has more by this id"), requestId);
        } finally {
            http.close();
        }
    }

    private void doHandle(HttpExchange http, String requestId) throws IOException {
        String asked = http.getRequestURI().getRawPath();
        String path = Routes.path(http.getRequestURI());
        String method = http.getRequestMethod();
        if (isForeign(http)) throw new ApiError(403, "only requests to localhost, and of pages from there, are served");
        boolean isShared = options.origins().contains(header(http, "origin", "")); // with pages of that origin
        if (isShared) share(http);
        if (isShared && method.equals("OPTIONS")) return;
        if (!path.equals("/health") && !path.equals("/ready")) authorize(http);
        String allowed = switch (path) {
            case "/v1/messages", "/v1/messages/count_tokens" -> "POST";
            case "/", "/health", "/ready", "/status.json", "/metrics", "/api/hello", "/v1/models" -> "GET|HEAD";
            default -> path.startsWith("/v1/models/") ? "GET|HEAD" : "";
        };
        String notOurs = "%s is not available on this proxy".formatted(asked);
        if (allowed.isEmpty()) throw new ApiError(404, notOurs).asFinal();
        boolean isAllowed = allowed.equals(method) || allowed.startsWith("GET") && method.matches(allowed);
        if (!isAllowed) throw new ApiError(405, "%s is not allowed here; use %s".formatted(method, allowed));
        switch (path) {
            case "/v1/messages" -> messages(http, requestId);
            case "/v1/messages/count_tokens" -> countTokens(http);
            default -> answer(http, 200, path.startsWith("/v1/models") ? models(http) : about(http, path));
        }
    }

    /** {@return what those want to know who look after the proxy; browsers are shown a page} */
    private Json.Writer about(HttpExchange http, String path) {
        Headers headers = http.getResponseHeaders();
        headers.set("cache-control", "no-store");
        boolean isReady = status.state().equals("ready");
        if (path.equals("/ready") && !isReady) throw new ApiError(503, status.state());
        if (path.equals("/status.json")) return status.json(live.size());
        boolean isPage = path.equals("/") && header(http, "accept", "").matches("(?i)[^,]*\\b(text/html|xhtml)\\b.*");
        if (isPage) {
            headers.set("content-type", "text/html; charset=utf-8");
            Thread.ofVirtual().start(() -> askWindow("", "")); // which the page will show, when it is known
        }
        if (path.equals("/metrics")) headers.set("content-type", "text/plain; version=0.0.4; charset=utf-8");
        return isPage ? Status.page(headers) : path.equals("/metrics") ? status.metrics(live.size())
                : new Json.Writer().put("{'name':'a2o','version':%,'status':'ok'}", A2o.VERSION);
    }

    /** {@return whether a web page asks that must not spend the user's tokens, or somebody by a name not ours} */
    private boolean isForeign(HttpExchange http) {
        if (!server.getAddress().getAddress().isLoopbackAddress()) return false;
        for (String name : List.of("Host", "Origin")) {
            for (String value : http.getRequestHeaders().getOrDefault(name, List.of())) {
                boolean isShared = name.equals("Origin") && options.origins().contains(value);
                if (!isShared && !LOCAL.matcher(value).matches()) return true;
            }
        }
        return false;
    }

    /** Lets the page that asks read the answer (CORS); a preflight is answered with that alone. */
    private static void share(HttpExchange http) throws IOException {
        Headers headers = http.getResponseHeaders();
        headers.set("access-control-allow-origin", header(http, "origin", ""));
        headers.set("access-control-expose-headers", "*");
        headers.set("vary", "origin");
        if (!http.getRequestMethod().equals("OPTIONS")) return;
        headers.set("access-control-allow-methods", "GET, POST");
        headers.set("access-control-allow-headers", header(http, "access-control-request-headers", "*"));
        headers.set("access-control-max-age", "86400"); // seconds
        http.sendResponseHeaders(204, -1);
    }

    /** Lists the first backend's models; with {@code --model} that one alone, as the backend lists it. */
    private Json.Writer models(HttpExchange http) {
        Map<String, String> query = new HashMap<>();
        for (String pair : Objects.requireNonNullElse(http.getRequestURI().getRawQuery(), "").split("&")) {
            String value = pair.replaceFirst("^[^=]*=?", "");
            query.put(pair.split("=", 2)[0], URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        String id = Routes.modelId(Routes.path(http.getRequestURI()));
        boolean isListNeeded = options.model().isEmpty() || options.context() == 0;
        List<Json> listed = isListNeeded ? upstreams.getFirst().models(key(http)) : List.of();
        return Models.answer(options, listed, id, query);
    }

    /** {@return the client's key for the backend; none if it is the proxy's own} */
    private String key(HttpExchange http) {
        return options.authKey().isPresent() ? "" : keys(http).getFirst();
    }

    /** Counts by an estimate, and asks no backend. */
    private void countTokens(HttpExchange http) throws IOException {
        Json anthropic = body(http);
        Dialect dialect = upstreams.getFirst().dialect(options.model(anthropic.get("model").text()));
        long tokens = new Translator(anthropic, options, dialect, Proxy::newId).inputTokens();
        answer(http, 200, new Json.Writer().put("{'input_tokens':%,'context_management':null}", tokens));
    }

    private void authorize(HttpExchange http) {
        if (options.authKey().isEmpty()) return;
        byte[] own = options.authKey().get().getBytes(StandardCharsets.UTF_8);
        boolean known = keys(http).stream().map(key -> key.getBytes(StandardCharsets.UTF_8))
                .anyMatch(key -> MessageDigest.isEqual(key, own));
        if (!known) throw new ApiError(401, "this proxy needs its own key, as x-api-key or bearer");
    }

    /** {@return the keys that the client sent, x-api-key, then the bearer's; "" if there is none} */
    private static List<String> keys(HttpExchange http) {
        String authorization = header(http, "authorization", "");
        String bearer = authorization.regionMatches(true, 0, "bearer ", 0, 7) ? authorization.substring(7).strip() : "";
        String key = header(http, "x-api-key", "").strip();
        return key.isEmpty() ? List.of(bearer) : List.of(key, bearer);
    }

    private static String header(HttpExchange http, String name, String otherwise) {
        return Objects.requireNonNullElse(http.getRequestHeaders().getFirst(name), otherwise);
    }

    private void messages(HttpExchange http, String requestId) throws IOException {
        var exchange = new Exchange(http, requestId, body(http), upstreams, options, key(http));
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

    private static Json body(HttpExchange http) throws IOException {
        String encoding = header(http, "content-encoding", "identity").strip().toLowerCase(Locale.ROOT);
        long length = Long.parseLong(header(http, "content-length", "0"));
        String code = encoding.equals("identity") ? "" : "request_body_too_large_after_decoding";
        try {
            InputStream in = switch (encoding) {
                case "identity" -> http.getRequestBody();
                case "gzip" -> new GZIPInputStream(http.getRequestBody());
                case "deflate" -> new InflaterInputStream(http.getRequestBody());
                default -> throw new ApiError(400, "request_body_encoding_unsupported", "gzip or deflate expected");
            };
            boolean isKnown = code.isEmpty() && length > 0 && length <= MAX_TRUSTED_BYTES;
            byte[] body = isKnown ? new byte[(int) length]
                    : in.readNBytes(length > MAX_BODY_BYTES ? 0 : MAX_BODY_BYTES + 1);
            if (isKnown && in.readNBytes(body, 0, body.length) < length) throw new IOException();
            if (!code.isEmpty()) http.getRequestBody().readNBytes(MAX_BODY_BYTES); // or the server waits for its end
            if (Math.max(length, body.length) > MAX_BODY_BYTES) throw new ApiError(413, code, "the body is over 32 MB");
            return Json.parse(body);
        } catch (IOException | IndexOutOfBoundsException e) { // the latter for chunks of a length below zero
            throw new ApiError(400, "request_body_encoding_invalid", "the body is not what its headers say");
        } catch (Json.Malformed e) {
            throw new ApiError(400, "the body is " + e.getMessage());
        }
    }

    static void answer(HttpExchange http, ApiError error, String requestId) throws IOException {
        if (http.getResponseCode() >= 0) return; // too late: the status has been sent
        if (error.isFinal()) http.getResponseHeaders().set("x-should-retry", "false");
        if (error.retrySeconds() > 0) http.getResponseHeaders().set("retry-after", Long.toString(error.retrySeconds()));
        answer(http, error.status(), error.body(requestId));
    }

    private static void answer(HttpExchange http, int status, Json.Writer json) throws IOException {
        OutputStream out = begin(http, status, json.size());
        if (!http.getRequestMethod().equals("HEAD")) out.write(json.array(), 0, json.size());
        out.close();
    }

    /** Sends status and headers: of JSON, unless it is said to be other, or, if the length is 0, of a stream. */
    static OutputStream begin(HttpExchange http, int status, long length) throws IOException {
        String contentType = length == 0 ? "text/event-stream; charset=utf-8" : "application/json";
        http.getResponseHeaders().putIfAbsent("content-type", List.of(contentType));
        if (length == 0) http.getResponseHeaders().set("cache-control", "no-cache");
        http.sendResponseHeaders(status, http.getRequestMethod().equals("HEAD") ? -1 : length); // -1: no body
        return http.getResponseBody();
    }
}
