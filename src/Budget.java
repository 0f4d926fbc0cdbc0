import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The memory that requests in flight may take together: their bodies, what is made of them, and replies that clients
 * have not read yet. It only counts: a request asks for its share before it allocates. Safe for use by many threads.
 *
 * <p>A share may be twice as large as what it leaves to others. So a large request is refused first, and when large
 * ones have taken all they can, there is still room for a small one.
 */
final class Budget {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(1); // for others to give back
    private static final long STEP = TimeUnit.MILLISECONDS.toNanos(100); // from one attempt to make room to the next

    /** What one request holds of the budget. Used by one thread at a time. */
    static final class Share implements AutoCloseable {
        private final Budget budget;
        private long held;

        private Share(Budget budget) { this.budget = budget; }

        /**
         * Changes the share to so many bytes; waits a moment where there is no room.
         *
         * @throws ApiError if there is none then; the share is as before
         */
        void hold(long bytes) {
            if (bytes != held) budget.change(this, bytes);
        }

        long held() { return held; }

        /** Reads JSON, which may take so many bytes beside the share, when there is room for them. */
        Json read(long bytes, Supplier<Json> reader) {
            int room = (int) Math.min(bytes / 1024, budget.readingKilobytes);
            budget.reading.acquireUninterruptibly(room); // reading waits for nobody: it is soon given back
            try {
                return reader.get();
            } finally {
                budget.reading.release(room);
            }
        }

        /** {@return whether a share could be so large, if there were no others} */
        boolean mayHold(long bytes) { return bytes <= 2 * (budget.total - bytes); }

        @Override
        public void close() { hold(0); }
    }

    private final long total;
    private final Runnable makeRoom;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition givenBack = lock.newCondition();
    private final int readingKilobytes; // for values that are being read: how many there will be is not known
    private final Semaphore reading;
    private long used;
    private int waiting;

    /** {@code makeRoom} is called where a share cannot grow: it may end requests, so that they give theirs back. */
    Budget(long total, Runnable makeRoom) {
        this.total = total;
        this.makeRoom = makeRoom;
        this.readingKilobytes = Math.clamp(total / 4 / 1024, 1, Integer.MAX_VALUE);
        this.reading = new Semaphore(readingKilobytes, true);
    }

    /** {@return a share of nothing yet} */
    Share share() { return new Share(this); }

    private void change(Share share, long bytes) {
        lock.lock();
        try {
            if (!fits(share, bytes)) awaitRoom(share, bytes);
            used += bytes - share.held;
            share.held = bytes;
            if (waiting > 0) givenBack.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean fits(Share share, long bytes) {
        if (bytes <= share.held) return true;
        long left = total - used - (bytes - share.held);
        return bytes <= 2 * left;
    }

    private void awaitRoom(Share share, long bytes) {
        long deadline = System.nanoTime() + PATIENCE;
        waiting++;
        try {
            while (!fits(share, bytes)) {
                if (System.nanoTime() - deadline > 0) throw full();
                makeRoom.run();
                givenBack.awaitNanos(STEP);
            }
        } catch (InterruptedException e) { // the proxy is being stopped, and says so while it can
            throw full();
        } finally {
            waiting--;
        }
    }

    private static ApiError full() {
        return new ApiError(529, "too much in flight for the memory of this proxy").retryAfter(1);
    }
}
