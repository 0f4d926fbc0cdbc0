package translate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The bounds of a reply's length that a refusal states, in any notation: {@code [1, 8192]}, {@code <= 8192},
 * "1 (inclusive) to 8193 (exclusive)", "lower than 8192". What a number bounds is told by the last relation
 * before it.
 *
 * @param most the highest numbers of tokens that may be taken, the highest of them first
 * @param least the lowest numbers that may be taken
 */
record ReplyBounds(List<Long> most, List<Long> least) {
    private enum Side { UPPER, BELOW, LOWER, ABOVE, RANGE, NONE }

    /** @param words as they stand before the number */
    private record Relation(Side side, List<String> words) { }

    private static final List<Relation> RELATIONS = List.of(
            new Relation(Side.UPPER, List.of("at most", "less than or equal to", "lower than or equal to",
                    "smaller than or equal to", "no more than", "up to", "limit", "max", "exceed", "<=", "≤",
                    "upper bound", "'le'", "le=", "lte=", "not be greater than", "not be larger than", "not be more than",
                    "not be higher than", "is greater than", "is larger than", "no greater than",
                    "no larger than", "greater than", "larger than", "higher than", "more than",
                    Said.REPLY_LIMIT + " > ", "ceiling", "cap ", "not greater than", "not larger than", "not more than", "above",
                    "not less or equal to", "上限", "最大", "超过", "不大于", "不能大于", "不可大于", "不得大于", "不应大于",
                    "小于等于", "小于或等于")),
            new Relation(Side.BELOW, List.of("less than", "lower than", "smaller than", "fewer than",
                    "below", "under", "< ", "lt=", "小于")),
            new Relation(Side.LOWER, List.of("at least", "minimum", "min ", "min:", ">=", "≥", "'ge'",
                    "'gte'", "ge=", "gte=", "not be under", "not be below",
                    "greater than or equal to", "larger than or equal to", "more than or equal to",
                    "higher than or equal to", "not be less than", "not be lower than", "no less than",
                    "below minimum", "below the minimum", "below", "under", "不小于", "大于等于", "最小")),
            new Relation(Side.ABOVE, List.of("be greater than", "be larger than", "be more than",
                    "be higher than", "be above", "value greater than", "> ", "be >", "gt=", "大于")),
            new Relation(Side.RANGE, List.of("[", "(", "between", "from", "range", "in ", "范围", "在 ", "在")));

    /** What may stand between the two ends of a range. */
    private static final List<String> BETWEEN =
            List.of(",", "-", "~", "–", "to", "and", "..", "...", "至", "到", "(inclusive) to", "(exclusive) to",
                    "inclusive to", "、", "; ");
    private static final List<String> OR_LESS =
            List.of(" or less", " or fewer", " or lower", " or below", "以内", "以下", " 以内");
    private static final List<String> OR_MORE = List.of(" or more", " or greater", " or higher", "以上");
    private static final String GREATER = ">";
    private static final int MAX_DISTANCE = 40; // characters between a relation and its number

    static ReplyBounds in(Said said) {
        List<Long> most = new ArrayList<>();
        List<Long> least = new ArrayList<>();
        Side before = Side.NONE;
        long first = 0; // of a range
        for (Count count : Count.in(said.text())) {
            Side side = sideAfter(count).orElse(side(count, before));
            boolean isRangeOver = before == Side.RANGE && side == Side.UPPER;
            if (isRangeOver) least.add(first);
            before = side;
            first = count.value();
            boolean isExclusive = count.after().startsWith(" (exclusive");
            switch (side) {
                case UPPER -> most.add(isExclusive ? count.value() - 1 : count.value());
                case BELOW -> {
                    most.add(count.value() - 1);
                    if (isTooLow(count.before())) least.add(count.value());
                }
                case LOWER -> least.add(count.value());
                case ABOVE -> least.add(count.value() + 1);
                case RANGE, NONE -> { }
            }
        }
        most.removeIf(tokens -> tokens < 1);
        most.sort(Comparator.reverseOrder());
        return new ReplyBounds(most.stream().distinct().toList(), least.stream().distinct().toList());
    }

    /** As in "200 is below 1024", which is no demand. */
    private static boolean isTooLow(String before) {
        return !before.contains("be ") && !before.contains("value ");
    }

    /** {@return what the words after a number say, as in "must be 8192 or less"} */
    private static Optional<Side> sideAfter(Count count) {
        if (OR_LESS.stream().anyMatch(count.after()::startsWith)) return Optional.of(Side.UPPER);
        return OR_MORE.stream().anyMatch(count.after()::startsWith) ? Optional.of(Side.LOWER) : Optional.empty();
    }

    private static Side side(Count count, Side before) {
        boolean isSecond = BETWEEN.contains(count.before().strip());
        if (isSecond && before == Side.RANGE) return Side.UPPER;
        boolean isCompared = count.before().replace(')', ' ').strip().equals(GREATER);
        if (isCompared) return Side.UPPER; // as in "32000 > 8192"
        Side side = Side.NONE;
        int end = -1;
        int length = 0; // "cannot be less than 8" has "not be less than" and "less than"
        boolean isFirstOfTwo = BETWEEN.contains(count.after().strip());
        for (Relation relation : RELATIONS) {
            if (relation.side == Side.RANGE && !isFirstOfTwo) continue; // as in "max_tokens (32000) exceeds"
            for (String words : relation.words) {
                int at = count.before().lastIndexOf(words);
                int to = at + words.length();
                boolean isNearer = at >= 0 && (to > end || to == end && words.length() > length);
                if (isNearer) {
                    side = relation.side;
                    end = to;
                    length = words.length();
                }
            }
        }
        boolean isNear = count.before().length() - end <= MAX_DISTANCE;
        return end >= 0 && isNear ? side : Side.NONE;
    }
}
