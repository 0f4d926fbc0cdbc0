package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import org.junit.jupiter.api.Test;

/** The queue of what arrives of a reply. */
class ArrivalsTest {
    /** A clock by which each wait is ended at the moment at which something comes. */
    private static final Clock LATE = new Clock() {
        @Override
        public <T> Optional<T> poll(BlockingQueue<T> queue, long nanos, T none) throws InterruptedException {
            Optional<T> next = poll(queue, nanos);
            queue.add(none);
            return next;
        }
    };

    /** What is ready for the client would wait for the next event otherwise. */
    @Test
    void nothingHasArrivedWhereAWaitWasEndedTooLate() throws Exception {
        var arrivals = new Arrivals(LATE);
        arrivals.put(new Arrival.End());
        assertFalse(arrivals.isEmpty());
        assertEquals(Optional.of(new Arrival.End()), arrivals.poll(1));
        assertTrue(arrivals.isEmpty());
    }
}
