package translate;

import java.util.HashSet;
import java.util.Set;
import json.Json;

/**
 * The names of the tools that a conversation has made known to the model: those that a search has found,
 * those that a system message has added, and those that have been called (SPEC A.5.4).
 */
final class LoadedTools {
    private final Set<String> names = new HashSet<>();
    private boolean hasReferences;

    LoadedTools(Json messages) {
        for (Json message : messages.items()) {
            message.get("content").items().forEach(this::look);
        }
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
        for (int i = 1; i < parts.length; i += 2) look(parts[i]);
    }

    boolean contains(String name) { return names.contains(name); }
    boolean hasReferences() { return hasReferences; }
}
