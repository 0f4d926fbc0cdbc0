import java.util.List;
import java.util.stream.Stream;

/**
 * The functions that stand for tools: those of the client's with their schemas, and those that Anthropic defines and
 * the client runs: bash, text editor, computer, memory. Of these the request only names the type; Anthropic's models
 * know the schemas, others must be told.
 *
 * <p>Source: Anthropic, "Bash tool", "Text editor tool", "Computer use tool", "Memory tool", by version.
 */
final class ToolSchemas {
    private static final String EDIT = "command:view,create,str_replace,insert%s path:string file_text:string"
            + " old_str:string new_str:string insert_line:integer view_range:2";
    private static final String ACT = "action:key,type,mouse_move,left_click,left_click_drag,right_click,middle_click,"
            + "double_click,screenshot,cursor_position%s coordinate:2 start_coordinate:2 text:string duration:number"
            + " scroll_direction:up,down,left,right scroll_amount:integer region:4";
    private static final String MORE = ",left_mouse_down,left_mouse_up,scroll,hold_key,wait,triple_click";

    private ToolSchemas() { }

    static boolean has(Json tool) { return kind(tool).matches("bash|text_editor|computer|memory"); }
    private static String kind(Json tool) { return tool.get("type").text().replaceFirst("_\\d{8}$", ""); }

    /** {@code {"name":N,"description":D,"input_schema":S}} to {@code {"name":N,"description":D,"parameters":S}}. */
    static void custom(Json tool, Request request, Json.Writer out) {
        Json description = request.may(tool, "description", "s");
        List<Json> examples = tool.get("input_examples").items();
        Object[] text = Stream.concat(Stream.of(description).filter(Json::hasText),
                examples.stream().limit(3).map(example -> "\n\nExample input: " + example.raw())).toArray();
        if (text.length > 0) out.put("'description':%,", examples.isEmpty() ? description : Json.Str.of(text));
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
                && Stream.concat(schema.items().stream(), Stream.of(schema.parts())).allMatch(ToolSchemas::isStrict);
    }

    /** Writes the description and parameters of the function that stands for {@code tool}. */
    static Json.Writer write(Json tool, Json.Writer out) {
        String type = tool.get("type").text();
        boolean old = type.compareTo("text_editor_20250429") < 0;
        String more = (type.endsWith("_20241022") ? "" : MORE) + (type.endsWith("_20251124") ? ",zoom" : "");
        Json width = tool.get("display_width_px");
        String size = width.isNull() ? "" : " of %s by %s".formatted(width.raw(), tool.get("display_height_px").raw());
        return switch (kind(tool)) {
            case "bash" -> write(out, "Run a command in a persistent bash session; restart:true starts it anew.",
                    "command:string restart:boolean", "");
            case "text_editor" -> write(out, "View, create, edit text files. str_replace needs old_str to occur once.",
                    EDIT.formatted(old ? ",undo_edit" : " insert_text:string"), "'command','path'");
            case "computer" -> write(out, "Use a computer's mouse, keyboard and display. Coordinates are [x, y]" + size,
                    ACT.formatted(more), "'action'");
            default -> write(out, "Keep notes for later sessions as files under /memories.",
                    EDIT.formatted(",delete,rename insert_text:string old_path:string new_path:string"), "'command'");
        };
    }

    /** Members are {@code name:type …}; a type may also be a number of integers, or the words to choose from. */
    private static Json.Writer write(Json.Writer out, String description, String members, String required) {
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
        return out.closeWith('}').put(required.isEmpty() ? "}" : ",'required':[" + required + "]}");
    }
}
