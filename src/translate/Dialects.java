package translate;

import config.Api;
import config.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

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
    private static final Trait MOST_TOOLS = new Trait.MostTools(128);
    private static final Trait OLLAMAS_EFFORTS = new Trait.Efforts(List.of("none", "low", "medium", "high"));

    private static final List<Row> CHAT = List.of(
            row("api.openai.com", NEW_MAX_TOKENS, SYSTEM_IN_PLACE, NO_THINKING, NO_REASONING_CONTENT,
                    new Trait.Known("store"), new Trait.Known("service_tier"), CACHE_KEY,
                    MOST_TOOLS),
            row(".azure.com", NEW_MAX_TOKENS, SYSTEM_IN_PLACE, NO_THINKING, NO_REASONING_CONTENT,
                    Trait.Habit.API_KEY_HEADER, MOST_TOOLS),
            row("openrouter.ai", SYSTEM_IN_PLACE, NO_THINKING, Trait.EffortForm.OBJECT, TOP_K,
                    new Trait.Known("cache_control"), new Trait.Known("session_id"),
                    Trait.Habit.WEB_SEARCH_HOSTED),
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
            row(List.of(":9931", ":8080", ":8000", ":30000"), // llama.cpp, vLLM, SGLang
                    Trait.Thinking.TEMPLATE, TOP_K));

    /** Sent only where a row says so: few backends know them, or few use them as Anthropic does. */
    private static final List<Trait> USUAL_IN_CHAT = omitted("store", "service_tier", "prompt_cache_key",
            "top_k", "tool_stream", "cache_control", "session_id", "stop");

    private static final Trait[] OF_OPENAI = {SYSTEM_IN_PLACE, Trait.Habit.WEB_SEARCH_HOSTED, CACHE_KEY,
        new Trait.Known("stream_options"), new Trait.Known("service_tier"), new Trait.Known("safety_identifier"),
        new Trait.Omitted(Envelope.REASONING_TEXT)}; // OpenAI does not show it, and takes none
    private static final List<Row> RESPONSES = List.of(
            row("api.openai.com", OF_OPENAI),
            row(".azure.com", OF_OPENAI),
            row(".azure.com", Trait.Habit.API_KEY_HEADER),
            row("api.x.ai", SYSTEM_IN_PLACE, Trait.Habit.WEB_SEARCH_HOSTED, CACHE_KEY),
            row("openrouter.ai", SYSTEM_IN_PLACE, Trait.Habit.WEB_SEARCH_HOSTED,
                    new Trait.Omitted(Searches.SOURCES)));

    private static final List<Trait> USUAL_IN_RESPONSES = omitted("stream_options", "service_tier",
            "prompt_cache_key", "safety_identifier", "reasoning_content");
    private static final long LEAST_TOKENS = 16; // of a reply; OpenAI refuses fewer there

    /** Asked by Responses unless told otherwise: their newest models want it. */
    private static final List<String> RESPONSES_HOSTS = List.of("api.openai.com", "api.x.ai");
    private static final String AZURE = ".azure.com";
    private static final String AZURE_PATH = "/openai/v1"; // elsewhere there it speaks chat completions

    private Dialects() { }

    private static List<Trait> omitted(String... members) {
        return Stream.of(members).<Trait>map(Trait.Omitted::new).toList();
    }

    private static Row row(String end, Trait... traits) { return row(List.of(end), traits); }
    private static Row row(List<String> ends, Trait... traits) { return new Row(ends, List.of(traits)); }

    /** {@return the API to ask a backend by at first} */
    static Api api(Target target) {
        return target.pinned().orElse(isAskedByResponses(target) ? Api.RESPONSES : Api.CHAT);
    }

    private static boolean isAskedByResponses(Target target) {
        boolean isAzures = target.host().endsWith(AZURE) && AZURE_PATH.equals(target.base().getPath());
        return isAzures || RESPONSES_HOSTS.stream().anyMatch(end -> target.host().endsWith(end));
    }

    /** {@return the traits of a backend that is asked by an API, each by what it is about} */
    static Map<String, Trait> of(Target target, Api api) {
        return switch (api) {
            case CHAT -> known(target, USUAL_IN_CHAT, CHAT);
            case MESSAGES -> { // nothing is translated but for an estimate of the tokens
                Map<String, Trait> known = known(target, USUAL_IN_CHAT, List.of());
                var spoken = new Trait.Spoken(api);
                known.put(spoken.about(), spoken);
                yield known;
            }
            case RESPONSES -> {
                Map<String, Trait> known = known(target, USUAL_IN_RESPONSES, RESPONSES);
                known.putIfAbsent(Trait.Habit.WEB_SEARCH_TRIED.about(), Trait.Habit.WEB_SEARCH_TRIED);
                for (Trait trait : List.of(new Trait.Spoken(api), new Trait.ShortestReply(LEAST_TOKENS))) {
                    known.put(trait.about(), trait);
                }
                yield known;
            }
        };
    }

    private static Map<String, Trait> known(Target target, List<Trait> usual, List<Row> rows) {
        Map<String, Trait> known = new LinkedHashMap<>();
        for (Trait trait : usual) known.put(trait.about(), trait);
        for (Row row : rows) {
            if (!row.isOf(target)) continue;
            for (Trait trait : row.traits) known.put(trait.about(), trait);
        }
        return known;
    }
}
