import java.util.List;
import java.util.function.Consumer;

/**
 * Looks through the text of a reply as it streams, for what has to be taken out of it: a {@code <think>} part at its
 * start, a stop sequence that the upstream was not told of, and what stands around the JSON of a structured output.
 * Holds back no more than it must; where there is nothing to look for, text passes as it is. White space alone begins
 * no block of text: it waits for text to follow, and is dropped if none does.
 */
final class TextFilter {
    private static final String THINK = "<think>";
    private static final List<String> THINK_END = List.of("</think>");
    private static final int MAX_BLANK = 1000; // characters of white space before a tag

    private enum Think { START, INSIDE, AFTER, OVER } // AFTER it, white space is none of the text's

    private final List<String> stops;
    private final Consumer<Json> text;
    private final Consumer<Json> reasoning;
    private Think think = Think.START;
    private boolean wantsJson;
    private boolean begins = true; // whether nothing has passed since something other than text came
    private final StringBuilder pending = new StringBuilder(); // not looked through, or perhaps part of a tag or stop
    private final StringBuilder answer = new StringBuilder(); // looked through; with all that stands before JSON
    private String stop = "";

    TextFilter(List<String> stops, boolean wantsJson, Consumer<Json> text, Consumer<Json> reasoning) {
        this.stops = stops;
        this.wantsJson = wantsJson;
        this.text = text;
        this.reasoning = reasoning;
    }

    /** {@return the stop sequence that was found, after which nothing passes; "" if none was} */
    String stop() { return stop; }
    boolean isUnused() { return think == Think.START && pending.isEmpty(); }

    void feed(Json piece) {
        boolean passes = think == Think.OVER && stops.isEmpty() && !wantsJson && !begins;
        if (passes) text.accept(piece); else look(piece.text(), false);
    }

    /** Nothing more comes, or something other than text: what was held back is what it looks like now. */
    void flush() {
        look("", true);
        begins = true;
    }

    private void look(String more, boolean last) {
        if (!stop.isEmpty()) return;
        pending.append(more);
        if (think == Think.START) {
            String begun = pending.toString().stripLeading();
            boolean isOpen = THINK.startsWith(begun) && pending.length() <= MAX_BLANK && !last;
            think = begun.startsWith(THINK) ? Think.INSIDE : isOpen ? Think.START : Think.OVER;
            if (think == Think.INSIDE) pending.delete(0, pending.indexOf(THINK) + THINK.length());
        }
        if (think == Think.INSIDE) {
            String found = pass(THINK_END, last, thought -> reasoning.accept(Json.Str.of(thought)));
            think = !found.isEmpty() ? Think.AFTER : last ? Think.OVER : Think.INSIDE;
        }
        while (think == Think.AFTER && !pending.isEmpty() && pending.charAt(0) <= ' ') pending.deleteCharAt(0);
        if (think == Think.AFTER && !pending.isEmpty()) think = Think.OVER;
        if (think == Think.OVER) stop = pass(stops, last, answer::append);
        answer(last || !stop.isEmpty());
    }

    /** Passes on what stands before the first of {@code marks}. @return that mark, "" if not all of one is there */
    private String pass(List<String> marks, boolean last, Consumer<String> to) {
        String all = pending.toString();
        String found = "";
        int end = 0;
        while (end < all.length() && (found = mark(marks, all, end, last)).isEmpty()) end++;
        if (end > 0) to.accept(all.substring(0, end));
        boolean isWhole = all.startsWith(found, end);
        pending.delete(0, isWhole ? end + found.length() : end);
        return isWhole ? found : "";
    }

    /** {@return the mark that stands there, or of which the text's end may be the beginning; "" if none does} */
    private static String mark(List<String> marks, String text, int at, boolean last) {
        int left = text.length() - at;
        for (String mark : marks) {
            int length = last ? mark.length() : Math.min(mark.length(), left);
            if (text.regionMatches(at, mark, 0, length)) return mark;
        }
        return "";
    }

    /** Passes on the answer; if JSON is wanted and does not begin it, not before it {@code ends}. */
    private void answer(boolean ends) {
        wantsJson = wantsJson && "{[".indexOf(answer.chars().filter(c -> c > ' ').findFirst().orElse(' ')) < 0;
        boolean isBlank = begins && answer.toString().isBlank();
        if (isBlank && ends) answer.setLength(0);
        if (isBlank || answer.isEmpty() || wantsJson && !ends) return;
        begins = false;
        text.accept(Json.Str.of(wantsJson ? json(answer.toString()) : answer.toString()));
        answer.setLength(0);
    }

    /** {@return the JSON in {@code text}, from the first brace to the last; all of it if that is none} */
    private static String json(String text) {
        String found = text.substring(text.length() - text.replaceFirst("^[^{\\[]+", "").length());
        found = found.substring(0, Math.max(found.lastIndexOf('}'), found.lastIndexOf(']')) + 1);
        try {
            return Json.parse(found).raw();
        } catch (Json.Malformed e) {
            return text;
        }
    }
}
