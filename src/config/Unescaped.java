package config;

import java.util.BitSet;
import java.util.Locale;
import java.util.Map;

/**
 * A text in which secrets are looked for: without the escapes of JSON, URLs and HTML, and in small letters.
 * It knows where each character stands in the original.
 */
final class Unescaped {
    private static final int MAX_PASSES = 3; // an escape may be escaped itself, as in JSON within JSON
    private static final int MAX_ENTITY_LENGTH = 8; // up to the semicolon
    private static final Map<String, Character> ENTITIES =
            Map.of("amp", '&', "lt", '<', "gt", '>', "quot", '"', "apos", '\'');

    private String text;
    private int[] starts; // of each character of the text, in the original
    private int[] ends;

    Unescaped(String original) {
        this.text = original;
        this.starts = range(0, original.length());
        this.ends = range(1, original.length());
        boolean mayHaveEscapes = original.chars().anyMatch(c -> c == '\\' || c == '%' || c == '&');
        for (int passes = 0; mayHaveEscapes && passes < MAX_PASSES; passes++) mayHaveEscapes = unescape();
        this.text = inSmallLetters(text);
    }

    private static int[] range(int first, int length) {
        int[] range = new int[length];
        for (int i = 0; i < length; i++) range[i] = first + i;
        return range;
    }

    /** Takes a layer of escapes off. {@return true if there was any} */
    private boolean unescape() {
        var pass = new Pass(text);
        int[] newStarts = new int[text.length()];
        int[] newEnds = new int[text.length()];
        while (pass.next < text.length()) {
            int made = pass.made.length();
            newStarts[made] = starts[pass.next];
            pass.takeCharacter();
            newEnds[made] = ends[pass.next - 1];
        }
        boolean hasChanged = pass.made.length() < text.length();
        this.text = pass.made.toString();
        this.starts = newStarts;
        this.ends = newEnds;
        return hasChanged;
    }

    /** {@return the text with small letters, but for those that are not ASCII: they may become two} */
    private static String inSmallLetters(String text) {
        char[] letters = text.toCharArray();
        for (int i = 0; i < letters.length; i++) {
            boolean isCapital = letters[i] >= 'A' && letters[i] <= 'Z';
            if (isCapital) letters[i] += 'a' - 'A';
        }
        return new String(letters);
    }

    String text() { return text; }

    boolean isPartOfWord(int at) {
        return at >= 0 && at < text.length() && Character.isLetterOrDigit(text.charAt(at));
    }

    /** Marks the characters of the original that those from {@code from} to {@code to} were written as. */
    void mark(int from, int to, BitSet marked) { marked.set(starts[from], ends[to - 1]); }

    /** One way through a text, in which each escape becomes the character that it stands for. */
    private static final class Pass {
        private final String from;
        private final StringBuilder made;
        private int next; // in from

        Pass(String from) {
            this.from = from;
            this.made = new StringBuilder(from.length());
        }

        /** Takes the character at {@link #next}, with all that it is written as. */
        void takeCharacter() {
            switch (from.charAt(next)) {
                case '\\' -> takeBackslash();
                case '%' -> takeHex(next + 1, next + 3, next + 3);
                case '&' -> takeEntity();
                default -> take(from.charAt(next), next + 1);
            }
        }

        private void take(char meant, int end) {
            made.append(meant);
            next = end;
        }

        /** As {@code \/} and {@code \}{@code u002f}, with any number of backslashes. */
        private void takeBackslash() {
            while (next < from.length() && from.charAt(next) == '\\') next++;
            if (next == from.length()) {
                take('\\', next);
            } else if (from.charAt(next) == 'u') {
                takeHex(next + 1, next + 5, next + 5);
            } else {
                take(from.charAt(next), next + 1);
            }
        }

        /** As {@code &amp;}, {@code &#47;} and {@code &#x2f;}. */
        private void takeEntity() {
            int last = Math.min(from.length(), next + MAX_ENTITY_LENGTH + 1);
            int semicolon = from.indexOf(';', next, last);
            boolean isEntity = semicolon > next + 1;
            if (!isEntity) {
                take('&', next + 1);
                return;
            }
            String name = from.substring(next + 1, semicolon).toLowerCase(Locale.ROOT);
            if (name.startsWith("#x")) {
                takeHex(next + 3, semicolon, semicolon + 1);
            } else if (name.startsWith("#")) {
                takeNumber(next + 2, semicolon, 10, semicolon + 1);
            } else if (ENTITIES.containsKey(name)) {
                take(ENTITIES.get(name), semicolon + 1);
            } else {
                take('&', next + 1);
            }
        }

        private void takeHex(int first, int last, int end) { takeNumber(first, last, 16, end); }

        /** Takes the character with the number that stands there; if none does, the one at next. */
        private void takeNumber(int first, int last, int radix, int end) {
            boolean isNumber = last > first && last <= first + 4 && end <= from.length();
            for (int i = first; isNumber && i < last; i++) {
                isNumber = Character.digit(from.charAt(i), radix) >= 0;
            }
            if (isNumber) {
                take((char) Integer.parseInt(from, first, last, radix), end);
            } else {
                take(from.charAt(next), next + 1);
            }
        }
    }
}
