package serve;

import anthropic.Usage;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Sums over all requests for a message since the start. It is not for several threads: {@link Status} guards
 * it.
 */
final class Counters {
    private static final int MAX_MODELS = 100; // told apart, for clients choose their names
    private static final String OTHER_MODELS = "other";
    private static final String NO_MODEL = ""; // of requests for which no backend was asked

    private static final Usage NOTHING = new Usage(0, 0, 0, 0, 0);

    /** The sums over the requests of one client. */
    record OfClient(long requests, long errors, Usage tokens) { }

    /** What requests are told apart by. */
    record Kind(int status, String model) { }

    private final Map<Kind, Long> requests = new LinkedHashMap<>();
    private final Set<String> models = new HashSet<>(); // that are told apart
    private final Histogram durations = new Histogram();
    private final Histogram firstTokens = new Histogram();
    private Usage tokens = NOTHING;
    private final Map<String, OfClient> clients = new TreeMap<>(); // by name
    private long errors;
    private long retries;

    /** Counts a request for which no backend was asked. */
    void addRefused(Optional<String> client, int status) {
        client.ifPresent(name -> addOf(name, true, NOTHING));
        requests.merge(new Kind(status, NO_MODEL), 1L, Long::sum);
        errors++;
    }

    void add(Outcome outcome) {
        requests.merge(new Kind(outcome.status(), knownModel(outcome.model())), 1L, Long::sum);
        if (outcome.isError()) errors++;
        retries += outcome.retries();
        tokens = sum(tokens, outcome.used());
        outcome.client().ifPresent(name -> addOf(name, outcome.isError(), outcome.used()));
        durations.add(outcome.times().whole());
        if (outcome.isGood()) outcome.times().first().ifPresent(firstTokens::add);
    }

    private void addOf(String client, boolean isError, Usage used) {
        OfClient before = clients.getOrDefault(client, new OfClient(0, 0, NOTHING));
        long failed = before.errors + (isError ? 1 : 0);
        clients.put(client, new OfClient(before.requests + 1, failed, sum(before.tokens, used)));
    }

    private String knownModel(String model) {
        if (models.size() < MAX_MODELS) models.add(model);
        return models.contains(model) ? model : OTHER_MODELS;
    }

    private static Usage sum(Usage one, Usage other) {
        return new Usage(
                one.input() + other.input(),
                one.cacheWrite() + other.cacheWrite(),
                one.cacheRead() + other.cacheRead(),
                one.output() + other.output(),
                one.thinking() + other.thinking());
    }

    /** {@return whether a backend was to be asked for any of them} */
    boolean hasOutcomes() { return durations.count() > 0; }
    Map<Kind, Long> requests() { return Collections.unmodifiableMap(requests); }
    long allRequests() { return requests.values().stream().mapToLong(Long::longValue).sum(); }
    /** {@return the sums by the client's name, of clients that have one} */
    Map<String, OfClient> clients() { return Collections.unmodifiableMap(clients); }
    long errors() { return errors; }
    long retries() { return retries; }
    Usage tokens() { return tokens; }
    /** {@return the times to the end of the reply, of all requests for which a backend was to be asked} */
    Histogram durations() { return durations; }
    /** {@return the times to the first of the reply, of those that went well} */
    Histogram firstTokens() { return firstTokens; }
}
