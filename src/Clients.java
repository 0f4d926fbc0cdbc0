import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Runs what the server has to do: each task reads a request's head and answers the request. Knows the clients of all
 * that run, and cuts those that keep their threads waiting for too long. Safe for use by many threads.
 */
final class Clients implements Executor {
    private static final int NEVER_PINS = 24; // the Java from which on a blocked virtual thread holds no carrier
    private static final int HEAD_BYTES = 512 * 1024; // that reading the longest head may take
    private static final long MAX_HEAD_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long MAX_WANTED_HEAD_NANOS = TimeUnit.SECONDS.toNanos(1); // while others wait to read theirs
    private static final long MAX_BODY_NANOS = TimeUnit.SECONDS.toNanos(30); // from one piece to the next
    private static final long MAX_LATE_NANOS = TimeUnit.SECONDS.toNanos(5); // where memory is short
    private static final long MAX_UNREAD_NANOS = TimeUnit.SECONDS.toNanos(10); // where memory is short

    private final ExecutorService threads = threads();
    private final Map<Thread, Client> live = new ConcurrentHashMap<>();
    private final Semaphore heads; // that may be read at once
    private final long maxAnswerNanos;
    private final Clock clock;
    private volatile boolean isDraining; // or the connections are kept

    /** {@code headBytes} is what heads may take together while they are read. */
    Clients(long headBytes, long maxAnswerNanos, Clock clock) {
        this.clock = clock;
        this.heads = new Semaphore(Math.clamp(headBytes / HEAD_BYTES, 16, 4096), true);
        this.maxAnswerNanos = maxAnswerNanos;
    }

    /**
     * {@return threads for blocking tasks} The JDK's server reads in synchronized methods. Before JDK 24 a virtual
     * thread that waits there holds its carrier: a few slow clients would stop all others.
     */
    static ExecutorService threads() {
        if (Runtime.version().feature() >= NEVER_PINS) return Executors.newVirtualThreadPerTaskExecutor();
        return Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("a2o-client-", 1).factory());
    }

    @Override
    public void execute(Runnable request) { threads.execute(() -> serve(request)); }

    private void serve(Runnable request) {
        var client = new Client(this);
        live.put(client.thread(), client);
        try {
            if (mayReadHead()) client.readsHead(); else Thread.currentThread().interrupt(); // it is closed, unread
            request.run();
        } finally {
            live.remove(client.thread());
            client.leave();
        }
    }

    private boolean mayReadHead() {
        try {
            return heads.tryAcquire() || heads.tryAcquire(MAX_HEAD_NANOS, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    /** Another client may send its head: that of one has been read, or will not be. */
    void hasReadHead() { heads.release(); }

    /** {@return the client that this thread serves} */
    Client current() { return live.get(Thread.currentThread()); }

    boolean isEmpty() { return live.isEmpty(); }

    /** From now on no connection is kept for another request. */
    void drain() { isDraining = true; }

    boolean isDraining() { return isDraining; }

    long now() { return clock.nanos(); }

    /** Cuts those that have kept their threads waiting for too long; to be called a few times a second. */
    void tick(long now) {
        for (Client client : live.values()) {
            if (client.waited(now) > patience(client.awaited())) client.cut(Client.Cut.TOO_SLOW);
        }
    }

    private long patience(Client.Wait wait) {
        return switch (wait) {
            case NOTHING -> Long.MAX_VALUE;
            case SENDS_HEAD -> heads.hasQueuedThreads() ? MAX_WANTED_HEAD_NANOS : MAX_HEAD_NANOS;
            case SENDS_BODY -> MAX_BODY_NANOS;
            case READS -> maxAnswerNanos;
        };
    }

    /** Cuts the slowest of the clients that are too slow where others need the memory; perhaps none is. */
    void makeRoom() {
        long now = now();
        live.values().stream().filter(client -> !client.isCut() && slowness(client, now) > 0)
                .max(Comparator.comparingLong(client -> slowness(client, now)))
                .ifPresent(client -> client.cut(Client.Cut.TOO_SLOW));
    }

    private static long slowness(Client client, long now) {
        return switch (client.awaited()) {
            case NOTHING, SENDS_HEAD -> 0;
            case SENDS_BODY -> client.lateness(now) - MAX_LATE_NANOS;
            case READS -> client.waited(now) - MAX_UNREAD_NANOS;
        };
    }
}
