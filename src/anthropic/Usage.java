package anthropic;

/** Counts of tokens: input, cacheWrite and cacheRead do not overlap, thinking is part of output. */
public record Usage(long input, long cacheWrite, long cacheRead, long output, long thinking) {
    public static final Usage NONE = new Usage(0, 0, 0, 0, 0);

    /** {@return the tokens that the conversation takes in the model's window, cached or not} */
    public long prompt() {
        return input + cacheWrite + cacheRead;
    }

    /** {@return the counts of both together} */
    public Usage plus(Usage other) {
        return new Usage(input + other.input, cacheWrite + other.cacheWrite, cacheRead + other.cacheRead,
                output + other.output, thinking + other.thinking);
    }

    public boolean isCounted() {
        return input + cacheRead + output > 0;
    }
}
