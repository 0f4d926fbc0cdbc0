import config.Secrets;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.function.Supplier;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;

/** Formats an entry of the log for people: time, message, the stack of an exception; without secrets. */
final class LogLine extends Formatter {
    /** As {@code 2026-11-30 17:04:05.678+01:00}. */
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSxxx");
    private final Supplier<Secrets> secrets; // which may change

    LogLine(Supplier<Secrets> secrets) { this.secrets = secrets; }

    @Override
    public String format(LogRecord entry) {
        String line = TIME.format(time(entry)) + " " + entry.getMessage() + System.lineSeparator();
        boolean hasStack = entry.getThrown() != null;
        return secrets.get().mask(hasStack ? line + stack(entry.getThrown()) : line);
    }

    /** {@return when it was logged, by the clock of this place} */
    static ZonedDateTime time(LogRecord entry) {
        return entry.getInstant().atZone(ZoneId.systemDefault());
    }

    static String stack(Throwable thrown) {
        var text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }
}
