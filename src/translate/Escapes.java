package translate;

/**
 * The escapes of JSON in a text that is searched for words, as {@code \\n} and {@code \\"}. It may be JSON
 * in a text of JSON, where each backslash has become several.
 */
final class Escapes {
    private static final char BACKSLASH = '\\';
    private static final String SPACES = "nrt"; // after a backslash
    private static final int HEX_DIGITS = 4; // of a character

    private Escapes() { }

    /** {@return the text with the characters that are meant; of most escapes only a quotation mark is left} */
    static String without(String text) {
        if (text.indexOf(BACKSLASH) < 0) return text;
        var plain = new StringBuilder(text.length());
        int at = 0;
        while (at < text.length()) {
            if (text.charAt(at) == BACKSLASH) {
                at = append(plain, text, at);
            } else {
                plain.append(text.charAt(at++));
            }
        }
        return plain.toString();
    }

    /** Appends what an escape means. {@return where it ends} */
    private static int append(StringBuilder plain, String text, int from) {
        int at = from;
        while (at < text.length() && text.charAt(at) == BACKSLASH) at++;
        char escaped = at < text.length() ? text.charAt(at) : BACKSLASH;
        if (SPACES.indexOf(escaped) >= 0) {
            plain.append(' ');
            return at + 1;
        }
        boolean isCharacter = escaped == 'u' && isHex(text, at + 1);
        if (isCharacter) {
            plain.append((char) Integer.parseInt(text, at + 1, at + 1 + HEX_DIGITS, 16));
            return at + 1 + HEX_DIGITS;
        }
        plain.append('\'');
        return at;
    }

    private static boolean isHex(String text, int from) {
        if (from + HEX_DIGITS > text.length()) return false;
        return text.substring(from, from + HEX_DIGITS).chars().allMatch(c -> Character.digit(c, 16) >= 0);
    }
}
