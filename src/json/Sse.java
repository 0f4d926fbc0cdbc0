package json;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Reads server-sent events off a byte stream, one {@link #next} at a time. It does not look into the data.
 *
 * <p>Beyond the standard (WHATWG HTML, "event stream interpretation") it takes what backends send in its
 * place (SPEC D.1): a line that is bare JSON, a field {@code error:} instead of data, a doubled {@code data:}
 * prefix, events that no blank line parts. Comments, {@code id:} and {@code retry:} are passed over.
 */
public final class Sse {
    private static final byte[] NONE = {};
    private static final int MAX_LINE_BYTES = 64 * 1024 * 1024;
    private static final int USUAL_BYTES = 16 * 1024; // that are held; more only for a long line

    /** A stream with more in one event than anybody needs who means well. */
    public static final class Endless extends RuntimeException {
        private Endless(String what) { super(what, null, false, false); }
    }

    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private byte[] bytes = new byte[USUAL_BYTES];
    private int next; // where what has not been read begins in bytes
    private int filled; // where it ends
    private boolean ended;
    private boolean endedByCr; // the last line; a LF may follow
    private byte[] line = NONE; // the last one read, which may belong to the next event; empty, too, at the end
    private byte[] data = NONE; // of the event; as long as it is read, only its first line
    private ByteArrayOutputStream lines = new ByteArrayOutputStream(0); // all of them, if there are several
    private boolean endsInBrace; // what has been read of the data
    private boolean isError;

    public Sse(Supplier<byte[]> source) { this.source = source; }

    public byte[] data() { return data; }
    /** {@return whether this is the {@code [DONE]} that ends a stream of OpenAI's} */
    public boolean isDone() { return begins(data, 0, "[DONE]"); }
    /** {@return whether the event is an error by its name, whatever its data} */
    public boolean isError() { return isError; }

    /**
     * {@return whether there is another event; blocks until it is whole or the stream ends}
     *
     * @throws Endless if it is too long
     */
    public boolean next() {
        data = NONE;
        isError = false;
        boolean isThere = readEvent();
        if (lines.size() > 0) {
            data = lines.toByteArray();
            lines = new ByteArrayOutputStream(0);
        }
        return isThere;
    }

    private boolean readEvent() {
        while (!ended) {
            int from = begins(line, 0, "\u00EF\u00BB\u00BF") ? 3 : 0; // the byte order mark
            int value = from;
            while (begins(line, value, "data:") || begins(line, value, "error:")) {
                do value++; while (line[value - 1] != ':');
                while (value < line.length && line[value] == ' ') value++;
            }
            boolean isBare = begins(line, from, "{") || begins(line, from, "[DONE]");
            boolean isData = isBare || value > from;
            boolean isJson = isData && (begins(line, value, "{") || begins(line, value, "["));
            boolean isNamed = begins(line, from, "event:");
            boolean isNext = (isJson || isNamed) && data.length > 0 && endsInBrace;
            if (isNext || line.length == 0 && data.length > 0) return true;
            isError = isNamed ? new String(line, StandardCharsets.UTF_8).strip().endsWith("error")
                    : isError || begins(line, from, "error:");
            if (isData) add(Arrays.copyOfRange(line, value, line.length));
            if (isBare) line = NONE; else readLine(); // a bare line is an event of its own
        }
        return data.length > 0;
    }

    private static boolean begins(byte[] line, int at, String with) {
        int same = 0;
        while (same < with.length() && at + same < line.length && (line[at + same] & 0xFF) == with.charAt(same)) same++;
        return same == with.length();
    }

    /** Adds a line to the data. */
    private void add(byte[] more) {
        endsInBrace = more.length > 0 && more[more.length - 1] == '}';
        if (data.length == 0) {
            data = more;
            return;
        }
        if (lines.size() == 0) lines.writeBytes(data);
        if (lines.size() > MAX_LINE_BYTES) throw new Endless("an event of the stream does not end");
        lines.write('\n');
        lines.writeBytes(more);
    }

    /** Reads the next line, or finds that there is none. */
    private void readLine() {
        boolean isSplit = endedByCr && (next < filled || fill()) && bytes[next] == '\n'; // CR and LF end one line
        if (isSplit) next++;
        int length = 0;
        do {
            int at = next + length;
            while (at < filled && bytes[at] != '\n' && bytes[at] != '\r') at++;
            length = at - next;
        } while (next + length == filled && fill());
        ended = next == filled;
        endedByCr = !ended && next + length < filled && bytes[next + length] == '\r';
        line = Arrays.copyOfRange(bytes, next, next + length);
        next = Math.min(filled, next + length + 1);
    }

    /** Takes more bytes of the source, after those not yet read. {@return whether there are any} */
    private boolean fill() {
        byte[] more = source.get();
        if (filled - next > MAX_LINE_BYTES) throw new Endless("a line of the stream does not end");
        if (more.length > bytes.length - filled) makeRoom(more.length);
        System.arraycopy(more, 0, bytes, filled, more.length);
        filled += more.length;
        return more.length > 0;
    }

    /** Moves what is not yet read to the beginning, of another array if this one has not twice the room. */
    private void makeRoom(int length) {
        int unread = filled - next;
        int needed = Math.max(USUAL_BYTES, (unread + length) * 2);
        boolean isTooLong = bytes.length / 4 > needed; // of a long line before
        byte[] to = needed > bytes.length || isTooLong ? new byte[needed] : bytes;
        System.arraycopy(bytes, next, to, 0, unread);
        bytes = to;
        next = 0;
        filled = unread;
    }
}
