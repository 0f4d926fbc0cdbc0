package serve;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import upstream.Clock;

/**
 * The thread that serves one request: what it waits for the client to do, and since when. The thread itself
 * records that; the ticker reads it, and can end a wait that takes too long.
 *
 * <p>Shared between these two are the volatile fields, and what the lock guards.
 */
final class ClientThread {
    private static final long USUAL_HEAD_NANOS = TimeUnit.SECONDS.toNanos(1); // in which a head arrives
    private static final long BODY_BYTES_PER_SECOND = 64 * 1024; // a body that comes slower than that is late

    /** What the thread waits for the client to do. */
    enum Wait { NOTHING, SEND_HEAD, SEND_BODY, READ }

    /** Why a request is ended early: its client is too slow or has left, or the proxy stops. */
    enum Cut { TOO_SLOW, HAS_LEFT, STOPS }

    private final Thread thread = Thread.currentThread();
    private final Clock clock;
    private final Runnable releaseHead;
    private final ReentrantLock lock = new ReentrantLock();
    private boolean isOver; // the thread may serve another request; guarded by the lock
    private volatile Optional<Cut> cut = Optional.empty();
    private volatile Wait wait = Wait.NOTHING;
    private volatile long since; // when it began to wait, or stopped waiting
    private volatile long bodyDue; // when the bytes of the body so far should have arrived
    private volatile Optional<ConnectionWatch> connection = Optional.empty(); // once the head has been read

    /** {@code releaseHead} is run once the head has been read. */
    ClientThread(Clock clock, Runnable releaseHead) {
        this.clock = clock;
        this.releaseHead = releaseHead;
        this.since = clock.nanos();
    }

    Thread thread() { return thread; }

    /** The thread begins to read the head, for which it holds a permit. */
    void startHead() { await(Wait.SEND_HEAD); }

    /** The head has been read, from that connection. */
    void startRequest(ConnectionWatch from) {
        endHead();
        connection = Optional.of(from);
    }

    private void endHead() {
        boolean wasRead = wait == Wait.SEND_HEAD;
        await(Wait.NOTHING);
        if (wasRead) releaseHead.run();
    }

    /** Records what the thread waits for from now on. */
    void await(Wait what) {
        wait = Wait.NOTHING; // or the ticker could read the new wait with the time of the old one
        since = clock.nanos();
        wait = what;
    }

    void startBody() { bodyDue = clock.nanos(); }

    void addBodyBytes(int bytes) { bodyDue += TimeUnit.SECONDS.toNanos(bytes) / BODY_BYTES_PER_SECOND; }

    Wait awaited() { return wait; }

    /** {@return for how many nanoseconds the thread has been waiting for the client} */
    long waited(long now) { return wait == Wait.NOTHING ? 0 : now - since; }

    /** {@return for how many nanoseconds the thread has neither read from the client nor written to it} */
    long silence(long now) { return wait == Wait.NOTHING ? now - since : 0; }

    /** {@return for how many nanoseconds the body has been late} */
    long bodyDelay(long now) { return now - bodyDue; }

    /** {@return whether a request is being answered or read; not if its head is long in coming} */
    boolean isServing(long now) { return wait != Wait.SEND_HEAD || now - since < USUAL_HEAD_NANOS; }

    boolean hasLeft(SocketTable table) { return connection.isPresent() && connection.get().isClosed(table); }

    /** Interrupts the thread, from another one. If it waits for the client, that closes the connection. */
    void cut(Cut why) {
        lock.lock();
        try {
            if (isOver || cut.isPresent()) return;
            cut = Optional.of(why);
            thread.interrupt();
        } finally {
            lock.unlock();
        }
    }

    boolean isCut() { return cut.isPresent(); }

    boolean isCut(Cut why) { return cut.equals(Optional.of(why)); }

    /** The request has been served; from now on the thread is not interrupted for it. */
    void end() {
        endHead();
        lock.lock();
        try {
            isOver = true;
            Thread.interrupted(); // clears a cut that came too late
        } finally {
            lock.unlock();
        }
    }
}
