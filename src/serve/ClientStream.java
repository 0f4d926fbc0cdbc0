package serve;

import anthropic.ApiError;
import com.sun.net.httpserver.Headers;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;
import json.JsonWriter;
import translate.Conversation;
import upstream.Arrival;
import upstream.Clock;

/**
 * What the client sees of an exchange: nothing, not even the status, until there is something of the reply to
 * send; or until {@link #SILENCE_NANOS} have passed. From then on it gets the reply as it comes, and pings
 * while nothing comes.
 *
 * <p>As long as nothing was sent, an error still gets a status of its own, and another try may be made.
 */
final class ClientStream {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long SILENCE_NANOS = 10 * SECOND; // to the first ping, and between pairs

    private static final Logger LOG = Logger.getLogger("a2o");

    /** {@code HELD}: nothing was sent; {@code OPEN}: more may be sent; the others: nothing more is sent. */
    private enum State { HELD, OPEN, COMPLETE, LEFT }

    /**
     * When the next ping is due. Pings go in pairs, a second apart: after the first one a client that has
     * left closes its connection, and the second one finds it closed.
     */
    private static final class PingTimer {
        private long due;
        private boolean isSecond;

        private PingTimer(long now) { postpone(now); }

        private void postpone(long now) { due = now + SILENCE_NANOS; }

        private void pinged(long now) {
            due = now + (isSecond ? SILENCE_NANOS : SECOND);
            isSecond = !isSecond;
        }
    }

    private final Client client;
    private final String requestId;
    private final Clock clock;
    private final Transcript transcript;
    private final boolean wantsEvents;
    private final PingTimer pings;
    private final Set<String> announced = new LinkedHashSet<>(); // warnings in the header
    private State state = State.HELD;
    private boolean isExpired; // it is too late for another try
    private boolean isContinued; // the reply goes on after searches
    private boolean isPartShown; // whether the client has some of what the newest request has brought
    private volatile OptionalLong firstSent = OptionalLong.empty(); // when the reply began, but for pings
    private volatile long tokensSent; // by an estimate

    /** {@code wantsEvents} says whether the client wants events; else it gets one body. */
    ClientStream(Client client, String requestId, boolean wantsEvents, Transcript transcript, Clock clock,
                 long begun) {
        this.requestId = requestId;
        this.client = client;
        this.clock = clock;
        this.wantsEvents = wantsEvents;
        this.transcript = transcript;
        this.pings = new PingTimer(begun);
    }

    boolean wantsEvents() { return wantsEvents; }

    /** {@return whether nothing has been sent yet, so that an error can have a status of its own} */
    boolean isHeld() { return state == State.HELD; }

    /** {@return whether the client has the beginning of the reply, and not its end} */
    boolean isOpen() { return state == State.OPEN; }

    /** {@return whether nothing more goes to the client} */
    boolean isOver() { return state == State.COMPLETE || state == State.LEFT; }

    /** {@return whether another try may still be made: the client has got nothing and still waits} */
    boolean allowsRetry() {
        boolean isFresh = state == State.HELD || isContinued && !isPartShown;
        return isFresh && !isOver() && !isExpired;
    }

    /** {@return whether another request may still be made of this one: the client has got nothing but pings} */
    boolean allowsRepair() { return !isOver() && !isPartShown && !isExpired; }

    /** The reply goes on by another request, of which the client has got nothing yet. */
    void goOn(Conversation conversation) {
        flush(conversation);
        isContinued = true;
        isPartShown = false;
    }

    /** From now on no other try is made: the client has waited long enough. */
    void expire() { isExpired = true; }

    OptionalLong firstSent() { return firstSent; }

    /** {@return about how many tokens the client has been sent} Other threads ask. */
    long tokensSent() { return tokensSent; }

    /** {@return the headers of the answer; too late once it has begun} */
    Headers headers() { return client.http().getResponseHeaders(); }

    /**
     * {@return what arrives in that time, if anything does} Meanwhile the client gets pings.
     *
     * @throws ApiError if the client leaves, or the proxy stops
     */
    Optional<Arrival> await(Arrival.Wait arrival, long nanos, Conversation conversation) {
        long until = clock.nanos() + nanos;
        while (true) {
            boolean isPinged = wantsEvents && !isOver();
            long now = clock.nanos();
            if (isPinged && now >= pings.due) ping(conversation);
            long end = isPinged ? Math.min(until, pings.due) : until;
            try {
                Optional<Arrival> next = arrival.run(end - now);
                if (next.isPresent() || now >= until) return next;
            } catch (InterruptedException e) { // by Client.cut, which says why
                isExpired = true;
                if (client.isCut(ClientThread.Cut.HAS_LEFT)) throw leave();
                throw new ApiError(529, "the proxy is being stopped").from(ApiError.Origin.PROXY);
            }
        }
    }

    /** Waits that long. Meanwhile the client gets pings. */
    void pause(long nanos, Conversation conversation) {
        await(step -> {
            clock.sleep(step);
            return Optional.empty();
        }, nanos, conversation);
    }

    private void ping(Conversation conversation) {
        conversation.ping();
        send(conversation, false);
        pings.pinged(clock.nanos());
    }

    /** Sends the events that are ready. A reply that is no stream is held until it is complete. */
    void flush(Conversation conversation) {
        if (wantsEvents && !isOver()) sendReply(conversation, false);
    }

    /** Sends the rest of the reply, which ends it. */
    void complete(Conversation conversation) {
        sendReply(conversation, true);
        state = State.COMPLETE;
        logLateWarnings(conversation);
    }

    /** Ends a reply that has failed: by a status if nothing was sent, else by an event. */
    void fail(ApiError error, Conversation conversation) throws IOException {
        switch (state) {
            case HELD -> {
                transcript.addToClient(error.body(requestId));
                client.answer(error, requestId);
            }
            case OPEN -> {
                conversation.fail(error, requestId);
                complete(conversation);
            }
            case COMPLETE, LEFT -> { } // nobody listens
        }
    }

    private void sendReply(Conversation conversation, boolean isLast) {
        if (firstSent.isEmpty()) firstSent = OptionalLong.of(clock.nanos());
        isPartShown = true;
        tokensSent = conversation.tokensSoFar();
        send(conversation, isLast);
    }

    private void send(Conversation conversation, boolean isLast) {
        JsonWriter ready = conversation.ready();
        try {
            if (state == State.HELD) begin(conversation);
            transcript.addToClient(ready);
            client.send(ready, isLast);
        } catch (IOException e) {
            throw leave();
        }
        ready.clear();
        pings.postpone(clock.nanos());
    }

    private void begin(Conversation conversation) throws IOException {
        announced.addAll(conversation.warnings());
        if (!announced.isEmpty()) headers().set("x-proxy-warnings", String.join(",", announced));
        client.begin(200, wantsEvents ? 0 : conversation.ready().size());
        state = State.OPEN;
    }

    /** Logs the warnings that came too late for the header. */
    private void logLateWarnings(Conversation conversation) {
        if (announced.containsAll(conversation.warnings())) return;
        Set<String> late = new LinkedHashSet<>(conversation.warnings());
        late.removeAll(announced);
        String line = "%s warnings: %s".formatted(requestId, String.join(",", late));
        new LogFields.Note(requestId, line).log(LOG);
    }

    /** Ends the exchange, as the client has left. {@return the error to throw} */
    ApiError leave() {
        state = State.LEFT;
        client.closeAfter();
        String how = client.isCut(ClientThread.Cut.TOO_SLOW) ? "the client was too slow" : "the client has left";
        return new ApiError(499, how).from(ApiError.Origin.PROXY);
    }
}
