package translate;

import anthropic.ApiError;
import anthropic.MessageWriter;
import anthropic.Request;
import anthropic.Usage;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;
import json.Sse;

/**
 * Translates one exchange: the client's request (Anthropic Messages, {@code POST /v1/messages}) into the upstream's
 * (OpenAI, {@code POST /v1/chat/completions}), and what the upstream answers, whole or in chunks, into a message or
 * its events. It does no input or output and knows nothing of HTTP; it is not safe for use by several threads.
 *
 * <p>There is one state machine for all four ways (stream or not, on either side): a whole reply is a chunk that holds
 * everything, and blocks are written either as events or as the elements of {@code content}.
 */
public final class Translator implements Conversation {
    private static final int MAX_STOPS = 4; // that OpenAI takes; more are looked for here
    private static final int MAX_STOP_CHARACTERS = 20_000; // of all that are looked for here, for room and time
    private static final Json TYPE = JsonWriter.json("'type'");
    private static final Json TEXT = JsonWriter.json("'text'");
    private static final Json NO_IMAGE = JsonWriter.text("[image omitted: this model cannot see images]");
    private static final Json NO_FILE = JsonWriter.text("[document omitted: this model cannot read documents]");
    private static final List<String> REASONING_FIELDS = List.of("reasoning_content", "reasoning", "thinking");
    private static final Pattern DONE = Pattern.compile("(?i)\\s*(\\[done]|done)\\s*");
    private static final Pattern FAILURE = Pattern.compile("(?i)\\s*(error|<tool_use_error)");
    private static final Set<String> READABLE =
            Set.of("text", "title", "url", "stdout", "stderr", "error_code", "tool_name", "content");

    private final Request request;
    private final Dialect dialect;
    private final String model; // the upstream's
    private final Options options;
    private final LongSupplier window;
    private final Supplier<String> newIds;
    private final Optional<ServerSearch> search; // that the request is for, and that nobody can run
    private final Set<String> warnings = new LinkedHashSet<>();

    // the request's side
    private final JsonWriter out = new JsonWriter();
    private long inputTokens; // an estimate; 0 until it is asked for
    private long maxTokens; // that the reply may take; 0 if no limit was sent
    private final List<Json> openCalls = new ArrayList<>(); // tool_use blocks that wait for their results
    private final List<Json> parts = new ArrayList<>(); // of the next user message: text as strings, others as objects
    private int hoisted; // images and documents taken out of the tool results of this turn

    // the reply's side
    private final MessageWriter message;
    private final TextFilter filter;
    private Prefill repeated = new Prefill("", this::text);
    private final Calls calls;
    private final List<Runnable> later = new ArrayList<>(); // text and reasoning that wait for the end of a call
    private boolean answered;
    private boolean isOneObject; // whether the reply came as one, and not in chunks
    private boolean usageIsLast; // whether it came in a chunk of its own, as it does at the end
    private String half = ""; // the first half of a surrogate pair
    private final Opaque opaque = new Opaque();
    private String thinkingField = REASONING_FIELDS.getFirst(); // that the last reasoning came under
    private final StringBuilder refusal = new StringBuilder();
    private String finishReason = "";
    private String stopSequence = "";
    private Json usage = Json.NULL, timings = Json.NULL;
    private Usage used = new Usage(0, 0, 0, 0, 0);
    private Usual usual = new Usual(new byte[0], 0, 0, "");
    private int pieces; // of text in this chunk, and what else makes it unlike those that only bring text
    private Json last = Json.NULL; // of these pieces
    private String lastField = "";

    /** For a model of which no more is known than what the options say. */
    public Translator(Json anthropic, Options options, Dialect dialect, Supplier<String> newIds) {
        this(anthropic, options, dialect, options::context, newIds);
    }

    /**
     * @param window the model's context window in tokens as far as it is known by then, else 0
     * @throws ApiError if {@code anthropic} is not a request that can be translated
     */
    public Translator(Json anthropic, Options options, Dialect dialect, LongSupplier window,
                      Supplier<String> newIds) {
        this.request = new Request(anthropic);
        this.options = options;
        this.dialect = dialect;
        this.window = window;
        this.newIds = newIds;
        this.search = ServerSearch.of(request);
        this.calls = new Calls(request, newIds);
        this.model = options.model(request.get("model").text());
        List<String> unsent = request.stops().stream().skip(sentStops()).map(Json::text).toList();
        boolean isTooMuch = unsent.stream().mapToLong(String::length).sum() > MAX_STOP_CHARACTERS;
        request.refuse("stop_sequences", isTooMuch, MAX_STOP_CHARACTERS + " characters in all at most");
        filter = new TextFilter(unsent, new JsonInProse(request.schema()),
                text -> write(text, ""), text -> write(text, "reasoning"));
        message = new MessageWriter(isStream(), "msg_" + newIds.get(), request.get("model"),
                () -> Tokens.rough(out.buffer(), out.size()));
    }

    @Override
    public Set<String> warnings() { return warnings; }
    @Override
    public boolean isStream() { return request.isStream(); }
    @Override
    public String model() { return model; }
    /** {@return whether no backend is asked: no token is wanted, or nothing but a search that nobody runs} */
    @Override
    public boolean isAnsweredHere() { return wantsNothing() || search.isPresent(); }
    /** {@return whether the request only warms a cache, which chat completions cannot do} */
    private boolean wantsNothing() { return request.get("max_tokens").toLong(1) == 0; }

    /** {@return an estimate of the tokens that the request takes, for which it need not say max_tokens} */
    public long inputTokens() {
        if (inputTokens > 0) return inputTokens;
        if (out.size() == 0) write();
        return inputTokens = Tokens.of(out.buffer(), out.size());
    }

    @Override
    public void forget() {
        inputTokens();
        out.free();
        request.forget();
    }

    /** {@return the body for the upstream: {@code {"model":…,"messages":[…],…}}} */
    @Override
    public JsonWriter request() {
        request.need(request.json(), "max_tokens", "n");
        return write();
    }

    private JsonWriter write() {
        out.ensure(request.json().to() + 1024);
        out.raw('{');
        field("model", "%", model());
        out.put("'messages':[");
        messages();
        out.closeWith(']').raw(',');
        maxTokens();
        if (isStream()) field("stream", "true");
        if (isStream()) field("stream_options", "{'include_usage':true}");
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
        return out.closeWith('}');
    }

    /** The length of the reply, if the client limits it, within what the backend takes. */
    private void maxTokens() {
        long asked = request.get("max_tokens").toLong(0);
        long fitting = Math.max(Math.min(asked, dialect.limit()), dialect.least());
        boolean isAsIs = asked <= 0 || asked == fitting;
        field("max_tokens", "%", isAsIs ? request.get("max_tokens") : fitting);
        maxTokens = dialect.takes("max_tokens") && asked > 0 ? fitting : 0;
    }

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
        if (last) text = prefill(text);
        boolean isNone = texts.isEmpty() && !openCalls.isEmpty() && !dialect.is("no_content", "''");
        out.put("{'role':'assistant','content':%,", isNone ? Json.NULL : text);
        boolean isDetailed = !details.isEmpty() && dialect.takes("reasoning_details");
        if (isDetailed) out.put("'reasoning_details':%,", list(details));
        if (!REASONING_FIELDS.contains(field)) field = REASONING_FIELDS.getFirst();
        if (!thoughts.isEmpty() && !isDetailed) out.put("%:%,", field, joined(thoughts, "\n\n"));
        if (thoughts.isEmpty() && dialect.is("reasoning_content", "required")) out.put("'reasoning_content':' ',");
        if (!openCalls.isEmpty()) out.put("'tool_calls':[");
        for (Json call : openCalls) toolCall(call, extras.getOrDefault(call.get("id").text(), Json.NULL));
        out.closeWith(openCalls.isEmpty() ? '}' : ']').put(openCalls.isEmpty() ? "," : "},");
    }

    /** {@return the beginning of the reply, which the client gave, as it is sent} */
    private Json.Str prefill(Json.Str begun) {
        String prefill = begun.text().stripTrailing();
        filter.continues(prefill);
        repeated = new Prefill(dialect.is("prefill", "repeated") ? prefill : "", this::text);
        return JsonWriter.text(prefill);
    }

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
        if (isStream() && dialect.takes("tool_stream")) field("tool_stream", "true");
    }

    /**
     * A chunk that brought nothing but a string, from {@code from} to {@code to} in it, of text or of reasoning under
     * {@code field}. Most chunks of a stream differ only there, and need not be parsed.
     */
    private record Usual(byte[] chunk, int from, int to, String field) {
        /** {@return the string that {@code other} brings; NULL if it differs elsewhere too} */
        private Json piece(byte[] other) {
            int end = other.length - (chunk.length - to);
            boolean same = end > from && Arrays.equals(chunk, 0, from, other, 0, from)
                    && Arrays.equals(chunk, to, chunk.length, other, end, other.length);
            Json found = same ? JsonParser.string(other, from, end) : Json.NULL;
            return found.hasText() ? found : Json.NULL;
        }
    }

    @Override
    public JsonWriter ready() { return message.out(); }
    @Override
    public boolean isFinished() { return !finishReason.isEmpty(); }
    @Override
    public boolean isStopped() { return !filter.stop().isEmpty(); }

    @Override
    public void ping() {
        message.start();
        message.out().put("event: ping\ndata: {'type':'ping'}\n\n");
    }

    @Override
    public boolean whole(Json reply) {
        chunk(reply);
        Json choice = reply.get("choices").items().isEmpty() ? Json.NULL : reply.get("choices").items().getFirst();
        isOneObject = choice.get("delta").isNull();
        return choice.get("message") instanceof Json.Obj && choice.get("finish_reason").hasText();
    }

    @Override
    public boolean event(Sse event) {
        isOneObject = false;
        if (event.isDone()) return true;
        byte[] data = event.data();
        try {
            Json text = event.isError() ? Json.NULL : usual.piece(data);
            if (!text.isNull()) piece(text, usual.field);
            if (!text.isNull()) return isStopped();
            Json chunk = JsonParser.parse(data);
            if (event.isError()) throw upstreamError(chunk);
            if (isDone(chunk)) return true;
            for (Json each : chunks(chunk)) chunk(each);
        } catch (Json.Malformed e) {
            if (isFinished() && !event.isError()) return true; // what broke off is not of the reply
            throw event.isError() ? upstreamError(JsonWriter.text(new String(data, StandardCharsets.UTF_8)))
                    : broken(502, "the stream's data is " + e.getMessage());
        }
        return isStopped();
    }

    /** {@return whether this is {@code "[DONE]"}, the end of the stream written as JSON} */
    private static boolean isDone(Json chunk) {
        return chunk instanceof Json.Str && DONE.matcher(chunk.text()).matches();
    }

    /** {@return the chunks in an event's data: one, those of a list, none in null, a number, an empty list} */
    private List<Json> chunks(Json data) {
        boolean isList = data instanceof Json.Arr
                && data.items().stream().allMatch(item -> item.get("choices") instanceof Json.Arr);
        if (isList) return data.items();
        return switch (data) {
            case Json.Obj chunk -> List.of(chunk);
            case Json.Num number -> List.of();
            case Json.Word word -> List.of();
            case Json.Str text when text.text().isBlank() || isFinished() -> List.of();
            case Json.Str text -> throw upstreamError(text);
            case Json.Arr list -> throw upstreamError(list);
        };
    }

    /** {@return the error that the upstream sent in the place of a reply or in mid-stream} */
    private ApiError upstreamError(Json error) { return UpstreamError.of(200, error, context()); }

    @Override
    public ApiError error(int status, byte[] body) { return UpstreamError.of(status, body, context()); }

    private UpstreamError.Context context() {
        long maxTokens = request.get("max_tokens").toLong(0);
        boolean isKeyOurs = options.areKeysOurs(dialect.target());
        return new UpstreamError.Context(dialect.target().address(), model(), isKeyOurs, options.secrets(),
                window.getAsLong(), inputTokens(), maxTokens);
    }

    @Override
    public ApiError broken(int status, String what) {
        return new ApiError(status, dialect.target().address() + ": " + what);
    }

    @Override
    public Dialect dialect() { return dialect; }

    /**
     * Takes a chunk or a whole reply, {@code {"choices":[{"delta"|"message":{…},"finish_reason":F}],"usage":{…}}}. In a
     * chunk {@code message} counts only if nothing has come by {@code delta}: some repeat all in the last one.
     */
    private void chunk(Json chunk) {
        Json choices = chunk.get("choices");
        Json choice = Json.NULL;
        for (Json each : choices.items()) choice = choice.isNull() && each.get("index").toLong(0) == 0 ? each : choice;
        boolean bare = choices.isNull() && (chunk instanceof Json.Arr
                || !Stream.of("message", "error_message", "detail", "errors").map(chunk::get).allMatch(Json::isNull));
        if (bare || isSaid(chunk.get("error")) || chunk.get("object").is("error")) throw upstreamError(chunk);
        if (isSaid(choice.get("error"))) throw upstreamError(choice);
        for (Json found : List.of(choice.get("usage"), chunk.get("x_groq").get("usage"), chunk.get("usage"))) {
            usageIsLast |= found instanceof Json.Obj && answered && choices.items().isEmpty();
            usage = found instanceof Json.Obj ? found : usage;
        }
        if (chunk.get("timings") instanceof Json.Obj found) timings = found;
        if (chunk.get("service_tier").is("priority")) message.setTier("priority");
        if (isStopped() || choice.isNull()) return;
        pieces = 0;
        answered |= choice.parts().length > 0;
        usageIsLast = false;
        boolean isDelta = choice.get("delta") instanceof Json.Obj;
        boolean isFirst = message.blocks() == 0 && calls.isEmpty() && isTextUnused();
        if (isDelta || isFirst) delta(choice.get(isDelta ? "delta" : "message"), !isDelta);
        if (!isDelta && !isFirst && calls.isEmpty()) toolCalls(choice.get("message"), true);
        content(choice.get("text"));
        String matched = choice.get(choice.get("stop_reason").hasText() ? "stop_reason" : "matched_stop").text();
        boolean isStop = !matched.isEmpty() && request.stops().stream().anyMatch(stop -> stop.text().equals(matched));
        if (isStop) stopSequence = matched;
        String reason = finishReason(choice.get("finish_reason"));
        if (!reason.isEmpty()) finishReason = reason;
        boolean isUsual = pieces == 1 && isDelta && reason.isEmpty() && last.source() == chunk.source();
        if (isUsual) usual = new Usual(chunk.source(), last.from(), last.to(), lastField);
    }

    /** {@return what a choice says of its end; "" for nothing, and for a stop after calls, which is less} */
    private String finishReason(Json said) {
        Json word = said instanceof Json.Obj ? said.get("type") : said; // an object at SGLang
        String reason = word.text().strip();
        boolean isLess = finishReason.equalsIgnoreCase("tool_calls") && reason.equalsIgnoreCase("stop");
        return isLess ? "" : reason;
    }

    /** Takes a piece of text or, with the {@code field} that it came under, of reasoning. */
    private void piece(Json text, String field) {
        pieces++;
        usageIsLast = false;
        last = text;
        lastField = field;
        if (field.isEmpty()) {
            filter.feed(text);
        } else {
            filter.flush();
            write(text, field);
        }
    }

    private static boolean isSaid(Json error) {
        return error.hasText() || error.parts().length > 0 || !error.items().isEmpty();
    }

    private void delta(Json delta, boolean whole) {
        reasoning(delta);
        Json content = delta.get("content");
        content.items().forEach(this::contentPart);
        content(content.isNull() ? delta.get("audio").get("transcript") : content);
        refusal(delta.get("refusal"));
        toolCalls(delta, whole);
    }

    private boolean isTextUnused() { return filter.isUnused() && repeated.isUnused(); }

    private void toolCalls(Json delta, boolean whole) {
        if (isStopped()) return;
        for (Json call : delta.get("tool_calls").items()) {
            toolCall(call, call.get(call.get("function").isNull() ? "custom" : "function"), whole);
        }
        if (delta.get("function_call") instanceof Json.Obj function) toolCall(delta, function, false);
        if (calls.isOpen() && isStream()) pump();
    }

    /** The reasoning in a delta; the same text may stand under several keys, so only one counts. */
    private void reasoning(Json delta) {
        delta.get("reasoning_details").items().forEach(opaque::add);
        if (!delta.get("reasoning_details").items().isEmpty()) pieces++; // no usual chunk
        for (String field : REASONING_FIELDS) {
            Json value = delta.get(field);
            if (value instanceof Json.Obj) value = value.get(value.get("content").isNull() ? "text" : "content");
            think(value, field);
            if (value.hasText()) return;
        }
        for (Json detail : delta.get("reasoning_details").items()) {
            think(detail.get(detail.get("text").hasText() ? "text" : "summary"), "reasoning");
        }
    }

    private void contentPart(Json part) {
        switch (part.get("type").text()) {
            case "text" -> content(part.get("text"));
            case "refusal" -> refusal(part.get("refusal"));
            case "thinking" -> {
                think(part.get("thinking"), "reasoning");
                part.get("thinking").items().forEach(inner -> think(inner.get("text"), "reasoning"));
            }
            case "image_url" -> content(JsonWriter.text("[image]"));
            default -> { } // dropped: parts that a message has no room for
        }
    }

    private void refusal(Json text) {
        refusal.append(text.text());
        content(text);
        if (text.hasText()) pieces++; // no usual chunk
    }

    private void content(Json text) {
        boolean odd = text instanceof Json.Num || text instanceof Json.Obj;
        if (odd || text.hasText()) repeated.feed(odd ? JsonWriter.text(text.raw()) : text);
    }

    private void text(Json text) { piece(text, ""); }

    private void think(Json text, String field) {
        if (text.hasText()) piece(text, field);
    }

    /** Writes text, or with a {@code field} reasoning that came under it; while a tool call is open, it waits. */
    private void write(Json text, String field) {
        var kind = field.isEmpty() ? MessageWriter.Block.TEXT : MessageWriter.Block.THINKING;
        if (!field.isEmpty() && request.isThinkingOff()) return;
        if (calls.isOpen()) {
            later.add(() -> write(text, field));
            return;
        }
        if (!message.isOpen(kind)) {
            open(kind);
            if (!field.isEmpty()) thinkingField = field;
        }
        show((Json.Str) text);
    }

    /** Half of a surrogate pair at the end waits for the other, which some backends send in the next chunk. */
    private void show(Json.Str text) {
        boolean plain = half.isEmpty() && !text.mayEndInHalf();
        String all = plain ? "" : half + text.text();
        int end = all.length() - (!plain && Character.isHighSurrogate(all.charAt(all.length() - 1)) ? 1 : 0);
        half = all.substring(end);
        if (plain || end > 0) message.delta(plain ? text : JsonWriter.text(all.substring(0, end)));
    }

    private void open(MessageWriter.Block kind, Object... values) {
        close();
        boolean isLeft = kind == MessageWriter.Block.TOOL_USE && !opaque.isEmpty(); // by the thinking block, if any
        if (isLeft) redacted();
        message.open(kind, values);
    }

    private void redacted() {
        message.open(MessageWriter.Block.REDACTED, opaque.take(thinkingField));
        message.close("");
    }

    private void close() {
        if (!half.isEmpty()) message.delta(JsonWriter.text(half));
        half = "";
        message.close(message.isOpen(MessageWriter.Block.THINKING) ? opaque.take(thinkingField) : "");
    }

    private void toolCall(Json delta, Json function, boolean whole) {
        repeated.flush();
        filter.flush();
        pieces++; // no usual chunk
        calls.take(delta, function, whole);
    }

    private void pump() {
        if (calls.write(this, message)) writeLater();
    }

    /** Writes the text and reasoning that waited for the end of a call. */
    private void writeLater() {
        later.forEach(Runnable::run);
        later.clear();
    }

    private void endCalls() {
        calls.end(this, message, isStream(), ending());
        if (calls.isCut()) warnings.add("tool_call_cut");
        if (calls.isBroken()) warnings.add("tool_input_not_json");
        writeLater();
    }

    private Arguments.Ending ending() {
        Finish finish = Finish.of(finishReason);
        if (finish == Finish.LENGTH || finish == Finish.WINDOW) return Arguments.Ending.CUT;
        Usage counted = Usage.of(usage, timings);
        boolean isAtLimit = maxTokens > 0 && counted.output() >= maxTokens;
        boolean isFull = options.context() > 0 && counted.prompt() + counted.output() >= options.context();
        return isAtLimit || isFull ? Arguments.Ending.AT_LIMIT : Arguments.Ending.WHOLE;
    }

    /** Begins the block of a call; {@code extra} is what the backend wants back with it. */
    void openCall(String id, String name, Json extra) {
        if (!extra.isNull()) opaque.add(id, extra);
        open(MessageWriter.Block.TOOL_USE, id, name);
    }

    @Override
    public void finish() {
        boolean more = message.isOpen(MessageWriter.Block.TEXT) || message.isOpen(MessageWriter.Block.THINKING)
                || !later.isEmpty();
        boolean called = !more && !calls.isEmpty() && calls.isWhole();
        boolean ended = isOneObject ? answered : isFinished() || isStopped() || usageIsLast || called;
        if (!ended) throw broken(502, isOneObject ? "the backend returned no choices" : "the stream ended early").asPassing();
        switch (Finish.of(finishReason)) {
            case BUSY -> throw broken(529, finishReason());
            case FAILURE -> throw broken(502, "finish_reason " + finishReason());
            case STOP, LENGTH, WINDOW, REFUSAL, UNKNOWN -> end();
        }
    }

    @Override
    public void answer() {
        if (wantsNothing()) {
            endAtLimit();
            return;
        }
        search.ifPresent(this::refuse);
        finishReason = "stop";
        end();
    }

    /** A call of a server tool, and that its results cannot be had. Source: Anthropic, "Web search tool". */
    private void refuse(ServerSearch search) {
        warnings.add(search.tool() + "_unavailable");
        String id = "srvtoolu_" + newIds.get();
        String result = search.tool() + "_tool_result";
        message.open(MessageWriter.Block.SERVER_TOOL_USE, id, search.tool());
        message.input(search.input().raw());
        message.close("");
        message.open(MessageWriter.Block.SERVER_TOOL_ERROR, result, id, result + "_error");
        message.close("");
    }

    @Override
    public void endAtLimit() {
        finishReason = "length";
        end();
    }

    /** Ends the message as the upstream's last finish_reason says. */
    private void end() {
        repeated.flush();
        filter.flush();
        endCalls();
        close();
        boolean isNothing = Finish.of(finishReason) == Finish.UNKNOWN && message.blocks() == 0;
        if (isNothing) throw broken(502, "no content, and finish_reason " + finishReason()).asPassing();
        if (!opaque.isEmpty()) redacted();
        if (isStopped()) stopSequence = filter.stop();
        String reason = stopReason();
        used = usage();
        message.finish(reason, reason.equals("stop_sequence") ? stopSequence : "", refusal.toString(), used);
    }

    /** Source: OpenAI, "finish_reason"; Anthropic, "stop_reason". What was sent counts more than what was said. */
    private String stopReason() {
        if (isStopped()) return "stop_sequence";
        if (!refusal.isEmpty()) return "refusal";
        return switch (Finish.of(finishReason)) {
            case WINDOW -> "model_context_window_exceeded";
            case LENGTH -> lengthReason();
            case REFUSAL -> "refusal";
            case STOP, UNKNOWN -> calls.isCut() ? lengthReason() : endReason();
            case BUSY, FAILURE -> throw new IllegalStateException(finishReason()); // an error, and no end
        };
    }

    private String lengthReason() {
        boolean isFull = window.getAsLong() > 0 && usage().prompt() >= window.getAsLong();
        return isFull && message.blocks() == 0 ? "model_context_window_exceeded" : "max_tokens";
    }

    private String endReason() {
        if (message.hasToolUse()) return "tool_use";
        return stopSequence.isEmpty() ? "end_turn" : "stop_sequence";
    }

    /** {@return the tokens that the backend counted; where it did not, a guess} */
    private Usage usage() {
        Usage counted = Usage.of(usage, timings);
        if (counted.isCounted()) return counted;
        return new Usage(inputTokens(), 0, 0, isAnsweredHere() ? 0 : message.tokens(), 0);
    }

    @Override
    public String asked() { return request.get("model").text(); }
    @Override
    public String finishReason() { return "%.100s".formatted(finishReason); }
    @Override
    public Usage used() { return used; }

    @Override
    public void fail(ApiError error, String requestId) {
        message.out().put("event: error\ndata: %\n\n", error.body(requestId));
    }
}
