package anthropic;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** The random part of the ids that the proxy gives: of requests, messages and calls. */
public final class Ids {
    private Ids() { }

    /** {@return 24 hex digits that are not given twice; no secret} */
    public static String newId() {
        var random = ThreadLocalRandom.current();
        return HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextInt());
    }
}
