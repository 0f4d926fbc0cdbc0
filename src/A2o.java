import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.ConsoleHandler;
import java.util.logging.FileHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The command: reads the options, starts the proxy, says how to use it; or exits, as the usage text says. */
final class A2o {
    static final String VERSION = "0.1.0";
    private static final int DRAIN_SECONDS = 30;
    private static final Logger LOG = Logger.getLogger("a2o");
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}]");

    /** An entry of the log: time, message, and the stack of what went wrong. */
    private static final class Line extends Formatter {
        private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");

        @Override
        public String format(LogRecord entry) {
            var text = new StringWriter().append(TIME.format(LocalDateTime.now())).append(' ').append(entry.getMessage());
            var lines = new PrintWriter(text);
            lines.println();
            if (entry.getThrown() != null) entry.getThrown().printStackTrace(lines);
            return text.toString();
        }
    }

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

    /** {@return the text, of others' making, so that it cannot be taken for a line of the log or steer a terminal} */
    static String printable(String text) { return UNPRINTABLE.matcher(text).replaceAll("?"); }

    private static void start(Options options) throws IOException {
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            e.printStackTrace();
            if (e instanceof OutOfMemoryError) Runtime.getRuntime().halt(1); // a thread that all depends on may be gone
        });
        if (options.workers() > 0) System.setProperty("jdk.virtualThreadScheduler.parallelism", "" + options.workers());
        LOG.setUseParentHandlers(false);
        LOG.addHandler(new ConsoleHandler());
        if (options.logFile().isPresent()) {
            LOG.addHandler(new FileHandler(options.logFile().get().replace("%", "%%"), 0, 1, true));
        }
        for (Handler handler : LOG.getHandlers()) handler.setFormatter(new Line());
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
