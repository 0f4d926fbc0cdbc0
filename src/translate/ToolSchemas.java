package translate;

import java.util.Optional;
import java.util.regex.Pattern;
import json.Json;
import json.JsonParser;

/**
 * The schemas of the tools that Anthropic defines and the client runs: bash, text editor, computer, memory.
 * Requests name only their type; Anthropic's models know the rest, other models must be told.
 *
 * <p>Source: Anthropic, "Bash tool", "Text editor tool", "Computer use tool", "Memory tool", by version.
 */
final class ToolSchemas {
    /** The date at the end of a tool's type, as in {@code bash_20250124}. */
    private static final Pattern VERSION = Pattern.compile("_\\d{8}$");

    private static final Json BASH = JsonParser.parse("""
            {"type":"object","properties":{\
            "command":{"type":"string"},\
            "restart":{"type":"boolean"}}}""");

    private static final Json OLD_EDITOR = JsonParser.parse("""
            {"type":"object","properties":{\
            "command":{"type":"string","enum":["view","create","str_replace","insert","undo_edit"]},\
            "path":{"type":"string"},\
            "file_text":{"type":"string"},\
            "old_str":{"type":"string"},\
            "new_str":{"type":"string"},\
            "insert_line":{"type":"integer"},\
            "view_range":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2}},\
            "required":["command","path"]}""");

    private static final Json EDITOR = JsonParser.parse("""
            {"type":"object","properties":{\
            "command":{"type":"string","enum":["view","create","str_replace","insert"]},\
            "insert_text":{"type":"string"},\
            "path":{"type":"string"},\
            "file_text":{"type":"string"},\
            "old_str":{"type":"string"},\
            "new_str":{"type":"string"},\
            "insert_line":{"type":"integer"},\
            "view_range":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2}},\
            "required":["command","path"]}""");

    private static final Json MEMORY = JsonParser.parse("""
            {"type":"object","properties":{\
            "command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},\
            "insert_text":{"type":"string"},\
            "old_path":{"type":"string"},\
            "new_path":{"type":"string"},\
            "path":{"type":"string"},\
            "file_text":{"type":"string"},\
            "old_str":{"type":"string"},\
            "new_str":{"type":"string"},\
            "insert_line":{"type":"integer"},\
            "view_range":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2}},\
            "required":["command"]}""");

    private static final String ACTIONS_OF_2024 = """
            "key","type","mouse_move","left_click","left_click_drag","right_click","middle_click",\
            "double_click","screenshot","cursor_position\"""";
    private static final String ACTIONS_SINCE_2025 = ACTIONS_OF_2024 + """
            ,"left_mouse_down","left_mouse_up","scroll","hold_key","wait","triple_click\"""";
    private static final Json OLD_COMPUTER = computer(ACTIONS_OF_2024);
    private static final Json COMPUTER = computer(ACTIONS_SINCE_2025);
    private static final Json ZOOMING_COMPUTER = computer(ACTIONS_SINCE_2025 + ",\"zoom\"");

    private static Json computer(String actions) {
        return JsonParser.parse("""
            {"type":"object","properties":{\
            "action":{"type":"string","enum":[%s]},\
            "coordinate":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2},\
            "start_coordinate":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2},\
            "text":{"type":"string"},\
            "duration":{"type":"number"},\
            "scroll_direction":{"type":"string","enum":["up","down","left","right"]},\
            "scroll_amount":{"type":"integer"},\
            "region":{"type":"array","items":{"type":"integer"},"minItems":4,"maxItems":4}},\
            "required":["action"]}""".formatted(actions));
    }

    /** The description of a tool and the schema of its input. */
    record ToolSchema(String description, Json parameters) { }

    private ToolSchemas() { }

    /** {@return the schema of a tool, if its type is one of these} */
    static Optional<ToolSchema> of(Json tool) {
        String type = tool.get("type").text();
        return switch (VERSION.matcher(type).replaceFirst("")) {
            case "bash" -> Optional.of(new ToolSchema(
                    "Run a command in a persistent bash session; restart:true starts it anew.", BASH));
            case "text_editor" -> Optional.of(new ToolSchema(
                    "View, create, edit text files. str_replace needs old_str to occur once.", editor(type)));
            case "computer" -> Optional.of(new ToolSchema(
                    "Use a computer's mouse, keyboard and display. Coordinates are [x, y]" + ofDisplay(tool),
                    computerOf(type)));
            case "memory" -> Optional.of(new ToolSchema(
                    "Keep notes for later sessions as files under /memories.", MEMORY));
            default -> Optional.empty(); // a tool that Anthropic's servers run, or a new one
        };
    }

    private static Json editor(String type) {
        boolean isOld = type.compareTo("text_editor_20250429") < 0;
        return isOld ? OLD_EDITOR : EDITOR;
    }

    private static Json computerOf(String type) {
        if (type.endsWith("_20241022")) return OLD_COMPUTER;
        if (type.endsWith("_20251124")) return ZOOMING_COMPUTER;
        return COMPUTER;
    }

    /** {@return the size of the display, as in " of 1024 by 768"} */
    private static String ofDisplay(Json tool) {
        Json width = tool.get("display_width_px");
        if (width.isNull()) return "";
        return " of %s by %s".formatted(width.raw(), tool.get("display_height_px").raw());
    }
}
