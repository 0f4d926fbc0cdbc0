package serve;

import anthropic.ApiError;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import translate.Conversation;
import upstream.Arrival;
import upstream.Arrivals;
import upstream.Clock;
import upstream.ReplyBody;

/**
 * The head, then the bytes of a backend's reply. Whoever reads a reply pulls bytes from here when it needs
 * more for an event; so this is where an exchange waits. Before each wait, the client is sent what is ready.
 */
final class ReplySource implements Supplier<byte[]>, AutoCloseable {
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(5); // for usage and the end
    private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(1); // after which the request is released
    private static final int MAX_UNSENT_BYTES = 64 * 1024; // that wait for more to arrive
    private static final int MAX_WHOLE_BYTES = 64 * 1024 * 1024; // of a reply that is kept until its end

    private final Arrivals arrivals;
    private final Conversation conversation;
    private final ClientRequest request;
    private final ClientStream stream;
    private final Patience patience;
    private final Transcript transcript;
    private final Clock clock;
    private boolean hasBodyEnded;
    private OptionalLong finishedAt = OptionalLong.empty(); // since when only usage and the end are to come
    private long replyBytes; // so far, without compression
    private long eventBytes; // of these, those that are not yet a whole event

    ReplySource(Arrivals arrivals, Conversation conversation, ClientRequest request, ClientStream stream,
                Patience patience, Transcript transcript, Clock clock) {
        this.arrivals = arrivals;
        this.conversation = conversation;
        this.request = request;
        this.stream = stream;
        this.patience = patience;
        this.transcript = transcript;
        this.clock = clock;
    }

    /** {@return what arrives first: the head, or what has kept it from coming} */
    Arrival first() { return await(patience.nanos()).orElseThrow(this::silence); }

    /** {@return the next bytes; none at the end, or if the end does not come once all else has} */
    @Override
    public byte[] get() {
        if (hasBodyEnded) return ReplyBody.END;
        releaseRequest();
        flush();
        boolean isLingering = isFinished();
        Optional<Arrival> next = await(isLingering ? lingerNanos() : patience.nanos());
        if (next.isEmpty() && isLingering) return ReplyBody.END;
        return switch (next.orElseThrow(this::silence)) {
            case Arrival.Piece(byte[] bytes) -> bytes;
            case Arrival.End end -> {
                hasBodyEnded = true;
                yield ReplyBody.END;
            }
            case Arrival.Broken broken ->
                    throw conversation.broken(502, "the connection broke in mid-reply").asPassing();
            case Arrival.Head head -> throw new IllegalStateException("a second head");
        };
    }

    /** Frees the request once it cannot be sent again, if the reply takes long. */
    private void releaseRequest() {
        boolean isNeeded = stream.allowsRepair() || conversation.maySearch();
        if (request.isReleased() || isNeeded) return;
        if (patience.elapsedNanos() <= LONG_NANOS) return;
        conversation.forget();
        request.release();
        hold();
    }

    /** Sends the client what is ready, unless more has arrived that can go with it. */
    private void flush() {
        int unsent = conversation.ready().size();
        boolean isDue = unsent > MAX_UNSENT_BYTES || unsent > 0 && arrivals.isEmpty();
        if (isDue) stream.flush(conversation);
    }

    /**
     * {@return whether all has come that the client needs} From then on the end is waited for only for a
     * while.
     */
    private boolean isFinished() {
        boolean isOnlyTheEndToCome = stream.isOver() || conversation.isFinished();
        if (finishedAt.isEmpty() && isOnlyTheEndToCome) finishedAt = OptionalLong.of(clock.nanos());
        return finishedAt.isPresent();
    }

    private long lingerNanos() { return finishedAt.getAsLong() + LINGER_NANOS - clock.nanos(); }

    private Optional<Arrival> await(long nanos) { return stream.await(arrivals::poll, nanos, conversation); }

    /** The backend was silent for too long. {@return the error to throw} */
    private ApiError silence() {
        stream.expire();
        return conversation.broken(504, patience.message());
    }

    /**
     * Counts bytes of a good reply, which must not become too long where it is kept whole. {@return the same
     * bytes}
     */
    byte[] counted(byte[] piece) {
        transcript.addFromBackend(piece);
        replyBytes += piece.length;
        eventBytes += piece.length;
        boolean isTooLong = replyBytes > MAX_WHOLE_BYTES && isKept();
        if (isTooLong) throw conversation.broken(502, "the reply is too long");
        hold();
        return piece;
    }

    /** {@return whether all of the reply is kept until its end} */
    private boolean isKept() { return !stream.wantsEvents() || conversation.maySearch(); }

    /** The bytes counted so far have become a whole event. */
    void endEvent() { eventBytes = 0; }

    /** Takes of the memory budget what is kept of the reply now. */
    private void hold() {
        long kept = isKept() ? replyBytes : eventBytes;
        try {
            request.holdReply(kept, conversation.ready().size());
        } catch (ApiError e) {
            throw conversation.broken(502, "the reply is too long for the memory that is left");
        }
    }

    /** Ends the reply; if it has not been read to its end, the connection is closed. */
    @Override
    public void close() { arrivals.close(); }
}
