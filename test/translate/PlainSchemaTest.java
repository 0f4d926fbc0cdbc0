package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import json.JsonParser;
import json.JsonWriter;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Tree;

/** Schemas of tools in the keywords that all backends take. */
class PlainSchemaTest {
    private static String plain(String schema) {
        var out = new JsonWriter();
        PlainSchema.write(JsonParser.parse(schema.getBytes(StandardCharsets.UTF_8)), 1024, out);
        return out.toString();
    }

    /** The schema of a parameter, and what it becomes. */
    private static final String[][] PARAMETERS = {
            {"{'type':'array'}", "{'type':'array','items':{'type':'string'}}"},
            {"{'type':'array','items':true}", "{'type':'array','items':{'type':'string'}}"},
            {"{'type':['object','null'],'properties':{'x':{'type':'integer'}}}", "{'type':'object','properties':{'x':{'type':'integer'}}}"},
            {"{'type':'string','pattern':'^(?i)a','minLength':1,'format':'uri'}", "{'type':'string'}"},
            {"{'type':'integer','exclusiveMinimum':0}", "{'type':'integer'}"},
            {"{'type':'array','items':{'type':'string'},'minItems':1}", "{'type':'array','items':{'type':'string'}}"},
            {"{'const':'a'}", "{'type':'string','enum':['a']}"},
            {"{'const':3}", "{'type':'integer','description':'one of: 3'}"},
            {"{'enum':['a','b',null]}", "{'type':'string','enum':['a','b']}"},
            {"{'type':'object','propertyNames':{'type':'string'},'additionalProperties':{'type':'number'}}", "{'type':'object','properties':{}}"},
            {"{'type':'object','properties':{'x':{'type':'string'}},'required':null}", "{'type':'object','properties':{'x':{'type':'string'}}}"},
            {"{'type':'object','properties':{'x':{}},'required':['x','y']}", "{'type':'object','properties':{'x':{'type':'string'}},'required':['x']}"},
            {"{'type':'array','items':[{'type':'string'},{'type':'number'}]}", "{'type':'array','items':{'type':'string'}}"},
            {"{'type':'array','prefixItems':[{'type':'number'}],'items':false}", "{'type':'array','items':{'type':'number'}}"},
            {"{'description':'D','anyOf':[{'type':'integer'},{'type':'null'}]}", "{'type':'integer','description':'D'}"},
            {"{'anyOf':[{'const':'a'},{'const':'b'}]}", "{'type':'string','enum':['a','b']}"},
            {"{'anyOf':[{'const':'a'},{'type':'string'}]}", "{'type':'string'}"},
            {"{'oneOf':[{'type':'object','properties':{'k':{'const':'p'},'p':{'type':'string'}},'required':['k','p']},"
                    + "{'type':'object','properties':{'k':{'const':'q'},'q':{'type':'string'}},'required':['k']}]}",
                    "{'type':'object','properties':{'k':{'type':'string','enum':['p','q']},'p':{'type':'string'},'q':{'type':'string'}},'required':['k']}"},
            {"{'allOf':[{'properties':{'a':{'type':'string'}},'required':['a']},{'properties':{'b':{'type':'string'}},'required':['b']}]}",
                    "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},'required':['a','b']}"},
            {"{'type':'number','enum':[1.5,2,'x'],'description':'D'}", "{'type':'number','description':'D (one of: 1.5, 2)'}"},
            {"{'type':'boolean','enum':[true]}", "{'type':'boolean'}"},
            {"{'enum':['x',1,null,true,{'b':1},'','x']}", "{'type':'string','enum':['x']}"},
            {"{'enum':[]}", "{'type':'string'}"},
            {"{'enum':[null]}", "{'type':'string'}"},
            {"{'const':{'x':1}}", "{'type':'object','properties':{}}"},
            {"{'type':'any'}", "{'type':'string'}"},
            {"{'type':'INTEGER'}", "{'type':'integer'}"},
            {"{'type':'dict'}", "{'type':'object','properties':{}}"},
            {"{'type':5,'description':5,'required':true}", "{'type':'string'}"},
            {"{'type':['string','array','null'],'items':{'type':'integer'}}", "{'type':'array','items':{'type':'integer'}}"},
            {"{'anyOf':[true,false]}", "{'type':'string'}"},
            {"{'$ref':'https://h.test/x.json'}", "{'type':'string'}"},
            {"{'$ref':'#/$defs/None'}", "{'type':'string'}"},
            {"{'type':'object','properties':[{'name':'a'}]}", "{'type':'object','properties':{}}"},
            {"{'type':'object','if':{'required':['x']},'then':{'properties':{'x':{'type':'string'}},'required':['x']},'else':{'properties':{'y':{'type':'integer'}}}}",
                    "{'type':'object','properties':{'x':{'type':'string'},'y':{'type':'integer'}}}"},
            {"{'type':'object','properties':{'a':{'type':'string'}},'dependentSchemas':{'a':{'properties':{'b':{'type':'string'}},'required':['b']}}}",
                    "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}}}"},
            {"{'type':'object','properties':{'type':{'type':'string'},'$ref':{'type':'string'},'':{'type':'string'}},'required':['type']}",
                    "{'type':'object','properties':{'type':{'type':'string'},'$ref':{'type':'string'},'':{'type':'string'}},'required':['type']}"},
            {"{'type':'null'}", "{'type':'string'}"},
            {"true", "{'type':'string'}"}};

    @TestFactory
    Stream<DynamicTest> parametersKeepWhatAllBackendsTake() {
        String tool = "{'type':'object','properties':{'v':%s}}".replace('\'', '"');
        return Stream.of(PARAMETERS).map(row -> DynamicTest.dynamicTest(row[0], () ->
                assertEquals(Tree.of(tool.formatted(row[1].replace('\'', '"'))), Tree.of(plain(tool.formatted(row[0].replace('\'', '"')))))));
    }

    @TestFactory
    Stream<DynamicTest> aToolsInputIsAlwaysAnObject() {
        String both = "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}}%s}";
        return Stream.of(new String[][] {
                {"{}", "{'type':'object','properties':{}}"},
                {"{'type':'object','enum':[{}],'properties':{'a':{'type':'string'}}}", "{'type':'object','properties':{'a':{'type':'string'}}}"},
                {"{'anyOf':[{'properties':{'a':{'type':'string'}},'required':['a']},{'properties':{'b':{'type':'string'}},'required':['b']}]}", both.formatted("")},
                {"{'allOf':[{'properties':{'a':{'type':'string'}},'required':['a']},{'properties':{'b':{'type':'string'}}}]}", both.formatted(",'required':['a']")},
                {"{'$ref':'#/$defs/A','$defs':{'A':{'properties':{'a':{'$ref':'#/$defs/B'}}},'B':{'type':'integer'}}}",
                        "{'type':'object','properties':{'a':{'type':'integer'}}}"},
                {"{'properties':{'t':{'$ref':'#/$defs/T'}},'$defs':{'T':{'properties':{'n':{'type':'array','items':{'$ref':'#/$defs/T'}}}}}}",
                        "{'type':'object','properties':{'t':{'type':'object','properties':{'n':{'type':'array','items':{'type':'object','properties':{}}}}}}}"}})
                .map(row -> DynamicTest.dynamicTest(row[0], () ->
                        assertEquals(Tree.of(row[1].replace('\'', '"')), Tree.of(plain(row[0].replace('\'', '"'))))));
    }

    /** What servers dislike, by itself; it may stand anywhere in a schema. */
    private static final List<String> DISLIKED = List.of("{'type':'array'}", "{'anyOf':[{'type':'string'},{'type':'null'}],'type':'string'}",
            "{'oneOf':[{'const':1},{'const':'a'}]}", "{'allOf':[{'type':'object','properties':{'p':true}},{'required':['p']}]}",
            "{'type':['object','null'],'properties':{'x':{'type':['integer','null']}}}", "{'type':'string','pattern':'(?i)a(?=b)'}",
            "{'type':'array','items':{'type':'string'},'minItems':1,'uniqueItems':true,'contains':{'const':'a'}}", "{'const':null}",
            "{'type':'integer','exclusiveMinimum':0,'multipleOf':2,'enum':[2,4]}",
            "{'type':'object','propertyNames':{'pattern':'^a'},'patternProperties':{'^x':{'type':'null'}},'additionalProperties':{'$ref':'#/$defs/R'}}",
            "{'type':'object','properties':{'o':{'type':'object','properties':{'x':false},'required':null}}}",
            "{'type':'array','items':[{'type':'string'},{'type':'number'}],'additionalItems':false}", "{'type':'array','prefixItems':[true]}",
            "{'type':'string','format':'uri','minLength':1,'default':null,'examples':[1],'title':'T','nullable':true}",
            "{'$ref':'#/$defs/R'}", "{'$ref':'#/$defs/R','description':'near','$comment':'c'}", "true", "false", "null", "[]", "'string'",
            "{'enum':['a',null,1,true,[],{}]}", "{'type':'null'}", "{'not':{'type':'string'}}", "{'$dynamicRef':'#x','unevaluatedProperties':false}",
            "{'type':'string','enum':[1,2]}", "{'required':['z'],'dependentRequired':{'z':['y']}}", "{'type':'file'}");

    /** Where it stands; R holds itself. */
    private static final Map<String, String> PLACES = Map.of(
            "a property", "{'type':'object','properties':{'v':%s},'required':['v','w']}",
            "items", "{'type':'object','properties':{'v':{'type':'array','items':%s}}}",
            "a definition", "{'type':'object','properties':{'v':{'$ref':'#/$defs/D'}},'$defs':{'D':%s}}",
            "a definition in itself", "{'properties':{'v':{'$ref':'#/$defs/D'}},'$defs':{'D':{'type':'object','properties':{'d':{'$ref':'#/$defs/D'},'e':%s}}}}",
            "an alternative", "{'anyOf':[{'properties':{'v':{'anyOf':[{'type':'string'},%s]}}},{'required':['v']}]}",
            "the top", "%s");

    @TestFactory
    Stream<DynamicTest> whatIsDislikedAnywhereIsGone() {
        String definition = "'$defs':{'R':{'type':'object','properties':{'r':{'$ref':'#/$defs/R'},'l':{'type':'array','items':{'$ref':'#/$defs/R'}}}},";
        return PLACES.entrySet().stream().flatMap(place -> DISLIKED.stream().map(disliked ->
                DynamicTest.dynamicTest(place.getKey() + ": " + disliked, () -> {
                    String schema = place.getValue().formatted(disliked);
                    String whole = schema.contains("'$defs':{") ? schema.replaceFirst("'\\$defs':\\{", Matcher.quoteReplacement(definition))
                            : schema.startsWith("{") ? schema.replaceFirst("\\{", Matcher.quoteReplacement("{" + definition.replaceAll(",$", "}")
                                    + (schema.equals("{}") ? "" : ","))) : schema;
                    Object plain = Tree.of(plain(whole.replace('\'', '"')));
                    assertEquals("object", Tree.at(plain, "type"));
                    assertPlain(plain);
                })));
    }

    /** As the strictest servers want it: Gemini for enum, OpenAI for items, Moonshot for type and required. */
    private static void assertPlain(Object schema) {
        Map<?, ?> members = assertInstanceOf(Map.class, schema);
        assertTrue(Set.of("type", "properties", "required", "items", "enum", "description").containsAll(members.keySet()), schema.toString());
        Object type = members.get("type");
        assertTrue(Set.of("object", "array", "string", "number", "integer", "boolean").contains(type), schema.toString());
        assertEquals("object".equals(type), members.containsKey("properties"), schema.toString());
        assertEquals("array".equals(type), members.containsKey("items"), schema.toString());
        if (members.get("properties") instanceof Map<?, ?> properties) {
            properties.values().forEach(PlainSchemaTest::assertPlain);
            if (members.get("required") instanceof List<?> required) assertTrue(properties.keySet().containsAll(required) && !required.isEmpty());
        }
        if (members.containsKey("items")) assertPlain(members.get("items"));
        if (members.get("enum") instanceof List<?> values) {
            assertTrue("string".equals(type) && !values.isEmpty() && new HashSet<>(values).size() == values.size());
            assertTrue(values.stream().allMatch(value -> value instanceof String text && !text.isEmpty()), schema.toString());
        }
    }

    /** A server with a thousand parameters, and one whose parameters hold each other a hundred deep. */
    @Test
    void hugeSchemasArePlainToo() {
        String many = IntStream.range(0, 1000).mapToObj(i -> "\"p%d\":{\"anyOf\":[{\"const\":%1$d},{\"type\":\"null\"}]}".formatted(i))
                .collect(Collectors.joining(","));
        Object wide = Tree.of(plain("{\"type\":\"object\",\"properties\":{" + many + "}}"));
        assertPlain(wide);
        assertEquals(1000, ((Map<?, ?>) Tree.at(wide, "properties")).size());
        assertPlain(Tree.of(plain("{\"properties\":{\"d\":".repeat(100) + "{}" + "}}".repeat(100))));
    }

    @Test
    void descriptionsAreCut() {
        String long1 = "{\"properties\":{\"a\":{\"type\":\"string\",\"description\":\"%s\"}}}".formatted("x".repeat(1100));
        assertEquals("x".repeat(1024), Tree.at(Tree.of(plain(long1)), "properties.a.description"));
    }

    /** Definitions that hold each other twice would double the schema at each level. */
    @Test
    void aSchemaThatGrowsWithoutEndEnds() {
        var definitions = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            definitions.append("\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%2$d\"},{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d%2$d\"},"
                    .formatted(i, i + 1)).append("\"b\":{\"$ref\":\"#/$defs/d%d\"}}}]},".formatted(i + 1));
        }
        String schema = "{\"$ref\":\"#/$defs/d0\",\"$defs\":{%s\"d40\":{}}}".formatted(definitions);
        assertTrue(plain(schema).length() < 1_000_000);
    }
}
