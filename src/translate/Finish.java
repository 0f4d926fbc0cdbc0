package translate;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How a backend says that a reply ended, by its {@code finish_reason}. There are many words for the same in
 * use, in any case, and with or without a detail after them, as in {@code content_filter:
 * PROHIBITED_CONTENT}; so single words count.
 *
 * <p>Source: SPEC B.3 and decision 15; OpenAI, "finish_reason"; Gemini, "FinishReason"; Z.ai, DeepSeek, vLLM.
 */
enum Finish {
    /** The model has said all that it wanted to, or waits for the results of tools. */
    STOP,
    /** The reply has reached the number of tokens that was asked for. */
    LENGTH,
    /** The conversation fills the model's context window. */
    WINDOW,
    /** The model or a filter does not let the answer pass. */
    REFUSAL,
    /** The backend has no room for the reply at the moment. */
    BUSY,
    /** The reply broke off. */
    FAILURE,
    UNKNOWN;

    private static final Set<String> STOPS = Set.of("", "stop", "stopped", "stop_sequence", "end_turn", "end",
            "eos", "eos_token", "complete", "completed", "done", "finished", "tool_calls", "tool_call",
            "tool_use", "function_call");
    private static final Set<String> OF_WINDOW = words("length window size limit exceeded overflow");
    private static final Set<String> OF_LENGTH = words("length max limit truncated incomplete");
    private static final Set<String> OF_REFUSAL = words("safety sensitive recitation prohibited blocklist "
            + "blocked spii refusal refused guardrail guardrails moderation moderated policy toxic");
    private static final Set<String> OF_BUSY = words("insufficient overload overloaded busy unavailable"
            + " capacity exhausted throttled");
    private static final Set<String> OF_FAILURE = words("error errors abort aborted cancel canceled cancelled"
            + " cancellation fail failed failure malformed invalid unexpected missing filter exception"
            + " timeout time rate quota crashed crash killed interrupted terminated disconnected"
            + " shutdown internal");

    private static Set<String> words(String line) { return Set.of(line.split(" ")); }

    static Finish of(String reason) {
        String snake = reason.strip().replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT)
                .replaceFirst("^finish_?reason[._]", ""); // as an enumeration is printed, FinishReason.STOP
        if (STOPS.contains(snake)) return STOP;
        List<String> words = Arrays.asList(snake.split("[^a-z]+"));
        boolean isFilter = words.contains("filter") || words.contains("filtered");
        if (isFilter && words.contains("content") || has(words, OF_REFUSAL)) return REFUSAL;
        boolean isWindow = words.contains("context") || snake.equals("model_length");
        if (isWindow && has(words, OF_WINDOW)) return WINDOW;
        if (has(words, OF_BUSY)) return BUSY;
        if (has(words, OF_FAILURE)) return FAILURE;
        return has(words, OF_LENGTH) ? LENGTH : UNKNOWN;
    }

    private static boolean has(List<String> words, Set<String> any) {
        return words.stream().anyMatch(any::contains);
    }
}
