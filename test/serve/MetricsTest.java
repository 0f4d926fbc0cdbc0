package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static testing.Inspect.ask;
import static testing.Inspect.number;
import static testing.Inspect.seasoned;
import static testing.Inspect.status;

import config.Options;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Samples;

/** The counters as Prometheus reads them. */
class MetricsTest {
    @Test
    void metricsAddUp() throws Exception {
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            Map<String, Double> samples = Samples.of(proxy);
            assertEquals(1, samples.get("a2o_build_info{version=\"%s\"}".formatted(Options.VERSION)));
            assertEquals(0, samples.get("a2o_requests_in_flight"));
            assertEquals(3, samples.get("a2o_requests_total{status=\"200\",model=\"good\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"401\",model=\"bad\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"529\",model=\"bad\"}"));
            assertEquals(5, Samples.sum(samples, "a2o_requests_total{"));
            assertEquals(5, samples.get("a2o_request_duration_seconds_count"));
            assertEquals(3, samples.get("a2o_time_to_first_token_seconds_count"));
            assertEquals(21, samples.get("a2o_tokens_total{kind=\"input\"}"));
            assertEquals(0, samples.get("a2o_tokens_total{kind=\"cache_read\"}"));
            assertEquals(0, samples.get("a2o_tokens_total{kind=\"cache_creation\"}"));
            assertEquals(9, samples.get("a2o_tokens_total{kind=\"output\"}"));
            assertEquals(2, samples.get("a2o_retries_total"));
            String errors = "a2o_upstream_errors_total{upstream=\"%s\",status=\"%%d\"}"
                    .formatted(backend.url().getAuthority());
            assertEquals(1, samples.get(errors.formatted(401)));
            assertEquals(3, samples.get(errors.formatted(503)));
            assertEquals(0, samples.get("a2o_learned_downgrades_total"));
            assertEquals(samples, Samples.of(proxy), "asking changes nothing");
        }
    }

    @Test
    void metricsAreThereBeforeAnyExchange() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            assertEquals(0, Samples.of(proxy).get("a2o_requests_in_flight"));
            assertEquals(0, number(status(proxy), "counts.requests"));
        }
    }

    @Test
    void oneBackendUnderTwoKeysIsOneSeries() throws Exception {
        try (var backend = new Backend().answers(Backend.refusing(429, "slow down", "retry-after: 60"));
             Proxy proxy = Proxies.start("--upstream", backend.url().toString(), "--upstream", backend.url().toString())) {
            ask(proxy, "m", true);
            status(proxy, 1);
            assertEquals(2, Samples.sum(Samples.of(proxy), "a2o_upstream_errors_total"));
        }
    }

    @Test
    void namesOfModelsAreEscapedAndBounded() throws Exception {
        List<String> hostile = List.of("a\\\"b", "a\\\\", "a\\nb\\u2028c\\u0000", "{} #\\ta", "é漢😀",
                "x".repeat(200), "</script><img src=x onerror=alert(1)>", "\\ud800", "", " ", "other");
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            int served = 0; // some of the names may be refused
            for (String model : hostile) served += ask(proxy, model, false).status() == 200 ? 1 : 0;
            for (int i = 0; i < 120; i++) served += ask(proxy, "m" + i, false).status() == 200 ? 1 : 0;
            status(proxy, served);
            Map<String, Double> samples = Samples.of(proxy);
            assertEquals(131, Samples.sum(samples, "a2o_requests_total"), 20);
            assertEquals(number(status(proxy), "counts.requests"), Samples.sum(samples, "a2o_requests_total"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"a\\\\\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"a\\\"b\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"a?b?c?\"}"));
            assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"" + "x".repeat(100) + "\"}"));
            long names = samples.keySet().stream().filter(name -> name.startsWith("a2o_requests_total")).count();
            assertTrue(names <= 101, "%d names".formatted(names));
            assertTrue(samples.get("a2o_requests_total{status=\"200\",model=\"other\"}") > 20);
        }
    }
}
