package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import config.Api;
import config.Target;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import testing.Proxies;

/** What is told of exceptions that a real backend cannot be made to cause at will. */
class ConnectionHelpTest {
    private static String reason(Exception failure) {
        Target target =
                Proxies.options(Map.of(), "--upstream", "https://backend.test/v1").upstreams().getFirst();
        return ConnectionHelp.diagnose(failure, target, target.url(Api.CHAT), false, SystemClock.INSTANCE).reason();
    }

    /** The JDK's SSLTube says the one or the other: the end may come before it has begun the handshake. */
    @Test
    void anEndInTheHandshakeIsTheSameBeforeItHasBegun() {
        String expected = "TLS failed: the connection was closed in the handshake; "
                + "if no TLS is spoken there, use http:// in --upstream";
        for (String event : new String[] {"terminated the handshake", "closed the channel"}) {
            assertEquals(expected, reason(new SSLHandshakeException("Remote host " + event)));
        }
    }
}
