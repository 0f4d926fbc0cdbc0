package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import json.Json;

/**
 * A turn of the assistant in which A2o has searched, taken apart: what was said up to the results of
 * searches, these results, and so on. To a backend these are messages of their own.
 *
 * <pre>
 *  text, server_tool_use, web_search_tool_result, text
 * </pre>
 * becomes a part of the text and the call with the result, and a part of the last text. The client's
 * calls belong to the last part, as their results follow the whole turn.
 */
final class SearchedTurn {
    /** What is said up to some results, and these. */
    static final class Part {
        private final List<List<Json>> messages = new ArrayList<>();
        private final Map<Json.Str, Optional<Json>> results = new LinkedHashMap<>(); // by their call's id

        private void begin() { messages.add(new ArrayList<>()); }
        private void add(Json block) { messages.getLast().add(block); }
        private boolean hasResults() { return results.values().stream().anyMatch(Optional::isPresent); }

        /** {@return the blocks of each message} */
        List<List<Json>> messages() { return messages; }

        /** {@return the {@code web_search_tool_result} of each call, by the call's id; none if it is missing} */
        Map<Json.Str, Optional<Json>> results() { return results; }

        private Optional<Json.Str> call(Json result) {
            String id = result.get("tool_use_id").text();
            return results.keySet().stream().filter(each -> each.text().equals(id)).findFirst();
        }
    }

    private final Blocks blocks;
    private final Request request;
    private final List<Part> parts = new ArrayList<>();
    private final List<Json> clientCalls = new ArrayList<>();

    SearchedTurn(List<List<Json>> messages, Blocks blocks, Request request) {
        this.blocks = blocks;
        this.request = request;
        parts.add(new Part());
        for (List<Json> message : messages) {
            parts.getLast().begin();
            message.forEach(this::add);
        }
        clientCalls.forEach(parts.getLast()::add);
    }

    private void add(Json block) {
        Optional<Json.Str> call = searchOf(block);
        if (call.isPresent()) {
            parts.getLast().results.put(call.get(), Optional.of(block));
            return;
        }
        if (Blocks.isKind(block, "tool_use")) {
            clientCalls.add(block);
            return;
        }
        if (parts.getLast().hasResults()) {
            parts.add(new Part());
            parts.getLast().begin();
        }
        parts.getLast().add(block);
        if (!blocks.isSearchCall(block)) return;
        parts.getLast().results.put(request.text(block, "id"), Optional.empty());
    }

    /** {@return the id of the search in this part whose result the block is} Any other becomes text. */
    private Optional<Json.Str> searchOf(Json block) {
        boolean isResult = Blocks.isKind(block, "web_search_tool_result");
        return isResult ? parts.getLast().call(block) : Optional.empty();
    }

    List<Part> parts() { return parts; }
}
