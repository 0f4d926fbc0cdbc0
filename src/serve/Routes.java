package serve;

import java.net.URI;
import java.util.regex.Pattern;

/**
 * The path that a request means, however the client's base URL has made it: with or without {@code /v1}, with
 * {@code /anthropic} before it, with a slash too many.
 */
final class Routes {
    private static final String MODELS = "/v1/models";
    private static final Pattern SLASHES = Pattern.compile("//+");
    /** What a base URL may end in, as {@code http://localhost:3578/anthropic/v1} does. */
    private static final Pattern BASE = Pattern.compile("^(?:/anthropic|/v1)*(?=/|$)");
    private static final Pattern API = Pattern.compile("/messages|/messages/count_tokens|/models|/models/.*");

    private Routes() { }

    /** {@return the path as A2o knows it, encoded: {@code /v1/messages} for {@code //anthropic/messages/}} */
    static String path(URI asked) {
        boolean isReadAsHost = asked.getScheme() == null && asked.getRawAuthority() != null; // //v1/messages
        String whole = isReadAsHost ? "/" + asked.getRawAuthority() + asked.getRawPath() : asked.getRawPath();
        String path = SLASHES.matcher(whole).replaceAll("/").replaceFirst("(?<=.)/$", "");
        String bare = BASE.matcher(path).replaceFirst("");
        if (API.matcher(bare).matches()) return "/v1" + bare;
        return bare.isEmpty() ? "/" : bare;
    }

    /** {@return the name of the model that is asked about, decoded; "" if it is the list of all} */
    static String modelId(String path) {
        String decoded = URI.create(path).getPath();
        return decoded.length() > MODELS.length() ? decoded.substring(MODELS.length() + 1) : "";
    }
}
