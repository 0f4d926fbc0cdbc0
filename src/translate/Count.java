package translate;

import java.util.ArrayList;
import java.util.List;

/**
 * A whole number in a message, and the words around it, which tell what it counts. Parts of names ({@code
 * gpt-5}, {@code 8x7b}) and fractions are no counts.
 *
 * @param before what stands between it and the number before it, or the end of that
 * @param after what stands between it and the next number, or the beginning of that
 */
record Count(long value, String before, String after) {
    private static final int NEAR = 80; // characters on either side
    private static final int MAX_DIGITS = 9;
    private static final int MAX_NAME_END = 40; // characters of a name from its first digit on

    /** {@return the counts in a text, in lower case, in their order} */
    static List<Count> in(String text) {
        List<Number> numbers = numbers(text).stream().filter(number -> isCount(text, number)).toList();
        List<Count> counts = new ArrayList<>();
        for (int i = 0; i < numbers.size(); i++) {
            Number number = numbers.get(i);
            int last = i == 0 ? 0 : numbers.get(i - 1).to;
            int next = i + 1 == numbers.size() ? text.length() : numbers.get(i + 1).from;
            String before = text.substring(Math.max(last, number.from - NEAR), number.from);
            String after = text.substring(number.to, Math.min(next, number.to + NEAR));
            counts.add(new Count(value(text, number), before, after));
        }
        return counts;
    }

    /** Where digits stand, with the points and the commas among them. */
    private record Number(int from, int to) { }

    private static List<Number> numbers(String text) {
        List<Number> numbers = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            if (!isDigit(text, at)) {
                at++;
                continue;
            }
            int end = at + 1;
            while (isDigit(text, end) || isFraction(text, end) || isThousands(text, end)) end++;
            numbers.add(new Number(at, end));
            at = end;
        }
        return numbers;
    }

    private static boolean isFraction(String text, int at) {
        return is(text, at, '.') && isDigit(text, at + 1);
    }

    /** As the comma in {@code 8,192}, and not as in {@code [1,8192]}. */
    private static boolean isThousands(String text, int at) {
        boolean isComma = is(text, at, ',') && !isDigit(text, at + 4);
        return isComma && isDigit(text, at + 1) && isDigit(text, at + 2) && isDigit(text, at + 3);
    }

    private static boolean isCount(String text, Number number) {
        String digits = text.substring(number.from, number.to);
        boolean isWhole = digits.indexOf('.') < 0 && digits.length() <= MAX_DIGITS + 2;
        return isWhole && !endsName(text, number.from) && !isOfWord(text, number.to);
    }

    /** {@return whether a name goes on there, as in {@code gpt-4-1106}} "1-4096" has none before it. */
    private static boolean endsName(String text, int from) {
        int at = from - 1;
        if (!is(text, at, '-')) return isOfWord(text, at);
        int first = Math.max(0, from - MAX_NAME_END);
        while (at >= first && (is(text, at, '-') || is(text, at, '.') || isDigit(text, at))) at--;
        return isOfWord(text, at);
    }

    private static long value(String text, Number number) {
        long value = 0;
        for (int at = number.from; at < number.to; at++) {
            if (isDigit(text, at)) value = value * 10 + text.charAt(at) - '0';
        }
        return value;
    }

    private static boolean isOfWord(String text, int at) {
        if (at < 0 || at >= text.length()) return false;
        char c = text.charAt(at);
        return c >= 'a' && c <= 'z' || c == '_';
    }

    private static boolean isDigit(String text, int at) {
        return at >= 0 && at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9';
    }

    private static boolean is(String text, int at, char wanted) {
        return at >= 0 && at < text.length() && text.charAt(at) == wanted;
    }
}
