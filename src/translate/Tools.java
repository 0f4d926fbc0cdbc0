package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;

/**
 * The request's tools, as the functions that stand for them: those of the client's with their schemas, and those that
 * Anthropic defines and the client runs: bash, text editor, computer, memory. Of these the request only names the type;
 * Anthropic's models know the schemas, others must be told. Tools that Anthropic's servers run are left out.
 *
 * <p>Source: Anthropic, "Bash tool", "Text editor tool", "Computer use tool", "Memory tool", by version.
 */
final class Tools {
    private static final int MAX_NAME = 64; // of a function; Anthropic allows 128
    private static final String EDIT = "command:view,create,str_replace,insert%s path:string file_text:string"
            + " old_str:string new_str:string insert_line:integer view_range:2";
    private static final String ACT = "action:key,type,mouse_move,left_click,left_click_drag,right_click,middle_click,"
            + "double_click,screenshot,cursor_position%s coordinate:2 start_coordinate:2 text:string duration:number"
            + " scroll_direction:up,down,left,right scroll_amount:integer region:4";
    private static final String MORE = ",left_mouse_down,left_mouse_up,scroll,hold_key,wait,triple_click";

    private final Request request;
    private final Dialect dialect;
    private final Set<String> warnings;
    private final List<Json> sent = new ArrayList<>();

    /** @throws ApiError if a tool is none, or has a name that another one has */
    Tools(Request request, Dialect dialect, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.warnings = warnings;
        List<Json> all = request.objects(request.json(), "tools");
        boolean defers = all.stream().anyMatch(tool -> tool.get("defer_loading") == Json.TRUE);
        boolean isSearched = all.stream().anyMatch(tool -> tool.get("type").text().startsWith("tool_search_tool"));
        var loaded = new LoadedTools(defers ? request.get("messages") : Json.NULL);
        if (isSearched && !loaded.hasReferences()) defers = false; // for nobody here would find them
        String forced = dialect.forcesToolAlone() ? request.get("tool_choice").get("name").text() : "";
        Set<String> names = new HashSet<>();
        for (Json tool : all) {
            String type = tool.get("type").text();
            if (type.contains("toolset")) throw request.invalid(tool, "type", type + " is not available");
            if (isServer(tool)) {
                warnings.add("server_tool_omitted"); // nothing in chat completions would run it
                continue;
            }
            Json name = request.text(tool, "name");
            List<Json> callers = tool.get("allowed_callers").items();
            boolean withheld = !callers.isEmpty() && callers.stream().noneMatch(caller -> caller.is("direct"))
                    || defers && tool.get("defer_loading") == Json.TRUE && !loaded.contains(name.text());
            boolean isOther = !forced.isEmpty() && !name.text().equals(forced);
            if (withheld || isOther) continue;
            boolean isOwn = name.hasText() && names.add(name.text());
            if (!isOwn) throw request.invalid(tool, "name", "a name that no other tool has expected");
            sent.add(tool);
        }
    }

    /** {@return whether it is one that Anthropic's servers run, by its type; names are anybody's} */
    static boolean isServer(Json tool) {
        return !isCustom(tool) && !kind(tool).matches("bash|text_editor|computer|memory");
    }

    private static boolean isCustom(Json tool) {
        Json type = tool.get("type");
        return !type.hasText() || type.is("custom") || tool.get("input_schema") instanceof Json.Obj;
    }

    private static String kind(Json tool) { return tool.get("type").text().replaceFirst("_\\d{8}$", ""); }

    boolean isEmpty() { return sent.isEmpty(); }

    /** Writes {@code [{"type":"function","function":{"name":N,…}},…],}. */
    void write(JsonWriter out) {
        out.raw('[');
        for (Json tool : sent) {
            out.put("{'type':'function','function':{'name':%,", shortName(tool.get("name")));
            if (isCustom(tool)) custom(tool, out); else known(tool, out);
            out.put("}},");
        }
        out.closeWith(']').raw(',');
    }

    /** {@code {"name":N,"description":D,"input_schema":S}} to {@code {"name":N,"description":D,"parameters":S}}. */
    private void custom(Json tool, JsonWriter out) {
        Json description = request.may(tool, "description", "s");
        List<Json> examples = tool.get("input_examples").items();
        Object[] text = Stream.concat(Stream.of(description).filter(Json::hasText),
                examples.stream().limit(3).map(example -> "\n\nExample input: " + example.raw())).toArray();
        if (text.length > 0) out.put("'description':%,", examples.isEmpty() ? description : JsonWriter.text(text));
        Json schema = request.need(tool, "input_schema", "o");
        out.put("'parameters':{"); // with what some backends insist on, without the schema's name and dialect
        if (schema.get("type").isNull()) out.put("'type':'object',");
        if (schema.get("properties").isNull()) out.put("'properties':{},");
        Json[] members = schema.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean left = members[i].is("$schema") || members[i].is("$id") || members[i + 1].isNull();
            if (!left) out.put("%:%,", members[i], members[i + 1]);
        }
        out.closeWith('}');
        if (tool.get("strict") == Json.TRUE && isStrict(schema)) out.put(",'strict':true");
    }

    /** {@return whether OpenAI takes the schema as strict: at every level all members are required, others refused} */
    static boolean isStrict(Json schema) {
        int properties = schema.get("properties").parts().length / 2;
        boolean open = schema.get("additionalProperties") != Json.FALSE
                || properties != schema.get("required").items().size();
        boolean plain = Stream.of("oneOf", "allOf", "not", "patternProperties").map(schema::get).allMatch(Json::isNull);
        return plain && !(open && (properties > 0 || schema.get("type").is("object")))
                && Stream.concat(schema.items().stream(), Stream.of(schema.parts())).allMatch(Tools::isStrict);
    }

    /** Writes the description and parameters of the function that stands for a tool of Anthropic's. */
    private static void known(Json tool, JsonWriter out) {
        String type = tool.get("type").text();
        boolean old = type.compareTo("text_editor_20250429") < 0;
        String more = (type.endsWith("_20241022") ? "" : MORE) + (type.endsWith("_20251124") ? ",zoom" : "");
        Json width = tool.get("display_width_px");
        String size = width.isNull() ? "" : " of %s by %s".formatted(width.raw(), tool.get("display_height_px").raw());
        switch (kind(tool)) {
            case "bash" -> write(out, "Run a command in a persistent bash session; restart:true starts it anew.",
                    "command:string restart:boolean", "");
            case "text_editor" -> write(out, "View, create, edit text files. str_replace needs old_str to occur once.",
                    EDIT.formatted(old ? ",undo_edit" : " insert_text:string"), "'command','path'");
            case "computer" -> write(out, "Use a computer's mouse, keyboard and display. Coordinates are [x, y]" + size,
                    ACT.formatted(more), "'action'");
            default -> write(out, "Keep notes for later sessions as files under /memories.",
                    EDIT.formatted(",delete,rename insert_text:string old_path:string new_path:string"), "'command'");
        }
    }

    /** Members are {@code name:type …}; a type may also be a number of integers, or the words to choose from. */
    private static void write(JsonWriter out, String description, String members, String required) {
        out.put("'description':%,'parameters':{'type':'object','properties':{", description);
        for (String member : members.split(" ")) {
            String type = member.replaceFirst(".*:", "");
            out.put("%:", member.replaceFirst(":.*", "")).put(switch (type) {
                case "string", "boolean", "integer", "number" -> "{'type':'%s'},".formatted(type);
                case "2", "4" -> "{'type':'array','items':{'type':'integer'},'minItems':%1$s,'maxItems':%1$s},"
                        .formatted(type);
                default -> "{'type':'string','enum':['%s']},".formatted(type.replace(",", "','"));
            });
        }
        out.closeWith('}').put(required.isEmpty() ? "}" : ",'required':[" + required + "]}");
    }

    /**
     * {@return {@code tool_choice}; NULL where it says no more than nothing would}
     *
     * <p>Source: Anthropic Messages, "tool_choice"; OpenAI chat completions, "tool_choice". Absent is auto.
     */
    Json choice() {
        Json choice = request.get("tool_choice");
        if (choice.isNull()) return choice;
        return switch (request.text(choice, "type").text()) {
            case "auto" -> Json.NULL;
            case "any" -> JsonWriter.text("required");
            case "none" -> JsonWriter.text("none");
            case "tool" -> named(request.text(choice, "name"));
            default -> throw request.invalid(choice, "type", "auto, any, tool or none expected");
        };
    }

    private Json named(Json name) {
        boolean isSent = sent.stream().anyMatch(tool -> tool.get("name").text().equals(name.text()));
        if (!isSent) refuseCodeExecution(name.text());
        if (!isSent) warnings.add("tool_choice_dropped");
        if (!isSent) return Json.NULL;
        return dialect.forcesToolAlone() ? JsonWriter.text("required")
                : JsonWriter.json("{'type':'function','function':{'name':%}}", shortName(name));
    }

    /** To have code run is more than a hint: without it, the model would make up what the code says. */
    private void refuseCodeExecution(String name) {
        for (Json tool : request.get("tools").items()) {
            boolean isIt = tool.get("name").text().equals(name)
                    && tool.get("type").text().startsWith("code_execution");
            if (isIt) throw request.invalid(request.get("tool_choice"), "name", "nobody runs code here");
        }
    }

    /** {@return the name, or if it is longer than OpenAI allows, its beginning and a hash of it} */
    static Json shortName(Json name) {
        if (name.to() - name.from() - 2 <= MAX_NAME || name.text().length() <= MAX_NAME) return name;
        return JsonWriter.text(name.text().substring(0, MAX_NAME - 9) + "_" + Request.hash(name.text()).substring(0, 8));
    }
}
