package testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** A text that counts how often its characters are looked at: the cost of a pattern, without a clock. */
public final class Counted implements CharSequence {
    private final String text;
    private final long most;
    private long looks;

    private Counted(String text, long most) {
        this.text = text;
        this.most = most;
    }

    /** Fails if the pattern looks at each character of the text more often than {@code most} times on the average. */
    public static void assertBounded(Pattern pattern, String text, int most) {
        var counted = new Counted(text, (long) most * text.length());
        var matcher = pattern.matcher(counted);
        while (matcher.find()) assertTrue(matcher.end() <= text.length());
    }

    /** {@return the patterns that a class holds as constants} */
    public static List<Pattern> patterns(Class<?> type) {
        List<Pattern> found = new ArrayList<>();
        for (Field field : type.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == Pattern.class) {
                try {
                    field.setAccessible(true);
                    found.add((Pattern) field.get(null));
                } catch (IllegalAccessException e) {
                    throw new AssertionError(e);
                }
            }
        }
        assertTrue(!found.isEmpty(), type + " has none");
        return found;
    }

    @Override public int length() { return text.length(); }

    @Override
    public char charAt(int i) {
        looks++;
        if (looks > most) throw new AssertionError("more than %d looks at %.40s…".formatted(most, text));
        return text.charAt(i);
    }

    @Override public CharSequence subSequence(int from, int to) { return text.subSequence(from, to); }
    @Override public String toString() { return text; }
}
