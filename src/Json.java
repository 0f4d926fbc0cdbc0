import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * A JSON value as RFC 8259 defines it: immutable, and a slice of the bytes it was read from. Copying a value to the
 * output copies that slice, so numbers, escapes, member order and white space stay as they were. This is not a general
 * JSON library: values are read whole, looked at, and copied or left out; they are never changed.
 *
 * <p>The look-ups are lenient, for replies may have any shape: what is not there, or is of another type, is
 * {@link #NULL}, empty or the given default. Of members with the same name the last counts.
 */
sealed interface Json {
    int MAX_DEPTH = 512;
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
        static Str of(Object... pieces) {
            Writer out = new Writer().raw('"');
            for (Object piece : pieces) out.inner(piece);
            return new Str(out.raw('"').array(), 0, out.size());
        }

        private boolean same(String ascii) {
            int length = ascii.length();
            int same = 0;
            while (same < length && source[from + 1 + same] == ascii.charAt(same)) same++;
            byte next = source[from + 1 + same];
            return same == length && next == '"' || next == '\\' && text().equals(ascii);
        }

        /** {@return whether the last character may be half of a surrogate pair, which only an escape can be} */
        boolean mayEndInHalf() { return to - from >= 8 && source[to - 7] == '\\' && source[to - 6] == 'u'; }
    }

    /** Bytes that are not JSON; the message names the place and what was expected, and never quotes the input. */
    final class Malformed extends RuntimeException {
        private Malformed(int position, String expected) {
            super("not valid JSON at byte %d: %s".formatted(position, expected), null, false, false);
        }
    }

    byte[] source();
    int from();
    int to();
    /** {@return the value in all of {@code source}, which must be UTF-8; a byte order mark is passed over} */
    static Json parse(byte[] source) { return new Parser(source, 0).document(); }

    /** {@return the string that stands from {@code from} to {@code to}, quotes included; NULL if just one does not} */
    static Json string(byte[] source, int from, int to) {
        try {
            Json found = new Parser(source, from).string();
            return found.to() == to ? found : NULL;
        } catch (Malformed e) { // the caller looks at all of it then
            return NULL;
        }
    }

    /** {@return its kind by the first letter: object, array, string, number, or word, that is true, false or null} */
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

    /** {@return whether this is the string {@code ascii}, however escaped; that has no quotes and no backslashes} */
    default boolean is(String ascii) { return this instanceof Str text && text.same(ascii); }

    /** {@return the string decoded, unpaired surrogates as they are; "" for what is not a string} */
    default String text() {
        if (!(this instanceof Str str)) return "";
        String raw = new String(str.source, str.from + 1, str.to - str.from - 2, StandardCharsets.UTF_8);
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
        return from == 0 ? raw : text.append(raw, from, raw.length()).toString();
    }

    /** {@return the number if, read as a double, it is a whole one up to 2^53, however written; else the default} */
    default long toLong(long otherwise) {
        double value = this instanceof Num ? Double.parseDouble(raw()) : Double.NaN;
        return value == Math.rint(value) && Math.abs(value) <= 1L << 53 ? (long) value : otherwise;
    }

    /** Recursive descent over bytes. Everything is checked here, once: grammar, UTF-8 (RFC 3629), escapes, depth. */
    final class Parser {
        private static final VarHandle LONGS =
                MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
        private static final long ONES = 0x0101010101010101L;
        private static final boolean[] ESCAPED = new boolean[256]; // what stands for itself after a backslash
        static {
            for (char c : "\"\\/bfnrt".toCharArray()) ESCAPED[c] = true;
        }

        private final byte[] source;
        private int at;

        private Parser(byte[] source, int at) {
            this.source = source;
            this.at = at;
        }

        /** {@return a byte, unsigned; -1 beyond the end} */
        private int byteAt(int i) { return i < source.length ? source[i] & 0xFF : -1; }

        private Json document() {
            if (byteAt(0) == 0xEF && byteAt(1) == 0xBB && byteAt(2) == 0xBF) at = 3;
            Json value = value(0);
            if (peek() >= 0) throw new Malformed(at, "nothing more expected after the value");
            return value;
        }

        /** {@return the next byte that is not white space, not consumed; -1 at the end} */
        private int peek() {
            int b = byteAt(at);
            while (b == ' ' || b == '\n' || b == '\r' || b == '\t') b = byteAt(++at);
            return b;
        }

        /** value = object / array / string / number / true / false / null */
        private Json value(int depth) {
            return switch (peek()) {
                case '{' -> container('}', depth + 1);
                case '[' -> container(']', depth + 1);
                case '"' -> string();
                case 't' -> word(TRUE);
                case 'f' -> word(FALSE);
                case 'n' -> word(NULL);
                default -> number();
            };
        }

        /** object = { [ string : value *( , string : value ) ] }, array = [ [ value *( , value ) ] ] */
        private Json container(char closing, int depth) {
            if (depth > MAX_DEPTH) throw new Malformed(at, "nested deeper than %d levels".formatted(MAX_DEPTH));
            int from = at;
            var parts = new Json[8];
            int count = 0;
            do {
                at++; // the opening bracket or a comma
                if (peek() == closing && count == 0) break;
                if (count + 2 > parts.length) parts = Arrays.copyOf(parts, count * 2);
                if (closing == '}') {
                    if (peek() != '"') throw new Malformed(at, "a member name in quotes expected");
                    parts[count++] = string();
                    if (peek() != ':') throw new Malformed(at, "':' expected");
                    at++;
                }
                parts[count++] = value(depth);
            } while (peek() == ',');
            if (peek() != closing) throw new Malformed(at, "',' or '%c' expected".formatted(closing));
            at++;
            parts = Arrays.copyOf(parts, count);
            return closing == '}' ? new Obj(source, from, at, parts) : new Arr(source, from, at, List.of(parts));
        }

        /** string = quotation-mark *char quotation-mark */
        private Json string() {
            byte[] bytes = source;
            int from = at;
            for (int i = from + 1; ; ) {
                i = special(bytes, i);
                byte b = i < bytes.length ? bytes[i] : 0;
                if (b == '\\' && i + 1 < bytes.length && ESCAPED[bytes[i + 1] & 0xFF]) {
                    i += 2;
                } else if (b == '"') {
                    at = i + 1;
                    return new Str(bytes, from, at);
                } else {
                    at = i;
                    if (b < 0) utf8(); else unicode();
                    i = at;
                }
            }
        }

        /** {@return where the next quote, backslash, control or non-ASCII character is; looks at eight at a time} */
        private static int special(byte[] source, int i) {
            for (; i + 8 <= source.length; i += 8) {
                long eight = (long) LONGS.get(source, i);
                long quote = eight ^ ONES * '"';
                long backslash = eight ^ ONES * '\\';
                long found = (eight | eight - ONES * ' ' | quote - ONES | backslash - ONES) & ONES << 7; // a bit a byte
                if (found != 0) return i + (Long.numberOfTrailingZeros(found) >>> 3);
            }
            while (i < source.length && source[i] >= ' ' && source[i] != '"' && source[i] != '\\') i++;
            return i;
        }

        /** An escape of four hex digits; what else may stand in a string has been read. */
        private void unicode() {
            if (at >= source.length) throw new Malformed(at, "the string does not end");
            if (source[at] != '\\') throw new Malformed(at, "a control character must be escaped");
            if (byteAt(++at) != 'u') throw new Malformed(at, "no such escape");
            for (int to = ++at + 4; at < to; at++) {
                if (Character.digit(byteAt(at), 16) < 0) throw new Malformed(at, "a hex digit expected");
            }
        }

        /** One character beyond ASCII, by the table of RFC 3629, section 4. */
        private void utf8() {
            int lead = byteAt(at);
            int second = byteAt(at + 1);
            int length = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            int least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            int most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
            boolean valid = length > 0 && second >= least && second <= most;
            for (int i = 2; valid && i < length; i++) valid = (byteAt(at + i) & 0xC0) == 0x80;
            if (!valid) throw new Malformed(at, "not UTF-8");
            at += length;
        }

        /** number = [ - ] int [ frac ] [ exp ] */
        private Json number() {
            int from = at;
            String first = skip("-") ? "a digit expected" : "a value expected";
            if (!skip("0")) digits(first);
            if (skip(".")) digits("a digit expected");
            if (skip("eE")) {
                skip("+-");
                digits("a digit expected");
            }
            return new Num(source, from, at);
        }

        private boolean skip(String any) {
            boolean found = any.indexOf(byteAt(at)) >= 0;
            if (found) at++;
            return found;
        }

        private void digits(String expected) {
            int from = at;
            while (byteAt(at) >= '0' && byteAt(at) <= '9') at++;
            if (at == from) throw new Malformed(at, expected);
        }

        private Json word(Json word) {
            int to = Math.min(source.length, at + word.to());
            boolean same = Arrays.equals(source, at, to, word.source(), 0, word.to());
            if (!same) throw new Malformed(at, "a value expected");
            at = to;
            return word;
        }
    }

    /** A growing buffer that JSON text is written to. */
    final class Writer {
        private byte[] bytes = new byte[512];
        private int size;

        int size() { return size; }
        void clear() { cut(0); }
        void cut(int at) { size = at; }
        /** {@return the bytes written, in an array that may be longer; valid until the next write} */
        byte[] array() { return bytes; }
        byte[] toBytes() { return Arrays.copyOf(bytes, size); }
        @Override public String toString() { return new String(bytes, 0, size, StandardCharsets.UTF_8); }

        /**
         * Writes {@code pattern}; in it ' stands for a quotation mark, % for the next of {@code values} (strings are
         * quoted and escaped, others written as they are), @ for the next one's JSON text as a string.
         */
        Writer put(String pattern, Object... values) {
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

        /** Writes the JSON text of {@code json} as the inside of a string; its control characters are white space. */
        private Writer quoted(Json json) {
            ensure((json.to() - json.from()) * 2);
            byte[] from = json.source();
            byte[] to = bytes; // and a local position, for speed
            int at = size;
            for (int i = json.from(), end = json.to(); i < end; i++) {
                byte b = from[i];
                if (b == '"' || b == '\\' || b < ' ' && b >= 0) to[at++] = '\\';
                to[at++] = b >= ' ' || b < 0 ? b : b == '\n' ? (byte) 'n' : b == '\r' ? (byte) 'r' : (byte) 't';
            }
            size = at;
            return this;
        }

        /** Writes the inside of a string: one of JSON as it stands there, one of Java escaped. */
        Writer inner(Object text) {
            return text instanceof Str str ? raw(str.source, str.from + 1, str.to - 1) : escaped((String) text);
        }

        Writer raw(char ascii) {
            ensure(1);
            bytes[size++] = (byte) ascii;
            return this;
        }

        Writer raw(Writer other) { return raw(other.bytes, 0, other.size); }

        Writer raw(byte[] source, int from, int to) {
            ensure(to - from);
            System.arraycopy(source, from, bytes, size, to - from);
            size += to - from;
            return this;
        }

        Writer utf8(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            return raw(utf8, 0, utf8.length);
        }

        /** Ends a list that was written with a comma after each item. */
        Writer closeWith(char closing) {
            size -= bytes[size - 1] == ',' ? 1 : 0;
            return raw(closing);
        }

        /** Writes {@code text} as the inside of a JSON string; an unpaired surrogate becomes an escape. */
        Writer escaped(String text) {
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
        void ensure(int more) {
            if (more > bytes.length - size) bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
