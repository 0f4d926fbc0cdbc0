import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of the log: who can read it, who writes it, and what happens when it is full. */
class LogFileTest {
    @TempDir
    Path folder;

    private static void append(OutputStream file, String text) throws IOException {
        file.write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private void assumePosix() {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"), "no POSIX permissions");
    }

    @Test
    void aNewFileIsItsOwnersAlone() throws Exception {
        assumePosix();
        Path file = folder.resolve("a2o %h.log");
        new LogFile(file.toString()).close();
        assertEquals("rw-------", permissions(file));
    }

    @Test
    void aFileIsAppendedToAndKeepsItsPermissions() throws Exception {
        assumePosix();
        Path file = Files.writeString(folder.resolve("a2o.log"), "before\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        try (OutputStream out = new LogFile(file, 20)) {
            append(out, "after\n");
            assertEquals("before\nafter\n", Files.readString(file));
            append(out, "too much\n");
        }
        assertEquals("too much\n", Files.readString(file));
        for (String name : List.of("a2o.log", "a2o.log.1")) {
            assertEquals("rw-r-----", permissions(folder.resolve(name)), name);
        }
    }

    @Test
    void aFullFileMakesRoomForTheNextAndFourOlderOnesAreKept() throws Exception {
        Path file = folder.resolve("a2o.log");
        try (OutputStream out = new LogFile(file, 10)) {
            for (int i = 1; i <= 8; i++) {
                append(out, "line " + i + "\n");
                assertEquals("line " + i + "\n", Files.readString(file));
            }
            append(out, "a line that is longer than a file may be\n");
        }
        assertEquals("a line that is longer than a file may be\n", Files.readString(file), "never divided");
        for (int i = 1; i <= 4; i++) {
            assertEquals("line " + (9 - i) + "\n", Files.readString(folder.resolve("a2o.log." + i)));
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(5, files.count());
        }
    }

    @Test
    void nobodyElseWritesToItAlsoAfterItWasBegunAnew() throws Exception {
        Path file = folder.resolve("a2o.log");
        String taken = "another a2o writes to %s; give each a --log-file of its own".formatted(file);
        try (OutputStream out = new LogFile(file, 10)) {
            assertEquals(taken, assertThrows(IOException.class, () -> new LogFile(file.toString())).getMessage());
            append(out, "line 1\nline 2\n");
            append(out, "line 3\n");
            assertTrue(Files.exists(folder.resolve("a2o.log.1")));
            assertEquals(taken, assertThrows(IOException.class, () -> new LogFile(file.toString())).getMessage());
        }
        new LogFile(file.toString()).close();
    }

    /** As when the folder has become read-only, or somebody has put a folder where the older file would be. */
    @Test
    void aFileThatCannotBeRenamedGoesOn() throws Exception {
        Path file = folder.resolve("a2o.log");
        Files.createDirectories(folder.resolve("a2o.log.4/x"));
        Files.createFile(folder.resolve("a2o.log.3"));
        try (OutputStream out = new LogFile(file, 10)) {
            append(out, "line 1\n");
            append(out, "line 2\n");
            append(out, "line 3\n");
        }
        assertTrue(Files.readString(file).endsWith("line 3\n"));
        assertFalse(Files.exists(folder.resolve("a2o.log.1")));
    }

    /** Two may have their logs on one terminal, and a device has no size. */
    @Test
    void aDeviceIsForMany() throws Exception {
        Path device = Path.of("/dev/null");
        assumeTrue(Files.exists(device), "no such device");
        try (OutputStream one = new LogFile(device, 10); OutputStream two = new LogFile(device, 10)) {
            for (OutputStream each : List.of(one, two)) append(each, "a line of more than ten bytes\n");
        }
        assertFalse(Files.exists(Path.of("/dev/null.1")));
    }
}
