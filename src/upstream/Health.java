package upstream;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * The state of one backend: whether its last try failed, why and when, and until when it is set aside. It
 * sends nothing and logs nothing. Safe for use by many threads.
 *
 * <p>Requests overlap: a try that began before a failure may succeed after it, which says nothing of the
 * present. So each try gets a number when it begins, and only a later one can show that the backend works
 * again.
 */
public final class Health {
    public enum State {
        READY("ready"), FAILING("failing"), SET_ASIDE("set aside"), UNREACHABLE("unreachable");

        private final String name;

        State(String name) { this.name = name; }

        @Override public String toString() { return name; }
    }

    /** How a try failed. */
    enum Kind {
        /** The backend has refused the request, and works: 4xx. */
        REFUSED,
        /** The backend works, but not for this account now: 402, 429, or a wrong key of the operator's. */
        DENIED,
        /** The backend has broken off, kept silent or answered 5xx. */
        BROKEN,
        /** There was no connection. */
        UNCONNECTED
    }

    /** An error as it may be shown to everybody. */
    record Failure(long epochMillis, int status, String message) { }

    private static final long MAX_ASIDE_SECONDS = 60;

    private final Clock clock;
    private long begun; // the number of the try that began last
    private long failed; // the number of the last one that had begun when a try failed
    private Optional<Kind> trouble = Optional.empty(); // of the last try
    private boolean isDown; // by the last try, and no connection since
    private Optional<Failure> last = Optional.empty();
    private long asideSeconds; // the last time that it was set aside
    private OptionalLong asideUntil = OptionalLong.empty(); // by the clock; if it was, and has not worked since

    Health(Clock clock) { this.clock = clock; }

    /** {@return the number of a try that begins now} */
    synchronized long begin() { return ++begun; }

    /**
     * Notes a failure. {@return the seconds for which the backend is set aside; 0 if it is not, or was
     * already}
     */
    synchronized long fails(Kind kind, Failure failure, boolean mayBeSetAside) {
        last = Optional.of(failure);
        isDown = kind == Kind.BROKEN || kind == Kind.UNCONNECTED;
        trouble = Optional.of(kind).filter(any -> any != Kind.REFUSED);
        failed = begun;
        if (!mayBeSetAside || isAside()) return 0;
        asideSeconds = Math.clamp(asideSeconds * 2, 1, MAX_ASIDE_SECONDS);
        asideUntil = OptionalLong.of(clock.nanos() + TimeUnit.SECONDS.toNanos(asideSeconds));
        return asideSeconds;
    }

    /** Notes that a try has got an answer, which may still break off. */
    synchronized void answers(long number) {
        if (number > failed) isDown = false;
    }

    /** Notes that a try went well. {@return the trouble that is over by it} */
    synchronized Optional<Kind> works(long number) {
        boolean isOlder = number <= failed;
        if (isOlder) return Optional.empty();
        Optional<Kind> over = trouble;
        isDown = false;
        trouble = Optional.empty();
        asideSeconds = 0;
        asideUntil = OptionalLong.empty();
        return over;
    }

    /**
     * Notes that a connection could be made, without a request. {@return whether the backend is ready again}:
     * it is if it could not be connected to before.
     */
    synchronized boolean connects() {
        isDown = false;
        boolean isMended = trouble.equals(Optional.of(Kind.UNCONNECTED));
        if (isMended) trouble = Optional.empty();
        if (isMended) asideUntil = OptionalLong.empty();
        return isMended;
    }

    /** {@return whether others are to be asked before it} */
    synchronized boolean isAside() {
        return asideUntil.isPresent() && clock.nanos() - asideUntil.getAsLong() < 0;
    }

    /** {@return whether nothing is to be sent here, if that is so of all backends} */
    synchronized boolean isDown() { return isDown; }

    synchronized State state() {
        if (trouble.isEmpty()) return State.READY;
        if (trouble.get() == Kind.UNCONNECTED) return State.UNREACHABLE;
        return isAside() ? State.SET_ASIDE : State.FAILING;
    }

    synchronized Optional<Failure> lastFailure() { return last; }
}
