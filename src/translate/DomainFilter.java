package translate;

import anthropic.ApiError;
import anthropic.Request;
import anthropic.Shape;
import config.Glob;
import java.net.IDN;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;

/**
 * The {@code allowed_domains} and {@code blocked_domains} of a web search. {@code example.com} stands for its
 * subdomains too, {@code example.com/blog} for all below that path, in which a {@code *} may stand.
 *
 * <p>Source: Anthropic, "Web search tool", "Domain filtering".
 */
record DomainFilter(List<DomainFilter.Site> allowed, List<DomainFilter.Site> blocked) {
    private static final String ALLOWED = "allowed_domains";
    private static final String BLOCKED = "blocked_domains";
    private static final int MAX_SITES = 5; // that the service is told of

    /** @param path "" for all of them */
    record Site(String host, String path) {
        private static final String SCHEME_END = "://";

        /** {@return what {@code example.com/blog/} stands for, also with a scheme before it} */
        private static Site of(String text) {
            int scheme = text.indexOf(SCHEME_END);
            String plain = scheme < 0 ? text.strip() : text.substring(scheme + SCHEME_END.length()).strip();
            int slash = plain.indexOf('/');
            String host = slash < 0 ? plain : plain.substring(0, slash);
            String path = slash < 0 ? "" : plain.substring(slash);
            String whole = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
            return new Site(plainHost(host), whole);
        }

        /** {@return whether a page may have this host} {@code *.example.com} is none, nor is one with a port. */
        private boolean hasHost() {
            return !host.isEmpty() && host.chars().allMatch(Site::isOfHost);
        }

        private static boolean isOfHost(int character) {
            boolean isLetterOrDigit = character < 128 && Character.isLetterOrDigit(character);
            return isLetterOrDigit || ".-_".indexOf(character) >= 0;
        }

        private boolean holds(String otherHost, String otherPath) {
            boolean isHost = otherHost.equals(host) || otherHost.endsWith("." + host);
            if (!isHost) return false;
            return path.isEmpty() || new Glob(path).fits(otherPath) || new Glob(path + "/*").fits(otherPath);
        }

        private String term() { return "site:" + host + path.replace("*", ""); }
    }

    /** {@return the host in small letters, as in DNS, without the dot that may stand at its end} */
    private static String plainHost(String host) {
        String whole = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        try {
            return IDN.toASCII(whole, IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) { // a part of it is empty or too long
            return whole.toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Refuses lists that Anthropic does not take, for a search must not go where it is not to. Empty ones
     * count as absent.
     *
     * @throws ApiError if both are there, or an element is no domain
     */
    static void check(Json tool, Request request) {
        checkList(tool, ALLOWED, request);
        checkList(tool, BLOCKED, request);
        boolean areBoth = !tool.get(ALLOWED).items().isEmpty() && !tool.get(BLOCKED).items().isEmpty();
        if (areBoth) throw request.invalid(tool, BLOCKED, "not both this and " + ALLOWED + " expected");
    }

    private static void checkList(Json tool, String name, Request request) {
        Json domains = request.optional(tool, name, Shape.ARRAY);
        boolean areDomains = domains.items().stream().allMatch(each -> Site.of(each.text()).hasHost());
        if (!areDomains) {
            throw request.invalid(tool, name, "domains as example.com or example.com/blog expected");
        }
    }

    static DomainFilter of(Json tool) {
        return new DomainFilter(sites(tool.get(ALLOWED)), sites(tool.get(BLOCKED)));
    }

    private static List<Site> sites(Json domains) {
        return domains.items().stream().filter(Json::hasText).map(domain -> Site.of(domain.text())).toList();
    }

    /** {@return whether a page may be shown} One whose address cannot be read is not, where domains are named. */
    boolean allows(String url) {
        if (allowed.isEmpty() && blocked.isEmpty()) return true;
        try {
            var page = URI.create(url);
            if (page.getHost() == null) return false;
            String host = plainHost(page.getHost());
            String path = page.getRawPath();
            boolean isAllowed = allowed.isEmpty() || allowed.stream().anyMatch(site -> site.holds(host, path));
            return isAllowed && blocked.stream().noneMatch(site -> site.holds(host, path));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** {@return the words with the domains, as most services take them: {@code words (site:a.org OR site:b.org)}} */
    String words(String query) {
        if (allowed.size() > MAX_SITES) return query; // what is found elsewhere is left out afterwards
        List<String> terms = allowed.stream().map(Site::term).toList();
        return switch (terms.size()) {
            case 0 -> query;
            case 1 -> query + " " + terms.getFirst();
            default -> query + terms.stream().collect(Collectors.joining(" OR ", " (", ")"));
        };
    }

    /** {@return what the model is told of it; "" for nothing} */
    String description() {
        return Stream.of(sentence(" Only these sites are searched: ", allowed),
                sentence(" These sites are left out: ", blocked)).collect(Collectors.joining());
    }

    private static String sentence(String beginning, List<Site> sites) {
        if (sites.isEmpty()) return "";
        return sites.stream().map(site -> site.host + site.path).collect(Collectors.joining(", ", beginning, "."));
    }
}
