package config;

import java.util.List;
import java.util.Locale;

/** Which hosts are this machine, by their names alone: nothing is looked up. */
final class Loopback {
    private static final List<String> NAMES = List.of("localhost", "::1", "[::1]");
    private static final List<String> EVERY_ADDRESS = List.of("0.0.0.0", "::", "[::]");

    private Loopback() { }

    /** {@return true if only this machine can reach it: localhost, ::1, or 127 and numbers, as 127.0.0.1} */
    static boolean is(String host) {
        boolean isOf127 = host.startsWith("127.") && host.chars().allMatch(c -> c == '.' || c >= '0' && c <= '9');
        return isOf127 || NAMES.contains(host.toLowerCase(Locale.ROOT));
    }

    /** {@return true if what listens at {@code host} is reached at the loopback addresses too} */
    static boolean reaches(String host) { return is(host) || EVERY_ADDRESS.contains(host); }
}
