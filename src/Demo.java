import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * The built-in backend: speaks OpenAI chat completions on a loopback port, without a model. It answers word by word,
 * thinks aloud when an effort is asked for, calls a tool that the prompt names, and quotes the tool's result.
 */
final class Demo {
    private static final long WORD_NANOS = 20_000_000;
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
            Reply reply = reply(request);
            String finish = reply.calls.size() > 0 ? "tool_calls" : "stop";
            int tokens = reply.text.length() / 4;
            var usage = new Json.Writer().put("{'prompt_tokens':%,'completion_tokens':%}", request.to() / 4, tokens);
            boolean stream = request.get("stream") == Json.TRUE;
            http.getResponseHeaders().set("content-type", stream ? "text/event-stream" : "application/json");
            http.sendResponseHeaders(200, 0);
            String message = "{'choices':[{'message':{'content':%,'reasoning_content':%%},'finish_reason':%}],'usage':%}";
            if (!stream) send(http, message, reply.text, reply.reasoning, reply.calls, finish, usage);
            if (!stream) return;
            for (String word : reply.reasoning.split("(?<= )")) delta(http, "'reasoning_content':%", word);
            for (String word : reply.text.split("(?<= )")) delta(http, "'content':%", word);
            delta(http, "'content':null%", reply.calls);
            send(http, "data: {'choices':[{'index':0,'delta':{},'finish_reason':%}]}\n\n", finish);
            send(http, "data: {'choices':[],'usage':%}\n\ndata: [DONE]\n\n", usage);
        }
    }

    private static void delta(HttpExchange http, String pattern, Object value) throws IOException {
        LockSupport.parkNanos(WORD_NANOS);
        send(http, "data: {'choices':[{'index':0,'delta':{%}}]}\n\n", new Json.Writer().put(pattern, value));
    }

    private static void send(HttpExchange http, String pattern, Object... values) throws IOException {
        http.getResponseBody().write(new Json.Writer().put(pattern, values).toBytes());
        http.getResponseBody().flush();
    }

    private static Reply reply(Json request) {
        Json last = request.get("messages").items().getLast();
        Json text = last.get("content").items().stream().map(part -> part.get("text")).filter(Json::hasText)
                .reduce(last.get("content"), (before, part) -> part);
        String quoted = text.text().substring(Math.max(0, text.text().length() - QUOTED));
        String effort = request.get("reasoning_effort").text();
        String reasoning = effort.matches("|none") ? "" : "There is no model here, but effort %s. ".formatted(effort);
        Json schema = request.get("response_format").get("json_schema").get("schema");
        if (!schema.isNull()) return new Reply(reasoning, sample("", schema).toString(), new Json.Writer());
        if (last.get("role").is("tool")) return new Reply(reasoning, "The tool answered: " + quoted, new Json.Writer());
        for (Json tool : request.get("tools").items()) {
            Json name = tool.get("function").get("name");
            if (!Pattern.compile("\\b%s\\b".formatted(Pattern.quote(name.text()))).matcher(quoted).find()) continue;
            String arguments = sample("", tool.get("function").get("parameters")).toString();
            return new Reply(reasoning, "I will call %s.".formatted(name.text()), new Json.Writer().put(
                    ",'tool_calls':[{'index':0,'id':%,'type':'function','function':{'name':%,'arguments':%}}]",
                    "call_" + Long.toHexString(System.nanoTime()), name, arguments));
        }
        String hello = "Hello from A2o's built-in demo backend; it has no model. You said: " + quoted;
        return new Reply(reasoning, hello, new Json.Writer());
    }

    /** {@return a value that fits {@code schema} as far as its types and required members go} */
    private static Json.Writer sample(String name, Json schema) {
        var out = new Json.Writer();
        Json[] members = schema.get("properties").parts();
        List<String> required = schema.get("required").items().stream().map(Json::text).toList();
        if (!schema.get("enum").items().isEmpty()) return out.put("%", schema.get("enum").items().getFirst());
        if (!schema.get("type").is("object")) return out.put(switch (schema.get("type").text()) {
            case "array" -> "[]";
            case "integer", "number" -> "1";
            case "boolean" -> "false";
            default -> name.equals("command") ? "'echo hello from the demo'" : "'demo'";
        });
        out.raw('{');
        for (int i = 0; i < members.length; i += 2) {
            String member = members[i].text();
            if (required.contains(member)) out.put("%:%,", member, sample(member, members[i + 1]));
        }
        return out.closeWith('}');
    }
}
