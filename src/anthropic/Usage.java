package anthropic;

import json.Json;

/** Counts of tokens: input, cacheWrite and cacheRead do not overlap, thinking is part of output. */
public record Usage(long input, long cacheWrite, long cacheRead, long output, long thinking) {
    /**
     * {@return the counts under any of their names, in usage or llama.cpp's timings (SPEC B.4); all 0 where nothing is
     * counted} OpenAI counts what was cached among prompt_tokens.
     */
    public static Usage of(Json usage, Json timings) {
        long cacheRead = count(usage, timings, "prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens",
                "cached_tokens", "input_tokens_details.cached_tokens", "cache_read_input_tokens", "cache_n");
        long cacheWrite = count(usage, timings, "prompt_tokens_details.cache_write_tokens",
                "cache_creation_input_tokens");
        long thinking = count(usage, timings, "completion_tokens_details.reasoning_tokens",
                "output_tokens_details.reasoning_tokens", "reasoning_tokens");
        long prompt = count(usage, timings, "prompt_tokens", "input_tokens");
        long output = count(usage, timings, "completion_tokens", "output_tokens", "predicted_n");
        long total = count(usage, timings, "total_tokens"); // some leave reasoning out of the others
        if (prompt > 0) output = Math.max(output, total - prompt);
        if (prompt == 0) prompt = count(usage, timings, "prompt_n") + count(usage, timings, "cache_n");
        long input = prompt >= cacheRead + cacheWrite ? prompt - cacheRead - cacheWrite : prompt;
        return new Usage(input, cacheWrite, cacheRead, output, Math.min(thinking, output));
    }

    /** {@return the first of the counts that there is; 0 if there is none} */
    private static long count(Json usage, Json timings, String... names) {
        for (String name : names) {
            int dot = name.indexOf('.');
            String last = name.substring(dot + 1);
            Json found = (dot < 0 ? usage : usage.get(name.substring(0, dot))).get(last);
            if (found.isNull()) found = timings.get(last);
            if (found instanceof Json.Num) return Math.max(0, found.toLong(0));
        }
        return 0;
    }

    /** {@return the tokens that the conversation takes in the model's window, cached or not} */
    public long prompt() { return input + cacheWrite + cacheRead; }
    public boolean isCounted() { return input + cacheRead + output > 0; }
}
