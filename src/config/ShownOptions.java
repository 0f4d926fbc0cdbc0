package config;

import java.util.ArrayList;
import java.util.List;

/**
 * The options that a proxy needs which is to do the same, as words of a command line that everybody may see:
 * dots stand for keys, and for the values of headers.
 */
public final class ShownOptions {
    private static final String DOTS = "...";
    private static final List<Option> OTHERS = List.of(Option.CONTEXT, Option.TIMEOUT, Option.CA_CERT, Option.HEADER,
            Option.EXTRA_BODY, Option.SEARCH, Option.SEARCH_HEADER);

    private final CommandLine given;
    private final List<Target> targets;
    private final List<String> names;
    private final List<String> words = new ArrayList<>();

    private ShownOptions(CommandLine given) {
        Options options = Options.of(given);
        this.given = given;
        this.targets = options.upstreams();
        this.names = targets.stream().flatMap(target -> target.name().stream()).toList();
    }

    /** {@return the words} {@code model} is what to ask for where no option says it. */
    public static List<String> words(CommandLine given, String model) {
        if (given.has(Option.FILE)) {
            return given.all(Option.FILE).stream().map(file -> OptionFile.SIGN + file).toList();
        }
        var shown = new ShownOptions(given);
        shown.addRoutes(model);
        for (Option option : OTHERS) shown.add(option);
        return shown.words;
    }

    /** {@return the operator's keys for backends, without what is secret: ... or ...@cloud} */
    public static List<String> keys(CommandLine given) {
        return given.has(Option.FILE) ? List.of() : new ShownOptions(given).shown(Option.UPSTREAM_KEY);
    }

    private void addRoutes(String model) {
        for (Target target : targets) {
            String name = target.name().map(known -> known + "=").orElse("");
            words.addAll(List.of(Option.UPSTREAM.flag(), name + target.shown()));
        }
        add(Option.MAP);
        add(Option.MODEL);
        boolean isChosen = given.has(Option.MAP) || given.has(Option.MODEL);
        if (!isChosen) words.addAll(List.of(Option.MODEL.flag(), model));
    }

    private void add(Option option) {
        for (String value : shown(option)) words.addAll(List.of(option.flag(), value));
    }

    private List<String> shown(Option option) {
        return given.all(option).stream().map(value -> shown(option, value)).toList();
    }

    private String shown(Option option, String value) {
        return switch (option) {
            case UPSTREAM_KEY -> DOTS + address(option, value);
            case SEARCH -> search(value);
            case HEADER, SEARCH_HEADER -> value.substring(0, value.indexOf(':')) + ": " + DOTS + address(option, value);
            default -> value;
        };
    }

    private String search(String value) {
        String url = Addressed.of(Option.SEARCH, value, names).value();
        return SearchUrl.site(url, List.of(), false, given).shown() + address(Option.SEARCH, value);
    }

    /** {@return what says which backends a value is for: @cloud; "" if it is for all} */
    private String address(Option option, String value) {
        Addressed addressed = Addressed.of(option, value, names);
        return addressed.isForAll() ? "" : "@" + String.join(",", addressed.names());
    }
}
