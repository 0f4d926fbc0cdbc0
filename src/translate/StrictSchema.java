package translate;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import json.Json;

/**
 * Tells which schemas OpenAI takes as strict: all members of each object are required and no others are
 * taken, and only some keywords are used. At Anthropic members of a strict schema may be optional.
 *
 * <p>Source: OpenAI, "Structured Outputs", "Supported schemas".
 */
final class StrictSchema {
    private static final Set<String> KEYWORDS = Set.of("$schema", "$id", "$ref", "$defs", "definitions", "title",
            "description", "type", "properties", "required", "additionalProperties", "items", "enum", "const",
            "anyOf", "pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum",
            "exclusiveMaximum", "minItems", "maxItems");
    /** Keywords without which a schema says nothing; OpenAI wants one. */
    private static final List<String> KINDS = List.of("type", "enum", "const", "anyOf", "$ref");
    private static final Set<String> FORMATS = Set.of("date-time", "time", "date", "duration", "email", "hostname",
            "ipv4", "ipv6", "uuid");
    private static final int MAX_DEPTH = 10; // of schemas in schemas

    private StrictSchema() { }

    /** {@return whether a schema, that of a tool or of a reply, may be sent as strict} */
    static boolean fits(Json schema) {
        boolean isObject = schema.get("type").is("object") && schema.get("anyOf").isNull();
        return isObject && isFine(schema, 0);
    }

    private static boolean isFine(Json schema, int depth) {
        if (depth > MAX_DEPTH || !hasOnlyKnown(schema)) return false;
        boolean hasKind = KINDS.stream().anyMatch(kind -> !schema.get(kind).isNull());
        boolean isObject = schema.get("properties") instanceof Json.Obj || hasType(schema, "object");
        boolean isListOfAny = hasType(schema, "array") && !(schema.get("items") instanceof Json.Obj);
        if (!hasKind || isListOfAny || isObject && !isClosed(schema)) return false;
        return inner(schema).allMatch(each -> isFine(each, depth + 1));
    }

    private static boolean hasType(Json schema, String type) {
        Json types = schema.get("type");
        return types.is(type) || types.items().stream().anyMatch(each -> each.is(type));
    }

    private static boolean hasOnlyKnown(Json schema) {
        Json[] members = schema.parts();
        boolean areKnown = IntStream.iterate(0, i -> i < members.length, i -> i + 2)
                .allMatch(i -> KEYWORDS.contains(members[i].text()));
        Json format = schema.get("format");
        return areKnown && (format.isNull() || FORMATS.contains(format.text()));
    }

    /** {@return the schemas right within a schema} */
    private static Stream<Json> inner(Json schema) {
        Stream<Json> ofItems = schema.get("items") instanceof Json.Obj items ? Stream.of(items) : Stream.empty();
        Stream<Json> named = Stream.of("properties", "$defs", "definitions")
                .flatMap(name -> values(schema.get(name)));
        return Stream.of(ofItems, named, schema.get("anyOf").items().stream()).flatMap(each -> each);
    }

    private static Stream<Json> values(Json object) {
        Json[] members = object.parts();
        return IntStream.iterate(1, i -> i < members.length, i -> i + 2).mapToObj(i -> members[i]);
    }

    /** {@return whether it takes all the members that it names, and no others} */
    private static boolean isClosed(Json schema) {
        int properties = schema.get("properties").parts().length / 2;
        boolean areAllRequired = schema.get("required").items().size() == properties;
        return areAllRequired && schema.get("additionalProperties") == Json.FALSE;
    }
}
