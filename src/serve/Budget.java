package serve;

import anthropic.ApiError;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import json.Json;
import upstream.Clock;

/**
 * The memory that all requests in flight may take: their bodies, the requests made of them, and replies that
 * clients have not read yet. It only counts: a request takes its share before it allocates. Safe for use by
 * many threads.
 *
 * <p>A share may be at most twice as large as what it leaves to others. So large requests are refused first,
 * and when they have taken all they can, a small one still finds room. An eighth is reserved for small ones.
 */
final class Budget {
    private static final long SMALL_BYTES = 512 * 1024; // an ordinary request and its reply
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1); // for other requests to end
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(100); // between tries

    /** What one request holds of the budget. Used by one thread at a time. */
    static final class Share implements AutoCloseable {
        private final Budget budget;
        private long held;

        private Share(Budget budget) { this.budget = budget; }

        /** {@return its size in bytes} */
        long held() { return held; }

        /** {@return whether a share could be that large if there were no others} */
        boolean mayHold(long bytes) { return isModest(bytes, budget.total - bytes, budget.total); }

        /**
         * Changes the size of the share. If there is no room it waits for a moment.
         *
         * @throws ApiError if there is still none; the share keeps its size
         */
        void hold(long bytes) {
            if (bytes != held) budget.change(this, bytes);
        }

        /** Parses JSON as soon as there is memory for its values, which take so many bytes at most. */
        Json parse(long mostBytes, Supplier<Json> parser) {
            int kilobytes = (int) Math.min(mostBytes / 1024, budget.parsingKilobytes);
            budget.parsing.acquireUninterruptibly(kilobytes); // a parser waits for nobody, so it ends soon
            try {
                return parser.get();
            } finally {
                budget.parsing.release(kilobytes);
            }
        }

        @Override
        public void close() { hold(0); }
    }

    private final long total;
    private final Runnable makeRoom;
    private final Clock clock;
    private final int parsingKilobytes; // beside the total, for values that are being parsed
    private final Semaphore parsing;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition shrunk = lock.newCondition();
    private long used;
    private int waiting;

    /** {@code makeRoom} is called when a share cannot grow; it may end other requests. */
    Budget(long total, Runnable makeRoom, Clock clock) {
        this.clock = clock;
        this.total = total;
        this.makeRoom = makeRoom;
        this.parsingKilobytes = Math.clamp(total / 4 / 1024, 1, Integer.MAX_VALUE);
        this.parsing = new Semaphore(parsingKilobytes, true);
    }

    /** {@return a share that holds nothing yet} */
    Share share() { return new Share(this); }

    private void change(Share share, long bytes) {
        lock.lock();
        try {
            if (!fits(share, bytes)) awaitRoom(share, bytes);
            used += bytes - share.held;
            share.held = bytes;
            if (waiting > 0) shrunk.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean fits(Share share, long bytes) {
        if (bytes <= share.held) return true;
        return isModest(bytes, total - used - (bytes - share.held), total);
    }

    /** {@return whether a share of that size leaves enough to others} */
    private static boolean isModest(long bytes, long left, long total) {
        long forSmall = bytes <= SMALL_BYTES ? 0 : total / 8;
        return bytes <= 2 * (left - forSmall);
    }

    private void awaitRoom(Share share, long bytes) {
        long deadline = clock.nanos() + PATIENCE_NANOS;
        waiting++;
        try {
            while (!fits(share, bytes)) {
                if (clock.nanos() - deadline > 0) throw full();
                makeRoom.run();
                clock.await(shrunk, STEP_NANOS);
            }
        } catch (InterruptedException e) { // not restored, or the client could not be told
            throw full();
        } finally {
            waiting--;
        }
    }

    private static ApiError full() {
        return new ApiError(529, "too much in flight for the memory of this proxy").retryAfter(1);
    }
}
