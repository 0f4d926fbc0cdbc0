import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the command line and the environment ask for, checked. The usage text is the table of all options there are. */
record Options(List<Target> upstreams, Optional<String> model, List<Mapping> maps, String host, int port,
               Duration timeout, int workers, int maxConnections, int maxConnectionsPerHost, boolean debug,
               Optional<String> logFile, Optional<String> authKey, List<String> origins, List<Header> headers,
               Json extraBody, long context, Optional<String> caCert, Secrets secrets) {
    static final String USAGE = """
            A2o lets clients of the Anthropic Messages API, such as Claude Code, run on an OpenAI-compatible backend.

            usage: a2o --upstream URL [option ...] [-- COMMAND ...]

              --upstream URL               backend: a root, a /v1 base or a .../chat/completions URL; demo: built in;
                                           the first that works is used; repeatable
              --model NAME                 model sent upstream whatever the client asks for (else the client's name)
              --map PATTERN=MODEL          glob on the client's model name; first match wins, before --model; repeatable
              --host ADDRESS               address to listen on (default: 127.0.0.1)
              --port N                     port to listen on; 0 takes a free one and says which (default: 3578)
              --timeout SECONDS            longest silence of the backend, first or between bytes (default: 300)
              --workers N                  carrier threads; 0 is one for each core (default: 0)
              --max-connections N          requests in flight to all backends; more wait, then get 529 (default: 1000)
              --max-connections-per-host N the same, for each backend (default: 500)
              --debug                      log what is asked and answered on both sides, without keys
              --log-file FILE              append the log to FILE too
              --upstream-key KEY           key for the backend in place of the client's own; OPENAI_API_KEY for OpenAI;
                                           one for all backends or one for each; repeatable
              --auth-key KEY               key that clients must present, as x-api-key or bearer
              --allow-origin ORIGIN        origin of web pages that may use A2o, as https://x.org; repeatable
              --header 'N: V'              extra header for the backend; repeatable
              --extra-body JSON            members merged into every upstream body, last
              --context N                  context window in tokens, for overflow messages and /v1/models (default: 0)
              --ca-cert FILE               PEM certificates to trust besides the JDK's
              --check                      try the backend: what works, how to use it; exit 0 if Claude Code will work
              -- COMMAND ...               run a client on a proxy of its own, on a free port, as in: -- claude; the log
                                           goes to a file; exit with the client's status, 127 if it cannot be run
              -h --help                    print this help
              --version                    print the version

            Each option can be given as an environment variable instead: A2O_ and its name in capitals, as in
            A2O_UPSTREAM_KEY (of a repeatable option: one a line); the command line wins. HTTPS_PROXY, HTTP_PROXY
            and NO_PROXY are honoured towards the backend.
            Exit status: 0 fine, 1 cannot start, 2 wrong usage.
            """;

    /** The lines of the usage text by their flag, with the name of the option's value and its default, if there are. */
    private static final Map<String, MatchResult> HELP = Pattern
            .compile("(?m)^ +(?:-h )?(--[a-z-]+)(?: (?<value>[A-Z=]+|'.*?'))? +.*?(?:\n {20,}.*)?"
                    + "(?:\\(default: (?<default>.*)\\))?$")
            .matcher(USAGE).results().collect(Collectors.toMap(line -> line.group(1), line -> line));

    private static final Pattern DECORATION = Pattern.compile("^anthropic/(?!claude|anthropic)|\\[[^\\[]*]\\z");

    record Mapping(String glob, Pattern pattern, String model) { }
    record Header(String name, String value) { }

    /** A backend: its chat completions URL, the key for it, and the HTTP proxy on the way. */
    record Target(URI url, Optional<String> key, Optional<InetSocketAddress> proxy) {
        boolean isDemo() { return url.getHost() == null; }
        /** {@return the backend's name for messages and the log} */
        String host() { return isDemo() ? "demo" : url.getHost(); }
        /** {@return the host, and the port if that is given} */
        String address() { return host() + (url.getPort() < 0 ? "" : ":" + url.getPort()); }
    }

    /** What is wrong with the command line, with the help of the option it is about. */
    static final class Wrong extends RuntimeException {
        private final int exitStatus;

        private Wrong(int exitStatus, String message) {
            super("a2o: " + message, null, false, false);
            this.exitStatus = exitStatus;
        }

        private Wrong(String flag, String wrong) { this(2, "%s%s%n%s".formatted(flag, wrong, HELP.get(flag).group())); }

        int exitStatus() { return exitStatus; }
    }

    /** {@return the values given for each flag: those of the command line, else those of the environment} */
    static Map<String, List<String>> read(String[] args, Map<String, String> environment) {
        Map<String, List<String>> given = new HashMap<>();
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("--")) {
                given.put("--", List.of(args).subList(i + 1, args.length));
                if (given.get("--").isEmpty()) throw new Wrong(2, "a command is expected after --");
                break;
            }
            String[] word = args[i].split("=", 2);
            String flag = word[0].equals("-h") ? "--help" : word[0];
            if (!HELP.containsKey(flag)) throw new Wrong(2, "unknown option %s%ntry --help".formatted(word[0]));
            boolean isSwitch = HELP.get(flag).group("value") == null;
            if (isSwitch && word.length == 2) throw new Wrong(flag, " takes no value");
            if (!isSwitch && word.length == 1 && ++i == args.length) throw new Wrong(flag, " needs a value");
            String value = isSwitch ? "true" : word.length == 2 ? word[1] : args[i];
            given.computeIfAbsent(flag, none -> new ArrayList<>()).add(value);
        }
        HELP.forEach((flag, help) -> {
            String name = ("A2O" + flag.substring(1)).replace('-', '_').toUpperCase(Locale.ROOT);
            String value = flag.matches("--help|--version|--check") ? "" : environment.getOrDefault(name, "");
            List<String> values = help.group().contains("repeatable") ? value.lines().toList() : List.of(value);
            if (!value.isBlank()) given.putIfAbsent(flag, values);
        });
        if (given.containsKey("--")) given.putIfAbsent("--port", List.of("0"));
        for (String name : List.of("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")) {
            String value = environment.getOrDefault(name, environment.getOrDefault(name.toLowerCase(Locale.ROOT), ""));
            if (!value.isBlank()) given.put(name, List.of(value.strip()));
        }
        return given;
    }

    static Options of(Map<String, List<String>> given) {
        if (!given.containsKey("--upstream")) {
            throw new Wrong("--upstream", " is required, as http://localhost:11434/v1 for Ollama");
        }
        List<String> urls = given.get("--upstream");
        List<String> keys = given.getOrDefault("--upstream-key", List.of()).stream().map(String::strip).toList();
        boolean fits = keys.size() < 2 || keys.size() == urls.size();
        if (!fits) throw new Wrong("--upstream-key", ": one for all, or one for each --upstream expected");
        boolean isKey = keys.stream().allMatch(key -> key.matches("[ -~]*"));
        if (!isKey) throw new Wrong("--upstream-key", ": printable ASCII characters expected");
        List<Target> targets = new ArrayList<>();
        for (int i = 0; i < urls.size(); i++) {
            targets.add(target(urls.get(i), keys.isEmpty() ? "" : keys.get(i % keys.size()), given));
        }
        List<Header> headers = given.getOrDefault("--header", List.of()).stream().map(Options::header).toList();
        boolean hasKey = targets.stream().anyMatch(at -> at.key.isPresent() || at.url.getRawQuery() != null)
                || headers.stream().anyMatch(header -> Secrets.isSecretName(header.name));
        boolean isOpen = !text(given, "--host").matches("(?i)localhost|127(\\.\\d+){3}|\\[?::1]?")
                && optional(given, "--auth-key").isEmpty();
        String advice = "an upstream key on an address that others can reach needs --auth-key, or they spend it too";
        if (hasKey && isOpen) throw new Wrong(1, advice);
        Json extraBody = extraBody(optional(given, "--extra-body").orElse("{}"));
        for (Target target : targets) {
            String wrong = ": a key that begins with sk-ant- goes to Anthropic's hosts alone";
            if (Credentials.mustBeHeldBack(target, "" + target.url.getPath())) throw new Wrong("--upstream", wrong);
            if (Credentials.mustBeHeldBack(target, extraBody.raw())) throw new Wrong("--extra-body", wrong);
        }
        return new Options(targets, optional(given, "--model"),
                given.getOrDefault("--map", List.of()).stream().map(Options::mapping).toList(), text(given, "--host"),
                number(given, "--port", 0, 65_535), Duration.ofSeconds(number(given, "--timeout", 1, 86_400)),
                number(given, "--workers", 0, 1024), number(given, "--max-connections", 1, 999_999),
                number(given, "--max-connections-per-host", 1, 999_999), !text(given, "--debug").matches("|0|false"),
                optional(given, "--log-file"), optional(given, "--auth-key"),
                given.getOrDefault("--allow-origin", List.of()), headers,
                extraBody, number(given, "--context", 0, 999_999_999), optional(given, "--ca-cert"),
                secrets(targets, optional(given, "--auth-key"), headers, extraBody));
    }

    private static Secrets secrets(List<Target> targets, Optional<String> authKey, List<Header> headers,
                                   Json extraBody) {
        Stream<String> upstreamKeys = targets.stream().flatMap(target -> target.key.stream());
        List<String> keys = Stream.concat(upstreamKeys, authKey.stream()).toList();
        List<String> queries = targets.stream().map(target -> target.url.getRawQuery()).filter(Objects::nonNull).toList();
        return Secrets.of(keys, headers, queries, extraBody);
    }

    /** {@return the value that counts: the last one given, else the default, else ""} */
    private static String text(Map<String, List<String>> given, String flag) {
        if (given.containsKey(flag)) return given.get(flag).getLast();
        return Optional.ofNullable(HELP.get(flag)).map(help -> help.group("default")).orElse("");
    }

    private static Optional<String> optional(Map<String, List<String>> given, String flag) {
        return Optional.of(text(given, flag).strip()).filter(text -> !text.isEmpty());
    }

    private static int number(Map<String, List<String>> given, String flag, int least, int most) {
        String text = text(given, flag);
        int number = text.matches("\\d{1,9}") ? Integer.parseInt(text) : -1;
        if (number >= least && number <= most) return number;
        throw new Wrong(flag, ": a whole number from %d to %d expected, not '%s'".formatted(least, most, text));
    }

    private static Target target(String text, String key, Map<String, List<String>> given) {
        URI url = text.equals("demo") ? URI.create("demo:in-process") : url(text);
        boolean isOpenAi = ("" + url.getHost()).matches(
                "(?i)((.+\\.)?api\\.openai|.+\\.(openai|cognitiveservices|services\\.ai)\\.azure)\\.com");
        Optional<String> known = Optional.of(key).filter(any -> !any.isEmpty());
        return new Target(url, known.or(() -> optional(given, isOpenAi ? "OPENAI_API_KEY" : "")), proxy(url, given));
    }

    /** {@return the HTTP proxy for {@code url}, as curl would choose it} */
    private static Optional<InetSocketAddress> proxy(URI url, Map<String, List<String>> given) {
        boolean secure = "https".equalsIgnoreCase(url.getScheme());
        String host = ("." + url.getHost()).toLowerCase(Locale.ROOT);
        String withPort = host + ":" + (url.getPort() < 0 ? secure ? 443 : 80 : url.getPort());
        boolean direct = Stream.of(text(given, "NO_PROXY").toLowerCase(Locale.ROOT).split("[\\s,]+"))
                .map(each -> each.replaceFirst("^\\.?(?=.)", "."))
                .filter(each -> !each.isEmpty())
                .anyMatch(each -> each.equals(".*") || host.endsWith(each) || withPort.endsWith(each));
        String proxy = direct ? "" : text(given, secure ? "HTTPS_PROXY" : "HTTP_PROXY");
        if (proxy.isEmpty() || url.getHost() == null) return Optional.empty();
        var at = Pattern.compile("(?i)(?:http://)?(\\[.*]|[^:/@ ]+)(?::(\\d{1,5}))?/?").matcher(proxy);
        int port = !at.matches() ? -1 : at.group(2) == null ? 80 : Integer.parseInt(at.group(2));
        boolean isAddress = port >= 0 && port <= 65_535;
        if (!isAddress) throw new Wrong(1, "HTTP_PROXY or HTTPS_PROXY: http://host:port expected, without a password");
        return Optional.of(InetSocketAddress.createUnresolved(at.group(1), port));
    }

    private static URI url(String text) {
        try {
            var url = URI.create(text);
            boolean isUrl = url.getHost() != null && text.matches("(?i)https?:.*") && url.getPort() <= 65_535;
            if (!isUrl) throw new IllegalArgumentException();
            String authority = url.getRawAuthority().replaceFirst("^.*@", ""); // dropped: user and password
            String base = url.getRawPath().replaceFirst("^/*$", "/v1").replaceFirst("(/chat/completions)?/*$", "");
            String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
            return URI.create(url.getScheme() + "://" + authority + base + "/chat/completions" + query);
        } catch (IllegalArgumentException e) { // the text is not quoted: it may hold a key
            throw new Wrong(1, "--upstream: a URL like http://localhost:11434/v1 expected, without _ in the host");
        }
    }

    private static Mapping mapping(String text) {
        int equals = text.lastIndexOf('=');
        boolean isPair = equals > 0 && equals < text.length() - 1;
        if (!isPair) throw new Wrong("--map", ": PATTERN=MODEL expected, not '%s'".formatted(text));
        String quoted = Pattern.quote(text.substring(0, equals)).replace("?", "\\E.\\Q");
        // atomic groups, from star to star and to the end, or many stars would try all combinations
        String regex = "(?>" + quoted.replace("*", "\\E)(?>.*?\\Q") + "\\z)";
        var pattern = Pattern.compile(regex, Pattern.DOTALL);
        return new Mapping(text.substring(0, equals), pattern, text.substring(equals + 1));
    }

    private static Header header(String text) {
        String[] parts = text.split(":", 2);
        try {
            HttpRequest.newBuilder().header(parts[0].strip(), parts[1].strip());
            return new Header(parts[0].strip(), parts[1].strip());
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new Wrong("--header", ": 'Name: value' expected, with a name that may be set");
        }
    }

    private static Json extraBody(String text) {
        try {
            if (Json.parse(text) instanceof Json.Obj json) return json;
            throw new Wrong("--extra-body", ": a JSON object expected");
        } catch (Json.Malformed e) {
            throw new Wrong("--extra-body", ": " + e.getMessage());
        }
    }

    /** {@return the names of models that clients may ask for: those that are mapped, and the one for all} */
    List<String> names() {
        Stream<String> mapped = maps.stream().map(Mapping::glob).filter(glob -> !glob.matches(".*[*?].*"));
        return Stream.concat(mapped, model.stream()).toList();
    }

    /** {@return the model to ask for: without what A2o's list and Claude Code ([1m]) add, by --map, then --model} */
    String model(String asked) {
        String name = DECORATION.matcher(asked).replaceAll("");
        return maps.stream().filter(map -> map.pattern.matcher(name).matches()).map(Mapping::model).findFirst()
                .or(() -> model).orElse(name);
    }
}
