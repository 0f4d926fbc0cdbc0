package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import anthropic.ApiError;
import config.Api;
import config.CommandLine;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Counted;
import testing.Cpu;
import testing.Farm;

/** The client's error for what a backend has answered, and what it costs to read a hostile one. */
class UpstreamErrorTest {
    private static final int MOST_LOOKS = 3000; // at a character; a quadratic pattern needs 32,000 in 64 KB

    private static ApiError error(int status, String body) throws Exception {
        Options options = Options.of(CommandLine.read(new String[] {"--upstream", "http://backend.test"}, Map.of()));
        var context = new ErrorContext("backend.test", "m", false, options.secrets(), 8192, 9000, 500, Api.CHAT);
        return UpstreamError.of(status, body.getBytes(StandardCharsets.UTF_8), context);
    }

    /** As nginx, Cloudflare and load balancers say that nothing behind them answers. */
    @Test
    void aGatewaysPagePasses() throws Exception {
        for (int status : List.of(502, 503, 504, 520, 521, 522, 523, 524)) {
            ApiError error = error(status, "<html><head><title>%1$d Bad</title></head><h1>%1$d Bad</h1>".formatted(status));
            assertTrue(error.isPassing(), "" + status);
            assertEquals("502 backend.test: %1$d Bad %1$d Bad".formatted(status), error.status() + " " + error.getMessage());
        }
        for (int status : List.of(200, 400, 404, 413, 500)) {
            assertFalse(error(status, "<html><h1>No</h1></html>").isPassing(), "" + status);
        }
    }

    private static void assertInReply(int status, String words, String body) throws Exception {
        ApiError error = error(200, body);
        assertEquals(status, error.status(), body);
        assertTrue(error.getMessage().contains(words), error.getMessage());
    }

    /** MiniMax, Qianfan, gateways: the status of such an error is told by its words. */
    @Test
    void anErrorInsideAGoodReplyKeepsItsWordsAndGetsItsStatus() throws Exception {
        String miniMax = "{\"id\":\"x\",\"choices\":null,\"base_resp\":{\"status_code\":%d,\"status_msg\":\"%s\"}}";
        assertInReply(402, "insufficient balance", miniMax.formatted(1008, "insufficient balance"));
        assertInReply(401, "login fail", miniMax.formatted(1004, "login fail: Please carry the API secret key"));
        assertInReply(429, "rate limit", miniMax.formatted(1002, "rate limit exceeded(RPM)"));
        assertInReply(402, "余额不足", "{\"code\":-1,\"msg\":\"账户余额不足\"}");
        assertInReply(429, "qps", "{\"error_code\":18,\"error_msg\":\"Open api qps request limit reached\"}");
        assertInReply(400, "prompt is too long", miniMax.formatted(1039, "token limit"));
    }

    /** Groq: the model's call of a tool was no JSON; the next one may be. */
    @Test
    void aBadCallOfAToolIsTriedAgain() throws Exception {
        ApiError error = error(400, "{\"error\":{\"message\":\"Failed to call a function. Please adjust your prompt.\","
                + "\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\",\"failed_generation\":\"<f>\"}}");
        assertEquals(529, error.status());
        assertTrue(error.isPassing());
    }

    /** As Cloudflare answers those that do not ask for a page: "error code: 522". */
    @Test
    void cloudflaresStatusesPass() throws Exception {
        for (int status : List.of(520, 521, 522, 523)) assertEquals(529, passing(status).status());
        assertEquals(504, passing(524).status());
    }

    private static ApiError passing(int status) throws Exception {
        ApiError error = error(status, "error code: " + status);
        assertTrue(error.isPassing(), "" + status);
        assertEquals("backend.test: error code: " + status, error.getMessage());
        return error;
    }

    /** Clients know a wrong model by a 404 with {@code model: X}. */
    @Test
    void aModelThatIsNotKnownIsA404WhateverTheStatus() throws Exception {
        for (String words : List.of("/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models",
                "The model `x` does not exist or you do not have access to it.", "x is not a valid model ID", "Model Not Exist",
                "Invalid model: x", "The provided model identifier is invalid.", "model x not found", "模型不存在，请检查模型代码。",
                "Invalid model 'x'. Permitted models can be found in the documentation", "invalid params, unknown model 'x' (2013)",
                "The requested model is not supported.", "Not found the model x or Permission denied",
                "The supported API model names are deepseek-a or deepseek-b, but you passed x.", "Unable to access model x.",
                "x is not a supported model.")) {
            ApiError error = error(400, "{\"error\":{\"message\":\"%s\",\"type\":null,\"code\":\"400\"}}".formatted(words));
            assertEquals("404 model: m, backend.test: " + words, error.status() + " " + error.getMessage());
        }
        for (String words : List.of("Unsupported value: 'temperature' does not support 0.5 with this model.", "tool_call_id not found",
                "This model does not support image input", "Image input is not supported by this model", "Streaming for this model is not supported.",
                "tool use with model x is not supported",
                "The model x is not supported with this tool", "Unsupported model parameter: top_k")) {
            assertEquals(400, error(400, "{\"error\":{\"message\":\"%s\"}}".formatted(words)).status(), words);
        }
    }

    /** OpenAI says 403 for a model that a project may not use, Azure 404 for a deployment that is not there. */
    @Test
    void theCodeAloneSaysThatAModelIsNotThere() throws Exception {
        for (int status : List.of(400, 403, 404)) {
            for (String code : List.of("model_not_found", "DeploymentNotFound", "model_not_supported", "unknown_model")) {
                ApiError error = error(status, "{\"error\":{\"message\":\"why\",\"code\":\"%s\"}}".formatted(code));
                assertEquals("404 model: m, backend.test: why", error.status() + " " + error.getMessage());
                assertTrue(error.isMissingThere());
            }
        }
        assertEquals(403, error(403, "{\"error\":{\"message\":\"you may not use this model\"}}").status());
    }

    @Test
    void aRequestThatAGatewayAnsweredWithAPageIsSentAgain() throws Exception {
        String request = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
        for (int status : List.of(502, 503, 504)) {
            try (var farm = new Farm(1)) {
                farm.get(0).answers(call -> call.reply(status, "text/html", "<html><h1>No backend</h1></html>"),
                        Backend.saying("good"));
                assertEquals("good", farm.post(request).said());
                assertEquals(2, farm.get(0).requests());
            }
        }
    }

    @Test
    void aPageIsShownWithoutTagsStylesAndScripts() throws Exception {
        String page = "<html><style>p { color: red }</style><p class='x'>it\n says</p><script>if (a < b) alert(1)</script>why"
                + "<script>no end";
        assertEquals("backend.test: it says why", error(500, page).getMessage());
    }

    @Test
    void onlyTheBeginningOfALongMessageCounts() throws Exception {
        String padding = "x ".repeat(ErrorBody.MAX_CHARACTERS / 2);
        String overflow = "maximum context length is 4096 tokens";
        String body = "{\"error\":{\"message\":\"%s\"}}";
        assertTrue(error(400, body.formatted(overflow + padding)).getMessage().startsWith("prompt is too long"));
        ApiError late = error(400, body.formatted(padding + overflow));
        assertFalse(late.getMessage().contains("prompt is too long"));
        assertTrue(late.getMessage().length() < ErrorBody.MAX_CHARACTERS + 100);
    }

    @TestFactory
    Stream<DynamicTest> aHostileMessageIsReadInProportionToItsLength() {
        return Stream.of("9", "9 ", "1,", "tokens 9 ", "'", "max_tokens ", "exceed ", "loc'input': ").map(piece ->
                DynamicTest.dynamicTest(piece, () -> {
                    String body = "{\"error\":{\"message\":\"context exceeded %s\"}}".formatted(piece.repeat(64 * 1024));
                    Cpu.assertLittle(() -> error(400, body));
                }));
    }

    @TestFactory
    Stream<DynamicTest> aHostileTextIsReadInProportionToItsLength() {
        List<String> pieces = List.of("<", "< ", "<style", "<style>", " ", "9", "1,", "999,999 ", "a", "_", "max_", "max_tokens ",
                "max_tokens must", "context length ", "maximum ", "limit", "limit ", "exceed ", "input length ", "reached ",
                "could not finish ", "output limit ", "> ", "[1,", "\"", "not_found", "insufficient_");
        return Stream.of(UpstreamError.class, ErrorBody.class)
                .flatMap(type -> Counted.patterns(type).stream())
                .map(pattern -> DynamicTest.dynamicTest("%.60s".formatted(pattern), () -> {
                    for (String piece : pieces) {
                        String text = piece.repeat(64 * 1024 / piece.length());
                        Counted.assertBounded(pattern, text, MOST_LOOKS);
                    }
                }));
    }
}
