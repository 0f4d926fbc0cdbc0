package json;

import java.util.regex.Pattern;

/** What becomes of a text of others' making before people read it: in the log, on a page, on a terminal. */
public final class Text {
    private static final int MAX_SHOWN = 100; // characters
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}]");

    private Text() { }

    /** {@return the text, so that it cannot be taken for a line of the log or steer a terminal} */
    public static String printable(String text) {
        return isPlain(text) ? text : UNPRINTABLE.matcher(text).replaceAll("?");
    }

    /** {@return whether it is printable ASCII, as most is: quicker than to look for what is not} */
    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~') return false;
        }
        return true;
    }

    /** {@return the beginning of the text, without what cannot be printed} */
    public static String cut(String text) { return cut(text, MAX_SHOWN); }

    public static String cut(String text, int most) {
        return printable(text.substring(0, Math.min(most, text.length())));
    }
}
