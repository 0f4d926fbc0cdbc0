package translate;

import java.util.ArrayList;
import java.util.List;

/**
 * How something is said, whoever says it: several pieces that must all be found, such as a noun and a
 * relation. Each piece is a list of plain words, of which one must be there; so a long text takes time in
 * proportion to its length.
 */
record Wording(List<Piece> pieces) {
    /** Any of these words, or none of them. */
    record Piece(boolean isWanted, List<String> anyOf) {
        private boolean isIn(Said said) { return said.says(anyOf) == isWanted; }
    }

    static Wording of(String... anyOf) { return new Wording(List.of()).with(true, anyOf); }
    /** {@return this, and any of these} */
    Wording and(String... anyOf) { return with(true, anyOf); }
    /** {@return this, and none of these} */
    Wording not(String... anyOf) { return with(false, anyOf); }

    private Wording with(boolean isWanted, String... anyOf) {
        List<Piece> more = new ArrayList<>(pieces);
        more.add(new Piece(isWanted, List.of(anyOf)));
        return new Wording(List.copyOf(more));
    }

    boolean isIn(Said said) { return pieces.stream().allMatch(piece -> piece.isIn(said)); }
}
