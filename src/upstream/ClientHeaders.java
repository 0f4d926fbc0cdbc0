package upstream;

import java.util.Map;
import java.util.Optional;

/**
 * What a backend may get of a client's headers and address: the key, if it speaks the client's own API the
 * version and the betas of that, and what goes through as it is.
 *
 * @param key         for the backend; "" if the client sent none, or it is for this proxy
 * @param isKeyBearer whether the client sent it as {@code authorization: Bearer K}, not as {@code x-api-key}
 * @param version     the header {@code anthropic-version}
 * @param beta        the header {@code anthropic-beta}: {@code oauth-2025-04-20,files-api-2025-04-14}
 * @param isOfBeta    whether the address says {@code beta=true}
 * @param through     values by names in lower case: the trace, and what {@code --header-through} names
 */
public record ClientHeaders(String key, boolean isKeyBearer, Optional<String> version,
                            Optional<String> beta, boolean isOfBeta, Map<String, String> through) {
    /** What tokens of a Claude account begin with, which Anthropic takes as bearers alone. */
    static final String ACCOUNT_TOKEN = "sk-ant-oat";

    /** {@return the headers of a client of which no more than its key is known} */
    static ClientHeaders of(String key) {
        return new ClientHeaders(key, key.startsWith(ACCOUNT_TOKEN), Optional.empty(), Optional.empty(), false,
                Map.of());
    }
}
