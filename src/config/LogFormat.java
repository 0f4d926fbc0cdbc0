package config;

import java.util.Arrays;
import java.util.Locale;

/** How the log is written. */
public enum LogFormat {
    /** A line for people. */
    TEXT,
    /** An object a line, with the names of OpenTelemetry's attributes. */
    JSON;

    static LogFormat of(String name) {
        return Arrays.stream(values()).filter(format -> format.name().equals(name.toUpperCase(Locale.ROOT)))
                .findFirst().orElseThrow(() -> new UsageError(Option.LOG_FORMAT, ": text or json expected"));
    }
}
