import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Which package may use which, and that no files use each other in a circle: by {@code jdeps} on what build.sh makes
 * of src/, and by the imports there, since a constant of another class leaves no trace in the one that it is used in.
 */
class LayersTest {
    /** Each may use itself and those after it, nothing else. The first is the unnamed one of A2o and Start. */
    private static final List<String> LAYERS =
            List.of("", "serve", "upstream", "translate", "anthropic", "config", "json");

    /** The circles that still stand, to be resolved one by one; none may be added. */
    private static final Set<Set<String>> KNOWN_CIRCLES = Set.of();

    /** As in "   serve.Body$1     -> json.Json$Obj     classes", where the last word says that both are ours. */
    private static final Pattern USE = Pattern.compile(" +(\\S+) +-> (\\S+) +classes");
    private static final Pattern IMPORT = Pattern.compile("import ([a-z]+)\\.[A-Z]\\w*;");

    /** {@return the top-level classes, each with those that it uses} */
    private static Map<String, Set<String>> uses() {
        Optional<ToolProvider> jdeps = ToolProvider.findFirst("jdeps");
        assumeTrue(jdeps.isPresent(), "this java has no jdeps");
        var out = new StringWriter();
        var lines = new PrintWriter(out);
        int status = jdeps.get().run(lines, lines, "-verbose:class", "-filter:none", "build/classes");
        assertEquals(0, status, out.toString());
        Map<String, Set<String>> uses = new TreeMap<>();
        out.toString().lines().map(USE::matcher).filter(Matcher::matches).forEach(use -> {
            String used = file(use.group(2));
            uses.computeIfAbsent(file(use.group(1)), none -> new TreeSet<>()).add(used);
            uses.computeIfAbsent(used, none -> new TreeSet<>());
        });
        return uses;
    }

    /** {@return the class that the file is named after in which a class stands} */
    private static String file(String type) {
        return type.replaceFirst("\\$.*", "");
    }

    private static String packageOf(String type) {
        return type.contains(".") ? type.substring(0, type.lastIndexOf('.')) : "";
    }

    private static boolean mayUse(String user, String used) {
        return LAYERS.indexOf(user) <= LAYERS.indexOf(used);
    }

    @Test
    void aPackageUsesOnlyThoseAfterIt() {
        Map<String, Set<String>> uses = uses();
        Set<String> packages = new HashSet<>();
        List<String> wrong = new ArrayList<>();
        uses.forEach((user, all) -> {
            packages.add(packageOf(user));
            for (String used : all) {
                if (!mayUse(packageOf(user), packageOf(used))) wrong.add(user + " uses " + used);
            }
        });
        assertEquals(Set.copyOf(LAYERS), packages);
        assertEquals(List.of(), wrong);
    }

    @Test
    void aFileImportsOnlyFromPackagesAfterItsOwn() throws IOException {
        List<String> wrong = new ArrayList<>();
        Set<String> imported = new HashSet<>();
        for (String user : LAYERS) {
            for (Path file : files(Path.of("src", user))) {
                for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                    Matcher used = IMPORT.matcher(line);
                    if (!used.matches()) continue;
                    imported.add(used.group(1));
                    if (!mayUse(user, used.group(1))) wrong.add(file + ": " + line);
                }
            }
        }
        assertEquals(Set.copyOf(LAYERS.subList(1, LAYERS.size())), imported);
        assertEquals(List.of(), wrong);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".java")).sorted().toList();
        }
    }

    @Test
    void filesUseEachOtherInNoCircleButTheKnownOnes() {
        Map<String, Set<String>> uses = uses();
        assertTrue(uses.size() > LAYERS.size(), "jdeps has found the classes");
        Map<String, Set<String>> reached = new TreeMap<>();
        for (String file : uses.keySet()) reached.put(file, reachedFrom(file, uses));
        Set<Set<String>> circles = new HashSet<>();
        for (String file : uses.keySet()) {
            Set<String> circle = new TreeSet<>(reached.get(file));
            circle.removeIf(other -> !reached.get(other).contains(file));
            circle.add(file);
            if (circle.size() > 1) circles.add(circle);
        }
        assertEquals(KNOWN_CIRCLES, circles);
    }

    /** {@return all that a file uses, and what those use, and so on} */
    private static Set<String> reachedFrom(String file, Map<String, Set<String>> uses) {
        Set<String> reached = new TreeSet<>();
        List<String> open = new ArrayList<>(List.of(file));
        while (!open.isEmpty()) {
            for (String used : uses.get(open.removeLast())) {
                if (reached.add(used)) open.add(used);
            }
        }
        return reached;
    }
}
