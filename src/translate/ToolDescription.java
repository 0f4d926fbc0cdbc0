package translate;

import java.util.Optional;
import json.Json;
import json.JsonWriter;

/**
 * The description of a tool, cut where the backend takes no longer one, and the rest, of which the system
 * prompt tells the model.
 */
record ToolDescription(Json.Str sent, Optional<Json.Str> rest) {
    private static final String NOTE = " [goes on in the system prompt]";

    /** {@return a description of so many characters at most, with the note about the rest} */
    static ToolDescription cut(Json.Str whole, int longest) {
        String text = whole.text();
        if (text.length() <= longest) return new ToolDescription(whole, Optional.empty());
        int end = Math.max(0, longest - NOTE.length());
        boolean isWithinCharacter = end > 0 && Character.isHighSurrogate(text.charAt(end - 1));
        if (isWithinCharacter) end--;
        Json.Str rest = JsonWriter.text(text.substring(end));
        return new ToolDescription(JsonWriter.text(text.substring(0, end) + NOTE), Optional.of(rest));
    }
}
