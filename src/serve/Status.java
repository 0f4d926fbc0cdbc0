package serve;

import config.Options;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import json.JsonWriter;
import upstream.Health;
import upstream.Upstream;
import upstream.Upstreams;

/**
 * What those who run the proxy are told: whether it is ready, what it has done, and what became of the last
 * requests. It knows no prompt and no key. Safe for use by many threads; it holds each up for a microsecond.
 */
final class Status {
    private static final int MAX_LAST = 50; // outcomes that are shown

    private final Supplier<Upstreams> current;
    private final long startMillis = System.currentTimeMillis();
    private final Counters counters; // guarded by this, as is the next
    private final Deque<Outcome> last = new ArrayDeque<>(); // the newest first
    private volatile boolean isDraining;

    /** The times that are counted are told apart up to {@code timeout}. */
    Status(Supplier<Upstreams> current, Duration timeout) {
        this.current = current;
        this.counters = new Counters(timeout);
    }

    /** Counts a request for which no backend was asked. */
    synchronized void addRefused(Optional<String> client, int status) { counters.addRefused(client, status); }

    synchronized void add(Outcome outcome) {
        counters.add(outcome);
        last.addFirst(outcome);
        if (last.size() > MAX_LAST) last.removeLast();
    }

    /** From now on the proxy is not ready. */
    void drain() { isDraining = true; }

    /** {@return why no request should be sent here now; nothing if the proxy is ready} */
    Optional<String> whyNotReady() {
        if (isDraining) return Optional.of("the proxy is being stopped");
        List<Upstream> all = current.get().all();
        if (!all.stream().allMatch(Upstream::isDown)) return Optional.empty();
        boolean isReached = all.stream().anyMatch(each -> each.state() != Health.State.UNREACHABLE);
        return Optional.of(isReached ? "no backend works" : "no backend can be reached");
    }

    JsonWriter metrics(int inFlight) {
        var metrics = new Metrics();
        List<String> names = current.get().options().authKeys().stream()
                .flatMap(key -> key.name().stream()).toList();
        synchronized (this) {
            metrics.writeRequests(counters, inFlight, names);
        }
        metrics.writeUpstreams(current.get().all());
        metrics.writeProcess();
        return metrics.text();
    }

    /** {@return {@code status.json}, which the page shows} */
    JsonWriter json(int inFlight, List<Running> running) {
        Upstreams upstreams = current.get();
        Options options = upstreams.options();
        OptionalLong window = upstreams.window(options.routes().main());
        var out = new JsonWriter().object();
        out.field("version", Options.VERSION).field("state", whyNotReady().orElse("ready"));
        out.field("started", startMillis);
        out.field("key", ClientVariables.placeholder(options));
        out.field("variables", ClientVariables.shown(options, window));
        out.name("paste").object();
        out.field("variables", ClientVariables.pasted(options, window));
        out.field("key", ClientVariables.pastedKey(options)).endObject();
        out.name("upstreams").array();
        upstreams.all().forEach(upstream -> out.value(upstream.json()));
        out.endArray();
        out.name("running").array();
        running.forEach(each -> each.write(out));
        out.endArray();
        synchronized (this) {
            writeCounts(inFlight, out);
            out.name("models").array();
            counters.models().forEach((served, totals) -> write(served, totals, out));
            out.endArray();
            out.name("clients").array();
            counters.clients().forEach((name, totals) -> {
                write(totals, out.object().field("name", name));
                out.endObject();
            });
            out.endArray();
            out.name("last").array();
            last.forEach(outcome -> outcome.writeStatus(out));
            out.endArray();
        }
        return out.endObject();
    }

    private static void write(Counters.Served served, Counters.Totals totals, JsonWriter out) {
        write(totals, out.object().field("name", served.model()).field("upstream", served.upstream()));
        out.endObject();
    }

    private static void write(Counters.Totals totals, JsonWriter out) {
        out.field("requests", totals.requests()).field("errors", totals.errors());
        out.field("input_tokens", totals.tokens().prompt()).field("output_tokens", totals.tokens().output());
    }

    private void writeCounts(int inFlight, JsonWriter out) {
        out.name("counts").object().field("in_flight", inFlight);
        out.field("requests", counters.allRequests()).field("errors", counters.errors());
        out.field("retries", counters.retries());
        out.field("input_tokens", counters.tokens().input());
        out.field("cached_tokens", counters.tokens().cacheRead());
        out.field("cache_writes", counters.tokens().cacheWrite());
        out.field("output_tokens", counters.tokens().output());
        out.endObject();
    }
}
