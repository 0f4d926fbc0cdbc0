package serve;

import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import json.JsonWriter;

/**
 * An entry of the log about one request: its line for people, and the same as members of an object for
 * {@code --log-format json}. The names are those of OpenTelemetry's attributes where it has one, else they
 * begin with {@code a2o.}.
 *
 * <p>Source: OpenTelemetry, "Semantic conventions for generative AI", November 2026; "HTTP"; "Errors".
 */
public interface LogFields {
    String line();

    /** Writes the members. */
    void write(JsonWriter out);

    /** {@return what was logged, if it was one of these} */
    static Optional<LogFields> of(LogRecord entry) {
        Object[] parameters = entry.getParameters();
        boolean isOne = parameters != null && parameters.length == 1 && parameters[0] instanceof LogFields;
        return isOne ? Optional.of((LogFields) parameters[0]) : Optional.empty();
    }

    default void log(Logger log) {
        if (!log.isLoggable(Level.INFO)) return;
        var entry = new LogRecord(Level.INFO, line());
        entry.setParameters(new Object[] {this});
        entry.setLoggerName(log.getName());
        log.log(entry);
    }

    /** Of a request, no more than its id is told besides the words. */
    record Note(String requestId, String line) implements LogFields {
        @Override public void write(JsonWriter out) { out.field("a2o.request.id", requestId); }
    }
}
