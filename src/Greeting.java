import config.Options;
import config.Route;
import config.Target;
import java.util.stream.Collectors;
import serve.ClientVariables;
import serve.Proxy;
import serve.Terminal;
import translate.Dialect;
import upstream.Credentials;

/**
 * What A2o prints when it listens: where, whose key each backend gets, how clients connect, how to stop it;
 * never a key.
 */
final class Greeting {
    private static final String SAY_HI = """
            {"model":"any","max_tokens":100,"messages":[{"role":"user","content":"Say hi."}]}""";

    private final Options options;
    private final Proxy proxy;
    private final String url;

    /** @param url where the proxy listens */
    Greeting(Options options, Proxy proxy, String url) {
        this.options = options;
        this.proxy = proxy;
        this.url = url;
    }

    void print() {
        Route route = options.routes().main();
        String upstreams = options.upstreams().stream().map(this::upstream)
                .collect(Collectors.joining("; then "));
        System.out.printf("a2o %s listens on %s, upstream %s%n", Options.VERSION, url, upstreams);
        System.out.printf("Claude Code:  ANTHROPIC_BASE_URL=%s %s claude%n", url,
                ClientVariables.shown(options, route.context()));
        System.out.printf("curl:         curl %s/v1/messages -H 'x-api-key: %s' -d '%s'%n", url,
                ClientVariables.placeholder(options), SAY_HI);
        System.out.printf("to stop it:   Ctrl-C, or kill %d%n", ProcessHandle.current().pid());
        boolean isAtTerminal = Terminal.isThere();
        boolean isWindowWanted = isAtTerminal && route.context().isEmpty();
        if (isWindowWanted) Thread.ofPlatform().daemon().start(() -> printWindow(route.model()));
    }

    private String upstream(Target target) {
        var credentials = new Credentials(options, target, Dialect.of(target));
        String name = target.name().map(text -> text + " at ").orElse("");
        return "%s%s, which %s".formatted(name, target.address(), credentials.description());
    }

    /** Adds the model's window by the backend's list of models, if it says one. Nothing waits for that. */
    private void printWindow(String model) {
        proxy.askWindow(model, "").ifPresent(window -> System.out.printf(
                "The backend's context window is %d tokens; tell Claude Code by %s%n", window,
                ClientVariables.shownWindow(window)));
    }
}
