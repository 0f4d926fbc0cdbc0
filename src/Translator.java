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
import java.util.stream.Stream;

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

    private final Json anthropic;
    private final Dialect dialect;
    private final Options options;
    private final Set<String> warnings = new LinkedHashSet<>();

    // the request's side
    private final Json.Writer out = new Json.Writer();
    private final List<Json> openCalls = new ArrayList<>(); // tool_use blocks that wait for their results
    private final List<Json> parts = new ArrayList<>(); // of the next user message: strings are text, objects ready parts
    private int hoisted; // images and documents taken out of the tool results of this turn

    // the reply's side
    private final MessageWriter message;
    private final TextFilter filter;
    private final Supplier<String> newIds;
    private final Set<String> ids = new HashSet<>();
    private final List<Call> calls = new ArrayList<>();
    private final List<Later> later = new ArrayList<>();
    private int current; // the first of the calls that is not finished
    private boolean answered;
    private boolean usageIsLast; // whether it came in a chunk of its own, as it does at the end
    private String blank = ""; // white space that has come where no text block is open
    private String half = ""; // the first half of a surrogate pair
    private String signature = "";
    private String refusal = "";
    private String finishReason = "";
    private String stopSequence = "";
    private Json usage = Json.NULL;
    private Json timings = Json.NULL;

    /** @throws ApiError if {@code anthropic} is not a request that can be translated, with the path of the field */
    Translator(Json anthropic, Options options, Dialect dialect, Supplier<String> newIds) {
        this.anthropic = anthropic;
        this.options = options;
        this.dialect = dialect;
        this.newIds = newIds;
        check();
        List<String> unsent = stops().stream().skip(MAX_STOPS).map(Json::text).toList();
        filter = new TextFilter(unsent, !format().isNull(), this::say, text -> think(text, "reasoning"));
        message = new MessageWriter(isStream(), "msg_" + newIds.get(), anthropic.get("model"));
    }

    /** {@return codes of what was left out or mended, for a response header} */
    Set<String> warnings() { return warnings; }

    boolean isStream() { return anthropic.get("stream") == Json.TRUE; }

    /** {@return the model to ask the upstream for} */
    String model() { return options.model(anthropic.get("model").text()); }

    /** {@return whether no token is wanted: the request only warms a cache, which chat completions cannot do} */
    boolean wantsNothing() { return anthropic.get("max_tokens").toLong(1) == 0; }

    /** What must be refused, since going on would corrupt the conversation or pretend that something happened (SPEC A.2). */
    private void check() {
        if (!(anthropic instanceof Json.Obj)) throw new ApiError(400, "the body must be a JSON object");
        String thread = anthropic.get("thread").get("type").text();
        if (thread.equals("create")) throw new ApiError(400, "thread_unsupported_request", "Threads are not supported here.");
        if (!anthropic.get("thread").isNull()) throw new ApiError(404, "thread_not_found", "thread: threads are not supported here");
        need(anthropic, "model", "\"");
        if (need(anthropic, "max_tokens", "0").toLong(-1) < 0) throw invalid(anthropic, "max_tokens", "a whole number of 0 or more expected");
        may(anthropic, "system", "\"[");
        objects(anthropic, "system").forEach(block -> need(block, "text", "\""));
        for (String name : List.of("tools", "stop_sequences", "mcp_servers")) may(anthropic, name, "[");
        for (String name : List.of("tool_choice", "thinking", "output_config", "metadata")) may(anthropic, name, "{");
        for (String name : List.of("temperature", "top_p")) may(anthropic, name, "0");
        may(anthropic, "stream", "t");
        refuse("mcp_servers", !anthropic.get("mcp_servers").items().isEmpty());
        refuse("container.skills", !anthropic.get("container").get("skills").items().isEmpty());
        refuse("compaction", !anthropic.get("compaction").isNull());
        refuse("billing_policy.bill_to", anthropic.get("billing_policy").get("bill_to").is("user_profile"));
        need(anthropic, "messages", "[");
        List<Json> messages = objects(anthropic, "messages");
        if (messages.isEmpty()) throw invalid(anthropic, "messages", "at least one message is required");
        for (Json message : messages) {
            Json role = need(message, "role", "\"");
            if (!role.is("system") && !role.is("user") && !role.is("assistant")) throw invalid(message, "role", "user, assistant or system expected");
            if (!role.is("system")) need(message, "content", "\"[");
            may(message, "content", "\"[");
            objects(message, "content").forEach(block -> need(block, "type", "\""));
        }
    }

    private void refuse(String name, boolean isAsked) {
        if (isAsked) throw invalid(anthropic, name, "not available on this proxy");
    }

    /** {@return the member, which must be there and of one of the {@code kinds}} */
    private Json need(Json parent, String name, String kinds) {
        if (parent.get(name).isNull()) throw invalid(parent, name, "Field required");
        return may(parent, name, kinds);
    }

    /** {@return the member, which if it is there must be of one of the {@code kinds}, each as its JSON text begins: {["0t} */
    private Json may(Json parent, String name, String kinds) {
        Json found = parent.get(name);
        char kind = switch (found) {
            case Json.Obj obj -> '{';
            case Json.Arr arr -> '[';
            case Json.Str str -> '"';
            case Json.Num num -> '0';
            case Json.Word word -> 't';
        };
        if (found.isNull() || kinds.indexOf(kind) >= 0) return found;
        throw invalid(parent, name, switch (kinds) {
            case "{" -> "an object expected";
            case "[" -> "an array expected";
            case "\"" -> "a string expected";
            case "0" -> "a number expected";
            case "t" -> "true or false expected";
            default -> "a string or an array of blocks expected";
        });
    }

    /** {@return the elements of an array, each of which must be an object; of anything else, none} */
    private List<Json> objects(Json parent, String name) {
        List<Json> items = parent.get(name).items();
        for (int i = 0; i < items.size(); i++) {
            if (!(items.get(i) instanceof Json.Obj)) throw invalid(parent, "%s[%d]".formatted(name, i), "an object expected");
        }
        return items;
    }

    private ApiError invalid(Json parent, String name, String message) {
        String path = path(parent);
        return new ApiError(400, "%s%s%s: %s".formatted(path, path.isEmpty() ? "" : ".", name, message));
    }

    /** {@return where {@code wanted} stands in the request, as in messages[0].content; "" at the top} Nodes are found by their place. */
    private String path(Json wanted) {
        var path = new StringBuilder();
        for (Json at = anthropic; at != wanted; ) {
            Json[] members = at.parts();
            List<Json> items = at.items();
            Json next = at;
            for (int i = 0; i < Math.max(members.length / 2, items.size()); i++) {
                Json child = members.length > 0 ? members[2 * i + 1] : items.get(i);
                if (child != wanted && (child.from() > wanted.from() || child.to() < wanted.to() || child instanceof Json.Word)) continue;
                next = child;
                path.append(members.length == 0 ? "[" + i + "]" : (path.isEmpty() ? "" : ".") + members[2 * i].text());
            }
            if (next == at) break; // a constant among others: the path of its parent must do
            at = next;
        }
        return path.toString();
    }

    /** {@return the body for the upstream: {@code {"model":…,"messages":[…],…}}} */
    Json.Writer openai() {
        out.raw('{');
        field("model", "%", model());
        if (!isReplaced("messages")) {
            out.put("'messages':[");
            messages();
            out.closeWith(']').raw(',');
        }
        field(dialect.maxTokensField(), "%", anthropic.get("max_tokens"));
        if (isStream()) {
            field("stream", "true");
            field("stream_options", "{'include_usage':true}");
        }
        for (String name : List.of("temperature", "top_p")) {
            if (!anthropic.get(name).isNull()) field(name, "%", anthropic.get(name)); // dropped: top_k, no OpenAI counterpart
        }
        List<Json> stops = stops().stream().limit(MAX_STOPS).toList();
        if (!stops.isEmpty()) field("stop", "%", list(stops));
        tools();
        reasoning();
        Json format = format();
        if (!format.isNull()) {
            field("response_format", "{'type':'json_schema','json_schema':{'name':'output','schema':%,'strict':%}}",
                    need(format, "schema", "{"), isStrict(format.get("schema")));
        }
        Json user = anthropic.get("metadata").get("user_id");
        if (user.hasText()) field("user", "%", hash(user.text()));
        if (dialect.openai()) {
            field("store", "false");
            if (anthropic.get("speed").is("fast")) {
                field("service_tier", "'fast'");
            } else if (anthropic.get("service_tier").is("standard_only")) {
                field("service_tier", "'default'");
            }
        }
        Json[] extra = options.extraBody().parts();
        for (int i = 0; i < extra.length; i += 2) out.put("%:%,", extra[i], extra[i + 1]);
        return out.closeWith('}');
    }

    private void field(String name, String pattern, Object... values) {
        if (!isReplaced(name)) out.put("%:", name).put(pattern, values).raw(',');
    }

    private boolean isReplaced(String name) { return !options.extraBody().get(name).isNull(); }

    private static Json.Writer list(List<?> items) {
        var list = new Json.Writer().raw('[');
        items.forEach(item -> list.put("%,", item));
        return list.closeWith(']');
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
        if (!stops.stream().allMatch(Json.Str.class::isInstance)) throw invalid(anthropic, "stop_sequences", "an array of strings expected");
        return stops.stream().filter(stop -> !stop.text().isBlank()).toList();
    }

    /** {@code output_config.format}, or {@code output_format} as it was called before. */
    private Json format() {
        Json format = may(anthropic.get("output_config"), "format", "{");
        Json old = may(anthropic, "output_format", "{");
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
        boolean enabled = thinking.get("type").is("enabled");
        String effort = anthropic.get("output_config").get("effort").text();
        for (Json message : anthropic.get("messages").items()) {
            Json changed = message.get("output_config").get("effort");
            if (message.get("role").is("system") && changed.hasText()) effort = changed.text();
        }
        long budget = may(thinking, "budget_tokens", "0").toLong(0);
        if (enabled && effort.isEmpty() && budget > 0) {
            effort = budget < 4096 ? "low" : budget < 16_000 ? "medium" : budget < 32_000 ? "high" : "xhigh";
        }
        if (isThinkingOff()) effort = dialect.thinkingSwitch() ? "" : "none";
        if (dialect.thinkingSwitch() && (enabled || isThinkingOff())) field("thinking", "{'type':%}", enabled ? "enabled" : "disabled");
        if (!effort.isEmpty()) field(dialect.effortField(), dialect.effortPattern(), effort);
    }

    private boolean isThinkingOff() {
        Json type = anthropic.get("thinking").get("type");
        return type.is("disabled") || type.is("between_tools");
    }

    /** The system prompt, then each run of messages of one side as one turn. */
    private void messages() {
        Json system = anthropic.get("system");
        List<Json> texts = new ArrayList<>();
        for (Json block : system.hasText() ? List.of(system) : system.items()) {
            Json text = block instanceof Json.Str ? block : block.get("text");
            if (text.hasText() && !text.text().startsWith("x-anthropic-billing-header:")) texts.add(text); // it would defeat prefix caches
        }
        if (!texts.isEmpty()) out.put("{'role':'system','content':%},", joined(texts, "\n\n"));
        List<Json> messages = anthropic.get("messages").items().stream().filter(message -> !isAssistant(message) || hasContent(message)).toList();
        for (int from = 0, to; from < messages.size(); from = to) {
            boolean assistant = isAssistant(messages.get(from));
            for (to = from + 1; to < messages.size() && isAssistant(messages.get(to)) == assistant; ) to++;
            if (assistant) {
                assistantTurn(messages.subList(from, to), to == messages.size());
            } else {
                userTurn(messages.subList(from, messages.size()), to - from);
            }
        }
    }

    private static boolean isAssistant(Json message) {
        return message.get("role").is("assistant");
    }

    /** {@return whether anything of an assistant's message is sent on; if not, its neighbours are one turn} */
    private boolean hasContent(Json message) {
        return blocks(message).stream().anyMatch(block -> isKind(block, "tool_use") || !thought(block).isNull() || folded(block).hasText());
    }

    /** {@return the blocks of a message, tool result or source; a plain string is one block, itself} */
    private static List<Json> blocks(Json message) {
        Json content = message.get("content");
        return content instanceof Json.Str ? List.of(content) : content.items();
    }

    private static boolean isKind(Json block, String type) { return block.get("type").is(type); }

    /** {@return the text of a thinking block if the backend wants it back, or NULL} */
    private Json thought(Json block) {
        Json text = isKind(block, "thinking") && dialect.replaysReasoning() ? block.get("thinking") : Json.NULL;
        return text.hasText() ? text : Json.NULL;
    }

    private static Json.Str joined(List<Json> texts, String separator) {
        if (texts.size() == 1) return (Json.Str) texts.getFirst();
        return Json.Str.of(texts.stream().flatMap(text -> Stream.of(separator, text)).skip(1).toArray());
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
        for (Json message : run) {
            boolean apart = true; // whether something other than text stood since the last text
            for (Json block : blocks(message)) {
                Json text = folded(block);
                boolean plain = block instanceof Json.Str || isKind(block, "text");
                if (text.hasText() && !texts.isEmpty() && (apart || !plain)) texts.add("\n\n");
                if (text.hasText()) texts.add(text);
                if (isKind(block, "tool_use")) openCalls.add(block);
                if (!thought(block).isNull()) {
                    thoughts.add(thought(block));
                    field = reasoningField(block.get("signature").text());
                }
                apart = !plain || !text.hasText() && apart;
            }
        }
        if (last && !openCalls.isEmpty()) throw invalid(openCalls.getFirst(), "id", "tool_use without a tool_result after it");
        Object content = texts.size() == 1 ? texts.getFirst() : Json.Str.of(texts.toArray());
        if (last) content = ((Json) content).text().stripTrailing(); // a prefill, which the model goes on with
        if (texts.isEmpty() && !openCalls.isEmpty()) content = Json.NULL;
        out.put("{'role':'assistant','content':%,", content);
        if (!thoughts.isEmpty()) out.put("%:%,", field, joined(thoughts, "\n\n"));
        if (!openCalls.isEmpty()) out.put("'tool_calls':%", list(openCalls.stream().map(this::toolCall).toList()));
        out.closeWith('}').raw(',');
    }

    private Json.Writer toolCall(Json block) {
        Json input = may(block, "input", "{");
        return new Json.Writer().put("{'id':%,'type':'function','function':{'name':%,'arguments':", need(block, "id", "\""), shortName(need(block, "name", "\"")))
                .put(input.isNull() ? "'{}'" : "@", input).put("}}");
    }

    /** {@return the key that reasoning goes back under: the one it came under, as its signature says ({@code a2o1.<field>})} */
    private static String reasoningField(String signature) {
        String field = signature.startsWith("a2o1.") ? signature.substring("a2o1.".length()).split("\\.", 2)[0] : "";
        return REASONING_FIELDS.contains(field) ? field : REASONING_FIELDS.getFirst();
    }

    /**
     * What the user's side says, in the order chat completions want: the results of all open calls, in the order of the
     * calls, then everything else as one message. System messages stay in place, or become a part of the user's text.
     * The turn is the first {@code size} of {@code messages}, which go on to the end of the conversation.
     */
    private void userTurn(List<Json> messages, int size) {
        Map<String, Json> results = new HashMap<>();
        for (Json message : messages.subList(0, size)) {
            for (Json block : blocks(message)) {
                if (!isKind(block, "tool_result")) continue;
                if (results.putIfAbsent(need(block, "tool_use_id", "\"").text(), block) != null) warnings.add("duplicate_tool_result");
            }
        }
        hoisted = 0;
        Set<String> answered = new HashSet<>();
        for (Json call : openCalls) {
            Json result = results.getOrDefault(call.get("id").text(), Json.NULL);
            if (result.isNull()) warnings.add("missing_tool_result");
            out.put("{'role':'tool','tool_call_id':%,'content':%},", call.get("id"), toolResult(result));
            answered.add(call.get("id").text());
        }
        openCalls.clear();
        for (int i = 0; i < size; i++) {
            Json message = messages.get(i);
            boolean system = message.get("role").is("system");
            boolean outdated = message.get("clear_at").is("next_user_message")
                    && messages.subList(i + 1, messages.size()).stream().anyMatch(next -> next.get("role").is("user"));
            if (!system) blocks(message).forEach(block -> userBlock(block, answered));
            if (system && !outdated) systemMessage(message);
        }
        userMessage();
    }

    private void systemMessage(Json message) {
        List<Json> texts = blocks(message).stream().map(this::folded).filter(Json::hasText).toList();
        if (texts.isEmpty()) return;
        if (dialect.systemAnywhere()) {
            userMessage();
            out.put("{'role':'system','content':%},", joined(texts, "\n\n"));
        } else {
            parts.add(Json.Str.of("<system-reminder>\n", joined(texts, "\n\n"), "\n</system-reminder>"));
        }
    }

    /** Writes the parts gathered as one user message, a plain string if all are text. */
    private void userMessage() {
        boolean isText = parts.stream().allMatch(Json.Str.class::isInstance);
        if (!parts.isEmpty()) out.put("{'role':'user','content':%},", isText ? joined(parts, "\n\n")
                : list(parts.stream().map(part -> part instanceof Json.Str ? new Json.Writer().put("{'type':'text','text':%}", part) : part).toList()));
        parts.clear();
    }

    private void userBlock(Json block, Set<String> answered) {
        if (isKind(block, "container_upload")) throw invalid(block, "type", "uploaded files are not available");
        if (!isKind(block, "tool_result")) {
            parts.addAll(parts(block));
        } else if (!answered.contains(block.get("tool_use_id").text())) {
            warnings.add("unknown_tool_result");
            parts.add(Json.Str.of("[result of unknown call ", block.get("tool_use_id"), "]\n", toolResult(block)));
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
        may(result, "content", "\"[");
        objects(result, "content");
        List<Json> texts = new ArrayList<>();
        for (Json part : blocks(result).stream().flatMap(block -> parts(block).stream()).toList()) {
            if (part instanceof Json.Str) {
                texts.add(part);
                continue;
            }
            String label = (isKind(part, "file") ? "document " : "image ") + ++hoisted;
            texts.add(Json.Str.of("[", label, ": see next message]"));
            parts.add(Json.Str.of("[", label, " from tool call ", result.get("tool_use_id"), "]"));
            parts.add(part);
        }
        Json.Str text = texts.isEmpty() ? Json.Str.of("(no output)") : joined(texts, "\n");
        String start = result.get("is_error") == Json.TRUE ? text.text().stripLeading().toLowerCase(Locale.ROOT) : "error";
        return start.startsWith("error") || start.startsWith("<tool_use_error>") ? text : Json.Str.of("Error: ", text);
    }

    /** {@return what becomes of a block on the user's side: a text, or a part of another kind, or texts and images of a document} */
    private List<Json> parts(Json block) {
        if (isKind(block, "image")) return List.of(part("{'type':'image_url','image_url':{'url':%}}", url(block)));
        if (isKind(block, "document")) return document(block);
        Json text = folded(block);
        return text.hasText() ? List.of(text) : List.of();
    }

    private static Json part(String pattern, Object... values) {
        return Json.parse(new Json.Writer().put(pattern, values).toBytes());
    }

    /** {@return the URL of an image or document: its own, or a data URL} */
    private Json url(Json block) {
        Json source = need(block, "source", "{");
        return switch (need(source, "type", "\"").text()) {
            case "url" -> need(source, "url", "\"");
            case "base64" -> Json.Str.of("data:", need(source, "media_type", "\""), ";base64,", need(source, "data", "\""));
            default -> throw invalid(source, "type", "base64 or url expected"); // also file: there is no file store
        };
    }

    /** A PDF becomes {@code {"type":"file","file":{"filename":…,"file_data":…}}}, text a {@code document} element. */
    private List<Json> document(Json block) {
        Json source = need(block, "source", "{");
        Json title = may(block, "title", "\"");
        Json context = may(block, "context", "\"");
        if (!isKind(source, "text") && !isKind(source, "content")) {
            return List.of(part("{'type':'file','file':{'filename':%,'file_data':%}}", title.hasText() ? title : "document.pdf", url(block)));
        }
        List<Json> inner = isKind(source, "text") ? List.of(need(source, "data", "\"")) : new ArrayList<>();
        if (isKind(source, "content")) need(source, "content", "\"[");
        if (isKind(source, "content")) blocks(source).forEach(each -> inner.addAll(parts(each)));
        List<Json> texts = inner.stream().filter(Json.Str.class::isInstance).toList();
        Json.Str text = Json.Str.of(title.hasText() ? Json.Str.of("<document title=\"", title, "\">\n") : "<document>\n",
                context.hasText() ? Json.Str.of(context, "\n\n") : "", joined(texts, "\n"), "\n</document>");
        return Stream.concat(Stream.of(text), inner.stream().filter(part -> !(part instanceof Json.Str))).toList();
    }

    /**
     * {@return the text that stands for a block where only text can stand, or nothing} Blocks without a counterpart
     * (server tools and their results, summaries, whatever comes next) are folded by what they hold, not by kind.
     */
    private Json folded(Json block) {
        if (block instanceof Json.Str) return block;
        String type = block.get("type").text();
        return switch (type) {
            case "text" -> need(block, "text", "\"");
            case "thinking", "redacted_thinking", "tool_use", "tool_result" -> Json.NULL;
            case "tool_reference" -> Json.Str.of("[tool available: ", block.get("tool_name").text(), "]");
            case "search_result" -> Json.Str.of("<search_result title=\"", block.get("title").text(), "\" source=\"", block.get("source").text(),
                    "\">\n", strings(block.get("content")), "\n</search_result>");
            case "compaction", "browser_state", "mcp_tool_listing" -> labelled(type, block);
            default -> {
                if (type.endsWith("_tool_result")) yield labelled(type, block);
                Json input = block.get("input");
                if (input instanceof Json.Obj) yield Json.Str.of("[", block.get("name").text(), " called with ", input.raw(), "]");
                if (!block.get("text").hasText()) warnings.add("dropped_block");
                yield block.get("text");
            }
        };
    }

    private static Json labelled(String type, Json block) {
        String found = strings(block);
        return found.isEmpty() ? Json.NULL : Json.Str.of("[", type, "]\n", found);
    }

    /** {@return what there is to read in a block, depth first, a line each} */
    private static String strings(Json json) {
        List<String> found = new ArrayList<>();
        json.items().forEach(item -> found.add(strings(item)));
        Json[] members = json.parts();
        for (int i = 0; i < members.length; i += 2) {
            Json value = members[i + 1];
            boolean shown = List.of("text", "title", "url", "stdout", "stderr", "error_code", "tool_name", "content").contains(members[i].text());
            found.add(shown && value.hasText() ? value.text() : strings(value));
        }
        found.removeIf(String::isEmpty);
        return String.join("\n", found);
    }

    /** {@code tools}, {@code tool_choice} and {@code parallel_tool_calls}; none of them where no tool is left to send. */
    private void tools() {
        Set<String> names = new LinkedHashSet<>();
        List<Json.Writer> functions = new ArrayList<>();
        Set<String> inHistory = new HashSet<>();
        boolean deferring = anthropic.get("tools").items().stream().anyMatch(tool -> tool.get("defer_loading") == Json.TRUE);
        if (deferring) namesIn(anthropic.get("messages"), inHistory);
        for (Json tool : objects(anthropic, "tools")) {
            String type = tool.get("type").text();
            boolean custom = type.isEmpty() || type.equals("custom") || tool.get("input_schema") instanceof Json.Obj;
            if (type.contains("toolset")) throw invalid(tool, "type", type + " is not available");
            if (!custom && !ToolSchemas.has(tool)) {
                warnings.add("server_tool_omitted"); // nothing in chat completions would run it
                continue;
            }
            Json name = need(tool, "name", "\"");
            List<Json> callers = tool.get("allowed_callers").items();
            if (tool.get("defer_loading") == Json.TRUE && !inHistory.contains(name.text())) continue; // hidden until found
            if (!callers.isEmpty() && callers.stream().noneMatch(caller -> caller.is("direct"))) continue;
            if (!names.add(name.text())) throw invalid(tool, "name", "tool names must be unique");
            var function = new Json.Writer().put("{'type':'function','function':{'name':%,", shortName(name));
            functions.add((custom ? custom(tool, function) : ToolSchemas.write(tool, function)).put("}}"));
        }
        if (names.isEmpty()) return;
        field("tools", "%", list(functions));
        toolChoice(names);
    }

    /** {@code {"name":N,"description":D,"input_schema":S}} to {@code {"name":N,"description":D,"parameters":S}}. */
    private Json.Writer custom(Json tool, Json.Writer function) {
        List<Object> text = new ArrayList<>();
        if (may(tool, "description", "\"").hasText()) text.add(tool.get("description"));
        tool.get("input_examples").items().stream().limit(3).forEach(example -> text.add("\n\nExample input: " + example.raw()));
        if (!text.isEmpty()) function.put("'description':%,", Json.Str.of(text.toArray()));
        Json schema = need(tool, "input_schema", "{");
        function.put("'parameters':{"); // with what some backends insist on, and without the name and dialect of the schema
        if (schema.get("type").isNull()) function.put("'type':'object',");
        if (schema.get("properties").isNull()) function.put("'properties':{},");
        Json[] members = schema.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean left = members[i].is("$schema") || members[i].is("$id") || members[i + 1].isNull();
            if (!left) function.put("%:%,", members[i], members[i + 1]);
        }
        function.closeWith('}');
        return tool.get("strict") == Json.TRUE && isStrict(schema) ? function.put(",'strict':true") : function;
    }

    /** {@return whether OpenAI would take the schema as strict: no member beyond those listed, and every one required} */
    private static boolean isStrict(Json schema) {
        Json[] properties = schema.get("properties").parts();
        List<String> required = schema.get("required").items().stream().map(Json::text).toList();
        boolean strict = schema.get("oneOf").isNull() && schema.get("allOf").isNull()
                && (!schema.get("type").is("object") || schema.get("additionalProperties") == Json.FALSE);
        for (int i = 0; i < properties.length; i += 2) strict &= required.contains(properties[i].text()) && isStrict(properties[i + 1]);
        return strict && (schema.get("items").isNull() || isStrict(schema.get("items"))) && schema.get("anyOf").items().stream().allMatch(Translator::isStrict);
    }

    /** Gathers the tools that the conversation has called or its tool search has found. */
    private static void namesIn(Json json, Set<String> names) {
        if (isKind(json, "tool_use")) names.add(json.get("name").text());
        if (isKind(json, "tool_reference")) names.add(json.get("tool_name").text());
        json.items().forEach(item -> namesIn(item, names));
        for (String name : List.of("content", "tool_references")) {
            if (!json.get(name).isNull()) namesIn(json.get(name), names);
        }
    }

    /** Source: Anthropic Messages, "tool_choice"; OpenAI chat completions, "tool_choice". Absent and auto are the same. */
    private void toolChoice(Set<String> names) {
        Json choice = anthropic.get("tool_choice");
        switch (choice.isNull() ? "auto" : need(choice, "type", "\"").text()) {
            case "auto" -> { }
            case "any" -> field("tool_choice", "'required'");
            case "none" -> field("tool_choice", "'none'");
            case "tool" -> {
                Json name = need(choice, "name", "\"");
                if (names.contains(name.text())) field("tool_choice", "{'type':'function','function':{'name':%}}", shortName(name));
                if (!names.contains(name.text())) warnings.add("tool_choice_dropped"); // it names a tool that was omitted
            }
            default -> throw invalid(choice, "type", "auto, any, tool or none expected");
        }
        if (isOneCallWanted()) field("parallel_tool_calls", "false");
    }

    private boolean isOneCallWanted() {
        return anthropic.get("tool_choice").get("disable_parallel_tool_use") == Json.TRUE;
    }

    /** {@return the name, or if it is longer than OpenAI allows, its beginning and a hash of it} */
    private static Json shortName(Json name) {
        if (name.to() - name.from() - 2 <= MAX_NAME || name.text().length() <= MAX_NAME) return name;
        return Json.Str.of(name.text().substring(0, MAX_NAME - 9) + "_" + hash(name.text()).substring(0, 8));
    }

    /** {@return the client's name for a function that the model called: exactly, or as models misspell it} */
    private String toolName(String called) {
        List<String> spellings = List.of(called, called.replaceFirst("^(functions\\.|default_api:)", ""));
        List<Json> names = anthropic.get("tools").items().stream().map(tool -> tool.get("name")).filter(Json::hasText).toList();
        Stream<Json> exact = spellings.stream().flatMap(each -> names.stream().filter(name -> shortName(name).text().equals(each)));
        Stream<Json> alike = spellings.stream().flatMap(each -> names.stream().filter(name -> shortName(name).text().equalsIgnoreCase(each)));
        return Stream.concat(exact, alike).findFirst().map(Json::text).orElse(called);
    }

    /** One tool call of the reply; its arguments are mended and wait in {@code arguments} until its turn comes. */
    private static final class Call {
        private final Arguments arguments = new Arguments();
        private final Json index; // the upstream's, NULL if it sends none
        private String id = "";
        private String name = "";
        private boolean fed; // whether arguments have come
        private boolean empty; // whether they were just {}, which some send first in place of those to come
        private boolean open;

        private Call(Json index) { this.index = index; }

        private void feed(String text) {
            if (text.isEmpty()) return;
            empty = !fed && text.strip().equals("{}");
            fed = true;
            if (!empty) arguments.feed(text);
        }
    }

    /** Text, or reasoning if there is a field, that came while a tool call was unfinished and waits for its end. */
    private record Later(Json text, String field) { }

    /** {@return what is ready to be sent to the client} */
    Json.Writer ready() { return message.out(); }

    /** {@return whether the upstream has said how the reply ends; only usage may follow} */
    boolean isFinished() { return !finishReason.isEmpty(); }

    /** {@return whether a stop sequence that is looked for here has come, so that nothing more is wanted} */
    boolean isStopped() { return !filter.stop().isEmpty(); }

    /** Begins the reply before the upstream has said anything, as a sign of life. */
    void ping() {
        message.start();
        message.out().put("event: ping\ndata: {'type':'ping'}\n\n");
    }

    /**
     * Takes an event of the upstream's stream: a chunk, or {@code [DONE]}.
     *
     * @return whether nothing more is wanted
     * @throws ApiError if it is an error, or not JSON
     */
    boolean event(Sse event) {
        String text = new String(event.source(), event.from(), Math.min(event.to() - event.from(), 512), StandardCharsets.UTF_8);
        if (text.startsWith("[DONE")) return true;
        try {
            Json chunk = Json.parse(event.source(), event.from(), event.to());
            if (event.isError() || !(chunk instanceof Json.Obj)) throw upstreamError(chunk);
            chunk(chunk);
        } catch (Json.Malformed e) {
            throw event.isError() ? upstreamError(Json.Str.of(text)) : broken("the stream holds data that is " + e.getMessage());
        }
        return isStopped();
    }

    /** {@return the error that the upstream sent in the place of a reply or in mid-stream} */
    private ApiError upstreamError(Json error) {
        return ApiError.ofUpstream(200, error, context());
    }

    ApiError.Context context() {
        return new ApiError.Context(options.upstreamHost(), model(), options.upstreamKey().isPresent(), options.context(), anthropic.to() / 4);
    }

    ApiError broken(String what) {
        return new ApiError(502, "%s: %s".formatted(options.upstreamHost(), what));
    }

    /**
     * Takes a chunk of a stream or a whole reply: {@code {"choices":[{"delta"|"message":{…},"finish_reason":F}],"usage":{…}}}.
     * In a chunk {@code message} counts only if nothing has come by {@code delta}: some repeat all in the last one.
     *
     * @throws ApiError if it is an error object, of whatever shape
     */
    void chunk(Json chunk) {
        Json choices = chunk.get("choices");
        Json choice = choices.items().stream().filter(each -> each.get("index").toLong(0) == 0).findFirst().orElse(Json.NULL);
        boolean other = choices.isNull() && (chunk instanceof Json.Arr
                || Stream.of("message", "error_message", "detail", "errors").anyMatch(name -> !chunk.get(name).isNull()));
        if (!chunk.get("error").isNull() || chunk.get("object").is("error") || other) throw upstreamError(chunk);
        if (!choice.get("error").isNull()) throw upstreamError(choice);
        for (Json found : List.of(choice.get("usage"), chunk.get("x_groq").get("usage"), chunk.get("usage"))) {
            if (!(found instanceof Json.Obj)) continue;
            usage = found;
            usageIsLast = choices.items().isEmpty();
        }
        if (chunk.get("timings") instanceof Json.Obj found) timings = found;
        if (chunk.get("service_tier").is("priority")) message.setTier("priority");
        if (isStopped() || choice.isNull()) return;
        answered = true;
        boolean isDelta = choice.get("delta") instanceof Json.Obj;
        boolean isFirst = message.blocks() == 0 && calls.isEmpty() && filter.isUnused();
        if (isDelta || isFirst) delta(choice.get(isDelta ? "delta" : "message"), !isDelta);
        content(choice.get("text"));
        for (Json matched : List.of(choice.get("stop_reason"), choice.get("matched_stop"))) {
            if (matched.hasText() && stops().stream().anyMatch(stop -> stop.text().equals(matched.text()))) stopSequence = matched.text();
        }
        String reason = choice.get("finish_reason").text();
        if (!reason.isEmpty() && !(finishReason.equals("tool_calls") && reason.equals("stop"))) finishReason = reason;
    }

    private void delta(Json delta, boolean whole) {
        reasoning(delta);
        Json content = delta.get("content");
        content.items().forEach(this::part);
        content(content.isNull() ? delta.get("audio").get("transcript") : content);
        refusal(delta.get("refusal"));
        for (Json call : delta.get("tool_calls").items()) toolCall(call, call.get(call.get("function").isNull() ? "custom" : "function"), whole);
        if (delta.get("function_call") instanceof Json.Obj function) toolCall(delta, function, false);
        if (isCallOpen() && isStream()) pump(false);
    }

    /** The reasoning in a delta; the same text may stand under several keys, so only one counts. */
    private void reasoning(Json delta) {
        for (String field : REASONING_FIELDS) {
            Json value = delta.get(field);
            Json text = Stream.of(value, value.get("content"), value.get("text")).filter(Json::hasText).findFirst().orElse(Json.NULL);
            if (text.isNull()) continue;
            filter.flush();
            think(text, field);
            return;
        }
        for (Json detail : delta.get("reasoning_details").items()) {
            think(detail.get(detail.get("text").hasText() ? "text" : "summary"), "reasoning");
        }
    }

    private void part(Json part) {
        switch (part.get("type").text()) {
            case "text" -> content(part.get("text"));
            case "refusal" -> refusal(part.get("refusal"));
            case "thinking" -> {
                think(part.get("thinking"), "reasoning");
                part.get("thinking").items().forEach(inner -> think(inner.get("text"), "reasoning"));
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
        boolean odd = text instanceof Json.Num || text instanceof Json.Obj;
        if (odd || text.hasText()) filter.feed(odd ? Json.Str.of(text.raw()) : text);
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
        if (!message.isOpen(MessageWriter.Block.THINKING)) open(MessageWriter.Block.THINKING);
        signature = "a2o1." + field;
        write(text);
    }

    /** Half of a surrogate pair at the end waits for the other, which some backends send in the next chunk. */
    private void write(Json text) {
        Json.Str piece = (Json.Str) text;
        if (!half.isEmpty() || piece.mayEndInHalf()) {
            String all = half + text.text();
            int end = all.length() - (Character.isHighSurrogate(all.charAt(all.length() - 1)) ? 1 : 0);
            half = all.substring(end);
            piece = Json.Str.of(all.substring(0, end));
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
        Call call = call(delta, function, whole);
        String name = function.get("name").text();
        if (call.id.isEmpty()) call.id = delta.get("id").text();
        if (!call.open && !name.equals(call.name)) call.name = name.startsWith(call.name) ? name : call.name + name;
        Json arguments = function.get("arguments");
        if (!function.get("input").isNull()) arguments = part("{'input':%}", function.get("input"));
        call.feed(arguments.isNull() || arguments instanceof Json.Str ? arguments.text() : arguments.raw());
    }

    /** {@return the call that a delta goes on with, by its index, else by its id, else the last; or a new one} */
    private Call call(Json delta, Json function, boolean whole) {
        String id = delta.get("id").text();
        Json index = delta.get("index") instanceof Json.Num number ? number : Json.NULL;
        boolean named = function.get("name").hasText();
        Call found = null;
        for (Call call : whole ? List.<Call>of() : calls) {
            boolean same = !index.isNull() ? call.index.raw().equals(index.raw()) : id.isEmpty() ? !named : call.id.equals(id) || call.id.isEmpty() && !named;
            if (same) found = call;
        }
        boolean isOther = found == null || named && (!id.isEmpty() && !found.id.isEmpty() && !found.id.equals(id)
                || found.arguments.isComplete() && function.get("arguments").hasText());
        if (!isOther) return found;
        Call call = new Call(index);
        if (isOneCallWanted() && !calls.isEmpty()) return call; // dropped: the client wants one call only
        int at = calls.size(); // in the order of their indexes, as far as they have not begun
        while (at > current && !calls.get(at - 1).open && calls.get(at - 1).index.toLong(0) > index.toLong(Long.MAX_VALUE)) at--;
        calls.add(at, call);
        return call;
    }

    private boolean isCallOpen() { return current < calls.size(); }

    /** Writes what is ready of the first unfinished call, and begins the next when that one is whole. */
    private void pump(boolean last) {
        boolean cut = finishReason.toLowerCase(Locale.ROOT).matches("length|max_tokens");
        for (; isCallOpen(); current++) {
            Call call = calls.get(current);
            boolean isKnown = !call.name.isEmpty() && (call.fed || !call.id.isEmpty() || current + 1 < calls.size());
            if (!isKnown && !last) return;
            if (call.name.isEmpty()) continue; // dropped: a call of nothing
            if (!call.open) {
                open(MessageWriter.Block.TOOL_USE, callId(call.id), toolName(call.name));
                if (isStream()) message.input("");
                call.open = true;
            }
            if (last && call.empty) call.arguments.feed("{}");
            if (last) call.arguments.end(cut, !isStream());
            message.input(call.arguments.take());
            if (!call.arguments.isComplete()) return;
            close();
        }
        List<Later> waiting = List.copyOf(later);
        later.clear();
        for (Later each : waiting) {
            if (each.field.isEmpty()) say(each.text);
            if (!each.field.isEmpty()) think(each.text, each.field);
        }
    }

    /** {@return the upstream's id, or a new one if that is empty or already stands in this reply or the conversation} */
    private String callId(String id) {
        boolean used = !ids.add(id) || anthropic.get("messages").items().stream().flatMap(message -> blocks(message).stream())
                .anyMatch(block -> isKind(block, "tool_use") && block.get("id").text().equals(id));
        return id.isEmpty() || used ? "toolu_" + newIds.get() : id;
    }

    /**
     * Ends the reply. {@code whole} says that it came as one JSON object, which cannot have been cut.
     *
     * @throws ApiError if the upstream has not finished, or finished with an error: half a reply must not look whole
     */
    void finish(boolean whole) {
        boolean complete = usageIsLast || !calls.isEmpty() && calls.stream().allMatch(call -> call.empty || call.arguments.isComplete());
        if (whole && !answered) throw broken("the backend returned no choices");
        if (!whole && !isFinished() && !isStopped() && !complete) throw broken("the stream ended early");
        switch (finishReason) {
            case "insufficient_system_resource" -> throw new ApiError(529, "%s: %s".formatted(options.upstreamHost(), finishReason));
            case "error", "network_error", "abort", "cancelled" -> throw broken("finish_reason " + finishReason);
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
        boolean full = message.blocks() == 0 && options.context() > 0 && usage().input() >= options.context();
        return switch (finishReason.toLowerCase(Locale.ROOT)) {
            case "model_length", "context_length_exceeded" -> "model_context_window_exceeded";
            case "length", "max_tokens" -> full ? "model_context_window_exceeded" : "max_tokens";
            case "content_filter", "safety", "sensitive", "recitation" -> "refusal";
            default -> message.hasToolUse() ? "tool_use" : stopSequence.isEmpty() ? "end_turn" : "stop_sequence"; // unknown: a normal end
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
        Json counted = usage.get(usage.get("prompt_tokens").isNull() ? "input_tokens" : "prompt_tokens");
        long input = counted.isNull() ? first(timings.get("prompt_n")) + first(timings.get("cache_n")) : first(counted);
        long output = first(usage.get("completion_tokens"), usage.get("output_tokens"), timings.get("predicted_n"));
        if (!counted.isNull()) output = Math.max(output, first(usage.get("total_tokens")) - input); // some leave reasoning out
        if (input >= cacheRead + cacheWrite) input -= cacheRead + cacheWrite;
        return new MessageWriter.Usage(input, cacheWrite, cacheRead, output, Math.min(thinking, output));
    }

    private static long first(Json... counts) {
        return Stream.of(counts).filter(Json.Num.class::isInstance).findFirst().map(count -> Math.max(0, count.toLong(0))).orElse(0L);
    }

    /** {@return models, tokens and finish reason for the log, free of control characters} */
    String summary() {
        MessageWriter.Usage counts = usage();
        return "%s -> %s in %d cached %d out %d %s".formatted(anthropic.get("model").text(), model(), counts.input(), counts.cacheRead(), counts.output(), finishReason)
                .replaceAll("\\p{Cntrl}", "?");
    }

    /** Ends the stream in mid-reply: {@code event: error}, which no client takes for a normal end. */
    void fail(ApiError error, String requestId) {
        message.out().put("event: error\ndata: %\n\n", error.body(requestId));
    }
}
