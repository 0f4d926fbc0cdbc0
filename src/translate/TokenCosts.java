package translate;

import java.util.Arrays;

/**
 * What the characters of a text cost, in hundredths of a token: by the kind of each character and of the
 * one before it, since a word is fewer tokens than its letters. Fitted to the tokenizers of GPT-4o and
 * Qwen3.
 */
final class TokenCosts {
    /** Characters told apart by their first byte in UTF-8. Where ranges overlap, the later kind counts. */
    private enum Kind {
        CONTROL(0x00, 0x7F, 175, 16),
        SPACE(' ', ' ', 8, 1),
        PUNCTUATION('!', '~', 57, 38),
        DIGIT('0', '9', 173, 61),
        UPPER('A', 'Z', 76, 21),
        LOWER('a', 'z', 64, 11),
        REST_OF_CHARACTER(0x80, 0xBF, 0, 0),
        LATIN_WITH_ACCENTS(0xC0, 0xCC, 200, 50),
        GREEK_OR_ARABIC(0xCD, 0xDF, 30, 53),
        CYRILLIC(0xD0, 0xD3, 53, 27),
        INDIC_OR_GEORGIAN(0xE0, 0xE1, 60, 60),
        SYMBOL(0xE2, 0xEF, 99, 99),
        CHINESE_OR_JAPANESE(0xE3, 0xE9, 115, 66),
        KOREAN(0xEA, 0xED, 165, 31),
        EMOJI(0xF0, 0xFF, 250, 250),
        /** Ends a string of JSON, or begins an escape. */
        QUOTE_OR_BACKSLASH('"', '"', 57, 38);

        private final int first;
        private final int last;
        private final int alone;
        private final int inARow; // each but the first

        Kind(int first, int last, int alone, int inARow) {
            this.first = first;
            this.last = last;
            this.alone = alone;
            this.inARow = inARow;
        }

        /** {@return whether a character goes on with the word that the one before it belongs to} */
        private boolean follows(Kind before) {
            boolean isCapitalized = before == UPPER && this == LOWER;
            boolean isWordBeyondAscii = before.compareTo(REST_OF_CHARACTER) >= 0 && compareTo(LOWER) >= 0;
            return before == this || isCapitalized || isWordBeyondAscii;
        }
    }

    /** The kind of a quotation mark and of a backslash. */
    static final int QUOTE_OR_BACKSLASH = Kind.QUOTE_OR_BACKSLASH.ordinal();
    private static final byte[] KINDS = new byte[256]; // by the byte
    private static final int[] COSTS = new int[256]; // by the kind before, times 16, and the kind
    static {
        for (Kind kind : Kind.values()) Arrays.fill(KINDS, kind.first, kind.last + 1, (byte) kind.ordinal());
        KINDS['\\'] = (byte) QUOTE_OR_BACKSLASH;
        for (Kind before : Kind.values()) {
            for (Kind kind : Kind.values()) {
                int cost = kind.follows(before) ? kind.inARow : kind.alone;
                COSTS[before.ordinal() << 4 | kind.ordinal()] = cost;
            }
        }
    }

    private TokenCosts() { }

    /** {@return the kind of a character, by its first byte} */
    static int kind(byte first) { return KINDS[first & 0xFF]; }

    /** {@return the cost of a character after another one, by their kinds} The mask spares a check. */
    static int cost(int before, int kind) { return COSTS[(before << 4 | kind) & 0xFF]; }

    /**
     * {@return the kind of the character that an escape in JSON stands for} Half of a pair counts as
     * Korean.
     */
    static int kindOfEscape(byte[] json, int afterBackslash) {
        if (json[afterBackslash] != 'u') return kindOfShortEscape(json[afterBackslash]);
        int c = 0;
        for (int i = 1; i <= 4; i++) c = c << 4 | Character.digit(json[afterBackslash + i], 16);
        return KINDS[firstByte(c)];
    }

    /** {@return the first byte of a UTF-16 unit in UTF-8} */
    private static int firstByte(int c) {
        if (c < 0x80) return c;
        if (c < 0x800) return 0xC0 | c >> 6;
        return 0xE0 | c >> 12;
    }

    /** As {@code \n}, which is white space, or {@code \"}, which stands for itself. */
    private static int kindOfShortEscape(byte letter) {
        boolean isLetter = KINDS[letter & 0xFF] == Kind.LOWER.ordinal();
        return isLetter ? Kind.CONTROL.ordinal() : Kind.PUNCTUATION.ordinal();
    }
}
