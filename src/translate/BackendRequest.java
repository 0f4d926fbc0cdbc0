package translate;

import json.JsonWriter;

/** The request to a backend in its API, made from the client's. */
interface BackendRequest {
    /** Writes it, a JSON object. */
    void write(JsonWriter out);
    /** {@return the beginning of the reply, which the client gave, as it is sent; "" if it gave none} */
    String prefill();
    /** {@return the tokens that the reply may take; 0 if no limit was sent} */
    long maxTokensSent();
}
