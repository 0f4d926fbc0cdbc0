import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.net.URL;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import org.junit.jupiter.api.Test;

/** The words that start this program again. */
class StartCommandTest {
    /** A main class. */
    static final class Main { }

    /** Makes classes as an AOT cache does: they come from somewhere, and nothing says where. */
    private static final class Cache extends ClassLoader {
        Class<?> main() throws Exception {
            try (InputStream file = StartCommandTest.class.getResourceAsStream("StartCommandTest$Main.class")) {
                byte[] bytes = file.readAllBytes();
                var nowhere = new CodeSource((URL) null, (Certificate[]) null);
                return defineClass(Main.class.getName(), bytes, 0, bytes.length, new ProtectionDomain(nowhere, null));
            }
        }
    }

    @Test
    void aClassFromAnAotCacheHasNoLocation() throws Exception {
        assertEquals(StartCommand.words(Main.class), StartCommand.words(new Cache().main()));
    }
}
