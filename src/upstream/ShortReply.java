package upstream;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** A reply that is read to its end before anybody looks at it. {@code body} is without compression. */
public record ShortReply(int status, byte[] body) {
    private static final int MAX_BYTES = 8 * 1024 * 1024;

    /**
     * Reads a reply and closes it.
     *
     * @throws IOException if it does not come in that time, breaks off or is too long
     */
    static ShortReply read(Arrivals reply, Duration patience, Clock clock)
            throws InterruptedException, IOException {
        return read(reply, reply::poll, MAX_BYTES, patience, clock);
    }

    /**
     * Reads a reply of that many bytes at most and closes it.
     *
     * @param wait gives the next part of the reply
     * @throws IOException if it does not come in that time, breaks off or is too long
     */
    static ShortReply read(Arrivals reply, Arrival.Wait wait, int mostBytes, Duration patience, Clock clock)
            throws InterruptedException, IOException {
        var body = new ByteArrayOutputStream();
        int status = 0;
        long until = clock.nanos() + patience.toNanos();
        try (reply) {
            boolean hasEnded = false;
            while (!hasEnded) {
                Optional<Arrival> next = wait.run(until - clock.nanos());
                switch (next.orElseThrow(() -> new HttpTimeoutException("the reply does not come"))) {
                    case Arrival.Head head -> status = head.status();
                    case Arrival.Piece(byte[] piece) -> body.writeBytes(piece);
                    case Arrival.Broken(Throwable cause) -> throw new IOException(cause);
                    case Arrival.End end -> hasEnded = true;
                }
                if (body.size() > mostBytes) throw new IOException("the reply is too long");
            }
        }
        var pieces = new ArrayDeque<>(List.of(body.toByteArray()));
        var plain = new ReplyBody(() -> Objects.requireNonNullElse(pieces.poll(), ReplyBody.END), "");
        return new ShortReply(status, plain.rest(mostBytes));
    }
}
