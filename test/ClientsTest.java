import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Clients that are slow, that send too much or read too little: they are borne with or cut, and others are served. */
class ClientsTest {
    private static final String BODY = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";

    /** Connections that have sent as much as they will. */
    private static final class Crowd implements AutoCloseable {
        private final List<Socket> sockets = new ArrayList<>();

        private void join(Proxy proxy, int size, String sent) throws IOException {
            for (int i = 0; i < size; i++) {
                var socket = new Socket("127.0.0.1", proxy.port());
                sockets.add(socket);
                socket.getOutputStream().write(sent.getBytes(StandardCharsets.ISO_8859_1));
            }
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : sockets) socket.close();
        }
    }

    private static Proxy proxy(Backend backend, String... args) throws Exception {
        List<String> all = new ArrayList<>(List.of("--port", "0", "--upstream", backend.url().toString()));
        all.addAll(List.of(args));
        var proxy = new Proxy(Options.of(Options.read(all.toArray(new String[0]), Map.of())));
        proxy.start();
        return proxy;
    }

    private static void assertServed(Proxy proxy) throws IOException {
        assertEquals(200, Wire.ask(proxy.port(), "GET", "/health", new byte[0]).status());
        assertEquals(200, Wire.post(proxy.port(), BODY).status());
    }

    @Test
    void manySlowClientsHoldUpNobody() throws Exception {
        int many = Runtime.getRuntime().availableProcessors() * 2 + 8;
        String head = "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n";
        try (var backend = new Backend(); var proxy = proxy(backend); var slow = new Crowd()) {
            slow.join(proxy, many, "P");
            slow.join(proxy, many, "POST / HTTP/1.1\r\nHo");
            slow.join(proxy, many, head + "{");
            assertServed(proxy);
        }
    }
}
