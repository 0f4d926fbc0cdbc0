package testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** What tests do at the same time, begun on a virtual thread, and how they wait for what must happen. */
public final class Tasks {
    /** Deadline for anything that must happen at all; it says nothing about speed. */
    public static final int WAIT_SECONDS = 300;
    private static final int LOOK_MILLIS = 5; // between questions, so that others get the processor

    /** Something that a test says, and that takes its time to be shown. */
    public interface Claim {
        void prove() throws Exception;
    }

    private Tasks() { }

    public static FutureTask<Void> begin(Claim claim) {
        return ask(() -> {
            claim.prove();
            return null;
        });
    }

    public static <T> FutureTask<T> ask(Callable<T> question) {
        var task = new FutureTask<T>(question);
        Thread.ofVirtual().start(task);
        return task;
    }

    /** {@return what the task has made} Its failure is the test's. */
    public static <T> T outcome(FutureTask<T> task) throws Exception {
        try {
            return task.get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) throw cause;
            throw new AssertionError(e.getCause());
        }
    }

    public static void await(CountDownLatch latch) throws InterruptedException {
        assertTrue(latch.await(WAIT_SECONDS, TimeUnit.SECONDS), "the latch was not opened");
    }

    /** Asks again and again until the answer is yes. */
    public static void await(Callable<Boolean> question, String what) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        while (!question.call()) {
            assertTrue(System.nanoTime() < deadline, what);
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
    }
}
