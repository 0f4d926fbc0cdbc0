package upstream;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The built-in backend: speaks OpenAI chat completions on a loopback port, without a model. It answers word
 * by word, reasons when an effort is asked for, calls a tool that the prompt names, and quotes the tool's
 * result. It always streams; where a whole reply is asked for, A2o makes one of the stream.
 */
final class Demo {
    private static final long WORD_NANOS = 20_000_000; // from one word to the next
    private static final String GREETING =
            "Hello from A2o's built-in demo backend; it has no model. You said: ";
    private static final int MAX_QUOTED = 200; // characters of the prompt
    private static final byte[] MODELS =
            "{\"data\":[{\"id\":\"demo\",\"object\":\"model\"}]}".getBytes(StandardCharsets.UTF_8);
    /** What Claude Code adds to a prompt: {@code <system-reminder>Today is Monday.</system-reminder>}. */
    private static final Pattern REMINDER = Pattern.compile("<system-reminder>.*?</system-reminder>");
    private static final int BYTES_A_TOKEN = 4; // about

    /** The chunks of one reply. */
    private static final class Stream {
        private final OutputStream out;
        private int words = 1; // said, about as many tokens

        private Stream(OutputStream out) { this.out = out; }

        /** Sends a text word by word, in that field of the delta. */
        private void say(String field, String text) throws IOException {
            int from = 0;
            for (int space = text.indexOf(' '); space >= 0; space = text.indexOf(' ', from)) {
                sendWord(field, text.substring(from, space + 1));
                from = space + 1;
            }
            sendWord(field, text.substring(from));
        }

        private void sendWord(String field, String word) throws IOException {
            LockSupport.parkNanos(WORD_NANOS);
            words++;
            JsonWriter delta = new JsonWriter().object().field(field, word).endObject();
            sendChoice(new JsonWriter().object().field("index", 0).field("delta", delta).endObject());
        }

        private void call(Json function) throws IOException {
            var choice = new JsonWriter().object().field("index", 0).name("delta").object();
            choice.name("tool_calls").array().object().field("index", 0).field("id", "call_demo");
            choice.name("function").object().field("name", function.get("name"));
            choice.field("arguments", sample(function.get("parameters"))).endObject();
            sendChoice(choice.endObject().endArray().endObject().endObject());
        }

        private void end(int promptTokens) throws IOException {
            var choice = new JsonWriter().object().field("index", 0).name("delta").object().endObject();
            sendChoice(choice.field("finish_reason", "stop").endObject());
            var usage = new JsonWriter().object().field("prompt_tokens", promptTokens);
            usage.field("completion_tokens", words).endObject();
            var chunk = new JsonWriter().object().name("choices").array().endArray().field("usage", usage);
            send(chunk.endObject());
        }

        private void sendChoice(JsonWriter choice) throws IOException {
            send(new JsonWriter().object().name("choices").array().value(choice).endArray().endObject());
        }

        private void send(JsonWriter chunk) throws IOException {
            out.write(new JsonWriter().ascii("data: ").value(chunk).ascii("\n\n").toBytes());
            out.flush();
        }
    }

    /** Begins to listen. {@return the base of its URLs} */
    URI start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(ServerThreads.executor());
        server.createContext("/v1/", Demo::handle);
        server.start();
        return URI.create("http://127.0.0.1:%d/v1".formatted(server.getAddress().getPort()));
    }

    private static void handle(HttpExchange http) throws IOException {
        try (http) {
            byte[] request = http.getRequestBody().readAllBytes();
            boolean isList = http.getRequestURI().getPath().equals("/v1/models");
            http.getResponseHeaders().set("content-type", isList ? "application/json" : "text/event-stream");
            http.sendResponseHeaders(200, 0);
            OutputStream out = http.getResponseBody();
            if (isList) {
                out.write(MODELS);
            } else {
                answer(JsonParser.parse(request), new Stream(out));
            }
        }
    }

    private static void answer(Json request, Stream out) throws IOException {
        String effort = request.get("reasoning_effort").text();
        boolean reasons = !effort.isEmpty() && !effort.equals("none");
        if (reasons) out.say("reasoning_content", "There is no model here, but effort %s.".formatted(effort));
        Json last = request.get("messages").items().getLast();
        String prompt = endOf(last.get("content"));
        Optional<Json> function = request.get("tools").items().stream().map(tool -> tool.get("function"))
                .filter(each -> isNamed(each.get("name").text(), prompt)).findFirst();
        Json schema = request.get("response_format").get("json_schema").get("schema");
        if (!schema.isNull()) {
            out.say("content", sample(schema));
        } else if (last.get("role").is("tool")) {
            out.say("content", "The tool answered: " + prompt);
        } else if (function.isPresent()) {
            out.call(function.get());
        } else {
            out.say("content", GREETING + prompt);
        }
        out.end((request.to() - request.from()) / BYTES_A_TOKEN);
    }

    /** {@return the last of a message's content, as JSON, without what the client adds} */
    private static String endOf(Json content) {
        String text = REMINDER.matcher(content.raw().replace("\\n", " ")).replaceAll("");
        return text.substring(Math.max(0, text.length() - MAX_QUOTED));
    }

    private static boolean isNamed(String name, String prompt) {
        return Pattern.compile("\\b%s\\b".formatted(Pattern.quote(name))).matcher(prompt).find();
    }

    /** {@return a value that fits {@code schema} as far as its types and required members go} */
    private static String sample(Json schema) {
        List<Json> known = schema.get("enum").items();
        if (!known.isEmpty()) return known.getFirst().raw();
        return switch (schema.get("type").text()) {
            case "object" -> schema.get("required").items().stream()
                    .map(name -> name.raw() + ":" + sample(schema.get("properties").get(name.text())))
                    .collect(Collectors.joining(",", "{", "}"));
            case "array" -> "[]";
            case "integer", "number" -> "1";
            case "boolean" -> "false";
            default -> "\"echo demo\""; // which is also a command
        };
    }
}
