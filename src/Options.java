import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** What the command line and the environment ask for, checked. One table, {@link Flag}, says all there is. */
record Options(Optional<URI> upstream, Optional<String> model, List<Mapping> maps, String host, int port, Duration timeout,
               int workers, int maxConnections, int maxConnectionsPerHost, boolean debug, Optional<String> logFile,
               Optional<String> upstreamKey, Optional<String> authKey, List<Header> headers, Json extraBody, long context) {

    /** Every option: its value's name ("" for a switch), default and help. The environment variable is A2O_ and the name. */
    enum Flag {
        UPSTREAM("URL", "", "backend: a root, a /v1 base or the full .../chat/completions URL; 'demo' is built in (required)"),
        MODEL("NAME", "", "model sent upstream whatever the client asks for (default: the client's name)"),
        MAP("PATTERN=MODEL", "", "glob on the client's model name; repeatable, first match wins, before --model"),
        HOST("ADDRESS", "127.0.0.1", "address to listen on"),
        PORT("N", "3578", "port to listen on; 0 takes a free one and says which"),
        TIMEOUT("SECONDS", "300", "longest silence of the backend: to the first byte, and between bytes"),
        WORKERS("N", "0", "carrier threads that run the virtual threads; 0 takes one for each core"),
        MAX_CONNECTIONS("N", "1000", "requests in flight to all backends; more wait, then get 529"),
        MAX_CONNECTIONS_PER_HOST("N", "500", "the same, for each backend"),
        DEBUG("", "", "log both bodies of each exchange, keys never"),
        LOG_FILE("FILE", "", "append the log to FILE too"),
        UPSTREAM_KEY("KEY", "", "key for the backend in place of the client's own; also OPENAI_API_KEY"),
        AUTH_KEY("KEY", "", "key that clients must present, as x-api-key or bearer"),
        HEADER("'N: V'", "", "extra header for the backend; repeatable"),
        EXTRA_BODY("JSON", "", "members merged into every upstream body, last"),
        CONTEXT("N", "0", "the model's context window in tokens, for overflow messages without numbers; 0 is unknown"),
        HELP("", "", "print this help (also -h)"),
        VERSION("", "", "print the version");

        private final String value;
        private final String standard;
        private final String help;

        Flag(String value, String standard, String help) {
            this.value = value;
            this.standard = standard;
            this.help = help;
        }

        String flag() { return "--" + name().toLowerCase(Locale.ROOT).replace('_', '-'); }

        boolean isRepeatable() { return this == MAP || this == HEADER; }

        String helpLine() {
            String preset = standard.isEmpty() ? "" : " (default: %s)".formatted(standard);
            return "  %-32s %s%s%n".formatted((flag() + " " + value).strip(), help, preset);
        }
    }

    record Mapping(Pattern pattern, String model) { }

    record Header(String name, String value) { }

    /** What is wrong with the command line, with the help of the option it is about. */
    static final class Wrong extends Exception {
        private final int exitStatus;

        private Wrong(int exitStatus, String message, String help) {
            super("a2o: %s%n%s".formatted(message, help), null, false, false);
            this.exitStatus = exitStatus;
        }

        private Wrong(Flag flag, String message) { this(2, flag.flag() + message, flag.helpLine()); }

        int exitStatus() { return exitStatus; }
    }

    static String usage() {
        var text = new StringBuilder("""
                A2o lets clients of the Anthropic Messages API, such as Claude Code, run on an OpenAI-compatible backend.

                usage: a2o --upstream URL [option ...]

                """);
        for (Flag flag : Flag.values()) text.append(flag.helpLine());
        return text.append("""

                Each option can be given as an environment variable instead: A2O_ and its name in capitals, as in
                A2O_UPSTREAM_KEY (of a repeatable option: one a line); the command line wins.
                Exit status: 0 fine, 1 cannot start, 2 wrong usage.
                """).toString();
    }

    /** {@return the values given for each flag: those of the command line, else those of the environment} */
    static Map<Flag, List<String>> read(String[] args, Map<String, String> environment) throws Wrong {
        Map<Flag, List<String>> given = new EnumMap<>(Flag.class);
        for (int i = 0; i < args.length; i++) {
            String[] word = args[i].split("=", 2);
            Flag flag = flag(word[0]);
            boolean isSwitch = flag.value.isEmpty();
            if (isSwitch && word.length == 2) throw new Wrong(flag, " takes no value");
            if (!isSwitch && word.length == 1 && ++i == args.length) throw new Wrong(flag, " needs a value");
            if (!flag.isRepeatable()) given.remove(flag); // the last one counts
            given.computeIfAbsent(flag, none -> new ArrayList<>()).add(isSwitch ? "true" : word.length == 2 ? word[1] : args[i]);
        }
        String key = environment.getOrDefault("OPENAI_API_KEY", "");
        for (Flag flag : Flag.values()) {
            String value = environment.getOrDefault("A2O_" + flag.name(), flag == Flag.UPSTREAM_KEY ? key : "");
            if (!value.isBlank()) given.putIfAbsent(flag, flag.isRepeatable() ? value.lines().toList() : List.of(value));
        }
        return given;
    }

    private static Flag flag(String word) throws Wrong {
        for (Flag flag : Flag.values()) {
            if (flag.flag().equals(word) || flag == Flag.HELP && word.equals("-h")) return flag;
        }
        throw new Wrong(2, "unknown option " + word, "try --help\n");
    }

    /** {@return the options, each value checked} */
    static Options of(Map<Flag, List<String>> given) throws Wrong {
        if (!given.containsKey(Flag.UPSTREAM)) throw new Wrong(Flag.UPSTREAM, " is required");
        List<Mapping> maps = new ArrayList<>();
        for (String map : given.getOrDefault(Flag.MAP, List.of())) maps.add(mapping(map));
        List<Header> headers = new ArrayList<>();
        for (String header : given.getOrDefault(Flag.HEADER, List.of())) headers.add(header(header));
        return new Options(upstream(text(given, Flag.UPSTREAM)), optional(given, Flag.MODEL), List.copyOf(maps),
                text(given, Flag.HOST), number(given, Flag.PORT, 0, 65_535),
                Duration.ofSeconds(number(given, Flag.TIMEOUT, 1, 86_400)), number(given, Flag.WORKERS, 0, 1024),
                number(given, Flag.MAX_CONNECTIONS, 1, 999_999), number(given, Flag.MAX_CONNECTIONS_PER_HOST, 1, 999_999),
                !text(given, Flag.DEBUG).matches("|0|false"), optional(given, Flag.LOG_FILE), optional(given, Flag.UPSTREAM_KEY),
                optional(given, Flag.AUTH_KEY), List.copyOf(headers), extraBody(text(given, Flag.EXTRA_BODY)),
                number(given, Flag.CONTEXT, 0, 999_999_999));
    }

    private static String text(Map<Flag, List<String>> given, Flag flag) {
        return given.containsKey(flag) ? given.get(flag).getLast() : flag.standard;
    }

    private static Optional<String> optional(Map<Flag, List<String>> given, Flag flag) {
        return Optional.of(text(given, flag)).filter(text -> !text.isBlank());
    }

    private static int number(Map<Flag, List<String>> given, Flag flag, int least, int most) throws Wrong {
        String text = text(given, flag);
        int number = text.matches("\\d{1,9}") ? Integer.parseInt(text) : -1;
        if (number >= least && number <= most) return number;
        throw new Wrong(flag, ": a whole number from %d to %d expected, not '%s'".formatted(least, most, text));
    }

    /** {@return the chat completions URL of the backend; empty for the built-in one} */
    private static Optional<URI> upstream(String text) throws Wrong {
        if (text.equals("demo")) return Optional.empty();
        try {
            var url = new URI(text);
            String path = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/+$", "");
            if (!path.endsWith("/chat/completions")) path += path.isEmpty() ? "/v1/chat/completions" : "/chat/completions";
            String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
            boolean isHttp = "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
            if (!isHttp || url.getHost() == null) throw new URISyntaxException("", "");
            String authority = url.getRawAuthority().replaceAll("^.*@", ""); // dropped: user and password
            return Optional.of(URI.create("%s://%s%s%s".formatted(url.getScheme(), authority, path, query)));
        } catch (URISyntaxException e) { // the text is not quoted: it may hold a key
            throw new Wrong(1, "--upstream: a URL like http://localhost:11434/v1 expected", "");
        }
    }

    private static Mapping mapping(String text) throws Wrong {
        int equals = text.lastIndexOf('=');
        if (equals < 1 || equals == text.length() - 1) throw new Wrong(Flag.MAP, ": PATTERN=MODEL expected, not '%s'".formatted(text));
        String regex = Pattern.quote(text.substring(0, equals)).replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q");
        return new Mapping(Pattern.compile(regex), text.substring(equals + 1));
    }

    private static Header header(String text) throws Wrong {
        String[] parts = text.split(":", 2);
        try {
            HttpRequest.newBuilder().header(parts[0].strip(), parts[1].strip());
            return new Header(parts[0].strip(), parts[1].strip());
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new Wrong(Flag.HEADER, ": 'Name: value' expected, with a name that may be set");
        }
    }

    private static Json extraBody(String text) throws Wrong {
        try {
            Json json = Json.parse((text.isEmpty() ? "{}" : text).getBytes(StandardCharsets.UTF_8));
            if (json instanceof Json.Obj) return json;
        } catch (Json.Malformed e) {
            throw new Wrong(Flag.EXTRA_BODY, ": " + e.getMessage());
        }
        throw new Wrong(Flag.EXTRA_BODY, ": a JSON object expected");
    }

    /** {@return the backend's name for messages and the log} */
    String upstreamHost() { return upstream.map(URI::getHost).orElse("demo"); }

    /** {@return the model to ask the backend for: without a suffix such as Claude Code's [1m], by --map, then --model} */
    String model(String asked) {
        String name = asked.replaceAll("\\[[^\\]]*]$", "");
        return maps.stream().filter(map -> map.pattern.matcher(name).matches()).map(Mapping::model).findFirst()
                .or(() -> model).orElse(name);
    }
}
