import config.Options;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import serve.ClientVariables;
import serve.Proxy;

/** The client that {@code -- COMMAND} runs: its environment, the signals for it, and its exit status. */
final class ChildProcess {
    private static final long POLL_NANOS = 50_000_000;
    private static final int CANNOT_BE_RUN = 127; // as shells say it

    private final List<String> command;
    private final ClientLog log;
    private final PrintStream screen; // standard error, as the client has it
    private final CompletableFuture<Process> started = new CompletableFuture<>(); // a signal may come before

    ChildProcess(List<String> command, ClientLog log, PrintStream screen) {
        this.command = command;
        this.log = log;
        this.screen = screen;
    }

    /** Runs the client to its end, and exits with its status: this does not return. */
    void run(Options options, Proxy proxy, String url) {
        var client = new ProcessBuilder(WindowsProgram.onThisSystem(command)).inheritIO();
        connect(client.environment(), options, proxy, url);
        Runtime.getRuntime().addShutdownHook(new Thread(this::end));
        try {
            started.complete(client.start());
            started.join().onExit().join();
            System.exit(0); // runs end(), which has the status
        } catch (IOException e) {
            String cannot = "a2o: cannot run %s: is it installed, on the PATH, and executable?%s%n";
            screen.printf(cannot, command.getFirst(), installation(command.getFirst()));
            log.removeIfTemporary();
            Runtime.getRuntime().halt(CANNOT_BE_RUN);
        }
    }

    private static String installation(String program) {
        return program.equals("claude") ? " To install it: npm install -g @anthropic-ai/claude-code" : "";
    }

    /** Makes the client use the proxy, with the window of its model. */
    private static void connect(Map<String, String> environment, Options options, Proxy proxy, String url) {
        environment.keySet().removeIf(name -> name.startsWith("A2O_")); // keys, which its tools would see
        String asked = ClientVariables.model(options, environment).orElse("");
        String key = options.hasAuthKeys() ? "" : ClientVariables.token(options, environment);
        ClientVariables.putInto(environment, options, url, proxy.askWindow(asked, key));
        avoidHttpProxy(environment, options.host());
    }

    /** Adds A2o's host to NO_PROXY: where HTTPS_PROXY is set, the client would look for A2o behind that. */
    private static void avoidHttpProxy(Map<String, String> environment, String host) {
        String direct = environment.getOrDefault("no_proxy", environment.getOrDefault("NO_PROXY", ""));
        if (direct.equals("*")) return;
        String both = direct.isEmpty() ? host : direct + "," + host;
        environment.put("NO_PROXY", both);
        environment.put("no_proxy", both);
    }

    /**
     * Ends when the client does, with its status. TERM and HUP are passed on to it, each time they come; INT
     * is not, since a terminal sends it to the client as well.
     */
    private void end() {
        Process client = started.join();
        long passed = 0;
        while (client.isAlive()) {
            long come = Signals.waiting(List.of("TERM", "HUP"));
            if (come > passed) client.destroy();
            passed = come;
            LockSupport.parkNanos(POLL_NANOS);
        }
        int status = client.exitValue(); // 128 and more if a signal has ended it
        if (status == 0) {
            log.removeIfTemporary();
        } else {
            screen.printf("a2o: %s ended with status %d; log: %s%n", command.getFirst(), status, log.name());
        }
        Runtime.getRuntime().halt(status);
    }
}
