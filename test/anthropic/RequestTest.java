package anthropic;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import json.JsonParser;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What is checked of a request before it is translated, and what is still known of it afterwards. */
class RequestTest {
    private static final String CONVERSATION = """
            "messages":[{"role":"user","content":"a"},
            {"role":"assistant","content":[{"type":"text","text":"b"},
            {"type":"tool_use","id":"c1","name":"t","input":{"x":1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"d"}]}]""";

    private static Request request(String members) {
        return new Request(JsonParser.parse("{" + members + "}"));
    }

    /** {@return a request with a member; of members with the same name the last counts} */
    private static Request with(String member) {
        return request("\"model\":\"m\",\"max_tokens\":9," + CONVERSATION + "," + member);
    }

    private static DynamicTest refused(String members, String error) {
        return DynamicTest.dynamicTest(error, () -> {
            ApiError thrown = assertThrows(ApiError.class, () -> with(members));
            assertEquals(400, thrown.status());
            assertEquals(error, thrown.getMessage());
        });
    }

    /** The shapes are those of Anthropic's API reference. */
    @TestFactory
    Stream<DynamicTest> aMemberOfAnotherShapeIsRefusedByName() {
        return Stream.of(
                refused("\"model\":1", "model: a string expected"),
                refused("\"max_tokens\":\"9\"", "max_tokens: a number expected"),
                refused("\"messages\":{}", "messages: an array expected"),
                refused("\"system\":{}", "system: a string or an array expected"),
                refused("\"tools\":{}", "tools: an array expected"),
                refused("\"tool_choice\":\"auto\"", "tool_choice: an object expected"),
                refused("\"thinking\":true", "thinking: an object expected"),
                refused("\"output_config\":[]", "output_config: an object expected"),
                refused("\"output_format\":\"json\"", "output_format: an object expected"),
                refused("\"stop_sequences\":\"x\"", "stop_sequences: an array expected"),
                refused("\"stream\":\"true\"", "stream: true or false expected"),
                refused("\"temperature\":\"1\"", "temperature: a number expected"),
                refused("\"top_p\":\"1\"", "top_p: a number expected"),
                refused("\"top_k\":\"1\"", "top_k: a number expected"),
                refused("\"metadata\":\"u\"", "metadata: an object expected"),
                refused("\"mcp_servers\":{}", "mcp_servers: an array expected"));
    }

    @TestFactory
    Stream<DynamicTest> anErrorInTheDepthNamesThePath() {
        return Stream.of(
                refused("\"system\":[{\"type\":\"text\",\"text\":\"s\"},{\"type\":\"text\"}]",
                        "system[1].text: Field required"),
                refused("\"messages\":[{\"role\":\"user\",\"content\":[1]}]",
                        "messages[0].content[0]: an object expected"),
                refused("\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[{}]}]",
                        "messages[1].content[0].type: Field required"),
                refused("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":\"2048\"}",
                        "thinking.budget_tokens: a number expected"),
                refused("\"output_config\":{\"format\":[]}", "output_config.format: an object expected"));
    }

    @Test
    void nullIsAsGoodAsMissing() {
        List<String> names = List.of("system", "tools", "tool_choice", "thinking", "output_config", "output_format",
                "stop_sequences", "stream", "temperature", "top_p", "top_k", "metadata", "mcp_servers");
        for (String name : names) {
            assertDoesNotThrow(() -> with("\"" + name + "\":null"), name);
        }
    }

    @Test
    void maxTokensMayBeMissingUntilARequestIsSent() {
        Request counted = request("\"model\":\"m\"," + CONVERSATION);
        ApiError thrown = assertThrows(ApiError.class, counted::requireMaxTokens);
        assertEquals("max_tokens: Field required", thrown.getMessage());
    }

    @Test
    void theReplyFindsWhatItNeedsInAForgottenRequest() {
        Request request = with("\"stream\":true,\"stop_sequences\":[\"x\",\" \"],\"thinking\":{\"type\":\"disabled\"},"
                + "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true},"
                + "\"tools\":[{\"name\":\"t\",\"description\":\"long\",\"input_schema\":{}}]");
        request.forget();
        assertEquals("""
                {"tools":[{"name":"t"}],"messages":[{"content":[{"type":"tool_use","id":"c1"}]}],\
                "model":"m","max_tokens":9,"stream":true,"stop_sequences":["x"," "],\
                "tool_choice":{"type":"any","disable_parallel_tool_use":true},"thinking":{"type":"disabled"}}""",
                request.json().raw());
    }

    /** As in SPEC G.1: a system message's effort, then the request's, then the budget. */
    @Test
    void theEffortIsWhatWasSaidLastAndMostPlainly() {
        String budget = "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5000}";
        String effort = ",\"output_config\":{\"effort\":\"low\"}";
        String changed = ",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                + "{\"role\":\"system\",\"content\":\"b\",\"output_config\":{\"effort\":\"max\"}}]";
        assertEquals(Optional.empty(), with("\"thinking\":{\"type\":\"adaptive\",\"budget_tokens\":5000}").effort());
        assertEquals(Optional.of("medium"), with(budget).effort());
        assertEquals(Optional.of("low"), with(budget + effort).effort());
        assertEquals(Optional.of("max"), with(budget + effort + changed).effort());
    }
}
