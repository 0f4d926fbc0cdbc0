package serve;

import anthropic.ApiError;
import config.Options;
import config.Secrets;
import java.io.IOException;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import json.Json;
import json.Text;
import translate.Continuation;
import translate.Conversation;
import translate.Dialect;
import upstream.ClientHeaders;
import upstream.Clock;
import upstream.Peer;
import upstream.Upstream;

/**
 * One request for a message, and its reply. It makes {@link Attempt}s: at one backend after the other, at the
 * same one again where that may help, and again with another request where the backend has refused this one.
 * It retries only as long as nothing has been sent to the client. Used by one thread, except for {@link
 * #stop}.
 */
final class Exchange {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long FIRST_WAIT_NANOS = SECOND / 20; // before another try; doubled each time
    private static final int MAX_WAIT_SECONDS = 5; // that a backend may ask for, else the client decides
    private static final int MAX_TRIES = 3; // once each backend has been tried
    private static final int MAX_REPAIRS = 16; // of a request that a backend refuses
    private static final int REPAIRS_OF_TOOL = 2; // more, for each tool that it refuses by name
    private static final int MAX_REFUSED_TOOLS = 20;
    private static final int MAX_LINE = 300; // characters of an error in the log
    /**
     * What differs from one refusal to the next: ids and times, such as {@code req_7f3a} or {@code
     * 1732891234}.
     */
    private static final Pattern WORD_WITH_DIGIT = Pattern.compile("[\\w-]*\\d[\\w-]*");
    private static final Logger LOG = Logger.getLogger("a2o");

    /** Why a try has failed, and at which backend. */
    private record Failure(ApiError error, Upstream upstream) {
        /** {@return how much it tells the client: most if it is an answer, least if there was no connection} */
        private int rank() {
            if (error.isMissingThere()) return 0; // others may have the model, and fail by what passes
            return switch (error.origin()) {
                case CONNECTION -> 1;
                case OTHER, PROXY -> 2;
                case ANSWER -> 3;
            };
        }
    }

    /**
     * A backend's refusal of the request {@code body}, and the dialects to try because of it that were not
     * tried yet, the likeliest first.
     */
    private record Refusal(String words, Optional<String> tool, String body, Iterator<Dialect> untried) {
        /** {@return whether another refusal says the same} */
        private boolean says(String otherWords, Optional<String> otherTool) {
            return words.equals(otherWords) && tool.equals(otherTool);
        }
    }

    private final Client client;
    private final String requestId;
    private final ClientRequest request;
    private final Candidates candidates;
    private final ClientStream stream;
    private final Patience patience;
    private final SearchRounds searches;
    private final Transcript transcript;
    private final Secrets secrets;
    private final Clock clock;
    private final long begun;
    private final boolean isBackendNeeded;
    private Upstream upstream; // that is tried; in the end, the one that the outcome is about
    private Attempt attempt; // the newest
    private volatile Running.What what; // the newest attempt tries, for other threads
    private int retries;
    private long queuedNanos; // in all tries
    private Optional<ApiError> failure = Optional.empty(); // that the client was told of

    /** @throws ApiError if {@code anthropic} is not a request that can be translated */
    Exchange(Client client, String requestId, Json anthropic, List<Upstream> upstreams, Options options,
             ClientHeaders headers, Budget.Share share, Clock clock) {
        this.clock = clock;
        this.begun = clock.nanos();
        this.client = client;
        this.requestId = requestId;
        this.secrets = options.secrets().withKey(headers.key());
        this.transcript = new Transcript(options.debug(), requestId, client.url(), secrets);
        transcript.logFromClient(anthropic);
        this.request = new ClientRequest(anthropic, headers, options, share);
        this.candidates = new Candidates(request, upstreams);
        ClientRequest.Translated first = candidates.translateForFirst();
        this.upstream = candidates.first();
        boolean isStream = first.conversation().isStream();
        OptionalLong clientSeconds = isStream ? OptionalLong.empty() : client.timeoutSeconds();
        this.patience = new Patience(clock, options.timeout(), begun, clientSeconds);
        this.stream = new ClientStream(client, requestId, isStream, transcript, clock, begun);
        this.searches = new SearchRounds(requestId, stream, patience, secrets, clock);
        this.attempt = attempt(first);
        this.isBackendNeeded = !first.conversation().isAnsweredHere();
    }

    private Attempt attempt(ClientRequest.Translated translated) {
        Conversation conversation = translated.conversation();
        what = new Running.What(conversation.asked(), conversation.model(), upstream.label());
        return new Attempt(upstream, request, translated, stream, patience, transcript, secrets, clock);
    }

    /** Runs to the end, which is an error that the client is told of, if it is not a reply. */
    void run() throws IOException {
        try {
            if (isBackendNeeded) askBackends(); else answerHere();
        } catch (ApiError e) {
            ApiError error = client.isCut(ClientThread.Cut.HAS_LEFT) ? stream.leave() : forClient(e);
            failure = Optional.of(error);
            stream.fail(error, conversation());
        } catch (RuntimeException | Error e) { // a bug; if nothing was sent yet, Proxy answers the client
            var error = new ApiError(500, "an error of the proxy");
            failure = Optional.of(error);
            if (stream.isOpen()) stream.fail(error, conversation()); // or it would look like a whole reply
            throw e;
        } finally {
            transcript.logToClient(client.status());
        }
    }

    private Conversation conversation() { return attempt.conversation(); }

    /** Answers what no backend need be asked for. */
    private void answerHere() {
        conversation().answer();
        stream.complete(conversation());
    }

    /** {@return the error without secrets, and with the reason if it is that no key was sent} */
    private ApiError forClient(ApiError error) {
        boolean isAboutKeys = error.status() == 401 || error.status() == 403;
        boolean isHeldBack = isAboutKeys && upstream.credentials().holdsBack(request.headers().key());
        String why = isHeldBack ? "; the client's key was not sent, for it begins with sk-ant-" : "";
        return error.saying(secrets.mask(error.getMessage()) + why);
    }

    /** Asks for the reply; where it waits for searches, makes these and asks for the next part. */
    private void askBackends() {
        tryBackends();
        while (conversation().isPaused()) {
            Optional<Continuation> next = conversation().answered(searches.run(conversation(), upstream));
            if (next.isEmpty()) {
                stream.complete(conversation());
                return;
            }
            stream.goOn(conversation());
            request.goOn(next.get());
            attempt = attempt(request.translate(upstream));
            tryBackends();
        }
    }

    /** Tries each of the backends in turn; then again, after a wait, where the trouble may pass. */
    private void tryBackends() {
        Optional<Failure> earlier = Optional.empty(); // the one that tells the client most
        for (int tries = 1; ; tries++) {
            try {
                tryWithRepairs();
                return;
            } catch (ApiError e) {
                noteFailure(e);
                var newest = new Failure(e, upstream);
                Failure toTell = earlier.filter(other -> tellsMore(other, newest)).orElse(newest);
                if (!mayBeTriedAgain(e, tries)) throw ending(newest, toTell);
                if (!candidates.isAnyLeft(tries)) waitBeforeRetry(e, tries);
                if (!stream.allowsRetry()) throw ending(newest, toTell); // a ping was sent meanwhile
                earlier = Optional.of(toTell);
                if (e.isMissingThere()) candidates.noteLacking(upstream);
                retry(newest, candidates.next(tries));
            }
        }
    }

    /** The backend's health does not suffer from errors of the proxy itself. */
    private void noteFailure(ApiError error) {
        boolean isBackends = attempt.wasSent() && error.origin() != ApiError.Origin.PROXY;
        if (isBackends) upstream.noteFailure(error, forClient(error).getMessage());
    }

    /**
     * {@return whether the client learns more from an earlier error than from the newest} One backend's
     * newest counts.
     */
    private boolean tellsMore(Failure earlier, Failure newest) {
        return candidates.areSeveral() && earlier.rank() > newest.rank();
    }

    /** {@return whether another backend is left, or the same one may do better soon} */
    private boolean mayBeTriedAgain(ApiError error, int tries) {
        if (!stream.allowsRetry()) return false;
        candidates.leaveOutUnable(tries);
        if (candidates.mayNextDo(error, tries)) return true;
        return Upstream.isWorthRetry(error) && tries < MAX_TRIES && mayPassSoon(error);
    }

    /** {@return whether the same backend may take the request in a few seconds} */
    private static boolean mayPassSoon(ApiError error) {
        boolean isRateLimit = error.status() == 429 && error.retrySeconds() >= 0; // which ends by then
        return (error.isPassing() || isRateLimit) && error.retrySeconds() <= MAX_WAIT_SECONDS;
    }

    /** Waits as long as the backend asks for, or a moment; meanwhile a client that streams gets its pings. */
    private void waitBeforeRetry(ApiError error, int tries) {
        long nanos = Math.max(FIRST_WAIT_NANOS << tries, error.retrySeconds() * SECOND);
        stream.pause(nanos, conversation());
    }

    /**
     * {@return the error that ends the exchange} A reply that the client has the beginning of ends as it did.
     */
    private ApiError ending(Failure newest, Failure toTell) {
        if (!stream.isHeld()) return newest.error;
        upstream = toTell.upstream;
        return toTell.error;
    }

    /** Makes the next attempt, at that backend. */
    private void retry(Failure newest, Upstream next) {
        ClientRequest.Translated translated = request.translate(next);
        String message = forClient(newest.error).getMessage();
        String line = "%s %d, %s; tries %s".formatted(requestId, newest.error.status(), message, next.label());
        new LogFields.Note(requestId, Text.cut(line, MAX_LINE)).log(LOG);
        retries++;
        upstream = next;
        attempt = attempt(translated);
    }

    /** Tries one backend, which may refuse something in the request and take it otherwise. */
    private void tryWithRepairs() {
        Optional<Refusal> refusal = Optional.empty();
        Set<String> refusedTools = new HashSet<>();
        for (int repairs = 0; ; repairs++) {
            try {
                if (conversation().isAnsweredHere()) answerRefused(); else runAttempt();
                return;
            } catch (ApiError e) {
                if (e.refusal().isEmpty()) throw e;
                String words = withoutIds(e.refusal());
                Optional<String> tool = conversation().refusedTool(e.refusal());
                tool.ifPresent(refusedTools::add);
                boolean isRepeated = refusal.isPresent() && refusal.get().says(words, tool);
                if (!isRepeated) refusal = Optional.of(refusal(words, tool, e));
                int most = MAX_REPAIRS + REPAIRS_OF_TOOL * Math.min(refusedTools.size(), MAX_REFUSED_TOOLS);
                boolean mayBeRepaired = stream.allowsRepair() && repairs < most;
                if (!mayBeRepaired || !repair(refusal.get())) throw e;
            }
        }
    }

    private void runAttempt() {
        try {
            attempt.run();
        } finally {
            queuedNanos += attempt.queuedNanos();
        }
    }

    /** {@return the words by which one tells whether a refusal is the same as before} */
    private static String withoutIds(String refusal) {
        boolean areNumbersNews = Dialect.isRoom(refusal);
        return areNumbersNews ? refusal : WORD_WITH_DIGIT.matcher(refusal).replaceAll("");
    }

    /** The backend has refused all that the request is for: a search in the web, which nobody else can make. */
    private void answerRefused() {
        upstream.learn(conversation().model(), conversation().dialect());
        answerHere();
    }

    /** {@return a new refusal} It is about the request as the lessons before have made it. */
    private Refusal refusal(String words, Optional<String> tool, ApiError error) {
        Iterator<Dialect> untried = conversation().afterRefusal(error.refusal()).iterator();
        return new Refusal(words, tool, attempt.body(), untried);
    }

    /**
     * Makes the next attempt by what the refusal may mean. {@return whether one is left that sends something
     * else}
     */
    private boolean repair(Refusal refusal) {
        while (refusal.untried.hasNext()) {
            ClientRequest.Translated repaired = request.translate(upstream, refusal.untried.next());
            String body = repaired.body().toString();
            boolean isOther = !body.equals(refusal.body) && !body.equals(attempt.body());
            if (isOther) {
                if (stream.isOpen()) repaired.conversation().resume();
                attempt = attempt(repaired);
                return true;
            }
        }
        return false;
    }

    /** Ends the exchange, from another thread; a client that listens gets an error. */
    void stop() { client.cut(ClientThread.Cut.STOPS); }

    /** {@return what is seen of the exchange with that client now} Other threads ask. */
    Running running(Optional<String> clientName) {
        Running.What now = what;
        var shown = new Running.What(shown(now.asked()), shown(now.model()), now.host());
        return new Running(requestId, clientName, shown, clock.nanos() - begun, firstNanos(), stream.tokensSent());
    }

    /** {@return the time from the beginning until the first of the reply was sent, if any was} */
    private OptionalLong firstNanos() {
        OptionalLong first = stream.firstSent();
        return first.isPresent() ? OptionalLong.of(first.getAsLong() - begun) : first;
    }

    /** {@return what has become of the exchange with that client, once it has ended} */
    Outcome outcome(Optional<String> clientName) {
        String model = isBackendNeeded ? shown(conversation().model()) : "";
        Optional<Peer> at = Optional.of(upstream.peer()).filter(peer -> isBackendNeeded);
        String end = failure.map(ApiError::type).orElseGet(() -> shown(conversation().finishReason()));
        String message = failure.map(ApiError::getMessage).orElse("");
        var times = new Outcome.Times(firstNanos(), clock.nanos() - begun, queuedNanos);
        var made = new Outcome.Searches(searches.asked(), searches.failed());
        return new Outcome(System.currentTimeMillis(), requestId, clientName, traceParent(),
                failure.map(ApiError::status).orElse(200), stream.wantsEvents(), shown(conversation().asked()),
                model, at, times, retries, made, conversation().used(), end, Text.cut(message, MAX_LINE));
    }

    private Optional<String> traceParent() {
        return Optional.ofNullable(request.headers().through().get(HeadersUp.TRACE_PARENT));
    }

    private String shown(String text) { return Text.cut(secrets.mask(text)); }
}
