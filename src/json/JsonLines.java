package json;

import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Puts each JSON object of a reply on a line of its own, so that {@link Sse} reads it as an event: an
 * indented reply, objects one after the other, or the elements of an array. It works on the bytes as they
 * come and checks nothing.
 */
public final class JsonLines implements Supplier<byte[]> {
    private enum Place { BEGIN, BETWEEN, VALUE, STRING, ESCAPE }

    private static final byte[] NONE = {};

    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private Place place = Place.BEGIN;
    private boolean isArray; // around the objects
    private int depth; // within an object; 0 between them
    private byte[] out = NONE;
    private int size; // of what is in out

    /** @param source of which the first byte opens an object or an array */
    public JsonLines(Supplier<byte[]> source) {
        this.source = source;
    }

    @Override
    public byte[] get() {
        byte[] piece = source.get();
        size = 0;
        while (piece.length > 0 && size == 0) { // no bytes would be the end
            out = new byte[piece.length * 2]; // each byte may be the end of an object
            for (byte b : piece) put(b);
            if (size == 0) piece = source.get();
        }
        return size == 0 ? NONE : Arrays.copyOf(out, size);
    }

    private void put(byte b) {
        switch (place) {
            case BEGIN -> {
                isArray = b == '[';
                place = Place.BETWEEN;
                putBetween(b);
            }
            case BETWEEN -> putBetween(b);
            case VALUE -> putValue(b);
            case STRING -> {
                if (b == '"') place = Place.VALUE;
                if (b == '\\') place = Place.ESCAPE;
                out[size++] = flat(b);
            }
            case ESCAPE -> {
                place = Place.STRING;
                out[size++] = flat(b);
            }
        }
    }

    /** Keeps what stands between objects, such as {@code [DONE]}, but drops the punctuation of an array. */
    private void putBetween(byte b) {
        boolean isOfArray = b == '[' || b == ',' || b == ']';
        if (isArray && isOfArray) return;
        if (b == '{') {
            place = Place.VALUE;
            depth = 1;
        }
        out[size++] = b;
    }

    private void putValue(byte b) {
        out[size++] = flat(b);
        switch (b) {
            case '"' -> place = Place.STRING;
            case '{', '[' -> depth++;
            case '}', ']' -> depth--;
            default -> { }
        }
        if (depth > 0) return;
        place = Place.BETWEEN;
        out[size++] = '\n';
    }

    private static byte flat(byte b) {
        return b == '\n' || b == '\r' ? (byte) ' ' : b;
    }
}
