package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Counted;
import testing.Pair;
import testing.Tree;
import testing.Wire;

/**
 * Tools and ids of calls that a backend refuses, in its vendor's words: the conversation goes on, by one more request
 * the first time and by none later. The backend is strict: it refuses each request that has what it dislikes.
 */
class ToolRefusalsTest {
    private static final String GOOD = "{'type':'object','properties':{'a':{'type':'string'}},'required':['a']}";

    /**
     * @param words    %s is the tool's name, %d its place in the list
     * @param schema   of a tool that the backend refuses
     * @param disliked what it refuses in that, as text
     */
    private record Row(String vendor, int status, String words, String schema, String disliked) { }

    private static final List<Row> ROWS = List.of(
            new Row("OpenAI", 400, "Invalid schema for function '%1$s': In context=('properties', 'l'), array schema missing items.",
                    "{'type':'object','properties':{'l':{'type':'array'}}}", "{\"type\":\"array\"}"),
            new Row("OpenAI", 400, "Invalid schema for function '%1$s': schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
                    "{'type':'object','anyOf':[{'required':['a']},{'required':['b']}],'properties':{'a':{'type':'string'},'b':{'type':'string'}}}", "anyOf"),
            new Row("OpenAI", 400, "Invalid schema for function '%1$s': '(?i)^a' is not a 'regex'.",
                    "{'type':'object','properties':{'a':{'type':'string','pattern':'(?i)^a'}}}", "pattern"),
            new Row("OpenAI", 400, "Invalid 'tools[%2$d].function.parameters': null is not of type 'array'.",
                    "{'type':'object','properties':{'o':{'type':'object','properties':{'x':{'type':'string'}},'required':null}}}", "\"required\":null"),
            new Row("Gemini", 400, "* GenerateContentRequest.tools[0].function_declarations[%2$d].parameters.properties[l].items: missing field.",
                    "{'type':'object','properties':{'l':{'type':'array'}}}", "{\"type\":\"array\"}"),
            new Row("Gemini", 400, "Invalid JSON payload received. Unknown name \\\"exclusiveMinimum\\\" at 'tools[0].function_declarations[%2$d].parameters.properties[0].value': Cannot find field.",
                    "{'type':'object','properties':{'n':{'type':'integer','exclusiveMinimum':0}}}", "exclusiveMinimum"),
            new Row("Gemini", 400, "Invalid JSON payload received. Unknown name \\\"type\\\" at 'tools[0].function_declarations[%2$d].parameters.properties[0].value': Proto field is not repeating, cannot start list.",
                    "{'type':'object','properties':{'o':{'type':['object','null'],'properties':{'x':{'type':'string'}}}}}", "[\"object\",\"null\"]"),
            new Row("Gemini", 400, "* GenerateContentRequest.tools[0].function_declarations[%2$d].parameters.properties[u].format: only 'enum' and 'date-time' are supported for STRING type",
                    "{'type':'object','properties':{'u':{'type':'string','format':'uri'}}}", "format"),
            new Row("Vertex AI", 400, "Unable to submit request because `%1$s` functionDeclaration `parameters.u` schema specified other fields alongside any_of. When using any_of, it must be the only field set.",
                    "{'type':'object','properties':{'u':{'description':'D','anyOf':[{'type':'string'},{'type':'null'}]}}}", "anyOf"),
            new Row("Bedrock", 400, "The model returned the following errors: tools.%2$d.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12",
                    "{'type':'object','properties':{'t':{'type':'array','items':[{'type':'string'},{'type':'number'}]}}}", "\"items\":["),
            new Row("Groq", 400, "invalid JSON schema for tool %1$s, tools[%2$d].function.parameters: `/properties/m/propertyNames`: unsupported keyword",
                    "{'type':'object','properties':{'m':{'type':'object','propertyNames':{'type':'string'}}}}", "propertyNames"),
            new Row("Cerebras", 422, "Invalid fields for schema with types ['array']: {'minItems'}",
                    "{'type':'object','properties':{'l':{'type':'array','items':{'type':'string'},'minItems':1}}}", "minItems"),
            new Row("Moonshot", 400, "Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'properties.x': type is not defined>",
                    "{'type':'object','properties':{'x':{'description':'of any kind'}}}", "{\"description\":\"of any kind\"}"),
            new Row("llama.cpp", 500, "JSON schema conversion failed:\\nUnrecognized schema: {\\\"not\\\":{}}",
                    "{'type':'object','properties':{'x':{'not':{}}}}", "\"not\""),
            new Row("llama.cpp", 400, "Failed to initialize samplers: Pattern must start with '^' and end with '$'",
                    "{'type':'object','properties':{'x':{'type':'string','pattern':'a'}}}", "pattern"),
            new Row("vLLM", 400, "1 validation error for ChatCompletionRequest\\ntools.%2$d.function.parameters.x\\n  Input should be a valid dictionary",
                    "{'type':'object','properties':{'x':{'type':'array','items':false}}}", "\"items\":false"),
            new Row("a server with xgrammar", 400, "Failed to compile grammar: unsupported regex lookahead",
                    "{'type':'object','properties':{'x':{'type':'string','pattern':'(?=a)'}}}", "pattern"),
            new Row("Ollama", 400, "json: cannot unmarshal bool into Go struct field .tools.function.parameters.properties.items of type api.ToolProperty",
                    "{'type':'object','properties':{'x':{'type':'array','items':true}}}", "\"items\":true"),
            new Row("Mistral", 422, "{'type':'missing','loc':['body','tools',%2$d,'function','parameters','properties','c','type'],'msg':'Field required'}",
                    "{'type':'object','properties':{'c':{'const':'a'}}}", "const"),
            new Row("Bedrock", 400, "The value at toolConfig.tools.%2$d.toolSpec.inputSchema.json.type must be one of the following: object.",
                    "{'type':['object','null'],'properties':{'a':{'type':'string'}}}", "[\"object\",\"null\"]"),
            new Row("Anthropic behind a gateway", 400, "litellm.BadRequestError: AnthropicException - tools.%2$d.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
                    "{'type':'object','allOf':[{'properties':{'a':{'type':'string'}}}]}", "allOf"),
            new Row("Moonshot", 400, "Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'root': when using anyOf, type should be defined in anyOf items instead of the parent schema>",
                    "{'type':'object','anyOf':[{'properties':{'a':{'type':'string'}}}]}", "anyOf"),
            new Row("Moonshot", 400, "tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'properties.tasks.items.properties': property schema for 'outputSchema' must be an object>",
                    "{'type':'object','properties':{'outputSchema':true}}", "\"outputSchema\":true"),
            new Row("llama.cpp", 400, "Failed to initialize samplers: failed to parse grammar",
                    "{'type':'object','properties':{'x':{'type':'string','pattern':'^[0-9]{4}$'}}}", "pattern"),
            new Row("vLLM with guidance", 500, "Grammar error: Unimplemented keys: [\\\"propertyNames\\\"]",
                    "{'type':'object','properties':{'m':{'type':'object','propertyNames':{'type':'string'}}}}", "propertyNames"),
            new Row("vLLM with xgrammar", 400, "The provided JSON schema contains features not supported by xgrammar.",
                    "{'type':'object','properties':{'x':{'type':'array','items':{'type':'string'},'minItems':1}}}", "minItems"),
            new Row("llama.cpp", 500, "Unsupported ref: http://h.test/x.json",
                    "{'type':'object','properties':{'x':{'$ref':'http://h.test/x.json'}}}", "$ref"),
            new Row("SGLang", 400, "Tool %2$d function has invalid 'parameters' schema: None is not of type 'array'",
                    "{'type':'object','properties':{'o':{'type':'object','properties':{},'required':null}}}", "\"required\":null"),
            new Row("Gemini", 400, "Invalid value at 'tools[0].function_declarations[%2$d].parameters.properties[0].value.enum[0]' (TYPE_STRING), 1",
                    "{'type':'object','properties':{'n':{'type':'integer','enum':[1,2]}}}", "\"enum\":[1"),
            new Row("GLM", 400, "tools[%2$d].function.parameters 参数非法", "{'type':'object','oneOf':[{'properties':{'a':{'type':'string'}}}]}", "oneOf"));

    private static String tool(String name, String schema) {
        return "{'name':'%s','description':'D','input_schema':%s}".formatted(name, schema).replace('\'', '"');
    }

    private static String request(String... tools) {
        return "{\"model\":\"m1\",\"max_tokens\":9,\"stream\":true,\"tools\":[%s],\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                .formatted(String.join(",", tools));
    }

    /** {@return a script that refuses a request with these words as long as that is in it} */
    private static Backend.Script refusing(int status, String words, Predicate<String> disliked) {
        return call -> {
            boolean isRefused = disliked.test(call.text());
            (isRefused ? Backend.refusing(status, words) : Backend.saying("fine")).answer(call);
        };
    }

    /** Posts what must go well in the end. {@return the bodies that the backend has got for it} */
    private static List<String> bodies(Pair pair, String request) throws Exception {
        int before = pair.backend.requests();
        Wire.Reply reply = pair.post(request);
        assertEquals(200, reply.status(), reply.body());
        List<String> bodies = new ArrayList<>();
        for (int i = before; i < pair.backend.requests(); i++) bodies.add(pair.backend.take().text());
        return bodies;
    }

    private static List<?> tools(String body) {
        return (List<?>) Tree.at(Tree.of(body), "tools");
    }

    private static String names(String body) {
        return tools(body).stream().map(tool -> (String) Tree.at(tool, "function.name")).collect(Collectors.joining(" "));
    }

    @TestFactory
    Stream<DynamicTest> aSchemaThatIsRefusedGoesAgainAsAPlainOne() {
        return ROWS.stream().map(row -> DynamicTest.dynamicTest(row.vendor + " " + row.disliked, () -> {
            try (var pair = new Pair()) {
                String words = row.words.formatted("mcp__s__bad", 1).replace("{'type':'missing'", "{'type':'missing'");
                pair.backend.answers(refusing(row.status, words, body -> body.contains(row.disliked)));
                String request = request(tool("mcp__s__good", GOOD), tool("mcp__s__bad", row.schema));
                List<String> bodies = bodies(pair, request);
                assertEquals(2, bodies.size());
                assertEquals("mcp__s__good mcp__s__bad", names(bodies.getLast()));
                assertEquals(Tree.of(GOOD.replace('\'', '"')), Tree.at(tools(bodies.getLast()).getFirst(), "function.parameters"));
                assertEquals(List.of(bodies.getLast()), bodies(pair, request), "learned");
                assertEquals(2, bodies(pair, request.replace("m1", "m2")).size(), "not of another model");
            }
        }));
    }

    @Test
    void whatIsPlainIsToldOnce() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(refusing(400, "Invalid schema for function 'a_b': no", body -> body.contains("const")));
            String warnings = pair.post(request(tool("a_b", "{'properties':{'c':{'const':1}}}"), tool("c", GOOD)))
                    .headers().get("x-proxy-warnings");
            assertEquals("tool_schemas_plain", warnings);
        }
    }

    @TestFactory
    Stream<DynamicTest> aToolThatIsNamedAndStillRefusedIsLeftOut() {
        return Stream.of("Invalid schema for function 'mcp__s__bad': it is cursed",
                "tools.1.custom.input_schema: it is cursed",
                "* GenerateContentRequest.tools[0].function_declarations[1].name: Invalid function name",
                "Tool `mcp__s__bad` has an invalid schema").map(words -> DynamicTest.dynamicTest(words, () -> {
                    try (var pair = new Pair()) {
                        pair.backend.answers(refusing(400, words, body -> body.contains("mcp__s__bad")));
                        String bad = tool("mcp__s__bad", "{'type':'object','properties':{'l':{'const':1}}}");
                        String request = request(tool("mcp__s__good", GOOD), bad, tool("last", GOOD));
                        List<String> bodies = bodies(pair, request);
                        assertEquals(3, bodies.size());
                        assertEquals("mcp__s__good last", names(bodies.getLast()));
                        assertEquals(1, bodies(pair, request).size(), "learned");
                        String other = request(tool("mcp__s__bad", GOOD));
                        pair.backend.answers(Backend.saying("fine"));
                        assertEquals("mcp__s__bad", names(bodies(pair, other).getLast()), "another schema may be taken");
                    }
                }));
    }

    /** The backend names one at a time, by its name or its place. */
    @TestFactory
    Stream<DynamicTest> eachOfManyToolsIsLeftOut() {
        return Stream.of(true, false).map(isByName -> DynamicTest.dynamicTest("by name " + isByName, () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(call -> {
                    List<?> tools = tools(call.text());
                    Optional<String> bad = tools.stream().map(tool -> (String) Tree.at(tool, "function.name"))
                            .filter(name -> name.startsWith("bad_")).findFirst();
                    int place = bad.isEmpty() ? -1 : names(call.text()).replaceAll("bad_.*", "x").split(" ").length - 1;
                    String words = isByName ? "Invalid schema for function '%s'" : "tools[%2$d].function.parameters is invalid";
                    Backend.Script refusal = Backend.refusing(400, words.formatted(bad.orElse(""), place));
                    (bad.isPresent() ? refusal : Backend.saying("fine")).answer(call);
                });
                String[] tools = IntStream.range(0, 12).mapToObj(i -> tool((i % 2 == 0 ? "bad_" : "good_") + i, GOOD))
                        .toArray(String[]::new);
                assertEquals("good_1 good_3 good_5 good_7 good_9 good_11", names(bodies(pair, request(tools)).getLast()));
                assertEquals(1, bodies(pair, request(tools)).size(), "learned");
            }
        }));
    }

    /** What a backend says that takes so many tools; 130 are sent. */
    private static final Map<String, Integer> LIMITS = Map.ofEntries(
            Map.entry("Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 130 instead.", 128),
            Map.entry("'tools' : maximum number of items is 128", 128), Map.entry("Too many tools: at most 128 functions are supported", 128),
            Map.entry("The number of tools exceeds the maximum of 128 function declarations.", 128),
            Map.entry("tools: List should have at most 64 items after validation, not 130", 64),
            Map.entry("1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length less than or equal to 100", 100),
            Map.entry("The number of tools (130) exceeds the maximum allowed (128)", 128), Map.entry("You may provide up to 64 tools", 64),
            Map.entry("Invalid request: number of tools exceeds the limit 128", 128), Map.entry("工具数量超过限制，最多 128 个", 128),
            Map.entry("tools 数量不能超过 20", 20), Map.entry("too many tools", 128), Map.entry("At most 5 tools may be given", 5),
            Map.entry("* GenerateContentRequest.tools[0].function_declarations: At most 128 function declarations are allowed. 130 given", 128),
            Map.entry("Unable to submit request because the number of function declarations (130) exceeds the limit of 128.", 128),
            Map.entry("tools must contain fewer than 129 entries", 128),
            Map.entry("Maximum tools limit reached: 130 tools provided but only 128 are allowed", 128));

    @TestFactory
    Stream<DynamicTest> moreToolsThanABackendTakesAreTheLastOnes() {
        return LIMITS.entrySet().stream().map(limit -> DynamicTest.dynamicTest(limit.getKey(), () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(refusing(400, limit.getKey(), body -> tools(body).size() > limit.getValue()));
                String[] tools = IntStream.range(0, 130).mapToObj(i -> tool("t" + i, GOOD)).toArray(String[]::new);
                List<String> bodies = bodies(pair, request(tools));
                assertEquals(2, bodies.size());
                assertEquals(limit.getValue(), tools(bodies.getLast()).size());
                assertTrue(names(bodies.getLast()).startsWith("t0 t1 "));
                Wire.Reply reply = pair.post(request(tools));
                assertEquals("too_many_tools", reply.headers().get("x-proxy-warnings"));
            }
        }));
    }

    /** Not the tools are too many here; that there are some is no reason to leave any out. */
    @TestFactory
    Stream<DynamicTest> whatIsTooMuchWithinAToolLeavesNoneOut() {
        return Stream.of("tools: Too many tools with strict schemas: 25. The maximum number of strict tools supported is 20.",
                "Schemas contains too many optional parameters (30) in tools (limit: 24)",
                "This model's maximum context length is 100 tokens; the tools take 140000",
                "Rate limit reached: at most 20 tools calls per minute").map(words -> DynamicTest.dynamicTest(words, () -> {
                    try (var pair = new Pair()) {
                        pair.backend.answers(refusing(400, words, body -> true));
                        String[] tools = IntStream.range(0, 130).mapToObj(i -> tool("t" + i, GOOD)).toArray(String[]::new);
                        pair.post(request(tools));
                        for (int i = pair.backend.requests(); i > 0; i--) assertEquals(130, tools(pair.backend.take().text()).size());
                    }
                }));
    }

    private static final String LONG_REFUSAL = "Invalid 'tools[0].function.description': string too long. Expected a string "
            + "with maximum length 1024, but got a string with length %d instead.";

    /** Nothing of it is lost: the rest stands in the system prompt, as do examples of input. */
    @TestFactory
    Stream<DynamicTest> ofADescriptionThatIsTooLongTheRestGoesIntoTheSystemPrompt() {
        String examples = ",\"input_examples\":[{\"a\":\"" + "E".repeat(600) + "\"}]";
        return Stream.of("D".repeat(1100) + "|", "D".repeat(3000) + "|", "é😀".repeat(600) + "|", "D".repeat(600) + "|" + examples)
                .flatMap(long1 -> Stream.of("", "\"system\":\"Be brief.\",").map(system ->
                        DynamicTest.dynamicTest(long1.length() + system, () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(refusing(400, LONG_REFUSAL.formatted(2000), body -> description(body).length() > 1024));
                String text = long1.split("\\|", 2)[0];
                String tool = tool("a", GOOD).replace("\"D\"", '"' + text + '"' + long1.split("\\|", 2)[1]);
                String request = request(tool, tool("b", GOOD)).replaceFirst("\\{", "{" + system);
                List<String> bodies = bodies(pair, request);
                assertEquals(2, bodies.size());
                String whole = description(bodies.getFirst());
                String cut = description(bodies.getLast());
                String prompt = (String) Tree.at(Tree.of(bodies.getLast()), "messages.0.content");
                String note = " [goes on in the system prompt]";
                assertTrue(cut.endsWith(note), cut);
                assertTrue(prompt.startsWith(system.isEmpty() ? "The description of the tool a goes on:\n"
                        : "Be brief.\n\nThe description of the tool a goes on:\n"), prompt);
                assertEquals(whole, cut.substring(0, cut.length() - note.length()) + prompt.split("goes on:\n", 2)[1]);
                assertEquals("system", Tree.at(Tree.of(bodies.getLast()), "messages.0.role"));
                assertEquals(List.of(bodies.getLast()), bodies(pair, request), "learned");
                assertEquals("tool_description_cut", pair.post(request).headers().get("x-proxy-warnings"));
            }
        })));
    }

    private static String description(String body) { return (String) Tree.at(tools(body).getFirst(), "function.description"); }

    // Ids

    private static final String LONG_ID = "chatcmpl-tool-0123456789abcdef0123456789abcdef";
    private static final String CALLED = """
            {"model":"m1","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"},
            {"role":"assistant","content":[{"type":"tool_use","id":"ID","name":"f","input":{}},
             {"type":"tool_use","id":"abcdefgh1","name":"f","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"ID","content":"r"},
             {"type":"tool_result","tool_use_id":"abcdefgh1","content":"q"}]}]}""";

    private record Ids(String vendor, int status, String words, String id, String taken) { }

    private static final List<Ids> IDS = List.of(
            new Ids("OpenAI", 400, "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum "
                    + "length 40, but got a string with length 46 instead.", LONG_ID, ".{1,40}"),
            new Ids("Mistral", 422, "Tool call id was " + LONG_ID + " but must be a-z, A-Z, 0-9, with a length of 9.", LONG_ID, "[A-Za-z0-9]{9}"),
            new Ids("Mistral's template in vLLM", 400, "Tool call IDs should be alphanumeric strings with length 9!", "toolu_01", "[A-Za-z0-9]{9}"),
            new Ids("Bedrock", 400, "Value at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: Member must have length less than or equal to 64",
                    "x".repeat(65), ".{1,64}"),
            new Ids("some gateway", 400, "tool_call_id must match ^[a-zA-Z0-9]{9}$", "toolu_01", "[A-Za-z0-9]{9}"),
            new Ids("Bedrock", 400, "toolUseId must match [a-zA-Z0-9_-]{1,64}", "x".repeat(65), ".{1,64}"),
            new Ids("Anthropic by LiteLLM", 400, "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
                    "functions.get:0", "[A-Za-z0-9_-]+"));

    private static List<String> ids(String body) {
        List<?> messages = (List<?>) Tree.at(Tree.of(body), "messages");
        return List.of((String) Tree.at(messages.get(1), "tool_calls.0.id"), (String) Tree.at(messages.get(1), "tool_calls.1.id"),
                (String) Tree.at(messages.get(2), "tool_call_id"), (String) Tree.at(messages.get(3), "tool_call_id"));
    }

    @TestFactory
    Stream<DynamicTest> idsOfCallsMadeElsewhereGetTheFormThatTheBackendWants() {
        return IDS.stream().map(row -> DynamicTest.dynamicTest(row.vendor, () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(refusing(row.status, row.words, body -> !ids(body).getFirst().matches(row.taken)));
                String request = CALLED.replace("\"ID\"", '"' + row.id + '"');
                List<String> bodies = bodies(pair, request);
                assertEquals(2, bodies.size());
                List<String> ids = ids(bodies.getLast());
                assertEquals(ids.subList(0, 2), ids.subList(2, 4), "the same for the call and its result");
                assertEquals("abcdefgh1", ids.get(1), "an id that is fine is kept");
                assertNotEquals(ids.get(0), ids.get(1));
                assertEquals(List.of(bodies.getLast()), bodies(pair, request), "learned");
            }
        }));
    }

    /** Ids as OpenAI, Anthropic, Kimi, vLLM, Mistral, Gemini's gateways and others make them. */
    private static final List<String> MADE_ELSEWHERE = List.of("call_0fypS1hVXabcdefghijklmnop", "toolu_01A09q90qw90lq917835lq9",
            "functions.Read:0", "functions.Read:1", "chatcmpl-tool-0123456789abcdef0123456789abcdef",
            "chatcmpl-tool-0123456789abcdef0123456789abcdee", "D681PevKs", "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "0", "1", "call_0", "call_1",
            "fc_" + "a".repeat(80), "fc_" + "a".repeat(79) + "b", "a b", "a.b", "a_b", "é", "call:Bash:7", "11111111-2222-3333-4444-555555555555",
            "srvtoolu_01", "abcdefghi");

    /** What a backend says, and what it takes. */
    private static final Map<String, String> FORMS = Map.ofEntries(
            Map.entry("Invalid 'messages[1].tool_calls[4].id': string too long. Expected a string with maximum length 40, but got a string with length 46 instead.", ".{1,40}"),
            Map.entry("Invalid 'messages[3].tool_call_id': string too long. Expected a string with maximum length 40, but got a string with length 46 instead.", ".{1,40}"),
            Map.entry("Invalid 'input[3].call_id': string too long. Expected a string with maximum length 64, but got a string with length 83 instead.", ".{1,64}"),
            Map.entry("Tool call id was functions.Read:0 but must be a-z, A-Z, 0-9, with a length of 9.", "[A-Za-z0-9]{9}"),
            Map.entry("Tool call IDs should be alphanumeric strings with length 9!", "[A-Za-z0-9]{9}"),
            Map.entry("1 validation error detected: Value 'functions.Read:0' at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: "
                    + "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+", "[a-zA-Z0-9_-]+"),
            Map.entry("1 validation error detected: Value at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: "
                    + "Member must have length less than or equal to 64", ".{1,64}"),
            Map.entry("The value at messages.1.content.1.toolUse.toolUseId must match pattern [a-zA-Z0-9_.:-]{1,64}", "[a-zA-Z0-9_.:-]{1,64}"),
            Map.entry("litellm.BadRequestError: AnthropicException - messages.1.content.2.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'", "[a-zA-Z0-9_-]+"),
            Map.entry("messages.2.content.0.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'", "[a-zA-Z0-9_-]+"),
            Map.entry("invalid request: tool_call_id must be alphanumeric", "[a-zA-Z0-9]+"),
            Map.entry("tool_call_id 长度不能超过 64", ".{1,64}"));

    /** The backend refuses as long as any of them is not as it wants it. */
    @TestFactory
    Stream<DynamicTest> aWholeHistoryOfCallsMadeElsewhereIsTaken() {
        String calls = MADE_ELSEWHERE.stream().map(id -> "{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"f\",\"input\":{}}".formatted(id))
                .collect(Collectors.joining(","));
        String image = "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://h.test/a.png\"}}";
        String results = MADE_ELSEWHERE.stream().map(id -> "{\"type\":\"tool_result\",\"tool_use_id\":\"%s\",\"content\":[%s]}".formatted(id, image))
                .collect(Collectors.joining(","));
        String request = """
                {"model":"m1","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"},
                {"role":"assistant","content":[%s]},{"role":"user","content":[%s]}]}""".formatted(calls, results);
        return FORMS.entrySet().stream().map(form -> DynamicTest.dynamicTest(form.getKey(), () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(refusing(400, form.getKey(), body -> !allIds(body).stream().allMatch(id -> id.matches(form.getValue()))));
                List<String> bodies = bodies(pair, request);
                assertEquals(2, bodies.size());
                List<String> ids = allIds(bodies.getLast());
                int count = MADE_ELSEWHERE.size();
                assertEquals(ids.subList(0, count), ids.subList(count, 2 * count), "the same for calls and results");
                assertEquals(count, Set.copyOf(ids.subList(0, count)).size(), "each its own");
                String images = bodies.getLast().substring(bodies.getLast().indexOf("from tool call"));
                ids.forEach(id -> assertTrue(images.contains("from tool call " + id + "]"), id));
                assertEquals(List.of(bodies.getLast()), bodies(pair, request), "learned");
            }
        }));
    }

    /** {@return the ids of all calls, then those of all results} */
    private static List<String> allIds(String body) {
        List<?> messages = (List<?>) Tree.at(Tree.of(body), "messages");
        Stream<String> calls = ((List<?>) Tree.at(messages.get(1), "tool_calls")).stream().map(call -> (String) Tree.at(call, "id"));
        Stream<String> results = messages.stream().filter(message -> Tree.at(message, "tool_call_id") != null)
                .map(message -> (String) Tree.at(message, "tool_call_id"));
        return Stream.concat(calls, results).toList();
    }

    // Reasoning before calls

    @Test
    void whereThinkingIsLostTheModelDoesNotThinkThisOnce() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(refusing(400, "litellm.BadRequestError: AnthropicException - messages.1.content.0.type: Expected "
                    + "`thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` "
                    + "message must start with a thinking block", body -> body.contains("\"thinking\":") || body.contains("effort")));
            String thinking = "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2048},\"output_config\":{\"effort\":\"high\"},";
            String request = CALLED.replaceFirst("\"max", thinking + "\"max");
            for (int i = 0; i < 2; i++) {
                List<String> bodies = bodies(pair, request);
                assertEquals(2, bodies.size(), "the next conversation may have it");
                assertTrue(bodies.getFirst().contains("reasoning_effort"));
                assertFalse(bodies.getLast().contains("reasoning_effort"));
            }
        }
    }

    // Schemas of replies

    @TestFactory
    Stream<DynamicTest> aSchemaForTheReplyGoesWithoutStrictThenIntoThePrompt() {
        return Stream.of("\"strict\":true", "response_format").map(disliked -> DynamicTest.dynamicTest(disliked, () -> {
            try (var pair = new Pair()) {
                pair.backend.answers(refusing(400, "Invalid schema for response_format 'output': In context=('properties', 'a'), "
                        + "'minimum' is not permitted.", body -> body.contains(disliked)));
                String request = """
                        {"model":"m1","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}],
                        "output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":
                        {"a":{"type":"integer","minimum":1}},"required":["a"],"additionalProperties":false}}}}""";
                List<String> bodies = bodies(pair, request);
                assertTrue(bodies.getFirst().contains("\"strict\":true"));
                assertTrue(bodies.get(1).contains("\"strict\":false"));
                assertEquals(disliked.equals("response_format") ? 3 : 2, bodies.size());
                boolean isTold = bodies.getLast().contains("Answer with JSON alone");
                assertEquals(disliked.equals("response_format"), isTold);
                assertTrue(bodies(pair, request).getFirst().contains("\"strict\":true"), "a fault of this schema alone");
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> aHostileRefusalIsReadInProportionToItsLength() {
        List<String> pieces = List.of("<", " ", "9", "'", "a", "_", "tool ", "tools ", "tool call ", "tools[", "maximum ", "length ",
                "alphanumeric ", "function ", "functions at most ", "most 1 ", "thinking_block ", "schema ", "[a-z", "thinking block");
        return Stream.of(ToolLessons.class, CallIdForm.class).flatMap(type -> Counted.patterns(type).stream())
                .map(pattern -> DynamicTest.dynamicTest("%.60s".formatted(pattern), () -> {
                    for (String piece : pieces) {
                        Counted.assertBounded(pattern, piece.repeat(64 * 1024 / piece.length()), 3000);
                    }
                }));
    }
}
