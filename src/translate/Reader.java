package translate;

import json.Json;
import json.SseEvent;

/** Reads the reply of a backend in its API, and hands it to {@link Reply} in pieces. */
interface Reader {
    /** Takes a whole reply, or the first of several objects. {@return whether it is a whole one for certain} */
    boolean whole(Json json);
    /** Takes an event of a stream. {@return whether nothing more is wanted} */
    boolean event(SseEvent event);
    /** {@return whether the backend has said how the reply ends; only usage may follow} */
    boolean isFinished();
    /** {@return the backend's word for how the reply ended, cut to a length that can be shown; "" before that} */
    String shownFinishReason();

    /**
     * Ends the reply.
     *
     * @throws ApiError if the backend has not finished, or finished with an error: half a reply must not
     * look whole
     */
    void finish();
    /** Ends the reply as if the backend had said so. */
    void endAs(String reason);
}
