package serve;

import config.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import json.Text;

/**
 * The environment variables that make Claude Code work on this proxy: the same for {@code -- COMMAND}, the
 * greeting and the status page.
 *
 * <p>Source: tried with Claude Code 2.1.330 and 2.1.332.
 */
public final class ClientVariables {
    private static final String URL = "ANTHROPIC_BASE_URL";
    /** Claude Code just sends it; about a key in ANTHROPIC_API_KEY it asks, and checks it with Anthropic. */
    private static final String TOKEN = "ANTHROPIC_AUTH_TOKEN";
    private static final String KEY = "ANTHROPIC_API_KEY";
    private static final String MODEL = "ANTHROPIC_MODEL";
    /** The context window, which Claude Code takes only for model names that it does not know. */
    private static final String WINDOW = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
    /** With 0, auto mode asks the model to judge commands; without, a service that only Anthropic has. */
    private static final String AUTO_MODE = "CLAUDE_CODE_AUTO_MODE_SERVER";
    /** Any word will do where nobody checks it; without one Claude Code asks its user to log in. */
    private static final String NO_KEY = "any";
    /** With one of these, as CLAUDE_CODE_USE_BEDROCK, Claude Code ignores {@link #URL}. */
    private static final Pattern OTHER_SERVICE =
            Pattern.compile("CLAUDE_CODE_USE_(BEDROCK|VERTEX|FOUNDRY|MANTLE|GATEWAY|ANTHROPIC_\\w+)");

    private ClientVariables() { }

    /**
     * Changes the environment of a client. Other variables that the user has set for Claude Code are kept.
     *
     * @param window the context window of the model in tokens, 0 if it is not known
     */
    public static void putInto(Map<String, String> environment, Options options, String url, long window) {
        String token = token(options, environment);
        environment.remove(KEY);
        environment.keySet().removeIf(name -> OTHER_SERVICE.matcher(name).matches());
        of(options, token, window).forEach((name, value) -> {
            boolean isFree = environment.getOrDefault(name, "").isBlank();
            if (isFree) environment.put(name, value);
        });
        environment.put(URL, url);
        environment.put(TOKEN, token);
    }

    /** {@return what the greeting and the page tell the user to set besides {@link #URL}; without a key} */
    public static String shown(Options options, long window) {
        return of(options, placeholder(options), window).entrySet().stream()
                .map(variable -> variable.getKey() + "=" + quoted(variable.getValue()))
                .collect(Collectors.joining(" "));
    }

    public static String shownWindow(long window) { return WINDOW + "=" + window; }

    /** {@return what stands for the key where A2o tells how to connect: a key itself is never shown} */
    public static String placeholder(Options options) {
        if (options.authKey().isPresent()) return "<key of --auth-key>";
        boolean isClientsKeySent = options.upstreams().stream()
                .anyMatch(target -> target.key().isEmpty() && !target.isDemo());
        return isClientsKeySent ? "<key of the backend, or any word>" : NO_KEY;
    }

    /** {@return the key that a client presents: A2o's own, else the one that the user has for the backend} */
    public static String token(Options options, Map<String, String> environment) {
        if (options.authKey().isPresent()) return options.authKey().get();
        for (String name : List.of(TOKEN, KEY)) {
            String key = environment.getOrDefault(name, "").strip();
            boolean isForNone = options.upstreams().stream()
                    .allMatch(target -> target.mustNotGet(key));
            boolean isForBackend = !key.isEmpty() && !isForNone;
            if (isForBackend) return key;
        }
        return NO_KEY;
    }

    /** {@return the model that a client asks for which has that environment; none: its own choice} */
    public static Optional<String> model(Options options, Map<String, String> environment) {
        String chosen = environment.getOrDefault(MODEL, "").strip();
        return chosen.isEmpty() ? options.mainModel() : Optional.of(chosen);
    }

    private static Map<String, String> of(Options options, String token, long window) {
        Map<String, String> variables = new LinkedHashMap<>(); // in the order to show them
        variables.put(TOKEN, token);
        options.mainModel().ifPresent(model -> variables.put(MODEL, model));
        if (window > 0) variables.put(WINDOW, Long.toString(window));
        variables.put(AUTO_MODE, "0");
        return variables;
    }

    /** {@return the text as one word for a shell, in quotes where it needs them} */
    static String quoted(String text) {
        String printable = Text.printable(text);
        boolean isPlain = printable.matches("[\\w.:/@%+-]+");
        return isPlain ? printable : "'" + printable.replace("'", "'\\''") + "'";
    }
}
