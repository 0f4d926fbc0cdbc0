package config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The table of the options: their names, how they are given, their defaults, and their help. It knows nothing
 * of what was given.
 */
public enum Option {
    UPSTREAM("--upstream", "[NAME=]URL", Kind.REPEATABLE,
            "backend: a root, /v1 base, .../chat/completions, .../responses or .../messages;",
            "demo: built in; the first that works is used; NAME is for @NAME; repeatable"),
    MODEL("--model", "NAME", Kind.SINGLE,
            "model sent upstream whatever the client asks for (else the client's name)"),
    MAP("--map", "PATTERN=MODEL[@NAME]", Kind.REPEATABLE,
            "glob on the client's model name; first match wins, before --model; with @NAME",
            "at that backend, with @NAME,NAME at the first of those that works; repeatable"),
    HOST("--host", "ADDRESS", Kind.SINGLE, Optional.of("127.0.0.1"),
            "address to listen on"),
    PORT("--port", "N", Kind.SINGLE, Optional.of("3578"),
            "port to listen on; 0 takes a free one and says which"),
    TIMEOUT("--timeout", "SECONDS", Kind.SINGLE, Optional.of("300"),
            "longest silence, first or between bytes, as 90 or 5m"),
    WORKERS("--workers", "N", Kind.SINGLE, Optional.of("0"),
            "carrier threads; 0 is one for each core"),
    MAX_CONNECTIONS("--max-connections", "N", Kind.SINGLE, Optional.of("1000"),
            "requests in flight to all backends; more wait, then get 529"),
    MAX_CONNECTIONS_PER_HOST("--max-connections-per-host", "N", Kind.SINGLE, Optional.of("500"),
            "the same, for each backend"),
    DEBUG("--debug", "", Kind.SWITCH,
            "log what is asked and answered on both sides, without keys"),
    LOG_FILE("--log-file", "FILE", Kind.SINGLE,
            "append the log to FILE too, which no other a2o may do; at 20 MB it becomes FILE.1, up to FILE.4"),
    LOG_FORMAT("--log-format", "FORMAT", Kind.SINGLE, Optional.of("text"),
            "text, or json: an object a line, with OpenTelemetry's names"),
    UPSTREAM_KEY("--upstream-key", "KEY[@NAME]", Kind.REPEATABLE,
            "key for the backend in place of the client's own; OPENAI_API_KEY for OpenAI;",
            "for all backends, for each in turn, or for the one of that name; repeatable"),
    AUTH_KEY("--auth-key", "[NAME=]KEY", Kind.REPEATABLE,
            "key that clients must present, as x-api-key or bearer; NAME is for the log and",
            "/metrics; repeatable"),
    ALLOW_ORIGIN("--allow-origin", "ORIGIN", Kind.REPEATABLE,
            "origin of web pages that may use A2o, as https://x.org; repeatable"),
    HEADER("--header", "'N: V'[@NAME]", Kind.REPEATABLE,
            "extra header for the backend; repeatable"),
    HEADER_THROUGH("--header-through", "NAME", Kind.REPEATABLE,
            "header of the client's that goes on to the backends, besides traceparent; repeatable"),
    EXTRA_BODY("--extra-body", "JSON[@NAME]", Kind.SINGLE,
            "members merged into every upstream body, last; one more with each @NAME"),
    CONTEXT("--context", "N[@NAME]", Kind.REPEATABLE,
            "context window in tokens, 64k: 64,000; for clients and overflow messages",
            "(default: what the backend's list of models says)"),
    SEARCH("--search", "URL[@NAME]", Kind.REPEATABLE,
            "search service for models whose backend cannot search the web: SearXNG's",
            ".../search?format=json, or any that answers JSON, with {query} in the URL; with",
            "@NAME also where the backend could; repeatable"),
    SEARCH_HEADER("--search-header", "'N: V'[@NAME]", Kind.REPEATABLE,
            "header for the search service, such as its key; repeatable"),
    CA_CERT("--ca-cert", "FILE", Kind.SINGLE,
            "PEM certificates to trust besides the JDK's"),
    FILE("@FILE", "", Kind.ACTION,
            "options from a file, one a line as --port 3578; read anew when it changes"),
    CHECK("--check", "", Kind.ACTION,
            "try the backend: what works, how to use it; exit 0 if Claude Code will work"),
    COMMAND("--", "COMMAND ...", Kind.ACTION,
            "run a client on a proxy of its own, on a free port, as in: -- claude; the log",
            "goes to a file; exit with the client's status, 127 if it cannot be run"),
    HELP("--help", "", Kind.ACTION,
            "print this help"),
    VERSION("--version", "", Kind.ACTION,
            "print the version");

    /** Those that cannot change while A2o runs. */
    static final List<Option> FIXED = List.of(HOST, PORT, WORKERS, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_HOST,
            LOG_FILE, LOG_FORMAT, CA_CERT);

    private static final String SHORT_HELP = "-h";
    private static final int HELP_COLUMN = 31;

    /** How an option is given. */
    enum Kind {
        /** With a value; the last one counts. */
        SINGLE,
        /** With a value; all count. A variable holds one a line. */
        REPEATABLE,
        /** Without a value. Its variable may be 0 or false. */
        SWITCH,
        /** Something to do besides serving, or instead. It has no variable. */
        ACTION
    }

    private final String flag;
    private final String valueName; // for the help
    private final Kind kind;
    private final Optional<String> standard;
    private final List<String> helpLines;

    Option(String flag, String valueName, Kind kind, String... helpLines) {
        this(flag, valueName, kind, Optional.empty(), helpLines);
    }

    Option(String flag, String valueName, Kind kind, Optional<String> standard, String... helpLines) {
        this.flag = flag;
        this.valueName = valueName;
        this.kind = kind;
        this.standard = standard;
        this.helpLines = List.of(helpLines);
    }

    /** {@return the option of that flag, as --port; none for the two dashes before a command, and for @FILE} */
    static Optional<Option> flagged(String flag) {
        if (flag.equals(SHORT_HELP)) return Optional.of(HELP);
        return withFlag().filter(option -> option.flag.equals(flag)).findFirst();
    }

    /** {@return the flags that {@link #flagged} knows, but for the short ones} */
    static List<String> flags() { return withFlag().map(Option::flag).toList(); }

    private static Stream<Option> withFlag() {
        return Arrays.stream(values()).filter(option -> option != COMMAND && option != FILE);
    }

    public String flag() { return flag; }
    boolean isAction() { return kind == Kind.ACTION; }
    boolean isRepeatable() { return kind == Kind.REPEATABLE; }
    boolean hasVariable() { return kind != Kind.ACTION; }
    boolean takesValue() { return kind == Kind.SINGLE || kind == Kind.REPEATABLE; }

    /** {@return the value where none is given, as the user would write it} */
    Optional<String> standard() { return standard; }

    /** {@return its environment variable, as A2O_LOG_FILE for --log-file} */
    String variable() { return "A2O_" + flag.substring(2).replace('-', '_').toUpperCase(Locale.ROOT); }

    /** {@return its lines of the help, as "  --port N    port to listen on …"} */
    String help() {
        String flags = this == HELP ? SHORT_HELP + " " + flag : flag;
        String names = "%s %s".formatted(flags, valueName).strip();
        String lines = String.join("\n" + " ".repeat(HELP_COLUMN), helpLines);
        String end = standard.map(" (default: %s)"::formatted).orElse("");
        return "  %-28s %s%s".formatted(names, lines, end);
    }
}
