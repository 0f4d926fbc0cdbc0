package upstream;

import java.util.Arrays;
import java.util.function.Supplier;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decompresses the bytes of a reply as they come: gzip (RFC 1952), zlib (RFC 1950) or bare deflate (RFC
 * 1951). Input that is truncated or damaged gives output that is truncated, and {@link #isDamaged} says so.
 * {@link java.util.zip.GZIPInputStream} will not do: it takes a member for the last one if the next has not
 * arrived yet.
 */
final class Inflated implements Supplier<byte[]> {
    enum Format { GZIP, ZLIB, DEFLATE }

    private static final int PIECE_BYTES = 16 * 1024;
    private static final int GZIP_TRAILER_BYTES = 8; // checksum and length
    private static final int DEFLATED = 8; // the only method of compression
    private static final int HAS_CHECKSUM = 2; // these four are flags in the head of a member
    private static final int HAS_EXTRA = 4;
    private static final int HAS_NAME = 8;
    private static final int HAS_COMMENT = 16;
    private static final byte[] NONE = {};

    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private final Format format;
    private final Inflater inflater;
    private byte[] input = NONE;
    private int next; // where what has not been read begins in input
    private boolean isInMember;
    private boolean isEnded;
    private boolean isDamaged;

    Inflated(Supplier<byte[]> source, Format format) {
        this.source = source;
        this.format = format;
        this.inflater = new Inflater(format != Format.ZLIB);
        this.isInMember = format != Format.GZIP;
    }

    /** {@return whether the compressed bytes ended too early, or are wrong} Known once the end has come. */
    boolean isDamaged() { return isDamaged; }

    /** {@return the next bytes, none at the end} */
    @Override
    public byte[] get() {
        byte[] piece = new byte[PIECE_BYTES];
        while (!isEnded) {
            if (!isInMember) beginMember();
            int length = isEnded ? 0 : inflate(piece);
            if (length > 0) return Arrays.copyOf(piece, length);
        }
        inflater.end();
        return NONE;
    }

    private int inflate(byte[] piece) {
        try {
            int length = inflater.inflate(piece);
            if (length > 0) return length;
            if (inflater.finished()) {
                endMember();
            } else if (inflater.needsInput() && isMore()) {
                inflater.setInput(input, next, input.length - next);
                next = input.length;
            } else {
                breakOff();
            }
        } catch (DataFormatException e) { // isDamaged says so
            breakOff();
        }
        return 0;
    }

    /** Ends the output before the end of the input's compression. */
    private void breakOff() {
        isEnded = true;
        isDamaged = true;
    }

    /** Reads the head of a member of gzip; what follows the last one is none, and passed over. */
    private void beginMember() {
        boolean isMember = read() == 0x1f && read() == 0x8b;
        if (!isMember) {
            isEnded = true;
            return;
        }
        boolean isDeflated = read() == DEFLATED;
        int flags = read();
        skip(6); // time and system
        if ((flags & HAS_EXTRA) != 0) skip(read() + (read() << 8));
        if ((flags & HAS_NAME) != 0) skipText();
        if ((flags & HAS_COMMENT) != 0) skipText();
        if ((flags & HAS_CHECKSUM) != 0) skip(2);
        isInMember = isDeflated && !isEnded;
        if (!isInMember) breakOff();
    }

    private void endMember() {
        next -= inflater.getRemaining();
        if (format == Format.GZIP) skip(GZIP_TRAILER_BYTES); else isEnded = true;
        inflater.reset();
        isInMember = false;
    }

    private void skip(int bytes) {
        for (int i = 0; i < bytes && !isEnded; i++) read();
    }

    private void skipText() {
        while (!isEnded && read() != 0) { } // which ends with a zero
    }

    /** {@return the next byte; 0 at the end} */
    private int read() {
        isEnded |= !isMore();
        return isEnded ? 0 : input[next++] & 0xFF;
    }

    /** {@return whether there is another byte; waits for it} */
    private boolean isMore() {
        if (next < input.length) return true;
        input = source.get();
        next = 0;
        return input.length > 0;
    }
}
