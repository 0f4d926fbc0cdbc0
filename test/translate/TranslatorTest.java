package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import anthropic.ApiError;
import config.CommandLine;
import config.Options;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import json.JsonParser;
import json.Sse;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import testing.Tree;

/**
 * Runs the fixtures: pairs of what goes in and what must come out, one folder a direction. They are written from the
 * published APIs; adding a pair adds a test.
 *
 * <p>{@code requests/N.anthropic.json} becomes {@code N.openai.json} or is refused with {@code N.error.json};
 * {@code replies/N.openai.json} becomes {@code N.anthropic.json} or {@code N.error.json}; {@code streams/N.openai.sse}
 * becomes {@code N.anthropic.sse}, fed whole, line by line and byte by byte. {@code N.args} holds the flags, one word a
 * line, {@code N.request.json} the request before a reply. "*" in what is expected matches any text, "x*" any that
 * begins with x. Below {@code responses/} the same for the Responses API, by default with OpenAI as the backend.
 */
class TranslatorTest {
    private static final Path FIXTURES = Path.of(System.getProperty("fixtures", "test"));
    private static final String RESPONSES = "responses/"; // folders of the second API

    @TestFactory
    Stream<DynamicTest> requests() throws IOException {
        return fixtures("requests", ".anthropic.json", this::request);
    }

    @TestFactory
    Stream<DynamicTest> replies() throws IOException {
        return fixtures("replies", ".openai.json", this::reply);
    }

    @TestFactory
    Stream<DynamicTest> streamsWhole() throws IOException {
        return fixtures("streams", ".openai.sse", base -> stream(base, Integer.MAX_VALUE));
    }

    @TestFactory
    Stream<DynamicTest> streamsByLine() throws IOException {
        return fixtures("streams", ".openai.sse", base -> stream(base, 0));
    }

    @TestFactory
    Stream<DynamicTest> streamsByteByByte() throws IOException {
        return fixtures("streams", ".openai.sse", base -> stream(base, 1));
    }

    @TestFactory
    Stream<DynamicTest> responsesRequests() throws IOException {
        return fixtures(RESPONSES + "requests", ".anthropic.json", this::request);
    }

    @TestFactory
    Stream<DynamicTest> responsesReplies() throws IOException {
        return fixtures(RESPONSES + "replies", ".openai.json", this::reply);
    }

    @TestFactory
    Stream<DynamicTest> responsesStreamsWhole() throws IOException {
        return fixtures(RESPONSES + "streams", ".openai.sse", base -> stream(base, Integer.MAX_VALUE));
    }

    @TestFactory
    Stream<DynamicTest> responsesStreamsByLine() throws IOException {
        return fixtures(RESPONSES + "streams", ".openai.sse", base -> stream(base, 0));
    }

    @TestFactory
    Stream<DynamicTest> responsesStreamsByteByByte() throws IOException {
        return fixtures(RESPONSES + "streams", ".openai.sse", base -> stream(base, 1));
    }

    private interface Fixture {
        void run(String base) throws Exception;
    }

    private static Stream<DynamicTest> fixtures(String folder, String suffix, Fixture fixture) throws IOException {
        List<Path> found;
        try (Stream<Path> files = Files.list(FIXTURES.resolve(folder))) {
            found = files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        }
        assertTrue(found.size() > 20, "only %d fixtures in %s".formatted(found.size(), folder));
        return found.stream().map(file -> {
            String base = file.toString().substring(0, file.toString().length() - suffix.length());
            return DynamicTest.dynamicTest(Path.of(base).getFileName().toString(), () -> fixture.run(base));
        });
    }

    private static String read(String file) throws IOException {
        return Files.readString(Path.of(file));
    }

    private static Translator translator(String base, byte[] request) throws Exception {
        Path args = Path.of(base + ".args");
        String[] usual = {"--upstream", isOfResponses(base) ? "https://api.openai.com/v1" : "http://backend.test/v1"};
        String[] words = Files.exists(args) ? Files.readAllLines(args).toArray(String[]::new) : usual;
        Options options = Options.of(CommandLine.read(words, Map.of()));
        return new Translator(JsonParser.parse(request), options, Dialect.of(options.upstreams().getFirst()), counter());
    }

    private static boolean isOfResponses(String base) {
        return Path.of(base).startsWith(FIXTURES.resolve(RESPONSES));
    }

    private static Supplier<String> counter() {
        int[] last = {0};
        return () -> "%024d".formatted(++last[0]);
    }

    private static byte[] requestBefore(String base, boolean stream) throws IOException {
        Path file = Path.of(base + ".request.json");
        return Files.exists(file) ? Files.readAllBytes(file) : """
                {"model":"%s","max_tokens":100,"stream":%s,"messages":[{"role":"user","content":"hi"}]}
                """.formatted(isOfResponses(base) ? "gpt-5.6" : "claude-x", stream).getBytes(StandardCharsets.UTF_8);
    }

    private void request(String base) throws Exception {
        Path error = Path.of(base + ".error.json");
        String openai;
        try {
            openai = translator(base, Files.readAllBytes(Path.of(base + ".anthropic.json"))).request().toString();
        } catch (ApiError e) {
            if (!Files.exists(error)) throw e;
            compareError(error, e);
            return;
        }
        assertTrue(!Files.exists(error), () -> "was not refused but became " + openai);
        compare(Tree.of(read(base + ".openai.json")), Tree.of(openai));
    }

    private static void compareError(Path expected, ApiError error) throws IOException {
        Object tree = Tree.of(Files.readString(expected));
        Map<String, Object> actual = object(Tree.of(error.body("req_test").toString()));
        if (!object(tree).containsKey("request_id")) actual.remove("request_id");
        actual.put("status", new Tree.Num(String.valueOf(error.status())));
        compare(tree, actual);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object tree) {
        return (Map<String, Object>) tree;
    }

    private static void compare(Object expected, Object actual) {
        String difference = Tree.difference(expected, actual, "$");
        assertNull(difference, () -> "%s%nexpected %s%nactual   %s".formatted(difference, expected, actual));
    }

    private void reply(String base) throws Exception {
        Path error = Path.of(base + ".error.json");
        Translator translator = translator(base, requestBefore(base, false));
        translator.request();
        try {
            translator.whole(JsonParser.parse(Files.readAllBytes(Path.of(base + ".openai.json"))));
            translator.finish();
        } catch (ApiError e) {
            if (!Files.exists(error)) throw e;
            compareError(error, e);
            return;
        }
        String anthropic = translator.ready().toString();
        assertTrue(!Files.exists(error), () -> "was not an error but " + anthropic);
        Object expected = Tree.of(read(base + ".anthropic.json"));
        Object actual = Tree.of(anthropic);
        guessed(Tree.at(expected, "usage"), Tree.at(actual, "usage"));
        compare(expected, actual);
    }

    private void stream(String base, int step) throws Exception {
        Translator translator = translator(base, requestBefore(base, true));
        translator.request();
        byte[] sse = Files.readAllBytes(Path.of(base + ".openai.sse"));
        Runnable forget = () -> {
            if (step == 1 && translator.ready().size() > 0) translator.forget(); // it makes no difference
        };
        try {
            Driver.read(new Sse(pieces(sse, step)), translator, forget);
            translator.finish();
        } catch (ApiError e) {
            translator.fail(e, "req_test");
        }
        List<Object> expected = events(read(base + ".anthropic.sse"));
        List<Object> actual = events(translator.ready().toString());
        for (int i = 0; i < Math.min(expected.size(), actual.size()); i++) {
            guessed(Tree.at(expected.get(i), "message.usage"), Tree.at(actual.get(i), "message.usage"));
            guessed(Tree.at(expected.get(i), "usage"), Tree.at(actual.get(i), "usage"));
        }
        compare(expected, actual);
    }

    /** Where 0 tokens are expected, the backend has not counted: a guess must stand there, and of no more than there is. */
    private static void guessed(Object expected, Object actual) {
        if (expected == null || actual == null || isCounted(expected)) return;
        for (String name : List.of("input_tokens", "output_tokens")) {
            if (!new Tree.Num("0").equals(object(expected).get(name))) continue;
            int guess = Integer.parseInt(((Tree.Num) object(actual).get(name)).text());
            assertTrue(guess >= (name.equals("input_tokens") ? 1 : 0) && guess < 3000, name + " " + guess);
            object(actual).put(name, new Tree.Num("0"));
        }
    }

    private static boolean isCounted(Object usage) {
        return Stream.of("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
                .anyMatch(name -> Integer.parseInt(((Tree.Num) object(usage).get(name)).text()) > 1);
    }

    /** {@return what gives at most {@code step} bytes a time; 0: at most a line} */
    private static Supplier<byte[]> pieces(byte[] bytes, int step) {
        int[] from = {0};
        return () -> {
            int to = (int) Math.min(bytes.length, from[0] + (long) step);
            if (step == 0) {
                while (to < bytes.length && (to == from[0] || bytes[to - 1] != '\n')) to++;
            }
            byte[] piece = Arrays.copyOfRange(bytes, from[0], to);
            from[0] = to;
            return piece;
        };
    }

    /**
     * {@return the events as trees with the data's own type, adjacent deltas of one kind joined; pings left out, and the
     * ends of blocks that an error follows} Fails on an event without a name, a blank line or the same type in its data.
     */
    private static List<Object> events(String sse) {
        List<Object> events = new ArrayList<>();
        if (!sse.isEmpty()) assertTrue(sse.endsWith("\n\n"), "the last event does not end with a blank line");
        for (String event : sse.split("\n\n")) {
            if (event.isEmpty()) continue;
            String[] lines = event.split("\n");
            assertEquals(2, lines.length, "an event line and a data line: " + event);
            assertTrue(lines[0].startsWith("event: ") && lines[1].startsWith("data: "), event);
            Map<String, Object> data = object(Tree.of(lines[1].substring("data: ".length())));
            assertEquals(lines[0].substring("event: ".length()), data.get("type"), event);
            if (data.get("type").equals("ping") || joined(events, data)) continue;
            Object last = events.isEmpty() ? null : Tree.at(events.getLast(), "type");
            if (data.get("type").equals("error") && "content_block_stop".equals(last)) events.removeLast();
            events.add(data);
        }
        return events;
    }

    private static boolean joined(List<Object> events, Map<String, Object> data) {
        if (events.isEmpty() || !data.get("type").equals("content_block_delta")) return false;
        Map<String, Object> last = object(events.getLast());
        Object kind = Tree.at(data, "delta.type");
        if (!data.get("type").equals(last.get("type")) || !data.get("index").equals(last.get("index"))) return false;
        String field = switch ((String) kind) {
            case "text_delta" -> "text";
            case "thinking_delta" -> "thinking";
            case "input_json_delta" -> "partial_json";
            case "signature_delta" -> null;
            default -> fail("no such delta: " + kind);
        };
        if (field == null || !kind.equals(Tree.at(last, "delta.type"))) return false;
        Map<String, Object> delta = new LinkedHashMap<>(object(last.get("delta")));
        delta.put(field, delta.get(field) + (String) Tree.at(data, "delta." + field));
        last.put("delta", delta);
        return true;
    }
}
