package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
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
            {"{'const':3}", "{'type':'integer','enum':[3]}"},
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
            {"{'type':'number','enum':[1.5,2]}", "{'type':'number','enum':[1.5,2]}"},
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
