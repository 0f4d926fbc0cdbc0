package translate;

import java.util.List;
import java.util.function.Consumer;
import json.Json;
import json.JsonWriter;

/**
 * Looks through the text of a reply as it streams, for what has to be taken out of it: a {@code <think>} part
 * at its start, a stop sequence that the upstream was not told of, and what stands around the JSON of a
 * structured output. Holds back no more than it must; where there is nothing to look for, text passes as it
 * is. White space alone begins no block of text: it waits for text to follow, and is dropped if none does.
 */
final class TextFilter {
    private static final String THINK = "<think>";
    private static final int MAX_BLANK = 1000; // characters of white space before a tag

    private enum Think { START, INSIDE, AFTER, OVER } // AFTER it, white space is none of the text's

    private final MarkScanner stops;
    private final MarkScanner thinkEnd = new MarkScanner(List.of("</think>"));
    private final JsonInProse json;
    private final Consumer<Json.Str> text;
    private final Consumer<Json.Str> reasoning;
    private final boolean hasStops;
    private Think think = Think.START;
    private boolean isProse; // whether JSON is wanted and the text has not begun as that
    private boolean begins = true; // whether only white space has come since something else than text did
    private final StringBuilder start = new StringBuilder(); // of the reply, as long as it may be a tag
    private final StringBuilder answer = new StringBuilder(); // looked through; with all that stands before JSON
    private String stop = "";

    TextFilter(List<String> stops, JsonInProse json, Consumer<Json.Str> text, Consumer<Json.Str> reasoning) {
        this.stops = new MarkScanner(stops);
        this.hasStops = !stops.isEmpty();
        this.json = json;
        this.isProse = json.isWanted();
        this.text = text;
        this.reasoning = reasoning;
    }

    /** The request has begun the reply; if with JSON, what comes is the rest of that. */
    void continues(String prefill) {
        String begun = prefill.stripLeading();
        boolean isBegun = !begun.isEmpty() && json.mayBeginWith(begun.charAt(0));
        if (isBegun) isProse = false;
    }

    /** {@return the stop sequence that was found, after which nothing passes; "" if none was} */
    String stop() { return stop; }
    boolean isUnused() { return think == Think.START && start.isEmpty(); }

    void feed(Json.Str piece) {
        boolean passes = think == Think.OVER && !hasStops && !isProse && !begins;
        if (passes) text.accept(piece); else look(piece.text(), false);
    }

    /** Nothing more comes, or something other than text: what was held back is what it looks like now. */
    void flush() {
        look("", true);
        begins = true;
    }

    private void look(String piece, boolean last) {
        if (!stop.isEmpty()) return;
        String more = piece;
        if (think == Think.START) more = start(more, last);
        if (think == Think.INSIDE) more = inside(more, last);
        if (think == Think.AFTER) more = after(more);
        if (think == Think.OVER) over(more, last);
    }

    /** {@return what is to be looked through next: nothing as long as the reply may begin with a tag} */
    private String start(String more, boolean last) {
        start.append(more);
        String all = start.toString();
        String begun = all.stripLeading();
        boolean isTag = begun.startsWith(THINK);
        boolean mayBeTag = THINK.startsWith(begun) && all.length() <= MAX_BLANK && !last;
        if (mayBeTag && !isTag) return "";
        think = isTag ? Think.INSIDE : Think.OVER;
        start.setLength(0);
        return isTag ? begun.substring(THINK.length()) : all;
    }

    /** {@return what follows the end of the thinking} */
    private String inside(String more, boolean last) {
        boolean isEnd = !thinkEnd.feed(more, this::reason).isEmpty();
        if (isEnd) think = Think.AFTER;
        if (!isEnd && !last) return "";
        String rest = thinkEnd.flush();
        if (isEnd) return rest;
        if (!rest.isEmpty()) reason(rest);
        think = Think.OVER;
        return "";
    }

    private void reason(String thought) { reasoning.accept(JsonWriter.text(thought)); }

    private String after(String more) {
        int at = 0;
        while (at < more.length() && more.charAt(at) <= ' ') at++;
        if (at < more.length()) think = Think.OVER;
        return more.substring(at);
    }

    private void over(String more, boolean last) {
        if (hasStops) {
            stop = stops.feed(more, this::answer);
            if (last && stop.isEmpty()) answer(stops.flush());
        } else {
            answer(more);
        }
        if (last || !stop.isEmpty()) answerEnds();
    }

    /** Passes on the answer; if JSON is wanted and it has not begun as that, not before it ends. */
    private void answer(String more) {
        answer.append(more);
        boolean isFirst = begins && !more.isBlank();
        if (isFirst) {
            begins = false;
            isProse &= !json.mayBeginWith(more.stripLeading().charAt(0));
        }
        if (!begins && !isProse) pass(answer.toString());
    }

    private void answerEnds() {
        if (!begins && isProse) pass(json.in(answer.toString()));
        answer.setLength(0); // white space alone is dropped
    }

    private void pass(String passed) {
        if (!passed.isEmpty()) text.accept(JsonWriter.text(passed));
        answer.setLength(0);
    }
}
