package anthropic;

import java.util.Comparator;
import java.util.Map;
import json.Json;
import json.JsonWriter;

/**
 * An error response to the client (Anthropic Messages, "Errors"): {@code
 * {"type":"error","error":{"type":T,"message":M},"request_id":R}}.
 * Thrown anywhere, answered in one place.
 */
public final class ApiError extends RuntimeException {
    private static final long MAX_RETRY_SECONDS = 60; // SDKs wait however long the header says
    private static final int MAX_REFUSAL = 2000; // characters
    /** The types by the status (Anthropic, "HTTP errors"; SPEC E.1). */
    private static final Map<Integer, String> TYPES = Map.of(
            401, "authentication_error", 402, "billing_error", 403, "permission_error",
            404, "not_found_error", 408, "timeout_error", 413, "request_too_large", 429, "rate_limit_error",
            499, "client_left", 504, "timeout_error", 529, "overloaded_error");

    /**
     * Where it comes from: the backend's answer, a connection that could not be made, the proxy itself,
     * or others.
     */
    public enum Origin { ANSWER, CONNECTION, PROXY, OTHER }

    private final int status;
    private String type;
    private Json details = Json.NULL; // of a backend that speaks this API
    private final String code; // details.error_code, by which SDKs choose the class of their exception; or ""
    private long retrySeconds = -1; // after which the client may retry; negative if it may choose
    private boolean isFinal; // SDKs must not retry, though they would by the status
    private boolean isPassing; // transient: a retry may help
    private boolean isAtLimit; // no failure: the reply reached the length that was asked for
    private boolean isMissingThere; // what the request is for, at that backend; another one may have it
    private Origin origin = Origin.OTHER;
    private String refusal = ""; // the backend's own words, from which something may be learned

    public ApiError(int status, String message) { this(status, "", message); }

    public ApiError(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.type = TYPES.getOrDefault(status, status >= 500 ? "api_error" : "invalid_request_error");
        this.code = code;
    }

    public int status() { return status; }

    public String type() { return type; }

    /** {@return the status that an error of that type has} */
    public static int statusOf(String type) {
        return TYPES.entrySet().stream().filter(known -> known.getValue().equals(type)).map(Map.Entry::getKey)
                .max(Comparator.naturalOrder()).orElse(type.equals("invalid_request_error") ? 400 : 500);
    }

    public boolean isFinal() { return isFinal; }
    public boolean isPassing() { return isPassing; }
    /** {@return whether this is no more than a reply that reached the length that was asked for} */
    public boolean isAtLimit() { return isAtLimit; }
    /** {@return whether that backend lacks the model, or something else that another one may have} */
    public boolean isMissingThere() { return isMissingThere; }
    public String refusal() { return refusal; }
    public Origin origin() { return origin; }
    public long retrySeconds() { return retrySeconds; }

    /** Takes over the type and the details that a backend of this API gives the error; NULL for none. */
    public ApiError as(String otherType, Json otherDetails) {
        type = otherType;
        details = otherDetails;
        return this;
    }

    public ApiError asFinal() {
        isFinal = true;
        return this;
    }

    public ApiError asPassing() {
        isPassing = true;
        return this;
    }

    public ApiError asAtLimit() {
        isAtLimit = true;
        return this;
    }

    public ApiError asMissingThere() {
        isMissingThere = true;
        return this;
    }

    public ApiError from(Origin where) {
        origin = where;
        return this;
    }

    public ApiError retryAfter(long seconds) {
        retrySeconds = Math.min(seconds, MAX_RETRY_SECONDS);
        isFinal |= seconds > MAX_RETRY_SECONDS;
        return this;
    }

    /** {@return the same error with another message} */
    public ApiError saying(String message) {
        var error = new ApiError(status, code, message);
        error.type = type;
        error.details = details;
        error.retrySeconds = retrySeconds;
        error.isFinal = isFinal;
        error.isPassing = isPassing;
        error.isMissingThere = isMissingThere;
        error.origin = origin;
        error.refusal = refusal;
        return error;
    }

    /** @param words the backend's own, from which something may be learned */
    public ApiError refusing(String words) {
        refusal = words.substring(0, Math.min(MAX_REFUSAL, words.length()));
        return this;
    }

    public JsonWriter body(String requestId) {
        var out = new JsonWriter().object().field("type", "error").name("error").object()
                .field("type", type()).field("message", getMessage());
        if (!details.isNull()) out.field("details", details);
        if (!code.isEmpty()) writeDetails(out);
        return out.endObject().field("request_id", requestId).endObject();
    }

    private void writeDetails(JsonWriter out) {
        out.name("details").object().field("error_code", code);
        boolean isOfThreads = code.equals("thread_unsupported_request");
        if (isOfThreads) out.name("unsupported").array().endArray();
        out.endObject();
    }
}
