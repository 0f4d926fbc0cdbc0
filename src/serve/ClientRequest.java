package serve;

import anthropic.ApiError;
import anthropic.Ids;
import config.Api;
import config.Options;
import config.Route;
import java.util.Optional;
import json.Json;
import json.JsonWriter;
import translate.Continuation;
import translate.Conversation;
import translate.Dialect;
import translate.NativeConversation;
import translate.Translator;
import upstream.ClientHeaders;
import upstream.Upstream;

/**
 * A client's request for a message, from which the backend's request for each try is made; and what the
 * exchange takes of the memory budget. Used by one thread.
 */
final class ClientRequest {
    private static final int REQUEST_BYTES = 64 * 1024; // that any request takes, whatever its body
    private static final int REPLY_BYTES = 128 * 1024; // that any reply takes: queued, read, not yet sent
    private static final int COPIES = 3; // of what a reply adds to the request: both requests, and the reply
    private static final int REPLY_FACTOR = 3; // the bytes that are kept of a reply, and what is made of them

    /** The request as one backend gets it, and the conversation that it opens. */
    record Translated(Conversation conversation, JsonWriter body) { }

    private final Options options;
    private final ClientHeaders headers;
    private final Budget.Share share;
    private Optional<Json> anthropic; // until it is released
    private Optional<Continuation> before = Optional.empty(); // what came before searches
    private long requestBytes;

    ClientRequest(Json anthropic, ClientHeaders headers, Options options, Budget.Share share) {
        this.anthropic = Optional.of(anthropic);
        this.headers = headers;
        this.options = options;
        this.share = share;
        int backendBytes = anthropic.source().length; // the backend's request is about as long
        this.requestBytes = REQUEST_BYTES + share.held() + backendBytes;
        share.hold(requestBytes + REPLY_BYTES);
    }

    /** {@return what backends may get of the client's headers} */
    ClientHeaders headers() { return headers; }

    /**
     * Translates the request for a backend, as it takes it by all that is known.
     *
     * @throws ApiError if it cannot be translated
     */
    Translated translate(Upstream upstream) { return translate(upstream, upstream.dialect(route().model())); }

    Translated translate(Upstream upstream, Dialect dialect) {
        Json request = anthropic.orElseThrow();
        Route route = route();
        boolean isNative = dialect.api() == Api.MESSAGES;
        boolean isOther = isNative && before.isPresent();
        if (isOther) throw new ApiError(502, upstream.label() + " cannot go on with a reply of another API");
        Conversation conversation = isNative ? new NativeConversation(request, options, dialect)
                : new Translator(request, before, options, dialect, () -> upstream.window(route).orElse(0),
                        upstream.calibration(route.model()), Ids::newId);
        return new Translated(conversation, conversation.request());
    }

    /**
     * From now on the request is for what comes after searches.
     *
     * @throws ApiError if there is no room in memory
     */
    void goOn(Continuation continuation) {
        int longer = continuation.request().source().length - anthropic.orElseThrow().source().length;
        requestBytes += COPIES * Math.max(0, longer);
        share.hold(requestBytes + REPLY_BYTES);
        anthropic = Optional.of(continuation.request());
        before = Optional.of(continuation);
    }

    private Route route() {
        String asked = anthropic.orElseThrow().get("model").text();
        return options.routes().of(asked);
    }

    /**
     * Takes of the budget what the reply takes now.
     *
     * @param keptBytes of the reply as it came, {@code unsentBytes} of what was made of it
     * @throws ApiError if there is no room
     */
    void holdReply(long keptBytes, int unsentBytes) {
        share.hold(requestBytes + Math.max(REPLY_BYTES, REPLY_FACTOR * keptBytes + unsentBytes));
    }

    boolean isReleased() { return anthropic.isEmpty(); }

    /** Gives its memory back. The reply goes on, but there cannot be another try. */
    void release() {
        anthropic = Optional.empty();
        requestBytes = REQUEST_BYTES;
    }
}
