package translate;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
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
 * left, all counts as cut. An object encoded twice is decoded; any other value is wrapped, {@code
 * {"value":X}}.
 *
 * <p>Arguments that were cut are never completed, because clients run what parses: {@code rm -rf a} for
 * {@code rm -rf a/b}. Closing brackets are added only where a complete value stands before them, and only if
 * the backend says that the call is whole.
 *
 * <pre>
 *  START ─{─► MEMBER ─"─► NAME ─"─► COLON ─:─► VALUE ─"─► STRING ─"─► QUOTED ─,─► MEMBER
 *    └────► OTHER                                └─────► WORD ─────► AFTER ─}─► AFTER, DONE
 * </pre>
 * In an array, VALUE stands for MEMBER. What does not fit leads to BROKEN.
 */
final class Arguments {
    /** A number of JSON's, by RFC 8259, as {@code -1.5e3}. */
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");
    /** Half of a surrogate pair, which UTF-8 has not, as {@code \ud83d} alone. */
    private static final Pattern UNPAIRED = Pattern.compile("\\p{Cs}");
    /** The beginning of an object in a Markdown fence, as {@code ```json {"a":1} ```}. */
    private static final Pattern FENCED = Pattern.compile("```\\w*\\s*(\\{|$)");
    /** How deep arguments may be nested: they are going to stand within a message of the next request. */
    private static final int MAX_DEPTH = Json.MAX_DEPTH - 12;

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
        START,
        /** In a value that is no object. */
        OTHER,
        MEMBER, NAME, COLON, VALUE, STRING,
        /** In a number or a word. */
        WORD,
        /** After the quote that ends a string, directly and with white space between. */
        QUOTED, SPACED,
        AFTER, DONE, BROKEN,
        /**
         * What follows a string cannot: the quote was one within it, and nobody knows where the string ends.
         */
        MISQUOTED
    }

    private final StringBuilder out = new StringBuilder(); // mended, not yet removed
    private final StringMender string = new StringMender(out);
    private final StringBuilder word = new StringBuilder(); // a number or word, or a value that is no object
    private final StringBuilder closers = new StringBuilder(); // of the containers that are open
    private State state = State.START;
    private int kept; // characters of out that are final; a comma, a name, a colon wait for their value
    private boolean isAnyRemoved; // whether some of it has been removed
    private boolean isCut;
    private boolean isBroken;

    /** {@return whether the object has been closed, or nothing more comes} */
    boolean isClosed() {
        return state == State.DONE;
    }

    /** {@return whether the arguments ended before they were whole; true only after {@link #end}} */
    boolean isCut() {
        return isCut;
    }

    /** {@return whether they were beyond mending from some place on; known after {@link #end}} */
    boolean isBroken() {
        return isBroken;
    }

    void feed(String text) {
        for (int i = 0; i < text.length(); i++) take(text.charAt(i));
    }

    private void take(char c) {
        boolean isWordOver = state == State.WORD && (isSpace(c) || isSeparator(c));
        if (isWordOver) endWord();
        switch (state) {
            case START -> takeFirst(c);
            case OTHER, WORD -> word.append(c);
            case NAME, STRING -> {
                if (string.take(c)) endString();
            }
            case MEMBER, COLON, VALUE, QUOTED, SPACED, AFTER -> takeBetween(c);
            case DONE, BROKEN, MISQUOTED -> { } // dropped: what follows the object, or what cannot be mended
        }
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }

    private static boolean isSeparator(char c) { return c == ',' || c == ']' || c == '}'; }

    private static boolean isQuote(char c) {
        return c == '"' || c == '\'';
    }

    private void takeFirst(char c) {
        if (c == '{') {
            open(c);
        } else if (!isSpace(c)) {
            state = State.OTHER;
            word.append(c);
        }
    }

    /** Takes a character that is not in a string, number or word. */
    private void takeBetween(char c) {
        if (isSpace(c)) {
            out.append(c);
            if (state == State.QUOTED) state = State.SPACED;
        } else if (c == '}' || c == ']') {
            close(c);
        } else {
            takeToken(c);
        }
    }

    private void takeToken(char c) {
        switch (state) {
            case MEMBER -> takeName(c);
            case COLON -> takeColon(c);
            case VALUE -> takeValue(c);
            case AFTER -> takeComma(c, State.BROKEN);
            case QUOTED -> takeComma(c, State.MISQUOTED);
            case SPACED -> takeAfterSpace(c);
            case START, OTHER, NAME, STRING, WORD, DONE, BROKEN, MISQUOTED ->
                    throw new IllegalStateException(state + " takes no token");
        }
    }

    private void takeName(char c) {
        if (isQuote(c)) beginString(c, State.NAME); else state = State.BROKEN;
    }

    private void takeValue(char c) {
        if (c == '{' || c == '[') {
            open(c);
        } else if (isQuote(c)) {
            beginString(c, State.STRING);
        } else {
            state = State.WORD;
            word.append(c);
        }
    }

    private void takeColon(char c) {
        out.append(c);
        state = c == ':' ? State.VALUE : State.BROKEN;
    }

    private void takeComma(char c, State otherwise) {
        out.append(c);
        state = c == ',' ? item() : otherwise;
    }

    /** After a string and white space another string may be a member, whose comma was forgotten. */
    private void takeAfterSpace(char c) {
        takeComma(c, isQuote(c) ? State.BROKEN : State.MISQUOTED);
    }

    /** {@return what follows a bracket or comma} */
    private State item() {
        boolean isInObject = closers.charAt(closers.length() - 1) == '}';
        return isInObject ? State.MEMBER : State.VALUE;
    }

    private void open(char bracket) {
        closers.append(bracket == '{' ? '}' : ']');
        keep(bracket);
        boolean isTooDeep = closers.length() > MAX_DEPTH;
        state = isTooDeep ? State.BROKEN : item();
    }

    /** A comma or a name that no value followed is dropped. */
    private void close(char bracket) {
        int last = closers.length() - 1;
        if (closers.charAt(last) != bracket) {
            state = State.BROKEN;
            return;
        }
        state = last == 0 ? State.DONE : State.AFTER;
        boolean isAfterValue = out.substring(kept).isBlank();
        if (!isAfterValue) out.setLength(kept);
        keep(bracket);
        closers.setLength(last);
    }

    private void beginString(char quote, State kind) {
        string.begin(quote);
        out.append('"');
        state = kind;
    }

    private void endString() {
        if (state == State.NAME) {
            out.append('"');
            state = State.COLON;
        } else {
            keep('"');
            state = State.QUOTED;
        }
    }

    private void endWord() {
        Optional<String> json = literal().or(this::number);
        json.ifPresent(this::keep);
        state = json.isPresent() ? State.AFTER : State.BROKEN;
        word.setLength(0);
    }

    private Optional<String> number() {
        return Optional.of(word.toString()).filter(text -> NUMBER.matcher(text).matches());
    }

    /** {@return what the word means in JSON, if it is one of JSON's, Python's or JavaScript's} */
    private Optional<String> literal() {
        return switch (word.toString()) {
            case "true", "True" -> Optional.of("true");
            case "false", "False" -> Optional.of("false");
            case "null", "None", "NaN", "Infinity", "-Infinity", "undefined" -> Optional.of("null");
            default -> Optional.empty();
        };
    }

    private void keep(String text) {
        out.append(text);
        kept = out.length();
    }

    private void keep(char c) {
        out.append(c);
        kept = out.length();
    }

    /** {@return what has become ready since the last call; half of a surrogate pair is not} */
    String removeReady() {
        int end = state == State.STRING ? out.length() : kept; // a string is ready as it comes
        boolean endsInHalf = end > 0 && Character.isHighSurrogate(out.charAt(end - 1)) && state != State.DONE;
        if (endsInHalf) end--;
        String ready = out.substring(0, end);
        out.delete(0, end);
        kept = 0;
        isAnyRemoved |= end > 0;
        return hasSurrogates(ready) ? withEscapedHalves(ready) : ready;
    }

    private static boolean hasSurrogates(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) return true;
        }
        return false;
    }

    private static String withEscapedHalves(String text) {
        return UNPAIRED.matcher(text).replaceAll(half -> "\\\\u%04x".formatted((int) half.group().charAt(0)));
    }

    /**
     * Nothing more comes. What is open is closed if it may be. Arguments that were cut stay as they are, so
     * that they do not parse; a stream has shown their beginning already.
     */
    void end(Ending ending) {
        if (state == State.OTHER) convert(ending);
        boolean isLiteral = state == State.WORD && literal().isPresent(); // a number might go on
        if (isLiteral) endWord();
        isBroken |= state == State.BROKEN || state == State.MISQUOTED;
        isCut = !isWhole(ending);
        if (isCut) {
            leaveOpen();
        } else {
            out.setLength(kept);
            keep(closers.reverse().toString());
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
        boolean isNothing = out.isEmpty() && !isAnyRemoved;
        if (isNothing) keep('{');
    }

    /** Goes on with an object for the value that is none; a value that was cut is left as it is. */
    private void convert(Ending ending) {
        String text = word.toString().strip();
        Optional<String> object = objectFor(text, ending);
        if (object.isEmpty()) return;
        word.setLength(0);
        state = State.START;
        feed(object.get());
    }

    /**
     * {@return the object for a value; none if the value is, or may be, cut} Text that is no JSON: {@code
     * {"_raw":…}}.
     */
    private Optional<String> objectFor(String text, Ending ending) {
        if (text.equals("None")) return Optional.of("{}"); // Python's word for nothing
        boolean isFenced = FENCED.matcher(text).lookingAt();
        if (isFenced) return fenced(text);
        try {
            Json value = JsonParser.parse(text);
            boolean mayGoOn = ending == Ending.CUT && value instanceof Json.Num;
            if (mayGoOn) return Optional.empty();
            return Optional.of(objectFor(value));
        } catch (Json.Malformed e) {
            boolean endsTooEarly = e.position() >= text.getBytes(StandardCharsets.UTF_8).length;
            if (endsTooEarly || ending != Ending.WHOLE) return Optional.empty();
            isBroken = true;
            return Optional.of(new JsonWriter().object().field("_raw", text).endObject().toString());
        }
    }

    /** {@return the object in a fence, with what follows it, which is dropped later; none if it has not begun} */
    private static Optional<String> fenced(String text) {
        int begin = text.indexOf('{');
        return begin < 0 ? Optional.empty() : Optional.of(text.substring(begin));
    }

    private static String objectFor(Json value) {
        String encodedTwice = value.text().strip();
        if (value.isNull()) return "{}";
        if (encodedTwice.startsWith("{")) return encodedTwice;
        return "{\"value\":%s}".formatted(value.raw());
    }
}
