package json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * A JSON value as RFC 8259 defines it: immutable, and a slice of the bytes it was read from. Copying a value
 * to the output copies that slice, so numbers, escapes, member order and white space stay as they were. This
 * is not a general JSON library: values are read whole, looked at, and copied or left out; they are never
 * changed.
 *
 * <p>The look-ups are lenient, for replies may have any shape: what is not there, or is of another type, is
 * {@link #NULL}, empty or the given default. Of members with the same name the last counts.
 */
public sealed interface Json {
    int MAX_DEPTH = 512;
    /**
     * Values in one text. Each takes some {@link #VALUE_BYTES} beside its text, however short that is: in all
     * no more than the longest body does. A request of Claude Code's of 1 MB holds some thousands.
     */
    int MAX_VALUES = 1 << 19;
    int VALUE_BYTES = 64;
    Json TRUE = new Word("true".getBytes(StandardCharsets.UTF_8), 0, 4);
    Json FALSE = new Word("false".getBytes(StandardCharsets.UTF_8), 0, 5);
    Json NULL = new Word("null".getBytes(StandardCharsets.UTF_8), 0, 4);

    record Obj(byte[] source, int from, int to, Json[] parts) implements Json { }
    record Arr(byte[] source, int from, int to, List<Json> items) implements Json { }
    record Num(byte[] source, int from, int to) implements Json { }
    /** One of the three constants, compared by identity. */
    record Word(byte[] source, int from, int to) implements Json { }

    /** A string; {@code from} and {@code to} include the quotes. */
    record Str(byte[] source, int from, int to) implements Json {
        /** {@return a string made of {@code pieces}: strings of JSON as they are, Java strings escaped} */
        public static Str of(Object... pieces) {
            Writer out = new Writer().raw('"');
            for (Object piece : pieces) out.inner(piece);
            return new Str(out.raw('"').array(), 0, out.size());
        }

        private boolean same(String ascii) {
            int same = shared(ascii);
            byte next = source[from + 1 + same];
            return same == ascii.length() && next == '"' || next == '\\' && means(ascii);
        }

        /** {@return whether this is {@code text} when the escapes are read, as far as that takes} */
        private boolean means(String text) {
            int at = from + 1;
            int end = to - 1;
            for (int i = 0; i < text.length(); i++) {
                if (at < end && source[at] < 0) return text().equals(text); // beyond ASCII
                if (at >= end || meant(at) != text.charAt(i)) return false;
                at += width(at);
            }
            return at == end;
        }

        /** {@return the character that is meant at {@code at}, by an escape or one of ASCII} */
        private char meant(int at) {
            if (source[at] != '\\') return (char) (source[at] & 0xFF);
            char kind = (char) source[at + 1];
            int control = "bfnrt".indexOf(kind); // other escapes stand for themselves
            if (kind != 'u') return control < 0 ? kind : "\b\f\n\r\t".charAt(control);
            int c = 0;
            for (int i = at + 2; i < at + 6; i++) c = c << 4 | Character.digit(source[i], 16);
            return (char) c;
        }

        private int width(int at) {
            if (source[at] != '\\') return 1;
            return source[at + 1] == 'u' ? 6 : 2;
        }

        /**
         * {@return how many of its first characters it has in common with {@code ascii}, as they are written}
         */
        private int shared(String ascii) {
            int same = 0;
            while (same < ascii.length() && source[from + 1 + same] == ascii.charAt(same)) same++;
            return same;
        }

        /**
         * {@return whether the last character may be half of a surrogate pair, which only an escape can be}
         */
        public boolean mayEndInHalf() {
            return to - from >= 8 && source[to - 7] == '\\' && source[to - 6] == 'u';
        }
    }

    /**
     * Bytes that are not JSON; the message names the place and what was expected, and never quotes the input.
     */
    sealed class Malformed extends RuntimeException permits TooManyValues {
        private final int position;

        Malformed(int position, String expected) {
            super("not valid JSON at byte %d: %s".formatted(position, expected), null, false, false);
            this.position = position;
        }

        /** {@return the byte that does not fit; the length of the source if that ends too early} */
        public int position() { return position; }
    }

    /** A text of more than {@link #MAX_VALUES} values, which nobody needs who means well. */
    final class TooManyValues extends Malformed {
        TooManyValues(int position) {
            super(position, "no more than %d values expected".formatted(MAX_VALUES));
        }
    }

    byte[] source();
    int from();
    int to();
    /** {@return the value in all of {@code source}, which must be UTF-8; a byte order mark is passed over} */
    static Json parse(byte[] source) { return new JsonParser(source, 0).document(); }
    /** {@return the value that begins at {@code from}, whatever follows it} */
    static Json parseAt(byte[] source, int from) { return new JsonParser(source, from).value(); }
    static Json parse(String text) { return parse(text.getBytes(StandardCharsets.UTF_8)); }

    /** {@return what {@link Writer#put} makes of the pattern} */
    static Json of(String pattern, Object... values) { return parse(new Writer().put(pattern, values).toBytes()); }

    /**
     * {@return the string that stands from {@code from} to {@code to}, quotes included; NULL if just one does
     * not}
     */
    static Json string(byte[] source, int from, int to) {
        try {
            Json found = new JsonParser(source, from).string();
            return found.to() == to ? found : NULL;
        } catch (Malformed e) { // the caller looks at all of it then
            return NULL;
        }
    }

    /**
     * {@return its kind by the first letter: object, array, string, number, or word, that is true, false or
     * null}
     */
    default char kind() {
        return switch (this) {
            case Obj o -> 'o';
            case Arr a -> 'a';
            case Str s -> 's';
            case Num n -> 'n';
            case Word w -> 'w';
        };
    }

    /** {@return the value as JSON text, as it was written} */
    default String raw() { return new String(source(), from(), to() - from(), StandardCharsets.UTF_8); }
    /** {@return the names and values of an object in turn; of anything else, none} */
    default Json[] parts() { return new Json[0]; }
    /** {@return the elements of an array; of anything else, none} */
    default List<Json> items() { return List.of(); }
    /** {@return whether this is a string with at least one character} */
    default boolean hasText() { return this instanceof Str && to() - from() > 2; }
    default boolean isNull() { return this == NULL; }

    default Json get(String name) {
        Json[] parts = this instanceof Obj object ? object.parts : new Json[0];
        for (int i = parts.length - 2; i >= 0; i -= 2) {
            if (((Str) parts[i]).same(name)) return parts[i + 1];
        }
        return NULL;
    }

    /**
     * {@return whether this is the string {@code ascii}, however escaped; that has no quotes and no
     * backslashes}
     */
    default boolean is(String ascii) { return this instanceof Str text && text.same(ascii); }

    /** {@return whether this is a string that begins with {@code ascii}, written without escapes} */
    default boolean begins(String ascii) { return this instanceof Str text && text.shared(ascii) == ascii.length(); }

    /** {@return the string decoded, unpaired surrogates as they are; "" for what is not a string} */
    default String text() {
        if (!(this instanceof Str str)) return "";
        String raw = new String(str.source, str.from + 1, str.to - str.from - 2, StandardCharsets.UTF_8);
        if (raw.indexOf('\\') < 0) return raw;
        var text = new StringBuilder();
        int from = 0;
        for (int at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', from)) {
            char kind = raw.charAt(at + 1);
            int control = "bfnrt".indexOf(kind); // other escapes stand for themselves
            char meant = control < 0 ? kind : "\b\f\n\r\t".charAt(control);
            if (kind == 'u') meant = (char) Integer.parseInt(raw, at + 2, at + 6, 16);
            text.append(raw, from, at).append(meant);
            from = at + (kind == 'u' ? 6 : 2);
        }
        return text.append(raw, from, raw.length()).toString();
    }

    /**
     * {@return the number if, read as a double, it is a whole one up to 2^53, however written; else the
     * default}
     */
    default long toLong(long otherwise) {
        double value = this instanceof Num ? Double.parseDouble(raw()) : Double.NaN;
        return value == Math.rint(value) && Math.abs(value) <= 1L << 53 ? (long) value : otherwise;
    }

    /** A growing buffer that JSON text is written to. */
    final class Writer {
        private static final byte[] LETTERS = new byte[256]; // of an escape after its backslash
        static {
            for (int i = 0; i < 256; i++) LETTERS[i] = (byte) i;
            for (int i = 0; i < ' '; i++) LETTERS[i] = (byte) (i == '\n' ? 'n' : i == '\r' ? 'r' : 't');
        }

        private byte[] bytes = new byte[512];
        private int size;

        public int size() { return size; }
        public void clear() { size = 0; }
        /** Gives up what was written, and the room it took. */
        public void free() {
            bytes = new byte[0];
            clear();
        }
        /** {@return the bytes written, in an array that may be longer; valid until the next write} */
        public byte[] array() { return bytes; }
        public byte[] toBytes() { return Arrays.copyOf(bytes, size); }
        @Override public String toString() { return new String(bytes, 0, size, StandardCharsets.UTF_8); }

        /**
         * Writes {@code pattern}; in it ' stands for a quotation mark, % for the next of {@code values}
         * (strings are quoted and escaped, others written as they are), @ for the next one's JSON text as a
         * string.
         */
        public Writer put(String pattern, Object... values) {
            int next = 0;
            ensure(pattern.length());
            for (int i = 0; i < pattern.length(); i++) {
                char c = pattern.charAt(i);
                if (c == '%' || c == '@') {
                    value(values[next++], c == '@').ensure(pattern.length());
                } else {
                    bytes[size++] = (byte) (c == '\'' ? '"' : c);
                }
            }
            return this;
        }

        private Writer value(Object value, boolean inQuotes) {
            return switch (value) {
                case Json json when inQuotes -> raw('"').quoted(json).raw('"');
                case Json json -> raw(json.source(), json.from(), json.to());
                case Writer other -> raw(other);
                case String text -> raw('"').escaped(text).raw('"');
                default -> utf8(value.toString());
            };
        }

        /**
         * Writes the JSON text of {@code json} as the inside of a string; its control characters are white
         * space.
         */
        private Writer quoted(Json json) {
            ensure((json.to() - json.from()) * 2);
            byte[] from = json.source();
            byte[] to = bytes; // and a local position, for speed
            int at = size;
            for (int i = json.from(), end = json.to(); i < end; i++) {
                byte b = LETTERS[from[i] & 0xFF];
                to[at] = '\\'; // written over where none is needed: quicker than to guess
                at += b != from[i] || b == '"' || b == '\\' ? 1 : 0;
                to[at++] = b;
            }
            size = at;
            return this;
        }

        /** Writes the inside of a string: one of JSON as it stands there, one of Java escaped. */
        public Writer inner(Object text) {
            return text instanceof Str str ? raw(str.source, str.from + 1, str.to - 1) : escaped((String) text);
        }

        public Writer raw(char ascii) {
            ensure(1);
            bytes[size++] = (byte) ascii;
            return this;
        }

        public Writer raw(Writer other) { return raw(other.bytes, 0, other.size); }

        Writer raw(byte[] source, int from, int to) {
            ensure(to - from);
            System.arraycopy(source, from, bytes, size, to - from);
            size += to - from;
            return this;
        }

        public Writer utf8(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            return raw(utf8, 0, utf8.length);
        }

        /** Ends a list that was written with a comma after each item. */
        public Writer closeWith(char closing) {
            size -= bytes[size - 1] == ',' ? 1 : 0;
            return raw(closing);
        }

        /** Writes {@code text} as the inside of a JSON string; an unpaired surrogate becomes an escape. */
        public Writer escaped(String text) {
            for (int i = 0; i < text.length(); i++) {
                int c = text.codePointAt(i);
                if (c >= ' ' && c < 0x80) {
                    if (c == '"' || c == '\\') raw('\\');
                    raw((char) c);
                } else if (c < ' ' || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                    utf8(c == '\n' ? "\\n" : "\\u%04x".formatted(c));
                } else {
                    utf8(Character.toString(c));
                    i += Character.charCount(c) - 1;
                }
            }
            return this;
        }

        /** Makes room for so many more bytes; only to spare the growing. */
        public void ensure(int more) {
            if (more > bytes.length - size) bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
