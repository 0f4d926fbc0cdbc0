package serve;

import config.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import json.JsonWriter;
import upstream.Health;
import upstream.Upstream;

/**
 * Writes {@code GET /metrics}: help, type and samples of each metric, as Prometheus reads them. It counts
 * nothing. Series of errors are there before the first error, or its increase would not be seen.
 *
 * <p>Source: Prometheus, "Text-based format", version 0.0.4; "Writing client libraries", "Process metrics".
 */
final class Metrics {
    private enum Type { GAUGE, COUNTER, HISTOGRAM }

    private static final List<Integer> ERRORS =
            List.of(400, 401, 402, 403, 404, 408, 413, 429, 499, 500, 502, 503, 504, 529);
    private static final List<Integer> BACKENDS_ERRORS = List.of(400, 401, 404, 429, 500, 502, 503, 504);
    private static final double SECOND = 1e9; // in nanoseconds

    private final StringBuilder text = new StringBuilder();
    private String metric = ""; // the one that is being written

    JsonWriter text() { return new JsonWriter().utf8(text.toString()); }

    /** Writes what requests have summed up to. {@code names} are those of clients' keys. */
    void writeRequests(Counters counters, int inFlight, List<String> names) {
        begin("a2o_build_info", Type.GAUGE, "The version that runs.");
        sample(1, label("version", Options.VERSION));
        begin("a2o_requests_in_flight", Type.GAUGE, "Requests for a message that are being answered.");
        sample(inFlight);
        begin("a2o_requests_total", Type.COUNTER, "Requests for a message by the status that they ended with,"
                + " the backend's model, and the backend; these two are empty where none was asked.");
        counters.requests().forEach((kind, count) -> sample(count, labels(kind)));
        begin("a2o_request_errors_total", Type.COUNTER,
                "Those of them that ended with an error, or whose client left.");
        errors(counters).forEach((status, count) -> sample(count, label("status", "" + status)));
        begin("a2o_retries_total", Type.COUNTER, "Tries after a request's first.");
        sample(counters.retries());
        begin("a2o_searches_total", Type.COUNTER, "Searches in the web that were made for models.");
        sample(counters.searches());
        begin("a2o_search_errors_total", Type.COUNTER, "Those of them that have failed.");
        sample(counters.failedSearches());
        begin("a2o_request_duration_seconds", Type.HISTOGRAM, "Time to the end of the reply.");
        counters.durations().forEach((kind, times) -> histogram(times, labels(kind)));
        begin("a2o_queue_wait_seconds", Type.HISTOGRAM,
                "Of that, time to get a place among the requests in flight.");
        counters.queueWaits().forEach((upstream, times) -> histogram(times, label("upstream", upstream)));
        writeReplies(counters);
        writeClients(counters, names);
    }

    /** {@return the requests by the status of their error, also of those that there were none of yet} */
    private static Map<Integer, Long> errors(Counters counters) {
        Map<Integer, Long> errors = new LinkedHashMap<>();
        ERRORS.forEach(status -> errors.put(status, 0L));
        counters.requests().forEach((kind, count) -> {
            if (kind.status() >= 400) errors.merge(kind.status(), count, Long::sum);
        });
        return errors;
    }

    private void writeReplies(Counters counters) {
        begin("a2o_time_to_first_token_seconds", Type.HISTOGRAM, "Time to the first words of a good reply.");
        counters.sums().forEach((served, sums) -> histogram(sums.firstTokens(), labels(served)));
        begin("a2o_time_per_output_token_seconds", Type.HISTOGRAM,
                "Time for each token after the first, of good replies that came in pieces.");
        counters.sums().forEach((served, sums) -> histogram(sums.timesPerToken(), labels(served)));
        begin("a2o_tokens_total", Type.COUNTER,
                "Tokens as the backends counted them, or guessed where they did not.");
        counters.sums().forEach((served, sums) -> {
            String labels = labels(served);
            sample(sums.tokens().input(), label("kind", "input"), labels);
            sample(sums.tokens().cacheRead(), label("kind", "cache_read"), labels);
            sample(sums.tokens().cacheWrite(), label("kind", "cache_creation"), labels);
            sample(sums.tokens().output(), label("kind", "output"), labels);
        });
    }

    private void writeClients(Counters counters, List<String> names) {
        Map<String, Counters.Totals> clients = new TreeMap<>();
        names.forEach(name -> clients.put(name, Counters.Totals.NONE));
        clients.putAll(counters.clients());
        begin("a2o_client_requests_total", Type.COUNTER,
                "Requests for a message by the name of the client's key.");
        clients.forEach((name, client) -> sample(client.requests(), label("client", name)));
        begin("a2o_client_errors_total", Type.COUNTER, "Those of them that ended with an error.");
        clients.forEach((name, client) -> sample(client.errors(), label("client", name)));
        begin("a2o_client_tokens_total", Type.COUNTER, "Tokens by the name of the client's key.");
        clients.forEach((name, client) -> {
            sample(client.tokens().prompt(), label("client", name), label("kind", "input"));
            sample(client.tokens().output(), label("client", name), label("kind", "output"));
        });
    }

    /** Writes how the backends do. One may be given twice, with two keys: its numbers are summed up. */
    void writeUpstreams(List<Upstream> upstreams) {
        begin("a2o_upstream_state", Type.GAUGE, "1 for the state that the backend is in, 0 for the others.");
        states(upstreams).forEach((labels, isIn) -> sample(isIn, labels));
        begin("a2o_upstream_tries_total", Type.COUNTER, "Requests that were sent to the backend.");
        sum(upstreams, Upstream::tries).forEach((labels, count) -> sample(count, labels));
        begin("a2o_upstream_errors_total", Type.COUNTER,
                "Tries that failed, by the backend's status if it gave one.");
        errors(upstreams).forEach((labels, count) -> sample(count, labels));
        begin("a2o_queue_length", Type.GAUGE, "Requests that wait for a place among those in flight.");
        sum(upstreams, Upstream::waiting).forEach((labels, count) -> sample(count, labels));
        begin("a2o_learned_rules", Type.GAUGE,
                "What is known by now of what the backend's models do not take.");
        sum(upstreams, Upstream::rules).forEach((labels, count) -> sample(count, labels));
        begin("a2o_learned_downgrades_total", Type.COUNTER, "What was learned about backends.");
        sample(upstreams.stream().mapToLong(Upstream::timesLearned).sum());
    }

    /** {@return for each state of each backend whether it is in that} */
    private static Map<String, Long> states(List<Upstream> upstreams) {
        Map<String, Long> states = new LinkedHashMap<>();
        for (Upstream upstream : upstreams) {
            Health.State now = upstream.state();
            for (Health.State state : Health.State.values()) {
                String labels = of(upstream) + "," + label("state", state.toString());
                states.merge(labels, now == state ? 1L : 0L, Math::max);
            }
        }
        return states;
    }

    private static Map<String, Long> errors(List<Upstream> upstreams) {
        Map<String, Long> errors = new LinkedHashMap<>();
        for (Upstream upstream : upstreams) {
            BACKENDS_ERRORS.forEach(status -> errors.putIfAbsent(of(upstream, status), 0L));
            upstream.errors().forEach((status, count) ->
                    errors.merge(of(upstream, status), count.sum(), Long::sum));
        }
        return errors;
    }

    private static Map<String, Long> sum(List<Upstream> upstreams, ToLongFunction<Upstream> number) {
        Map<String, Long> sums = new LinkedHashMap<>();
        upstreams.forEach(upstream -> sums.merge(of(upstream), number.applyAsLong(upstream), Long::sum));
        return sums;
    }

    private static String of(Upstream upstream) { return label("upstream", upstream.label()); }

    private static String of(Upstream upstream, int status) {
        return of(upstream) + "," + label("status", "" + status);
    }

    /** Writes what the process takes, as far as it can be known here. */
    void writeProcess() {
        OwnProcess.cpuTime().ifPresent(time -> {
            begin("process_cpu_seconds_total", Type.COUNTER, "Processor time that the process has taken.");
            sample(time.toNanos() / SECOND);
        });
        OwnProcess.start().ifPresent(start -> {
            begin("process_start_time_seconds", Type.GAUGE, "When the process began, since 1970.");
            sample(start.toEpochMilli() / 1000.0);
        });
        bytesOrNumber("process_resident_memory_bytes", "Memory that the process takes.",
                OwnProcess.residentBytes());
        bytesOrNumber("process_open_fds", "File descriptors that are open.", OwnProcess.openDescriptors());
        Runtime java = Runtime.getRuntime();
        String heap = label("area", "heap");
        begin("jvm_memory_used_bytes", Type.GAUGE, "Memory of the heap that is used, garbage included.");
        sample(java.totalMemory() - java.freeMemory(), heap);
        begin("jvm_memory_committed_bytes", Type.GAUGE, "Memory that the heap has.");
        sample(java.totalMemory(), heap);
        begin("jvm_memory_max_bytes", Type.GAUGE, "Memory that the heap may have.");
        sample(java.maxMemory(), heap);
        begin("jvm_info", Type.GAUGE, "The Java that runs this.");
        sample(1, label("version", Runtime.version().toString()));
    }

    private void bytesOrNumber(String name, String help, OptionalLong value) {
        if (value.isEmpty()) return;
        begin(name, Type.GAUGE, help);
        sample(value.getAsLong());
    }

    private void begin(String name, Type type, String help) {
        metric = name;
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        String word = type.name().toLowerCase(Locale.ROOT);
        text.append("# TYPE ").append(name).append(' ').append(word).append('\n');
    }

    private void sample(double value, String... labels) { sample("", value, labels); }

    /** @param suffix of the metric's name */
    private void sample(String suffix, double value, String... labels) {
        text.append(metric).append(suffix);
        if (labels.length > 0) text.append('{').append(String.join(",", labels)).append('}');
        text.append(' ').append(value).append('\n');
    }

    private static String labels(Counters.Kind kind) {
        return label("status", "" + kind.status()) + "," + labels(kind.served());
    }

    private static String labels(Counters.Served served) {
        return label("model", served.model()) + "," + label("upstream", served.upstream());
    }

    private static String label(String name, String value) {
        return name + "=\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private void histogram(Histogram values, String labels) {
        long soFar = 0;
        for (int i = 0; i < values.bounds().size(); i++) {
            soFar += values.count(i);
            sample("_bucket", soFar, labels, label("le", "" + values.bounds().get(i)));
        }
        sample("_bucket", values.count(), labels, label("le", "+Inf"));
        sample("_sum", values.sumSeconds(), labels);
        sample("_count", values.count(), labels);
    }
}
