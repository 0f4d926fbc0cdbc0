package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import json.Json;
import json.JsonWriter;

/**
 * The request for a backend of Anthropic's API: the client's own bytes, unless the model is another there,
 * {@code --extra-body} adds to it, or the history holds what only A2o understands. Of such a history
 * <ul>
 * <li>thinking is left out whose signature A2o has written (see {@link Opaque}), for the backend refuses it,
 * <li>so are web searches that another backend has run, whose results have no {@code encrypted_content},
 * <li>where that was the thinking of the newest call, and a budget is given for thinking, the request goes
 * without: the API wants to see it there,
 * <li>and ids of calls get another form where Anthropic's API would refuse them: {@code functions.Bash:0}.
 * </ul>
 *
 * <p>Source: Anthropic, "Extended thinking", "Web search tool", "Tool use".
 */
final class NativeRequest {
    /** An id that Anthropic's API takes: {@code toolu_01A09q90qw90lq917835lq9}. */
    private static final Pattern ID = Pattern.compile("[a-zA-Z0-9_-]+");
    private static final String SEARCH_RESULT = "web_search_tool_result";

    private final Json anthropic;
    private final String model;
    private final Json extraBody;
    private final Set<String> foreignSearches = new HashSet<>(); // their ids

    NativeRequest(Json anthropic, String model, Json extraBody) {
        this.anthropic = anthropic;
        this.model = model;
        this.extraBody = extraBody;
        for (Json message : messages()) {
            for (Json block : blocks(message)) {
                if (isForeignSearch(block)) foreignSearches.add(block.get("tool_use_id").text());
            }
        }
    }

    private List<Json> messages() { return anthropic.get("messages").items(); }

    private static List<Json> blocks(Json message) { return message.get("content").items(); }

    private static boolean isForeignSearch(Json block) {
        boolean isResult = block.get("type").is(SEARCH_RESULT);
        return isResult && block.get("content").items().stream()
                .anyMatch(page -> !page.get("encrypted_content").hasText() || SearchResults.isOurs(page));
    }

    void write(JsonWriter out) {
        boolean isModelSame = anthropic.get("model").text().equals(model);
        boolean isAsItCame = isModelSame && extraBody.parts().length == 0 && !needsCleaning();
        if (isAsItCame) {
            out.value(anthropic);
            return;
        }
        out.object();
        Json[] members = anthropic.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean isReplaced = !extraBody.get(members[i].text()).isNull();
            if (!isReplaced) writeMember(members[i], members[i + 1], out);
        }
        Json[] more = extraBody.parts();
        for (int i = 0; i < more.length; i += 2) out.name(more[i]).value(more[i + 1]);
        out.endObject();
    }

    private void writeMember(Json name, Json value, JsonWriter out) {
        if (name.is("model")) {
            out.field("model", model);
        } else if (name.is("thinking") && lacksThinking()) {
            out.name("thinking").object().field("type", "disabled").endObject();
        } else if (name.is("context_management") && lacksThinking()) {
            // dropped: it may be about thinking, and is refused without
        } else if (name.is("messages") && needsCleaning()) {
            out.name("messages").array();
            for (Json message : messages()) writeMessage(message, out);
            out.endArray();
        } else {
            out.name(name).value(value);
        }
    }

    private boolean needsCleaning() {
        return messages().stream().flatMap(message -> blocks(message).stream())
                .anyMatch(block -> isLeftOut(block) || hasForeignId(block));
    }

    private boolean isLeftOut(Json block) { return isOurThinking(block) || isOfForeignSearch(block); }

    private static boolean isOurThinking(Json block) {
        Json type = block.get("type");
        boolean isSigned = type.is("thinking") && block.get("signature").begins(Opaque.PREFIX);
        return isSigned || type.is("redacted_thinking") && block.get("data").begins(Opaque.PREFIX);
    }

    /** {@return whether the newest call has lost its thinking, without which a budget is refused} */
    private boolean lacksThinking() {
        if (!anthropic.get("thinking").get("type").is("enabled")) return false;
        List<Json> newest = messages().stream().filter(message -> message.get("role").is("assistant"))
                .reduce((earlier, later) -> later).map(NativeRequest::blocks).orElse(List.of());
        boolean hasCall = newest.stream().anyMatch(block -> block.get("type").is("tool_use"));
        return hasCall && newest.stream().anyMatch(NativeRequest::isOurThinking);
    }

    private boolean isOfForeignSearch(Json block) {
        if (foreignSearches.isEmpty()) return false;
        String idName = block.get("type").is("server_tool_use") ? "id" : "tool_use_id";
        return foreignSearches.contains(block.get(idName).text());
    }

    private static boolean hasForeignId(Json block) {
        Json id = block.get(idName(block));
        return id instanceof Json.Str && !ID.matcher(id.text()).matches();
    }

    /** {@return the member that holds the id of a call; "" if the block is neither a call nor a result} */
    private static String idName(Json block) {
        if (block.get("type").is("tool_use")) return "id";
        return block.get("type").is("tool_result") ? "tool_use_id" : "";
    }

    /** Writes a message without what is left out of it; nothing if no block stays. */
    private void writeMessage(Json message, JsonWriter out) {
        List<Json> kept = new ArrayList<>(blocks(message));
        kept.removeIf(this::isLeftOut);
        boolean isEmptied = kept.isEmpty() && !blocks(message).isEmpty();
        if (isEmptied) return;
        out.object();
        Json[] members = message.parts();
        for (int i = 0; i < members.length; i += 2) {
            boolean isBlocks = members[i].is("content") && !kept.isEmpty();
            if (isBlocks) writeBlocks(kept, out); else out.name(members[i]).value(members[i + 1]);
        }
        out.endObject();
    }

    private static void writeBlocks(List<Json> blocks, JsonWriter out) {
        out.name("content").array();
        for (Json block : blocks) {
            if (hasForeignId(block)) writeWithOtherId(block, out); else out.value(block);
        }
        out.endArray();
    }

    /** The other id is the same for the same id, in the call and in its result. */
    private static void writeWithOtherId(Json block, JsonWriter out) {
        String idName = idName(block);
        out.object();
        Json[] members = block.parts();
        for (int i = 0; i < members.length; i += 2) {
            if (members[i].is(idName)) {
                out.field(idName, "toolu_" + Request.hash(members[i + 1].text()));
            } else {
                out.name(members[i]).value(members[i + 1]);
            }
        }
        out.endObject();
    }
}
