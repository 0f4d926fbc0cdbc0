import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogWriterTest {
    private static final class Plain extends Formatter {
        @Override
        public String format(LogRecord entry) {
            return entry.getMessage() + "\n";
        }
    }

    @Test
    void aNewFileIsItsOwnersAlone(@TempDir Path folder) throws Exception {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
        Path file = folder.resolve("a2o %h.log");
        LogWriter.file(file.toString()).close();
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void aFileIsAppendedToAndKeepsItsPermissions(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("a2o.log"), "before\n");
        var permissions = Files.getPosixFilePermissions(file);
        try (OutputStream out = LogWriter.file(file.toString())) {
            out.write("after\n".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals("before\nafter\n", Files.readString(file));
        assertEquals(permissions, Files.getPosixFilePermissions(file));
    }

    /** As the log manager does when the process begins to end. */
    @Test
    void whatIsLoggedAfterTheLogIsClosedIsWritten() {
        var out = new ByteArrayOutputStream();
        Logger log = Logger.getAnonymousLogger();
        log.setUseParentHandlers(false);
        log.addHandler(new LogWriter(log, out, new Plain()));
        log.info("one");
        for (Handler handler : List.of(log.getHandlers())) {
            log.removeHandler(handler);
            handler.close();
        }
        log.info("two é");
        assertEquals("one\ntwo é\n", out.toString(StandardCharsets.UTF_8));
    }
}
