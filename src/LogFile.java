import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/**
 * A file that the log is appended to, by one process at a time. When it is full it is renamed, FILE to
 * FILE.1, that to FILE.2 and so on, and a new one begun. A new one can be read by its owner only; one that
 * is there keeps its permissions, and so do those that follow it. A pipe or a device is written to as it
 * is.
 */
final class LogFile extends OutputStream {
    private static final long MAX_BYTES = 20_000_000;
    private static final int OLDER = 4; // that are kept
    private static final String TAKEN = "another a2o writes to %s; give each a --log-file of its own";
    private static final String OWNER_ONLY = "rw-------";

    private final Path path;
    private final long maxBytes;
    private FileOutputStream out; // not a FileChannel, which an interrupt would close
    private long size;

    /** @throws IOException if it cannot be written, or another process writes it */
    LogFile(String name) throws IOException { this(Path.of(name), MAX_BYTES); }

    LogFile(Path path, long maxBytes) throws IOException {
        this.path = path;
        this.maxBytes = maxBytes;
        create();
        this.out = open();
    }

    private void create() throws IOException {
        try {
            Files.createFile(path, permissions());
        } catch (FileAlreadyExistsException e) {
            // it is appended to
        }
    }

    private static FileAttribute<?>[] permissions() {
        if (!isPosix()) return new FileAttribute<?>[0];
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY));
        return new FileAttribute<?>[] {ownerOnly};
    }

    private static boolean isPosix() {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    }

    /** Opens the file and locks it, until the process ends or the file is closed. */
    private FileOutputStream open() throws IOException {
        var opened = new FileOutputStream(path.toFile(), true);
        size = Files.size(path);
        if (Files.isRegularFile(path) && isTaken(opened)) {
            opened.close();
            throw new IOException(TAKEN.formatted(path));
        }
        return opened;
    }

    private static boolean isTaken(FileOutputStream file) {
        try {
            FileLock lock = file.getChannel().tryLock();
            return lock == null;
        } catch (OverlappingFileLockException e) { // by this process
            return true;
        } catch (IOException e) { // a file system without locks
            return false;
        }
    }

    @Override public void write(int one) throws IOException { write(new byte[] {(byte) one}, 0, 1); }

    /** Appends a line, which is never divided between two files. */
    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        boolean isFull = size > 0 && size + length > maxBytes && Files.isRegularFile(path);
        if (isFull) rotate();
        out.write(bytes, from, length);
        size += length;
    }

    /** Begins a new file; where that cannot be done, the old one goes on. */
    private void rotate() {
        try {
            Optional<Set<PosixFilePermission>> permissions =
                    isPosix() ? Optional.of(Files.getPosixFilePermissions(path)) : Optional.empty();
            for (int i = OLDER - 1; i >= 1; i--) moveIfThere(older(i), older(i + 1));
            moveIfThere(path, older(1));
            create();
            if (permissions.isPresent()) Files.setPosixFilePermissions(path, permissions.get());
            FileOutputStream full = out;
            out = open();
            full.close();
        } catch (IOException e) {
            size = 0; // the next attempt comes when as much has been written again
        }
    }

    private Path older(int number) { return path.resolveSibling(path.getFileName() + "." + number); }

    private static void moveIfThere(Path from, Path to) throws IOException {
        if (Files.exists(from)) Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override public void close() throws IOException { out.close(); }
}
