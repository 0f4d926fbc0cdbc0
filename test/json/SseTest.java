package json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class SseTest {
    /** Asserts that a stream which repeats that for ever is refused. */
    private static void assertEndless(String reason, String repeated) {
        byte[] piece = repeated.repeat(64 * 1024 / repeated.length()).getBytes(StandardCharsets.UTF_8);
        var events = new Sse(() -> piece);
        assertEquals(reason, assertThrows(Endless.class, events::next).getMessage());
    }

    @Test
    void aLineWithoutAnEndIsRefused() {
        assertEndless("a line of the stream does not end", "data: x ");
    }

    @Test
    void anEventWithoutAnEndIsRefused() {
        assertEndless("an event of the stream does not end", "data: " + "x".repeat(1017) + "\n");
    }
}
