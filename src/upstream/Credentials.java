package upstream;

import config.Header;
import config.Options;
import config.Parameter;
import config.SecretNames;
import config.Secrets;
import config.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import translate.Dialect;

/**
 * Decides which keys a backend gets, and in which headers. Keys of Anthropic's, which begin with {@code
 * sk-ant-}, go to Anthropic's hosts alone: a client that is logged in sends its token without being asked.
 */
public final class Credentials {
    private static final Logger LOG = Logger.getLogger("a2o");
    private static final String ANY_OF_THE_CLIENTS = "the client's key";
    private static final String SOME_OF_THE_CLIENTS = "the client's key unless it begins with sk-ant-";
    private static final String WHY = "it begins with sk-ant-, and such keys go to Anthropic alone";

    private final Options options;
    private final Target target;
    private final String keyHeader; // where the backend looks for a key that is no token
    private final AtomicBoolean isTold = new AtomicBoolean(); // that a key was held back

    public Credentials(Options options, Target target, Dialect dialect) {
        this.options = options;
        this.target = target;
        this.keyHeader = dialect.takesApiKeyHeader() ? "api-key" : "authorization";
    }

    /** {@return the backend's address without parameters that hold a key which must not go there} */
    Target address() {
        List<Parameter> kept = target.parameters().stream()
                .filter(parameter -> !mustBeHeldBack(parameter.decoded())).toList();
        if (kept.size() == target.parameters().size()) return target;
        tell("the key in its URL");
        return target.with(kept);
    }

    /** {@return the headers to send, by lower-case name} Of the client's headers only its key is sent on. */
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
        for (Header header : options.headers()) {
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

    private boolean mustBeHeldBack(String value) { return target.mustNotGet(value); }

    /** {@return whether the client's key would not be sent} */
    public boolean holdsBack(String clientKey) { return target.key().isEmpty() && mustBeHeldBack(clientKey); }

    /** {@return whose key the backend gets, for people to read} */
    public String told() {
        if (target.isDemo()) return "needs no key";
        Map<String, Boolean> keys = new LinkedHashMap<>(); // whether they are held back
        target.key().ifPresent(key -> keys.put("a2o's key", mustBeHeldBack(key)));
        for (Header header : options.headers()) {
            boolean isKey = SecretNames.isSecret(header.name()) || Secrets.isAnthropicKey(header.value());
            if (isKey) keys.put("a2o's header " + header.name(), mustBeHeldBack(header.value()));
        }
        if (target.hasSecretQuery()) keys.put("a2o's key in its URL", mustBeHeldBack(target.query().orElse("")));
        String clients = target.isAnthropics() ? ANY_OF_THE_CLIENTS : SOME_OF_THE_CLIENTS;
        if (getsTheClients()) keys.put(clients, false);
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
        boolean isReplaced = options.headers().stream()
                .anyMatch(header -> header.name().equalsIgnoreCase(keyHeader));
        return target.key().isEmpty() && options.authKey().isEmpty() && !isReplaced;
    }
}
