package translate;

import java.nio.charset.StandardCharsets;
import json.Json;
import json.JsonParser;

/**
 * Finds the JSON in a text that has prose or a fence around it, as models write that were asked for JSON
 * alone. What is looked for are objects, lists or both, by the schema that was asked for.
 */
final class JsonInProse {
    private static final int MAX_WORK = 4; // times the length of the text, for brackets that begin nothing

    private final String openings; // the brackets that the value may begin with

    /** {@code schema} is NULL if no JSON is wanted. */
    JsonInProse(Json schema) {
        this.openings = schema.isNull() ? "" : openings(schema.get("type"));
    }

    /**
     * By the {@code type} of a schema, a string or a list of strings; where it does not say, anything may
     * come.
     */
    private static String openings(Json type) {
        boolean isObject = type.is("object");
        boolean isArray = type.is("array");
        for (Json each : type.items()) {
            isObject |= each.is("object");
            isArray |= each.is("array");
        }
        if (type.isNull() || isObject && isArray) return "{[";
        if (isObject) return "{";
        return isArray ? "[" : "";
    }

    /**
     * {@return whether there can be anything to find: a string or a number alone cannot be told from prose}
     */
    boolean isWanted() {
        return !openings.isEmpty();
    }

    /** {@return whether text that begins so may be the JSON itself} */
    boolean mayBeginWith(char first) {
        return openings.indexOf(first) >= 0;
    }

    /** {@return the longest value in the text; all of the text if there is none} */
    String in(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        long work = (long) utf8.length * MAX_WORK;
        Json longest = Json.NULL;
        int at = 0;
        while (at < utf8.length && work > 0) {
            if (openings.indexOf(utf8[at]) < 0) {
                at++;
                continue;
            }
            try {
                Json found = JsonParser.parseAt(utf8, at);
                at = found.to();
                if (longest.isNull() || length(found) > length(longest)) longest = found;
            } catch (Json.Malformed e) { // a bracket of the prose
                work -= e.position() - at + 1;
                at++;
            }
        }
        return longest.isNull() ? text : longest.raw();
    }

    private static int length(Json value) {
        return value.to() - value.from();
    }
}
