import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class LogWriterTest {
    private static final class Plain extends Formatter {
        @Override
        public String format(LogRecord entry) {
            return entry.getMessage() + "\n";
        }
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
