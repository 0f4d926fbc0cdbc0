package config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.Text;

/** What the command line and the environment ask for, checked. The usage text is the table of all options there are. */
public record Options(List<Target> upstreams, Optional<String> model, List<Mapping> maps, String host,
                      int port, Duration timeout, int workers, int maxConnections, int maxConnectionsPerHost,
                      boolean debug, Optional<String> logFile, Optional<String> authKey, List<String> origins,
                      List<Header> headers, Json extraBody, long context, Optional<String> caCert,
                      Secrets secrets) {
    public static final String VERSION = "0.1.0";
    public static final String USAGE = """
            A2o lets clients of the Anthropic Messages API, such as Claude Code, run on an OpenAI-compatible backend.

            usage: a2o [--upstream] URL [option ...] [-- COMMAND ...]

              --upstream URL               backend: a root, a /v1 base or a .../chat/completions URL; demo: built in;
                                           the first that works is used; repeatable
              --model NAME                 model sent upstream whatever the client asks for (else the client's name)
              --map PATTERN=MODEL          glob on the client's model name; first match wins, before --model; repeatable
              --host ADDRESS               address to listen on (default: 127.0.0.1)
              --port N                     port to listen on; 0 takes a free one and says which (default: 3578)
              --timeout SECONDS            longest silence, first or between bytes, as 90 or 5m (default: 300)
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
              --context N                  context window in tokens, 64k: 64,000; for clients and overflow messages
                                           (default: what the backend's list of models says)
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
            .matcher(USAGE).results().collect(Collectors.toMap(
                    line -> line.group(1), line -> line, (one, same) -> one, LinkedHashMap::new));

    /** The flags by their variables: A2O_PORT for --port. */
    private static final Map<String, String> VARIABLES = HELP.keySet().stream()
            .filter(flag -> !flag.matches("--help|--version|--check"))
            .collect(Collectors.toMap(
                    Options::variable, flag -> flag, (one, same) -> one, LinkedHashMap::new));
    private static final Pattern LOOPBACK = Pattern.compile("(?i)localhost|127(\\.\\d+){3}|\\[?::1]?");
    private static final List<String> EVERY_ADDRESS = List.of("0.0.0.0", "::", "[::]");
    /** As Kubernetes names the address of a service: A2O_SERVICE_HOST, A2O_PORT_80_TCP_ADDR. */
    private static final Pattern OF_KUBERNETES =
            Pattern.compile("\\w+_(SERVICE_(HOST|PORT)(_\\w+)?|PORT_\\d+_(TCP|UDP|SCTP)(_\\w+)?)");
    /** As Kubernetes gives it in A2O_PORT: tcp://10.96.0.7:80. */
    private static final Pattern KUBERNETES_ADDRESS = Pattern.compile("(tcp|udp|sctp)://[\\d.:\\[\\]a-f]+");
    /** A host with its port, or this machine's name, where a URL is expected: localhost:8080/v1. */
    private static final Pattern ADDRESS =
            Pattern.compile("(?i)(localhost|[a-z\\d.-]+:\\d{1,5}|\\[[\\da-f:.]+](?::\\d{1,5})?)(?:/.*)?");
    /** A word that can only be meant for --upstream: http://localhost:8080/v1. */
    private static final Pattern BARE_UPSTREAM = Pattern.compile("(?i)https?:.*|" + ADDRESS.pattern());
    /** A word that may be a command: claude, ./run.sh, python3.12. A key is longer, or has other signs. */
    private static final Pattern COMMAND = Pattern.compile("(?!sk-)[\\w.-]{1,20}|[\\w.-]*(/[\\w.-]{1,30})+");

    /** As A2o lists {@code qwen3}: {@code anthropic/qwen3}. */
    private static final Pattern LISTED = Pattern.compile("^anthropic/(?!claude|anthropic)");
    /** As Claude Code asks for a large window: {@code claude-opus-5[1m]}. */
    private static final Pattern SUFFIX = Pattern.compile("\\[[^\\[]*]\\z");
    private static final Pattern ANTHROPIC_HOST = Pattern.compile("(?i)([a-z0-9-]+\\.)+anthropic\\.com\\.?");
    /** What Claude Code 2.1.330 asks for where no model is chosen. */
    private static final String CLAUDE_CODES_DEFAULT = "claude-opus-5-5";

    private static final Pattern NUMBER = Pattern.compile("([0-9]{1,9})([a-zA-Z]?)");
    private static final Map<String, Integer> SECONDS = Map.of("s", 1, "m", 60, "h", 3600);
    private static final Map<String, Integer> TOKENS = Map.of("k", 1000, "m", 1_000_000);

    record Mapping(String glob, Pattern pattern, String model) {
        private boolean fits(String name) { return pattern.matcher(name).matches(); }
    }

    public record Header(String name, String value) { }

    /** A backend: its chat completions URL, the key for it, and the HTTP proxy on the way. */
    public record Target(URI url, Optional<String> key, Optional<InetSocketAddress> proxy) {
        public boolean isDemo() { return url.getHost() == null; }
        /** {@return the backend's name for messages and the log} */
        public String host() { return isDemo() ? "demo" : url.getHost(); }
        /** {@return the host, and the port if that is given} */
        public String address() { return host() + (url.getPort() < 0 ? "" : ":" + url.getPort()); }
        public boolean isAnthropics() { return ANTHROPIC_HOST.matcher(host()).matches(); }

        /** {@return whether there is a key of Anthropic's in {@code value}, and the backend is another's} */
        public boolean mustNotGet(String value) { return !isAnthropics() && Secrets.isAnthropicKey(value); }

        public boolean hasSecretQuery() {
            if (url.getRawQuery() == null) return false;
            return Arrays.stream(url.getRawQuery().split("&"))
                    .anyMatch(parameter -> Secrets.isSecretName(parameter.replaceFirst("=.*", "")));
        }
    }

    /** What is wrong with the command line, with the help of the option it is about. */
    public static final class Wrong extends RuntimeException {
        private final int exitStatus;

        private Wrong(int exitStatus, String message) {
            super("a2o: " + message, null, false, false);
            this.exitStatus = exitStatus;
        }

        private Wrong(String flag, String wrong) { this(2, "%s%s%n%s".formatted(flag, wrong, HELP.get(flag).group())); }

        public int exitStatus() { return exitStatus; }
    }

    /** {@return the values given for each flag: those of the command line, else those of the environment} */
    public static Map<String, List<String>> read(String[] args, Map<String, String> environment) {
        Map<String, List<String>> given = new HashMap<>();
        Iterator<String> words = List.of(args).iterator();
        while (words.hasNext()) {
            String word = words.next();
            if (word.equals("--")) {
                List<String> command = new ArrayList<>();
                words.forEachRemaining(command::add);
                if (command.isEmpty()) throw new Wrong(2, "a command is expected after --");
                given.put("--", command);
            } else if (BARE_UPSTREAM.matcher(word).matches()) {
                given.computeIfAbsent("--upstream", none -> new ArrayList<>()).add(word);
            } else {
                readOption(word, words, given);
            }
        }
        VARIABLES.forEach((name, flag) -> {
            String value = isOfKubernetes(name, environment) ? "" : environment.getOrDefault(name, "");
            boolean isRepeatable = HELP.get(flag).group().contains("repeatable");
            List<String> values = isRepeatable ? value.lines().toList() : List.of(value);
            if (!value.isBlank()) given.putIfAbsent(flag, values);
        });
        if (given.containsKey("--")) given.putIfAbsent("--port", List.of("0"));
        for (String name : List.of("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")) {
            String value = environment.getOrDefault(name, environment.getOrDefault(name.toLowerCase(Locale.ROOT), ""));
            if (!value.isBlank()) given.put(name, List.of(value.strip()));
        }
        return given;
    }

    private static String variable(String flag) {
        return ("A2O" + flag.substring(1)).replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /** Takes an option, and the word after it if that is its value. */
    private static void readOption(String word, Iterator<String> rest, Map<String, List<String>> given) {
        String[] parts = word.split("=", 2);
        String flag = parts[0].equals("-h") ? "--help" : parts[0];
        if (!flag.startsWith("-")) throw unexpected(word);
        if (!HELP.containsKey(flag)) throw unknown(flag);
        boolean isSwitch = HELP.get(flag).group("value") == null;
        boolean hasValue = parts.length == 2;
        if (isSwitch && hasValue) throw new Wrong(flag, " takes no value");
        List<String> values = given.computeIfAbsent(flag, none -> new ArrayList<>());
        if (isSwitch) {
            values.add("true");
        } else if (hasValue) {
            values.add(parts[1]);
        } else {
            values.add(nextValue(flag, rest));
        }
    }

    private static String nextValue(String flag, Iterator<String> rest) {
        String value = rest.hasNext() ? rest.next() : "--";
        boolean isForgotten = value.equals("--") || HELP.containsKey(value);
        if (isForgotten) throw new Wrong(flag, " needs a value");
        return value;
    }

    private static Wrong unknown(String flag) {
        Optional<String> near = Spelling.nearest(flag, HELP.keySet());
        if (near.isEmpty()) return new Wrong(2, "unknown option %s%ntry --help".formatted(flag));
        String help = HELP.get(near.get()).group();
        return new Wrong(2, "unknown option %s; did you mean %s?%n%s".formatted(flag, near.get(), help));
    }

    /** {@return what is wrong with a word that is no option} It is shown only if it looks like a command. */
    private static Wrong unexpected(String word) {
        boolean isShown = COMMAND.matcher(word).matches();
        String what = isShown ? "'%s'".formatted(word) : "a word that";
        String advice = " is no option; if it is a command to run, put -- before it, as in: -- %s%ntry --help";
        return new Wrong(2, what + advice.formatted(isShown ? word : "claude"));
    }

    /** {@return a line for each variable that is called as if it were A2o's, but is not; without its value} */
    public static List<String> unknownVariables(Map<String, String> environment) {
        return environment.keySet().stream().sorted()
                .filter(name -> name.startsWith("A2O_") && !VARIABLES.containsKey(name))
                .filter(name -> !isOfKubernetes(name, environment))
                .map(name -> "a2o: unknown variable %s%s".formatted(Text.printable(name), meantVariable(name)))
                .toList();
    }

    private static String meantVariable(String name) {
        return Spelling.nearest(name, VARIABLES.keySet()).map("; did you mean %s?"::formatted).orElse("");
    }

    /** {@return whether Kubernetes sets the variable, for a service that is called a2o} */
    private static boolean isOfKubernetes(String name, Map<String, String> environment) {
        String value = environment.getOrDefault(name, "");
        return OF_KUBERNETES.matcher(name).matches() || KUBERNETES_ADDRESS.matcher(value).matches();
    }

    public static Options of(Map<String, List<String>> given) {
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
        for (Target target : targets) {
            refuseOwnAddress(target.url, text(given, "--host"), text(given, "--port"));
        }
        List<Header> headers = given.getOrDefault("--header", List.of()).stream().map(Options::header).toList();
        boolean hasKey = targets.stream().anyMatch(at -> at.key.isPresent() || at.url.getRawQuery() != null)
                || headers.stream().anyMatch(header -> Secrets.isSecretName(header.name));
        boolean isOpen = !LOOPBACK.matcher(text(given, "--host")).matches()
                && optional(given, "--auth-key").isEmpty();
        String advice = "an upstream key on an address that others can reach needs --auth-key, or they spend it too";
        if (hasKey && isOpen) throw new Wrong(1, advice);
        Json extraBody = extraBody(optional(given, "--extra-body").orElse("{}"));
        for (Target target : targets) {
            String wrong = ": a key that begins with sk-ant- goes to Anthropic's hosts alone";
            if (target.mustNotGet("" + target.url.getPath())) throw new Wrong("--upstream", wrong);
            if (target.mustNotGet(extraBody.raw())) throw new Wrong("--extra-body", wrong);
        }
        return new Options(targets, optional(given, "--model"),
                given.getOrDefault("--map", List.of()).stream().map(Options::mapping).toList(), text(given, "--host"),
                number(given, "--port", 0, 65_535, Map.of()),
                Duration.ofSeconds(number(given, "--timeout", 1, 86_400, SECONDS)),
                number(given, "--workers", 0, 1024, Map.of()),
                number(given, "--max-connections", 1, 999_999, Map.of()),
                number(given, "--max-connections-per-host", 1, 999_999, Map.of()),
                !text(given, "--debug").matches("|0|false"),
                optional(given, "--log-file"), optional(given, "--auth-key"),
                given.getOrDefault("--allow-origin", List.of()), headers,
                extraBody,
                given.containsKey("--context") ? number(given, "--context", 0, 999_999_999, TOKENS) : 0, optional(given, "--ca-cert"),
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

    /** {@return its number} A letter after it multiplies it, as {@code units} say: 5m is 300 seconds. */
    private static int number(Map<String, List<String>> given, String flag, int least, int most,
                              Map<String, Integer> units) {
        String text = text(given, flag);
        Matcher parts = NUMBER.matcher(text);
        String letter = parts.matches() ? parts.group(2).toLowerCase(Locale.ROOT) : "";
        boolean isNumber = parts.matches() && (letter.isEmpty() || units.containsKey(letter));
        long number = isNumber ? Long.parseLong(parts.group(1)) * units.getOrDefault(letter, 1) : -1;
        if (number >= least && number <= most) return (int) number;
        throw new Wrong(flag, ": a whole number from %d to %d expected, not '%s'".formatted(least, most, text));
    }

    private static Target target(String text, String key, Map<String, List<String>> given) {
        URI url = text.equals("demo") ? URI.create("demo:in-process") : url(text);
        boolean isOpenAi = ("" + url.getHost()).matches(
                "(?i)((.+\\.)?api\\.openai|.+\\.(openai|cognitiveservices|services\\.ai)\\.azure)\\.com");
        Optional<String> known = Optional.of(key).filter(any -> !any.isEmpty());
        return new Target(url, known.or(() -> optional(given, isOpenAi ? "OPENAI_API_KEY" : "")), proxy(url, given));
    }

    /** Refuses to ask itself: the reply would be that there is no such path. */
    private static void refuseOwnAddress(URI upstream, String host, String port) {
        if (!"http".equalsIgnoreCase(upstream.getScheme()) || upstream.getHost() == null) return;
        int upstreamPort = upstream.getPort() < 0 ? 80 : upstream.getPort();
        boolean isLoopbackOurs = LOOPBACK.matcher(host).matches() || EVERY_ADDRESS.contains(host);
        boolean isLoopback = LOOPBACK.matcher(upstream.getHost()).matches();
        boolean isOwnHost = upstream.getHost().equalsIgnoreCase(host) || isLoopback && isLoopbackOurs;
        boolean isOwn = isOwnHost && port.equals(Integer.toString(upstreamPort));
        String wrong = ": %s:%d is where a2o itself listens; the backend's address is expected";
        if (isOwn) throw new Wrong("--upstream", wrong.formatted(upstream.getHost(), upstreamPort));
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
        Matcher address = ADDRESS.matcher(text);
        if (address.matches()) {
            String missing = "--upstream: http:// or https:// is missing before %s, as in http://%1$s";
            throw new Wrong(1, missing.formatted(address.group(1)));
        }
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
            if (JsonParser.parse(text) instanceof Json.Obj json) return json;
            throw new Wrong("--extra-body", ": a JSON object expected");
        } catch (Json.Malformed e) {
            throw new Wrong("--extra-body", ": " + e.getMessage());
        }
    }

    /** {@return whether a 401 of this backend is about a key of the operator's, not of the client's} */
    public boolean areKeysOurs(Target target) {
        boolean isInHeader = headers.stream().map(Header::name).anyMatch(Secrets::isSecretName);
        return target.key().isPresent() || isInHeader || target.hasSecretQuery();
    }

    /** {@return the names of models that clients may ask for: those that are mapped, and the one for all} */
    public List<String> names() {
        Stream<String> mapped = maps.stream().map(Mapping::glob).filter(glob -> !glob.matches(".*[*?].*"));
        return Stream.concat(mapped, model.stream()).toList();
    }

    /** {@return the model to ask the backend for: by --map, then --model, else the name without additions} */
    public String model(String asked) { return mapped(asked).or(() -> model).orElse(bare(asked)); }

    /** {@return whether clients get a reply by this name, whatever models the backend has by its own names} */
    public boolean serves(String asked) { return model.isPresent() || mapped(asked).isPresent(); }

    /**
     * {@return the model that a client should ask for which has no wish of its own} It is the one that Claude Code's
     * default is mapped to, by its own name: Claude Code knows its default, and for a name that it knows it does not
     * take the context window that it is told.
     */
    public Optional<String> mainModel() {
        String sent = model(CLAUDE_CODES_DEFAULT);
        boolean keepsItsName = model(sent).equals(sent);
        return serves(CLAUDE_CODES_DEFAULT) && keepsItsName ? Optional.of(sent) : Optional.empty();
    }

    /** {@return the model of the first --map whose pattern fits the name, as it is or without additions} */
    private Optional<String> mapped(String asked) {
        List<String> names = List.of(asked, LISTED.matcher(asked).replaceFirst(""), bare(asked));
        return maps.stream().filter(map -> names.stream().anyMatch(map::fits)).map(Mapping::model).findFirst();
    }

    /** {@return the name without what A2o's list of models adds in front, and Claude Code at the end} */
    public static String bare(String asked) {
        return SUFFIX.matcher(LISTED.matcher(asked).replaceFirst("")).replaceFirst("");
    }
}
