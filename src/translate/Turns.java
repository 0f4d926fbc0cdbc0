package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import json.Json;

/**
 * The conversation in turns: neighbouring messages of one side together, and to each tool call its result. It does not
 * know in what shape a backend's API wants them.
 *
 * <p>A system message in mid-conversation belongs to the user's side.
 */
final class Turns {
    /** What one side says before the other one speaks. */
    sealed interface Turn {
        /** {@return whether it ends the conversation} */
        boolean isLast();
    }

    /** @param calls the {@code tool_use} blocks in it, in their order */
    record AssistantTurn(List<Json> messages, List<Json> calls, boolean isLast) implements Turn { }

    /**
     * @param results of the calls in the turn before, in the order of the calls
     * @param strays  {@code tool_result} blocks in it whose call is not in the turn before
     */
    record UserTurn(List<Json> messages, List<Result> results, Set<Json> strays, boolean isLast) implements Turn { }

    /** A call's id and the {@code tool_result} block for it, if the client sent one. */
    record Result(Json id, Optional<Json> block) { }

    private final Request request;
    private final Blocks blocks;
    private final Set<String> warnings;

    private Turns(Request request, Blocks blocks, Set<String> warnings) {
        this.request = request;
        this.blocks = blocks;
        this.warnings = warnings;
    }

    /**
     * {@return the conversation; at least one turn}
     *
     * @throws ApiError if nothing is said, or a call at the end has no result
     */
    static List<Turn> of(Request request, Blocks blocks, Set<String> warnings) {
        return new Turns(request, blocks, warnings).all();
    }

    private List<Turn> all() {
        List<Json> messages = sentMessages();
        request.refuse("messages", messages.isEmpty(), "at least one with content is required");
        List<Turn> turns = new ArrayList<>();
        List<Json> calls = List.of();
        int to;
        for (int from = 0; from < messages.size(); from = to) {
            to = endOfTurn(messages, from);
            List<Json> turn = messages.subList(from, to);
            boolean isLast = to == messages.size();
            if (isRole(turn.getFirst(), "assistant")) {
                calls = calls(turn);
                if (isLast) refuseOpen(calls);
                turns.add(new AssistantTurn(turn, calls, isLast));
            } else {
                turns.add(userTurn(turn, calls, isLast));
            }
        }
        return turns;
    }

    /** {@return the messages but those that say nothing to the model; where one is left out, its neighbours meet} */
    private List<Json> sentMessages() {
        List<Json> messages = request.get("messages").items();
        int lastUser = lastUser(messages);
        List<Json> sent = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            Json message = messages.get(i);
            boolean isSent = switch (message.get("role").text()) {
                case "assistant" -> blocks.isAnySaid(message);
                case "system" -> i > lastUser || !isBrief(message);
                default -> true; // user: there is no other role
            };
            if (isSent) sent.add(message);
        }
        return sent;
    }

    /** {@return whether a system message is meant to last only until the user's next message} */
    private static boolean isBrief(Json message) { return message.get("clear_at").is("next_user_message"); }

    private static int lastUser(List<Json> messages) {
        int last = messages.size() - 1;
        while (last >= 0 && !isRole(messages.get(last), "user")) last--;
        return last;
    }

    private static int endOfTurn(List<Json> messages, int from) {
        boolean isAssistant = isRole(messages.get(from), "assistant");
        int to = from + 1;
        while (to < messages.size() && isRole(messages.get(to), "assistant") == isAssistant) to++;
        return to;
    }

    private static List<Json> calls(List<Json> turn) {
        List<Json> calls = new ArrayList<>();
        for (Json message : turn) {
            for (Json block : Blocks.of(message, "content")) {
                if (Blocks.isKind(block, "tool_use")) calls.add(block);
            }
        }
        return calls;
    }

    private void refuseOpen(List<Json> calls) {
        if (calls.isEmpty()) return;
        throw request.invalid(calls.getFirst(), "id", "a tool_use without its tool_result");
    }

    private UserTurn userTurn(List<Json> turn, List<Json> calls, boolean isLast) {
        Map<String, Json> blockById = resultBlocks(turn);
        List<Result> results = new ArrayList<>();
        for (Json call : calls) {
            Json id = call.get("id");
            Optional<Json> block = Optional.ofNullable(blockById.remove(id.text()));
            if (block.isEmpty()) warnings.add("missing_tool_result");
            results.add(new Result(id, block));
        }
        return new UserTurn(turn, results, new HashSet<>(blockById.values()), isLast);
    }

    /** {@return the {@code tool_result} blocks by the id of their call; of several for one call, the first} */
    private Map<String, Json> resultBlocks(List<Json> turn) {
        Map<String, Json> blockById = new HashMap<>();
        for (Json message : turn) {
            for (Json block : Blocks.of(message, "content")) {
                if (!Blocks.isKind(block, "tool_result")) continue;
                Json first = blockById.putIfAbsent(request.text(block, "tool_use_id").text(), block);
                if (first != null) warnings.add("duplicate_tool_result");
            }
        }
        return blockById;
    }

    static boolean isRole(Json message, String role) { return message.get("role").is(role); }
}
