package translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a refusal teaches that names members of the request: to leave them out. What else it may mean,
 * {@link Lessons} know.
 */
final class MemberLessons {
    /** Members that a request can do without, the likeliest to be refused first, and their other names. */
    static final Map<String, List<String>> OPTIONAL = optional();
    /** Members whose value may be fine the next time. */
    private static final List<String> OF_CHANGING_VALUE =
            List.of("temperature", "top_p", "top_k", "tool_choice", "parallel_tool_calls");

    /**
     * Says that the backend never takes something, rather than that this value or this combination is
     * wrong.
     */
    private static final List<String> NEVER = List.of("support", "unknown", "unrecogni", "unavailable",
            "unexpected", "extra ", "extra_", "extraneous", "not permitted", "not allowed", "only ",
            "cannot find", "deprecated", "not a valid field", "additional propert", "not recogni", "not enabled",
            "not available", "removed", "no longer", "不支持", "未知", "forbidden", "undefined");
    /** Says that two things exclude each other, each of which may be fine alone. */
    private static final List<String> COMBINED = List.of("both", "incompatible", "only allowed when",
            "together", "at the same time", "conflict", "mutually", "combin", "simultaneous", "' with '", "同时", "when ");
    /** The refusal is about something within a message or a tool. */
    private static final List<String> WITHIN = List.of("'body','messages'", "'body', 'messages'",
            "invalid schema for function", "function_declarations", ".parameters'", "tools[0]");
    /** A member of the error itself: OpenRouter says in it whose request it was. */
    private static final List<String> OF_ERROR = List.of("'user_id':");
    /** After these words stand names that the backend does take. */
    private static final List<String> TAKEN = List.of("expected one of", "supported parameters", "valid parameters",
            "allowed parameters", "supported fields", "valid fields", "allowed fields", "known fields", "accepted");

    private MemberLessons() { }

    private static Map<String, List<String>> optional() {
        Map<String, List<String>> members = new LinkedHashMap<>();
        members.put("temperature", List.of());
        members.put("top_p", List.of("nucleus_sampling"));
        members.put("reasoning_effort", List.of("thinking_level", "reasoning_level"));
        members.put("reasoning", List.of());
        members.put("thinking", List.of("thinking_config", "thinking_budget", "budget_tokens", "enable_thinking",
                "chat_template_kwargs"));
        members.put("top_k", List.of());
        members.put("tool_stream", List.of());
        members.put("stream_options", List.of("include_usage"));
        members.put("parallel_tool_calls", List.of("disable_parallel_tool_use", "parallel_function_calls"));
        members.put("response_format", List.of("response_schema", "response_mime_type"));
        members.put("tool_choice", List.of("function_calling_config", "function_calling_mode",
                "forced_function_calling", "allowed_function_names"));
        members.put("store", List.of());
        members.put("service_tier", List.of());
        members.put("prompt_cache_key", List.of());
        members.put("stop", List.of("stop_sequences", "stop_sequence"));
        members.put("user", List.of("user_id"));
        members.put("reasoning_details", List.of());
        members.put("thinking_blocks", List.of());
        members.put("extra_content", List.of());
        members.put("cache_control", List.of());
        members.put("session_id", List.of());
        members.put("include", List.of());
        members.put("safety_identifier", List.of());
        members.put("max_tool_calls", List.of());
        members.put("text", List.of());
        return members;
    }

    /** {@return to leave out those that are named: all together where each is refused, then one by one} */
    static List<Lesson.Taught> in(Said said) {
        if (said.says(WITHIN)) return List.of();
        Said refused = said.before(TAKEN).without(OF_ERROR);
        boolean isCombined = said.says(COMBINED);
        boolean isNever = said.says(NEVER) && !isCombined;
        List<Trait> named = new ArrayList<>();
        OPTIONAL.forEach((member, others) -> {
            boolean isNamed = refused.names(member) || others.stream().anyMatch(refused::names);
            if (isNamed) named.add(new Trait.Omitted(member));
        });
        List<Lesson.Taught> taught = new ArrayList<>();
        boolean areAllRefused = isNever && named.size() > 1;
        if (areAllRefused) taught.add(new Lesson.Taught(List.copyOf(named), false));
        for (Trait omitted : named) {
            boolean isOfValue = OF_CHANGING_VALUE.contains(omitted.about());
            taught.add(new Lesson.Taught(omitted, isCombined || isOfValue && !isNever));
        }
        return taught;
    }
}
