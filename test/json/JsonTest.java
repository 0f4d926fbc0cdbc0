package json;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import testing.Cpu;
import testing.RandomJson;
import testing.Tree;

/** Json against RFC 8259 and RFC 3629: by tables, exhaustively where that is small, against {@link Tree} at random. */
class JsonTest {
    private static final String SAMPLE = """
            {"a":[1,-2.50,3e+10,true,false,null,{}, [] ],"é\\u00e9":"\\ud83d\\ude00 € 漢 😀 \\"quoted\\" \\\\ \\/",
             "nested":{"x":{"y":[[["deep"]]]}},"":"" }""";

    private static final String[] VALID = {"null", "true", "false", "0", "-0", "1", "-1", "10", "0.0", "-0.5", "1.25",
        "1e1", "1E1", "1e+1", "1e-1", "0e0", "1.5E-300", "12345678901234567890", "1e999999999", "\"\"", "\"a\"",
        "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uABCD\\uabcd\"",
        "\"\u007f\"", "\"\u0080\"", "\"\u07ff\"", "\"\u0800\"", "\"\ud7ff\"", "\"\ue000\"", "\"\uffff\"",
        "\"\ud800\udc00\"", "\"\udbff\udfff\"", "[]", "[ ]", "{}", "{ }", "[1]", "[1,2]", " [ 1 , 2 ] ", "{\"a\":1}",
        "\t\n\r {\n\"a\" :\r\n1 ,\t\"b\": [ ] } \n", "{\"\":{}}", "[[[]],[[]]]", "[\"a\",1,null,true,{}]",
        "{\"a\":{\"b\":{\"c\":[]}}}", SAMPLE};

    /** A document, as Latin-1 so that bytes can be anything, and where it stops being one: its length if cut. */
    private record Bad(String latin1, int at) { }

    private static Bad bad(String latin1, int at) {
        return new Bad(latin1, at);
    }

    private static final List<Bad> INVALID = List.of(
            bad("", 0), bad("  ", 2), bad("\u00a0 1", 0), bad("\f1", 0), bad("\u000b1", 0), bad("\0", 0), bad("//1", 0),
            bad("#", 0), bad("nul", 0), bad("nULL", 0), bad("True", 0), bad("NaN", 0), bad("-Infinity", 1),
            bad("nullx", 4), bad("undefined", 0), bad("true false", 5), bad("1 2", 2), bad("{} {}", 3), bad("{}x", 2),
            bad("[]]", 2), bad("\"a\"\"b\"", 3), bad("1\0", 1), bad("01", 1), bad("-01", 2), bad("00", 1), bad("+1", 0),
            bad(".5", 0), bad("1.", 2), bad("1.e1", 2), bad("1.5.", 3), bad("-", 1), bad("--1", 1), bad("-a", 1),
            bad("1e", 2), bad("1e+", 3), bad("1e1.5", 3), bad("1E-x", 3), bad("0x10", 1), bad("1_000", 1), bad("1f", 1),
            bad("[", 1), bad("[1", 2), bad("[1,", 3), bad("[,1]", 1), bad("[1,]", 3), bad("[1 2]", 3), bad("[1,,2]", 3),
            bad("[1}", 2), bad("{", 1), bad("{\"a\"", 4), bad("{\"a\":", 5), bad("{\"a\":1", 6), bad("{\"a\":1,", 7),
            bad("{\"a\":1,}", 7), bad("{a:1}", 1), bad("{'a':1}", 1), bad("{\"a\" 1}", 5), bad("{\"a\":}", 5),
            bad("{\"a\":1 \"b\":2}", 7), bad("{1:2}", 1), bad("{,}", 1), bad("{\"a\":1]", 6), bad("{null:1}", 1),
            bad("{\"a\"::1}", 5), bad("}", 0), bad("]", 0), bad(",", 0), bad(":", 0), bad("'a'", 0), bad("\"", 1),
            bad("\"a", 2), bad("\"a\nb\"", 2), bad("\"\t\"", 1), bad("\"\0\"", 1), bad("\"\u001f\"", 1),
            bad("\"\\a\"", 2), bad("\"\\'\"", 2), bad("\"\\x41\"", 2), bad("\"\\U0041\"", 2), bad("\"\\0\"", 2),
            bad("\"\\\n\"", 2), bad("\"\\\u00e9\"", 2), bad("\"\\u\"", 3), bad("\"\\u00g0\"", 5), bad("\"\\u004\"", 6),
            bad("\"\\u+041\"", 3), bad("\"\\u 041\"", 3), bad("\"\\ud83d\\u\"", 9), bad("\"\\", 2), bad("\"\\u", 3),
            bad("\"\\u12", 5), bad("\"\\u1234", 7), bad("\"\\\"", 3), bad("\u00ef\u00bb\u00bf", 3),
            bad("\u00ef\u00bb\u00bf\u00ef\u00bb\u00bf1", 3), bad("\u00ef\u00bb1", 0), bad("\u00fe\u00ff\0001", 0),
            bad("\u00ef\u00bb\u00bf{x", 4), bad("[\u00ef\u00bb\u00bf1]", 1));

    /** What RFC 3629 forbids: stray continuation, overlong, surrogates, beyond U+10FFFF, never-bytes, too short. */
    private static final String[] NOT_UTF8 = {"\u0080", "\u00bf", "\u00c0\u0080", "\u00c0\u00af", "\u00c1\u00bf",
        "\u00e0\u0080\u0080", "\u00e0\u009f\u00bf", "\u00f0\u0080\u0080\u0080", "\u00f0\u008f\u00bf\u00bf",
        "\u00ed\u00a0\u0080", "\u00ed\u00af\u00bf", "\u00ed\u00b0\u0080", "\u00ed\u00bf\u00bf",
        "\u00ed\u00a0\u00bd\u00ed\u00b8\u0080", "\u00f4\u0090\u0080\u0080", "\u00f5\u0080\u0080\u0080",
        "\u00f7\u00bf\u00bf\u00bf", "\u00f8\u0088\u0080\u0080\u0080", "\u00fc\u0084\u0080\u0080\u0080\u0080", "\u00fe",
        "\u00ff", "\u00c2", "\u00df", "\u00e2\u0082", "\u00e2", "\u00f0\u009f\u0098", "\u00f0\u009f", "\u00f0",
        "\u00c2\u00c2\u0080", "\u00e2\u0028\u00a1", "\u00e2\u0082\u0028", "\u00f0\u0028\u008c\u00bc",
        "\u00f0\u0090\u0028\u00bc", "\u00f0\u009f\u0098\u0028"};

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static Json parse(String text) {
        return JsonParser.parse(utf8(text));
    }

    private static boolean isJson(String latin1) {
        try {
            JsonParser.parse(latin1(latin1));
            return true;
        } catch (Json.Malformed e) {
            return false;
        }
    }

    private static void refused(byte[] document, int at) {
        String start = new String(document, 0, Math.min(80, document.length), StandardCharsets.ISO_8859_1);
        String shown = start.replaceAll("\\p{Cntrl}", "?");
        Json.Malformed e = assertThrows(Json.Malformed.class, () -> JsonParser.parse(document), () ->
                "not refused: <%s>".formatted(shown));
        assertTrue(e.getMessage().matches("(?s).*\\bat byte %d\\b.*".formatted(at)), () ->
                "at byte %d expected of <%s> but: %s".formatted(at, shown, e.getMessage()));
    }

    private static void same(Object tree, Json json) {
        switch (tree) {
            case Tree.Num number -> assertEquals(number.text(), json.raw());
            case String text -> assertEquals(text, json.text());
            case List<?> list -> {
                assertEquals(list.size(), json.items().size());
                for (int i = 0; i < list.size(); i++) same(list.get(i), json.items().get(i));
            }
            case Map<?, ?> map -> map.forEach((name, value) -> {
                // looked up are ASCII names
                if (((String) name).chars().allMatch(c -> c < 0x80)) same(value, json.get((String) name));
            });
            case null, default -> assertEquals(String.valueOf(tree), json.raw());
        }
    }

    @Test
    void validDocumentsAreReadAndKeptAsWritten() {
        for (String document : VALID) {
            Json json = parse(document);
            same(Tree.of(document), json);
            assertEquals(document.strip(), json.raw());
            assertEquals(document.strip(), new JsonWriter().value(json).toString());
            assertEquals(document.strip(), parse("\uFEFF" + document).raw(), "after a byte order mark");
        }
    }

    @Test
    void invalidDocumentsAreRefusedAtTheByteWhereTheyGoWrong() {
        for (Bad each : INVALID) refused(latin1(each.latin1), each.at);
    }

    @Test
    void invalidDocumentsAreRefusedInsideOthersAtTheSameByte() {
        for (Bad each : INVALID) {
            if (each.at >= each.latin1.length() || each.latin1.startsWith("\u00ef")
                    || isJson(each.latin1.substring(0, each.at))) {
                continue; // a byte order mark, or too much after a whole value
            }
            refused(latin1("{\"k\":[\"v\", " + each.latin1), 11 + each.at);
        }
    }

    @Test
    void aDocumentCutAnywhereIsRefusedAtTheCut() {
        byte[] sample = utf8(SAMPLE);
        for (int i = 0; i < sample.length; i++) {
            byte[] cut = Arrays.copyOf(sample, i);
            Json.Malformed e = assertThrows(Json.Malformed.class, () -> JsonParser.parse(cut));
            int at = Integer.parseInt(e.getMessage().replaceFirst("(?s).*at byte (\\d+).*", "$1"));
            int least = i - 4; // a word or a character that is cut counts from its first byte
            assertTrue(at >= least && at <= i, "cut at %d: %s".formatted(i, e.getMessage()));
        }
    }

    @Test
    void messagesNeverQuoteTheInput() {
        for (String secret : List.of("s3cret", "\"s3cret", "\"s3cret\n\"", "\"\\s3cret\"", "\"\\us3cret\"", "{s3cret",
                "{\"s3cret\" s3cret", "[1 s3cret", "{\"s3cret\":s3cret}", "1s3cret", "-s3cret", "1.s3cret", "1es3cret",
                "[] s3cret", "ts3cret", "\"s3cret\u0000")) {
            Json.Malformed e = assertThrows(Json.Malformed.class, () -> parse(secret));
            assertFalse(e.getMessage().contains("3cret"), e.getMessage());
        }
    }

    @Test
    void notUtf8IsRefusedAtEveryAlignment() {
        for (String form : NOT_UTF8) {
            for (int before = 0; before < 16; before++) {
                for (String start : List.of("\"" + "a".repeat(before), "[\"\u00c3\u00a9" + "a".repeat(before))) {
                    for (String rest : List.of("", "\"", "bbbbbbbbbbbbbbbb\"", " \"]")) {
                        refused(latin1(start + form + rest), start.length());
                    }
                }
            }
        }
    }

    @Test
    void everyCharacterOfUnicodeIsRead() {
        var all = new StringBuilder("\"");
        for (int c = ' '; c <= Character.MAX_CODE_POINT; c++) {
            if (c != '"' && c != '\\' && !(c >= 0xD800 && c < 0xE000)) all.appendCodePoint(c);
        }
        String document = all.append('"').toString();
        assertEquals(document.substring(1, document.length() - 1), parse(document).text());
        assertEquals(document, parse(document).raw());
    }

    /** Eight plain bytes are passed over at a time, so each byte that is not plain must be seen wherever it stands. */
    @Test
    void everyByteIsSeenAtEveryAlignment() {
        for (int before = 0; before < 24; before++) {
            for (int after : new int[] {0, 1, 7, 8, 9, 20}) {
                for (int b = 0; b < 256; b++) {
                    byte[] document = latin1("\"%s?%s\"".formatted("a".repeat(before), "z".repeat(after)));
                    document[1 + before] = (byte) b;
                    if (b < ' ' || b >= 0x80) {
                        refused(document, 1 + before);
                    } else if (b == '"') {
                        refused(document, 2 + before); // what follows is one too many
                    } else if (b == '\\') {
                        refused(document, after == 0 ? document.length : 2 + before);
                    } else {
                        assertEquals("a".repeat(before) + (char) b + "z".repeat(after), JsonParser.parse(document).text());
                    }
                }
            }
        }
    }

    @Test
    void stringsEndAndEscapesCountAtEveryAlignment() {
        for (int before = 0; before < 24; before++) {
            String start = "x".repeat(before);
            for (String middle : List.of("\\\"", "\\\\", "\\n", "\\u0022", "é", "€", "😀", "\\\\\\\"", "\\ud83d\\ude00",
                    "é\\\"é")) {
                for (int after = 0; after < 10; after++) {
                    String document = "[\"" + start + middle + "y".repeat(after) + "\",\"next\"]";
                    same(Tree.of(document), parse(document));
                }
            }
        }
    }

    private static final String[] PIECES = {"a", "plain words ", "\\\"", "\\\\", "\\n", "\\t", "\\u00e9",
        "\\ud83d\\ude00", "é", "€", "😀", "#", "]", "!", "\u007f", "/"};

    private static String longString(Random random) {
        var text = new StringBuilder();
        int length = 33 + random.nextInt(300);
        while (text.length() < length) text.append(RandomJson.any(random, PIECES));
        return text.toString();
    }

    @Test
    void longStringsAreReadAsAnotherReaderDoes() {
        for (int i = 0; i < 5_000; i++) {
            var random = new Random(i);
            String document = "[\"%s\",\n\"%s\"]".formatted(longString(random), longString(random));
            same(Tree.of(document), parse(document));
        }
    }

    @Test
    void whatIsNoStringIsRefusedAtTheSameByteInLongOnes() {
        List<Bad> bad = new ArrayList<>(List.of(bad("\n", 0), bad("\0", 0), bad("\u001f", 0), bad("\\x", 1),
                bad("\\\u00c3\u00a9", 1), bad("\\u12g4", 4), bad("\\\n", 1)));
        for (String form : NOT_UTF8) bad.add(bad(form, 0));
        for (int i = 0; i < 20_000; i++) {
            var random = new Random(i);
            Bad each = bad.get(i % bad.size());
            byte[] start = utf8("[\"" + longString(random));
            String rest = i % 3 == 0 ? "" : new String(utf8(longString(random)), StandardCharsets.ISO_8859_1) + "\"]";
            String document = new String(start, StandardCharsets.ISO_8859_1) + each.latin1 + rest;
            refused(latin1(document), start.length + each.at);
        }
    }

    @Test
    void namesThatBeginAlikeAreToldApart() {
        String document = """
                [{"ab":1,"abc":2,"a":3,"":4,"ab\\u0063d":5,"abcd_":6},{"abc":7,"ab":8,"a":9,"":10,"abcd":11,"b\\"":12},
                 {"b\\"":13,"b":14,"ab":15,"ab ":16}]""";
        same(Tree.of(document), parse(document));
        String room = " ".repeat(2000); // in a short document no name is looked up
        same(Tree.of(document), parse(room + document));
        refused(utf8(room + "[{\"ab\":1},{\"ab"), 2014);
        refused(utf8(room + "[{\"ab\":1},{\"a"), 2013);
        refused(utf8(room + "[{\"ab\":1},{\"ab\n\":1}]"), 2014);
        refused(utf8("[{\"ab\":1},{\"ab"), 14);
        refused(utf8("[{\"ab\":1},{\"a"), 13);
        refused(utf8("[{\"ab\":1},{\"ab\n\":1}]"), 14);
    }

    @Test
    void nestingIsReadTo512LevelsAndNoFurther() {
        assertEquals(RandomJson.nested(512), parse(RandomJson.nested(512)).raw());
        refused(utf8(RandomJson.nested(513)), 512);
        refused(utf8("[".repeat(1_000_000)), 512);
        String objects = "{\"a\":".repeat(511) + "{}" + "}".repeat(511);
        assertEquals(objects, parse(objects).raw());
        refused(utf8("{\"a\":" + objects + "}"), 512 * 5);
        refused(utf8("{\"a\":[".repeat(300)), 256 * 6);
        String wide = "[" + "[[]],".repeat(1000) + "[]]";
        assertEquals(1001, parse(wide).items().size(), "side by side is not nested");
    }

    @Test
    void ofMembersWithTheSameNameTheLastCounts() {
        Json json = parse("{\"a\":1,\"b\":2,\"a\":3,\"\\u0061\":4}");
        assertEquals("4", json.get("a").raw());
        assertEquals("2", json.get("b").raw());
        assertEquals("{\"a\":1,\"b\":2,\"a\":3,\"\\u0061\":4}", json.raw());
    }

    @Test
    void whatIsNotThereIsNullAndEmpty() {
        for (String document : List.of("{}", "[1]", "\"a\"", "1", "true", "null", "{\"b\":1}", "{\"ab\":1,\"\":2}")) {
            Json missing = parse(document).get("a");
            assertEquals("null", missing.raw());
            assertEquals("", missing.text());
            assertEquals(List.of(), missing.items());
            assertEquals(7, missing.toLong(7));
            assertFalse(missing.is(""));
        }
        assertEquals(List.of(), parse("{\"a\":1}").items());
        assertEquals("", parse("1").text());
        assertEquals("", parse("[\"a\"]").text());
    }

    @Test
    void isComparesWhatAStringSays() {
        assertTrue(parse("\"text\"").is("text"));
        assertTrue(parse("\"t\\u0065xt\"").is("text"));
        assertTrue(parse("\"\"").is(""));
        assertTrue(parse("\"a\\/\\n\"").is("a/\n"));
        for (String other : List.of("\"Text\"", "\"tex\"", "\"texts\"", "\"te\\\\u0078t\"", "[\"text\"]")) {
            assertFalse(parse(other).is("text"), other);
        }
        assertFalse(parse("1").is("1"));
        assertFalse(parse("null").is("null"));
    }

    @Test
    void unpairedSurrogatesSurvive() {
        for (String escaped : List.of("\\ud800", "\\udbff", "\\udc00", "\\uDFFF", "\\udc00\\ud800", "a\\ud83dx",
                "\\ud83d\\ud83d\\ude00", "\\ud83d\\ude00", "\\ud83d\\n", "é\\udfff€")) {
            String text = parse("\"" + escaped + "\"").text();
            assertEquals(Tree.of("\"" + escaped + "\""), text);
            Json.Str again = JsonWriter.text(text);
            assertEquals(text, again.text());
            assertEquals(text, parse(again.raw()).text(), "written, and read again");
            assertEquals(text + text, JsonWriter.text(parse("\"" + escaped + "\""), text).text(),
                    "of both kinds of pieces");
        }
        assertEquals("😀", JsonWriter.text("\ud83d", "\ude00").text(), "halves that meet");
    }

    @Test
    void strIsMadeOfPieces() {
        assertEquals("", JsonWriter.text().text());
        assertEquals("\"\"", JsonWriter.text("", "").raw());
        assertEquals("\"a\\u0062\\\"\\\\\\n\\u0000\\u001f\u007fé😀\"",
                JsonWriter.text("a", parse("\"\\u0062\""), "\"\\\n\0\u001f\u007fé😀").raw());
        var random = new Random(7);
        for (int i = 0; i < 2000; i++) {
            var text = new StringBuilder();
            int most = random.nextInt(10) > 0 ? 0x100 : 0x10000;
            for (int n = random.nextInt(20); n > 0; n--) text.append((char) random.nextInt(most));
            Json.Str str = JsonWriter.text(text.toString());
            assertEquals(text.toString(), str.text(), "case " + i);
            assertEquals(text.toString(), Tree.of(str.raw()), "case " + i);
            assertEquals(text.toString(), parse(str.raw()).text(), "case " + i);
        }
    }

    @Test
    void wholeNumbersAreTakenHoweverWritten() {
        Map<String, Long> whole = Map.ofEntries(
                entry("0", 0L), entry("-0", 0L), entry("1", 1L), entry("-17", -17L), entry("1.0", 1L),
                entry("1e3", 1000L), entry("1E+3", 1000L), entry("1500e-2", 15L), entry("0.5e1", 5L),
                entry("-2.50e1", -25L), entry("9007199254740992", 1L << 53),
                entry("-9007199254740992", -1L << 53), entry("0e999999999", 0L), entry("1.000", 1L));
        whole.forEach((text, value) -> assertEquals(value, parse(text).toLong(-99), text));
        for (String other : List.of("0.5", "1.5", "-0.1", "1e-1", "12345678901234567890", "-12345678901234567890",
                "9223372036854775808", "1e999999999", "-1e999999999", "1e99999999999999999999", "9".repeat(400),
                "\"1\"", "true", "null", "[1]", "{}")) {
            assertEquals(-99, parse(other).toLong(-99), other);
        }
    }

    @Test
    void hugeNumbersCostNothing() throws Exception {
        Cpu.assertLittle(() -> {
            String ones = "1".repeat(1_000_000);
            String zeros = "0".repeat(1_000_000);
            for (String digits : List.of(ones, "0." + ones, "1e" + ones, "0." + zeros + "1", "1" + zeros
                    + "e-1000000")) {
                Json json = parse("[" + digits + "]");
                assertEquals(digits, json.items().getFirst().raw());
                json.items().getFirst().toLong(0);
            }
            assertEquals(5, parse("9".repeat(1_000_000)).toLong(5));
        });
    }

    @Test
    void randomDocumentsAreReadAsAnotherReaderDoes() {
        for (int i = 0; i < 10_000; i++) {
            String document = RandomJson.value(new Random(i), 4);
            try {
                Json json = parse(document);
                assertEquals(document, json.raw());
                same(Tree.of(document), json);
            } catch (Throwable e) {
                throw new AssertionError("seed %d: %s".formatted(i, document), e);
            }
        }
    }

    @Test
    void randomlySpoiltDocumentsAreRefusedWhereAnotherReaderDoes() {
        String[] noise = {"\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\n", "\0", "é", "t", "u", " ",
            "\\u12"};
        for (int i = 0; i < 20_000; i++) {
            var random = new Random(1_000_000 + i);
            var document = new StringBuilder(RandomJson.value(random, 3));
            int at = random.nextInt(document.length());
            document.replace(at, at + random.nextInt(2), RandomJson.any(random, noise));
            String text = document.toString();
            if (text.matches("(?s).*\\\\u[0-9a-fA-F]{0,3}[^0-9a-fA-F].*")
                    || Character.isLowSurrogate(document.charAt(at))) continue;
            boolean tree = true;
            try {
                Tree.of(text);
            } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
                if (RandomJson.isDuplicate(e)) continue;
                tree = false;
            }
            boolean json = true;
            try {
                parse(text);
            } catch (Json.Malformed e) {
                json = false;
            }
            assertEquals(tree, json, "seed %d: %s".formatted(1_000_000 + i, text));
        }
    }
}
