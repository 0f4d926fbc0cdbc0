package serve;

import config.Secrets;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/** What {@code --check} prints, without secrets: a row for each ability, and what follows from all. */
final class CheckTable {
    private static final int WIDTH = 58; // of the texts: a line has 80 characters
    private static final int MAX_ERROR = 290; // characters, in several lines
    private static final String INDENT = " ".repeat(20);

    /** How a row begins. */
    enum Verdict {
        OK("ok"),
        /** The backend has answered, but not as it should have; another time it may. */
        UNSURE("?"),
        NO("no");

        private final String shown;

        Verdict(String shown) { this.shown = shown; }
    }

    private final Secrets secrets;
    private final List<Ability> lacking = new ArrayList<>();

    CheckTable(Secrets secrets) { this.secrets = secrets; }

    void print(String format, Object... values) {
        System.out.print(secrets.mask(format.formatted(values)));
    }

    void add(Ability ability, Verdict verdict, String text) {
        if (verdict != Verdict.OK) lacking.add(ability);
        int most = verdict == Verdict.NO ? MAX_ERROR : WIDTH;
        String masked = secrets.mask(text); // before it is cut: a part of a secret would not be found
        printRow(ability.toString(), verdict.shown, masked.substring(0, Math.min(most, masked.length())));
    }

    /** Prints a row that says nothing about an ability. */
    void addNote(String name, String text) { printRow(name, "", text); }

    private void printRow(String name, String verdict, String text) {
        print("%-15s %-3s %s%n", name, verdict, inLines(text));
    }

    /** {@return the text with line breaks between words} A word longer than a line is not broken. */
    private static String inLines(String text) {
        var lines = new StringJoiner("\n" + INDENT);
        String rest = text.strip();
        while (rest.length() > WIDTH) {
            int end = rest.lastIndexOf(' ', WIDTH);
            if (end <= 0) end = rest.indexOf(' ', 1);
            if (end < 0) break;
            lines.add(rest.substring(0, end));
            rest = rest.substring(end + 1);
        }
        return lines.add(rest).toString();
    }

    /** {@return whether Claude Code will work} */
    boolean works() { return lacking.stream().noneMatch(Ability::isRequired); }

    /** {@return what follows, as "works without image" or "will not work: no tool call"} */
    String conclusion() {
        if (lacking.isEmpty()) return "works";
        return works() ? "works without " + names(lacking)
                : "will not work: no " + names(lacking.stream().filter(Ability::isRequired).toList());
    }

    private static String names(List<Ability> abilities) {
        return abilities.stream().map(Ability::toString).collect(Collectors.joining(", "));
    }
}
