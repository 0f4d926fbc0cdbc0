import config.CommandLine;
import config.Option;
import config.Options;
import config.Target;
import config.UsageError;
import config.Variables;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import serve.Check;
import serve.ClientVariables;
import serve.Proxy;
import translate.Dialect;
import upstream.Credentials;

/** The program: reads the options and serves until it is told to stop; or does what {@code --help} and its like ask. */
final class A2o {
    private static final int CANNOT_START = 1;
    private static final int DRAIN_SECONDS = 30;
    private static final long POLL_NANOS = 50_000_000; // for a second signal
    private static final Logger LOG = Logger.getLogger("a2o");

    public static void main(String[] args) {
        try {
            run(CommandLine.read(args, System.getenv()));
        } catch (UsageError e) {
            System.err.println(e.getMessage());
            System.exit(e.exitStatus());
        } catch (IOException e) {
            System.err.println("a2o: " + whyNot(e));
            System.exit(CANNOT_START);
        }
    }

    private static String whyNot(IOException e) {
        String message = String.valueOf(e.getMessage());
        if (e instanceof FileSystemException) return "cannot write " + message;
        return message.endsWith("in use") ? message + "; --port 0 takes a free one" : message;
    }

    private static void run(CommandLine given) throws IOException {
        if (given.has(Option.HELP)) {
            System.out.print(CommandLine.USAGE);
            return;
        }
        if (given.has(Option.VERSION)) {
            System.out.println("a2o " + Options.VERSION);
            return;
        }
        Variables.unknown(System.getenv()).forEach(System.err::println);
        LOG.setUseParentHandlers(false);
        if (given.has(Option.CHECK)) {
            boolean works = new Check(given).works();
            System.exit(works ? 0 : CANNOT_START);
        }
        var options = Options.of(given);
        if (options.workers() > 0) {
            System.setProperty("jdk.virtualThreadScheduler.parallelism", Integer.toString(options.workers()));
        }
        Thread.setDefaultUncaughtExceptionHandler(A2o::onUncaught);
        if (given.has(Option.COMMAND)) {
            serveCommand(options, given.all(Option.COMMAND));
        } else {
            serve(options);
        }
    }

    /** Ends the process where memory is used up: a thread that all others depend on may be gone. */
    private static void onUncaught(Thread thread, Throwable e) {
        e.printStackTrace();
        if (e instanceof OutOfMemoryError) Runtime.getRuntime().halt(1);
    }

    /** Serves until a signal comes, and logs to standard error and to {@code --log-file}. */
    private static void serve(Options options) throws IOException {
        var proxy = new Proxy(options);
        logTo(System.err, options);
        if (options.logFile().isPresent()) logTo(LogWriter.file(options.logFile().get()), options);
        proxy.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(proxy)));
        greet(options, url(options, proxy));
        boolean isAtTerminal = System.console() != null;
        boolean isWindowWanted = isAtTerminal && options.context() == 0;
        if (isWindowWanted) Thread.ofPlatform().daemon().start(() -> greetWithWindow(options, proxy));
    }

    /** Serves one client, which it runs, until that ends. The log goes to a file: the screen is the client's. */
    private static void serveCommand(Options options, List<String> command) throws IOException {
        var proxy = new Proxy(options);
        String log = options.logFile().isPresent() ? options.logFile().get()
                : Files.createTempFile("a2o-", ".log").toString();
        PrintStream screen = System.err;
        System.setErr(new PrintStream(LogWriter.file(log), true));
        logTo(System.err, options);
        proxy.start();
        new ChildProcess(command, log, screen).run(options, proxy, url(options, proxy));
    }

    private static void logTo(OutputStream out, Options options) {
        LOG.addHandler(new LogWriter(LOG, out, new LogLine(options.secrets())));
    }

    private static String url(Options options, Proxy proxy) {
        boolean isIpv6 = options.host().contains(":");
        String host = isIpv6 ? "[" + options.host() + "]" : options.host();
        return "http://%s:%d".formatted(host, proxy.port());
    }

    /** Prints where A2o listens, which key each backend gets, and how clients connect. */
    private static void greet(Options options, String url) {
        String upstreams = options.upstreams().stream().map(target -> greeting(options, target))
                .collect(Collectors.joining("; then "));
        System.out.printf("a2o %s listens on %s, upstream %s%n", Options.VERSION, url, upstreams);
        System.out.printf("Claude Code:  ANTHROPIC_BASE_URL=%s %s claude%n", url,
                ClientVariables.shown(options, options.context()));
        System.out.printf("curl:         curl %s/v1/messages -H 'x-api-key: %s' -d '%s'%n", url,
                ClientVariables.placeholder(options),
                "{\"model\":\"any\",\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\"Say hi.\"}]}");
    }

    private static String greeting(Options options, Target target) {
        var credentials = new Credentials(options, target, Dialect.of(target));
        return "%s, which %s".formatted(target.address(), credentials.told());
    }

    /** Adds to the greeting the window in the backend's list of models, which the start does not wait for. */
    private static void greetWithWindow(Options options, Proxy proxy) {
        String model = options.model(options.mainModel().orElse(""));
        long window = proxy.askWindow(model, "");
        if (window == 0) return;
        System.out.printf("The backend's context window is %1$d tokens; tell Claude Code by %2$s%n", window,
                ClientVariables.shownWindow(window));
    }

    /** Ends the process with status 0 within {@link #DRAIN_SECONDS}; at a second signal at once, with status 1. */
    private static void stop(Proxy proxy) {
        Thread.ofPlatform().daemon().start(() -> {
            while (Signals.waiting() < 2) LockSupport.parkNanos(POLL_NANOS);
            Runtime.getRuntime().halt(1);
        });
        proxy.drain(DRAIN_SECONDS);
        Runtime.getRuntime().halt(0);
    }
}
