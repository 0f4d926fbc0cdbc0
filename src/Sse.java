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
    private String line; // the next one, if it was read but belongs to the next event; else null
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
        while (line != null || (line = in.readLine()) != null) {
            if (line.startsWith("\u00EF\u00BB\u00BF")) line = line.substring(3); // the byte order mark
            String value = line;
            while (value.startsWith("data:") || value.startsWith("error:")) {
                value = value.substring(value.indexOf(':') + 1).stripLeading();
            }
            boolean field = value.length() < line.length();
            boolean bare = !field && line.startsWith("{");
            boolean another = bare || field && (value.startsWith("{") || value.startsWith("["));
            if (another && data.endsWith("}")) return true;
            if (line.startsWith("event:")) isError = line.endsWith("error");
            if (line.startsWith("error:")) isError = true;
            if (field || bare) data += data.isEmpty() ? value : "\n" + value;
            boolean ends = bare || line.isEmpty() && !data.isEmpty();
            line = null;
            if (ends) return true;
        }
        return !data.isEmpty();
    }
}
