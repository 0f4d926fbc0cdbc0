package config;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class OptionsTest {
    private static final String[] UPSTREAM = {"--upstream", "http://backend.test/v1"};

    private static Options options(Map<String, String> environment, String... args) throws UsageError {
        return Options.of(CommandLine.read(args, environment));
    }

    /** {@return the options of those words and an upstream} */
    private static Options options(String... args) throws UsageError {
        return options(Map.of(), with(args));
    }

    private static String[] with(String... args) {
        return Stream.concat(Stream.of(UPSTREAM), Stream.of(args)).toArray(String[]::new);
    }

    private record Case(String flag, String text, Function<Options, Object> component, Object value,
            Object standard) { }

    private static final List<Case> CASES = List.of(
            new Case("model", "m", options -> options.routes().of("x").model(), "m", "x"),
            new Case("host", "0.0.0.0", Options::host, "0.0.0.0", "127.0.0.1"),
            new Case("port", "0", Options::port, 0, 3578),
            new Case("port", "65535", Options::port, 65_535, 3578),
            new Case("timeout", "7", Options::timeout, Duration.ofSeconds(7), Duration.ofSeconds(300)),
            new Case("workers", "3", Options::workers, 3, 0),
            new Case("max-connections", "9", Options::maxConnections, 9, 1000),
            new Case("max-connections-per-host", "8", Options::maxConnectionsPerHost, 8, 500),
            new Case("log-file", "a2o.log", Options::logFile, Optional.of("a2o.log"), Optional.empty()),
            new Case("log-format", "JSON", Options::logFormat, LogFormat.JSON, LogFormat.TEXT),
            new Case("header-through", " X-Session ", Options::headersThrough, List.of("x-session"), List.of()),
            new Case("upstream-key", "sk-1=2", options -> options.upstreams().getFirst().key(), Optional.of("sk-1=2"), Optional.empty()),
            new Case("auth-key", "k", Options::authKeys, List.of(new AuthKey("k")), List.of()),
            new Case("context", "131072", OptionsTest::context, 131_072L, 0L),
            new Case("extra-body", "{\"k\": 5.0}", OptionsTest::extra, "5.0", "null"),
            new Case("header", "X-A:  b: c ", OptionsTest::headers, List.of("X-A=b: c"), List.of()));

    private static List<String> headers(Options options) {
        return options.upstreams().getFirst().headers().stream().map(header -> header.name() + "=" + header.value()).toList();
    }

    /** {@return the window by --context in tokens, 0 if that says none} */
    private static long context(Options options) {
        return options.routes().of("m").context().orElse(0);
    }

    private static String extra(Options options) {
        return options.upstreams().getFirst().extraBody().get("k").raw();
    }

    private static List<String> maps(Options options) {
        return Stream.of("a", "b").map(asked -> options.routes().of(asked).model()).toList();
    }

    private static String variable(String flag) {
        return "A2O_" + flag.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    @Test
    void everyOptionIsTakenFromTheCommandLine() throws Exception {
        for (Case each : CASES) {
            assertEquals(each.value, each.component.apply(options("--" + each.flag, each.text)), each.flag);
            assertEquals(each.value, each.component.apply(options("--" + each.flag + "=" + each.text)), each.flag);
        }
        assertTrue(options("--debug").debug());
    }

    @Test
    void everyOptionIsTakenFromTheEnvironment() throws Exception {
        for (Case each : CASES) {
            assertEquals(each.value, each.component.apply(options(Map.of(variable(each.flag), each.text), UPSTREAM)),
                    each.flag);
        }
        assertEquals(URI.create("http://e.test/v1/chat/completions"),
                options(Map.of("A2O_UPSTREAM", "http://e.test"), new String[0]).upstreams().getFirst().url(Api.CHAT));
    }

    @Test
    void everyOptionHasADefault() throws Exception {
        for (Case each : CASES) {
            assertEquals(each.standard, each.component.apply(options()), each.flag);
            assertEquals(each.standard, each.component.apply(options(Map.of(variable(each.flag), " "), UPSTREAM)),
                    each.flag + " blank in the environment");
        }
        assertEquals(false, options().debug());
        assertEquals(List.of(), options().routes().names());
    }

    @Test
    void theCommandLineCountsBeforeTheEnvironmentAndTheLastBeforeTheFirst() throws Exception {
        assertEquals(2, options(Map.of("A2O_PORT", "1"), with("--port", "2")).port());
        assertEquals(3, options("--port", "2", "--port=3").port());
        assertEquals(URI.create("http://backend.test/v1/chat/completions"),
                options(Map.of("A2O_UPSTREAM", "http://e.test"), UPSTREAM).upstreams().getFirst().url(Api.CHAT));
        assertEquals(List.of("B=2"), headers(options(Map.of("A2O_HEADER", "A: 1\nC: 3"), with("--header", "B: 2"))));
        assertEquals(4, options(Map.of("A2O_PORT", "nonsense"), with("--port", "4")).port());
    }

    @Test
    void debugIsSwitchedOnByAnyValueButFalseAndZero() throws Exception {
        for (String on : List.of("1", "true", "yes", "TRUE")) {
            assertTrue(options(Map.of("A2O_DEBUG", on), UPSTREAM).debug(), on);
        }
        for (String off : List.of("", "0", "false")) {
            assertFalse(options(Map.of("A2O_DEBUG", off), UPSTREAM).debug(), off);
        }
        assertTrue(options(Map.of("A2O_DEBUG", "0"), with("--debug")).debug());
    }

    @Test
    void theKeyForOpenaiMayComeFromOpenaiApiKeyAndGoesNowhereElse() throws Exception {
        Map<String, String> openai = Map.of("OPENAI_API_KEY", "o");
        String[] azure = {"--upstream", "https://acme.openai.azure.com/openai/v1"};
        assertEquals(Optional.of("o"), options(openai, "--upstream", "https://api.openai.com/v1").upstreams().getFirst().key());
        assertEquals(Optional.of("o"), options(openai, azure).upstreams().getFirst().key());
        assertEquals(Optional.empty(), options(openai, UPSTREAM).upstreams().getFirst().key());
        assertEquals(Optional.empty(), options(openai, "--upstream", "https://openai.com.test").upstreams().getFirst().key());
        assertEquals(Optional.of("c"), options(openai, with("--upstream-key", "c")).upstreams().getFirst().key());
        Map<String, String> both = Map.of("OPENAI_API_KEY", "o", "A2O_UPSTREAM_KEY", "a");
        assertEquals(Optional.of("a"), options(both, azure).upstreams().getFirst().key());
    }

    @Test
    void repeatableOptionsAddUp() throws Exception {
        Options three = options("--header", "A: 1", "--header=B:2", "--header", "A:3");
        assertEquals(List.of("A=1", "B=2", "A=3"), headers(three));
        assertEquals(List.of("A=1", "B=2"), headers(options(Map.of("A2O_HEADER", "A: 1\nB: 2\n"), UPSTREAM)));
        assertEquals(List.of("x", "y"), maps(options("--map", "a=x", "--map", "b=y")));
        assertEquals(List.of("x", "y"), maps(options(Map.of("A2O_MAP", "a=x\nb=y"), UPSTREAM)));
    }

    @Test
    void helpAndVersionNeedNoUpstream() throws Exception {
        for (String word : List.of("--help", "-h", "--version")) {
            CommandLine given = CommandLine.read(new String[] {word}, Map.of());
            assertEquals(word.equals("--version"), given.has(Option.VERSION), word);
            assertEquals(!word.equals("--version"), given.has(Option.HELP), word);
        }
    }

    @Test
    void whatStandsAfterTwoDashesIsTheCommandOnAFreePort() {
        CommandLine given = CommandLine.read(with("--model", "m", "--", "x", "--port", "1", "--", ""), Map.of());
        assertEquals(List.of("x", "--port", "1", "--", ""), given.all(Option.COMMAND));
        assertEquals(0, Options.of(given).port());
        assertEquals(2, options(with("--port", "2", "--", "x")).port());
        assertEquals(3, options(Map.of("A2O_PORT", "3"), with("--", "x")).port());
        assertEquals("m", Options.of(given).routes().of("x").model());
    }

    // ---- errors ----

    private static final String USAGE = CommandLine.USAGE;

    /** {@return the entry of the usage text about that option: its line, and those that go on with it} */
    private static String help(String flag) {
        Pattern entry = Pattern.compile("(?m)^ {2}(-h )?%s .*(\\R {20,}.*)*$".formatted(flag));
        List<String> entries = entry.matcher(USAGE).results().map(MatchResult::group).toList();
        assertEquals(1, entries.size(), "entries of help for " + flag);
        return entries.getFirst();
    }

    private static Executable wrong(int status, String message, String... args) {
        return () -> {
            UsageError e = assertThrows(UsageError.class, () -> options(Map.of(), args), String.join(" ", args));
            assertEquals(message, e.getMessage().strip().replace(System.lineSeparator(), "\n"));
            assertEquals(status, e.exitStatus());
        };
    }

    private static Executable unknown(String word, String... args) {
        return () -> {
            UsageError e = assertThrows(UsageError.class, () -> options(Map.of(), args), word);
            String message = "a2o: unknown option %s, try --help".formatted(word);
            assertEquals(message, e.getMessage().strip().replace(System.lineSeparator() + "try", ", try"));
            assertEquals(2, e.exitStatus());
        };
    }

    /** One option, wrong in itself, next to a good upstream. */
    private static Executable wrong(String message, String flag, String... args) {
        return wrong(2, "a2o: %s\n%s".formatted(message, help(flag)), with(args));
    }

    @Test
    void wrongUsageIsToldInFull() {
        List<Executable> all = new ArrayList<>(List.of(
                wrong(2, "a2o: --upstream is required, as http://localhost:11434/v1 for Ollama\n" + help("--upstream")),
                wrong(2, "a2o: --upstream is required, as http://localhost:11434/v1 for Ollama\n" + help("--upstream"), "--port", "1"),
                unknown("-p", with("-p")),
                unknown("--no-such-option", with("--no-such-option=1")),
                wrong(2, "a2o: --upstream needs a value\n" + help("--upstream"), "--upstream"),
                wrong("--port needs a value", "--port", "--port"),
                wrong(2, "a2o: --model needs a value\n" + help("--model"), with("--model", "--", "claude")),
                wrong(2, "a2o: --model needs a value\n" + help("--model"), with("--model", "--context", "5")),
                wrong("--debug takes no value", "--debug", "--debug=1"),
                wrong("--help takes no value", "--help", "--help=x"),
                wrong("--check takes no value", "--check", "--check=x"),
                wrong(2, "a2o: a command is expected after --", with("--")),
                wrong("--map: PATTERN=MODEL expected, not 'claude'", "--map", "--map", "claude"),
                wrong("--map: PATTERN=MODEL expected, not '=x'", "--map", "--map", "=x"),
                wrong("--map: PATTERN=MODEL expected, not 'x='", "--map", "--map=x="),
                wrong("--extra-body: a JSON object expected", "--extra-body", "--extra-body", "[1]"),
                wrong("--extra-body: not valid JSON at byte 1: a member name in quotes expected", "--extra-body",
                        "--extra-body", "{x}")));
        for (String header : List.of("X-A", "", ": v", "X A: v", "X-A: v\nX-B: w", "Host: x", "Content-Length: 5")) {
            all.add(wrong("--header: 'Name: value' expected, with a name that may be set", "--header", "--header",
                    header));
        }
        assertAll(all);
    }

    @Test
    void headersThatAreKeysOrOfOneConnectionDoNotGoThrough() {
        Map<String, String> reasons = Map.of(
                "Authorization", "keys have a way of their own", "x-api-key", "keys have a way of their own",
                "Proxy-Authorization", "keys have a way of their own", "Cookie", "keys have a way of their own",
                "Host", "it is about the client's connection to a2o", "TE", "it is about the client's connection to a2o",
                "transfer-encoding", "it is about the client's connection to a2o",
                "Content-Length", "the backend's request has a body of its own");
        List<Executable> all = new ArrayList<>();
        reasons.forEach((name, why) -> all.add(wrong("--header-through: %s cannot go through: %s".formatted(
                name.toLowerCase(Locale.ROOT), why), "--header-through", "--header-through", name)));
        for (String name : List.of("a b", "x:", "é")) {
            all.add(wrong("--header-through: the name of a header expected, as x-session", "--header-through",
                    "--header-through", name));
        }
        all.add(wrong("--log-format: text or json expected", "--log-format", "--log-format", "xml"));
        assertAll(all);
        assertEquals(List.of("idempotency-key", "x-session-id"), options(Map.of("A2O_HEADER_THROUGH",
                "Idempotency-Key\nX-Session-Id\nx-session-id\n"), UPSTREAM).headersThrough());
    }

    @Test
    void theOptionThatWasMeantIsNamed() {
        String[][] rows = {{"--prot", "--port"}, {"--PORT", "--port"}, {"-port", "--port"}, {"--modle", "--model"},
            {"--upsteam", "--upstream"}, {"--upstream-kye", "--upstream-key"}, {"--upstream_key", "--upstream-key"},
            {"--contxt", "--context"}, {"--max-conections", "--max-connections"}, {"--logfile", "--log-file"},
            {"--max-connections-per", "--max-connections-per-host"}, {"--key", "--upstream-key"},
            {"--hlep", "--help"}, {"--versoin", "--version"}, {"--chekc", "--check"}, {"--tiemout", "--timeout"}};
        assertAll(Stream.of(rows).flatMap(row -> Stream.of(row[0], row[0] + "=x").map(word -> {
            String message = "a2o: unknown option %s; did you mean %s?\n%s".formatted(row[0], row[1], help(row[1]));
            return wrong(2, message, with(word, "x"));
        })));
    }

    @Test
    void aBareUrlIsAnUpstream() throws Exception {
        List<String> urls = options(Map.of("A2O_UPSTREAM", "http://environment.test"), "http://a.test", "--port", "0",
                "HTTPS://b.test/v1", "--", "http://c.test").upstreams().stream().map(Target::host).toList();
        assertEquals(List.of("a.test", "b.test"), urls);
        CommandLine given = CommandLine.read(new String[] {"http://a.test", "--", "claude"}, Map.of());
        assertEquals(List.of("claude"), given.all(Option.COMMAND));
    }

    @Test
    void aCommandWithoutTheTwoDashesIsSaid() {
        List<Executable> all = new ArrayList<>();
        for (String command : List.of("claude", "./run.sh", "/usr/local/bin/claude", "python3.12", "run.sh")) {
            String message = "a2o: '%1$s' is no option; if it is a command to run, put -- before it, as in: -- %1$s\n"
                    + "try --help";
            all.add(wrong(2, message.formatted(command), with(command, "-p", "hi")));
            all.add(wrong(2, message.formatted(command), "http://a.test", "--model", "m", command, "--model", "x"));
        }
        for (String secret : List.of("sk-abc", "gsk0123456789abcdefghijklm", "two words", "a=b", "")) {
            all.add(wrong(2, "a2o: a word that is no option; if it is a command to run, put -- before it, as in: "
                    + "-- claude\ntry --help", with(secret)));
        }
        all.add(wrong(2, "a2o: the built-in backend is --upstream demo", "demo"));
        assertAll(all);
    }

    @Test
    void anAddressWithoutASchemeIsSaid() {
        String[][] rows = {{"localhost:8080", "localhost:8080"}, {"localhost", "localhost"}, {"h.test:1/v1", "h.test:1"},
            {"127.0.0.1:8000/v1/chat/completions?key=secret", "127.0.0.1:8000"}, {"[::1]:8080", "[::1]:8080"},
            {"localhost/v1", "localhost"}};
        List<Executable> all = new ArrayList<>();
        for (String[] row : rows) {
            String message = "a2o: --upstream: http:// or https:// is missing before %1$s, as in http://%1$s".formatted(row[1]);
            all.add(wrong(1, message, "--upstream", row[0]));
            all.add(wrong(1, message, row[0]));
        }
        for (String address : List.of("api.deepseek.com", "API.Deepseek.com", "h.test/v1?key=secret", "a.b.test/v1", "h-1.test/")) {
            String host = address.replaceFirst("/.*", "");
            String message = "a2o: --upstream: http:// or https:// is missing before %1$s, as in https://%1$s".formatted(host);
            all.add(wrong(1, message, "--upstream", address));
            all.add(wrong(1, message, address));
        }
        all.add(wrong(1, "a2o: --upstream: http:// or https:// is missing before h.test, as in https://h.test",
                "--upstream", "h.test")); // alone it may be the name of a file
        assertAll(all);
    }

    @Test
    void itsOwnAddressIsNoUpstream() throws Exception {
        String[][] rows = {{"http://localhost:3578"}, {"http://127.0.0.1:3578/v1"}, {"http://[::1]:3578"},
            {"http://localhost:99", "--port", "99"}, {"http://localhost", "--port", "80"},
            {"http://LOCALHOST:3578", "--host", "0.0.0.0", "--auth-key", "k"},
            {"http://h.test:3578", "--host", "h.test", "--auth-key", "k"}};
        for (String[] row : rows) {
            UsageError e = assertThrows(UsageError.class, () -> options(Map.of(), row), row[0]);
            assertTrue(e.getMessage().contains("is where a2o itself listens"), e.getMessage());
            assertTrue(e.getMessage().contains(help("--upstream")), e.getMessage());
        }
        for (String[] row : List.of(new String[] {"http://localhost:3578", "--port", "0"},
                new String[] {"http://h.test:3578"}, new String[] {"https://localhost:3578"},
                new String[] {"http://localhost:3578", "--", "claude"})) {
            assertEquals(1, options(Map.of(), row).upstreams().size(), row[0]);
        }
    }

    @Test
    void numbersMayHaveAUnit() throws Exception {
        Object[][] rows = {{"64k", 64_000L}, {"128K", 128_000L}, {"1m", 1_000_000L}, {"65536", 65_536L}, {"0", 0L}};
        for (Object[] row : rows) assertEquals(row[1], context(options("--context", (String) row[0])));
        Object[][] times = {{"5m", 300L}, {"90s", 90L}, {"1h", 3600L}, {"1H", 3600L}, {"24h", 86_400L}, {"7", 7L}};
        for (Object[] row : times) {
            assertEquals(row[1], options("--timeout=" + row[0]).timeout().toSeconds());
            assertEquals(row[1], options(Map.of("A2O_TIMEOUT", (String) row[0]), UPSTREAM).timeout().toSeconds());
        }
        List<Executable> all = new ArrayList<>();
        for (String value : List.of("5x", "m", "5mm", "5 m", "1.5m", "25h", "0m", "-5m", "999999999h", "5\u212A")) {
            all.add(wrong("--timeout: a whole number from 1 to 86400 expected, not '%s'".formatted(value), "--timeout",
                    "--timeout", value));
        }
        all.add(wrong("--context: a whole number from 0 to 999999999 expected, not '1h'", "--context", "--context", "1h"));
        all.add(wrong("--port: a whole number from 0 to 65535 expected, not '3k'", "--port", "--port", "3k"));
        assertAll(all);
    }

    @Test
    void numbersAreTakenWithinTheLimitsThatAreTold() throws Exception {
        Map<String, Function<Options, Object>> numbers = Map.of("--port", Options::port, "--workers", Options::workers,
                "--timeout", options -> options.timeout().toSeconds(), "--max-connections", Options::maxConnections,
                "--max-connections-per-host", Options::maxConnectionsPerHost, "--context", OptionsTest::context);
        List<Executable> all = new ArrayList<>();
        for (String flag : numbers.keySet()) {
            UsageError e = assertThrows(UsageError.class, () -> options(flag, "x"));
            Matcher told = Pattern.compile("from (\\d+) to (\\d+) expected").matcher(e.getMessage());
            assertTrue(told.find(), e.getMessage());
            String message = "%s: a whole number %s, not '%%s'".formatted(flag, told.group());
            for (String value : List.of("x", "", "-1", "1.5", " 1", "+1", "0x10", "1e3", "99999999999999999999",
                    "\u0661", "2000000000", "" + (Long.parseLong(told.group(1)) - 1),
                    "" + (Long.parseLong(told.group(2)) + 1))) {
                all.add(wrong(message.formatted(value), flag, flag, value));
            }
            for (String limit : List.of(told.group(1), told.group(2))) {
                all.add(() -> assertEquals(limit, numbers.get(flag).apply(options(flag, limit)).toString(), flag));
            }
        }
        all.add(wrong("--port: a whole number from 0 to 65535 expected, not '65536'", "--port", "--port=65536"));
        all.add(wrong("--timeout: a whole number from 1 to 86400 expected, not '0'", "--timeout", "--timeout", "0"));
        assertAll(all);
    }

    @Test
    void anEnvironmentThatIsWrongIsToldAsTheOption() {
        UsageError e = assertThrows(UsageError.class, () -> options(Map.of("A2O_PORT", "x"), UPSTREAM));
        assertEquals("a2o: --port: a whole number from 0 to 65535 expected, not 'x'",
                e.getMessage().lines().findFirst().orElse(""));
        assertTrue(e.getMessage().contains(help("--port")), e.getMessage());
    }

    // ---- help ----

    @Test
    void usageNamesEveryOptionOnce() {
        for (Case each : CASES) help("--" + each.flag);
        for (String flag : List.of("--upstream", "--map", "--debug", "--check", "--help", "--version")) help(flag);
        assertTrue(USAGE.contains("\n  -- COMMAND ... "), USAGE);
        assertTrue(USAGE.endsWith("\n"));
    }

    @Test
    void theReadmeHoldsTheUsageText() throws IOException {
        Path readme = Path.of("README.md");
        assumeTrue(Files.exists(readme), "no README.md yet");
        assertTrue(Files.readString(readme).contains(USAGE),
                "README.md does not hold the text of --help as it is");
    }
}
