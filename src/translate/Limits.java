package translate;

import anthropic.Usage;
import java.util.function.LongSupplier;

/**
 * The limits on a reply's length; each may not be known.
 *
 * @param sent     the tokens that the request allows the reply, as it was sent; 0 for no limit
 * @param context  the model's context window in tokens that the options tell; 0 if they do not
 * @param window   that window, as far as it is known by then, also from the backend; else 0
 */
record Limits(LongSupplier sent, long context, LongSupplier window) {
    /**
     * {@return whether the reply takes as many tokens as it may: then it is cut, whatever the backend says}
     */
    boolean areReached(Usage counted) {
        boolean isAtLimit = sent.getAsLong() > 0 && counted.output() >= sent.getAsLong();
        boolean isFull = context > 0 && counted.prompt() + counted.output() >= context;
        return isAtLimit || isFull;
    }

    /** {@return whether the request alone fills the model's window} */
    boolean isWindowFull(Usage usage) {
        long tokens = window.getAsLong();
        return tokens > 0 && usage.prompt() >= tokens;
    }
}
