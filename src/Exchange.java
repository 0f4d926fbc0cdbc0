import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One request for a message and its reply, on one thread: it asks the upstream, translates what comes, and while it
 * waits for more sends the client what is ready and, in silence, pings. From other threads only {@link #tick} and
 * {@link #stop} are called.
 *
 * <p>Nothing is sent, not even the status, before the upstream has said something that means a reply, or
 * {@link #PATIENCE} has passed: until then an error still gets a status of its own, after that it is an event.
 */
final class Exchange {
    private static final long SECOND = 1_000_000_000; // in nanoseconds, as all times here
    private static final long PATIENCE = 10 * SECOND; // also from one pair of pings to the next
    private static final long LINGER = 5 * SECOND; // for usage and the end, after finish_reason
    private static final int MAX_ERROR_BYTES = 64 * 1024;
    private static final int MAX_REPLY_BYTES = 64 * 1024 * 1024;
    private static final int MAX_TRAILING_EVENTS = 100; // after [DONE], read so that the connection can serve again
    private static final int MAX_UNSENT_BYTES = 64 * 1024;
    private static final int MAX_REPAIRS = 3; // of a request that a backend refuses
    private static final int MAX_TRIES = 3; // where all backends have been tried, and what is wrong may pass
    private static final int MAX_WAIT_SECONDS = 5; // before another try
    private static final long FIRST_WAIT = SECOND / 20; // doubled each time
    private static final Pattern WHOLE = Pattern.compile("(?i)application/(?!x-?nd|json-|jsonl).*json.*");
    private static final Logger LOG = Logger.getLogger("a2o");
    /** The backend's headers that are passed on, and what they are called then (SPEC E.4). */
    private static final Map<String, String> HEADERS = Map.of("x-request-id", "x-backend-request-id",
            "x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit",
            "x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining",
            "x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset",
            "x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit",
            "x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining",
            "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset");

    private final HttpExchange http;
    private final String requestId;
    private Json anthropic; // null when it cannot be needed any more
    private final List<Upstream> upstreams; // in the order to try them
    private final Options options;
    private final String clientKey;
    private final Thread thread = Thread.currentThread();
    private final long begun = System.nanoTime();
    private long nextPing = begun + PATIENCE;
    private long finished; // since when nothing but usage and the end can come; 0 until then
    private volatile long writingSince; // to the client; 0 while nothing is written
    private Upstream upstream; // of the try that runs
    private Translator translator; // of the try that runs; nothing has been shown of those before
    private Json.Writer openai; // the request that it made
    private boolean expired; // the client has waited too long for another try
    private Upstream.Arrivals arrived = new Upstream.Arrivals(); // of the try that runs
    private boolean ended; // the reply; nothing more arrives
    private long taken; // bytes of the reply
    private OutputStream body; // the client's; null until the status is sent
    private long shown; // when the first of the reply was sent, which a ping is not; 0 until then
    private int pings;
    private boolean over; // nothing more goes to the client
    private int status = 500; // an error of the proxy, unless it is known otherwise
    private String failure = ""; // the type of the error, if it was one
    private int answer; // the status of the backend in the try that runs; 0 until it is there
    private int retries;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream(); // by the backend in this try, for --debug
    private final ByteArrayOutputStream told = new ByteArrayOutputStream(); // to the client, for --debug

    /** @throws ApiError if {@code anthropic} is not a request that can be translated */
    Exchange(HttpExchange http, String requestId, Json anthropic, List<Upstream> upstreams, Options options,
             String clientKey) {
        this.http = http;
        this.requestId = requestId;
        this.anthropic = anthropic;
        this.upstreams = Upstream.inOrder(upstreams);
        this.upstream = this.upstreams.getFirst();
        this.options = options;
        this.clientKey = clientKey;
        translate(upstream.dialect(options.model(anthropic.get("model").text())));
    }

    private void translate(Dialect dialect) {
        Upstream asked = upstream; // another may be tried later
        String model = options.model(anthropic.get("model").text());
        translator = new Translator(anthropic, options, dialect, () -> asked.window(model), Proxy::newId);
        openai = translator.openai();
        if (options.debug()) LOG.info(() -> "%1$s > %2$s%n%1$s >> %3$s".formatted(requestId, anthropic.raw(), openai));
    }

    /** Runs to the end. */
    void run() throws IOException {
        try {
            if (translator.wantsNothing()) translator.end(); else tries();
            if (!over) complete(); // a stream is, before its very end is read
        } catch (ApiError e) {
            status = e.status();
            failure = e.type();
            if (over) return; // the client has left
            if (body != null) translator.fail(e, requestId);
            if (body != null) complete(); else Proxy.answer(http, e, requestId);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) { // a bug; it must not look like an end
            if (body != null && !over) translator.fail(new ApiError(500, "an error of the proxy"), requestId);
            if (body != null && !over) complete();
            throw e;
        } finally {
            over = true;
            debug("<", told);
        }
    }

    /** Logs what was said, without the keys, however they are escaped there. */
    private void debug(String arrow, ByteArrayOutputStream what) {
        if (what.size() == 0) return;
        String text = what.toString(StandardCharsets.UTF_8);
        Options.Target target = translator.dialect().target();
        List<String> secrets = new ArrayList<>(List.of(clientKey, target.key().orElse("")));
        options.headers().forEach(header -> secrets.add(header.value()));
        if (target.url().getRawQuery() != null) secrets.addAll(List.of(target.url().getRawQuery().split("[&=]")));
        secrets.removeIf(secret -> secret.length() < 8); // a word that stands for a key
        for (String secret : secrets) {
            text = text.replaceAll(secret.chars().mapToObj("(?:\\\\?\\Q%1$c\\E|\\\\u%1$04x)"::formatted)
                    .collect(Collectors.joining("", "(?i)", "")), "(key)");
        }
        LOG.info("%s %s %s".formatted(requestId, arrow, text));
        what.reset();
    }

    /** Tries each of the backends in turn, then again after a while, where what is wrong may pass. */
    private void tries() {
        for (int tries = 1; ; tries++) {
            try {
                repairs();
                return;
            } catch (ApiError e) {
                boolean mayPass = e.isPassing() || e.status() == 429 && e.retrySeconds() >= 0;
                boolean isNew = tries < upstreams.size(); // the next backend
                boolean isAgain = mayPass && e.retrySeconds() <= MAX_WAIT_SECONDS && tries < MAX_TRIES;
                if (!isFailure(e) || isShown() || !isNew && !isAgain) throw e;
                long wait = Math.max(FIRST_WAIT << tries, e.retrySeconds() * SECOND);
                if (!isNew) await(wait);
                if (isShown()) throw e; // a ping, meanwhile
            }
            retries++;
            upstream = upstreams.get(tries % upstreams.size());
            translate(upstream.dialect(translator.model()));
        }
    }

    /** {@return whether another backend may do better} */
    private static boolean isFailure(ApiError e) {
        return e.status() == 402 || e.status() == 429 || e.status() >= 500 && !e.isFinal();
    }

    /** Exchanges with a backend, which may refuse some of the request and take it otherwise. */
    private void repairs() {
        String refusal = "";
        String refused = "";
        Iterator<Dialect> lessons = List.<Dialect>of().iterator();
        for (int repairs = 0; ; repairs++) {
            try {
                exchange();
                return;
            } catch (ApiError e) {
                String words = e.refusal().replaceAll("[\\w-]*\\d[\\w-]*", ""); // without ids and times
                if (!words.equals(refusal) && !words.isEmpty()) {
                    upstream.learns(translator.model(), translator.dialect()); // it is not refused for the same again
                    refusal = words;
                    refused = openai.toString();
                    lessons = translator.dialect().lessons(e.refusal()).iterator();
                }
                if (words.isEmpty() || isShown() || repairs == MAX_REPAIRS || !isOther(lessons, refused)) throw e;
            }
        }
    }

    /** Makes the next request that differs from the one that was refused. {@return whether there is one} */
    private boolean isOther(Iterator<Dialect> lessons, String refused) {
        while (lessons.hasNext()) {
            translate(lessons.next());
            if (!openai.toString().equals(refused)) return true;
        }
        return false;
    }

    /** {@return whether the client has been shown something, is gone, or has waited too long for another try} */
    private boolean isShown() { return body != null || over || expired; }

    private void exchange() {
        finished = 0;
        answer = 0;
        ended = false;
        taken = 0;
        upstream.acquire();
        Future<?> sent = null;
        try {
            sent = upstream.send(openai, clientKey, arrived);
            Object first = await(options.timeout().toNanos());
            if (first == null) throw silence();
            if (first instanceof Throwable e) throw upstream.failure(e);
            var head = (HttpResponse.ResponseInfo) first;
            answer = head.statusCode();
            passHeaders(head.headers());
            boolean isLlama = head.headers().firstValue("server").orElse("").equals("llama.cpp");
            Dialect known = upstream.dialect(translator.model());
            boolean isNew = isLlama && !known.is("prefill", "repeated");
            if (isNew) upstream.learns(translator.model(), known.with(Dialect.LLAMA));
            String type = head.headers().firstValue("content-type").orElse("");
            if (head.statusCode() != 200 || type.contains("html")) throw refusal(head);
            if (WHOLE.matcher(type).matches()) whole(); else events();
        } catch (ApiError e) {
            if (sent != null && e.status() != 499) upstream.errs(answer < 400 ? e.status() : answer);
            if (sent != null && isFailure(e)) upstream.fails();
            throw e;
        } finally {
            arrived.close();
            arrived = new Upstream.Arrivals();
            if (sent != null && !ended) sent.cancel(true);
            upstream.release();
            debug("<<", said);
        }
    }

    private ApiError silence() {
        expired = true;
        return translator.broken(504, "nothing came for %d seconds".formatted(options.timeout().toSeconds()));
    }

    private void passHeaders(HttpHeaders headers) {
        HEADERS.forEach((theirs, ours) -> {
            http.getResponseHeaders().remove(ours); // of another try
            headers.firstValue(theirs).map(value -> theirs.contains("-reset-") ? reset(value) : value)
                    .filter(value -> value.matches(ours.startsWith("x-") ? "[ -~]{1,100}" : "[\\dT:Z-]+"))
                    .ifPresent(value -> http.getResponseHeaders().set(ours, value));
        });
    }

    /** {@return the time, by RFC 3339, in so long, given as {@code 6m0s} or {@code 20ms}; "" if that is no duration} */
    private static String reset(String in) {
        try {
            String seconds = in.endsWith("ms") ? in.replaceFirst("(\\d+)(\\.\\d+)?ms", "0s") : in;
            return Instant.now().plus(Duration.parse("PT" + seconds)).truncatedTo(ChronoUnit.SECONDS).toString();
        } catch (DateTimeException | ArithmeticException e) {
            return "";
        }
    }

    private ApiError refusal(HttpResponse.ResponseInfo head) {
        boolean isRedirect = head.statusCode() / 100 == 3;
        Optional<String> location = head.headers().firstValue("location").filter(any -> isRedirect);
        if (location.isPresent()) return translator.broken(502, ConnectionHelp.redirect(location.get()));
        String wait = head.headers().firstValue("retry-after").filter(after -> after.matches("\\d{1,9}(\\.\\d*)?"))
                .orElse("-1");
        ApiError error = ApiError.ofUpstream(head.statusCode(), all(MAX_ERROR_BYTES), translator.context());
        return error.retryAfter((long) Math.ceil(Double.parseDouble(wait)));
    }

    private byte[] all(int most) {
        var all = new ByteArrayOutputStream();
        for (byte[] more; all.size() < most && (more = more()).length > 0; ) all.writeBytes(more);
        return all.toByteArray();
    }

    private void whole() {
        try {
            translator.chunk(Json.parse(all(MAX_REPLY_BYTES)));
        } catch (Json.Malformed e) {
            throw translator.broken(502, "the reply is " + e.getMessage());
        }
        finish(true);
    }

    private void finish(boolean whole) {
        translator.finish(whole);
        upstream.works();
        upstream.learns(translator.model(), translator.dialect());
        upstream.seekWindow(clientKey);
    }

    private void events() {
        var events = new Sse(this::more);
        while (isMore(events) && !translator.event(events)) { } // until nothing more comes or is wanted
        finish(false);
        complete();
        for (int i = 0; i < MAX_TRAILING_EVENTS && !translator.isStopped() && isMore(events); i++) { }
    }

    /** {@return whether there is another event; what has finished may break off} */
    private boolean isMore(Sse events) {
        try {
            return events.next();
        } catch (ApiError e) {
            if (e.status() != 499 && (over || translator.isFinished())) return false;
            throw e;
        }
    }

    /** {@return the next bytes of the reply, none at its end} What is ready is sent before, if there is time to. */
    private byte[] more() {
        if (ended) return Upstream.END;
        int unsent = translator.ready().size();
        boolean isLong = isShown() && anthropic != null && System.nanoTime() - begun > SECOND;
        if (isLong) translator.forget();
        if (isLong) anthropic = null;
        boolean isDue = unsent > MAX_UNSENT_BYTES || unsent > 0 && arrived.isEmpty(); // nothing more has arrived
        if (isDue && translator.isStream() && !over) send(false);
        if (finished == 0 && (over || translator.isFinished())) finished = System.nanoTime();
        long patience = finished == 0 ? options.timeout().toNanos() : finished + LINGER - System.nanoTime();
        Object next = await(patience);
        if (next == null && finished == 0) throw silence();
        if (next instanceof Throwable) throw translator.broken(502, "the connection broke in mid-reply").asPassing();
        ended |= next == Upstream.END;
        if (options.debug() && next != null) said.writeBytes((byte[]) next);
        taken += next == null ? 0 : ((byte[]) next).length;
        boolean isTooLong = taken > MAX_REPLY_BYTES && !translator.isStream();
        if (isTooLong) throw translator.broken(502, "the reply is too long");
        return next == null ? Upstream.END : (byte[]) next;
    }

    /** Waits for the upstream, so long at most; meanwhile the client gets pings. {@return what came; null: nothing} */
    private Object await(long patience) {
        long until = System.nanoTime() + patience;
        while (true) {
            boolean isPinged = translator.isStream() && !over;
            long now = System.nanoTime();
            if (isPinged && now >= nextPing) ping();
            try {
                Object next = arrived.poll((isPinged ? Math.min(until, nextPing) : until) - now);
                if (next != null || now >= until) return next;
            } catch (InterruptedException e) {
                expired = true;
                throw new ApiError(529, "the proxy is being stopped");
            }
        }
    }

    private void ping() {
        long before = shown;
        translator.ping();
        send(false);
        shown = before;
        if (++pings % 2 == 1) nextPing -= PATIENCE - SECOND; // the second of a pair finds out who has left
    }

    private void complete() {
        send(true);
        over = true;
        if (failure.isEmpty()) status = 200;
    }

    private void send(boolean isLast) {
        Json.Writer ready = translator.ready();
        writingSince = System.nanoTime();
        try {
            if (body == null) body = begin(ready.size());
            if (shown == 0) shown = System.nanoTime();
            if (options.debug()) told.write(ready.array(), 0, ready.size());
            body.write(ready.array(), 0, ready.size());
            if (isLast) body.close(); else body.flush();
        } catch (IOException e) {
            over = true;
            throw new ApiError(499, "the client has left");
        } finally {
            writingSince = 0;
        }
        ready.clear();
        nextPing = System.nanoTime() + PATIENCE;
    }

    private OutputStream begin(int size) throws IOException {
        String warnings = String.join(",", translator.warnings());
        if (!warnings.isEmpty()) http.getResponseHeaders().set("x-proxy-warnings", warnings);
        return Proxy.begin(http, 200, translator.isStream() ? 0 : size);
    }

    /** Ends what a client holds up that does not read; called a few times a second, from another thread. */
    void tick(long now) {
        long since = writingSince;
        if (since != 0 && now - since > options.timeout().toNanos()) stop(); // which closes the connection
    }

    /** Ends the exchange, from another thread; a client that listens gets an error. */
    void stop() { thread.interrupt(); }

    /** {@return what has become of the exchange, now that it has ended} */
    Status.Entry entry() {
        return new Status.Entry(System.currentTimeMillis(), requestId, status, Status.cut(translator.asked()),
                Status.cut(translator.model()), upstream.host(), shown == 0 ? 0 : shown - begun,
                System.nanoTime() - begun, retries, translator.used(),
                failure.isEmpty() ? Status.cut(translator.finishReason()) : failure);
    }
}
