package anthropic;

/** Counts of tokens: input, cacheWrite and cacheRead do not overlap, thinking is part of output. */
public record Usage(long input, long cacheWrite, long cacheRead, long output, long thinking) {
    /** {@return the tokens that the conversation takes in the model's window, cached or not} */
    public long prompt() {
        return input + cacheWrite + cacheRead;
    }

    public boolean isCounted() {
        return input + cacheRead + output > 0;
    }
}
