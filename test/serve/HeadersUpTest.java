package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Wire;

/** Which of a client's headers backends get as they are. */
class HeadersUpTest {
    private static final String PLAIN =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private static Map<String, String> sent(List<String> args, String... headers) throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, args.toArray(String[]::new))) {
            assertEquals(200, Wire.post(proxy.port(), PLAIN, headers).status());
            return backend.take().headers();
        }
    }

    @Test
    void theTraceGoesOnWithItsState() throws Exception {
        Map<String, String> sent = sent(List.of(), "traceparent: " + PARENT, "tracestate: a=1,b=2", "x-other: no");
        assertEquals(PARENT, sent.get("traceparent"));
        assertEquals("a=1,b=2", sent.get("tracestate"));
        assertFalse(sent.containsKey("x-other"), sent::toString);
    }

    /** By the rules of W3C for version 00; the state of a trace that is none goes nowhere either. */
    @Test
    void aMalformedTraceIsLeftOut() throws Exception {
        List<String> malformed = new ArrayList<>(List.of("", "x", PARENT.toUpperCase(), PARENT + "-00", "ff" + PARENT.substring(2)));
        malformed.add("00-" + "0".repeat(32) + "-00f067aa0ba902b7-01");
        malformed.add("00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0".repeat(16) + "-01");
        malformed.add(PARENT.substring(1));
        for (String parent : malformed) {
            Map<String, String> sent = sent(List.of(), "traceparent: " + parent, "tracestate: a=1");
            assertFalse(sent.containsKey("traceparent") || sent.containsKey("tracestate"), parent);
        }
        Map<String, String> sent = sent(List.of(), "traceparent: " + PARENT, "tracestate: a=" + "x".repeat(600));
        assertEquals(PARENT, sent.get("traceparent"));
        assertFalse(sent.containsKey("tracestate"), "too long to be passed on by all");
    }

    @Test
    void headersThatAreNamedGoThroughAndNoOthers() throws Exception {
        List<String> args = List.of("--header-through", "X-Session-Id", "--header-through", "x-tenant",
                "--header-through", "x-own", "--header", "x-own: operator", "--header-through", "x-odd");
        Map<String, String> sent = sent(args, "x-session-id: s-1", "X-Tenant: a", "x-tenant: b", "x-own: client",
                "x-odd: \u00e9", "x-other: no");
        assertEquals("s-1", sent.get("x-session-id"));
        assertEquals("a,b", sent.get("x-tenant"), "values of several lines are one list");
        assertEquals("operator", sent.get("x-own"), "what the operator adds counts before");
        assertFalse(sent.containsKey("x-odd") || sent.containsKey("x-other"), sent::toString);
    }

    @Test
    void aKeyOfAnthropicsGoesThroughToNobodyElse() throws Exception {
        Map<String, String> sent = sent(List.of("--header-through", "x-mine"), "x-mine: sk-ant-api03-0123456789");
        assertFalse(sent.containsKey("x-mine"), sent::toString);
    }
}
