import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A backend without a model, for measuring proxies: {@code java test/bench/Mock.java PORT}. It answers every POST, in
 * the form of OpenAI chat completions: with a whole reply or, if {@code stream} is true, with {@code max_tokens} events,
 * all in one write; from the model {@code paced} in steps of {@link #GAP_MICROS}, each with the time at which it was due.
 */
final class Mock {
    private static final int GAP_MICROS = 20_000; // 50 events/s
    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: ";
    private static final String STREAM_HEAD = HEAD + "text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String CHUNK = "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
            + "\"created\":1700000000,\"model\":\"mock\",\"choices\":[";
    private static final String USAGE = "\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":100,"
            + "\"total_tokens\":1100,\"prompt_tokens_details\":{\"cached_tokens\":640}}}";
    private static final String[] WORDS = {" the", " quick", " brown", " fox", " jumps", " over", " it", " all", ".\\n"};
    private static final String REPLY = "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
            + "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
            + "\"The quick brown fox jumps over the lazy dog.\"},\"finish_reason\":\"stop\"}]," + USAGE;
    private static final byte[] WHOLE =
            bytes(HEAD + "application/json\r\nContent-Length: " + REPLY.length() + "\r\n\r\n" + REPLY);
    private static final Map<Integer, byte[]> BURSTS = new ConcurrentHashMap<>();
    private static final LinkedBlockingQueue<Paced> PACED = new LinkedBlockingQueue<>(); // the next that is due first

    /** A paced stream, how many events are still to come and when the next is due; {@code end} is told of its end. */
    private record Paced(OutputStream out, int events, long dueMicros, CompletableFuture<Void> end) { }

    public static void main(String[] args) throws IOException {
        ProcessHandle.current().parent().ifPresent(parent -> parent.onExit().thenRun(() -> System.exit(0)));
        Thread.ofPlatform().daemon().start(Mock::pace);
        try (var server = new ServerSocket(Integer.parseInt(args[0]), 1024, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            var in = new BufferedInputStream(socket.getInputStream(), 65536);
            while (true) answer(request(in), socket.getOutputStream());
        } catch (IOException gone) {
            // the client left: as it should at the end of a run; the load generator counts the errors
        }
    }

    /** {@return the body of the next request} Its length must be told; chunks are not understood. */
    private static String request(InputStream in) throws IOException {
        int length = -1;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            String header = line.toLowerCase(Locale.ROOT);
            if (header.startsWith("content-length:")) length = Integer.parseInt(header.substring(15).strip());
        }
        if (length < 0) throw new IOException("no content-length");
        return new String(in.readNBytes(length), StandardCharsets.ISO_8859_1); // for searching alone
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) throw new EOFException();
            if (c != '\r') line.append((char) c);
        }
        return line.toString();
    }

    private static void answer(String request, OutputStream out) throws IOException {
        if (!request.contains("\"stream\":true")) {
            out.write(WHOLE);
            return;
        }
        int at = request.indexOf("\"max_tokens\":") + 13, after = at;
        while (Character.isDigit(request.charAt(after))) after++;
        int events = Integer.parseInt(request, at, after, 10);
        if (request.contains("\"model\":\"paced\"")) {
            out.write(bytes(STREAM_HEAD));
            var paced = new Paced(out, events, now() + GAP_MICROS, new CompletableFuture<>());
            PACED.add(paced);
            paced.end.join();
        } else {
            out.write(BURSTS.computeIfAbsent(events, Mock::burst));
        }
    }

    private static byte[] burst(int events) {
        var reply = new StringBuilder(STREAM_HEAD);
        for (int i = 0; i < events; i++) reply.append(event(WORDS[i % WORDS.length]));
        return bytes(reply.append(end()).toString());
    }

    /** Serves all paced streams: as all have one gap, those that wait stand in the order in which they are due. */
    private static void pace() {
        while (true) {
            try {
                Paced next = PACED.take();
                for (long early; (early = next.dueMicros - now()) > 0; ) TimeUnit.MICROSECONDS.sleep(early);
                try {
                    next.out.write(bytes(event(" @" + next.dueMicros) + (next.events == 1 ? end() : "")));
                } catch (IOException gone) {
                    next = new Paced(next.out, 1, 0, next.end);
                }
                long dueMicros = next.dueMicros + GAP_MICROS;
                if (next.events > 1) PACED.add(new Paced(next.out, next.events - 1, dueMicros, next.end));
                else next.end.complete(null);
            } catch (InterruptedException never) {
                return;
            }
        }
    }

    private static long now() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    }

    private static String event(String text) {
        return chunk(CHUNK + "{\"index\":0,\"delta\":{\"content\":\"" + text + "\"},\"finish_reason\":null}]}");
    }

    private static String end() {
        return chunk(CHUNK + "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}")
                + chunk(CHUNK + "]," + USAGE) + chunk("[DONE]") + "0\r\n\r\n";
    }

    private static String chunk(String data) { return "%x\r\ndata: %s\n\n\r\n".formatted(data.length() + 8, data); }

    private static byte[] bytes(String text) { return text.getBytes(StandardCharsets.ISO_8859_1); }
}
