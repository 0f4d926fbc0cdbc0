package upstream;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The built-in backend: speaks OpenAI chat completions on a loopback port, without a model. It answers word by word,
 * thinks aloud when an effort is asked for, calls a tool that the prompt names, and quotes the tool's result. It always
 * streams, also where a whole reply is asked for, which the proxy makes of it.
 */
final class Demo {
    private static final long WORD_NANOS = 20_000_000;
    private static final Json MODELS = JsonWriter.json("{'data':[{'id':'demo','object':'model'}]}");

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
            if (isList) out.write(MODELS.source()); else answer(JsonParser.parse(request), out);
        }
    }

    private static void answer(Json request, OutputStream out) throws IOException {
        Json last = request.get("messages").items().getLast();
        String said = last.get("content").raw().replace("\\n", " ") // its end, without what the client adds
                .replaceAll("<system-reminder>.*?</system-reminder>", "").replaceFirst("(?s).*(?=.{200})", "");
        Json schema = request.get("response_format").get("json_schema").get("schema");
        Json function = request.get("tools").items().stream().map(tool -> tool.get("function"))
                .filter(each -> said.matches("(?s).*\\b\\Q%s\\E\\b.*".formatted(each.get("name").text())))
                .findFirst().orElse(Json.NULL);
        String effort = request.get("reasoning_effort").text();
        String thought = "There is no model here, but effort %s.".formatted(effort);
        int words = 1; // about as many tokens
        if (!effort.matches("|none")) words += say(out, "reasoning_content", thought);
        if (!schema.isNull()) {
            words += say(out, "content", sample(schema));
        } else if (last.get("role").is("tool")) {
            words += say(out, "content", "The tool answered: " + said);
        } else if (function.isNull()) {
            words += say(out, "content", "Hello from A2o's built-in demo backend; it has no model. You said: " + said);
        } else {
            choose(out, "'delta':{'tool_calls':[{'index':0,'id':'call_demo','function':{'name':%,'arguments':%}}]}",
                    function.get("name"), sample(function.get("parameters")));
        }
        choose(out, "'delta':{},'finish_reason':'stop'");
        String usage = "'choices':[],'usage':{'prompt_tokens':%,'completion_tokens':%}";
        send(out, usage, request.raw().split("\\W+").length, words);
    }

    /** {@return how many words it said} */
    private static int say(OutputStream out, String field, String text) throws IOException {
        String[] words = text.split("(?<= )");
        for (String word : words) {
            LockSupport.parkNanos(WORD_NANOS);
            choose(out, "'delta':{%:%}", field, word);
        }
        return words.length;
    }

    private static void choose(OutputStream out, String choice, Object... values) throws IOException {
        send(out, "'choices':[{'index':0," + choice + "}]", values);
    }

    private static void send(OutputStream out, String chunk, Object... values) throws IOException {
        out.write(new JsonWriter().put("data: {" + chunk + "}\n\n", values).toBytes());
        out.flush();
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
