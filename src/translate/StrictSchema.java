package translate;

import java.util.List;
import java.util.stream.Stream;
import json.Json;

/**
 * Tells which schemas OpenAI takes as strict: all members of each object are required, others are refused,
 * and some keywords are not used. At Anthropic members of a strict schema may be optional.
 *
 * <p>Source: OpenAI, "Structured Outputs", "Supported schemas".
 */
final class StrictSchema {
    private static final List<String> REFUSED = List.of("oneOf", "allOf", "not", "patternProperties");

    private StrictSchema() { }

    /** {@return whether the schema, or any other JSON that is in one, may be sent as strict} */
    static boolean fits(Json schema) {
        for (String keyword : REFUSED) {
            if (!schema.get(keyword).isNull()) return false;
        }
        boolean hasMembers = schema.get("properties").parts().length > 0;
        boolean isObject = hasMembers || schema.get("type").is("object");
        if (isObject && !isClosed(schema)) return false;
        return Stream.concat(schema.items().stream(), Stream.of(schema.parts())).allMatch(StrictSchema::fits);
    }

    /** {@return whether it takes all the members that it names, and no others} */
    private static boolean isClosed(Json schema) {
        int properties = schema.get("properties").parts().length / 2;
        boolean areAllRequired = schema.get("required").items().size() == properties;
        return areAllRequired && schema.get("additionalProperties") == Json.FALSE;
    }
}
