package anthropic;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The client's request (Anthropic Messages, {@code POST /v1/messages}): checked as far as that goes without translating
 * it, then looked at. What is wrong is an {@link ApiError} that names the field by its path.
 */
public final class Request {
    /** Members and the kinds of value that they may have: an object, an array, a string, a number, true or false. */
    private static final Map<String, String> SHAPE = Stream.of(("model=s max_tokens=n system=sa tools=a"
            + " stop_sequences=a mcp_servers=a tool_choice=o thinking=o output_config=o metadata=o output_format=o"
            + " temperature=n top_p=n top_k=n stream=w messages=a").split(" "))
            .collect(Collectors.toMap(pair -> pair.replaceFirst("=.*", ""), pair -> pair.replaceFirst(".*=", "")));
    private static final Map<Character, String> KINDS = Map.of('o', "an object", 'a', "an array", 's', "a string",
            'n', "a number", 'w', "true or false");

    private Json anthropic;
    private final boolean isThinkingOff;

    /** @throws ApiError if to go on would corrupt the conversation, or pretend that something happened (SPEC A.2) */
    public Request(Json anthropic) {
        this.anthropic = anthropic;
        if (!(anthropic instanceof Json.Obj)) throw new ApiError(400, "the body must be a JSON object");
        boolean create = get("thread").get("type").is("create");
        if (create) throw new ApiError(400, "thread_unsupported_request", "Threads are not supported here.");
        if (!get("thread").isNull()) throw new ApiError(404, "thread_not_found", "thread: no such thread");
        SHAPE.forEach((member, kinds) -> may(anthropic, member, kinds));
        refuse("model", need(anthropic, "model", "s").text().length() > 256, "256 characters at most");
        boolean isCount = !(get("max_tokens") instanceof Json.Num most) || most.toLong(-1) >= 0;
        refuse("max_tokens", !isCount, "an integer >= 0 expected");
        objects(anthropic, "system").forEach(block -> text(block, "text"));
        may(get("output_config"), "format", "o");
        isThinkingOff = get("thinking").get("type").is("disabled") || get("thinking").get("type").is("between_tools");
        boolean texts = get("stop_sequences").items().stream().allMatch(Json.Str.class::isInstance);
        refuse("stop_sequences", !texts, "an array of strings expected");
        refuse("mcp_servers", !get("mcp_servers").items().isEmpty(), "not available on this proxy");
        refuse("container.skills", !get("container").get("skills").items().isEmpty(), "not available on this proxy");
        refuse("compaction", !get("compaction").isNull(), "not available on this proxy");
        refuse("billing_policy", get("billing_policy").get("bill_to").is("user_profile"), "not available here");
        refuse("messages", need(anthropic, "messages", "a").items().isEmpty(), "at least one is required");
        for (Json message : objects(anthropic, "messages")) {
            Json role = text(message, "role");
            boolean known = role.is("user") || role.is("assistant") || role.is("system");
            if (!known) throw invalid(message, "role", "user, assistant or system expected");
            Json content = may(message, "content", "sa");
            if (content.isNull() && !role.is("system")) throw invalid(message, "content", "Field required");
            for (Json block : objects(message, "content")) text(block, "type");
        }
    }

    /** Keeps what the reply will need; the rest, nearly all of it, would only take room while the reply is coming. */
    public void forget() {
        var kept = new JsonWriter().put("{'tools':[");
        for (Json tool : get("tools").items()) kept.put("{'name':%},", tool.get("name"));
        kept.closeWith(']').put(",'messages':[{'content':[");
        for (Json message : get("messages").items()) {
            for (Json block : message.get("content").items()) {
                if (block.get("type").is("tool_use")) kept.put("{'type':'tool_use','id':%},", block.get("id"));
            }
        }
        kept.closeWith(']').put("}]");
        for (String name : List.of("model", "max_tokens", "stream", "stop_sequences", "tool_choice", "thinking")) {
            kept.put(",%:%", name, get(name));
        }
        anthropic = JsonParser.parse(kept.put("}").toBytes());
    }

    public Json json() { return anthropic; }
    public Json get(String name) { return anthropic.get(name); }
    public boolean isStream() { return get("stream") == Json.TRUE; }
    public boolean isThinkingOff() { return isThinkingOff; }

    public boolean isOneCallWanted() {
        return get("tool_choice").get("disable_parallel_tool_use") == Json.TRUE;
    }

    public List<Json> stops() {
        return get("stop_sequences").items().stream().filter(at -> !at.text().isBlank()).toList();
    }

    /** {@return the schema in output_config.format, or in output_format as it was called before; NULL if none is} */
    public Json schema() {
        Json old = get("output_format");
        Json format = old.isNull() ? get("output_config").get("format") : old;
        boolean both = !old.isNull() && !get("output_config").get("format").isNull();
        refuse("output_format", both, "output_config.format is there too");
        return format.isNull() ? format : need(format, "schema", "o");
    }

    /** {@return the effort: a system message's counts before the request's own, and a budget where there is none} */
    public String effort() {
        String effort = get("output_config").get("effort").text();
        for (Json message : get("messages").items()) {
            Json changed = message.get("output_config").get("effort");
            if (changed.hasText() && message.get("role").is("system")) effort = changed.text();
        }
        long budget = may(get("thinking"), "budget_tokens", "n").toLong(0);
        boolean isBudget = effort.isEmpty() && budget > 0 && get("thinking").get("type").is("enabled");
        return !isBudget ? effort
                : budget < 4096 ? "low" : budget < 16_000 ? "medium" : budget < 32_000 ? "high" : "xhigh";
    }

    /** {@return a hash of the user's id, with which Claude Code names the session; "" if there is none} */
    public String user() {
        String user = get("metadata").get("user_id").text();
        return user.isEmpty() ? user : hash(user);
    }

    public static String hash(String text) {
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString();
    }

    public void refuse(String name, boolean isRefused, String reason) {
        if (isRefused) throw invalid(anthropic, name, reason);
    }

    public Json text(Json parent, String name) { return need(parent, name, "s"); }

    /** {@return the member, which must be there and of one of the {@code kinds}} */
    public Json need(Json parent, String name, String kinds) {
        Json found = may(parent, name, kinds);
        if (found.isNull()) throw invalid(parent, name, "Field required");
        return found;
    }

    /** {@return the member, which must be of one of the {@code kinds} if it is there} */
    public Json may(Json parent, String name, String kinds) {
        Json found = parent.get(name);
        if (found.isNull() || kinds.indexOf(found.kind()) >= 0) return found;
        throw invalid(parent, name, kinds.chars().mapToObj(kind -> KINDS.get((char) kind))
                .collect(Collectors.joining(" or ")) + " expected");
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

    public ApiError invalid(Json parent, String name, String message) {
        return new ApiError(400, "%s.%s: %s".formatted(path(anthropic, parent), name, message).substring(1));
    }

    /** {@return where below {@code at} the node {@code wanted} stands, as in ".messages[0]"} */
    private static String path(Json at, Json wanted) {
        boolean isObject = at instanceof Json.Obj;
        Json[] inner = isObject ? at.parts() : at.items().toArray(Json[]::new);
        for (int i = isObject ? 1 : 0; i < inner.length; i += isObject ? 2 : 1) {
            boolean same = inner[i].source() == wanted.source();
            boolean holds = same && inner[i].from() <= wanted.from() && inner[i].to() >= wanted.to();
            if (holds) return (isObject ? "." + inner[i - 1].text() : "[%d]".formatted(i)) + path(inner[i], wanted);
        }
        return "";
    }
}
