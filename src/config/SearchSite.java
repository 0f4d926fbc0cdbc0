package config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A search service: the address to ask it at, the headers that it gets, and the HTTP proxy on the way. It
 * connects to nothing.
 *
 * @param template the URL, with {@code {query}} where the words to search for stand
 * @param isForOne whether {@code --search} names the backend: then the backend's own search is not used
 */
public record SearchSite(String template, List<Header> headers, boolean isForOne,
                         Optional<InetSocketAddress> proxy) {
    static final String QUERY = "{query}";

    /** {@return the URL that asks for these words} */
    public URI url(String words) {
        String escaped = URLEncoder.encode(words, StandardCharsets.UTF_8).replace("+", "%20");
        return URI.create(template.replace(QUERY, escaped));
    }

    /** {@return the service for people: its host, and the port if it is written} */
    public String label() { return url("").getRawAuthority(); }

    /** {@return the URL as everybody may see it; without its parameters, if one may be a key} */
    String shown() {
        boolean isKeyThere = parameters().stream().map(Parameter::name).anyMatch(SecretNames::isSecret);
        return isKeyThere ? template.substring(0, template.indexOf('?')) + "?..." : template;
    }

    /** {@return the parameters of the URL, one of which may be a key} */
    List<Parameter> parameters() {
        String query = Optional.ofNullable(URI.create(template.replace(QUERY, "")).getRawQuery()).orElse("");
        return Parameter.all(query).stream().filter(parameter -> !parameter.text().isEmpty()).toList();
    }

    /** {@return whether it costs the operator something, whoever asks} */
    boolean isPaid() {
        return Stream.concat(headers.stream().map(Header::name), parameters().stream().map(Parameter::name))
                .anyMatch(SecretNames::isSecret);
    }
}
