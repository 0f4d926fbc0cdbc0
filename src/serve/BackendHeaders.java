package serve;

import com.sun.net.httpserver.Headers;
import config.Secrets;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The headers of a backend's reply that the client gets, under Anthropic's names; no others (SPEC E.4). */
final class BackendHeaders {
    /**
     * How a value is passed on: as it is, if it looks as it should, or as the time when so much time has
     * passed.
     */
    private enum Kind { ID, COUNT, DURATION }

    /** A header by its name to the client. */
    private record Passed(String name, Kind kind) { }

    private static final String BACKENDS_ID = "x-backend-request-id";
    /** By the name at the backend, in lower case. */
    private static final Map<String, Passed> PASSED = Map.of(
            "x-request-id", new Passed(BACKENDS_ID, Kind.ID),
            "request-id", new Passed(BACKENDS_ID, Kind.ID), // Anthropic's
            "x-ratelimit-limit-requests", new Passed("anthropic-ratelimit-requests-limit", Kind.COUNT),
            "x-ratelimit-remaining-requests", new Passed("anthropic-ratelimit-requests-remaining", Kind.COUNT),
            "x-ratelimit-reset-requests", new Passed("anthropic-ratelimit-requests-reset", Kind.DURATION),
            "x-ratelimit-limit-tokens", new Passed("anthropic-ratelimit-tokens-limit", Kind.COUNT),
            "x-ratelimit-remaining-tokens", new Passed("anthropic-ratelimit-tokens-remaining", Kind.COUNT),
            "x-ratelimit-reset-tokens", new Passed("anthropic-ratelimit-tokens-reset", Kind.DURATION));

    /** An id as backends give it: {@code req_011CSHoEeqs5C35K2UUqR7Fy}. */
    private static final Pattern PRINTABLE = Pattern.compile("[ -~]{1,100}");
    /** A number, or a time of RFC 3339: {@code 5000}, {@code 2026-11-05T12:00:00Z}. */
    private static final Pattern NUMBER_OR_TIME = Pattern.compile("[\\dT:Z-]+");
    /** The milliseconds of a duration, such as {@code 20ms} or {@code 1.5ms}; less than what is passed on. */
    private static final Pattern MILLIS = Pattern.compile("(\\d+)(\\.\\d+)?ms$");

    /** A backend of Anthropic's API sends its limits by their right names. */
    private static final String OF_ANTHROPIC = "anthropic-";

    private BackendHeaders() { }

    /**
     * Sets the headers of the answer; those of an earlier try are removed. Where two become one, the first
     * counts, in alphabetical order.
     */
    static void pass(HttpHeaders from, Headers answer, Secrets secrets) {
        answer.keySet().removeIf(name -> isAnthropics(name) || name.equalsIgnoreCase(BACKENDS_ID));
        for (Map.Entry<String, List<String>> header : from.map().entrySet()) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            Passed passed = isAnthropics(name) ? new Passed(name, Kind.ID) : PASSED.get(name);
            if (passed == null) continue;
            value(header.getValue().getFirst(), passed.kind, secrets)
                    .ifPresent(value -> answer.putIfAbsent(passed.name, List.of(value)));
        }
    }

    private static boolean isAnthropics(String name) {
        return name.regionMatches(true, 0, OF_ANTHROPIC, 0, OF_ANTHROPIC.length());
    }

    private static Optional<String> value(String text, Kind kind, Secrets secrets) {
        return switch (kind) {
            case ID -> Optional.of(secrets.mask(text)).filter(id -> PRINTABLE.matcher(id).matches());
            case COUNT -> Optional.of(text).filter(count -> NUMBER_OR_TIME.matcher(count).matches());
            case DURATION -> timeAfter(text);
        };
    }

    /** {@return the time, as RFC 3339 writes it, after a duration such as {@code 6m0s} or {@code 20ms}} */
    private static Optional<String> timeAfter(String duration) {
        try {
            String seconds = MILLIS.matcher(duration).replaceFirst("0s");
            Instant time = Instant.now().plus(Duration.parse("PT" + seconds)).truncatedTo(ChronoUnit.SECONDS);
            return Optional.of(time.toString());
        } catch (DateTimeException | ArithmeticException e) { // no duration, or one without end
            return Optional.empty();
        }
    }
}
