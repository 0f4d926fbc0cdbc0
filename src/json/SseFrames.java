package json;

import java.io.ByteArrayOutputStream;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads server-sent events off a byte stream and keeps the bytes of each, from the end of the one before it
 * to its blank line: {@code event: ping\ndata: {}\n\n}. What these bytes hold is left to {@link Sse}.
 * Comments are kept, too, as events without data. An event that the stream breaks off is dropped, as the
 * standard says.
 */
public final class SseFrames implements Events {
    private static final byte[] NONE = {};

    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private byte[] piece = NONE;
    private int next; // where what has not been read begins in piece
    private boolean isLineEmpty; // so far, but for a CR

    public SseFrames(Supplier<byte[]> source) {
        this.source = source;
    }

    @Override
    public Optional<SseEvent> next() {
        var frame = new ByteArrayOutputStream();
        isLineEmpty = true;
        boolean isWhole = false;
        while (!isWhole) {
            if (next == piece.length && !takePiece()) return Optional.empty();
            int from = next;
            isWhole = advanceToBlankLine();
            frame.write(piece, from, next - from);
            if (frame.size() > Lines.MAX_BYTES) throw new Endless("an event of the stream does not end");
        }
        return Optional.of(event(frame.toByteArray()));
    }

    private boolean takePiece() {
        piece = source.get();
        next = 0;
        return piece.length > 0;
    }

    /** Goes on to where a blank line has ended, or to the end of the piece. {@return whether one has} */
    private boolean advanceToBlankLine() {
        while (next < piece.length) {
            byte b = piece[next++];
            boolean isBlankLine = b == '\n' && isLineEmpty;
            if (isBlankLine) return true;
            isLineEmpty = b == '\n' || b == '\r' && isLineEmpty;
        }
        return false;
    }

    private static SseEvent event(byte[] frame) {
        var frames = new Supplier<byte[]>() {
            private byte[] left = frame;

            @Override
            public byte[] get() {
                byte[] all = left;
                left = NONE;
                return all;
            }
        };
        SseEvent read = new Sse(frames).next().orElse(new SseEvent(NONE, false));
        return new SseEvent(read.data(), read.isError(), frame);
    }
}
