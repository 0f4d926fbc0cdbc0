package upstream;

import anthropic.BackendModels;
import anthropic.ListedModel;
import config.Options;
import config.Route;
import config.Target;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** All backends, in the order in which the options name them. Safe for use by many threads. */
public final class Upstreams implements AutoCloseable {
    private final Options options;
    private final Clock clock;
    private final Places places; // of all backends together
    private final List<Upstream> all = new ArrayList<>();

    /** @throws IOException if the certificates of {@code --ca-cert} cannot be read */
    public Upstreams(Options options, Clock clock) throws IOException {
        this(options, clock, new Places(options.maxConnections(), clock), List.of());
    }

    private Upstreams(Options options, Clock clock, Places places, List<Upstream> known) throws IOException {
        this.options = options;
        this.clock = clock;
        this.places = places;
        List<Upstream> left = new ArrayList<>(known);
        for (Target target : options.upstreams()) {
            Optional<Upstream> same = left.stream().filter(each -> each.target().equals(target)).findFirst();
            same.ifPresent(left::remove);
            all.add(same.isPresent() ? same.get() : new Upstream(options, target, places, clock));
        }
    }

    /**
     * {@return the backends of other options} Those that are the same in both keep their connections, their
     * state, and what was learned about them; the others finish what they have begun.
     *
     * @throws IOException if the certificates of {@code --ca-cert} cannot be read
     */
    public Upstreams with(Options others) throws IOException {
        var changed = new Upstreams(others, clock, places, all);
        changed.all.forEach(each -> each.use(others));
        all.stream().filter(each -> !changed.all.contains(each)).forEach(Upstream::close);
        return changed;
    }

    public Options options() { return options; }
    public List<Upstream> all() { return List.copyOf(all); }
    public Upstream first() { return all.getFirst(); }

    /**
     * {@return the backends of a route in the order to try them: the route's, but those set aside last} A
     * model that no option is about is asked for first at the named backend that lists it, if there is one.
     * So these are asked for their models, with the client's key: the first time while the request waits,
     * as long as clients wait for a list.
     */
    public List<Upstream> inOrder(Route route, String clientKey) {
        List<Upstream> all = of(route);
        Optional<Upstream> lister =
                route.isMapped() ? Optional.empty() : lister(all, route.model(), clientKey);
        return all.stream().sorted(Comparator.comparing(Upstream::isAside)
                .thenComparing(each -> !(each.isNamed() && lister.equals(Optional.of(each))))).toList();
    }

    private static Optional<Upstream> lister(List<Upstream> all, String model, String clientKey) {
        boolean isChoice = all.size() > 1 && all.stream().anyMatch(Upstream::isNamed);
        if (!isChoice) return Optional.empty();
        List<Upstream> unasked = all.stream().filter(each -> each.models().isUnasked()).toList();
        if (!unasked.isEmpty()) askAll(unasked, each -> each.models().listed(clientKey));
        Optional<Upstream> lister = all.stream().filter(each -> each.models().names(model)).findFirst();
        if (lister.isEmpty()) all.forEach(each -> each.models().askAgain(clientKey)); // it may be new there
        return lister;
    }

    /** {@return the backends of a route, as it has them} */
    public List<Upstream> of(Route route) {
        List<Target> targets = route.targets();
        return all.stream().filter(each -> targets.contains(each.target()))
                .sorted(Comparator.comparing(each -> targets.indexOf(each.target()))).toList();
    }

    /** {@return whether a request waits for its turn, as too many are in flight} */
    public boolean areAwaited() { return all.stream().anyMatch(Upstream::isAwaited); }

    /**
     * {@return the context window of the model that a client asks for, in tokens} Where --context does not
     * say it, all backends of the route are asked at once for their models, and the first one in order that
     * tells it counts. None is waited for longer than a client waits for a list.
     */
    public OptionalLong askWindow(String asked, String clientKey) {
        Route route = options.routes().of(asked);
        if (route.context().isPresent()) return route.context();
        askAll(of(route), each -> each.models().askForWindows(clientKey));
        return window(route);
    }

    /** {@return that window as far as it is known by now} It does not ask. */
    public OptionalLong window(Route route) { return Upstream.window(of(route), route); }

    /** {@return what each of the backends lists for that key} All are asked at once. */
    public List<BackendModels> askModels(String clientKey) {
        Map<Upstream, List<ListedModel>> lists = new ConcurrentHashMap<>();
        askAll(all, each -> lists.put(each, each.models().listed(clientKey)));
        return all.stream().map(each -> new BackendModels(each.target(), lists.getOrDefault(each, List.of())))
                .toList();
    }

    private static void askAll(List<Upstream> asked, Consumer<Upstream> question) {
        List<Thread> askers = asked.stream()
                .map(each -> Thread.ofVirtual().start(() -> question.accept(each))).toList();
        try {
            for (Thread asker : askers) asker.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the answers that have come by now must do
        }
    }

    @Override
    public void close() { all.forEach(Upstream::close); }
}
