import config.Secrets;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.function.Supplier;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;

/** Formats an entry of the log: time, message, and the stack of an exception; without secrets. */
final class LogLine extends Formatter {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
    private final Supplier<Secrets> secrets; // which may change

    LogLine(Supplier<Secrets> secrets) { this.secrets = secrets; }

    @Override
    public String format(LogRecord entry) {
        var text = new StringWriter();
        var lines = new PrintWriter(text);
        lines.println(TIME.format(LocalDateTime.now()) + " " + entry.getMessage());
        if (entry.getThrown() != null) entry.getThrown().printStackTrace(lines);
        return secrets.get().mask(text.toString());
    }
}
