import config.Options;
import config.Secrets;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import serve.Check;
import serve.ClientVariables;
import serve.Proxy;
import translate.Dialect;
import upstream.Credentials;

/** The command: reads the options, starts the proxy, says how to use it; or exits, as the usage text says. */
final class A2o {
    private static final int DRAIN_SECONDS = 30;
    private static final Logger LOG = Logger.getLogger("a2o");

    /** An entry of the log: time, message, and the stack of what went wrong; without secrets, whoever wrote it. */
    private static final class Line extends Formatter {
        private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
        private final Secrets secrets;

        private Line(Secrets secrets) { this.secrets = secrets; }

        @Override
        public String format(LogRecord entry) {
            var text = new StringWriter();
            text.append(TIME.format(LocalDateTime.now())).append(' ').append(entry.getMessage());
            var lines = new PrintWriter(text);
            lines.println();
            if (entry.getThrown() != null) entry.getThrown().printStackTrace(lines);
            return secrets.mask(text.toString());
        }
    }

    public static void main(String[] args) {
        try {
            Map<String, List<String>> given = Options.read(args, System.getenv());
            if (given.containsKey("--help")) {
                System.out.print(Options.USAGE);
            } else if (given.containsKey("--version")) {
                System.out.println("a2o " + Options.VERSION);
            } else if (given.containsKey("--check")) {
                LOG.setUseParentHandlers(false);
                Options.unknownVariables(System.getenv()).forEach(System.err::println);
                System.exit(new Check(given).works() ? 0 : 1);
            } else {
                Options.unknownVariables(System.getenv()).forEach(System.err::println);
                start(Options.of(given), given.getOrDefault("--", List.of()));
            }
        } catch (Options.Wrong e) {
            System.err.println(e.getMessage());
            System.exit(e.exitStatus());
        } catch (IOException e) {
            String what = e instanceof FileSystemException ? "cannot write " : "";
            String advice = ("" + e.getMessage()).endsWith("in use") ? "; --port 0 takes a free one" : "";
            System.err.println("a2o: " + what + e.getMessage() + advice);
            System.exit(1);
        }
    }

    /** Serves until told to stop; or, if there is a command, until that ends, and with the log in a file. */
    private static void start(Options options, List<String> command) throws IOException {
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            e.printStackTrace();
            if (e instanceof OutOfMemoryError) Runtime.getRuntime().halt(1); // a thread that all depends on may be gone
        });
        if (options.workers() > 0) System.setProperty("jdk.virtualThreadScheduler.parallelism", "" + options.workers());
        LOG.setUseParentHandlers(false);
        var proxy = new Proxy(options);
        PrintStream screen = System.err;
        boolean isAlone = command.isEmpty();
        String log = isAlone || options.logFile().isPresent() ? options.logFile().orElse("")
                : Files.createTempFile("a2o-", ".log").toString();
        if (!isAlone) System.setErr(new PrintStream(LogWriter.file(log), true));
        LOG.addHandler(new LogWriter(LOG, System.err, new Line(options.secrets())));
        if (isAlone && !log.isEmpty()) LOG.addHandler(new LogWriter(LOG, LogWriter.file(log), new Line(options.secrets())));
        proxy.start();
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        String url = "http://%s:%d".formatted(host, proxy.port());
        if (!isAlone) run(command, options, proxy, url, log, screen);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(proxy)));
        greet(options, url);
        boolean isRead = System.console() != null; // by somebody at a terminal
        boolean isWindowWanted = isRead && options.context() == 0;
        if (isWindowWanted) Thread.ofPlatform().daemon().start(() -> greetWithWindow(options, proxy));
    }

    private static void greet(Options options, String url) {
        System.out.printf("""
                a2o %1$s listens on %2$s, upstream %5$s
                Claude Code:  ANTHROPIC_BASE_URL=%2$s %4$s claude
                curl:         curl %2$s/v1/messages -H 'x-api-key: %3$s' \
                -d '{"model":"any","max_tokens":100,"messages":[{"role":"user","content":"Say hi."}]}'
                """, Options.VERSION, url, ClientVariables.placeholder(options),
                ClientVariables.shown(options, options.context()), options.upstreams().stream()
                .map(target -> "%s, which %s".formatted(target.address(),
                        new Credentials(options, target, Dialect.of(target)).told()))
                .collect(Collectors.joining("; then ")));
    }

    /** Adds to the greeting what the backend's list of models says, which is not waited for. */
    private static void greetWithWindow(Options options, Proxy proxy) {
        String model = options.model(options.mainModel().orElse(""));
        long window = proxy.askWindow(model, "");
        if (window == 0) return;
        System.out.printf("The backend's context window is %1$d tokens; tell Claude Code by %2$s%n", window,
                ClientVariables.shownWindow(window));
    }

    /** Runs a client on the proxy, and exits with its status. */
    private static void run(List<String> command, Options options, Proxy proxy, String url, String log,
                            PrintStream screen) {
        var client = new ProcessBuilder(command).inheritIO();
        Map<String, String> environment = client.environment();
        environment.keySet().removeIf(name -> name.startsWith("A2O_")); // a2o's keys are not for the client's tools
        String model = options.model(ClientVariables.model(options, environment).orElse(""));
        String key = options.authKey().isPresent() ? "" : ClientVariables.token(options, environment);
        ClientVariables.putInto(environment, options, url, proxy.askWindow(model, key));
        String direct = environment.getOrDefault("no_proxy", environment.getOrDefault("NO_PROXY", ""));
        String both = (direct + "," + options.host()).replaceFirst("^,", ""); // or HTTPS_PROXY would be asked
        if (!direct.equals("*")) environment.putAll(Map.of("NO_PROXY", both, "no_proxy", both));
        var started = new CompletableFuture<Process>(); // a signal may come before
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(started.join(), command.getFirst(), log, screen)));
        try {
            started.complete(client.start());
            started.join().onExit().join();
            System.exit(0); // that is, with the status that end() takes
        } catch (IOException e) {
            screen.printf("a2o: cannot run %s: is it installed, on the PATH, and executable?%n", command.getFirst());
            Runtime.getRuntime().halt(127); // as shells say it
        }
    }

    /** Ends when the client does. TERM is passed on to it; INT it gets itself, as all that runs in a terminal does. */
    private static void end(Process client, String name, String log, PrintStream screen) {
        for (long passed = 0; client.isAlive(); LockSupport.parkNanos(50_000_000)) {
            long told = signals("TERM|HUP");
            if (told > passed) client.destroy();
            passed = told;
        }
        int status = client.exitValue(); // 128 and more if a signal has ended it
        if (status != 0) screen.printf("a2o: %s ended with status %d; log: %s%n", name, status, log);
        Runtime.getRuntime().halt(status);
    }

    /** Ends the process within {@link #DRAIN_SECONDS}, with status 0; or, when told to a second time, at once. */
    private static void stop(Proxy proxy) {
        Thread.ofPlatform().daemon().start(() -> {
            while (signals("\\w+") < 2) LockSupport.parkNanos(50_000_000);
            Runtime.getRuntime().halt(1);
        });
        proxy.drain(DRAIN_SECONDS);
        Runtime.getRuntime().halt(0);
    }

    /** {@return how many signals wait for the process to end: the JVM has a thread for each, and shows nothing else} */
    private static long signals(String names) {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.matches("SIG(%s) handler".formatted(names))).count();
    }
}
