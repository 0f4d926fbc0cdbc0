package translate;

import anthropic.Request;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import json.Json;
import json.JsonWriter;

/**
 * The request to the backend, {@code POST /v1/chat/completions}, made from the client's. It knows nothing of
 * the reply, except the beginning of it that the client gave and the limits that were sent.
 *
 * <p>Source: OpenAI, "Create chat completion"; SPEC A.2. Dropped, as OpenAI has no counterpart: {@code
 * context_management}, {@code inference_geo}, {@code fallbacks}, {@code diagnostics}, and all members that
 * are not named here.
 */
final class ChatRequest implements BackendRequest {
    private static final int MAX_STOPS = 4; // some backends take no more
    private static final int ROOM_BYTES = 1024; // a guess of how much longer than the client's it gets

    private final Request request;
    private final Dialect dialect;
    private final String model; // the backend's name for it
    private final Set<String> warnings;
    private final Optional<String> wantedEffort; // before it is fitted to those that the backend knows
    private final List<Json> stops; // that are sent
    private final boolean isStreamed;
    private String prefill = "";
    private long maxTokensSent;

    /**
     * @param model    the backend's name for it
     * @param warnings takes codes of what was left out or mended
     */
    ChatRequest(Request request, Dialect dialect, String model, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.model = model;
        this.warnings = warnings;
        this.wantedEffort = wantedEffort(); // these three in this order: each is worked out by those before it
        this.stops = sentStops();
        this.isStreamed = isStreamed();
    }

    /**
     * Writes {@code {"model":…,"messages":[…],…}}.
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
        writeMessages(tools, out);
        writeMaxTokens(members);
        writeStream(members);
        writeSampling(members);
        writeStops(members);
        writeTools(tools, members, out);
        writeThinking(members);
        writeEffort(members);
        writeResponseFormat(members);
        writeUser(members);
        writeCacheControl(members);
        members.field("store", false);
        members.writeServiceTier(request);
        members.writeExtraBody();
        out.endObject();
    }

    @Override public String prefill() { return prefill; }
    @Override public long maxTokensSent() { return maxTokensSent; }

    /**
     * {@return the stop sequences that are sent} Most backends do not say which of them ended a reply, or
     * that one did; so they get none, and {@link Reply} looks for all. Those that do look for them in
     * reasoning and calls too, where none is meant.
     */
    private List<Json> sentStops() {
        boolean isTextAlone = request.get("tools").items().isEmpty() && wantedEffort.isEmpty()
                && !request.get("thinking").get("type").is("adaptive");
        boolean areSent = isTextAlone && dialect.takes("stop");
        return areSent ? request.stops().stream().limit(MAX_STOPS).toList() : List.of();
    }

    /**
     * {@return whether the backend is to send a stream: because the client wants one, or because the reply
     * may have to be broken off at a stop sequence that the backend does not know}
     */
    private boolean isStreamed() {
        boolean areStopsUnsent = stops.size() < request.stops().size();
        return dialect.isStreamed(request.isStream() || areStopsUnsent);
    }

    private void writeMessages(Tools tools, JsonWriter out) {
        var messages = new ChatMessages(request, dialect, model, tools.restsOfDescriptions(), warnings, out);
        out.name("messages");
        messages.write();
        prefill = messages.prefill();
    }

    /** The length of the reply that the client wants, within the limits of the backend. */
    private void writeMaxTokens(Members members) {
        long asked = request.get("max_tokens").toLong(0);
        long fitting = dialect.replyTokens(asked);
        if (asked <= 0 || asked == fitting) {
            members.field("max_tokens", request.get("max_tokens"));
        } else {
            members.field("max_tokens", fitting);
        }
        boolean isLimited = asked > 0 && dialect.takes("max_tokens");
        maxTokensSent = isLimited ? fitting : 0;
    }

    private void writeStream(Members members) {
        if (!isStreamed) return;
        members.field("stream", true);
        members.field("stream_options", new JsonWriter().object().field("include_usage", true).endObject());
    }

    private void writeSampling(Members members) {
        for (String name : List.of("temperature", "top_p", "top_k")) {
            Json number = request.get(name);
            if (!number.isNull()) {
                members.field(name, number);
            }
        }
    }

    private void writeStops(Members members) {
        if (stops.isEmpty()) return;
        var list = new JsonWriter().array();
        stops.forEach(list::value);
        members.field("stop", list.endArray());
    }

    /** Writes the tools, and how they are to be called; nothing if there is no tool left to send. */
    private void writeTools(Tools tools, Members members, JsonWriter out) {
        if (tools.sent().isEmpty() || !members.begins("tools")) return;
        out.array();
        for (Json tool : tools.sent()) {
            if (tools.isHosted(tool)) {
                out.object().field("type", "openrouter:web_search").endObject(); // nobody else is sent one
                continue;
            }
            out.object().field("type", "function").name("function").object();
            tools.writeFunction(tool, out);
            if (tools.isStrict(tool)) {
                out.field("strict", true);
            }
            out.endObject();
            boolean isMarked = keepsCacheMarks() && !tool.get("cache_control").isNull();
            if (isMarked) {
                out.field("cache_control", tool.get("cache_control"));
            }
            out.endObject();
        }
        out.endArray();
        tools.choice().ifPresent(choice -> writeToolChoice(choice, members));
        if (request.isOneCallWanted()) {
            members.field("parallel_tool_calls", false);
        }
        if (isStreamed) {
            members.field("tool_stream", true);
        }
    }

    private boolean keepsCacheMarks() { return Blocks.keepsCacheMarks(dialect, model); }

    private static void writeToolChoice(Tools.Choice choice, Members members) {
        switch (choice) {
            case Tools.Choice.Mode mode -> members.field("tool_choice", mode.word());
            case Tools.Choice.Function function -> {
                var named = new JsonWriter().object().field("type", "function");
                named.name("function").object().field("name", function.name()).endObject();
                members.field("tool_choice", named.endObject());
            }
        }
    }

    /**
     * Writes whether the model thinks, in the backend's form ({@link Trait.Thinking}): {@code
     * {"type":"enabled"}}, or true or false, alone or for the chat template. Where it is true or false, an
     * effort switches it on as well.
     *
     * <p>Source: Anthropic, "Extended thinking"; SPEC G.1, G.2.
     */
    private void writeThinking(Members members) {
        boolean isOff = request.isThinkingOff();
        if (isOff && dialect.alwaysReasons()) return;
        boolean isOn = request.get("thinking").get("type").is("enabled") || isSwitchedOnByEffort();
        boolean isSaid = isOff || isOn;
        if (!isSaid || dialect.hasLostThinking()) return;
        switch (dialect.thinking()) {
            case OBJECT -> members.field("thinking",
                    new JsonWriter().object().field("type", isOff ? "disabled" : "enabled").endObject());
            case SWITCH -> members.field("thinking", !isOff);
            case TEMPLATE -> members.field("thinking", new JsonWriter().object()
                    .field("enable_thinking", !isOff).field("thinking", !isOff).endObject());
        }
    }

    private boolean isSwitchedOnByEffort() {
        boolean isSwitch = dialect.thinking() != Trait.Thinking.OBJECT && dialect.takes("thinking");
        return isSwitch && request.effort().isPresent();
    }

    /**
     * {@code "output_config":{"effort":E}} becomes {@code "reasoning_effort":E} or {@code
     * "reasoning":{"effort":E}}.
     */
    private void writeEffort(Members members) {
        Optional<String> effort = dialect.effort(wantedEffort);
        if (effort.isEmpty() || dialect.hasLostThinking()) return;
        switch (dialect.effortForm()) {
            case STRING -> members.field("reasoning_effort", effort.get());
            case OBJECT -> members.field("reasoning_effort",
                    new JsonWriter().object().field("effort", effort.get()).endObject());
        }
    }

    /** {@return the effort that the client wants} Thinking off comes first. */
    private Optional<String> wantedEffort() {
        boolean isTooMuch = !dialect.takesEffortWithTools() && !request.get("tools").items().isEmpty();
        if (isTooMuch) return Optional.of("none");
        if (!request.isThinkingOff()) return request.effort();
        if (dialect.alwaysReasons()) return Optional.of("low");
        boolean isSaid = dialect.takes("thinking");
        return isSaid ? Optional.empty() : Optional.of("none");
    }

    /**
     * {@code "output_config":{"format":{"type":"json_schema","schema":S}}} becomes
     * {@code "response_format":{"type":"json_schema","json_schema":{"name":"output","schema":S,"strict":B}}}.
     *
     * <p>Source: Anthropic, "Structured outputs"; OpenAI, "Structured Outputs"; SPEC A.7.
     */
    private void writeResponseFormat(Members members) {
        Json schema = request.schema();
        if (schema.isNull()) return;
        if (!dialect.takesFormat(!request.get("tools").items().isEmpty())) {
            warnings.add("dropped_response_format");
            return;
        }
        var format = new JsonWriter().object().field("type", "json_schema").name("json_schema").object();
        boolean isStrict = dialect.takes("strict") && StrictSchema.fits(schema);
        format.field("name", "output").field("schema", schema).field("strict", isStrict);
        members.field("response_format", format.endObject().endObject());
    }

    private void writeUser(Members members) {
        Optional<String> user = request.user();
        if (user.isEmpty()) return;
        members.field("user", user.get());
        members.field("prompt_cache_key", user.get());
        members.field("session_id", user.get());
    }

    /** {@code "cache_control":{"type":"ephemeral"}} of the whole request: the backend chooses the places. */
    private void writeCacheControl(Members members) {
        Json mark = request.get("cache_control");
        boolean isSent = !mark.isNull() && keepsCacheMarks();
        if (isSent) members.field("cache_control", mark);
    }
}
