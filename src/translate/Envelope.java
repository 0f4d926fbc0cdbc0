package translate;

import anthropic.Request;
import config.Target;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import json.Json;
import json.JsonWriter;

/**
 * A reasoning item of the Responses API, as the client keeps it for the backend: in the signature of its
 * thinking block, {@code a2o1.FIELD.} and in base64url {@code {"encrypted_content":E,"for":F,"phase":1}}.
 * FIELD says where the visible text stood, {@code summary} or {@code reasoning_text}; without a ciphertext
 * the signature ends there.
 *
 * @param field     FIELD; "" if the signature is none of ours
 * @param encrypted the ciphertext; "" if there is none
 * @param place     F, which backend and model can open it
 * @param hasPhases whether this backend and model are known to say the phase of each message
 */
record Envelope(String field, String encrypted, String place, boolean hasPhases) {
    static final String SUMMARY = "summary";
    static final String REASONING_TEXT = "reasoning_text";
    private static final int PLACE_CHARACTERS = 8;

    /** {@return what backend and model are called in envelopes} A backend is its URL without the API's path and query. */
    static String place(Target target, String model) {
        return Request.hash(target.base() + " " + model).substring(0, PLACE_CHARACTERS);
    }

    /** {@return whether reasoning that came under that field is of the Responses API} */
    static boolean isOfResponses(String field) { return field.equals(SUMMARY) || field.equals(REASONING_TEXT); }

    boolean isSealed() { return !encrypted.isEmpty(); }
    boolean isText() { return field.equals(REASONING_TEXT); }

    /** {@return what the signature of a thinking block, or the data of a redacted one, holds} */
    static Envelope of(Json signature) {
        Json kept = Opaque.of(signature);
        return new Envelope(Opaque.field(signature), kept.get("encrypted_content").text(), kept.get("for").text(),
                kept.get("phase").toLong(0) == 1);
    }

    Envelope withPhases(boolean areSaid) { return new Envelope(field, encrypted, place, areSaid); }

    /** {@return whether the signature holds the ciphertext; a very long one would burden every request to come} */
    boolean isKept() { return isSealed() && encrypted.length() <= Opaque.MAX_BYTES; }

    String signature() {
        String bare = Opaque.PREFIX + field;
        if (!isKept()) return bare;
        var json = new JsonWriter().object().field("encrypted_content", encrypted).field("for", place);
        if (hasPhases) json.field("phase", 1);
        byte[] bytes = json.endObject().toBytes();
        return bare + "." + new String(Base64.getUrlEncoder().withoutPadding().encode(bytes), StandardCharsets.US_ASCII);
    }
}
