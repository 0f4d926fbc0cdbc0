package translate;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import json.JsonParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import testing.RandomJson;
import testing.Tree;

/** Arguments against SPEC C.5 "Sanitiser", B.2 "Tool input" and the rows of D.2 on arguments. */
class ArgumentsTest {
    private static final int CASES = Integer.getInteger("fuzz", 20_000);

    /** Pairs: what comes, and what a client gets when the stream ends well; ' is a quotation mark, @ an apostrophe. */
    private static final String[][] ENDED = {
        // clean, kept as it is
        {"{}", "{}"}, {"{'a':1}", "{'a':1}"}, {"{ 'a' : [ 1 , { } ] , 'b':'x' }", "{ 'a' : [ 1 , { } ] , 'b':'x' }"},
        {"{\n\t'a':\r\n1.0}", "{\n\t'a':\r\n1.0}"},
        {"{'n':[-0,1e3,12345678901234567890,1E+5]}", "{'n':[-0,1e3,12345678901234567890,1E+5]}"},
        {"{'a':'\\'}{\\\\'}", "{'a':'\\'}{\\\\'}"}, {"{'é':'漢😀'}", "{'é':'漢😀'}"},
        {"{'a':'\\ud83d\\ude00\\ud800'}", "{'a':'\\ud83d\\ude00\\ud800'}"},
        {"{'a':true,'b':false,'c':null}", "{'a':true,'b':false,'c':null}"}, {"{'':''}", "{'':''}"},
        {"{'a':1,'a':2}", "{'a':1,'a':2}"}, {" \n{'a':1} \n", "{'a':1}"},
        // nothing
        {"", ""}, {" \n\t ", ""}, {"null", "{}"}, {"None", "{}"}, {" null ", "{}"},
        // what follows the object
        {"{'a':1}{'b':2}", "{'a':1}"}, {"{}{'a':1}", "{}"}, {"{'a':1}}", "{'a':1}"}, {"{'a':1}\n```", "{'a':1}"},
        {"{'a':1}]", "{'a':1}"},
        // characters that a string may not hold
        {"{'a':'x\ny'}", "{'a':'x\\ny'}"}, {"{'a':'\t\r'}", "{'a':'\\t\\r'}"},
        {"{'a':'\0\u001f'}", "{'a':'\\u0000\\u001f'}"}, {"{'a\nb':1}", "{'a\\nb':1}"},
        {"{'a':'\u007f'}", "{'a':'\u007f'}"},
        // escapes that are none
        {"{'a':'it\\@s'}", "{'a':'it@s'}"}, {"{'a':'\\x41'}", "{'a':'\\u0041'}"},
        {"{'a':'\\xe9\\x0A'}", "{'a':'\\u00e9\\u000A'}"}, {"{'a':'C:\\Qx'}", "{'a':'C:\\\\Qx'}"},
        {"{'a':'\\d+\\.'}", "{'a':'\\\\d+\\\\.'}"}, {"{'a':'\\\n'}", "{'a':'\\\\\\n'}"},
        {"{'a':'\\u12'}", "{'a':'\\\\u12'}"}, {"{'a':'\\u12g4'}", "{'a':'\\\\u12g4'}"},
        {"{'a':'\\xg'}", "{'a':'\\\\xg'}"}, {"{'a':'\\users'}", "{'a':'\\\\users'}"},
        {"{'a':'\\u1\\n'}", "{'a':'\\\\u1\\n'}"}, {"{'a':'\\x\\''}", "{'a':'\\\\x\\''}"},
        {"{'a':'\\é'}", "{'a':'\\\\é'}"}, {"{'\\@':1}", "{'@':1}"}, {"{'a':'\\😀'}", "{'a':'\\\\😀'}"},
        // (digits of other scripts are no hex digits)
        {"{'a':'\\u00\uff14\uff11'}", "{'a':'\\\\u00\uff14\uff11'}"},
        {"{'a':'\\x\u0664\u0661'}", "{'a':'\\\\x\u0664\u0661'}"},
        // words of other languages
        {"{'a':True,'b':False,'c':None}", "{'a':true,'b':false,'c':null}"},
        {"{'a':NaN,'b':Infinity}", "{'a':null,'b':null}"}, {"{'a':[-Infinity,undefined]}", "{'a':[null,null]}"},
        {"{'a':[True , None]}", "{'a':[true , null]}"}, {"{'True':'None'}", "{'True':'None'}"},
        // commas too many
        {"{'a':1,}", "{'a':1}"}, {"{'a':[1,2,]}", "{'a':[1,2]}"}, {"{'a':[1 , ] , }", "{'a':[1]}"},
        {"{'a':{'b':1,},}", "{'a':{'b':1}}"},
        // brackets that a backend forgot, after a complete value
        {"{'a':'x'", "{'a':'x'}"}, {"{'a':1 ", "{'a':1}"}, {"{'a':True", "{'a':true}"}, {"{'a':null", "{'a':null}"},
        {"{'a':[1,{'b':2}", "{'a':[1,{'b':2}]}"}, {"{'a':[]", "{'a':[]}"}, {"{'a':{}\n", "{'a':{}}"},
        // structure beyond mending: closed before it
        {"{a:1}", "{}"}, {"{@a@:1}", "{'a':1}"}, {"{@a@: @x'y@,@b@:[@z@]}", "{'a': 'x\\'y','b':['z']}"},
        {"{'a':1 'b':2}", "{'a':1}"}, {"{'a' 1}", "{}"}, {"{'a':[1}", "{'a':[1]}"},
        {"{'a':1]", "{'a':1}"}, {"{'a':[1 2]}", "{'a':[1]}"}, {"{'a':1,,'b':2}", "{'a':1}"}, {"{'a':01}", "{}"},
        {"{'a':1,'b':nope,'c':2}", "{'a':1}"}, {"{'a':'x' 'b':2}", "{'a':'x'}"},
        {"{'a':{'b':1,c:2},'d':3}", "{'a':{'b':1}}"}, {"{'a':\uff11}", "{}"}, {"{'a'::1}", "{}"}, {"{]", "{}"},
        // an object encoded twice, other values, no JSON
        {"'{\\'a\\':1}'", "{'a':1}"}, {" '{ \\'a\\':\\'\\\\n\\'}' ", "{ 'a':'\\n'}"},
        {"'{\\'a\\':\\'x\\ny\\'}'", "{'a':'x\\ny'}"}, {"[1]", "{'value':[1]}"}, {"[ 1, 'x' ]", "{'value':[ 1, 'x' ]}"},
        {"5", "{'value':5}"}, {"1.0", "{'value':1.0}"}, {"true", "{'value':true}"}, {"'text'", "{'value':'text'}"},
        {"''", "{'value':''}"}, {"not json", "{'_raw':'not json'}"}, {"}", "{'_raw':'}'}"},
        {"```\nls\n```", "{'_raw':'```\\nls\\n```'}"},
        // an object in a fence
        {"```json\n{'a':1}\n```", "{'a':1}"}, {"``` {'a':'```'}", "{'a':'```'}"}, {"```{'a':[1]```", "{'a':[1]}"},
    };

    /**
     * Pairs: what has come of a call that was cut, and what a client gets of it: what cannot be parsed, for clients run
     * what can be. No word of the backend's makes these whole.
     */
    private static final String[][] CUT = {
        // in a string or a name, in an escape
        {"{'a':'", "{'a':'"}, {"{'a':'x", "{'a':'x"}, {"{'a':1,'b':'x", "{'a':1,'b':'x"}, {"{'a':'x\\", "{'a':'x"},
        {"{'a':'x\\u00", "{'a':'x"}, {"{'a':{'b':['x','y", "{'a':{'b':['x','y"}, {"{@a@:@x", "{'a':'x"},
        {"{'a", "{"}, {"{'a':1,'b", "{'a':1"}, {"{'a':{'b\\", "{'a':{"},
        // in a number, which might go on, or a word
        {"{'a':1", "{"}, {"{'a':12.", "{"}, {"{'a':-", "{"}, {"{'a':[1,2", "{'a':[1"}, {"{'a':1,'b':tr", "{'a':1"},
        {"{'a':nope", "{"},
        // before a value or a name
        {"{", "{"}, {"{ ", "{"}, {"{'a'", "{"}, {"{'a':", "{"}, {"{'a':1,", "{'a':1"}, {"{'a':[", "{'a':["},
        {"{'a':[1, ", "{'a':[1"}, {"{'a':1,'b':", "{'a':1"}, {"{'a':{", "{'a':{"},
        // at a quote within a string that is not escaped: nobody knows where that ends
        {"{'a':'x'y'}", "{'a':'x'"}, {"{'command':'rm -rf '$HOME/x''}", "{'command':'rm -rf '"},
        {"{'a':['say 'hi' now']}", "{'a':['say '"}, {"{'a':'echo ''}", "{'a':'echo '"}, {"{'a':'x' y'}", "{'a':'x'"},
        {"{'a':'x':1}", "{'a':'x'"}, {"{'a':1,'b':'c'd','e':2}", "{'a':1,'b':'c'"},
        // in a value that is no object: twice encoded, a list
        {"'{\\'a\\':1}", "{"}, {"'{\\'a\\':\\'x", "{"}, {"'{\\'a\\':\\'x'", "{'a':'x"}, {"'{\\'a\\':1'", "{"},
        {"[1", "{"}, {"['x'", "{"}, {"'x", "{"}, {"'x\\", "{"},
        // in a fence
        {"```json\n{'a':'rm -rf x", "{'a':'rm -rf x"}, {"```json\n{'a'", "{"}, {"```js", "{"}, {"```", "{"},
    };

    /** Pairs as in {@link #CUT}, of calls that would be whole if the backend did not say that the reply was cut. */
    private static final String[][] CUT_BY_LIMIT = {
        {"", "{"}, {" ", "{"}, {"{'a':'x'", "{'a':'x'"}, {"{'a':true", "{'a':true"},
        {"{'a':[1,{'b':2}", "{'a':[1,{'b':2}"},
        {"12", "{"}, {"{'a':1 'b':2", "{'a':1"}, {"```json\n{'a':1", "{"},
    };

    private static String json(String cell) {
        return cell.replace('\'', '"').replace('@', '\'');
    }

    private static Stream<String[]> rows(String[][] table) {
        return Stream.of(table).map(row -> new String[] {json(row[0]), json(row[1])});
    }

    private static Arguments fed(String text, int step, Arguments.Ending ending, StringBuilder taken) {
        var arguments = new Arguments();
        for (int at = 0; at < text.length(); at += step) {
            arguments.feed(text.substring(at, Math.min(text.length(), at + step)));
            taken.append(arguments.removeReady());
        }
        arguments.end(ending);
        taken.append(arguments.removeReady());
        assertTrue(arguments.isClosed(), "ended is complete");
        return arguments;
    }

    private static String fed(String text, int step) {
        var taken = new StringBuilder();
        fed(text, step, Arguments.Ending.WHOLE, taken);
        return taken.toString();
    }

    private static Executable gives(String expected, String text, Arguments.Ending ending, boolean isCut) {
        return () -> {
            for (int step : new int[] {Math.max(1, text.length()), 1, 3}) {
                var taken = new StringBuilder();
                Arguments arguments = fed(text, step, ending, taken);
                String shown = "of <%s> fed by %d, ending %s".formatted(text, step, ending);
                assertEquals(expected, taken.toString(), shown);
                assertEquals(isCut, arguments.isCut(), shown);
            }
        };
    }

    @Test
    void streamsAreMended() {
        assertAll(rows(ENDED).map(row -> gives(row[1], row[0], Arguments.Ending.WHOLE, false)));
    }

    @Test
    void allThatIsExpectedIsAnObject() {
        rows(ENDED).forEach(row -> assertTrue(row[1].isEmpty() || RandomJson.isObject(row[1]), row[1]));
    }

    @Test
    void whatWasCutStaysCutWhateverTheBackendSays() {
        assertAll(rows(CUT).flatMap(row -> Stream.of(Arguments.Ending.values())
                .map(ending -> gives(row[1], row[0], ending, true))));
        rows(CUT).forEach(row -> assertFalse(RandomJson.isObject(row[1]), row[1]));
    }

    @Test
    void noBracketIsAddedToAReplyThatWasCut() {
        assertAll(rows(CUT_BY_LIMIT).map(row -> gives(row[1], row[0], Arguments.Ending.CUT, true)));
        assertAll(gives("{\"a\":\"x\"", "{\"a\":\"x\"", Arguments.Ending.AT_LIMIT, true),
                gives("", "", Arguments.Ending.AT_LIMIT, false));
    }

    @Test
    void aWholeCallOfACutReplyIsWhole() {
        assertAll(Stream.of("{}", "{'a':1}", "{'a':'x'} ").map(ArgumentsTest::json)
                .map(text -> gives(text.strip(), text, Arguments.Ending.CUT, false)));
        assertAll(gives("{\"a\":1}", json("'{\\'a\\':1}'"), Arguments.Ending.CUT, false),
                gives("{\"value\":[1]}", "[1]", Arguments.Ending.CUT, false),
                gives("{}", "null", Arguments.Ending.CUT, false));
    }

    @Test
    void stringsAreReadyAsTheyCome() {
        var arguments = new Arguments();
        arguments.feed("{\"a\":\"some te");
        assertEquals("{\"a\":\"some te", arguments.removeReady());
        arguments.feed("xt");
        assertEquals("xt", arguments.removeReady());
        arguments.feed("\",\"b\":tr");
        assertEquals("\"", arguments.removeReady(), "a member waits for its value");
        assertFalse(arguments.isClosed());
        arguments.feed("ue}");
        assertEquals(",\"b\":true}", arguments.removeReady());
        assertTrue(arguments.isClosed());
        assertEquals("", arguments.removeReady());
    }

    /** They may come as they are or as escapes, to be escaped where they are written: UTF-8 has no bytes for them. */
    @Test
    void halvesOfSurrogatePairsSurvive() {
        for (String half : List.of("\ud83d", "\ude00", "\ud83d\ud83d\ude00", "\ud83d\\n", "\ude00\ud83d", "\ud83dx",
                "\ud83d\ude00")) {
            String text = "{\"%s\":[\"%s\"]}".formatted(half, half);
            for (int step : new int[] {1, 2, 3, 100}) {
                assertEquals(Tree.of(text), Tree.of(fed(text, step)), "fed by " + step);
            }
        }
        var arguments = new Arguments();
        arguments.feed("{\"a\":\"\ud83d");
        assertEquals("{\"a\":\"", arguments.removeReady(), "the first half waits for the second");
        arguments.feed("\ude00");
        assertEquals("😀", arguments.removeReady());
    }

    /** What a client gets comes back as {@code messages[].content[].input}, where it must be read again. */
    @Test
    void whatIsNestedTooDeepToComeBackIsClosed() {
        for (String deep : List.of("{'a':".repeat(600), "{'a':%s}".formatted(RandomJson.nested(600)),
                "{'a':%s}".formatted(RandomJson.nested(505)), RandomJson.nested(505), RandomJson.nested(512),
                "'{\\'a\\':%s}'".formatted(RandomJson.nested(508)), RandomJson.nested(600))) {
            String input = fed(json(deep), 7);
            String request = "{\"messages\":[{\"content\":[{\"input\":" + input + "}]}]}";
            String shown = input.substring(0, 20);
            assertTrue(RandomJson.isObject(input), shown);
            assertDoesNotThrow(() -> JsonParser.parse(request.getBytes(StandardCharsets.UTF_8)), shown);
        }
    }

    private static void check(int seed, String text, Executable check) {
        try {
            check.execute();
        } catch (Throwable e) {
            throw new AssertionError("seed %d: <%s>".formatted(seed, text), e);
        }
    }

    private static Arguments fedAtRandom(Random random, String text, Arguments.Ending ending, StringBuilder taken) {
        var arguments = new Arguments();
        for (int at = 0, next; at < text.length(); at = next) {
            next = Math.min(text.length(), at + 1 + random.nextInt(random.nextBoolean() ? 3 : 40));
            arguments.feed(text.substring(at, next));
            if (random.nextBoolean()) taken.append(arguments.removeReady());
        }
        arguments.end(ending);
        taken.append(arguments.removeReady());
        return arguments;
    }

    private static String fedAtRandom(Random random, String text, Arguments.Ending ending) {
        var taken = new StringBuilder();
        fedAtRandom(random, text, ending, taken);
        return taken.toString();
    }

    private static Arguments.Ending any(Random random) {
        return RandomJson.any(random, Arguments.Ending.values());
    }

    @Test
    void cleanObjectsPassUnchanged() {
        for (int seed = 0; seed < CASES; seed++) {
            var random = new Random(seed);
            String text = RandomJson.object(random, 4);
            check(seed, text, () -> {
                assertEquals(text, fedAtRandom(random, text, any(random)));
                assertTrue(RandomJson.isObject(text));
            });
        }
    }

    /** Of whatever object, cut wherever: nothing but brackets is added, and never where the backend says it was cut. */
    @Test
    void theBeginningOfAnObjectIsNotCompleted() {
        for (int seed = 3_000_000; seed < 3_000_000 + CASES; seed++) {
            var random = new Random(seed);
            String whole = RandomJson.object(random, 4);
            String text = whole.substring(0, random.nextInt(whole.length()));
            check(seed, text, () -> {
                Arguments.Ending ending = any(random);
                var made = new StringBuilder();
                boolean isCut = fedAtRandom(random, text, ending, made).isCut();
                if (isCut) {
                    assertFalse(RandomJson.isObject(made.toString()), () -> "became <%s>".formatted(made));
                } else if (text.isBlank()) {
                    assertEquals("", made.toString());
                } else {
                    assertEquals(Arguments.Ending.WHOLE, ending);
                    assertTrue(made.toString().startsWith(text.stripTrailing()), () -> "became <%s>".formatted(made));
                    String added = made.substring(text.stripTrailing().length());
                    assertTrue(added.matches("[\\]}]+") && !text.stripTrailing().matches("(?s).*[,:{\\[]"), added);
                    assertTrue(RandomJson.isObject(made.toString()), () -> "became <%s>".formatted(made));
                }
            });
        }
    }

    private static final String[] NOISE = {"\"", "\\", "{", "}", "[", "]", ",", ":", "'", "0", "-", ".", "e", "\n",
        "\0", "é", "t", "u", "x", " ", "\\u12", "\\x4", "\ud83d", "\ude00", "\uff11", "\u0661", "\u00a0", "\u2003",
        "\\'", "None", "NaN", "/*c*/", "//", "```json\n", "{}", "\"{\\\"a\\\":", "\ufeff", "\u2028"};

    private static String spoilt(Random random) {
        var text = new StringBuilder(RandomJson.object(random, 3));
        if (random.nextInt(10) == 0) text = new StringBuilder(RandomJson.write(text.toString())); // encoded twice
        if (random.nextInt(10) == 0) text = new StringBuilder(RandomJson.value(random, 3));
        if (random.nextInt(20) == 0) text.setLength(0);
        for (int n = random.nextInt(5); n >= 0; n--) {
            int at = random.nextInt(text.length() + 1);
            int to = Math.min(text.length(), at + random.nextInt(3));
            text.replace(at, to, random.nextInt(4) == 0 ? "" : RandomJson.any(random, NOISE));
        }
        if (random.nextInt(3) == 0) text.setLength(random.nextInt(text.length() + 1));
        return text.toString();
    }

    @Test
    void whateverComesBecomesAnObjectOrIsCut() {
        for (int seed = 1_000_000; seed < 1_000_000 + CASES; seed++) {
            var random = new Random(seed);
            String text = spoilt(random);
            check(seed, text, () -> {
                var made = new StringBuilder();
                boolean isCut = fedAtRandom(random, text, any(random), made).isCut();
                boolean isNothing = made.isEmpty() && text.isBlank();
                boolean isAsItShouldBe = isNothing || RandomJson.isObject(made.toString()) != isCut;
                assertTrue(isAsItShouldBe, () -> "became <%s>, cut %s".formatted(made, isCut));
            });
        }
    }

    @Test
    void piecesDoNotMatter() {
        for (int seed = 2_000_000; seed < 2_000_000 + CASES; seed++) {
            var random = new Random(seed);
            String text = spoilt(random);
            check(seed, text, () -> {
                Arguments.Ending ending = any(random);
                var atOnce = new StringBuilder();
                fed(text, 1 + text.length(), ending, atOnce);
                assertEquals(atOnce.toString(), fedAtRandom(random, text, ending));
            });
        }
    }
}
