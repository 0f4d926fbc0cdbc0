package serve;

import anthropic.ApiError;
import config.Secrets;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;
import json.Endless;
import json.Events;
import json.Json;
import json.JsonLines;
import json.JsonParser;
import json.Sse;
import json.SseEvent;
import json.SseFrames;
import json.Text;
import json.WholeBody;
import translate.Conversation;
import upstream.Arrival;
import upstream.Arrivals;
import upstream.Clock;
import upstream.ConnectionHelp;
import upstream.ReplyBody;
import upstream.Upstream;

/**
 * One try of an exchange at one backend. It sends the request and takes the reply to its end, or throws the
 * error that came instead. It knows no other tries.
 */
final class Attempt {
    private static final int MAX_ERROR_BYTES = 64 * 1024;
    private static final int MAX_RETRY_BYTES = 8 * 1024; // of an error, that may say when to come again
    private static final int MAX_TRAILING_EVENTS = 100; // after [DONE]; read to reuse the connection

    private final Upstream upstream;
    private final ClientRequest request;
    private final ClientRequest.Translated translated;
    private final Conversation conversation;
    private final ClientStream stream;
    private final Patience patience;
    private final Transcript transcript;
    private final Secrets secrets;
    private final Clock clock;
    private Optional<ReplySource> source = Optional.empty(); // once the request is sent
    private Optional<Arrival.Head> head = Optional.empty(); // once it has come
    private long queuedNanos;
    private long number; // of this try; the backend's health tells by it which tries began before a failure

    Attempt(Upstream upstream, ClientRequest request, ClientRequest.Translated translated,
            ClientStream stream, Patience patience, Transcript transcript, Secrets secrets, Clock clock) {
        this.upstream = upstream;
        this.request = request;
        this.translated = translated;
        this.conversation = translated.conversation();
        this.stream = stream;
        this.patience = patience;
        this.transcript = transcript;
        this.secrets = secrets;
        this.clock = clock;
    }

    Conversation conversation() { return conversation; }

    /** {@return the body of the backend's request} */
    String body() { return translated.body().toString(); }

    private URI url() { return upstream.url(conversation.dialect().api(), request.headers()); }

    /** {@return how long it has waited for its turn} */
    long queuedNanos() { return queuedNanos; }

    /** {@return whether the backend was sent the request: else an error says nothing of it} */
    boolean wasSent() { return source.isPresent(); }

    /**
     * Runs to the end of the reply, which the client has got by then, or to where it waits for searches.
     *
     * @throws ApiError if there was none, or it broke off
     */
    void run() {
        awaitPlace();
        try {
            takeReply(send());
        } catch (ApiError e) {
            boolean isOnlyLimit = e.isAtLimit() && !stream.isOver(); // then the reply is full
            if (!isOnlyLimit) {
                countError(e);
                throw e;
            }
            conversation.endAtLimit();
            noteSuccess();
            completeUnlessPaused();
        } finally {
            source.ifPresent(ReplySource::close);
            upstream.release(stream.wantsEvents());
            head.ifPresent(come -> transcript.logFromBackend(come.status(), url()));
        }
    }

    /** Waits for a place among the requests in flight, and takes the time. */
    private void awaitPlace() {
        long since = clock.nanos();
        try {
            upstream.acquire(stream.wantsEvents());
        } finally {
            queuedNanos = clock.nanos() - since;
        }
    }

    /** Counts the error for the metrics, by the backend's status if it gave one. */
    private void countError(ApiError error) {
        boolean isBackends = wasSent() && error.status() != 499; // the client has left
        if (!isBackends) return;
        boolean hasErrorStatus = head.isPresent() && head.get().status() >= 400;
        upstream.countError(hasErrorStatus ? head.get().status() : error.status());
    }

    /** The backend has taken the request as it was, and answered it. */
    private void noteSuccess() {
        upstream.noteSuccess(number);
        upstream.learn(conversation.model(), conversation.dialect());
        upstream.models().retryForWindows(request.headers().key());
    }

    /** Sends the request. {@return the source of the reply, whose head has come} */
    private ReplySource send() {
        number = upstream.beginTry();
        transcript.logToBackend(url(), translated.body());
        Arrivals arrivals = upstream.send(conversation.dialect().api(), translated.body(), request.headers());
        var reply = new ReplySource(arrivals, conversation, request, stream, patience, transcript, clock);
        source = Optional.of(reply);
        switch (reply.first()) {
            case Arrival.Head first -> head = Optional.of(first);
            case Arrival.Broken(Throwable cause) -> throw upstream.failure(cause);
            case Arrival.Piece piece -> throw new IllegalStateException("a body without a head");
            case Arrival.End end -> throw new IllegalStateException("an end without a head");
        }
        upstream.noteAnswer(number, head.get(), conversation.model());
        BackendHeaders.pass(head.get().headers(), stream.headers(), secrets);
        return reply;
    }

    /** Takes the body of the reply, or throws the error that it is. */
    private void takeReply(ReplySource reply) {
        String encoding = header("content-encoding").orElse("");
        var body = new ReplyBody(reply, encoding);
        boolean isGood = head.orElseThrow().status() / 100 == 2;
        if (!isGood) throw answeredError(errorBody(body));
        switch (body.kind()) {
            case EVENTS -> takeEvents(events(() -> reply.counted(nextBytes(body))));
            case JSON -> takeJson(objects(() -> reply.counted(nextBytes(body))));
            case PAGE, TEXT -> throw answeredError(errorBody(body));
            case EMPTY -> {
                nextBytes(body); // which may say why there are none
                throw conversation.broken(502, "the reply is empty").asPassing();
            }
            case BINARY -> {
                String said = encoding.isEmpty() ? "" : ", but " + Text.cut(encoding);
                throw conversation.broken(502, "the reply is neither text nor gzip" + said);
            }
        }
    }

    /** {@return the next bytes of a good reply, none at the end} */
    private byte[] nextBytes(ReplyBody body) {
        byte[] piece = body.get();
        boolean isTruncated = piece.length == 0 && body.isDamaged();
        if (isTruncated) throw conversation.broken(502, "the compressed reply is truncated or damaged").asPassing();
        return piece;
    }

    private Events events(Supplier<byte[]> body) {
        return conversation.isVerbatim() ? new SseFrames(body) : new Sse(body);
    }

    private Events objects(Supplier<byte[]> body) {
        return conversation.isVerbatim() ? new WholeBody(body) : new Sse(new JsonLines(body));
    }

    private Optional<String> header(String name) { return head.orElseThrow().headers().firstValue(name); }

    /** {@return the error in a body, without the frame of an event} */
    private static byte[] errorBody(ReplyBody body) {
        return switch (body.kind()) {
            case EVENTS -> next(new Sse(body)).map(SseEvent::data).orElse(ReplyBody.END);
            case JSON, PAGE, TEXT -> body.rest(MAX_ERROR_BYTES);
            case EMPTY, BINARY -> ReplyBody.END;
        };
    }

    /** {@return the error for a reply that is none: a proxy's, a redirect, or what its status and body say} */
    private ApiError answeredError(byte[] body) {
        transcript.addFromBackend(body);
        int status = head.orElseThrow().status();
        Optional<String> refusal = upstream.refusalByProxy(status);
        if (refusal.isPresent()) return conversation.broken(502, refusal.get());
        Optional<String> location = header("location");
        boolean isRedirect = status / 100 == 3 && location.isPresent();
        if (isRedirect) {
            String message = ConnectionHelp.redirect(location.get());
            return conversation.broken(502, message).from(ApiError.Origin.ANSWER);
        }
        boolean isGood = status / 100 == 2;
        ApiError error = conversation.error(isGood ? 200 : status, body);
        String beginning = new String(body, 0, Math.min(body.length, MAX_RETRY_BYTES), StandardCharsets.UTF_8);
        RetryTime.in(head.orElseThrow().headers(), error, beginning).ifPresent(error::retryAfter);
        return error;
    }

    /** Takes a whole reply, or the chunks of a stream that came without the frame of events. */
    private void takeJson(Events objects) {
        Optional<SseEvent> object = nextOfReply(objects);
        if (object.isEmpty()) throw conversation.broken(502, "the reply holds no object").asPassing();
        boolean isWhole = conversation.whole(parsed(object.get()));
        if (isWhole) end(objects); else takeEvents(objects);
    }

    private Json parsed(SseEvent object) {
        try {
            return JsonParser.parse(object.data());
        } catch (Json.Malformed e) {
            throw conversation.broken(502, "the reply is " + e.getMessage());
        }
    }

    /** Takes events until no more come, or none are wanted. */
    private void takeEvents(Events events) {
        boolean isEnd = false;
        while (!isEnd) {
            Optional<SseEvent> event = nextOfReply(events);
            isEnd = event.isEmpty() || conversation.event(event.get());
        }
        end(events);
    }

    /**
     * Ends the reply; then reads the rest of what the backend sends, so that the connection can be reused.
     */
    private void end(Events rest) {
        conversation.finish();
        noteSuccess();
        completeUnlessPaused();
        if (conversation.isStopped()) return; // the backend may go on for long
        int events = 0;
        while (events < MAX_TRAILING_EVENTS && nextOfReply(rest).isPresent()) events++;
    }

    /** Sends the end of the reply, unless it goes on after searches. */
    private void completeUnlessPaused() {
        if (conversation.isPaused()) stream.flush(conversation); else stream.complete(conversation);
    }

    /**
     * {@return the next event, if there is one} Once the reply has finished, a broken connection is its end.
     */
    private Optional<SseEvent> nextOfReply(Events events) {
        try {
            Optional<SseEvent> event = next(events);
            source.orElseThrow().endEvent();
            return event;
        } catch (ApiError e) {
            boolean hasFinished = stream.isOver() || conversation.isFinished();
            if (hasFinished && e.status() != 499) return Optional.empty();
            throw e;
        }
    }

    /** {@return the next event, if there is one} An endless one is an error of the backend's. */
    private static Optional<SseEvent> next(Events events) {
        try {
            return events.next();
        } catch (Endless e) {
            throw new ApiError(502, e.getMessage());
        }
    }
}
