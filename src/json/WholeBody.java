package json;

import java.io.ByteArrayOutputStream;
import java.util.Optional;
import java.util.function.Supplier;

/** Reads a byte stream to its end as one event, whose data are all its bytes. */
public final class WholeBody implements Events {
    private final Supplier<byte[]> source; // gives the next bytes; none at the end, then and ever after

    public WholeBody(Supplier<byte[]> source) {
        this.source = source;
    }

    @Override
    public Optional<SseEvent> next() {
        var whole = new ByteArrayOutputStream();
        for (byte[] piece = source.get(); piece.length > 0; piece = source.get()) whole.writeBytes(piece);
        return whole.size() == 0 ? Optional.empty() : Optional.of(new SseEvent(whole.toByteArray(), false));
    }
}
