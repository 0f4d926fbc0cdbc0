package translate;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;

/**
 * A tool's schema in the few keywords that all backends take: type, description, properties, required,
 * items, enum. What it says beyond that is lost; a call that the model makes by it may not be valid by the
 * schema of the client, which then answers it with an error.
 *
 * <pre>
 *  {"type":["string","null"],"pattern":"^a"}            {"type":"string"}
 *  {"const":"a"}                                        {"type":"string","enum":["a"]}
 *  {"anyOf":[{"const":"a"},{"const":"b"}]}              {"type":"string","enum":["a","b"]}
 *  {"oneOf":[{"properties":P,"required":["p"]},
 *            {"properties":Q}]}                         {"type":"object","properties":{P and Q},"required":[]}
 *  {"type":"array"}                                     {"type":"array","items":{"type":"string"}}
 *  {"if":I,"then":{"properties":P},"else":…}            {"type":"object","properties":{P and others}}
 *  {"type":"integer","enum":[1,2]}                      {"type":"integer","description":"one of: 1, 2"}
 *  {"type":"Integer"}, {"type":"any"}                   {"type":"integer"}, {"type":"string"}
 *  {"$ref":"#/$defs/A"}                                 the definition itself
 * </pre>
 * Only strings keep an enum, as Gemini takes no other.
 *
 * Source: JSON Schema 2020-12; Gemini API, "Schema"; Moonshot, "Tool use".
 */
final class PlainSchema {
    private static final int MAX_DEPTH = 20; // of schemas in schemas; below it they say nothing
    private static final int MAX_NODES = 5000; // read for one tool, as definitions may hold each other often
    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "number", "integer", "boolean");
    /** Types that are none of JSON Schema's, as generators of other languages write them. */
    private static final Map<String, String> OTHER_TYPES = Map.of("int", "integer", "long", "integer",
            "float", "number", "double", "number", "bool", "boolean", "list", "array", "tuple", "array",
            "dict", "object", "map", "object", "str", "string");

    private final Json root;
    private final int longestDescription;
    private final JsonWriter out;
    private final Set<String> open = new HashSet<>(); // references to what is being written
    private int nodes;
    private boolean isCut;

    private PlainSchema(Json root, int longestDescription, JsonWriter out) {
        this.root = root;
        this.longestDescription = longestDescription;
        this.out = out;
    }

    /** Writes the schema of a tool's input, an object. {@return whether a description in it has been cut} */
    static boolean write(Json schema, int longestDescription, JsonWriter out) {
        var plain = new PlainSchema(schema, longestDescription, out);
        var found = plain.found(schema, 0);
        found.types.clear();
        found.types.add("object");
        plain.write(found, 0);
        return plain.isCut;
    }

    /** What a schema and those that it is combined of say together. */
    private static final class Found {
        private final Set<String> types = new LinkedHashSet<>();
        private final Map<String, List<Json>> properties = new LinkedHashMap<>(); // of several, one holds
        private final Set<String> required = new LinkedHashSet<>();
        private final List<Json> values = new ArrayList<>(); // of enum and const
        private final List<Json> items = new ArrayList<>();
        private final Set<String> references = new HashSet<>();
        private Json description = Json.NULL;

        private boolean isObject() { return !properties.isEmpty() || types.contains("object"); }

        /** {@return its type; where there are several, the one of which most is known} */
        private String type() {
            if (isObject()) return "object";
            boolean isList = !items.isEmpty() && (types.isEmpty() || types.contains("array"));
            if (isList) return "array";
            Stream<String> ofValues = values.stream().map(PlainSchema::typeOf);
            return Stream.concat(types.stream(), ofValues).findFirst().orElse("string");
        }

        private void addProperty(String name, List<Json> schemas) {
            properties.computeIfAbsent(name, none -> new ArrayList<>()).addAll(schemas);
        }

        /** Takes in what a schema says that holds as well. */
        private void add(Found other) {
            types.addAll(other.types);
            other.properties.forEach(this::addProperty);
            required.addAll(other.required);
            values.addAll(other.values);
            items.addAll(other.items);
            references.addAll(other.references);
            if (description.isNull()) description = other.description;
        }

        /** Takes in a schema that may not hold. */
        private void addOptional(Found other) {
            other.required.clear();
            other.values.clear();
            add(other);
        }

        /** Takes in schemas of which one holds: only what each of them requires is required. */
        private void addOneOf(List<Found> others) {
            if (others.isEmpty()) return;
            Set<String> always = new LinkedHashSet<>(others.getFirst().required);
            boolean areAllOfValues = true;
            for (Found other : others) {
                always.retainAll(other.required);
                areAllOfValues &= !other.values.isEmpty();
                other.required.clear();
            }
            for (Found other : others) {
                if (!areAllOfValues) other.values.clear();
                add(other);
            }
            required.addAll(always);
        }
    }

    /** {@return what a schema says} One that is no object, such as {@code true}, says nothing. */
    private Found found(Json schema, int depth) {
        var found = new Found();
        if (depth > MAX_DEPTH || ++nodes > MAX_NODES) return found;
        addTypes(schema.get("type"), found);
        addMembers(schema.get("properties"), found);
        schema.get("required").items().stream().map(Json::text).forEach(found.required::add);
        schema.get("enum").items().stream().filter(value -> !value.isNull()).forEach(found.values::add);
        if (!schema.get("const").isNull()) found.values.add(schema.get("const"));
        addItems(schema, found);
        found.description = schema.get("description");
        addReferred(schema.get("$ref").text(), found, depth);
        schema.get("allOf").items().forEach(other -> found.add(found(other, depth + 1)));
        found.addOneOf(alternatives(schema.get("anyOf"), depth));
        found.addOneOf(alternatives(schema.get("oneOf"), depth));
        conditional(schema).forEach(other -> found.addOptional(found(other, depth + 1)));
        return found;
    }

    private static void addTypes(Json type, Found found) {
        Stream.concat(Stream.of(type), type.items().stream())
                .map(name -> name.text().toLowerCase(Locale.ROOT))
                .map(name -> OTHER_TYPES.getOrDefault(name, name))
                .filter(TYPES::contains).forEach(found.types::add);
    }

    /** {@return the schemas that hold under some condition} */
    private static List<Json> conditional(Json schema) {
        List<Json> all = new ArrayList<>(List.of(schema.get("then"), schema.get("else")));
        Json[] members = schema.get("dependentSchemas").parts();
        for (int i = 1; i < members.length; i += 2) all.add(members[i]);
        return all.stream().filter(Json.Obj.class::isInstance).toList();
    }

    private static void addMembers(Json properties, Found found) {
        Json[] members = properties.parts();
        for (int i = 0; i < members.length; i += 2) {
            found.addProperty(members[i].text(), List.of(members[i + 1]));
        }
    }

    /** One schema for all items, or a list with one for each of them. */
    private static void addItems(Json schema, Found found) {
        Json items = schema.get("items");
        if (items instanceof Json.Obj) found.items.add(items);
        found.items.addAll(items.items());
        found.items.addAll(schema.get("prefixItems").items());
    }

    private List<Found> alternatives(Json union, int depth) {
        return union.items().stream().filter(other -> !other.get("type").is("null"))
                .map(other -> found(other, depth + 1)).toList();
    }

    /**
     * Adds what {@code {"$ref":"#/$defs/A"}} stands for. Of a definition within itself no more is said than
     * that it is an object.
     */
    private void addReferred(String path, Found found, int depth) {
        if (!path.startsWith("#")) return;
        if (open.contains(path)) {
            found.types.add("object");
            return;
        }
        found.references.add(path);
        Json at = root;
        for (String name : path.substring(1).split("/")) {
            if (!name.isEmpty()) at = at.get(unescaped(name));
        }
        found.add(found(at, depth + 1));
    }

    /** {@return a name in a JSON pointer within a URL, as {@code a~1b} or {@code a%20b}} */
    private static String unescaped(String name) {
        String decoded = name;
        boolean isEncoded = name.indexOf('%') >= 0;
        try {
            if (isEncoded) decoded = URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // then it is a name with a percent sign
            decoded = name;
        }
        return decoded.replace("~1", "/").replace("~0", "~");
    }

    private void write(Found found, int depth) {
        List<String> opened = found.references.stream().filter(open::add).toList();
        writeOpened(found, depth);
        opened.forEach(open::remove);
    }

    private void writeOpened(Found found, int depth) {
        String type = found.type();
        out.object().field("type", type);
        writeDescription(found, type);
        switch (type) {
            case "object" -> writeMembers(found, depth);
            case "array" -> {
                out.name("items");
                write(combined(found.items, depth), depth + 1);
            }
            case "string" -> writeValues(found);
            default -> { } // number, integer, boolean
        }
        out.endObject();
    }

    /** Writes the description, and which numbers are taken, as there is no enum of them. */
    private void writeDescription(Found found, String type) {
        String description = found.description.text();
        boolean isNumber = type.equals("integer") || type.equals("number");
        List<String> numbers =
                isNumber ? values(found, type).stream().map(Json::raw).distinct().toList() : List.of();
        if (!numbers.isEmpty()) {
            String oneOf = "one of: " + String.join(", ", numbers);
            description = description.isEmpty() ? oneOf : "%s (%s)".formatted(description, oneOf);
        }
        if (description.isEmpty()) return;
        isCut |= description.length() > longestDescription;
        out.field("description", cut(JsonWriter.text(description), longestDescription));
    }

    private void writeMembers(Found found, int depth) {
        out.name("properties").object();
        found.properties.forEach((name, schemas) -> {
            out.name(name);
            write(combined(schemas, depth), depth + 1);
        });
        out.endObject();
        List<String> required = found.required.stream().filter(found.properties::containsKey).toList();
        if (required.isEmpty()) return;
        out.name("required").array();
        required.forEach(out::string);
        out.endArray();
    }

    /** {@return what schemas say of which one holds} */
    private Found combined(List<Json> schemas, int depth) {
        var all = new Found();
        if (depth < MAX_DEPTH) all.addOneOf(schemas.stream().map(schema -> found(schema, 0)).toList());
        return all;
    }

    private void writeValues(Found found) {
        Map<String, Json> byText = new LinkedHashMap<>();
        values(found, "string").forEach(value -> byText.putIfAbsent(value.text(), value));
        if (byText.isEmpty()) return;
        out.name("enum").array();
        byText.values().forEach(out::value);
        out.endArray();
    }

    private static List<Json> values(Found found, String type) {
        return found.values.stream().filter(value -> isOfType(value, type)).toList();
    }

    private static boolean isOfType(Json value, String type) {
        String own = typeOf(value);
        boolean isNumber = own.equals("integer") && type.equals("number");
        boolean isEmpty = value instanceof Json.Str && !value.hasText(); // Gemini refuses an empty one
        return (own.equals(type) || isNumber) && !isEmpty;
    }

    private static String typeOf(Json value) {
        return switch (value) {
            case Json.Str text -> "string";
            case Json.Num number -> number.raw().contains(".") ? "number" : "integer";
            case Json.Word word -> "boolean";
            case Json.Obj object -> "object";
            case Json.Arr list -> "array";
        };
    }

    /** {@return a text, cut to so many characters} */
    static Json.Str cut(Json.Str text, int characters) {
        if (text.text().length() <= characters) return text;
        int end = Character.isHighSurrogate(text.text().charAt(characters - 1)) ? characters - 1 : characters;
        return JsonWriter.text(text.text().substring(0, end));
    }
}
