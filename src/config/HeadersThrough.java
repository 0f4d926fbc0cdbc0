package config;

import java.net.http.HttpRequest;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Which of the client's headers may go on to the backends because {@code --header-through} names them. Keys
 * never do: they go where {@code --upstream-key} and A2o's own rules send them. Neither does what is about
 * one connection or one body, since the backend's are others.
 */
final class HeadersThrough {
    private static final String EXAMPLE = "x-api-key";
    /** Parts of the names of keys; "key" alone is none, for {@code idempotency-key}, nor is "session". */
    private static final List<String> OF_KEYS =
            List.of("auth", "api-key", "apikey", "token", "secret", "passw", "cookie", "credential");
    private static final Set<String> OF_CONNECTIONS = Set.of("connection", "keep-alive", "proxy-connection",
            "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect", "host");
    private static final Set<String> OF_BODIES = Set.of("content-length", "content-type", "content-encoding",
            "accept", "accept-encoding");

    private HeadersThrough() { }

    /** {@return the names in lower case} */
    static List<String> names(List<String> given) {
        return given.stream().map(HeadersThrough::name).filter(name -> !name.isEmpty()).distinct().toList();
    }

    private static String name(String given) {
        String name = given.strip().toLowerCase(Locale.ROOT);
        if (name.isEmpty()) return name; // as a variable may be
        if (OF_KEYS.stream().anyMatch(name::contains)) throw refused(name, "keys have a way of their own");
        if (OF_CONNECTIONS.contains(name)) throw refused(name, "it is about the client's connection to a2o");
        if (OF_BODIES.contains(name)) throw refused(name, "the backend's request has a body of its own");
        checkSpelling(name);
        return name;
    }

    /** Refuses what HTTP, or the JDK's client, does not take as a name. */
    private static void checkSpelling(String name) {
        try {
            HttpRequest.newBuilder().header(name, EXAMPLE);
        } catch (IllegalArgumentException e) {
            throw new UsageError(Option.HEADER_THROUGH, ": the name of a header expected, as x-session");
        }
    }

    private static UsageError refused(String name, String why) {
        return new UsageError(Option.HEADER_THROUGH, ": %s cannot go through: %s".formatted(name, why));
    }
}
