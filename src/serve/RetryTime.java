package serve;

import anthropic.ApiError;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The time after which a backend may be asked again: its header {@code retry-after-ms}, else {@code
 * retry-after}, in seconds or as a date; else what a rate limit's message says.
 */
final class RetryTime {
    /** As in "Please try again in 1.5s", "retry after 20 seconds", {@code "retryDelay":"17s"}. */
    private static final List<String> WORDS = List.of("try again in ", "retry after ", "retry in ", "retrydelay",
            "retry_after", "please wait ", "wait for ", "available in ", "请等待", "请在");
    private static final String SECONDS_LATER = "秒后";
    private static final int MAX_DISTANCE = 6; // characters between such words and the number
    private static final int MAX_DIGITS = 9;

    /** Where a number ends, and the time that it is, with its unit. */
    private record Time(int end, double seconds) { }

    private RetryTime() { }

    /**
     * {@return the seconds, rounded up}
     *
     * @param body of the error, which may say so in a member of its own
     */
    static OptionalLong in(HttpHeaders headers, ApiError error, String body) {
        Optional<Double> seconds = header(headers, "retry-after-ms").map(millis -> millis / 1000)
                .or(() -> header(headers, "retry-after")).or(() -> date(headers));
        boolean maySayTime = error.status() == 429 || error.status() == 529;
        if (maySayTime) seconds = seconds.or(() -> inText(body.toLowerCase(Locale.ROOT)));
        return seconds.map(time -> OptionalLong.of((long) Math.ceil(time))).orElse(OptionalLong.empty());
    }

    private static Optional<Double> header(HttpHeaders headers, String name) {
        return headers.firstValue(name).map(String::strip)
                .flatMap(text -> timeWithUnit(text, 0).filter(time -> time.end == text.length()))
                .map(Time::seconds);
    }

    /** Counted from the backend's own clock, where the header {@code date} tells it. */
    private static Optional<Double> date(HttpHeaders headers) {
        Instant now = headers.firstValue("date").flatMap(RetryTime::instant).orElseGet(Instant::now);
        return headers.firstValue("retry-after").flatMap(RetryTime::instant)
                .map(then -> (double) Math.max(0, Duration.between(now, then).toSeconds()));
    }

    private static Optional<Instant> instant(String date) {
        try {
            return Optional.of(Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date.strip())));
        } catch (DateTimeParseException e) { // then it is none
            return Optional.empty();
        }
    }

    private static Optional<Double> inText(String text) {
        for (String words : WORDS) {
            int at = text.indexOf(words);
            if (at < 0) continue;
            int from = at + words.length();
            for (int start = from; start < Math.min(text.length(), from + MAX_DISTANCE); start++) {
                Optional<Double> time = time(text, start);
                if (time.isPresent()) return time;
            }
        }
        return secondsBefore(text);
    }

    /** As in "请 15 秒后重试". */
    private static Optional<Double> secondsBefore(String text) {
        int end = text.indexOf(SECONDS_LATER);
        int from = end;
        while (from > 0 && (isDigit(text.charAt(from - 1)) || text.charAt(from - 1) == ' ')) from--;
        if (from == end) return Optional.empty();
        return number(text.substring(from, end).strip(), 0).map(Time::seconds);
    }

    /** {@return the time that stands there, such as {@code 1.5s}, {@code 450ms}, {@code 6m0s}, 20 seconds} */
    private static Optional<Double> time(String text, int from) {
        Optional<Time> first = timeWithUnit(text, from);
        Optional<Time> second = first.flatMap(time -> timeWithUnit(text, time.end));
        return first.map(time -> time.seconds + second.map(Time::seconds).orElse(0.0));
    }

    private static Optional<Time> timeWithUnit(String text, int from) {
        return number(text, from).map(number -> {
            int unit = number.end;
            while (unit < text.length() && text.charAt(unit) == ' ') unit++;
            int end = unit;
            while (end < text.length() && Character.isLetter(text.charAt(end))) end++;
            return new Time(end, number.seconds * secondsIn(text.substring(unit, end)));
        });
    }

    private static double secondsIn(String unit) {
        if (unit.startsWith("ms") || unit.startsWith("milli") || unit.startsWith("毫秒")) return 0.001;
        if (unit.startsWith("m") || unit.startsWith("分")) return 60;
        if (unit.startsWith("h") || unit.startsWith("小时")) return 3600;
        return 1;
    }

    /** {@return a number that begins there, such as {@code 1.5}} */
    private static Optional<Time> number(String text, int from) {
        int end = from;
        while (end < text.length() && isDigit(text.charAt(end))) end++;
        int whole = end - from;
        if (whole == 0 || whole > MAX_DIGITS) return Optional.empty();
        boolean isFraction = end < text.length() && text.charAt(end) == '.';
        if (isFraction) end++;
        while (isFraction && end < text.length() && isDigit(text.charAt(end))) end++;
        return Optional.of(new Time(end, Double.parseDouble(text.substring(from, end))));
    }

    private static boolean isDigit(char c) { return c >= '0' && c <= '9'; }
}
