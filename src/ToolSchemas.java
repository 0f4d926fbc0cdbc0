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
            "text_editor", "View, create and edit text files. insert puts text after insert_line; str_replace needs old_str to occur exactly once.",
            "computer", "Use the mouse and keyboard of a computer and take screenshots of its display. Coordinates are [x, y] in pixels.",
            "memory", "Keep notes for later sessions as files under /memories: view, create, str_replace, insert, delete, rename.");
    private static final String TEXT = "{'type':'string'}";
    private static final String INTEGER = "{'type':'integer'}";
    private static final String PAIR = "{'type':'array','items':{'type':'integer'},'minItems':2,'maxItems':2}";
    private static final String EDIT = "'path':" + TEXT + ",'file_text':" + TEXT + ",'old_str':" + TEXT + ",'new_str':" + TEXT + ",'insert_line':"
            + INTEGER + ",'view_range':" + PAIR;
    private static final String INSERT = ",'insert_text':" + TEXT;
    private static final String ACTIONS = "'key','type','mouse_move','left_click','left_click_drag','right_click','middle_click',"
            + "'double_click','screenshot','cursor_position'";
    private static final String MORE_ACTIONS = ",'left_mouse_down','left_mouse_up','scroll','hold_key','wait','triple_click'";
    private static final String COMPUTER = "'coordinate':" + PAIR + ",'start_coordinate':" + PAIR + ",'text':" + TEXT
            + ",'duration':{'type':'number'},'scroll_direction':{'type':'string','enum':['up','down','left','right']},'scroll_amount':" + INTEGER
            + ",'region':{'type':'array','items':{'type':'integer'},'minItems':4,'maxItems':4}";

    private ToolSchemas() { }

    static boolean has(Json tool) { return DESCRIPTIONS.containsKey(kind(tool)); }

    private static String kind(Json tool) {
        return tool.get("type").text().replaceFirst("_\\d{8}$", "");
    }

    /** Writes the description and parameters of the function that stands for {@code tool}. */
    static Json.Writer write(Json tool, Json.Writer function) {
        String type = tool.get("type").text();
        boolean old = type.compareTo("text_editor_20250429") < 0;
        String display = tool.get("display_width_px").isNull() ? ""
                : " The display is %s by %s.".formatted(tool.get("display_width_px").raw(), tool.get("display_height_px").raw());
        function.put("'description':%,'parameters':{'type':'object','properties':{", DESCRIPTIONS.get(kind(tool)) + display);
        return function.put(switch (kind(tool)) {
            case "bash" -> "'command':" + TEXT + ",'restart':{'type':'boolean'}}}";
            case "text_editor" -> verbs("command", "'view','create','str_replace','insert'" + (old ? ",'undo_edit'" : ""))
                    + EDIT + (old ? "" : INSERT) + "},'required':['command','path']}";
            case "computer" -> verbs("action", ACTIONS + (type.endsWith("_20241022") ? "" : MORE_ACTIONS) + (type.endsWith("_20251124") ? ",'zoom'" : ""))
                    + COMPUTER + "},'required':['action']}";
            default -> verbs("command", "'view','create','str_replace','insert','delete','rename'")
                    + EDIT + INSERT + ",'old_path':" + TEXT + ",'new_path':" + TEXT + "},'required':['command']}";
        });
    }

    private static String verbs(String name, String verbs) {
        return "'%s':{'type':'string','enum':[%s]},".formatted(name, verbs);
    }
}
