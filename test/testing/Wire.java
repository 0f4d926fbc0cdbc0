package testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A client on a bare socket: it sees every byte, can leave at any time, and no wait is without end. It is not
 * {@code java.net.http}, since what a test loads of that first would not be set up by the proxy.
 */
public final class Wire implements AutoCloseable {
    /** An event of a stream, its data as a {@link Tree}. */
    public record Event(String name, Object data) {
        public String text(String path) {
            return String.valueOf(Tree.at(data, path));
        }
    }

    /** A reply: names of headers in lower case, chunks put together. */
    public record Reply(int status, Map<String, String> headers, String body) {
        public Object json() {
            return Tree.of(body);
        }

        public String text(String path) {
            return String.valueOf(Tree.at(json(), path));
        }

        /** {@return the events but for pings; fails on anything that clients would not read as they should} */
        public List<Event> events() {
            if (!body.isEmpty() && !body.endsWith("\n\n")) throw new AssertionError("the end is not ended: " + body);
            List<Event> events = new ArrayList<>();
            for (String event : body.isEmpty() ? new String[0] : body.split("\n\n")) {
                String[] lines = event.split("\n", -1);
                if (lines.length != 2 || !lines[0].startsWith("event: ") || !lines[1].startsWith("data: {")) {
                    throw new AssertionError("not an event line and a data line: " + event);
                }
                var read = new Event(lines[0].substring(7), Tree.of(lines[1].substring(6)));
                if (!read.name.equals(read.text("type"))) throw new AssertionError("name and type differ: " + event);
                if (!read.name.equals("ping")) events.add(read);
            }
            return events;
        }

        /** {@return the text of a message, from its events if it is a stream} */
        public String said() {
            if (!headers.get("content-type").startsWith("text/event-stream")) return text("content.0.text");
            var said = new StringBuilder();
            for (Event event : events()) {
                if (event.name.equals("content_block_delta")) said.append(event.text("delta.text"));
            }
            return said.toString();
        }

        /** {@return the names of the events, in one line} */
        public String names() {
            return events().stream().map(Event::name).collect(Collectors.joining(" "));
        }

        /** {@return the stream's last event; "message_stop" says that all is well} */
        public Event last() {
            return events().getLast();
        }
    }

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private boolean isHead;
    private int status;
    private Map<String, String> headers = Map.of();

    public Wire(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(Tasks.WAIT_SECONDS * 1000);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** One request over a connection of its own; {@code headers} as "name: value". */
    public static Reply ask(int port, String method, String path, byte[] body, String... headers)
            throws IOException {
        try (var wire = new Wire(port)) {
            return wire.head(method, path, "content-length: " + body.length, headers).write(body).reply();
        }
    }

    public static Reply post(int port, String body, String... headers) throws IOException {
        return ask(port, "POST", "/v1/messages", body.getBytes(StandardCharsets.UTF_8), headers);
    }

    /** {@return all that comes on a connection of its own until the proxy closes it, a byte a character} */
    public static String all(int port, byte[] sent) throws IOException {
        try (var wire = new Wire(port)) {
            return new String(wire.write(sent).in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    /** Sends a request but for its body; {@code length} is the header that says how that is sent. */
    public Wire head(String method, String path, String length, String... headers) throws IOException {
        isHead = method.equals("HEAD");
        String host = "host: 127.0.0.1:" + socket.getPort();
        var head = new StringBuilder("%s %s HTTP/1.1\r\n%s\r\n%s\r\n".formatted(method, path, host, length));
        for (String header : headers) head.append(header).append("\r\n");
        return write(head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Sends a whole request for a message. */
    public Wire message(String json, String... headers) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        return head("POST", "/v1/messages", "content-length: " + bytes.length, headers).write(bytes);
    }

    public Wire write(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
        return this;
    }

    /** Reads the reply to its end. */
    public Reply reply() throws IOException {
        begin();
        if (isHead || status == 204) return taken();
        if (headers.containsKey("content-length")) {
            body.write(exactly(Integer.parseInt(headers.get("content-length"))));
        } else {
            boolean more = true;
            while (more) more = chunk();
        }
        return taken();
    }

    /** Reads a reply up to {@code text}, and no further than the chunk that holds it. */
    public Reply until(String text) throws IOException {
        begin();
        while (!body.toString(StandardCharsets.UTF_8).contains(text)) {
            if (!chunk()) throw new AssertionError("no '%s' in: %s".formatted(text, body));
        }
        return new Reply(status, headers, body.toString(StandardCharsets.UTF_8));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** Reads the status and the headers. */
    public void begin() throws IOException {
        if (status != 0) return;
        status = Integer.parseInt(line().split(" ")[1]);
        headers = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            String[] parts = line.split(":", 2);
            headers.merge(parts[0].toLowerCase(Locale.ROOT), parts[1].strip(), (a, b) -> a + ", " + b);
        }
    }

    private Reply taken() {
        var reply = new Reply(status, headers, body.toString(StandardCharsets.UTF_8));
        status = 0;
        body.reset();
        return reply;
    }

    /** {@return whether there was another chunk} */
    private boolean chunk() throws IOException {
        int size = Integer.parseInt(line(), 16);
        body.write(exactly(size));
        line();
        return size > 0;
    }

    private String line() throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) throw new EOFException("the proxy has closed the connection");
            if (b != '\r') line.write(b);
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    private byte[] exactly(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) throw new EOFException("the proxy has closed the connection");
        return bytes;
    }
}
