package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;
import org.junit.jupiter.api.Test;

/** What is looked for in the text of a reply, where a number decides; what it comes to otherwise is in streams/. */
class TextFilterTest {
    /** {@return the text and, in brackets, the reasoning, that the pieces of a reply come to} */
    private static String filtered(String... pieces) {
        var found = new StringBuilder();
        var filter = new TextFilter(List.of(), new JsonInProse(Json.NULL), text -> found.append(text.text()),
                thought -> found.append('[').append(thought.text()).append(']'));
        for (String piece : pieces) filter.feed(JsonWriter.text(piece));
        filter.flush();
        return found.toString();
    }

    @Test
    void aThousandBlanksMayStandBeforeTheThinking() {
        assertEquals("[t]a", filtered(" ".repeat(1000), "<think>t</think>a"));
        assertEquals("[t]a", filtered(" ".repeat(993), "<think", ">t</think>a"));
    }

    @Test
    void afterMoreBlanksATagIsText() {
        String blanks = " ".repeat(1001);
        assertEquals(blanks + "<think>t</think>a", filtered(blanks, "<think>t</think>a"));
    }

    @Test
    void inOnePieceATagIsFoundAfterAnyNumberOfBlanks() {
        assertEquals("[t]a", filtered(" ".repeat(5000) + "<think>t</think>a"));
    }

    /** Of all that come, the one that ends first; of those that end at the same place, the longest. */
    @Test
    void theFirstStopSequenceIsFoundHoweverTheTextIsCut() {
        var random = new Random(7);
        int found = 0;
        for (int round = 0; round < 20_000; round++) {
            List<String> stops = Stream.generate(() -> word(random, 1 + random.nextInt(4))).limit(1 + random.nextInt(4)).distinct().toList();
            String text = word(random, 1 + random.nextInt(30));
            var said = new StringBuilder();
            var filter = new TextFilter(stops, new JsonInProse(Json.NULL), piece -> said.append(piece.text()), thought -> { });
            for (int from = 0; from < text.length(); ) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(5));
                filter.feed(JsonWriter.text(text.substring(from, to)));
                from = to;
            }
            filter.flush();
            Optional<String> expected = first(text, stops);
            found += expected.isPresent() ? 1 : 0;
            String before = expected.map(stop -> text.substring(0, end(text, stop) - stop.length())).orElse(text);
            assertEquals(expected + " after " + before, filter.stop() + " after " + said, text + " " + stops);
        }
        assertTrue(found > 5000, "found " + found);
    }

    private static String word(Random random, int length) {
        return random.ints(length, 'a', 'd').collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }

    private static Optional<String> first(String text, List<String> stops) {
        return stops.stream().filter(text::contains).min(Comparator.<String>comparingInt(stop -> end(text, stop))
                .thenComparing(String::length, Comparator.reverseOrder()));
    }

    private static int end(String text, String stop) { return text.indexOf(stop) + stop.length(); }
}
