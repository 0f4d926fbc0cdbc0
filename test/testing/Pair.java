package testing;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import serve.Proxy;
import upstream.Clock;

/** A backend and the proxy before it; where no clock is given, its pauses between tries are over at once. */
public final class Pair implements AutoCloseable {
    public final Backend backend = new Backend();
    public final Proxy proxy;

    public Pair(String... args) throws IOException {
        this(PatientClock.withoutPauses(), args);
    }

    public Pair(Clock clock, String... args) throws IOException {
        proxy = Proxies.before(clock, backend, args);
    }

    public int port() {
        return proxy.port();
    }

    /** Has the proxy serve by other options, before the same backend. */
    public void use(String... args) throws IOException {
        List<String> all = new ArrayList<>(List.of("--upstream", backend.url().toString()));
        all.addAll(List.of(args));
        proxy.use(Proxies.options(Map.of(), all.toArray(new String[0])));
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
