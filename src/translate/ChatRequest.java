package translate;

import anthropic.Request;
import config.Options;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;

/**
 * The request to the backend, {@code POST /v1/chat/completions}, made from the client's, {@code POST /v1/messages}. It
 * knows nothing of the reply, but for the beginning of it that the client gave and the limits that were sent.
 */
final class ChatRequest {
    private static final int MAX_STOPS = 4; // that OpenAI takes; the others must be looked for in the reply
    private static final Json TYPE = JsonWriter.json("'type'");
    private static final Json TEXT = JsonWriter.json("'text'");
    private static final Json NO_IMAGE = JsonWriter.text("[image omitted: this model cannot see images]");
    private static final Json NO_FILE = JsonWriter.text("[document omitted: this model cannot read documents]");
    private static final Pattern FAILURE = Pattern.compile("(?i)\\s*(error|<tool_use_error)");
    private static final Set<String> READABLE =
            Set.of("text", "title", "url", "stdout", "stderr", "error_code", "tool_name", "content");

    private final Request request;
    private final Options options;
    private final Dialect dialect;
    private final String model; // the upstream's
    private final Set<String> warnings;
    private final List<Json> openCalls = new ArrayList<>(); // tool_use blocks that wait for their results
    private final List<Json> parts = new ArrayList<>(); // of the next user message: text as strings, others as objects
    private JsonWriter out = new JsonWriter();
    private String prefill = "";
    private long maxTokens;
    private int hoisted; // images and documents taken out of the tool results of this turn

    /** @param warnings takes codes of what was left out or mended */
    ChatRequest(Request request, Options options, Dialect dialect, Set<String> warnings) {
        this.request = request;
        this.options = options;
        this.dialect = dialect;
        this.model = options.model(request.get("model").text());
        this.warnings = warnings;
    }

    /** Writes {@code {"model":…,"messages":[…],…}}. */
    void write(JsonWriter to) {
        out = to;
        out.ensure(request.json().to() + 1024);
        out.raw('{');
        field("model", "%", model);
        out.put("'messages':[");
        messages();
        out.closeWith(']').raw(',');
        maxTokens();
        if (request.isStream()) field("stream", "true");
        if (request.isStream()) field("stream_options", "{'include_usage':true}");
        for (String name : List.of("temperature", "top_p", "top_k")) {
            boolean isSent = !request.get(name).isNull() && (dialect.takes(name) || !name.equals("top_k"));
            if (isSent) field(name, "%", request.get(name)); // dropped: top_k, if there is no counterpart
        }
        List<Json> stops = request.stops().stream().limit(sentStops()).toList();
        if (!stops.isEmpty()) field("stop", "%", list(stops));
        tools();
        reasoning();
        Json schema = request.schema();
        String format = "{'type':'json_schema','json_schema':{'name':'output','schema':%,'strict':%}}";
        if (!schema.isNull()) field("response_format", format, schema, Tools.isStrict(schema));
        String user = request.user();
        if (!user.isEmpty()) field("user", "%", user);
        if (!user.isEmpty() && dialect.takes("prompt_cache_key")) field("prompt_cache_key", "%", user);
        if (dialect.takes("store")) field("store", "false");
        boolean fast = request.get("speed").is("fast");
        boolean stated = fast || request.get("service_tier").is("standard_only");
        if (stated) field("service_tier", "%", fast ? "fast" : "default");
        Json[] extra = options.extraBody().parts();
        for (int i = 0; i < extra.length; i += 2) out.put("%:%,", extra[i], extra[i + 1]);
        out.closeWith('}');
    }

    /** The length of the reply, if the client limits it, within what the backend takes. */
    private void maxTokens() {
        long asked = request.get("max_tokens").toLong(0);
        long fitting = Math.max(Math.min(asked, dialect.limit()), dialect.least());
        boolean isAsIs = asked <= 0 || asked == fitting;
        field("max_tokens", "%", isAsIs ? request.get("max_tokens") : fitting);
        maxTokens = dialect.takes("max_tokens") && asked > 0 ? fitting : 0;
    }

    /** {@return the tokens that the reply may take; 0 if no limit was sent} */
    long maxTokensSent() { return maxTokens; }

    /** {@return the stop sequences that the backend is not told, as it takes no more} */
    List<String> unsentStops() { return request.stops().stream().skip(sentStops()).map(Json::text).toList(); }

    private int sentStops() { return dialect.takes("stop") ? MAX_STOPS : 0; }

    private void field(String member, String pattern, Object... values) {
        if (begin(member)) out.put(pattern, values).raw(',');
    }

    /** Begins a member by the name that it has at this backend. {@return false if the backend is not to be sent it} */
    private boolean begin(String member) {
        if (!isTaken(member)) return false;
        String name = dialect.name(member);
        Json[] extra = options.extraBody().parts();
        for (int i = 0; i < extra.length; i += 2) if (extra[i].is(name)) return false;
        out.put("%:", name);
        return true;
    }

    /** {@return whether the backend takes a member, or a kind of part; where it does not, the client is told} */
    private boolean isTaken(String name) {
        boolean isTaken = dialect.takes(name);
        if (!isTaken) warnings.add("dropped_" + name);
        return isTaken;
    }

    private static JsonWriter list(List<Json> items) {
        var list = new JsonWriter().raw('[');
        items.forEach(item -> list.put("%,", item));
        return list.closeWith(']');
    }

    /**
     * {@code thinking} and {@code output_config.effort} to {@code thinking} and {@code reasoning_effort} (SPEC G.1).
     * Thinking that is off counts before any effort.
     */
    private void reasoning() {
        String effort = request.effort();
        boolean enabled = isKind(request.get("thinking"), "enabled");
        boolean off = request.isThinkingOff();
        boolean isSwitch = !dialect.name("thinking").equals("thinking"); // true or false, for an effort too
        boolean isTemplate = dialect.name("thinking").equals("chat_template_kwargs");
        String form = isTemplate ? "{'enable_thinking':%1$s,'thinking':%1$s}" : "%1$s";
        if (isSwitch && dialect.takes("thinking") && (enabled || off || !effort.isEmpty())) {
            field("thinking", form.formatted(!off));
        } else if (enabled || off) {
            field("thinking", "{'type':%}", off ? "disabled" : "enabled");
        }
        effort = dialect.effort(!off ? effort : dialect.takes("thinking") ? "" : "none");
        String pattern = dialect.is("reasoning_effort", "reasoning") ? "{'effort':%}" : "%";
        if (!effort.isEmpty()) field("reasoning_effort", pattern, effort);
    }

    /** The system prompt, then each run of messages of one side as one turn. */
    private void messages() {
        List<Json> system = new ArrayList<>();
        for (Json block : blocks(request.json(), "system")) {
            boolean isBilling = block.get("text").begins("x-anthropic-billing-header:"); // bad for caches
            if (block.get("text").hasText() && !isBilling) system.add(marked(block));
        }
        boolean isTold = !request.schema().isNull() && !dialect.takes("response_format"); // at least the model is told
        if (isTold) system.add(JsonWriter.text("Answer with JSON alone, by this schema:\n", request.schema().raw()));
        if (!system.isEmpty()) out.put("{'role':'system','content':%},", content(system));
        List<Json> said = request.get("messages").items();
        List<Json> all = new ArrayList<>(said.size());
        int lastUser = 0;
        for (Json message : said) lastUser = isRole(message, "user") ? message.from() : lastUser;
        for (Json message : said) if (isSent(message, lastUser)) all.add(message);
        for (int from = 0, to; from < all.size(); from = to) {
            boolean assistant = isRole(all.get(from), "assistant");
            int before = out.size();
            for (to = from + 1; to < all.size() && isRole(all.get(to), "assistant") == assistant; ) to++;
            if (assistant) assistantTurn(all.subList(from, to), to == all.size()); else userTurn(all.subList(from, to));
            request.refuse("messages", to == all.size() && out.size() == before, "content expected in the last one");
        }
        request.refuse("messages", all.isEmpty(), "at least one with content is required");
    }

    private static boolean isRole(Json message, String role) { return message.get("role").is(role); }
    private static boolean isKind(Json block, String type) { return block.get("type").is(type); }

    /**
     * {@return whether a message is sent on; if not, its neighbours meet} Left out are an assistant's bare thoughts,
     * and what is meant to last until the next user message, where that has come.
     */
    private boolean isSent(Json message, int lastUser) {
        if (isRole(message, "user")) return true;
        boolean isBrief = message.get("clear_at").is("next_user_message");
        if (isRole(message, "system")) return message.from() > lastUser || !isBrief;
        for (Json block : blocks(message, "content")) {
            if (isKind(block, "tool_use") || thought(block).hasText() || folded(block).hasText()) return true;
        }
        return false;
    }

    /** {@return the blocks of a message, tool result, source or system prompt; a plain string is one block of text} */
    private static List<Json> blocks(Json parent, String name) {
        Json content = parent.get(name);
        Json[] block = {TYPE, TEXT, TEXT, content};
        boolean isText = content instanceof Json.Str;
        return isText ? List.of(new Json.Obj(content.source(), content.from(), content.to(), block)) : content.items();
    }

    /** {@return the text of a thinking block, if the backend wants it back} */
    private Json thought(Json block) {
        return isKind(block, "thinking") && dialect.takes("reasoning_content") ? block.get("thinking") : Json.NULL;
    }

    private static Json.Str joined(List<Json> texts, String separator) {
        if (texts.size() == 1) return (Json.Str) texts.getFirst();
        return JsonWriter.text(texts.stream().flatMap(text -> Stream.of(separator, text)).skip(1).toArray());
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
        List<Json> details = new ArrayList<>();
        Map<String, Json> extras = new HashMap<>(); // by the id of their call
        String field = "";
        for (Json message : run) {
            boolean apart = true; // whether something other than text stood since the last text
            for (Json block : blocks(message, "content")) {
                String type = block.get("type").text();
                if (type.equals("tool_use")) openCalls.add(block);
                Json text = folded(block);
                boolean plain = type.equals("text");
                if (text.hasText() && !texts.isEmpty() && (apart || !plain)) texts.add("\n\n");
                if (text.hasText()) texts.add(text);
                apart = !plain || !text.hasText() && apart;
                if (!type.endsWith("thinking")) continue;
                String kept = block.get(type.equals("thinking") ? "signature" : "data").text();
                Json thought = thought(block);
                if (thought.hasText()) thoughts.add(thought);
                if (thought.hasText()) field = Opaque.field(kept); // the key that it came under
                opaque(Opaque.of(kept), details, extras);
            }
        }
        boolean isPending = last && !openCalls.isEmpty();
        if (isPending) throw request.invalid(openCalls.getFirst(), "id", "a tool_use without its tool_result");
        Json.Str text = texts.size() == 1 ? (Json.Str) texts.getFirst() : JsonWriter.text(texts.toArray());
        if (last) {
            prefill = text.text().stripTrailing();
            text = JsonWriter.text(prefill);
        }
        boolean isNone = texts.isEmpty() && !openCalls.isEmpty() && !dialect.is("no_content", "''");
        out.put("{'role':'assistant','content':%,", isNone ? Json.NULL : text);
        boolean isDetailed = !details.isEmpty() && dialect.takes("reasoning_details");
        if (isDetailed) out.put("'reasoning_details':%,", list(details));
        if (!Opaque.FIELDS.contains(field)) field = Opaque.FIELDS.getFirst();
        if (!thoughts.isEmpty() && !isDetailed) out.put("%:%,", field, joined(thoughts, "\n\n"));
        if (thoughts.isEmpty() && dialect.is("reasoning_content", "required")) out.put("'reasoning_content':' ',");
        if (!openCalls.isEmpty()) out.put("'tool_calls':[");
        for (Json call : openCalls) toolCall(call, extras.getOrDefault(call.get("id").text(), Json.NULL));
        out.closeWith(openCalls.isEmpty() ? '}' : ']').put(openCalls.isEmpty() ? "," : "},");
    }

    /** {@return the beginning of the reply, which the client gave, as it is sent; "" if it gave none} */
    String prefill() { return prefill; }

    /** Adds what the backend wants back as it gave it, as far as it takes that. */
    private void opaque(Json opaque, List<Json> details, Map<String, Json> extras) {
        if (dialect.takes("reasoning_content")) details.addAll(opaque.get("reasoning_details").items());
        Json[] extra = dialect.takes("extra_content") ? opaque.get("extra_content").parts() : new Json[0];
        for (int i = 0; i < extra.length; i += 2) extras.put(extra[i].text(), extra[i + 1]);
    }

    private void toolCall(Json block, Json extra) {
        Json input = request.may(block, "input", "o");
        out.put("{'id':%,'type':'function',", request.text(block, "id"));
        if (!extra.isNull()) out.put("'extra_content':%,", extra);
        out.put("'function':{'name':%,'arguments':", Tools.shortName(request.text(block, "name")));
        out.put(input.isNull() ? "'{}'}}," : "@}},", input);
    }

    /**
     * What the user's side says, in the order chat completions want: the results of all open calls, in the order of the
     * calls, then everything else as one message. System messages stay in place, or become a part of the user's text.
     */
    private void userTurn(List<Json> run) {
        Map<String, Json> results = new HashMap<>();
        for (Json message : run) {
            for (Json block : blocks(message, "content")) {
                boolean taken = isKind(block, "tool_result")
                        && results.putIfAbsent(request.text(block, "tool_use_id").text(), block) != null;
                if (taken) warnings.add("duplicate_tool_result");
            }
        }
        hoisted = 0;
        for (Json call : openCalls) {
            Json result = Optional.ofNullable(results.remove(call.get("id").text())).orElse(Json.NULL);
            if (result.isNull()) warnings.add("missing_tool_result");
            out.put("{'role':'tool','tool_call_id':%,'content':%},", call.get("id"), toolResult(result));
        }
        openCalls.clear();
        for (Json message : run) {
            if (isRole(message, "user")) for (Json block : blocks(message, "content")) userBlock(block, results);
            if (isRole(message, "system")) systemMessage(message);
        }
        userMessage();
    }

    private void systemMessage(Json message) {
        List<Json> texts = blocks(message, "content").stream().map(this::folded).filter(Json::hasText).toList();
        if (texts.isEmpty()) return;
        if (dialect.is("system", "in-place")) {
            userMessage();
            out.put("{'role':'system','content':%},", joined(texts, "\n\n"));
        } else {
            parts.add(JsonWriter.text("<system-reminder>\n", joined(texts, "\n\n"), "\n</system-reminder>"));
        }
    }

    /** Writes the parts gathered as one user message, a plain string if all are text. */
    private void userMessage() {
        if (!parts.isEmpty()) out.put("{'role':'user','content':%},", content(parts));
        parts.clear();
    }

    /** {@return one string where all parts are text, else a list of parts} */
    private static Object content(List<Json> parts) {
        if (parts.stream().allMatch(Json.Str.class::isInstance)) return joined(parts, "\n\n");
        return list(parts.stream()
                .map(part -> part instanceof Json.Str ? JsonWriter.json("{'type':'text','text':%}", part) : part).toList());
    }

    /** {@return the text of a block; as a part with its cache_control, if backend and model know what that is} */
    private Json marked(Json block) {
        Json mark = block.get("cache_control");
        boolean isKnown = dialect.takes("cache_control") && model.matches("(?i).*(claude|gemini).*");
        return mark.isNull() || !isKnown ? block.get("text")
                : JsonWriter.json("{'type':'text','text':%,'cache_control':%}", block.get("text"), mark);
    }

    /** Adds the parts of a block; results that no call has taken are in {@code unknown}. */
    private void userBlock(Json block, Map<String, Json> unknown) {
        Json id = block.get("tool_use_id");
        if (isKind(block, "container_upload")) throw request.invalid(block, "type", "uploaded files are not available");
        boolean isText = isKind(block, "text") && request.text(block, "text").hasText();
        if (isText) parts.add(marked(block)); else parts.addAll(parts(block));
        if (unknown.get(id.text()) != block) return;
        warnings.add("unknown_tool_result");
        int at = parts.size(); // before what toolResult adds
        parts.add(at, JsonWriter.text("[result of unknown call ", id, "]\n", toolResult(block)));
    }

    /**
     * {@return the content of a {@code tool} message}
     * {@code {"type":"tool_result","tool_use_id":I,"content":C,"is_error":E}}: the texts in C, one a line. There is no
     * place for an image or PDF there: it goes into the user message that follows, with a label at either end.
     *
     * <p>Source: Anthropic Messages, "tool_result"; OpenAI chat completions, "tool message".
     */
    private Json.Str toolResult(Json result) {
        if (result.isNull()) return JsonWriter.text("(no result: the call was not executed)");
        request.may(result, "content", "sa");
        request.objects(result, "content");
        List<Json> texts = new ArrayList<>();
        List<Json> all = new ArrayList<>();
        for (Json block : blocks(result, "content")) all.addAll(parts(block));
        for (Json part : all) {
            if (part instanceof Json.Str) texts.add(part);
            if (part instanceof Json.Str) continue;
            String label = (isKind(part, "file") ? "document " : "image ") + ++hoisted;
            texts.add(JsonWriter.text("[", label, ": see next message]"));
            parts.add(JsonWriter.text("[", label, " from tool call ", result.get("tool_use_id"), "]"));
            parts.add(part);
        }
        Json.Str text = texts.isEmpty() ? JsonWriter.text("(no output)") : joined(texts, "\n");
        boolean said = result.get("is_error") != Json.TRUE || FAILURE.matcher(text.text()).lookingAt();
        return said ? text : JsonWriter.text("Error: ", text);
    }

    /** {@return what becomes of a block on the user's side: texts, as strings, and parts of other kinds, as objects} */
    private List<Json> parts(Json block) {
        if (isKind(block, "image")) return List.of(!isTaken("image_url") ? NO_IMAGE
                : JsonWriter.json("{'type':'image_url','image_url':{'url':%}}", url(block)));
        if (isKind(block, "document")) return document(block);
        Json text = folded(block);
        return text.hasText() ? List.of(text) : List.of();
    }

    /** {@return the URL of an image or document: its own, or a data URL} */
    private Json url(Json block) {
        Json source = request.need(block, "source", "o");
        return switch (request.text(source, "type").text()) {
            case "url" -> request.text(source, "url");
            case "base64" -> JsonWriter.text("data:", request.text(source, "media_type"), ";base64,",
                    request.text(source, "data"));
            default -> throw request.invalid(source, "type", "base64 or url expected"); // no files here
        };
    }

    /** A PDF becomes {@code {"type":"file","file":{"filename":…,"file_data":…}}}, text a {@code document} element. */
    private List<Json> document(Json block) {
        Json source = request.need(block, "source", "o");
        Json title = request.may(block, "title", "s");
        Json context = request.may(block, "context", "s");
        Object name = title.hasText() ? title : "document.pdf";
        if (!isKind(source, "text") && !isKind(source, "content")) {
            return List.of(!isTaken("file") ? NO_FILE
                    : JsonWriter.json("{'type':'file','file':{'filename':%,'file_data':%}}", name, url(block)));
        }
        String from = isKind(source, "text") ? "data" : "content";
        request.need(source, from, "sa");
        List<Json> inner = blocks(source, from).stream().flatMap(each -> parts(each).stream()).toList();
        Json.Str text = joined(inner.stream().filter(Json.Str.class::isInstance).toList(), "\n");
        text = JsonWriter.text(title.hasText() ? JsonWriter.text("<document title=\"", title, "\">\n") : "<document>\n",
                context.hasText() ? JsonWriter.text(context, "\n\n") : "", text, "\n</document>");
        return Stream.concat(Stream.of(text), inner.stream().filter(part -> !(part instanceof Json.Str))).toList();
    }

    /**
     * {@return the text that stands for a block where only text can stand, or nothing} Blocks without a counterpart
     * (server tools and their results, summaries, whatever comes next) are folded by what they hold, not by kind.
     */
    private Json folded(Json block) {
        if (isKind(block, "text")) return request.text(block, "text");
        String type = block.get("type").text();
        return switch (type) {
            case "thinking", "redacted_thinking", "tool_use", "tool_result" -> Json.NULL;
            case "tool_reference" ->
                    JsonWriter.text("[tool available: ", Tools.shortName(request.text(block, "tool_name")), "]");
            case "search_result" -> JsonWriter.text("<search_result title=\"", block.get("title").text(), "\" source=\"",
                    block.get("source").text(), "\">\n", readable(block.get("content")), "\n</search_result>");
            default -> {
                String name = block.get("name").text();
                Json input = block.get("input");
                if (input instanceof Json.Obj) yield JsonWriter.text("[", name, " called with ", input.raw(), "]");
                String found = readable(block);
                if (found.isEmpty()) warnings.add("dropped_block");
                boolean own = block.get("text").hasText() || found.isEmpty();
                yield own ? block.get("text") : JsonWriter.text("[", type, "]\n", found);
            }
        };
    }

    /** {@return what there is to read in a block, depth first, a line each} */
    private static String readable(Json json) {
        List<String> found = new ArrayList<>();
        addReadable(json, found);
        return String.join("\n", found);
    }

    private static void addReadable(Json json, List<String> found) {
        json.items().forEach(item -> addReadable(item, found));
        Json[] members = json.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean isShown = members[i + 1].hasText() && READABLE.contains(members[i].text());
            if (isShown) found.add(members[i + 1].text()); else addReadable(members[i + 1], found);
        }
    }

    /** {@code tools}, {@code tool_choice}, {@code parallel_tool_calls}; none of them where no tool is left to send. */
    private void tools() {
        var tools = new Tools(request, dialect, warnings);
        if (tools.isEmpty() || !begin("tools")) return;
        tools.write(out);
        Json choice = tools.choice();
        if (!choice.isNull()) field("tool_choice", "%", choice);
        if (request.isOneCallWanted()) field("parallel_tool_calls", "false");
        if (request.isStream() && dialect.takes("tool_stream")) field("tool_stream", "true");
    }
}
