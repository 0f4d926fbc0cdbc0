package testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import serve.Proxy;

/** What tests ask a proxy about itself, and the requests that it has something to tell of. */
public final class Inspect {
    public static final String HTML = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    private Inspect() { }

    public static Wire.Reply get(Proxy proxy, String path, String... headers) throws IOException {
        return Wire.ask(proxy.port(), "GET", path, new byte[0], headers);
    }

    public static Wire.Reply ask(Proxy proxy, String model, boolean isStream, String... headers)
            throws IOException {
        return Wire.post(proxy.port(), request(model, isStream), headers);
    }

    public static Wire.Reply status(Proxy proxy) throws IOException {
        return get(proxy, "/status.json");
    }

    /** {@return the status when so many exchanges have ended, which may be after their clients were served} */
    public static Wire.Reply status(Proxy proxy, int requests) throws Exception {
        Tasks.await(() -> number(status(proxy), "counts.requests") == requests, "no %d requests".formatted(requests));
        return status(proxy);
    }

    public static String request(String model, boolean isStream) {
        return """
                {"model":"%s","max_tokens":9,"temperature":0.5,"stream":%s,
                "messages":[{"role":"user","content":"hi PROMPT-MARK"}]}""".formatted(model, isStream);
    }

    public static double number(Wire.Reply reply, String path) {
        return number(Tree.at(reply.json(), path));
    }

    public static double number(Object json) {
        return Double.parseDouble(((Tree.Num) json).text());
    }

    /** {@return a proxy with five exchanges: three went well, one was refused, one was tried three times in vain} */
    public static Proxy seasoned(Backend backend, String... args) throws Exception {
        Backend.Script down = Backend.refusing(503, "out of order");
        backend.answers(Backend.saying("one", " two"), Backend.saying("one"), Backend.saying("one"),
                Backend.refusing(401, "no such key"), down, down, down, Backend.saying("again"));
        Proxy proxy = Proxies.before(backend, args);
        for (int i = 1; i <= 3; i++) {
            assertEquals(200, ask(proxy, "good", i != 2).status());
            status(proxy, i); // so that they are in order
        }
        assertEquals(args.length == 0 ? 401 : 500, ask(proxy, "bad", true).status()); // 500: it was the proxy's key
        status(proxy, 4);
        assertEquals(529, ask(proxy, "bad", true).status());
        status(proxy, 5);
        return proxy;
    }
}
