package json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A growing buffer of UTF-8 text that JSON is written to with a verb for each thing: {@code object()} to
 * {@code endObject()}, {@code name}, {@code string}. It sets commas and quotes and escapes what must be;
 * it does not check that names and ends stand where they belong.
 *
 * <pre>
 *  out.object().field("role", "user").name("content").array().value(part).endArray().endObject();
 * </pre>
 *
 * <p>What is no JSON, such as the framing of an event stream, is written by {@link #ascii}; after it no
 * comma is set.
 */
public final class JsonWriter {
    private static final int FIRST_BYTES = 512;
    private static final byte[] NULL = "null".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] TRUE = "true".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FALSE = "false".getBytes(StandardCharsets.US_ASCII);
    /** The letter that stands for a byte after a backslash; where none is needed, the byte itself. */
    private static final byte[] LETTERS = new byte[256];
    static {
        for (int i = 0; i < 256; i++) LETTERS[i] = (byte) i;
        LETTERS['\n'] = 'n';
        LETTERS['\r'] = 'r';
        LETTERS['\t'] = 't';
    }

    private byte[] bytes = new byte[FIRST_BYTES];
    private int size;
    private boolean needsComma; // before the next name or value

    public int size() { return size; }
    public boolean isEmpty() { return size == 0; }
    /** {@return the bytes written, in an array that may be longer; valid until the next write} */
    public byte[] buffer() { return bytes; }
    public byte[] toBytes() { return Arrays.copyOf(bytes, size); }
    @Override public String toString() { return new String(bytes, 0, size, StandardCharsets.UTF_8); }

    /** Forgets what was written; the buffer stays. */
    public void clear() {
        size = 0;
        needsComma = false;
    }

    /** Forgets what was written, and gives the buffer up. */
    public void free() {
        bytes = new byte[0];
        clear();
    }

    public JsonWriter object() { return open('{'); }
    public JsonWriter endObject() { return close('}'); }
    public JsonWriter array() { return open('['); }
    public JsonWriter endArray() { return close(']'); }

    /** A member's name; its value is to follow. */
    public JsonWriter name(String name) {
        string(name);
        one(':');
        needsComma = false;
        return this;
    }

    /** A member's name as it stands in other JSON. */
    public JsonWriter name(Json name) {
        value(name);
        one(':');
        needsComma = false;
        return this;
    }

    public JsonWriter string(String text) { return openString().piece(text).closeString(); }
    public JsonWriter number(long number) {
        return literal(Long.toString(number).getBytes(StandardCharsets.US_ASCII));
    }
    /** A number with a fraction, which must be finite. */
    public JsonWriter number(double number) {
        return literal(Double.toString(number).getBytes(StandardCharsets.US_ASCII));
    }
    public JsonWriter bool(boolean value) { return literal(value ? TRUE : FALSE); }
    public JsonWriter nothing() { return literal(NULL); }

    /** A value of other JSON, byte for byte as it was written there. */
    public JsonWriter value(Json value) {
        separate();
        copy(value.source(), value.from(), value.to());
        needsComma = true;
        return this;
    }

    /** A value that another writer has. */
    public JsonWriter value(JsonWriter value) {
        separate();
        copy(value.bytes, 0, value.size);
        needsComma = true;
        return this;
    }

    public JsonWriter field(String name, String value) { return name(name).string(value); }
    public JsonWriter field(String name, long value) { return name(name).number(value); }
    public JsonWriter field(String name, double value) { return name(name).number(value); }
    public JsonWriter field(String name, boolean value) { return name(name).bool(value); }
    public JsonWriter field(String name, Json value) { return name(name).value(value); }
    public JsonWriter field(String name, JsonWriter value) { return name(name).value(value); }
    public JsonWriter nullField(String name) { return name(name).nothing(); }

    /** A string that is written in pieces: {@link #piece}, until {@link #closeString}. */
    public JsonWriter openString() {
        separate();
        return one('"');
    }

    public JsonWriter closeString() {
        one('"');
        needsComma = true;
        return this;
    }

    /** The characters of a string of other JSON, escaped as they are there. */
    public JsonWriter piece(Json.Str text) { return copy(text.source(), text.from() + 1, text.to() - 1); }

    /** Characters of a string; half of a surrogate pair is written as an escape, for UTF-8 has none. */
    public JsonWriter piece(String text) {
        int length = text.length();
        for (int i = plain(text, 0); i < length; i = plain(text, i + 1)) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                i += beyondAscii(text, i);
            } else if (c < ' ') {
                control(c);
            } else {
                one('\\').one(c);
            }
        }
        return this;
    }

    /** Writes characters that stand for themselves. {@return where the next one is that does not} */
    private int plain(String text, int from) {
        int length = text.length();
        ensure(length - from + 2);
        byte[] into = bytes; // local, for speed, as the next
        int at = size - from;
        int i = from;
        for (; i < length; i++) {
            char c = text.charAt(i);
            boolean isPlain = c >= ' ' && c < 0x80 && c != '"' && c != '\\';
            if (!isPlain) break;
            into[at + i] = (byte) c;
        }
        size = at + i;
        return i;
    }

    /** The text of a JSON value, as the characters of a string: {@code {"a":1}} as {@code {\"a\":1}}. */
    public JsonWriter pieceOf(Json value) {
        ensure((value.to() - value.from()) * 2);
        byte[] source = value.source();
        byte[] into = bytes; // local, for speed, as the next
        int at = size;
        int from = value.from();
        while (from < value.to()) {
            int plain = 0;
            if (from + 8 <= value.to()) { // at once: what is too many is written over
                long eight = (long) JsonParser.LONGS.get(source, from);
                JsonParser.LONGS.set(into, at, eight);
                plain = Long.numberOfTrailingZeros(JsonParser.escaped(eight)) >>> 3;
            }
            from += plain;
            at += plain;
            if (plain == 8) continue;
            byte letter = LETTERS[source[from] & 0xFF];
            if (letter != source[from] || letter == '"' || letter == '\\') into[at++] = '\\';
            into[at++] = letter;
            from++;
        }
        size = at;
        return this;
    }

    /** Text that is no JSON, or JSON that is ready. */
    public JsonWriter ascii(String text) {
        int length = text.length();
        ensure(length);
        for (int i = 0; i < length; i++) bytes[size++] = (byte) text.charAt(i);
        needsComma = false;
        return this;
    }

    public JsonWriter utf8(String text) { return ready(text.getBytes(StandardCharsets.UTF_8)); }

    /** Bytes as they are. */
    public JsonWriter ready(byte[] text) {
        copy(text, 0, text.length);
        needsComma = false;
        return this;
    }

    /** Makes room for so many more bytes; only to spare the growing. */
    public JsonWriter ensure(int more) {
        if (more > bytes.length - size) bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        return this;
    }

    private JsonWriter open(char bracket) {
        separate();
        one(bracket);
        needsComma = false;
        return this;
    }

    private JsonWriter close(char bracket) {
        one(bracket);
        needsComma = true;
        return this;
    }

    private JsonWriter literal(byte[] ascii) {
        separate();
        copy(ascii, 0, ascii.length);
        needsComma = true;
        return this;
    }

    private void separate() {
        if (needsComma) one(',');
        needsComma = false;
    }

    private JsonWriter one(char ascii) {
        ensure(1);
        bytes[size++] = (byte) ascii;
        return this;
    }

    private JsonWriter copy(byte[] source, int from, int to) {
        ensure(to - from);
        System.arraycopy(source, from, bytes, size, to - from);
        size += to - from;
        return this;
    }

    private void control(char c) {
        byte letter = LETTERS[c];
        if (letter != c) {
            one('\\').one((char) letter);
        } else {
            ascii("\\u%04x".formatted((int) c));
        }
    }

    /** Writes the character that begins at {@code i}. {@return how many more units than one it takes} */
    private int beyondAscii(String text, int i) {
        int c = text.codePointAt(i);
        boolean isHalf = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
        String written = isHalf ? "\\u%04x".formatted(c) : Character.toString(c);
        byte[] utf8 = written.getBytes(StandardCharsets.UTF_8);
        copy(utf8, 0, utf8.length);
        return Character.charCount(c) - 1;
    }

    /** {@return a string made of pieces: strings of JSON as they are, Java strings escaped} */
    public static Json.Str text(Object... pieces) {
        var out = new JsonWriter().openString();
        for (Object piece : pieces) {
            if (piece instanceof Json.Str text) {
                out.piece(text);
            } else {
                out.piece((String) piece);
            }
        }
        out.closeString();
        return new Json.Str(out.buffer(), 0, out.size());
    }
}
