package config;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/** Finds the known name of an option, or of its variable, that was meant by one that is not known. */
final class Spelling {
    private static final int LETTERS_FOR_A_MISTAKE = 3; // more than one wrong letter in three is no slip
    private static final int MIN_PREFIX = 2; // letters
    private static final int MAX_LENGTH = 50; // of what may be a misspelt name

    private Spelling() { }

    /**
     * {@return the one of {@code known} that {@code name} is nearest to: the same but for case and signs, begun
     * with it, at most a few letters away, or with a word in common; none if it is like none of them}
     */
    static Optional<String> nearest(String name, Collection<String> known) {
        String meant = plain(name);
        if (meant.isEmpty() || meant.length() > MAX_LENGTH) return Optional.empty();
        return first(known, each -> plain(each).equals(meant))
                .or(() -> first(known, each -> meant.length() >= MIN_PREFIX && plain(each).startsWith(meant)))
                .or(() -> known.stream().filter(each -> mistakes(meant, plain(each)) <= allowed(meant))
                        .min(Comparator.comparingInt(each -> mistakes(meant, plain(each)))))
                .or(() -> first(known, each -> hasCommonWord(meant, plain(each))));
    }

    private static Optional<String> first(Collection<String> known, Predicate<String> fits) {
        return known.stream().filter(fits).findFirst();
    }

    /** {@return the name in lower case, its words parted by hyphens, without those in front} */
    private static String plain(String name) {
        String words = name.toLowerCase(Locale.ROOT).replaceFirst("^a2o_", "").replace('_', '-');
        return words.replaceFirst("^-+", "");
    }

    private static int allowed(String name) { return Math.max(1, name.length() / LETTERS_FOR_A_MISTAKE); }

    private static boolean hasCommonWord(String one, String other) {
        List<String> words = List.of(other.split("-"));
        return List.of(one.split("-")).stream().anyMatch(words::contains);
    }

    /** {@return how many letters are missing, too many, wrong, or swapped (optimal string alignment)} */
    private static int mistakes(String one, String other) {
        int[][] mistakes = new int[one.length() + 1][other.length() + 1]; // between the beginnings of both
        for (int i = 0; i <= one.length(); i++) {
            for (int j = 0; j <= other.length(); j++) mistakes[i][j] = mistakes(one, other, i, j, mistakes);
        }
        return mistakes[one.length()][other.length()];
    }

    private static int mistakes(String one, String other, int i, int j, int[][] shorter) {
        if (i == 0 || j == 0) return i + j;
        boolean isSame = one.charAt(i - 1) == other.charAt(j - 1);
        int replaced = shorter[i - 1][j - 1] + (isSame ? 0 : 1);
        int least = Math.min(replaced, 1 + Math.min(shorter[i - 1][j], shorter[i][j - 1]));
        boolean isSwapped = i > 1 && j > 1 && one.charAt(i - 1) == other.charAt(j - 2)
                && one.charAt(i - 2) == other.charAt(j - 1);
        return isSwapped ? Math.min(least, 1 + shorter[i - 2][j - 2]) : least;
    }
}
