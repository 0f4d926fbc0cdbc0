package serve;

import config.Secrets;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What {@code --check} prints of one backend, without secrets: a row for each ability, in a line that ends in
 * what to do where the ability is missing; and what follows from all.
 */
final class CheckTable {
    private static final int MAX_SEEN = 58; // characters, so that a line that needs no advice has 80
    private static final int MAX_UNSURE = 100;
    private static final int MAX_ERROR = 200;

    /** How a row begins. */
    enum Verdict {
        OK("ok", 32),
        /** The backend has answered, but not as it should have; another time it may. */
        UNSURE("?", 33),
        NO("no", 31);

        private final String shown;
        private final int colour; // ECMA-48: green, yellow, red

        Verdict(String shown, int colour) {
            this.shown = shown;
            this.colour = colour;
        }

        private String cell(boolean isColoured) {
            String cell = "%-3s".formatted(shown);
            return isColoured ? "\033[%dm%s\033[0m".formatted(colour, cell) : cell;
        }
    }

    private final Secrets secrets;
    private final boolean isColoured;
    private final PrintStream out;
    private final Map<Ability, Verdict> lacking = new LinkedHashMap<>();

    CheckTable(Secrets secrets, boolean isColoured, PrintStream out) {
        this.secrets = secrets;
        this.isColoured = isColoured;
        this.out = out;
    }

    void print(String format, Object... values) {
        out.print(secrets.mask(format.formatted(values)));
    }

    /** Prints a row for an ability that is there. */
    void add(Ability ability, String seen) {
        printRow(ability.toString(), Verdict.OK.cell(isColoured), cut(seen, MAX_SEEN));
    }

    /** Prints a row for an ability that is missing, with what to do about it. */
    void add(Ability ability, Verdict verdict, String seen, String advice) {
        lacking.put(ability, verdict);
        int most = verdict == Verdict.NO ? MAX_ERROR : MAX_UNSURE;
        String arrow = seen.isEmpty() ? "-> " : " -> ";
        printRow(ability.toString(), verdict.cell(isColoured), cut(seen, most) + arrow + advice);
    }

    /** Prints a row that says nothing about an ability. */
    void addNote(String name, String text) { printRow(name, "   ", text); }

    private void printRow(String name, String verdict, String text) {
        print("%-15s %s %s%n", name, verdict, text);
    }

    /** Masks before it cuts: a part of a secret would not be found. */
    private String cut(String text, int most) {
        String masked = secrets.mask(text).strip();
        return masked.length() > most ? masked.substring(0, most - 3).strip() + "..." : masked;
    }

    /** {@return whether Claude Code will work} */
    boolean works() { return !isTooEarly() && isNone(ability -> isMissing(ability) && ability.isRequired()); }

    /** {@return whether the backend could not be tried now, as it is busy or not paid for} */
    private boolean isTooEarly() { return lacking.get(Ability.PLAIN_REPLY) == Verdict.UNSURE; }

    private boolean isMissing(Ability ability) { return lacking.get(ability) == Verdict.NO; }
    private boolean isNone(Predicate<Ability> kind) { return lacking.keySet().stream().noneMatch(kind); }

    /** {@return what follows, as "Claude Code works without image", or "will not work: no tool call"} */
    String conclusion() {
        if (isTooEarly()) return "Claude Code could not be tried; try again later";
        if (!works()) {
            return "Claude Code will not work: " + names("no ", each -> each.isRequired() && isMissing(each));
        }
        String without = names(" without ", each -> !each.isRequired());
        return "Claude Code works" + without + names("; not sure: ", Ability::isRequired);
    }

    /** {@return those of that kind after that word; "" if there are none} */
    private String names(String word, Predicate<Ability> kind) {
        if (isNone(kind)) return "";
        return lacking.keySet().stream().filter(kind).map(Ability::toString)
                .collect(Collectors.joining(", ", word, ""));
    }
}
