package config;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import json.Json;
import json.JsonParser;

/**
 * What the options say about one backend, be it for that one or for all.
 *
 * @param name      by which other options refer to it
 * @param key       that it gets in place of the client's
 * @param headers   that it gets besides; later ones replace earlier ones
 * @param extraBody the members that are merged into its requests
 * @param context   the context window of its models in tokens
 * @param search    the service that A2o asks for it when the model searches the web
 */
public record OwnOptions(Optional<String> name, Optional<String> key, List<Header> headers, Json extraBody,
                         OptionalLong context, Optional<SearchSite> search) {
    private static final OwnOptions NONE = new OwnOptions(Optional.empty(), Optional.empty(), List.of(),
            JsonParser.parse("{}"), OptionalLong.empty(), Optional.empty());

    /** {@return none but a name and headers} */
    static OwnOptions of(Optional<String> name, List<Header> headers) {
        return new OwnOptions(name, NONE.key, headers, NONE.extraBody, NONE.context, NONE.search);
    }

    /** {@return true if a header holds a credential} */
    boolean hasSecretHeader() { return headers.stream().map(Header::name).anyMatch(SecretNames::isSecret); }

    /** JSON is compared by its text. */
    @Override
    public boolean equals(Object object) {
        return object instanceof OwnOptions other && name.equals(other.name) && key.equals(other.key)
                && headers.equals(other.headers) && extraBody.raw().equals(other.extraBody.raw())
                && context.equals(other.context) && search.equals(other.search);
    }

    @Override
    public int hashCode() { return Objects.hash(name, key, headers, extraBody.raw(), context, search); }
}
