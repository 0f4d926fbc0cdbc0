package serve;

import anthropic.Usage;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import json.JsonWriter;

/**
 * What has become of a request for a message that a backend was to answer. It holds no prompt and no key.
 *
 * @param epochMillis when it ended
 * @param client the name of the client, if its key has one
 * @param status the one that it ended with, even if the client has seen another by then
 * @param asked the model that the client asked for
 * @param model the model that the backend was asked for
 * @param host the backend that was asked last; none if A2o has answered without one
 * @param firstNanos from the beginning until the first of the reply was sent, if any was
 * @param wholeNanos from the beginning to the end
 * @param retries tries after the first
 * @param searches in the web that A2o has made for the reply
 * @param failedSearches those of them that have found nothing because the service failed
 * @param end the backend's finish_reason, or the type of the error
 * @param error the message of the error, for the log alone; "" if there was none
 */
record Outcome(long epochMillis, String requestId, Optional<String> client, int status, String asked,
               String model, Optional<String> host, OptionalLong firstNanos, long wholeNanos, int retries,
               int searches, int failedSearches, Usage used, String end, String error) {
    private static final int OK = 200;
    private static final int CLIENT_LEFT = 499;
    private static final long SECOND = 1_000_000_000; // in nanoseconds
    private static final long ONE_PIECE = SECOND / 20; // a reply that takes no longer came in one piece

    boolean isGood() { return status == OK; }

    /** {@return whether it counts as an error, which it does not if the client has left} */
    boolean isError() { return status >= 400 && status != CLIENT_LEFT; }

    /** {@return the entry for the log} */
    String line() {
        String whose = client.map(" of %s"::formatted).orElse("");
        String where = host.map(name -> "-> %s at %s".formatted(model, name))
                .orElse("answered without a backend");
        String what = "%s%s %d %s %s".formatted(requestId, whose, status, asked, where);
        long firstMillis = millis(firstNanos.orElse(wholeNanos));
        String times = "%d ms, first after %d ms".formatted(millis(wholeNanos), firstMillis);
        String tokens = "tokens in %d cached %d out %d (%d/s)".formatted(
                used.input(), used.cacheRead(), used.output(), outputPerSecond());
        String line = "%s %s, %s%s %s".formatted(what, times, tokens, searchesMade(), end);
        return error.isEmpty() ? line : line + ": " + error;
    }

    /** {@return the count of searches for the log; "" if there was none} */
    private String searchesMade() {
        if (searches == 0) return "";
        return ", searches %d failed %d".formatted(searches, failedSearches);
    }

    /** Writes an object; {@code first_ms} is -1 where nothing was sent. */
    void write(JsonWriter out) {
        long firstMillis = firstNanos.isPresent() ? millis(firstNanos.getAsLong()) : -1;
        out.object();
        out.field("time", epochMillis).field("id", requestId);
        client.ifPresent(name -> out.field("client", name));
        out.field("asked", asked).field("model", model).field("upstream", host.orElse(""));
        out.field("status", status).field("end", end);
        out.field("first_ms", firstMillis).field("ms", millis(wholeNanos)).field("retries", retries);
        if (searches > 0) out.field("searches", searches).field("failed_searches", failedSearches);
        out.field("input", used.input()).field("cached", used.cacheRead());
        out.field("cache_writes", used.cacheWrite());
        out.field("output", used.output()).field("rate", outputPerSecond());
        out.endObject();
    }

    /**
     * {@return output tokens a second since the first was sent; where all came at once, since the beginning}
     */
    private long outputPerSecond() {
        long sinceFirst = wholeNanos - firstNanos.orElse(0);
        long nanos = sinceFirst > ONE_PIECE ? sinceFirst : wholeNanos;
        return used.output() * SECOND / Math.max(1, nanos);
    }

    private static long millis(long nanos) { return TimeUnit.NANOSECONDS.toMillis(nanos); }
}
