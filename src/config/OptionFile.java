package config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of options, given as {@code @FILE}: an option a line, {@code --upstream http://h} or {@code
 * --debug}; empty lines, and those that begin with {@code #}, are left out.
 */
final class OptionFile {
    static final String SIGN = "@";
    private static final int MAX_BYTES = 1024 * 1024;
    /** A flag and its value, which may hold spaces: --port 3578, --port=3578, --header X-A: b c. */
    private static final Pattern OPTION = Pattern.compile("(--[^\\s=]+)(?:\\s*=\\s*|\\s+)(.+)");
    /** A value in quotes, as a shell wants it: 'X-A: b c'. */
    private static final Pattern QUOTED = Pattern.compile("'([^']*)'|\"([^\"]*)\"");

    /** A line that holds an option: its words, as on a command line. */
    record Line(int number, List<String> words) { }

    private OptionFile() { }

    static boolean isFile(String word) { return word.length() > 1 && word.startsWith(SIGN); }

    /** {@return the lines of the file that hold options} */
    static List<Line> read(String name) {
        List<Line> found = new ArrayList<>();
        List<String> lines = text(name).lines().map(String::strip).toList();
        for (int i = 0; i < lines.size(); i++) {
            boolean isOption = !lines.get(i).isEmpty() && !lines.get(i).startsWith("#");
            if (isOption) found.add(new Line(i + 1, words(lines.get(i))));
        }
        return found;
    }

    private static String text(String name) {
        try {
            Path file = Path.of(name);
            if (Files.size(file) > MAX_BYTES) throw wrong(name, "is too long");
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException | InvalidPathException e) {
            throw wrong(name, "cannot be read, or is not UTF-8");
        }
    }

    private static UsageError wrong(String name, String why) {
        return UsageError.cannotStart("the file of options %s %s".formatted(name, why));
    }

    private static List<String> words(String line) {
        Matcher option = OPTION.matcher(line);
        if (!option.matches()) return List.of(line);
        return List.of(option.group(1), unquoted(option.group(2)));
    }

    private static String unquoted(String value) {
        Matcher quoted = QUOTED.matcher(value);
        if (!quoted.matches()) return value;
        return quoted.group(1) == null ? quoted.group(2) : quoted.group(1);
    }
}
