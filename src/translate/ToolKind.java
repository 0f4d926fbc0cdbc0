package translate;

import json.Json;

/** Tells by a tool's type who runs it. A tool's name may be that of any other. */
final class ToolKind {
    private ToolKind() { }

    /** {@return whether Anthropic's servers run a tool} */
    static boolean isServer(Json tool) {
        return !isCustom(tool) && ToolSchemas.of(tool).isEmpty();
    }

    /** {@return whether a tool is the web search of Anthropic's servers} */
    static boolean isWebSearch(Json tool) {
        return isServer(tool) && tool.get("type").begins("web_search");
    }

    /** {@return whether a tool is the client's own, with a schema} */
    static boolean isCustom(Json tool) {
        Json type = tool.get("type");
        return !type.hasText() || type.is("custom") || tool.get("input_schema") instanceof Json.Obj;
    }
}
