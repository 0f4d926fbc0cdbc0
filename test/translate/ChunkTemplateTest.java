package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import anthropic.ApiError;
import config.CommandLine;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import json.Json;
import json.JsonParser;
import json.Sse;
import org.junit.jupiter.api.Test;
import testing.RandomJson;

/** The fast path: which chunks take it, and that it makes no difference. */
class ChunkTemplateTest {
    private static final int STREAMS = Integer.getInteger("fuzz", 20_000) / 20;
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final String CHUNK =
            "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}],\"usage\":null}";
    private static final String[] TEXTS = {"a", "Hello", " there", "\n", "   ", "\"", "\\", "é", "😀", "\ud83d", "\ude00",
        "<think>", "</think>", "END", "EN", "D", "```json", "{\"a\":1}", "}", "x".repeat(300)};
    private static final String[] ASKED = {"\"stream\":true", "\"stream\":false",
        "\"stream\":true,\"thinking\":{\"type\":\"disabled\"}",
        "\"stream\":true,\"stop_sequences\":[\"1\",\"2\",\"3\",\"4\",\"END\"]",
        "\"stream\":true,\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}"};

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String chunk(String delta) {
        return CHUNK.formatted(delta, "null");
    }

    /** {@return the piece that {@code next} is read as after {@code first}, if it need not be parsed} */
    private static Optional<Piece> read(String first, String next) {
        Json parsed = JsonParser.parse(utf8(first));
        List<Piece> pieces = ChatPieces.of(parsed.get("choices").items().getFirst().get("delta"), false);
        return ChunkTemplate.of(parsed, pieces).flatMap(template -> template.read(utf8(next)));
    }

    // Which chunks take it

    @Test
    void aChunkThatDiffersInItsTextAloneNeedNotBeParsed() {
        Piece piece = read(chunk("{\"content\":\"a\"}"), chunk("{\"content\":\" longer \\n\"}")).orElseThrow();
        assertEquals(" longer \n", ((Piece.Answer) piece).text().text());
    }

    @Test
    void reasoningComesUnderTheKeyOfTheFirst() {
        var piece = (Piece.Reasoning) read(chunk("{\"reasoning\":\"a\"}"), chunk("{\"reasoning\":\"b\"}")).orElseThrow();
        assertEquals("b", piece.text().text());
        assertEquals("reasoning", piece.field());
    }

    @Test
    void aChunkThatDiffersElsewhereIsParsed() {
        String text = chunk("{\"content\":\"a\"}");
        for (String other : List.of(chunk("{\"reasoning\":\"a\"}"), chunk("{\"content\":null}"), chunk("{\"content\":1}"),
                chunk("{\"content\":\"a\",\"refusal\":\"b\"}"), chunk("{\"content\":\"a\" }"), chunk("{\"content\":\"\"}"),
                CHUNK.formatted("{\"content\":\"a\"}", "\"stop\""), text.replace("\"c\"", "\"d\""),
                text.replace("\"a\"", "\"a\"b\""), text.replace("\"a\"", "\"\u0001\""), text.substring(1), "", "{}")) {
            assertEquals(Optional.empty(), read(text, other), other);
        }
    }

    @Test
    void aChunkThatBringsMoreThanOneTextIsNoTemplate() {
        for (String delta : List.of("{}", "{\"content\":\"\"}", "{\"content\":\"a\",\"reasoning\":\"b\"}", "{\"content\":1}",
                "{\"refusal\":\"a\"}", "{\"reasoning_details\":[{\"text\":\"a\"}]}",
                "{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}",
                "{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}")) {
            assertEquals(Optional.empty(), read(chunk(delta), chunk(delta)), delta);
        }
    }

    // That it makes no difference

    private static String text(Random random) {
        var text = new StringBuilder();
        for (int i = random.nextInt(3); i >= 0; i--) text.append(RandomJson.any(random, TEXTS));
        return RandomJson.write(text.toString());
    }

    private static String delta(Random random) {
        return switch (random.nextInt(24)) {
            case 0 -> "{}";
            case 1 -> "{\"content\":\"\"}";
            case 2 -> "{\"content\":null,\"reasoning\":%s}".formatted(text(random));
            case 3 -> "{\"content\":%s,\"reasoning\":%s}".formatted(text(random), text(random));
            case 4 -> "{\"content\":%s,\"content\":%s}".formatted(text(random), text(random));
            case 5 -> "{\"content\":[{\"type\":\"text\",\"text\":%s}]}".formatted(text(random));
            case 6 -> "{\"refusal\":%s}".formatted(text(random));
            case 7 -> "{\"reasoning_details\":[{\"text\":%s,\"signature\":\"s\"}]}".formatted(text(random));
            case 8 -> "{\"content\":%d}".formatted(random.nextInt(100));
            case 9, 10 -> "{\"tool_calls\":[{\"index\":%d,\"id\":\"c%<d\",\"function\":{\"name\":\"f\",\"arguments\":%s}}]}"
                    .formatted(random.nextInt(3), RandomJson.any(random, new String[] {"\"{\"", "\"}\"", "\"\"", "\"{}\""}));
            case 11, 12, 13, 14 -> "{\"reasoning_content\":%s}".formatted(text(random));
            default -> "{\"content\":%s}".formatted(text(random));
        };
    }

    private static List<String> stream(Random random) {
        List<String> chunks = new ArrayList<>();
        for (int i = random.nextInt(30); i >= 0; i--) {
            String chunk = chunk(delta(random));
            int repeats = random.nextInt(8) == 0 ? 2 : 1;
            for (int times = 0; times < repeats; times++) chunks.add(chunk);
        }
        if (random.nextInt(8) > 0) chunks.add(CHUNK.formatted("{}", "\"stop\""));
        if (random.nextBoolean()) chunks.add("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}");
        return chunks;
    }

    /** {@return what the client gets; its state besides} */
    private static String translated(String asked, List<String> chunks) throws Exception {
        Options options = Options.of(CommandLine.read(new String[] {"--upstream", "http://b.test"}, Map.of()));
        int[] last = {0};
        var translator = new Translator(JsonParser.parse(utf8(asked)), options,
                Dialect.of(options.upstreams().getFirst()), () -> "%024d".formatted(++last[0]));
        translator.request();
        Queue<byte[]> pieces = new ArrayDeque<>();
        chunks.forEach(chunk -> pieces.add(utf8("data: " + chunk + "\n\n")));
        String end = "";
        try {
            Driver.read(new Sse(() -> pieces.isEmpty() ? new byte[0] : pieces.remove()), translator);
            translator.finish();
        } catch (ApiError e) {
            end = e.status() + e.getMessage();
        }
        return translator.ready() + end + translator.warnings() + translator.used() + translator.isStopped();
    }

    /** The same chunks, each with a number of its own that means nothing, and so unlike the one before. */
    private static List<String> unlike(List<String> chunks) {
        List<String> unlike = new ArrayList<>();
        for (String chunk : chunks) unlike.add("{\"n\":" + unlike.size() + "," + chunk.substring(1));
        return unlike;
    }

    @Test
    void whatTheClientGetsIsTheSameAsWhereEveryChunkIsParsed() throws Exception {
        int fast = 0;
        for (long seed = SEED; seed < SEED + STREAMS; seed++) {
            var random = new Random(seed * 0x9E3779B97F4A7C15L);
            String asked = "{\"model\":\"m\",\"max_tokens\":99,%s,\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}"
                    .formatted(RandomJson.any(random, ASKED));
            List<String> chunks = stream(random);
            assertEquals(translated(asked, unlike(chunks)), translated(asked, chunks),
                    "-Dfuzz.seed=%d: %s %s".formatted(seed, asked, String.join("\n", chunks)));
            for (int i = 1; i < chunks.size(); i++) {
                if (chunks.get(i).contains("choices\":[{") && read(chunks.get(i - 1), chunks.get(i)).isPresent()) fast++;
            }
        }
        assertTrue(fast > STREAMS, "%d chunks of %d streams took the fast path".formatted(fast, STREAMS));
    }
}
