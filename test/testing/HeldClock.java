package testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import upstream.Clock;

/** A clock that stands still until the test moves it on: nothing is too late on a busy machine. */
public final class HeldClock implements Clock {
    private static final long LOOK_MILLIS = 5; // how often a wait looks whether its time has passed
    private static final long MILLI = 1_000_000; // in nanoseconds

    private final List<Long> ends = new ArrayList<>(); // of the waits that go on
    private long now = 1_000_000 * MILLI; // any but 0

    @Override
    public synchronized long nanos() {
        return now;
    }

    @Override
    public <T> Optional<T> poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
        long end = begin(nanos);
        try {
            boolean isOver = false;
            T next = null;
            while (next == null && !isOver) {
                isOver = nanos() >= end; // before the last look at the queue
                next = queue.poll(isOver ? 0 : LOOK_MILLIS, TimeUnit.MILLISECONDS);
            }
            return Optional.ofNullable(next);
        } finally {
            end(end);
        }
    }

    @Override
    public void await(Condition signal, long nanos) throws InterruptedException {
        long end = begin(nanos);
        try {
            boolean isSignalled = false;
            while (!isSignalled && nanos() < end) isSignalled = signal.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } finally {
            end(end);
        }
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        poll(new LinkedBlockingQueue<>(), nanos);
    }

    @Override
    public Duration outside(Duration patience) {
        return Duration.ofSeconds(Tasks.WAIT_SECONDS);
    }

    @Override
    public boolean acquire(Semaphore permits, long nanos) throws InterruptedException {
        long end = begin(nanos);
        try {
            boolean isOver = false;
            boolean isAcquired = false;
            while (!isAcquired && !isOver) {
                isOver = nanos() >= end; // before the last look at the permits
                isAcquired = permits.tryAcquire(isOver ? 0 : LOOK_MILLIS, TimeUnit.MILLISECONDS);
            }
            return isAcquired;
        } finally {
            end(end);
        }
    }

    private synchronized long begin(long nanos) {
        ends.add(now + nanos);
        notifyAll();
        return now + nanos;
    }

    private synchronized void end(long end) {
        ends.remove(Long.valueOf(end));
    }

    public synchronized void passes(long millis) {
        now += millis * MILLI;
    }

    /** Lets that time pass if nothing waits by this clock at the moment: for what waits for something else. */
    public synchronized void passesUnlessAwaited(long millis) {
        if (ends.isEmpty()) passes(millis);
    }

    /**
     * Returns when something waits for exactly that long from now. It has handled what came to it since time
     * last passed, if that was one thing: a test lets some time pass before each.
     */
    public synchronized void awaitWait(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Tasks.WAIT_SECONDS);
        while (!ends.contains(now + millis * MILLI)) {
            long left = (deadline - System.nanoTime()) / MILLI;
            if (left <= 0) throw new AssertionError("no wait of %d ms among %s".formatted(millis, waits()));
            wait(left);
        }
    }

    private List<Long> waits() {
        return ends.stream().map(end -> (end - now) / MILLI).toList();
    }

    /** Lets a wait of that time be over, once it has begun. */
    public void elapse(long millis) throws InterruptedException {
        awaitWait(millis);
        passes(millis);
    }
}
