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
    Json TRUE = Word.of("true");
    Json FALSE = Word.of("false");
    Json NULL = Word.of("null");

    record Obj(byte[] source, int from, int to, Json[] namesAndValues) implements Json { }

    record Arr(byte[] source, int from, int to, List<Json> items) implements Json { }

    record Num(byte[] source, int from, int to) implements Json { }

    /** One of the three constants, compared by identity. */
    record Word(byte[] source, int from, int to) implements Json {
        private static Word of(String text) { return new Word(text.getBytes(StandardCharsets.UTF_8), 0, text.length()); }
    }

    /** A string; {@code from} and {@code to} include the quotes, {@code escaped} says that there may be a backslash. */
    record Str(byte[] source, int from, int to, boolean escaped) implements Json {
        /** {@return a string made of {@code pieces}: strings of JSON as they are, Java strings escaped} */
        static Str of(Object... pieces) {
            Writer out = new Writer().raw('"');
            for (Object piece : pieces) {
                if (piece instanceof Str str) out.inner(str); else out.escaped((String) piece);
            }
            return new Str(out.raw('"').array(), 0, out.size(), true);
        }

        boolean isEmpty() { return to - from == 2; }
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
    static Json parse(byte[] source) { return new Parser(source).document(); }

    default Json get(String name) {
        Json[] parts = parts();
        for (int i = parts.length - 2; i >= 0; i -= 2) {
            if (parts[i].is(name)) return parts[i + 1];
        }
        return NULL;
    }

    /** {@return the names and values of an object in turn; of anything else, none} */
    default Json[] parts() { return this instanceof Obj obj ? obj.namesAndValues : new Json[0]; }
    /** {@return the elements of an array; of anything else, none} */
    default List<Json> items() { return List.of(); }
    default boolean isNull() { return this == NULL; }

    /** {@return whether this is the string {@code ascii}, however escaped} */
    default boolean is(String ascii) {
        if (!(this instanceof Str str)) return false;
        if (str.escaped) return text().equals(ascii);
        boolean same = str.to - str.from - 2 == ascii.length();
        for (int i = 0; same && i < ascii.length(); i++) same = str.source[str.from + 1 + i] == ascii.charAt(i);
        return same;
    }

    /** {@return whether this is a string with at least one character} */
    default boolean hasText() { return this instanceof Str str && !str.isEmpty(); }

    /** {@return the string decoded, unpaired surrogates as they are; "" for what is not a string} */
    default String text() {
        if (!(this instanceof Str str)) return "";
        String raw = new String(str.source, str.from + 1, str.to - str.from - 2, StandardCharsets.UTF_8);
        if (!str.escaped) return raw;
        var text = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i) == '\\' ? raw.charAt(++i) : 0;
            int kind = "bfnrtu".indexOf(c); // other escapes stand for themselves
            if (kind == 5) text.append((char) Integer.parseInt(raw, i + 1, i + 5, 16));
            if (kind < 5) text.append(kind < 0 ? raw.charAt(i) : "\b\f\n\r\t".charAt(kind));
            i += kind == 5 ? 4 : 0;
        }
        return text.toString();
    }

    /** {@return the number if, read as a double, it is a whole one up to 2^53, however written; else the default} */
    default long toLong(long otherwise) {
        double value = this instanceof Num ? Double.parseDouble(raw()) : Double.NaN;
        return value == Math.rint(value) && Math.abs(value) <= 1L << 53 ? (long) value : otherwise;
    }

    /** {@return the value as JSON text, as it was written} */
    default String raw() { return new String(source(), from(), to() - from(), StandardCharsets.UTF_8); }

    /** Recursive descent over bytes. Everything is checked here, once: grammar, UTF-8 (RFC 3629), escapes, depth. */
    final class Parser {
        private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
        private static final long ONES = 0x0101010101010101L;

        private final byte[] source;
        private final int end;
        private int at;
        private int depth;
        private Json[] stack = new Json[64]; // the parts of the containers that are still open
        private int top;

        private Parser(byte[] source) {
            this.source = source;
            this.end = source.length;
        }

        private Json document() {
            if (end - at >= 3 && source[at] == -17 && source[at + 1] == -69 && source[at + 2] == -65) at += 3;
            Json value = value();
            if (peek() >= 0) throw new Malformed(at, "nothing more expected after the value");
            return value;
        }

        /** {@return the next byte that is not white space, not consumed; -1 at the end} */
        private int peek() {
            for (; at < end; at++) {
                int b = source[at] & 0xFF;
                if (b != ' ' && b != '\n' && b != '\r' && b != '\t') return b;
            }
            return -1;
        }

        /** value = object / array / string / number / true / false / null */
        private Json value() {
            return switch (peek()) {
                case '{' -> container('}');
                case '[' -> container(']');
                case '"' -> string();
                case 't' -> word(TRUE);
                case 'f' -> word(FALSE);
                case 'n' -> word(NULL);
                default -> number();
            };
        }

        /** object = { [ string : value *( , string : value ) ] }, array = [ [ value *( , value ) ] ] */
        private Json container(char closing) {
            int from = at++;
            int base = top;
            if (++depth > MAX_DEPTH) throw new Malformed(from, "nested deeper than %d levels".formatted(MAX_DEPTH));
            for (boolean more = peek() != closing; more; at += more ? 1 : 0) {
                if (closing == '}') {
                    if (peek() != '"') throw new Malformed(at, "a member name in quotes expected");
                    push(string());
                    if (peek() != ':') throw new Malformed(at, "':' expected");
                    at++;
                }
                push(value());
                more = peek() == ',';
                if (!more && peek() != closing) throw new Malformed(at, "',' or '%c' expected".formatted(closing));
            }
            at++;
            depth--;
            Json[] parts = Arrays.copyOfRange(stack, base, top);
            top = base;
            return closing == '}' ? new Obj(source, from, at, parts) : new Arr(source, from, at, List.of(parts));
        }

        private void push(Json part) {
            if (top == stack.length) stack = Arrays.copyOf(stack, top * 2);
            stack[top++] = part;
        }

        /** string = quotation-mark *char quotation-mark */
        private Json string() {
            int from = at++;
            boolean escaped = false;
            while (true) {
                at = special(at);
                if (at >= end) throw new Malformed(at, "the string does not end");
                int b = source[at++];
                if (b == '"') return new Str(source, from, at, escaped);
                if (b >= 0 && b < ' ') throw new Malformed(at - 1, "a control character must be escaped");
                escaped |= b == '\\';
                if (b < 0) utf8(at - 1); else escape();
            }
        }

        /** {@return where the next quote, backslash, control or non-ASCII character is; looks at eight at a time} */
        private int special(int i) {
            for (; i + 8 <= end; i += 8) {
                long eight = (long) LONGS.get(source, i);
                long quote = eight ^ ONES * '"';
                long backslash = eight ^ ONES * '\\';
                long found = (eight | eight - ONES * ' ' | quote - ONES | backslash - ONES) & ONES << 7; // a bit a byte
                if (found != 0) return i + (Long.numberOfTrailingZeros(found) >>> 3);
            }
            while (i < end && source[i] >= ' ' && source[i] != '"' && source[i] != '\\') i++;
            return i;
        }

        private void escape() {
            int kind = at < end ? source[at] : 0;
            switch (kind) {
                case '"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u' -> at++;
                default -> throw new Malformed(at, "no such escape");
            }
            for (int i = 0; kind == 'u' && i < 4; i++, at++) {
                if (at >= end || Character.digit(source[at], 16) < 0) throw new Malformed(at, "a hex digit expected");
            }
        }

        /** One character beyond ASCII, by the table of RFC 3629, section 4. */
        private void utf8(int from) {
            int lead = source[from] & 0xFF;
            int second = at < end ? source[at] & 0xFF : 0;
            int length = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            int least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            int most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
            boolean valid = length > 0 && from + length <= end && second >= least && second <= most;
            for (int i = 2; valid && i < length; i++) valid = (source[from + i] & 0xC0) == 0x80;
            if (!valid) throw new Malformed(from, "not UTF-8");
            at = from + length;
        }

        /** number = [ - ] int [ frac ] [ exp ] */
        private Json number() {
            int from = at;
            boolean negative = skip('-');
            if (!skip('0')) digits(negative ? "a digit expected" : "a value expected");
            if (skip('.')) digits("a digit expected");
            if (skip('e') || skip('E')) {
                if (!skip('+')) skip('-');
                digits("a digit expected");
            }
            return new Num(source, from, at);
        }

        private boolean skip(char c) {
            boolean found = at < end && source[at] == c;
            at += found ? 1 : 0;
            return found;
        }

        private void digits(String expected) {
            int from = at;
            while (at < end && source[at] >= '0' && source[at] <= '9') at++;
            if (at == from) throw new Malformed(at, expected);
        }

        private Json word(Json word) {
            int to = Math.min(end, at + word.to());
            if (!Arrays.equals(source, at, to, word.source(), 0, word.to())) throw new Malformed(at, "a value expected");
            at = to;
            return word;
        }
    }

    /** A growing buffer that JSON text is written to. */
    final class Writer {
        private byte[] bytes = new byte[512];
        private int size;

        int size() { return size; }
        void clear() { size = 0; }
        /** {@return the bytes written, in an array that may be longer; valid until the next write} */
        byte[] array() { return bytes; }
        byte[] toBytes() { return Arrays.copyOf(bytes, size); }
        @Override public String toString() { return new String(bytes, 0, size, StandardCharsets.UTF_8); }

        /**
         * Writes {@code pattern}, in which ' stands for the quotation mark and % for the next of {@code values}: JSON
         * and other writers are copied, a string is quoted and escaped, a number written. @ stands for the next value as
         * a string that holds its JSON text.
         */
        Writer put(String pattern, Object... values) {
            int next = 0;
            for (int i = 0; i < pattern.length(); i++) {
                char c = pattern.charAt(i);
                if (c == '%' || c == '@') value(values[next++], c == '@'); else raw(c == '\'' ? '"' : c);
            }
            return this;
        }

        private Writer value(Object value, boolean inQuotes) {
            return switch (value) {
                case Json json when inQuotes -> raw('"').quoted(json).raw('"');
                case Json json -> raw(json.source(), json.from(), json.to());
                case Writer other -> raw(other.bytes, 0, other.size);
                case String text -> raw('"').escaped(text).raw('"');
                default -> utf8(value.toString());
            };
        }

        /** Writes the JSON text of {@code json} as the inside of a string; its control characters are white space. */
        private Writer quoted(Json json) {
            ensure((json.to() - json.from()) * 2);
            for (int i = json.from(); i < json.to(); i++) {
                byte b = json.source()[i];
                if (b == '"' || b == '\\' || b < ' ' && b >= 0) bytes[size++] = '\\';
                bytes[size++] = b == '\n' ? (byte) 'n' : b == '\r' ? (byte) 'r' : b == '\t' ? (byte) 't' : b;
            }
            return this;
        }

        /** Writes what is between the quotes of {@code str}, as it stands there. */
        Writer inner(Str str) { return raw(str.source, str.from + 1, str.to - 1); }

        Writer raw(char ascii) {
            ensure(1);
            bytes[size++] = (byte) ascii;
            return this;
        }

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
