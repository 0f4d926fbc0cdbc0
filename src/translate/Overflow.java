package translate;

import anthropic.ApiError;
import java.util.List;
import java.util.OptionalLong;

/**
 * A request that exceeds the context window of the model, as a backend says it. Clients compact the
 * conversation when they read {@code prompt is too long: N tokens > M maximum}, and ask for a shorter
 * reply when they read {@code input length and `max_tokens` exceed context limit: N + R > M}.
 *
 * <p>It is found by its code, or by a noun (context, prompt) and a relation (exceeds, too long). Limits of
 * rates and of the reply alone are something else. {@link OverflowCounts} has the numbers.
 */
final class Overflow {
    private static final List<String> CODES = List.of("context_length_exceeded", "exceed_context_size");
    private static final List<String> NOUNS = List.of("context", "prompt", " token", "token ", "tokens",
            "n_ctx", "input", "seq_len", "sequence length", "model length", "model_len",
            "length of the messages", "text too long", "messages are too long", "messages too long", "conversation",
            "上下文", "输入", "请求", "提示", "對話", "对话", "輸入", "消息", "总长度", "コンテキスト", "プロンプト", "トークン",
            "컨텍스트", "프롬프트", "토큰", "контекст", "токен", "запрос");
    private static final List<String> RELATIONS = List.of("exceed", "too long", "too large", "too big",
            "too many", "longer", "larger", "greater", "bigger", "more than", "less than", "fewer than",
            "at most", "limit", "maximum", "max ", "max:", "max_", "out of room", "overflow", "beyond",
            "not fit", "n't fit", "tokens but", "cannot truncate", "no room", "surpass", "too short for",
            "up to", "range of", "too small for", "is full", "is only ", "초과", "너무 길", "превы", "слишком",
            ">", "<=", "超", "过长", "太长", "過長", "上限", "最大", "大于", "长度限制");
    /** Phrases that have a noun, and are not about the prompt. */
    private static final List<String> OTHER_PHRASES = List.of("input should", "input validation",
            "invalid input", "malformed input", "extra input", "image input", "text input is", "'input'",
            "prompt_cache", "context_management", "请求参数", "请求id", "请求 id", "input argument", "input schema",
            "input_schema", "budget_tokens", "context_window' for this model", "multimodal input",
            "multi-modal input",
            "reformat your input", "check your input", "<400>", "<500>");
    /** What is said of rates, accounts, times and sizes in bytes. */
    private static final List<String> OTHER_LIMITS = List.of("per minute", "per second", "per day",
            "per hour", "hourly", "daily", "weekly", "monthly", "rate limit", "rate_limit", "ratelimit",
            "throttl", "please wait", "quota",
            "too many requests", "concurren", "credit", "balance", "afford", "deadline", "timeout",
            "timed out", "expired", "try again in", "sensitive", "moderation", "safety", "string too long",
            "content_filter", "content filter", "content management", "content policy",
            " bytes", "(tpm)", "(rpm)", " tpm", " rpm",
            "每分钟", "频率", "并发", "限流", "余额", "额度", "次数", "速率", "频繁");
    /** Of the reply alone: "max_completion_tokens must be …". */
    private static final List<String> OF_REPLY = List.of(Said.REPLY_LIMIT + " must be",
            Said.REPLY_LIMIT + "' must be", Said.REPLY_LIMIT + " should be", Said.REPLY_LIMIT + "' should be");
    /** Joins the prompt and the reply, whose sum is too long. */
    private static final List<String> SUMS = List.of("+ " + Said.REPLY_LIMIT, "+ '" + Said.REPLY_LIMIT,
            "and " + Said.REPLY_LIMIT, "and '" + Said.REPLY_LIMIT, "与 " + Said.REPLY_LIMIT, "与" + Said.REPLY_LIMIT,
            "和 " + Said.REPLY_LIMIT, "max_model_len");

    private static final long MIN_ROOM = 1024; // tokens of a reply for which a prompt is worth another try
    private static final long MARGIN = 128; // tokens that the backend may count otherwise
    private static final int PERCENT_MORE = 4; // that a prompt may take beyond the estimate
    private static final int PERCENT_SURE = 15; // beyond the window, for an estimate to be believed

    private Overflow() { }

    /** {@code asked} is the longest reply that the client asked for; 0 for no limit. */
    static boolean isIn(ErrorBody said, int status, long asked) {
        if (said.saysAny(CODES)) return true;
        return switch (status) {
            case 401, 402, 403, 404, 429 -> false;
            default -> isIn(said) || isReplyKept(said, asked);
        };
    }

    private static boolean isIn(ErrorBody body) {
        Said said = body.said();
        if (said.says(OTHER_LIMITS) || isOfReply(said)) return false;
        boolean isOfImages = said.says("image", "图") && !said.says("token", "context");
        Said rest = said.without(OTHER_PHRASES);
        if (isOfImages || !rest.says(NOUNS)) return false;
        return rest.says(RELATIONS) || OverflowCounts.of(body, 0).isOver();
    }

    /** As Snowflake says, where no such reply was asked for: "max tokens of 128000 exceeded". */
    private static boolean isReplyKept(ErrorBody body, long asked) {
        Said said = body.said();
        boolean isExceeded = said.says(Said.REPLY_LIMIT + " of ") && said.says(" exceeded");
        boolean isOther = said.says(OTHER_LIMITS) || isOfReply(said);
        return isExceeded && !isOther && OverflowCounts.of(body, asked).window().isPresent();
    }

    private static boolean isOfReply(Said said) { return said.says(OF_REPLY) && !said.says(SUMS); }

    /** {@return the error in Anthropic's words, with the backend's numbers or else with estimates} */
    static ApiError error(ErrorBody said, ErrorContext context) {
        OverflowCounts counts = OverflowCounts.of(said, context.maxTokens());
        long window = counts.window().orElse(context.window());
        if (window == 0) {
            return new ApiError(400, "prompt is too long: %s: %s".formatted(context.host(), said.message()));
        }
        OptionalLong fitting = counts.fittingPrompt(window);
        if (fitting.isPresent()) {
            long prompt = fitting.getAsLong();
            boolean isCounted = counts.atLeast().isEmpty();
            return isCounted ? replyTooLong(prompt, window, context) : countedNoFurther(prompt, window, context);
        }
        long tokens = counts.prompt().orElse(0);
        ApiError error = promptTooLong(tokens, window, context);
        if (counts.total().isPresent()) return withRoom(error, tokens - context.maxTokens(), window);
        boolean isOfSum = counts.prompt().isEmpty() && said.said().says(SUMS);
        if (!isOfSum) return error;
        long guessed = context.tokens() + context.tokens() * PERCENT_MORE / 100;
        return withRoom(error, guessed, window);
    }

    /** {@code tokens} are the prompt's, if the backend says more than the window has. */
    private static ApiError promptTooLong(long tokens, long window, ErrorContext context) {
        long prompt = tokens > window ? tokens : Math.max(context.tokens(), window + 1);
        return new ApiError(400, "prompt is too long: %d tokens > %d maximum".formatted(prompt, window));
    }

    /**
     * {@return the error where the backend says only what the prompt has at least} It stops counting at the
     * first token for which there is no room beside the reply, so the number tells how long a reply was
     * refused, and nothing more of the prompt. What to ask for next is a guess by the estimate; where that is
     * refuted, half of what was refused.
     */
    private static ApiError countedNoFurther(long least, long window, ErrorContext context) {
        long refused = window - least;
        boolean isFarTooLong = context.tokens() > window + window * PERCENT_SURE / 100;
        if (refused <= MIN_ROOM || isFarTooLong) return promptTooLong(0, window, context);
        long likely = window - context.tokens() - context.tokens() * PERCENT_MORE / 100 - MARGIN;
        long room = Math.max(likely < refused ? likely : refused / 2, MIN_ROOM);
        return replyTooLong(window - room - MARGIN, window, context);
    }

    /** The prompt alone fits: with a shorter reply the request may be sent again. */
    private static ApiError replyTooLong(long prompt, long window, ErrorContext context) {
        String message = "input length and `max_tokens` exceed context limit: %d + %d > %d";
        var error = new ApiError(400, message.formatted(prompt, context.maxTokens(), window));
        return withRoom(error, prompt, window);
    }

    private static ApiError withRoom(ApiError error, long prompt, long window) {
        long room = window - prompt - MARGIN;
        boolean isWorthIt = prompt > 0 && room >= MIN_ROOM;
        return isWorthIt ? error.refusing(Lessons.onceAtMost(room)) : error;
    }
}
