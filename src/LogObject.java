import config.Secrets;
import java.time.format.DateTimeFormatter;
import java.util.function.Supplier;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import json.JsonWriter;
import serve.LogFields;

/**
 * Formats an entry of the log as an object on one line; without secrets. It has the members of
 * OpenTelemetry's log records by their names in files ({@code timestamp}, {@code severity_text}, {@code
 * body}), and beside them what {@link LogFields} say.
 *
 * <p>Source: OpenTelemetry, "Logs Data Model".
 */
final class LogObject extends Formatter {
    /** As {@code 2026-11-30T17:04:05.678+01:00}. */
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSxxx");
    private final Supplier<Secrets> secrets; // which may change

    LogObject(Supplier<Secrets> secrets) { this.secrets = secrets; }

    @Override
    public String format(LogRecord entry) {
        var out = new JsonWriter().object();
        out.field("timestamp", TIME.format(LogLine.time(entry)));
        out.field("severity_text", severity(entry.getLevel()));
        out.field("body", String.valueOf(entry.getMessage()));
        if (entry.getThrown() != null) writeException(entry.getThrown(), out);
        LogFields.of(entry).ifPresent(fields -> fields.write(out));
        return secrets.get().mask(out.endObject().toString()) + System.lineSeparator();
    }

    private static void writeException(Throwable thrown, JsonWriter out) {
        out.field("exception.type", thrown.getClass().getName());
        out.field("exception.stacktrace", LogLine.stack(thrown));
    }

    private static String severity(Level level) {
        if (level.intValue() >= Level.SEVERE.intValue()) return "ERROR";
        return level.intValue() >= Level.WARNING.intValue() ? "WARN" : "INFO";
    }
}
