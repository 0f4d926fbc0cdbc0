package translate;

import anthropic.Request;
import config.Options;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The request to a backend that speaks the Responses API, {@code POST …/responses}, made from the client's,
 * {@code POST /v1/messages}. It leaves no state there: the whole history goes up each time ({@link ResponsesInput}).
 *
 * <p>A member is left out where the backend does not take it or {@code --extra-body} sets it.
 */
final class ResponsesRequest implements BackendRequest {
    private static final int MAX_KEY = 64; // characters of prompt_cache_key
    private static final int ROOM_BYTES = 1024; // by which the request may get longer, as a guess
    private static final String ENCRYPTED_REASONING = "reasoning.encrypted_content";
    static final String SOURCES = "web_search_call.action.sources";

    private final Request request;
    private final Options options;
    private final Dialect dialect;
    private final String model; // the backend's name for it
    private final Set<String> warnings;
    private JsonWriter out = new JsonWriter();
    private String prefill = "";
    private long maxTokensSent;

    /** @param warnings takes codes of what was left out or mended */
    ResponsesRequest(Request request, Options options, Dialect dialect, Set<String> warnings) {
        this.request = request;
        this.options = options;
        this.dialect = dialect;
        this.model = options.model(request.get("model").text());
        this.warnings = warnings;
    }

    /** {@return which backend and model this is, as envelopes say it} */
    String place() { return Envelope.place(dialect.target().base().toString(), model); }

    /** Writes {@code {"model":…,"instructions":…,"input":[…],…}}. Source: OpenAI, "Create a model response". */
    @Override
    public void write(JsonWriter to) {
        out = to;
        out.ensure(request.json().to() + ROOM_BYTES);
        out.object();
        if (begins("model")) out.string(model);
        instructions();
        input();
        maxTokens();
        stream();
        var tools = new Tools(request, dialect, warnings);
        boolean hasSearch = tools.sent().stream().anyMatch(Tools::isWebSearch);
        reasoning();
        include(hasSearch);
        tools(tools);
        if (hasSearch) maxSearches(tools);
        format();
        sampling();
        user();
        serviceTier();
        if (begins("store")) out.bool(false);
        extraBody();
        out.endObject();
    }

    @Override public String prefill() { return prefill; }
    @Override public long maxTokensSent() { return maxTokensSent; }
    /** OpenAI takes none at all there. */
    @Override public List<String> unsentStops() { return request.stops().stream().map(Json::text).toList(); }

    /** Begins a member. {@return false if it is left out} */
    private boolean begins(String member) {
        if (!dialect.takes(member)) {
            warnings.add("dropped_" + member);
            return false;
        }
        Json[] extra = options.extraBody().parts();
        for (int i = 0; i < extra.length; i += 2) {
            if (extra[i].is(member)) return false;
        }
        out.name(member);
        return true;
    }

    /** The system prompt, without Claude Code's billing block, which differs from time to time: bad for caches. */
    private void instructions() {
        List<Json.Str> system = new ArrayList<>();
        for (Json block : Blocks.of(request.json(), "system")) {
            Json.Str text = request.text(block, "text");
            boolean isBilling = text.begins("x-anthropic-billing-header:");
            if (text.hasText() && !isBilling) system.add(text);
        }
        boolean isTold = !request.schema().isNull() && !dialect.takes("text"); // at least the model is told
        if (isTold) system.add(JsonWriter.text("Answer with JSON alone, by this schema:\n", request.schema().raw()));
        if (!system.isEmpty() && begins("instructions")) out.value(Blocks.joined(system, "\n\n"));
    }

    private void input() {
        if (begins("input")) prefill = new ResponsesInput(request, dialect, model, place(), warnings, out).write();
    }

    /** The length of the reply, with its reasoning, within what the backend takes. */
    private void maxTokens() {
        long asked = request.get("max_tokens").toLong(0);
        if (asked <= 0 || !begins("max_output_tokens")) return;
        maxTokensSent = dialect.replyTokens(asked);
        out.number(maxTokensSent);
    }

    /** Usage comes with the last event in any case. What OpenAI adds to each event against eavesdroppers takes room. */
    private void stream() {
        if (!request.isStream() || !begins("stream")) return;
        out.bool(true);
        if (!dialect.takes("stream_options") || !begins("stream_options")) return;
        out.object().field("include_obfuscation", false).endObject();
    }

    /**
     * {@code thinking} and {@code output_config.effort} to {@code "reasoning":{"effort":E,"summary":"auto"}}. Thinking that
     * is off counts before any effort; else the model thinks as it likes, and a summary of it is shown.
     */
    private void reasoning() {
        boolean isOff = request.isThinkingOff();
        Optional<String> effort = dialect.effort(isOff ? Optional.of("none") : request.effort());
        boolean isSummarized = !isOff && dialect.showsSummaries();
        boolean isSaid = effort.isPresent() || isSummarized;
        if (!isSaid || !begins("reasoning")) return;
        out.object();
        effort.ifPresent(word -> out.field("effort", word));
        if (isSummarized) out.field("summary", "auto");
        out.endObject();
    }

    private void include(boolean hasSearch) {
        boolean isSealed = !request.isThinkingOff() && dialect.takes("reasoning") && dialect.takes("encrypted_content");
        boolean isSourced = hasSearch && dialect.takes(SOURCES);
        boolean isAnything = isSealed || isSourced;
        if (!isAnything || !begins("include")) return;
        out.array();
        if (isSealed) out.string(ENCRYPTED_REASONING);
        if (isSourced) out.string(SOURCES);
        out.endArray();
    }

    /** {@code tools}, {@code tool_choice}, {@code parallel_tool_calls}; none of them where no tool is left to send. */
    private void tools(Tools tools) {
        if (tools.sent().isEmpty() || !begins("tools")) return;
        out.array();
        for (Json tool : tools.sent()) {
            out.object();
            if (Tools.isWebSearch(tool)) {
                webSearch(tool);
            } else {
                out.field("type", "function");
                tools.writeFunction(tool, out);
                out.field("strict", Tools.isStrict(tool)); // where it is not said, OpenAI tries to be strict
            }
            out.endObject();
        }
        out.endArray();
        tools.choice().ifPresent(this::toolChoice);
        if (request.isOneCallWanted() && begins("parallel_tool_calls")) out.bool(false);
    }

    private void toolChoice(Tools.Choice choice) {
        if (!begins("tool_choice")) return;
        switch (choice) {
            case Tools.Choice.Mode mode -> out.string(mode.word());
            case Tools.Choice.Function function ->
                    out.object().field("type", "function").field("name", function.name()).endObject();
        }
    }

    /**
     * {@code {"type":"web_search_20250305","allowed_domains":D,"user_location":L}} to
     * {@code {"type":"web_search","filters":{"allowed_domains":D},"user_location":L}}.
     *
     * <p>Source: Anthropic, "Web search tool"; OpenAI, "Web search".
     */
    private void webSearch(Json tool) {
        out.field("type", "web_search");
        List<Json> allowed = tool.get("allowed_domains").items();
        if (!allowed.isEmpty()) {
            out.name("filters").object().name("allowed_domains").array();
            allowed.forEach(domain -> out.string(host(domain.text())));
            out.endArray().endObject();
        }
        if (!tool.get("blocked_domains").items().isEmpty()) warnings.add("dropped_blocked_domains"); // no counterpart
        if (tool.get("user_location") instanceof Json.Obj location) out.field("user_location", location);
    }

    /** {@return the name of the host in {@code https://host/path}} */
    private static String host(String domain) {
        String withoutScheme = domain.substring(domain.indexOf("://") < 0 ? 0 : domain.indexOf("://") + 3);
        return withoutScheme.split("/", 2)[0];
    }

    /** OpenAI counts only tools that it runs itself. */
    private void maxSearches(Tools tools) {
        Stream<Json> limits = tools.sent().stream().filter(Tools::isWebSearch).map(tool -> tool.get("max_uses"));
        Optional<Json> limit = limits.filter(Json.Num.class::isInstance).findFirst();
        if (limit.isPresent() && begins("max_tool_calls")) out.value(limit.get());
    }

    /** Source: Anthropic, "Structured outputs"; OpenAI, "Structured outputs". */
    private void format() {
        Json schema = request.schema();
        if (schema.isNull() || !begins("text")) return;
        out.object().name("format").object().field("type", "json_schema").field("name", "output")
                .field("schema", schema).field("strict", StrictSchema.fits(schema)).endObject().endObject();
    }

    private void sampling() {
        for (String name : List.of("temperature", "top_p")) { // dropped: top_k, no counterpart
            Json number = request.get(name);
            if (!number.isNull() && begins(name)) out.value(number);
        }
    }

    /**
     * {@code metadata.user_id}, in which Claude Code has a JSON document, to {@code prompt_cache_key}, one for a session,
     * and {@code safety_identifier}, one for a user: where that changes, OpenAI withholds the reasoning of earlier turns.
     */
    private void user() {
        Optional<String> hash = request.user();
        if (hash.isEmpty()) return;
        Json document = document(request.get("metadata").get("user_id").text());
        String session = document.get("session_id").text();
        boolean isKey = !session.isEmpty() && session.length() <= MAX_KEY;
        boolean hasKey = dialect.takes("prompt_cache_key") && begins("prompt_cache_key");
        if (hasKey) out.string(isKey ? session : hash.get());
        boolean hasUser = dialect.takes("safety_identifier") && begins("safety_identifier");
        if (hasUser) out.string(document instanceof Json.Obj ? Request.hash(withoutSession(document)) : hash.get());
    }

    private static Json document(String text) {
        try {
            return JsonParser.parse(text);
        } catch (Json.Malformed e) { // an id of another kind
            return Json.NULL;
        }
    }

    private static String withoutSession(Json document) {
        var rest = new JsonWriter().object();
        Json[] members = document.parts();
        for (int i = 0; i < members.length; i += 2) {
            if (!members[i].is("session_id")) rest.name(members[i]).value(members[i + 1]);
        }
        return rest.endObject().toString();
    }

    private void serviceTier() {
        boolean isFast = request.get("speed").is("fast");
        boolean isStated = isFast || request.get("service_tier").is("standard_only");
        boolean isSent = isStated && dialect.takes("service_tier") && begins("service_tier");
        if (isSent) out.string(isFast ? "fast" : "default");
    }

    private void extraBody() {
        Json[] members = options.extraBody().parts();
        for (int i = 0; i < members.length; i += 2) out.name(members[i]).value(members[i + 1]);
    }
}
