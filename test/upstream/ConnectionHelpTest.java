package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import config.Options;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import testing.Proxies;

/** What is told of exceptions that a real backend cannot be made to cause at will. */
class ConnectionHelpTest {
    private static String reason(Exception failure) {
        Options.Target target =
                Proxies.options(Map.of(), "--upstream", "https://backend.test/v1").upstreams().getFirst();
        return ConnectionHelp.diagnose(failure, target, target.url(), false, Clock.SYSTEM).reason();
    }

    /** The JDK says the one or the other (SSLTube), as the end comes before or after it has begun the handshake. */
    @Test
    void anEndInTheHandshakeIsTheSameBeforeItHasBegun() {
        for (String said : new String[] {"Remote host terminated the handshake", "Remote host closed the channel"}) {
            assertEquals("TLS failed: the connection was closed in the handshake; if no TLS is spoken there, use http:// "
                    + "in --upstream", reason(new SSLHandshakeException(said)));
        }
    }
}
