package serve;

import anthropic.Usage;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import upstream.Peer;

/**
 * Sums over all requests for a message since the start. It is not for several threads: {@link Status} guards
 * it. Clients choose the names of models: a limited number of them is told apart.
 */
final class Counters {
    private static final int MAX_MODELS = 100;
    private static final String OTHER_MODELS = "other";
    private static final Served NOBODY = new Served("", ""); // for which no backend was asked

    /** The sums over the requests of one client, or for one model. */
    record Totals(long requests, long errors, Usage tokens) {
        static final Totals NONE = new Totals(0, 0, Usage.NONE);
    }

    /** A model, and the backend that was asked for it. */
    record Served(String model, String upstream) { }

    /** What requests are told apart by. */
    record Kind(int status, Served served) { }

    /** The sums over the requests for one model at one backend. */
    static final class Sums {
        private final Histogram firstTokens;
        private final Histogram timesPerToken = new Histogram(Histogram.OF_TOKENS);
        private Usage tokens = Usage.NONE;

        private Sums(List<Double> bounds) { this.firstTokens = new Histogram(bounds); }

        private void add(Outcome outcome) {
            tokens = tokens.plus(outcome.used());
            if (outcome.isGood()) outcome.times().first().ifPresent(firstTokens::add);
            outcome.nanosPerToken().ifPresent(timesPerToken::add);
        }

        Usage tokens() { return tokens; }
        /** {@return the times to the first of the reply, of those that went well} */
        Histogram firstTokens() { return firstTokens; }
        /** {@return the times that a token after the first took, of those that went well} */
        Histogram timesPerToken() { return timesPerToken; }
    }

    private final List<Double> bounds; // of times, in seconds
    private final Map<Kind, Long> requests = new LinkedHashMap<>();
    private final Map<Kind, Histogram> durations = new LinkedHashMap<>();
    private final Map<Served, Sums> sums = new LinkedHashMap<>();
    private final Map<String, Histogram> queueWaits = new LinkedHashMap<>(); // by backend
    private final Set<String> models = new HashSet<>(); // that are told apart
    private Usage tokens = Usage.NONE;
    private final Map<String, Totals> clients = new TreeMap<>(); // by name
    private long errors;
    private long retries;
    private long searches;
    private long failedSearches;

    Counters(Duration timeout) { this.bounds = Histogram.boundsTo(timeout); }

    /** Counts a request for which no backend was asked. */
    void addRefused(Optional<String> client, int status) {
        client.ifPresent(name -> addOf(name, true, Usage.NONE));
        requests.merge(new Kind(status, NOBODY), 1L, Long::sum);
        errors++;
    }

    void add(Outcome outcome) {
        var served = new Served(knownModel(outcome.model()), outcome.at().map(Peer::label).orElse(""));
        var kind = new Kind(outcome.status(), served);
        requests.merge(kind, 1L, Long::sum);
        durations.computeIfAbsent(kind, none -> new Histogram(bounds)).add(outcome.times().whole());
        sums.computeIfAbsent(served, none -> new Sums(bounds)).add(outcome);
        queueWaits.computeIfAbsent(served.upstream, none -> new Histogram(bounds))
                .add(outcome.times().queued());
        if (outcome.isError()) errors++;
        retries += outcome.retries();
        searches += outcome.searches().made();
        failedSearches += outcome.searches().failed();
        tokens = tokens.plus(outcome.used());
        outcome.client().ifPresent(name -> addOf(name, outcome.isError(), outcome.used()));
    }

    private void addOf(String client, boolean isError, Usage used) {
        Totals before = clients.getOrDefault(client, Totals.NONE);
        long failed = before.errors + (isError ? 1 : 0);
        clients.put(client, new Totals(before.requests + 1, failed, before.tokens.plus(used)));
    }

    private String knownModel(String model) {
        if (models.size() < MAX_MODELS) models.add(model);
        return models.contains(model) ? model : OTHER_MODELS;
    }

    Map<Kind, Long> requests() { return Collections.unmodifiableMap(requests); }
    long allRequests() { return requests.values().stream().mapToLong(Long::longValue).sum(); }
    /** {@return the times to the end of the reply, of requests for which a backend was to be asked} */
    Map<Kind, Histogram> durations() { return Collections.unmodifiableMap(durations); }
    Map<Served, Sums> sums() { return Collections.unmodifiableMap(sums); }
    /** {@return the times that requests have waited for a place among those in flight, by backend} */
    Map<String, Histogram> queueWaits() { return Collections.unmodifiableMap(queueWaits); }
    /** {@return the sums by the client's name, of clients that have one} */
    Map<String, Totals> clients() { return Collections.unmodifiableMap(clients); }
    /** {@return the sums by model and backend} */
    Map<Served, Totals> models() {
        Map<Served, Totals> models = new LinkedHashMap<>();
        requests.forEach((kind, count) -> {
            if (!sums.containsKey(kind.served)) return;
            Totals known = models.getOrDefault(kind.served, Totals.NONE);
            long failed = Outcome.isError(kind.status) ? count : 0;
            Usage used = sums.get(kind.served).tokens;
            models.put(kind.served, new Totals(known.requests + count, known.errors + failed, used));
        });
        return models;
    }
    long errors() { return errors; }
    long retries() { return retries; }
    /** {@return the searches in the web that A2o has made} */
    long searches() { return searches; }
    long failedSearches() { return failedSearches; }
    Usage tokens() { return tokens; }
}
