package config;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A parameter in the query of a URL, as {@code api-version=2024-10-21}; kept as it is written there. */
public record Parameter(String text) {
    /** By which clients ask for betas of Anthropic's API. */
    public static final Parameter BETA = new Parameter("beta=true");

    /** {@return the parameters of a raw query} */
    public static List<Parameter> all(String query) {
        List<Parameter> all = new ArrayList<>();
        for (String text : query.split("&")) all.add(new Parameter(text));
        return all;
    }

    /** {@return the parameter with that value, which is not yet encoded} */
    public static Parameter of(String name, String value) {
        return new Parameter(name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8));
    }

    boolean hasValue() { return text.contains("="); }

    /** {@return what stands before the first equals sign, or all of it} */
    public String name() { return hasValue() ? text.substring(0, text.indexOf('=')) : text; }

    /** {@return what stands behind the first equals sign, decoded; "" if there is none} */
    public String value() { return hasValue() ? decoded(text.substring(text.indexOf('=') + 1)) : ""; }

    /** {@return the whole of it, decoded} */
    public String decoded() { return decoded(text); }

    /** {@return true if everybody may see it, as api-version=2024-10-21} */
    boolean isHarmless() { return hasValue() && SecretNames.isHarmless(name()); }

    private static String decoded(String escaped) {
        try {
            return URLDecoder.decode(escaped, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // a % that begins no escape
            return escaped;
        }
    }
}
