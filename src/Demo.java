import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/**
 * The built-in backend: speaks OpenAI chat completions on a loopback port, without a model. It answers word by word,
 * thinks aloud when an effort is asked for, calls a tool that the prompt names, and quotes the tool's result.
 */
final class Demo {
    private static final long WORD_MILLIS = 20;
    private static final int QUOTED = 200; // characters of the prompt or result

    private record Reply(String reasoning, String text, String tool, String arguments) { }

    URI start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v1/chat/completions", this::handle);
        server.start();
        return URI.create("http://127.0.0.1:%d/v1/chat/completions".formatted(server.getAddress().getPort()));
    }

    private void handle(HttpExchange http) throws IOException {
        try (http) {
            Json request = Json.parse(http.getRequestBody().readAllBytes());
            Reply reply = reply(request);
            String finish = reply.tool.isEmpty() ? "stop" : "tool_calls";
            long prompt = request.to() / 4;
            var usage = new Json.Writer().put("{'prompt_tokens':%,'completion_tokens':%,'total_tokens':%}", prompt, 20, prompt + 20);
            var calls = new Json.Writer();
            if (!reply.tool.isEmpty()) {
                calls.put(",'tool_calls':[{'index':0,'id':%,'type':'function','function':{'name':%,'arguments':%}}]",
                        "call_" + Long.toHexString(System.nanoTime()), reply.tool, reply.arguments);
            }
            boolean stream = request.get("stream") == Json.Word.TRUE;
            http.getResponseHeaders().set("content-type", stream ? "text/event-stream" : "application/json");
            http.sendResponseHeaders(200, 0);
            OutputStream out = http.getResponseBody();
            if (stream) {
                for (String word : words(reply.reasoning)) delta(out, new Json.Writer().put("{'reasoning_content':%}", word));
                for (String word : words(reply.text)) delta(out, new Json.Writer().put("{'content':%}", word));
                if (calls.size() > 0) delta(out, new Json.Writer().put("{'content':null%}", calls));
                send(out, "{'choices':[{'index':0,'delta':{},'finish_reason':%}]}", finish);
                send(out, "{'choices':[],'usage':%}", usage);
                out.write("data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8));
            } else {
                out.write(new Json.Writer().put("{'choices':[{'index':0,'message':{'content':%,'reasoning_content':%%},'finish_reason':%}],'usage':%}",
                        reply.text, reply.reasoning, calls, finish, usage).toBytes());
            }
        }
    }

    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split("(?<= )"));
    }

    private static void delta(OutputStream out, Json.Writer delta) throws IOException {
        send(out, "{'choices':[{'index':0,'delta':%,'finish_reason':null}]}", delta);
        try {
            Thread.sleep(WORD_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static void send(OutputStream out, String pattern, Object... values) throws IOException {
        out.write(new Json.Writer().put("data: ").put(pattern, values).put("\n\n").toBytes());
        out.flush();
    }

    private static Reply reply(Json request) {
        Json last = request.get("messages").items().getLast();
        String text = last.get("content").text();
        for (Json part : last.get("content").items()) text = part.get("text").hasText() ? part.get("text").text() : text;
        String quoted = text.substring(Math.max(0, text.length() - QUOTED));
        String effort = request.get("reasoning_effort").text();
        String reasoning = effort.isEmpty() || effort.equals("none") ? "" : "No model here, so no need to think; but effort %s was asked for. ".formatted(effort);
        if (request.get("response_format").get("type").is("json_schema")) {
            return new Reply(reasoning, sample("", request.get("response_format").get("json_schema").get("schema")).toString(), "", "");
        }
        if (last.get("role").is("tool")) return new Reply(reasoning, "The tool answered: " + quoted, "", "");
        for (Json tool : request.get("tools").items()) {
            String name = tool.get("function").get("name").text();
            if (Pattern.compile("\\b%s\\b".formatted(Pattern.quote(name))).matcher(quoted).find()) {
                return new Reply(reasoning, "I will call %s.".formatted(name), name, sample("", tool.get("function").get("parameters")).toString());
            }
        }
        return new Reply(reasoning, "Hello from the built-in demo backend of A2o. There is no model behind it; you said: " + quoted, "", "");
    }

    /** {@return a value that fits {@code schema} as far as its types and required members go} */
    private static Json.Writer sample(String name, Json schema) {
        var out = new Json.Writer();
        if (!schema.get("enum").items().isEmpty()) return out.json(schema.get("enum").items().getFirst());
        Json[] properties = schema.get("properties") instanceof Json.Obj obj ? obj.namesAndValues() : new Json[0];
        switch (schema.get("type").text()) {
            case "object" -> {
                out.raw('{');
                for (int i = 0; i < properties.length; i += 2) {
                    String member = properties[i].text();
                    boolean required = schema.get("required").items().stream().anyMatch(each -> each.text().equals(member));
                    if (required) out.put("%:%,", member, sample(member, properties[i + 1]));
                }
                out.closeWith('}');
            }
            case "array" -> out.put("[]");
            case "integer", "number" -> out.put("1");
            case "boolean" -> out.put("false");
            default -> out.put("%", name.equals("command") ? "echo hello from the demo" : "demo");
        }
        return out;
    }
}
