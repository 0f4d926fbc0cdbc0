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
 * Those of the request's tools that the model is told of, as functions: the client's with their schemas, and those that
 * Anthropic defines and the client runs ({@link ToolSchemas}). Tools that Anthropic's servers run are left out, but for
 * a web search that the backend runs in their place.
 */
final class Tools {
    private static final int MAX_EXAMPLES = 3;

    private final Request request;
    private final Dialect dialect;
    private final Set<String> warnings;
    private final List<Json> sent = new ArrayList<>();

    /** @throws ApiError if a tool is none, or has a name that another one has */
    Tools(Request request, Dialect dialect, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.warnings = warnings;
        List<Json> tools = request.objects(request.json(), "tools");
        var loaded = new LoadedTools(request);
        Set<String> names = new HashSet<>();
        for (Json tool : tools) {
            refuseToolset(tool);
            boolean isHosted = isWebSearch(tool) && dialect.hostsWebSearch();
            if (isServer(tool) && !isHosted) {
                warnings.add("server_tool_omitted"); // the backend would not run it
                continue;
            }
            Json.Str name = request.text(tool, "name");
            boolean isSent = isForModel(tool) && !loaded.isHidden(tool) && !isBesideForced(name, tools);
            if (!isSent) continue;
            boolean isUnique = name.hasText() && names.add(name.text());
            if (!isUnique) throw request.invalid(tool, "name", "a name that no other tool has expected");
            sent.add(tool);
        }
    }

    private void refuseToolset(Json tool) {
        String type = tool.get("type").text();
        if (type.contains("toolset")) throw request.invalid(tool, "type", type + " is not available");
    }

    /** {@return whether it is one that Anthropic's servers run, by its type; names are anybody's} */
    static boolean isServer(Json tool) { return !isCustom(tool) && ToolSchemas.of(tool).isEmpty(); }

    private static boolean isCustom(Json tool) {
        Json type = tool.get("type");
        return !type.hasText() || type.is("custom") || tool.get("input_schema") instanceof Json.Obj;
    }

    /** {@return whether the model may call it itself, and not only code that Anthropic's servers run} */
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

    /** {@return whether it is the name of a web search that the backend runs; such a tool has no name there} */
    private boolean isHostedSearch(String name, List<Json> tools) {
        return dialect.hostsWebSearch()
                && tools.stream().anyMatch(tool -> isWebSearch(tool) && tool.get("name").text().equals(name));
    }

    /** {@return whether it is the web search of Anthropic's servers} */
    static boolean isWebSearch(Json tool) { return isServer(tool) && tool.get("type").begins("web_search"); }

    /** {@return the tools to send; a web search among them is one that the backend runs} */
    List<Json> sent() { return sent; }

    /** {@return whether the backend may hold the model to the schema: the client wants it, and the schema allows it} */
    static boolean isStrict(Json tool) {
        return isCustom(tool) && tool.get("strict") == Json.TRUE && StrictSchema.fits(tool.get("input_schema"));
    }

    /** Writes the members of a function: {@code "name":N,"description":D,"parameters":S}. */
    void writeFunction(Json tool, JsonWriter out) {
        out.field("name", ToolNames.shortName(request.text(tool, "name")));
        Optional<ToolSchemas.ToolSchema> known = isCustom(tool) ? Optional.empty() : ToolSchemas.of(tool);
        if (known.isPresent()) {
            out.field("description", known.get().description()).field("parameters", known.get().parameters());
        } else {
            custom(tool, out);
        }
    }

    /** {@code "description":D,"input_schema":S} to {@code "description":D,"parameters":S}. */
    private void custom(Json tool, JsonWriter out) {
        description(tool, out);
        Json schema = request.required(tool, "input_schema", Shape.OBJECT);
        out.name("parameters");
        parameters(schema, out);
    }

    /** The description, followed by examples of input, for which OpenAI has no place. */
    private void description(Json tool, JsonWriter out) {
        Json description = request.optional(tool, "description", Shape.STRING);
        List<Json> examples = tool.get("input_examples").items();
        if (!description.hasText() && examples.isEmpty()) return;
        out.name("description").openString();
        if (description instanceof Json.Str text) out.piece(text);
        for (Json example : examples.subList(0, Math.min(examples.size(), MAX_EXAMPLES))) {
            out.piece("\n\nExample input: ").pieceOf(example);
        }
        out.closeString();
    }

    /** The schema with the members that some backends insist on, without its own name and version. */
    private static void parameters(Json schema, JsonWriter out) {
        out.object();
        if (schema.get("type").isNull()) out.field("type", "object");
        if (schema.get("properties").isNull()) out.name("properties").object().endObject();
        Json[] members = schema.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean isLeftOut = members[i].is("$schema") || members[i].is("$id") || members[i + 1].isNull();
            if (!isLeftOut) out.name(members[i]).value(members[i + 1]);
        }
        out.endObject();
    }

    /** What the model is told of whether to call a tool. */
    sealed interface Choice {
        /** It must call one, or none; OpenAI's word for it. */
        record Mode(String word) implements Choice { }

        /** It must call this one. */
        record Function(Json.Str name) implements Choice { }
    }

    /**
     * {@return the choice; nothing where it says no more than nothing would}
     *
     * <p>Source: Anthropic Messages, "tool_choice"; OpenAI chat completions, "tool_choice". Absent is auto.
     */
    Optional<Choice> choice() {
        Json choice = request.get("tool_choice");
        if (choice.isNull()) return Optional.empty();
        return switch (request.text(choice, "type").text()) {
            case "auto" -> Optional.empty();
            case "any" -> Optional.of(new Choice.Mode("required"));
            case "none" -> Optional.of(new Choice.Mode("none"));
            case "tool" -> named(request.text(choice, "name"));
            default -> throw request.invalid(choice, "type", "auto, any, tool or none expected");
        };
    }

    private Optional<Choice> named(Json.Str name) {
        boolean isSent = sent.stream().anyMatch(tool -> tool.get("name").text().equals(name.text()));
        if (!isSent) {
            refuseCodeExecution(name.text());
            warnings.add("tool_choice_dropped");
            return Optional.empty();
        }
        boolean isAlone = dialect.forcesToolAlone() || isHostedSearch(name.text(), sent);
        if (isAlone) return Optional.of(new Choice.Mode("required"));
        return Optional.of(new Choice.Function(ToolNames.shortName(name)));
    }

    /** To have code run is more than a hint: without it, the model would make up the code's output. */
    private void refuseCodeExecution(String name) {
        for (Json tool : request.get("tools").items()) {
            boolean isCodeExecution = tool.get("type").begins("code_execution");
            if (isCodeExecution && tool.get("name").text().equals(name)) {
                throw request.invalid(request.get("tool_choice"), "name", "nobody runs code here");
            }
        }
    }
}
