package serve;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import upstream.Clock;
import upstream.ServerThreads;

/**
 * Runs the server's tasks, each of which reads one request's head and answers it. Knows the threads of all
 * that run, and ends those whose clients are too slow or have left. Safe for use by many threads.
 */
final class ClientThreads implements Executor {
    private static final int HEAD_BYTES = 512 * 1024; // memory that the longest head takes while it is read
    private static final int MIN_HEADS = 16;
    private static final int MAX_HEADS = 4096;

    /** How long a thread waits for the client. */
    private static final long HEAD_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long BODY_NANOS = TimeUnit.SECONDS.toNanos(30); // from one piece to the next

    /** The same, where others wait for room. */
    private static final long HEAD_NANOS_IF_FULL = TimeUnit.SECONDS.toNanos(1);
    private static final long BODY_NANOS_IF_FULL = TimeUnit.SECONDS.toNanos(5); // that a body may be late
    private static final long READ_NANOS_IF_FULL = TimeUnit.SECONDS.toNanos(10);

    private static final long TABLE_NANOS = TimeUnit.SECONDS.toNanos(2); // between tables of sockets

    private final ExecutorService executor = ServerThreads.executor();
    private final Map<Thread, ClientThread> live = new ConcurrentHashMap<>();
    private final Semaphore heads; // that may be read at once
    private final Supplier<Duration> readPatience;
    private final Clock clock;
    private long nextTable; // used by the ticker alone
    private volatile boolean isDraining;

    /**
     * {@code headBytes} is the memory for heads while they are read, {@code readPatience} how long a client
     * may take to read what is sent to it.
     */
    ClientThreads(long headBytes, Supplier<Duration> readPatience, Clock clock) {
        this.heads = new Semaphore(Math.clamp(headBytes / HEAD_BYTES, MIN_HEADS, MAX_HEADS), true);
        this.readPatience = readPatience;
        this.clock = clock;
        this.nextTable = clock.nanos();
    }

    @Override
    public void execute(Runnable task) { executor.execute(() -> serve(task)); }

    private void serve(Runnable task) {
        var thread = new ClientThread(clock, heads::release);
        live.put(thread.thread(), thread);
        try {
            if (acquireHead()) {
                thread.startHead();
            } else {
                Thread.currentThread().interrupt(); // so that the task's first read closes the connection
            }
            task.run();
        } finally {
            live.remove(thread.thread());
            thread.end();
        }
    }

    private boolean acquireHead() {
        try {
            return heads.tryAcquire() || clock.acquire(heads, HEAD_NANOS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    ClientThread current() { return live.get(Thread.currentThread()); }

    /** {@return whether a request is being answered, or about to arrive} */
    boolean areServed() {
        long now = clock.nanos();
        return live.values().stream().anyMatch(thread -> thread.isServing(now));
    }

    /** From now on no connection is kept for another request. */
    void drain() { isDraining = true; }

    boolean isDraining() { return isDraining; }

    /** Ends what takes too long, and requests whose clients have left; to be called a few times a second. */
    void tick(long now) {
        for (ClientThread thread : live.values()) {
            if (thread.waited(now) > patience(thread.awaited())) thread.cut(ClientThread.Cut.TOO_SLOW);
        }
        if (now - nextTable > 0) cutThoseWhoHaveLeft(now);
    }

    private long patience(ClientThread.Wait wait) {
        return switch (wait) {
            case NOTHING -> Long.MAX_VALUE;
            case SEND_HEAD -> heads.hasQueuedThreads() ? HEAD_NANOS_IF_FULL : HEAD_NANOS;
            case SEND_BODY -> BODY_NANOS;
            case READ -> readPatience.get().toNanos();
        };
    }

    private void cutThoseWhoHaveLeft(long now) {
        nextTable = now + TABLE_NANOS;
        List<ClientThread> silent =
                live.values().stream().filter(thread -> thread.silence(now) > TABLE_NANOS).toList();
        if (silent.isEmpty()) return;
        SocketTable table = SocketTable.read();
        for (ClientThread thread : silent) {
            if (thread.hasLeft(table)) thread.cut(ClientThread.Cut.HAS_LEFT);
        }
    }

    /** Ends the request whose client is slowest, if that is too slow while others wait for room. */
    void makeRoom() {
        long now = clock.nanos();
        live.values().stream().filter(thread -> !thread.isCut() && delayIfFull(thread, now) > 0)
                .max(Comparator.comparingLong(thread -> delayIfFull(thread, now)))
                .ifPresent(thread -> thread.cut(ClientThread.Cut.TOO_SLOW));
    }

    private static long delayIfFull(ClientThread thread, long now) {
        return switch (thread.awaited()) {
            case NOTHING, SEND_HEAD -> 0;
            case SEND_BODY -> thread.bodyDelay(now) - BODY_NANOS_IF_FULL;
            case READ -> thread.waited(now) - READ_NANOS_IF_FULL;
        };
    }
}
