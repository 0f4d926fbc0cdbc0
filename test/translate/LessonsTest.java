package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Cpu;

/** Each lesson is taught by the refusals that stand above it in the source, and by nothing like them. */
class LessonsTest {
    private static final List<Path> SOURCES =
            List.of(Path.of("src/translate/ResponsesLessons.java"), Path.of("src/translate/Lessons.java"));

    /** What each example teaches first of all. */
    private static final Map<String, String> TAUGHT = Map.ofEntries(
            Map.entry("A2o: max_tokens is too large; this once", "longest reply=5000 tokens, once"),
            Map.entry("OpenAI: max_tokens is too large", "longest reply=16384 tokens"),
            Map.entry("Groq: `max_tokens` must be", "longest reply=8192 tokens"),
            Map.entry("DashScope: Range of max_tokens should be [1, 8192]", "longest reply=8192 tokens"),
            Map.entry("OpenAI: Invalid 'max_output_tokens'", "shortest reply=16 tokens"),
            Map.entry("FastAPI: {\"loc\":[\"body\",\"max_tokens\"]", "shortest reply=16 tokens"),
            Map.entry("Some: max_tokens must be greater than 1", "shortest reply=2 tokens"),
            Map.entry("Some: max_tokens is too small", "shortest reply=16 tokens"),
            Map.entry("OpenAI: Unsupported parameter: 'max_tokens'", "max_tokens=max_completion_tokens"),
            Map.entry("Azure: Unrecognized request argument supplied", "max_tokens=max_completion_tokens"),
            Map.entry("Some: unknown field max_completion_tokens", "max_tokens=max_tokens"),
            Map.entry("Fireworks: Requests with max_tokens", "streams=always"),
            Map.entry("DashScope: This model only support stream mode", "streams=always"),
            Map.entry("DashScope: parameter.enable_thinking", "streams=always"),
            Map.entry("Some: This model does not support streaming", "streams=never"),
            Map.entry("Gemini: maxOutputTokens value", "longest reply=8192 tokens"),
            Map.entry("vLLM of old: max_tokens must be at least 1", "shortest reply=1 tokens"),
            Map.entry("Gemini: Budget 0 is invalid", "reasoning=always"),
            Map.entry("OpenRouter: Reasoning is mandatory", "reasoning=always"),
            Map.entry("Copilot: reasoning_effort", "efforts=low, medium"),
            Map.entry("Gemini: Thinking level", "reasoning_effort="),
            Map.entry("Cloudflare: Type mismatch", "no content=empty string"),
            Map.entry("Mistral: Assistant message must have", "no content=empty string"),
            Map.entry("NIM: can only concatenate str (not \"NoneType", "no content=empty string"),
            Map.entry("NIM: can only concatenate str (not \"list", "image_url="),
            Map.entry("TGI, by a model's template: ", "no content=empty string"),
            Map.entry("llama.cpp: tools param requires", "tools="),
            Map.entry("Gemini, of an effort as tokens: ", "reasoning_effort=, once"),
            Map.entry("GLM: Incorrect role information", "system messages=none"),
            Map.entry("Go: cannot unmarshal array", "no content=empty string"),
            Map.entry("GLM: messages.content.type", "image_url="),
            Map.entry("MiniMax: invalid params, invalid message role", "system messages=none"),
            Map.entry("Gemini: Developer instruction", "system messages=none"),
            Map.entry("Gemini: Function calling with a response mime", "output format with tools=none"),
            Map.entry("llama.cpp: Cannot use custom grammar", "output format with tools=none"),
            Map.entry("Moonshot: response_format.type", "response_format="),
            Map.entry("Mistral: Json schema response format", "response_format="),
            Map.entry("Go: cannot unmarshal object", "forced tool=alone"),
            Map.entry("vLLM: \"auto\" tool choice", "tools="),
            Map.entry("OpenAI: Function tools with reasoning_effort are not supported for", "effort with tools=none"),
            Map.entry("Ollama: \"gemma3:4b\" does not support thinking", "reasoning_effort= and thinking="),
            Map.entry("OpenAI: 'reasoning_effort' does not support", "efforts=low, high"),
            Map.entry("vLLM: 'loc': ('body', 'reasoning_effort')", "efforts=low, medium, high"),
            Map.entry("DeepSeek: The `reasoning_content`", "reasoning_content=required"),
            Map.entry("Kimi: thinking is enabled but reasoning_content", "reasoning_content=required"),
            Map.entry("Groq: for 'role:assistant'", "reasoning_content="),
            Map.entry("Mistral: \"loc\":[\"body\",\"messages\"", "reasoning_content="),
            Map.entry("llama-cpp-python: ", "no content=empty string"),
            Map.entry("The same words may mean the contrary. Some", "reasoning_content="),
            Map.entry("GLM: max_tokens参数非法", "longest reply=8192 tokens, once"),
            Map.entry("LiteLLM, of Bedrock", "reasoning_effort="),
            Map.entry("Some: please use streaming", "streams=always"),
            Map.entry("Some: {\"detail\":\"Streaming", "streams=never, once"),
            Map.entry("Kimi: message at position 1", "no content=empty string"),
            Map.entry("llama.cpp, by a model's template: Only user", "system messages=none"),
            Map.entry("Gemma's template: ", "system messages=none"),
            Map.entry("vLLM, by a model's template: ", "system messages=first only"),
            Map.entry("OpenAI: Invalid Value: 'file'", "file="),
            Map.entry("DeepSeek: messages[3]: unknown variant `file`", "file="),
            Map.entry("llama.cpp: unsupported content[].type", "file="),
            Map.entry("OpenAI: Invalid content type. image_url", "image_url="),
            Map.entry("OpenRouter: No endpoints found", "image_url="),
            Map.entry("DeepSeek: messages[3]: unknown variant `image_url`", "image_url="),
            Map.entry("OpenAI: Function tools with reasoning_effort are not supported. Please", "api=responses"),
            Map.entry("OpenAI: This model is only supported in v1/responses", "api=responses"),
            Map.entry("OpenAI: This is not a chat model", "api=responses"),
            Map.entry("Copilot: model ", "api=responses"),
            Map.entry("Copilot: {", "api=responses"),
            Map.entry("A2o: the backend has no such path", "api=responses"),
            Map.entry("OpenAI: The encrypted content gAAA", "reasoning items=not opened, once"),
            Map.entry("OpenAI: {\"error\":{\"message\":\"not valid\"", "reasoning items=not opened, once"),
            Map.entry("Some: {\"error\":{\"message\":\"not valid\"", "reasoning items=not opened, once"),
            Map.entry("Some: reasoning `encrypted_content`", "reasoning items=not opened, once"),
            Map.entry("OpenAI: Item 'rs_1'", "reasoning items=left out, once"),
            Map.entry("OpenAI: Item 'fc_1'", "reasoning items=left out, once"),
            Map.entry("OpenAI: Item with id", "reasoning items=left out, once"),
            Map.entry("OpenAI: Encrypted content is not supported", "encrypted_content="),
            Map.entry("vLLM: Encrypted content is not supported", "encrypted_content="),
            Map.entry("OpenAI: Your organization must be verified", "summaries=refused"),
            Map.entry("OpenAI: Unsupported parameter: 'reasoning.effort'", "reasoning="),
            Map.entry("OpenAI: Unsupported parameter: 'reasoning.summary'", "reasoning="),
            Map.entry("Some: Unknown parameter: 'reasoning.summary'", "reasoning="),
            Map.entry("Some: Invalid value: 'reasoning.encrypted_content'", "encrypted_content="),
            Map.entry("OpenAI: Invalid parameter: 'text.format'", "text="),
            Map.entry("OpenAI: Unsupported parameter: 'text.format'", "text="),
            Map.entry("OpenAI: Unsupported value: 'none'", "efforts=low, max"),
            Map.entry("OpenAI: The following tools cannot be used", "efforts=low, once"),
            Map.entry("OpenRouter: Invalid Responses API request", "web_search_call.action.sources="),
            Map.entry("Some: Invalid value: 'web_search_call", "web_search_call.action.sources="),
            Map.entry("Some: Invalid value: 'web_search'", "web search=refused"),
            Map.entry("Some: tools[0].type: web_search", "web search=refused"),
            Map.entry("llama.cpp: Output of tool call", "files in outputs=in the next message"),
            Map.entry("Some: input[3].output[0]", "files in outputs=in the next message"),
            Map.entry("Some: System messages are not allowed", "system messages=as developer"),
            Map.entry("llama.cpp: 'input_file' is not supported", "file="),
            Map.entry("Some: 'input_image' is not supported", "image_url="));

    /** A refusal above a lesson, as {@code Vendor: words}. */
    private record Example(String why, String vendorAndWords) {
        private String words() { return vendorAndWords.substring(vendorAndWords.indexOf(": ") + 2); }
    }

    private static List<Example> examples() throws IOException {
        List<Example> found = new ArrayList<>();
        Pattern lesson = Pattern.compile("((?: *// [^\n]*\n)+) *(?:new Lesson|Lesson\\.once)\\(\"([^\"]*)\"");
        for (Path source : SOURCES) {
            for (Matcher at = lesson.matcher(Files.readString(source)); at.find(); ) {
                for (String line : at.group(1).strip().split("\n")) {
                    found.add(new Example(at.group(2), line.strip().replaceFirst("^// ", "")));
                }
            }
        }
        return found;
    }

    private static String text(Lesson.Taught taught) {
        String once = taught.isForOnce() ? ", once" : "";
        return taught.traits().stream().map(trait -> trait.about() + "=" + trait.value())
                .collect(Collectors.joining(" and ")) + once;
    }

    @TestFactory
    Stream<DynamicTest> eachLessonIsTaughtByTheRefusalsAboveIt() throws IOException {
        List<Example> examples = examples();
        assertEquals(TAUGHT.size(), examples.size(), examples.toString());
        return examples.stream().map(example -> DynamicTest.dynamicTest(example.vendorAndWords, () -> {
            List<String> expected = TAUGHT.entrySet().stream()
                    .filter(row -> example.vendorAndWords.startsWith(row.getKey())).map(Map.Entry::getValue).toList();
            assertEquals(1, expected.size(), expected.toString());
            assertEquals(expected.getFirst(), text(Lessons.of(example.words()).getFirst()));
            Lesson lesson = Lessons.ALL.stream().filter(one -> one.why().equals(example.why)).findFirst().orElseThrow();
            assertTrue(lesson.says().isIn(Said.of(example.words())), example.why);
        }));
    }

    @Test
    void eachLessonHasAnExampleAndAReasonOfItsOwn() throws IOException {
        List<String> reasons = Lessons.ALL.stream().map(Lesson::why).toList();
        assertEquals(reasons, examples().stream().map(Example::why).distinct().toList());
    }

    private static List<String> taught(String refusal) {
        return Lessons.of(refusal).stream().map(LessonsTest::text).toList();
    }

    @Test
    void aNameThatIsNeverTakenIsOmittedForGoodAndAWrongValueOnce() {
        assertEquals(List.of("temperature="), taught("Unknown parameter: 'temperature'."));
        assertEquals(List.of("temperature=, once"), taught("Invalid 'temperature': decimal above maximum value."));
        assertEquals(List.of("stop="), taught("{\"error\":\"Argument not supported on this model: stop\"}"));
        assertEquals(List.of("top_k="), taught("top_k is not permitted"));
    }

    @Test
    void aUserWhomTheErrorItselfNamesIsNoMemberOfTheRequest() {
        String refusal = "{\"error\":{\"message\":\"Unknown parameter: 'temperature'.\"},\"user_id\": \"user_2abc\"}";
        assertEquals(List.of("temperature="), taught(refusal));
        assertEquals(List.of("user="), taught("metadata.user_id: string too long"));
    }

    @Test
    void namesInAListAreRefusedTogether() {
        String refusal = "temperature, top_p and top_k are not supported on this model";
        assertEquals("temperature= and top_p= and top_k=", taught(refusal).getFirst());
        assertEquals(List.of(), taught("user, assistant and tool are the only roles"));
    }

    @Test
    void proseAndTheClientsOwnWordsTeachNothing() {
        assertEquals(List.of(), taught("a conversation without any fault of temperature: 'temperature'"));
        assertEquals(List.of(), taught("the user's text is not allowed: stop, or use another model at a lower temperature"));
        assertEquals(List.of(), taught("{\"msg\":\"Field required\",\"input\":\"'temperature'\"}"));
        assertEquals(List.of(), taught("{\"loc\":[\"body\",\"messages\",0,\"user\",\"name\"],\"msg\":\"not permitted 'stop'\"}"));
    }

    @TestFactory
    Stream<DynamicTest> aHostileRefusalIsReadInProportionToItsLength() {
        List<String> pieces = List.of("<", " ", "9", "'", "\\", "a", "_", "un", "support ", "max_tokens ",
                "max_tokens maximum ", "max_tokens < ", "max_tokens at most 1-2-3.4-", "\\u8d85", "supported parameters ", "maximum ", "at least ", "[1,", "[1 ", "(1 , ", "reasoning_effort ",
                "reasoning_effort should be ", "messages ", "assistant content ", "unsupported parameter ", "'body', ", "type: ");
        return pieces.stream().map(piece -> DynamicTest.dynamicTest('<' + piece + '>', () -> {
            String text = piece.repeat(64 * 1024 / piece.length());
            Cpu.assertLittle(() -> Lessons.of(text));
        }));
    }
}
