import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What ends an exchange other than well: a status and a message in the client's dialect (Anthropic Messages, "Errors"):
 * {@code {"type":"error","error":{"type":T,"message":M},"request_id":R}}. Thrown anywhere, answered in one place.
 */
final class ApiError extends RuntimeException {
    private static final int MAX_TEXT = 200;
    private static final List<String> OVERFLOW = List.of("context_length_exceeded", "exceed_context_size", "maximum context length",
            "available context size", "prompt is too long", "too many tokens", "range of input length", "context window",
            "context length", "maximum number of tokens");
    private static final List<String> NO_MONEY = List.of("insufficient_quota", "exceeded your current quota", "insufficient balance",
            "insufficient_balance", "insufficient credits");
    private static final Pattern LIMIT = Pattern.compile(
            "(?:maximum context length|context size|context window|context length|limit|maximum|n_ctx|max)[^0-9]{0,40}(\\d{3,9})");
    private static final Pattern NUMBER = Pattern.compile("\\d{3,9}");

    private final int status;
    private final String type;
    private final String code; // details.error_code, or ""
    private final boolean retry; // whether SDKs may try again, where they would
    private final long retryAfter; // seconds, 0 for none

    private ApiError(int status, String type, String message, String code, boolean retry, long retryAfter) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.code = code;
        this.retry = retry;
        this.retryAfter = retryAfter;
    }

    ApiError(int status, String message) {
        this(status, type(status), message, "", true, 0);
    }

    /** With {@code details.error_code}, by which SDKs choose the class of their exception. */
    ApiError(int status, String code, String message) {
        this(status, type(status), message, code, true, 0);
    }

    int status() {
        return status;
    }

    boolean mayRetry() {
        return retry;
    }

    long retryAfter() {
        return retryAfter;
    }

    /** The same error, for a client that must not try again by itself. */
    ApiError withoutRetry() {
        return new ApiError(status, type, getMessage(), code, false, retryAfter);
    }

    /** The same error with the seconds to wait, at most a minute: SDKs obey whatever stands there. */
    ApiError withRetryAfter(long seconds) {
        return new ApiError(status, type, getMessage(), code, retry, Math.clamp(seconds, 0, 60));
    }

    Json.Writer body(String requestId) {
        var details = new Json.Writer();
        if (!code.isEmpty()) details.put(",'details':{'error_code':%%}", code, code.startsWith("thread_unsupported")
                ? new Json.Writer().put(",'unsupported':[]") : new Json.Writer());
        return new Json.Writer().put("{'type':'error','error':{'type':%,'message':%%},'request_id':%}", type, getMessage(), details, requestId);
    }

    /** The type by the status (Anthropic, "HTTP errors"; SPEC E.1). */
    private static String type(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 402 -> "billing_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 408, 504 -> "timeout_error";
            case 409 -> "conflict_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503, 529 -> "overloaded_error";
            default -> status >= 500 ? "api_error" : "invalid_request_error";
        };
    }

    /** What the translation of an upstream's error needs to know of the request. */
    record Request(String host, String model, boolean ownKey, long context, long tokens) { }

    /**
     * An error that the upstream answered, as Anthropic's (SPEC E.3): by its words first, then by its status.
     * {@code body} may have any shape: OpenAI's, FastAPI's, an array, plain text, HTML. With status 200 the error
     * came inside a reply, and its own code or type says the status.
     */
    static ApiError ofUpstream(int status, byte[] body, Request request) {
        Json error;
        try {
            error = Json.parse(body);
        } catch (Json.Malformed plain) { // not JSON: the text itself is the message
            String text = new String(body, StandardCharsets.UTF_8).replaceAll("(?s)<(style|script).*?</\\1>|<[^>]*>", " ").replaceAll("\\s+", " ").strip();
            error = Json.Str.of(text.substring(0, Math.min(MAX_TEXT, text.length())));
        }
        return ofUpstream(status, error, request);
    }

    static ApiError ofUpstream(int status, Json body, Request request) {
        Json error = body.items().isEmpty() ? body : body.items().getFirst();
        if (!error.get("error").isNull()) error = error.get("error") instanceof Json.Obj inner ? inner : error;
        String message = message(error);
        String words = "%s %s %s %s".formatted(scalar(error.get("code")), scalar(error.get("type")), scalar(error.get("error_type")), message)
                .toLowerCase(Locale.ROOT);
        if (status == 200) status = innerStatus(error, words);
        String said = "%s: %s".formatted(request.host, message.isEmpty() ? "status " + status : message);
        if (status != 429 && (OVERFLOW.stream().anyMatch(words::contains) || words.contains("input length") && words.contains("exceed"))) {
            return new ApiError(400, overflow(error, message, request));
        }
        if (status == 402 || NO_MONEY.stream().anyMatch(words::contains)) return new ApiError(402, said).withoutRetry();
        if (words.contains("overloaded")) return new ApiError(529, said);
        return switch (status) {
            case 401, 403 -> request.ownKey && !words.contains("moderation")
                    ? new ApiError(500, "%s: backend rejected the proxy's credentials".formatted(request.host)).withoutRetry()
                    : new ApiError(status, said);
            case 404 -> new ApiError(404, words.contains("model") ? "model: %s (%s)".formatted(request.model, said) : said);
            case 408, 413, 429, 504 -> new ApiError(status, said);
            case 409, 502, 503, 529 -> new ApiError(529, said);
            default -> new ApiError(status >= 500 ? 500 : status >= 400 ? 400 : 502, said);
        };
    }

    private static String message(Json error) {
        for (String name : List.of("message", "error", "detail", "error_message", "msg", "errors")) {
            Json found = error.get(name);
            if (found.hasText()) return found.text();
            String joined = String.join("; ", found.items().stream().map(item -> item.hasText() ? item.text() : message(item))
                    .filter(text -> !text.isEmpty()).toList());
            if (!joined.isEmpty()) return joined;
        }
        return error.text();
    }

    private static String scalar(Json value) {
        return value instanceof Json.Num ? value.raw() : value.text();
    }

    private static int innerStatus(Json error, String words) {
        for (String name : List.of("code", "status_code", "status")) {
            long code = error.get(name) instanceof Json.Str text && text.text().matches("\\d{3}") ? Long.parseLong(text.text()) : error.get(name).toLong(0);
            if (code >= 400 && code < 600) return (int) code;
        }
        return words.contains("rate_limit") || words.contains("resource_exhausted") ? 429
                : words.contains("invalid_request") || words.contains("invalid_argument") || words.contains("badrequest") ? 400
                : words.contains("authentication") || words.contains("invalid_api_key") ? 401
                : words.contains("permission") ? 403
                : words.contains("not_found") || words.contains("notfound") ? 404
                : words.contains("timeout") ? 504 : 0;
    }

    /** Clients compact the conversation when they read {@code prompt is too long: N tokens > M maximum}. */
    private static String overflow(Json error, String message, Request request) {
        long tokens = error.get("n_prompt_tokens").toLong(0);
        long limit = error.get("n_ctx").toLong(0);
        String plain = message.replaceAll("(?<=\\d),(?=\\d{3})", "");
        Matcher named = LIMIT.matcher(plain.toLowerCase(Locale.ROOT));
        if (limit == 0) limit = named.find() ? Long.parseLong(named.group(1)) : request.context;
        for (Matcher number = NUMBER.matcher(plain); error.get("n_prompt_tokens").isNull() && number.find(); ) {
            tokens = Math.max(tokens, Long.parseLong(number.group()));
        }
        if (limit == 0) return "prompt is too long: %s: %s".formatted(request.host, message);
        return "prompt is too long: %d tokens > %d maximum".formatted(tokens > limit ? tokens : Math.max(request.tokens, limit + 1), limit);
    }
}
