package upstream;

import config.Target;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;

/**
 * Finds out in the background when a backend that is down can be connected to again. It connects, and sends
 * nothing. Safe for use by many threads.
 */
final class Probe implements AutoCloseable {
    private static final Duration FIRST_WAIT = Duration.ofSeconds(1); // doubled each time
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);
    private static final int CONNECT_MILLIS = 2000;
    private static final Logger LOG = Logger.getLogger("a2o");

    private final Health health;
    private final InetSocketAddress address;
    private final String host; // for the log
    private final Clock clock;
    private final AtomicBoolean isRunning = new AtomicBoolean();
    private final BlockingQueue<Boolean> wakeUp = new LinkedBlockingQueue<>(); // ends a wait
    private volatile boolean isClosed;

    Probe(Health health, Target target, URI url, Clock clock) {
        this.health = health;
        InetSocketAddress direct = InetSocketAddress.createUnresolved(url.getHost(), Target.port(url));
        this.address = target.proxy().orElse(direct);
        this.host = target.address();
        this.clock = clock;
    }

    /** Begins, unless it runs already or is closed; it ends when the backend is up, or at {@link #close}. */
    void start() {
        if (isClosed) return;
        boolean wasRunning = isRunning.getAndSet(true);
        if (!wasRunning) Thread.ofVirtual().start(this::run);
    }

    private void run() {
        try {
            awaitConnection();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // and the thread ends
        } finally {
            isRunning.set(false);
        }
        if (health.isDown()) start(); // it has failed again
    }

    private void awaitConnection() throws InterruptedException {
        long wait = FIRST_WAIT.toNanos();
        while (health.isDown() && !isClosed && clock.poll(wakeUp, wait).isEmpty()) {
            boolean isUp = health.isDown() && canConnect();
            if (isUp && health.noteConnection()) LOG.info(() -> host + " can be reached again");
            wait = Math.min(2 * wait, LONGEST_WAIT.toNanos());
        }
    }

    private boolean canConnect() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address.getHostString(), address.getPort()), CONNECT_MILLIS);
            return true;
        } catch (IOException e) { // also an unknown host
            return false;
        }
    }

    @Override
    public void close() {
        isClosed = true;
        wakeUp.add(true);
    }
}
