import java.io.Flushable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads server-sent events off a byte stream, one {@link #next} at a time. It does not look into the data.
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
    private static final byte[] NO_DATA = new byte[0];

    private final InputStream in;
    private final Flushable client;
    private byte[] buffer = new byte[BUFFER_BYTES];
    private int at;
    private int end;
    private int scanned; // how much of the line at `at` is known to hold no line end
    private boolean afterCr;
    private boolean atStart = true;
    private boolean isError;
    private byte[] data = NO_DATA;
    private int from;
    private int to;
    private boolean dispatched;

    /** {@code client} is flushed whenever nothing more has arrived, that is, before a wait. */
    Sse(InputStream in, Flushable client) {
        this.in = in;
        this.client = client;
    }

    /** {@return whether there is another event; blocks until it is whole or the stream ends} */
    boolean next() throws IOException {
        if (dispatched) reset();
        while (true) {
            int lineEnd = lineEnd();
            boolean last = lineEnd < 0;
            if (last && at == end) return dispatched = to > from;
            if (last) lineEnd = end;
            int lineFrom = at;
            if (to > from && startsAnother(lineFrom, lineEnd)) return dispatched = true; // the line is read again later
            at = last ? end : lineEnd + 1;
            scanned = at;
            afterCr = !last && buffer[lineEnd] == '\r';
            if (line(lineFrom, lineEnd) && to > from) return dispatched = true;
        }
    }

    /** {@return whether the event is an error by its name, whatever its data} */
    boolean isError() {
        return isError;
    }

    byte[] source() {
        return data;
    }

    int from() {
        return from;
    }

    int to() {
        return to;
    }

    private void reset() {
        dispatched = false;
        isError = false;
        data = NO_DATA;
        from = 0;
        to = 0;
    }

    /** {@return the position of the next CR or LF, reading on as needed; -1 when the stream ended before one} */
    private int lineEnd() throws IOException {
        while (true) {
            if (afterCr && at < end) {
                if (buffer[at] == '\n') at++;
                afterCr = false;
            }
            for (scanned = Math.max(scanned, at); scanned < end; scanned++) {
                if (buffer[scanned] == '\n' || buffer[scanned] == '\r') return scanned;
            }
            if (!fill()) return -1;
        }
    }

    private boolean fill() throws IOException {
        if (end == buffer.length) {
            int rest = end - at;
            if (rest > MAX_LINE_BYTES) throw new IOException("a line of the event stream is too long");
            byte[] next = new byte[Math.max(BUFFER_BYTES, rest * 2)];
            System.arraycopy(buffer, at, next, 0, rest);
            buffer = next;
            scanned -= at;
            at = 0;
            end = rest;
        }
        if (in.available() == 0) client.flush();
        int n = in.read(buffer, end, buffer.length - end);
        end += Math.max(0, n);
        return n >= 0;
    }

    /** {@return whether the line begins a new JSON value although no blank line has ended the one before} */
    private boolean startsAnother(int lineFrom, int lineEnd) {
        int valueFrom = starts(lineFrom, lineEnd, "data:") ? skip(lineFrom, lineEnd, "data:") : lineFrom;
        return valueFrom < lineEnd && (buffer[valueFrom] == '{' || buffer[valueFrom] == '[') && data[to - 1] == '}';
    }

    /** {@return whether this line ends an event} */
    private boolean line(int lineFrom, int lineEnd) {
        if (atStart && starts(lineFrom, lineEnd, "\u00EF\u00BB\u00BF")) lineFrom += 3; // the byte order mark
        atStart = false;
        if (lineFrom == lineEnd) {
            if (to == from) isError = false;
            return true;
        }
        if (buffer[lineFrom] == '{') {
            append(lineFrom, lineEnd);
            return true;
        }
        if (starts(lineFrom, lineEnd, "data:")) {
            append(skip(lineFrom, lineEnd, "data:"), lineEnd);
        } else if (starts(lineFrom, lineEnd, "error:")) {
            isError = true;
            append(skip(lineFrom, lineEnd, "error:"), lineEnd);
        } else if (starts(lineFrom, lineEnd, "event:")) {
            int nameFrom = skip(lineFrom, lineEnd, "event:");
            isError = new String(buffer, nameFrom, lineEnd - nameFrom, StandardCharsets.UTF_8).trim().equals("error");
        }
        return false;
    }

    /** {@return where the value of the field begins: after the prefix, however often it stands there, and spaces} */
    private int skip(int valueFrom, int lineEnd, String prefix) {
        while (starts(valueFrom, lineEnd, prefix)) {
            valueFrom += prefix.length();
            while (valueFrom < lineEnd && buffer[valueFrom] == ' ') valueFrom++;
        }
        return valueFrom;
    }

    private boolean starts(int lineFrom, int lineEnd, String prefix) {
        if (lineEnd - lineFrom < prefix.length()) return false;
        for (int i = 0; i < prefix.length(); i++) {
            if ((buffer[lineFrom + i] & 0xFF) != prefix.charAt(i)) return false;
        }
        return true;
    }

    private void append(int valueFrom, int valueTo) {
        if (to == from) {
            data = buffer;
            from = valueFrom;
            to = valueTo;
        } else {
            byte[] joined = Arrays.copyOfRange(data, from, to + 1 + valueTo - valueFrom);
            joined[to - from] = '\n';
            System.arraycopy(buffer, valueFrom, joined, to - from + 1, valueTo - valueFrom);
            data = joined;
            from = 0;
            to = joined.length;
        }
    }
}
