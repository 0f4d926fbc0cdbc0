package config;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** The value of a header such as {@code authorization} or {@code cookie}, taken apart. */
public record HeaderValue(String text) {
    private static final String BASIC = "basic ";
    /** What stands before the credentials, as in {@code Bearer abc}. */
    private static final List<String> SCHEMES =
            List.of("bearer ", BASIC, "token ", "digest ", "apikey ", "negotiate ");

    public HeaderValue { text = text.strip(); }

    /** {@return it without its scheme} */
    String credentials() {
        for (String scheme : SCHEMES) {
            if (hasScheme(scheme)) return text.substring(scheme.length()).strip();
        }
        return text;
    }

    private boolean hasScheme(String scheme) {
        return text.regionMatches(true, 0, scheme, 0, scheme.length());
    }

    /** {@return user:password, if it is {@code Basic} and Base64} */
    public Optional<String> userAndPassword() {
        if (!hasScheme(BASIC)) return Optional.empty();
        try {
            byte[] pair = Base64.getDecoder().decode(credentials());
            return Optional.of(new String(pair, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) { // not Base64
            return Optional.empty();
        }
    }

    /** {@return true if it has several parts, as in {@code a=1; b=2}} */
    boolean isList() { return text.contains(";"); }

    /** {@return the values of its parts: 1 and 2 of {@code a=1; b=2}} */
    List<String> values() { return Arrays.stream(credentials().split(";")).map(HeaderValue::value).toList(); }

    private static String value(String part) {
        int equals = part.indexOf('=');
        boolean hasValue = equals >= 0 && equals < part.length() - 1;
        return hasValue ? part.substring(equals + 1) : part;
    }
}
