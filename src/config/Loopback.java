package config;

import java.util.List;
import java.util.Locale;

/** Which hosts are this machine, by their names alone: nothing is looked up. */
final class Loopback {
    private static final List<String> NAMES = List.of("localhost", "::1", "[::1]");
    private static final List<String> EVERY_ADDRESS = List.of("0.0.0.0", "::", "[::]");

    private Loopback() { }

    /** {@return true if only this machine can reach it: localhost, ::1, 127.0.0.1 and its like} */
    static boolean is(String host) {
        if (NAMES.contains(host.toLowerCase(Locale.ROOT))) return true;
        boolean isAddress = host.chars().allMatch(c -> c == '.' || isDigit(c)); // 127.example.org is none
        return isAddress && host.startsWith("127.");
    }

    private static boolean isDigit(int c) { return c >= '0' && c <= '9'; }

    /** {@return true if a server bound to {@code host} can be reached at the loopback addresses} */
    static boolean reaches(String host) { return is(host) || EVERY_ADDRESS.contains(host); }
}
