package translate;

import anthropic.Request;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import json.Json;

/**
 * Which deferred tools a conversation has made known to the model: those that a search has found, those that a system
 * message has added, and those that have been called (SPEC A.5.4).
 */
final class LoadedTools {
    private final Set<String> names = new HashSet<>();
    private boolean hasReferences;
    private final boolean areOthersHidden;

    LoadedTools(Request request) {
        List<Json> tools = request.get("tools").items();
        boolean areAnyDeferred = tools.stream().anyMatch(LoadedTools::isDeferred);
        if (areAnyDeferred) {
            for (Json message : request.get("messages").items()) message.get("content").items().forEach(this::look);
        }
        // A search that Anthropic's servers would run finds nothing here: without hiding, its tools can be called.
        boolean isSearchLeftOut = tools.stream().anyMatch(LoadedTools::isServerSearch) && !hasReferences;
        areOthersHidden = areAnyDeferred && !isSearchLeftOut;
    }

    private static boolean isDeferred(Json tool) { return tool.get("defer_loading") == Json.TRUE; }
    private static boolean isServerSearch(Json tool) { return tool.get("type").begins("tool_search_tool"); }

    /** Looks for a {@code tool_use} or a {@code tool_reference}, in a block and in what a result holds. */
    private void look(Json block) {
        String type = block.get("type").text();
        if (type.equals("tool_use")) {
            names.add(block.get("name").text());
        } else if (type.equals("tool_reference")) {
            hasReferences = true;
            names.add(block.get(block.get("tool_name").isNull() ? "name" : "tool_name").text());
        } else {
            lookInside(block);
        }
    }

    private void lookInside(Json json) {
        json.items().forEach(this::look);
        Json[] parts = json.parts();
        for (int i = 1; i < parts.length; i += 2) look(parts[i]);
    }

    /** {@return whether the model is not to know of a tool yet} */
    boolean isHidden(Json tool) {
        return areOthersHidden && isDeferred(tool) && !names.contains(tool.get("name").text());
    }
}
