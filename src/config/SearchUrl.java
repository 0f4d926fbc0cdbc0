package config;

import java.net.URI;
import java.util.List;
import java.util.stream.Stream;

/**
 * Reads the value of {@code --search}: {@code http://h/search?format=json}, {@code http://h/find/{query}}, or
 * {@code http://h}.
 */
final class SearchUrl {
    private static final String OF_SEARXNG = "/search?format=json&q=" + SearchSite.QUERY;

    private SearchUrl() { }

    /**
     * {@return the service of that URL} Without {@code {query}} the words become the parameter {@code q}; a
     * URL that is only a host is SearXNG's.
     *
     * @throws UsageError if it is no URL, or holds a key of Anthropic's
     */
    static SearchSite site(String text, List<Header> added, boolean isForOne, CommandLine given) {
        URI url = parsed(text);
        List<Header> headers =
                Stream.concat(UpstreamUrl.basicAuthorization(url).stream(), added.stream()).toList();
        Stream<String> values = Stream.concat(Stream.of(text), headers.stream().map(Header::value));
        if (values.anyMatch(Secrets::isAnthropicKey)) {
            String why = ": a key that begins with sk-ant- goes to Anthropic's hosts alone";
            throw new UsageError(Option.SEARCH, why);
        }
        return new SearchSite(template(text, url), headers, isForOne, HttpProxy.of(url, given));
    }

    /** {@return the URL as if the query were a letter} The error does not show it: it may hold a key. */
    private static URI parsed(String text) {
        var wrong = new UsageError(Option.SEARCH,
                ": a URL like http://localhost:8888/search?format=json expected, with {query} or without");
        try {
            var url = URI.create(text.replace(SearchSite.QUERY, "q"));
            String scheme = String.valueOf(url.getScheme());
            boolean isWeb = scheme.equalsIgnoreCase("http") || scheme.equalsIgnoreCase("https");
            boolean isWhole = isWeb && url.getHost() != null && url.getRawFragment() == null;
            if (isWhole && isHostFixed(text, url)) return url;
        } catch (IllegalArgumentException e) {
            // the same error as for what is no web address
        }
        throw wrong;
    }

    /** {@return whether the words stand behind the host} A model must not choose whom to ask. */
    private static boolean isHostFixed(String text, URI url) {
        return text.startsWith(url.getScheme() + "://" + url.getRawAuthority());
    }

    private static String template(String text, URI url) {
        String authority = url.getRawAuthority();
        String host = authority.substring(authority.lastIndexOf('@') + 1);
        String plain = text.replace(authority, host); // user and password are a header
        if (plain.contains(SearchSite.QUERY)) return plain;
        boolean isOnlyHost = url.getRawQuery() == null && url.getRawPath().length() <= 1;
        if (isOnlyHost) return "%s://%s%s".formatted(url.getScheme(), host, OF_SEARXNG);
        return plain + (url.getRawQuery() == null ? "?q=" : "&q=") + SearchSite.QUERY;
    }
}
