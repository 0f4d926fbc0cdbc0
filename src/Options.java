import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What the command line and the environment ask for, checked. The usage text is the table of all options there are. */
record Options(Optional<URI> upstream, Optional<String> model, List<Mapping> maps, String host, int port,
               Duration timeout, int workers, int maxConnections, int maxConnectionsPerHost, boolean debug,
               Optional<String> logFile, Optional<String> upstreamKey, Optional<String> authKey, List<Header> headers,
               Json extraBody, long context) {
    static final String USAGE = """
            A2o lets clients of the Anthropic Messages API, such as Claude Code, run on an OpenAI-compatible backend.

            usage: a2o --upstream URL [option ...]

              --upstream URL               backend: a root, a /v1 base or a .../chat/completions URL; demo: built in
              --model NAME                 model sent upstream whatever the client asks for (else the client's name)
              --map PATTERN=MODEL          glob on the client's model name; first match wins, before --model; repeatable
              --host ADDRESS               address to listen on (default: 127.0.0.1)
              --port N                     port to listen on; 0 takes a free one and says which (default: 3578)
              --timeout SECONDS            longest silence of the backend, first or between bytes (default: 300)
              --workers N                  carrier threads; 0 is one for each core (default: 0)
              --max-connections N          requests in flight to all backends; more wait, then get 529 (default: 1000)
              --max-connections-per-host N the same, for each backend (default: 500)
              --debug                      log both bodies of each exchange, keys never
              --log-file FILE              append the log to FILE too
              --upstream-key KEY           key for the backend in place of the client's own; also OPENAI_API_KEY
              --auth-key KEY               key that clients must present, as x-api-key or bearer
              --header 'N: V'              extra header for the backend; repeatable
              --extra-body JSON            members merged into every upstream body, last
              --context N                  context window in tokens, for overflow messages; 0: unknown (default: 0)
              -h --help                    print this help
              --version                    print the version

            Each option can be given as an environment variable instead: A2O_ and its name in capitals, as in
            A2O_UPSTREAM_KEY (of a repeatable option: one a line); the command line wins.
            Exit status: 0 fine, 1 cannot start, 2 wrong usage.
            """;

    record Mapping(Pattern pattern, String model) { }

    record Header(String name, String value) { }

    /** What is wrong with the command line, with the help of the option it is about. */
    static final class Wrong extends Exception {
        private final int exitStatus;

        private Wrong(int exitStatus, String message) {
            super("a2o: " + message, null, false, false);
            this.exitStatus = exitStatus;
        }

        private Wrong(String flag, String message) { this(2, "%s%s%n%s".formatted(flag, message, help(flag).group())); }

        int exitStatus() { return exitStatus; }
    }

    /** {@return the line about an option; its groups are its value's name and its default, null if it has none} */
    private static MatchResult help(String flag) {
        String entry = "(?m)^ +(?:-h )?%s(?: (\\S+(?: V')?))? +.*?(?:\\(default: (.*)\\))?$".formatted(flag);
        return Pattern.compile(entry).matcher(USAGE).results().findFirst().orElseThrow();
    }

    /** {@return the values given for each flag: those of the command line, else those of the environment} */
    static Map<String, List<String>> read(String[] args, Map<String, String> environment) throws Wrong {
        Map<String, List<String>> given = new HashMap<>();
        for (int i = 0; i < args.length; i++) {
            String[] word = args[i].split("=", 2);
            String flag = word[0].equals("-h") ? "--help" : word[0];
            boolean known = flag.matches("--[a-z-]+") && USAGE.contains(" " + flag + " ");
            if (!known) throw new Wrong(2, "unknown option %s%ntry --help".formatted(word[0]));
            boolean isSwitch = help(flag).group(1) == null;
            if (isSwitch && word.length == 2) throw new Wrong(flag, " takes no value");
            if (!isSwitch && word.length == 1 && ++i == args.length) throw new Wrong(flag, " needs a value");
            if (!help(flag).group().contains("repeatable")) given.remove(flag); // the last one counts
            String value = isSwitch ? "true" : word.length == 2 ? word[1] : args[i];
            given.computeIfAbsent(flag, none -> new ArrayList<>()).add(value);
        }
        environment.forEach((name, value) -> {
            String flag = "--" + name.replaceFirst("^A2O_", "").toLowerCase(Locale.ROOT).replace('_', '-');
            boolean known = name.matches("A2O_(?!HELP|VER).*") && USAGE.contains(" " + flag + " ") && !value.isBlank();
            boolean many = known && help(flag).group().contains("repeatable");
            if (known) given.putIfAbsent(flag, many ? value.lines().toList() : List.of(value));
        });
        String key = environment.getOrDefault("OPENAI_API_KEY", "");
        if (!key.isBlank()) given.putIfAbsent("--upstream-key", List.of(key));
        return given;
    }

    /** {@return the options, each value checked} */
    static Options of(Map<String, List<String>> given) throws Wrong {
        if (!given.containsKey("--upstream")) throw new Wrong("--upstream", " is required");
        List<Mapping> maps = new ArrayList<>();
        for (String map : given.getOrDefault("--map", List.of())) maps.add(mapping(map));
        List<Header> headers = new ArrayList<>();
        boolean isKey = optional(given, "--upstream-key").orElse("none").matches("[ -~]+");
        if (!isKey) throw new Wrong("--upstream-key", ": printable ASCII characters expected");
        for (String header : given.getOrDefault("--header", List.of())) headers.add(header(header));
        return new Options(upstream(text(given, "--upstream")), optional(given, "--model"), maps, text(given, "--host"),
                number(given, "--port", 0, 65_535), Duration.ofSeconds(number(given, "--timeout", 1, 86_400)),
                number(given, "--workers", 0, 1024), number(given, "--max-connections", 1, 999_999),
                number(given, "--max-connections-per-host", 1, 999_999), !text(given, "--debug").matches("|0|false"),
                optional(given, "--log-file"), optional(given, "--upstream-key"), optional(given, "--auth-key"), headers,
                extraBody(text(given, "--extra-body")), number(given, "--context", 0, 999_999_999));
    }

    private static String text(Map<String, List<String>> given, String flag) {
        if (given.containsKey(flag)) return given.get(flag).getLast();
        return Optional.ofNullable(help(flag).group(2)).orElse("");
    }

    private static Optional<String> optional(Map<String, List<String>> given, String flag) {
        return Optional.of(text(given, flag).strip()).filter(text -> !text.isEmpty());
    }

    private static int number(Map<String, List<String>> given, String flag, int least, int most) throws Wrong {
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
            if (url.getHost() == null || !text.matches("(?i)https?://.*")) throw new URISyntaxException("", "");
            String authority = url.getRawAuthority().replaceAll("^.*@", ""); // dropped: user and password
            return Optional.of(URI.create("%s://%s%s%s".formatted(url.getScheme(), authority, path, query)));
        } catch (URISyntaxException e) { // the text is not quoted: it may hold a key
            throw new Wrong(1, "--upstream: a URL like http://localhost:11434/v1 expected%n".formatted());
        }
    }

    private static Mapping mapping(String text) throws Wrong {
        int equals = text.lastIndexOf('=');
        boolean isPair = equals > 0 && equals < text.length() - 1;
        if (!isPair) throw new Wrong("--map", ": PATTERN=MODEL expected, not '%s'".formatted(text));
        String[] pieces = text.substring(0, equals).split("\\*", -1);
        var regex = new StringBuilder();
        for (int i = 0; i < pieces.length; i++) { // atomic groups, or many stars would try all combinations
            String piece = Pattern.quote(pieces[i]).replace("?", "\\E.\\Q");
            regex.append(i == 0 ? piece : i == pieces.length - 1 ? ".*" + piece : "(?>.*?" + piece + ")");
        }
        return new Mapping(Pattern.compile(regex.toString(), Pattern.DOTALL), text.substring(equals + 1));
    }

    private static Header header(String text) throws Wrong {
        String[] parts = text.split(":", 2);
        try {
            HttpRequest.newBuilder().header(parts[0].strip(), parts[1].strip());
            return new Header(parts[0].strip(), parts[1].strip());
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new Wrong("--header", ": 'Name: value' expected, with a name that may be set");
        }
    }

    private static Json extraBody(String text) throws Wrong {
        try {
            Json json = Json.parse((text.isEmpty() ? "{}" : text).getBytes(StandardCharsets.UTF_8));
            if (json instanceof Json.Obj) return json;
        } catch (Json.Malformed e) {
            throw new Wrong("--extra-body", ": " + e.getMessage());
        }
        throw new Wrong("--extra-body", ": a JSON object expected");
    }

    /** {@return the backend's name for messages and the log} */
    String upstreamHost() { return upstream.map(URI::getHost).orElse("demo"); }

    /** {@return the model to ask for: without a suffix such as Claude Code's [1m], by --map, then --model} */
    String model(String asked) {
        int suffix = asked.endsWith("]") ? asked.lastIndexOf('[') : -1;
        String name = suffix < 0 ? asked : asked.substring(0, suffix);
        return maps.stream().filter(map -> map.pattern.matcher(name).matches()).map(Mapping::model).findFirst()
                .or(() -> model).orElse(name);
    }
}
