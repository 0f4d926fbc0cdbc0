package translate;

import java.util.Comparator;
import json.Json;
import json.JsonWriter;

/**
 * One tool call of a reply, as its pieces come. Its arguments are mended, and wait here until {@link
 * #removeReady} is called.
 */
final class ToolCall {
    static final Comparator<ToolCall> IN_ORDER =
            Comparator.<ToolCall>comparingLong(call -> call.place).thenComparingInt(call -> call.number);
    private static final int MAX_NAME = 1000; // characters after which no more of a name is taken

    /** What has come of the arguments. */
    private enum Input {
        NONE,
        /** Just {@code {}}, which some backends send first, in place of the arguments to come. */
        PLACEHOLDER,
        JSON,
        /** The plain text of a custom tool, which has no end of its own. */
        TEXT
    }

    private final long place; // among the calls: the backend's index
    private final int number; // among calls of the same place
    private final boolean isDropped;
    private final Arguments arguments = new Arguments();
    private Input input = Input.NONE;
    private boolean isEnded;
    private String id = "";
    private String name = "";
    private Json extra = Json.NULL;

    ToolCall(long place, int number, boolean isDropped) {
        this.place = place;
        this.number = number;
        this.isDropped = isDropped;
    }

    /** {@return whether the client does not get it} */
    boolean isDropped() {
        return isDropped;
    }

    /** {@return the backend's id; "" as long as none has come} */
    String id() {
        return id;
    }

    String name() {
        return name;
    }

    /** {@return what the backend wants back with the call; NULL for nothing} */
    Json extra() {
        return extra;
    }

    boolean hasArguments() {
        return input != Input.NONE;
    }

    /** {@return whether the arguments end where they are, as far as can be seen} */
    boolean isWhole() {
        return input == Input.PLACEHOLDER || arguments.isClosed();
    }

    /** {@return whether the arguments have been closed, so that nothing more can come} */
    boolean isClosed() {
        return arguments.isClosed();
    }

    /** {@return whether the arguments ended before they were whole; known after {@link #end}} */
    boolean isCut() {
        return arguments.isCut();
    }

    /** {@return whether it is known that nothing more comes} */
    boolean isEnded() {
        return isEnded;
    }

    /** {@return whether the arguments were beyond mending from some place on; known after {@link #end}} */
    boolean isBroken() {
        return arguments.isBroken();
    }

    void setId(String id) {
        this.id = id;
    }

    void setExtra(Json extra) {
        this.extra = extra;
    }

    /** Takes a name, or more of it; some backends repeat it, or all that has come of it so far. */
    void addName(String more) {
        boolean isNothing = more.isEmpty() || more.equals(name) || name.length() > MAX_NAME;
        if (isNothing) return;
        name = more.startsWith(name) ? more : name + more;
    }

    /** Takes arguments, or the next characters of them. */
    void addArguments(Json more) {
        feed(more instanceof Json.Str ? more.text() : more.raw());
    }

    private void feed(String json) {
        if (json.isEmpty()) return;
        if (input == Input.NONE) {
            boolean isPlaceholder = json.strip().equals("{}");
            input = isPlaceholder ? Input.PLACEHOLDER : Input.JSON;
            if (isPlaceholder) return;
        }
        if (input == Input.PLACEHOLDER) input = Input.JSON;
        arguments.feed(json);
    }

    /** Takes the input of a custom tool, or a piece of it: {@code {"input":"text"}}. */
    void addText(Json more) {
        boolean isText = more instanceof Json.Str || input == Input.TEXT;
        if (!isText) {
            feed("{\"input\":%s}".formatted(more.raw()));
            return;
        }
        if (input != Input.TEXT) feed("{\"input\":\"");
        input = Input.TEXT;
        var escaped = new JsonWriter();
        if (more instanceof Json.Str text) escaped.piece(text); else escaped.piece(more.raw());
        feed(escaped.toString());
    }

    /** {@return what of the arguments has become ready since the last time} */
    String removeReady() {
        return arguments.removeReady();
    }

    /** Nothing more comes; later calls do nothing. */
    void end(Arguments.Ending ending) {
        if (isEnded) return;
        isEnded = true;
        boolean isTextWhole = input == Input.TEXT && ending == Arguments.Ending.WHOLE;
        if (input == Input.PLACEHOLDER) arguments.feed("{}");
        if (isTextWhole) arguments.feed("\"}");
        arguments.end(ending);
    }
}
