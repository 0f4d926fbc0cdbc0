package testing;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import upstream.Clock;

/**
 * A clock for tests that are not about time: a long wait never times out, however busy the machine. A short wait,
 * as before another try, times out as it should; that this time has passed is seen by the thread that waited,
 * until its next wait. For all other threads the clock stands nearly still.
 */
public final class PatientClock implements Clock {
    private static final long LOOK_NANOS = 1000; // by each look at the clock

    private final long maxNanos; // of a short wait
    private final boolean hasPauses;
    private final AtomicLong looks = new AtomicLong();
    private final ThreadLocal<Long> waited = ThreadLocal.withInitial(() -> 0L); // in nanoseconds

    public PatientClock() {
        this(1000);
    }

    public PatientClock(long maxMillis) {
        this(maxMillis, true);
    }

    private PatientClock(long maxMillis, boolean hasPauses) {
        this.maxNanos = TimeUnit.MILLISECONDS.toNanos(maxMillis);
        this.hasPauses = hasPauses;
    }

    /** {@return a clock by which pauses, as before another try, are over at once} */
    public static PatientClock withoutPauses() {
        return new PatientClock(1000, false);
    }

    @Override
    public long nanos() {
        return LOOK_NANOS * looks.incrementAndGet() + waited.get();
    }

    @Override
    public <T> Optional<T> poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
        waited.remove();
        if (nanos > maxNanos) return Optional.of(queue.take());
        T next = queue.poll(nanos, TimeUnit.NANOSECONDS);
        if (next == null && nanos > 0) waited.set(nanos);
        return Optional.ofNullable(next);
    }

    @Override
    public void await(Condition signal, long nanos) throws InterruptedException {
        waited.remove();
        boolean isOver = signal.awaitNanos(nanos) <= 0;
        if (isOver) waited.set(nanos);
    }

    /** Takes its time, if there are pauses: it is no limit that a busy machine could miss. */
    @Override
    public void sleep(long nanos) throws InterruptedException {
        if (hasPauses) TimeUnit.NANOSECONDS.sleep(nanos);
        waited.set(nanos);
    }

    @Override
    public Duration outside(Duration patience) {
        return Duration.ofSeconds(Tasks.WAIT_SECONDS);
    }

    @Override
    public boolean acquire(Semaphore permits, long nanos) throws InterruptedException {
        waited.remove();
        if (nanos > maxNanos) {
            permits.acquire();
            return true;
        }
        boolean isAcquired = permits.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        if (!isAcquired && nanos > 0) waited.set(nanos);
        return isAcquired;
    }
}
