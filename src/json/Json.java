package json;

import java.nio.charset.StandardCharsets;
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
    default boolean begins(String ascii) {
        return this instanceof Str text && text.shared(ascii) == ascii.length();
    }

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
}
