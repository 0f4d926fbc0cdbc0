package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Waits for elements of a queue, short ones, and long ones without a timer of their own. */
class SystemClockTest {
    private static final String NONE = "none";
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);
    private static final long LONG = TimeUnit.MILLISECONDS.toNanos(700); // and not for too long in a test
    private static final long SHORT = TimeUnit.MILLISECONDS.toNanos(20);

    private final BlockingQueue<String> queue = new LinkedBlockingQueue<>();
    private final Clock clock = new SystemClock();

    private static void waitUntilBlocked(Thread thread) throws InterruptedException {
        while (thread.getState() != Thread.State.WAITING) Thread.sleep(1);
    }

    @Test
    void whatIsThereIsHadAtOnce() throws Exception {
        queue.add("a");
        assertEquals(Optional.of("a"), clock.poll(queue, MINUTE, NONE));
    }

    @Test
    void aLongWaitEndsWithWhatComes() throws Exception {
        var found = new CompletableFuture<Optional<String>>();
        Thread reader = Thread.startVirtualThread(() -> {
            try {
                found.complete(clock.poll(queue, MINUTE, NONE));
            } catch (InterruptedException e) {
                found.completeExceptionally(e);
            }
        });
        waitUntilBlocked(reader);
        queue.add("a");
        assertEquals(Optional.of("a"), found.get(20, TimeUnit.SECONDS));
    }

    @Test
    void waitsEndAfterTheirTimeAndNotBefore() throws Exception {
        for (long nanos : new long[] {SHORT, LONG, LONG}) { // the last begins when the watch is idle again
            long begun = System.nanoTime();
            assertEquals(Optional.empty(), clock.poll(queue, nanos, NONE));
            assertTrue(System.nanoTime() - begun >= nanos);
            assertTrue(queue.isEmpty());
        }
    }

    @Test
    void manyWaitsAreEndedEachInItsTime() throws Exception {
        var ends = new LinkedBlockingQueue<Long>();
        long begun = System.nanoTime();
        for (long nanos = LONG; nanos < LONG + 5 * SHORT; nanos += SHORT) {
            long wanted = nanos;
            Thread.startVirtualThread(() -> {
                try {
                    clock.poll(new LinkedBlockingQueue<>(), wanted, NONE);
                    ends.add(System.nanoTime() - begun - wanted);
                } catch (InterruptedException e) {
                    ends.add(-1L);
                }
            });
        }
        for (int i = 0; i < 5; i++) assertTrue(ends.poll(20, TimeUnit.SECONDS) >= 0);
    }

    /** The wait was ended at the moment at which something came. */
    @Test
    void anEndThatCameTooLateIsPassedOver() throws Exception {
        queue.add(NONE);
        queue.add("a");
        assertEquals(Optional.of("a"), clock.poll(queue, MINUTE, NONE));
        queue.add(NONE);
        assertEquals(Optional.empty(), clock.poll(queue, SHORT, NONE));
    }

    @Test
    void aLongWaitCanBeInterrupted() throws Exception {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> clock.poll(queue, MINUTE, NONE));
        assertEquals(Optional.empty(), clock.poll(queue, 0, NONE));
    }
}
