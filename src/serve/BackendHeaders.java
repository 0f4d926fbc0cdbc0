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
import java.util.Optional;
import java.util.regex.Pattern;

/** The headers of a backend's reply that the client gets, under Anthropic's names; no others (SPEC E.4). */
final class BackendHeaders {
    /**
     * How a value is passed on: as it is, if it looks as it should, or as the time when so much time has
     * passed.
     */
    private enum Kind { ID, COUNT, DURATION }

    /** A header by its name in lower case, at the backend and to the client. */
    private record Passed(String openai, String anthropic, Kind kind) { }

    private static final List<Passed> PASSED = List.of(
            new Passed("x-request-id", "x-backend-request-id", Kind.ID),
            new Passed("request-id", "x-backend-request-id", Kind.ID), // Anthropic's
            new Passed("x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit", Kind.COUNT),
            new Passed("x-ratelimit-remaining-requests",
                    "anthropic-ratelimit-requests-remaining", Kind.COUNT),
            new Passed("x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset", Kind.DURATION),
            new Passed("x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit", Kind.COUNT),
            new Passed("x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining", Kind.COUNT),
            new Passed("x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset", Kind.DURATION));

    /** An id as backends give it: {@code req_011CSHoEeqs5C35K2UUqR7Fy}. */
    private static final Pattern PRINTABLE = Pattern.compile("[ -~]{1,100}");
    /** A number, or a time of RFC 3339: {@code 5000}, {@code 2026-11-05T12:00:00Z}. */
    private static final Pattern NUMBER_OR_TIME = Pattern.compile("[\\dT:Z-]+");
    /** The milliseconds of a duration, such as {@code 20ms} or {@code 1.5ms}; less than what is passed on. */
    private static final Pattern MILLIS = Pattern.compile("(\\d+)(\\.\\d+)?ms$");

    /** A backend of Anthropic's API sends its limits by their right names. */
    private static final String OF_ANTHROPIC = "anthropic-";

    private BackendHeaders() { }

    /** Sets the headers of the answer; those of an earlier try are removed. */
    static void pass(HttpHeaders from, Headers answer, Secrets secrets) {
        answer.keySet().removeIf(BackendHeaders::isAnthropics);
        PASSED.forEach(header -> answer.remove(header.anthropic));
        for (String name : from.map().keySet()) {
            if (isAnthropics(name)) pass(from, new Passed(name, name, Kind.ID), answer, secrets);
        }
        PASSED.forEach(header -> pass(from, header, answer, secrets));
    }

    private static boolean isAnthropics(String name) {
        return name.toLowerCase(Locale.ROOT).startsWith(OF_ANTHROPIC);
    }

    private static void pass(HttpHeaders from, Passed header, Headers answer, Secrets secrets) {
        from.firstValue(header.openai)
                .flatMap(text -> value(text, header.kind, secrets))
                .ifPresent(value -> answer.set(header.anthropic, value));
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
