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
 * The file descriptors of the process: each connection takes one. Limits the connections of clients, so that there are
 * enough. Where they are used up nevertheless, it says so in the log, and keeps the JDK's server from trying to accept
 * connections without a pause, as it does (JDK 21 to 25 at least). Used by the ticker alone.
 */
final class Descriptors {
    /** As {@code Max open files            1024                 524288               files}. */
    private static final Pattern LIMIT = Pattern.compile("(?s).*\\nMax open files +(\\d{1,9}) .*");
    private static final Path LIMITS = Path.of("/proc/self/limits"); // of Linux
    private static final int OWN = 48; // descriptors that are no connections
    private static final int FEWEST = 8; // connections
    private static final int MOST = 20_000;
    private static final int MOST_UNKNOWN = 4000; // where the system does not say its limit: macOS has 10,240
    private static final int CONNECTION_BYTES = 64 * 1024; // that the server keeps for one
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(5); // from one look at the connections to the next
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1); // from one line in the log to the next
    private static final Logger LOG = Logger.getLogger("a2o");
    private static final Logger SERVER = Logger.getLogger("com.sun.net.httpserver"); // held, or what is set would be lost

    /** Makes the server's thread pause when it says, to those who listen closely, that it could not accept. */
    private static final class Brake extends Handler {
        private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

        @Override
        public void publish(LogRecord entry) {
            boolean isOfAccepting = entry.getThrown() instanceof IOException && entry.getMessage().startsWith("Dispatcher");
            if (isOfAccepting) LockSupport.parkNanos(PAUSE_NANOS);
        }

        @Override public void flush() { }
        @Override public void close() { }
    }

    private final int port;
    private final int maxConnections;
    private final Handler brake = new Brake();
    private boolean areUsedUp;
    private long nextLook;
    private long nextLine;

    Descriptors(int port, int maxConnections, long now) {
        this.port = port;
        this.maxConnections = maxConnections;
        this.nextLook = now;
        this.nextLine = now;
    }

    /** {@return how many connections of clients descriptors and memory allow} */
    static int maxConnections(long memory) {
        return Math.clamp(memory / 4 / CONNECTION_BYTES, FEWEST, maxByDescriptors());
    }

    private static int maxByDescriptors() {
        try {
            Matcher limit = LIMIT.matcher(Files.readString(LIMITS));
            if (!limit.matches()) return MOST;
            return Math.clamp((Integer.parseInt(limit.group(1)) - OWN) / 2, FEWEST, MOST); // each needs one to a backend
        } catch (IOException e) {
            return MOST_UNKNOWN;
        }
    }

    /** Looks whether there are descriptors left; to be called a few times a second. */
    void tick(long now) {
        boolean were = areUsedUp;
        areUsedUp = !canOpen();
        if (areUsedUp && !were) stepOnBrake();
        if (!areUsedUp && were) releaseBrake();
        if (areUsedUp) say("file descriptors are used up (ulimit -n): no connection can be accepted until others end", now);
        if (!areUsedUp && now - nextLook >= 0) look(now);
    }

    private static boolean canOpen() {
        try (SocketChannel one = SocketChannel.open()) {
            return one.isOpen();
        } catch (IOException e) {
            return false;
        }
    }

    private void stepOnBrake() {
        SERVER.setUseParentHandlers(false);
        SERVER.setLevel(Level.FINER);
        SERVER.addHandler(brake);
    }

    private void releaseBrake() {
        SERVER.removeHandler(brake);
        SERVER.setLevel(null);
        SERVER.setUseParentHandlers(true);
    }

    private void look(long now) {
        nextLook = now + LOOK_NANOS;
        int connections = SocketTable.read().connectionsOf(port);
        String line = "all %d connections are in use that open files (ulimit -n) and memory (-Xmx) allow; more are closed";
        if (connections >= maxConnections) say(line.formatted(maxConnections), now);
    }

    private void say(String line, long now) {
        if (now - nextLine < 0) return;
        nextLine = now + QUIET_NANOS;
        LOG.warning(line);
    }
}
