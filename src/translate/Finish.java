package translate;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

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

    /** Between the words of {@code finishReason}. */
    private static final Pattern CAMEL_HUMP = Pattern.compile("(?<=[a-z])(?=[A-Z])");
    /** The type of an enumeration that was printed with its value, as in {@code FinishReason.STOP}. */
    private static final Pattern ENUMERATION = Pattern.compile("^finish_?reason[._]");
    private static final Pattern NO_WORD = Pattern.compile("[^a-z]+");

    private static final Set<String> STOPS = Set.of("", "stop", "stopped", "stop_sequence", "end_turn", "end",
            "eos", "eos_token", "complete", "completed", "done", "finished", "tool_calls", "tool_call",
            "tool_use", "function_call");
    private static final Set<String> OF_WINDOW =
            Set.of("length", "window", "size", "limit", "exceeded", "overflow");
    private static final Set<String> OF_LENGTH = Set.of("length", "max", "limit", "truncated", "incomplete");
    private static final Set<String> OF_REFUSAL = Set.of("safety", "sensitive", "recitation", "prohibited",
            "blocklist", "blocked", "spii", "refusal", "refused", "guardrail", "guardrails", "moderation",
            "moderated", "policy", "toxic");
    /** Refusals if of content; any other is a failure. */
    private static final Set<String> FILTER = Set.of("filter", "filtered");
    private static final Set<String> OF_BUSY = Set.of("insufficient", "overload", "overloaded", "busy",
            "unavailable", "capacity", "exhausted", "throttled");
    private static final Set<String> OF_FAILURE = Set.of("error", "errors", "abort", "aborted", "cancel",
            "canceled", "cancelled", "cancellation", "fail", "failed", "failure", "malformed", "invalid",
            "unexpected", "missing", "filter", "exception", "timeout", "time", "rate", "quota", "crashed",
            "crash", "killed", "interrupted", "terminated", "disconnected", "shutdown", "internal");

    /** {@return what a finish_reason means; STOP for none} */
    static Finish of(String reason) {
        if (STOPS.contains(reason)) return STOP; // mostly
        String lowerCase = CAMEL_HUMP.matcher(reason.strip()).replaceAll("_").toLowerCase(Locale.ROOT);
        String value = ENUMERATION.matcher(lowerCase).replaceFirst("");
        if (STOPS.contains(value)) return STOP;
        List<String> words = List.of(NO_WORD.split(value));
        boolean isContentFilter = words.contains("content") && hasAny(words, FILTER);
        if (isContentFilter || hasAny(words, OF_REFUSAL)) return REFUSAL;
        boolean isContext = words.contains("context") || value.equals("model_length"); // Mistral
        if (isContext && hasAny(words, OF_WINDOW)) return WINDOW;
        if (hasAny(words, OF_BUSY)) return BUSY;
        if (hasAny(words, OF_FAILURE)) return FAILURE;
        return hasAny(words, OF_LENGTH) ? LENGTH : UNKNOWN;
    }

    private static boolean hasAny(List<String> words, Set<String> any) {
        return !Collections.disjoint(words, any);
    }
}
