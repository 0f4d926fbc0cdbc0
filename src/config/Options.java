package config;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The options, checked: a value that makes no sense, or that is not safe, is a {@link UsageError}.
 *
 * @param timeout the longest silence of a backend
 * @param workers carrier threads of the virtual threads; 0: one for each core
 * @param headersThrough names of clients' headers that backends get, in lower case
 * @param origins web pages that may use A2o, besides those of this machine
 */
public record Options(List<Target> upstreams, Route.Table routes, String host, int port, Duration timeout,
                      int workers, int maxConnections, int maxConnectionsPerHost, boolean debug,
                      Optional<String> logFile, LogFormat logFormat, List<AuthKey> authKeys,
                      List<String> origins, List<String> headersThrough,
                      Optional<String> caCert, Secrets secrets) {
    public static final String VERSION = "0.1.0";

    private static final Map<String, Integer> SECONDS = Map.of("s", 1, "m", 60, "h", 3600);
    private static final int MAX_PORT = 65_535;
    private static final int MAX_SECONDS = 24 * 3600;
    private static final int MAX_WORKERS = 1024;
    private static final int MAX_CONNECTIONS = 999_999;
    private static final String ANTHROPICS_KEY =
            ": a key that begins with sk-ant- goes to Anthropic's hosts alone";

    public Options {
        for (Target target : upstreams) {
            refuseOwnAddress(target.base(), host, port);
            refuseAnthropicsKey(target, Option.UPSTREAM, String.valueOf(target.base().getPath()));
            refuseAnthropicsKey(target, Option.EXTRA_BODY, target.extraBody().raw());
        }
        boolean isForAnyone = !Loopback.is(host) && authKeys.isEmpty();
        if (isForAnyone && upstreams.stream().anyMatch(Target::isPaid)) {
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

    /** @throws UsageError if a value is wrong; it names the line, if the value stands in a file */
    public static Options of(CommandLine given) {
        try {
            return checked(given);
        } catch (UsageError e) {
            throw given.placed(e, Options::checked);
        }
    }

    private static Options checked(CommandLine given) {
        List<Target> upstreams = Backends.of(given);
        List<AuthKey> authKeys = given.all(Option.AUTH_KEY).stream().map(String::strip)
                .filter(text -> !text.isEmpty()).map(AuthKey::new).toList();
        return new Options(upstreams, routes(upstreams, given), given.text(Option.HOST),
                given.number(Option.PORT, 0, MAX_PORT),
                Duration.ofSeconds(given.number(Option.TIMEOUT, 1, MAX_SECONDS, SECONDS)),
                given.number(Option.WORKERS, 0, MAX_WORKERS),
                given.number(Option.MAX_CONNECTIONS, 1, MAX_CONNECTIONS),
                given.number(Option.MAX_CONNECTIONS_PER_HOST, 1, MAX_CONNECTIONS),
                given.isOn(Option.DEBUG), given.optional(Option.LOG_FILE),
                LogFormat.of(given.text(Option.LOG_FORMAT)), authKeys, given.all(Option.ALLOW_ORIGIN),
                HeadersThrough.names(given.all(Option.HEADER_THROUGH)), given.optional(Option.CA_CERT),
                secrets(upstreams, authKeys));
    }

    /** {@return what was given, for the backend of that number alone: what is for others is left out} */
    public static CommandLine ofBackend(int number, CommandLine given) { return Backends.only(number, given); }

    private static Route.Table routes(List<Target> upstreams, CommandLine given) {
        List<Route.Mapping> mappings = given.all(Option.MAP).stream()
                .map(text -> Route.Mapping.of(text, upstreams)).toList();
        Optional<String> model = given.optional(Option.MODEL);
        model.ifPresent(text -> refuseAddress(text, upstreams));
        return new Route.Table(upstreams, mappings, model);
    }

    /** Refuses a name of a backend behind the model for all, which would be a part of the model's name. */
    private static void refuseAddress(String model, List<Target> upstreams) {
        for (Target target : upstreams) {
            boolean isAddressed = target.name().filter(name -> model.endsWith("@" + name)).isPresent();
            String instead = ": it is for all backends; for one, --map '*=%s'".formatted(model);
            if (isAddressed) throw new UsageError(Option.MODEL, instead);
        }
    }

    private static Secrets secrets(List<Target> upstreams, List<AuthKey> authKeys) {
        Stream<String> upstreamKeys = upstreams.stream().flatMap(target -> target.key().stream());
        List<String> keys = Stream.concat(upstreamKeys,
                authKeys.stream().flatMap(key -> Stream.of(key.key(), key.text()))).toList();
        List<SearchSite> searches = upstreams.stream().flatMap(target -> target.search().stream()).toList();
        List<Header> headers = Stream.concat(
                upstreams.stream().flatMap(target -> target.headers().stream()),
                searches.stream().flatMap(site -> site.headers().stream())).toList();
        List<Parameter> parameters = Stream.concat(
                upstreams.stream().flatMap(target -> target.parameters().stream()),
                searches.stream().flatMap(site -> site.parameters().stream())).toList();
        return Secrets.of(keys, headers, parameters, upstreams.stream().map(Target::extraBody).toList());
    }

    /** {@return true if clients present a key of A2o's; then they have none for the backend} */
    public boolean hasAuthKeys() { return !authKeys.isEmpty(); }

    /** {@return the model that backends are asked for where a client asks for this one} */
    public String model(String asked) { return routes.of(asked).model(); }
}
