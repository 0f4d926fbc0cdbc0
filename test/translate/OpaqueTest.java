package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import json.Json;
import json.JsonWriter;
import json.JsonParser;
import org.junit.jupiter.api.Test;

/** What is kept for a backend, where a number decides; what becomes of it otherwise is in streams/ and requests/. */
class OpaqueTest {
    private static final String DETAIL = "{\"signature\":\"%s\"}";
    private static final String KEPT = "{\"reasoning_details\":[" + DETAIL + "]}";

    /** {@return the signature of reasoning for which so many bytes are to be kept} */
    private static String signature(int bytes) {
        String text = "s".repeat(bytes - KEPT.formatted("").length());
        var opaque = new Opaque();
        opaque.addDetail("reasoning_details", JsonParser.parse(DETAIL.formatted(text).getBytes(StandardCharsets.UTF_8)));
        String signature = opaque.take("reasoning");
        assertTrue(opaque.isEmpty());
        return signature;
    }

    @Test
    void aQuarterOfAMegabyteIsKept() {
        String signature = signature(256 * 1024);
        assertTrue(signature.startsWith("a2o1.reasoning."), signature.substring(0, 20));
        Json kept = Opaque.of(JsonWriter.text(signature));
        assertEquals(256 * 1024, kept.to() - kept.from());
    }

    @Test
    void ofMoreNothingIsKeptAndTheReasoningHasItsKeyStill() {
        assertEquals("a2o1.reasoning", signature(256 * 1024 + 1));
    }
}
