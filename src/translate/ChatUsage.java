package translate;

import anthropic.Usage;
import json.Json;

/**
 * Token counts of chat completions and of the Responses API, under any of the names that are in use (SPEC
 * B.4).
 *
 * @param usage   OpenAI's {@code usage}; NULL if it has not come
 * @param timings llama.cpp's {@code timings}; NULL if they have not come
 */
record ChatUsage(Json usage, Json timings) {
    /** {@return the counts as Anthropic's, which do not overlap; all 0 where nothing is counted} */
    Usage toAnthropic() {
        Json prompt = usage.get("prompt_tokens_details");
        long cacheRead = first(prompt.get("cached_tokens"), usage.get("prompt_cache_hit_tokens"),
                usage.get("cached_tokens"), usage.get("input_tokens_details").get("cached_tokens"),
                usage.get("cache_read_input_tokens"), timings.get("cache_n"));
        long cacheWrite = first(prompt.get("cache_write_tokens"), usage.get("cache_creation_input_tokens"),
                usage.get("input_tokens_details").get("cache_write_tokens"));
        long thinking = first(usage.get("completion_tokens_details").get("reasoning_tokens"),
                usage.get("output_tokens_details").get("reasoning_tokens"), usage.get("reasoning_tokens"));
        long sent = first(usage.get("prompt_tokens"), usage.get("input_tokens"));
        long output = first(usage.get("completion_tokens"), usage.get("output_tokens"),
                timings.get("predicted_n"));
        if (sent == 0) {
            sent = first(timings.get("prompt_n")) + first(timings.get("cache_n"));
        } else { // some count reasoning in the total alone
            output = Math.max(output, first(usage.get("total_tokens")) - sent);
        }
        boolean isCacheAmongSent = sent >= cacheRead + cacheWrite; // as with OpenAI
        long input = isCacheAmongSent ? sent - cacheRead - cacheWrite : sent;
        return new Usage(input, cacheWrite, cacheRead, output, Math.min(thinking, output));
    }

    /** {@return the first of the counts that there is; 0 if there is none} */
    private static long first(Json... counts) {
        for (Json count : counts) {
            if (count instanceof Json.Num) return Math.max(0, count.toLong(0));
        }
        return 0;
    }
}
