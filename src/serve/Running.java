package serve;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import json.JsonWriter;

/**
 * An exchange that has not ended, as those who run the proxy are told of it. It holds no prompt and no key.
 *
 * @param client the name of the client, if its key has one
 * @param what the model and the backend of the newest try
 * @param nanos since the exchange began
 * @param firstNanos from the beginning until the first of the reply was sent, if any was
 * @param tokens that the client has been sent, by an estimate; 0 also where there is none
 */
record Running(String requestId, Optional<String> client, What what, long nanos, OptionalLong firstNanos,
               long tokens) {
    /**
     * What is tried.
     *
     * @param asked the model that the client asked for
     * @param model the model that the backend is asked for
     */
    record What(String asked, String model, String host) { }

    /** Writes an object; {@code first_ms} is -1 where nothing was sent. */
    void write(JsonWriter out) {
        out.object().field("id", requestId);
        client.ifPresent(name -> out.field("client", name));
        out.field("asked", what.asked).field("model", what.model).field("upstream", what.host);
        out.field("ms", TimeUnit.NANOSECONDS.toMillis(nanos));
        out.field("first_ms", firstNanos.isPresent() ? TimeUnit.NANOSECONDS.toMillis(firstNanos.getAsLong()) : -1);
        out.field("tokens", tokens).field("rate", tokensPerSecond());
        out.endObject();
    }

    private long tokensPerSecond() {
        long sinceFirst = nanos - firstNanos.orElse(nanos);
        return sinceFirst > 0 ? tokens * TimeUnit.SECONDS.toNanos(1) / sinceFirst : 0;
    }
}
