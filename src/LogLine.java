import config.Secrets;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;

/** Formats an entry of the log: time, message, and the stack of an exception; without secrets. */
final class LogLine extends Formatter {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
    private final Secrets secrets;

    LogLine(Secrets secrets) { this.secrets = secrets; }

    @Override
    public String format(LogRecord entry) {
        var text = new StringWriter();
        var lines = new PrintWriter(text);
        lines.println(TIME.format(LocalDateTime.now()) + " " + entry.getMessage());
        if (entry.getThrown() != null) entry.getThrown().printStackTrace(lines);
        return secrets.mask(text.toString());
    }
}
