package translate;

import anthropic.Request;
import java.util.Set;
import json.Json;
import json.JsonWriter;

/**
 * Writes the members of a request's object by the names that they have at the backend. A member is left out
 * if the backend does not take it, or if {@code --extra-body} sets it.
 *
 * <p>To send one more member, write it in {@link ChatRequest} and {@link ResponsesRequest}. If some
 * backends may refuse it, add it to {@link MemberLessons#OPTIONAL}: it is left out after a refusal. If most
 * refuse it, add it in {@link Dialects} to those that are usually omitted, and to the rows of backends that
 * know it. If the client need not be told that it was left out, add it to {@link #OF_FEW_BACKENDS}.
 */
final class Members {
    /** Members that only some backends know: for the others they are left out without a warning. */
    private static final Set<String> OF_FEW_BACKENDS =
            Set.of("top_k", "tool_stream", "prompt_cache_key", "session_id", "cache_control", "store");

    private final JsonWriter out;
    private final Dialect dialect;
    private final Json extraBody;
    private final Set<String> warnings;

    /** @param warnings takes codes of members that the backend does not take */
    Members(JsonWriter out, Dialect dialect, Json extraBody, Set<String> warnings) {
        this.out = out;
        this.dialect = dialect;
        this.extraBody = extraBody;
        this.warnings = warnings;
    }

    void field(String member, String value) {
        if (begins(member)) {
            out.string(value);
        }
    }

    void field(String member, boolean value) {
        if (begins(member)) {
            out.bool(value);
        }
    }

    void field(String member, long value) {
        if (begins(member)) {
            out.number(value);
        }
    }

    void field(String member, Json value) {
        if (begins(member)) {
            out.value(value);
        }
    }

    void field(String member, JsonWriter value) {
        if (begins(member)) {
            out.value(value);
        }
    }

    /** Writes a member's name; its value is to follow. {@return false if the member is left out} */
    boolean begins(String member) {
        if (!dialect.takes(member)) {
            warn(member);
            return false;
        }
        String name = dialect.name(member);
        if (isInExtraBody(name)) return false;
        out.name(name);
        return true;
    }

    private void warn(String member) {
        if (!OF_FEW_BACKENDS.contains(member)) {
            warnings.add("dropped_" + member);
        }
    }

    private boolean isInExtraBody(String name) {
        Json[] members = extraBody.parts();
        for (int i = 0; i < members.length; i += 2) {
            if (members[i].is(name)) return true;
        }
        return false;
    }

    /**
     * {@code "speed":"fast"} becomes {@code "service_tier":"fast"}, and {@code
     * "service_tier":"standard_only"} becomes {@code "service_tier":"default"}.
     */
    void writeServiceTier(Request request) {
        if (request.get("speed").is("fast")) {
            field("service_tier", "fast");
        } else if (request.get("service_tier").is("standard_only")) {
            field("service_tier", "default");
        }
    }

    /** Writes the members of {@code --extra-body}. */
    void writeExtraBody() {
        Json[] members = extraBody.parts();
        for (int i = 0; i < members.length; i += 2) {
            out.name(members[i]).value(members[i + 1]);
        }
    }
}
