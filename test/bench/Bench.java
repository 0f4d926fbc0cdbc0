import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What A2o costs: {@code java test/bench/Bench.java [--quick] [--svg FILE]} measures build/a2o.jar between {@link Load} and
 * {@link Mock}, in turns with {@link Floor} and with no proxy at all. All are processes of their own, on loopback, and
 * end with this one. {@code --train FILE JAVA JAR} makes an AOT cache instead. Exit status: 1 if a request failed, 2 for wrong usage.
 */
final class Bench {
    private static final String USAGE = "usage: bench [--quick] [--svg FILE] | --train FILE JAVA JAR";
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Path JAR = Path.of("build/a2o.jar"), AOT = Path.of("build/a2o.aot");
    private static final List<String> LOADS = List.of("small", "stream", "agent", "long");
    private static final Map<String, String> TITLES = Map.of("small", "small, whole reply", "stream", "small, 100 events",
            "agent", "188 KB, 100 events", "long", "1.2 MB, 100 events");
    private static final int STREAMS = 500; // as many as A2o has at one backend, by default
    private static final int LIMIT_MINUTES = 20; // for all
    private static final int START_SECONDS = 20; // for a process to listen
    private static final List<Process> STARTED = new ArrayList<>();

    private final boolean isQuick;
    private final Process load;
    private final Subject direct;
    private final List<Bar> bars = new ArrayList<>();
    private long errors;

    /** What is measured: a process that listens on that port; for direct, the mock itself. */
    private record Subject(String name, int port, Process process) { }

    /** Of the chart: a load, the CPU of A2o as a multiple of the floor's, and in microseconds. */
    private record Bar(String title, double ratio, double micros) { }

    private Bench(boolean isQuick) throws IOException, InterruptedException {
        this.isQuick = isQuick;
        int port = freePort();
        direct = await("direct", port, start(helper("Mock", "" + port)));
        load = start(helper("Load"));
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        var given = new ArrayList<>(List.of(args));
        boolean isQuick = given.remove("--quick");
        String svg = option(given, "--svg"), train = option(given, "--train");
        List<String> trained = train.isEmpty() || given.size() != 2 ? List.of() : List.copyOf(given);
        given.removeAll(trained);
        if (!given.isEmpty()) {
            System.err.printf("bench: %s is not understood; %s%n", given.getFirst(), USAGE);
            System.exit(2);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> STARTED.forEach(Process::destroyForcibly)));
        CompletableFuture.delayedExecutor(LIMIT_MINUTES, TimeUnit.MINUTES).execute(() -> System.exit(1));
        var bench = new Bench(isQuick);
        if (trained.isEmpty()) bench.measureAll(svg);
        else bench.train(train, trained.get(0), trained.get(1));
        System.exit(bench.errors > 0 ? 1 : 0);
    }

    private static String option(List<String> given, String name) {
        int at = given.indexOf(name);
        if (at < 0 || at + 1 == given.size()) return "";
        given.remove(at);
        return given.remove(at);
    }

    private void measureAll(String svg) throws IOException, InterruptedException {
        double busy = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        int port = freePort();
        Subject floor = await("floor", port, start(program(List.of(), "Floor", "" + port, "http://127.0.0.1:" + direct.port)));
        Subject a2o = startA2o("a2o", "/v1");
        Subject responses = startA2o("a2o-r", "/v1/responses");
        List<Subject> subjects = List.of(direct, floor, a2o, responses);
        for (String each : LOADS) {
            for (Subject subject : subjects) measure(subject, each, 16, isQuick ? 0.5 : 3);
        }
        System.out.println("""
                CPU of the proxy for a request, in microseconds (steady: without what the JIT compilers took); times in ms;
                a2o-r: A2o before a backend that speaks the Responses API

                load               conns through   req/s events/s     cpu  steady    p50     p99  first errors  ÷floor steady\
                """);
        for (String each : LOADS) {
            for (int connections : List.of(1, 16)) compare(each, connections, subjects);
        }
        System.out.printf("%n%d streams, each of 50 events/s; how late an event comes, in ms%n%n", STREAMS);
        System.out.println("through events/s      p50      p99      max    first   errors      cpu (an event)");
        for (Subject subject : List.of(direct, floor, a2o)) paced(subject);
        for (Subject subject : List.of(floor, a2o, responses)) subject.process.destroyForcibly();
        System.out.println("\nstart, in ms                            listens  first reply");
        startUp(hasCache() ? List.of("", "-XX:AOTCache=" + AOT) : List.of(""));
        System.out.println("\npeak memory, 188 KB at c = 16             MiB");
        peak("java -jar …");
        peak("java -Xmx256m -XX:+UseSerialGC -jar …", "-Xmx256m", "-XX:+UseSerialGC");
        String where = "%s, %d x %s, JDK %s, load average before %.1f%s".formatted(LocalDate.now(),
                Runtime.getRuntime().availableProcessors(), cpu(), System.getProperty("java.version"), busy,
                isQuick ? ", --quick" : "");
        System.out.println("\n" + where);
        if (isQuick) System.out.println("--quick is for trying: before the JIT compilers have done their work, all costs more");
        if (!svg.isEmpty()) Files.writeString(Path.of(svg), svg(where));
    }

    /** {@return whether there is a cache of this jar: the JVM takes no other} */
    private static boolean hasCache() throws IOException {
        return Runtime.version().feature() >= 25 && Files.exists(AOT)
                && Files.getLastModifiedTime(AOT).compareTo(Files.getLastModifiedTime(JAR)) > 0;
    }

    /** Measures the same for each in turns, so that what else the machine does meets all, and prints the medians. */
    private void compare(String kind, int connections, List<Subject> subjects) throws IOException {
        double seconds = isQuick ? 0.5 : 2.5;
        for (Subject subject : subjects) measure(subject, kind, connections, isQuick ? 0.2 : 1.5);
        Map<String, List<Map<String, Double>>> rounds = new HashMap<>();
        for (int i = 0; i < (isQuick ? 1 : 3); i++) {
            Map<String, Double> floor = Map.of();
            for (Subject subject : subjects) {
                Map<String, Double> figures = measure(subject, kind, connections, seconds);
                if (subject.name.equals("floor")) floor = figures;
                figures.put("ratio", figures.get("cpu") / floor.getOrDefault("cpu", 0.0));
                figures.put("steadyratio", figures.get("steady") / floor.getOrDefault("steady", 0.0));
                rounds.computeIfAbsent(subject.name, name -> new ArrayList<>()).add(figures);
            }
        }
        for (Subject subject : subjects) {
            var all = rounds.get(subject.name);
            String line = "%-18s %5d %-7s %7.0f %8.0f %7.0f %7.0f %6.2f %7.2f %6.2f %6.0f".formatted(
                    TITLES.get(kind), connections, subject.name, median(all, "rate"), median(all, "eventrate"),
                    median(all, "cpu"), median(all, "steady"), median(all, "p50"), median(all, "p99"),
                    median(all, "firstp50"), all.stream().mapToDouble(each -> each.get("errors")).sum());
            boolean isA2o = subject.name.equals("a2o");
            String ratios = subject.name.startsWith("a2o") ? "  %6.2f %6.2f".formatted(median(all, "ratio"), median(all, "steadyratio")) : "";
            System.out.println((line + ratios).replace("NaN", "  -"));
            String title = TITLES.get(kind) + ", c = " + connections;
            if (isA2o) bars.add(new Bar(title, median(all, "ratio"), median(all, "cpu")));
        }
    }

    private static double median(List<Map<String, Double>> rounds, String figure) {
        double[] values = rounds.stream().mapToDouble(each -> each.getOrDefault(figure, Double.NaN)).sorted().toArray();
        return values[(values.length - 1) / 2];
    }

    private void paced(Subject subject) throws IOException {
        if (!isQuick) measure(subject, "paced", STREAMS, 3);
        Map<String, Double> figures = measure(subject, "paced", STREAMS, isQuick ? 3 : 8);
        figures.put("cpu", figures.get("cpu") * figures.get("requests") / figures.get("events"));
        System.out.print("%-7s".formatted(subject.name));
        for (String each : List.of("eventrate", "latep50", "latep99", "latemax", "firstp50", "errors", "cpu")) {
            System.out.print(" %8.1f".formatted(figures.getOrDefault(each, Double.NaN)).replace("NaN", "  -"));
        }
        System.out.println();
    }

    /** Starts A2o several times with each of the flags, in turns: until it listens, and until it has replied. */
    private void startUp(List<String> flags) throws IOException, InterruptedException {
        Map<String, List<Map<String, Double>>> rounds = new HashMap<>();
        for (int i = 0; i < (isQuick ? 3 : 7); i++) {
            for (String flag : flags) {
                long begin = System.nanoTime();
                Subject a2o = flag.isEmpty() ? startA2o("a2o", "/v1") : startA2o("a2o", "/v1", flag);
                double listens = (System.nanoTime() - begin) / 1e6;
                measure(a2o, "small", 1, 0);
                double replied = (System.nanoTime() - begin) / 1e6;
                rounds.computeIfAbsent(flag, key -> new ArrayList<>()).add(Map.of("listens", listens, "replied", replied));
                a2o.process.destroyForcibly().waitFor();
            }
        }
        for (String flag : flags) {
            System.out.printf("%-39s %7.0f %12.0f%n", ("java " + flag).strip() + " -jar …", median(rounds.get(flag), "listens"),
                    median(rounds.get(flag), "replied"));
        }
    }

    private void peak(String title, String... flags) throws IOException, InterruptedException {
        Subject a2o = startA2o("a2o", "/v1", flags);
        measure(a2o, "agent", 16, isQuick ? 2 : 10);
        String peak = values("/proc/%d/status".formatted(a2o.process.pid()), "VmHWM")
                .map(value -> "" + Long.parseLong(value.replace(" kB", "")) / 1024).findFirst().orElse("unknown");
        System.out.printf("%-37s %7s%n", title, peak);
        a2o.process.destroyForcibly().waitFor();
    }

    /** Runs A2o with something of all that it does, so that the JVM writes at its end what it has learnt. */
    private void train(String file, String java, String jar) throws IOException, InterruptedException {
        int port = freePort();
        String mock = "http://127.0.0.1:%d/v1".formatted(direct.port);
        List<String> command = List.of(java, "-XX:AOTCacheOutput=" + file, "-jar", jar, "--port", "" + port, "--upstream", mock);
        Subject a2o = await("a2o", port, start(command));
        for (String each : LOADS) measure(a2o, each, 4, 1);
        a2o.process.destroy(); // by TERM: it drains, and the JVM assembles the cache
        a2o.process.waitFor();
        if (!Files.exists(Path.of(file))) throw new IOException("the JVM has not written " + file);
        System.out.printf("%s: %d MB; java -XX:AOTCache=%1$s -jar %s … starts with it, until the jar is made anew%n",
                file, Files.size(Path.of(file)) >> 20, jar);
    }

    /** {@return the load generator's figures, and cpu and steady: microseconds of the subject for each request} */
    private Map<String, Double> measure(Subject subject, String kind, int connections, double seconds) throws IOException {
        Map<String, Double> compilers = compilers(subject.process);
        Duration before = subject.process.info().totalCpuDuration().orElse(Duration.ZERO);
        load.outputWriter().write("%d %s %d %s%n".formatted(subject.port, kind, connections, seconds));
        load.outputWriter().flush();
        String line = load.inputReader().readLine();
        if (line == null) throw new IOException("the load generator has ended");
        double cpu = subject.process.info().totalCpuDuration().orElse(Duration.ZERO).minus(before).toNanos() / 1e3;
        double jit = compilers(subject.process).entrySet().stream()
                .mapToDouble(thread -> thread.getValue() - compilers.getOrDefault(thread.getKey(), 0.0)).sum();
        Map<String, Double> figures = new HashMap<>();
        for (String figure : line.split(" ")) figures.put(figure.split("=")[0], Double.valueOf(figure.split("=")[1]));
        boolean isDirect = subject == direct;
        figures.put("cpu", isDirect ? Double.NaN : cpu / figures.get("requests"));
        figures.put("steady", isDirect ? Double.NaN : (cpu - jit) / figures.get("requests"));
        errors += figures.get("errors").longValue();
        return figures;
    }

    /** {@return the microseconds that each of the JVM's compiler threads has run; nothing where there is no /proc} */
    private static Map<String, Double> compilers(Process process) throws IOException {
        Map<String, Double> micros = new HashMap<>();
        Path tasks = Path.of("/proc/%d/task".formatted(process.pid()));
        if (!Files.isDirectory(tasks)) return micros;
        try (Stream<Path> threads = Files.list(tasks)) {
            for (Path thread : threads.toList()) {
                try {
                    if (!Files.readString(thread.resolve("comm")).matches("C[12] Compiler.*\\s*")) continue;
                    String nanos = Files.readString(thread.resolve("schedstat")).split(" ")[0];
                    micros.put(thread.toString(), Double.parseDouble(nanos) / 1e3);
                } catch (IOException ended) {
                    // compiler threads come and go: the little that this one did is counted as the program's own
                }
            }
        }
        return micros;
    }

    private Subject startA2o(String name, String path, String... flags) throws IOException, InterruptedException {
        int port = freePort();
        var command = new ArrayList<>(List.of(JAVA));
        command.addAll(List.of(flags));
        String mock = "http://127.0.0.1:%d%s".formatted(direct.port, path);
        command.addAll(List.of("-jar", JAR.toString(), "--port", "" + port, "--upstream", mock));
        return await(name, port, start(command));
    }

    private static List<String> helper(String name, String... args) {
        return program(List.of("-XX:+UseSerialGC", "-Xmn200m"), name, args); // few and short pauses
    }

    /** {@return the command for a program beside this one, compiled as this one is, or from its source} */
    private static List<String> program(List<String> flags, String name, String... args) {
        String classes = System.getProperty("java.class.path");
        var command = new ArrayList<>(List.of(JAVA));
        command.addAll(flags);
        boolean isCompiled = Files.exists(Path.of(classes, name + ".class"));
        command.addAll(isCompiled ? List.of("-cp", classes, name) : List.of("test/bench/" + name + ".java"));
        command.addAll(List.of(args));
        return command;
    }

    private static Process start(List<String> command) throws IOException {
        boolean isA2o = command.contains("-jar");
        var builder = new ProcessBuilder(command);
        builder.redirectError(isA2o ? Redirect.DISCARD : Redirect.INHERIT); // A2o's is a log
        if (isA2o) builder.redirectOutput(Redirect.DISCARD);
        builder.environment().keySet().removeIf(name -> name.toUpperCase(Locale.ROOT).matches("A2O_.*|.*_PROXY"));
        Process process = builder.start();
        STARTED.add(process);
        return process;
    }

    private static Subject await(String name, int port, Process process) throws IOException, InterruptedException {
        long end = System.nanoTime() + START_SECONDS * 1_000_000_000L;
        while (System.nanoTime() < end && process.isAlive()) {
            try (var knock = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return new Subject(name, knock.getPort(), process);
            } catch (IOException notYet) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
        throw new IOException("%s does not listen".formatted(name));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String cpu() throws IOException {
        return values("/proc/cpuinfo", "model name").findFirst().orElse(System.getProperty("os.arch"));
    }

    /** {@return the values of that name in a file of lines NAME: VALUE, if there is such a file} */
    private static Stream<String> values(String file, String name) throws IOException {
        if (!Files.exists(Path.of(file))) return Stream.empty();
        return Files.readString(Path.of(file)).lines().filter(line -> line.startsWith(name))
                .map(line -> line.split(":", 2)[1].strip());
    }

    /** {@return the ratios as a chart, on a background of its own, so that it can be read on any page} */
    private String svg(String where) {
        double unit = 370 / bars.stream().mapToDouble(Bar::ratio).max().orElse(1);
        var rows = new StringBuilder();
        for (Bar bar : bars) {
            rows.append("""
                    <text x="16" y="13">%s</text><rect x="200" width="%.0f" height="16" rx="2"/>\
                    <text x="%.0f" y="13">%.2f <tspan class="dim">%.0f µs</tspan></text><g transform="translate(0 26)">
                    """.formatted(bar.title, unit * bar.ratio, 206 + unit * bar.ratio, bar.ratio, bar.micros));
        }
        return """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 310" font-family="system-ui, sans-serif" font-size="13" role="img">
                <title>CPU per request of A2o, as a multiple of a pass-through proxy's</title>
                <style>
                .page { fill: #fff } text { fill: #1f2328 } .dim { fill: #59636e } rect { fill: #2f81c8 } path { stroke: #59636e }
                @media (prefers-color-scheme: dark) {
                .page { fill: #0d1117 } text { fill: #e6edf3 } .dim { fill: #9198a1 } rect { fill: #3f8fd6 } path { stroke: #9198a1 } }
                </style>
                <rect class="page" width="700" height="310" rx="6"/>
                <text x="16" y="26" font-size="15" font-weight="600">CPU per request; 1 = the JDK's server and client passing bytes on</text>
                <g transform="translate(0 50)">
                %1$s%2$s</g>
                <path d="M%3$.0f 44V262" stroke-dasharray="3 3"/><text class="dim" x="%3$.0f" y="277" text-anchor="middle">1</text>
                <text class="dim" x="16" y="299" font-size="11">%4$s</text>
                </svg>
                """.formatted(rows, "</g>".repeat(bars.size()), 200 + unit, where.replace("&", "&amp;").replace("<", "&lt;"));
    }
}
