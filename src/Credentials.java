import java.net.URI;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which keys one backend gets, whose they are, and in which headers. Keys of Anthropic's, which begin with
 * {@code sk-ant-}, go to Anthropic's hosts alone: a client that is logged in sends such a one by itself.
 */
final class Credentials {
    private static final Logger LOG = Logger.getLogger("a2o");
    /** The beginning of an API key or a subscription's token, such as {@code sk-ant-oat01-}, also after a scheme. */
    private static final Pattern ANTHROPIC_KEY = Pattern.compile("(?i)(?<![a-z0-9])sk-ant-");
    private static final Pattern ANTHROPIC_HOST = Pattern.compile("(?i)([a-z0-9-]+\\.)+anthropic\\.com\\.?");
    private static final String WHY = "it begins with sk-ant-, and such keys go to Anthropic alone";

    private final Options options;
    private final Options.Target target;
    private final String keyHeader; // where the backend looks for a key that is no token
    private final AtomicBoolean isTold = new AtomicBoolean(); // that a key was held back

    Credentials(Options options, Options.Target target, Dialect dialect) {
        this.options = options;
        this.target = target;
        this.keyHeader = dialect.is("key", "api-key") ? "api-key" : "authorization";
    }

    /** {@return the URL to ask, without parameters that hold a key which must not go there} */
    URI url(URI url) {
        if (!mustBeHeldBack("" + url.getQuery())) return url;
        String kept = Arrays.stream(url.getRawQuery().split("&"))
                .filter(parameter -> !mustBeHeldBack(Secrets.decoded(parameter))).collect(Collectors.joining("&"));
        tell("the key in its URL");
        String withoutQuery = url.toString().substring(0, url.toString().indexOf('?'));
        return URI.create(kept.isEmpty() ? withoutQuery : withoutQuery + "?" + kept);
    }

    /** {@return the headers to send, by their names in lower case} Of the client's nothing but its key is sent on. */
    Map<String, String> headers(String clientKey) {
        Map<String, String> headers = new LinkedHashMap<>();
        String key = target.key().orElse(clientKey);
        if (mustBeHeldBack(key)) {
            tell(target.key().isPresent() ? "a2o's key" : "the client's key");
        } else if (!key.isEmpty()) {
            boolean isToken = key.startsWith("eyJ"); // of Azure's Entra, which takes it as a bearer
            boolean isBearer = isToken || keyHeader.equals("authorization");
            headers.put(isBearer ? "authorization" : keyHeader, isBearer ? "Bearer " + key : key);
        }
        for (Options.Header header : options.headers()) {
            String name = header.name().toLowerCase(Locale.ROOT);
            if (mustBeHeldBack(header.value())) {
                headers.remove(name); // what would have been replaced does not go either
                tell("the header " + header.name());
            } else {
                headers.put(name, header.value());
            }
        }
        return headers;
    }

    private void tell(String what) {
        if (isTold.getAndSet(true)) return;
        LOG.info(() -> "%s is not sent to %s: %s".formatted(what, target.address(), WHY));
    }

    private boolean mustBeHeldBack(String value) { return mustBeHeldBack(target, value); }

    /** {@return whether there is a key of Anthropic's in {@code value}, and the backend is another's} */
    static boolean mustBeHeldBack(Options.Target target, String value) {
        return !isAnthropics(target) && isAnthropicKey(value);
    }

    private static boolean isAnthropics(Options.Target target) {
        return ANTHROPIC_HOST.matcher(target.host()).matches();
    }

    /** {@return whether there is a key of Anthropic's in the value of a header, also in user and password} */
    static boolean isAnthropicKey(String value) {
        return ANTHROPIC_KEY.matcher(value).find()
                || Secrets.userAndPassword(value).filter(pair -> ANTHROPIC_KEY.matcher(pair).find()).isPresent();
    }

    /** {@return whether the client's key would not be sent} */
    boolean holdsBack(String clientKey) { return target.key().isEmpty() && mustBeHeldBack(clientKey); }

    /** {@return whether the backend gets a key of the operator's, however that is given; then a refusal is about that} */
    static boolean areOurs(Options options, Options.Target target) {
        return target.key().isPresent() || secretHeaders(options).findAny().isPresent() || hasSecretQuery(target);
    }

    private static Stream<String> secretHeaders(Options options) {
        return options.headers().stream().map(Options.Header::name).filter(Secrets::isSecretName);
    }

    private static boolean hasSecretQuery(Options.Target target) {
        if (target.url().getRawQuery() == null) return false;
        return Arrays.stream(target.url().getRawQuery().split("&"))
                .anyMatch(parameter -> Secrets.isSecretName(parameter.replaceFirst("=.*", "")));
    }

    /** {@return whose key the backend gets, for people to read} */
    String told() {
        if (target.isDemo()) return "needs no key";
        Map<String, Boolean> keys = new LinkedHashMap<>(); // whether they are held back
        target.key().ifPresent(key -> keys.put("a2o's key", mustBeHeldBack(key)));
        for (Options.Header header : options.headers()) {
            boolean isKey = Secrets.isSecretName(header.name()) || isAnthropicKey(header.value());
            if (isKey) keys.put("a2o's header " + header.name(), mustBeHeldBack(header.value()));
        }
        if (hasSecretQuery(target)) keys.put("a2o's key in its URL", mustBeHeldBack(target.url().getQuery()));
        if (getsTheClients()) keys.put("the client's key" + (isAnthropics(target) ? "" : " unless it begins with sk-ant-"), false);
        String sent = names(keys, false);
        String heldBack = names(keys, true);
        String all = "gets " + (sent.isEmpty() ? "no key" : sent);
        return heldBack.isEmpty() ? all : "%s, and not %s: %s".formatted(all, heldBack, WHY);
    }

    private static String names(Map<String, Boolean> keys, boolean areHeldBack) {
        return keys.entrySet().stream().filter(key -> key.getValue() == areHeldBack).map(Map.Entry::getKey)
                .collect(Collectors.joining(" and "));
    }

    private boolean getsTheClients() {
        boolean isReplaced = options.headers().stream().anyMatch(header -> header.name().equalsIgnoreCase(keyHeader));
        return target.key().isEmpty() && options.authKey().isEmpty() && !isReplaced;
    }
}
