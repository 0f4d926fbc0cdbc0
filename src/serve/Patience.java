package serve;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import upstream.Clock;

/**
 * How long an exchange waits for its backend: as long as that may be silent, and no longer than its client
 * waits.
 */
final class Patience {
    private final Clock clock;
    private final Duration timeout;
    private final long begun;
    private final OptionalLong clientSeconds; // from the beginning, if the client has said so

    Patience(Clock clock, Duration timeout, long begun, OptionalLong clientSeconds) {
        this.clock = clock;
        this.timeout = timeout;
        this.begun = begun;
        this.clientSeconds = clientSeconds;
    }

    /** {@return how long the next part of the reply may take, in nanoseconds} */
    long nanos() { return Math.min(timeout.toNanos(), clientNanosLeft()); }

    private long clientNanosLeft() {
        if (clientSeconds.isEmpty()) return Long.MAX_VALUE;
        long seconds = clientSeconds.getAsLong() + 1; // clients leave out fractions
        return begun + TimeUnit.SECONDS.toNanos(seconds) - clock.nanos();
    }

    /** {@return the time since the exchange began} */
    long elapsedNanos() { return clock.nanos() - begun; }

    /** {@return what has not happened in time, for the client} */
    String message() {
        if (clientNanosLeft() > 0) return "nothing came for %d seconds".formatted(timeout.toSeconds());
        return "no whole reply in the %d seconds that the client waits (x-stainless-timeout)"
                .formatted(clientSeconds.getAsLong());
    }
}
