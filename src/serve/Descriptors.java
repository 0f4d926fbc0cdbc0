package serve;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Keeps file descriptors from running out: limits the clients' connections, and logs when the limit is
 * reached. If descriptors run out all the same, it logs that, and slows down the JDK's server, which would
 * otherwise try to accept connections in a busy loop (JDK 21 to 25). Used by the ticker alone.
 */
final class Descriptors {
    /** As {@code Max open files            1024                 524288               files}. */
    private static final Pattern LIMIT = Pattern.compile("(?s).*\\nMax open files +(\\d{1,9}) .*");
    private static final Path LIMITS = Path.of("/proc/self/limits"); // on Linux
    private static final int OWN = 48; // descriptors that are not connections
    private static final int MIN_CONNECTIONS = 8;
    private static final int MAX_CONNECTIONS = 20_000;
    private static final int MAX_CONNECTIONS_IF_UNKNOWN = 4000; // macOS allows 10,240 descriptors
    private static final int CONNECTION_BYTES = 64 * 1024; // buffers that the server keeps for each
    private static final long COUNT_NANOS = TimeUnit.SECONDS.toNanos(5); // between counts of connections
    private static final long LOG_NANOS = TimeUnit.MINUTES.toNanos(1); // between lines
    private static final String FULL = "all %d connections are in use that open files (ulimit -n) and memory"
            + " (-Xmx) allow; more are closed";
    private static final String USED_UP =
            "file descriptors are used up (ulimit -n): no connection can be accepted";
    private static final Logger LOG = Logger.getLogger("a2o");
    private static final Logger SERVER = Logger.getLogger("com.sun.net.httpserver"); // else its level is lost

    /** Pauses the server's dispatcher when it logs that accept failed, at a level that is off otherwise. */
    private static final class Brake extends Handler {
        private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

        @Override
        public void publish(LogRecord entry) {
            boolean hasFailed = entry.getThrown() instanceof IOException;
            if (hasFailed && entry.getMessage().startsWith("Dispatcher")) LockSupport.parkNanos(PAUSE_NANOS);
        }

        @Override public void flush() { }
        @Override public void close() { }
    }

    private final int port;
    private final int maxConnections;
    private final Handler brake = new Brake();
    private boolean areUsedUp;
    private long nextCount;
    private long nextLine;

    Descriptors(int port, int maxConnections, long now) {
        this.port = port;
        this.maxConnections = maxConnections;
        this.nextCount = now;
        this.nextLine = now;
    }

    /** {@return how many connections of clients the limit on open files and the memory allow} */
    static int maxConnections(long memory) {
        return Math.clamp(memory / 4 / CONNECTION_BYTES, MIN_CONNECTIONS, maxByDescriptors());
    }

    private static int maxByDescriptors() {
        try {
            Matcher limit = LIMIT.matcher(Files.readString(LIMITS));
            if (!limit.matches()) return MAX_CONNECTIONS; // unlimited
            int descriptors = Integer.parseInt(limit.group(1)) - OWN;
            return Math.clamp(descriptors / 2, MIN_CONNECTIONS, MAX_CONNECTIONS); // half are for backends
        } catch (IOException e) {
            return MAX_CONNECTIONS_IF_UNKNOWN;
        }
    }

    /** To be called a few times a second. */
    void tick(long now) {
        boolean wereUsedUp = areUsedUp;
        areUsedUp = !canOpen();
        if (areUsedUp) {
            if (!wereUsedUp) brake();
            log(USED_UP, now);
            return;
        }
        if (wereUsedUp) release();
        if (now - nextCount >= 0) count(now);
    }

    private static boolean canOpen() {
        try (SocketChannel channel = SocketChannel.open()) {
            return channel.isOpen();
        } catch (IOException e) {
            return false;
        }
    }

    private void brake() {
        SERVER.setUseParentHandlers(false);
        SERVER.setLevel(Level.FINER);
        SERVER.addHandler(brake);
    }

    private void release() {
        SERVER.removeHandler(brake);
        SERVER.setLevel(null);
        SERVER.setUseParentHandlers(true);
    }

    private void count(long now) {
        nextCount = now + COUNT_NANOS;
        boolean isFull = SocketTable.read().connectionsTo(port) >= maxConnections;
        if (isFull) log(FULL.formatted(maxConnections), now);
    }

    private void log(String line, long now) {
        if (now - nextLine < 0) return;
        nextLine = now + LOG_NANOS;
        LOG.warning(line);
    }
}
