package json;

/**
 * One server-sent event; its data is not looked into.
 *
 * @param data    lines joined by a line feed; none only if there is a frame
 * @param isError whether it is an error by its name, whatever its data
 * @param frame   the bytes of the event as they came, with the blank line; none where nobody needs them
 */
public record SseEvent(byte[] data, boolean isError, byte[] frame) {
    private static final byte[] NO_FRAME = {};

    SseEvent(byte[] data, boolean isError) { this(data, isError, NO_FRAME); }

    /** {@return whether the data begins with that text of ASCII} */
    public boolean begins(String ascii) { return Lines.begins(data, 0, ascii); }

    /** {@return whether this is the {@code [DONE]} that ends a stream of OpenAI's} */
    public boolean isDone() {
        return begins("[DONE]");
    }
}
