package translate;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The numbers of a request that is too long, told apart by the words next to them.
 *
 * @param prompt of the prompt; where the backend says only the sum with the reply, that
 * @param atLeast of the prompt, where the backend has counted no further
 * @param total of the prompt and the reply, where no part of it is said
 * @param fits of the prompt, as far as it can be told from the reply
 */
record OverflowCounts(OptionalLong window, OptionalLong prompt, OptionalLong atLeast, OptionalLong total,
                      OptionalLong fits) {
    /** What a number counts. */
    private enum Role { WINDOW, PROMPT, PART, LEAST, REPLY, TOTAL, OTHER, UNSAID }

    private record Counted(Role role, long value) { }

    private static final int MIN_COUNT = 100; // a lower one is no count of tokens
    private static final List<String> WINDOW_WORDS = List.of("limit", "maximum", "max", "context length",
            "context size", "context of", "window", "n_ctx", "seq_len", "exceed", "than", ">", "<=", "at most",
            "allowed", "supports", "only", "up to", "capacity", "n_positions", " takes ",
            "context", "超", "最大", "最多", "上限", "限制", "大于", "上下文",
            "コンテキスト", "최대", "컨텍스트", "контекст");
    private static final List<String> PROMPT_WORDS = List.of("resulted in", "contains", "contain", " has ",
            "have ", "received", "got ", "given", "passed", "current length is", "n_keep", "requested",
            "actual", "your prompt is", "your input is", "当前", "实际", "收到", "but is ", "was ", "counted");
    private static final List<String> AFTER_PROMPT = List.of("in the messages", "in your messages",
            "in the prompt", "in your prompt", "in the input", "in your input", "input token", "prompt token",
            "inputs' tokens", "from the input", "from your input", "from the prompt", "from the messages",
            "of input", "in messages", "for the prompt", "for the input", "个输入", "token 输入");
    private static final List<String> AFTER_PART =
            List.of("of text input", "of tool input", "of image input", "of audio input", "of file input",
                    "of video input");
    /** As in "too large for model with 32768 maximum context length", without what may stand before it. */
    private static final List<String> AFTER_WINDOW = List.of("maximum", "max context", "context", "limit");
    private static final List<String> BEFORE_AFTER_WORDS = List.of(" ", ")", "]", "'", ",", "-", "tokens", "token");
    private static final List<String> SUMS = List.of("+ " + Said.REPLY_LIMIT, "+ '" + Said.REPLY_LIMIT);
    /** Joins the prompt's number and the reply's, as in "10000 tokens and max_tokens 150000". */
    private static final List<String> JOINS = List.of("+ ", "and ", "and requested ", "and the requested ",
            "与 ", "与", "和 ", "和", "加上 ", "plus ");
    private static final List<String> AFTER_REPLY = List.of("in the completion", "for the completion",
            "in the output", "for the output", "in the reply", "in the response", Said.REPLY_LIMIT, "of output",
            "in completion", "for completion", "'" + Said.REPLY_LIMIT);
    /** As in "exceeded by 200 tokens", "AiError: 5021", "Request id: 0217", "<400>". */
    private static final List<String> NOT_OF_TOKENS =
            List.of("by ", "error: ", "code: ", "code ", "code': ", "code':", "status': ", "status':", "status ",
                    " id: ", "http ", "<");
    /** Says that the reply counts too; else a prompt that is too long has the higher of two numbers. */
    private static final List<String> REPLY_WORDS = List.of(Said.REPLY_LIMIT, "completion", "output", "reply",
            "response", "at least", "输出", "回复");
    private static final Set<Role> OF_REPLY = Set.of(Role.REPLY, Role.TOTAL, Role.PART, Role.LEAST);
    private static final String NAME_OF_STATUS = " bad request"; // after its number
    private static final List<String> TOTAL_WORDS =
            List.of("will take", "total of", "total:", "in total", "input and " + Said.REPLY_LIMIT, "sum of", "合计", "总计");

    /** {@code asked} is the longest reply that the client asked for; 0 for no limit. */
    static OverflowCounts of(ErrorBody said, long asked) {
        List<Counted> counts = Count.in(withoutCode(Said.of(said.message()).withReplyLimits())).stream()
                .filter(count -> count.value() >= MIN_COUNT)
                .map(count -> new Counted(role(count, asked), count.value())).toList();
        OptionalLong window = member(said, "n_ctx", or(first(counts, Role.WINDOW), longerThan(asked, counts)));
        OptionalLong named = first(counts, Role.PROMPT);
        OptionalLong prompt = member(said, "n_prompt_tokens", or(named, first(counts, Role.UNSAID)));
        OptionalLong parts = or(sum(counts, Role.PART), difference(counts));
        OptionalLong least = first(counts, Role.LEAST);
        OptionalLong total = first(counts, Role.TOTAL);
        OptionalLong fits = or(parts, or(prompt, least));
        if (fits.isEmpty()) return total.isEmpty() ? compared(counts, window) : sumOnly(window, total);
        boolean isOfReply = said.said().says(REPLY_WORDS)
                || counts.stream().anyMatch(count -> OF_REPLY.contains(count.role));
        boolean areSwapped = !isOfReply && isLess(prompt, window);
        if (areSwapped) return new OverflowCounts(prompt, window, none(), none(), window);
        OptionalLong longest = parts.isPresent() ? or(prompt, or(total, parts)) : fits;
        return new OverflowCounts(window, longest, least(least, fits, window, asked), none(), fits);
    }

    /** As in "162000 tokens (10000 in the messages, 2000 in the functions, 150000 in the completion)". */
    private static OptionalLong difference(List<Counted> counts) {
        OptionalLong total = first(counts, Role.TOTAL);
        OptionalLong reply = first(counts, Role.REPLY);
        OptionalLong prompt = first(counts, Role.PROMPT);
        boolean areSaid = total.isPresent() && reply.isPresent() && prompt.isPresent();
        if (!areSaid) return none();
        long rest = total.getAsLong() - reply.getAsLong();
        return rest > prompt.getAsLong() ? OptionalLong.of(rest) : none();
    }

    /** As in "max tokens of 128000 exceeded": where no such reply was asked for, it is the window. */
    private static OptionalLong longerThan(long asked, List<Counted> counts) {
        if (asked == 0) return none();
        return first(counts.stream().filter(count -> count.value > asked).toList(), Role.REPLY);
    }

    private static boolean isLess(OptionalLong one, OptionalLong other) {
        return one.isPresent() && other.isPresent() && one.getAsLong() < other.getAsLong();
    }

    private static OptionalLong member(ErrorBody said, String name, OptionalLong otherwise) {
        long tokens = said.number(name, 0);
        return tokens > 0 ? OptionalLong.of(tokens) : otherwise;
    }

    private static OptionalLong or(OptionalLong first, OptionalLong second) {
        return first.isPresent() ? first : second;
    }

    /** As in "the number of input and output tokens (39100) exceeded the limit (32000)". */
    private static OverflowCounts sumOnly(OptionalLong window, OptionalLong total) {
        return new OverflowCounts(window, total, none(), total, none());
    }

    /** As MiniMax ends: "invalid params, context window exceeds limit (2013)". */
    private static String withoutCode(Said said) {
        boolean isCodeLast = said.says("invalid params") && said.text().endsWith(")");
        return isCodeLast ? said.text().substring(0, said.text().lastIndexOf('(')) : said.text();
    }

    /** As in "context length 40000 is greater than 32768": the prompt is the longer one. */
    private static OverflowCounts compared(List<Counted> counts, OptionalLong window) {
        List<Long> both = counts.stream().filter(count -> count.role == Role.WINDOW)
                .map(Counted::value).sorted().toList();
        boolean isCompared = both.size() > 1;
        if (!isCompared) return new OverflowCounts(window, none(), none(), none(), none());
        return new OverflowCounts(OptionalLong.of(both.getFirst()), OptionalLong.of(both.getLast()), none(),
                none(), none());
    }

    /** vLLM counts no further than to the first token for which there is no room. */
    private static OptionalLong least(OptionalLong said, OptionalLong prompt, OptionalLong window, long asked) {
        boolean isFirstWithoutRoom = prompt.isPresent() && window.isPresent()
                && prompt.getAsLong() == window.getAsLong() - asked + 1;
        return isFirstWithoutRoom ? prompt : said;
    }

    private static OptionalLong none() { return OptionalLong.empty(); }

    private static OptionalLong first(List<Counted> counts, Role role) {
        return counts.stream().filter(count -> count.role == role).mapToLong(Counted::value).findFirst();
    }

    private static OptionalLong sum(List<Counted> counts, Role role) {
        boolean isAny = counts.stream().anyMatch(count -> count.role == role);
        long sum = counts.stream().filter(count -> count.role == role).mapToLong(Counted::value).sum();
        return isAny ? OptionalLong.of(sum) : none();
    }

    private static Role role(Count count, long asked) {
        boolean isOther = NOT_OF_TOKENS.stream().anyMatch(count.before()::endsWith)
                || count.after().startsWith(NAME_OF_STATUS);
        return isOther ? Role.OTHER : roleAfter(count).orElseGet(() -> roleBefore(count, asked));
    }

    /** {@return what a number counts by the words after it, which are the surest} */
    private static Optional<Role> roleAfter(Count count) {
        String after = count.after();
        String rest = rest(after);
        boolean isSecond = count.before().endsWith("+ ");
        boolean isReply = isOfReply(count.before());
        boolean isSum = isReply && SUMS.stream().anyMatch(count.before()::contains);
        if (isSum) return Optional.of(Role.TOTAL); // as in "prompt tokens + max_tokens = 160000"
        if (isReply || isSecond) return Optional.of(Role.REPLY);
        if (isJoined(rest)) return Optional.of(Role.PROMPT);
        if (says(after, AFTER_REPLY)) return Optional.of(Role.REPLY);
        if (says(after, AFTER_PART)) return Optional.of(Role.PART);
        if (says(after, AFTER_PROMPT)) return Optional.of(promptOf(count));
        if (rest.startsWith(">")) return Optional.of(Role.PROMPT);
        return AFTER_WINDOW.stream().anyMatch(rest::startsWith) ? Optional.of(Role.WINDOW) : Optional.empty();
    }

    /** {@return what follows a number and its unit, as after "10000 tokens)"} */
    private static String rest(String after) {
        String rest = after;
        Optional<String> first = Optional.of("");
        while (first.isPresent()) {
            rest = rest.substring(first.get().length());
            first = BEFORE_AFTER_WORDS.stream().filter(rest::startsWith).findFirst();
        }
        return rest;
    }

    private static boolean isJoined(String rest) {
        if (rest.startsWith("+ ")) return true;
        return JOINS.stream().anyMatch(join -> rest.startsWith(join + Said.REPLY_LIMIT)
                || rest.startsWith(join + "'" + Said.REPLY_LIMIT));
    }

    private static Role promptOf(Count count) {
        return count.before().contains("at least") ? Role.LEAST : Role.PROMPT;
    }

    /** {@return what a number counts by the words before it; the nearest of them counts} */
    private static Role roleBefore(Count count, long asked) {
        String before = count.before();
        boolean isRangeEnd = before.strip().equals(","); // as in "Range of input length should be [1, 129024]"
        if (isRangeEnd) return Role.WINDOW;
        int window = last(before, WINDOW_WORDS);
        if (last(before, TOTAL_WORDS) > window) return Role.TOTAL;
        boolean isPrompt = last(before, PROMPT_WORDS) > window;
        boolean isRequested = before.endsWith("requested ") || before.endsWith("requested about ");
        if (isPrompt) return isRequested ? Role.TOTAL : promptOf(count);
        if (window >= 0) return Role.WINDOW;
        return count.value() == asked ? Role.REPLY : Role.UNSAID;
    }

    /** As in {@code max_tokens: 32000}. */
    private static boolean isOfReply(String before) {
        int at = before.lastIndexOf(Said.REPLY_LIMIT);
        boolean isCompared = before.endsWith("> ") || before.endsWith("<= "); // then a limit comes
        boolean isOther = isCompared || before.contains("input");
        return at >= 0 && !isOther && before.length() - at - Said.REPLY_LIMIT.length() <= 4;
    }

    /** {@return whether words follow a number, no more than a few characters after it} */
    private static boolean says(String after, List<String> words) {
        int end = after.indexOf(';'); // then something else begins, as in "limit 131072; input tokens: 135000"
        String near = after.substring(0, Math.min(end < 0 ? after.length() : end, 40));
        return words.stream().anyMatch(word -> {
            int at = near.indexOf(word);
            return at >= 0 && at <= " tokens ".length();
        });
    }

    private static int last(String before, List<String> words) {
        return words.stream().mapToInt(before::lastIndexOf).max().orElse(-1);
    }

    /** {@return whether the prompt is longer than the window, by their numbers} */
    boolean isOver() {
        return prompt.isPresent() && window.isPresent() && prompt.getAsLong() > window.getAsLong();
    }

    /** {@return the prompt, if it leaves room in the window} */
    OptionalLong fittingPrompt(long tokens) {
        boolean isFitting = fits.isPresent() && fits.getAsLong() < tokens;
        return isFitting ? fits : none();
    }
}
