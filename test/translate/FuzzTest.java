package translate;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import anthropic.ApiError;
import config.CommandLine;
import config.Options;
import config.UsageError;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.Sse;
import org.junit.jupiter.api.Test;
import testing.Legal;
import testing.RandomJson;
import testing.Tree;

/**
 * The fixtures, spoilt at random: nothing may be thrown but Json.Malformed and ApiError, and what comes out must be
 * legal, whatever went in. Every case has its seed, which a failure tells; {@code -Dfuzz=N} runs N cases in all, and
 * {@code -Dfuzz.seed=S} begins at another seed.
 */
class FuzzTest {
    private static final Path FIXTURES = Path.of(System.getProperty("fixtures", "test"));
    private static final String RESPONSES = "responses/"; // folders of the second API
    private static final int CASES = Integer.getInteger("fuzz", 20_000);
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final int MAX_SHOWN = 5;
    private static final Map<String, byte[]> FILES = new HashMap<>();
    private static final Map<String, Options> OPTIONS = new HashMap<>();

    // ---- fixtures ----

    private static List<String> fixtures(String folder, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(FIXTURES.resolve(folder))) {
            List<String> found = files.map(Path::toString).filter(file -> file.endsWith(suffix)).sorted()
                    .map(file -> file.substring(0, file.length() - suffix.length())).toList();
            assertTrue(found.size() > 20, "only %d fixtures in %s".formatted(found.size(), folder));
            return found;
        }
    }

    private static byte[] read(String file) {
        return FILES.computeIfAbsent(file, path -> {
            try {
                return Files.readAllBytes(Path.of(path));
            } catch (IOException e) {
                return new byte[0];
            }
        });
    }

    private static Options options(String base) {
        return OPTIONS.computeIfAbsent(base, of -> {
            String words = new String(read(base + ".args"), StandardCharsets.UTF_8);
            String usual = isOfResponses(base) ? "https://api.openai.com/v1" : "http://b.test";
            try {
                return Options.of(CommandLine.read(words.isEmpty() ? new String[] {"--upstream", usual}
                        : words.lines().toArray(String[]::new), Map.of()));
            } catch (UsageError e) {
                throw new IllegalStateException(base, e);
            }
        });
    }

    private static boolean isOfResponses(String base) {
        return Path.of(base).startsWith(FIXTURES.resolve(RESPONSES));
    }

    private static Translator translator(byte[] request, Options options) {
        int[] last = {0};
        Dialect dialect = Dialect.of(options.upstreams().getFirst());
        return new Translator(JsonParser.parse(request), options, dialect, () -> "%024d".formatted(++last[0]));
    }

    private interface Case {
        void run(Random random, String base, StringBuilder shown) throws Exception;
    }

    /** Runs {@code share} twentieths of the cases, each on the fixture its seed says; tells the first of each kind. */
    private static void cases(int share, String folder, String suffix, Case body) throws IOException {
        List<String> bases = fixtures(folder, suffix);
        Map<String, AssertionError> failures = new LinkedHashMap<>();
        for (long seed = SEED; seed < SEED + CASES / 20 * share && failures.size() < MAX_SHOWN; seed++) {
            String base = bases.get((int) (seed % bases.size()));
            var shown = new StringBuilder();
            try {
                body.run(new Random(seed * 0x9E3779B97F4A7C15L), base, shown);
            } catch (Throwable e) {
                String kind = e.toString().replaceAll("(?s)[0-9]+|<.*| of: .*", "");
                String told = "-Dfuzz.seed=%d, %s: %s:%n%s".formatted(seed, base, e.getMessage(), shown);
                failures.putIfAbsent(kind, new AssertionError(told, e));
            }
        }
        assertAll(failures.values().stream().map(failure -> () -> {
            throw failure;
        }));
    }

    // ---- mutations ----

    private static Object junk(Random random) {
        return switch (random.nextInt(16)) {
            case 0 -> null;
            case 1 -> true;
            case 2 -> false;
            case 3, 4 -> new Tree.Num(RandomJson.any(random, NUMBERS));
            case 5 -> "";
            case 6 -> RandomJson.any(random, new String[] {" ", "x", "\n", "\ud83d", "\ude00", "😀", "null", "{}",
                    "{\"a\":1}", "[1]", "<think>", "</think>", "a\0b", "data:", "tool_use", "tool_result", "text",
                    "user", "assistant", "system", "c1", "length", "stop", "tool_calls", "error"});
            case 7 -> "long ".repeat(1 + random.nextInt(200));
            case 8 -> new ArrayList<>();
            case 9 -> new LinkedHashMap<>();
            case 10 -> Tree.of(RandomJson.nested(random.nextInt(20) == 0 ? 480 : 1 + random.nextInt(20)));
            case 11 -> new ArrayList<>(List.of(new Tree.Num("1"), "x", new LinkedHashMap<>()));
            case 12 -> new LinkedHashMap<>(Map.of("type", RandomJson.any(random,
                    new String[] {"text", "image", "tool_use", "zzz"})));
            case 13 -> new LinkedHashMap<>(Map.of("text", "t"));
            case 14 -> Tree.of("{\"error\":{\"message\":\"m\",\"code\":429}}");
            default -> Tree.of(RandomJson.value(random, 3));
        };
    }

    private static final String[] NUMBERS = {"0", "-1", "1", "2.5", "1e3", "4096", "-0", "1e999999999", "-1e400",
        "12345678901234567890", "9".repeat(500), "9007199254740993"};
    private static final String[] NOISE = {"\"", "\\", "{", "}", "[", "]", ",", ":", "'", "0", "-", "e", "\n", "\0",
        "é", "\\u12", "\\x4", "\ud83d", "\ude00", "\uff11", "\\'", "None", "NaN", "{}", "{\"a\":1}", "\ufeff", " ",
        "<think>", "</think>", "```", "###", "END"};

    private static void containers(Object tree, List<Object> found) {
        if (tree instanceof Map<?, ?> map) {
            found.add(map);
            map.values().forEach(value -> containers(value, found));
        } else if (tree instanceof List<?> list) {
            found.add(list);
            list.forEach(item -> containers(item, found));
        }
    }

    /** {@return the tree with one place changed; it is changed itself} */
    private static Object mutated(Object tree, Random random) {
        List<Object> containers = new ArrayList<>();
        containers(tree, containers);
        if (containers.isEmpty() || random.nextInt(200) == 0) return junk(random);
        Object chosen = containers.get(random.nextInt(containers.size()));
        if (chosen instanceof Map<?, ?> map && !map.isEmpty()) {
            mutate(object(map), random, containers);
        } else if (chosen instanceof List<?> list && !list.isEmpty()) {
            mutate(list(list), random);
        }
        return tree;
    }

    private static void mutate(Map<String, Object> map, Random random, List<Object> containers) {
        List<String> names = List.copyOf(map.keySet());
        String name = names.get(random.nextInt(names.size()));
        String other = names.get(random.nextInt(names.size()));
        switch (random.nextInt(8)) {
            case 0 -> map.remove(name);
            case 1 -> map.put(other, map.put(name, map.get(other)));
            case 2 -> map.put(RandomJson.any(random, new String[] {"id", "index", "error", "text", "content", "é"}),
                    junk(random));
            case 3 -> map.put(name, copy(containers.get(random.nextInt(containers.size()))));
            case 4, 5 -> map.put(name, switch (map.get(name)) {
                case String text -> retyped(text, random);
                case Tree.Num number -> new Tree.Num(RandomJson.any(random, NUMBERS));
                case null, default -> junk(random);
            });
            default -> map.put(name, junk(random));
        }
    }

    /** {@return the text with a piece put in or left out, as in arguments that are not quite JSON} */
    private static String retyped(String text, Random random) {
        int at = random.nextInt(text.length() + 1);
        int to = random.nextInt(8) == 0 ? text.length() : Math.min(text.length(), at + random.nextInt(3));
        String noise = random.nextInt(4) == 0 ? "" : RandomJson.any(random, NOISE);
        return text.substring(0, at) + noise + text.substring(to);
    }

    private static void mutate(List<Object> list, Random random) {
        int at = random.nextInt(list.size());
        switch (random.nextInt(7)) {
            case 0 -> list.remove(at);
            case 1 -> list.add(at, copy(list.get(at)));
            case 2 -> list.add(copy(list.get(at)));
            case 3 -> Collections.swap(list, at, random.nextInt(list.size()));
            case 4 -> list.add(at, junk(random));
            default -> list.set(at, junk(random));
        }
    }

    private static Object copy(Object tree) {
        return tree instanceof Map || tree instanceof List ? Tree.of(RandomJson.write(tree)) : tree;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object tree) {
        return (Map<String, Object>) tree;
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(Object tree) {
        return (List<Object>) tree;
    }

    /** {@return JSON text with up to three places changed; text that is no JSON as it is} */
    private static String mutated(String json, Random random) {
        Object tree;
        try {
            tree = Tree.of(json);
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
            return json;
        }
        for (int n = random.nextInt(3); n >= 0; n--) tree = mutated(tree, random);
        return RandomJson.write(tree);
    }

    private static final String[] BYTES = {"\"", "\\", "{", "}", "[", "]", ",", ":", "0", "\n", "\r", "\n\n", "\0",
        "\u00ff", "\u00c0\u0080", "\u00ed\u00a0\u0080", "\u00f0\u009f\u0098", "\u0080", "data: ", "event: error\n",
        "\u00ef\u00bb\u00bf", "\\ud83d", "\\u", "[DONE]"};

    private static byte[] noisy(byte[] bytes, Random random) {
        byte[] noisy = bytes;
        for (int n = random.nextInt(3); n >= 0 && noisy.length > 0; n--) {
            int at = random.nextInt(noisy.length);
            int kind = random.nextInt(4);
            if (kind == 0) {
                noisy = noisy.clone();
                noisy[at] ^= (byte) (1 << random.nextInt(8));
                continue;
            }
            var out = new ByteArrayOutputStream();
            out.write(noisy, 0, at);
            int to = kind == 1 ? Math.min(noisy.length, at + 1 + random.nextInt(4)) : at;
            if (kind == 2) out.writeBytes(RandomJson.any(random, BYTES).getBytes(StandardCharsets.ISO_8859_1));
            if (kind == 3 && random.nextInt(3) == 0) to = noisy.length; // cut
            out.write(noisy, to, noisy.length - to);
            noisy = out.toByteArray();
        }
        return noisy;
    }

    private static byte[] spoilt(byte[] json, Random random) {
        byte[] spoilt = random.nextInt(4) == 0 ? json : utf8(mutated(text(json), random));
        return random.nextInt(4) == 0 ? noisy(spoilt, random) : spoilt;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /** {@return the lines of a stream, some changed in their JSON, left out, doubled, moved or cut} */
    private static byte[] spoiltStream(byte[] sse, Random random) {
        List<String> events = new ArrayList<>(List.of(text(sse).split("(?<=\n\n)")));
        for (int n = random.nextInt(4); n >= 0 && !events.isEmpty(); n--) {
            int at = random.nextInt(events.size());
            switch (random.nextInt(9)) {
                case 0 -> events.remove(at);
                case 1 -> events.add(at, events.get(at));
                case 2 -> Collections.swap(events, at, random.nextInt(events.size()));
                case 3 -> events.set(at, events.get(at).substring(0, random.nextInt(events.get(at).length() + 1)));
                default -> {
                    String event = events.get(at).strip();
                    int json = event.indexOf('{');
                    if (json < 0) continue;
                    events.set(at, event.substring(0, json) + mutated(event.substring(json), random) + "\n\n");
                }
            }
        }
        byte[] spoilt = utf8(String.join("", events));
        return random.nextInt(4) == 0 ? noisy(spoilt, random) : spoilt;
    }

    private static Supplier<byte[]> pieces(byte[] bytes, Random random) {
        int most = 1 + random.nextInt(random.nextBoolean() ? 8 : 5000);
        int[] from = {0};
        return () -> {
            int to = Math.min(bytes.length, from[0] + 1 + random.nextInt(most));
            byte[] piece = Arrays.copyOfRange(bytes, from[0], to);
            from[0] = to;
            return piece;
        };
    }

    // ---- requests ----

    @Test
    void spoiltRequestsAreRefusedOrBecomeLegal() throws IOException {
        requests(5, "requests", FuzzTest::checkRequest);
    }

    @Test
    void spoiltRequestsOfResponsesAreRefusedOrBecomeLegal() throws IOException {
        requests(3, RESPONSES + "requests", FuzzTest::checkResponsesRequest);
    }

    private interface Check {
        void check(String openai, String request);
    }

    private static void requests(int share, String folder, Check check) throws IOException {
        cases(share, folder, ".anthropic.json", (random, base, shown) -> {
            byte[] request = spoilt(read(base + ".anthropic.json"), random);
            shown.append(text(request));
            String openai;
            try {
                openai = translator(request, options(base)).request().toString();
            } catch (Json.Malformed e) {
                return;
            } catch (ApiError e) {
                assertTrue(e.status() >= 400 && e.status() < 500, () -> "status " + e.status());
                assertEquals("error", Tree.at(Tree.of(e.body("req_x").toString()), "type"));
                return;
            }
            shown.append("\nbecame\n").append(openai);
            check.check(openai, text(request));
        });
    }

    private static void checkResponsesRequest(String openai, String request) {
        Object tree;
        try {
            tree = Tree.of(openai);
        } catch (IllegalArgumentException e) {
            if (!RandomJson.isDuplicate(e)) throw e;
            assertTrue(RandomJson.isObject(openai) && isDuplicate(request), "a name given twice, by whom?");
            return;
        }
        assertTrue(Tree.at(tree, "store") instanceof Boolean, "store");
        List<Object> input = list(Tree.at(tree, "input"));
        assertFalse(input.isEmpty(), "input: []");
        List<Object> open = new ArrayList<>();
        for (int i = 0; i < input.size(); i++) {
            Object item = input.get(i);
            assertNull(Tree.at(item, "id"), "an id");
            switch ((String) Tree.at(item, "type")) {
                case "message" -> {
                    boolean isAssistant = "assistant".equals(Tree.at(item, "role"));
                    assertTrue(isAssistant || open.isEmpty(), () -> "calls without their results: " + open);
                    parts(Tree.at(item, "content"), "user".equals(Tree.at(item, "role")));
                }
                case "function_call" -> {
                    open.add(Tree.at(item, "call_id"));
                    assertTrue(Tree.at(item, "call_id") instanceof String id && id.length() <= 64, "a call's id");
                    assertTrue(Tree.at(item, "name") instanceof String name && name.length() <= 64, "a call's name");
                    assertTrue(RandomJson.isObject((String) Tree.at(item, "arguments")), "arguments");
                }
                case "function_call_output" -> {
                    assertFalse(open.isEmpty(), "an output without its call");
                    assertEquals(open.removeFirst(), Tree.at(item, "call_id"));
                    parts(Tree.at(item, "output"), true);
                }
                case "reasoning" -> {
                    assertEquals(List.of(), Tree.at(item, "summary"));
                    String next = (String) Tree.at(input.get(i + 1), "type");
                    assertTrue(Set.of("reasoning", "message", "function_call").contains(next), next);
                }
                default -> throw new AssertionError("an item of type " + Tree.at(item, "type"));
            }
        }
        assertTrue(open.isEmpty(), () -> "calls without their results: " + open);
        List<Object> tools = object(tree).containsKey("tools") ? list(Tree.at(tree, "tools")) : List.of();
        for (Object tool : tools) {
            boolean isSearch = "web_search".equals(Tree.at(tool, "type"));
            assertTrue(isSearch || Tree.at(tool, "name") instanceof String name && name.length() <= 64, "a tool's name");
            assertTrue(isSearch || Tree.at(tool, "strict") instanceof Boolean, "strict");
        }
        assertTrue(!object(tree).containsKey("tools") || !tools.isEmpty(), "tools: []");
        assertTrue(!object(tree).containsKey("tool_choice") || !tools.isEmpty(), "tool_choice without tools");
    }

    private static void parts(Object content, boolean mayBeParts) {
        if (content instanceof String text) {
            assertFalse(text.isEmpty() && !mayBeParts, "a message without text");
            return;
        }
        assertTrue(mayBeParts, "parts, or no content");
        assertFalse(list(content).isEmpty(), "content: []");
        for (Object part : list(content)) {
            switch ((String) Tree.at(part, "type")) {
                case "input_text" -> assertTrue(Tree.at(part, "text") instanceof String, "a part of text");
                case "input_image" -> assertTrue(Tree.at(part, "image_url") instanceof String, "an image's URL");
                case "input_file" -> assertTrue(Tree.at(part, "file_data") instanceof String
                        && Tree.at(part, "filename") instanceof String || Tree.at(part, "file_url") instanceof String, "a file");
                default -> throw new AssertionError("a part of type " + Tree.at(part, "type"));
            }
        }
    }

    private static void checkRequest(String openai, String request) {
        Object tree;
        try {
            tree = Tree.of(openai);
        } catch (IllegalArgumentException e) {
            if (!RandomJson.isDuplicate(e)) throw e;
            assertTrue(RandomJson.isObject(openai) && isDuplicate(request), "a name given twice, by whom?");
            return;
        }
        assertTrue(Tree.at(tree, "model") instanceof String, "model");
        List<Object> messages = list(Tree.at(tree, "messages"));
        assertFalse(messages.isEmpty(), "messages: []");
        List<Object> open = new ArrayList<>();
        for (Object message : messages) {
            String role = (String) Tree.at(message, "role");
            assertTrue(Set.of("system", "developer", "user", "assistant", "tool").contains(role), role);
            if (role.equals("tool")) {
                assertFalse(open.isEmpty(), "a tool message without its call");
                assertEquals(open.removeFirst(), Tree.at(message, "tool_call_id"));
            } else {
                assertTrue(open.isEmpty(), () -> "calls without their results: " + open);
            }
            content(Tree.at(message, "content"), role);
            if (!object(message).containsKey("tool_calls")) continue;
            assertEquals("assistant", role);
            assertFalse(list(Tree.at(message, "tool_calls")).isEmpty(), "tool_calls: []");
            for (Object call : list(Tree.at(message, "tool_calls"))) {
                open.add(Tree.at(call, "id"));
                assertTrue(Tree.at(call, "id") instanceof String && Tree.at(call, "function.name") instanceof String,
                        "a call's id and name");
                assertEquals("function", Tree.at(call, "type"));
                String arguments = (String) Tree.at(call, "function.arguments");
                assertTrue(RandomJson.isObject(arguments), arguments);
            }
        }
        assertTrue(open.isEmpty(), () -> "calls without their results: " + open);
        List<Object> tools = object(tree).containsKey("tools") ? list(Tree.at(tree, "tools")) : List.of();
        Set<Object> names = new HashSet<>();
        for (Object tool : tools) {
            if ("openrouter:web_search".equals(Tree.at(tool, "type"))) continue;
            assertTrue(names.add(Tree.at(tool, "function.name")), "a tool's name given twice");
            assertTrue(Tree.at(tool, "function.name") instanceof String name && name.length() <= 64, "a tool's name");
            Map<String, Object> parameters = object(Tree.at(tool, "function.parameters"));
            assertTrue(parameters.get("type") != null && parameters.get("properties") != null,
                    "parameters without type or properties");
        }
        assertTrue(!object(tree).containsKey("tools") || !tools.isEmpty(), "tools: []");
        assertTrue(!object(tree).containsKey("tool_choice") || !tools.isEmpty(), "tool_choice without tools");
    }

    private static boolean isDuplicate(String json) {
        try {
            Tree.of(json.replaceFirst("^\uFEFF", ""));
            return false;
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
            return true;
        }
    }

    private static void content(Object content, String role) {
        if (content == null && role.equals("assistant") || content instanceof String) return;
        boolean isMarked = content != null && content.toString().contains("cache_control"); // then there must be parts
        assertTrue(isMarked || role.equals("user") || role.equals("system"), "parts, or no content");
        assertFalse(list(content).isEmpty(), "content: []");
        for (Object part : list(content)) {
            switch ((String) Tree.at(part, "type")) {
                case "text" -> assertTrue(Tree.at(part, "text") instanceof String text && !text.isEmpty(),
                        "a part of text");
                case "image_url" -> assertTrue(Tree.at(part, "image_url.url") instanceof String, "an image's URL");
                case "file" -> assertTrue(Tree.at(part, "file.file_data") instanceof String
                        && Tree.at(part, "file.filename") instanceof String, "a file");
                default -> throw new AssertionError("a part of type " + Tree.at(part, "type"));
            }
        }
    }

    // ---- replies ----

    /** {@return a request for a reply: mostly the fixture's own, or another's} */
    private static byte[] request(String base, Random random, List<String> requests, boolean stream) {
        byte[] own = read(base + ".request.json");
        if (random.nextInt(3) == 0) own = read(requests.get(random.nextInt(requests.size())) + ".request.json");
        boolean asStream = stream != (random.nextInt(4) == 0); // a quarter of the backends does not as it was asked
        Map<String, Object> tree = object(Tree.of(own.length > 0 ? text(own) : """
                {"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"""));
        tree.put("stream", asStream);
        return utf8(RandomJson.write(tree));
    }

    /** @param api before the names of the folders */
    private static List<String> requests(String api) throws IOException {
        List<String> all = new ArrayList<>(fixtures(api + "streams", ".openai.sse"));
        all.addAll(fixtures(api + "replies", ".openai.json"));
        return all.stream().filter(base -> read(base + ".request.json").length > 0).toList();
    }

    @Test
    void spoiltStreamsBecomeLegal() throws IOException {
        streams(5, "");
    }

    @Test
    void spoiltStreamsOfResponsesBecomeLegal() throws IOException {
        streams(4, RESPONSES);
    }

    private static void streams(int share, String api) throws IOException {
        List<String> requests = requests(api);
        cases(share, api + "streams", ".openai.sse", (random, base, shown) -> {
            byte[] request = request(base, random, requests, true);
            byte[] sse = spoiltStream(read(base + ".openai.sse"), random);
            shown.append(text(request)).append('\n').append(text(sse));
            Translator translator = translator(request, options(base));
            translator.request();
            boolean failed = false;
            try {
                Driver.read(new Sse(pieces(sse, random)), translator);
                translator.finish();
            } catch (ApiError e) {
                checkError(e);
                translator.fail(e, "req_x");
                failed = true;
            }
            check(translator.ready().toString(), request, failed, shown);
        });
    }

    @Test
    void spoiltRepliesBecomeLegal() throws IOException {
        replies(2, "");
    }

    @Test
    void spoiltRepliesOfResponsesBecomeLegal() throws IOException {
        replies(2, RESPONSES);
    }

    private static void replies(int share, String api) throws IOException {
        List<String> requests = requests(api);
        cases(share, api + "replies", ".openai.json", (random, base, shown) -> {
            byte[] request = request(base, random, requests, false);
            byte[] reply = spoilt(read(base + ".openai.json"), random);
            shown.append(text(request)).append('\n').append(text(reply));
            Translator translator = translator(request, options(base));
            translator.request();
            boolean failed = false;
            try {
                translator.whole(JsonParser.parse(reply));
                translator.finish();
            } catch (Json.Malformed e) {
                return;
            } catch (ApiError e) {
                checkError(e);
                translator.fail(e, "req_x");
                failed = true;
            }
            check(translator.ready().toString(), request, failed, shown);
        });
    }

    private static void checkError(ApiError error) {
        assertTrue(error.status() >= 400 && error.status() < 600, () -> "status " + error.status());
        Object tree = Tree.of(error.body("req_x").toString());
        assertEquals("error", Tree.at(tree, "type"));
        assertTrue(Tree.at(tree, "error.message") instanceof String message && !message.isEmpty(), "a message");
    }

    private static void check(String anthropic, byte[] request, boolean failed, StringBuilder shown) {
        shown.append("\nbecame\n").append(anthropic);
        if (Tree.at(Tree.of(text(request)), "stream").equals(true)) {
            Legal.stream(anthropic, failed);
        } else if (!failed) {
            Legal.message(anthropic);
        }
    }
}
