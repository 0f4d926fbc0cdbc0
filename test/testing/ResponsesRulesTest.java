package testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That the strict backend of the tests takes what is right, and refuses what is not. */
class ResponsesRulesTest {
    private static final Path FIXTURES = Path.of(System.getProperty("fixtures", "test"), "responses", "requests");
    private static final List<String> EFFORTS = List.of("none", "low", "medium", "high", "xhigh", "max");
    private static final String RIGHT = """
            {'model':'m1','max_output_tokens':100,'store':false,'include':['reasoning.encrypted_content'],
             'reasoning':{'effort':'low','summary':'auto'},'input':[
              {'type':'message','role':'user','content':'hi'},
              {'type':'reasoning','summary':[],'encrypted_content':'gAAAAA'},
              {'type':'function_call','call_id':'c1','name':'get','arguments':'{}'},
              {'type':'function_call_output','call_id':'c1','output':'r'}],
             'tools':[{'type':'function','name':'get','parameters':{'type':'object','properties':{}},'strict':false}]}""";

    private static Optional<ResponsesRules.Refusal> refusal(String body, List<String> efforts) {
        var model = new ResponsesRules.Model(efforts, true, sealed -> sealed.startsWith("gAAAAA"));
        return ResponsesRules.refusal(Tree.of(body.replace('\'', '"')), model);
    }

    /** Those with options go to other backends, or hold what the user has added. */
    @Test
    void whatFixturesExpectIsTaken() throws IOException {
        List<Path> found;
        try (Stream<Path> files = Files.list(FIXTURES)) {
            found = files.filter(file -> file.toString().endsWith(".openai.json"))
                    .filter(file -> !Files.exists(Path.of(file.toString().replace(".openai.json", ".args")))).toList();
        }
        assertTrue(found.size() > 50, "only " + found.size());
        for (Path file : found) {
            String body = Files.readString(file);
            List<String> efforts = body.contains("\"temperature\"") ? List.of() : EFFORTS;
            String taken = efforts.isEmpty() ? body.replace("\"summary\": \"auto\"", "")
                    .replace("\"reasoning.encrypted_content\"", "\"web_search_call.action.sources\"") : body;
            var model = new ResponsesRules.Model(efforts, true, sealed -> sealed.startsWith("gAAAAA"));
            assertEquals(Optional.empty(), ResponsesRules.refusal(Tree.of(taken), model), file.toString());
        }
    }

    @Test
    void theExampleIsTaken() {
        assertEquals(Optional.empty(), refusal(RIGHT, EFFORTS));
    }

    /** Each spoils one thing in the example. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "'model' | 'messages' | this parameter has moved to 'input'",
        "'model':'m1' | 'model':'m1','stop':['x'] | Unknown parameter: 'stop'.",
        "'max_output_tokens':100 | 'max_output_tokens':15 | integer below minimum value",
        "'effort':'low' | 'effort':'minimal' | Supported values are: 'none', 'low', 'medium', 'high', 'xhigh', and 'max'.",
        "'reasoning':{ | 'temperature':1,'reasoning':{ | Unsupported parameter: 'temperature'",
        "'store':false | 'store':false,'stream_options':{'include_obfuscation':false} | only allowed when 'stream' is enabled",
        "'content':'hi' | 'content':[{'type':'text','text':'hi'}] | Invalid value: 'text'",
        "'summary':[], | '' : '', | Unknown parameter",
        "'summary':[],'enc | 'summary':[],'status':'completed','enc | Unknown parameter: 'input[1].status'.",
        "gAAAAA | other | could not be verified",
        "'c1','output' | 'c2','output' | No tool call found for function call output with call_id c2.",
        "'function_call_output','call_id':'c1','output':'r' | 'message','role':'assistant','content':'x' | No tool output found for function call c1.",
        "'name':'get','parameters' | 'function':{'name':'get'},'parameters' | Missing required parameter: 'tools[0].name'.",
        "'properties':{} | 'a':{} | object schema missing properties",
        "'tools':[ | 'tool_choice':{'type':'function','name':'put'},'tools':[ | not found in 'tools' parameter",
        "'tools':[ | 'prompt_cache_key':'0123456789012345678901234567890123456789012345678901234567890123456789','tools':[ | string too long"})
    void whatIsWrongIsRefused(String right, String wrong, String words) {
        assertTrue(RIGHT.contains(right), right);
        Optional<ResponsesRules.Refusal> refusal = refusal(RIGHT.replace(right, wrong), EFFORTS);
        assertTrue(refusal.isPresent() && refusal.get().message().contains(words), () -> "" + refusal);
    }

    @Test
    void aModelThatDoesNotReasonRefusesReasoning() {
        assertEquals("Unsupported parameter: 'reasoning.effort' is not supported with this model.",
                refusal(RIGHT, List.of()).orElseThrow().message());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "'store':false | 'store':true",
        "'call_id':'c1','name' | 'id':'fc_1','call_id':'c1','name'",
        ",'strict':false | ''",
        "'encrypted_content':'gAAAAA' | 'content':[]"})
    void whatStaysThereOrSaysNothingFailsTheTest(String right, String wrong) {
        String body = RIGHT.replace(right, wrong.equals("''") ? "" : wrong);
        assertThrows(AssertionError.class, () -> refusal(body, EFFORTS));
    }
}
