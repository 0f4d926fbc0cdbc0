package config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of options, given as {@code @FILE}: an option a line, {@code --upstream http://h} or {@code
 * --debug}. Empty lines are left out, and so is what follows a {@code #} that begins a line, or a word
 * outside quotes.
 */
final class OptionFile {
    static final String SIGN = "@";
    private static final int MAX_BYTES = 1024 * 1024;
    /** A flag and its value, which may hold spaces: --port 3578, --port=3578, --header X-A: b c. */
    private static final Pattern OPTION = Pattern.compile("(--[^\\s=]+)(?:\\s*=\\s*|\\s+)(.+)");
    /** A value in quotes, as a shell wants it, perhaps with names behind it: 'X-A: b c', "X-A: b c"@local. */
    private static final Pattern QUOTED = Pattern.compile("(?:'([^']*)'|\"([^\"]*)\")(@\\S+)?(?:\\s+#.*)?");
    private static final String NOT_QUOTED =
            "quotes are expected around the whole value, as in 'VALUE' or 'VALUE'@NAME";
    private static final String SECOND_OPTION =
            "one option a line is expected, but %s follows; quotes make it a part of the value";
    private static final String COMMENT = "#";
    private static final String BYTE_ORDER_MARK = "\ufeff"; // that editors of Windows put first

    /** A line that holds an option: its words, as on a command line. */
    record Line(int number, List<String> words) { }

    private OptionFile() { }

    static boolean isFile(String word) { return word.length() > 1 && word.startsWith(SIGN); }

    /** {@return the lines of the file that hold options} */
    static List<Line> read(String name) {
        List<Line> found = new ArrayList<>();
        List<String> lines = text(name).lines().map(String::strip).toList();
        for (int i = 0; i < lines.size(); i++) {
            boolean isOption = !lines.get(i).isEmpty() && !lines.get(i).startsWith(COMMENT);
            if (isOption) found.add(line(name, i + 1, lines.get(i)));
        }
        return found;
    }

    private static Line line(String name, int number, String text) {
        try {
            return new Line(number, words(text));
        } catch (UsageError e) {
            throw e.in(place(name, number));
        }
    }

    /** {@return where a mistake is: @a2o.options, line 3} */
    static String place(String name, int number) { return "@%s, line %d".formatted(name, number); }

    private static String text(String name) {
        try {
            Path file = Path.of(name);
            if (Files.size(file) > MAX_BYTES) throw wrong(name, "is too long");
            String text = Files.readString(file, StandardCharsets.UTF_8);
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (IOException | InvalidPathException e) {
            throw wrong(name, "cannot be read, or is not UTF-8");
        }
    }

    private static UsageError wrong(String name, String why) {
        return UsageError.cannotStart("the file of options %s %s".formatted(name, why));
    }

    private static List<String> words(String line) {
        Matcher option = OPTION.matcher(line);
        if (!option.matches()) return List.of(withoutComment(line));
        String value = value(option.group(2));
        return value.startsWith(COMMENT) ? List.of(option.group(1)) : List.of(option.group(1), value);
    }

    private static String value(String text) {
        Matcher quoted = QUOTED.matcher(text);
        if (quoted.matches()) {
            String inQuotes = Optional.ofNullable(quoted.group(1)).orElse(quoted.group(2));
            return inQuotes + Optional.ofNullable(quoted.group(3)).orElse("");
        }
        boolean isBegun = text.startsWith("'") || text.startsWith("\"");
        if (isBegun) throw new UsageError(NOT_QUOTED);
        String value = withoutComment(text);
        refuseSecondOption(value);
        return value;
    }

    /** A # within a word, or within the quotes of JSON, begins no comment. */
    private static String withoutComment(String text) {
        boolean isInQuotes = false;
        for (int i = 1; i < text.length(); i++) {
            if (text.charAt(i) == '"') isInQuotes = !isInQuotes;
            boolean isFirstOfWord = Character.isWhitespace(text.charAt(i - 1));
            boolean isComment = text.startsWith(COMMENT, i) && isFirstOfWord && !isInQuotes;
            if (isComment) return text.substring(0, i).strip();
        }
        return text;
    }

    private static void refuseSecondOption(String value) {
        Optional<String> second =
                Option.flags().stream().filter(flag -> value.contains(" " + flag)).findFirst();
        if (second.isPresent()) throw new UsageError(SECOND_OPTION.formatted(second.get()));
    }
}
