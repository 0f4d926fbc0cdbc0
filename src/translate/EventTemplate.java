package translate;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import json.Json;
import json.JsonParser;

/**
 * The fast path of the Responses API: an event that brought one delta of text, reasoning or arguments. Most
 * events differ from the one before in the delta and in their number alone; they are compared with it, not
 * parsed.
 *
 * <pre>
 *  {"type":T,"item_id":I,"output_index":0,"delta":"Hel","logprobs":[],"sequence_number":7}
 *  └───────────── start ───────────────────────┘     └──────── middle ────────────────┘ └ end
 * </pre>
 * The number may also come first; events without one have an empty number at their end.
 *
 * @param event of which this is made
 * @param first the delta or the number, whichever comes first in it
 * @param last  the other one
 */
record EventTemplate(byte[] event, Span first, Span last, Piece.Delta piece) {
    /** Where something stands in an event. */
    record Span(int from, int to, boolean isNumber) { }

    /** {@return the template that an event is, which has brought these pieces; none if it is no delta} */
    static Optional<EventTemplate> of(Json event, List<Piece> pieces) {
        Json delta = event.get("delta");
        boolean isOneDelta = pieces.size() == 1 && pieces.getFirst() instanceof Piece.Delta;
        if (!isOneDelta) return Optional.empty();
        var piece = (Piece.Delta) pieces.getFirst();
        boolean isWholeDelta = delta.hasText() && piece.delta() == delta; // not made of something else
        if (!isWholeDelta) return Optional.empty();
        int length = event.source().length;
        Json number = event.get("sequence_number");
        Span ofDelta = new Span(delta.from(), delta.to(), false);
        Span ofNumber = number instanceof Json.Num ? new Span(number.from(), number.to(), true)
                : new Span(length, length, true);
        boolean isDeltaFirst = ofDelta.from < ofNumber.from;
        return Optional.of(new EventTemplate(event.source(), isDeltaFirst ? ofDelta : ofNumber,
                isDeltaFirst ? ofNumber : ofDelta, piece));
    }

    /** {@return the piece that another event brings; none if that differs elsewhere too, and has to be parsed} */
    Optional<Piece> read(byte[] other) {
        int lastTo = other.length - (event.length - last.to);
        if (lastTo < first.from || !isSame(0, first.from, other, 0)) return Optional.empty();
        if (!isSame(last.to, event.length, other, lastTo)) return Optional.empty();
        int middle = last.from - first.to;
        int firstTo;
        int lastFrom;
        if (first.isNumber) {
            firstTo = endOfDigits(other, first.from);
            lastFrom = firstTo + middle;
        } else {
            lastFrom = startOfDigits(other, lastTo);
            firstTo = lastFrom - middle;
        }
        boolean isMiddleThere = first.from <= firstTo && lastFrom <= lastTo && isSame(first.to, last.from, other, firstTo);
        if (!isMiddleThere) return Optional.empty();
        return first.isNumber ? piece(other, lastFrom, lastTo) : piece(other, first.from, firstTo);
    }

    private boolean isSame(int from, int to, byte[] other, int otherFrom) {
        return otherFrom >= 0 && otherFrom + to - from <= other.length
                && Arrays.equals(event, from, to, other, otherFrom, otherFrom + to - from);
    }

    private static int endOfDigits(byte[] text, int from) {
        int to = from;
        while (to < text.length && text[to] >= '0' && text[to] <= '9') to++;
        return to;
    }

    private static int startOfDigits(byte[] text, int to) {
        int from = to;
        while (from > 0 && text[from - 1] >= '0' && text[from - 1] <= '9') from--;
        return from;
    }

    private Optional<Piece> piece(byte[] other, int from, int to) {
        Json text = JsonParser.string(other, from, to);
        return text.hasText() ? Optional.of(piece.with((Json.Str) text)) : Optional.empty();
    }
}
