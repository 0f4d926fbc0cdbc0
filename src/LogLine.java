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
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.");
    private static final DateTimeFormatter OFFSET = DateTimeFormatter.ofPattern("xxx");

    /** What all lines of one second have in common: {@code 2026-11-30 17:04:05.}, and {@code +01:00}. */
    private record Second(long epochSecond, String before, String after) {
        private static Second of(ZonedDateTime time) {
            return new Second(time.toEpochSecond(), SECONDS.format(time), OFFSET.format(time));
        }
    }

    private final Supplier<Secrets> secrets; // which may change
    private volatile Second last = new Second(Long.MIN_VALUE, "", "");

    LogLine(Supplier<Secrets> secrets) { this.secrets = secrets; }

    @Override
    public String format(LogRecord entry) {
        String line = shownTime(entry) + " " + entry.getMessage() + System.lineSeparator();
        boolean hasStack = entry.getThrown() != null;
        return secrets.get().mask(hasStack ? line + stack(entry.getThrown()) : line);
    }

    /** {@return when it was logged: 2026-11-30 17:04:05.678+01:00} */
    private String shownTime(LogRecord entry) {
        Second second = last;
        if (second.epochSecond != entry.getInstant().getEpochSecond()) second = Second.of(time(entry));
        last = second;
        int millis = entry.getInstant().getNano() / 1_000_000;
        return second.before + Integer.toString(1000 + millis).substring(1) + second.after;
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
