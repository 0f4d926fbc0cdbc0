package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import anthropic.ApiError;
import java.net.http.HttpHeaders;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** When a backend may be asked again, as it says in headers or in words. */
class RetryTimeTest {
    private static OptionalLong of(int status, String message, String... namesAndValues) {
        Map<String, List<String>> headers = new HashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) headers.put(namesAndValues[i], List.of(namesAndValues[i + 1]));
        return RetryTime.in(HttpHeaders.of(headers, (name, value) -> true), new ApiError(status, message), message);
    }

    private static void assertWords(long seconds, String message) {
        assertEquals(OptionalLong.of(seconds), of(429, message), message);
    }

    @Test
    void aHeaderSaysSecondsMillisecondsOrADate() {
        assertEquals(OptionalLong.of(20), of(429, "", "retry-after", "20"));
        assertEquals(OptionalLong.of(2), of(429, "", "retry-after", "1.5"));
        assertEquals(OptionalLong.of(1), of(429, "", "retry-after-ms", "450", "retry-after", "30"));
        String date = "Wed, 21 Oct 2026 07:28:00 GMT";
        assertEquals(OptionalLong.of(90), of(429, "", "date", date, "retry-after", "Wed, 21 Oct 2026 07:29:30 GMT"));
        assertEquals(OptionalLong.of(0), of(429, "", "date", date, "retry-after", "Wed, 21 Oct 2026 07:27:00 GMT"));
        assertEquals(OptionalLong.empty(), of(429, "", "retry-after", "soon"));
    }

    @Test
    void aRateLimitsWordsSayIt() {
        assertWords(2, "Rate limit reached for x. Please try again in 1.5s. Visit the console");
        assertWords(1, "Please try again in 450ms.");
        assertWords(390, "Please try again in 6m30s.");
        assertWords(20, "Please retry after 20 seconds.");
        assertWords(17, "details: retryDelay: 17s");
        assertEquals(OptionalLong.empty(), of(429, "Too many requests, try again later"));
        assertEquals(OptionalLong.empty(), of(400, "try again in 5s"), "no rate limit");
    }
}
