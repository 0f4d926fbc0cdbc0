package translate;

import anthropic.ApiError;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * A request that exceeds the context window of the model, as a backend says it. Clients compact the
 * conversation when they read {@code prompt is too long: N tokens > M maximum}, and ask for a shorter
 * reply when they read {@code input length and `max_tokens` exceed context limit: N + R > M}.
 *
 * <p>It is found by its code, or by a noun (context length, input length) and a relation (exceeds,
 * maximum) that stand near each other. Its numbers are told apart by the words next to them.
 */
final class Overflow {
    private static final String NOUN = "context[_ ](?:length|size|window)";
    private static final String RELATION =
            "(?:exceed|maximum|too (?:long|large|big)|limit|larger|longer|greater)";
    private static final String NEAR = ".{0,200}";
    /** As in "This model's maximum context length is 8192 tokens", "exceeds the available context size". */
    private static final Pattern WORDS = Pattern.compile(String.join("|",
            NOUN + NEAR + RELATION, RELATION + NEAR + NOUN, "too many tokens", "prompt is too long",
            "range of input length", "maximum number of tokens",
            "input length" + NEAR + "exceed"), Pattern.DOTALL);
    private static final List<String> CODES = List.of("context_length_exceeded", "exceed_context_size");
    /** Of the reply alone: "max_completion_tokens must be …". */
    private static final Pattern OF_REPLY = Pattern.compile("max_(?:\\w{1,40}_)?tokens\\W{0,8} must be");
    /** Statuses for which the words alone are enough; 200 is that of an error inside a reply. */
    private static final List<Integer> STATUSES = List.of(200, 400, 413, 422);

    /** As in "9000 in the messages", "9000 input tokens". */
    private static final Pattern PROMPT =
            Pattern.compile("(\\d{1,9}) (?:in the messages|of text input|input tokens)");
    /** As in "maximum context length is 8192", "9000 > 8192". */
    private static final Pattern WINDOW = Pattern.compile(
            "(?:(?:limit|maximum|context (?:length|size|window))\\D{0,40}|> )(\\d{3,9})");
    private static final Pattern NUMBER = Pattern.compile("(?<!\\d)(\\d{3,9})(?!\\d)");
    private static final Pattern THOUSANDS = Pattern.compile("(?<=\\d),(?=\\d{3})"); // the comma in 8,192

    private static final long MIN_ROOM = 1024; // tokens of a reply for which a prompt is worth another try
    private static final long MARGIN = 128; // tokens that the backend may count otherwise

    private Overflow() { }

    static boolean isIn(ErrorBody said, int status) {
        if (said.saysAny(CODES)) return true;
        return STATUSES.contains(status) && !said.says(OF_REPLY) && said.says(WORDS);
    }

    /** {@return the error in Anthropic's words, with the backend's numbers or else with estimates} */
    static ApiError error(ErrorBody said, ErrorContext context) {
        String words = THOUSANDS.matcher(said.message()).replaceAll("").toLowerCase(Locale.ROOT);
        long window = said.number("n_ctx", numbers(WINDOW, words).findFirst().orElse(context.window()));
        if (window == 0) {
            return new ApiError(400, "prompt is too long: %s: %s".formatted(context.host(), said.message()));
        }
        long prompt = numbers(PROMPT, words).findFirst().orElse(window);
        if (prompt < window) return replyTooLong(prompt, window, context.maxTokens());
        long tokens = said.number("n_prompt_tokens", numbers(NUMBER, words).max().orElse(0));
        if (tokens <= window) tokens = Math.max(context.tokens(), window + 1);
        return new ApiError(400, "prompt is too long: %d tokens > %d maximum".formatted(tokens, window));
    }

    /** The prompt alone fits: with a shorter reply the request may be sent again. */
    private static ApiError replyTooLong(long prompt, long window, long maxTokens) {
        String message = "input length and `max_tokens` exceed context limit: %d + %d > %d";
        var error = new ApiError(400, message.formatted(prompt, maxTokens, window));
        long room = window - prompt - MARGIN;
        return room < MIN_ROOM ? error : error.refusing(Lessons.onceAtMost(room));
    }

    private static LongStream numbers(Pattern pattern, String text) {
        return pattern.matcher(text).results().mapToLong(found -> Long.parseLong(found.group(1)));
    }
}
