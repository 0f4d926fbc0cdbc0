package upstream;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/** The clock for timeouts, back-off, linger and pings: the system's, or one that a test controls. */
public interface Clock {
    Clock SYSTEM = new SystemClock();

    /** {@return nanoseconds since an arbitrary moment; they never run backwards} */
    default long nanos() { return System.nanoTime(); }

    /** {@return the next element of the queue, if there is one in that time} */
    default <T> Optional<T> poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
        return Optional.ofNullable(queue.poll(nanos, TimeUnit.NANOSECONDS));
    }

    /**
     * {@return the same, for a wait that is long and mostly ends early}
     *
     * @param none an element that says nothing, by which the wait may be ended
     */
    default <T> Optional<T> poll(BlockingQueue<T> queue, long nanos, T none) throws InterruptedException {
        return poll(queue, nanos);
    }

    /** {@return the timeout to use where the JDK measures the time instead of this clock} */
    default Duration outside(Duration patience) { return patience; }

    /** {@return whether a permit could be acquired in that time} */
    default boolean acquire(Semaphore permits, long nanos) throws InterruptedException {
        return permits.tryAcquire(nanos, TimeUnit.NANOSECONDS);
    }

    /** Waits for a signal, but not longer than that; may return earlier, as {@link Condition#await} may. */
    default void await(Condition signal, long nanos) throws InterruptedException { signal.awaitNanos(nanos); }

    /** Waits for that long. */
    default void sleep(long nanos) throws InterruptedException { TimeUnit.NANOSECONDS.sleep(nanos); }
}
