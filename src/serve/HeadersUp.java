package serve;

import com.sun.net.httpserver.Headers;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What of a client's headers goes on to the backends as it is: the trace that the request belongs to, and
 * what {@code --header-through} names. What is malformed is left out.
 *
 * <p>Source: W3C, "Trace Context", level 1: version 00 of {@code traceparent}, and {@code tracestate}.
 */
final class HeadersUp {
    static final String TRACE_PARENT = "traceparent";
    private static final String TRACE_STATE = "tracestate";
    /** Version, id of the trace, id of the span, flags: {@code 00-4bf92f…4736-00f067aa0ba902b7-01}. */
    private static final Pattern PARENT = Pattern.compile(
            "(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
    private static final int MAX_STATE = 512; // characters that everybody must pass on
    private static final int MAX_VALUE = 8192;

    private HeadersUp() { }

    /** {@return the values by their names in lower case} {@code named} are those of the option. */
    static Map<String, String> of(Headers from, List<String> named) {
        boolean hasNone = named.isEmpty() && !from.containsKey(TRACE_PARENT);
        if (hasNone) return Map.of();
        Map<String, String> through = new LinkedHashMap<>();
        for (String name : named) {
            value(from, name, MAX_VALUE).ifPresent(value -> through.put(name, value));
        }
        putTrace(from, through);
        return through;
    }

    private static void putTrace(Headers from, Map<String, String> through) {
        Optional<String> parent = value(from, TRACE_PARENT, MAX_VALUE).filter(text -> PARENT.matcher(text).matches());
        if (parent.isEmpty()) return;
        through.put(TRACE_PARENT, parent.get());
        value(from, TRACE_STATE, MAX_STATE).ifPresent(state -> through.put(TRACE_STATE, state));
    }

    /** {@return the values of a header, joined, if all of it is printable} */
    private static Optional<String> value(Headers from, String name, int most) {
        String joined = String.join(",", from.getOrDefault(name, List.of())).strip();
        boolean isFit = !joined.isEmpty() && joined.length() <= most;
        boolean isPrintable = joined.chars().allMatch(c -> c >= ' ' && c <= '~');
        return Optional.of(joined).filter(text -> isFit && isPrintable);
    }
}
