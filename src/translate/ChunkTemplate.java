package translate;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import json.Json;
import json.JsonParser;

/**
 * The fast path: a chunk of a stream that brought one string of text or reasoning, and nothing else that
 * counts. Most chunks differ from the one before in that string alone; they are compared with it and need not
 * be parsed.
 *
 * @param chunk the bytes of that chunk
 * @param from  where the string begins in them, with its quote
 * @param to    where it ends
 * @param piece what it was
 */
record ChunkTemplate(byte[] chunk, int from, int to, Piece piece) {
    /**
     * {@return the template that a chunk is, which has brought these pieces; none if it has brought more than
     * a string}
     */
    static Optional<ChunkTemplate> of(Json chunk, List<Piece> pieces) {
        if (pieces.size() != 1) return Optional.empty();
        return switch (pieces.getFirst()) {
            case Piece.Answer answer -> of(chunk, answer.text(), answer);
            case Piece.Reasoning reasoning -> of(chunk, reasoning.text(), reasoning);
            case Piece.Refusal refusal -> Optional.empty();
            case Piece.Detail detail -> Optional.empty();
            case Piece.Call call -> Optional.empty();
            case Piece.AnswerEnd end -> Optional.empty();
            case Piece.ReasoningEnd end -> Optional.empty();
            case Piece.CallEnd end -> Optional.empty();
            case Piece.Search search -> Optional.empty();
        };
    }

    private static Optional<ChunkTemplate> of(Json chunk, Json.Str text, Piece piece) {
        boolean isInChunk = text.source() == chunk.source(); // and not made of something else there
        if (!isInChunk) return Optional.empty();
        return Optional.of(new ChunkTemplate(chunk.source(), text.from(), text.to(), piece));
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
        if (!text.hasText()) return Optional.empty();
        return Optional.of(pieceOf((Json.Str) text));
    }

    private Piece pieceOf(Json.Str text) {
        if (piece instanceof Piece.Reasoning known) return new Piece.Reasoning(text, known.field());
        return new Piece.Answer(text);
    }
}
