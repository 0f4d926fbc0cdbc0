import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * A load generator: {@code java test/bench/Load.java} reads a line {@code PORT LOAD CONNECTIONS SECONDS} for each run, and
 * answers with a line of figures. A connection sends its next request when the reply to the last has ended, and been
 * looked at: whether all of it has come. The loads: small (a whole reply), stream (100 events of text), tool (100 of a call's
 * arguments), agent (188 KB of request), long (1.2 MB); and paced, where each connection asks for one stream of that many seconds.
 */
final class Load {
    private static final int GRACE_SECONDS = 15; // for what runs at the end of a run
    private static final int PACED_EVENTS = 50; // a second
    private static final int TOOLS = 20;
    private static final byte[] FOX = "fox".getBytes(StandardCharsets.US_ASCII), DATA = "data:".getBytes(StandardCharsets.US_ASCII);
    private static final int FOXES = 11; // every ninth piece of the mock's 100 is this word, from the fourth on
    private static final String[] WORDS =
            "the agent reads a file then edits it and runs tests while keeping notes of what it saw in src main".split(" ");
    private static final String WRITE = """
            "tools":[{"name":"Write","description":"Writes a file.","input_schema":{"type":"object",\
            "properties":{"content":{"type":"string"}},"required":["content"]}}],""";
    private static final String[] GAPS = {" ", " ", "\\n", "\\\"", " \u00e9 ", "\\t"}; // as they stand in JSON

    public static void main(String[] args) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            int port = Integer.parseInt(words[0]), connections = Integer.parseInt(words[2]);
            System.out.println(run(port, words[1], connections, Double.parseDouble(words[3])));
        }
    }

    private static String run(int port, String load, int connections, double seconds) throws InterruptedException {
        byte[] body = body(load, seconds).getBytes(StandardCharsets.UTF_8);
        byte[] head = """
                POST /v1/messages HTTP/1.1\r
                Host: 127.0.0.1:%d\r
                Content-Type: application/json\r
                x-api-key: k\r
                anthropic-version: 2023-06-01\r
                Content-Length: %d\r
                \r
                """.formatted(port, body.length).getBytes(StandardCharsets.UTF_8);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        int pacedEvents = load.equals("paced") ? (int) (seconds * PACED_EVENTS) : 0;
        long begin = System.nanoTime(), end = pacedEvents > 0 ? begin : begin + (long) (seconds * 1e9);
        var run = new Run(port, request, load.equals("small") ? 1 : FOXES, pacedEvents, end);
        List<Client> clients = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            clients.add(new Client(run));
            threads.add(Thread.ofPlatform().daemon().start(clients.get(i)));
            if (pacedEvents > 0) TimeUnit.MILLISECONDS.sleep(1); // not all at the same moment
        }
        long limit = begin + (long) ((seconds + GRACE_SECONDS) * 1e9);
        for (int i = 0; i < connections; i++) {
            threads.get(i).join(Math.max(1, (limit - System.nanoTime()) / 1_000_000));
            if (threads.get(i).isAlive()) clients.get(i).abort();
        }
        clients.stream().map(client -> client.problem).filter(problem -> !problem.isEmpty()).limit(1)
                .forEach(System.err::println);
        long requests = clients.stream().mapToLong(client -> client.times.size()).sum();
        long events = clients.stream().mapToLong(client -> client.events).sum();
        double took = clients.stream().mapToLong(client -> client.ended).max().orElse(begin) - begin;
        return "requests=%d errors=%d rate=%f events=%d eventrate=%f".formatted(requests,
                clients.stream().mapToLong(client -> client.errors).sum(), requests * 1e9 / took, events, events * 1e9 / took)
                + quantiles("", 1e-6, clients, client -> client.times, 1)
                + quantiles("first", 1e-6, clients, client -> client.times, 0)
                + quantiles("late", 1e-3, clients, client -> client.late, 0);
    }

    private static String quantiles(String name, double unit, List<Client> clients, Function<Client, List<long[]>> values,
                                    int at) {
        long[] all = clients.stream().flatMap(client -> values.apply(client).stream())
                .mapToLong(value -> value[at]).sorted().toArray();
        if (all.length == 0) return "";
        return " %1$sp50=%2$f %1$sp99=%3$f %1$smax=%4$f".formatted(name, all[(all.length - 1) / 2] * unit,
                all[(all.length - 1) * 99 / 100] * unit, all[all.length - 1] * unit);
    }

    /**
     * What all connections of a run do: send that request, until that time; each reply has that word so many times or, if
     * paced, so many events.
     */
    private record Run(int port, byte[] request, int foxes, int pacedEvents, long end) { }

    /** One connection, and what it has seen. */
    private static final class Client implements Runnable {
        private final Run run;
        private final List<long[]> times = new ArrayList<>(); // ns to the first byte of the reply's body, and to its end
        private final List<long[]> late = new ArrayList<>(); // microseconds by which an event came after it was due
        private long events, errors;
        private String problem = ""; // the first
        private volatile long ended; // when the last reply had come
        private volatile boolean isAborted;
        private volatile Socket socket;
        private InputStream in;
        private byte[] body = new byte[65536]; // of the reply, without its chunks
        private int size, searched;

        private Client(Run run) { this.run = run; }

        @Override
        public void run() {
            do {
                try {
                    exchange();
                } catch (IOException | RuntimeException e) {
                    if (errors++ == 0) problem = e.toString();
                    close();
                    LockSupport.parkNanos(10_000_000); // or a dead server would be asked without end
                }
                ended = System.nanoTime();
            } while (ended < run.end && !isAborted);
            close();
        }

        private void exchange() throws IOException {
            if (socket == null) {
                socket = new Socket(InetAddress.getLoopbackAddress(), run.port);
                socket.setTcpNoDelay(true);
                in = new BufferedInputStream(socket.getInputStream(), 16384);
            }
            int known = late.size();
            size = searched = 0;
            long begin = System.nanoTime();
            socket.getOutputStream().write(run.request);
            String status = line();
            int length = -1;
            for (String line = line(); !line.isEmpty(); line = line()) {
                String header = line.toLowerCase(Locale.ROOT);
                if (header.startsWith("content-length:")) length = Integer.parseInt(header.substring(15).strip());
            }
            in.mark(1);
            in.read();
            long first = System.nanoTime();
            in.reset();
            if (length >= 0) {
                take(length);
            } else {
                for (int chunk; (chunk = Integer.parseInt(line(), 16)) > 0; line()) take(chunk);
                line();
            }
            long last = System.nanoTime();
            String tail = new String(body, Math.max(0, size - 60), Math.min(60, size), StandardCharsets.ISO_8859_1);
            boolean isWhole = length >= 0 ? tail.endsWith("}") : tail.matches("(?s).*(message_stop\"}|\\[DONE])\\s*");
            boolean isComplete = run.pacedEvents == 0 ? count(FOX) == run.foxes : late.size() - known == run.pacedEvents;
            if (!status.startsWith("HTTP/1.1 200 ") || !isWhole || !isComplete) throw new IOException(status + " … " + tail);
            times.add(new long[] {first - begin, last - begin});
            events += count(DATA);
        }

        /** {@return how often that is in the reply} */
        private int count(byte[] word) {
            int count = 0;
            for (int i = 0; i <= size - word.length; i++) {
                if (body[i] == word[0] && Arrays.equals(body, i, i + word.length, word, 0, word.length)) count++;
            }
            return count;
        }

        private String line() throws IOException {
            var line = new StringBuilder();
            for (int c = in.read(); c != '\n'; c = in.read()) {
                if (c < 0) throw new EOFException();
                if (c != '\r') line.append((char) c);
            }
            return line.toString();
        }

        private void take(int length) throws IOException {
            if (size + length > body.length) body = Arrays.copyOf(body, (size + length) * 2);
            if (in.readNBytes(body, size, length) < length) throw new EOFException();
            size += length;
            if (run.pacedEvents > 0) readStamps();
        }

        /** Looks for the mock's @ and the 16 digits of the microsecond at which the event was due. */
        private void readStamps() {
            Instant now = Instant.now();
            long micros = now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
            for (; searched < size && (body[searched] != '@' || searched + 17 <= size); searched++) {
                if (body[searched] != '@') continue;
                String due = new String(body, searched + 1, 16, StandardCharsets.ISO_8859_1);
                late.add(new long[] {micros - Long.parseLong(due)});
            }
        }

        private void abort() {
            isAborted = true;
            close();
        }

        private void close() {
            Socket last = socket;
            socket = null;
            try {
                if (last != null) last.close();
            } catch (IOException e) {
                // does not matter: what was to be read has been read
            }
        }
    }

    /** {@return a request of the shape that Claude Code sends: agent about 188 KB, long about 1.2 MB; or a small one} */
    private static String body(String load, double seconds) {
        int events = load.equals("paced") ? (int) (seconds * PACED_EVENTS) : 100;
        int turns = load.equals("agent") ? 40 : load.equals("long") ? 400 : 0;
        boolean isOfMock = load.equals("paced") || load.equals("tool"); // models of the mock's
        String head = "{\"model\":\"%s\",\"max_tokens\":%d,\"stream\":%b,".formatted(
                isOfMock ? load : "claude-sonnet-4-5", events, !load.equals("small"));
        if (load.equals("tool")) head += WRITE;
        if (turns == 0) return head + "\"messages\":[{\"role\":\"user\",\"content\":\"Say hi.\"}]}";
        var random = new Random(7);
        var body = new StringBuilder(head);
        body.append("\"temperature\":1,\"metadata\":{\"user_id\":\"u1\"},\"system\":[{\"type\":\"text\",\"text\":\"")
                .append(text(random, 13500)).append("\",\"cache_control\":{\"type\":\"ephemeral\"}}],\"tools\":[");
        for (int i = 0; i < TOOLS; i++) body.append(i == 0 ? "" : ",").append(tool(random, i));
        body.append("],\"messages\":[{\"role\":\"user\",\"content\":\"").append(text(random, 400)).append("\"}");
        for (int i = 0; i < turns; i++) body.append(turn(random, i));
        return body.append("]}").toString();
    }

    private static String tool(Random random, int number) {
        var properties = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            properties.append("%s\"arg_%d\":{\"type\":\"%s\",\"description\":\"%s\"}".formatted(i == 0 ? "" : ",", i,
                    List.of("string", "number", "boolean").get(random.nextInt(3)), text(random, 120)));
        }
        return """
                {"name":"Tool%d","description":"%s","input_schema":{"$schema":"http://json-schema.org/draft-07/schema#",\
                "type":"object","properties":{%s},"required":["arg_0"],"additionalProperties":false}}\
                """.formatted(number, text(random, 1500), properties);
    }

    private static String turn(Random random, int number) {
        return """
                ,{"role":"assistant","content":[{"type":"thinking","thinking":"%s","signature":"c2ln"},{"type":"text","text":"%s"},\
                {"type":"tool_use","id":"toolu_%04d","name":"Tool%d","input":{"arg_0":"%s","arg_1":%3$d}}]},\
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%3$04d","content":[{"type":"text","text":"%s"}]}]}\
                """.formatted(text(random, 300), text(random, 200), number, number % TOOLS, text(random, 200), text(random, 1500));
    }

    /** {@return text of about so many characters, as it stands in JSON} */
    private static String text(Random random, int length) {
        var text = new StringBuilder();
        for (int size = 0; size < length; ) {
            String word = WORDS[random.nextInt(WORDS.length)], gap = GAPS[random.nextInt(GAPS.length)];
            text.append(word).append(gap);
            size += word.length() + (gap.startsWith("\\") ? 1 : gap.length()); // as characters, not as they are escaped
        }
        return text.toString();
    }
}
