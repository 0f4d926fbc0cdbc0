package translate;

import anthropic.ApiError;
import anthropic.Usage;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;
import json.SseEvent;

/**
 * One try of one exchange: the request as the backend is to get it, and its reply as the client gets it. This
 * is all that those who send and receive know of a backend's API. It does no input or output, and is used by
 * one thread.
 *
 * <pre>
 *  answer                                   where no backend is needed
 *  request, ( event* | whole event* ), finish    or endAtLimit, or fail; between them ready, ping, forget
 *  searchWords, answered                    where the reply is paused then
 * </pre>
 */
public interface Conversation {
    /** {@return the client's name for the model} */
    String asked();
    /** {@return the backend's name for the model} */
    String model();
    /** {@return what is known of the backend and this model, as the request is written} */
    Dialect dialect();
    /** {@return the dialects to try after the backend has refused the request in these words} */
    Stream<Dialect> afterRefusal(String refusal);
    /** {@return the name of the tool that a refusal is about, if it is about one} */
    Optional<String> refusedTool(String refusal);
    /** {@return whether the client wants events} */
    boolean isStream();
    /**
     * {@return whether the reply goes to the client as it comes: then events are to be read with their
     * frames, and a whole reply with all its bytes}
     */
    default boolean isVerbatim() { return false; }
    /** {@return codes of what was left out or mended so far, for a response header} */
    Set<String> warnings();

    /** {@return whether it is for a search in the web that this backend cannot make, and another one may} */
    default boolean isBeyondBackend() { return false; }
    /** {@return whether {@link #answer} replies, without a backend} */
    boolean isAnsweredHere();
    /** Writes the whole reply, without a backend. */
    void answer();

    /**
     * {@return the body of the request for the backend}
     *
     * @throws ApiError if the client's request cannot be translated
     */
    JsonWriter request();
    /** Frees the request, which will not be sent again; the reply can still be read. */
    void forget();

    /**
     * Takes an event of the backend's stream. {@return whether nothing more is wanted}
     *
     * @throws ApiError if it is an error, or no event of this API
     */
    boolean event(SseEvent event);
    /**
     * Takes a reply that is not a stream of events: all of it, or the first of several objects, of which
     * {@link #event} takes the others. {@return whether it certainly is all of it}
     *
     * @throws ApiError if it is an error
     */
    boolean whole(Json reply);
    /** {@return whether the backend has said how the reply ends; only usage may follow} */
    boolean isFinished();
    /** {@return whether a stop sequence that is looked for here has come, so that nothing more is wanted} */
    boolean isStopped();
    /**
     * Ends the reply; nothing more comes.
     *
     * @throws ApiError if the backend has not finished, or finished with an error: half a reply must not look
     * whole
     */
    void finish();
    /**
     * Ends the reply as one that has reached its limit, for the backend broke it off, or never began it, for
     * that.
     */
    void endAtLimit();

    /** {@return whether the reply may be paused for searches: then the client's request is needed again} */
    default boolean maySearch() { return false; }
    /** {@return whether the reply, once finished, waits for {@link #answered}} */
    default boolean isPaused() { return false; }
    /** {@return what a search service is to be asked for, while the reply is paused} */
    default List<String> searchWords() { return List.of(); }
    /**
     * Takes the answers of the service, in the order of the words. {@return how the reply goes on; nothing
     * if it is whole}
     */
    default Optional<Continuation> answered(List<SearchAnswer> answers) {
        throw new IllegalStateException("no search was asked for");
    }

    /** {@return what is to be sent to the client now; the caller clears it} */
    JsonWriter ready();
    /** The client has the beginning of the reply from an earlier try, and nothing more: it is not written again. */
    default void resume() { }
    /** Writes a sign of life; it begins the reply, if the backend has not. */
    void ping();
    /** Ends the stream with an error event. */
    void fail(ApiError error, String requestId);

    /** {@return the error that the client gets for an error of the backend's, by its status and body} */
    ApiError error(int status, byte[] body);
    /** {@return an error of the proxy's own that names the backend} */
    ApiError broken(int status, String what);

    /**
     * {@return the backend's word for how the reply ended, cut to a length that can be shown; "" before that}
     */
    String finishReason();
    /** {@return about how many tokens of the reply have come; 0 where that is not known} */
    default long tokensSoFar() { return 0; }
    /** {@return the tokens that the reply took; none before it has ended} */
    Usage used();
}
