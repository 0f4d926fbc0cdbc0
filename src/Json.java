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
 * <p>The look-ups are lenient, for replies that may have any shape: a member, element or text that is not there, or
 * is of another type, is {@link Word#NULL}, empty or the given default. Of members with the same name the last counts.
 */
sealed interface Json {
    int MAX_DEPTH = 512;

    record Obj(byte[] source, int from, int to, Json[] namesAndValues) implements Json { }

    record Arr(byte[] source, int from, int to, List<Json> items) implements Json { }

    record Num(byte[] source, int from, int to) implements Json { }

    /** A string; {@code from} and {@code to} include the quotes, {@code escaped} says that there may be a backslash. */
    record Str(byte[] source, int from, int to, boolean escaped) implements Json {
        /** {@return a string made of {@code pieces}: strings of JSON as they are, Java strings escaped} */
        static Str of(Object... pieces) {
            Writer out = new Writer().raw('"');
            for (Object piece : pieces) {
                if (piece instanceof Str str) {
                    out.inner(str);
                } else {
                    out.escaped((String) piece);
                }
            }
            out.raw('"');
            return new Str(out.toBytes(), 0, out.size(), true);
        }

        boolean isEmpty() {
            return to - from == 2;
        }

        /** {@return whether the last character may be the first half of a surrogate pair, which only an escape can be} */
        boolean mayEndInHalf() {
            return to - from >= 8 && source[to - 7] == '\\' && source[to - 6] == 'u';
        }

        private boolean equalsAscii(String ascii) {
            if (escaped) return text().equals(ascii);
            if (to - from - 2 != ascii.length()) return false;
            for (int i = 0; i < ascii.length(); i++) {
                if (source[from + 1 + i] != ascii.charAt(i)) return false;
            }
            return true;
        }
    }

    enum Word implements Json {
        TRUE("true"), FALSE("false"), NULL("null");

        private final byte[] source;

        Word(String text) {
            source = text.getBytes(StandardCharsets.US_ASCII);
        }

        @Override public byte[] source() {
            return source;
        }

        @Override public int from() {
            return 0;
        }

        @Override public int to() {
            return source.length;
        }
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
    static Json parse(byte[] source) {
        return parse(source, 0, source.length);
    }

    static Json parse(byte[] source, int from, int to) {
        return new Parser(source, from, to).document();
    }

    default Json get(String name) {
        if (this instanceof Obj obj) {
            Json[] parts = obj.namesAndValues;
            for (int i = parts.length - 2; i >= 0; i -= 2) {
                if (((Str) parts[i]).equalsAscii(name)) return parts[i + 1];
            }
        }
        return Word.NULL;
    }

    /** {@return the elements of an array; of anything else, none} */
    default List<Json> items() {
        return List.of();
    }

    default boolean isNull() {
        return this == Word.NULL;
    }

    default boolean is(String ascii) {
        return this instanceof Str str && str.equalsAscii(ascii);
    }

    /** {@return whether this is a string with at least one character} */
    default boolean hasText() {
        return this instanceof Str str && !str.isEmpty();
    }

    /** {@return the string decoded, unpaired surrogates as they are; "" for what is not a string} */
    default String text() {
        if (!(this instanceof Str str)) return "";
        int end = str.to - 1;
        if (!str.escaped) return new String(str.source, str.from + 1, end - str.from - 1, StandardCharsets.UTF_8);
        var text = new StringBuilder(end - str.from);
        for (int at = str.from + 1; at < end; ) {
            int plain = at;
            while (at < end && str.source[at] != '\\') at++;
            text.append(new String(str.source, plain, at - plain, StandardCharsets.UTF_8));
            if (at == end) break;
            char escape = (char) str.source[at + 1];
            at += escape == 'u' ? 6 : 2;
            text.append(switch (escape) {
                case 'u' -> (char) Integer.parseInt(new String(str.source, at - 4, 4, StandardCharsets.US_ASCII), 16);
                case 'n' -> '\n';
                case 't' -> '\t';
                case 'r' -> '\r';
                case 'b' -> '\b';
                case 'f' -> '\f';
                default -> escape; // the quote, the backslash and the slash stand for themselves
            });
        }
        return text.toString();
    }

    /** {@return the number if it is a whole one that a double holds exactly, however written; else the default} */
    default long toLong(long otherwise) {
        if (!(this instanceof Num)) return otherwise;
        double value = Double.parseDouble(raw());
        return value == Math.rint(value) && Math.abs(value) <= 1L << 53 ? (long) value : otherwise;
    }

    /** {@return the value as JSON text, as it was written} */
    default String raw() {
        return new String(source(), from(), to() - from(), StandardCharsets.UTF_8);
    }

    /**
     * Recursive descent over bytes, one method a rule of the grammar. Everything is checked here, once: grammar,
     * UTF-8 (RFC 3629), escapes, depth.
     */
    final class Parser {
        private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
        private static final long ONES = 0x0101010101010101L;
        private static final long HIGH_BITS = ONES << 7;

        private final byte[] source;
        private final int end;
        private int at;
        private int depth;
        private Json[] stack = new Json[64]; // the parts of the containers that are still open
        private int top;

        private Parser(byte[] source, int from, int to) {
            this.source = source;
            this.at = from;
            this.end = to;
        }

        private Json document() {
            if (end - at >= 3 && source[at] == (byte) 0xEF && source[at + 1] == (byte) 0xBB && source[at + 2] == (byte) 0xBF) {
                at += 3;
            }
            Json value = value();
            if (peek() >= 0) throw new Malformed(at, "nothing more expected after the value");
            return value;
        }

        /** {@return the next byte that is not white space, not consumed; -1 at the end} */
        private int peek() {
            while (at < end) {
                int b = source[at] & 0xFF;
                if (b != ' ' && b != '\n' && b != '\r' && b != '\t') return b;
                at++;
            }
            return -1;
        }

        /** value = object / array / string / number / true / false / null */
        private Json value() {
            return switch (peek()) {
                case '{' -> object();
                case '[' -> array();
                case '"' -> string();
                case 't' -> word(Word.TRUE);
                case 'f' -> word(Word.FALSE);
                case 'n' -> word(Word.NULL);
                case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
                default -> throw new Malformed(at, "a value expected");
            };
        }

        /** object = { [ string : value *( , string : value ) ] } */
        private Json object() {
            int from = at;
            int base = open();
            if (peek() == '}') {
                at++;
            } else {
                do {
                    if (peek() != '"') throw new Malformed(at, "a member name in quotes expected");
                    push(string());
                    if (peek() != ':') throw new Malformed(at, "':' expected");
                    at++;
                    push(value());
                } while (another('}'));
            }
            return new Obj(source, from, at, close(base));
        }

        /** array = [ [ value *( , value ) ] ] */
        private Json array() {
            int from = at;
            int base = open();
            if (peek() == ']') {
                at++;
            } else {
                do {
                    push(value());
                } while (another(']'));
            }
            return new Arr(source, from, at, List.of(close(base)));
        }

        private int open() {
            if (++depth > MAX_DEPTH) throw new Malformed(at, "nested deeper than %d levels".formatted(MAX_DEPTH));
            at++;
            return top;
        }

        private void push(Json part) {
            if (top == stack.length) stack = Arrays.copyOf(stack, top * 2);
            stack[top++] = part;
        }

        private Json[] close(int base) {
            depth--;
            Json[] parts = Arrays.copyOfRange(stack, base, top);
            top = base;
            return parts;
        }

        private boolean another(char closing) {
            int b = peek();
            if (b != ',' && b != closing) throw new Malformed(at, "',' or '%c' expected".formatted(closing));
            at++;
            return b == ',';
        }

        /** string = quotation-mark *char quotation-mark; eight plain ASCII characters are passed over at a time */
        private Json string() {
            int from = at++;
            boolean escaped = false;
            while (true) {
                while (at + 8 <= end && isPlain((long) LONGS.get(source, at))) at += 8;
                if (at >= end) throw new Malformed(at, "the string does not end");
                int b = source[at++];
                if (b == '"') return new Str(source, from, at, escaped);
                if (b == '\\') {
                    escape();
                    escaped = true;
                } else if (b < 0) {
                    at--;
                    utf8();
                } else if (b < ' ') {
                    throw new Malformed(at - 1, "a control character must be escaped");
                }
            }
        }

        /** {@return whether none of the eight bytes is a quote, a backslash, a control character or beyond ASCII} */
        private static boolean isPlain(long eight) {
            long quote = eight ^ ONES * '"';
            long backslash = eight ^ ONES * '\\';
            return ((eight | eight - ONES * ' ' | quote - ONES | backslash - ONES) & HIGH_BITS) == 0;
        }

        private void escape() {
            int kind = at < end ? source[at++] : -1;
            if ("\"\\/bfnrt".indexOf(kind) >= 0) return;
            if (kind != 'u') throw new Malformed(at - 1, "no such escape");
            for (int i = 0; i < 4; i++) {
                if (at >= end || Character.digit(source[at++], 16) < 0) throw new Malformed(at - 1, "four hex digits expected");
            }
        }

        /** One character beyond ASCII, by the table of RFC 3629, section 4. */
        private void utf8() {
            int lead = source[at] & 0xFF;
            int length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
            if (length == 0 || at + length > end) throw new Malformed(at, "not UTF-8");
            int second = source[at + 1] & 0xFF;
            int least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            int most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
            boolean valid = second >= least && second <= most;
            for (int i = 2; i < length; i++) valid &= (source[at + i] & 0xC0) == 0x80;
            if (!valid) throw new Malformed(at, "not UTF-8");
            at += length;
        }

        /** number = [ - ] int [ frac ] [ exp ] */
        private Json number() {
            int from = at;
            if (source[at] == '-') at++;
            if (at < end && source[at] == '0') {
                at++;
            } else {
                digits();
            }
            if (at < end && source[at] == '.') {
                at++;
                digits();
            }
            if (at < end && (source[at] | 0x20) == 'e') {
                at++;
                if (at < end && (source[at] == '+' || source[at] == '-')) at++;
                digits();
            }
            return new Num(source, from, at);
        }

        private void digits() {
            int from = at;
            while (at < end && source[at] >= '0' && source[at] <= '9') at++;
            if (at == from) throw new Malformed(at, "a digit expected");
        }

        private Json word(Word word) {
            int to = at + word.to();
            if (to > end || !Arrays.equals(source, at, to, word.source, 0, word.to())) throw new Malformed(at, "a value expected");
            at = to;
            return word;
        }
    }

    /** A growing buffer that JSON text is written to. */
    final class Writer {
        private byte[] bytes;
        private int size;

        Writer() {
            this(512);
        }

        Writer(int capacity) {
            bytes = new byte[capacity];
        }

        int size() {
            return size;
        }

        void clear() {
            size = 0;
        }

        /** {@return the bytes written, in an array that may be longer than {@link #size}; valid until the next write} */
        byte[] array() {
            return bytes;
        }

        byte[] toBytes() {
            return Arrays.copyOf(bytes, size);
        }

        @Override public String toString() {
            return new String(bytes, 0, size, StandardCharsets.UTF_8);
        }

        /**
         * Writes JSON text after a pattern in which ' stands for the quotation mark and % for the next of
         * {@code values}: a {@link Json} is copied, a string is quoted and escaped, a {@link Writer} copied, a number
         * or boolean written. @ stands for the next value as a string that holds its JSON text.
         */
        Writer put(String pattern, Object... values) {
            int next = 0;
            for (int i = 0; i < pattern.length(); i++) {
                char c = pattern.charAt(i);
                if (c == '%') {
                    value(values[next++]);
                } else if (c == '@') {
                    raw('"').quoted((Json) values[next++]).raw('"');
                } else {
                    raw(c == '\'' ? '"' : c);
                }
            }
            return this;
        }

        /** Writes the JSON text of {@code json} as the inside of a string; only white space needs more than a backslash. */
        private Writer quoted(Json json) {
            ensure((json.to() - json.from()) * 2);
            byte[] source = json.source();
            for (int i = json.from(); i < json.to(); i++) {
                byte b = source[i];
                if (b == '"' || b == '\\' || b < ' ' && b >= 0) bytes[size++] = '\\';
                bytes[size++] = b == '\n' ? (byte) 'n' : b == '\r' ? (byte) 'r' : b == '\t' ? (byte) 't' : b;
            }
            return this;
        }

        private void value(Object value) {
            switch (value) {
                case Json json -> json(json);
                case String text -> raw('"').escaped(text).raw('"');
                case Writer other -> raw(other);
                default -> escaped(value.toString());
            }
        }

        Writer json(Json json) {
            return raw(json.source(), json.from(), json.to());
        }

        /** Writes what is between the quotes of {@code str}, as it stands there. */
        Writer inner(Str str) {
            return raw(str.source, str.from + 1, str.to - 1);
        }

        Writer raw(char ascii) {
            ensure(1);
            bytes[size++] = (byte) ascii;
            return this;
        }

        /** Ends a list that was written with a comma after each item. */
        Writer closeWith(char closing) {
            if (bytes[size - 1] == ',') size--;
            return raw(closing);
        }

        Writer raw(Writer other) {
            return raw(other.bytes, 0, other.size);
        }

        Writer utf8(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            return raw(utf8, 0, utf8.length);
        }

        Writer raw(byte[] source, int from, int to) {
            ensure(to - from);
            System.arraycopy(source, from, bytes, size, to - from);
            size += to - from;
            return this;
        }

        /** Writes {@code text} as the inside of a JSON string; an unpaired surrogate becomes an escape, so none is lost. */
        Writer escaped(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                ensure(6);
                if (c == '"' || c == '\\') {
                    raw('\\').raw(c);
                } else if (c >= ' ' && c < 0x80) {
                    raw(c);
                } else if (c == '\n') {
                    raw('\\').raw('n');
                } else if (c < ' ' || Character.isSurrogate(c) && !isPair(text, i)) {
                    for (byte b : "\\u%04x".formatted((int) c).getBytes(StandardCharsets.US_ASCII)) raw((char) b);
                } else {
                    int length = Character.isHighSurrogate(c) ? 2 : 1;
                    byte[] utf8 = text.substring(i, i + length).getBytes(StandardCharsets.UTF_8);
                    raw(utf8, 0, utf8.length);
                    i += length - 1;
                }
            }
            return this;
        }

        private static boolean isPair(String text, int at) {
            return Character.isHighSurrogate(text.charAt(at)) && at + 1 < text.length() && Character.isLowSurrogate(text.charAt(at + 1));
        }

        private void ensure(int more) {
            if (more > bytes.length - size) bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
