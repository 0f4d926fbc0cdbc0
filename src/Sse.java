import java.io.Flushable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads server-sent events off a byte stream, one {@link #next} at a time. It looks into the data only for the end.
 *
 * <p>Beyond the standard (WHATWG HTML, "event stream interpretation") it takes what backends send in its place
 * (SPEC D.1): a line that is bare JSON, a field {@code error:} instead of data, a doubled {@code data:} prefix,
 * events that no blank line parts. Comments, {@code id:} and {@code retry:} are passed over.
 *
 * <p>The bytes of an event stay valid after the next one: a full buffer is left to its events and a new one begun.
 */
final class Sse {
    private static final int BUFFER_BYTES = 16 * 1024;
    private static final int MAX_LINE_BYTES = 32 * 1024 * 1024;

    private final InputStream in;
    private final Flushable client;
    private byte[] buffer = new byte[BUFFER_BYTES];
    private int at;
    private int end;
    private boolean afterCr;
    private boolean isError;
    private boolean isGiven; // whether next has returned the event that is held
    private byte[] data = buffer;
    private int from;
    private int to;

    /** {@code client} is flushed whenever nothing more has arrived, that is, before a wait. */
    Sse(InputStream in, Flushable client) {
        this.in = in;
        this.client = client;
    }

    /** {@return whether the event is an error by its name, whatever its data} */
    boolean isError() { return isError; }
    byte[] source() { return data; }
    int from() { return from; }
    int to() { return to; }
    /** {@return whether this is the {@code [DONE]} that ends a stream of OpenAI's} */
    boolean isDone() { return to - from >= 6 && data[from] == '[' && text().startsWith("[DONE]"); }
    String text() { return new String(data, from, to - from, StandardCharsets.UTF_8); }

    /** {@return whether there is another event; blocks until it is whole or the stream ends} */
    boolean next() throws IOException {
        if (isGiven) {
            isGiven = false;
            isError = false;
            to = from;
        }
        while (!isGiven) {
            int lineEnd = lineEnd();
            if (lineEnd < 0 && at == end) return isGiven = to > from;
            int lineTo = lineEnd < 0 ? end : lineEnd;
            if (to > from && startsAnother(lineTo)) return isGiven = true; // the line is read again for the next event
            isGiven = line(at, lineTo) && to > from;
            afterCr = lineEnd >= 0 && buffer[lineEnd] == '\r';
            at = lineEnd < 0 ? end : lineEnd + 1;
        }
        return true;
    }

    /** {@return the position of the next CR or LF, reading on as needed; -1 when the stream ended before one} */
    private int lineEnd() throws IOException {
        for (int i = at; ; i++) {
            if (i == end) {
                int line = at;
                if (!fill()) return -1;
                i -= line - at; // the buffer may be another one
            }
            if (buffer[i] == '\n' && afterCr && i == at) {
                at++; // the second half of a line end
            } else if (buffer[i] == '\n' || buffer[i] == '\r') {
                return i;
            }
        }
    }

    private boolean fill() throws IOException {
        if (end == buffer.length) {
            if (end - at > MAX_LINE_BYTES) throw new IOException("a line of the event stream is too long");
            byte[] next = new byte[Math.max(BUFFER_BYTES, (end - at) * 2)];
            System.arraycopy(buffer, at, next, 0, end - at);
            buffer = next;
            end -= at;
            at = 0;
        }
        if (in.available() == 0) client.flush();
        int n = in.read(buffer, end, buffer.length - end);
        end += Math.max(0, n);
        return n > 0;
    }

    /** {@return whether the line begins a new JSON value although no blank line has ended the one before} */
    private boolean startsAnother(int lineTo) {
        int value = skip(at, lineTo, "data:");
        return value < lineTo && (buffer[value] == '{' || buffer[value] == '[') && data[to - 1] == '}';
    }

    /** {@return whether this line ends an event} */
    private boolean line(int lineFrom, int lineTo) {
        lineFrom = skip(lineFrom, lineTo, "\u00EF\u00BB\u00BF"); // a byte order mark
        int value = skip(lineFrom, lineTo, "data:");
        int error = skip(lineFrom, lineTo, "error:");
        int name = skip(lineFrom, lineTo, "event:");
        boolean bare = lineFrom < lineTo && buffer[lineFrom] == '{';
        if (name > lineFrom) isError = new String(buffer, name, lineTo - name, StandardCharsets.UTF_8).strip().equals("error");
        if (error > lineFrom) isError = true;
        if (bare || value > lineFrom || error > lineFrom) append(Math.max(value, error), lineTo);
        if (lineFrom == lineTo && to == from) isError = false;
        return lineFrom == lineTo || bare;
    }

    /** {@return where the line goes on after the prefix, however often it stands there, and spaces; if it does not, its start} */
    private int skip(int lineFrom, int lineTo, String prefix) {
        int next = lineFrom;
        for (int i = 0; next + i < lineTo && (buffer[next + i] & 0xFF) == prefix.charAt(i); ) {
            if (++i < prefix.length()) continue;
            for (next += i; next < lineTo && buffer[next] == ' '; ) next++;
            i = 0;
        }
        return next;
    }

    private void append(int valueFrom, int valueTo) {
        boolean first = to == from;
        if (!first) {
            byte[] joined = Arrays.copyOfRange(data, from, to + 1 + valueTo - valueFrom);
            joined[to - from] = '\n';
            System.arraycopy(buffer, valueFrom, joined, to - from + 1, valueTo - valueFrom);
            data = joined;
        } else {
            data = buffer;
        }
        from = first ? valueFrom : 0;
        to = first ? valueTo : data.length;
    }
}
