package json;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

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

    /** {@code parts} are the names and the values in turn. */
    record Obj(byte[] source, int from, int to, Json[] parts) implements Json {
        /** {@return the values of the members, without their names} */
        public List<Json> values() {
            return IntStream.range(0, parts.length / 2).mapToObj(i -> parts[2 * i + 1]).toList();
        }
    }

    record Arr(byte[] source, int from, int to, List<Json> items) implements Json { }
    record Num(byte[] source, int from, int to) implements Json { }
    /** One of the three constants, compared by identity. */
    record Word(byte[] source, int from, int to) implements Json { }

    /** A string; {@code from} and {@code to} include the quotes. */
    final class Str implements Json {
        private static final int UNICODE_LENGTH = 6; // of an escape with four hex digits
        private static final int SHORT_LENGTH = 2; // of one such as \n

        private final byte[] source;
        private final int from;
        private final int to;
        private String known = ""; // no part of the value: what it was found to be, as names are asked for again

        Str(byte[] source, int from, int to) {
            this.source = source;
            this.from = from;
            this.to = to;
        }

        @Override public byte[] source() { return source; }
        @Override public int from() { return from; }
        @Override public int to() { return to; }

        private boolean same(String ascii) {
            if (!known.isEmpty()) return known.equals(ascii);
            boolean isSame = reads(ascii);
            if (isSame) known = ascii;
            return isSame;
        }

        private boolean reads(String ascii) {
            boolean isTooShort = to - from - 2 < ascii.length(); // escapes only make it longer
            if (isTooShort) return false;
            int same = shared(ascii);
            byte next = source[from + 1 + same];
            if (next == '\\') return means(ascii);
            return same == ascii.length() && next == '"';
        }

        /** {@return how many first characters it has in common with {@code ascii}, as they are written} */
        private int shared(String ascii) {
            int same = 0;
            while (same < ascii.length() && source[from + 1 + same] == ascii.charAt(same)) same++;
            return same;
        }

        /** {@return whether this is {@code text} when escapes are read} Looks only as far as that takes. */
        private boolean means(String text) {
            int at = from + 1;
            int end = to - 1;
            for (int i = 0; i < text.length(); i++) {
                if (at == end) return false;
                boolean isBeyondAscii = source[at] < 0;
                if (isBeyondAscii) return text().equals(text);
                if (meant(at) != text.charAt(i)) return false;
                at += width(at);
            }
            return at == end;
        }

        /** {@return the character at {@code at}, by an escape or one of ASCII} */
        private char meant(int at) {
            if (source[at] != '\\') return (char) source[at];
            if (source[at + 1] != 'u') return shortEscape((char) source[at + 1]);
            int c = 0;
            for (int i = at + 2; i < at + UNICODE_LENGTH; i++) c = c << 4 | Character.digit(source[i], 16);
            return (char) c;
        }

        private int width(int at) {
            if (source[at] != '\\') return 1;
            return source[at + 1] == 'u' ? UNICODE_LENGTH : SHORT_LENGTH;
        }

        /** {@return what a letter after a backslash stands for; others stand for themselves} */
        private static char shortEscape(char letter) {
            return switch (letter) {
                case 'b' -> '\b';
                case 'f' -> '\f';
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                default -> letter;
            };
        }

        private static String decoded(String raw) {
            var text = new StringBuilder(raw.length());
            int from = 0;
            for (int at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', from)) {
                text.append(raw, from, at);
                char letter = raw.charAt(at + 1);
                if (letter == 'u') {
                    text.append((char) Integer.parseInt(raw, at + 2, at + UNICODE_LENGTH, 16));
                    from = at + UNICODE_LENGTH;
                } else {
                    text.append(shortEscape(letter));
                    from = at + SHORT_LENGTH;
                }
            }
            return text.append(raw, from, raw.length()).toString();
        }

        /** {@return whether the last character is an escape, and so may be half of a surrogate pair} */
        public boolean mayEndInHalf() {
            int escape = to - 1 - UNICODE_LENGTH;
            return escape > from && source[escape] == '\\' && source[escape + 1] == 'u';
        }
    }

    /** Bytes that are not JSON; the message names the place and what was expected, never the input. */
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
        Json[] parts = parts();
        for (int i = parts.length - 2; i >= 0; i -= 2) {
            if (((Str) parts[i]).same(name)) return parts[i + 1];
        }
        return NULL;
    }

    /** {@return whether this is the string {@code ascii}, however escaped; that has nothing to escape} */
    default boolean is(String ascii) { return this instanceof Str text && text.same(ascii); }

    /** {@return whether this is a string that begins with {@code ascii}, written without escapes} */
    default boolean begins(String ascii) {
        return this instanceof Str text && text.shared(ascii) == ascii.length();
    }

    /** {@return the string decoded, unpaired surrogates as they are; "" for what is not a string} */
    default String text() {
        if (!(this instanceof Str)) return "";
        String raw = new String(source(), from() + 1, to() - from() - 2, StandardCharsets.UTF_8);
        return raw.indexOf('\\') < 0 ? raw : Str.decoded(raw);
    }

    /** {@return the number if, read as a double, it is a whole one up to 2^53; else the default} */
    default long toLong(long otherwise) {
        if (!(this instanceof Num)) return otherwise;
        double value = Double.parseDouble(raw());
        boolean isExact = value == Math.rint(value) && Math.abs(value) <= 1L << 53;
        return isExact ? (long) value : otherwise;
    }
}
