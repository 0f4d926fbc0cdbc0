import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The arguments of one tool call, on their way from a backend, which sends the text of a JSON object in pieces of any
 * size and sometimes not quite JSON, to a client, which fails on anything that does not parse (SPEC C.5, "Sanitiser").
 * What is clean goes through unchanged, and as soon as it comes.
 *
 * <p>Mended on the way: raw control characters and wrong escapes in strings, Python's and JavaScript's words, trailing
 * commas, whatever follows the object. Where the structure is beyond mending, the object is closed before that place.
 * An object encoded twice is decoded; any other value is wrapped, {@code {"value":X}}.
 *
 * <pre>
 *  START ─{─► ITEM ─"─► NAME ─"─► COLON ─:─► VALUE ─"─► STRING ─"─► AFTER ─,─► ITEM      in an array ITEM is VALUE;
 *    └────► OTHER                              └─────► WORD ─────► AFTER ─}─► AFTER, DONE   what does not fit: BROKEN
 * </pre>
 */
final class Arguments {
    private static final Pattern UNPAIRED = Pattern.compile("\\p{Cs}"); // half of a surrogate pair, which UTF-8 has not

    private enum State { START, OTHER, ITEM, NAME, COLON, VALUE, STRING, WORD, AFTER, DONE, BROKEN }

    private final StringBuilder out = new StringBuilder(); // mended, not yet taken
    private final StringBuilder held = new StringBuilder(); // comma, name, colon: of a member whose value has not begun
    private final StringBuilder word = new StringBuilder(); // a number or word, or all of a value that is no object
    private final StringBuilder escape = new StringBuilder(); // what of an escape has come
    private final StringBuilder closers = new StringBuilder(); // of the containers that are open
    private State state = State.START;
    private char quote; // that ends the string
    private int valueFrom; // in out: where the last value, with its comma and name, began

    void feed(String text) { text.chars().forEach(c -> accept((char) c)); }
    /** {@return whether the object has been closed} */
    boolean isComplete() { return state == State.DONE; }

    /** {@return what has become ready since the last call; half of a surrogate pair is not} */
    String take() {
        int end = out.length();
        if (end > 0 && Character.isHighSurrogate(out.charAt(end - 1)) && state != State.DONE) end--;
        String ready = out.substring(0, end);
        out.delete(0, end);
        return UNPAIRED.matcher(ready).replaceAll(unit -> "\\\\u%04x".formatted((int) unit.group().charAt(0)));
    }

    /**
     * Nothing more comes. What is open is closed; but if the reply was {@code cut} by its length limit, a stream stays
     * as it is, for clients drop a partial value, and what will be a {@code whole} value loses the string that was cut.
     */
    void end(boolean cut, boolean whole) {
        if (state == State.START) {
            out.append(whole ? "{}" : "");
        } else if (state == State.OTHER) {
            out.append(converted(word.toString().strip()));
        } else if (state != State.DONE && (whole || !cut)) {
            if (state == State.WORD && !cut) endWord();
            if (state == State.STRING && cut) out.setLength(valueFrom);
            if (state == State.STRING && !cut) out.append('"');
            out.append(closers.reverse());
        }
        state = State.DONE;
    }

    private void accept(char c) {
        boolean space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        switch (state) {
            case NAME -> string(c, held);
            case STRING -> string(c, out);
            case OTHER -> word.append(c);
            case DONE, BROKEN -> { } // dropped: what follows the object, or what cannot be mended
            case START -> {
                if (!space) state = c == '{' ? State.VALUE : State.OTHER;
                if (!space) accept(c);
            }
            case WORD -> {
                boolean ends = space || ",]}".indexOf(c) >= 0;
                if (ends) endWord(); else word.append(c);
                if (ends) accept(c);
            }
            case ITEM, COLON, VALUE, AFTER -> {
                if (space) held.append(c); else token(c);
            }
        }
    }

    private void token(char c) {
        boolean inObject = !closers.isEmpty() && closers.charAt(closers.length() - 1) == '}';
        if (c == '}' || c == ']') {
            close(c);
        } else if (state == State.ITEM && inObject) {
            quote = c;
            hold(c == '\'' ? '"' : c, '"', State.NAME);
        } else if (state == State.COLON) {
            hold(c, ':', State.VALUE);
        } else if (state == State.AFTER) {
            hold(c, ',', State.ITEM);
        } else if (c == '{' || c == '[') {
            release().append(c);
            closers.append(c == '{' ? '}' : ']');
            state = closers.length() > Json.MAX_DEPTH - 12 ? State.BROKEN : State.ITEM; // it will be nested in more
        } else {
            quote = c; // Python's, if it is a single one
            if (c == '"' || c == '\'') release().append('"'); else word.append(c);
            state = c == '"' || c == '\'' ? State.STRING : State.WORD;
        }
    }

    private void hold(char c, char expected, State next) {
        held.append(c);
        state = c == expected ? next : State.BROKEN;
    }

    private StringBuilder release() {
        valueFrom = out.length();
        out.append(held);
        held.setLength(0);
        return out;
    }

    /** A comma or a name that no value followed is dropped. */
    private void close(char c) {
        int last = closers.length() - 1;
        state = last < 0 || closers.charAt(last) != c ? State.BROKEN : last == 0 ? State.DONE : State.AFTER;
        if (state == State.BROKEN) return;
        if (held.toString().isBlank()) release();
        held.setLength(0);
        out.append(c);
        closers.setLength(last);
    }

    private void endWord() {
        String json = switch (word.toString()) {
            case "true", "True" -> "true";
            case "false", "False" -> "false";
            case "null", "None", "NaN", "Infinity", "-Infinity", "undefined" -> "null";
            default -> word.toString().matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?") ? word.toString() : "";
        };
        word.setLength(0);
        if (!json.isEmpty()) release().append(json);
        state = json.isEmpty() ? State.BROKEN : State.AFTER;
    }

    private void string(char c, StringBuilder to) {
        if (!escape.isEmpty()) {
            escape(c, to);
        } else if (c == '\\') {
            escape.append(c);
        } else if (c < ' ') {
            to.append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : "\\u%04x".formatted((int) c));
        } else if (c == quote) {
            to.append('"');
            state = state == State.NAME ? State.COLON : State.AFTER;
        } else {
            to.append(c == '"' ? "\\" : "").append(c);
        }
    }

    /** One more character of an escape; \x41 is JavaScript's and Python's way to write \u0041. */
    private void escape(char c, StringBuilder to) {
        char kind = escape.length() > 1 ? escape.charAt(1) : c;
        boolean fits = escape.length() > 1 ? HexFormat.isHexDigit(c) : "\"\\/bfnrtux'".indexOf(c) >= 0;
        if (fits) escape.append(c);
        if (fits && escape.length() < (kind == 'u' ? 6 : kind == 'x' ? 4 : 2)) return;
        String text = escape.toString();
        escape.setLength(0);
        to.append(!fits ? "\\" + text : kind == 'x' ? "\\u00" + text.substring(2) : kind == '\'' ? "'" : text);
        if (!fits) string(c, to); // it was no escape: the backslash stands for itself
    }

    /** {@return an object for a value that is none: nothing is {}, text that is no JSON is {"_raw":…}} */
    private static String converted(String text) {
        if (text.equals("null") || text.equals("None")) return "{}";
        try {
            Json value = Json.parse(text.getBytes(StandardCharsets.UTF_8));
            var object = new Arguments();
            object.feed(value.text().strip().startsWith("{") ? value.text() : "{\"value\":%s}".formatted(value.raw()));
            object.end(false, true);
            return object.take();
        } catch (Json.Malformed e) {
            return new Json.Writer().put("{'_raw':%}", text).toString();
        }
    }
}
