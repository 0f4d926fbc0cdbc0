package config;

/** A mistake on the command line or in the environment: a message without keys, and the exit status. */
public final class UsageError extends RuntimeException {
    private static final int CANNOT_START = 1;
    private static final int WRONG_USAGE = 2;
    private static final String PREFIX = "a2o: ";

    private final int exitStatus;

    private UsageError(int exitStatus, String message) {
        super(PREFIX + message, null, false, false); // no stack: the user made it, not the program
        this.exitStatus = exitStatus;
    }

    UsageError(String message) { this(WRONG_USAGE, message); }

    /** Shows the help of the option as well. {@code wrong} stands right behind its flag. */
    UsageError(Option option, String wrong) {
        this("%s%s%n%s".formatted(option.flag(), wrong, option.help()));
    }

    /** {@return the error where the words are right, but a2o cannot, or must not, start with them} */
    static UsageError cannotStart(String message) { return new UsageError(CANNOT_START, message); }

    /** {@return the same error, which was made there} */
    UsageError in(String place) {
        return new UsageError(exitStatus, place + ": " + getMessage().substring(PREFIX.length()));
    }

    /** {@return the message in one line, without the program's name and the option's help} */
    public String shortMessage() {
        return getMessage().substring(PREFIX.length()).lines().findFirst().orElse("");
    }

    public int exitStatus() { return exitStatus; }
}
