package anthropic;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The client's request, {@code POST /v1/messages}: checked as far as possible before it is translated, then
 * read member by member. An error names the field by its path.
 *
 * <p>Source: Anthropic, "Create a Message"; SPEC A.2.
 */
public final class Request {
    private static final int MAX_MODEL_CHARACTERS = 256;
    private static final String NOT_HERE = "not available on this proxy";

    private record Member(String name, Shape shape) { }

    /** The shape that a member must have if it is there; other members are not looked at, or may have any. */
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

    /** Members that are needed until the reply has ended, beside the names of tools and the ids of calls. */
    private static final List<String> KEPT_FOR_REPLY =
            List.of("model", "max_tokens", "stream", "stop_sequences", "tool_choice", "thinking");

    /** A user's id and its hash: the one of the last request, which is mostly that of the next. */
    private record Hashed(String id, String hash) { }

    private static volatile Hashed lastUser = new Hashed("", "");

    private Json anthropic;
    private final boolean isThinkingOff; // asked for each piece of reasoning

    /**
     * Checks the request.
     *
     * @throws ApiError if a member is wrong, or asks for something that would be missed if it were left out
     */
    public Request(Json anthropic) {
        this.anthropic = anthropic;
        if (!(anthropic instanceof Json.Obj)) throw new ApiError(400, "the body must be a JSON object");
        refuseThreads();
        checkMembers();
        refuseUnavailable();
        checkMessages();
        Json thinking = get("thinking").get("type");
        isThinkingOff = thinking.is("disabled") || thinking.is("between_tools");
    }

    /** Refuses message threads; at these codes the client sends everything again without one (SPEC A.8). */
    private void refuseThreads() {
        Json thread = get("thread");
        if (thread.isNull()) return;
        if (thread.get("type").is("create")) {
            throw new ApiError(400, "thread_unsupported_request", "Threads are not supported here.");
        }
        throw new ApiError(404, "thread_not_found", "thread: no such thread");
    }

    private void checkMembers() {
        for (Member member : MEMBERS) {
            optional(anthropic, member.name, member.shape);
        }
        String model = text(anthropic, "model").text();
        refuse("model", model.length() > MAX_MODEL_CHARACTERS, MAX_MODEL_CHARACTERS + " characters at most");
        boolean isNoCount = get("max_tokens") instanceof Json.Num most && most.toLong(-1) < 0;
        refuse("max_tokens", isNoCount, "an integer >= 0 expected");
        for (Json block : objects(anthropic, "system")) {
            text(block, "text");
        }
        optional(get("output_config"), "format", Shape.OBJECT);
        optional(get("thinking"), "budget_tokens", Shape.NUMBER);
        for (Json stop : get("stop_sequences").items()) {
            refuse("stop_sequences", !(stop instanceof Json.Str), "an array of strings expected");
        }
    }

    /** Refuses features that would be missed if they were silently left out. */
    private void refuseUnavailable() {
        boolean hasServers = !get("mcp_servers").items().isEmpty();
        if (hasServers) throw missing(anthropic, "mcp_servers", NOT_HERE);
        boolean hasSkills = !get("container").get("skills").items().isEmpty();
        if (hasSkills) throw missing(anthropic, "container.skills", NOT_HERE);
        refuse("compaction", !get("compaction").isNull(), NOT_HERE);
        boolean isForProfile = get("billing_policy").get("bill_to").is("user_profile");
        refuse("billing_policy", isForProfile, "not available here");
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
            for (Json block : objects(message, "content")) {
                text(block, "type");
            }
        }
    }

    /** Requires max_tokens, which may be missing only where tokens are counted. */
    public void requireMaxTokens() {
        required(anthropic, "max_tokens", Shape.NUMBER);
    }

    /**
     * Frees the memory of what the reply does not need, which is nearly all. What is kept reads as
     * {@code {"tools":[{"name":N}],"messages":[{"content":[{"type":"tool_use","id":I}]}],"model":M,…}}.
     */
    public void forget() {
        var kept = new JsonWriter().object();
        kept.name("tools").array();
        for (Json tool : get("tools").items()) {
            kept.object().field("name", tool.get("name")).endObject();
        }
        kept.endArray();
        kept.name("messages").array().object().name("content").array();
        for (Json message : get("messages").items()) {
            keepCalls(message, kept);
        }
        kept.endArray().endObject().endArray();
        for (String name : KEPT_FOR_REPLY) {
            kept.field(name, get(name));
        }
        anthropic = JsonParser.parse(kept.endObject().toBytes());
    }

    private static void keepCalls(Json message, JsonWriter kept) {
        for (Json block : message.get("content").items()) {
            if (block.get("type").is("tool_use")) {
                kept.object().field("type", "tool_use").field("id", block.get("id")).endObject();
            }
        }
    }

    /** {@return the whole request} */
    public Json json() { return anthropic; }
    /** {@return a member; NULL if it is missing} */
    public Json get(String name) { return anthropic.get(name); }
    public boolean isStream() { return get("stream") == Json.TRUE; }
    public boolean isThinkingOff() { return isThinkingOff; }

    /** {@return whether the model may make only one tool call in a reply} */
    public boolean isOneCallWanted() {
        return get("tool_choice").get("disable_parallel_tool_use") == Json.TRUE;
    }

    /** {@return the stop sequences, without blank ones, which OpenAI refuses} */
    public List<Json> stops() {
        List<Json> all = get("stop_sequences").items();
        return all.isEmpty() ? all : all.stream().filter(stop -> !stop.text().isBlank()).toList();
    }

    /** {@return the schema in output_config.format, or in output_format, its old name; else NULL} */
    public Json schema() {
        Json format = get("output_config").get("format");
        Json old = get("output_format");
        refuse("output_format", !old.isNull() && !format.isNull(), "output_config.format is there too");
        if (!old.isNull()) {
            format = old;
        }
        return format.isNull() ? Json.NULL : required(format, "schema", Shape.OBJECT);
    }

    /**
     * {@return the effort that the model is to make: that of the last system message which has one, else the
     * request's own, else what its thinking budget amounts to} (SPEC G.1)
     */
    public Optional<String> effort() {
        Json effort = get("output_config").get("effort");
        for (Json message : get("messages").items()) {
            Json changed = message.get("output_config").get("effort");
            if (changed.hasText() && message.get("role").is("system")) {
                effort = changed;
            }
        }
        if (effort.hasText()) return Optional.of(effort.text());
        long budget = get("thinking").get("budget_tokens").toLong(0);
        boolean isBudget = budget > 0 && get("thinking").get("type").is("enabled");
        return isBudget ? Optional.of(effortFor(budget)) : Optional.empty();
    }

    /** {@return the effort for a budget in tokens; clients that want hard thinking ask for 31,999} */
    private static String effortFor(long budget) {
        if (budget < 4096) return "low";
        if (budget < 16_000) return "medium";
        if (budget < 32_000) return "high";
        return "xhigh";
    }

    /** {@return a hash of the user's id; Claude Code puts a JSON document there that names the session} */
    public Optional<String> user() {
        String user = get("metadata").get("user_id").text();
        if (user.isEmpty()) return Optional.empty();
        Hashed hashed = lastUser;
        if (!hashed.id.equals(user)) {
            hashed = new Hashed(user, hash(user));
            lastUser = hashed;
        }
        return Optional.of(hashed.hash);
    }

    /** {@return 36 characters that are the same for the same text, and tell nothing of it} */
    public static String hash(String text) {
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString();
    }

    /** @throws ApiError if a member of the request is to be refused */
    public void refuse(String name, boolean isRefused, String reason) {
        if (isRefused) throw invalid(anthropic, name, reason);
    }

    /** {@return a member that must be there and be a string} */
    public Json.Str text(Json parent, String name) {
        return (Json.Str) required(parent, name, Shape.STRING);
    }

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

    /** {@return the error for a member of {@code parent}, as in {@code messages[3].content[0].type: …}} */
    public ApiError invalid(Json parent, String name, String message) {
        String path = path(anthropic, parent) + "." + name;
        return new ApiError(400, path.substring(1) + ": " + message);
    }

    /** {@return the same for what a backend of Anthropic's own API may have, and no other} */
    public ApiError missing(Json parent, String name, String message) {
        return invalid(parent, name, message).asMissingThere();
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

    /** {@return whether the text of one value lies within that of the other} */
    private static boolean holds(Json outer, Json inner) {
        return outer.source() == inner.source() && outer.from() <= inner.from() && outer.to() >= inner.to();
    }
}
