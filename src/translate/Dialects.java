package translate;

import config.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known of backends before they are asked, by the end of the host's name or by the port where a
 * local server listens unless told otherwise. Only what is sure stands here; the rest is learned from
 * refusals.
 *
 * <p>Source: the vendors' API references, November 2026.
 */
final class Dialects {
    private record Row(List<String> ends, List<Trait> traits) {
        private boolean isOf(Target target) {
            return ends.stream()
                    .anyMatch(end -> target.host().endsWith(end) || target.address().endsWith(end));
        }
    }

    private static final Trait NEW_MAX_TOKENS = new Trait.Renamed("max_tokens", "max_completion_tokens");
    private static final Trait SYSTEM_IN_PLACE = Trait.Habit.SYSTEM_IN_PLACE;
    private static final Trait NO_THINKING = new Trait.Omitted("thinking");
    private static final Trait NO_REASONING_CONTENT = new Trait.Omitted("reasoning_content");
    private static final Trait NO_USER = new Trait.Omitted("user");
    private static final Trait TOP_K = new Trait.Known("top_k");
    private static final Trait CACHE_KEY = new Trait.Known("prompt_cache_key");
    private static final Trait OLLAMAS_EFFORTS = new Trait.Efforts(List.of("none", "low", "medium", "high"));

    private static final List<Row> ROWS = List.of(
            row("api.openai.com", NEW_MAX_TOKENS, SYSTEM_IN_PLACE, NO_THINKING, NO_REASONING_CONTENT,
                    new Trait.Known("store"), new Trait.Known("service_tier"), CACHE_KEY),
            row(".azure.com", NEW_MAX_TOKENS, SYSTEM_IN_PLACE, NO_THINKING, NO_REASONING_CONTENT,
                    Trait.Habit.API_KEY_HEADER),
            row("openrouter.ai", SYSTEM_IN_PLACE, NO_THINKING, Trait.EffortForm.OBJECT, TOP_K,
                    new Trait.Known("cache_control")),
            row("api.groq.com", NO_THINKING, NO_REASONING_CONTENT),
            row("api.mistral.ai", NO_THINKING, NO_REASONING_CONTENT, NO_USER,
                    new Trait.Omitted("stream_options"), new Trait.Efforts(List.of("none", "high"))),
            row("generativelanguage.googleapis.com", NO_THINKING, NO_REASONING_CONTENT, NO_USER,
                    new Trait.Omitted("parallel_tool_calls")),
            row("api.deepseek.com", new Trait.EffortsInstead(Map.of("medium", "high", "xhigh", "high"))),
            row(List.of("api.moonshot.ai", "api.moonshot.cn"),
                    new Trait.EffortsInstead(Map.of("medium", "high", "xhigh", "max")), CACHE_KEY),
            row(List.of("api.z.ai", "open.bigmodel.cn"),
                    new Trait.EffortsInstead(Map.of("medium", "high", "xhigh", "max")),
                    new Trait.Known("tool_stream")),
            row(".aliyuncs.com", Trait.Thinking.SWITCH, new Trait.Omitted("reasoning_effort"), TOP_K),
            row(":11434", NO_THINKING, OLLAMAS_EFFORTS, Trait.Habit.FORCED_TOOL_ALONE), // Ollama
            row(":1234", NO_THINKING, OLLAMAS_EFFORTS, Trait.Habit.FORCED_TOOL_ALONE, TOP_K), // LM Studio
            row(List.of(":9931", ":8080", ":8000", ":30000"), // llama.cpp twice, vLLM, SGLang
                    Trait.Thinking.TEMPLATE, TOP_K));

    /** Of OpenAI or few others; elsewhere sent only where a row says so. */
    private static final List<String> UNCOMMON =
            List.of("store", "service_tier", "prompt_cache_key", "top_k", "tool_stream", "cache_control");

    private Dialects() { }

    private static Row row(String end, Trait... traits) { return row(List.of(end), traits); }
    private static Row row(List<String> ends, Trait... traits) { return new Row(ends, List.of(traits)); }

    /** {@return the traits of a backend, each by what it is about} */
    static Map<String, Trait> of(Target target) {
        Map<String, Trait> known = new LinkedHashMap<>();
        for (String member : UNCOMMON) known.put(member, new Trait.Omitted(member));
        for (Row row : ROWS) {
            if (!row.isOf(target)) continue;
            for (Trait trait : row.traits) known.put(trait.about(), trait);
        }
        return known;
    }
}
