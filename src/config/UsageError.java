package config;

import java.util.Optional;

/** A mistake on the command line or in the environment: a message without keys, and the exit status. */
public final class UsageError extends RuntimeException {
    private static final int CANNOT_START = 1;
    private static final int WRONG_USAGE = 2;
    private static final String PREFIX = "a2o: ";

    private final int exitStatus;
    private final Optional<Option> option; // whose value is wrong

    private UsageError(int exitStatus, Optional<Option> option, String message) {
        super(PREFIX + message, null, false, false); // no stack: the user made it, not the program
        this.exitStatus = exitStatus;
        this.option = option;
    }

    UsageError(String message) { this(WRONG_USAGE, Optional.empty(), message); }

    /** Shows the help of the option as well. {@code wrong} stands right behind its flag. */
    UsageError(Option option, String wrong) {
        this(WRONG_USAGE, Optional.of(option), "%s%s%n%s".formatted(option.flag(), wrong, option.help()));
    }

    /** {@return the error where the words are right, but a2o cannot, or must not, start with them} */
    static UsageError cannotStart(String message) { return new UsageError(CANNOT_START, Optional.empty(), message); }

    /** {@return the same, for a value of the option} */
    static UsageError cannotStart(Option option, String wrong) {
        return new UsageError(CANNOT_START, Optional.of(option), option.flag() + wrong);
    }

    /** {@return the same error, which was made there} */
    UsageError in(String place) {
        return new UsageError(exitStatus, option, place + ": " + getMessage().substring(PREFIX.length()));
    }

    /** {@return the option whose value is wrong, if it is one option's} */
    Optional<Option> option() { return option; }

    /** {@return the message in one line, without the program's name and the option's help} */
    public String shortMessage() {
        return getMessage().substring(PREFIX.length()).lines().findFirst().orElse("");
    }

    public int exitStatus() { return exitStatus; }
}
