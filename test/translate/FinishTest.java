package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The words for how a reply ended, from SPEC B.3 and decision 15, and those of vendors' that are like them. */
class FinishTest {
    private static Stream<DynamicTest> all(Finish expected, String... reasons) {
        return Stream.of(reasons).flatMap(reason -> Stream.of(reason, reason.toUpperCase(Locale.ROOT),
                reason.toLowerCase(Locale.ROOT), " " + reason + "\n")).distinct()
                .map(reason -> DynamicTest.dynamicTest("'" + reason + "'",
                        () -> assertEquals(expected, Finish.of(reason))));
    }

    @TestFactory
    Stream<DynamicTest> stops() {
        return all(Finish.STOP, "", "stop", "end_turn", "eos", "tool_calls", "function_call", "tool_use",
                "FinishReason.STOP", "finish_reason_stop", "stop_sequence");
    }

    @TestFactory
    Stream<DynamicTest> lengths() {
        return all(Finish.LENGTH, "length", "max_tokens", "max_output_tokens", "token_limit", "incomplete",
                "max_completion_tokens", "FINISH_REASON_MAX_TOKENS");
    }

    @TestFactory
    Stream<DynamicTest> windows() {
        return all(Finish.WINDOW, "model_length", "context_length_exceeded", "model_context_window_exceeded",
                "context_window_exceeded");
    }

    @TestFactory
    Stream<DynamicTest> refusals() {
        return all(Finish.REFUSAL, "content_filter", "safety", "sensitive", "recitation", "prohibited_content",
                "blocklist", "spii", "content_filter: PROHIBITED_CONTENT", "content_filter: SAFETY",
                "content_filter: x",
                "content_filter: OTHER", "content_filter: ERROR", "content_filtered", "image_safety", "refusal",
                "guardrail_intervened", "content-filter");
    }

    @TestFactory
    Stream<DynamicTest> busy() {
        return all(Finish.BUSY, "insufficient_system_resource", "overloaded", "engine_overloaded",
                "resource_exhausted");
    }

    @TestFactory
    Stream<DynamicTest> failures() {
        return all(Finish.FAILURE, "error", "network_error", "abort", "aborted", "cancelled", "canceled", "cancel",
                "malformed_function_call", "function_call_filter: MALFORMED_FUNCTION_CALL", "function_call_filter",
                "unexpected_tool_call", "missing_thought_signature", "malformed_response", "failed", "timeout",
                "server_error", "error: out of memory", "internal_error", "USER_CANCEL");
    }

    @TestFactory
    Stream<DynamicTest> others() {
        return all(Finish.UNKNOWN, "other", "language", "whatever", "unknown", "repetition", "内容");
    }

    @TestFactory
    Stream<DynamicTest> wordsThatAreWrittenTogether() {
        return Stream.of(DynamicTest.dynamicTest("MalformedFunctionCall",
                () -> assertEquals(Finish.FAILURE, Finish.of("MalformedFunctionCall"))));
    }
}
