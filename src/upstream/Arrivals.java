package upstream;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What comes of a reply, in order: the head ({@code ResponseInfo}), pieces of the body ({@code byte[]}, the last
 * one empty), and the {@code Throwable} that ends it before that.
 */
public final class Arrivals {
    public static final byte[] END = {};
    private static final int MAX_BYTES = 64 * 1024; // queued
    private static final int MAX_PIECE_BYTES = 16 * 1024; // that the JDK's client reads at once
    private static final long LESS_THAN_NOTHING = -1;

    /** A reply's body on its way in: what came at once is handed on as one piece, of however many chunks. */
    record Receiving(Arrivals arrived) implements Flow.Subscriber<List<ByteBuffer>> {
        @Override public void onSubscribe(Flow.Subscription body) { arrived.begins(body); }
        @Override public void onComplete() { arrived.put(END); }
        @Override public void onError(Throwable e) { } // the future that send returned says so

        @Override
        public void onNext(List<ByteBuffer> chunks) {
            int size = 0;
            for (ByteBuffer chunk : chunks) size += chunk.remaining();
            var piece = new byte[size];
            int at = 0;
            for (ByteBuffer chunk : chunks) {
                int length = chunk.remaining();
                chunk.get(piece, at, length);
                at += length;
            }
            arrived.putPiece(piece);
        }
    }

    private final Clock clock;
    private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>();
    private volatile boolean isClosed;
    private Flow.Subscription body; // null before it has begun
    private int queuedBytes; // guarded by this, as is the next
    private int requested; // pieces that have not arrived yet

    public Arrivals(Clock clock) { this.clock = clock; }

    public boolean isEmpty() { return queue.isEmpty(); }

    /** Takes the next, or null if nothing comes in that time; what is taken makes room for more. */
    public Object poll(long nanos) throws InterruptedException {
        Object next = clock.poll(queue, nanos);
        if (next instanceof byte[] piece && piece.length > 0) request(0, -piece.length);
        return next;
    }

    private void putPiece(byte[] piece) {
        if (piece.length > 0) put(piece);
        request(1, piece.length);
    }

    /**
     * Requests as many pieces as may be queued beside those that are: if the client reads slowly, its backend has
     * to wait. {@code arrived} counts pieces, {@code bytes} is by how much the queue has grown.
     */
    private void request(int arrived, int bytes) {
        int more;
        synchronized (this) {
            requested -= arrived;
            queuedBytes += bytes;
            int room = (MAX_BYTES - queuedBytes) / MAX_PIECE_BYTES;
            boolean isLow = requested <= room / 2; // so that not each small piece needs a request of its own
            more = isLow ? Math.max(0, room - requested) : 0;
            requested += more;
        }
        if (more > 0) body.request(more);
    }

    /** The body begins: its first pieces are wanted, or nothing more if it was stopped before. */
    private void begins(Flow.Subscription begun) {
        boolean isWanted;
        synchronized (this) {
            body = begun;
            isWanted = !isClosed;
        }
        if (isWanted) request(0, 0); else begun.request(LESS_THAN_NOTHING);
    }

    /**
     * Closes, and ends the request that {@link Transport} returned as {@code sent} although its reply goes on.
     *
     * <p>Once the body has begun, neither {@code sent.cancel} nor the subscription's {@code cancel} will do (JDK 21
     * to 25): they close the connection at once, even if the reply has just come to its end and the connection
     * serves another request by now. A request for less than nothing is an error, for which the client closes the
     * connection in turn with the bytes that arrive, and only if it still belongs to this reply.
     */
    public void stop(CompletableFuture<?> sent) {
        Flow.Subscription begun;
        synchronized (this) {
            isClosed = true;
            begun = body;
        }
        if (begun == null) {
            sent.cancel(true); // no body has begun, so the connection is this request's alone
        } else {
            begun.request(LESS_THAN_NOTHING);
        }
        queue.clear();
    }

    /** Nobody waits for more: what comes is dropped. */
    public void close() {
        isClosed = true;
        queue.clear();
    }

    void put(Object next) {
        if (!isClosed) queue.add(next);
    }
}
