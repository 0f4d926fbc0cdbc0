package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static testing.Inspect.ask;

import java.net.ServerSocket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import testing.Backend;
import testing.Programs;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** The dashboard and the alerts for those who run A2o, {@code test/ops}, in a real Prometheus where there is one. */
class OpsTest {
    private static final Path OPS = Path.of("test/ops").toAbsolutePath();

    @Test
    void theAlertsAreSoundAndFireWhenTheyShould() throws Exception {
        assumeTrue(Programs.isThere("promtool"), "promtool is not installed");
        String checked = Programs.run(new byte[0], "promtool", "check", "rules", OPS + "/alerts.yml");
        assertTrue(checked.startsWith("0 ") && checked.endsWith("SUCCESS: 4 rules found"), checked);
        String tried = Programs.run(new byte[0], "promtool", "test", "rules", OPS + "/alerts-test.yml");
        assertTrue(tried.startsWith("0 ") && tried.endsWith("SUCCESS"), tried);
    }

    /** {@return the queries of the dashboard, as Grafana would ask them} */
    private static List<String> queries() throws Exception {
        Object dashboard = Tree.of(Files.readString(OPS.resolve("dashboard.json")));
        List<String> queries = new ArrayList<>();
        for (Object panel : (List<?>) Tree.at(dashboard, "panels")) {
            for (Object target : (List<?>) Tree.at(panel, "targets")) {
                queries.add(((String) Tree.at(target, "expr")).replace("$instance", ".*")
                        .replace("$__rate_interval", "1m").replace("$__range", "1m"));
            }
        }
        assertTrue(queries.size() >= 20, queries::toString);
        return queries;
    }

    /** {@return how many series Prometheus has for a query} */
    private static int series(int port, String query) throws Exception {
        String path = "/api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8);
        Wire.Reply reply = Wire.ask(port, "GET", path, new byte[0]);
        assertEquals(200, reply.status(), () -> query + ": " + reply.body());
        return ((List<?>) Tree.at(reply.json(), "data.result")).size();
    }

    private static int freePort() throws Exception {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static boolean isReady(int port) {
        try {
            return Wire.ask(port, "GET", "/-/ready", new byte[0]).status() == 200;
        } catch (Exception e) { // it does not listen yet
            return false;
        }
    }

    @Test
    void everyQueryOfTheDashboardHasSeriesAndTheAlertsAreLoaded(@TempDir Path folder) throws Exception {
        assumeTrue(Programs.isThere("prometheus"), "prometheus is not installed");
        int port = freePort();
        try (var backend = new Backend(); Proxy proxy = Proxies.start("--upstream", "local=" + backend.url(),
                "--auth-key", "anna=key-0123456789")) {
            backend.answers(Backend.saying("Hello", " there"));
            Path config = Files.writeString(folder.resolve("prometheus.yml"), """
                    global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
                    rule_files: ["%s/alerts.yml"]
                    scrape_configs:
                      - job_name: a2o
                        authorization: {credentials: key-0123456789}
                        static_configs: [{targets: ["127.0.0.1:%d"]}]
                    """.formatted(OPS, proxy.port()));
            Process prometheus = Programs.start("prometheus", "--config.file=" + config, "--storage.tsdb.path="
                    + folder.resolve("data"), "--web.listen-address=127.0.0.1:" + port, "--log.level=error");
            try {
                Tasks.await(() -> isReady(port), "Prometheus does not begin");
                Set<String> empty = new LinkedHashSet<>(queries());
                Tasks.await(() -> {
                    ask(proxy, "m", true, "x-api-key: key-0123456789");
                    for (String query : List.copyOf(empty)) {
                        if (series(port, query) > 0) empty.remove(query);
                    }
                    return empty.isEmpty();
                }, "no series for " + empty);
                String rules = Wire.ask(port, "GET", "/api/v1/rules", new byte[0]).body();
                for (String alert : List.of("A2oBackendDoesNotWork", "A2oManyErrors", "A2oSlowFirstToken", "A2oQueue")) {
                    assertTrue(rules.contains("\"name\":\"" + alert + "\""), rules);
                }
            } finally {
                prometheus.destroy();
            }
        }
    }
}
