package upstream;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * The state of one backend: whether its last try failed, why and when, and until when it is set aside. It
 * sends nothing and logs nothing. Safe for use by many threads.
 *
 * <p>Requests overlap: a try that began before a failure may still succeed after it. So each try gets a
 * number when it begins, and only one that began after the failure can show that the backend works again.
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

    /** An error, without secrets. */
    record Failure(long epochMillis, int status, String message) { }

    /** The time during which other backends are asked first: twice as long after each failure. */
    private static final class Aside {
        private static final long MAX_SECONDS = 60;

        private final Clock clock;
        private long seconds; // the last time; 0 before the first
        private OptionalLong until = OptionalLong.empty(); // by the clock

        private Aside(Clock clock) { this.clock = clock; }

        private boolean isOn() { return until.isPresent() && clock.nanos() - until.getAsLong() < 0; }

        /** Begins anew. {@return for how many seconds} */
        private long begin() {
            seconds = Math.clamp(seconds * 2, 1, MAX_SECONDS);
            until = OptionalLong.of(clock.nanos() + TimeUnit.SECONDS.toNanos(seconds));
            return seconds;
        }

        /** Ends it; the next one is longer all the same. */
        private void end() { until = OptionalLong.empty(); }

        private void reset() {
            seconds = 0;
            end();
        }
    }

    private long begun; // the number of the try that began last
    private long failed; // the number of the last one that had begun when a try failed
    private Optional<Kind> trouble = Optional.empty(); // of the last try
    private boolean isDown; // by the last try, and no connection since
    private Optional<Failure> last = Optional.empty();
    private final Aside aside;

    Health(Clock clock) { this.aside = new Aside(clock); }

    /** {@return the number of a try that begins now} */
    synchronized long begin() { return ++begun; }

    /** {@return how many tries have begun} */
    synchronized long tries() { return begun; }

    /**
     * Notes a failure.
     *
     * @return the seconds for which the backend is set aside; 0 if it is not, or was already
     */
    synchronized long noteFailure(Kind kind, Failure failure, boolean mayBeSetAside) {
        last = Optional.of(failure);
        isDown = kind == Kind.BROKEN || kind == Kind.UNCONNECTED;
        trouble = Optional.of(kind).filter(any -> any != Kind.REFUSED);
        failed = begun;
        return mayBeSetAside && !aside.isOn() ? aside.begin() : 0;
    }

    /** Notes that a try has got an answer, which may still break off. */
    synchronized void noteAnswer(long number) {
        if (number > failed) isDown = false;
    }

    /** Notes that a try went well. {@return the trouble that has ended with it} */
    synchronized Optional<Kind> noteSuccess(long number) {
        boolean isOlder = number <= failed;
        if (isOlder) return Optional.empty();
        Optional<Kind> over = trouble;
        isDown = false;
        trouble = Optional.empty();
        aside.reset();
        return over;
    }

    /**
     * Notes that a connection could be made, without a request.
     *
     * @return true if the backend is ready again, as it could not be connected to before
     */
    synchronized boolean noteConnection() {
        isDown = false;
        boolean isMended = trouble.equals(Optional.of(Kind.UNCONNECTED));
        if (isMended) {
            trouble = Optional.empty();
            aside.end();
        }
        return isMended;
    }

    /** {@return true if other backends are to be asked before it} */
    synchronized boolean isAside() { return aside.isOn(); }

    /** {@return true if its last try failed, not by the request, and no connection could be made since} */
    synchronized boolean isDown() { return isDown; }

    synchronized State state() {
        if (trouble.isEmpty()) return State.READY;
        if (trouble.get() == Kind.UNCONNECTED) return State.UNREACHABLE;
        return aside.isOn() ? State.SET_ASIDE : State.FAILING;
    }

    synchronized Optional<Failure> lastFailure() { return last; }
}
