package upstream;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The threads on which the JDK's HTTP server reads and answers requests. */
public final class ServerThreads {
    private static final int FIRST_WITHOUT_PINNING = 24; // JEP 491

    private ServerThreads() { }

    /**
     * {@return an executor for blocking tasks}: virtual threads, or platform threads before JDK 24. There a
     * virtual thread that blocks in a synchronized method pins its carrier. The JDK's server reads in such
     * methods, so that as many slow clients as there are cores would stop all others.
     */
    public static ExecutorService executor() {
        boolean pins = Runtime.version().feature() < FIRST_WITHOUT_PINNING;
        if (!pins) return Executors.newVirtualThreadPerTaskExecutor();
        return Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("a2o-client-", 1).factory());
    }
}
