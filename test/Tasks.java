import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** What tests do at the same time: begun on a virtual thread, and waited for with a limit. */
final class Tasks {
    private static final int WAIT_SECONDS = 30;

    /** Something that a test says, and that takes its time to be shown. */
    interface Claim {
        void prove() throws Exception;
    }

    private Tasks() { }

    static FutureTask<Void> begin(Claim claim) {
        return ask(() -> {
            claim.prove();
            return null;
        });
    }

    static <T> FutureTask<T> ask(Callable<T> question) {
        var task = new FutureTask<T>(question);
        Thread.ofVirtual().start(task);
        return task;
    }

    /** {@return what the task has made} Its failure is the test's. */
    static <T> T outcome(FutureTask<T> task) throws Exception {
        try {
            return task.get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) throw cause;
            throw new AssertionError(e.getCause());
        }
    }
}
