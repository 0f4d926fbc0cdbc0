package config;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/** Guesses which option, variable or model is meant by a name that is not known. */
public final class Spelling {
    private static final int LETTERS_FOR_A_MISTAKE = 3; // more than one wrong letter in three is no slip
    private static final int MIN_PREFIX = 2; // letters
    private static final int MAX_LENGTH = 50; // of what may be a misspelt name

    private Spelling() { }

    /**
     * {@return the known name that is the nearest: the same but for case and signs, one that begins with it,
     * one that is a few letters away, or one with a word in common}
     */
    public static Optional<String> nearest(String name, Collection<String> known) {
        String meant = plain(name);
        if (meant.isEmpty() || meant.length() > MAX_LENGTH) return Optional.empty();
        return first(known, each -> plain(each).equals(meant))
                .or(() -> first(known, each -> meant.length() >= MIN_PREFIX && plain(each).startsWith(meant)))
                .or(() -> leastMistaken(meant, known))
                .or(() -> first(known, each -> hasCommonWord(meant, plain(each))));
    }

    private static Optional<String> first(Collection<String> known, Predicate<String> fits) {
        return known.stream().filter(fits).findFirst();
    }

    private static Optional<String> leastMistaken(String meant, Collection<String> known) {
        int allowed = Math.max(1, meant.length() / LETTERS_FOR_A_MISTAKE);
        return known.stream().filter(each -> mistakes(meant, plain(each)) <= allowed)
                .min(Comparator.comparingInt(each -> mistakes(meant, plain(each))));
    }

    /** {@return the words of a flag or a variable: log-file for --log-file and for A2O_LOG_FILE} */
    private static String plain(String name) {
        String words = name.toLowerCase(Locale.ROOT).replace('_', '-');
        String plain = words.startsWith("a2o-") ? words.substring("a2o-".length()) : words;
        while (plain.startsWith("-")) plain = plain.substring(1);
        return plain;
    }

    private static boolean hasCommonWord(String one, String other) {
        return !Collections.disjoint(words(one), words(other));
    }

    private static List<String> words(String name) { return List.of(name.split("-")); }

    /** {@return how many letters are missing, too many, wrong, or swapped (optimal string alignment)} */
    private static int mistakes(String one, String other) {
        int[][] mistakes = new int[one.length() + 1][other.length() + 1]; // between the beginnings of both
        for (int i = 0; i <= one.length(); i++) mistakes[i][0] = i;
        for (int j = 0; j <= other.length(); j++) mistakes[0][j] = j;
        for (int i = 1; i <= one.length(); i++) {
            for (int j = 1; j <= other.length(); j++) mistakes[i][j] = mistakes(one, other, i, j, mistakes);
        }
        return mistakes[one.length()][other.length()];
    }

    /** {@return the mistakes between the first i and the first j letters, by those for shorter ones} */
    private static int mistakes(String one, String other, int i, int j, int[][] shorter) {
        boolean isSame = one.charAt(i - 1) == other.charAt(j - 1);
        int replaced = shorter[i - 1][j - 1] + (isSame ? 0 : 1);
        int inserted = 1 + Math.min(shorter[i - 1][j], shorter[i][j - 1]);
        int least = Math.min(replaced, inserted);
        if (!areSwapped(one, other, i, j)) return least;
        return Math.min(least, 1 + shorter[i - 2][j - 2]);
    }

    /** {@return whether the letters before i are those before j, the other way round} */
    private static boolean areSwapped(String one, String other, int i, int j) {
        boolean haveTwo = i > 1 && j > 1;
        return haveTwo && one.charAt(i - 1) == other.charAt(j - 2) && one.charAt(i - 2) == other.charAt(j - 1);
    }
}
