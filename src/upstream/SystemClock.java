package upstream;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The system's clock. For long waits it sets no timers: since JDK 25 each timer of a virtual thread wakes
 * another thread, when it is set and when it is taken back, at every event of a stream. One thread looks
 * after all of them, and ends those that are over, a little late. Safe for use by many threads.
 */
final class SystemClock implements Clock {
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(50); // from one look to the next
    private static final long LONG_NANOS = 10 * STEP_NANOS; // a shorter wait is to end in time

    /** A wait for an element of a queue. Compared by identity. */
    private static final class Wait<T> {
        private final BlockingQueue<T> queue;
        private final T none;
        private final long end;

        private Wait(BlockingQueue<T> queue, T none, long end) {
            this.queue = queue;
            this.none = none;
            this.end = end;
        }
    }

    private final Set<Wait<?>> waits = ConcurrentHashMap.newKeySet();
    private final Thread watch = Thread.ofPlatform().daemon().name("a2o-watch").unstarted(this::watch);
    private volatile boolean isStarted;
    private volatile boolean isIdle; // the watch waits for a first wait

    @Override
    public <T> Optional<T> poll(BlockingQueue<T> queue, long nanos, T none) throws InterruptedException {
        T next = queue.poll();
        long end = nanos() + nanos;
        while (next == null || next == none) {
            long left = end - nanos();
            if (left <= 0) return Optional.empty();
            next = left < LONG_NANOS ? queue.poll(left, TimeUnit.NANOSECONDS) : take(queue, none, end);
        }
        return Optional.of(next);
    }

    /** {@return the next element, or {@code none} once that time has come} */
    private <T> T take(BlockingQueue<T> queue, T none, long end) throws InterruptedException {
        var wait = new Wait<>(queue, none, end);
        waits.add(wait);
        wake();
        try {
            return queue.take();
        } finally {
            waits.remove(wait);
        }
    }

    private void wake() {
        if (isIdle) LockSupport.unpark(watch);
        if (!isStarted) start();
    }

    private synchronized void start() {
        if (!isStarted) watch.start();
        isStarted = true;
    }

    private void watch() {
        while (true) {
            isIdle = true; // first, or a wait that begins now would not be seen
            while (waits.isEmpty()) LockSupport.park();
            isIdle = false;
            LockSupport.parkNanos(STEP_NANOS);
            waits.forEach(this::endIfOver);
        }
    }

    private <T> void endIfOver(Wait<T> wait) {
        boolean isOver = nanos() - wait.end >= 0 && waits.remove(wait);
        if (isOver) wait.queue.add(wait.none); // at the end of the queue, if something has just come
    }
}
