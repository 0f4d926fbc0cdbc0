package upstream;

import config.Api;
import config.Header;
import config.Options;
import config.Parameter;
import config.SecretNames;
import config.Secrets;
import config.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import translate.Dialect;

/**
 * Decides which keys a backend gets, and in which headers. Of the client's headers its key is sent on, and
 * what may go through; a backend of Anthropic's API gets {@code anthropic-version} and {@code
 * anthropic-beta}, too. Keys of Anthropic's, which begin with {@code sk-ant-}, go to Anthropic's hosts
 * alone: a client that is logged in sends its token without being asked.
 */
public final class Credentials {
    private static final String AUTHORIZATION = "authorization";
    private static final String API_KEY = "api-key";
    private static final String ANTHROPICS_KEY = "x-api-key";
    private static final String VERSION = "anthropic-version";
    private static final String USUAL_VERSION = "2023-06-01"; // the only one since then
    private static final String BETA = "anthropic-beta";
    private static final String ENTRA_TOKEN = "eyJ"; // its beginning; Azure takes it as a bearer
    private static final String ANY_OF_THE_CLIENTS = "the client's key";
    private static final String SOME_OF_THE_CLIENTS = "the client's key unless it begins with sk-ant-";
    private static final String WHY = "it begins with sk-ant-, and such keys go to Anthropic alone";
    private static final Logger LOG = Logger.getLogger("a2o");

    /** What people call a key that the backend might get, such as "the client's key"; not the key itself. */
    private record KeyName(String name, boolean isHeldBack) { }

    private final Options options;
    private final Target target;
    private final boolean isNative; // it speaks Anthropic's own API
    private final String keyHeader; // where the backend expects a key that is no token
    private final boolean isKeyReplaced; // by a header of the operator's
    private final AtomicBoolean isLogged = new AtomicBoolean(); // that a key was held back: the first one

    public Credentials(Options options, Target target, Dialect dialect) {
        this.options = options;
        this.target = target;
        this.isNative = dialect.api() == Api.MESSAGES;
        this.keyHeader = dialect.takesApiKeyHeader() ? API_KEY : AUTHORIZATION;
        this.isKeyReplaced = isKeyReplaced();
    }

    /** {@return the backend's address without parameters that hold a key which must not go there} */
    Target address() {
        List<Parameter> kept = target.parameters().stream()
                .filter(parameter -> !target.mustNotGet(parameter.decoded())).toList();
        if (kept.size() == target.parameters().size()) return target;
        logOnce("the key in its URL");
        return target.with(kept);
    }

    /** {@return the headers to send, by lower-case name} The operator's come last and replace the key's. */
    Map<String, String> headers(ClientHeaders client) {
        Map<String, String> headers = new LinkedHashMap<>();
        client.through().forEach((name, value) -> {
            if (!target.mustNotGet(value)) headers.put(name, value);
        });
        if (!isKeyReplaced) putKey(client, headers);
        if (isNative) {
            headers.put(VERSION, client.version().orElse(USUAL_VERSION));
            client.beta().ifPresent(beta -> headers.put(BETA, beta));
        }
        for (Header header : target.headers()) putHeader(header, headers);
        return headers;
    }

    /** {@return whether a header of the operator's stands in the place of any key} */
    private boolean isKeyReplaced() {
        List<String> names = isNative ? List.of(AUTHORIZATION, ANTHROPICS_KEY) : List.of(keyHeader);
        return target.headers().stream().map(header -> header.name().toLowerCase(Locale.ROOT))
                .anyMatch(names::contains);
    }

    private void putKey(ClientHeaders client, Map<String, String> headers) {
        String key = target.key().orElse(client.key());
        if (key.isEmpty()) return;
        if (target.mustNotGet(key)) {
            logOnce(target.key().isPresent() ? "a2o's key" : "the client's key");
            return;
        }
        String header = isNative ? anthropicsHeader(client) : openaisHeader(key);
        headers.put(header, header.equals(AUTHORIZATION) ? "Bearer " + key : key);
    }

    private String openaisHeader(String key) {
        return key.startsWith(ENTRA_TOKEN) ? AUTHORIZATION : keyHeader;
    }

    /**
     * {@return the header for a key in Anthropic's API} Anthropic takes tokens of accounts as bearers
     * alone, and other keys as x-api-key alone. Elsewhere a client's key goes as the client sent it, and
     * the operator's as a bearer, which all take who copy that API.
     */
    private String anthropicsHeader(ClientHeaders client) {
        String key = target.key().orElse(client.key());
        boolean isBearer = target.key().isPresent() || client.isKeyBearer();
        if (target.isAnthropics()) isBearer = key.startsWith(ClientHeaders.ACCOUNT_TOKEN);
        return isBearer ? AUTHORIZATION : ANTHROPICS_KEY;
    }

    private void putHeader(Header header, Map<String, String> headers) {
        String name = header.name().toLowerCase(Locale.ROOT);
        if (target.mustNotGet(header.value())) {
            headers.remove(name); // what it was to replace does not go either
            logOnce("the header " + header.name());
        } else {
            headers.put(name, header.value());
        }
    }

    /** Logs that a key is held back, by its name; what it is no log gets to know. */
    private void logOnce(String keyName) {
        if (isLogged.getAndSet(true)) return;
        LOG.info(() -> "%s is not sent to %s: %s".formatted(keyName, target.label(), WHY));
    }

    /** {@return true if the client's key would not be sent, as it is one of Anthropic's} */
    public boolean holdsBack(String clientKey) {
        return target.key().isEmpty() && target.mustNotGet(clientKey);
    }

    /** {@return whose keys the backend gets, for people to read} */
    public String description() {
        if (target.isDemo()) return "needs no key";
        List<KeyName> keys = keyNames();
        String sent = joined(keys.stream().filter(key -> !key.isHeldBack));
        String heldBack = joined(keys.stream().filter(KeyName::isHeldBack));
        String all = "gets " + (sent.isEmpty() ? "no key" : sent);
        return heldBack.isEmpty() ? all : "%s, and not %s: %s".formatted(all, heldBack, WHY);
    }

    private List<KeyName> keyNames() {
        List<KeyName> names = new ArrayList<>();
        target.key().ifPresent(key -> names.add(new KeyName("a2o's key", target.mustNotGet(key))));
        for (Header header : target.headers()) {
            boolean isKey = SecretNames.isSecret(header.name()) || Secrets.isAnthropicKey(header.value());
            if (!isKey) continue;
            names.add(new KeyName("a2o's header " + header.name(), target.mustNotGet(header.value())));
        }
        if (target.hasSecretQuery()) {
            names.add(new KeyName("a2o's key in its URL", target.mustNotGet(target.query().orElse(""))));
        }
        if (getsTheClients()) {
            names.add(new KeyName(target.isAnthropics() ? ANY_OF_THE_CLIENTS : SOME_OF_THE_CLIENTS, false));
        }
        return names;
    }

    private boolean getsTheClients() {
        return target.key().isEmpty() && !options.hasAuthKeys() && !isKeyReplaced;
    }

    private static String joined(Stream<KeyName> names) {
        return names.map(KeyName::name).distinct().collect(Collectors.joining(" and "));
    }
}
