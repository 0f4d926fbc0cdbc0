package translate;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import json.Json;

/**
 * Finds the tool call that a piece goes on with: by its index, else by its id, else it is the last one.
 * Backends leave out either, repeat ids and names in every piece, or send each call under the same index
 * (SPEC C.5).
 */
final class CallFinder {
    private final Map<String, ToolCall> byIndex = new HashMap<>(); // the last one of each
    private final Map<String, ToolCall> byId = new HashMap<>();
    private Optional<ToolCall> last = Optional.empty(); // that a piece came for
    private Optional<ToolCall> lastWithoutId = Optional.empty();

    /** {@return the call that the piece goes on with; none if it begins one} */
    Optional<ToolCall> find(Piece.Call piece) {
        if (piece.isWhole()) return Optional.empty();
        return candidate(piece).filter(call -> !isAnother(call, piece));
    }

    private Optional<ToolCall> candidate(Piece.Call piece) {
        if (hasIndex(piece)) return Optional.ofNullable(byIndex.get(piece.index().raw()));
        boolean isNamed = piece.name().hasText();
        String id = piece.id().text();
        if (id.isEmpty()) return isNamed ? Optional.empty() : last;
        Optional<ToolCall> same = Optional.ofNullable(byId.get(id));
        return same.isEmpty() && !isNamed ? lastWithoutId : same;
    }

    /**
     * {@return whether a piece begins another call than {@code known}, though it has the index or id of that}
     */
    private static boolean isAnother(ToolCall known, Piece.Call piece) {
        if (!piece.name().hasText()) return false;
        String id = piece.id().text();
        if (!id.isEmpty()) return !known.id().isEmpty() && !known.id().equals(id);
        return known.isClosed() && !piece.arguments().text().isBlank();
    }

    /** Remembers that a piece came for a call, and gives that its id, if it has none so far. */
    void remember(ToolCall call, Piece.Call piece, boolean isNew) {
        last = Optional.of(call);
        if (isNew && hasIndex(piece)) byIndex.put(piece.index().raw(), call);
        if (call.id().isEmpty()) identify(call, piece.id().text());
    }

    private void identify(ToolCall call, String id) {
        if (id.isEmpty()) {
            lastWithoutId = Optional.of(call);
            return;
        }
        call.setId(id);
        byId.put(id, call);
        lastWithoutId = lastWithoutId.filter(other -> other != call);
    }

    private static boolean hasIndex(Piece.Call piece) {
        return piece.index() instanceof Json.Num;
    }
}
