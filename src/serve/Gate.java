package serve;

import anthropic.ApiError;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import config.AuthKey;
import config.HeaderValue;
import config.Options;
import config.Parameter;
import config.Secrets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import upstream.ClientHeaders;

/**
 * Decides who may come in: which web pages, by which host names, and with which key. No other class reads a
 * client's key off its headers.
 *
 * <p>Two dangers come through a browser on this machine, from pages that the user happens to visit. A page
 * can send requests to localhost and spend the user's tokens; such requests carry the page's {@code Origin},
 * or {@code Sec-Fetch-Site: cross-site}. And a page can have its own host name resolve to 127.0.0.1 (DNS
 * rebinding), so that the browser takes A2o for the page's own server; such requests carry that name as
 * {@code Host}. Both are refused as long as A2o listens on a loopback address. Where it listens elsewhere,
 * {@code --auth-key} keeps strangers out.
 */
final class Gate {
    private static final String BEARER = "Bearer ";
    /**
     * A host or an origin on this machine: {@code localhost}, {@code 127.0.0.1:3578}, {@code
     * http://[::1]:30}.
     */
    private static final Pattern LOCAL =
            Pattern.compile("(?i)(https?://)?(localhost|127(\\.\\d+){3}|\\[::1])(:\\d+)?");
    /** A version, or names of betas: {@code 2023-06-01}, {@code oauth-2025-04-20,files-api-2025-04-14}. */
    private static final Pattern WORDS = Pattern.compile("[\\w.:, -]{1,2000}");
    private static final String PREFLIGHT_SECONDS = "86400"; // for which browsers may remember the answer

    private final Options options;
    private final boolean isLoopback;
    private volatile String lastLocal = ""; // host or origin

    /** {@code isLoopback} says whether A2o listens on a loopback address. */
    Gate(Options options, boolean isLoopback) {
        this.options = options;
        this.isLoopback = isLoopback;
    }

    /** @throws ApiError if a web page sent the request that may not, or it names a foreign host */
    void checkOrigin(HttpExchange http) {
        if (isLoopback && isForeign(http)) {
            throw new ApiError(403, "only requests to localhost, and of pages from there, are served");
        }
    }

    private boolean isForeign(HttpExchange http) {
        Headers headers = http.getRequestHeaders();
        boolean isCrossSite = any(headers, "Sec-Fetch-Site", "cross-site"::equalsIgnoreCase);
        boolean isByOtherSite = isCrossSite && !isByAllowedPage(http);
        boolean isByOtherPage = any(headers, "Origin", origin -> !isAllowed(origin));
        boolean isToOtherHost = any(headers, "Host", host -> !isLocal(host));
        return isByOtherSite || isByOtherPage || isToOtherHost;
    }

    /** {@return whether that is so of any value of the header, which may come more than once} */
    private static boolean any(Headers headers, String name, Predicate<String> condition) {
        for (String value : headers.getOrDefault(name, List.of())) {
            if (condition.test(value)) return true;
        }
        return false;
    }

    private boolean isLocal(String host) {
        if (host.equals(lastLocal)) return true; // mostly: there is but one
        boolean isLocal = LOCAL.matcher(host).matches();
        if (isLocal) lastLocal = host;
        return isLocal;
    }

    private boolean isAllowed(String origin) { return isLocal(origin) || options.origins().contains(origin); }

    /** {@return whether a page sent the request whose origin is one of {@code --allow-origin}} */
    private boolean isByAllowedPage(HttpExchange http) { return options.origins().contains(origin(http)); }

    private static String origin(HttpExchange http) { return first(http, "Origin", ""); }

    /**
     * Sets the headers that let a page of an allowed origin read the answer (CORS).
     *
     * @return whether the request is a preflight: a browser's question about these headers, with no other
     * answer
     */
    boolean allowPage(HttpExchange http) {
        if (!isByAllowedPage(http)) return false;
        Headers answer = http.getResponseHeaders();
        answer.set("access-control-allow-origin", origin(http));
        answer.set("access-control-expose-headers", "*");
        answer.set("vary", "origin");
        boolean isPreflight = http.getRequestMethod().equals("OPTIONS");
        if (isPreflight) {
            answer.set("access-control-allow-methods", "GET, POST");
            answer.set("access-control-allow-headers", first(http, "Access-Control-Request-Headers", "*"));
            answer.set("access-control-max-age", PREFLIGHT_SECONDS);
        }
        return isPreflight;
    }

    /** @throws ApiError if there is an {@code --auth-key}, and the client has not sent it */
    void checkKey(HttpExchange http) {
        if (!options.hasAuthKeys()) return;
        boolean isAnySent = !keys(http).getFirst().isEmpty();
        if (authKey(http).isEmpty()) throw keyError(isAnySent);
    }

    private static ApiError keyError(boolean isAnySent) {
        String why = isAnySent ? "the key that was sent is not one of this proxy's" : "no key was sent";
        return new ApiError(401, "this proxy needs its own key, as x-api-key or bearer: " + why);
    }

    /**
     * The same for what a person reads in a browser, which can send a key as a password alone (RFC 7617).
     * Messages are not to be had by it: browsers send passwords along whatever page makes them ask.
     *
     * @throws ApiError if there is an {@code --auth-key}, and it was sent in neither way
     */
    void checkPageKey(HttpExchange http) {
        Optional<String> password = new HeaderValue(first(http, "Authorization", "")).userAndPassword()
                .map(pair -> pair.substring(pair.indexOf(':') + 1));
        boolean isKey = password.isPresent()
                && options.authKeys().stream().anyMatch(key -> key.isSame(password.get()));
        if (isKey) return;
        boolean isAsked = options.hasAuthKeys() && authKey(http).isEmpty();
        if (isAsked) http.getResponseHeaders().set("www-authenticate", "Basic realm=\"a2o: a key as password\"");
        if (isAsked && password.isPresent()) throw keyError(true);
        checkKey(http);
    }

    /** {@return the one of A2o's keys that the client has sent} */
    private Optional<AuthKey> authKey(HttpExchange http) {
        if (!options.hasAuthKeys()) return Optional.empty();
        return keys(http).stream().flatMap(sent -> options.authKeys().stream().filter(key -> key.isSame(sent)))
                .findFirst();
    }

    /** {@return the name of the client, by the key that it has sent} */
    Optional<String> clientName(HttpExchange http) { return authKey(http).flatMap(AuthKey::name); }

    /** {@return the client's key for the backend; "" if it sent none, or the key is for this proxy} */
    String keyForBackend(HttpExchange http) {
        return options.hasAuthKeys() ? "" : keys(http).getFirst();
    }

    /** {@return what backends may get of the client's headers} */
    ClientHeaders headersForBackend(HttpExchange http) {
        String key = keyForBackend(http);
        boolean isBearer = first(http, "X-Api-Key", "").isBlank();
        Optional<String> version = value(http, "Anthropic-version");
        Map<String, String> through = HeadersUp.of(http.getRequestHeaders(), options.headersThrough());
        return new ClientHeaders(key, isBearer, version, value(http, "Anthropic-beta"), isOfBeta(http), through);
    }

    /** {@return whether the URL says {@code beta=true}, as SDKs and Claude Code write it for betas} */
    private static boolean isOfBeta(HttpExchange http) {
        String query = Objects.requireNonNullElse(http.getRequestURI().getRawQuery(), "");
        return Parameter.all(query).contains(Parameter.BETA);
    }

    /** {@return the values of a header, joined; none if there is no such header, or it is malformed} */
    private static Optional<String> value(HttpExchange http, String name) {
        List<String> values = http.getRequestHeaders().get(name);
        if (values == null) return Optional.empty();
        return Optional.of(String.join(",", values)).filter(text -> WORDS.matcher(text).matches());
    }

    /** {@return what must not be shown to the client or in the log about this request} */
    Secrets secrets(HttpExchange http) { return options.secrets().with(keys(http).toArray(String[]::new)); }

    /**
     * {@return the keys that the client sent: x-api-key first, then the bearer's; "" alone if there is none}
     */
    private static List<String> keys(HttpExchange http) {
        String bearer = bearer(first(http, "Authorization", ""));
        String key = first(http, "X-Api-Key", "").strip();
        return key.isEmpty() ? List.of(bearer) : List.of(key, bearer);
    }

    private static String bearer(String authorization) {
        boolean isBearer = authorization.regionMatches(true, 0, BEARER, 0, BEARER.length());
        return isBearer ? authorization.substring(BEARER.length()).strip() : "";
    }

    private static String first(HttpExchange http, String name, String otherwise) {
        return Objects.requireNonNullElse(http.getRequestHeaders().getFirst(name), otherwise);
    }
}
