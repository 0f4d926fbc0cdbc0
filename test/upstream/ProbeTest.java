package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import config.CommandLine;
import config.Options;
import config.Target;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Tasks;

/** The probe of a backend that nobody listens for. */
class ProbeTest {
    /** A clock on which a wait takes a millisecond, but for one; it counts the waits, and those that somebody has ended. */
    private static final class Waits implements Clock {
        private final int endless; // the wait that takes until somebody ends it
        private final AtomicInteger begun = new AtomicInteger();
        private final AtomicInteger cut = new AtomicInteger();

        private Waits(int endless) { this.endless = endless; }

        @Override
        public <T> Optional<T> poll(BlockingQueue<T> queue, long nanos) throws InterruptedException {
            boolean isEndless = begun.incrementAndGet() == endless;
            long wait = isEndless ? TimeUnit.SECONDS.toNanos(Tasks.WAIT_SECONDS) : TimeUnit.MILLISECONDS.toNanos(1);
            Optional<T> element = Optional.ofNullable(queue.poll(wait, TimeUnit.NANOSECONDS));
            if (element.isPresent()) cut.incrementAndGet();
            return element;
        }
    }

    private static Probe started(Waits clock) throws Exception {
        var health = new Health(clock);
        health.begin();
        health.noteFailure(Health.Kind.UNCONNECTED, new Health.Failure(0, 502, "no connection"), true);
        String url = "http://127.0.0.1:" + Backend.deadPort();
        Target target = Options.of(CommandLine.read(new String[] {url}, Map.of())).upstreams().getFirst();
        var probe = new Probe(health, target, URI.create(url), clock);
        probe.start();
        return probe;
    }

    /** A backend that was taken out of the options while it was down would be connected to for ever. */
    @Test
    void itEndsWhenItIsClosedAndDoesNotBeginAgain() throws Exception {
        var clock = new Waits(3); // in which it is closed: between two waits it would end without another
        Probe probe = started(clock);
        Tasks.await(() -> clock.begun.get() == 3, "it does not run");
        probe.close();
        Tasks.await(() -> clock.cut.get() > 0, "it is not ended");
        int waits = clock.begun.get();
        probe.start();
        var other = new Waits(Integer.MAX_VALUE); // by when it has waited so often, the first would have, too
        Probe running = started(other);
        Tasks.await(() -> other.begun.get() > 20, "the other does not run");
        running.close();
        assertEquals(waits, clock.begun.get());
    }
}
