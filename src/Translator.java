import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Translates one exchange: the client's request (Anthropic Messages, {@code POST /v1/messages}) into the upstream's
 * (OpenAI, {@code POST /v1/chat/completions}), and what the upstream answers, whole or in chunks, into a message or
 * its events. It does no input or output and knows nothing of HTTP; it is not safe for use by several threads.
 *
 * <p>There is one state machine for all four ways (stream or not, on either side): a whole reply is a chunk that holds
 * everything, and blocks are written either as events or as the elements of {@code content}.
 */
final class Translator {
    private static final int MAX_NAME = 64; // of a function; Anthropic allows 128
    private static final int MAX_STOPS = 4; // that OpenAI takes; more are looked for here
    private static final List<String> REASONING_FIELDS = List.of("reasoning_content", "reasoning", "thinking");
    private static final List<String> SERVER_TOOLS = List.of("web_search_", "web_fetch_", "code_execution_", "tool_search_tool_", "advisor_");

    private final Json anthropic;
    private final Dialect dialect;
    private final Options options;
    private final Set<String> warnings = new LinkedHashSet<>();

    // the request's side: what the messages written so far leave open
    private final Json.Writer out = new Json.Writer();
    private final List<Json> openCalls = new ArrayList<>(); // tool_use blocks that wait for their results
    private final List<Json> parts = new ArrayList<>(); // of the next user message: strings are text, objects ready parts
    private int hoisted; // images and documents taken out of the tool results of this turn
    private boolean first; // whether no message has been written yet

    // the reply's side
    private final MessageWriter message;
    private final TextFilter filter;
    private final Supplier<String> newIds;
    private final Set<String> ids = new HashSet<>();
    private final List<Call> calls = new ArrayList<>();
    private final List<Later> later = new ArrayList<>();
    private int current; // the first of the calls that is not finished
    private int toolUses;
    private boolean answered;
    private String blank = ""; // white space that has come where no text block is open
    private String half = ""; // the first half of a surrogate pair
    private String signature = "";
    private String refusal = "";
    private String finishReason = "";
    private String stopSequence = "";
    private String tier = "standard";
    private Json usage = Json.Word.NULL;
    private Json timings = Json.Word.NULL;
    private boolean usageIsLast; // whether it came in a chunk of its own, as it does at the end

    /** @throws ApiError if {@code anthropic} is not a request that can be translated, with the path of the field */
    Translator(Json anthropic, Options options, Dialect dialect, Supplier<String> newIds) {
        this.anthropic = anthropic;
        this.options = options;
        this.dialect = dialect;
        this.newIds = newIds;
        check();
        List<String> stops = stops().stream().map(Json::text).toList();
        filter = new TextFilter(stops.subList(Math.min(MAX_STOPS, stops.size()), stops.size()), !format().isNull(), this::say, text -> think(text, "reasoning"));
        message = new MessageWriter(isStream(), "msg_" + newIds.get(), anthropic.get("model"));
    }

    /** {@return codes of what was left out or mended, for a response header} */
    Set<String> warnings() {
        return warnings;
    }

    boolean isStream() {
        return anthropic.get("stream") == Json.Word.TRUE;
    }

    String model() {
        return anthropic.get("model").text();
    }

    /** {@return whether no token is wanted: the request only warms a cache, which chat completions cannot do} */
    boolean wantsNothing() {
        return anthropic.get("max_tokens").toLong(1) == 0;
    }

    // ---- the request ----

    /** What must be refused, since going on would corrupt the conversation or pretend that something happened (SPEC A.2). */
    private void check() {
        if (!(anthropic instanceof Json.Obj)) throw new ApiError(400, "the body must be a JSON object");
        Json thread = anthropic.get("thread");
        if (thread.get("type").is("create")) throw new ApiError(400, "thread_unsupported_request", "Threads are not supported here.");
        if (!thread.isNull()) throw new ApiError(404, "thread_not_found", "thread: threads are not supported here");
        need(anthropic, "model", Json.Str.class);
        if (need(anthropic, "max_tokens", Json.Num.class).toLong(-1) < 0) throw invalid(anthropic, "max_tokens", "a whole number of 0 or more expected");
        if (!may(anthropic, "system", Json.Arr.class).isNull()) anthropic.get("system").items().forEach(block -> need(block, "text", Json.Str.class));
        for (String name : List.of("tools", "stop_sequences", "mcp_servers")) may(anthropic, name, Json.Arr.class);
        for (String name : List.of("tool_choice", "thinking", "output_config", "metadata")) may(anthropic, name, Json.Obj.class);
        for (String name : List.of("temperature", "top_p")) may(anthropic, name, Json.Num.class);
        may(anthropic, "stream", Json.Word.class);
        if (!anthropic.get("mcp_servers").items().isEmpty()) throw invalid(anthropic, "mcp_servers", "the MCP connector is not available");
        if (!anthropic.get("container").get("skills").items().isEmpty()) throw invalid(anthropic, "container.skills", "skills are not available");
        if (!anthropic.get("compaction").isNull()) throw invalid(anthropic, "compaction", "compaction is not available");
        if (anthropic.get("billing_policy").get("bill_to").is("user_profile")) throw invalid(anthropic, "billing_policy", "not available");
        List<Json> messages = need(anthropic, "messages", Json.Arr.class).items();
        if (messages.isEmpty()) throw invalid(anthropic, "messages", "at least one message is required");
        messages.forEach(this::checkMessage);
    }

    private void checkMessage(Json message) {
        Json role = need(message, "role", Json.Str.class);
        boolean system = role.is("system");
        if (!system && !role.is("user") && !role.is("assistant")) throw invalid(message, "role", "user, assistant or system expected");
        Json content = message.get("content");
        if (content instanceof Json.Str || system && content.isNull()) return;
        if (content.isNull()) throw invalid(message, "content", "Field required");
        if (!(content instanceof Json.Arr)) throw invalid(message, "content", "a string or an array of blocks expected");
        content.items().forEach(block -> need(block, "type", Json.Str.class));
    }

    /** {@return the member, which must be there and of that type} */
    private Json need(Json parent, String name, Class<? extends Json> type) {
        if (!(parent instanceof Json.Obj)) throw new ApiError(400, path(anthropic, parent) + ": an object expected");
        if (parent.get(name).isNull()) throw invalid(parent, name, "Field required");
        return may(parent, name, type);
    }

    /** {@return the member, which must be of that type (or, of an array, a string where those are the same) if it is there} */
    private Json may(Json parent, String name, Class<? extends Json> type) {
        Json found = parent.get(name);
        boolean textForBlocks = found instanceof Json.Str && (name.equals("system") || name.equals("content"));
        if (found.isNull() || type.isInstance(found) || textForBlocks) return found;
        throw invalid(parent, name, switch (type.getSimpleName()) {
            case "Obj" -> "an object expected";
            case "Arr" -> "an array expected";
            case "Str" -> "a string expected";
            case "Num" -> "a number expected";
            default -> "true or false expected";
        });
    }

    private ApiError invalid(Json parent, String name, String message) {
        String path = path(anthropic, parent);
        return new ApiError(400, "%s%s%s: %s".formatted(path, path.isEmpty() ? "" : ".", name, message));
    }

    /** {@return where {@code wanted} itself, not one equal to it, stands below {@code json}, as in messages[0].content; "" at the top} */
    private static String path(Json json, Json wanted) {
        var path = new StringBuilder();
        findPath(json, wanted, path);
        return path.toString();
    }

    private static boolean findPath(Json json, Json wanted, StringBuilder path) {
        if (json == wanted) return true;
        int length = path.length();
        Json[] parts = json instanceof Json.Obj obj ? obj.namesAndValues() : new Json[0];
        for (int i = 0; i < parts.length; i += 2) {
            path.append(length == 0 ? "" : ".").append(parts[i].text());
            if (findPath(parts[i + 1], wanted, path)) return true;
            path.setLength(length);
        }
        for (int i = 0; i < json.items().size(); i++) {
            path.append('[').append(i).append(']');
            if (findPath(json.items().get(i), wanted, path)) return true;
            path.setLength(length);
        }
        return false;
    }

    /** {@return the body for the upstream: {@code {"model":…,"messages":[…],…}}} */
    Json.Writer openai() {
        out.raw('{');
        field("model", "%", options.model(model()));
        if (isOurs("messages")) messages();
        field(dialect.maxTokensField(), "%", anthropic.get("max_tokens"));
        if (isStream()) {
            field("stream", "%", Json.Word.TRUE);
            field("stream_options", "{'include_usage':%}", Json.Word.TRUE);
        }
        for (String name : List.of("temperature", "top_p")) {
            if (!anthropic.get(name).isNull()) field(name, "%", anthropic.get(name)); // dropped: top_k, no OpenAI counterpart
        }
        List<Json> stops = stops();
        if (!stops.isEmpty()) field("stop", "[%]", list(stops.subList(0, Math.min(MAX_STOPS, stops.size()))));
        tools();
        reasoning();
        Json format = format();
        if (!format.isNull()) {
            field("response_format", "{'type':'json_schema','json_schema':{'name':'output','schema':%,'strict':%}}",
                    need(format, "schema", Json.Obj.class), isStrict(format.get("schema")));
        }
        String user = anthropic.get("metadata").get("user_id").text();
        if (!user.isEmpty()) field("user", "%", hash(user));
        if (dialect.openai()) {
            field("store", "%", Json.Word.FALSE);
            if (anthropic.get("service_tier").is("standard_only")) field("service_tier", "'default'");
            if (anthropic.get("speed").is("fast")) field("service_tier", "'fast'");
        }
        Json[] extra = options.extraBody() instanceof Json.Obj obj ? obj.namesAndValues() : new Json[0];
        for (int i = 0; i < extra.length; i += 2) out.put(out.size() == 1 ? "%:%" : ",%:%", extra[i], extra[i + 1]);
        return out.raw('}');
    }

    private void field(String name, String pattern, Object... values) {
        if (isOurs(name)) out.put(out.size() == 1 ? "%:" : ",%:", name).put(pattern, values);
    }

    private boolean isOurs(String name) {
        return options.extraBody().get(name).isNull();
    }

    private static Json.Writer list(List<? extends Object> items) {
        var list = new Json.Writer();
        for (Object item : items) list.put(list.size() == 0 ? "%" : ",%", item);
        return list;
    }

    private static String hash(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    private List<Json> stops() {
        List<Json> stops = anthropic.get("stop_sequences").items();
        for (Json stop : stops) {
            if (!(stop instanceof Json.Str)) throw invalid(anthropic, "stop_sequences", "an array of strings expected");
        }
        return stops.stream().filter(stop -> !stop.text().isBlank()).toList();
    }

    /** {@code output_config.format}, or {@code output_format} as it was called before. */
    private Json format() {
        Json config = anthropic.get("output_config");
        Json format = may(config, "format", Json.Obj.class);
        Json old = may(anthropic, "output_format", Json.Obj.class);
        if (!format.isNull() && !old.isNull()) throw invalid(anthropic, "output_format", "output_config.format is given too");
        return format.isNull() ? old : format;
    }

    /**
     * {@code thinking} and {@code output_config.effort} to {@code thinking} and {@code reasoning_effort}. The last effort
     * of a system message counts before the request's own; thinking that is off counts before any effort; a budget
     * stands for an effort where there is none (SPEC G.1).
     */
    private void reasoning() {
        Json thinking = anthropic.get("thinking");
        if (isThinkingOff()) {
            if (dialect.thinkingSwitch()) {
                field("thinking", "{'type':'disabled'}");
            } else {
                field(dialect.effortField(), dialect.effortPattern(), "none");
            }
            return;
        }
        String effort = anthropic.get("output_config").get("effort").text();
        for (Json message : anthropic.get("messages").items()) {
            Json later = message.get("output_config").get("effort");
            if (message.get("role").is("system") && later.hasText()) effort = later.text();
        }
        if (thinking.get("type").is("enabled")) {
            if (dialect.thinkingSwitch()) field("thinking", "{'type':'enabled'}");
            long budget = may(thinking, "budget_tokens", Json.Num.class).toLong(0);
            if (effort.isEmpty() && budget > 0) {
                effort = budget < 4096 ? "low" : budget < 16_000 ? "medium" : budget < 32_000 ? "high" : "xhigh";
            }
        }
        if (!effort.isEmpty()) field(dialect.effortField(), dialect.effortPattern(), effort);
    }

    private boolean isThinkingOff() {
        Json type = anthropic.get("thinking").get("type");
        return type.is("disabled") || type.is("between_tools");
    }

    /** The system prompt, then each run of messages of one side as one turn. */
    private void messages() {
        out.put(out.size() == 1 ? "'messages':[" : ",'messages':[");
        first = true;
        Json system = anthropic.get("system");
        List<Json> texts = new ArrayList<>();
        for (Json block : system instanceof Json.Str ? List.of(system) : system.items()) {
            Json text = block instanceof Json.Str ? block : block.get("text");
            if (text.hasText() && !text.text().startsWith("x-anthropic-billing-header:")) texts.add(text); // it would defeat prefix caches
        }
        if (!texts.isEmpty()) message("{'role':'system','content':%}", joined(texts, "\n\n"));
        List<Json> messages = anthropic.get("messages").items().stream().filter(message -> !isEmptyAssistant(message)).toList();
        for (int from = 0, to; from < messages.size(); from = to) {
            boolean assistant = isAssistant(messages.get(from));
            for (to = from + 1; to < messages.size() && isAssistant(messages.get(to)) == assistant; ) to++;
            if (assistant) {
                assistantTurn(messages.subList(from, to), to == messages.size());
            } else {
                userTurn(messages.subList(from, to), messages.subList(to, messages.size()));
            }
        }
        out.raw(']');
    }

    private void message(String pattern, Object... values) {
        if (!first) out.raw(',');
        first = false;
        out.put(pattern, values);
    }

    private static boolean isAssistant(Json message) {
        return message.get("role").is("assistant");
    }

    /** {@return whether nothing of an assistant's message would be sent on, so that its neighbours are one turn} */
    private boolean isEmptyAssistant(Json message) {
        return isAssistant(message) && blocks(message).stream().allMatch(block -> block.get("type").is("thinking")
                ? !dialect.replaysReasoning() || !block.get("thinking").hasText()
                : !block.get("type").is("tool_use") && !folded(block).hasText());
    }

    /** {@return the blocks of a message or tool result; a plain string is one block, itself} */
    private static List<Json> blocks(Json message) {
        Json content = message.get("content");
        return content instanceof Json.Str ? List.of(content) : content.items();
    }

    private static Json.Str joined(List<Json> texts, String separator) {
        if (texts.size() == 1) return (Json.Str) texts.getFirst();
        List<Object> pieces = new ArrayList<>();
        for (Json text : texts) {
            if (!pieces.isEmpty()) pieces.add(separator);
            pieces.add(text);
        }
        return Json.Str.of(pieces.toArray());
    }

    /**
     * What an assistant said, one message.
     * {@code [{"type":"thinking",…},{"type":"text","text":T},{"type":"tool_use","id":I,"name":N,"input":X}]} becomes
     * {@code {"role":"assistant","content":T,"reasoning_content":…,"tool_calls":[{"id":I,"type":"function",
     * "function":{"name":N,"arguments":"X"}}]}}. Where among the calls a text stood is lost.
     *
     * <p>Source: Anthropic Messages, "Content blocks"; OpenAI chat completions, "assistant message".
     */
    private void assistantTurn(List<Json> run, boolean last) {
        List<Object> texts = new ArrayList<>();
        List<Json> thoughts = new ArrayList<>();
        String field = "";
        boolean apart = false; // whether another block stood since the last text
        for (Json message : run) {
            apart = true;
            for (Json block : blocks(message)) {
                boolean plain = block instanceof Json.Str || block.get("type").is("text");
                if (block.get("type").is("tool_use")) {
                    openCalls.add(call(block, last));
                } else if (block.get("type").is("thinking") && block.get("thinking").hasText() && dialect.replaysReasoning()) {
                    thoughts.add(block.get("thinking"));
                    field = reasoningField(block.get("signature").text());
                } else if (folded(block).hasText() && !texts.isEmpty()) {
                    texts.add(plain && !apart ? "" : "\n\n");
                }
                Json text = folded(block);
                if (text.hasText()) texts.add(text);
                apart = !plain || !text.hasText() && apart;
            }
        }
        Object content = texts.isEmpty() ? Json.Word.NULL : texts.size() == 1 ? texts.getFirst() : Json.Str.of(texts.toArray());
        if (last && content instanceof Json.Str prefill) content = prefill.text().stripTrailing();
        if (texts.isEmpty() && openCalls.isEmpty()) content = ""; // reasoning alone
        message("{'role':'assistant','content':%", content);
        if (!thoughts.isEmpty()) out.put(",%:%", field, joined(thoughts, "\n\n"));
        if (!openCalls.isEmpty()) {
            out.put(",'tool_calls':[");
            for (Json call : openCalls) {
                if (call != openCalls.getFirst()) out.raw(',');
                Json input = may(call, "input", Json.Obj.class);
                out.put("{'id':%,'type':'function','function':{'name':%,'arguments':", call.get("id"), shortName(call.get("name")));
                out.put(input.isNull() ? "'{}'" : "@", input).put("}}");
            }
            out.raw(']');
        }
        out.raw('}');
    }

    private Json call(Json block, boolean last) {
        need(block, "id", Json.Str.class);
        need(block, "name", Json.Str.class);
        if (last) throw invalid(block, "id", "tool_use without a tool_result after it");
        return block;
    }

    /** {@return the key that reasoning goes back under: the one it came under, as its signature says ({@code a2o1.<field>})} */
    private static String reasoningField(String signature) {
        String field = signature.startsWith("a2o1.") ? signature.substring(5).split("\\.", 2)[0] : "";
        return REASONING_FIELDS.contains(field) ? field : REASONING_FIELDS.getFirst();
    }

    /**
     * What the user's side says, in the order chat completions want: the results of all open calls, in the order of the
     * calls, then everything else as one message. System messages stay in place, or become a part of the user's text.
     */
    private void userTurn(List<Json> run, List<Json> later) {
        Map<String, Json> results = new HashMap<>();
        for (Json message : run) {
            for (Json block : blocks(message)) {
                if (!block.get("type").is("tool_result")) continue;
                if (results.putIfAbsent(need(block, "tool_use_id", Json.Str.class).text(), block) != null) warnings.add("duplicate_tool_result");
            }
        }
        hoisted = 0;
        for (Json call : openCalls) {
            Json result = results.getOrDefault(call.get("id").text(), Json.Word.NULL);
            if (result.isNull()) warnings.add("missing_tool_result");
            message("{'role':'tool','tool_call_id':%,'content':%}", call.get("id"), toolResult(result));
        }
        Set<String> answered = new HashSet<>();
        for (Json call : openCalls) answered.add(call.get("id").text());
        openCalls.clear();
        for (int i = 0; i < run.size(); i++) {
            if (run.get(i).get("role").is("system")) {
                boolean userFollows = run.subList(i + 1, run.size()).stream().anyMatch(next -> next.get("role").is("user"))
                        || later.stream().anyMatch(next -> next.get("role").is("user"));
                if (!userFollows || !run.get(i).get("clear_at").is("next_user_message")) systemMessage(run.get(i));
            } else {
                for (Json block : blocks(run.get(i))) userBlock(block, answered);
            }
        }
        userMessage();
    }

    private void systemMessage(Json message) {
        List<Json> texts = blocks(message).stream().map(this::folded).filter(Json::hasText).toList();
        if (texts.isEmpty()) return;
        Json.Str text = joined(texts, "\n\n");
        if (dialect.systemAnywhere()) {
            userMessage();
            message("{'role':'system','content':%}", text);
        } else {
            parts.add(Json.Str.of("<system-reminder>\n", text, "\n</system-reminder>"));
        }
    }

    /** Writes the parts gathered as one user message, a plain string if all are text. */
    private void userMessage() {
        if (parts.isEmpty()) return;
        if (parts.stream().allMatch(Json.Str.class::isInstance)) {
            message("{'role':'user','content':%}", joined(parts, "\n\n"));
        } else {
            message("{'role':'user','content':[%]}", list(parts.stream().map(part ->
                    part instanceof Json.Str ? new Json.Writer().put("{'type':'text','text':%}", part) : part).toList()));
        }
        parts.clear();
    }

    private void userBlock(Json block, Set<String> answered) {
        switch (block.get("type").text()) {
            case "tool_result" -> {
                String id = block.get("tool_use_id").text();
                if (answered.contains(id)) return;
                warnings.add("unknown_tool_result");
                parts.add(Json.Str.of("[result of unknown call %s]\n".formatted(id), toolResult(block)));
            }
            case "image" -> parts.add(image(block));
            case "document" -> document(block, parts);
            case "container_upload" -> throw invalid(block, "type", "uploaded files are not available");
            default -> {
                Json text = folded(block);
                if (text.hasText()) parts.add(text);
            }
        }
    }

    /**
     * {@return the content of a {@code tool} message}
     * {@code {"type":"tool_result","tool_use_id":I,"content":C,"is_error":E}}: the texts in C, one a line. Chat completions
     * have no place for an image or PDF there: it goes into the user message that follows, with a label at either end.
     *
     * <p>Source: Anthropic Messages, "tool_result"; OpenAI chat completions, "tool message".
     */
    private Json.Str toolResult(Json result) {
        if (result.isNull()) return Json.Str.of("(no result: the call was not executed)");
        may(result, "content", Json.Arr.class);
        List<Json> texts = new ArrayList<>();
        for (Json block : blocks(result)) {
            List<Json> found = new ArrayList<>();
            if (block.get("type").is("image")) {
                found.add(image(block));
            } else if (block.get("type").is("document")) {
                document(block, found);
            } else if (folded(block).hasText()) {
                found.add(folded(block));
            }
            for (Json part : found) {
                if (part instanceof Json.Str) {
                    texts.add(part);
                } else {
                    String kind = part.get("type").is("file") ? "document" : "image";
                    texts.add(Json.Str.of("[%s %d: see next message]".formatted(kind, ++hoisted)));
                    parts.add(Json.Str.of("[%s %d from tool call %s]".formatted(kind, hoisted, result.get("tool_use_id").text())));
                    parts.add(part);
                }
            }
        }
        Json.Str text = texts.isEmpty() ? Json.Str.of("(no output)") : joined(texts, "\n");
        if (result.get("is_error") != Json.Word.TRUE) return text;
        String start = text.text().stripLeading().toLowerCase(Locale.ROOT);
        return start.startsWith("error") || start.startsWith("<tool_use_error>") ? text : Json.Str.of("Error: ", text);
    }

    /** {@code {"type":"image","source":{…}}} to {@code {"type":"image_url","image_url":{"url":…}}}, inline data as a data URL. */
    private Json image(Json block) {
        return part("{'type':'image_url','image_url':{'url':%}}", url(block));
    }

    private static Json part(String pattern, Object... values) {
        return Json.parse(new Json.Writer().put(pattern, values).toBytes());
    }

    private Json.Str url(Json block) {
        Json source = need(block, "source", Json.Obj.class);
        return switch (need(source, "type", Json.Str.class).text()) {
            case "url" -> (Json.Str) need(source, "url", Json.Str.class);
            case "base64" -> Json.Str.of("data:", need(source, "media_type", Json.Str.class), ";base64,", need(source, "data", Json.Str.class));
            default -> throw invalid(source, "type", "a source of type base64 or url expected"); // also file: there is no file store
        };
    }

    /**
     * A document: text becomes text in a {@code document} element; a PDF becomes
     * {@code {"type":"file","file":{"filename":…,"file_data":…}}}.
     */
    private void document(Json block, List<Json> to) {
        Json source = need(block, "source", Json.Obj.class);
        Json title = may(block, "title", Json.Str.class);
        boolean isText = source.get("type").is("text");
        if (!isText && !source.get("type").is("content")) {
            to.add(part("{'type':'file','file':{'filename':%,'file_data':%}}", title.hasText() ? title : "document.pdf", url(block)));
            return;
        }
        List<Json> texts = new ArrayList<>();
        List<Json> images = new ArrayList<>();
        if (isText) texts.add(need(source, "data", Json.Str.class));
        if (!isText) need(source, "content", Json.Arr.class);
        for (Json inner : blocks(source)) {
            if (inner.get("type").is("image")) {
                images.add(image(inner));
            } else if (folded(inner).hasText()) {
                texts.add(folded(inner));
            }
        }
        Json.Str text = texts.isEmpty() ? Json.Str.of() : joined(texts, "\n");
        Json context = may(block, "context", Json.Str.class);
        to.add(Json.Str.of(title.hasText() ? Json.Str.of("<document title=\"", title, "\">\n") : "<document>\n",
                context.hasText() ? Json.Str.of(context, "\n\n") : "", text, "\n</document>"));
        to.addAll(images);
    }

    /**
     * {@return the text that stands for a block where only text can stand, or nothing} Blocks without a counterpart
     * (server tools and their results, citations' sources, whatever comes next) are folded by what they hold, not by kind.
     */
    private Json folded(Json block) {
        if (block instanceof Json.Str) return block;
        String type = block.get("type").text();
        return switch (type) {
            case "text" -> need(block, "text", Json.Str.class);
            case "thinking", "redacted_thinking", "tool_use", "tool_result" -> Json.Word.NULL;
            case "tool_reference" -> Json.Str.of("[tool available: %s]".formatted(block.get("tool_name").text()));
            case "search_result" -> Json.Str.of("<search_result title=\"", block.get("title").text(), "\" source=\"", block.get("source").text(), "\">\n",
                    String.join("\n", strings(block.get("content"))), "\n</search_result>");
            default -> {
                if (block.get("input") instanceof Json.Obj input) {
                    yield Json.Str.of("[%s called with %s]".formatted(block.get("name").text(), input.raw()));
                }
                boolean known = type.endsWith("_tool_result") || List.of("compaction", "browser_state", "mcp_tool_listing").contains(type);
                List<String> found = known ? strings(block) : List.of();
                if (!known && !block.get("text").hasText()) warnings.add("dropped_block");
                yield found.isEmpty() ? block.get("text") : Json.Str.of("[%s]\n%s".formatted(type, String.join("\n", found)));
            }
        };
    }

    private static List<String> strings(Json json) {
        List<String> found = new ArrayList<>();
        json.items().forEach(item -> found.addAll(strings(item)));
        Json[] parts = json instanceof Json.Obj obj ? obj.namesAndValues() : new Json[0];
        for (int i = 0; i < parts.length; i += 2) {
            boolean shown = List.of("text", "title", "url", "stdout", "stderr", "error_code", "tool_name", "content").contains(parts[i].text());
            if (shown && parts[i + 1].hasText()) found.add(parts[i + 1].text());
            found.addAll(strings(parts[i + 1]));
        }
        return found;
    }

    // ---- tools ----

    /** {@code tools}, {@code tool_choice} and {@code parallel_tool_calls}; none of them where no tool is left to send. */
    private void tools() {
        Set<String> names = new LinkedHashSet<>();
        var list = new Json.Writer();
        Set<String> loaded = null; // found when the first deferred tool asks for it
        for (Json tool : anthropic.get("tools").items()) {
            boolean typed = tool.get("type").hasText() && !tool.get("type").is("custom") && !(tool.get("input_schema") instanceof Json.Obj);
            String description = typed ? ToolSchemas.description(tool) : "";
            if (typed && description.isEmpty()) {
                String type = tool.get("type").text();
                if (type.contains("toolset")) throw invalid(tool, "type", type + " is not available");
                warnings.add(SERVER_TOOLS.stream().anyMatch(type::startsWith) ? "server_tool_omitted" : "unknown_tool_omitted");
                continue;
            }
            Json.Str name = (Json.Str) need(tool, "name", Json.Str.class);
            if (tool.get("defer_loading") == Json.Word.TRUE) {
                if (loaded == null) loaded = namesInHistory(anthropic.get("messages"), new HashSet<>());
                if (!loaded.contains(name.text())) continue;
            }
            List<Json> callers = tool.get("allowed_callers").items();
            if (!callers.isEmpty() && callers.stream().noneMatch(caller -> caller.is("direct"))) continue;
            if (!names.add(name.text())) throw invalid(tool, "name", "tool names must be unique");
            if (list.size() > 0) list.raw(',');
            list.put("{'type':'function','function':{'name':%", shortName(name));
            if (typed) {
                list.put(",'description':%,'parameters':%}}", description, ToolSchemas.parameters(tool));
            } else {
                custom(tool, list);
            }
        }
        if (names.isEmpty()) return;
        field("tools", "[%]", list);
        toolChoice(names);
    }

    /** {@code {"name":N,"description":D,"input_schema":S}} to {@code {"name":N,"description":D,"parameters":S}}. */
    private void custom(Json tool, Json.Writer list) {
        Json description = may(tool, "description", Json.Str.class);
        List<Object> text = new ArrayList<>(description.isNull() ? List.of() : List.of(description));
        tool.get("input_examples").items().stream().limit(3).forEach(example -> text.add("\n\nExample input: " + example.raw()));
        if (!text.isEmpty()) list.put(",'description':%", text.size() == 1 && !description.isNull() ? description : Json.Str.of(text.toArray()));
        Json schema = need(tool, "input_schema", Json.Obj.class);
        list.put(",'parameters':%", schema(schema));
        if (tool.get("strict") == Json.Word.TRUE && isStrict(schema)) list.put(",'strict':%", true);
        list.put("}}");
    }

    /** {@return the schema with {@code type} and {@code properties}, which some backends insist on, and without its name and dialect} */
    private static Json.Writer schema(Json schema) {
        var out = new Json.Writer().raw('{');
        if (schema.get("type").isNull()) out.put("'type':'object',");
        if (schema.get("properties").isNull()) out.put("'properties':{},");
        Json[] parts = ((Json.Obj) schema).namesAndValues();
        for (int i = 0; i < parts.length; i += 2) {
            boolean left = parts[i].is("$schema") || parts[i].is("$id") || parts[i + 1].isNull();
            if (!left) out.json(parts[i]).raw(':').json(parts[i + 1]).raw(',');
        }
        return out.closeWith('}');
    }

    /** {@return whether OpenAI would take the schema as strict: no member beyond those listed, and every one required} */
    private static boolean isStrict(Json schema) {
        Json[] properties = schema.get("properties") instanceof Json.Obj obj ? obj.namesAndValues() : new Json[0];
        if (schema.get("type").is("object") && schema.get("additionalProperties") != Json.Word.FALSE) return false;
        for (int i = 0; i < properties.length; i += 2) {
            String name = properties[i].text();
            if (schema.get("required").items().stream().noneMatch(required -> required.text().equals(name))) return false;
            if (!isStrict(properties[i + 1])) return false;
        }
        return isStrictOrNone(schema.get("items")) && schema.get("anyOf").items().stream().allMatch(Translator::isStrict)
                && schema.get("oneOf").isNull() && schema.get("allOf").isNull();
    }

    private static boolean isStrictOrNone(Json schema) {
        return schema.isNull() || isStrict(schema);
    }

    /** {@return the tools that the conversation has called or its own tool search has found} */
    private static Set<String> namesInHistory(Json json, Set<String> names) {
        if (json.get("type").is("tool_use")) names.add(json.get("name").text());
        if (json.get("type").is("tool_reference")) names.add(json.get("tool_name").text());
        json.items().forEach(item -> namesInHistory(item, names));
        if (json.get("content") instanceof Json.Str) return names;
        if (json instanceof Json.Obj) namesInHistory(json.get("content"), names);
        if (!json.get("tool_references").isNull()) namesInHistory(json.get("tool_references"), names);
        return names;
    }

    /** Source: Anthropic Messages, "tool_choice"; OpenAI chat completions, "tool_choice". Absent and auto are the same. */
    private void toolChoice(Set<String> names) {
        Json choice = anthropic.get("tool_choice");
        switch (choice.isNull() ? "auto" : need(choice, "type", Json.Str.class).text()) {
            case "auto" -> { }
            case "any" -> field("tool_choice", "'required'");
            case "none" -> field("tool_choice", "'none'");
            case "tool" -> {
                Json name = need(choice, "name", Json.Str.class);
                if (names.contains(name.text())) {
                    field("tool_choice", "{'type':'function','function':{'name':%}}", shortName(name));
                } else {
                    warnings.add("tool_choice_dropped");
                }
            }
            default -> throw invalid(choice, "type", "auto, any, tool or none expected");
        }
        if (isOneCallWanted()) field("parallel_tool_calls", "%", Json.Word.FALSE);
    }

    private boolean isOneCallWanted() {
        return anthropic.get("tool_choice").get("disable_parallel_tool_use") == Json.Word.TRUE;
    }

    /** {@return the name, or if it is longer than OpenAI allows, its beginning and a hash of it} */
    private static Json shortName(Json name) {
        if (name.to() - name.from() - 2 <= MAX_NAME) return name;
        String text = name.text();
        return text.length() <= MAX_NAME ? name : Json.Str.of(text.substring(0, MAX_NAME - 9) + "_" + hash(text).substring(0, 8));
    }

    /** {@return the client's name for a function that the model called: exactly, or as models misspell it} */
    private String toolName(String called) {
        String bare = called.replaceFirst("^(functions\\.|default_api:)", "");
        List<Json> names = anthropic.get("tools").items().stream().map(tool -> tool.get("name")).filter(Json::hasText).toList();
        for (String name : List.of(called, bare)) {
            for (Json declared : names) {
                if (shortName(declared).text().equals(name)) return declared.text();
            }
            for (Json declared : names) {
                if (shortName(declared).text().equalsIgnoreCase(name)) return declared.text();
            }
        }
        return called;
    }

    // ---- the reply ----

    /** One tool call of the reply; its arguments are mended and wait in {@code arguments} until its turn comes. */
    private static final class Call {
        private final Arguments arguments = new Arguments();
        private final Json index; // the upstream's, NULL if it sends none
        private String id = "";
        private String name = "";
        private boolean fed; // whether arguments have come
        private boolean empty; // whether they were just {}, which some send first in place of those to come
        private boolean open;

        private Call(Json index) {
            this.index = index;
        }

        private void feed(String text) {
            if (text.isEmpty()) return;
            empty = !fed && text.strip().equals("{}");
            fed = true;
            if (!empty) arguments.feed(text);
        }

        private void end(boolean cut, boolean whole) {
            if (empty) arguments.feed("{}");
            arguments.end(cut, whole);
        }
    }

    /** Text, or reasoning if there is a field, that came while a tool call was unfinished and waits for its end. */
    private record Later(Json text, String field) { }

    /** {@return what is ready to be sent to the client} */
    Json.Writer ready() {
        return message.out();
    }

    /** {@return whether the upstream has said how the reply ends; only usage may follow} */
    boolean isFinished() {
        return !finishReason.isEmpty();
    }

    /** {@return whether a stop sequence that is looked for here has come, so that nothing more is wanted} */
    boolean isStopped() {
        return !filter.stop().isEmpty();
    }

    /** Begins the reply before the upstream has said anything, as a sign of life. */
    void start() {
        message.start();
    }

    /**
     * Takes an event of the upstream's stream: a chunk, or {@code [DONE]}.
     *
     * @return whether nothing more is wanted
     * @throws ApiError if it is an error, or not JSON
     */
    boolean event(Sse event) {
        String start = new String(event.source(), event.from(), Math.min(5, event.to() - event.from()), StandardCharsets.US_ASCII);
        if (start.equals("[DONE")) return true;
        Json chunk;
        try {
            chunk = Json.parse(event.source(), event.from(), event.to());
        } catch (Json.Malformed e) {
            if (event.isError()) throw upstreamError(Json.Str.of(new String(event.source(), event.from(), event.to() - event.from(), StandardCharsets.UTF_8)));
            throw new ApiError(502, "%s: the stream holds data that is %s".formatted(options.upstreamHost(), e.getMessage()));
        }
        if (event.isError() || !(chunk instanceof Json.Obj)) throw upstreamError(chunk);
        chunk(chunk);
        return isStopped();
    }

    /**
     * Takes a chunk of a stream or a whole reply: {@code {"choices":[{"delta"|"message":{…},"finish_reason":F}],"usage":{…}}}.
     * In a chunk {@code message} counts only if nothing has come by {@code delta}: some repeat all in the last one.
     *
     * @throws ApiError if it is an error object, of whatever shape
     */
    void chunk(Json chunk) {
        Json choices = chunk.get("choices");
        Json choice = choices.items().stream().filter(each -> each.get("index").toLong(0) == 0).findFirst().orElse(Json.Word.NULL);
        if (!chunk.get("error").isNull() || chunk.get("object").is("error") || choices.isNull() && isError(chunk)) throw upstreamError(chunk);
        if (!choice.get("error").isNull()) throw upstreamError(choice);
        for (Json found : List.of(choice.get("usage"), chunk.get("x_groq").get("usage"), chunk.get("usage"))) {
            if (!(found instanceof Json.Obj)) continue;
            usage = found;
            usageIsLast = choices.items().isEmpty();
        }
        if (chunk.get("timings") instanceof Json.Obj found) timings = found;
        if (chunk.get("service_tier").is("priority")) tier = "priority";
        if (isStopped() || choice.isNull()) return;
        answered = true;
        boolean isDelta = choice.get("delta") instanceof Json.Obj;
        if (isDelta || !isBegun()) delta(choice.get(isDelta ? "delta" : "message"), !isDelta);
        content(choice.get("text"));
        for (Json matched : List.of(choice.get("stop_reason"), choice.get("matched_stop"))) {
            if (matched.hasText() && stops().stream().anyMatch(stop -> stop.text().equals(matched.text()))) stopSequence = matched.text();
        }
        String reason = choice.get("finish_reason").text();
        if (!reason.isEmpty() && !(finishReason.equals("tool_calls") && reason.equals("stop"))) finishReason = reason;
    }

    private boolean isBegun() {
        return message.blocks() > 0 || !calls.isEmpty() || !filter.isUnused();
    }

    private static boolean isError(Json chunk) {
        return List.of("message", "error_message", "detail", "errors").stream().anyMatch(name -> !chunk.get(name).isNull())
                || chunk instanceof Json.Arr && !chunk.items().isEmpty();
    }

    /** {@return the error that the upstream sent in the place of a reply or in mid-stream} */
    ApiError upstreamError(Json error) {
        return ApiError.ofUpstream(200, error, errorContext());
    }

    ApiError.Request errorContext() {
        return new ApiError.Request(options.upstreamHost(), model(), options.upstreamKey().isPresent(), options.context(), anthropic.to() / 4);
    }

    private void delta(Json delta, boolean whole) {
        reasoning(delta);
        Json content = delta.get("content");
        if (content instanceof Json.Arr) {
            content.items().forEach(this::part);
        } else {
            content(content.isNull() ? delta.get("audio").get("transcript") : content);
        }
        refusal(delta.get("refusal"));
        for (Json call : delta.get("tool_calls").items()) toolCall(call, call.get("function"), whole);
        if (delta.get("function_call") instanceof Json.Obj function) toolCall(delta, function, false);
        if (isCallOpen() && isStream()) pump(false);
    }

    /** The reasoning in a delta; the same text may stand under several keys, so only one counts. */
    private void reasoning(Json delta) {
        for (String field : REASONING_FIELDS) {
            Json value = delta.get(field);
            Json text = value.get("content").hasText() ? value.get("content") : value.get("text").hasText() ? value.get("text") : value;
            if (!text.hasText()) continue;
            filter.flush();
            think(text, field);
            return;
        }
        for (Json detail : delta.get("reasoning_details").items()) {
            think(detail.get("text").hasText() ? detail.get("text") : detail.get("summary"), "reasoning");
        }
    }

    private void part(Json part) {
        switch (part.get("type").text()) {
            case "text" -> content(part.get("text"));
            case "refusal" -> refusal(part.get("refusal"));
            case "thinking" -> {
                Json thinking = part.get("thinking");
                think(thinking, "reasoning");
                thinking.items().forEach(inner -> think(inner.get("text"), "reasoning"));
            }
            case "image_url" -> content(Json.Str.of("[image]"));
            default -> { } // dropped: parts that a message has no room for
        }
    }

    private void refusal(Json text) {
        refusal += text.text();
        content(text);
    }

    private void content(Json text) {
        if (text instanceof Json.Num || text instanceof Json.Obj) text = Json.Str.of(text.raw());
        if (text.hasText()) filter.feed(text);
    }

    /** Text for the client. White space alone begins no block: it waits for text to follow, and is dropped if none does. */
    private void say(Json text) {
        if (isCallOpen()) {
            later.add(new Later(text, ""));
            return;
        }
        if (!message.isOpen(MessageWriter.Block.TEXT)) {
            blank += text.text();
            if (blank.isBlank()) return;
            text = Json.Str.of(blank);
            open(MessageWriter.Block.TEXT);
        }
        write(text);
    }

    private void think(Json text, String field) {
        if (!text.hasText() || isThinkingOff()) return;
        if (isCallOpen()) {
            later.add(new Later(text, field));
            return;
        }
        if (!message.isOpen(MessageWriter.Block.THINKING)) {
            open(MessageWriter.Block.THINKING);
            signature = "a2o1." + field;
        }
        write(text);
    }

    /** Half of a surrogate pair at the end waits for the other, which some backends send in the next chunk. */
    private void write(Json text) {
        Json.Str piece = (Json.Str) text;
        if (!half.isEmpty() || piece.mayEndInHalf()) {
            String whole = half + text.text();
            int end = whole.length() - (Character.isHighSurrogate(whole.charAt(whole.length() - 1)) ? 1 : 0);
            half = whole.substring(end);
            piece = Json.Str.of(whole.substring(0, end));
        }
        if (!piece.isEmpty()) message.delta(piece);
    }

    private void open(MessageWriter.Block kind, Object... values) {
        close();
        blank = "";
        message.open(kind, values);
    }

    private void close() {
        if (!half.isEmpty()) message.delta(Json.Str.of(half));
        half = "";
        message.close(signature);
    }

    /** {@code {"index":I,"id":…,"function":{"name":N,"arguments":A}}}, whole or a piece of it, any of it missing. */
    private void toolCall(Json delta, Json function, boolean whole) {
        filter.flush();
        if (!(function instanceof Json.Obj)) function = delta.get("custom");
        Call call = call(delta, function, whole);
        String name = function.get("name").text();
        if (call.id.isEmpty()) call.id = delta.get("id").text();
        if (!call.open) call.name = name.startsWith(call.name) ? name : call.name.equals(name) ? name : call.name + name;
        Json arguments = function.get("arguments");
        if (!function.get("input").isNull()) arguments = Json.Str.of(new Json.Writer().put("{'input':%}", function.get("input")).toString());
        call.feed(arguments instanceof Json.Str ? arguments.text() : arguments.isNull() ? "" : arguments.raw());
    }

    /** {@return the call that a delta goes on with, by its index, else by its id, else the last; or a new one} */
    private Call call(Json delta, Json function, boolean whole) {
        String id = delta.get("id").text();
        boolean named = function.get("name").hasText();
        Json index = delta.get("index");
        Call found = null;
        for (Call call : calls) {
            boolean same = index instanceof Json.Num ? call.index.raw().equals(index.raw())
                    : id.isEmpty() ? !named : call.id.equals(id) || call.id.isEmpty() && !named;
            if (same) found = call;
        }
        boolean isOther = found != null && named && (!id.isEmpty() && !found.id.isEmpty() && !found.id.equals(id)
                || found.arguments.isComplete() && function.get("arguments").hasText());
        if (found != null && !isOther && !whole) return found;
        Call call = new Call(index);
        if (isOneCallWanted() && !calls.isEmpty()) return call; // dropped: the client wants one call only
        int at = calls.size(); // in the order of their indexes, as far as they have not begun
        while (at > current && !calls.get(at - 1).open && calls.get(at - 1).index.toLong(0) > index.toLong(Long.MAX_VALUE)) at--;
        calls.add(at, call);
        return call;
    }

    private boolean isCallOpen() {
        return current < calls.size();
    }

    /** Writes what is ready of the first unfinished call, and begins the next when that one is whole. */
    private void pump(boolean last) {
        for (; isCallOpen(); current++) {
            Call call = calls.get(current);
            boolean known = !call.name.isEmpty() && (call.fed || !call.id.isEmpty() || current + 1 < calls.size());
            if (!known && !last) return;
            if (call.name.isEmpty()) continue; // dropped: a call of nothing
            if (!call.open) {
                open(MessageWriter.Block.TOOL_USE, callId(call.id), toolName(call.name));
                if (isStream()) message.input("");
                call.open = true;
            }
            boolean cut = List.of("length", "max_tokens").contains(finishReason.toLowerCase(Locale.ROOT));
            if (last) call.end(cut, !isStream());
            String ready = call.arguments.take();
            if (!ready.isEmpty()) message.input(ready);
            if (!call.arguments.isComplete()) return;
            close();
            toolUses++;
        }
        List<Later> waiting = List.copyOf(later);
        later.clear();
        for (Later each : waiting) {
            if (each.field.isEmpty()) {
                say(each.text);
            } else {
                think(each.text, each.field);
            }
        }
    }

    /** {@return the upstream's id, or a new one if that is empty or already stands in this reply or the conversation} */
    private String callId(String id) {
        boolean used = !ids.add(id) || anthropic.get("messages").items().stream().flatMap(message -> blocks(message).stream())
                .anyMatch(block -> block.get("type").is("tool_use") && block.get("id").text().equals(id));
        return id.isEmpty() || used ? "toolu_" + newIds.get() : id;
    }

    /**
     * Ends the reply. {@code whole} says that it came as one JSON object, which cannot have been cut.
     *
     * @throws ApiError if the upstream has not finished, or finished with an error: half a reply must not look whole
     */
    void finish(boolean whole) {
        boolean complete = usageIsLast || !calls.isEmpty() && calls.stream().allMatch(call -> call.empty || call.arguments.isComplete());
        String host = options.upstreamHost();
        if (whole && !answered) throw new ApiError(502, "%s: the backend returned no choices".formatted(host));
        if (!whole && !isFinished() && !isStopped() && !complete) throw new ApiError(502, "%s: the stream ended early".formatted(host));
        switch (finishReason) {
            case "insufficient_system_resource" -> throw new ApiError(529, "%s: %s".formatted(host, finishReason));
            case "error", "network_error", "abort", "cancelled" -> throw new ApiError(502, "%s: finish_reason %s".formatted(host, finishReason));
            default -> end();
        }
    }

    /** Ends the message as the upstream's last finish_reason says; also a reply for which no upstream was asked. */
    void end() {
        if (wantsNothing()) finishReason = "max_tokens";
        filter.flush();
        pump(true);
        close();
        if (isStopped()) stopSequence = filter.stop();
        String reason = stopReason();
        message.finish(reason, reason.equals("stop_sequence") ? stopSequence : "", refusal, usage());
    }

    /** Source: OpenAI, "finish_reason"; Anthropic, "stop_reason". What was really sent counts more than what was said. */
    private String stopReason() {
        if (isStopped()) return "stop_sequence";
        if (!refusal.isEmpty()) return "refusal";
        boolean nothing = message.blocks() == 0;
        return switch (finishReason.toLowerCase(Locale.ROOT)) {
            case "model_length", "context_length_exceeded" -> "model_context_window_exceeded";
            case "length", "max_tokens" -> nothing && options.context() > 0 && usage().input() >= options.context()
                    ? "model_context_window_exceeded" : "max_tokens";
            case "content_filter", "safety", "sensitive", "recitation" -> "refusal";
            default -> toolUses > 0 ? "tool_use" : stopSequence.isEmpty() ? "end_turn" : "stop_sequence"; // unknown ones are a normal end
        };
    }

    /** The counts under any of their names (SPEC B.4); OpenAI's prompt_tokens include what was cached, Anthropic's do not. */
    private MessageWriter.Usage usage() {
        Json prompt = usage.get("prompt_tokens_details");
        long cacheRead = first(prompt.get("cached_tokens"), usage.get("prompt_cache_hit_tokens"), usage.get("cached_tokens"),
                usage.get("input_tokens_details").get("cached_tokens"), usage.get("cache_read_input_tokens"), timings.get("cache_n"));
        long cacheWrite = first(prompt.get("cache_write_tokens"), usage.get("cache_creation_input_tokens"));
        long thinking = first(usage.get("completion_tokens_details").get("reasoning_tokens"),
                usage.get("output_tokens_details").get("reasoning_tokens"), usage.get("reasoning_tokens"));
        Json counted = usage.get("prompt_tokens").isNull() ? usage.get("input_tokens") : usage.get("prompt_tokens");
        long input = counted.isNull() ? first(timings.get("prompt_n")) + first(timings.get("cache_n")) : first(counted);
        long output = first(usage.get("completion_tokens"), usage.get("output_tokens"), timings.get("predicted_n"));
        if (!counted.isNull()) output = Math.max(output, first(usage.get("total_tokens")) - input); // some leave reasoning out
        if (input >= cacheRead + cacheWrite) input -= cacheRead + cacheWrite;
        return new MessageWriter.Usage(input, cacheWrite, cacheRead, output, Math.min(thinking, output), tier);
    }

    private static long first(Json... counts) {
        for (Json count : counts) {
            if (count instanceof Json.Num) return Math.max(0, count.toLong(0));
        }
        return 0;
    }

    /** {@return models, tokens and stop reason for the log, free of control characters} */
    String summary() {
        MessageWriter.Usage counts = usage();
        return "%s -> %s in %d cached %d out %d %s".formatted(model(), options.model(model()), counts.input(), counts.cacheRead(), counts.output(), finishReason)
                .replaceAll("\\p{Cntrl}", "?");
    }

    /** Ends the stream in mid-reply: {@code event: error}, which no client takes for a normal end. */
    void fail(ApiError error, String requestId) {
        message.out().put("event: error\ndata: %\n\n", error.body(requestId));
    }
}
