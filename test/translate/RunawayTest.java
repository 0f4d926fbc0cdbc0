package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import anthropic.ApiError;
import config.Api;
import config.CommandLine;
import config.Options;
import config.Target;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import json.JsonParser;
import org.junit.jupiter.api.Test;
import testing.Cpu;

/** Input that once took time out of all proportion to its length; each test names what it was. */
class RunawayTest {
    private static Options options(String... more) throws Exception {
        String[] args = new String[more.length + 2];
        args[0] = "--upstream";
        args[1] = "http://backend.test/v1";
        System.arraycopy(more, 0, args, 2, more.length);
        return Options.of(CommandLine.read(args, Map.of()));
    }

    private static Translator translator(String request) throws Exception {
        Options options = options();
        return new Translator(JsonParser.parse(utf8(request)), options, Dialect.of(options.upstreams().getFirst()), () -> "x");
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aPatternWithManyStarsMatchesALongNameAtOnce() throws Exception {
        Options options = options("--map", "*a*a*a*a*a*a*b=z");
        String name = "a".repeat(200_000);
        assertEquals(name, Cpu.assertLittle(() -> options.routes().of(name).model()));
        assertEquals("z", options.routes().of("aaaaaaaab").model());
        assertEquals("z", options("--map", "*ab*ab=z").model("xabab"));
        assertEquals("xab", options("--map", "*ab*ab=z").model("xab"));
    }

    @Test
    void aNameOfBracketsIsTakenAtOnce() throws Exception {
        String name = "[".repeat(500_000);
        assertEquals(name, Cpu.assertLittle(() -> options().model(name)));
    }

    @Test
    void lineFeedsWithoutEndInStructuredOutputAreTakenAtOnce() throws Exception {
        Translator translator = translator("""
                {"model":"m","max_tokens":9,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},
                 "messages":[{"role":"user","content":"hi"}]}""");
        String text = "```json" + "\\n".repeat(50_000) + "[".repeat(50_000);
        translator.whole(JsonParser.parse(utf8("{\"choices\":[{\"message\":{\"content\":\"%s\"},\"finish_reason\":\"length\"}]}"
                .formatted(text))));
        Cpu.assertLittle(() -> translator.finish());
        assertTrue(translator.ready().toString().contains("max_tokens"));
    }

    @Test
    void anErrorPageOfAngleBracketsIsTakenAtOnce() throws Exception {
        var context = new ErrorContext("backend.test", "m", false, options().secrets(), 0, 0, 0, Api.CHAT);
        byte[] page = utf8("<".repeat(64 * 1024));
        assertEquals(502, Cpu.assertLittle(() -> UpstreamError.of(500, page, context)).status());
    }

    @Test
    void aRefusalOfTheSameWordsIsLearnedFromAtOnce() throws Exception {
        var context = new ErrorContext("backend.test", "m", false, options().secrets(), 0, 0, 0, Api.CHAT);
        Target target = Options.of(CommandLine.read(new String[] {"--upstream", "http://backend.test"}, Map.of()))
                .upstreams().getFirst();
        for (String words : new String[] {"max_tokens maximum ", "max_tokens < ", "reasoning_effort ", "system message "}) {
            byte[] body = utf8("{\"error\":{\"message\":\"not %s\"}}".formatted(words.repeat(64 * 1024 / words.length())));
            ApiError error = Cpu.assertLittle(() -> UpstreamError.of(400, body, context));
            assertEquals(400, error.status());
            Cpu.assertLittle(() -> Dialect.of(target).afterRefusal(error.refusal(), List.of(), List.of()).count());
        }
    }

    @Test
    void systemMessagesThatMayBeClearedAreLookedAtOnce() throws Exception {
        String pair = """
                {"role":"assistant","content":"a"},{"role":"system","content":"s","clear_at":"next_user_message"},""";
        Translator translator = translator("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[%s{\"role\":\"user\",\"content\":\"q\"}]}"
                .formatted(pair.strip().repeat(40_000)));
        Cpu.assertLittle(translator::request);
    }
}
