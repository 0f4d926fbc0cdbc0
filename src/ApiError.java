import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What ends an exchange other than well: a status and a message in the client's dialect (Anthropic Messages, "Errors"):
 * {@code {"type":"error","error":{"type":T,"message":M},"request_id":R}}. Thrown anywhere, answered in one place.
 */
final class ApiError extends RuntimeException {
    private static final int MAX_RAW = 8192; // bytes looked at of a reply that is not JSON
    private static final long MIN_ROOM = 1024; // tokens of a reply for which a prompt is worth another try
    private static final long MARGIN = 128; // tokens that the backend may count otherwise
    private static final long MAX_RETRY_SECONDS = 60; // SDKs obey whatever stands there
    private static final Pattern OVERFLOW = Pattern.compile(("NOUN.{0,200}MORE|MORE.{0,200}NOUN|too many tokens"
            + "|prompt is too long|range of input length|maximum number of tokens|input length.*exceed")
            .replace("NOUN", "context[_ ](?:length|size|window)")
            .replace("MORE", "(?:exceed|maximum|too (?:long|large|big)|limit|larger|longer|greater)"), Pattern.DOTALL);
    /** The reply is to be longer, as in "Could not finish the message because max_tokens … was reached". */
    private static final Pattern AT_LIMIT = Pattern.compile("max_\\w*tokens.{0,60}\\breached"
            + "|output (?:token )?limit.{0,20}\\breached"
            + "|reached.{0,40}(?:max_\\w*tokens|output (?:token )?limit)"
            + "|(?:could not|unable to|cannot|failed to) (?:finish|complete) .{0,60}max_\\w*tokens",
            Pattern.DOTALL);
    private static final Pattern PROMPT = Pattern.compile("(\\d{1,9}) (?:in the messages|of text input|input tokens)");
    private static final Pattern LIMIT = Pattern.compile(
            "(?:(?:limit|maximum|context (?:length|size|window))\\D{0,40}|> )(\\d{3,9})");
    private static final Pattern NUMBER = Pattern.compile("(?<!\\d)(\\d{3,9})(?!\\d)");

    /** The types by the status (Anthropic, "HTTP errors"; SPEC E.1). */
    private static final Map<Integer, String> TYPES = Map.of(401, "authentication_error", 402, "billing_error",
            403, "permission_error", 404, "not_found_error", 408, "timeout_error", 413, "request_too_large",
            429, "rate_limit_error", 499, "client_left", 504, "timeout_error", 529, "overloaded_error");

    /** What the translation of an upstream's error needs to know of the request; {@code tokens} is a guess. */
    record Context(String host, String model, boolean isKeyOurs, Secrets secrets, long window, long tokens,
                   long maxTokens) { }

    /** Where it comes from: the backend's answer, a connection that could not be made, the proxy itself, or else. */
    enum Origin { ANSWER, CONNECTION, PROXY, OTHER }

    private final int status;
    private final String code; // details.error_code, by which SDKs choose the class of their exception; or ""
    private long retrySeconds = -1; // if the client may choose
    private boolean isFinal; // whether SDKs must not try again where they would
    private boolean isPassing; // whether to try again soon may help
    private boolean isAtLimit; // whether only the reply reached the length asked for
    private Origin origin = Origin.OTHER;
    private String refusal = ""; // the backend's own words, from which something may be learned

    ApiError(int status, String message) { this(status, "", message); }

    ApiError(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    int status() { return status; }
    String type() { return TYPES.getOrDefault(status, status >= 500 ? "api_error" : "invalid_request_error"); }
    boolean isFinal() { return isFinal; }
    boolean isPassing() { return isPassing; }
    /** {@return whether this is no more than a reply that reached the length that was asked for} */
    boolean isAtLimit() { return isAtLimit; }
    String refusal() { return refusal; }
    Origin origin() { return origin; }
    long retrySeconds() { return retrySeconds; }

    ApiError asFinal() {
        isFinal = true;
        return this;
    }

    ApiError asPassing() {
        isPassing = true;
        return this;
    }

    private ApiError asAtLimit() {
        isAtLimit = true;
        return this;
    }

    ApiError from(Origin where) {
        origin = where;
        return this;
    }

    ApiError retryAfter(long seconds) {
        retrySeconds = Math.min(seconds, MAX_RETRY_SECONDS);
        isFinal |= seconds > MAX_RETRY_SECONDS;
        return this;
    }

    /** {@return the same error with another message} */
    ApiError saying(String message) {
        var error = new ApiError(status, code, message);
        error.retrySeconds = retrySeconds;
        error.isFinal = isFinal;
        error.isPassing = isPassing;
        error.origin = origin;
        error.refusal = refusal;
        return error;
    }

    private ApiError refusing(String words) {
        refusal = "%.2000s".formatted(words); // or patterns would take their time
        return this;
    }

    Json.Writer body(String requestId) {
        var out = new Json.Writer().put("{'type':'error','error':{'type':%,'message':%", type(), getMessage());
        String list = code.startsWith("thread_un") ? ",'unsupported':[]}" : "}";
        if (!code.isEmpty()) out.put(",'details':{'error_code':%", code).put(list);
        return out.put("},'request_id':%}", requestId);
    }

    /** An error body of any shape: OpenAI's, FastAPI's, an array, plain text, HTML. */
    static ApiError ofUpstream(int status, byte[] body, Context context) {
        try {
            return ofUpstream(status, Json.parse(body), context);
        } catch (Json.Malformed plain) { // the beginning of the text itself is the message
            String all = context.secrets.mask(new String(body, StandardCharsets.UTF_8)).strip();
            String raw = all.substring(0, Math.min(MAX_RAW, all.length()));
            String bare = raw.replaceAll("(?s)<(style|script).*?</\\1>|<[^>]*>", " ").replaceAll("\\s+", " ").strip();
            String text = "%.200s".formatted(bare);
            boolean isElsewhere = raw.startsWith("<") && (status < 400 || status == 404 || status == 405);
            int kept = status < 400 ? 502 : status;
            String page = context.host + ": " + ConnectionHelp.webPage(bare);
            if (isElsewhere) return new ApiError(kept, page).from(Origin.ANSWER);
            boolean foreign = raw.startsWith("<") && status >= 500; // a gateway's page
            return foreign ? new ApiError(502, context.host + ": " + text).from(Origin.ANSWER)
                    : ofUpstream(status, Json.Str.of(text), context);
        }
    }

    /**
     * An error that the upstream answered, as Anthropic's (SPEC E.3): by its words first, then by its status. With
     * status 200 the error came inside a reply, and its own code or type says the status.
     */
    static ApiError ofUpstream(int status, Json body, Context context) {
        return ofAnswer(status, body, context).from(Origin.ANSWER);
    }

    private static ApiError ofAnswer(int status, Json body, Context context) {
        Json outer = body.items().isEmpty() ? body : body.items().getFirst();
        Json error = outer.get("error") instanceof Json.Obj inner ? inner : outer;
        String raw = error.get("metadata").get("raw").text(); // where OpenRouter puts the words of the provider
        String message = context.secrets.mask(Stream.of(message(error), raw).filter(part -> !part.isEmpty())
                .collect(Collectors.joining(": ")));
        String words = Stream.of(error.get("code"), error.get("type"), error.get("error_type"), Json.Str.of(message))
                .map(Json::text).collect(Collectors.joining(" ")).toLowerCase(Locale.ROOT);
        Optional<String> wrongAddress = ConnectionHelp.wrongAddress(message);
        if (wrongAddress.isPresent()) return new ApiError(502, context.host + ": " + wrongAddress.get());
        int said = status == 200 ? innerStatus(error, words) : status;
        String shown = !message.isEmpty() ? message : said == 0 ? "not a reply" : "status " + said;
        String text = context.host + ": " + shown;
        boolean isLimit = words.matches("(?s).*max_(\\w+_)?tokens\\W* must be.*"); // of the reply alone
        boolean isCode = words.contains("context_length_exceeded") || words.contains("exceed_context_size");
        boolean maySay = !isLimit && List.of(0, 400, 413, 422).contains(said);
        if (isCode || maySay && OVERFLOW.matcher(words).find()) return overflow(error, message, context);
        boolean isReply = List.of(0, 400, 422).contains(said) && AT_LIMIT.matcher(words).find();
        if (isReply) return new ApiError(400, text).asAtLimit();
        boolean unpaid = words.matches("(?s).*(insufficient[_ ](quota|balance|credits)|exceeded your current quota).*");
        if (unpaid || said == 402) return new ApiError(402, text).asFinal();
        boolean isBusy = words.contains("overloaded") && (said == 0 || said == 429 || said >= 500);
        if (isBusy) return new ApiError(529, text).asPassing();
        return switch (said) {
            case 401, 403 -> !context.isKeyOurs || words.contains("moderation") ? new ApiError(said, text)
                    : new ApiError(500, context.host + ": backend rejected the proxy's credentials").asFinal();
            case 404 -> new ApiError(404, words.contains("model") ? "model: " + context.model + ", " + text : text)
                    .refusing(body.raw());
            case 408, 413, 429 -> new ApiError(said, text);
            case 409, 502, 503, 504, 529 -> new ApiError(said == 504 ? 504 : 529, text).asPassing();
            default -> new ApiError(said >= 500 ? 500 : said >= 400 ? 400 : 502, text)
                    .refusing(said < 500 || words.matches("(?s).*(not supported|input should be).*") ? body.raw() : "");
        };
    }

    private static String message(Json error) {
        return Stream.of("message", "error", "detail", "error_message", "msg", "errors").map(error::get)
                .filter(at -> !at.isNull()).map(at -> at instanceof Json.Arr
                        ? at.items().stream().map(ApiError::message).collect(Collectors.joining("; ")) : message(at))
                .filter(text -> !text.isEmpty()).findFirst().orElse(error.text());
    }

    /** {@return the status that the error's own code says, a number or its text, else its words; 0 if none does} */
    private static int innerStatus(Json error, String words) {
        for (String name : List.of("code", "status_code", "status")) {
            String code = error.get(name).raw().replace("\"", "");
            if (code.matches("[45]\\d\\d")) return Integer.parseInt(code);
        }
        return words.matches("(?s).*(rate_limit|resource_exhausted).*") ? 429
                : words.matches("(?s).*(invalid_(request|argument)|badrequest).*") ? 400
                : words.matches("(?s).*(authentication|invalid_api_key).*") ? 401 : words.contains("permission") ? 403
                : words.matches("(?s).*not_?found.*") ? 404 : words.contains("timeout") ? 504 : 0;
    }

    /** Clients compact the conversation when they read the one message, and ask for less when they read the other. */
    private static ApiError overflow(Json error, String message, Context context) {
        String plain = message.replaceAll("(?<=\\d),(?=\\d{3})", "").toLowerCase(Locale.ROOT);
        long limit = error.get("n_ctx").toLong(numbers(LIMIT, plain).findFirst().orElse(context.window));
        long prompt = numbers(PROMPT, plain).findFirst().orElse(limit);
        long tokens = error.get("n_prompt_tokens").toLong(numbers(NUMBER, plain).max().orElse(0));
        if (limit == 0) return new ApiError(400, "prompt is too long: %s: %s".formatted(context.host, message));
        String both = "input length and `max_tokens` exceed context limit: %d + %d > %d";
        long room = limit - prompt - MARGIN;
        String less = room < MIN_ROOM ? "" : "max_tokens is too large; this once at most %d".formatted(room);
        if (prompt < limit) return new ApiError(400, both.formatted(prompt, context.maxTokens, limit)).refusing(less);
        if (tokens <= limit) tokens = Math.max(context.tokens, limit + 1);
        return new ApiError(400, "prompt is too long: %d tokens > %d maximum".formatted(tokens, limit));
    }

    private static LongStream numbers(Pattern pattern, String text) {
        return pattern.matcher(text).results().mapToLong(found -> Long.parseLong(found.group(1)));
    }
}
