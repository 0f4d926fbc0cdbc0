import config.CommandLine;
import config.Option;
import config.Options;
import config.UsageError;
import config.Variables;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Formatter;
import java.util.logging.Logger;
import serve.Check;
import serve.Proxy;

/** The program: reads the options, and serves until a signal comes; or does what {@code --help} asks. */
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
            String program = StartCommand.words(A2o.class);
            boolean works = new Check(given, program, System.getenv(), System.out).works();
            System.exit(works ? 0 : CANNOT_START);
        }
        var options = Options.of(given);
        if (options.workers() > 0) {
            System.setProperty("jdk.virtualThreadScheduler.parallelism", Integer.toString(options.workers()));
        }
        Thread.setDefaultUncaughtExceptionHandler(A2o::onUncaught);
        if (given.has(Option.COMMAND)) {
            serveCommand(given, options);
        } else {
            serve(given, options);
        }
    }

    /** Ends the process where memory is used up: a thread that all others depend on may be gone. */
    private static void onUncaught(Thread thread, Throwable e) {
        e.printStackTrace();
        if (e instanceof OutOfMemoryError) Runtime.getRuntime().halt(1);
    }

    /** Serves until a signal comes, and logs to standard error and to {@code --log-file}. */
    private static void serve(CommandLine given, Options options) throws IOException {
        var proxy = new Proxy(options);
        logTo(System.err, options, proxy);
        if (options.logFile().isPresent()) logTo(new LogFile(options.logFile().get()), options, proxy);
        proxy.start();
        new Reload(given, proxy).start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(proxy)));
        new Greeting(options, proxy, url(options, proxy)).print();
    }

    /** Runs a client, and serves it until it ends. The log goes to a file: the screen is the client's. */
    private static void serveCommand(CommandLine given, Options options) throws IOException {
        var proxy = new Proxy(options);
        var log = ClientLog.of(options.logFile());
        PrintStream screen = System.err;
        System.setErr(new PrintStream(new LogFile(log.name()), true));
        logTo(System.err, options, proxy);
        proxy.start();
        new Reload(given, proxy).start();
        new ChildProcess(given.all(Option.COMMAND), log, screen).run(options, proxy, url(options, proxy));
    }

    private static void logTo(OutputStream out, Options options, Proxy proxy) {
        Formatter formatter = switch (options.logFormat()) {
            case TEXT -> new LogLine(proxy::secrets);
            case JSON -> new LogObject(proxy::secrets);
        };
        LOG.addHandler(new LogWriter(LOG, out, formatter));
    }

    private static String url(Options options, Proxy proxy) {
        boolean isIpv6 = options.host().contains(":");
        String host = isIpv6 ? "[" + options.host() + "]" : options.host();
        return "http://%s:%d".formatted(host, proxy.port());
    }

    /** Ends the process within {@link #DRAIN_SECONDS}, with status 0; at a second signal at once, with 1. */
    private static void stop(Proxy proxy) {
        Thread.ofPlatform().daemon().start(() -> {
            while (Signals.waiting() < 2) LockSupport.parkNanos(POLL_NANOS);
            Runtime.getRuntime().halt(1);
        });
        proxy.drain(DRAIN_SECONDS);
        Runtime.getRuntime().halt(0);
    }
}
