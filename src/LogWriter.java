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
 * Writes the log to a stream, until the process ends. The JDK's handlers are closed when the process begins to end; the
 * exchanges that end after that are logged, too.
 */
final class LogWriter extends Handler {
    private final Logger log;
    private final OutputStream out;
    private final ReentrantLock lock = new ReentrantLock();

    LogWriter(Logger log, OutputStream out, Formatter formatter) {
        this.log = log;
        this.out = out;
        setFormatter(formatter);
        formatter.format(new LogRecord(Level.INFO, "")); // reads time zones while there is a file descriptor for that
    }

    /** {@return a stream that appends to the file, which, if it is a new one, nobody else may read} */
    static OutputStream file(String name) throws IOException {
        try {
            Files.createFile(Path.of(name), ownersAlone());
        } catch (FileAlreadyExistsException e) {
            // it keeps the permissions that it has
        }
        return new FileOutputStream(name, true);
    }

    private static FileAttribute<?>[] ownersAlone() {
        boolean isPosix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        if (!isPosix) return new FileAttribute<?>[0];
        return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))};
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
            // the disk is full, or nobody reads: no reason to fail a request
        } finally {
            lock.unlock();
        }
    }

    @Override public void flush() { } // each line is

    /** Stays: that is called when the process begins to end, by the log manager, which has just removed this. */
    @Override
    public void close() { log.addHandler(this); }
}
