package translate;

import anthropic.ApiError;
import anthropic.Usage;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;
import json.SseEvent;

/**
 * A try at a backend of Anthropic's own API. Nothing is translated: the reply goes to the client byte for
 * byte, and is looked into only for errors, its end and the tokens that it took. Of a stream, whole events
 * are handed on, so that a ping never stands within one.
 *
 * <p>Source: Anthropic, "Streaming Messages".
 */
public final class NativeConversation implements Conversation {
    private static final int MAX_SHOWN_REASON = 100; // characters
    private static final String OF_BLOCK = "{\"type\":\"content_block_"; // start, delta, stop
    private static final byte[] PING =
            "event: ping\ndata: {\"type\": \"ping\"}\n\n".getBytes(StandardCharsets.UTF_8);

    private final String asked;
    private final String model;
    private final boolean isStream;
    private final Dialect dialect;
    private final NativeErrors errors;
    private final JsonWriter request = new JsonWriter();
    private final JsonWriter held = new JsonWriter(); // the beginning, until it is sure that a reply follows
    private final JsonWriter ready = new JsonWriter();
    private boolean hasBegun; // so that the client gets each event as it comes
    private boolean isFinished;
    private String stopReason = "";
    private Usage used = Usage.NONE;

    /** @throws ApiError if {@code anthropic} is no object */
    public NativeConversation(Json anthropic, Options options, Dialect dialect) {
        if (!(anthropic instanceof Json.Obj)) throw new ApiError(400, "the body must be a JSON object");
        this.asked = anthropic.get("model").text();
        this.model = options.model(asked);
        this.isStream = anthropic.get("stream") == Json.TRUE;
        this.dialect = dialect;
        this.errors = new NativeErrors(options, dialect, model);
        new NativeRequest(anthropic, model, dialect.target().extraBody()).write(request);
    }

    @Override
    public String asked() { return asked; }

    @Override
    public String model() { return model; }

    @Override
    public Dialect dialect() { return dialect; }

    /** {@return nothing: what this backend refuses, the client asked for itself} */
    @Override
    public Stream<Dialect> afterRefusal(String refusal) { return Stream.empty(); }

    @Override
    public Optional<String> refusedTool(String refusal) { return Optional.empty(); }

    @Override
    public boolean isStream() { return isStream; }

    @Override
    public boolean isVerbatim() { return true; }

    @Override
    public Set<String> warnings() { return Set.of(); }

    @Override
    public boolean isAnsweredHere() { return false; }

    @Override
    public void answer() { throw new IllegalStateException("the backend answers"); }

    @Override
    public JsonWriter request() { return request; }

    @Override
    public void forget() { request.free(); }

    @Override
    public boolean event(SseEvent event) {
        Json data = data(event);
        if (event.isError() || data.get("type").is("error")) throw errors.sent(data);
        if (!isStream) throw broken(502, "a stream came, though none was asked for");
        note(data);
        hasBegun |= !mayBeFollowedByRefusal(event, data);
        held.ready(event.frame());
        if (hasBegun) release();
        return isFinished;
    }

    /** {@return the data of an event; NULL for that of most, in which there is nothing to read} */
    private Json data(SseEvent event) {
        boolean isNothingToRead = event.data().length == 0 || event.begins(OF_BLOCK);
        if (isNothingToRead) return Json.NULL;
        try {
            return JsonParser.parse(event.data());
        } catch (Json.Malformed e) {
            throw broken(502, "the stream's data is " + e.getMessage());
        }
    }

    /** {@return whether an error may still follow that another backend makes good: no content has come} */
    private static boolean mayBeFollowedByRefusal(SseEvent event, Json data) {
        boolean isComment = event.data().length == 0;
        return isComment || data.get("type").is("message_start") || data.get("type").is("ping");
    }

    /** Notes what an event says of the tokens and the end. */
    private void note(Json data) {
        Json type = data.get("type");
        if (type.is("message_start")) used = counted(data.get("message").get("usage"));
        if (type.is("message_delta")) {
            used = counted(data.get("usage"));
            noteStopReason(data.get("delta"));
        }
        isFinished |= type.is("message_stop");
    }

    /** {@return the counts; what is not counted now stays as it was} */
    private Usage counted(Json usage) {
        return new Usage(usage.get("input_tokens").toLong(used.input()),
                usage.get("cache_creation_input_tokens").toLong(used.cacheWrite()),
                usage.get("cache_read_input_tokens").toLong(used.cacheRead()),
                usage.get("output_tokens").toLong(used.output()), 0);
    }

    private void noteStopReason(Json from) {
        String reason = from.get("stop_reason").text();
        stopReason = reason.substring(0, Math.min(MAX_SHOWN_REASON, reason.length()));
    }

    private void release() {
        ready.ready(held.toBytes());
        held.clear();
    }

    @Override
    public boolean whole(Json reply) {
        boolean isMessage = reply.get("content") instanceof Json.Arr;
        if (!isMessage) throw errors.sent(reply);
        if (isStream) throw broken(502, "a whole reply came, though a stream was asked for");
        used = counted(reply.get("usage"));
        noteStopReason(reply);
        isFinished = true;
        ready.ready(reply.source()); // not only the object: also what white space stands around it
        return true;
    }

    @Override
    public boolean isFinished() { return isFinished; }

    @Override
    public boolean isStopped() { return false; }

    @Override
    public void finish() {
        if (!isFinished) throw broken(502, "the stream ended early").asPassing();
    }

    @Override
    public void endAtLimit() { throw broken(502, "the backend broke off at its limit"); }

    @Override
    public JsonWriter ready() { return ready; }

    @Override
    public void ping() {
        hasBegun = true; // the client's status is sent with it
        release();
        ready.ready(PING);
    }

    @Override
    public void fail(ApiError error, String requestId) {
        ready.ascii("event: error\ndata: ").value(error.body(requestId)).ascii("\n\n");
    }

    @Override
    public ApiError error(int status, byte[] body) { return errors.answered(status, body); }

    @Override
    public ApiError broken(int status, String what) { return errors.broken(status, what); }

    @Override
    public String finishReason() { return stopReason; }

    @Override
    public Usage used() { return used; }
}
