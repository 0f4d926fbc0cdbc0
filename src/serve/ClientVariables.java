package serve;

import config.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import json.Text;

/**
 * The environment variables that make Claude Code work on this proxy. {@code -- COMMAND} sets them; the
 * greeting and the status page show them.
 *
 * <p>Source: tried with Claude Code 2.1.330 and 2.1.332.
 */
public final class ClientVariables {
    private static final String URL = "ANTHROPIC_BASE_URL";
    /** Claude Code sends this as it is; ANTHROPIC_API_KEY it asks about, and checks with Anthropic. */
    private static final String TOKEN = "ANTHROPIC_AUTH_TOKEN";
    private static final String KEY = "ANTHROPIC_API_KEY";
    private static final String MODEL = "ANTHROPIC_MODEL";
    /** The context window. Claude Code ignores it for models whose names it knows. */
    private static final String WINDOW = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
    /** With 0, auto mode asks the model to judge commands; else a service that only Anthropic has. */
    private static final String AUTO_MODE = "CLAUDE_CODE_AUTO_MODE_SERVER";
    /** Where no key is checked. Without any, Claude Code asks its user to log in. */
    private static final String NO_KEY = "any";
    /** With one of these set, Claude Code ignores {@link #URL}. */
    private static final List<String> OTHER_SERVICES = List.of(
            "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY",
            "CLAUDE_CODE_USE_MANTLE", "CLAUDE_CODE_USE_GATEWAY");
    private static final String ANTHROPICS_SERVICES = "CLAUDE_CODE_USE_ANTHROPIC_"; // and more, as AWS
    private static final String PLAIN_SIGNS = "_.:/@%+-"; // that mean nothing to a shell

    private ClientVariables() { }

    /**
     * Sets the variables of a client. Those that its user has set for Claude Code are kept, but for the
     * address, the key, and other services.
     *
     * @param window the context window of the model in tokens, if it is known
     */
    public static void putInto(Map<String, String> environment, Options options, String url,
                               OptionalLong window) {
        String token = token(options, environment);
        environment.remove(KEY);
        environment.keySet().removeIf(ClientVariables::isForOtherService);
        all(options, token, window).forEach((name, value) -> {
            boolean isSet = !environment.getOrDefault(name, "").isBlank();
            if (!isSet) environment.put(name, value);
        });
        environment.put(URL, url);
        boolean isLoginNeeded = token.equals(NO_KEY) && mayGoToAnthropic(options);
        if (isLoginNeeded) environment.remove(TOKEN); else environment.put(TOKEN, token);
    }

    /** {@return whether Claude Code's own login is what Anthropic is to get} */
    private static boolean mayGoToAnthropic(Options options) {
        return options.upstreams().stream().anyMatch(target -> target.isAnthropics() && target.key().isEmpty());
    }

    private static boolean isForOtherService(String name) {
        return OTHER_SERVICES.contains(name) || name.startsWith(ANTHROPICS_SERVICES);
    }

    /** {@return all but {@link #URL}, in the order to show them} */
    private static Map<String, String> all(Options options, String token, OptionalLong window) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put(TOKEN, token);
        options.routes().mainModel().ifPresent(model -> variables.put(MODEL, model));
        window.ifPresent(tokens -> variables.put(WINDOW, Long.toString(tokens)));
        variables.put(AUTO_MODE, "0");
        return variables;
    }

    /** {@return the variables besides {@link #URL} as the user would type them; they hold no key} */
    public static String shown(Options options, OptionalLong window) {
        return all(options, placeholder(options), window).entrySet().stream()
                .map(variable -> variable.getKey() + "=" + quoted(variable.getValue()))
                .collect(Collectors.joining(" "));
    }

    /** {@return the same for a shell, which takes the key from its environment where one is needed} */
    static String pasted(Options options, OptionalLong window) {
        return all(options, "", window).entrySet().stream()
                .map(variable -> variable.getKey() + "="
                        + (variable.getKey().equals(TOKEN) ? pastedKey(options) : quoted(variable.getValue())))
                .collect(Collectors.joining(" "));
    }

    /** {@return the key as a shell knows it, or else what it is to say: {@code "${ANTHROPIC_AUTH_TOKEN:-any}"}} */
    static String pastedKey(Options options) {
        if (options.hasAuthKeys()) return "\"${%s:?set it to a key of --auth-key}\"".formatted(TOKEN);
        boolean isAnyGood = placeholder(options).equals(NO_KEY);
        return isAnyGood ? NO_KEY : "\"${%s:-%s}\"".formatted(TOKEN, NO_KEY);
    }

    public static String shownWindow(long window) { return WINDOW + "=" + window; }

    /** {@return what to show in place of the key that clients need} */
    public static String placeholder(Options options) {
        if (options.hasAuthKeys()) return "<key of --auth-key>";
        boolean isClientsKeySent = options.upstreams().stream()
                .anyMatch(target -> target.key().isEmpty() && !target.isDemo());
        return isClientsKeySent ? "<key of the backend, or any word>" : NO_KEY;
    }

    /** {@return the key that a client presents: A2o's own, else the one that its user has for the backend} */
    public static String token(Options options, Map<String, String> environment) {
        if (options.hasAuthKeys()) return options.authKeys().getFirst().key();
        for (String name : List.of(TOKEN, KEY)) {
            String key = environment.getOrDefault(name, "").strip();
            boolean mayBeSent = options.upstreams().stream().anyMatch(target -> !target.mustNotGet(key));
            if (mayBeSent && !key.isEmpty()) return key;
        }
        return NO_KEY;
    }

    /** {@return the model that a client with this environment asks for; none if that is its own choice} */
    public static Optional<String> model(Options options, Map<String, String> environment) {
        String chosen = environment.getOrDefault(MODEL, "").strip();
        return chosen.isEmpty() ? options.routes().mainModel() : Optional.of(chosen);
    }

    /** {@return the text as one word for a shell, in quotes where it needs them} */
    public static String quoted(String text) {
        String printable = Text.printable(text);
        boolean isPlain = !printable.isEmpty() && printable.chars().allMatch(ClientVariables::isPlain);
        return isPlain ? printable : "'" + printable.replace("'", "'\\''") + "'";
    }

    private static boolean isPlain(int c) {
        boolean isAscii = c < 128;
        return isAscii && Character.isLetterOrDigit(c) || PLAIN_SIGNS.indexOf(c) >= 0;
    }
}
