package config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AuthKeyTest {
    @Test
    void aKeyMayHaveAName() {
        String[][] rows = {{"anna=secret", "anna", "secret"}, {"ci-bot=a=b=", "ci-bot", "a=b="}};
        for (String[] row : rows) {
            var key = new AuthKey(row[0]);
            assertEquals(Optional.of(row[1]), key.name());
            assertEquals(row[2], key.key());
            assertTrue(key.isSame(row[2]));
            assertFalse(key.isSame(row[1]));
        }
    }

    @Test
    void whatLooksLikeBase64HasNone() {
        for (String text : List.of("secret", "QWxhZGRpbjpvcGVu=", "QWxhZGRpbjpvcGVu==", "3a=b", "=x", "a=", "")) {
            assertEquals(Optional.empty(), new AuthKey(text).name(), text);
            assertEquals(text, new AuthKey(text).key());
        }
    }

    /** As such a key was given before there were names. */
    @Test
    void theWholeTextIsAKeyToo() {
        assertTrue(new AuthKey("anna=secret").isSame("anna=secret"));
    }

    @Test
    void severalKeysAreAllSecrets() {
        String[] args = {"http://h.test", "--auth-key", "anna=correct-horse", "--auth-key", "battery-staple"};
        Options options = Options.of(CommandLine.read(args, Map.of()));
        assertEquals(List.of("correct-horse", "battery-staple"), options.authKeys().stream().map(AuthKey::key).toList());
        assertEquals("(key) (key)", options.secrets().mask("correct-horse battery-staple"));
    }
}
