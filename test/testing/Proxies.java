package testing;

import config.CommandLine;
import config.Options;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import serve.Proxy;
import upstream.Clock;

/** Makes proxies that serve, each at a free port; where no clock is given, with a {@link PatientClock}. */
public final class Proxies {
    private Proxies() { }

    public static Options options(Map<String, String> environment, String... args) {
        List<String> all = new ArrayList<>(List.of("--port", "0"));
        all.addAll(List.of(args));
        return Options.of(CommandLine.read(all.toArray(new String[0]), environment));
    }

    public static Proxy start(String... args) throws IOException {
        return start(new PatientClock(), args);
    }

    public static Proxy start(Clock clock, String... args) throws IOException {
        return start(clock, options(Map.of(), args));
    }

    public static Proxy start(Map<String, String> environment, String... args) throws IOException {
        return start(new PatientClock(), options(environment, args));
    }

    private static Proxy start(Clock clock, Options options) throws IOException {
        var proxy = new Proxy(options, clock);
        proxy.start();
        return proxy;
    }

    public static Proxy before(Backend backend, String... args) throws IOException {
        return before(new PatientClock(), backend, args);
    }

    public static Proxy before(Clock clock, Backend backend, String... args) throws IOException {
        return before(clock, List.of(backend), args);
    }

    /** {@return a proxy that prefers the backends in that order} */
    static Proxy before(Clock clock, List<Backend> backends, String... args) throws IOException {
        List<String> all = new ArrayList<>();
        for (Backend backend : backends) all.addAll(List.of("--upstream", backend.url().toString()));
        all.addAll(List.of(args));
        return start(clock, all.toArray(new String[0]));
    }
}
