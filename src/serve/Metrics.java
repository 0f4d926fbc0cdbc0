package serve;

import config.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import json.JsonWriter;
import upstream.Upstream;

/**
 * Writes {@code GET /metrics}: help, type and samples of each metric, as Prometheus reads them. It counts
 * nothing.
 *
 * <p>Source: Prometheus, "Text-based format", version 0.0.4.
 */
final class Metrics {
    private enum Type { GAUGE, COUNTER, HISTOGRAM }

    private final StringBuilder text = new StringBuilder();
    private String metric = ""; // the one that is being written

    private Metrics() { }

    static JsonWriter text(Counters counters, List<Upstream> upstreams, int inFlight) {
        var metrics = new Metrics();
        metrics.writeProxy(inFlight);
        metrics.writeRequests(counters);
        metrics.writeTokens(counters);
        metrics.writeClients(counters);
        metrics.writeTries(counters, upstreams);
        return new JsonWriter().utf8(metrics.text.toString());
    }

    private void writeProxy(int inFlight) {
        begin("build_info", Type.GAUGE, "The version that runs.");
        sample(1, label("version", Options.VERSION));
        begin("requests_in_flight", Type.GAUGE, "Requests for a message that are being answered.");
        sample(inFlight);
    }

    private void writeRequests(Counters counters) {
        begin("requests_total", Type.COUNTER,
                "Requests for a message by the status that they ended with and the backend's model.");
        counters.requests().forEach((kind, count) ->
                sample(count, label("status", "" + kind.status()), label("model", kind.model())));
        begin("request_duration_seconds", Type.HISTOGRAM, "Time to the end of the reply.");
        histogram(counters.durations());
        begin("time_to_first_token_seconds", Type.HISTOGRAM, "Time to the first words of a good reply.");
        histogram(counters.firstTokens());
    }

    private void writeTokens(Counters counters) {
        begin("tokens_total", Type.COUNTER,
                "Tokens as the backends counted them, or guessed where they did not.");
        if (!counters.hasOutcomes()) return;
        sample(counters.tokens().input(), label("kind", "input"));
        sample(counters.tokens().cacheRead(), label("kind", "cache_read"));
        sample(counters.tokens().cacheWrite(), label("kind", "cache_creation"));
        sample(counters.tokens().output(), label("kind", "output"));
    }

    private void writeClients(Counters counters) {
        begin("client_requests_total", Type.COUNTER, "Requests for a message by the name of the client's key.");
        counters.clients().forEach((name, client) -> sample(client.requests(), label("client", name)));
        begin("client_errors_total", Type.COUNTER, "Those of them that ended with an error.");
        counters.clients().forEach((name, client) -> sample(client.errors(), label("client", name)));
        begin("client_tokens_total", Type.COUNTER, "Tokens by the name of the client's key.");
        counters.clients().forEach((name, client) -> {
            sample(client.tokens().prompt(), label("client", name), label("kind", "input"));
            sample(client.tokens().output(), label("client", name), label("kind", "output"));
        });
    }

    private void writeTries(Counters counters, List<Upstream> upstreams) {
        begin("upstream_errors_total", Type.COUNTER,
                "Tries that failed, by the backend's status if it gave one.");
        errors(upstreams).forEach((labels, count) -> sample(count, labels));
        begin("retries_total", Type.COUNTER, "Tries after a request's first.");
        if (counters.hasOutcomes()) sample(counters.retries());
        begin("searches_total", Type.COUNTER, "Searches in the web that were made for models.");
        if (counters.hasOutcomes()) sample(counters.searches());
        begin("search_errors_total", Type.COUNTER, "Those of them that have failed.");
        if (counters.hasOutcomes()) sample(counters.failedSearches());
        begin("learned_downgrades_total", Type.COUNTER, "What was learned about backends.");
        sample(upstreams.stream().mapToLong(Upstream::timesLearned).sum());
    }

    /** {@return the errors by their labels, summed up: the same backend may be given twice, with two keys} */
    private static Map<String, Long> errors(List<Upstream> upstreams) {
        Map<String, Long> errors = new LinkedHashMap<>();
        for (Upstream upstream : upstreams) {
            upstream.errors().forEach((status, count) -> {
                String labels = label("upstream", upstream.label()) + "," + label("status", "" + status);
                errors.merge(labels, count.sum(), Long::sum);
            });
        }
        return errors;
    }

    private void begin(String name, Type type, String help) {
        metric = "a2o_" + name;
        text.append("# HELP %s %s\n".formatted(metric, help));
        text.append("# TYPE %s %s\n".formatted(metric, type.name().toLowerCase(Locale.ROOT)));
    }

    private void sample(double value, String... labels) { sample("", value, labels); }

    /** @param suffix of the metric's name */
    private void sample(String suffix, double value, String... labels) {
        text.append(metric).append(suffix);
        if (labels.length > 0) text.append('{').append(String.join(",", labels)).append('}');
        text.append(' ').append(value).append('\n');
    }

    private static String label(String name, String value) {
        String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"");
        return "%s=\"%s\"".formatted(name, escaped);
    }

    /** Nothing before the first value, as for counters with labels. */
    private void histogram(Histogram values) {
        if (values.count() == 0) return;
        for (int i = 0; i < Histogram.BOUNDS.size(); i++) {
            sample("_bucket", values.count(i), label("le", "" + Histogram.BOUNDS.get(i)));
        }
        sample("_bucket", values.count(), label("le", "+Inf"));
        sample("_sum", values.sumSeconds());
        sample("_count", values.count());
    }
}
