package json;

import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Reads lines off a stream of bytes, one at a time. A line ends with LF, CR, both, or the stream.
 */
final class Lines {
    static final int MAX_BYTES = 64 * 1024 * 1024; // of a line
    private static final int USUAL_BYTES = 16 * 1024; // that may be held; more only for a long line

    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private byte[] bytes = {};
    private int next; // where what has not been read begins in bytes
    private int filled; // where it ends
    private boolean endedByCr; // the last line; a LF may follow
    private byte[] line = {};

    Lines(Supplier<byte[]> source) {
        this.source = source;
    }

    /** {@return the last line read, without its end} */
    byte[] line() {
        return line;
    }

    /**
     * Reads the next line. {@return whether there is one; blocks until it is whole}
     *
     * @throws Endless if it is too long
     */
    boolean advance() {
        if (endedByCr) skipLf();
        int length = unbrokenLength(0);
        while (next + length == filled && fill()) length = unbrokenLength(length);
        if (next == filled) return false;
        endedByCr = next + length < filled && bytes[next + length] == '\r';
        line = Arrays.copyOfRange(bytes, next, next + length);
        next = Math.min(filled, next + length + 1);
        return true;
    }

    private void skipLf() {
        boolean isThere = next < filled || fill();
        if (isThere && bytes[next] == '\n') next++;
        endedByCr = false;
    }

    /**
     * {@return how many bytes there are before the end of the line; {@code known} of them are not looked at
     * again}
     */
    private int unbrokenLength(int known) {
        int at = next + known;
        while (at < filled && bytes[at] != '\n' && bytes[at] != '\r') at++;
        return at - next;
    }

    /** Takes more bytes of the source, after those not yet read. {@return whether there are any} */
    private boolean fill() {
        byte[] more = source.get();
        if (filled - next > MAX_BYTES) throw new Endless("a line of the stream does not end");
        if (more.length > bytes.length - filled) makeRoom(more.length);
        System.arraycopy(more, 0, bytes, filled, more.length);
        filled += more.length;
        return more.length > 0;
    }

    /** Moves the unread bytes to the beginning, of another array if this one has not twice the room. */
    private void makeRoom(int length) {
        int unread = filled - next;
        int needed = (unread + length) * 2;
        boolean isTooLong = bytes.length / 4 > Math.max(USUAL_BYTES, needed); // since a long line
        byte[] to = needed > bytes.length || isTooLong ? new byte[needed] : bytes;
        System.arraycopy(bytes, next, to, 0, unread);
        bytes = to;
        next = 0;
        filled = unread;
    }

    /** {@return whether {@code with}, of characters up to 0xFF, stands at {@code at} in the line} */
    static boolean begins(byte[] line, int at, String with) {
        if (line.length - at < with.length()) return false;
        for (int i = 0; i < with.length(); i++) {
            if ((line[at + i] & 0xFF) != with.charAt(i)) return false;
        }
        return true;
    }
}
