package config;

import java.net.http.HttpRequest;

/** A header that the operator adds to each request for a backend, or for a search service. */
public record Header(String name, String value) {
    /** {@return the header that is written as {@code Name: value}} */
    static Header of(Option option, String text) {
        int colon = text.indexOf(':');
        var wrong = new UsageError(option, ": 'Name: value' expected, with a name that may be set");
        if (colon < 0) throw wrong;
        String name = text.substring(0, colon).strip();
        String value = text.substring(colon + 1).strip();
        try {
            HttpRequest.newBuilder().header(name, value); // refuses what HTTP, or the JDK's client, forbids
            return new Header(name, value);
        } catch (IllegalArgumentException e) {
            throw wrong;
        }
    }
}
