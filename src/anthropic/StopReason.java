package anthropic;

import java.util.Optional;

/**
 * Why a reply ended: {@code stop_reason}.
 *
 * @param detail the sequence of {@code stop_sequence}, or the explanation of a {@code refusal}
 */
public record StopReason(String name, Optional<String> detail) {
    private static final String SEQUENCE = "stop_sequence";
    private static final String REFUSAL = "refusal";

    public static final StopReason END_TURN = new StopReason("end_turn", Optional.empty());
    public static final StopReason TOOL_USE = new StopReason("tool_use", Optional.empty());
    /** A reply with tools of servers' has become long; the client may have it go on. */
    public static final StopReason PAUSE_TURN = new StopReason("pause_turn", Optional.empty());
    public static final StopReason MAX_TOKENS = new StopReason("max_tokens", Optional.empty());
    public static final StopReason WINDOW_EXCEEDED =
            new StopReason("model_context_window_exceeded", Optional.empty());
    public static final StopReason REFUSED = new StopReason(REFUSAL, Optional.empty());

    public static StopReason refused(String explanation) {
        return new StopReason(REFUSAL, Optional.of(explanation));
    }

    public static StopReason sequence(String sequence) {
        return new StopReason(SEQUENCE, Optional.of(sequence));
    }

    boolean isRefusal() {
        return name.equals(REFUSAL);
    }

    /** {@return the explanation of a refusal} */
    Optional<String> explanation() {
        return detail.filter(explanation -> isRefusal());
    }

    /** {@return the stop sequence that the text met} */
    Optional<String> stopSequence() {
        return detail.filter(sequence -> name.equals(SEQUENCE));
    }
}
