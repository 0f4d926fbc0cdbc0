package serve;

import config.CommandLine;
import config.Option;
import config.Options;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Looks at which other paths of a backend's host there is an API. It asks there with the same key, and goes
 * to no other host.
 */
final class CheckPaths {
    /** Where APIs like OpenAI's usually are, and a full URL for those that are at the root. */
    private static final List<String> OPENAIS =
            List.of("/v1", "/api/v1", "/openai/v1", "/api", "/chat/completions");
    private static final String MESSAGES = "/messages";
    private static final List<String> ANTHROPICS = List.of("/v1/messages", "/anthropic/v1/messages");
    /** By which an API refuses a request that has found it. */
    private static final Set<Integer> REFUSALS = Set.of(401, 402, 429);

    private final CommandLine given; // for that backend alone
    private final CheckClient client;
    private final String model;
    private final URI url; // as it was given
    private final String base; // its path, without that of an API

    CheckPaths(CommandLine given, CheckClient client, String model) {
        this.given = given;
        this.client = client;
        this.model = model;
        this.url = URI.create(given.all(Option.UPSTREAM).getLast());
        this.base = Options.of(given).upstreams().getFirst().base().getRawPath();
    }

    /** {@return what to give as --upstream, if there is an API anywhere} */
    Optional<String> advice() {
        String above = base.substring(0, Math.max(0, base.lastIndexOf('/')));
        Set<String> paths = new LinkedHashSet<>(List.of(base + "/v1", above));
        paths.addAll(OPENAIS);
        paths.removeAll(Set.of(base, ""));
        return first(paths.stream()).map("the API is at %s: give that as --upstream"::formatted)
                .or(() -> anthropics().map(url -> "Anthropic's own API is " + withoutProxy(url)));
    }

    /** {@return the URL at which Anthropic's API is spoken, if it is} */
    Optional<String> anthropics() { return first(anthropicsPaths()); }

    private Stream<String> anthropicsPaths() {
        return Stream.concat(Stream.of(base + MESSAGES), ANTHROPICS.stream()).distinct();
    }

    /** {@return how to use a backend that speaks Anthropic's API at that URL} */
    static String withoutProxy(String url) {
        String root = url.substring(0, Math.max(0, url.lastIndexOf("/v1" + MESSAGES)));
        String direct = root.isEmpty() ? "" : ", or without A2o ANTHROPIC_BASE_URL=" + root;
        String how = "spoken at %s: give that as --upstream, and all is passed on as it is%s";
        return how.formatted(url, direct);
    }

    private Optional<String> first(Stream<String> paths) {
        return paths.map(this::options).filter(this::isApi)
                .map(options -> options.upstreams().getFirst().shown()).findFirst();
    }

    private Options options(String path) {
        String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        String other = "%s://%s%s%s".formatted(url.getScheme(), url.getRawAuthority(), path, query);
        return Options.of(given.with(Option.UPSTREAM, List.of(other)));
    }

    private boolean isApi(Options options) {
        try (var proxy = new Proxy(options)) {
            proxy.start();
            boolean isPinned = options.upstreams().getFirst().pinned().isPresent();
            boolean hasModels = !isPinned && !client.listed(proxy).isEmpty();
            if (hasModels) return true;
            CheckReply reply = client.ask(proxy, CheckRequest.PLAIN.body(model));
            return reply.isGood() || REFUSALS.contains(reply.status());
        } catch (IOException e) { // no port to listen on
            return false;
        }
    }
}
