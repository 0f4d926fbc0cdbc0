import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/**
 * Looks through the text of a reply as it streams, for what has to be taken out of it: a {@code <think>} part at its
 * start, a stop sequence that the upstream was not told of, and what stands around the JSON of a structured output.
 * Holds back no more than it must; where there is nothing to look for, text passes as it is.
 */
final class TextFilter {
    private static final String THINK = "<think>";
    private static final String THINK_END = "</think>";
    private static final int MAX_BLANK = 1000; // characters of white space before a tag

    private enum Think { START, INSIDE, OVER }

    private final List<String> stops;
    private final Consumer<Json> text;
    private final Consumer<Json> reasoning;
    private Think think = Think.START;
    private boolean wantsJson;
    private final StringBuilder pending = new StringBuilder(); // held back: part of a tag or stop, or all before JSON
    private boolean isAfterThink; // where white space is none of the text's
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
        if (!stop.isEmpty()) return;
        if (think == Think.OVER && stops.isEmpty() && !wantsJson && !isAfterThink) {
            text.accept(piece);
            return;
        }
        int known = pending.length();
        pending.append(piece.text());
        String begun = think == Think.START ? pending.toString().stripLeading() : "";
        if (begun.startsWith(THINK)) {
            think = Think.INSIDE;
            pending.delete(0, pending.indexOf(THINK) + THINK.length());
        } else if (think == Think.START && (!THINK.startsWith(begun) || pending.length() > MAX_BLANK)) {
            think = Think.OVER;
        }
        if (think == Think.INSIDE) inside();
        if (think == Think.OVER) rest(known, false);
    }

    /** Nothing more comes, or something other than text: what was held back is what it looks like now. */
    void flush() {
        if (think == Think.INSIDE) emit(reasoning, pending.length());
        think = Think.OVER;
        rest(pending.length(), true);
    }

    private void inside() {
        int end = pending.indexOf(THINK_END);
        emit(reasoning, end < 0 ? pending.length() - heldBack(List.of(THINK_END)) : end);
        if (end < 0) return;
        think = Think.OVER;
        pending.delete(0, THINK_END.length());
        isAfterThink = true;
    }

    /** Looks for stop sequences; up to {@code known}, none has been found. */
    private void rest(int known, boolean last) {
        int end = Integer.MAX_VALUE;
        for (String each : stops) {
            int at = pending.indexOf(each, Math.max(0, known - each.length()));
            if (at < 0 || at >= end) continue;
            end = at;
            stop = each;
        }
        boolean ends = last || !stop.isEmpty();
        pending.setLength(Math.min(end, pending.length()));
        while (isAfterThink && !pending.isEmpty() && pending.charAt(0) <= ' ') pending.deleteCharAt(0);
        isAfterThink &= pending.isEmpty();
        wantsJson &= "{[".indexOf(pending.chars().filter(c -> c > ' ').findFirst().orElse(' ')) < 0;
        if (wantsJson && !ends) return;
        if (wantsJson) pending.replace(0, pending.length(), json(pending.toString()));
        emit(text, pending.length() - (ends ? 0 : heldBack(stops)));
    }

    private void emit(Consumer<Json> to, int length) {
        if (length > 0) to.accept(Json.Str.of(pending.substring(0, length)));
        pending.delete(0, length);
    }

    /** {@return how many characters at the end may be the beginning of one of {@code marks}} */
    private int heldBack(List<String> marks) {
        int longest = marks.stream().mapToInt(String::length).max().orElse(0);
        for (int from = Math.max(0, pending.length() - longest); from < pending.length(); from++) {
            String end = pending.substring(from);
            if (marks.stream().anyMatch(mark -> mark.startsWith(end))) return end.length();
        }
        return 0;
    }

    /** {@return the JSON in {@code text}, from the first brace to the last; all of it if that is none} */
    private static String json(String text) {
        String found = text.substring(text.length() - text.replaceFirst("^[^{\\[]+", "").length());
        found = found.substring(0, Math.max(found.lastIndexOf('}'), found.lastIndexOf(']')) + 1);
        try {
            return Json.parse(found.getBytes(StandardCharsets.UTF_8)).raw();
        } catch (Json.Malformed e) {
            return text;
        }
    }
}
