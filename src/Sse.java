import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * Reads server-sent events off a byte stream, one {@link #next} at a time. It does not look into the data.
 *
 * <p>Beyond the standard (WHATWG HTML, "event stream interpretation") it takes what backends send in its place
 * (SPEC D.1): a line that is bare JSON, a field {@code error:} instead of data, a doubled {@code data:} prefix,
 * events that no blank line parts. Comments, {@code id:} and {@code retry:} are passed over.
 */
final class Sse {
    private final BufferedReader in;
    private String line = ""; // the last one read, which may belong to the next event; null at the end
    private String data = "";
    private boolean isError;

    /** Reads a byte as a character: whether the bytes are UTF-8 is for the reader of the JSON to say. */
    Sse(InputStream in) { this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.ISO_8859_1)); }

    byte[] data() { return data.getBytes(StandardCharsets.ISO_8859_1); }
    /** {@return whether this is the {@code [DONE]} that ends a stream of OpenAI's} */
    boolean isDone() { return data.startsWith("[DONE]"); }
    /** {@return whether the event is an error by its name, whatever its data} */
    boolean isError() { return isError; }

    /** {@return whether there is another event; blocks until it is whole or the stream ends} */
    boolean next() throws IOException {
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
            line = isBare ? "" : in.readLine(); // a bare line is an event of its own
        }
        return !data.isEmpty();
    }
}
