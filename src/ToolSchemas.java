import java.util.Map;

/**
 * Function schemas for the tools that Anthropic defines and the client runs: bash, text editor, computer, memory.
 * The request only names their type; Anthropic's models know the schemas, others must be told.
 *
 * <p>Source: Anthropic, "Bash tool", "Text editor tool", "Computer use tool", "Memory tool", by version.
 */
final class ToolSchemas {
    private static final Map<String, String> DESCRIPTIONS = Map.of(
            "bash", "Run a command in a persistent bash session; restart:true starts the session anew.",
            "text_editor", "View, create, edit text files. str_replace needs old_str to occur once.",
            "computer", "Use the mouse and keyboard of a computer and see its display. Coordinates are [x, y].",
            "memory", "Keep notes for later sessions as files under /memories.");
    private static final String EDIT = "path:s file_text:s old_str:s new_str:s insert_line:i view_range:2";
    private static final String EDITS = "view,create,str_replace,insert";
    private static final String ACTIONS = "key,type,mouse_move,left_click,left_click_drag,right_click,middle_click,"
            + "double_click,screenshot,cursor_position";
    private static final String MORE = ",left_mouse_down,left_mouse_up,scroll,hold_key,wait,triple_click";

    private ToolSchemas() { }

    static boolean has(Json tool) { return DESCRIPTIONS.containsKey(kind(tool)); }
    private static String kind(Json tool) { return tool.get("type").text().replaceFirst("_\\d{8}$", ""); }

    /** Writes the description and parameters of the function that stands for {@code tool}. */
    static Json.Writer write(Json tool, Json.Writer function) {
        String type = tool.get("type").text();
        boolean old = type.compareTo("text_editor_20250429") < 0;
        Json width = tool.get("display_width_px");
        String size = width.isNull() ? "" : " It is %s by %s.".formatted(width.raw(), tool.get("display_height_px").raw());
        String actions = ACTIONS + (type.endsWith("_20241022") ? "" : MORE) + (type.endsWith("_20251124") ? ",zoom" : "");
        function.put("'description':%,'parameters':", DESCRIPTIONS.get(kind(tool)) + size);
        return switch (kind(tool)) {
            case "bash" -> object(function, "command:s restart:b", "");
            case "text_editor" -> object(function, "command:" + EDITS + (old ? ",undo_edit " : " insert_text:s ") + EDIT,
                    "'command','path'");
            case "computer" -> object(function, "action:" + actions + " coordinate:2 start_coordinate:2 text:s duration:n"
                    + " scroll_direction:up,down,left,right scroll_amount:i region:4", "'action'");
            default -> object(function, "command:" + EDITS + ",delete,rename " + EDIT
                    + " insert_text:s old_path:s new_path:s", "'command'");
        };
    }

    /** Writes {@code name:type …}: s string, b boolean, i integer, n number, 2 and 4 so many integers, a list its words. */
    private static Json.Writer object(Json.Writer out, String properties, String required) {
        out.put("{'type':'object','properties':{");
        for (String property : properties.split(" ")) {
            String type = property.substring(property.indexOf(':') + 1);
            out.put("%:", property.substring(0, property.indexOf(':'))).put(switch (type) {
                case "s" -> "{'type':'string'},";
                case "b" -> "{'type':'boolean'},";
                case "i" -> "{'type':'integer'},";
                case "n" -> "{'type':'number'},";
                case "2", "4" -> "{'type':'array','items':{'type':'integer'},'minItems':#,'maxItems':#},".replace("#", type);
                default -> "{'type':'string','enum':['%s']},".formatted(type.replace(",", "','"));
            });
        }
        return out.closeWith('}').put(required.isEmpty() ? "}" : ",'required':[" + required + "]}");
    }
}
