package json;

/**
 * One server-sent event; its data is not looked into.
 *
 * @param data    lines joined by a line feed; at least one byte
 * @param isError whether it is an error by its name, whatever its data
 */
public record SseEvent(byte[] data, boolean isError) {
    /** {@return whether this is the {@code [DONE]} that ends a stream of OpenAI's} */
    public boolean isDone() {
        return Lines.begins(data, 0, "[DONE]");
    }
}
