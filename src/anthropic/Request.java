package anthropic;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The client's request (Anthropic Messages, {@code POST /v1/messages}): checked as far as that goes without translating
 * it, then looked at. What is wrong is an {@link ApiError} that names the field by its path.
 */
public final class Request {
    private static final int MAX_MODEL_CHARACTERS = 256;
    private static final String NOT_HERE = "not available on this proxy";

    private record Member(String name, Shape shape) { }

    /** Members of the request that must have a certain shape if they are there. */
    private static final List<Member> MEMBERS = List.of(
            new Member("model", Shape.STRING),
            new Member("max_tokens", Shape.NUMBER),
            new Member("messages", Shape.ARRAY),
            new Member("system", Shape.STRING_OR_ARRAY),
            new Member("tools", Shape.ARRAY),
            new Member("tool_choice", Shape.OBJECT),
            new Member("thinking", Shape.OBJECT),
            new Member("output_config", Shape.OBJECT),
            new Member("output_format", Shape.OBJECT),
            new Member("stop_sequences", Shape.ARRAY),
            new Member("stream", Shape.BOOLEAN),
            new Member("temperature", Shape.NUMBER),
            new Member("top_p", Shape.NUMBER),
            new Member("top_k", Shape.NUMBER),
            new Member("metadata", Shape.OBJECT),
            new Member("mcp_servers", Shape.ARRAY));

    /** Members that the reply needs, beside the names of tools and the ids of calls. */
    private static final List<String> OF_USE_TO_THE_REPLY =
            List.of("model", "max_tokens", "stream", "stop_sequences", "tool_choice", "thinking");

    private Json anthropic;
    private final boolean isThinkingOff;

    /** @throws ApiError if to go on would corrupt the conversation, or pretend that something happened (SPEC A.2) */
    public Request(Json anthropic) {
        this.anthropic = anthropic;
        if (!(anthropic instanceof Json.Obj)) throw new ApiError(400, "the body must be a JSON object");
        refuseThreads();
        for (Member member : MEMBERS) optional(anthropic, member.name, member.shape);
        checkMembers();
        refuseUnavailable();
        checkMessages();
        Json thinking = get("thinking").get("type");
        isThinkingOff = thinking.is("disabled") || thinking.is("between_tools");
    }

    /** With these codes the client sends everything again, without a thread (SPEC A.8). */
    private void refuseThreads() {
        Json thread = get("thread");
        if (thread.isNull()) return;
        if (thread.get("type").is("create")) {
            throw new ApiError(400, "thread_unsupported_request", "Threads are not supported here.");
        }
        throw new ApiError(404, "thread_not_found", "thread: no such thread");
    }

    private void checkMembers() {
        String model = text(anthropic, "model").text();
        refuse("model", model.length() > MAX_MODEL_CHARACTERS, MAX_MODEL_CHARACTERS + " characters at most");
        boolean isNoCount = get("max_tokens") instanceof Json.Num most && most.toLong(-1) < 0;
        refuse("max_tokens", isNoCount, "an integer >= 0 expected");
        for (Json block : objects(anthropic, "system")) text(block, "text");
        optional(get("output_config"), "format", Shape.OBJECT);
        optional(get("thinking"), "budget_tokens", Shape.NUMBER);
        boolean areTexts = get("stop_sequences").items().stream().allMatch(Json.Str.class::isInstance);
        refuse("stop_sequences", !areTexts, "an array of strings expected");
    }

    /** Refuses what would be missed if it were left out without a word. */
    private void refuseUnavailable() {
        refuse("mcp_servers", !get("mcp_servers").items().isEmpty(), NOT_HERE);
        refuse("container.skills", !get("container").get("skills").items().isEmpty(), NOT_HERE);
        refuse("compaction", !get("compaction").isNull(), NOT_HERE);
        refuse("billing_policy", get("billing_policy").get("bill_to").is("user_profile"), "not available here");
    }

    private void checkMessages() {
        boolean isEmpty = required(anthropic, "messages", Shape.ARRAY).items().isEmpty();
        refuse("messages", isEmpty, "at least one is required");
        for (Json message : objects(anthropic, "messages")) {
            Json role = text(message, "role");
            boolean isKnown = role.is("user") || role.is("assistant") || role.is("system");
            if (!isKnown) throw invalid(message, "role", "user, assistant or system expected");
            Json content = optional(message, "content", Shape.STRING_OR_ARRAY);
            boolean isMissing = content.isNull() && !role.is("system");
            if (isMissing) throw invalid(message, "content", "Field required");
            for (Json block : objects(message, "content")) text(block, "type");
        }
    }

    /** Checks that there is a max_tokens, which only who counts tokens may leave out. */
    public void requireMaxTokens() { required(anthropic, "max_tokens", Shape.NUMBER); }

    /** Keeps what the reply will need; the rest, nearly all of it, would only take room while the reply is coming. */
    public void forget() {
        var kept = new JsonWriter().object().name("tools").array();
        for (Json tool : get("tools").items()) kept.object().field("name", tool.get("name")).endObject();
        kept.endArray().name("messages").array().object().name("content").array();
        for (Json message : get("messages").items()) {
            for (Json block : message.get("content").items()) {
                if (block.get("type").is("tool_use")) {
                    kept.object().field("type", "tool_use").field("id", block.get("id")).endObject();
                }
            }
        }
        kept.endArray().endObject().endArray();
        for (String name : OF_USE_TO_THE_REPLY) kept.field(name, get(name));
        anthropic = JsonParser.parse(kept.endObject().toBytes());
    }

    public Json json() { return anthropic; }
    public Json get(String name) { return anthropic.get(name); }
    public boolean isStream() { return get("stream") == Json.TRUE; }
    public boolean isThinkingOff() { return isThinkingOff; }

    public boolean isOneCallWanted() {
        return get("tool_choice").get("disable_parallel_tool_use") == Json.TRUE;
    }

    /** {@return the stop sequences that are not blank} */
    public List<Json> stops() {
        return get("stop_sequences").items().stream().filter(stop -> !stop.text().isBlank()).toList();
    }

    /** {@return the schema in output_config.format, or in output_format as it was called before; NULL if none is} */
    public Json schema() {
        Json format = get("output_config").get("format");
        Json old = get("output_format");
        refuse("output_format", !old.isNull() && !format.isNull(), "output_config.format is there too");
        if (!old.isNull()) format = old;
        return format.isNull() ? format : required(format, "schema", Shape.OBJECT);
    }

    /** {@return the effort: a system message's counts before the request's own, and a budget where there is none} */
    public Optional<String> effort() {
        Json effort = get("output_config").get("effort");
        for (Json message : get("messages").items()) {
            Json changed = message.get("output_config").get("effort");
            if (changed.hasText() && message.get("role").is("system")) effort = changed;
        }
        long budget = get("thinking").get("budget_tokens").toLong(0);
        if (effort.hasText()) return Optional.of(effort.text());
        boolean isBudget = budget > 0 && get("thinking").get("type").is("enabled");
        return isBudget ? Optional.of(effortOf(budget)) : Optional.empty();
    }

    /** {@return the effort that a budget of so many tokens stands for; 31,999 is the usual one for hard problems} */
    private static String effortOf(long budget) {
        if (budget < 4096) return "low";
        if (budget < 16_000) return "medium";
        if (budget < 32_000) return "high";
        return "xhigh";
    }

    /** {@return a hash of the user's id, with which Claude Code names the session} */
    public Optional<String> user() {
        String user = get("metadata").get("user_id").text();
        return user.isEmpty() ? Optional.empty() : Optional.of(hash(user));
    }

    public static String hash(String text) {
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString();
    }

    public void refuse(String name, boolean isRefused, String reason) {
        if (isRefused) throw invalid(anthropic, name, reason);
    }

    /** {@return a member that must be there and be a string} */
    public Json.Str text(Json parent, String name) { return (Json.Str) required(parent, name, Shape.STRING); }

    /** {@return a member that must be there and have the shape} */
    public Json required(Json parent, String name, Shape shape) {
        Json found = optional(parent, name, shape);
        if (found.isNull()) throw invalid(parent, name, "Field required");
        return found;
    }

    /** {@return a member that must have the shape if it is there; else NULL} */
    public Json optional(Json parent, String name, Shape shape) {
        Json found = parent.get(name);
        if (found.isNull() || shape.fits(found)) return found;
        throw invalid(parent, name, shape + " expected");
    }

    /** {@return the elements of an array, each of which must be an object; of anything else, none} */
    public List<Json> objects(Json parent, String name) {
        List<Json> items = parent.get(name).items();
        for (int i = 0; i < items.size(); i++) {
            boolean isObject = items.get(i) instanceof Json.Obj;
            if (!isObject) throw invalid(parent, "%s[%d]".formatted(name, i), "an object expected");
        }
        return items;
    }

    /** {@return the error for a member of {@code parent}: {@code messages[3].content[0].type: a string expected}} */
    public ApiError invalid(Json parent, String name, String message) {
        String path = path(anthropic, parent) + "." + name;
        return new ApiError(400, path.substring(1) + ": " + message);
    }

    /** {@return where below {@code at} the value {@code wanted} stands: {@code .messages[0]}} */
    private static String path(Json at, Json wanted) {
        Json[] members = at.parts();
        for (int i = 0; i < members.length; i += 2) {
            Json value = members[i + 1];
            if (holds(value, wanted)) return "." + members[i].text() + path(value, wanted);
        }
        List<Json> items = at.items();
        for (int i = 0; i < items.size(); i++) {
            if (holds(items.get(i), wanted)) return "[%d]".formatted(i) + path(items.get(i), wanted);
        }
        return "";
    }

    private static boolean holds(Json outer, Json inner) {
        return outer.source() == inner.source() && outer.from() <= inner.from() && outer.to() >= inner.to();
    }
}
