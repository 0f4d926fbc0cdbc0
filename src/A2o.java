import java.io.IOException;
import java.net.BindException;
import java.net.URI;
import java.nio.channels.UnresolvedAddressException;
import java.util.List;
import java.util.Map;
import java.util.logging.FileHandler;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * The command: reads the options, starts the proxy and says how to use it. Exit status: 0 fine, 1 cannot start, 2 wrong
 * usage.
 */
final class A2o {
    static final String VERSION = "0.1.0";

    private A2o() { }

    public static void main(String[] args) {
        Options options;
        try {
            Map<Options.Flag, List<String>> given = Options.read(args, System.getenv());
            if (given.containsKey(Options.Flag.HELP)) {
                System.out.print(Options.usage());
                return;
            }
            if (given.containsKey(Options.Flag.VERSION)) {
                System.out.println("a2o " + VERSION);
                return;
            }
            options = Options.of(given);
        } catch (Options.Wrong e) {
            System.err.println(e.getMessage());
            System.exit(e.exitStatus());
            return;
        }
        try {
            start(options);
        } catch (BindException | UnresolvedAddressException e) {
            cannotStart("cannot listen on %s port %d: %s".formatted(options.host(), options.port(), e instanceof BindException
                    ? "the port is in use or the address is not this machine's (try --port 0)" : "the host is not known"));
        } catch (IOException e) {
            cannotStart(e.getMessage());
        }
    }

    private static void cannotStart(String reason) {
        System.err.println("a2o: " + reason);
        System.exit(1);
    }

    private static void start(Options options) throws IOException {
        if (options.workers() > 0) System.setProperty("jdk.virtualThreadScheduler.parallelism", String.valueOf(options.workers()));
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT %5$s%6$s%n");
        if (options.logFile().isPresent()) {
            var file = new FileHandler(options.logFile().get().replace("%", "%%"), true);
            file.setFormatter(new SimpleFormatter());
            Logger.getLogger("a2o").addHandler(file);
        }
        URI url = options.upstream().isPresent() ? options.upstream().get() : new Demo().start();
        var proxy = new Proxy(options, url);
        proxy.start();
        String base = "http://%s:%d".formatted(options.host().contains(":") ? "[" + options.host() + "]" : options.host(), proxy.port());
        System.out.printf("""
                a2o %s listens on %s, upstream %s
                Claude Code:  ANTHROPIC_BASE_URL=%s ANTHROPIC_API_KEY=%s claude
                curl:         curl %s/v1/messages -H 'content-type: application/json' -d '{"model":"any","max_tokens":100,\
                "messages":[{"role":"user","content":"Say hi."}]}'
                """, VERSION, base, options.upstream().isPresent() ? url.getHost() : "demo (built in)", base,
                options.upstreamKey().isPresent() || options.upstream().isEmpty() ? "any" : "<key of the backend>", base);
    }
}
