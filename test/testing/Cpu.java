package testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Processor time that something takes: on a busy machine hardly more than on an idle one. */
public final class Cpu {
    private static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(5); // for what should take next to nothing
    private static final long LOOK_MILLIS = 100;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Cpu() { }

    public static void assertLittle(Tasks.Claim claim) throws Exception {
        assertLittle(() -> {
            claim.prove();
            return null;
        });
    }

    /** Fails if it takes long. {@return what has come of it} */
    public static <T> T assertLittle(Callable<T> question) throws Exception {
        var task = new FutureTask<T>(question);
        Thread thread = Thread.ofPlatform().daemon().start(task);
        while (true) {
            try {
                return task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                long nanos = THREADS.getThreadCpuTime(thread.threadId());
                assertTrue(nanos < MAX_NANOS, "it takes too long: %d ms so far".formatted(nanos / 1_000_000));
            } catch (ExecutionException e) {
                throw new AssertionError(e.getCause());
            }
        }
    }
}
