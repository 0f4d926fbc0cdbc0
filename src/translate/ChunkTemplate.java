package translate;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import json.Json;
import json.JsonParser;

/**
 * The fast path: a chunk of a stream that brought one string of text, reasoning or arguments, and nothing
 * else that counts. Most chunks differ from the one before in that string alone; they are compared with it
 * and need not be parsed.
 *
 * @param chunk the bytes of that chunk
 * @param from  where the string begins in them, with its quote
 * @param to    where it ends
 * @param piece what it was
 */
record ChunkTemplate(byte[] chunk, int from, int to, Piece.Delta piece) {
    /**
     * {@return the template that a chunk is, which has brought these pieces; none if it has brought more than
     * a string}
     */
    static Optional<ChunkTemplate> of(Json chunk, List<Piece> pieces) {
        boolean isOneDelta = pieces.size() == 1 && pieces.getFirst() instanceof Piece.Delta;
        if (!isOneDelta) return Optional.empty();
        var piece = (Piece.Delta) pieces.getFirst();
        Json delta = piece.delta();
        boolean isInChunk = delta.hasText() && delta.source() == chunk.source(); // not made of something else
        if (!isInChunk) return Optional.empty();
        return Optional.of(new ChunkTemplate(chunk.source(), delta.from(), delta.to(), piece));
    }

    /**
     * {@return the piece that another chunk brings; none if that differs elsewhere too, and has to be parsed}
     */
    Optional<Piece> read(byte[] other) {
        int end = other.length - (chunk.length - to);
        boolean isSame = end > from && Arrays.equals(chunk, 0, from, other, 0, from)
                && Arrays.equals(chunk, to, chunk.length, other, end, other.length);
        if (!isSame) return Optional.empty();
        Json text = JsonParser.string(other, from, end);
        return text.hasText() ? Optional.of(piece.with((Json.Str) text)) : Optional.empty();
    }
}
