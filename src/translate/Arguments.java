package translate;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.regex.Pattern;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The arguments of one tool call, on their way from a backend, which sends the text of a JSON object in
 * pieces of any size and sometimes not quite JSON, to a client, which fails on anything that does not parse
 * (SPEC C.5, "Sanitiser"). What is clean goes through unchanged, and as soon as it comes.
 *
 * <p>Mended on the way: raw control characters and wrong escapes in strings, Python's and JavaScript's words,
 * trailing commas, whatever follows the object. Where the structure is beyond mending, the object is closed
 * before that place; but where a quote within a string was not escaped, so that only its beginning would be
 * left, all counts as cut. An object encoded twice is decoded; any other value is wrapped,
 * {@code {"value":X}}.
 *
 * <p>Arguments that were cut are never completed, because clients run what parses: {@code rm -rf a} for
 * {@code rm -rf a/b}. Closing brackets are added only where a complete value stands before them, and only if
 * the backend says that the call is whole.
 *
 * <pre>
 *  START ─{─► MEMBER ─"─► NAME ─"─► COLON ─:─► VALUE ─"─► STRING ─"─► QUOTED ─,─► MEMBER   in an array VALUE;
 *    └────► OTHER                                └─────► WORD ─────► AFTER ─}─► AFTER, DONE   what does not fit: BROKEN
 * </pre>
 */
final class Arguments {
    /** A number of JSON's, by RFC 8259, as {@code -1.5e3}. */
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");
    private static final Pattern UNPAIRED = Pattern.compile("\\p{Cs}"); // half of a surrogate pair, which UTF-8 has not

    /** How the backend ended the reply that the arguments are in. */
    enum Ending {
        /** The backend says that the reply is whole. */
        WHOLE,
        /** It says so, but has counted as many tokens as were allowed: vLLM calls cut replies whole. */
        AT_LIMIT,
        /** It says that the reply was cut. */
        CUT
    }

    private enum State {
        START, OTHER, MEMBER, NAME, COLON, VALUE, STRING, WORD,
        /** After the quote that ends a string, directly and with white space between. */
        QUOTED, SPACED,
        AFTER, DONE, BROKEN,
        /**
         * What follows a string cannot: the quote was one within it, and nobody knows where the string ends.
         */
        MISQUOTED
    }

    private final StringBuilder out = new StringBuilder(); // mended, not yet taken
    private final StringBuilder word = new StringBuilder(); // a number or word, or all of a value that is no object
    private final StringBuilder escape = new StringBuilder(); // what of an escape has come
    private final StringBuilder closers = new StringBuilder(); // of the containers that are open
    private State state = State.START;
    private char quote; // that ends the string
    private int kept; // how much of out stays; after that stand comma, name, colon until their value has come
    private boolean isTaken; // whether some of it has been
    private boolean isCut;
    private boolean isBroken;

    void feed(String text) { text.chars().forEach(c -> accept((char) c)); }
    /** {@return whether the object has been closed, or nothing more comes} */
    boolean isComplete() { return state == State.DONE; }
    /** {@return whether the arguments ended before they were whole; true only after {@link #end}} */
    boolean isCut() { return isCut; }
    /** {@return whether they were beyond mending from some place on; known after {@link #end}} */
    boolean isBroken() { return isBroken; }

    /** {@return what has become ready since the last call; half of a surrogate pair is not} */
    String take() {
        int end = state == State.STRING ? out.length() : kept; // a string is ready as it comes
        if (end > 0 && Character.isHighSurrogate(out.charAt(end - 1)) && state != State.DONE) end--;
        String ready = out.substring(0, end);
        out.delete(0, end);
        kept = 0;
        isTaken |= end > 0;
        return UNPAIRED.matcher(ready).replaceAll(unit -> "\\\\u%04x".formatted((int) unit.group().charAt(0)));
    }

    /**
     * Nothing more comes. What is open is closed if it may be. Arguments that were cut stay as they are, so
     * that they do not parse; a stream has shown their beginning already.
     */
    void end(Ending ending) {
        if (state == State.OTHER) convert(ending);
        boolean isLiteral = state == State.WORD && !literal().isEmpty(); // a number might go on
        if (isLiteral) endWord();
        isBroken |= state == State.BROKEN || state == State.MISQUOTED;
        isCut = !isWhole(ending);
        if (isCut) {
            leaveOpen();
        } else {
            out.setLength(kept);
            keep(closers.reverse());
        }
        closers.setLength(0);
        state = State.DONE;
    }

    /** {@return whether the arguments are an object, or become one by closing brackets alone} */
    private boolean isWhole(Ending ending) {
        return switch (state) {
            case DONE -> true;
            case START -> ending != Ending.CUT; // no arguments at all
            case QUOTED, SPACED, AFTER, BROKEN -> ending == Ending.WHOLE;
            case OTHER, MEMBER, NAME, COLON, VALUE, STRING, WORD, MISQUOTED -> false;
        };
    }

    /** Keeps the part of a string that has come, and at least one bracket, so that nothing parses. */
    private void leaveOpen() {
        if (state == State.STRING) kept = out.length();
        out.setLength(kept);
        if (out.isEmpty() && !isTaken) keep('{');
    }

    private void accept(char c) {
        boolean space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (state == State.START && space) return;
        if (state == State.START && c != '{') state = State.OTHER;
        if (state == State.WORD && (space || ",]}".indexOf(c) >= 0)) endWord();
        switch (state) {
            case NAME, STRING -> string(c);
            case OTHER, WORD -> word.append(c);
            case DONE, BROKEN, MISQUOTED -> { } // dropped: what follows the object, or what cannot be mended
            case START, MEMBER, COLON, VALUE, QUOTED, SPACED, AFTER -> {
                if (space) out.append(c); else token(c);
                if (space && state == State.QUOTED) state = State.SPACED;
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
                case QUOTED -> c == ',' ? item() : State.MISQUOTED;
                case SPACED -> afterSpace(c, quoted);
                default -> quoted ? State.STRING : State.WORD;
            };
            quote = c; // Python's, if it is a single one
            if (state == State.WORD) word.append(c); else out.append(quoted ? '"' : c);
        }
    }

    /** After a string and white space, another string may be a member whose comma was forgotten. */
    private State afterSpace(char c, boolean quoted) {
        if (c == ',') return item();
        return quoted ? State.BROKEN : State.MISQUOTED;
    }

    private State item() { return closers.charAt(closers.length() - 1) == '}' ? State.MEMBER : State.VALUE; }

    private void keep(Object text) {
        out.append(text);
        kept = out.length();
    }

    /** A comma or a name that no value followed is dropped. */
    private void close(char c) {
        int last = closers.length() - 1;
        if (closers.charAt(last) != c) {
            state = State.BROKEN;
            return;
        }
        state = last == 0 ? State.DONE : State.AFTER;
        if (!out.substring(kept).isBlank()) out.setLength(kept);
        keep(c);
        closers.setLength(last);
    }

    private void endWord() {
        String json = literal();
        if (json.isEmpty() && NUMBER.matcher(word).matches()) json = word.toString();
        word.setLength(0);
        if (!json.isEmpty()) keep(json);
        state = json.isEmpty() ? State.BROKEN : State.AFTER;
    }

    /** {@return what the word means in JSON, if it is one of JSON's, Python's or JavaScript's; else ""} */
    private String literal() {
        return switch (word.toString()) {
            case "true", "True" -> "true";
            case "false", "False" -> "false";
            case "null", "None", "NaN", "Infinity", "-Infinity", "undefined" -> "null";
            default -> "";
        };
    }

    private void string(char c) {
        if (!escape.isEmpty()) {
            escape(c);
        } else if (c == '\\') {
            escape.append(c);
        } else if (c < ' ') {
            out.append(control(c));
        } else if (c != quote) {
            out.append(c == '"' ? "\\" : "").append(c);
        } else {
            if (state == State.NAME) out.append('"'); else keep('"');
            state = state == State.NAME ? State.COLON : State.QUOTED;
        }
    }

    /** {@return the escape of a control character} */
    private static String control(char c) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\t' -> "\\t";
            case '\r' -> "\\r";
            default -> "\\u%04x".formatted((int) c);
        };
    }

    /** One more character of an escape; \x41 is JavaScript's and Python's way to write \u0041. */
    private void escape(char c) {
        char kind = escape.length() > 1 ? escape.charAt(1) : c;
        boolean fits = escape.length() > 1 ? HexFormat.isHexDigit(c) : "\"\\/bfnrtux'".indexOf(c) >= 0;
        if (fits) escape.append(c);
        if (fits && escape.length() < length(kind)) return;
        String text = escape.toString();
        escape.setLength(0);
        if (fits) {
            out.append(json(text, kind));
        } else {
            out.append('\\').append(text); // it was no escape: the backslash stands for itself
            string(c);
        }
    }

    private static int length(char kind) {
        return switch (kind) {
            case 'u' -> 6;
            case 'x' -> 4;
            default -> 2;
        };
    }

    /** {@return an escape as JSON has it} */
    private static String json(String escape, char kind) {
        return switch (kind) {
            case 'x' -> "\\u00" + escape.substring(2);
            case '\'' -> "'";
            default -> escape;
        };
    }

    /**
     * Goes on with an object for the value that is none: text that is no JSON becomes {@code {"_raw":…}}, an
     * object in a string that object. A value that was cut is left as it is.
     */
    private void convert(Ending ending) {
        String text = word.toString().strip();
        String object;
        try {
            Json value = JsonParser.parse(text);
            boolean mayGoOn = ending == Ending.CUT && value instanceof Json.Num;
            if (mayGoOn) return;
            object = object(value);
        } catch (Json.Malformed e) {
            boolean endsTooEarly = e.position() >= text.getBytes(StandardCharsets.UTF_8).length;
            boolean isNothing = text.equals("None");
            if (endsTooEarly || ending != Ending.WHOLE && !isNothing) return;
            object = isNothing ? "{}" : new JsonWriter().put("{'_raw':%}", text).toString();
            isBroken = !isNothing;
        }
        word.setLength(0);
        state = State.START;
        feed(object);
    }

    private static String object(Json value) {
        String inner = value.text().strip(); // if it was encoded twice
        if (value.isNull()) return "{}";
        return inner.startsWith("{") ? inner : "{\"value\":%s}".formatted(value.raw());
    }
}
