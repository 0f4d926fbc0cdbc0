package config;

import java.util.List;
import java.util.Locale;

/** What the names of headers, of URL parameters and of JSON members say about their values. */
public final class SecretNames {
    /** Parts of names whose values are credentials, such as {@code Ocp-Apim-Subscription-Key}. */
    private static final List<String> SECRET_PARTS = List.of(
            "auth", "key", "secret", "passw", "cookie", "credential", "signature", "session");
    private static final List<String> SECRET = List.of("sig", "code", "pwd");
    private static final String TOKEN = "token";
    private static final String COUNT = "tokens"; // as in max_tokens, which is no secret

    private static final List<String> HARMLESS = List.of(
            "user-agent", "referer", "http-referer", "origin", "v", "alt", "model", "deployment");
    private static final List<String> HARMLESS_BEGINNINGS = List.of("accept", "content-");
    private static final List<String> HARMLESS_ENDS = List.of("version", "-title", "-beta");

    private SecretNames() { }

    /** {@return true if the value is a credential} */
    public static boolean isSecret(String name) {
        String small = name.toLowerCase(Locale.ROOT);
        if (SECRET.contains(small)) return true;
        boolean isToken = small.replace(COUNT, " ").contains(TOKEN);
        return isToken || SECRET_PARTS.stream().anyMatch(small::contains);
    }

    /**
     * {@return true if everybody may see the value, as that of api-version} Names that are neither secret nor
     * harmless may have values of either kind.
     */
    static boolean isHarmless(String name) {
        String small = name.toLowerCase(Locale.ROOT);
        if (HARMLESS.contains(small)) return true;
        return HARMLESS_BEGINNINGS.stream().anyMatch(small::startsWith)
                || HARMLESS_ENDS.stream().anyMatch(small::endsWith);
    }
}
