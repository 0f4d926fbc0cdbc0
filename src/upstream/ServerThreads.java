package upstream;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The threads that the JDK's HTTP server and client run their work on. */
public final class ServerThreads {
    private static final int FIRST_WITHOUT_PINNING = 24; // JEP 491
    private static final int FIRST_WITH_POOL = 25; // on any machine
    private static final int LEAST_WORKERS = 2;
    private static final String WORKERS = "java.util.concurrent.ForkJoinPool.common.parallelism";

    private ServerThreads() { }

    /**
     * To be called before the JDK's client is used. That hands the end of each reply to the common pool; but
     * on a machine of one or two processors JDK 21 to 24 start a thread for it in place of that, each time,
     * unless the pool is to have more than one worker.
     */
    public static void setUpCommonPool() {
        int workers = Runtime.getRuntime().availableProcessors() - 1; // that the pool has by default
        boolean isPoolUsed = workers >= LEAST_WORKERS || Runtime.version().feature() >= FIRST_WITH_POOL;
        if (!isPoolUsed) System.getProperties().putIfAbsent(WORKERS, Integer.toString(LEAST_WORKERS));
    }

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
