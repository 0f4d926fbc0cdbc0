package translate;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import json.Json;
import json.JsonWriter;

/**
 * Looks through the text of a reply as it streams, for what has to be taken out of it: a {@code <think>}
 * part at its start, a stop sequence, and what stands around the JSON of a structured output. Holds back no
 * more than it must; where there is nothing to look for, text passes as it is. White space alone begins no
 * block of text: it waits for text to follow, and is dropped if none does.
 *
 * <pre>
 *  START ─"&lt;think&gt;"─► INSIDE ─"&lt;/think&gt;"─► AFTER ─text─► ANSWER
 *    └────────────────── text ───────────────────────► ANSWER
 * </pre>
 */
final class TextFilter {
    private static final String THINK = "<think>";
    /** Characters of white space that may stand before the tag: more of it is not waited for. */
    static final int MAX_BLANK = 1000;

    private enum State {
        /** The reply may begin with a tag. */
        START,
        /** Within the thinking. */
        INSIDE,
        /** After the thinking, where white space is not part of the text. */
        AFTER,
        ANSWER
    }

    private final MarkScanner stops;
    private Optional<MarkScanner> thinkEnd = Optional.empty(); // once the thinking has begun
    private final JsonInProse json;
    private final Consumer<Json.Str> text;
    private final Consumer<Json.Str> reasoning;
    private final boolean hasStops;
    private State state = State.START;
    private boolean isProse; // whether JSON is wanted and the text has not begun as that
    private boolean isBlank = true; // whether only white space has come since something else than text did
    private final StringBuilder start = new StringBuilder(); // of the reply, as long as it may be a tag
    private final StringBuilder answer = new StringBuilder(); // looked through, and not yet written
    private Optional<String> stop = Optional.empty();

    /** @param stops sequences of which the first ends the text */
    TextFilter(List<String> stops, JsonInProse json, Consumer<Json.Str> text, Consumer<Json.Str> reasoning) {
        this.stops = new MarkScanner(stops);
        this.hasStops = !stops.isEmpty();
        this.json = json;
        this.isProse = json.isWanted();
        this.text = text;
        this.reasoning = reasoning;
    }

    /** The request has begun the reply; if with JSON, what comes is the rest of that. */
    void continues(String begun) {
        String stripped = begun.stripLeading();
        boolean isJson = !stripped.isEmpty() && json.mayBeginWith(stripped.charAt(0));
        if (isJson) isProse = false;
    }

    /** {@return the stop sequence that was found; nothing passes after it} */
    Optional<String> stop() {
        return stop;
    }

    /** {@return whether no text has come} */
    boolean isUnused() {
        return state == State.START && start.isEmpty();
    }

    void feed(Json.Str piece) {
        boolean isLookedThrough = hasStops || isProse || isBlank;
        boolean passesAsItIs = state == State.ANSWER && !isLookedThrough;
        if (passesAsItIs) text.accept(piece); else look(piece.text(), false);
    }

    /** Nothing more comes, or something other than text: what was held back is what it looks like now. */
    void flush() {
        look("", true);
        isBlank = true;
    }

    /** Each state takes its part of the text, and leaves the rest to the next. */
    private void look(String piece, boolean isLast) {
        if (stop.isPresent()) return;
        String more = piece;
        if (state == State.START) more = start(more, isLast);
        if (state == State.INSIDE) more = inside(more, isLast);
        if (state == State.AFTER) more = after(more);
        if (state == State.ANSWER) answer(more, isLast);
    }

    /** {@return what is to be looked through next: nothing as long as the reply may begin with a tag} */
    private String start(String more, boolean isLast) {
        start.append(more);
        String all = start.toString();
        String begun = all.stripLeading();
        boolean isTag = begun.startsWith(THINK);
        boolean mayBecomeTag = !isTag && THINK.startsWith(begun) && all.length() <= MAX_BLANK;
        if (mayBecomeTag && !isLast) return "";
        start.setLength(0);
        state = isTag ? State.INSIDE : State.ANSWER;
        if (isTag) thinkEnd = Optional.of(new MarkScanner(List.of("</think>")));
        return isTag ? begun.substring(THINK.length()) : all;
    }

    /** {@return what follows the end of the thinking} */
    private String inside(String more, boolean isLast) {
        MarkScanner end = thinkEnd.orElseThrow();
        boolean isEnd = end.feed(more, this::think).isPresent();
        if (isEnd) {
            state = State.AFTER;
            return end.flush();
        }
        if (isLast) { // it has no end
            state = State.ANSWER;
            think(end.flush());
        }
        return "";
    }

    private void think(String thought) {
        if (!thought.isEmpty()) reasoning.accept(JsonWriter.text(thought));
    }

    private String after(String more) {
        int at = 0;
        while (at < more.length() && more.charAt(at) <= ' ') at++;
        if (at < more.length()) state = State.ANSWER;
        return more.substring(at);
    }

    private void answer(String more, boolean isLast) {
        if (hasStops) {
            stop = stops.feed(more, this::pass);
            if (isLast && stop.isEmpty()) pass(stops.flush());
        } else {
            pass(more);
        }
        if (isLast || stop.isPresent()) endAnswer();
    }

    /** Passes on the answer; if JSON is wanted and it has not begun as that, not before it ends. */
    private void pass(String more) {
        answer.append(more);
        boolean isFirst = isBlank && !more.isBlank();
        if (isFirst) {
            isBlank = false;
            isProse &= !json.mayBeginWith(more.stripLeading().charAt(0));
        }
        if (!isBlank && !isProse) write(answer.toString());
    }

    private void endAnswer() {
        if (!isBlank && isProse) write(json.in(answer.toString()));
        answer.setLength(0); // white space alone is dropped
    }

    private void write(String passed) {
        if (!passed.isEmpty()) text.accept(JsonWriter.text(passed));
        answer.setLength(0);
    }
}
