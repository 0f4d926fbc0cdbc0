package serve;

import anthropic.ApiError;
import anthropic.Ids;
import config.Options;
import config.Secrets;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;
import json.Endless;
import json.Json;
import json.JsonLines;
import json.JsonParser;
import json.JsonWriter;
import json.Sse;
import json.SseEvent;
import json.Text;
import translate.Conversation;
import translate.Dialect;
import translate.Translator;
import upstream.Arrivals;
import upstream.Clock;
import upstream.ConnectionHelp;
import upstream.ReplyBody;
import upstream.Upstream;

/**
 * One request for a message and its reply, on one thread: it asks the upstream, translates what comes, and while it
 * waits for more sends the client what is ready and, in silence, pings. From other threads only {@link #stop} is
 * called.
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
    private static final int MAX_DEBUG_BYTES = 1024 * 1024; // of each that is logged
    private static final int REQUEST_BYTES = 64 * 1024; // that any request takes, whatever its body
    private static final int REPLY_BYTES = 128 * 1024; // that any reply takes: queued, read, not yet sent
    private static final int REPLY_FACTOR = 3; // times its length: what a whole reply takes in all
    private static final int MAX_TRAILING_EVENTS = 100; // after [DONE], read so that the connection can serve again
    private static final int MAX_UNSENT_BYTES = 64 * 1024;
    private static final int MAX_REPAIRS = 3; // of a request that a backend refuses
    private static final int MAX_TRIES = 3; // where all backends have been tried, and what is wrong may pass
    private static final int MAX_WAIT_SECONDS = 5; // before another try
    private static final int MAX_LINE = 300; // characters of the log for an error
    private static final long FIRST_WAIT = SECOND / 20; // doubled each time
    private static final Logger LOG = Logger.getLogger("a2o");
    /** The backend's headers that are passed on, and what they are called then (SPEC E.4). */
    private static final Map<String, String> HEADERS = Map.of("x-request-id", "x-backend-request-id",
            "x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit",
            "x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining",
            "x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset",
            "x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit",
            "x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining",
            "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset");

    /** An error of one of the tries, and the backend of that try. */
    private record Failed(ApiError error, Upstream upstream) { }

    private final Client client;
    private final Budget.Share share;
    private final String requestId;
    private Json anthropic; // null when it cannot be needed any more
    private final List<Upstream> upstreams; // in the order to try them
    private final Options options;
    private final String clientKey;
    private final Secrets secrets;
    private final Clock clock;
    private final long begun;
    private long nextPing;
    private long finished; // since when nothing but usage and the end can come; 0 until then
    private Upstream upstream; // of the try that runs
    private Conversation conversation; // of the try that runs; nothing has been shown of those before
    private JsonWriter openai; // the request that it made
    private boolean expired; // the client has waited too long for another try
    private Arrivals arrived; // of the try that runs
    private boolean ended; // the reply; nothing more arrives
    private long taken; // bytes of the reply
    private long unread; // bytes of the reply that are not yet a whole event
    private long requestBytes; // that it takes
    private final OptionalLong clientSeconds; // after which the client waits no longer, if it has said so
    private long shown; // when the first of the reply was sent, which a ping is not; 0 until then
    private final Set<String> announced = new LinkedHashSet<>(); // warnings that the header has told of
    private int pings;
    private boolean over; // nothing more goes to the client
    private int status = 500; // an error of the proxy, unless it is known otherwise
    private String failure = ""; // the type of the error, if it was one
    private String message = ""; // of the error, if it was one
    private boolean wasSent; // whether the backend was asked in the try that runs
    private long number; // of the try that runs, for the backend's health
    private int answer; // the status of the backend in the try that runs; 0 until it is there
    private int retries;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream(); // by the backend in this try, for --debug
    private final ByteArrayOutputStream told = new ByteArrayOutputStream(); // to the client, for --debug

    /** @throws ApiError if {@code anthropic} is not a request that can be translated */
    Exchange(Client client, String requestId, Json anthropic, List<Upstream> upstreams, Options options,
             String clientKey, Budget.Share share, Clock clock) {
        this.clock = clock;
        this.begun = clock.nanos();
        this.nextPing = begun + PATIENCE;
        this.arrived = new Arrivals(clock);
        this.client = client;
        this.share = share;
        this.requestId = requestId;
        this.anthropic = anthropic;
        this.upstreams = Upstream.inOrder(upstreams);
        this.upstream = this.upstreams.getFirst();
        this.options = options;
        this.clientKey = clientKey;
        this.secrets = options.secrets().with(clientKey);
        this.requestBytes = REQUEST_BYTES + share.held() + anthropic.source().length; // for the backend
        share.hold(requestBytes + REPLY_BYTES);
        translate(upstream.dialect(options.model(anthropic.get("model").text())));
        this.clientSeconds = conversation.isStream() ? OptionalLong.empty() : client.timeoutSeconds();
    }

    private void translate(Dialect dialect) {
        Upstream asked = upstream; // another may be tried later
        String model = options.model(anthropic.get("model").text());
        conversation = new Translator(anthropic, options, dialect, () -> asked.window(model), Ids::newId);
        openai = conversation.request();
        if (!options.debug()) return;
        String both = "%1$s > %2$s%n%1$s >> %3$s".formatted(requestId, anthropic.raw(), openai);
        LOG.info(() -> secrets.mask(both));
    }

    /** Runs to the end. */
    void run() throws IOException {
        try {
            if (conversation.isAnsweredHere()) conversation.answer(); else tries();
            if (!over) complete(); // a stream is, before its very end is read
        } catch (ApiError failed) {
            ApiError e = client.isCut(ClientThread.Cut.HAS_LEFT) ? left() : told(failed);
            status = e.status();
            failure = e.type();
            message = e.getMessage();
            if (over) return; // the client has left
            if (client.isAnswered()) conversation.fail(e, requestId);
            if (client.isAnswered()) complete(); else client.answer(e, requestId);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) { // a bug; it must not look like an end
            boolean isOpen = client.isAnswered() && !over;
            if (isOpen) conversation.fail(new ApiError(500, "an error of the proxy"), requestId);
            if (isOpen) complete();
            throw e;
        } finally {
            over = true;
            debug("<", told);
        }
    }

    /** {@return the error as the client is told of it: without secrets, and with a word about a key that was not sent} */
    private ApiError told(ApiError error) {
        boolean isAboutKeys = error.status() == 401 || error.status() == 403;
        boolean isHeldBack = isAboutKeys && upstream.credentials().holdsBack(clientKey);
        String why = isHeldBack ? "; the client's key was not sent, for it begins with sk-ant-" : "";
        return error.saying(secrets.mask(error.getMessage()) + why);
    }

    /** Logs what was said, without secrets. */
    private void debug(String arrow, ByteArrayOutputStream what) {
        if (what.size() == 0) return;
        String text = secrets.mask(what.toString(StandardCharsets.UTF_8));
        LOG.info("%s %s %s".formatted(requestId, arrow, text));
        what.reset();
    }

    /** Tries each of the backends in turn, then again after a while, where what is wrong may pass. */
    private void tries() {
        Failed toTell = null;
        for (int tries = 1; ; tries++) {
            try {
                repairs();
                return;
            } catch (ApiError e) {
                toTell = better(toTell, new Failed(e, upstream));
                if (wasSent && e.origin() != ApiError.Origin.PROXY) upstream.fails(e, told(e).getMessage());
                if (!mayBeTriedAgain(e, tries)) throw last(e, toTell);
                boolean isNew = tries < upstreams.size(); // the next backend
                if (!isNew) await(Math.max(FIRST_WAIT << tries, e.retrySeconds() * SECOND));
                if (isShown()) throw last(e, toTell); // a ping, meanwhile
                goOn(e, upstreams.get(tries % upstreams.size()));
            }
        }
    }

    /**
     * {@return the error that tells more} Of several backends an answer beats a broken connection, and that beats none.
     * Else it is the later one.
     */
    private Failed better(Failed known, Failed now) {
        boolean isOnly = known == null || upstreams.size() == 1;
        return isOnly || worth(now.error) >= worth(known.error) ? now : known;
    }

    private static int worth(ApiError error) {
        return switch (error.origin()) {
            case CONNECTION -> 0;
            case OTHER, PROXY -> 1;
            case ANSWER -> 2;
        };
    }

    /** {@return the error that ends the exchange} What the client has seen the beginning of ends as it did. */
    private ApiError last(ApiError now, Failed toTell) {
        if (client.isAnswered() || over) return now;
        upstream = toTell.upstream;
        return toTell.error;
    }

    private boolean mayBeTriedAgain(ApiError e, int tries) {
        boolean mayPass = e.isPassing() || e.status() == 429 && e.retrySeconds() >= 0;
        boolean isSoon = mayPass && e.retrySeconds() <= MAX_WAIT_SECONDS && tries < MAX_TRIES;
        boolean isNew = tries < upstreams.size();
        return Upstream.isFailure(e) && !isShown() && (isNew || isSoon);
    }

    private void goOn(ApiError e, Upstream next) {
        String line = "%s %d, %s; tries %s".formatted(requestId, e.status(), told(e).getMessage(), next.host());
        LOG.info(() -> Text.cut(line, MAX_LINE));
        retries++;
        upstream = next;
        translate(upstream.dialect(conversation.model()));
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
                    upstream.learns(conversation.model(), conversation.dialect()); // it is not refused for the same again
                    refusal = words;
                    refused = openai.toString();
                    lessons = conversation.dialect().lessons(e.refusal()).iterator();
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
    private boolean isShown() { return client.isAnswered() || over || expired; }

    private void exchange() {
        wasSent = false;
        finished = 0;
        answer = 0;
        ended = false;
        taken = 0;
        unread = 0;
        upstream.acquire(conversation.isStream());
        CompletableFuture<?> sent = null;
        try {
            number = upstream.begins();
            sent = upstream.send(conversation.dialect().api(), openai, clientKey, arrived);
            wasSent = true;
            Object first = await(patience());
            if (first == null) throw silence();
            if (first instanceof Throwable e) throw upstream.failure(e);
            var head = (HttpResponse.ResponseInfo) first;
            answer = head.statusCode();
            upstream.answers(number, head.statusCode());
            passHeaders(head.headers());
            String server = head.headers().firstValue("server").orElse("");
            upstream.learns(conversation.model(), upstream.dialect(conversation.model()).servedBy(server));
            take(head);
        } catch (ApiError e) {
            if (e.isAtLimit() && !over) {
                conversation.endAtLimit();
                serves();
                return;
            }
            if (sent != null && e.status() != 499) upstream.errs(answer < 400 ? e.status() : answer);
            throw e;
        } finally {
            if (sent != null && !ended) arrived.stop(sent); else arrived.close();
            arrived = new Arrivals(clock);
            upstream.release(conversation.isStream());
            debug("<<", said);
        }
    }

    /** {@return how long to wait for the backend: while it may be silent, and as long as the client waits} */
    private long patience() {
        long patience = options.timeout().toNanos();
        return clientSeconds.isEmpty() ? patience : Math.min(patience, clientNanosLeft());
    }

    private long clientNanosLeft() {
        long seconds = clientSeconds.getAsLong() + 1; // clients leave out fractions
        return begun + TimeUnit.SECONDS.toNanos(seconds) - clock.nanos();
    }

    private ApiError silence() {
        expired = true;
        if (clientSeconds.isPresent() && clientNanosLeft() <= 0) {
            String words = "no whole reply in the %d seconds that the client waits (x-stainless-timeout)";
            return conversation.broken(504, words.formatted(clientSeconds.getAsLong()));
        }
        return conversation.broken(504, "nothing came for %d seconds".formatted(options.timeout().toSeconds()));
    }

    private void passHeaders(HttpHeaders headers) {
        HEADERS.forEach((theirs, ours) -> {
            client.http().getResponseHeaders().remove(ours); // of another try
            headers.firstValue(theirs).map(value -> theirs.contains("-reset-") ? reset(value) : value)
                    .map(secrets::mask).filter(value -> value.matches(ours.startsWith("x-") ? "[ -~]{1,100}" : "[\\dT:Z-]+"))
                    .ifPresent(value -> client.http().getResponseHeaders().set(ours, value));
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

    /** Takes the body of the reply, or throws the error that it is. */
    private void take(HttpResponse.ResponseInfo head) {
        String encoding = head.headers().firstValue("content-encoding").orElse("");
        var reply = new ReplyBody(this::more, encoding);
        boolean isGood = head.statusCode() / 100 == 2;
        if (!isGood) throw refusal(head, errorBody(reply));
        switch (reply.kind()) {
            case EVENTS -> events(new Sse(() -> counted(reply.get())));
            case JSON -> json(new Sse(new JsonLines(() -> counted(reply.get()))));
            case PAGE, TEXT -> throw refusal(head, errorBody(reply));
            case EMPTY -> throw conversation.broken(502, "the reply is empty").asPassing();
            case BINARY -> {
                String said = encoding.isEmpty() ? "" : ", but " + Text.cut(encoding);
                throw conversation.broken(502, "the reply is neither text nor gzip" + said);
            }
        }
    }

    /** {@return what a backend says in an error, without the frame of an event} */
    private static byte[] errorBody(ReplyBody reply) {
        return switch (reply.kind()) {
            case EVENTS -> next(new Sse(reply)).map(SseEvent::data).orElse(Arrivals.END);
            case JSON, PAGE, TEXT -> reply.rest(MAX_ERROR_BYTES);
            case EMPTY, BINARY -> Arrivals.END;
        };
    }

    /** {@return the next bytes of a good reply, which must not become too long where it is kept whole} */
    private byte[] counted(byte[] piece) {
        taken += piece.length;
        unread += piece.length;
        if (options.debug() && said.size() < MAX_DEBUG_BYTES) said.writeBytes(piece);
        boolean isTooLong = taken > MAX_REPLY_BYTES && !conversation.isStream();
        if (isTooLong) throw conversation.broken(502, "the reply is too long");
        hold();
        return piece;
    }

    private ApiError refusal(HttpResponse.ResponseInfo head, byte[] body) {
        if (options.debug()) said.writeBytes(body);
        boolean isRedirect = head.statusCode() / 100 == 3;
        Optional<String> location = head.headers().firstValue("location").filter(any -> isRedirect);
        if (location.isPresent()) {
            return conversation.broken(502, ConnectionHelp.redirect(location.get())).from(ApiError.Origin.ANSWER);
        }
        String wait = head.headers().firstValue("retry-after").filter(after -> after.matches("\\d{1,9}(\\.\\d*)?"))
                .orElse("-1");
        int status = head.statusCode() / 100 == 2 ? 200 : head.statusCode();
        ApiError error = conversation.error(status, body);
        return error.retryAfter((long) Math.ceil(Double.parseDouble(wait)));
    }

    /** Takes a whole reply, or chunks without the frame of events, one JSON object each. */
    private void json(Sse objects) {
        Optional<SseEvent> object = nextOfReply(objects);
        if (object.isEmpty()) throw conversation.broken(502, "the reply holds no object").asPassing();
        Json first;
        try {
            first = JsonParser.parse(object.get().data());
        } catch (Json.Malformed e) {
            throw conversation.broken(502, "the reply is " + e.getMessage());
        }
        if (conversation.whole(first)) end(objects); else events(objects);
    }

    /** The backend has taken the request as it was, and answered it. */
    private void serves() {
        upstream.works(number);
        upstream.learns(conversation.model(), conversation.dialect());
        upstream.models().retryForWindows(clientKey);
    }

    private void events(Sse events) {
        boolean isOver = false;
        while (!isOver) {
            Optional<SseEvent> event = nextOfReply(events);
            isOver = event.isEmpty() || conversation.event(event.get());
        }
        end(events);
    }

    /** Ends the reply; reads what follows, so that the connection can serve again. */
    private void end(Sse events) {
        conversation.finish();
        serves();
        complete();
        for (int i = 0; i < MAX_TRAILING_EVENTS && !conversation.isStopped() && nextOfReply(events).isPresent(); i++) { }
    }

    /** {@return the next event, if there is one; what has finished may break off} */
    private Optional<SseEvent> nextOfReply(Sse events) {
        try {
            Optional<SseEvent> event = next(events);
            unread = 0;
            return event;
        } catch (ApiError e) {
            if (e.status() != 499 && (over || conversation.isFinished())) return Optional.empty();
            throw e;
        }
    }

    private static Optional<SseEvent> next(Sse events) {
        try {
            return events.next();
        } catch (Endless e) {
            throw new ApiError(502, e.getMessage());
        }
    }

    /** {@return the next bytes of the reply, none at its end} What is ready is sent before, if there is time to. */
    private byte[] more() {
        if (ended) return Arrivals.END;
        int unsent = conversation.ready().size();
        boolean isLong = isShown() && anthropic != null && clock.nanos() - begun > SECOND;
        if (isLong) forget();
        boolean isDue = unsent > MAX_UNSENT_BYTES || unsent > 0 && arrived.isEmpty(); // nothing more has arrived
        if (isDue && conversation.isStream() && !over) send(false);
        if (finished == 0 && (over || conversation.isFinished())) finished = clock.nanos();
        long patience = finished == 0 ? patience() : finished + LINGER - clock.nanos();
        Object next = await(patience);
        if (next == null && finished == 0) throw silence();
        if (next instanceof Throwable) throw conversation.broken(502, "the connection broke in mid-reply").asPassing();
        ended |= next == Arrivals.END;
        return next == null ? Arrivals.END : (byte[]) next;
    }

    private void forget() {
        conversation.forget();
        anthropic = null;
        requestBytes = REQUEST_BYTES;
        hold();
    }

    /** Takes of the budget what the request and its reply take now. */
    private void hold() {
        long kept = conversation.isStream() ? unread : taken;
        long replyBytes = REPLY_FACTOR * kept + conversation.ready().size();
        try {
            share.hold(requestBytes + Math.max(REPLY_BYTES, replyBytes));
        } catch (ApiError e) {
            throw conversation.broken(502, "the reply is too long for the memory that is left");
        }
    }

    /** Waits for the upstream, so long at most; meanwhile the client gets pings. {@return what came; null: nothing} */
    private Object await(long patience) {
        long until = clock.nanos() + patience;
        while (true) {
            boolean isPinged = conversation.isStream() && !over;
            long now = clock.nanos();
            if (isPinged && now >= nextPing) ping();
            try {
                Object next = arrived.poll((isPinged ? Math.min(until, nextPing) : until) - now);
                if (next != null || now >= until) return next;
            } catch (InterruptedException e) {
                expired = true;
                throw ended();
            }
        }
    }

    private ApiError ended() {
        if (client.isCut(ClientThread.Cut.HAS_LEFT)) return left();
        return new ApiError(529, "the proxy is being stopped").from(ApiError.Origin.PROXY);
    }

    private ApiError left() {
        over = true;
        client.closeAfter();
        return new ApiError(499, "the client has left").from(ApiError.Origin.PROXY);
    }

    private void ping() {
        long before = shown;
        conversation.ping();
        send(false);
        shown = before;
        if (++pings % 2 == 1) nextPing -= PATIENCE - SECOND; // the second of a pair finds out who has left
    }

    private void complete() {
        send(true);
        over = true;
        logLateWarnings();
        if (failure.isEmpty()) status = 200;
    }

    private void send(boolean isLast) {
        JsonWriter ready = conversation.ready();
        try {
            if (!client.isAnswered()) begin(ready.size());
            if (shown == 0) shown = clock.nanos();
            if (options.debug() && told.size() < MAX_DEBUG_BYTES) told.write(ready.buffer(), 0, ready.size());
            client.send(ready, isLast);
        } catch (IOException e) {
            throw left();
        }
        ready.clear();
        nextPing = clock.nanos() + PATIENCE;
    }

    /** Logs the warnings that came too late for the header. */
    private void logLateWarnings() {
        Set<String> late = new LinkedHashSet<>(conversation.warnings());
        late.removeAll(announced);
        if (!late.isEmpty()) LOG.info(() -> "%s warnings: %s".formatted(requestId, String.join(",", late)));
    }

    private void begin(int size) throws IOException {
        announced.addAll(conversation.warnings());
        String warnings = String.join(",", announced);
        if (!warnings.isEmpty()) client.http().getResponseHeaders().set("x-proxy-warnings", warnings);
        client.begin(200, conversation.isStream() ? 0 : size);
    }

    /** Ends the exchange, from another thread; a client that listens gets an error. */
    void stop() { client.cut(ClientThread.Cut.STOPS); }

    /** {@return what has become of the exchange, now that it has ended} */
    Outcome outcome() {
        OptionalLong first = shown == 0 ? OptionalLong.empty() : OptionalLong.of(shown - begun);
        return new Outcome(System.currentTimeMillis(), requestId, status, shown(conversation.asked()),
                shown(conversation.model()), upstream.host(), first,
                clock.nanos() - begun, retries, conversation.used(),
                failure.isEmpty() ? shown(conversation.finishReason()) : failure, Text.cut(message, MAX_LINE));
    }

    private String shown(String text) { return Text.cut(secrets.mask(text)); }
}
