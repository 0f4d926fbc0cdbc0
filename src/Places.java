import java.util.concurrent.Semaphore;

/**
 * Places for requests in flight. Requests for a whole reply may take three quarters of them: where a client that waits
 * for one cannot be seen to leave, its request keeps its place until the backend answers. Streams find room beside.
 */
final class Places {
    private final Semaphore all;
    private final Semaphore forWhole;
    private final Clock clock;

    Places(int size, Clock clock) {
        this.clock = clock;
        all = new Semaphore(size, true);
        forWhole = new Semaphore(size - size / 4, true);
    }

    /** Takes a place, within that time. {@return whether there was one} */
    boolean tryAcquire(boolean isStream, long nanos) throws InterruptedException {
        long until = clock.nanos() + nanos;
        if (isStream) return clock.acquire(all, nanos);
        if (!clock.acquire(forWhole, nanos)) return false;
        boolean isTaken = false;
        try {
            isTaken = clock.acquire(all, until - clock.nanos());
        } finally {
            if (!isTaken) forWhole.release();
        }
        return isTaken;
    }

    /** Gives back a place that was taken. */
    void release(boolean isStream) {
        all.release();
        if (!isStream) forWhole.release();
    }

    /** {@return whether any request waits for a place} */
    boolean areWanted() { return all.hasQueuedThreads() || forWhole.hasQueuedThreads(); }
}
