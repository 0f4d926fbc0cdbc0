package translate;

import anthropic.Request;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import json.Json;

/** The ids of a reply's tool calls: the backend's own, as long as they are unique in the conversation. */
final class CallIds {
    private final Set<String> used = new HashSet<>();
    private final Supplier<String> newIds;

    CallIds(Request request, Supplier<String> newIds) {
        this.newIds = newIds;
        for (Json message : request.get("messages").items()) {
            for (Json block : message.get("content").items()) {
                if (block.get("type").is("tool_use")) used.add(block.get("id").text());
            }
        }
    }

    /**
     * {@return the backend's id, or a new one if that is empty or stands in this reply or the conversation}
     */
    String unique(String id) {
        boolean isNew = !id.isEmpty() && used.add(id);
        return isNew ? id : "toolu_" + newIds.get();
    }
}
