package upstream;

import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The reply to one request while it arrives: a queue that the JDK's HTTP client fills and one thread empties.
 * It requests no more than {@link #MAX_BYTES} ahead, so that a backend has to wait for a client that reads
 * slowly.
 *
 * <p>Shared between the threads are the queue, and what is guarded by {@code this}.
 */
public final class Arrivals implements AutoCloseable {
    private static final int MAX_BYTES = 64 * 1024; // queued
    private static final int MAX_PIECE_BYTES = 16 * 1024; // that the JDK's client reads at once
    private static final long INVALID_DEMAND = -1;
    private static final Arrival NOTHING = new Arrival.Piece(new byte[0]); // ends a wait

    /**
     * Receives the body; the chunks that arrive together are queued as one piece. The JDK's own
     * {@code fromSubscriber} would hand the end to another thread.
     */
    record Receiver(Arrivals arrivals, CompletableFuture<Void> whole) implements HttpResponse.BodySubscriber<Void> {
        Receiver(Arrivals arrivals) { this(arrivals, new CompletableFuture<>()); }

        @Override public CompletionStage<Void> getBody() { return whole; }
        @Override public void onSubscribe(Flow.Subscription body) { arrivals.beginBody(body); }
        @Override public void onError(Throwable e) { whole.completeExceptionally(e); } // Transport tells of it

        @Override
        public void onComplete() {
            arrivals.put(new Arrival.End());
            whole.complete(null);
        }

        @Override public void onNext(List<ByteBuffer> chunks) { arrivals.putPiece(joined(chunks)); }

        private static byte[] joined(List<ByteBuffer> chunks) {
            int size = 0;
            for (ByteBuffer chunk : chunks) size += chunk.remaining();
            var piece = new byte[size];
            int at = 0;
            for (ByteBuffer chunk : chunks) {
                int length = chunk.remaining();
                chunk.get(piece, at, length);
                at += length;
            }
            return piece;
        }
    }

    private final Clock clock;
    private final BlockingQueue<Arrival> queue = new LinkedBlockingQueue<>();
    private Future<?> request = CompletableFuture.completedFuture(null); // as Transport has sent it
    private boolean hasEnded; // the end was taken from the queue
    private volatile boolean isClosed; // nothing more is queued
    private Optional<Flow.Subscription> body = Optional.empty(); // once begun; guarded by this, as the next
    private int queuedBytes;
    private int requestedPieces; // that have not arrived yet

    Arrivals(Clock clock) { this.clock = clock; }

    public boolean isEmpty() {
        Arrival next = queue.peek();
        return next == null || next == NOTHING; // which came when a wait was just over
    }

    /** {@return the next part, if one arrives in that time} Taking a piece makes room for more. */
    public Optional<Arrival> poll(long nanos) throws InterruptedException {
        Optional<Arrival> next = clock.poll(queue, nanos, NOTHING);
        next.ifPresent(this::noteTaken);
        return next;
    }

    private void noteTaken(Arrival arrival) {
        switch (arrival) {
            case Arrival.Piece(byte[] bytes) -> requestMore(0, -bytes.length);
            case Arrival.End end -> hasEnded = true;
            case Arrival.Head head -> { }
            case Arrival.Broken broken -> { }
        }
    }

    void put(Arrival next) {
        if (!isClosed) queue.add(next);
    }

    private void putPiece(byte[] piece) {
        if (piece.length > 0) put(new Arrival.Piece(piece));
        requestMore(1, piece.length);
    }

    /**
     * The body begins. Requests its first pieces; if the reply has been closed meanwhile, ends the
     * connection.
     */
    private void beginBody(Flow.Subscription begun) {
        boolean isWanted;
        synchronized (this) {
            body = Optional.of(begun);
            isWanted = !isClosed;
        }
        if (isWanted) requestMore(0, 0); else begun.request(INVALID_DEMAND);
    }

    /**
     * Requests as many pieces as there is room for in the queue.
     *
     * @param arrivedPieces how many of those requested have just arrived
     * @param addedBytes by how much the queue has grown; negative if it has shrunk
     */
    private void requestMore(int arrivedPieces, int addedBytes) {
        int more;
        Flow.Subscription from;
        synchronized (this) {
            requestedPieces -= arrivedPieces;
            queuedBytes += addedBytes;
            int room = (MAX_BYTES - queuedBytes) / MAX_PIECE_BYTES;
            boolean isLow = requestedPieces <= room / 2; // so that not every small piece costs a request
            more = isLow ? Math.max(0, room - requestedPieces) : 0;
            requestedPieces += more;
            from = body.orElseThrow();
        }
        if (more > 0) from.request(more);
    }

    /** Sets the request whose reply this is; cancelling it closes the connection. */
    void setRequest(Future<?> sent) { request = sent; }

    /**
     * Drops what is queued or still arrives. If the reply has not been read to its end, the connection is
     * closed.
     */
    @Override
    public void close() {
        if (hasEnded) isClosed = true; else abort();
        queue.clear();
    }

    /**
     * Ends the request although its reply goes on.
     *
     * <p>Once the body has begun, neither {@code request.cancel} nor the subscription's {@code cancel} is
     * safe (JDK 21 to 25): they close the connection at once, even if the reply has just come to its end and
     * the connection serves another request by now. Invalid demand is an error, for which the client closes
     * the connection in turn with the bytes that arrive, and only if it still belongs to this reply.
     */
    private void abort() {
        Optional<Flow.Subscription> begun;
        synchronized (this) {
            isClosed = true;
            begun = body;
        }
        if (begun.isPresent()) {
            begun.get().request(INVALID_DEMAND);
        } else {
            request.cancel(true); // the connection cannot serve another request yet
        }
    }
}
