package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Wire;

/** How the backend's rate limits, OpenAI's headers, reach the client: as Anthropic's (SPEC E.4). */
class RateLimitTest {
    private static final String OURS = "anthropic-ratelimit-";
    private static final String PLAIN =
            json("{'model':'m','max_tokens':9,'messages':[{'role':'user','content':'hi'}]}");
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");

    private static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    private static Map<String, String> post(Proxy proxy, String body) throws IOException {
        return Wire.post(proxy.port(), body).headers();
    }

    private static long count(Map<String, String> headers) {
        return headers.keySet().stream().filter(name -> name.contains("ratelimit")).count();
    }

    private static final String[] LIMITS = {"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 59",
            "x-ratelimit-limit-tokens: 150000", "x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-requests: 20ms",
            "x-ratelimit-reset-tokens: 6m0s", "x-ratelimit-limit-other: 1"};

    @Test
    void theBackendsLimitsBecomeAnthropics() throws Exception {
        List<Backend.Script> scripts = List.of(
                call -> call.reply(200, "application/json", Backend.completion("x"), LIMITS),
                call -> call.events(LIMITS).data(Backend.chunk("x"), Backend.FINISH, "[DONE]").end(),
                Backend.refusing(429, "why", LIMITS));
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            for (Backend.Script script : scripts) {
                backend.answers(script);
                for (String body : List.of(PLAIN, STREAM)) {
                    Instant asked = Instant.now();
                    Map<String, String> headers = post(proxy, body);
                    assertEquals(List.of("60", "59", "150000", "0"), Stream.of("requests-limit", "requests-remaining",
                            "tokens-limit", "tokens-remaining").map(name -> headers.get(OURS + name)).toList());
                    assertEquals(6, count(headers), headers.toString());
                    assertIn(asked, Duration.ofMillis(20), headers.get("anthropic-ratelimit-requests-reset"));
                    assertIn(asked, Duration.ofMinutes(6), headers.get("anthropic-ratelimit-tokens-reset"));
                }
            }
        }
    }

    /** What the vendors send, as OpenAI and Groq write it. */
    @Test
    void aResetIsTheTimeFromNow() throws Exception {
        Map<String, Duration> resets = Map.of("1s", Duration.ofSeconds(1), "6m0s", Duration.ofMinutes(6),
                "7.66s", Duration.ofMillis(7660), "2m59.56s", Duration.ofMillis(179_560),
                "1h0m30s", Duration.ofSeconds(3630), "20ms", Duration.ofMillis(20), "0s", Duration.ZERO);
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            for (String reset : resets.keySet()) {
                backend.answers(Backend.refusing(429, "why", "x-ratelimit-reset-tokens: " + reset));
                Instant asked = Instant.now();
                assertIn(asked, resets.get(reset), post(proxy, PLAIN).get("anthropic-ratelimit-tokens-reset"));
            }
        }
    }

    /** The time is between that of the question and now, and then so long; seconds may be rounded, up or down. */
    private static void assertIn(Instant asked, Duration expected, String time) {
        Instant said = Instant.parse(time).minus(expected);
        boolean isIn = said.isAfter(asked.minusSeconds(2)) && said.isBefore(Instant.now().plusSeconds(2));
        assertTrue(isIn, time + " for " + expected);
    }

    @Test
    void limitsThatAreNotSaidOrNotReadableAreLeftOut() throws Exception {
        String[] wrong = {"x-ratelimit-limit-requests: many", "x-ratelimit-remaining-requests: ",
                "x-ratelimit-reset-requests: soon", "x-ratelimit-reset-tokens: 5 apples"};
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            for (String[] headers : new String[][] {wrong, {}}) {
                backend.answers(call -> call.reply(200, "application/json", Backend.completion("x"), headers));
                assertFalse(post(proxy, PLAIN).toString().contains("ratelimit"));
            }
            backend.answers(Backend.refusing(429, "why", "x-ratelimit-limit-tokens: 5", "x-ratelimit-reset-tokens: s"));
            Map<String, String> headers = post(proxy, STREAM);
            assertEquals("5", headers.get("anthropic-ratelimit-tokens-limit"));
            assertEquals(1, count(headers), headers.toString());
        }
    }
}
