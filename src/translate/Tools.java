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
        var loaded = new LoadedTools(request);
        Set<String> names = new HashSet<>();
        for (Json tool : tools) {
            refuseToolset(tool);
            boolean isHosted = isSearchHosted && ToolKind.isWebSearch(tool);
            if (ToolKind.isServer(tool) && !isHosted) {
                warnings.add("server_tool_omitted"); // the backend would not run it
                continue;
            }
            Json.Str name = request.text(tool, "name");
            boolean isSent = isForModel(tool) && !loaded.isHidden(tool) && !isBesideForced(name, tools);
            if (!isSent) continue;
            boolean isUnique = name.hasText() && names.add(name.text());
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

    /** {@return the tools to send; a web search among them is one that the backend runs} */
    List<Json> sent() { return sent; }

    boolean hasWebSearch() { return sent.stream().anyMatch(ToolKind::isWebSearch); }

    /** {@return whether the model may be held to a tool's schema: the client wants it, and the schema allows it} */
    boolean isStrict(Json tool) {
        boolean isTaken = dialect.takes("strict") && !dialect.wantsPlainSchemas();
        boolean isAsked = ToolKind.isCustom(tool) && tool.get("strict") == Json.TRUE;
        return isTaken && isAsked && StrictSchema.fits(tool.get("input_schema"));
    }

    /** Writes the members of a function: {@code "name":N,"description":D,"parameters":S}. */
    void writeFunction(Json tool, JsonWriter out) {
        out.field("name", ToolNames.shortName(request.text(tool, "name")));
        Optional<ToolSchemas.ToolSchema> known = ToolKind.isCustom(tool) ? Optional.empty() : ToolSchemas.of(tool);
        if (known.isPresent()) {
            out.field("description", known.get().description()).field("parameters", known.get().parameters());
        } else {
            writeCustom(tool, out);
        }
    }

    /** {@code "description":D,"input_schema":S} becomes {@code "description":D,"parameters":S}. */
    private void writeCustom(Json tool, JsonWriter out) {
        writeDescription(tool, out);
        Json schema = request.required(tool, "input_schema", Shape.OBJECT);
        out.name("parameters");
        if (dialect.wantsPlainSchemas()) {
            warnings.add("tool_schemas_plain");
            PlainSchema.write(schema, dialect.longestDescription().orElse(PLAIN_DESCRIPTION), out);
            return;
        }
        writeParameters(schema, out);
    }

    /** Writes the description, and after it the examples of input, as OpenAI has no member for them. */
    private void writeDescription(Json tool, JsonWriter out) {
        Json description = request.optional(tool, "description", Shape.STRING);
        List<Json> examples = tool.get("input_examples").items();
        if (!description.hasText() && examples.isEmpty()) return;
        out.name("description").openString();
        if (description instanceof Json.Str text) {
            Json.Str sent = dialect.longestDescription().map(most -> PlainSchema.cut(text, most)).orElse(text);
            if (sent != text) {
                warnings.add("tool_description_cut");
            }
            out.piece(sent);
        }
        for (Json example : examples.subList(0, Math.min(examples.size(), MAX_EXAMPLES))) {
            out.piece("\n\nExample input: ").pieceOf(example);
        }
        out.closeString();
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
            warnings.add("tool_choice_dropped");
            return Optional.empty();
        }
        boolean isAlone = dialect.forcesToolAlone() || isHostedSearch(name.text(), sent);
        if (isAlone) return Optional.of(new Choice.Mode("required"));
        return Optional.of(new Choice.Function(ToolNames.shortName(name)));
    }
}
