package serve;

import anthropic.ApiError;
import anthropic.Ids;
import anthropic.ListedModel;
import anthropic.Models;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import config.Options;
import config.Secrets;
import config.Target;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import json.Json;
import json.JsonWriter;
import json.Text;
import translate.Dialect;
import translate.Translator;
import upstream.Clock;
import upstream.Places;
import upstream.Upstream;

/**
 * The server: routes, keys, limits, and the one place where exceptions become answers. A thread serves each
 * request. Shared between them: the clients and the budget, which a ticker looks after, and the status.
 */
public final class Proxy implements AutoCloseable {
    private static final long TICK_NANOS = 250_000_000;
    private static final long QUIET_NANOS = 60_000_000_000L; // after which memory is given back
    private static final String MAX_CONNECTIONS = "jdk.httpserver.maxConnections";
    private static final int BUDGET_SHARE = 2; // of the memory, for requests in flight: a half
    private static final int HEADS_SHARE = 8; // for heads while they are read
    private static final Pattern LOCAL = Pattern.compile("(?i)(https?://)?(localhost|127(\\.\\d+){3}|\\[::1])(:\\d+)?");
    /** The Accept header of a browser: {@code text/html,application/xhtml+xml,application/xml;q=0.9}. */
    private static final Pattern WANTS_PAGE = Pattern.compile("(?i)[^,]*\\b(text/html|xhtml)\\b");
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
    private final Drain drain;
    private final Set<Exchange> live = ConcurrentHashMap.newKeySet();
    private final Thread ticker = Thread.ofPlatform().daemon().name("a2o-ticker").unstarted(this::tick);

    public Proxy(Options options) throws IOException { this(options, Clock.SYSTEM); }

    /** Listens from here on; requests are served after {@link #start}. */
    public Proxy(Options options, Clock clock) throws IOException {
        this.options = options;
        this.clock = clock;
        long memory = Runtime.getRuntime().maxMemory();
        int connections = Integer.getInteger(MAX_CONNECTIONS, Descriptors.maxConnections(memory));
        System.setProperty(MAX_CONNECTIONS, "" + connections); // read when the server's class loads
        var places = new Places(options.maxConnections(), clock);
        for (Target target : options.upstreams()) upstreams.add(new Upstream(options, target, places, clock));
        this.status = new Status(options, upstreams);
        this.clients = new Clients(memory / HEADS_SHARE, options.timeout().toNanos(), clock);
        this.budget = new Budget(memory / BUDGET_SHARE, clients::makeRoom);
        try {
            this.server = HttpServer.create(new InetSocketAddress(options.host(), options.port()), 1024);
        } catch (IOException e) {
            String at = "no listening on %s port %d: ".formatted(options.host(), options.port());
            throw new IOException(at + e.getMessage(), e);
        }
        this.drain = new Drain(server, clients);
        this.descriptors = new Descriptors(port(), connections, clock.nanos());
        server.setExecutor(clients);
        server.createContext("/", this::handle);
    }

    public void start() {
        server.start();
        ticker.start();
        Thread.ofPlatform().daemon().start(this::warmUp);
    }

    /** Translates a request and a reply that nobody sees, so that the first real one need not load the classes. */
    private void warmUp() {
        Json request = JsonWriter.json("""
                {'model':'m','max_tokens':9,'stream':true,'tools':[{'name':'f','input_schema':{'type':'object'}}],
                'messages':[{'role':'user','content':[{'type':'text','text':'hi'}]}]}""");
        var translator = new Translator(request, options, upstreams.getFirst().dialect(""), Ids::newId);
        translator.request();
        translator.whole(JsonWriter.json("{'choices':[{'delta':{'content':'hi'},'finish_reason':'stop'}]}"));
        translator.finish();
    }

    public int port() { return server.getAddress().getPort(); }

    /**
     * {@return the context window of a model in tokens; 0 if it is not known} Where --context does not say it,
     * all backends are asked at once for their models, and the first one in order that tells it counts. None is
     * waited for longer than a client waits for a list.
     */
    public long askWindow(String model, String clientKey) {
        if (options.context() > 0) return options.context();
        List<Thread> askers = upstreams.stream()
                .map(upstream -> Thread.ofVirtual().start(() -> upstream.models().askForWindows(clientKey))).toList();
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

    /** Stops within that time: what has been begun is finished, see {@link Drain}. */
    public void drain(int seconds) {
        status.drain();
        LOG.info("a2o stops; exchanges to end: " + live.size());
        drain.run(seconds, () -> live.forEach(Exchange::stop));
    }

    private void tick() {
        long busy = 0; // when exchanges were last seen; 0: the memory that they took has been given back
        while (!Thread.interrupted()) { // that is, until close
            LockSupport.parkNanos(TICK_NANOS);
            long now = clock.nanos();
            try {
                lookAfterClients(now);
            } catch (RuntimeException | LinkageError e) { // the latter if descriptors are used up
                LOG.log(Level.SEVERE, "the ticker", e); // it goes on: all limits of time depend on it
            }
            boolean isQuiet = busy != 0 && live.isEmpty() && now - busy > QUIET_NANOS;
            if (isQuiet) System.gc();
            busy = !live.isEmpty() ? now : isQuiet ? 0 : busy;
        }
    }

    private void lookAfterClients(long now) {
        descriptors.tick(now);
        clients.tick(now);
        if (upstreams.stream().anyMatch(Upstream::isAwaited)) clients.makeRoom();
    }

    private void handle(HttpExchange http) throws IOException {
        var client = new Client(http, clients.current(), clients::isDraining);
        String requestId = "req_" + Ids.newId();
        http.getResponseHeaders().set("request-id", requestId);
        try {
            doHandle(client, requestId);
        } catch (ApiError e) { // before there was an exchange, or after its client has left
            if (!client.isAnswered() && Routes.path(http.getRequestURI()).equals("/v1/messages")) {
                status.addRefused(e.status());
                String why = secrets(client).mask(e.getMessage());
                LOG.info(Text.printable("%s %d refused: %.300s".formatted(requestId, e.status(), why)));
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
        drain.noteRequest();
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
    private JsonWriter about(Client client, String path) {
        Headers headers = client.http().getResponseHeaders();
        headers.set("cache-control", "no-store");
        return switch (path) {
            case "/ready" -> readiness();
            case "/status.json" -> status.json(live.size());
            case "/metrics" -> {
                headers.set("content-type", "text/plain; version=0.0.4; charset=utf-8");
                yield status.metrics(live.size());
            }
            case "/" -> WANTS_PAGE.matcher(client.header("accept", "")).lookingAt() ? page(headers) : aboutProxy();
            default -> aboutProxy();
        };
    }

    private JsonWriter readiness() {
        drain.notePoll();
        Optional<String> whyNot = status.whyNotReady();
        if (whyNot.isPresent()) throw new ApiError(503, whyNot.get());
        return aboutProxy();
    }

    private JsonWriter page(Headers headers) {
        Thread.ofVirtual().start(() -> askWindow("", "")); // which the page will show, when it is known
        return StatusPage.html(headers);
    }

    private static JsonWriter aboutProxy() {
        return new JsonWriter().object()
                .field("name", "a2o").field("version", Options.VERSION).field("status", "ok").endObject();
    }

    /** {@return whether a web page asks that must not spend the user's tokens, or somebody by a name not ours} */
    private boolean isForeign(Client client) {
        if (!server.getAddress().getAddress().isLoopbackAddress()) return false;
        boolean isShared = options.origins().contains(client.header("origin", ""));
        Headers headers = client.http().getRequestHeaders();
        List<String> sites = headers.getOrDefault("Sec-fetch-site", List.of()); // what browsers say of a page
        boolean isCrossSite = sites.stream().anyMatch("cross-site"::equalsIgnoreCase);
        if (isCrossSite && !isShared) return true;
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
    private JsonWriter models(Client client) {
        HttpExchange http = client.http();
        Map<String, String> query = new HashMap<>();
        for (String pair : Objects.requireNonNullElse(http.getRequestURI().getRawQuery(), "").split("&")) {
            String value = pair.replaceFirst("^[^=]*=?", "");
            query.put(pair.split("=", 2)[0], URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        String id = Routes.modelId(Routes.path(http.getRequestURI()));
        boolean isListNeeded = options.model().isEmpty() || options.context() == 0;
        List<ListedModel> listed = isListNeeded ? upstreams.getFirst().models().models(key(client)) : List.of();
        return id.isEmpty() ? Models.page(options.routes(), listed, query) : Models.one(options.routes(), listed, id);
    }

    /** {@return the first backend's models as it lists them, if it does in that time} */
    List<ListedModel> listed(String clientKey, Duration patience) {
        return upstreams.getFirst().models().models(options.authKey().isPresent() ? "" : clientKey, patience);
    }

    /** {@return whether the first backend has refused a key, be it the client's or the operator's} */
    boolean isKeyRefused() {
        Set<Integer> statuses = upstreams.getFirst().errors().keySet();
        return statuses.contains(401) || statuses.contains(403);
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
            long tokens = new Translator(anthropic, options, dialect, Ids::newId).inputTokens();
            client.answer(200, new JsonWriter().put("{'input_tokens':%,'context_management':null}", tokens));
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
                Outcome outcome = exchange.outcome();
                status.add(outcome);
                LOG.info(outcome::line);
            }
        }
    }
}
