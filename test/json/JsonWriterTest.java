package json;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import testing.RandomJson;
import testing.Tree;

/** JSON written verb by verb, read again by the tests' own reader. */
class JsonWriterTest {
    private static JsonWriter out() { return new JsonWriter(); }

    @Test
    void commasStandBetweenMembersAndElements() {
        assertEquals("{}", out().object().endObject().toString());
        assertEquals("[]", out().array().endArray().toString());
        assertEquals("{\"a\":1,\"b\":{\"c\":[]},\"d\":null}", out().object().field("a", 1).name("b").object()
                .name("c").array().endArray().endObject().nullField("d").endObject().toString());
        assertEquals("[[],{},\"x\",true,-3,null]", out().array().array().endArray().object().endObject()
                .string("x").bool(true).number(-3).nothing().endArray().toString());
    }

    @Test
    void valuesOfOtherJsonAndOfWritersAreCopied() {
        Json json = JsonParser.parse("{\"x\": 1.0, \"\\u0061\": \"\\u00e9\"}");
        assertEquals("{\"a\":{\"x\": 1.0, \"\\u0061\": \"\\u00e9\"},\"b\":[2]}", out().object().field("a", json)
                .field("b", out().array().number(2).endArray()).endObject().toString());
        assertEquals("{\"\\u0061\":\"t\"}", out().object().name(json.parts()[2]).string("t").endObject().toString());
    }

    @Test
    void stringsAreEscapedAndWrittenInPieces() {
        assertArrayEquals("\"é😀\"".getBytes(StandardCharsets.UTF_8), out().string("é😀").toBytes());
        assertEquals("\"%'@\\\"\\\\\\n\\u0000\"", out().string("%'@\"\\\n\0").toString());
        var piece = (Json.Str) JsonParser.parse("\"\\u0062\"");
        assertEquals("[\"a\\u0062\\\"\",\"\"]", out().array().openString().piece("a").piece(piece).piece("\"").closeString()
                .openString().closeString().endArray().toString());
        assertEquals("\"\\ud800\"", out().string("\ud800").toString(), "half of a pair");
    }

    @Test
    void jsonIsWrittenAsAStringThatHoldsIt() {
        var random = new Random(11);
        for (int i = 0; i < 3000; i++) {
            String document = i == 0 ? "[\n\r\t \"\\\"\\\\\\\\\" ]" : RandomJson.value(random, 3);
            String written = out().object().name("arguments").openString().pieceOf(JsonParser.parse(document))
                    .closeString().endObject().toString();
            assertEquals(document, Tree.at(Tree.of(written), "arguments"), "case " + i);
        }
    }

    @Test
    void whatIsReadyIsNotFollowedByAComma() {
        assertEquals("data: {\"a\":\"é\"}\n\n", out().ascii("data: ").object().field("a", "é").endObject().ascii("\n\n")
                .toString());
        assertEquals("é[1]", out().utf8("é").array().ready("1".getBytes(StandardCharsets.UTF_8)).endArray().toString());
    }

    @Test
    void theBufferGrowsAndIsUsedAgain() {
        var list = out().array();
        for (int i = 0; i < 5000; i++) list.string("x".repeat(i % 50));
        assertEquals(5000, ((List<?>) Tree.of(list.endArray().toString())).size());
        byte[] buffer = list.buffer();
        list.clear();
        assertTrue(list.isEmpty());
        assertEquals("[7]", list.array().number(7).endArray().toString());
        assertEquals(buffer, list.buffer());
        list.free();
        assertEquals(Map.of(), Tree.of(list.object().endObject().toString()));
    }
}
