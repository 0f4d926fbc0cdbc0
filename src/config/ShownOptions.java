package config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The options that a proxy needs which is to do the same, as everybody may see them: dots stand for keys,
 * and for the values of headers. Secrets of the command line are shown as variables of the environment;
 * those that are variables already, or in a file of options, are not shown.
 */
public final class ShownOptions {
    private static final String DOTS = "...";
    private static final List<Option> OTHERS =
            List.of(Option.CONTEXT, Option.TIMEOUT, Option.CA_CERT, Option.EXTRA_BODY, Option.SEARCH);
    private static final List<Option> SECRET =
            List.of(Option.UPSTREAM_KEY, Option.HEADER, Option.SEARCH_HEADER);

    private final CommandLine given;
    private final List<String> names; // of the backends
    private final Map<String, List<String>> variables = new LinkedHashMap<>();
    private final List<String> words = new ArrayList<>();

    /** {@code model} is what to ask for where no option says it. */
    public ShownOptions(CommandLine given, String model) {
        this.given = given;
        List<Target> targets = Options.of(given).upstreams();
        this.names = targets.stream().flatMap(target -> target.name().stream()).toList();
        given.all(Option.FILE).forEach(file -> words.add(OptionFile.SIGN + file));
        addAll(Option.UPSTREAM_KEY, true);
        for (Option option : List.of(Option.UPSTREAM, Option.MAP, Option.MODEL)) addAll(option, false);
        boolean isChosen = given.has(Option.MAP) || given.has(Option.MODEL);
        if (!isChosen) addWord(Option.MODEL, model);
        for (Option option : OTHERS) addAll(option, false);
        for (Option option : List.of(Option.HEADER, Option.SEARCH_HEADER)) {
            addAll(option, given.typed(option).stream().anyMatch(ShownOptions::isSecretHeader));
        }
    }

    /** {@return the words for the command line} */
    public List<String> words() { return List.copyOf(words); }

    /** {@return the variables to set before it, each with its lines, in which dots stand for secrets} */
    public Map<String, List<String>> variables() { return variables; }

    /** {@return the variables that hold secrets now, and that must be set then too} */
    public List<String> inherited() {
        return SECRET.stream().filter(option -> !given.ofEnvironment(option).isEmpty())
                .map(Option::variable).toList();
    }

    private void addAll(Option option, boolean isSecret) {
        List<String> values = given.typed(option).stream().map(value -> shown(option, value)).toList();
        boolean isForFile = given.has(Option.FILE); // its values and those of a variable would not add up
        if (isSecret && !values.isEmpty() && !isForFile) {
            variables.put(option.variable(), values);
        } else {
            values.forEach(value -> addWord(option, value));
        }
        if (SECRET.contains(option)) return; // it stays in the environment
        given.ofEnvironment(option).forEach(value -> addWord(option, shown(option, value)));
    }

    private void addWord(Option option, String value) { words.addAll(List.of(option.flag(), value)); }

    private String shown(Option option, String value) {
        return switch (option) {
            case UPSTREAM -> shownUpstream(UpstreamUrl.target(value));
            case UPSTREAM_KEY -> DOTS + address(option, value);
            case HEADER, SEARCH_HEADER -> isSecretHeader(value) ? hidden(option, value) : value;
            case SEARCH -> search(value);
            default -> value;
        };
    }

    private String hidden(Option option, String header) {
        return headerName(header) + ": " + DOTS + address(option, header);
    }

    private String search(String value) {
        String url = Addressed.of(Option.SEARCH, value, names).value();
        return SearchUrl.site(url, List.of(), false, given).shown() + address(Option.SEARCH, value);
    }

    private static String shownUpstream(Target target) {
        return target.name().map(name -> name + "=").orElse("") + target.shown();
    }

    private static boolean isSecretHeader(String value) { return !SecretNames.isHarmless(headerName(value)); }

    private static String headerName(String value) { return value.substring(0, value.indexOf(':')).strip(); }

    /** {@return what says which backends a value is for: @cloud; "" if it is for all} */
    private String address(Option option, String value) {
        Addressed addressed = Addressed.of(option, value, names);
        return addressed.isForAll() ? "" : "@" + String.join(",", addressed.names());
    }
}
