package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import serve.Proxy;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** A host that answers no request for a connection, as behind a firewall that drops it. */
@Order(1)
class DroppedTest {
    private static final int MAX_FILLING = 50;
    private static final String PLAIN =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

    /** A port where as many connections wait already as may: the system drops all others. */
    private static final class Hole implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        private final List<Socket> waiting = new ArrayList<>();

        private Hole() throws IOException {
            boolean isFull = false;
            for (int i = 0; i < MAX_FILLING && !isFull; i++) isFull = !fill();
            if (!isFull) throw new IOException("it takes all connections");
        }

        private boolean fill() throws IOException {
            waiting.add(new Socket());
            try {
                waiting.getLast().connect(server.getLocalSocketAddress(), 1000);
                return true;
            } catch (SocketTimeoutException full) {
                return false;
            }
        }

        private String host() {
            return "127.0.0.1:" + server.getLocalPort();
        }

        private String url() {
            return "http://" + host() + "/v1";
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : waiting) socket.close();
            server.close();
        }
    }

    /** The two at the same time, since a connection is waited for as long as it is. */
    @Test
    void itIsWaitedForOnceAndThenTheNextIsAsked() throws Exception {
        try (var hole = new Hole(); var backend = new Backend();
             Proxy alone = Proxies.start(SystemClock.INSTANCE, "--upstream", hole.url());
             Proxy both = Proxies.start(SystemClock.INSTANCE, "--upstream", hole.url(), "--upstream", backend.url().toString())) {
            FutureTask<Wire.Reply> helped = Tasks.ask(() -> Wire.post(both.port(), PLAIN));
            FutureTask<Wire.Reply> failed = Tasks.ask(() -> Wire.post(alone.port(), PLAIN));
            assertEquals("502 %s: cannot connect; nothing answered for 8 seconds".formatted(hole.host()),
                    Tasks.outcome(failed).status() + " " + Tasks.outcome(failed).text("error.message"));
            assertEquals("Hello there", Tasks.outcome(helped).said());
            for (Proxy proxy : new Proxy[] {alone, both}) {
                Tasks.await(() -> number(proxy, "counts.requests").equals("1"), "the exchange has not ended");
                assertEquals(proxy == alone ? "0" : "1", number(proxy, "counts.retries"));
                assertEquals("1", number(proxy, "upstreams.0.errors"));
                assertEquals("unreachable", Tree.at(status(proxy), "upstreams.0.state"));
            }
        }
    }

    private static String number(Proxy proxy, String path) throws IOException {
        return ((Tree.Num) Tree.at(status(proxy), path)).text();
    }

    private static Object status(Proxy proxy) throws IOException {
        return Wire.ask(proxy.port(), "GET", "/status.json", new byte[0]).json();
    }
}
