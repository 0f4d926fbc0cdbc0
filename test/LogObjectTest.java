import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import serve.Proxy;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** The log as {@code --log-format} has it: a line for people, or an object with OpenTelemetry's names. */
@ResourceLock("log")
class LogObjectTest {
    private static final String PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final String TIME = "\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d\\.\\d{3}[+-]\\d\\d:\\d\\d";

    /** The log, formatted as the program does. */
    private static final class Formatted extends Handler implements AutoCloseable {
        private final Logger log = Logger.getLogger("a2o");
        private final Level levelBefore = log.getLevel();
        private final List<String> lines = new CopyOnWriteArrayList<>();

        private Formatted(Formatter formatter) {
            setFormatter(formatter);
            log.setLevel(Level.ALL);
            log.setUseParentHandlers(false);
            log.addHandler(this);
        }

        /** {@return the line about that reply's request with that in it; other tests log at the same time} */
        private String line(Wire.Reply reply, String with) throws Exception {
            return line(reply.headers().get("request-id"), with);
        }

        private String line(String about, String with) throws Exception {
            Tasks.await(() -> lines(about, with).findFirst().isPresent(), "no line with " + with);
            return lines(about, with).findFirst().orElseThrow();
        }

        private Stream<String> lines(String about, String with) {
            return lines.stream().filter(line -> line.contains(about) && line.contains(with));
        }

        @Override public void publish(LogRecord entry) { lines.add(getFormatter().format(entry)); }
        @Override public void flush() { }

        @Override
        public void close() {
            log.removeHandler(this);
            log.setLevel(levelBefore);
            log.setUseParentHandlers(true);
        }
    }

    private static String body(String model) {
        return "{\"model\":\"%s\",\"max_tokens\":9,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"PROMPT\"}]}"
                .formatted(model);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(String line) {
        assertTrue(line.endsWith("}" + System.lineSeparator()) && line.lines().count() == 1, line);
        return (Map<String, Object>) Tree.of(line.strip());
    }

    private static double number(Map<String, Object> object, String name) {
        return Double.parseDouble(((Tree.Num) object.get(name)).text());
    }

    /** The names are those of OpenTelemetry's conventions for generative AI, as of November 2026. */
    @Test
    void anExchangeIsAnObjectWithTheNamesOfOpenTelemetry() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start("--upstream", "local=" + backend.url(),
                "--map", "opus=qwen@local", "--auth-key", "anna=key-0123456789");
             var log = new Formatted(new LogObject(proxy::secrets))) {
            backend.answers(Backend.saying("Hello", " there"));
            Wire.Reply reply = Wire.post(proxy.port(), body("opus"), "x-api-key: key-0123456789", "traceparent: " + PARENT);
            assertEquals(200, reply.status());
            Map<String, Object> object = object(log.line(reply, "\"gen_ai.operation.name\""));
            Map<String, Object> texts = Map.ofEntries(Map.entry("severity_text", "INFO"),
                    Map.entry("a2o.request.id", reply.headers().get("request-id")), Map.entry("a2o.client.name", "anna"),
                    Map.entry("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"), Map.entry("span_id", "00f067aa0ba902b7"),
                    Map.entry("a2o.asked.model", "opus"), Map.entry("gen_ai.operation.name", "chat"),
                    Map.entry("gen_ai.provider.name", "openai"), Map.entry("gen_ai.request.model", "qwen"),
                    Map.entry("gen_ai.request.stream", true), Map.entry("a2o.upstream.name", "local"),
                    Map.entry("server.address", "127.0.0.1"),
                    Map.entry("gen_ai.response.finish_reasons", List.of("stop")));
            texts.forEach((name, value) -> assertEquals(value, object.get(name), name));
            assertTrue(((String) object.get("timestamp")).matches(TIME), object::toString);
            assertEquals(backend.url().getPort(), number(object, "server.port"));
            Map<String, Integer> numbers = Map.of("http.response.status_code", 200, "gen_ai.usage.input_tokens", 7,
                    "gen_ai.usage.output_tokens", 3, "gen_ai.usage.cache_read.input_tokens", 0,
                    "gen_ai.usage.cache_write.input_tokens", 0, "gen_ai.usage.reasoning.output_tokens", 0, "a2o.retries", 0);
            numbers.forEach((name, value) -> assertEquals((double) value, number(object, name), name));
            assertTrue(number(object, "a2o.duration") >= number(object, "gen_ai.response.time_to_first_chunk"));
            assertFalse(object.containsKey("error.type"), object::toString);
            assertFalse(object.toString().contains("PROMPT"), object::toString);
        }
    }

    @Test
    void aFailureHasItsTypeAndWordsAndNoKey() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--upstream-key", "up-0123456789abcdef");
             var log = new Formatted(new LogObject(proxy::secrets))) {
            backend.answers(Backend.refusing(404, "no \\\"m\\\" for up-0123456789abcdef\\nhere"));
            Wire.Reply reply = Wire.post(proxy.port(), body("m"));
            Map<String, Object> object = object(log.line(reply, "\"gen_ai.operation.name\""));
            assertEquals("not_found_error", object.get("error.type"), object::toString);
            String words = (String) object.get("a2o.error.message");
            assertTrue(words.endsWith("no \"m\" for (key)?here"), words);
            assertFalse(object.containsKey("gen_ai.response.finish_reasons"), object::toString);
            Wire.Reply malformed = Wire.post(proxy.port(), "{");
            Map<String, Object> refused = object(log.line(malformed, " refused: "));
            assertEquals(400, number(refused, "http.response.status_code"));
            assertEquals("invalid_request_error", refused.get("error.type"));
            assertEquals("POST", refused.get("http.request.method"));
            assertEquals("/v1/messages", refused.get("url.path"));
            assertEquals("127.0.0.1", refused.get("client.address"));
            String why = (String) refused.get("a2o.error.message");
            assertTrue(why.startsWith("the body is not valid JSON"), why);
            assertTrue(((String) refused.get("body")).endsWith(why), refused::toString);
            assertEquals(404, reply.status());
        }
    }

    @Test
    void everyOtherEntryIsAnObjectToo() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--debug");
             var log = new Formatted(new LogObject(proxy::secrets))) {
            Wire.Reply reply = Wire.post(proxy.port(), body("m"));
            log.line(reply, " to client 200 ");
            Logger.getLogger("a2o").log(Level.SEVERE, "broken \"here\"\n", new IllegalStateException("why\nso"));
            Logger.getLogger("a2o").warning("careful");
            log.line("careful", "");
            Set<String> levels = new TreeSet<>();
            for (String line : log.lines) levels.add((String) object(line).get("severity_text"));
            assertEquals(Set.of("ERROR", "INFO", "WARN"), levels);
            Map<String, Object> broken = object(log.line("broken", "here"));
            assertEquals("java.lang.IllegalStateException", broken.get("exception.type"));
            Map<String, Object> debug = object(log.line(reply, " to backend POST "));
            assertEquals("to backend", debug.get("a2o.direction"));
            assertEquals(backend.url().toString(), debug.get("url.full"));
        }
    }

    /** The zone and the milliseconds are there: logs of several machines are laid side by side. */
    @Test
    void aLineForPeopleBeginsWithTheTimeAndSaysWhoWhatWhereAndHow() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start("--upstream", "local=" + backend.url(),
                "--map", "opus=qwen@local", "--auth-key", "anna=key-0123456789");
             var log = new Formatted(new LogLine(proxy::secrets))) {
            backend.answers(Backend.saying("Hello", " there"));
            Wire.Reply reply = Wire.post(proxy.port(), body("opus"), "x-api-key: key-0123456789");
            String line = log.line(reply, " of anna ");
            assertTrue(line.matches(TIME + " req_\\w{24} of anna 200 opus -> qwen at local \\d+ ms, first after \\d+ ms, "
                    + "tokens in 7 cached 0 out 3 \\(\\d+/s\\), stop\\R"), line);
            backend.answers(Backend.refusing(400, "just so"));
            reply = Wire.post(proxy.port(), body("opus"), "x-api-key: key-0123456789");
            line = log.line(reply, "just so");
            assertTrue(line.matches(TIME + " req_\\w{24} of anna 400 opus -> qwen at local \\d+ ms, nothing sent, "
                    + "tokens in 0 cached 0 out 0 \\(0/s\\), invalid_request_error: local: just so\\R"), line);
        }
    }
}
