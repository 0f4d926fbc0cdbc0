package translate;

import static org.junit.jupiter.api.Assertions.assertTrue;

import config.CommandLine;
import config.Options;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import json.JsonParser;
import json.Sse;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestFactory;

/**
 * Large requests and replies take time in proportion to their size: four times as much must not take sixteen times as
 * long. What counts is the processor's time of this thread, so that a busy machine makes no difference.
 */
@Order(2)
class LinearTest {
    private static final ThreadMXBean TIMES = ManagementFactory.getThreadMXBean();
    private static final int TRIES = 5;
    private static final double MOST = 9; // times as long for four times as much; 4 is linear, 16 quadratic
    private static final double SLACK = 0.05; // seconds; less is not worth measuring
    private static final String FINISH = "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}";

    private interface Work {
        void run() throws Exception;
    }

    private interface Case {
        Work of(int size) throws Exception;
    }

    private static DynamicTest linear(String name, int size, Case work) {
        return DynamicTest.dynamicTest(name, () -> {
            work.of(size / 4).run(); // warms up
            double small = 0;
            double large = Double.MAX_VALUE;
            for (int i = 0; i < TRIES && large > Math.max(SLACK, small * MOST); i++) {
                small = Math.max(small, seconds(work.of(size)));
                large = Math.min(large, seconds(work.of(size * 4)));
            }
            assertTrue(large <= Math.max(SLACK, small * MOST), "%.3f s, and %.3f s for four times as much"
                    .formatted(small, large));
        });
    }

    private static double seconds(Work work) throws Exception {
        long begun = TIMES.getCurrentThreadCpuTime();
        work.run();
        return (TIMES.getCurrentThreadCpuTime() - begun) / 1e9;
    }

    private static Translator translator(String request) throws Exception {
        String[] words = {"--upstream", "http://backend.test/v1"};
        Options options = Options.of(CommandLine.read(words, Map.of()));
        int[] ids = {0};
        return new Translator(JsonParser.parse(request), options, Dialect.of(options.upstreams().getFirst()),
                () -> "id" + ids[0]++);
    }

    private static String list(int size, IntFunction<String> item) {
        return IntStream.range(0, size).mapToObj(item).collect(Collectors.joining(","));
    }

    private static String asked(String more) {
        return "{\"model\":\"m\",\"max_tokens\":9,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
                + more + "}";
    }

    private static String conversation(String messages) {
        return "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[%s]}".formatted(messages);
    }

    /** Translates a request, and counts its tokens. */
    private static Work request(String json) {
        return () -> {
            Translator translator = translator(json);
            translator.request();
            assertTrue(translator.inputTokens() > 0);
        };
    }

    private static Supplier<byte[]> pieces(byte[] all, int length) {
        int[] at = {0};
        return () -> {
            int to = Math.min(all.length, at[0] + length);
            byte[] piece = Arrays.copyOfRange(all, at[0], to);
            at[0] = to;
            return piece;
        };
    }

    private static Work events(String stream, int pieces) {
        byte[] all = stream.getBytes(StandardCharsets.UTF_8);
        return () -> {
            var events = new Sse(pieces(all, pieces));
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                assertTrue(event.get().data().length > 0);
            }
        };
    }

    /** Translates a stream of {@code size} chunks and the finish. */
    private static Work stream(String request, int size, IntFunction<String> delta) throws Exception {
        Translator translator = translator(request);
        translator.request();
        Iterator<String> chunks = IntStream.range(0, size).mapToObj(delta)
                .map("{\"choices\":[{\"index\":0,\"delta\":%s}]}"::formatted).iterator();
        var all = new StringBuilder();
        while (chunks.hasNext()) all.append("data: ").append(chunks.next()).append("\n\n");
        byte[] bytes = all.append("data: ").append(FINISH).append("\n\n").toString().getBytes(StandardCharsets.UTF_8);
        return () -> {
            Driver.read(new Sse(pieces(bytes, 16 * 1024)), translator, translator.ready()::clear);
            translator.finish();
            assertTrue(translator.ready().toString().endsWith("\n\n"));
        };
    }

    private static String call(int index, String name, String arguments) {
        return """
                {"tool_calls":[{"index":%d,"id":"c%d","function":{"name":"%s","arguments":"%s"}}]}"""
                .formatted(index, index, name, arguments);
    }

    private static String tools(int size, String more) {
        return ",\"tools\":[" + list(size, i -> "{\"name\":\"t%d\"%s,\"input_schema\":{\"type\":\"object\"}}"
                .formatted(i, more)) + "]";
    }

    private static String used(int i) {
        return """
                {"role":"assistant","content":[{"type":"tool_use","id":"h%1$d","name":"f","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"h%1$d","content":"r"}]}""".formatted(i);
    }

    @TestFactory
    Stream<DynamicTest> streams() {
        return Stream.of(
                linear("lines of an event", 50_000, n -> events("data: x\n".repeat(n), 16 * 1024)),
                linear("a line in large pieces", 8_000_000, n -> events("data: " + "x".repeat(n), 16 * 1024)),
                linear("a line in small pieces", 500_000, n -> events("data: " + "x".repeat(n), 100)),
                linear("events", 50_000, n -> events("data: x\n\n".repeat(n), 16 * 1024)));
    }

    @TestFactory
    Stream<DynamicTest> requests() {
        return Stream.of(
                linear("escaped names", 60_000, n -> request(asked("," + list(n, i -> "\"message\\u0073%d\":1"
                        .formatted(i))))),
                linear("deferred tools and a history", 4000, n -> request(asked(tools(n, ",\"defer_loading\":true")
                        + ",\"x\":1").replace("hi", "hello ".repeat(n * 10)))),
                linear("tools", 10_000, n -> request(asked(tools(n, "")))),
                linear("calls and results", 6000, n -> request(conversation(list(n, LinearTest::used)))),
                linear("calls of one turn", 10_000, n -> request(conversation("{\"role\":\"assistant\",\"content\":["
                        + list(n, i -> """
                        {"type":"tool_use","id":"h%d","name":"f","input":{}}""".formatted(i))
                        + "]},{\"role\":\"user\",\"content\":[" + list(n, i -> """
                        {"type":"tool_result","tool_use_id":"h%d","content":"r"}""".formatted(n - i - 1)) + "]}"))),
                linear("text blocks", 20_000, n -> request(conversation("{\"role\":\"user\",\"content\":["
                        + list(n, i -> "{\"type\":\"text\",\"text\":\"a\"}") + "]}"))),
                linear("text in a deep block", 1_000_000, n -> request(conversation("""
                        {"role":"user","content":[{"type":"x","content":%s{"text":"%s"}%s}]}"""
                        .formatted("[".repeat(400), "a".repeat(n), "]".repeat(400))))),
                linear("a number", 1_000_000, n -> request(asked(",\"top_p\":0." + "1".repeat(n)))),
                linear("escapes", 1_000_000, n -> request(conversation("""
                        {"role":"user","content":[{"type":"tool_result","tool_use_id":"x","is_error":true,
                        "content":"%s"}]}""".formatted("\\u0061\\n".repeat(n / 8))))));
    }

    @TestFactory
    Stream<DynamicTest> replies() {
        String json = ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{}}}";
        String stops = ",\"stop_sequences\":[\"1\",\"2\",\"3\",\"4\",%s]";
        return Stream.of(
                linear("arguments by the character", 20_000, n -> stream(asked(""), n,
                        i -> call(0, "f", i == 0 ? "{\\\"a\\\":\\\"" : "x"))),
                linear("a member's name by the character", 20_000, n -> stream(asked(""), n,
                        i -> call(0, "f", i == 0 ? "{\\\"" : "x"))),
                linear("a tool's name by the character", 40_000, n -> stream(asked(""), n,
                        i -> """
                        {"tool_calls":[{"index":0,"function":{"name":"%c"}}]}""".formatted('a' + i % 26))),
                linear("calls", 8000, n -> stream(asked(""), n, i -> call(i, "f", "{}"))),
                linear("calls behind one that is open", 8000, n -> stream(asked(""), n, i -> call(i, "f", "{"))),
                linear("calls in the wrong order", 8000, n -> stream(asked(""), n, i -> call(n - i, "f", "{"))),
                linear("calls without an index", 8000, n -> stream(asked(""), n,
                        i -> "{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}")),
                linear("calls and tools", 4000, n -> stream(asked(tools(n, "")), n, i -> call(i, "T" + (n - 1), "{}"))),
                linear("calls and a history", 4000, n -> stream(
                        conversation(list(n, LinearTest::used)).replaceFirst("\\{", "{\"stream\":true,"), n,
                        i -> call(i, "f", "{}"))),
                linear("text behind an open call", 30_000, n -> stream(asked(""), n,
                        i -> i == 0 ? call(0, "f", "{") : "{\"content\":\"x%d\"}".formatted(i))),
                linear("refusals", 30_000, n -> stream(asked(""), n, i -> "{\"refusal\":\"no %d\"}".formatted(i))),
                linear("prose before JSON", 30_000, n -> stream(asked(json), n,
                        i -> "{\"content\":\"x%d\"}".formatted(i % 10))),
                linear("white space before JSON", 30_000, n -> stream(asked(json), n,
                        i -> "{\"content\":\"%s\"}".formatted(i % 2 == 0 ? " " : "  "))),
                linear("brackets in place of JSON", 50_000, n -> stream(asked(json), 1,
                        i -> "{\"content\":\"x%s\"}".formatted("[1,".repeat(n)))),
                linear("white space after thinking", 400_000, n -> stream(asked(""), 1,
                        i -> "{\"content\":\"<think>x</think>%s\"}".formatted(" ".repeat(n)))),
                linear("ends of thinking that are none", 30_000, n -> stream(asked(""), n,
                        i -> "{\"content\":\"%s\"}".formatted(i == 0 ? "<think>" : i % 2 == 0 ? "<" : "</"))),
                linear("stop sequences that repeat themselves", 4000, n -> stream(
                        asked(stops.formatted("\"%sb\"".formatted("a".repeat(n)))), n / 4,
                        i -> "{\"content\":\"%s\"}".formatted("a".repeat(100)))),
                linear("many stop sequences", 700, n -> stream(
                        asked(stops.formatted(list(n, i -> "\"a%d\"".formatted(i)))), n * 4,
                        i -> "{\"content\":\"%s\"}".formatted("a".repeat(100)))),
                linear("reasoning in details", 20_000, n -> stream(asked(""), n, i -> """
                        {"reasoning_details":[{"type":"reasoning.encrypted","data":"x","index":%d}]}"""
                        .formatted(i % 3))));
    }

    @TestFactory
    Stream<DynamicTest> wholeReplies() {
        return Stream.of(
                linear("text", 2_000_000, n -> whole("\"content\":\"%s\"".formatted("x\\n".repeat(n / 3)))),
                linear("arguments", 2_000_000, n -> whole("\"tool_calls\":[%s]".formatted("""
                        {"id":"c","function":{"name":"f","arguments":"{\\"a\\":\\"%s\\"}"}}"""
                        .formatted("x".repeat(n))))),
                linear("calls", 10_000, n -> whole("\"tool_calls\":[%s]".formatted(list(n, i -> """
                        {"id":"c%d","function":{"name":"f","arguments":"{}"}}""".formatted(i))))));
    }

    private static Work whole(String message) throws Exception {
        Translator translator = translator(asked("").replace("\"stream\":true,", ""));
        translator.request();
        byte[] all = "{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{%s}}]}".formatted(message)
                .getBytes(StandardCharsets.UTF_8);
        return () -> {
            translator.whole(JsonParser.parse(all));
            translator.finish();
        };
    }
}
