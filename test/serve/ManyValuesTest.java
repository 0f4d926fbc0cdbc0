package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import json.Json;
import json.JsonParser;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Wire;

/** Values take many times the room of their text: a body may only hold so many, however short it is. */
class ManyValuesTest {
    private static final String ASKED =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"x\":[%s0]}";

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(out)) {
            zip.write(bytes);
        }
        return out.toByteArray();
    }

    @Test
    void aBodyOfTooManyValuesIsRefused() throws Exception {
        byte[] many = utf8(ASKED.formatted("[],".repeat(11_000_000)));
        byte[] small = gzip(many);
        assertTrue(many.length > 32_000_000 && small.length < 100_000, small.length + " bytes");
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (String path : new String[] {"/v1/messages", "/v1/messages/count_tokens"}) {
                Wire.Reply reply = Wire.ask(proxy.port(), "POST", path, small, "content-encoding: gzip");
                assertEquals(413, reply.status(), reply.body());
                assertEquals("request_too_large", reply.text("error.type"));
                assertTrue(reply.text("error.message").contains("more than 524288 JSON values"), reply.body());
            }
            byte[] plain = utf8(ASKED.formatted("{\"\\u0061\":1},".repeat(400_000)));
            assertEquals(413, Wire.ask(proxy.port(), "POST", "/v1/messages", plain).status());
            assertEquals(0, backend.requests());
        }
    }

    /** Claude Code's have one in 70 bytes; here is one in 13, in far more messages than a conversation has. */
    @Test
    void aLongConversationIsTaken() throws Exception {
        String turn = "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},";
        String asked = ASKED.formatted("").replace("[{", "[" + turn.repeat(80_000) + "{");
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            assertEquals("Hello there", Wire.post(proxy.port(), asked).said());
        }
    }

    @Test
    void whatCountsAreValuesAndNamesThatAreNotKnownYet() {
        String fits = "[" + "0,".repeat(Json.MAX_VALUES - 2) + "0]";
        assertEquals(Json.MAX_VALUES - 1, JsonParser.parse(fits).items().size());
        for (String tooMany : new String[] {"[0," + fits.substring(1), "[{}," + fits.substring(1),
            "[" + "[],".repeat(Json.MAX_VALUES) + "0]", "{" + names(Json.MAX_VALUES / 2) + "}"}) {
            assertThrows(Json.TooManyValues.class, () -> JsonParser.parse(tooMany));
        }
    }

    private static String names(int count) {
        var names = new StringBuilder();
        for (int i = 0; i < count; i++) names.append("\"\\u0061").append(i).append("\":0,");
        return names.append("\"z\":0").toString();
    }
}
