package upstream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The body of a backend's reply without its compression, and its kind. The first bytes decide both, since the
 * headers are often wrong. It never waits for more bytes than it needs to decide.
 */
public final class ReplyBody implements Supplier<byte[]> {
    /** {@code PAGE} is HTML or XML; {@code EMPTY} is nothing but white space and comments. */
    public enum Kind { EVENTS, JSON, PAGE, TEXT, BINARY, EMPTY }

    private static final int MAX_TEXT_BYTES = 64 * 1024; // after which it cannot become anything else
    private static final int MAX_LAYERS = 3; // of compression
    private static final int DEFLATE_BYTES = 16; // enough to see that bare deflate is no text; it has no head
    private static final int HEAD_BYTES = 2; // that gzip and zlib can be told by
    private static final int GZIP = 0x1f8b; // the first two bytes
    private static final Set<Integer> ZLIB = Set.of(0x7801, 0x785e, 0x789c, 0x78da);
    private static final String WHITE_SPACE = " \t\r\n\f";
    private static final String BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF";
    private static final List<String> EVENT_FIELDS = List.of("data:", "event:", "error:", "id:", "retry:");
    /** No bytes: how a source of them says that it has ended. */
    public static final byte[] END = {};

    private final List<Inflated> layers = new ArrayList<>(); // of compression that were taken off
    private Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after
    private byte[] ahead = END; // bytes that were looked at, and not yet taken
    private int next; // where they begin in ahead
    private int filled; // where they end

    /** @param encoding the header {@code content-encoding}, or "" */
    public ReplyBody(Supplier<byte[]> source, String encoding) {
        this.source = source;
        String said = encoding.toLowerCase(Locale.ROOT);
        boolean mayBeMore = true;
        for (int layer = 0; layer < MAX_LAYERS && mayBeMore; layer++) mayBeMore = decompress(said);
    }

    /** Takes the compression off, if there is one. {@return whether there was} */
    private boolean decompress(String encoding) {
        boolean isDeflateSaid = encoding.contains("deflate");
        lookAhead(isDeflateSaid ? DEFLATE_BYTES : HEAD_BYTES);
        if (known() < HEAD_BYTES) return false;
        int first = byteAt(0) << 8 | byteAt(1);
        isDeflateSaid &= !isText();
        if (first == GZIP) {
            inflate(Inflated.Format.GZIP);
        } else if (ZLIB.contains(first) || isDeflateSaid && isHeadOfZlib(first)) {
            inflate(Inflated.Format.ZLIB);
        } else if (isDeflateSaid) {
            inflate(Inflated.Format.DEFLATE);
        } else {
            return false;
        }
        return true;
    }

    private static boolean isHeadOfZlib(int first) { return (first >> 8 & 0x0F) == 8 && first % 31 == 0; }

    private void inflate(Inflated.Format format) {
        Queue<byte[]> seen = new ArrayDeque<>(List.of(Arrays.copyOfRange(ahead, next, filled)));
        Supplier<byte[]> rest = source;
        var inflated = new Inflated(() -> seen.isEmpty() ? rest.get() : seen.remove(), format);
        layers.add(inflated);
        source = inflated;
        next = filled;
    }

    /** {@return whether what is known of the body could be the beginning of text} */
    private boolean isText() {
        for (int i = next; i < filled; i++) {
            boolean isControl = ahead[i] >= 0 && ahead[i] < ' ' && "\n\r\t\f\u001b".indexOf(ahead[i]) < 0;
            if (isControl) return false;
        }
        return true;
    }

    /** {@return how many bytes were looked at, and not yet taken} */
    private int known() { return filled - next; }

    /** Looks ahead until so many bytes are known, or the body ends. */
    private void lookAhead(int most) {
        boolean hasMore = true;
        while (known() < most && hasMore) hasMore = lookAhead();
    }

    /** Looks at more bytes. {@return whether there are any} */
    private boolean lookAhead() {
        byte[] more = source.get();
        if (filled + more.length > ahead.length) {
            int kept = known();
            ahead = Arrays.copyOfRange(ahead, next, next + Math.max(kept + more.length, 2 * kept));
            filled = kept;
            next = 0;
        }
        System.arraycopy(more, 0, ahead, filled, more.length);
        filled += more.length;
        return more.length > 0;
    }

    /** {@return the next bytes, none at the end} */
    @Override
    public byte[] get() {
        if (next == filled) return source.get();
        byte[] seen = Arrays.copyOfRange(ahead, next, filled);
        next = filled;
        return seen;
    }

    /** {@return whether the body is compressed, and its compression is truncated or wrong} Known at its end. */
    public boolean isDamaged() { return layers.stream().anyMatch(Inflated::isDamaged); }

    /** {@return the rest of the body, or that much of it} */
    public byte[] rest(int most) {
        lookAhead(most);
        return Arrays.copyOfRange(ahead, next, Math.min(filled, next + most));
    }

    /**
     * {@return the kind of the body} Called before any of it is taken. White space, comments and lines of
     * junk before the first line of meaning are skipped.
     */
    public Kind kind() {
        int line = 0; // where it begins, counted from next
        boolean isText = false;
        while (true) {
            int at = beginning(line);
            boolean isDecided = at == known() || at > MAX_TEXT_BYTES;
            if (isDecided) return isText ? textKind() : Kind.EMPTY;
            Kind found = kindOf(at);
            boolean isMeant = switch (found) {
                case EVENTS, JSON -> true;
                case PAGE -> !isText;
                case TEXT, BINARY, EMPTY -> false;
            };
            if (isMeant) {
                next += at;
                return found;
            }
            isText |= byteAt(at) != ':'; // which begins a comment of an event stream
            line = endOfLine(at);
            if (isText && line > MAX_TEXT_BYTES) return textKind();
            if (isText) continue;
            next += line; // comments may come for long
            line = 0;
        }
    }

    private Kind textKind() { return isText() ? Kind.TEXT : Kind.BINARY; }

    private int byteAt(int at) { return ahead[next + at] & 0xFF; }

    /**
     * {@return where the first byte stands that is no white space; where the body ends, if there is none}
     * White space at the beginning of the body is dropped: some servers send it for minutes as a sign of
     * life.
     */
    private int beginning(int line) {
        int at = line;
        while (at <= MAX_TEXT_BYTES && (at < known() || lookAhead())) {
            if (WHITE_SPACE.indexOf(byteAt(at)) >= 0) {
                at++;
            } else if (begins(at, BYTE_ORDER_MARK)) {
                at += BYTE_ORDER_MARK.length();
            } else {
                break;
            }
            if (line == 0) {
                next += at;
                at = 0;
            }
        }
        return at;
    }

    private Kind kindOf(int at) {
        return switch (byteAt(at)) {
            case '{', '[' -> Kind.JSON;
            case '<' -> Kind.PAGE;
            default -> isEvent(at) ? Kind.EVENTS : Kind.TEXT;
        };
    }

    private boolean isEvent(int at) { return EVENT_FIELDS.stream().anyMatch(field -> begins(at, field)); }

    /** {@return whether that stands there; waits until it is known} */
    private boolean begins(int at, String text) {
        for (int i = 0; i < text.length(); i++) {
            boolean isThere = at + i < known() || lookAhead();
            if (!isThere || byteAt(at + i) != text.charAt(i)) return false;
        }
        return true;
    }

    /** {@return where the next line begins, or the body ends; a line that is too long is cut} */
    private int endOfLine(int from) {
        int at = from;
        while (at < known() || lookAhead()) {
            boolean isEnd = byteAt(at) == '\n' || byteAt(at) == '\r' || at - from > MAX_TEXT_BYTES;
            at++;
            if (isEnd) break;
        }
        return at;
    }
}
