import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
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
    private static final String OWNER_ONLY = "rw-------";

    private final Logger log;
    private final OutputStream out;
    private final ReentrantLock lock = new ReentrantLock();

    LogWriter(Logger log, OutputStream out, Formatter formatter) {
        this.log = log;
        this.out = out;
        setFormatter(formatter);
        formatter.format(new LogRecord(Level.INFO, "")); // loads time zones while there are file descriptors
    }

    /** {@return a stream that appends to a file}: a new one can be read by its owner only. */
    static OutputStream file(String name) throws IOException {
        try {
            Files.createFile(Path.of(name), permissions());
        } catch (FileAlreadyExistsException e) {
            // its permissions are kept
        }
        return new FileOutputStream(name, true); // not a FileChannel, which an interrupt would close
    }

    private static FileAttribute<?>[] permissions() {
        boolean isPosix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        if (!isPosix) return new FileAttribute<?>[0];
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY));
        return new FileAttribute<?>[] {ownerOnly};
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
