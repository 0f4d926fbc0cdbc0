import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

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

        @Override
        public void close() { hold(0); }
    }

    private final long total;
    private final Runnable makeRoom;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition givenBack = lock.newCondition();
    private long used;
    private int waiting;

    /** {@code makeRoom} is called where a share cannot grow: it may end requests, so that they give theirs back. */
    Budget(long total, Runnable makeRoom) {
        this.total = total;
        this.makeRoom = makeRoom;
    }

    /** {@return a share of nothing yet} */
    Share share() { return new Share(this); }

    /** {@return the bytes that requests hold now} */
    long used() {
        lock.lock();
        try {
            return used;
        } finally {
            lock.unlock();
        }
    }

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
        if (bytes > 2 * (total - bytes)) throw new ApiError(413, "the request is too large for the memory of this proxy");
        long deadline = System.nanoTime() + PATIENCE;
        waiting++;
        try {
            while (!fits(share, bytes)) {
                if (System.nanoTime() - deadline > 0) throw full();
                makeRoom.run();
                givenBack.awaitNanos(STEP);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw full();
        } finally {
            waiting--;
        }
    }

    private static ApiError full() {
        return new ApiError(529, "too much in flight for the memory of this proxy").retryAfter(1);
    }
}
