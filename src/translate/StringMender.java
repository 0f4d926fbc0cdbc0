package translate;

import java.util.HexFormat;

/**
 * The characters of a string in a tool call's arguments, made such as JSON allows: raw control characters and
 * wrong escapes are mended, and a quote of Python's, {@code 'a "b"'}, becomes JSON's.
 */
final class StringMender {
    private static final String KINDS = "\"\\/bfnrtux'"; // what may follow a backslash, here

    private final StringBuilder out;
    private final StringBuilder escape = new StringBuilder(); // what has come of one
    private char quote; // that ends the string

    /** @param out takes what is mended, without the quotes */
    StringMender(StringBuilder out) {
        this.out = out;
    }

    /** Begins a string, after its quote. */
    void begin(char quote) {
        this.quote = quote;
    }

    /** Takes the next character. {@return whether it is the quote that ends the string} */
    boolean take(char c) {
        if (!escape.isEmpty()) return takeEscaped(c);
        if (c == quote) return true;
        if (c == '\\') {
            escape.append(c);
        } else if (c < ' ') {
            out.append(control(c));
        } else {
            if (c == '"') out.append('\\');
            out.append(c);
        }
        return false;
    }

    /** {@return the escape of a control character} */
    private static String control(char c) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\t' -> "\\t";
            case '\r' -> "\\r";
            default -> "\\u%04x".formatted((int) c);
        };
    }

    /** Takes one more character of an escape. {@return whether it ends the string, for this was no escape} */
    private boolean takeEscaped(char c) {
        boolean isKind = escape.length() == 1;
        boolean fits = isKind ? KINDS.indexOf(c) >= 0 : HexFormat.isHexDigit(c);
        if (fits) {
            escape.append(c);
            if (escape.length() == length(escape.charAt(1))) endEscape();
            return false;
        }
        out.append('\\').append(escape); // the backslash stands for itself
        escape.setLength(0);
        return take(c);
    }

    private static int length(char kind) {
        return switch (kind) {
            case 'u' -> "\\u0041".length();
            case 'x' -> "\\x41".length();
            default -> 2;
        };
    }

    /**
     * Writes an escape as JSON has it; {@code \x41} is JavaScript's and Python's way to write {@code \u0041}.
     */
    private void endEscape() {
        switch (escape.charAt(1)) {
            case 'x' -> out.append("\\u00").append(escape, 2, escape.length());
            case '\'' -> out.append('\'');
            default -> out.append(escape);
        }
        escape.setLength(0);
    }
}
