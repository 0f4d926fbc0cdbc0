import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Writes the log to a stream until the process has ended. The log manager closes all handlers when a shutdown
 * begins; this one goes on, so that exchanges which end during a drain are logged.
 */
final class LogWriter extends Handler {
    private final Logger log;
    private final OutputStream out;
    private final ReentrantLock lock = new ReentrantLock();

    LogWriter(Logger log, OutputStream out, Formatter formatter) {
        this.log = log;
        this.out = out;
        setFormatter(formatter);
        formatter.format(new LogRecord(Level.INFO, "")); // loads time zones while there are file descriptors
    }

    @Override
    public void publish(LogRecord entry) {
        if (!isLoggable(entry)) return;
        byte[] line = getFormatter().format(entry).getBytes(StandardCharsets.UTF_8);
        lock.lock();
        try {
            out.write(line);
            out.flush();
        } catch (IOException e) {
            // a full disk or a closed pipe must not fail a request
        } finally {
            lock.unlock();
        }
    }

    @Override public void flush() { } // publish does

    /** Called by the log manager at shutdown, which has just removed this handler: puts it back. */
    @Override
    public void close() { log.addHandler(this); }
}
