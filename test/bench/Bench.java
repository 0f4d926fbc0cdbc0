import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What A2o costs: {@code java test/bench/Bench.java [--quick] [--svg FILE] [--compare JAR]…} measures build/a2o.jar
 * between {@link Load} and {@link Mock}, in turns with {@link Floor}, with other jars of A2o, with the {@link Peers} that
 * are there, and with no proxy at all. All are processes of their own, on loopback, and end with this one.
 * {@code --train FILE JAVA JAR} makes an AOT cache instead.
 * Exit status: 1 if A2o or the floor failed a request, 2 for wrong usage.
 */
final class Bench {
    private static final String USAGE =
            "usage: bench [--quick] [--svg FILE] [--compare JAR]… | --train FILE JAVA JAR";
    private static final Path JAR = Path.of("build/a2o.jar"), AOT = Path.of("build/a2o.aot");
    private static final Path BUNDLE = Path.of("build/bundle/a2o/a2o");
    private static final List<String> LOADS = List.of("small", "stream", "tool", "agent", "long");
    private static final Map<String, String> TITLES = Map.of("small", "small, whole reply",
            "stream", "small, 100 text events", "tool", "small, 100 tool events",
            "agent", "188 KB, 100 events", "long", "1.2 MB, 100 events");
    private static final int MANY = 16; // connections
    private static final int STREAMS = 500; // as many as A2o has at one backend, by default
    private static final String PACED = STREAMS + " streams of 50 events/s", MEMORY = "memory", START = "start";
    private static final int LIMIT_MINUTES = 40; // for all
    private static final String[] SMALL_HEAP = {"-Xmx256m", "-XX:+UseSerialGC"};
    private static final String SMALL = " small"; // after the name of a program: with that heap
    private static final String CACHED = " cached", BUNDLED = " bundle"; // with an AOT cache; on a Java of its own

    private final boolean isQuick;
    private final Process load;
    private final Running direct; // the mock itself
    private final Results results = new Results();
    private long errors; // of A2o and the floor

    private Bench(boolean isQuick) throws IOException, InterruptedException {
        this.isQuick = isQuick;
        direct = new Program("direct", port -> helper("Mock", "" + port), Map.of()).start();
        load = new ProcessBuilder(helper("Load")).redirectError(Redirect.INHERIT).start();
        Runtime.getRuntime().addShutdownHook(new Thread(load::destroyForcibly));
    }

    private static List<String> helper(String name, String... args) {
        return Program.beside(List.of("-XX:+UseSerialGC", "-Xmn200m"), name, args); // few and short pauses
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Locale.setDefault(Locale.ROOT);
        var given = new ArrayList<>(List.of(args));
        boolean isQuick = given.remove("--quick");
        Optional<String> svg = option(given, "--svg"), train = option(given, "--train");
        List<String> jars = Stream.generate(() -> option(given, "--compare")).takeWhile(Optional::isPresent)
                .map(Optional::orElseThrow).toList();
        List<String> trained = train.isPresent() && given.size() == 2 ? List.copyOf(given) : List.of();
        given.removeAll(trained);
        if (!given.isEmpty()) refuse("%s is not understood; %s".formatted(given.getFirst(), USAGE));
        for (String jar : jars) if (!Files.isRegularFile(Path.of(jar))) refuse("there is no file " + jar);
        CompletableFuture.delayedExecutor(LIMIT_MINUTES, TimeUnit.MINUTES).execute(() -> {
            System.err.printf("bench: given up after %d minutes%n", LIMIT_MINUTES);
            System.exit(1);
        });
        var bench = new Bench(isQuick);
        if (trained.isEmpty()) bench.measureAll(jars, svg);
        else bench.train(train.orElseThrow(), trained.get(0), trained.get(1));
        System.exit(bench.errors > 0 ? 1 : 0);
    }

    private static void refuse(String why) {
        System.err.println("bench: " + why);
        System.exit(2);
    }

    private static Optional<String> option(List<String> given, String name) {
        int at = given.indexOf(name);
        if (at < 0 || at + 1 == given.size()) return Optional.empty();
        given.remove(at);
        return Optional.of(given.remove(at));
    }

    private void measureAll(List<String> jars, Optional<String> svg) throws IOException, InterruptedException {
        double busy = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        for (int i = 0; i < jars.size(); i++) System.out.printf("jar%d: %s%n", i + 1, jars.get(i));
        List<Program> programs = new ArrayList<>();
        String floorTo = "http://127.0.0.1:" + direct.port();
        programs.add(new Program("floor", port -> Program.beside(List.of(), "Floor", "" + port, floorTo), Map.of()));
        programs.add(a2o("a2o", JAR.toString()));
        for (int i = 0; i < jars.size(); i++) programs.add(a2o("jar" + (i + 1), jars.get(i)));
        var peers = new Peers(direct.port());
        for (Program peer : peers.programs()) if (works(peer)) programs.add(peer);
        List<String> names = programs.stream().map(Program::name).toList();
        measureLoads(programs);
        printRatios(names);
        measureMemory(programs, jars);
        measureStart(programs);
        String processor = Running.values("/proc/cpuinfo", "model name").findFirst().orElse(System.getProperty("os.arch"));
        var facts = new ArrayList<>(List.of(LocalDate.now().toString(),
                "%d x %s".formatted(Runtime.getRuntime().availableProcessors(), processor),
                "JDK " + System.getProperty("java.version")));
        facts.addAll(peers.versions());
        facts.add("load average before %.1f%s".formatted(busy, isQuick ? ", --quick" : ""));
        String where = String.join(", ", facts);
        List<String> shown = names.stream().filter(name -> !name.startsWith("jar")).toList();
        printTable(shown, where);
        if (isQuick) System.out.println("--quick is for trying: before the JIT compilers have done their work, all costs more");
        if (svg.isPresent()) Files.writeString(Path.of(svg.get()), new Chart(results, rows(), shown).svg(where));
    }

    private Program a2o(String name, String jar, String... flags) {
        return Program.a2o(name, jar, "http://127.0.0.1:%d/v1".formatted(direct.port()), flags);
    }

    /** {@return whether that program of another's making starts and answers each load here} It says so if not. */
    private boolean works(Program peer) throws IOException, InterruptedException {
        try {
            Running running = peer.start();
            for (String each : LOADS) {
                if (measure(running, each, 1, 0).get("errors") > 0) throw new IOException("an error in the load " + each);
            }
            running.stop();
            return true;
        } catch (IOException e) {
            System.out.printf("%s is left out: %s%n", peer.name(), e.getMessage());
            return false;
        }
    }

    private static String row(String load, int connections) { return TITLES.get(load) + ", c = " + connections; }

    /** {@return the rows of CPU for a request} */
    private static List<String> rows() {
        return LOADS.stream().flatMap(each -> Stream.of(row(each, MANY), row(each, 1))).toList();
    }

    private void measureLoads(List<Program> programs) throws IOException, InterruptedException {
        List<Running> running = new ArrayList<>(List.of(direct));
        for (Program program : programs) running.add(program.start());
        String api = "http://127.0.0.1:%d/v1/responses".formatted(direct.port());
        Running responses = Program.a2o("a2o-r", JAR.toString(), api).start();
        List<Running> all = Stream.concat(running.stream(), Stream.of(responses)).toList();
        for (String each : LOADS) {
            for (Running one : all) measure(one, each, MANY, isQuick ? 0.3 : 3);
        }
        System.out.println("""

                CPU of the proxy for a request, in microseconds (steady: without what the JIT compilers took); times in ms;
                a2o-r: A2o before a backend that speaks the Responses API

                load                    conns through            req/s events/s     cpu  steady    p50     p99  first errors\
                """);
        for (String each : LOADS) {
            for (int connections : List.of(1, MANY)) compare(each, connections, all);
        }
        responses.stop();
        System.out.printf("%n%s; how late an event comes, in ms; cpu: microseconds an event%n%n", PACED);
        System.out.println("through          events/s      p50      p99      max    first   errors      cpu");
        inTurns(PACED, "paced", STREAMS, running, isQuick ? 2 : 6);
        for (Running one : running) {
            System.out.print("%-15s".formatted(one.name()));
            for (String each : List.of("eventrate", "latep50", "latep99", "latemax", "firstp50", "errors", "cpuevent")) {
                System.out.print(" %8s".formatted(shown("%.1f", results.median(PACED, one.name(), each))));
            }
            System.out.println();
        }
        for (Running one : running) if (one != direct) one.stop();
    }

    private void compare(String kind, int connections, List<Running> running) throws IOException {
        String row = row(kind, connections);
        if (!isQuick) for (Running one : running) measure(one, kind, connections, 1);
        inTurns(row, kind, connections, running, isQuick ? 0.4 : 2);
        for (Running one : running) {
            System.out.printf("%-23s %5d %-15s", TITLES.get(kind), connections, one.name());
            List<String> figures = List.of("rate", "eventrate", "cpu", "steady", "p50", "p99", "firstp50");
            List<String> forms = List.of("%7.0f", "%8.0f", "%7.0f", "%7.0f", "%6.2f", "%7.2f", "%6.2f");
            for (int i = 0; i < figures.size(); i++) {
                int width = forms.get(i).charAt(1) - '0';
                String figure = shown(forms.get(i), results.median(row, one.name(), figures.get(i)));
                System.out.printf(" %" + width + "s", figure);
            }
            System.out.printf(" %6d%n", results.errors(row, one.name()));
        }
    }

    /** Measures the same for each, in rounds that begin with another each time: what else the machine does meets all. */
    private void inTurns(String row, String kind, int connections, List<Running> running, double seconds)
            throws IOException {
        var order = new ArrayList<>(running);
        int rounds = isQuick ? 1 : kind.equals("paced") ? 3 : 5;
        for (int i = 0; i < rounds; i++) {
            for (Running one : order) results.add(row, one.name(), measure(one, kind, connections, seconds));
            Collections.rotate(order, 1);
        }
    }

    private static String shown(String form, OptionalDouble value) {
        return value.isPresent() ? form.formatted(value.getAsDouble()) : "-";
    }

    /** Prints what A2o takes of CPU as a ratio to each of the others, and what Responses takes to chat. */
    private void printRatios(List<String> names) {
        System.out.println("\nratios of CPU for a request, the median of the rounds; in brackets: of steady CPU;"
                + "\n-: not measured, or there were errors\n");
        List<List<String>> pairs = new ArrayList<>();
        for (String name : names) if (!name.equals("a2o")) pairs.add(List.of("a2o", name));
        pairs.add(List.of("a2o-r", "a2o"));
        System.out.printf("%-35s", "load");
        for (List<String> pair : pairs) System.out.printf(" %20s", String.join(" ÷ ", pair));
        System.out.println();
        for (String row : Stream.concat(rows().stream(), Stream.of(PACED)).toList()) {
            System.out.printf("%-35s", row);
            for (List<String> pair : pairs) {
                String ratio = shown("%.2f", results.ratio(row, pair.get(0), pair.get(1), "cpu"));
                String steady = shown("%.2f", results.ratio(row, pair.get(0), pair.get(1), "steady"));
                System.out.printf(" %20s", ratio.equals("-") ? ratio : "%s (%s)".formatted(ratio, steady));
            }
            System.out.println();
        }
        System.out.println("\ntime added to the first byte of 188 KB, c = 1, in ms");
        for (String name : names) System.out.printf("%-15s %8s%n", name, added(name));
    }

    private String added(String name) {
        return shown("%.2f", results.difference(row("agent", 1), name, "direct", "firstp50"));
    }

    /** Starts each anew, A2o also with a small heap: the peak of the 188 KB load alone, then what is left after all. */
    private void measureMemory(List<Program> programs, List<String> jars) throws IOException, InterruptedException {
        List<Program> all = new ArrayList<>(programs);
        all.add(a2o("a2o" + SMALL, JAR.toString(), SMALL_HEAP));
        for (int i = 0; i < jars.size(); i++) all.add(a2o("jar" + (i + 1) + SMALL, jars.get(i), SMALL_HEAP));
        System.out.printf("%nmemory, in MiB (small: %s)%n", String.join(" ", SMALL_HEAP));
        System.out.println("                188 KB, c = 16: peak   after all loads");
        for (Program program : all) {
            Running running = program.start();
            measure(running, "agent", MANY, isQuick ? 1 : 10);
            Map<String, Double> figures = new HashMap<>();
            running.memory("VmHWM").ifPresent(peak -> figures.put("peak", peak));
            for (String each : LOADS) measure(running, each, MANY, isQuick ? 0.3 : 3);
            measure(running, "paced", STREAMS, isQuick ? 1 : 3);
            running.memory("VmRSS").ifPresent(after -> figures.put("after", after));
            running.stop();
            results.add(MEMORY, program.name(), figures);
            String peak = memory(program.name(), "peak"), after = memory(program.name(), "after");
            System.out.printf("%-15s %20s %17s%n", program.name(), peak, after);
        }
    }

    private String memory(String name, String figure) { return shown("%.0f", results.median(MEMORY, name, figure)); }

    /** Starts each several times, in turns: until it listens, and until it has replied. */
    private void measureStart(List<Program> programs) throws IOException, InterruptedException {
        List<Program> all = new ArrayList<>(programs);
        boolean hasCache = Runtime.version().feature() >= 25 && isOfJar(AOT); // the JVM takes none of another jar
        if (hasCache) all.add(a2o("a2o" + CACHED, JAR.toString(), "-XX:AOTCache=" + AOT));
        if (isOfJar(BUNDLE)) {
            all.add(new Program("a2o" + BUNDLED, port -> List.of(BUNDLE.toString(), "--port", "" + port, "--upstream",
                    "http://127.0.0.1:%d/v1".formatted(direct.port())), Map.of()));
        }
        System.out.println("\nstart, in ms     listens  first reply");
        if (!hasCache) System.out.println("(no AOT cache of this jar: ./build.sh aot makes it)");
        if (!isOfJar(BUNDLE)) System.out.println("(no bundle of this jar: ./build.sh bundle makes it)");
        for (int i = 0; i < (isQuick ? 3 : 7); i++) {
            for (Program program : all) {
                long begin = System.nanoTime();
                Running running = program.start();
                double listens = (System.nanoTime() - begin) / 1e6;
                measure(running, "small", 1, 0);
                double replied = (System.nanoTime() - begin) / 1e6;
                results.add(START, program.name(), Map.of("listens", listens, "replied", replied));
                running.stop();
            }
        }
        for (Program program : all) {
            String listens = start(program.name(), "listens"), replied = start(program.name(), "replied");
            System.out.printf("%-15s %8s %12s%n", program.name(), listens, replied);
        }
    }

    private String start(String name, String figure) { return shown("%.0f", results.median(START, name, figure)); }

    /** {@return whether that file has been made after the jar} */
    private static boolean isOfJar(Path file) throws IOException {
        return Files.exists(file) && Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(JAR)) > 0;
    }

    /** Prints the table for the README, in Markdown. */
    private void printTable(List<String> names, String where) {
        List<String> columns = new ArrayList<>(names);
        columns.add(2, "a2o-r");
        System.out.println();
        printRow("", columns.stream().map(Chart::label).toList());
        System.out.println("|---|" + "---:|".repeat(columns.size()));
        for (String load : LOADS) {
            printRow(TITLES.get(load) + ": CPU for a request in µs, c = 16 (c = 1)", columns.stream()
                    .map(name -> "%s (%s)".formatted(cpu(row(load, MANY), name), cpu(row(load, 1), name))).toList());
        }
        printRow(PACED + ": CPU for an event in µs; events late at the 99th percentile in ms", columns.stream()
                .map(name -> "%s; %s%s".formatted(shown("%.0f", results.median(PACED, name, "cpuevent")),
                        shown("%.0f", results.median(PACED, name, "latep99")), failed(PACED, name))).toList());
        printRow("time added to the first byte of a 188 KB request in ms, c = 1", columns.stream().map(this::added).toList());
        printRow("from start to listening, to the first reply, in ms", columns.stream()
                .map(name -> start(name, "listens") + ", " + start(name, "replied")).toList());
        printRow("the same with an AOT cache", columns.stream()
                .map(name -> start(name + CACHED, "listens") + ", " + start(name + CACHED, "replied")).toList());
        printRow("the same of the bundle", columns.stream()
                .map(name -> start(name + BUNDLED, "listens") + ", " + start(name + BUNDLED, "replied")).toList());
        printRow("memory in MiB: peak with 188 KB requests, c = 16; after all these loads", columns.stream()
                .map(name -> memory(name, "peak") + "; " + memory(name, "after")).toList());
        printRow("the same with `%s`".formatted(String.join(" ", SMALL_HEAP)), columns.stream()
                .map(name -> memory(name + SMALL, "peak") + "; " + memory(name + SMALL, "after")).toList());
        System.out.println("\n`./build.sh bench`, " + where);
    }

    /** Prints a row of it, unless nothing was measured for that. */
    private static void printRow(String title, List<String> cells) {
        List<String> filled = cells.stream().map(cell -> cell.matches("[-,; ()]+") ? "" : cell).toList();
        if (!String.join("", filled).isEmpty()) System.out.printf("| %s | %s |%n", title, String.join(" | ", filled));
    }

    private String cpu(String row, String name) {
        return shown("%,.0f", results.median(row, name, "cpu")) + failed(row, name);
    }

    private String failed(String row, String name) {
        long failed = results.errors(row, name);
        return failed == 0 ? "" : ", %d failed".formatted(failed);
    }

    /** Runs A2o with something of all that it does, so that the JVM writes at its end what it has learnt. */
    private void train(String file, String java, String jar) throws IOException, InterruptedException {
        String mock = "http://127.0.0.1:%d/v1".formatted(direct.port());
        Running a2o = new Program("a2o", port -> List.of(java, "-XX:AOTCacheOutput=" + file, "-jar", jar,
                "--port", "" + port, "--upstream", mock), Map.of()).start();
        for (String each : LOADS) measure(a2o, each, 4, 1);
        a2o.process().destroy(); // by TERM: it drains, and the JVM assembles the cache
        a2o.process().waitFor();
        if (!Files.exists(Path.of(file))) throw new IOException("the JVM has not written " + file);
        System.out.printf("%s: %d MB; java -XX:AOTCache=%1$s -jar %s … starts with it, until the jar is made anew%n",
                file, Files.size(Path.of(file)) >> 20, jar);
    }

    /**
     * {@return the load generator's figures, and cpu and steady: microseconds of the program for each request; cpuevent: for
     * each event} Those are not told of the mock, which is no proxy.
     */
    private Map<String, Double> measure(Running program, String kind, int connections, double seconds) throws IOException {
        Map<String, Double> compilers = program.compilers();
        double before = program.cpu();
        load.outputWriter().write("%d %s %d %s%n".formatted(program.port(), kind, connections, seconds));
        load.outputWriter().flush();
        String line = load.inputReader().readLine();
        if (line == null) throw new IOException("the load generator has ended");
        double cpu = program.cpu() - before;
        double jit = program.compilers().entrySet().stream()
                .mapToDouble(thread -> thread.getValue() - compilers.getOrDefault(thread.getKey(), 0.0)).sum();
        Map<String, Double> figures = new HashMap<>();
        for (String figure : line.split(" ")) figures.put(figure.split("=")[0], Double.valueOf(figure.split("=")[1]));
        boolean isMeasured = cpu > 0 && figures.get("requests") > 0; // the clock of CPU ticks each 10 ms
        if (program != direct && isMeasured) {
            figures.put("cpu", cpu / figures.get("requests"));
            figures.put("steady", (cpu - jit) / figures.get("requests"));
            figures.put("cpuevent", cpu / figures.get("events"));
        }
        boolean isOurs = program.name().startsWith("a2o") || program.name().equals("floor");
        if (isOurs) errors += figures.get("errors").longValue();
        return figures;
    }
}
