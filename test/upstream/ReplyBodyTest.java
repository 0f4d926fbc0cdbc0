package upstream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import anthropic.ApiError;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import json.JsonLines;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What kind a body is by its first bytes, and what it is without its compression, in whatever pieces it comes. */
class ReplyBodyTest {
    private static final byte[] NONE = {};
    private static final String MARK = "\uFEFF"; // the byte order mark
    private static final String EVENT = "data: {\"a\":1}\n\n";
    private static final String JSON = "{\n  \"a\": \"b\"\n}";

    /** {@code rest} is what is left of {@code body} once its kind is known. */
    private record Row(String name, byte[] body, String encoding, ReplyBody.Kind kind, String rest) {
        private Row(String name, String body, ReplyBody.Kind kind, String rest) {
            this(name, utf8(body), "", kind, rest);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] gzip(byte[] body) {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(body);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return out.toByteArray();
    }

    private static byte[] deflate(byte[] body, boolean isBare, int level) {
        var out = new ByteArrayOutputStream();
        try (var deflate = new DeflaterOutputStream(out, new Deflater(level, isBare))) {
            deflate.write(body);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return out.toByteArray();
    }

    private static byte[] joined(byte[]... parts) {
        var out = new ByteArrayOutputStream();
        for (byte[] part : parts) out.writeBytes(part);
        return out.toByteArray();
    }

    /** A member of gzip with all that may stand in its head (RFC 1952). */
    private static byte[] gzipWithNames(byte[] body) {
        byte[] head = {0x1f, (byte) 0x8b, 8, 2 | 4 | 8 | 16, 1, 2, 3, 4, 0, 3};
        byte[] extra = {3, 0, 'a', 0, 'b'};
        byte[] all = joined(head, extra, utf8("name\0"), utf8("a comment\0"));
        var sum = new CRC32();
        sum.update(all);
        byte[] checksum = {(byte) sum.getValue(), (byte) (sum.getValue() >> 8)};
        byte[] plain = gzip(body);
        return joined(all, checksum, Arrays.copyOfRange(plain, 10, plain.length));
    }

    private static List<Row> rows() {
        List<Row> rows = new ArrayList<>(List.of(
                new Row("events", EVENT, ReplyBody.Kind.EVENTS, EVENT),
                new Row("without a space", "data:{}", ReplyBody.Kind.EVENTS, "data:{}"),
                new Row("a name first", "event: x\ndata: {}", ReplyBody.Kind.EVENTS, "event: x\ndata: {}"),
                new Row("an id first", "id: 7\n" + EVENT, ReplyBody.Kind.EVENTS, "id: 7\n" + EVENT),
                new Row("a time first", "retry: 7\r\n" + EVENT, ReplyBody.Kind.EVENTS, "retry: 7\r\n" + EVENT),
                new Row("an error first", "error: {}", ReplyBody.Kind.EVENTS, "error: {}"),
                new Row("comments first", ": hi {\r\n\r\n:\n: hi\r" + EVENT, ReplyBody.Kind.EVENTS, EVENT),
                new Row("a mark first", MARK + EVENT, ReplyBody.Kind.EVENTS, EVENT),
                new Row("white space first", "\n \r\n\t" + EVENT, ReplyBody.Kind.EVENTS, EVENT),
                new Row("junk first", "ok\nkeep alive\n" + EVENT, ReplyBody.Kind.EVENTS, EVENT),
                new Row("JSON", JSON, ReplyBody.Kind.JSON, JSON),
                new Row("JSON after much", MARK + "\n\n: PROCESSING\n\n " + JSON, ReplyBody.Kind.JSON, JSON),
                new Row("an array", " [" + JSON + "]", ReplyBody.Kind.JSON, "[" + JSON + "]"),
                new Row("a page", "\n<!DOCTYPE html><p>", ReplyBody.Kind.PAGE, "<!DOCTYPE html><p>"),
                new Row("text", "no luck", ReplyBody.Kind.TEXT, "no luck"),
                new Row("lines of text", "no\nluck <b>\n<p>data\n", ReplyBody.Kind.TEXT, "no\nluck <b>\n<p>data\n"),
                new Row("almost a field", "dat", ReplyBody.Kind.TEXT, "dat"),
                new Row("a word", "datatypes: none", ReplyBody.Kind.TEXT, "datatypes: none"),
                new Row("half a mark", "\u00ef\u00bb", ReplyBody.Kind.TEXT, "\u00ef\u00bb"),
                new Row("a string", "\"{}\"", ReplyBody.Kind.TEXT, "\"{}\""),
                new Row("nothing", "", ReplyBody.Kind.EMPTY, ""),
                new Row("only white space", MARK + "\r\n \n", ReplyBody.Kind.EMPTY, null),
                new Row("only comments", ": a\n\n: b", ReplyBody.Kind.EMPTY, ""),
                new Row("much text", "no luck\n".repeat(30_000), ReplyBody.Kind.TEXT, null),
                new Row("one long line", "no luck ".repeat(30_000), ReplyBody.Kind.TEXT, null),
                new Row("brotli", new byte[] {0x1b, 0x11, 0, (byte) 0xf8, 3}, "br", ReplyBody.Kind.BINARY, null)));
        byte[] event = utf8(EVENT);
        byte[] many = utf8(EVENT.repeat(5000));
        byte[] spaced = utf8("\n" + MARK + EVENT);
        rows.addAll(List.of(
                new Row("gzip unasked", gzip(event), "", ReplyBody.Kind.EVENTS, EVENT),
                new Row("gzip", gzip(many), "gzip", ReplyBody.Kind.EVENTS, EVENT.repeat(5000)),
                new Row("gzip of nothing", gzip(NONE), "", ReplyBody.Kind.EMPTY, ""),
                new Row("gzip with names", gzipWithNames(spaced), "x-gzip", ReplyBody.Kind.EVENTS, EVENT),
                new Row("members of gzip", joined(gzip(event), gzip(NONE), gzip(event)), "gzip", ReplyBody.Kind.EVENTS,
                        EVENT + EVENT),
                new Row("gzip and zeros", joined(gzip(event), new byte[20]), "", ReplyBody.Kind.EVENTS, EVENT),
                new Row("gzip of gzip", gzip(gzip(utf8(JSON))), "gzip, gzip", ReplyBody.Kind.JSON, JSON),
                new Row("gzip without a trailer", Arrays.copyOf(gzip(event), gzip(event).length - 8), "",
                        ReplyBody.Kind.EVENTS, EVENT),
                new Row("not gzip", event, "gzip", ReplyBody.Kind.EVENTS, EVENT),
                new Row("not deflate", utf8(JSON), "deflate", ReplyBody.Kind.JSON, JSON),
                new Row("not brotli", utf8(JSON), "br", ReplyBody.Kind.JSON, JSON),
                new Row("zlib", deflate(many, false, 6), "deflate", ReplyBody.Kind.EVENTS, EVENT.repeat(5000)),
                new Row("zlib unasked, quick", deflate(event, false, 1), "", ReplyBody.Kind.EVENTS, EVENT),
                new Row("zlib unasked, small", deflate(event, false, 9), "", ReplyBody.Kind.EVENTS, EVENT),
                new Row("bare deflate", deflate(many, true, 6), "Deflate", ReplyBody.Kind.EVENTS, EVENT.repeat(5000))));
        return rows;
    }

    /** {@return the bytes in pieces of that length, then none, again and again} */
    private static Supplier<byte[]> pieces(byte[] body, int length) {
        int[] at = {0};
        return () -> {
            byte[] piece = Arrays.copyOfRange(body, at[0], Math.min(body.length, at[0] + length));
            at[0] += piece.length;
            return piece;
        };
    }

    private static byte[] rest(ReplyBody body) {
        var rest = new ByteArrayOutputStream();
        for (byte[] piece = body.get(); piece.length > 0; piece = body.get()) rest.writeBytes(piece);
        return rest.toByteArray();
    }

    @TestFactory
    Stream<DynamicTest> theFirstBytesTell() {
        return rows().stream().flatMap(row -> IntStream.of(1, 2, 7, 1000, 1_000_000).mapToObj(length ->
                DynamicTest.dynamicTest(row.name + " by " + length, () -> {
                    var body = new ReplyBody(pieces(row.body, length), row.encoding);
                    assertEquals(row.kind, body.kind());
                    if (row.rest != null) assertArrayEquals(utf8(row.rest), rest(body));
                })));
    }

    /** The source fails if it is asked for more than what tells the kind, or for more than what came so far. */
    @Test
    void nothingIsWaitedForThatIsNotNeeded() throws Exception {
        var out = new ByteArrayOutputStream();
        var gzip = new GZIPOutputStream(out, 512, true);
        List<byte[]> flushed = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            gzip.write(utf8(EVENT));
            gzip.flush();
            flushed.add(out.toByteArray());
            out.reset();
        }
        for (boolean isCompressed : new boolean[] {false, true}) {
            int[] given = {0};
            int[] wanted = {1};
            var body = new ReplyBody(() -> {
                assertEquals(wanted[0], given[0] + 1, "asked for more than is needed");
                return isCompressed ? flushed.get(given[0]++) : utf8(EVENT.repeat(given[0]++ < 3 ? 1 : 0));
            }, "");
            assertEquals(ReplyBody.Kind.EVENTS, body.kind());
            for (; wanted[0] <= 3; wanted[0]++) assertEquals(EVENT, new String(body.get(), StandardCharsets.UTF_8));
        }
    }

    /** An error that comes from the source, such as its silence, goes through. */
    @Test
    void whatBreaksOffIsNotHidden() {
        byte[] half = Arrays.copyOf(gzip(utf8(EVENT.repeat(5000))), 60);
        int[] given = {0};
        var body = new ReplyBody(() -> {
            if (given[0]++ > 0) throw new ApiError(504, "silence");
            return half;
        }, "gzip");
        assertEquals(ReplyBody.Kind.EVENTS, body.kind());
        assertEquals("silence", assertThrows(ApiError.class, () -> rest(body)).getMessage());
    }

    @Test
    void damagedCompressionIsToldAfterItsEnd() {
        byte[] whole = gzip(utf8(EVENT.repeat(50)));
        byte[] spoilt = whole.clone();
        Arrays.fill(spoilt, 10, spoilt.length, (byte) 0xFF);
        byte[] otherMethod = whole.clone();
        otherMethod[2] = 7;
        byte[] second = joined(whole, Arrays.copyOf(whole, 7));
        byte[] inner = gzip(Arrays.copyOf(whole, whole.length / 2));
        for (byte[] body : List.of(spoilt, otherMethod, second, inner, Arrays.copyOf(whole, 2), Arrays.copyOf(whole, 20),
                Arrays.copyOf(whole, whole.length - 9))) {
            assertTrue(damaged(body), body.length + " bytes");
        }
        byte[] withoutTrailer = Arrays.copyOf(whole, whole.length - 8);
        for (byte[] body : List.of(whole, withoutTrailer, joined(whole, new byte[20]), gzip(whole), utf8(EVENT))) {
            assertFalse(damaged(body), body.length + " bytes");
        }
    }

    private static boolean damaged(byte[] bytes) {
        var body = new ReplyBody(pieces(bytes, 9), "");
        rest(body);
        return body.isDamaged();
    }

    @Test
    void theRestIsNoLongerThanIsAskedFor() {
        var body = new ReplyBody(pieces(utf8("no luck".repeat(100)), 3), "");
        assertEquals(ReplyBody.Kind.TEXT, body.kind());
        assertEquals("no lu", new String(body.rest(5), StandardCharsets.UTF_8));
    }

    /** {@code expected} are the lines that hold an object or [DONE]. */
    private static void assertLines(String body, String... expected) {
        for (int length : new int[] {1, 2, 5, 10_000}) {
            var lines = new JsonLines(pieces(utf8(body), length));
            var all = new ByteArrayOutputStream();
            for (byte[] piece = lines.get(); piece.length > 0; piece = lines.get()) all.writeBytes(piece);
            List<String> objects = all.toString(StandardCharsets.UTF_8).lines().map(String::strip)
                    .filter(line -> !line.isEmpty()).toList();
            assertEquals(List.of(expected), objects, body);
        }
    }

    @Test
    void eachObjectIsOnALineOfItsOwn() {
        assertLines("{\n \"a\": [\r\n1, {\"b\": 2}\n]\n}\n", "{  \"a\": [  1, {\"b\": 2} ] }");
        assertLines("{\"a\":1}{\"b\":2}\n\n{\"c\":3} {\"d\":4}", "{\"a\":1}", "{\"b\":2}", "{\"c\":3}", "{\"d\":4}");
        assertLines("{\"a\":\"}{\\\"}\\\\\"}{\"b\":\"[\"}", "{\"a\":\"}{\\\"}\\\\\"}", "{\"b\":\"[\"}");
        assertLines("[{\"a\":1},\n{\"b\":[2,{}]}\n,{\"c\":3}]", "{\"a\":1}", "{\"b\":[2,{}]}", "{\"c\":3}");
        assertLines("{\"a\":1}\n[DONE]\n", "{\"a\":1}", "[DONE]");
        assertLines("{\"a\":1}\ndata: {\"b\":2}\n", "{\"a\":1}", "data: {\"b\":2}");
        assertLines("{\"a\":", "{\"a\":");
    }

    /** Whatever the bytes are, it comes to an end, and with nothing but its own error. */
    @Test
    void junkIsTakenToo() {
        var random = new Random(1);
        byte[][] seeds = {gzip(utf8(EVENT.repeat(9))), deflate(utf8(JSON), false, 6), utf8(EVENT), utf8(MARK + JSON)};
        for (int i = 0; i < 20_000; i++) {
            byte[] body = seeds[random.nextInt(seeds.length)].clone();
            for (int spoilt = random.nextInt(4); spoilt >= 0; spoilt--) {
                body[random.nextInt(body.length)] = (byte) random.nextInt(256);
            }
            body = Arrays.copyOf(body, random.nextInt(body.length + 1));
            try {
                var reply = new ReplyBody(pieces(body, 1 + random.nextInt(20)), random.nextBoolean() ? "" : "deflate");
                if (reply.kind() == ReplyBody.Kind.JSON) rest(reply);
            } catch (ApiError e) {
                assertEquals(502, e.status());
            }
        }
    }
}
