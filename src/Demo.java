import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/**
 * The built-in backend: speaks OpenAI chat completions on a loopback port, without a model. It answers word by word,
 * thinks aloud when an effort is asked for, calls a tool that the prompt names, and quotes the tool's result.
 */
final class Demo {
    private static final long WORD_MILLIS = 20;
    private static final int QUOTED = 200; // characters of the prompt or result

    /** What is answered: {@code calls} is {@code ,"tool_calls":[…]} or nothing. */
    private record Reply(String reasoning, String text, Json.Writer calls) { }

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
            boolean stream = request.get("stream") == Json.TRUE;
            Reply reply = reply(request);
            String finish = reply.calls.size() > 0 ? "tool_calls" : "stop";
            int tokens = reply.text.split(" ").length;
            var usage = new Json.Writer().put("{'prompt_tokens':%,'completion_tokens':%}", request.to() / 4, tokens);
            http.getResponseHeaders().set("content-type", stream ? "text/event-stream" : "application/json");
            http.sendResponseHeaders(200, 0);
            OutputStream out = http.getResponseBody();
            if (stream) {
                for (String word : reply.reasoning.split("(?<= )")) delta(out, "'reasoning_content':%", word);
                for (String word : reply.text.split("(?<= )")) delta(out, "'content':%", word);
                delta(out, "'content':null%", reply.calls);
                send(out, "data: {'choices':[{'index':0,'delta':{},'finish_reason':%}]}\n\n", finish);
                send(out, "data: {'choices':[],'usage':%}\n\ndata: [DONE]\n\n", usage);
            } else {
                send(out, "{'choices':[{'index':0,'message':{'content':%,'reasoning_content':%%},'finish_reason':%}],'usage':%}",
                        reply.text, reply.reasoning, reply.calls, finish, usage);
            }
        }
    }

    private static void delta(OutputStream out, String pattern, Object value) throws IOException {
        send(out, "data: {'choices':[{'index':0,'delta':{%},'finish_reason':null}]}\n\n", new Json.Writer().put(pattern, value));
        try {
            Thread.sleep(WORD_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    private static void send(OutputStream out, String pattern, Object... values) throws IOException {
        out.write(new Json.Writer().put(pattern, values).toBytes());
        out.flush();
    }

    private static Reply reply(Json request) {
        Json last = request.get("messages").items().getLast();
        String text = last.get("content").text();
        for (Json part : last.get("content").items()) text = part.get("text").hasText() ? part.get("text").text() : text;
        String quoted = text.substring(Math.max(0, text.length() - QUOTED));
        String effort = request.get("reasoning_effort").text();
        String reasoning = effort.isEmpty() || effort.equals("none") ? "" : "There is no model here, but effort %s. ".formatted(effort);
        Json schema = request.get("response_format").get("json_schema").get("schema");
        if (!schema.isNull()) return new Reply(reasoning, sample("", schema).toString(), new Json.Writer());
        if (last.get("role").is("tool")) return new Reply(reasoning, "The tool answered: " + quoted, new Json.Writer());
        for (Json tool : request.get("tools").items()) {
            Json function = tool.get("function");
            String name = function.get("name").text();
            if (!Pattern.compile("\\b%s\\b".formatted(Pattern.quote(name))).matcher(quoted).find()) continue;
            var calls = new Json.Writer().put(",'tool_calls':[{'index':0,'id':%,'type':'function','function':{'name':%,'arguments':%}}]",
                    "call_" + Long.toHexString(System.nanoTime()), name, sample("", function.get("parameters")).toString());
            return new Reply(reasoning, "I will call %s.".formatted(name), calls);
        }
        return new Reply(reasoning, "Hello from A2o's built-in demo backend; it has no model. You said: " + quoted, new Json.Writer());
    }

    /** {@return a value that fits {@code schema} as far as its types and required members go} */
    private static Json.Writer sample(String name, Json schema) {
        var out = new Json.Writer();
        if (!schema.get("enum").items().isEmpty()) return out.put("%", schema.get("enum").items().getFirst());
        Json[] members = schema.get("properties").parts();
        switch (schema.get("type").text()) {
            case "object" -> {
                out.raw('{');
                for (int i = 0; i < members.length; i += 2) {
                    String member = members[i].text();
                    boolean required = schema.get("required").items().stream().anyMatch(each -> each.text().equals(member));
                    if (required) out.put("%:%,", member, sample(member, members[i + 1]));
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
