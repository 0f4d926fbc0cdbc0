package json;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads server-sent events off a byte stream, one {@link #next} at a time. It does not look into the data.
 *
 * <p>Beyond the standard (WHATWG HTML, "event stream interpretation") it takes what backends send in its
 * place (SPEC D.1): a line of bare JSON, a field {@code error:} instead of data, a doubled {@code data:}
 * prefix, events without a blank line between them. Comments, {@code id:} and {@code retry:} are skipped.
 */
public final class Sse implements Events {
    private static final byte[] NONE = {};
    private static final String BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF";

    private final Lines lines;
    private boolean isHeld; // the last line: it belongs to the next event
    private byte[] data = NONE; // of the event: its first line
    private ByteArrayOutputStream joined = new ByteArrayOutputStream(0); // its lines, if there are several
    private boolean endsInBrace; // the last line of the data
    private boolean isError;

    /** @param source gives the next bytes; none at the end, then and ever after */
    public Sse(Supplier<byte[]> source) {
        this.lines = new Lines(source);
    }

    @Override
    public Optional<SseEvent> next() {
        data = NONE;
        isError = false;
        while (isHeld || lines.advance()) {
            isHeld = false;
            boolean isWhole = take(lines.line());
            if (isWhole) return Optional.of(event());
        }
        return data.length > 0 ? Optional.of(event()) : Optional.empty();
    }

    private SseEvent event() {
        if (joined.size() > 0) {
            data = joined.toByteArray();
            joined = new ByteArrayOutputStream(0);
        }
        return new SseEvent(data, isError);
    }

    /** Takes the next line, or holds it for the next event. {@return whether the event is whole} */
    private boolean take(byte[] line) {
        boolean hasData = data.length > 0;
        if (line.length == 0) return hasData;
        int start = Lines.begins(line, 0, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length() : 0;
        int value = skipPrefixes(line, start);
        boolean isName = Lines.begins(line, start, "event:");
        boolean isBare = Lines.begins(line, start, "{") || Lines.begins(line, start, "[DONE]");
        boolean isData = isBare || value > start;
        boolean isNewEvent = isName || isData && isJson(line, value);
        isHeld = hasData && endsInBrace && isNewEvent; // no blank line between two events
        if (isHeld) return true;
        if (isName) isError = new String(line, StandardCharsets.UTF_8).strip().endsWith("error");
        if (Lines.begins(line, start, "error:")) isError = true;
        if (isData) add(Arrays.copyOfRange(line, value, line.length));
        return isBare;
    }

    private static boolean isJson(byte[] line, int at) {
        return Lines.begins(line, at, "{") || Lines.begins(line, at, "[");
    }

    /**
     * {@return where the value of a data line begins, as after {@code data: data: }; {@code start} if it is
     * none}
     */
    private static int skipPrefixes(byte[] line, int start) {
        int at = start;
        while (true) {
            int prefix = prefixLength(line, at);
            if (prefix == 0) return at;
            at += prefix;
            while (at < line.length && line[at] == ' ') at++;
        }
    }

    private static int prefixLength(byte[] line, int at) {
        if (Lines.begins(line, at, "data:")) return "data:".length();
        return Lines.begins(line, at, "error:") ? "error:".length() : 0;
    }

    /** Adds a line to the data. */
    private void add(byte[] more) {
        endsInBrace = more.length > 0 && more[more.length - 1] == '}';
        if (data.length == 0) {
            data = more;
            return;
        }
        if (joined.size() == 0) joined.writeBytes(data);
        if (joined.size() > Lines.MAX_BYTES) throw new Endless("an event of the stream does not end");
        joined.write('\n');
        joined.writeBytes(more);
    }
}
