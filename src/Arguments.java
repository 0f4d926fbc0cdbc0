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
 *  START ─{─► MEMBER ─"─► NAME ─"─► COLON ─:─► VALUE ─"─► STRING ─"─► AFTER ─,─► MEMBER      in an array VALUE;
 *    └────► OTHER                                └─────► WORD ─────► AFTER ─}─► AFTER, DONE   what does not fit: BROKEN
 * </pre>
 */
final class Arguments {
    private static final Pattern UNPAIRED = Pattern.compile("\\p{Cs}"); // half of a surrogate pair, which UTF-8 has not

    private enum State { START, OTHER, MEMBER, NAME, COLON, VALUE, STRING, WORD, AFTER, DONE, BROKEN }

    private final StringBuilder out = new StringBuilder(); // mended, not yet taken
    private final StringBuilder word = new StringBuilder(); // a number or word, or all of a value that is no object
    private final StringBuilder escape = new StringBuilder(); // what of an escape has come
    private final StringBuilder closers = new StringBuilder(); // of the containers that are open
    private State state = State.START;
    private char quote; // that ends the string
    private int kept; // how much of out stays; after that stand comma, name, colon until their value has come

    void feed(String text) { text.chars().forEach(c -> accept((char) c)); }
    /** {@return whether the object has been closed} */
    boolean isComplete() { return state == State.DONE; }

    /** {@return what has become ready since the last call; half of a surrogate pair is not} */
    String take() {
        int end = state == State.STRING ? out.length() : kept; // a string is ready as it comes
        if (end > 0 && Character.isHighSurrogate(out.charAt(end - 1)) && state != State.DONE) end--;
        String ready = out.substring(0, end);
        out.delete(0, end);
        kept = 0;
        return UNPAIRED.matcher(ready).replaceAll(unit -> "\\\\u%04x".formatted((int) unit.group().charAt(0)));
    }

    /**
     * Nothing more comes. What is open is closed; but if the reply was {@code cut} by its length limit, a stream stays
     * as it is, for clients drop a partial value, and what will be a {@code whole} value loses the string that was cut.
     */
    void end(boolean cut, boolean whole) {
        if (state == State.OTHER || state == State.START && whole) convert();
        if (state == State.WORD && !cut) endWord();
        if (state == State.STRING && !cut) out.append('"');
        if (state == State.STRING && !(cut && whole)) kept = out.length();
        out.setLength(kept);
        if (whole || !cut) keep(closers.reverse());
        closers.setLength(0);
        state = State.DONE;
    }

    private void accept(char c) {
        boolean space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (state == State.START && space) return;
        if (state == State.START && c != '{') state = State.OTHER;
        if (state == State.WORD && (space || ",]}".indexOf(c) >= 0)) endWord();
        switch (state) {
            case NAME, STRING -> string(c);
            case OTHER, WORD -> word.append(c);
            case DONE, BROKEN -> { } // dropped: what follows the object, or what cannot be mended
            case START, MEMBER, COLON, VALUE, AFTER -> {
                if (space) out.append(c); else token(c);
            }
        }
    }

    private void token(char c) {
        boolean quoted = c == '"' || c == '\'';
        if (c == '}' || c == ']') {
            close(c);
        } else if ((c == '{' || c == '[') && (state == State.VALUE || state == State.START)) {
            closers.append(c == '{' ? '}' : ']');
            keep(c);
            state = closers.length() > Json.MAX_DEPTH - 12 ? State.BROKEN : item(); // it will be nested in more
        } else {
            state = switch (state) {
                case MEMBER -> quoted ? State.NAME : State.BROKEN;
                case COLON -> c == ':' ? State.VALUE : State.BROKEN;
                case AFTER -> c == ',' ? item() : State.BROKEN;
                default -> quoted ? State.STRING : State.WORD;
            };
            quote = c; // Python's, if it is a single one
            if (state == State.WORD) word.append(c); else out.append(quoted ? '"' : c);
        }
    }

    private State item() { return closers.charAt(closers.length() - 1) == '}' ? State.MEMBER : State.VALUE; }

    private void keep(Object text) {
        out.append(text);
        kept = out.length();
    }

    /** A comma or a name that no value followed is dropped. */
    private void close(char c) {
        int last = closers.length() - 1;
        state = closers.charAt(last) != c ? State.BROKEN : last == 0 ? State.DONE : State.AFTER;
        if (state == State.BROKEN) return;
        if (!out.substring(kept).isBlank()) out.setLength(kept);
        keep(c);
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
        if (!json.isEmpty()) keep(json);
        state = json.isEmpty() ? State.BROKEN : State.AFTER;
    }

    private void string(char c) {
        if (!escape.isEmpty()) {
            escape(c);
        } else if (c == '\\') {
            escape.append(c);
        } else if (c < ' ') {
            out.append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : "\\u%04x".formatted((int) c));
        } else if (c != quote) {
            out.append(c == '"' ? "\\" : "").append(c);
        } else {
            if (state == State.NAME) out.append('"'); else keep('"');
            state = state == State.NAME ? State.COLON : State.AFTER;
        }
    }

    /** One more character of an escape; \x41 is JavaScript's and Python's way to write \u0041. */
    private void escape(char c) {
        char kind = escape.length() > 1 ? escape.charAt(1) : c;
        boolean fits = escape.length() > 1 ? HexFormat.isHexDigit(c) : "\"\\/bfnrtux'".indexOf(c) >= 0;
        if (fits) escape.append(c);
        if (fits && escape.length() < (kind == 'u' ? 6 : kind == 'x' ? 4 : 2)) return;
        String text = escape.toString();
        escape.setLength(0);
        out.append(!fits ? "\\" + text : kind == 'x' ? "\\u00" + text.substring(2) : kind == '\'' ? "'" : text);
        if (!fits) string(c); // it was no escape: the backslash stands for itself
    }

    /** Goes on with an object for the value that is none: nothing is {}, text that is no JSON is {"_raw":…}. */
    private void convert() {
        String text = word.toString().strip();
        word.setLength(0);
        state = State.START;
        try {
            Json value = Json.parse(text);
            String inner = value.text().strip(); // if it was encoded twice
            feed(value.isNull() ? "{}" : inner.startsWith("{") ? inner : "{\"value\":%s}".formatted(value.raw()));
        } catch (Json.Malformed e) {
            boolean isNothing = text.isEmpty() || text.equals("None");
            feed(isNothing ? "{}" : new Json.Writer().put("{'_raw':%}", text).toString());
        }
        end(false, true); // it is all there, even if the reply was cut
    }
}
