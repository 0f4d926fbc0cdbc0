package translate;

import anthropic.Request;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import json.Json;

/**
 * Which deferred tools ({@code "defer_loading":true}) the conversation has loaded: those that a tool search
 * has found, that a system message has added, or that have been called. The others are hidden from the model
 * (SPEC A.5.4).
 */
final class LoadedTools {
    private final Set<String> names = new HashSet<>();
    private boolean hasReferences;
    private final boolean areOthersHidden;

    LoadedTools(Request request) {
        List<Json> tools = request.get("tools").items();
        boolean areAnyDeferred = false;
        boolean isAnySearch = false;
        for (Json tool : tools) {
            areAnyDeferred |= isDeferred(tool);
            isAnySearch |= isServerSearch(tool);
        }
        if (areAnyDeferred) {
            request.get("messages").items().forEach(message -> lookInside(message.get("content")));
        }
        // Nothing here runs Anthropic's tool search: if it alone could load the tools, they are all sent.
        boolean isSearchMissing = isAnySearch && !hasReferences;
        areOthersHidden = areAnyDeferred && !isSearchMissing;
    }

    private static boolean isDeferred(Json tool) {
        return tool.get("defer_loading") == Json.TRUE;
    }

    private static boolean isServerSearch(Json tool) {
        return tool.get("type").begins("tool_search_tool");
    }

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
        for (int i = 1; i < parts.length; i += 2) {
            look(parts[i]);
        }
    }

    /** {@return whether the model must not see a tool yet} */
    boolean isHidden(Json tool) {
        return areOthersHidden && isDeferred(tool) && !names.contains(tool.get("name").text());
    }
}
