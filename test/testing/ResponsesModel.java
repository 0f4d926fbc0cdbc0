package testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A script for {@link Backend}: one model behind {@code POST /v1/responses} and {@code POST /v1/chat/completions}, as
 * OpenAI is reported to serve its newer ones. What {@link ResponsesRules} refuses is refused; a refused request does not
 * use up its turn. Its {@code encrypted_content} is bound to its key, and to the name of the model.
 */
public final class ResponsesModel implements Backend.Script {
    /** What chat completions answer (RESPONSES R.1.1). */
    public enum Chat {
        /** Tools are refused unless reasoning_effort is none, in the words of gpt-5.4. */
        REFUSES_TOOLS_AS_OF_5_4(400, "reasoning_effort", "null", "Function tools with reasoning_effort are not supported"
                + " for m1 in /v1/chat/completions. Please use /v1/responses instead."),
        /** The same in the words of gpt-5.6. */
        REFUSES_TOOLS(400, "reasoning_effort", "null", "Function tools with reasoning_effort are not supported for m1"
                + " in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'."),
        NOT_CHAT(404, "model", "null", "This is not a chat model and thus not supported in the v1/chat/completions"
                + " endpoint. Did you mean to use v1/completions?"),
        RESPONSES_ONLY(404, "model", "null", "This model is only supported in v1/responses and not in"
                + " v1/chat/completions."),
        /** As GitHub Copilot says it. */
        UNSUPPORTED_API(400, "model", "\"unsupported_api_for_model\"", "model \\\"m1\\\" is not accessible via the"
                + " /chat/completions endpoint"),
        ANSWERS(200, "", "", "");

        private final int status;
        private final String body;

        Chat(int status, String param, String code, String message) {
            this.status = status;
            this.body = "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\",\"param\":\"%s\",\"code\":%s}}"
                    .formatted(message, param, code);
        }

        private boolean refuses(Object request) {
            boolean isAboutTools = this == REFUSES_TOOLS || this == REFUSES_TOOLS_AS_OF_5_4;
            boolean meets = Tree.at(request, "tools") != null && !"none".equals(Tree.at(request, "reasoning_effort"));
            return this != ANSWERS && (!isAboutTools || meets);
        }
    }

    /** What stands in {@code output}: its JSON, and the deltas of a stream before it, without their output_index. */
    private record Item(String begun, List<String> deltas, String done) { }

    private static final String NO_ROUTE =
            "{\"error\":{\"message\":\"Invalid URL (POST /v1/responses)\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}";
    private static final List<String> EFFORTS = List.of("none", "minimal", "low", "medium", "high", "xhigh", "max");

    private final AtomicInteger serial = new AtomicInteger();
    private volatile List<String> efforts = EFFORTS;
    private volatile boolean mayBeSummarized = true;
    private volatile boolean hasPhases;
    private volatile boolean hasRoute = true;
    private volatile Chat chat = Chat.REFUSES_TOOLS;
    private volatile String key = "k0";
    private volatile List<List<String>> turns = List.of(List.of("text Hello"));
    private int turn;

    /** The values of reasoning.effort that it takes; without any, it does not reason. */
    public ResponsesModel efforts(String... known) {
        efforts = List.of(known);
        return this;
    }

    /** Summaries are refused, as to an organization that is not verified. */
    public ResponsesModel unverified() {
        mayBeSummarized = false;
        return this;
    }

    public ResponsesModel withPhases() {
        hasPhases = true;
        return this;
    }

    /** An old server: {@code POST /responses} does not exist. */
    public ResponsesModel withoutRoute() {
        hasRoute = false;
        return this;
    }

    public ResponsesModel chat(Chat answer) {
        chat = answer;
        return this;
    }

    /** From now on it opens only what is encrypted from now on. */
    public void changeKey() {
        key = "k" + serial.incrementAndGet();
    }

    /**
     * What it says, a line an item of one turn: "text T", "reasoning T", "call ID NAME ARGUMENTS"; the last turn again
     * and again.
     */
    public ResponsesModel says(String... each) {
        turns = Stream.of(each).map(said -> said.lines().toList()).toList();
        return this;
    }

    @Override
    public void answer(Backend.Call call) throws Exception {
        Object body = Tree.of(call.text());
        if (call.line().contains("/chat/completions")) {
            chat(call, body);
        } else if (hasRoute) {
            responses(call, body);
        } else {
            call.reply(404, "application/json", NO_ROUTE);
        }
    }

    private void chat(Backend.Call call, Object body) throws Exception {
        if (chat.refuses(body)) {
            call.reply(chat.status, "application/json", chat.body);
            return;
        }
        Object effort = Tree.at(body, "reasoning_effort");
        if (effort != null && !efforts.contains(effort)) {
            call.reply(400, "application/json", ("{\"error\":{\"message\":\"Unsupported value: 'reasoning_effort' does not"
                    + " support '%s' with this model. Supported values are: '%s'.\",\"type\":\"invalid_request_error\","
                    + "\"param\":\"reasoning_effort\",\"code\":\"unsupported_value\"}}").formatted(effort,
                    String.join("', '", efforts)));
            return;
        }
        Backend.saying("answer of chat").answer(call);
    }

    private void responses(Backend.Call call, Object body) throws Exception {
        var model = new ResponsesRules.Model(efforts, mayBeSummarized, sealed -> opens(sealed, Tree.at(body, "model")));
        Optional<ResponsesRules.Refusal> refusal = ResponsesRules.refusal(body, model);
        if (refusal.isPresent()) {
            call.reply(refusal.get().status(), "application/json", refusal.get().body());
            return;
        }
        List<Item> items = next().stream().map(said -> item(said, body)).filter(Objects::nonNull).toList();
        String output = String.join(",", items.stream().map(Item::done).toList());
        if (!Boolean.TRUE.equals(Tree.at(body, "stream"))) {
            call.reply(200, "application/json", response("completed", output));
            return;
        }
        call.events();
        event(call, "response.created", "\"response\":" + response("in_progress", ""));
        for (int i = 0; i < items.size(); i++) stream(call, items.get(i), i);
        event(call, "response.completed", "\"response\":" + response("completed", output));
        call.end();
    }

    private synchronized List<String> next() {
        return turns.get(Math.min(turn++, turns.size() - 1));
    }

    private static void event(Backend.Call call, String type, String members) throws IOException {
        call.write("event: %1$s\ndata: {\"type\":\"%1$s\",%2$s}\n\n".formatted(type, members));
    }

    private static void stream(Backend.Call call, Item item, int index) throws IOException {
        String at = "\"output_index\":%d,".formatted(index);
        event(call, "response.output_item.added", at + "\"item\":" + item.begun);
        for (String delta : item.deltas) {
            int end = delta.indexOf(' ');
            event(call, delta.substring(0, end), at + delta.substring(end + 1));
        }
        event(call, "response.output_item.done", at + "\"item\":" + item.done);
    }

    private static String response(String status, String output) {
        return ("{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"%s\",\"error\":null,\"output\":[%s],\"usage\":"
                + "{\"input_tokens\":7,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":3,"
                + "\"output_tokens_details\":{\"reasoning_tokens\":1},\"total_tokens\":10}}").formatted(status, output);
    }

    /** {@return what stands in the output for the words of {@link #says}; null for reasoning where there is none} */
    private Item item(String said, Object body) {
        String[] words = said.split(" ", 2);
        return switch (words[0]) {
            case "text" -> text(words[1]);
            case "reasoning" -> efforts.isEmpty() || "none".equals(Tree.at(body, "reasoning.effort")) ? null
                    : reasoning(words[1], body);
            case "call" -> call(words[1].split(" ", 3));
            default -> throw new IllegalArgumentException(said);
        };
    }

    private Item text(String text) {
        String phase = hasPhases ? ",\"phase\":\"final_answer\"" : "";
        String start = "{\"id\":\"msg_%d\",\"type\":\"message\",\"role\":\"assistant\"%s,".formatted(
                serial.incrementAndGet(), phase);
        List<String> deltas = new ArrayList<>();
        for (String word : text.split("(?<= )")) {
            deltas.add("response.output_text.delta \"content_index\":0,\"delta\":" + RandomJson.write(word));
        }
        String part = "{\"type\":\"output_text\",\"annotations\":[],\"text\":%s}".formatted(RandomJson.write(text));
        return new Item(start + "\"status\":\"in_progress\",\"content\":[]}", deltas,
                start + "\"status\":\"completed\",\"content\":[%s]}".formatted(part));
    }

    private Item reasoning(String text, Object body) {
        boolean isShown = Tree.at(body, "reasoning.summary") != null;
        boolean isSealed = Tree.at(body, "include") instanceof List<?> include
                && include.contains("reasoning.encrypted_content");
        String sealed = seal(Tree.at(body, "model"));
        String start = "{\"id\":\"rs_%d\",\"type\":\"reasoning\"".formatted(serial.incrementAndGet());
        String part = "{\"type\":\"summary_text\",\"text\":%s}".formatted(RandomJson.write(text));
        List<String> deltas = !isShown ? List.of() : List.of(
                "response.reasoning_summary_part.added \"summary_index\":0,\"part\":{\"type\":\"summary_text\",\"text\":\"\"}",
                "response.reasoning_summary_text.delta \"summary_index\":0,\"delta\":" + RandomJson.write(text));
        String early = isSealed ? ",\"encrypted_content\":\"%s\"".formatted(sealed.substring(0, 8)) : ""; // not the whole
        String late = isSealed ? ",\"encrypted_content\":\"%s\"".formatted(sealed) : "";
        return new Item(start + ",\"summary\":[]" + early + "}", deltas,
                start + ",\"summary\":[%s]%s}".formatted(isShown ? part : "", late));
    }

    private Item call(String[] words) {
        String start = "{\"id\":\"fc_%d\",\"type\":\"function_call\",\"call_id\":\"%s\",\"name\":\"%s\",".formatted(
                serial.incrementAndGet(), words[0], words[1]);
        String arguments = RandomJson.write(words[2]);
        return new Item(start + "\"status\":\"in_progress\",\"arguments\":\"\"}",
                List.of("response.function_call_arguments.delta \"delta\":" + arguments,
                        "response.function_call_arguments.done \"arguments\":" + arguments),
                start + "\"status\":\"completed\",\"arguments\":%s}".formatted(arguments));
    }

    private String seal(Object model) {
        String plain = "%s %s %d".formatted(key, model, serial.incrementAndGet());
        return "gAAAAAB" + Base64.getUrlEncoder().encodeToString(plain.getBytes(StandardCharsets.UTF_8));
    }

    private boolean opens(String sealed, Object model) {
        if (!sealed.startsWith("gAAAAAB")) return false;
        String plain = new String(Base64.getUrlDecoder().decode(sealed.substring(7)), StandardCharsets.UTF_8);
        return plain.startsWith("%s %s ".formatted(key, model));
    }

    /** {@return the items of a request's input, of that type} */
    public static List<?> items(Object body, String type) {
        return ((List<?>) ((Map<?, ?>) body).get("input")).stream()
                .filter(item -> type.equals(Tree.at(item, "type"))).toList();
    }
}
