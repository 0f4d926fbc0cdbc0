import java.nio.charset.StandardCharsets;

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
 *  START ─'{'─► ITEM ─'"'─► NAME ─'"'─► COLON ─':'─► VALUE ─'"'─► STRING ─'"'─► AFTER ─','─► ITEM   (in arrays ITEM is VALUE)
 *    └─other─► OTHER          held back until the value begins     └─other─► WORD ─────────► AFTER ─'}'─► AFTER or DONE
 * </pre>
 * In every state but the strings, a character that does not fit leads to BROKEN, which passes nothing more.
 */
final class Arguments {
    private static final int MAX_DEPTH = Json.MAX_DEPTH - 12;

    private enum State { START, OTHER, ITEM, NAME, COLON, VALUE, STRING, WORD, AFTER, DONE, BROKEN }

    private final StringBuilder out = new StringBuilder(); // mended, not yet taken
    private final StringBuilder held = new StringBuilder(); // comma, name and colon of a member whose value has not begun
    private final StringBuilder word = new StringBuilder(); // a number or word, or a value that is no object
    private final StringBuilder escape = new StringBuilder(); // what of an escape or a surrogate pair has come
    private final StringBuilder closers = new StringBuilder(); // of the containers that are open
    private State state = State.START;
    private int valueFrom; // in out: where the last value, with its comma and name, began

    void feed(String text) {
        for (int i = 0; i < text.length(); i++) accept(text.charAt(i));
    }

    /** {@return whether the object has been closed} */
    boolean isComplete() {
        return state == State.DONE;
    }

    boolean isBroken() {
        return state == State.BROKEN;
    }

    /** {@return what has become ready since the last call} */
    String take() {
        String ready = out.toString();
        out.setLength(0);
        return ready;
    }

    /**
     * Nothing more comes. What is open is closed; but if the reply was {@code cut} by its length limit, a stream stays as
     * it is, for clients drop a partial value, and what will be a {@code whole} value loses the string that was cut.
     */
    void end(boolean cut, boolean whole) {
        if (state == State.OTHER) {
            out.append(convert(word.toString().strip()));
        } else if (state == State.START && whole) {
            out.append("{}");
        } else if (state != State.START && state != State.DONE && (whole || !cut)) {
            if (state == State.WORD) endWord();
            if (state == State.STRING && cut) out.setLength(valueFrom);
            if (state == State.STRING && !cut) out.append('"');
            out.append(closers.reverse());
        }
        state = State.DONE;
    }

    private void accept(char c) {
        switch (state) {
            case START -> {
                if (c == '{') {
                    open('{');
                } else if (!isSpace(c)) {
                    state = State.OTHER;
                    word.append(c);
                }
            }
            case OTHER -> word.append(c);
            case NAME -> string(c, held);
            case STRING -> string(c, out);
            case WORD -> {
                if (isSpace(c) || ",]}".indexOf(c) >= 0) {
                    endWord();
                    accept(c);
                } else {
                    word.append(c);
                }
            }
            case DONE, BROKEN -> { } // dropped: what follows the object, or what cannot be mended
            case ITEM, COLON, VALUE, AFTER -> token(c);
        }
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }

    private void token(char c) {
        boolean inObject = closers.charAt(closers.length() - 1) == '}';
        if (isSpace(c)) {
            held.append(c);
        } else if (c == '}' || c == ']') {
            close(c);
        } else if (state == State.ITEM && inObject) {
            hold(c, '"', State.NAME);
        } else if (state == State.COLON) {
            hold(c, ':', State.VALUE);
        } else if (state == State.AFTER) {
            hold(c, ',', State.ITEM);
        } else if (c == '{' || c == '[') {
            open(c);
        } else if (c == '"') {
            release().append(c);
            state = State.STRING;
        } else {
            word.append(c);
            state = State.WORD;
        }
    }

    private void hold(char c, char expected, State next) {
        if (c == expected) held.append(c);
        state = c == expected ? next : State.BROKEN;
    }

    private StringBuilder release() {
        valueFrom = out.length();
        out.append(held);
        held.setLength(0);
        return out;
    }

    private void open(char c) {
        release().append(c);
        closers.append(c == '{' ? '}' : ']');
        state = closers.length() > MAX_DEPTH ? State.BROKEN : State.ITEM;
    }

    /** A comma or a name that no value followed is dropped. */
    private void close(char c) {
        if (held.toString().isBlank()) release();
        held.setLength(0);
        int last = closers.length() - 1;
        if (closers.charAt(last) != c) {
            state = State.BROKEN;
            return;
        }
        out.append(c);
        closers.setLength(last);
        state = last == 0 ? State.DONE : State.AFTER;
    }

    private void endWord() {
        String text = word.toString();
        word.setLength(0);
        String json = switch (text) {
            case "true", "True" -> "true";
            case "false", "False" -> "false";
            case "null", "None", "NaN", "Infinity", "-Infinity", "undefined" -> "null";
            default -> text.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?") ? text : "";
        };
        if (!json.isEmpty()) release().append(json);
        state = json.isEmpty() ? State.BROKEN : State.AFTER;
    }

    private void string(char c, StringBuilder to) {
        if (!escape.isEmpty()) {
            escape(c, to);
        } else if (c == '"') {
            to.append(c);
            state = state == State.NAME ? State.COLON : State.AFTER;
        } else if (c == '\\' || Character.isHighSurrogate(c)) {
            escape.append(c);
        } else if (c < ' ' || Character.isLowSurrogate(c)) {
            appendUnit(c, to);
        } else {
            to.append(c);
        }
    }

    /** One more character after a backslash or a high surrogate; \x41 is JavaScript's and Python's way to write \u0041. */
    private void escape(char c, StringBuilder to) {
        char first = escape.charAt(0);
        int length = escape.length();
        char kind = length > 1 ? escape.charAt(1) : c;
        escape.append(c);
        if (first != '\\') {
            finish(Character.isLowSurrogate(c) ? escape.toString() : "\\u%04x".formatted((int) first), to);
            if (!Character.isLowSurrogate(c)) string(c, to);
        } else if (length == 1 && kind != 'u' && kind != 'x') {
            boolean known = "\"\\/bfnrt".indexOf(c) >= 0;
            finish(known ? escape.toString() : c == '\'' ? "'" : "\\\\", to);
            if (!known && c != '\'') string(c, to);
        } else if (length > 1 && Character.digit(c, 16) < 0) { // not an escape after all
            finish("\\\\" + escape.substring(1, length), to);
            string(c, to);
        } else if (length == (kind == 'u' ? 5 : 3)) {
            finish((kind == 'u' ? "\\u" : "\\u00") + escape.substring(2), to);
        }
    }

    private void finish(String text, StringBuilder to) {
        to.append(text);
        escape.setLength(0);
    }

    private static void appendUnit(char c, StringBuilder to) {
        to.append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : "\\u%04x".formatted((int) c));
    }

    /** {@return an object for a value that is none: nothing is {}, text that is no JSON is {"_raw":…}} */
    private static String convert(String text) {
        if (text.equals("null") || text.equals("None")) return "{}";
        try {
            Json value = Json.parse(text.getBytes(StandardCharsets.UTF_8));
            String inner = value.text().strip();
            if (!inner.startsWith("{")) return "{\"value\":%s}".formatted(value.raw());
            var decoded = new Arguments();
            decoded.feed(inner);
            decoded.end(false, true);
            return decoded.take();
        } catch (Json.Malformed e) {
            return new Json.Writer().put("{'_raw':%}", text).toString();
        }
    }
}
