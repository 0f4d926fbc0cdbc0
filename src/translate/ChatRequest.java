package translate;

import anthropic.Request;
import config.Options;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import json.Json;
import json.JsonWriter;

/**
 * The request to the backend, {@code POST /v1/chat/completions}, made from the client's, {@code POST /v1/messages}. It
 * knows nothing of the reply, but for the beginning of it that the client gave and the limits that were sent.
 *
 * <p>A member is left out where the backend does not take it or {@code --extra-body} sets it.
 */
final class ChatRequest implements BackendRequest {
    private static final int MAX_STOPS = 4; // that OpenAI takes; the others must be looked for in the reply
    private static final int ROOM_BYTES = 1024; // by which the request may get longer, as a guess

    private final Request request;
    private final Options options;
    private final Dialect dialect;
    private final String model; // the backend's name for it
    private final Set<String> warnings;
    private JsonWriter out = new JsonWriter();
    private String prefill = "";
    private long maxTokensSent;

    /** @param warnings takes codes of what was left out or mended */
    ChatRequest(Request request, Options options, Dialect dialect, Set<String> warnings) {
        this.request = request;
        this.options = options;
        this.dialect = dialect;
        this.model = options.model(request.get("model").text());
        this.warnings = warnings;
    }

    /** Writes {@code {"model":…,"messages":[…],…}}. Source: OpenAI, "Create chat completion". */
    @Override
    public void write(JsonWriter to) {
        out = to;
        out.ensure(request.json().to() + ROOM_BYTES);
        out.object();
        if (begins("model")) out.string(model);
        messages();
        maxTokens();
        stream();
        sampling();
        stops();
        tools();
        thinking();
        effort();
        responseFormat();
        user();
        if (dialect.takes("store") && begins("store")) out.bool(false);
        serviceTier();
        extraBody();
        out.endObject();
    }

    @Override public String prefill() { return prefill; }
    @Override public long maxTokensSent() { return maxTokensSent; }

    @Override
    public List<String> unsentStops() { return request.stops().stream().skip(sentStops()).map(Json::text).toList(); }

    private int sentStops() { return dialect.takes("stop") ? MAX_STOPS : 0; }

    /** Begins a member by the name that it has at this backend. {@return false if it is left out} */
    private boolean begins(String member) {
        if (!dialect.takes(member)) {
            warnings.add("dropped_" + member);
            return false;
        }
        String name = dialect.name(member);
        if (isInExtraBody(name)) return false;
        out.name(name);
        return true;
    }

    private boolean isInExtraBody(String name) {
        Json[] members = options.extraBody().parts();
        for (int i = 0; i < members.length; i += 2) {
            if (members[i].is(name)) return true;
        }
        return false;
    }

    private void messages() {
        var messages = new ChatMessages(request, dialect, model, warnings, out);
        out.name("messages");
        messages.write();
        prefill = messages.prefill();
    }

    /** The length of the reply, if the client limits it, within what the backend takes. */
    private void maxTokens() {
        long asked = request.get("max_tokens").toLong(0);
        long fitting = dialect.replyTokens(asked);
        if (begins("max_tokens")) {
            if (asked <= 0 || asked == fitting) {
                out.value(request.get("max_tokens"));
            } else {
                out.number(fitting);
            }
        }
        maxTokensSent = dialect.takes("max_tokens") && asked > 0 ? fitting : 0;
    }

    private void stream() {
        if (!request.isStream()) return;
        if (begins("stream")) out.bool(true);
        if (begins("stream_options")) out.object().field("include_usage", true).endObject();
    }

    private void sampling() {
        number("temperature");
        number("top_p");
        if (dialect.takes("top_k")) number("top_k"); // else dropped: OpenAI has no counterpart
    }

    private void number(String member) {
        Json number = request.get(member);
        if (!number.isNull() && begins(member)) out.value(number);
    }

    private void stops() {
        List<Json> stops = request.stops().stream().limit(sentStops()).toList();
        if (stops.isEmpty() || !begins("stop")) return;
        out.array();
        stops.forEach(out::value);
        out.endArray();
    }

    /** {@code tools}, {@code tool_choice}, {@code parallel_tool_calls}; none of them where no tool is left to send. */
    private void tools() {
        var tools = new Tools(request, dialect, warnings);
        if (tools.sent().isEmpty() || !begins("tools")) return;
        out.array();
        for (Json tool : tools.sent()) {
            if (Tools.isWebSearch(tool)) {
                out.object().field("type", "openrouter:web_search").endObject(); // no other backend is sent one
                continue;
            }
            out.object().field("type", "function").name("function").object();
            tools.writeFunction(tool, out);
            if (Tools.isStrict(tool)) out.field("strict", true);
            out.endObject().endObject();
        }
        out.endArray();
        tools.choice().ifPresent(this::toolChoice);
        if (request.isOneCallWanted() && begins("parallel_tool_calls")) out.bool(false);
        if (request.isStream() && dialect.takes("tool_stream") && begins("tool_stream")) out.bool(true);
    }

    private void toolChoice(Tools.Choice choice) {
        if (!begins("tool_choice")) return;
        switch (choice) {
            case Tools.Choice.Mode mode -> out.string(mode.word());
            case Tools.Choice.Function function -> out.object().field("type", "function")
                    .name("function").object().field("name", function.name()).endObject().endObject();
        }
    }

    /**
     * Whether the model thinks (SPEC G.1, G.2). Thinking that is off counts before any effort.
     * {@code "thinking":{"type":"enabled"}} remains that or becomes a switch, {@code "enable_thinking":true} or
     * {@code "chat_template_kwargs":{"enable_thinking":true,"thinking":true}}, which an effort turns on too.
     */
    private void thinking() {
        boolean isOff = request.isThinkingOff();
        boolean isStated = isOff || request.get("thinking").get("type").is("enabled");
        Trait.Thinking form = dialect.thinking();
        boolean isSwitch = form != Trait.Thinking.OBJECT && dialect.takes("thinking");
        boolean isMeant = isStated || isSwitch && request.effort().isPresent();
        if (!isMeant || !begins("thinking")) return;
        switch (form) {
            case OBJECT -> out.object().field("type", isOff ? "disabled" : "enabled").endObject();
            case SWITCH -> out.bool(!isOff);
            case TEMPLATE -> out.object().field("enable_thinking", !isOff).field("thinking", !isOff).endObject();
        }
    }

    /** {@code "output_config":{"effort":E}} to {@code "reasoning_effort":E}, or {@code "reasoning":{"effort":E}}. */
    private void effort() {
        Optional<String> effort = dialect.effort(wantedEffort());
        if (effort.isEmpty() || !begins("reasoning_effort")) return;
        if (dialect.effortForm() == Trait.EffortForm.OBJECT) {
            out.object().field("effort", effort.get()).endObject();
        } else {
            out.string(effort.get());
        }
    }

    /** {@return the effort before it is fitted to what the backend knows} */
    private Optional<String> wantedEffort() {
        if (!request.isThinkingOff()) return request.effort();
        return dialect.takes("thinking") ? Optional.empty() : Optional.of("none"); // else "thinking" says it
    }

    /** Source: Anthropic, "Structured outputs"; OpenAI chat completions, "response_format". */
    private void responseFormat() {
        Json schema = request.schema();
        if (schema.isNull() || !begins("response_format")) return;
        out.object().field("type", "json_schema").name("json_schema").object().field("name", "output")
                .field("schema", schema).field("strict", StrictSchema.fits(schema)).endObject().endObject();
    }

    private void user() {
        Optional<String> user = request.user();
        if (user.isEmpty()) return;
        if (begins("user")) out.string(user.get());
        if (dialect.takes("prompt_cache_key") && begins("prompt_cache_key")) out.string(user.get());
    }

    private void serviceTier() {
        boolean isFast = request.get("speed").is("fast");
        boolean isStandardOnly = request.get("service_tier").is("standard_only");
        if (isFast) {
            if (begins("service_tier")) out.string("fast");
        } else if (isStandardOnly) {
            if (begins("service_tier")) out.string("default");
        }
    }

    private void extraBody() {
        Json[] members = options.extraBody().parts();
        for (int i = 0; i < members.length; i += 2) out.name(members[i]).value(members[i + 1]);
    }
}
