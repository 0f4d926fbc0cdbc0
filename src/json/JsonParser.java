package json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Reads the JSON in bytes, by recursive descent. Everything is checked here, once: grammar, UTF-8 (RFC
 * 3629), escapes, depth, and how many values there are.
 */
public final class JsonParser {
    static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101010101010101L;
    private static final long GATHER = 0x0002040810204081L; // times eight bytes' highest bits: all in one
    private static final Json[] NONE = {};
    private static final int SHORT = 32; // bytes
    private static final int NAMES = 64;
    private static final int MIN_REPEATING = 1024; // bytes; in a stream's chunk few names come twice
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
    private final Json[] names; // read before, by their first letters; no slots in a short source
    private int at;
    private int values; // read so far, and names that were not known

    public JsonParser(byte[] source, int at) {
        this.source = source;
        this.at = at;
        this.names = source.length < MIN_REPEATING ? NONE : new Json[NAMES];
    }

    /** {@return the value in all of {@code source}, which must be UTF-8; a byte order mark is passed over} */
    public static Json parse(byte[] source) { return new JsonParser(source, 0).document(); }
    public static Json parse(String text) { return parse(text.getBytes(StandardCharsets.UTF_8)); }
    /** {@return the value that begins at {@code from}, whatever follows it} */
    public static Json parseAt(byte[] source, int from) { return new JsonParser(source, from).value(); }

    /**
     * {@return the string that stands from {@code from} to {@code to}, quotes included; NULL if just one does
     * not}
     */
    public static Json string(byte[] source, int from, int to) {
        try {
            Json found = new JsonParser(source, from).string();
            return found.to() == to ? found : Json.NULL;
        } catch (Json.Malformed e) { // the caller looks at all of it then
            return Json.NULL;
        }
    }

    /** {@return a byte, unsigned; -1 beyond the end} */
    private int byteAt(int i) { return i < source.length ? source[i] & 0xFF : -1; }

    public Json document() {
        if (byteAt(0) == 0xEF && byteAt(1) == 0xBB && byteAt(2) == 0xBF) at = 3;
        Json value = value(0);
        if (peek() >= 0) throw new Json.Malformed(at, "nothing more expected after the value");
        return value;
    }

    /** {@return how many values have been read, and names that were not known} */
    public int values() { return values; }

    /** {@return the value that stands next} */
    Json value() { return value(0); }

    /** {@return the next byte that is not white space, not consumed; -1 at the end} */
    private int peek() {
        int b = byteAt(at);
        while (isWhiteSpace(b)) b = byteAt(++at);
        return b;
    }

    private static boolean isWhiteSpace(int b) { return b == ' ' || b == '\n' || b == '\r' || b == '\t'; }

    /** value = object / array / string / number / true / false / null */
    private Json value(int depth) {
        count();
        return switch (peek()) {
            case '{' -> object(depth + 1);
            case '[' -> array(depth + 1);
            case '"' -> string();
            case 't' -> word(Json.TRUE);
            case 'f' -> word(Json.FALSE);
            case 'n' -> word(Json.NULL);
            default -> number();
        };
    }

    /** object = { [ string : value *( , string : value ) ] } */
    private Json object(int depth) {
        int from = open(depth);
        Json[] parts = NONE;
        int count = 0;
        while (isMore('}', count == 0)) {
            if (count == parts.length) parts = withMoreRoom(parts);
            parts[count++] = name();
            parts[count++] = value(depth);
        }
        return new Json.Obj(source, from, at, Arrays.copyOf(parts, count));
    }

    /** array = [ [ value *( , value ) ] ] */
    private Json array(int depth) {
        int from = open(depth);
        Json[] items = NONE;
        int count = 0;
        while (isMore(']', count == 0)) {
            if (count == items.length) items = withMoreRoom(items);
            items[count++] = value(depth);
        }
        return new Json.Arr(source, from, at, List.of(Arrays.copyOf(items, count)));
    }

    /** Goes past the opening bracket. {@return where it stands} */
    private int open(int depth) {
        String tooDeep = "nested deeper than " + Json.MAX_DEPTH + " levels";
        if (depth > Json.MAX_DEPTH) throw new Json.Malformed(at, tooDeep);
        return at++;
    }

    /** Goes past a comma or the closing bracket. {@return whether there is another element} */
    private boolean isMore(char closing, boolean isFirst) {
        int next = peek();
        if (isFirst && next != closing) return true;
        boolean isComma = next == ',' && !isFirst;
        if (next != closing && !isComma) {
            throw new Json.Malformed(at, "',' or '%c' expected".formatted(closing));
        }
        at++;
        return isComma;
    }

    private static Json[] withMoreRoom(Json[] full) {
        return Arrays.copyOf(full, Math.max(8, full.length * 2));
    }

    private void count() {
        if (++values > Json.MAX_VALUES) throw new Json.TooManyValues(at);
    }

    /** Reads a member's name and the colon. */
    private Json name() {
        if (peek() != '"') throw new Json.Malformed(at, "a member name in quotes expected");
        Json name = names.length == 0 ? string() : knownName();
        if (peek() != ':') throw new Json.Malformed(at, "':' expected");
        at++;
        return name;
    }

    /** {@return a member's name} Names come again and again: one that is known need not be looked through. */
    private Json knownName() {
        int slot = (byteAt(at + 1) * 7 + byteAt(at + 2)) & NAMES - 1;
        Json known = names[slot];
        if (known != null && isNext(known)) {
            at += known.to() - known.from();
            return known;
        }
        count();
        names[slot] = string();
        return names[slot];
    }

    private boolean isNext(Json known) {
        int to = at + known.to() - known.from();
        return to <= source.length && Arrays.equals(source, at, to, source, known.from(), known.to());
    }

    /** string = quotation-mark *char quotation-mark */
    Json string() {
        int from = at;
        int i = special(from + 1);
        while (byteAt(i) != '"') {
            i = character(i);
            i = special(i - from > SHORT ? blocks(i) : i);
        }
        at = i + 1;
        return new Json.Str(source, from, at);
    }

    /**
     * {@return where the next quote, backslash, control or non-ASCII character is; looks at eight at a
     * time}
     */
    private int special(int i) {
        for (; i + 8 <= source.length; i += 8) {
            long found = specials(i);
            if (found != 0) return i + (Long.numberOfTrailingZeros(found) >>> 3);
        }
        while (i < source.length && isPlain(source[i])) i++;
        return i;
    }

    /** {@return whether it is an ASCII character that stands for itself in a string} */
    private static boolean isPlain(byte b) { return b >= ' ' && b != '"' && b != '\\'; }

    /**
     * {@return a bit for each of the eight bytes there that is special, and perhaps for one after such a
     * one}
     */
    private long specials(int i) {
        return specials((long) LONGS.get(source, i));
    }

    /** {@return the same for eight bytes, the first of them lowest} */
    private static long specials(long eight) { return (eight | specialsOfAscii(eight)) & ONES << 7; }

    /** {@return the same for what is to be escaped, where the bytes stand in a string: all but the non-ASCII} */
    static long escaped(long eight) { return ~eight & specialsOfAscii(eight) & ONES << 7; }

    /** {@return the same in the highest bit of each byte that is ASCII; all other bits may be anything} */
    private static long specialsOfAscii(long eight) {
        long quote = eight ^ ONES * '"';
        long backslash = eight ^ ONES * '\\';
        return eight - ONES * ' ' | quote - ONES | backslash - ONES;
    }

    /**
     * Reads on in a long string, 64 bytes at a time, so that the processor need not guess where the next
     * special character is. {@return where the string ends, or where fewer bytes are left}
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
        if (b < 0) throw new Json.Malformed(i, "the string does not end");
        if (b < ' ') throw new Json.Malformed(i, "a control character must be escaped");
        if (b >= 0x80) return i + utf8(i);
        if (b != '\\') return i + 1;
        int escaped = byteAt(i + 1);
        if (escaped >= 0 && (FOLLOWS[escaped] & ESCAPE) != 0) return i + 2;
        if (escaped != 'u') throw new Json.Malformed(i + 1, "no such escape");
        for (int digit = i + 2; digit < i + 6; digit++) {
            boolean isHex = Character.digit(byteAt(digit), 16) >= 0;
            if (!isHex) throw new Json.Malformed(digit, "a hex digit expected");
        }
        return i + 6;
    }

    /** {@return the length of a character beyond ASCII, by the table of RFC 3629, section 4} */
    private int utf8(int i) {
        int length = utf8Length(byteAt(i));
        boolean isValid = length > 0 && isSecond(byteAt(i + 1), byteAt(i));
        for (int k = 2; isValid && k < length; k++) isValid = (byteAt(i + k) & 0xC0) == 0x80;
        if (!isValid) throw new Json.Malformed(i, "not UTF-8");
        return length;
    }

    /** {@return the length of the character that begins with the byte; 0 if none does} */
    private static int utf8Length(int lead) {
        if (lead < 0xC2 || lead > 0xF4) return 0;
        if (lead < 0xE0) return 2;
        if (lead < 0xF0) return 3;
        return 4;
    }

    /**
     * {@return whether the byte may follow the first one: no longer form, no surrogate, nothing above
     * U+10FFFF}
     */
    private static boolean isSecond(int second, int lead) {
        int least = switch (lead) {
            case 0xE0 -> 0xA0;
            case 0xF0 -> 0x90;
            default -> 0x80;
        };
        int most = switch (lead) {
            case 0xED -> 0x9F;
            case 0xF4 -> 0x8F;
            default -> 0xBF;
        };
        return second >= least && second <= most;
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
        return new Json.Num(source, from, at);
    }

    private boolean skip(String any) {
        boolean found = any.indexOf(byteAt(at)) >= 0;
        if (found) at++;
        return found;
    }

    private void digits(String expected) {
        int from = at;
        while (byteAt(at) >= '0' && byteAt(at) <= '9') at++;
        if (at == from) throw new Json.Malformed(at, expected);
    }

    private Json word(Json word) {
        int to = Math.min(source.length, at + word.to());
        boolean same = Arrays.equals(source, at, to, word.source(), 0, word.to());
        if (!same) throw new Json.Malformed(at, "a value expected");
        at = to;
        return word;
    }
}
