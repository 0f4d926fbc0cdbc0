package testing;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import serve.Proxy;
import upstream.Clock;

/**
 * Some backends, each of which says its number, and the proxy that prefers them in that order; where no clock is given,
 * its pauses between tries are over at once.
 */
public final class Farm implements AutoCloseable {
    public final Proxy proxy;
    private final List<Backend> backends = new ArrayList<>();

    public Farm(int size, String... args) throws IOException {
        this(PatientClock.withoutPauses(), size, args);
    }

    public Farm(Clock clock, int size, String... args) throws IOException {
        for (int i = 0; i < size; i++) {
            backends.add(new Backend());
            works(i);
        }
        proxy = Proxies.before(clock, backends, args);
    }

    public Backend get(int i) {
        return backends.get(i);
    }

    /** From now on that backend says its number. */
    public void works(int i) {
        get(i).answers(Backend.saying("from " + i));
    }

    /** Asks for a message. */
    public Wire.Reply post(String body, String... headers) throws IOException {
        return Wire.post(proxy.port(), body, headers);
    }

    /** {@return how many requests each backend has had} */
    public List<Integer> requests() {
        return backends.stream().map(Backend::requests).toList();
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        for (Backend backend : backends) backend.close();
    }
}
