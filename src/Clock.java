import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** The time by which patience, back-off, linger and pings are measured: the system's, or one that a test holds. */
interface Clock {
    Clock SYSTEM = new Clock() { };

    /** {@return nanoseconds from some moment, which never run backwards} */
    default long nanos() { return System.nanoTime(); }

    /** Waits for the next element, so long at most. {@return it; null: none has come} */
    default <T> T poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
        return queue.poll(nanos, TimeUnit.NANOSECONDS);
    }
}
