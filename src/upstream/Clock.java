package upstream;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The time for timeouts, back-off, linger and pings: the system's, or one that a test holds. */
public interface Clock {
    Clock SYSTEM = new Clock() { };

    /** {@return nanoseconds from some moment, which never run backwards} */
    default long nanos() { return System.nanoTime(); }

    /** Waits for the next element, so long at most. {@return it; null: none has come} */
    default <T> T poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
        return queue.poll(nanos, TimeUnit.NANOSECONDS);
    }

    /** {@return the timeout to use where the JDK measures the time, and not this clock} */
    default Duration outside(Duration patience) { return patience; }

    /** Waits for a permit, so long at most. {@return whether there was one} */
    default boolean acquire(Semaphore permits, long nanos) throws InterruptedException {
        return permits.tryAcquire(nanos, TimeUnit.NANOSECONDS);
    }
}
