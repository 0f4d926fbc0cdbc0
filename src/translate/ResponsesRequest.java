package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The request to a backend that speaks the Responses API, {@code POST …/responses}, made from the client's.
 * It leaves no state there: the whole history goes up each time ({@link ResponsesInput}).
 *
 * <p>Source: OpenAI, "Create a model response"; RESPONSES R.2. Dropped, as OpenAI has no counterpart: {@code
 * top_k}, and all members that are not named here.
 */
final class ResponsesRequest implements BackendRequest {
    private static final int MAX_KEY = 64; // characters of prompt_cache_key
    private static final int ROOM_BYTES = 1024; // by which the request may get longer, as a guess
    private static final String SCHEME_END = "://";
    private static final String ENCRYPTED_REASONING = "reasoning.encrypted_content";

    private final Request request;
    private final Dialect dialect;
    private final String model; // the backend's name for it
    private final Set<String> warnings;
    private String prefill = "";
    private long maxTokensSent;

    /**
     * @param model    the backend's name for it
     * @param warnings takes codes of what was left out or mended
     */
    ResponsesRequest(Request request, Dialect dialect, String model, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.model = model;
        this.warnings = warnings;
    }

    /**
     * Writes {@code {"model":…,"instructions":…,"input":[…],…}}.
     *
     * @throws ApiError if the request cannot be translated
     */
    @Override
    public void write(JsonWriter out) {
        out.ensure(request.json().to() + ROOM_BYTES);
        out.object();
        var members = new Members(out, dialect, dialect.target().extraBody(), warnings);
        var tools = new Tools(request, dialect, warnings);
        members.field("model", model);
        writeInstructions(tools, members);
        writeInput(members, out);
        writeMaxTokens(members);
        writeStream(members);
        writeReasoning(members);
        writeInclude(members, tools.hasWebSearch());
        writeTools(tools, members, out);
        writeFormat(members);
        writeSampling(members);
        writeUser(members);
        members.writeServiceTier(request);
        members.field("store", false);
        members.writeExtraBody();
        out.endObject();
    }

    @Override public String prefill() { return prefill; }
    @Override public long maxTokensSent() { return maxTokensSent; }

    /** Writes the system prompt without Claude Code's billing block, which changes and would spoil the cache. */
    private void writeInstructions(Tools tools, Members members) {
        List<Json.Str> system = new ArrayList<>();
        for (Json block : Blocks.of(request.json(), "system")) {
            Json.Str text = request.text(block, "text");
            if (text.hasText() && !Blocks.isBilling(text)) system.add(text);
        }
        system.addAll(tools.restsOfDescriptions());
        boolean isTold = !request.schema().isNull() && !dialect.takes("text"); // at least the model is told
        if (isTold) {
            system.add(Blocks.wantedSchema(request.schema()));
        }
        if (!system.isEmpty()) members.field("instructions", Blocks.joined(system, "\n\n"));
    }

    private void writeInput(Members members, JsonWriter out) {
        if (!members.begins("input")) return;
        String place = Envelope.place(dialect.target(), model);
        prefill = new ResponsesInput(request, dialect, model, place, warnings, out).write();
    }

    /** The length of the reply with its reasoning, within the limits of the backend. */
    private void writeMaxTokens(Members members) {
        long asked = request.get("max_tokens").toLong(0);
        if (asked <= 0) return;
        long fitting = dialect.replyTokens(asked);
        members.field("max_output_tokens", fitting);
        maxTokensSent = dialect.takes("max_output_tokens") ? fitting : 0;
    }

    /** Usage comes with the last event in any case. OpenAI's padding against eavesdroppers would take room. */
    private void writeStream(Members members) {
        boolean mayStop = !request.stops().isEmpty(); // OpenAI takes none there; the stream is left at the first
        if (!request.isStream() && !mayStop) return;
        members.field("stream", true);
        if (!dialect.takes("stream_options")) return;
        var options = new JsonWriter().object().field("include_obfuscation", false).endObject();
        members.field("stream_options", options);
    }

    /**
     * {@code thinking} and {@code output_config.effort} become
     * {@code "reasoning":{"effort":E,"summary":"auto"}}. Thinking that is off counts before any effort;
     * else the model thinks as it likes, and a summary of it is shown.
     */
    private void writeReasoning(Members members) {
        boolean isOff = request.isThinkingOff();
        Optional<String> effort = dialect.effort(isOff ? Optional.of("none") : request.effort());
        boolean isSummarized = !isOff && dialect.showsSummaries();
        boolean isSaid = effort.isPresent() || isSummarized;
        if (!isSaid) return;
        var reasoning = new JsonWriter().object();
        effort.ifPresent(word -> reasoning.field("effort", word));
        if (isSummarized) reasoning.field("summary", "auto");
        members.field("reasoning", reasoning.endObject());
    }

    /** What the reply is to hold besides: reasoning that the client can bring back, and what searches found. */
    private void writeInclude(Members members, boolean hasWebSearch) {
        boolean isSealed = !request.isThinkingOff() && dialect.takes("reasoning") && dialect.takes("encrypted_content");
        boolean isSourced = hasWebSearch && dialect.takes(Searches.SOURCES);
        boolean isAnything = isSealed || isSourced;
        if (!isAnything) return;
        var include = new JsonWriter().array();
        if (isSealed) include.string(ENCRYPTED_REASONING);
        if (isSourced) include.string(Searches.SOURCES);
        members.field("include", include.endArray());
    }

    /** Writes the tools, and how they are to be called; nothing if there is no tool left to send. */
    private void writeTools(Tools tools, Members members, JsonWriter out) {
        if (tools.sent().isEmpty() || !members.begins("tools")) return;
        out.array();
        for (Json tool : tools.sent()) {
            out.object();
            if (tools.isHosted(tool)) {
                writeWebSearch(tool, out);
            } else {
                out.field("type", "function");
                tools.writeFunction(tool, out);
                out.field("strict", tools.isStrict(tool)); // if it is not said, OpenAI tries to be strict
            }
            out.endObject();
        }
        out.endArray();
        tools.choice().ifPresent(choice -> writeToolChoice(choice, members));
        if (request.isOneCallWanted()) members.field("parallel_tool_calls", false);
        writeMaxSearches(tools, members);
    }

    private static void writeToolChoice(Tools.Choice choice, Members members) {
        switch (choice) {
            case Tools.Choice.Mode mode -> members.field("tool_choice", mode.word());
            case Tools.Choice.Function function -> members.field("tool_choice", new JsonWriter().object()
                    .field("type", "function").field("name", function.name()).endObject());
        }
    }

    /**
     * {@code {"type":"web_search_20250305","allowed_domains":D,"user_location":L}} becomes
     * {@code {"type":"web_search","filters":{"allowed_domains":D},"user_location":L}}.
     *
     * <p>Source: Anthropic, "Web search tool"; OpenAI, "Web search".
     */
    private void writeWebSearch(Json tool, JsonWriter out) {
        out.field("type", "web_search");
        List<Json> allowed = tool.get("allowed_domains").items();
        if (!allowed.isEmpty()) {
            out.name("filters").object().name("allowed_domains").array();
            allowed.forEach(domain -> out.string(host(domain.text())));
            out.endArray().endObject();
        }
        boolean areBlocked = !tool.get("blocked_domains").items().isEmpty();
        if (areBlocked) warnings.add("dropped_blocked_domains"); // OpenAI has no such filter
        if (tool.get("user_location") instanceof Json.Obj location) out.field("user_location", location);
    }

    /** {@return the name of the host in {@code https://host/path}} */
    private static String host(String domain) {
        int scheme = domain.indexOf(SCHEME_END);
        String withoutScheme = scheme < 0 ? domain : domain.substring(scheme + SCHEME_END.length());
        return withoutScheme.split("/", 2)[0];
    }

    /** OpenAI counts only the calls of tools that it runs itself. */
    private static void writeMaxSearches(Tools tools, Members members) {
        Stream<Json> limits = tools.sent().stream().filter(tools::isHosted).map(tool -> tool.get("max_uses"));
        limits.filter(Json.Num.class::isInstance).findFirst()
                .ifPresent(limit -> members.field("max_tool_calls", limit));
    }

    /** Source: Anthropic, "Structured outputs"; OpenAI, "Structured outputs". */
    private void writeFormat(Members members) {
        Json schema = request.schema();
        if (schema.isNull()) return;
        var text = new JsonWriter().object().name("format").object();
        text.field("type", "json_schema").field("name", "output").field("schema", schema);
        text.field("strict", StrictSchema.fits(schema)).endObject().endObject();
        members.field("text", text);
    }

    private void writeSampling(Members members) {
        for (String name : List.of("temperature", "top_p")) {
            Json number = request.get(name);
            if (!number.isNull()) members.field(name, number);
        }
    }

    /**
     * {@code metadata.user_id}, in which Claude Code gives a JSON document, becomes {@code
     * prompt_cache_key}, one for each session, and {@code safety_identifier}, one for each user: where that
     * changes, OpenAI withholds the reasoning of earlier turns.
     */
    private void writeUser(Members members) {
        Optional<String> hash = request.user();
        if (hash.isEmpty()) return;
        Json document = document(request.get("metadata").get("user_id").text());
        if (dialect.takes("prompt_cache_key")) {
            String session = document.get("session_id").text();
            boolean isKey = !session.isEmpty() && session.length() <= MAX_KEY;
            members.field("prompt_cache_key", isKey ? session : hash.get());
        }
        if (dialect.takes("safety_identifier")) {
            boolean isDocument = document instanceof Json.Obj;
            members.field("safety_identifier", isDocument ? Request.hash(withoutSession(document)) : hash.get());
        }
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
}
