package testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A backend that does as told: each request is answered by a script, which has the socket in its hands and so can
 * pause, break off or say what no HTTP server would. It uses no class of {@code src/}. A virtual thread serves each
 * connection.
 */
public final class Backend implements AutoCloseable {
    public static final String FINISH =
            "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}";
    public static final String USAGE =
            "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}";
    public static final String ROLE =
            "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}";

    /** What to do with a request; an IOException is taken for the proxy's leaving, any other failure fails the test. */
    public interface Script {
        void answer(Call call) throws Exception;
    }

    private static final Socket TAKEN = new Socket(); // a port that is bound, and that nobody listens on

    /** {@return a port that refuses connections, and that nobody else gets} */
    public static synchronized int deadPort() throws IOException {
        if (!TAKEN.isBound()) TAKEN.bind(new InetSocketAddress("127.0.0.1", 0));
        return TAKEN.getLocalPort();
    }

    private final ServerSocket server = new ServerSocket(0, 200, InetAddress.getByName("127.0.0.1"));
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<Call> received = new LinkedBlockingQueue<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger active = new AtomicInteger();
    private final AtomicInteger mostActive = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private BlockingQueue<Script> scripts = new LinkedBlockingQueue<>();

    public Backend() throws IOException {
        answers(saying("Hello", " there"));
        Thread.ofVirtual().start(this::accept);
    }

    /** From now on each request takes the next script, all after the last one the last. */
    public synchronized Backend answers(Script... scripts) {
        this.scripts = new LinkedBlockingQueue<>(List.of(scripts));
        return this;
    }

    /** {@return a script that says {@code words}, one a chunk, streamed or whole as the request wants it} */
    public static Script saying(String... words) {
        return call -> {
            if (call.text().contains("\"stream\":true")) {
                call.events().data(ROLE);
                for (String word : words) call.data(chunk(word));
                call.data(FINISH, USAGE, "[DONE]").end();
            } else {
                call.reply(200, "application/json", completion(String.join("", words)));
            }
        };
    }

    /** {@return a script that answers with an error in OpenAI's shape} */
    public static Script refusing(int status, String message, String... headers) {
        String body = "{\"error\":{\"message\":\"%s\"}}".formatted(message);
        return call -> call.reply(status, "application/json", body, headers);
    }

    public static String chunk(String content) {
        return "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}".formatted(content);
    }

    public static String completion(String content) {
        return """
                {"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop",
                "message":{"role":"assistant","content":"%s"}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}
                """.formatted(content);
    }

    public URI url() {
        return URI.create("http://127.0.0.1:%d/v1/chat/completions".formatted(server.getLocalPort()));
    }

    /** {@return the oldest request that has not been taken yet, waiting for it if need be} */
    public Call take() throws InterruptedException {
        Call call = received.poll(Tasks.WAIT_SECONDS, TimeUnit.SECONDS);
        if (call == null) throw new AssertionError("no request has come");
        return call;
    }

    public int connections() {
        return connections.get();
    }

    public int requests() {
        return requests.get();
    }

    /** {@return how many requests were being answered at once, at most} */
    public int mostActive() {
        return mostActive.get();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) socket.close();
        if (failure.get() != null) throw new AssertionError("a script has failed", failure.get());
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                connections.incrementAndGet();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException closed) {
            // the end of the test
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            boolean more = true;
            while (more) {
                socket.setSoTimeout(Tasks.WAIT_SECONDS * 1000);
                var call = new Call(socket, in);
                requests.incrementAndGet();
                Script script = script(); // before anybody can know of the call, and so give other scripts for the next
                received.add(call);
                mostActive.accumulateAndGet(active.incrementAndGet(), Math::max);
                try {
                    script.answer(call);
                } finally {
                    active.decrementAndGet();
                }
                more = call.ended;
            }
        } catch (IOException left) {
            // the proxy has closed the connection, or the script has
        } catch (Exception | AssertionError e) {
            failure.compareAndSet(null, e);
        } finally {
            open.remove(socket);
        }
    }

    private synchronized Script script() {
        return scripts.size() > 1 ? scripts.remove() : scripts.element();
    }

    /** A request, and the means to answer it. What is not ended by the script is cut when the script returns. */
    public static final class Call {
        private final String line;
        private final Map<String, String> headers;
        private final byte[] body;
        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;
        private boolean chunked;
        private boolean ended; // another request may follow

        private Call(Socket socket, InputStream in) throws IOException {
            this.socket = socket;
            this.in = in;
            this.out = socket.getOutputStream();
            this.line = line(in);
            this.headers = headers(in);
            this.body = body(in, headers);
        }

        public String line() {
            return line;
        }

        /** {@return the headers, their names in lower case} */
        public Map<String, String> headers() {
            return headers;
        }

        public byte[] body() {
            return body;
        }

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        /** A whole reply with its length; {@code headers} as "name: value". */
        public void reply(int status, String contentType, String body, String... headers) throws IOException {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            raw(head(status, contentType, headers) + "content-length: %d\r\n\r\n".formatted(bytes.length));
            out.write(bytes);
            ended = true;
        }

        /** Begins a chunked event stream. */
        public Call events(String... headers) throws IOException {
            chunked = true;
            return raw(head(200, "text/event-stream", headers) + "transfer-encoding: chunked\r\n\r\n");
        }

        /** Begins a body that ends when the connection does. */
        public Call unbounded(String contentType) throws IOException {
            return raw(head(200, contentType) + "connection: close\r\n\r\n");
        }

        /** Sends each of {@code events} by itself. */
        public Call data(String... events) throws IOException {
            for (String event : events) write("data: " + event + "\n\n");
            return this;
        }

        /** Sends a piece of the body. */
        public Call write(String text) throws IOException {
            int length = text.getBytes(StandardCharsets.UTF_8).length;
            return raw(chunked ? "%x\r\n%s\r\n".formatted(length, text) : text);
        }

        public Call raw(String bytes) throws IOException {
            out.write(bytes.getBytes(StandardCharsets.UTF_8));
            return this;
        }

        /** Sends these bytes in one write. */
        public Call raw(byte[] bytes, int from, int to) throws IOException {
            out.write(bytes, from, to - from);
            return this;
        }

        /** Ends a chunked body as it should be. */
        public void end() throws IOException {
            raw("0\r\n\r\n").keep();
        }

        /** Leaves the connection open for another request. */
        public void keep() {
            ended = true;
        }

        /** Cuts the connection in the hard way; returning from the script does it in the soft way. */
        public void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        /** Waits until the proxy closes the connection. */
        public void awaitLeft() throws IOException {
            if (!isLeft(Tasks.WAIT_SECONDS * 1000)) throw new AssertionError("the proxy keeps the connection open");
        }

        /** {@return whether the proxy has closed the connection, or closes it within that time} */
        public boolean isLeft(int millis) throws IOException {
            try {
                socket.setSoTimeout(millis);
                return in.read() < 0;
            } catch (SocketTimeoutException stillThere) {
                return false;
            } catch (IOException reset) {
                return true;
            }
        }

        private static String head(int status, String contentType, String... headers) {
            var head = new StringBuilder("HTTP/1.1 %d As told\r\n".formatted(status));
            if (!contentType.isEmpty()) head.append("content-type: ").append(contentType).append("\r\n");
            for (String header : headers) head.append(header).append("\r\n");
            return head.toString();
        }

        private static String line(InputStream in) throws IOException {
            var line = new ByteArrayOutputStream();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) throw new EOFException();
                if (b != '\r') line.write(b);
            }
            return line.toString(StandardCharsets.ISO_8859_1);
        }

        private static Map<String, String> headers(InputStream in) throws IOException {
            Map<String, String> headers = new LinkedHashMap<>();
            for (String line = line(in); !line.isEmpty(); line = line(in)) {
                String[] parts = line.split(":", 2);
                headers.merge(parts[0].toLowerCase(Locale.ROOT), parts[1].strip(), (a, b) -> a + ", " + b);
            }
            return headers;
        }

        private static byte[] body(InputStream in, Map<String, String> headers) throws IOException {
            if (!headers.containsKey("transfer-encoding")) {
                return exactly(in, Integer.parseInt(headers.getOrDefault("content-length", "0")));
            }
            var body = new ByteArrayOutputStream();
            for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
                body.write(exactly(in, size));
                line(in);
            }
            line(in);
            return body.toByteArray();
        }

        private static byte[] exactly(InputStream in, int length) throws IOException {
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) throw new EOFException();
            return bytes;
        }
    }
}
