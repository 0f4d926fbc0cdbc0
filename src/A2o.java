import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.FileHandler;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Collectors;

/** The command: reads the options, starts the proxy, says how to use it; or exits, as the usage text says. */
final class A2o {
    static final String VERSION = "0.1.0";
    private static final int DRAIN_SECONDS = 30;

    public static void main(String[] args) {
        try {
            Map<String, List<String>> given = Options.read(args, System.getenv());
            if (given.containsKey("--help")) {
                System.out.print(Options.USAGE);
            } else if (given.containsKey("--version")) {
                System.out.println("a2o " + VERSION);
            } else {
                start(Options.of(given));
            }
        } catch (Options.Wrong e) {
            System.err.println(e.getMessage());
            System.exit(e.exitStatus());
        } catch (IOException e) {
            System.err.println("a2o: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void start(Options options) throws IOException {
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            e.printStackTrace();
            if (e instanceof OutOfMemoryError) Runtime.getRuntime().halt(1); // a thread that all depends on may be gone
        });
        if (options.workers() > 0) System.setProperty("jdk.virtualThreadScheduler.parallelism", "" + options.workers());
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT %5$s%6$s%n");
        if (options.logFile().isPresent()) {
            var file = new FileHandler(options.logFile().get().replace("%", "%%"), 0, 1, true);
            file.setFormatter(new SimpleFormatter());
            Logger.getLogger("a2o").addHandler(file);
        }
        var proxy = new Proxy(options);
        proxy.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(proxy)));
        boolean keyNeeded = options.upstreams().stream().anyMatch(target -> target.key().isEmpty() && !target.isDemo());
        String key = options.authKey().isPresent() ? "<key of --auth-key>" : keyNeeded ? "<key of the backend>" : "any";
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        System.out.printf("""
                a2o %1$s listens on http://%2$s:%3$d, upstream %5$s
                Claude Code:  ANTHROPIC_BASE_URL=http://%2$s:%3$d ANTHROPIC_API_KEY='%4$s' claude
                curl:         curl http://%2$s:%3$d/v1/messages -H 'x-api-key: %4$s' \
                -d '{"model":"any","max_tokens":100,"messages":[{"role":"user","content":"Say hi."}]}'
                """, VERSION, host, proxy.port(), key, options.upstreams().stream()
                .map(target -> "%s, which gets %s key".formatted(target.host(),
                        target.key().isPresent() ? "a2o's" : "the client's")).collect(Collectors.joining("; then ")));
    }

    /** Ends the process within {@link #DRAIN_SECONDS}, with status 0; or, when told to a second time, at once. */
    private static void stop(Proxy proxy) {
        Thread.ofPlatform().daemon().start(() -> {
            while (signals() < 2) LockSupport.parkNanos(50_000_000);
            Runtime.getRuntime().halt(1);
        });
        proxy.drain(DRAIN_SECONDS);
        Runtime.getRuntime().halt(0);
    }

    /** {@return how many signals wait for the process to end: the JVM has a thread for each, and shows nothing else} */
    private static long signals() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.matches("SIG\\w+ handler")).count();
    }
}
