package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static testing.Inspect.ask;
import static testing.Inspect.number;
import static testing.Inspect.seasoned;
import static testing.Inspect.status;

import config.Options;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Inspect;
import testing.Programs;
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
            String host = ",upstream=\"%s\"".formatted(backend.url().getAuthority());
            String good = "model=\"good\"" + host;
            String bad = "model=\"bad\"" + host;
            assertEquals(3, samples.get("a2o_requests_total{status=\"200\",%s}".formatted(good)));
            assertEquals(1, samples.get("a2o_requests_total{status=\"401\",%s}".formatted(bad)));
            assertEquals(1, samples.get("a2o_requests_total{status=\"529\",%s}".formatted(bad)));
            assertEquals(5, Samples.sum(samples, "a2o_requests_total{"));
            assertEquals(3, samples.get("a2o_request_duration_seconds_count{status=\"200\",%s}".formatted(good)));
            assertEquals(1, samples.get("a2o_request_duration_seconds_count{status=\"529\",%s}".formatted(bad)));
            assertEquals(3, samples.get("a2o_time_to_first_token_seconds_count{%s}".formatted(good)));
            assertEquals(0, samples.get("a2o_time_to_first_token_seconds_count{%s}".formatted(bad)));
            assertEquals(5, samples.get("a2o_queue_wait_seconds_count{%s}".formatted(host.substring(1))));
            assertEquals(0, samples.get("a2o_queue_length{%s}".formatted(host.substring(1))));
            assertEquals(7, samples.get("a2o_upstream_tries_total{%s}".formatted(host.substring(1))));
            Map<String, Integer> tokens = Map.of("input", 21, "cache_read", 0, "cache_creation", 0, "output", 9);
            tokens.forEach((kind, count) -> assertEquals((double) count,
                    samples.get("a2o_tokens_total{kind=\"%s\",%s}".formatted(kind, good)), kind));
            assertEquals(1, samples.get("a2o_request_errors_total{status=\"401\"}"));
            assertEquals(2, samples.get("a2o_retries_total"));
            String errors = "a2o_upstream_errors_total{upstream=\"%s\",status=\"%%d\"}"
                    .formatted(backend.url().getAuthority());
            assertEquals(1, samples.get(errors.formatted(401)));
            assertEquals(3, samples.get(errors.formatted(503)));
            assertEquals(0, samples.get("a2o_learned_downgrades_total"));
            Map<String, Double> again = Samples.of(proxy);
            for (Map<String, Double> each : List.of(samples, again)) {
                each.keySet().removeIf(name -> name.matches("(process|jvm)_.*"));
                each.keySet().removeIf(name -> name.startsWith("a2o_upstream_state")); // it may be reached again
            }
            assertEquals(samples, again, "asking changes nothing");
        }
    }

    @Test
    void metricsAreThereBeforeAnyExchange() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            assertEquals(0, Samples.of(proxy).get("a2o_requests_in_flight"));
            assertEquals(0, number(status(proxy), "counts.requests"));
        }
    }

    /** An increase from nothing to one cannot be seen: series of errors begin with 0. */
    @Test
    void errorsAreThereBeforeTheFirst() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start("--upstream", "local=" + backend.url(),
                "--auth-key", "anna=key-0123456789")) {
            String text = Inspect.get(proxy, "/metrics", "x-api-key: key-0123456789").body();
            for (String series : List.of("a2o_request_errors_total{status=\"529\"}", "a2o_retries_total",
                    "a2o_upstream_errors_total{upstream=\"local\",status=\"502\"}",
                    "a2o_upstream_tries_total{upstream=\"local\"}", "a2o_queue_length{upstream=\"local\"}",
                    "a2o_upstream_state{upstream=\"local\",state=\"unreachable\"}",
                    "a2o_client_errors_total{client=\"anna\"}", "a2o_learned_rules{upstream=\"local\"}")) {
                assertTrue(text.contains("\n" + series + " 0.0\n"), () -> series + " in " + text);
            }
            assertTrue(text.contains("\na2o_upstream_state{upstream=\"local\",state=\"ready\"} 1.0\n"), text);
        }
    }

    @Test
    void theProcessIsMeasured() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            Map<String, Double> samples = Samples.of(proxy);
            assertTrue(samples.get("jvm_memory_used_bytes{area=\"heap\"}") > 1e6, samples::toString);
            double now = System.currentTimeMillis() / 1000.0;
            assumeTrue(Files.exists(Path.of("/proc/self/status")), "no /proc here");
            assertTrue(samples.get("process_start_time_seconds") < now, samples::toString);
            assertTrue(samples.get("process_cpu_seconds_total") > 0, samples::toString);
            assertTrue(samples.get("process_resident_memory_bytes") > 1e7, samples::toString);
            assertTrue(samples.get("process_open_fds") > 5, samples::toString);
        }
    }

    @Test
    void bucketsGoUpToTheTimeout() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--timeout", "20m")) {
            ask(proxy, "m", true);
            status(proxy, 1);
            List<String> buckets = Samples.of(proxy).keySet().stream()
                    .filter(name -> name.startsWith("a2o_time_to_first_token_seconds_bucket")).toList();
            assertTrue(buckets.get(buckets.size() - 2).endsWith(",le=\"1200.0\"}"), buckets::toString);
            assertTrue(buckets.getFirst().endsWith(",le=\"0.05\"}"), buckets::toString);
        }
    }

    /** As strict as those who wrote the format: names, units, helps. */
    @Test
    void promtoolFindsNothingWrong() throws Exception {
        assumeTrue(Programs.isThere("promtool"), "promtool is not installed");
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            byte[] text = Inspect.get(proxy, "/metrics").body().getBytes(StandardCharsets.UTF_8);
            assertEquals("0 ", Programs.run(text, "promtool", "check", "metrics"));
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
            String host = "\",upstream=\"%s\"}".formatted(backend.url().getAuthority());
            for (String name : List.of("a\\\\", "a\\\"b", "a?b?c?", "x".repeat(100))) {
                assertEquals(1, samples.get("a2o_requests_total{status=\"200\",model=\"" + name + host), name);
            }
            long names = samples.keySet().stream().filter(name -> name.startsWith("a2o_requests_total")).count();
            assertTrue(names <= 101, "%d names".formatted(names));
            assertTrue(samples.size() < 101 * 60, "%d series".formatted(samples.size()));
            assertTrue(samples.get("a2o_requests_total{status=\"200\",model=\"other" + host) > 20);
        }
    }
}
