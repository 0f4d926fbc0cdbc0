import java.util.concurrent.Semaphore;

/**
 * Places for requests in flight. Streams may have all of them, requests for a whole reply three quarters:
 * where a client that waits for a whole reply cannot be seen to leave, its request keeps its place until the
 * backend answers, and such requests must not take all.
 */
final class Places {
    private final Semaphore all;
    private final Semaphore forWholeReplies;
    private final Clock clock;

    Places(int size, Clock clock) {
        this.all = new Semaphore(size, true);
        this.forWholeReplies = new Semaphore(size - size / 4, true);
        this.clock = clock;
    }

    /** Takes a place, waiting for it if need be. {@return whether there was one in time} */
    boolean tryAcquire(boolean isStream, long nanos) throws InterruptedException {
        long until = clock.nanos() + nanos;
        if (isStream) return clock.acquire(all, nanos);
        if (!clock.acquire(forWholeReplies, nanos)) return false;
        boolean isAcquired = false;
        try {
            isAcquired = clock.acquire(all, until - clock.nanos());
        } finally {
            if (!isAcquired) forWholeReplies.release();
        }
        return isAcquired;
    }

    void release(boolean isStream) {
        all.release();
        if (!isStream) forWholeReplies.release();
    }

    /** {@return whether a request waits for a place} */
    boolean areAwaited() { return all.hasQueuedThreads() || forWholeReplies.hasQueuedThreads(); }
}
