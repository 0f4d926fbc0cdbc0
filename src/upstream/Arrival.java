package upstream;

import java.net.http.HttpHeaders;
import java.util.Optional;

/**
 * A part of a backend's reply as it arrives: one {@link Head}, then {@link Piece}s, then the {@link End}. In
 * place of any of them, as the last one, it can be {@link Broken}.
 */
public sealed interface Arrival {
    /** A wait for the next part, of that many nanoseconds at most. */
    interface Wait {
        Optional<Arrival> run(long nanos) throws InterruptedException;
    }

    /** The status and the headers. */
    record Head(int status, HttpHeaders headers) implements Arrival { }

    /** Some bytes of the body, at least one. */
    record Piece(byte[] bytes) implements Arrival { }

    /** The body is complete. */
    record End() implements Arrival { }

    /** No complete reply will come: there was no connection, it broke, or what came is not HTTP. */
    record Broken(Throwable cause) implements Arrival { }
}
