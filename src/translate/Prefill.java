package translate;

import java.util.function.Consumer;
import json.Json;
import json.JsonWriter;

/**
 * Takes off the beginning of a reply what the request had begun of it, which some backends repeat (SPEC A.4).
 * Text that only looks like it at first is held back until it does not any more.
 */
final class Prefill {
    private final String repeated; // "" if nothing is to be taken off
    private final Consumer<Json.Str> text;
    private int matched; // characters of it that have come
    private boolean isOver;

    Prefill(String repeated, Consumer<Json.Str> text) {
        this.repeated = repeated;
        this.text = text;
        this.isOver = repeated.isEmpty();
    }

    /** {@return whether nothing is held back or has been taken off} */
    boolean isUnused() {
        return matched == 0;
    }

    /** Passes on a piece of text, without what is repeated. */
    void feed(Json.Str piece) {
        if (isOver) {
            text.accept(piece);
            return;
        }
        String more = piece.text();
        int length = Math.min(more.length(), repeated.length() - matched);
        boolean isSame = repeated.regionMatches(matched, more, 0, length);
        if (!isSame) {
            pass(repeated.substring(0, matched) + more);
            return;
        }
        matched += length;
        if (matched == repeated.length()) pass(more.substring(length));
    }

    /** No more text comes now: what was held back is a beginning of its own. */
    void flush() {
        if (!isOver && matched > 0) pass(repeated.substring(0, matched));
    }

    private void pass(String all) {
        isOver = true;
        if (!all.isEmpty()) text.accept(JsonWriter.text(all));
    }
}
