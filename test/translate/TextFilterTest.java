package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
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
}
