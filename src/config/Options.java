package config;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;

/**
 * The options, checked: a value that makes no sense, or that is not safe, is a {@link UsageError}.
 *
 * @param timeout the longest silence of a backend
 * @param workers carrier threads of the virtual threads; 0: one for each core
 * @param origins web pages that may use A2o, besides those of this machine
 */
public record Options(List<Target> upstreams, Route.Table routes, String host, int port, Duration timeout,
                      int workers, int maxConnections, int maxConnectionsPerHost, boolean debug,
                      Optional<String> logFile, Optional<String> authKey, List<String> origins,
                      List<Header> headers, Json extraBody, Optional<String> caCert, Secrets secrets) {
    public static final String VERSION = "0.1.0";

    private static final Map<String, Integer> SECONDS = Map.of("s", 1, "m", 60, "h", 3600);
    private static final Map<String, Integer> TOKENS = Map.of("k", 1000, "m", 1_000_000);
    private static final int MAX_PORT = 65_535;
    private static final int MAX_SECONDS = 24 * 3600;
    private static final int MAX_WORKERS = 1024;
    private static final int MAX_CONNECTIONS = 999_999;
    private static final int MAX_TOKENS = 999_999_999;
    private static final String ANTHROPICS_KEY =
            ": a key that begins with sk-ant- goes to Anthropic's hosts alone";

    public Options {
        for (Target target : upstreams) {
            refuseOwnAddress(target.base(), host, port);
            refuseAnthropicsKey(target, Option.UPSTREAM, String.valueOf(target.base().getPath()));
            refuseAnthropicsKey(target, Option.EXTRA_BODY, extraBody.raw());
        }
        boolean isForAnyone = !Loopback.is(host) && authKey.isEmpty();
        if (isForAnyone && hasKey(upstreams, headers)) {
            throw UsageError.cannotStart("an upstream key on an address that others can reach needs "
                    + "--auth-key, or they spend it too");
        }
    }

    private static void refuseAnthropicsKey(Target target, Option option, String value) {
        if (target.mustNotGet(value)) throw new UsageError(option, ANTHROPICS_KEY);
    }

    /** Refuses to ask itself: the reply would be that there is no such path. */
    private static void refuseOwnAddress(URI upstream, String host, int port) {
        boolean isHttp = "http".equalsIgnoreCase(upstream.getScheme());
        if (!isHttp || Target.port(upstream) != port) return;
        boolean isThisMachine = Loopback.is(upstream.getHost()) && Loopback.reaches(host);
        if (isThisMachine || upstream.getHost().equalsIgnoreCase(host)) {
            String wrong = ": %s:%d is where a2o itself listens; the backend's address is expected";
            throw new UsageError(Option.UPSTREAM, wrong.formatted(upstream.getHost(), port));
        }
    }

    /** {@return true if requests spend something of the operator's, whoever sends them} */
    private static boolean hasKey(List<Target> upstreams, List<Header> headers) {
        return isInHeader(headers) || upstreams.stream()
                .anyMatch(target -> target.key().isPresent() || target.query().isPresent());
    }

    private static boolean isInHeader(List<Header> headers) {
        return headers.stream().map(Header::name).anyMatch(SecretNames::isSecret);
    }

    public static Options of(CommandLine given) {
        List<Target> upstreams = upstreams(given);
        List<Header> headers = given.all(Option.HEADER).stream().map(Header::of).toList();
        Optional<String> authKey = given.optional(Option.AUTH_KEY);
        Json extraBody = extraBody(given.optional(Option.EXTRA_BODY).orElse("{}"));
        return new Options(upstreams, routes(upstreams, given), given.text(Option.HOST),
                given.number(Option.PORT, 0, MAX_PORT),
                Duration.ofSeconds(given.number(Option.TIMEOUT, 1, MAX_SECONDS, SECONDS)),
                given.number(Option.WORKERS, 0, MAX_WORKERS),
                given.number(Option.MAX_CONNECTIONS, 1, MAX_CONNECTIONS),
                given.number(Option.MAX_CONNECTIONS_PER_HOST, 1, MAX_CONNECTIONS),
                given.isOn(Option.DEBUG), given.optional(Option.LOG_FILE), authKey,
                given.all(Option.ALLOW_ORIGIN), headers, extraBody, given.optional(Option.CA_CERT),
                secrets(upstreams, authKey, headers, extraBody));
    }

    private static List<Target> upstreams(CommandLine given) {
        if (!given.has(Option.UPSTREAM)) {
            throw new UsageError(Option.UPSTREAM, " is required, as http://localhost:11434/v1 for Ollama");
        }
        List<String> urls = given.all(Option.UPSTREAM);
        List<Optional<String>> keys = upstreamKeys(urls.size(), given);
        List<Target> upstreams = new ArrayList<>();
        for (int i = 0; i < urls.size(); i++) {
            upstreams.add(upstream(UpstreamUrl.target(urls.get(i)), keys.get(i), given));
        }
        return upstreams;
    }

    /** {@return the key of each upstream, if it has one} One key is for all of them. */
    private static List<Optional<String>> upstreamKeys(int upstreams, CommandLine given) {
        List<String> texts = given.all(Option.UPSTREAM_KEY).stream().map(String::strip).toList();
        boolean isPrintable = texts.stream().flatMapToInt(String::chars).allMatch(c -> c >= ' ' && c <= '~');
        if (!isPrintable) throw new UsageError(Option.UPSTREAM_KEY, ": printable ASCII characters expected");
        List<Optional<String>> keys = texts.stream()
                .map(text -> Optional.of(text).filter(key -> !key.isEmpty())).toList();
        if (keys.isEmpty()) return Collections.nCopies(upstreams, Optional.empty());
        if (keys.size() == 1) return Collections.nCopies(upstreams, keys.getFirst());
        if (keys.size() == upstreams) return keys;
        throw new UsageError(Option.UPSTREAM_KEY, ": one for all, or one for each --upstream expected");
    }

    private static Target upstream(Target target, Optional<String> ownKey, CommandLine given) {
        boolean getsOpenAiKey = ownKey.isEmpty() && target.isOpenAis();
        Optional<String> key = getsOpenAiKey ? given.variable("OPENAI_API_KEY") : ownKey;
        return new Target(target.base(), target.pinned(), target.query(), key, HttpProxy.of(target.base(), given));
    }

    private static Route.Table routes(List<Target> upstreams, CommandLine given) {
        List<Route.Mapping> mappings = given.all(Option.MAP).stream().map(Route.Mapping::of).toList();
        int tokens = given.has(Option.CONTEXT) ? given.number(Option.CONTEXT, 0, MAX_TOKENS, TOKENS) : 0;
        OptionalLong context = tokens > 0 ? OptionalLong.of(tokens) : OptionalLong.empty();
        return new Route.Table(upstreams, mappings, given.optional(Option.MODEL), context);
    }

    private static Json extraBody(String text) {
        try {
            if (JsonParser.parse(text) instanceof Json.Obj json) return json;
            throw new UsageError(Option.EXTRA_BODY, ": a JSON object expected");
        } catch (Json.Malformed e) {
            throw new UsageError(Option.EXTRA_BODY, ": " + e.getMessage());
        }
    }

    private static Secrets secrets(List<Target> upstreams, Optional<String> authKey, List<Header> headers,
                                   Json extraBody) {
        Stream<String> upstreamKeys = upstreams.stream().flatMap(target -> target.key().stream());
        List<String> keys = Stream.concat(upstreamKeys, authKey.stream()).toList();
        List<Parameter> parameters = upstreams.stream()
                .flatMap(target -> target.parameters().stream()).toList();
        return Secrets.of(keys, headers, parameters, extraBody);
    }

    /** {@return true if a 401 of this backend is about a key of the operator's, not of the client's} */
    public boolean areKeysOurs(Target target) {
        return isInHeader(headers) || target.key().isPresent() || target.hasSecretQuery();
    }

    /** {@return the model that backends are asked for where a client asks for this one} */
    public String model(String asked) { return routes.of(asked).model(); }
}
