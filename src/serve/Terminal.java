package serve;

import java.util.Map;

/** The terminal at which the program was started, if it was. */
public final class Terminal {
    static { // JDK 22 to 24: by default there is a console even where the output goes into a pipe
        System.setProperty("jdk.console", "java.base");
    }

    private Terminal() { }

    public static boolean isThere() { return System.console() != null; }

    /** {@return whether it shows colours, and its user has not set {@code NO_COLOR}} */
    static boolean hasColours(Map<String, String> environment) {
        boolean isUnwanted = !environment.getOrDefault("NO_COLOR", "").isEmpty();
        boolean isDumb = environment.getOrDefault("TERM", "").equals("dumb");
        return isThere() && !isUnwanted && !isDumb;
    }
}
