package upstream;

import config.Options;
import config.Target;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/** All backends, in the order in which the options name them. Safe for use by many threads. */
public final class Upstreams implements AutoCloseable {
    private final Options options;
    private final List<Upstream> all = new ArrayList<>();

    /** @throws IOException if the certificates of {@code --ca-cert} cannot be read */
    public Upstreams(Options options, Clock clock) throws IOException {
        this.options = options;
        var places = new Places(options.maxConnections(), clock);
        for (Target target : options.upstreams()) all.add(new Upstream(options, target, places, clock));
    }

    public List<Upstream> all() { return List.copyOf(all); }
    public Upstream first() { return all.getFirst(); }

    /** {@return the backends in the order to try them: as the options name them, but those set aside last} */
    public List<Upstream> inOrder() {
        return all.stream().sorted(Comparator.comparing(Upstream::isAside)).toList();
    }

    /** {@return whether a request waits for its turn, as too many are in flight} */
    public boolean areAwaited() { return all.stream().anyMatch(Upstream::isAwaited); }

    /**
     * {@return the context window of a model in tokens; 0 if it is not known} Where --context does not say
     * it, all backends are asked at once for their models, and the first one in order that tells it counts.
     * None is waited for longer than a client waits for a list.
     */
    public long askWindow(String model, String clientKey) {
        OptionalLong given = options.routes().of(model).context();
        if (given.isPresent()) return given.getAsLong();
        List<Thread> askers = all.stream()
                .map(each -> Thread.ofVirtual().start(() -> each.models().askForWindows(clientKey))).toList();
        try {
            for (Thread asker : askers) asker.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the answers that have come by now must do
        }
        return Upstream.window(all, model);
    }

    @Override
    public void close() { all.forEach(Upstream::close); }
}
