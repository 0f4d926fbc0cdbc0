package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import json.Json;

/**
 * The conversation as turns: consecutive messages of one side, and for each tool call its result. It does not
 * know how a backend's API writes them. A system message in mid-conversation belongs to the user's side.
 *
 * <p>Source: Anthropic, "Messages"; SPEC A.3.
 */
final class Turns {
    /** The messages of one side, up to the next one of the other side. */
    sealed interface Turn {
        /** {@return whether the conversation ends with it} */
        boolean isLast();
    }

    /**
     * A turn of the assistant, or what it said up to the results of searches.
     *
     * @param messages the blocks of each message
     * @param calls    those of the blocks that call a function
     */
    record AssistantTurn(List<List<Json>> messages, List<Json> calls, boolean isLast) implements Turn { }

    /**
     * The results of searches that A2o has run, which stand in the assistant's turn.
     *
     * @param results {@code web_search_tool_result} blocks
     */
    record SearchTurn(List<Result> results, boolean isLast) implements Turn { }

    /**
     * A turn of the user.
     *
     * @param results for the calls of the turn before, in the order of the calls
     * @param strays  {@code tool_result} blocks for calls that the turn before does not have
     */
    record UserTurn(List<Json> messages, List<Result> results, Set<Json> strays, boolean isLast)
            implements Turn { }

    /** The id of a call and its {@code tool_result} block; none, if the client did not send one. */
    record Result(Json.Str id, Optional<Json> block) {
        /** {@return what the model reads of it, if it is of a search that A2o has run} */
        Json.Str searchText() { return block.map(SearchResults::text).orElse(Blocks.NO_RESULT); }
    }

    private final Request request;
    private final Blocks blocks;
    private final Set<String> warnings;
    private final Consumer<Turn> output;
    private final List<Json> messages;
    private final int lastUser; // the index of the user's last message; -1 if there is none

    private Turns(Request request, Blocks blocks, Set<String> warnings, Consumer<Turn> output) {
        this.request = request;
        this.blocks = blocks;
        this.warnings = warnings;
        this.output = output;
        this.messages = request.get("messages").items();
        this.lastUser = lastUser(messages);
    }

    /**
     * Finds the turns of the conversation, at least one, and gives each to {@code output} as soon as it is
     * known: so a block is mostly looked at while the processor still has it at hand.
     *
     * @param warnings takes codes of results that are missing or too many
     * @throws ApiError if there is nothing to send, or a call at the end has no result
     */
    static void forEach(Request request, Blocks blocks, Set<String> warnings, Consumer<Turn> output) {
        new Turns(request, blocks, warnings, output).all();
    }

    private void all() {
        int next = nextSent(0);
        request.refuse("messages", next == messages.size(), "at least one with content is required");
        List<Json> calls = List.of();
        while (next < messages.size()) {
            boolean isAssistant = isRole(messages.get(next), "assistant");
            List<Json> turn = new ArrayList<>();
            while (next < messages.size() && isRole(messages.get(next), "assistant") == isAssistant) {
                turn.add(messages.get(next));
                next = nextSent(next + 1);
            }
            boolean isLast = next == messages.size();
            if (isAssistant) {
                calls = addAssistant(turn, isLast);
            } else {
                output.accept(userTurn(turn, calls, isLast));
            }
        }
    }

    /**
     * {@return where the next message stands that says something to the model, from there on} Where one is
     * left out, its neighbours meet.
     */
    private int nextSent(int from) {
        int next = from;
        while (next < messages.size() && !isSent(messages.get(next), next > lastUser)) next++;
        return next;
    }

    private boolean isSent(Json message, boolean isAfterLastUser) {
        if (isRole(message, "user")) return true;
        if (isRole(message, "assistant")) return blocks.isAnySaid(message);
        return isAfterLastUser || !isForOneTurn(message); // system: there is no other role
    }

    private static int lastUser(List<Json> messages) {
        int last = messages.size() - 1;
        while (last >= 0 && !isRole(messages.get(last), "user")) {
            last--;
        }
        return last;
    }

    /** {@return whether a system message counts only until the user's next message} */
    private static boolean isForOneTurn(Json message) {
        return message.get("clear_at").is("next_user_message");
    }

    /** Adds a turn of the assistant. {@return its calls whose results the client has to send} */
    private List<Json> addAssistant(List<Json> said, boolean isLast) {
        List<List<Json>> blocksOfEach = new ArrayList<>(said.size());
        List<Json> calls = new ArrayList<>();
        for (Json message : said) {
            List<Json> content = Blocks.of(message, "content");
            blocksOfEach.add(content);
            for (Json block : content) {
                if (Blocks.isKind(block, "tool_use")) calls.add(block);
            }
        }
        if (isLast) {
            refuseOpen(calls);
        }
        boolean isSearched = blocks.hasSearch()
                && blocksOfEach.stream().flatMap(List::stream).anyMatch(blocks::isSearchCall);
        if (isSearched) {
            addSearched(new SearchedTurn(blocksOfEach, blocks, request).parts(), isLast);
        } else {
            output.accept(new AssistantTurn(blocksOfEach, calls, isLast));
        }
        return calls;
    }

    private void addSearched(List<SearchedTurn.Part> parts, boolean isLast) {
        for (SearchedTurn.Part part : parts) {
            boolean isLastPart = isLast && part == parts.getLast();
            boolean hasSearches = !part.results().isEmpty();
            List<Json> calls = part.messages().stream().flatMap(List::stream).filter(blocks::isCall).toList();
            output.accept(new AssistantTurn(part.messages(), calls, isLastPart && !hasSearches));
            if (!hasSearches) continue;
            List<Result> results = new ArrayList<>();
            part.results().forEach((id, block) -> results.add(new Result(id, block)));
            output.accept(new SearchTurn(results, isLastPart));
        }
    }

    private void refuseOpen(List<Json> calls) {
        if (calls.isEmpty()) return;
        throw request.invalid(calls.getFirst(), "id", "a tool_use without its tool_result");
    }

    private UserTurn userTurn(List<Json> turn, List<Json> calls, boolean isLast) {
        Map<String, Json> blockById = resultBlocks(turn);
        List<Result> results = new ArrayList<>();
        for (Json call : calls) {
            Json.Str id = request.text(call, "id");
            Optional<Json> block = Optional.ofNullable(blockById.remove(id.text()));
            if (block.isEmpty()) {
                warnings.add("missing_tool_result");
            }
            results.add(new Result(id, block));
        }
        Set<Json> strays = blockById.isEmpty() ? Set.of() : new HashSet<>(blockById.values());
        return new UserTurn(turn, results, strays, isLast);
    }

    /** {@return the {@code tool_result} blocks by the id of their call; the first one for each} */
    private Map<String, Json> resultBlocks(List<Json> turn) {
        Map<String, Json> blockById = new HashMap<>();
        for (Json message : turn) {
            for (Json block : Blocks.of(message, "content")) {
                if (!Blocks.isKind(block, "tool_result")) continue;
                Json first = blockById.putIfAbsent(request.text(block, "tool_use_id").text(), block);
                if (first != null) {
                    warnings.add("duplicate_tool_result");
                }
            }
        }
        return blockById;
    }

    static boolean isRole(Json message, String role) {
        return message.get("role").is(role);
    }
}
