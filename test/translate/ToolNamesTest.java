package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.stream.Stream;
import json.JsonParser;
import json.JsonWriter;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What models call tools, and the declared names that are meant (SPEC B.2, "Names"). */
class ToolNamesTest {
    private static final String LONG = "mcp__a_server_with_a_long_name__and_a_tool_with_a_longer_name_than_is_taken";
    private static final ToolNames NAMES = new ToolNames(JsonParser.parse("""
            [{"name":"Bash"},{"name":"BashOutput"},{"name":"mcp__db__query"},{"name":"get-it"},{"name":"my.tool"},
            {"name":"%s"},{"type":"nameless"}]""".formatted(LONG)).items(), Optional.empty());

    private static Stream<DynamicTest> all(String expected, String... called) {
        return Stream.of(called).map(name -> DynamicTest.dynamicTest("'" + name + "'",
                () -> assertEquals(expected, NAMES.declared(name))));
    }

    @TestFactory
    Stream<DynamicTest> dirtIsTakenOff() {
        return all("Bash", "Bash", "bash", "BASH", "Bash\n", "\nBash", " Bash ", "Bash\t", "Bash\0", "Bash\u200b",
                "\ufeffBash", "\"Bash\"", "'Bash'", "`Bash`", "Bash\"", "Bash<|channel|>commentary",
                "Bash<|channel|>json", "Bash <|constrain|>json", "Bash<|end|>", "functions.Bash",
                "functions.Bash:0", "functions.Bash:12",
                "functions.Bash<|channel|>commentary", "function.Bash", "functions:Bash", "functions::Bash",
                "functions.functions.Bash", "default_api.Bash", "default_api:Bash", "default_api.bash\n", "tools.Bash",
                "tool.Bash", "Bash:0", "Bash()", "Bash(", "Bash:", "Bash.", "Bash{", "Bash</tool_call>",
                "Bash\n{\"command\":\"ls\"}", "to=functions.Bash", "commentary to=functions.Bash",
                "<|channel|>commentary to=functions.Bash<|message|>", "assistant to=Bash", "print(default_api.Bash");
    }

    @TestFactory
    Stream<DynamicTest> otherNamesToo() {
        return Stream.of(all("BashOutput", "BashOutput\n", "functions.BashOutput:1", "bashoutput<|channel|>json"),
                all("mcp__db__query", "mcp__db__query ", "default_api.mcp__db__query", "MCP__DB__QUERY"),
                all("get-it", "get-it\n", "functions.get-it:3"), all("my.tool", "my.tool", "functions.my.tool"))
                .flatMap(tests -> tests);
    }

    @Test
    void aNameThatWasShortenedIsTheLongOneAgain() {
        String sent = ToolNames.shortName(JsonWriter.text(LONG)).text();
        assertEquals(LONG, NAMES.declared(sent));
        assertEquals(LONG, NAMES.declared("functions." + sent + ":0"));
    }

    /** A tool of somebody else's is not taken for one of ours because its name ends alike. */
    @TestFactory
    Stream<DynamicTest> namesThatAreNoneStayAsTheyAre() {
        return Stream.of("Nope", "Nope\n", "server.Bash", "github:Bash", "a/Bash", "Bash.exe", "Bash:run", "BashX",
                "Bas", "mcp__other__query", "query", "multi_tool_use.parallel", "functions.", "", " ", "<|channel|>")
                .flatMap(name -> all(name, name));
    }
}
