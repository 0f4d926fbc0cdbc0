import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Places for requests in flight. Requests for a whole reply may take three quarters of them: where a client that waits
 * for one cannot be seen to leave, its request keeps its place until the backend answers. Streams find room beside.
 */
final class Places {
    private final Semaphore all;
    private final Semaphore forWhole;

    Places(int size) {
        all = new Semaphore(size, true);
        forWhole = new Semaphore(size - size / 4, true);
    }

    /** Takes a place, within that time. {@return whether there was one} */
    boolean tryAcquire(boolean isStream, long nanos) throws InterruptedException {
        long until = System.nanoTime() + nanos;
        if (isStream) return all.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        if (!forWhole.tryAcquire(nanos, TimeUnit.NANOSECONDS)) return false;
        boolean isTaken = false;
        try {
            isTaken = all.tryAcquire(until - System.nanoTime(), TimeUnit.NANOSECONDS);
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
