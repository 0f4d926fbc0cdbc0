import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A clock for tests that are not about time: what is waited for for long is waited for for ever, so that the proxy loses
 * no patience on a busy machine. Short waits, as those before another try, end as they should. Time passes by them and,
 * a little, with each look at the clock; for each thread it is its own.
 */
final class PatientClock implements Clock {
    private static final long LOOK_NANOS = 50_000;

    private final long maxNanos; // of a short wait
    private final ThreadLocal<Long> passed = ThreadLocal.withInitial(() -> 0L); // in nanoseconds

    PatientClock() {
        this(1000);
    }

    PatientClock(long maxMillis) {
        maxNanos = TimeUnit.MILLISECONDS.toNanos(maxMillis);
    }

    @Override
    public long nanos() {
        passed.set(passed.get() + LOOK_NANOS);
        return passed.get();
    }

    @Override
    public <T> T poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
        if (nanos > maxNanos) return queue.take();
        T next = queue.poll(nanos, TimeUnit.NANOSECONDS);
        if (next == null) passed.set(passed.get() + Math.max(nanos, 0));
        return next;
    }

    @Override
    public boolean acquire(Semaphore permits, long nanos) throws InterruptedException {
        if (nanos <= maxNanos) return permits.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        permits.acquire();
        return true;
    }
}
