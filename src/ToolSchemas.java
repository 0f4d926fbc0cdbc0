import java.util.List;

/**
 * Function schemas for the tools that Anthropic defines and the client runs: bash, text editor, computer, memory.
 * The request only names their type; the schemas are known to Anthropic's models, and so must be spelled out for others.
 *
 * <p>Source: Anthropic, "Bash tool", "Text editor tool", "Computer use tool", "Memory tool", by version.
 */
final class ToolSchemas {
    private static final String TEXT = "{'type':'string'}";
    private static final String INTEGER = "{'type':'integer'}";
    private static final String PAIR = "{'type':'array','items':{'type':'integer'},'minItems':2,'maxItems':2}";
    private static final String FILE = "'file_text':" + TEXT + ",'old_str':" + TEXT + ",'new_str':" + TEXT + ",'insert_line':" + INTEGER
            + ",'view_range':" + PAIR;
    private static final String INSERT_TEXT = ",'insert_text':" + TEXT;
    private static final String ACTIONS = "'key','type','mouse_move','left_click','left_click_drag','right_click','middle_click',"
            + "'double_click','screenshot','cursor_position'";
    private static final String ACTIONS_2025 = ",'left_mouse_down','left_mouse_up','scroll','hold_key','wait','triple_click'";

    private ToolSchemas() { }

    /** {@return what the tool does, for the model; "" for a tool that is not one of these} */
    static String description(Json tool) {
        return switch (kind(tool)) {
            case "bash" -> "Run a command in a persistent bash session; restart:true starts the session anew.";
            case "text_editor" -> "View, create and edit text files. insert puts text after insert_line; str_replace needs old_str to occur exactly once.";
            case "computer" -> "Use the mouse and keyboard of a computer and take screenshots of its display, which is %s by %s pixels. Coordinates are [x, y]."
                    .formatted(tool.get("display_width_px").raw(), tool.get("display_height_px").raw());
            case "memory" -> "Keep notes for later sessions as files under /memories: view, create, str_replace, insert, delete, rename.";
            default -> "";
        };
    }

    static Json.Writer parameters(Json tool) {
        String type = tool.get("type").text();
        boolean oldEditor = List.of("text_editor_20241022", "text_editor_20250124").contains(type);
        return new Json.Writer().put(switch (kind(tool)) {
            case "bash" -> "{'type':'object','properties':{'command':" + TEXT + ",'restart':{'type':'boolean'}}}";
            case "text_editor" -> object("command", "'view','create','str_replace','insert'" + (oldEditor ? ",'undo_edit'" : ""),
                    "'path':" + TEXT + "," + FILE + (oldEditor ? "" : INSERT_TEXT), ",'path'");
            case "computer" -> object("action", ACTIONS + (type.endsWith("20241022") ? "" : ACTIONS_2025) + (type.endsWith("20251124") ? ",'zoom'" : ""),
                    "'coordinate':" + PAIR + ",'start_coordinate':" + PAIR + ",'text':" + TEXT + ",'duration':{'type':'number'},'scroll_direction':"
                            + "{'type':'string','enum':['up','down','left','right']},'scroll_amount':" + INTEGER
                            + ",'region':{'type':'array','items':{'type':'integer'},'minItems':4,'maxItems':4}", "");
            default -> object("command", "'view','create','str_replace','insert','delete','rename'",
                    "'path':" + TEXT + "," + FILE + INSERT_TEXT + ",'old_path':" + TEXT + ",'new_path':" + TEXT, "");
        });
    }

    private static String object(String verb, String verbs, String properties, String required) {
        return "{'type':'object','properties':{'%s':{'type':'string','enum':[%s]},%s},'required':['%s'%s]}".formatted(verb, verbs, properties, verb, required);
    }

    private static String kind(Json tool) {
        return tool.get("type").text().replaceFirst("_\\d{8}$", "");
    }
}
