import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * Reads server-sent events off a byte stream, one {@link #next} at a time. It does not look into the data.
 *
 * <p>Beyond the standard (WHATWG HTML, "event stream interpretation") it takes what backends send in its place
 * (SPEC D.1): a line that is bare JSON, a field {@code error:} instead of data, a doubled {@code data:} prefix,
 * events that no blank line parts. Comments, {@code id:} and {@code retry:} are passed over.
 */
final class Sse {
    private static final int MAX_LINE_BYTES = 64 * 1024 * 1024;

    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private byte[] bytes = new byte[16 * 1024];
    private int next; // where what has not been read begins in bytes
    private int filled; // where it ends
    private boolean endedByCr; // the last line; a LF may follow
    private String line = ""; // the last one read, which may belong to the next event; null at the end
    private String data = "";
    private boolean isError;

    Sse(Supplier<byte[]> source) { this.source = source; }

    byte[] data() { return data.getBytes(StandardCharsets.ISO_8859_1); }
    /** {@return whether this is the {@code [DONE]} that ends a stream of OpenAI's} */
    boolean isDone() { return data.startsWith("[DONE]"); }
    /** {@return whether the event is an error by its name, whatever its data} */
    boolean isError() { return isError; }

    /** {@return whether there is another event; blocks until it is whole or the stream ends} */
    boolean next() {
        data = "";
        isError = false;
        while (line != null) {
            if (line.startsWith("\u00EF\u00BB\u00BF")) line = line.substring(3); // the byte order mark
            String value = line;
            while (value.startsWith("data:") || value.startsWith("error:")) {
                value = value.substring(value.indexOf(':') + 1).stripLeading();
            }
            boolean isBare = line.startsWith("{");
            boolean isData = isBare || value.length() < line.length();
            boolean isNext = isData && (value.startsWith("{") || value.startsWith("[")) && data.endsWith("}");
            if (isNext || line.isEmpty() && !data.isEmpty()) return true;
            isError = line.startsWith("event:") ? line.endsWith("error") : isError || line.startsWith("error:");
            if (isData) data += data.isEmpty() ? value : "\n" + value;
            line = isBare ? "" : readLine(); // a bare line is an event of its own
        }
        return !data.isEmpty();
    }

    /** {@return the next line, a character a byte: whether they are UTF-8 is for the reader of the JSON to say} */
    private String readLine() {
        int length = 0;
        while (next + length < filled || fill()) {
            byte b = bytes[next + length++];
            boolean isSecond = b == '\n' && endedByCr && length == 1; // of CR and LF
            endedByCr = b == '\r';
            if (isSecond) {
                next++;
                length = 0;
            } else if (b == '\n' || b == '\r') {
                next += length;
                return new String(bytes, next - length, length - 1, StandardCharsets.ISO_8859_1);
            }
        }
        next = filled;
        return length == 0 ? null : new String(bytes, next - length, length, StandardCharsets.ISO_8859_1);
    }

    /** Takes more bytes of the source, after those not yet read. {@return whether there are any} */
    private boolean fill() {
        byte[] more = source.get();
        filled -= next;
        if (filled > MAX_LINE_BYTES) throw new ApiError(502, "a line of the stream does not end");
        byte[] to = filled + more.length > bytes.length ? new byte[(filled + more.length) * 2] : bytes;
        System.arraycopy(bytes, next, to, 0, filled);
        System.arraycopy(more, 0, to, filled, more.length);
        next = 0;
        filled += more.length;
        bytes = to;
        return more.length > 0;
    }
}
