package config;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The options as they were given: the words of the command line, and the environment for those that are not
 * among them. Names of options are checked here, values where they are used. Immutable.
 */
public final class CommandLine {
    private static final String INTRODUCTION = """
            A2o lets clients of the Anthropic Messages API, such as Claude Code, run on an OpenAI-compatible backend.

            usage: a2o [--upstream] URL [option ...] [-- COMMAND ...]

            """;
    private static final String EXPLANATION = """

            Each option can be given as an environment variable instead: A2O_ and its name in capitals, as in
            A2O_UPSTREAM_KEY (of a repeatable option: one a line); the command line wins. HTTPS_PROXY, HTTP_PROXY
            and NO_PROXY are honoured towards the backend.
            Exit status: 0 fine, 1 cannot start, 2 wrong usage.
            """;
    /** The text of {@code --help}. */
    public static final String USAGE = Stream.of(Option.values()).map(Option::help)
            .collect(Collectors.joining("\n", INTRODUCTION, "\n" + EXPLANATION));

    /** A word that may be a command: claude, ./run.sh, python3.12. A key is longer, or has other signs. */
    private static final Pattern COMMAND = Pattern.compile("(?!sk-)[\\w.-]{1,20}|[\\w.-]*(/[\\w.-]{1,30})+");
    /** 300, 5m, 64k. */
    private static final Pattern NUMBER = Pattern.compile("([0-9]{1,9})([a-zA-Z]?)");

    /**
     * A value as it was given.
     *
     * @param place the line of a file where it stands; none for one of the command line or the environment
     */
    private record Value(String text, Optional<String> place) { }

    private final List<String> words;
    private final Map<Option, List<Value>> given; // all that counts
    private final Map<Option, List<String>> typed; // of that, what stands on the command line itself
    private final Map<String, String> environment;

    private CommandLine(List<String> words, Map<Option, List<Value>> given, Map<Option, List<String>> typed,
                        Map<String, String> environment) {
        this.words = words;
        this.given = given;
        this.typed = typed;
        this.environment = environment;
    }

    public static CommandLine read(String[] args, Map<String, String> environment) {
        Map<Option, List<Value>> given = new EnumMap<>(Option.class);
        Map<Option, List<String>> typed = new EnumMap<>(Option.class);
        List<String> words = List.of(args);
        Iterator<String> rest = words.iterator();
        while (rest.hasNext()) {
            String word = rest.next();
            if (OptionFile.isFile(word)) readFile(word, given); else readTyped(word, rest, typed, given);
        }
        Variables.read(environment).forEach((option, texts) -> given.putIfAbsent(option, unplaced(texts)));
        if (given.containsKey(Option.COMMAND)) given.putIfAbsent(Option.PORT, unplaced(List.of("0")));
        return new CommandLine(words, given, typed, environment);
    }

    /** {@return the same words, read again: the files that they name may have changed} */
    public CommandLine readAgain() { return read(words.toArray(String[]::new), environment); }

    private static List<Value> unplaced(List<String> texts) {
        return texts.stream().map(text -> new Value(text, Optional.empty())).toList();
    }

    private static void readTyped(String word, Iterator<String> rest, Map<Option, List<String>> typed,
                                  Map<Option, List<Value>> given) {
        Map<Option, List<String>> one = new EnumMap<>(Option.class);
        readWord(word, rest, one);
        one.forEach((option, texts) -> texts.forEach(text -> add(typed, option, text)));
        addAll(given, one, Optional.empty());
    }

    /** Takes a word, and of the rest what belongs to it: an option's value, or the whole command. */
    private static void readWord(String word, Iterator<String> rest, Map<Option, List<String>> read) {
        if (word.equals(Option.COMMAND.flag())) {
            if (!rest.hasNext()) throw new UsageError("a command is expected after --");
            rest.forEachRemaining(each -> add(read, Option.COMMAND, each));
        } else if (UpstreamUrl.isAddress(word)) {
            add(read, Option.UPSTREAM, word);
        } else if (word.startsWith("-")) {
            readOption(word, rest, read);
        } else {
            throw unexpected(word);
        }
    }

    /** Takes the options of a file as if they stood on the command line in place of its name. */
    private static void readFile(String word, Map<Option, List<Value>> given) {
        String file = word.substring(OptionFile.SIGN.length());
        addAll(given, Map.of(Option.FILE, List.of(file)), Optional.empty());
        for (OptionFile.Line line : OptionFile.read(file)) {
            String place = OptionFile.place(file, line.number());
            Map<Option, List<String>> one = new EnumMap<>(Option.class);
            Iterator<String> words = line.words().iterator();
            try {
                String first = words.next();
                refuseInFile(first);
                readWord(first, words, one);
                if (words.hasNext()) throw new UsageError(first + " takes no value");
            } catch (UsageError e) {
                throw e.in(place);
            }
            addAll(given, one, Optional.of(place));
        }
    }

    /** Refuses what has to do with this run alone, and files in files. */
    private static void refuseInFile(String word) {
        boolean isAction = Option.flagged(word).filter(Option::isAction).isPresent();
        if (isAction) throw new UsageError("%s is for the command line alone".formatted(word));
        if (OptionFile.isFile(word)) throw new UsageError("a file of options cannot name another one");
    }

    private static void add(Map<Option, List<String>> read, Option option, String text) {
        read.computeIfAbsent(option, none -> new ArrayList<>()).add(text);
    }

    private static void addAll(Map<Option, List<Value>> given, Map<Option, List<String>> read,
                               Optional<String> place) {
        read.forEach((option, texts) -> given.computeIfAbsent(option, none -> new ArrayList<>())
                .addAll(texts.stream().map(text -> new Value(text, place)).toList()));
    }

    /** Takes {@code --flag=value}, {@code --flag value}, or {@code --flag} of a switch. */
    private static void readOption(String word, Iterator<String> rest, Map<Option, List<String>> read) {
        int equals = word.indexOf('=');
        boolean hasValue = equals >= 0;
        String flag = hasValue ? word.substring(0, equals) : word;
        Option option = Option.flagged(flag).orElseThrow(() -> unknown(flag));
        if (hasValue && !option.takesValue()) throw new UsageError(option, " takes no value");
        if (hasValue) {
            add(read, option, word.substring(equals + 1));
        } else if (option.takesValue()) {
            add(read, option, nextValue(option, rest));
        } else {
            add(read, option, "true");
        }
    }

    private static String nextValue(Option option, Iterator<String> rest) {
        var missing = new UsageError(option, " needs a value");
        if (!rest.hasNext()) throw missing;
        String value = rest.next();
        boolean isForgotten = value.equals(Option.COMMAND.flag()) || Option.flags().contains(value);
        if (isForgotten) throw missing;
        return value;
    }

    private static UsageError unknown(String flag) {
        Optional<Option> meant = Spelling.nearest(flag, Option.flags()).flatMap(Option::flagged);
        if (meant.isEmpty()) return new UsageError("unknown option %s%ntry --help".formatted(flag));
        String message = "unknown option %s; did you mean %s?%n%s";
        return new UsageError(message.formatted(flag, meant.get().flag(), meant.get().help()));
    }

    /** {@return the error for a word that is no option} The word is shown only if it looks like a command. */
    private static UsageError unexpected(String word) {
        if (word.equals(Target.DEMO)) return new UsageError("the built-in backend is --upstream demo");
        String advice = "%s is no option; if it is a command to run, put -- before it, as in: -- %s%n"
                + "try --help";
        boolean isLikeCommand = COMMAND.matcher(word).matches();
        if (isLikeCommand) return new UsageError(advice.formatted("'" + word + "'", word));
        return new UsageError(advice.formatted("a word that", "claude"));
    }

    /** {@return the same, but with these values of the option alone; without it if there are none} */
    public CommandLine with(Option option, List<String> values) {
        if (values.isEmpty()) return without(option);
        Map<Option, List<Value>> changed = new EnumMap<>(given);
        changed.put(option, unplaced(values));
        return new CommandLine(words, changed, typed, environment);
    }

    /** {@return the same, as if the option had not been given} */
    public CommandLine without(Option option) {
        Map<Option, List<Value>> changed = new EnumMap<>(given);
        changed.remove(option);
        return new CommandLine(words, changed, typed, environment);
    }

    /**
     * {@return the error with the line of the file where the wrong value stands, if it stands in one} Values
     * are checked together, so it is found by trial: it is the first with which the same error comes.
     *
     * @param check throws that error for these options
     */
    UsageError placed(UsageError error, Consumer<CommandLine> check) {
        if (error.option().isEmpty()) return error;
        Option option = error.option().get();
        List<Value> values = given.getOrDefault(option, List.of());
        for (int i = 0; i < values.size(); i++) {
            CommandLine beginning = with(option, all(option).subList(0, i + 1));
            if (beginning.fails(check, error)) return values.get(i).place().map(error::in).orElse(error);
        }
        return error;
    }

    private boolean fails(Consumer<CommandLine> check, UsageError error) {
        try {
            check.accept(this);
            return false;
        } catch (UsageError e) {
            return e.getMessage().equals(error.getMessage());
        }
    }

    /** {@return the options that cannot change while A2o runs, and that other words give otherwise} */
    public List<Option> fixedThatDiffer(CommandLine others) {
        return Option.FIXED.stream().filter(option -> !value(option).equals(others.value(option))).toList();
    }

    public boolean has(Option option) { return given.containsKey(option); }

    /** {@return the values that stand on the command line itself, in no file and no variable} */
    List<String> typed(Option option) { return List.copyOf(typed.getOrDefault(option, List.of())); }

    /** {@return the values of the option's variable, if they count} */
    List<String> ofEnvironment(Option option) {
        boolean counts = Variables.read(environment).getOrDefault(option, List.of()).equals(all(option));
        return counts && typed(option).isEmpty() ? all(option) : List.of();
    }

    /** {@return all values given, in order; none if there are none} */
    public List<String> all(Option option) {
        return given.getOrDefault(option, List.of()).stream().map(Value::text).toList();
    }

    /** {@return the value that counts: the last one given, else the default} */
    private Optional<String> value(Option option) {
        return has(option) ? Optional.of(given.get(option).getLast().text()) : option.standard();
    }

    /** {@return the value that counts, of an option that was given or has a default} */
    String text(Option option) { return value(option).orElseThrow(); }

    /** {@return the value that counts without spaces around it, if there is more than that} */
    Optional<String> optional(Option option) {
        return value(option).map(String::strip).filter(text -> !text.isEmpty());
    }

    /** {@return true if a switch was given, and not as a variable that says 0 or false} */
    boolean isOn(Option option) {
        return value(option).filter(text -> !text.equals("0") && !text.equals("false")).isPresent();
    }

    int number(Option option, int least, int most) { return number(option, least, most, Map.of()); }

    /** {@return the number that counts} A letter after it multiplies it, as {@code units} say: 5m is 300. */
    int number(Option option, int least, int most, Map<String, Integer> units) {
        return number(option, text(option), least, most, units);
    }

    /** {@return the number that is written there, as a value of the option} */
    static int number(Option option, String text, int least, int most, Map<String, Integer> units) {
        String wrong = ": a whole number from %d to %d expected, not '%s'".formatted(least, most, text);
        Matcher parts = NUMBER.matcher(text);
        if (!parts.matches()) throw new UsageError(option, wrong);
        String unit = parts.group(2).toLowerCase(Locale.ROOT);
        boolean isUnit = unit.isEmpty() || units.containsKey(unit);
        long number = Long.parseLong(parts.group(1)) * units.getOrDefault(unit, 1);
        if (!isUnit || number < least || number > most) throw new UsageError(option, wrong);
        return (int) number;
    }

    /** {@return the value of a variable that is not A2o's own, as HTTPS_PROXY or https_proxy} */
    Optional<String> variable(String name) {
        String small = name.toLowerCase(Locale.ROOT);
        String value = environment.getOrDefault(name, environment.getOrDefault(small, ""));
        return Optional.of(value.strip()).filter(text -> !text.isEmpty());
    }
}
