package translate;

import anthropic.ApiError;
import anthropic.Request;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import json.Json;
import json.JsonWriter;

/** The errors of one try, which name its backend. */
final class BackendErrors {
    private static final int UNNAMED = 200; // the status of an error in a reply whose code says none
    private static final int UNKNOWN_ERROR = 502; // the client's status for one whose words say none either
    /** Codes of the Responses API, in its events and in responses that failed. */
    private static final Map<String, Integer> STATUS_OF_CODES = Map.ofEntries(
            Map.entry("rate_limit_exceeded", 429), Map.entry("too_many_requests", 429), Map.entry("slow_down", 429),
            Map.entry("insufficient_quota", 402), Map.entry("credit_balance_exhausted", 402),
            Map.entry("server_error", 500), Map.entry("vector_store_timeout", 500),
            Map.entry("server_is_overloaded", 529),
            Map.entry("invalid_image", 400), Map.entry("invalid_image_format", 400), Map.entry("invalid_image_mode", 400),
            Map.entry("invalid_base64_image", 400), Map.entry("invalid_image_url", 400),
            Map.entry("image_too_large", 400), Map.entry("image_too_small", 400), Map.entry("image_parse_error", 400),
            Map.entry("empty_image_file", 400), Map.entry("image_file_too_large", 400),
            Map.entry("unsupported_image_media_type", 400), Map.entry("failed_to_download_image", 400),
            Map.entry("image_file_not_found", 400),
            Map.entry("invalid_prompt", 400), Map.entry("bio_policy", 400),
            Map.entry("misalignment_policy_violation", 400), Map.entry("image_content_policy_violation", 400));
    /** "Please try again in 1.5s", "in 300ms", "in 1m12.5s". */
    private static final Pattern TRY_AGAIN =
            Pattern.compile("try again in (?:(\\d{1,6})m)?(\\d{1,9}(?:\\.\\d{1,9})?) ?(ms|s)\\b");

    /** One word and nothing else: {@code ping}, {@code keep-alive}, {@code HEARTBEAT}. */
    private static final Pattern WORD = Pattern.compile("[\\p{L}_-]{1,40}");

    private final Request request;
    private final Options options;
    private final Dialect dialect;
    private final LongSupplier window; // in tokens; 0 if it is not known
    private final LongSupplier inputTokens; // a guess

    BackendErrors(Request request, Options options, Dialect dialect, LongSupplier window,
                  LongSupplier inputTokens) {
        this.request = request;
        this.options = options;
        this.dialect = dialect;
        this.window = window;
        this.inputTokens = inputTokens;
    }

    /** {@return the client's error for the one that a backend has answered with} */
    ApiError answered(int status, byte[] body) {
        return UpstreamError.of(status, body, context());
    }

    /**
     * {@return the client's error for one that a backend has sent in the place of a reply, or in mid-stream}
     */
    ApiError sent(Json error) {
        return UpstreamError.of(200, error, context());
    }

    /** {@return the same, for an error that may be plain text} */
    ApiError sent(byte[] error) { return answered(UNNAMED, error); }

    /**
     * {@return the client's error for data of a stream that is not JSON} Text is an error that the backend or a
     * gateway has sent, such as {@code 502 Bad Gateway}; what begins as JSON was truncated.
     */
    ApiError unreadable(byte[] data, Json.Malformed flaw) {
        String text = text(data);
        boolean isTruncated = text.startsWith("{") || text.startsWith("[") || text.startsWith("\"");
        return isTruncated ? broken(502, "the stream's data is " + flaw.getMessage()) : sent(data);
    }

    /**
     * {@return whether an event's data only keeps the connection open: white space, or a single word that is
     * not known to mean a failure} Such an event can be skipped without loss: if the word did mean a failure,
     * the stream ends without a finish reason, which is an error.
     */
    boolean isSignOfLife(byte[] data) { return isSignOfLife(text(data)); }

    boolean isSignOfLife(String text) {
        if (text.isBlank()) return true;
        if (!WORD.matcher(text).matches()) return false;
        boolean isKnownError = sent(JsonWriter.text(text)).status() != UNKNOWN_ERROR;
        return !isKnownError && switch (Finish.of(text)) {
            case UNKNOWN, STOP -> true;
            case LENGTH, WINDOW, REFUSAL, BUSY, FAILURE -> false;
        };
    }

    private static String text(byte[] data) { return new String(data, StandardCharsets.UTF_8).strip(); }

    /**
     * {@return the client's error for one of the Responses API that came inside a reply, after a status of
     * 200} {@code {"code":"rate_limit_exceeded","message":"Please try again in 1.5s"}}
     */
    ApiError reported(Json error) {
        int status = STATUS_OF_CODES.getOrDefault(error.get("code").text(), UNNAMED);
        ApiError told = UpstreamError.of(status, error, context());
        boolean isUnknown = told.status() == UNKNOWN_ERROR;
        if (isUnknown) told = new ApiError(500, told.getMessage()).from(told.origin()).refusing(told.refusal());
        if (told.status() == 500) told.asPassing();
        Matcher wait = TRY_AGAIN.matcher(error.get("message").text());
        boolean isLimit = told.status() == 429 && wait.find();
        return isLimit ? told.retryAfter((long) Math.ceil(seconds(wait))) : told;
    }

    private static double seconds(Matcher wait) {
        double minutes = Optional.ofNullable(wait.group(1)).map(Double::parseDouble).orElse(0.0);
        double unit = wait.group(3).equals("ms") ? 0.001 : 1;
        return minutes * 60 + Double.parseDouble(wait.group(2)) * unit;
    }

    /** {@return an error of the proxy's own} */
    ApiError broken(int status, String what) {
        return new ApiError(status, dialect.target().label() + ": " + what);
    }

    private ErrorContext context() {
        String model = options.routes().of(request.get("model").text()).model();
        boolean isKeyOurs = dialect.target().isKeyOurs();
        return new ErrorContext(dialect.target().label(), model, isKeyOurs, options.secrets(),
                window.getAsLong(), inputTokens.getAsLong(), request.get("max_tokens").toLong(0), dialect.api());
    }
}
