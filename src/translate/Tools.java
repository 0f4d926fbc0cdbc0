package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import json.Json;
import json.JsonWriter;

/**
 * The tools that are sent, as functions: the client's own with their schemas, and those that Anthropic
 * defines and the client runs ({@link ToolSchemas}). Tools that Anthropic's servers run are left out, as
 * nobody runs them here; but some backends run a web search themselves.
 *
 * <p>Source: Anthropic Messages, "tools"; OpenAI, "Function calling"; SPEC A.5, A.6.
 */
final class Tools {
    private static final int MAX_EXAMPLES = 3;
    private static final int PLAIN_DESCRIPTION = 1024; // characters of a parameter's, in a plain schema

    /** Whether and what the model must call. */
    sealed interface Choice {
        /** {@code "required"}: it must call a tool, or {@code "none"}: it must not. */
        record Mode(String word) implements Choice { }

        /** It must call this tool. */
        record Function(Json.Str name) implements Choice { }
    }

    private final Request request;
    private final Dialect dialect;
    private final Set<String> warnings;
    private final boolean isSearchHosted; // whether the backend is to search the web
    private final Optional<WebSearch> ownSearch; // that A2o runs
    private final List<Json> sent = new ArrayList<>();

    /**
     * @param warnings takes codes of what was left out
     * @throws ApiError if two tools have the same name, or one is a toolset or has no name
     */
    Tools(Request request, Dialect dialect, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.warnings = warnings;
        List<Json> tools = request.objects(request.json(), "tools");
        this.isSearchHosted = ServerSearch.isHosted(request, dialect);
        this.ownSearch = WebSearch.of(request, dialect);
        var loaded = new LoadedTools(request);
        Set<String> names = new HashSet<>();
        for (Json tool : tools) {
            refuseToolset(tool);
            if (ToolKind.isWebSearch(tool)) WebSearch.checkLimits(tool, request);
            boolean isSearched = isHosted(tool) || isOwnSearch(tool);
            if (ToolKind.isServer(tool) && !isSearched) {
                warnings.add("server_tool_omitted"); // the backend would not run it
                continue;
            }
            Json.Str name = request.text(tool, "name");
            boolean isSent = isForModel(tool) && !loaded.isHidden(tool) && !isBesideForced(name, tools);
            if (!isSent) continue;
            boolean isUnique = name.hasText() && names.add(functionName(tool).text());
            if (!isUnique) throw request.invalid(tool, "name", "a name that no other tool has expected");
            if (dialect.refuses(tool)) {
                warnings.add("tool_refused");
            } else {
                sent.add(tool);
            }
        }
        leaveOutLast();
        refuseForcedCode();
    }

    /** Leaves out the tools that are more than the backend takes: the last ones. */
    private void leaveOutLast() {
        if (sent.size() <= dialect.mostTools()) return;
        warnings.add("too_many_tools");
        sent.subList(dialect.mostTools(), sent.size()).clear();
    }

    /** Refuses to force the running of code, which nobody does here: the model would make up the output. */
    private void refuseForcedCode() {
        Json choice = request.get("tool_choice");
        if (!choice.get("type").is("tool")) return;
        String name = choice.get("name").text();
        boolean isForced = request.get("tools").items().stream()
                .anyMatch(tool -> tool.get("type").begins("code_execution") && tool.get("name").text().equals(name));
        if (isForced) throw request.missing(choice, "name", "nobody runs code here");
    }

    private void refuseToolset(Json tool) {
        String type = tool.get("type").text();
        if (type.contains("toolset")) throw request.missing(tool, "type", type + " is not available");
    }

    /**
     * {@return whether the model itself may call a tool, and not only code that it writes for Anthropic's
     * servers}
     */
    private static boolean isForModel(Json tool) {
        List<Json> callers = tool.get("allowed_callers").items();
        return callers.isEmpty() || callers.stream().anyMatch(caller -> caller.is("direct"));
    }

    /** {@return whether another tool is forced, and that means to send no other} */
    private boolean isBesideForced(Json.Str name, List<Json> tools) {
        String forced = request.get("tool_choice").get("name").text();
        if (forced.isEmpty() || forced.equals(name.text())) return false;
        return dialect.forcesToolAlone() || isHostedSearch(forced, tools);
    }

    /** {@return whether it is the name of a web search that the backend runs; there such a tool has no name} */
    private boolean isHostedSearch(String name, List<Json> tools) {
        if (!isSearchHosted) return false;
        return tools.stream().anyMatch(tool -> ToolKind.isWebSearch(tool) && tool.get("name").text().equals(name));
    }

    /** {@return the tools to send; a server tool among them is a web search} */
    List<Json> sent() { return sent; }

    /** {@return whether a tool is a web search that the backend runs} */
    boolean isHosted(Json tool) { return isSearchHosted && ToolKind.isWebSearch(tool); }

    /** {@return whether a tool is a web search that A2o runs, and that is sent as a function} */
    private boolean isOwnSearch(Json tool) { return ownSearch.isPresent() && ToolKind.isWebSearch(tool); }

    private Json.Str functionName(Json tool) {
        if (isOwnSearch(tool)) return JsonWriter.text(ownSearch.orElseThrow().functionName());
        return ToolNames.shortName(request.text(tool, "name"));
    }

    boolean hasWebSearch() { return sent.stream().anyMatch(this::isHosted); }

    /** {@return whether the model may be held to a tool's schema: the client wants it, and the schema allows it} */
    boolean isStrict(Json tool) {
        boolean isTaken = dialect.takes("strict") && !dialect.wantsPlainSchemas();
        boolean isAsked = ToolKind.isCustom(tool) && tool.get("strict") == Json.TRUE;
        return isTaken && isAsked && StrictSchema.fits(tool.get("input_schema"));
    }

    /** Writes the members of a function: {@code "name":N,"description":D,"parameters":S}. */
    void writeFunction(Json tool, JsonWriter out) {
        if (isOwnSearch(tool)) {
            ownSearch.orElseThrow().writeFunction(out);
            return;
        }
        out.field("name", ToolNames.shortName(request.text(tool, "name")));
        writeDescription(tool, out);
        Optional<ToolSchemas.ToolSchema> known = known(tool);
        if (known.isPresent()) out.field("parameters", known.get().parameters()); else writeSchema(tool, out);
    }

    private static Optional<ToolSchemas.ToolSchema> known(Json tool) {
        return ToolKind.isCustom(tool) ? Optional.empty() : ToolSchemas.of(tool);
    }

    private void writeSchema(Json tool, JsonWriter out) {
        Json schema = request.required(tool, "input_schema", Shape.OBJECT);
        out.name("parameters");
        if (!dialect.wantsPlainSchemas()) {
            writeParameters(schema, out);
            return;
        }
        warnings.add("tool_schemas_plain");
        int longest = dialect.longestDescription().orElse(PLAIN_DESCRIPTION);
        boolean isCut = PlainSchema.write(schema, longest, out);
        if (isCut) warnings.add("tool_description_cut");
    }

    private void writeDescription(Json tool, JsonWriter out) {
        Json.Str whole = description(tool);
        if (!whole.hasText()) return;
        Optional<ToolDescription> cut =
                dialect.longestDescription().map(longest -> ToolDescription.cut(whole, longest));
        out.field("description", cut.map(ToolDescription::sent).orElse(whole));
    }

    /** {@return the description, and after it the examples of input, as OpenAI has no member for them} */
    private Json.Str description(Json tool) {
        Optional<ToolSchemas.ToolSchema> known = known(tool);
        if (known.isPresent()) return JsonWriter.text(known.get().description());
        Json description = request.optional(tool, "description", Shape.STRING);
        List<Json> examples = tool.get("input_examples").items();
        boolean isAlone = examples.isEmpty() && description instanceof Json.Str;
        if (isAlone) return (Json.Str) description;
        List<Object> pieces = new ArrayList<>(List.of(description.text()));
        for (Json example : examples.subList(0, Math.min(examples.size(), MAX_EXAMPLES))) {
            pieces.add("\n\nExample input: " + example.raw());
        }
        return JsonWriter.text(pieces.toArray());
    }

    /** {@return for the system prompt: what did not fit into the descriptions} */
    List<Json.Str> restsOfDescriptions() {
        if (dialect.longestDescription().isEmpty()) return List.of();
        List<Json.Str> rests = new ArrayList<>();
        for (Json tool : sent) {
            Json.Str name = ToolNames.shortName(request.text(tool, "name"));
            var cut = ToolDescription.cut(description(tool), dialect.longestDescription().get());
            cut.rest().ifPresent(rest ->
                    rests.add(JsonWriter.text("The description of the tool ", name, " goes on:\n", rest)));
        }
        if (!rests.isEmpty()) warnings.add("tool_description_cut");
        return rests;
    }

    /**
     * Writes a schema without its id, with the {@code type} and {@code properties} that some backends
     * require.
     */
    private static void writeParameters(Json schema, JsonWriter out) {
        out.object();
        if (schema.get("type").isNull()) {
            out.field("type", "object");
        }
        if (schema.get("properties").isNull()) {
            out.name("properties").object().endObject();
        }
        Json[] members = schema.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean isId = members[i].is("$schema") || members[i].is("$id");
            if (!isId && !members[i + 1].isNull()) {
                out.name(members[i]).value(members[i + 1]);
            }
        }
        out.endObject();
    }

    /**
     * {@return what the client's {@code tool_choice} becomes; nothing for auto, the default of both sides}
     *
     * <p>Source: Anthropic Messages, "tool_choice"; OpenAI chat completions, "tool_choice".
     */
    Optional<Choice> choice() {
        Json choice = request.get("tool_choice");
        boolean isOpen = choice.isNull() || choice.get("type").is("auto");
        if (isOpen) return demanded();
        return switch (request.text(choice, "type").text()) {
            case "any" -> Optional.of(new Choice.Mode("required"));
            case "none" -> Optional.of(new Choice.Mode("none"));
            case "tool" -> named(request.text(choice, "name"));
            default -> throw request.invalid(choice, "type", "auto, any, tool or none expected");
        };
    }

    /** {@return the search that A2o runs, where the user's last words ask for nothing else} */
    private Optional<Choice> demanded() {
        List<Json> messages = request.get("messages").items();
        boolean isFirst = ownSearch.isPresent() && !messages.getLast().get("role").is("assistant");
        boolean isDemanded = isFirst && ServerSearch.demanded(request).isPresent();
        return isDemanded ? Optional.of(new Choice.Mode("required")) : Optional.empty();
    }

    private Optional<Choice> named(Json.Str name) {
        boolean isSent = sent.stream().anyMatch(tool -> tool.get("name").text().equals(name.text()));
        if (!isSent) {
            warnings.add("tool_choice_dropped");
            return Optional.empty();
        }
        boolean isAlone = dialect.forcesToolAlone() || isHostedSearch(name.text(), sent);
        if (isAlone) return Optional.of(new Choice.Mode("required"));
        return Optional.of(new Choice.Function(functionNamed(name.text())));
    }

    /** {@return the function that is sent for the tool of that name; the client's own comes first} */
    private Json.Str functionNamed(String name) {
        List<Json> named = sent.stream().filter(tool -> tool.get("name").text().equals(name)).toList();
        return functionName(named.stream().filter(ToolKind::isCustom).findFirst().orElse(named.getFirst()));
    }
}
