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
            int same = shared(ascii);
            byte next = source[from + 1 + same];
            return same == ascii.length() && next == '"' || next == '\\' && text().equals(ascii);
        }

        /** {@return how many of its first characters it has in common with {@code ascii}, as they are written} */
        private int shared(String ascii) {
            int same = 0;
            while (same < ascii.length() && source[from + 1 + same] == ascii.charAt(same)) same++;
            return same;
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
    static Json parse(String text) { return parse(text.getBytes(StandardCharsets.UTF_8)); }

    /** {@return what {@link Writer#put} makes of the pattern} */
    static Json of(String pattern, Object... values) { return parse(new Writer().put(pattern, values).toBytes()); }

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
        private static final long GATHER = 0x0002040810204081L; // times the highest bits of eight bytes: all in one
        private static final int SHORT = 32; // bytes
        private static final int NAMES = 64;
        private static final int ESCAPE = 1; // a backslash, and what may follow it
        private static final int TWO_BYTES = 2; // the first and the second byte of such a character
        private static final byte[] LEADS = new byte[256];
        private static final byte[] FOLLOWS = new byte[256];
        static {
            LEADS['\\'] = ESCAPE;
            for (char c : "\"\\/bfnrt".toCharArray()) FOLLOWS[c] = ESCAPE;
            Arrays.fill(LEADS, 0xC2, 0xE0, (byte) TWO_BYTES);
            Arrays.fill(FOLLOWS, 0x80, 0xC0, (byte) TWO_BYTES);
        }

        private final byte[] source;
        private final Json[] names = new Json[NAMES]; // read before, by their first letters
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
                    parts[count++] = name();
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

        /** {@return a member's name} Names come again and again: one that is known need not be looked through. */
        private Json name() {
            int slot = (byteAt(at + 1) * 7 + byteAt(at + 2)) & NAMES - 1;
            Json known = names[slot];
            int to = known == null ? at : at + known.to() - known.from();
            boolean same = to > at && to <= source.length
                    && Arrays.equals(source, at, to, source, known.from(), known.to());
            if (!same) return names[slot] = string();
            at = to;
            return known;
        }

        /** string = quotation-mark *char quotation-mark */
        private Json string() {
            int from = at;
            int i = special(from + 1);
            while (byteAt(i) != '"') {
                i = character(i);
                i = special(i - from > SHORT ? blocks(i) : i);
            }
            at = i + 1;
            return new Str(source, from, at);
        }

        /** {@return where the next quote, backslash, control or non-ASCII character is; looks at eight at a time} */
        private int special(int i) {
            for (; i + 8 <= source.length; i += 8) {
                long found = specials(i);
                if (found != 0) return i + (Long.numberOfTrailingZeros(found) >>> 3);
            }
            while (i < source.length && source[i] >= ' ' && source[i] != '"' && source[i] != '\\') i++;
            return i;
        }

        /** {@return a bit for each of the eight bytes there that is special, and perhaps for one after such a one} */
        private long specials(int i) {
            long eight = (long) LONGS.get(source, i);
            long quote = eight ^ ONES * '"';
            long backslash = eight ^ ONES * '\\';
            return (eight | eight - ONES * ' ' | quote - ONES | backslash - ONES) & ONES << 7;
        }

        /**
         * Reads on in a long string, 64 bytes at a time, so that the processor need not guess where the next special
         * character is. {@return where the string ends, or where fewer bytes are left}
         */
        private int blocks(int i) {
            for (int next = i; i + 64 <= source.length; i = Math.max(i + 64, next)) {
                long found = 0;
                for (int k = 0; k < 64; k += 8) found |= (specials(i + k) * GATHER >>> 56) << k;
                while (found != 0) {
                    int special = i + Long.numberOfTrailingZeros(found);
                    if (source[special] == '"') return special;
                    next = special + 2;
                    boolean isPair = next <= source.length
                            && (LEADS[source[special] & 0xFF] & FOLLOWS[source[special + 1] & 0xFF]) != 0;
                    if (!isPair) next = character(special);
                    found &= next - i < 64 ? -1L << next - i : 0;
                }
            }
            return i;
        }

        /** Reads a character that may need a closer look. {@return where the next one begins} */
        private int character(int i) {
            int b = byteAt(i);
            if (b < 0) throw new Malformed(i, "the string does not end");
            if (b < ' ') throw new Malformed(i, "a control character must be escaped");
            if (b >= 0x80) return i + utf8(i);
            if (b != '\\') return i + 1;
            int escaped = byteAt(i + 1);
            if (escaped >= 0 && (FOLLOWS[escaped] & ESCAPE) != 0) return i + 2;
            if (escaped != 'u') throw new Malformed(i + 1, "no such escape");
            for (int digit = i + 2; digit < i + 6; digit++) {
                if (Character.digit(byteAt(digit), 16) < 0) throw new Malformed(digit, "a hex digit expected");
            }
            return i + 6;
        }

        /** {@return the length of a character beyond ASCII, by the table of RFC 3629, section 4} */
        private int utf8(int i) {
            int lead = byteAt(i);
            int second = byteAt(i + 1);
            int length = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            int least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            int most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
            boolean valid = length > 0 && second >= least && second <= most;
            for (int k = 2; valid && k < length; k++) valid = (byteAt(i + k) & 0xC0) == 0x80;
            if (!valid) throw new Malformed(i, "not UTF-8");
            return length;
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
        private static final byte[] LETTERS = new byte[256]; // of an escape after its backslash
        static {
            for (int i = 0; i < 256; i++) LETTERS[i] = (byte) i;
            for (int i = 0; i < ' '; i++) LETTERS[i] = (byte) (i == '\n' ? 'n' : i == '\r' ? 'r' : 't');
        }

        private byte[] bytes = new byte[512];
        private int size;

        int size() { return size; }
        void clear() { size = 0; }
        /** Gives up what was written, and the room it took. */
        void free() {
            bytes = new byte[0];
            clear();
        }
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
                byte b = LETTERS[from[i] & 0xFF];
                to[at] = '\\'; // written over where none is needed: quicker than to guess
                at += b != from[i] || b == '"' || b == '\\' ? 1 : 0;
                to[at++] = b;
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
