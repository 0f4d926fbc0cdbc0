package serve;

import java.util.List;
import java.util.Optional;

/** What A2o answers: each a path and its methods. */
enum Endpoint {
    MESSAGES("/v1/messages", "POST"),
    COUNT_TOKENS("/v1/messages/count_tokens", "POST"),
    MODELS("/v1/models", "GET", "HEAD"),
    HOME("/", "GET", "HEAD"),
    HELLO("/api/hello", "GET", "HEAD"), // asked by Claude Code when it starts
    HEALTH("/health", "GET", "HEAD"),
    READY("/ready", "GET", "HEAD"),
    STATUS("/status.json", "GET", "HEAD"),
    METRICS("/metrics", "GET", "HEAD");

    private final String path;
    private final List<String> methods;

    Endpoint(String path, String... methods) {
        this.path = path;
        this.methods = List.of(methods);
    }

    List<String> methods() { return methods; }

    /** {@return the endpoint at a path as {@link Routes#path} gives it; each model has one below the list} */
    static Optional<Endpoint> at(String path) {
        for (Endpoint each : values()) {
            if (each.path.equals(path)) return Optional.of(each);
        }
        boolean isModel = path.startsWith(MODELS.path + "/");
        return isModel ? Optional.of(MODELS) : Optional.empty();
    }

    /** {@return whether it is of the Messages API} */
    boolean isApi() { return this == MESSAGES || this == COUNT_TOKENS || this == MODELS; }

    /** {@return whether browsers ask for it, which may send the key as a password} */
    boolean isForBrowsers() { return this == HOME || this == STATUS; }

    /** {@return whether it is answered without a key: balancers have none, and it tells nothing} */
    boolean isOpen() { return this == HEALTH || this == READY; }
}
