package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.Logged;
import testing.Pair;
import testing.Tree;
import testing.Wire;

/** Clients whose keys have names: who may come in, and by which name requests are counted. */
@ResourceLock("log")
class ClientNamesTest {
    private static final String PLAIN = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";
    private static final String[] KEYS = {"--auth-key", "anna=correct-horse", "--auth-key", "bert=battery-staple",
        "--auth-key", "nameless-key"};

    /** {@return the line of the log about the exchange, which is counted by then} */
    private static String ask(Pair pair, Logged log, int status, String body, String key) throws Exception {
        Wire.Reply reply = pair.post(body, key);
        assertEquals(status, reply.status(), reply.body());
        return log.line(reply.headers().get("request-id"));
    }

    @Test
    void requestsAreCountedByTheNameOfTheKey() throws Exception {
        try (var log = new Logged(); var pair = new Pair(KEYS)) {
            String anna = ask(pair, log, 200, PLAIN, "x-api-key: correct-horse");
            ask(pair, log, 200, PLAIN, "authorization: Bearer correct-horse");
            ask(pair, log, 200, PLAIN, "x-api-key: nameless-key");
            pair.backend.answers(Backend.refusing(400, "why"));
            ask(pair, log, 400, PLAIN, "x-api-key: battery-staple");
            ask(pair, log, 400, "{}", "x-api-key: battery-staple"); // no backend is asked
            ask(pair, log, 401, PLAIN, "x-api-key: anna");
            String metrics = pair.ask("GET", "/metrics", "x-api-key: nameless-key").body();
            List<String> expected = List.of("requests_total{client=\"anna\"} 2.0", "requests_total{client=\"bert\"} 2.0",
                    "errors_total{client=\"anna\"} 0.0", "errors_total{client=\"bert\"} 2.0",
                    "tokens_total{client=\"anna\",kind=\"input\"} 14.0", "tokens_total{client=\"anna\",kind=\"output\"} 6.0",
                    "tokens_total{client=\"bert\",kind=\"input\"} 0.0", "tokens_total{client=\"bert\",kind=\"output\"} 0.0");
            assertEquals(expected, metrics.lines().filter(line -> line.startsWith("a2o_client_"))
                    .map(line -> line.replace("a2o_client_", "")).toList(), "without the nameless, and strangers");
            Wire.Reply status = pair.ask("GET", "/status.json", "x-api-key: nameless-key");
            assertEquals("anna bert", status.text("clients.0.name") + " " + status.text("clients.1.name"));
            assertEquals("anna", Tree.at(status.json(), "last.3.client"), status.body());
            assertTrue(anna.contains(" of anna 200 m -> m at "), anna);
            assertEquals(List.of(), log.lines("correct-horse"));
            assertTrue(pair.backend.take().headers().get("authorization") == null, "no key of A2o's goes on");
        }
    }
}
