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
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A backend without a model, for measuring proxies: {@code java test/bench/Mock.java PORT}. It answers every POST, in
 * the form of OpenAI chat completions or, if the request has {@code max_output_tokens}, of the Responses API: with a whole
 * reply or, if {@code stream} is true, with 100 events, all in one write. The model {@code tool} calls a tool, with 100 pieces
 * of arguments. The model {@code paced}, in chat alone, sends as many events as tokens are allowed, one each
 * {@link #GAP_MICROS}, each with the time at which it was due.
 */
final class Mock {
    private static final int GAP_MICROS = 20_000; // 50 events/s
    private static final int EVENTS = 100; // of a stream that is not paced
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
    private static final byte[] WHOLE = whole(REPLY);
    private static final String RESPONSE = "{\"id\":\"resp_bench\",\"object\":\"response\",\"created_at\":1700000000,"
            + "\"status\":\"%s\",\"error\":null,\"incomplete_details\":null,\"model\":\"mock\",\"output\":[%s],";
    private static final String RESPONSE_USAGE = "\"usage\":{\"input_tokens\":1000,\"input_tokens_details\":"
            + "{\"cached_tokens\":640},\"output_tokens\":100,\"output_tokens_details\":{\"reasoning_tokens\":0},"
            + "\"total_tokens\":1100}}";
    private static final String MESSAGE = "{\"id\":\"msg_bench\",\"type\":\"message\",\"status\":\"completed\","
            + "\"role\":\"assistant\",\"content\":[%s]}";
    private static final String PART = "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"%s\"}";
    private static final byte[] WHOLE_RESPONSE = whole(RESPONSE.formatted("completed",
            MESSAGE.formatted(PART.formatted("The quick brown fox jumps over the lazy dog."))) + RESPONSE_USAGE);
    private static final String CALL = "{\"id\":\"fc_bench\",\"type\":\"function_call\",\"status\":\"%s\","
            + "\"call_id\":\"call_bench\",\"name\":\"Write\",\"arguments\":\"%s\"}";
    private static final byte[] CHAT_TEXT = chatText(), CHAT_CALL = chatCall();
    private static final byte[] RESPONSES_TEXT = responsesText(), RESPONSES_CALL = responsesCall();
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
        boolean isResponses = member(request, "max_output_tokens").isPresent();
        String model = member(request, "model").orElse("");
        if (!member(request, "stream").equals(Optional.of("true"))) {
            out.write(isResponses ? WHOLE_RESPONSE : WHOLE);
        } else if (model.equals("\"paced\"")) {
            out.write(bytes(STREAM_HEAD));
            int events = Integer.parseInt(member(request, "max_tokens").orElseThrow());
            var paced = new Paced(out, events, now() + GAP_MICROS, new CompletableFuture<>());
            PACED.add(paced);
            paced.end.join();
        } else if (model.equals("\"tool\"")) {
            out.write(isResponses ? RESPONSES_CALL : CHAT_CALL);
        } else {
            out.write(isResponses ? RESPONSES_TEXT : CHAT_TEXT);
        }
    }

    /** {@return the value of the first member of that name, as it stands there} It must not be an object or an array. */
    private static Optional<String> member(String request, String name) {
        String quoted = "\"" + name + "\":";
        int at = request.indexOf(quoted);
        if (at < 0) return Optional.empty();
        int end = at + quoted.length();
        while (request.charAt(end) != ',' && request.charAt(end) != '}') end++;
        return Optional.of(request.substring(at + quoted.length(), end).strip());
    }

    private static byte[] whole(String reply) {
        return bytes(HEAD + "application/json\r\nContent-Length: " + reply.length() + "\r\n\r\n" + reply);
    }

    /** {@return piece number i of the text that is streamed} */
    private static String word(int i) { return WORDS[i % WORDS.length]; }

    /** {@return piece number i of the arguments that are streamed: {"content":"…"}, as a string within JSON} */
    private static String argument(int i) {
        if (i == 0) return "{\\\"content\\\":\\\"";
        return i == EVENTS - 1 ? "\\\"}" : word(i).replace("\\", "\\\\");
    }

    private static String all(IntFunction<String> pieces) {
        return IntStream.range(0, EVENTS).mapToObj(pieces).collect(Collectors.joining());
    }

    private static byte[] chatText() {
        return bytes(STREAM_HEAD + all(i -> event(word(i))) + end("stop"));
    }

    private static byte[] chatCall() {
        String call = "\"tool_calls\":[{\"index\":0,\"id\":\"call_bench\",\"type\":\"function\","
                + "\"function\":{\"name\":\"Write\",\"arguments\":\"\"}}]";
        String more = "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"%s\"}}]";
        return bytes(STREAM_HEAD + delta("\"role\":\"assistant\",\"content\":null," + call)
                + all(i -> delta(more.formatted(argument(i)))) + end("tool_calls"));
    }

    private static byte[] responsesText() {
        String part = PART.formatted(all(Mock::word)), item = MESSAGE.formatted(part);
        String begun = MESSAGE.formatted("").replace("completed", "in_progress");
        String at = ",\"item_id\":\"msg_bench\",\"output_index\":0,\"content_index\":0,";
        String delta = at + "\"delta\":\"%s\",\"logprobs\":[]";
        return responses(begun, item,
                named("response.content_part.added", 3, at + "\"part\":" + PART.formatted("")),
                all(i -> named("response.output_text.delta", 4 + i, delta.formatted(word(i)))),
                named("response.output_text.done", EVENTS + 4, at + "\"text\":\"%s\",\"logprobs\":[]".formatted(all(Mock::word))),
                named("response.content_part.done", EVENTS + 5, at + "\"part\":" + part));
    }

    private static byte[] responsesCall() {
        String at = ",\"item_id\":\"fc_bench\",\"output_index\":0,", type = "response.function_call_arguments.";
        String arguments = all(Mock::argument);
        return responses(CALL.formatted("in_progress", ""), CALL.formatted("completed", arguments),
                all(i -> named(type + "delta", 3 + i, at + "\"delta\":\"%s\"".formatted(argument(i)))),
                named(type + "done", EVENTS + 3, at + "\"arguments\":\"%s\"".formatted(arguments)));
    }

    /** {@return a stream of the Responses API with one item, which is said again at its end} The request is not echoed. */
    private static byte[] responses(String begun, String item, String... events) {
        String created = ",\"response\":" + RESPONSE.formatted("in_progress", "") + "\"usage\":null}";
        String completed = ",\"response\":" + RESPONSE.formatted("completed", item) + RESPONSE_USAGE;
        return bytes(STREAM_HEAD + named("response.created", 0, created) + named("response.in_progress", 1, created)
                + named("response.output_item.added", 2, ",\"output_index\":0,\"item\":" + begun) + String.join("", events)
                + named("response.output_item.done", EVENTS + 6, ",\"output_index\":0,\"item\":" + item)
                + named("response.completed", EVENTS + 7, completed) + "0\r\n\r\n");
    }

    private static String named(String type, int number, String members) {
        String event = "event: %1$s\ndata: {\"type\":\"%1$s\",\"sequence_number\":%2$d%3$s}\n\n".formatted(type, number, members);
        return "%x\r\n%s\r\n".formatted(event.length(), event);
    }

    /** Serves all paced streams: as all have one gap, those that wait stand in the order in which they are due. */
    private static void pace() {
        while (true) {
            try {
                Paced next = PACED.take();
                for (long early; (early = next.dueMicros - now()) > 0; ) TimeUnit.MICROSECONDS.sleep(early);
                try {
                    next.out.write(bytes(event(" @" + next.dueMicros) + (next.events == 1 ? end("stop") : "")));
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

    private static String event(String text) { return delta("\"content\":\"" + text + "\""); }

    private static String delta(String members) {
        return chunk(CHUNK + "{\"index\":0,\"delta\":{" + members + "},\"finish_reason\":null}]}");
    }

    private static String end(String reason) {
        return chunk(CHUNK + "{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"}]}")
                + chunk(CHUNK + "]," + USAGE) + chunk("[DONE]") + "0\r\n\r\n";
    }

    private static String chunk(String data) { return "%x\r\ndata: %s\n\n\r\n".formatted(data.length() + 8, data); }

    private static byte[] bytes(String text) { return text.getBytes(StandardCharsets.ISO_8859_1); }
}
