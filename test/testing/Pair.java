package testing;

import java.io.IOException;
import serve.Proxy;
import upstream.Clock;

/** A backend and the proxy before it. */
public final class Pair implements AutoCloseable {
    public final Backend backend = new Backend();
    public final Proxy proxy;

    public Pair(String... args) throws IOException {
        this(new PatientClock(), args);
    }

    public Pair(Clock clock, String... args) throws IOException {
        proxy = Proxies.before(clock, backend, args);
    }

    public int port() {
        return proxy.port();
    }

    /** Asks for a message. */
    public Wire.Reply post(String body, String... headers) throws IOException {
        return Wire.post(port(), body, headers);
    }

    public Wire.Reply ask(String method, String path, String... headers) throws IOException {
        return Wire.ask(port(), method, path, new byte[0], headers);
    }

    /** {@return the connection on which a request for a message has been sent} */
    public Wire sent(String body) throws IOException {
        return new Wire(port()).message(body);
    }

    /** Waits until the proxy's status has that number at that path. */
    public void awaitStatus(String path, int expected) throws Exception {
        var number = new Tree.Num("" + expected);
        Tasks.await(() -> number.equals(Tree.at(ask("GET", "/status.json").json(), path)), "no " + expected);
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        backend.close();
    }
}
