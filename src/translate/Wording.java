package translate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How something is said, whoever says it: several pieces that must all be found, such as a noun, a
 * relation and a number. Each piece is a pattern of bounded length, so that a long text takes time in
 * proportion to its length.
 */
record Wording(List<Piece> pieces) {
    /** Where a piece must stand. */
    enum Place { ANYWHERE, LATER, NOT_LATER }

    record Piece(Place place, Pattern pattern) { }

    static Wording of(String regex) { return new Wording(List.of()).with(Place.ANYWHERE, regex); }
    /** {@return this, and a piece anywhere in the text} */
    Wording and(String regex) { return with(Place.ANYWHERE, regex); }
    /** {@return this, and a piece after the one before} */
    Wording then(String regex) { return with(Place.LATER, regex); }
    /** {@return this, unless such a piece comes after the one before} */
    Wording unless(String regex) { return with(Place.NOT_LATER, regex); }

    private Wording with(Place place, String regex) {
        List<Piece> more = new ArrayList<>(pieces);
        more.add(new Piece(place, Pattern.compile(regex, Pattern.DOTALL)));
        return new Wording(List.copyOf(more));
    }

    /** {@return the last piece, with its groups, if the text says all of them} */
    Optional<MatchResult> in(String text) {
        MatchResult last = null;
        for (Piece piece : pieces) {
            boolean isAnywhere = last == null || piece.place == Place.ANYWHERE;
            Matcher matcher = piece.pattern.matcher(text);
            boolean isFound = matcher.find(isAnywhere ? 0 : last.end());
            if (isFound == (piece.place == Place.NOT_LATER)) return Optional.empty();
            if (isFound) last = matcher.toMatchResult();
        }
        return Optional.ofNullable(last);
    }
}
