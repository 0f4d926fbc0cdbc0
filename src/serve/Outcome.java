package serve;

import anthropic.Usage;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import json.JsonWriter;
import upstream.Peer;

/**
 * What has become of a request for a message that a backend was to answer. It holds no prompt and no key.
 *
 * @param epochMillis when it ended
 * @param client the name of the client, if its key has one
 * @param traceParent the header {@code traceparent}, if the client sent a good one
 * @param status the one that it ended with, even if the client has seen another by then
 * @param asked the model that the client asked for
 * @param model the model that the backend was asked for
 * @param at the backend that was asked last; none if A2o has answered without one
 * @param retries tries after the first
 * @param searches in the web that A2o has made for the reply
 * @param end the backend's finish_reason, or the type of the error
 * @param error the message of the error, without secrets; "" if there was none
 */
record Outcome(long epochMillis, String requestId, Optional<String> client, Optional<String> traceParent,
               int status, boolean isStream, String asked, String model, Optional<Peer> at, Times times,
               int retries, Searches searches, Usage used, String end, String error) implements LogFields {
    private static final int OK = 200;
    private static final int CLIENT_LEFT = 499;
    private static final double SECOND = 1e9; // in nanoseconds
    private static final long ONE_PIECE = 50_000_000; // a reply that takes no longer came in one piece

    /**
     * How long it took.
     *
     * @param first from the beginning until the first of the reply was sent, if any was
     * @param whole from the beginning to the end
     * @param queued of that, waiting for a place among the requests in flight
     */
    record Times(OptionalLong first, long whole, long queued) { }

    /** How many there were; {@code failed} have found nothing because the service failed. */
    record Searches(int made, int failed) { }

    boolean isGood() { return status == OK; }

    /** {@return whether it counts as an error, which it does not if the client has left} */
    boolean isError() { return isError(status); }

    static boolean isError(int status) { return status >= 400 && status != CLIENT_LEFT; }

    /**
     * {@return the entry for the log} As in {@code req_1 of anna 200 opus -> qwen at local 912 ms, first
     * after 300 ms, tokens in 7 cached 0 out 30 (49/s), stop}. Of a failure the backend's words come last.
     */
    @Override
    public String line() {
        var line = new StringBuilder(256).append(requestId);
        client.ifPresent(name -> line.append(" of ").append(name));
        line.append(' ').append(status).append(' ').append(asked);
        at.ifPresentOrElse(peer -> line.append(" -> ").append(model).append(" at ").append(peer.label()),
                () -> line.append(" answered without a backend"));
        line.append(' ').append(millis(times.whole)).append(" ms, ");
        if (millis(times.queued) > 0) line.append("queued ").append(millis(times.queued)).append(" ms, ");
        times.first.ifPresentOrElse(nanos -> line.append("first after ").append(millis(nanos)).append(" ms"),
                () -> line.append("nothing sent"));
        line.append(", tokens in ").append(used.input()).append(" cached ").append(used.cacheRead());
        line.append(" out ").append(used.output()).append(" (").append(outputPerSecond()).append("/s), ");
        if (searches.made > 0) {
            line.append("searches ").append(searches.made);
            line.append(" failed ").append(searches.failed).append(", ");
        }
        if (retries > 0) line.append("retries ").append(retries).append(", ");
        line.append(end);
        if (!error.isEmpty()) line.append(": ").append(error);
        return line.toString();
    }

    /** Input tokens are all of the prompt's there, also those that were cached. */
    @Override
    public void write(JsonWriter out) {
        out.field("a2o.request.id", requestId);
        client.ifPresent(name -> out.field("a2o.client.name", name));
        traceParent.ifPresent(parent -> writeTrace(parent, out));
        out.field("a2o.asked.model", asked);
        out.field("gen_ai.operation.name", "chat");
        out.field("gen_ai.request.model", model).field("gen_ai.request.stream", isStream);
        at.ifPresent(peer -> {
            out.field("gen_ai.provider.name", peer.provider()).field("a2o.upstream.name", peer.label());
            out.field("server.address", peer.host()).field("server.port", peer.port());
        });
        out.field("http.response.status_code", status);
        out.field("a2o.duration", times.whole / SECOND).field("a2o.queue.duration", times.queued / SECOND);
        times.first.ifPresent(nanos -> out.field("gen_ai.response.time_to_first_chunk", nanos / SECOND));
        out.field("gen_ai.usage.input_tokens", used.prompt());
        out.field("gen_ai.usage.cache_read.input_tokens", used.cacheRead());
        out.field("gen_ai.usage.cache_write.input_tokens", used.cacheWrite());
        out.field("gen_ai.usage.output_tokens", used.output());
        out.field("gen_ai.usage.reasoning.output_tokens", used.thinking());
        out.field("a2o.output_tokens_per_second", outputPerSecond()).field("a2o.retries", retries);
        writeEnd(out);
    }

    /** Of {@code 00-TRACE-SPAN-01}. */
    private static void writeTrace(String parent, JsonWriter out) {
        String[] parts = parent.split("-");
        out.field("trace_id", parts[1]).field("span_id", parts[2]);
    }

    private void writeEnd(JsonWriter out) {
        if (isGood()) {
            out.name("gen_ai.response.finish_reasons").array().string(end).endArray();
        } else {
            out.field("error.type", end).field("a2o.error.message", error);
        }
    }

    /** Writes an object for {@code status.json}; {@code first_ms} is -1 where nothing was sent. */
    void writeStatus(JsonWriter out) {
        long firstMillis = times.first.isPresent() ? millis(times.first.getAsLong()) : -1;
        out.object();
        out.field("time", epochMillis).field("id", requestId);
        client.ifPresent(name -> out.field("client", name));
        out.field("asked", asked).field("model", model).field("upstream", at.map(Peer::label).orElse(""));
        out.field("status", status).field("end", end);
        if (!error.isEmpty()) out.field("error", error);
        out.field("first_ms", firstMillis).field("ms", millis(times.whole)).field("retries", retries);
        if (searches.made > 0) out.field("searches", searches.made).field("failed_searches", searches.failed);
        out.field("input", used.input()).field("cached", used.cacheRead());
        out.field("cache_writes", used.cacheWrite());
        out.field("output", used.output()).field("rate", outputPerSecond());
        out.endObject();
    }

    /** {@return the time for each token of a good reply after the first, if it has several} */
    OptionalLong nanosPerToken() {
        boolean isMeasured = isGood() && used.output() > 1 && sinceFirst() > ONE_PIECE;
        return isMeasured ? OptionalLong.of(sinceFirst() / (used.output() - 1)) : OptionalLong.empty();
    }

    /**
     * {@return output tokens a second since the first was sent; where all came at once, since the beginning}
     */
    private long outputPerSecond() {
        long nanos = sinceFirst() > ONE_PIECE ? sinceFirst() : times.whole;
        return (long) (used.output() * SECOND / Math.max(1, nanos));
    }

    private long sinceFirst() { return times.whole - times.first.orElse(0); }

    private static long millis(long nanos) { return TimeUnit.NANOSECONDS.toMillis(nanos); }
}
