package translate;

import anthropic.ApiError;
import config.Secrets;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/** Reads the error that a backend has answered, and makes of it the one that the client gets (SPEC E.3). */
public final class UpstreamError {
    public static final String NO_HTTP_THERE = "TLS is spoken there; use https:// in --upstream";
    private static final int MAX_RAW = 8192; // bytes looked at of a reply that is not JSON
    private static final long MIN_ROOM = 1024; // tokens of a reply for which a prompt is worth another try
    private static final long MARGIN = 128; // tokens that the backend may count otherwise
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
    /** As nginx, Go's server and Apache answer plain HTTP where they speak TLS, with status 400. */
    private static final Pattern TLS_IS_SPOKEN = Pattern.compile("(?i)"
            + "plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|plain HTTP to an SSL-enabled");
    /** As A2o answers those who take it for a backend. */
    private static final Pattern IS_A2O =
            Pattern.compile("is not available on this proxy|this proxy needs its own key");

    /** What the translation of an upstream's error needs to know of the request; {@code tokens} is a guess. */
    record Context(String host, String model, boolean isKeyOurs, Secrets secrets, long window, long tokens,
                   long maxTokens) { }

    private UpstreamError() { }

    /** An error body of any shape: OpenAI's, FastAPI's, an array, plain text, HTML. */
    public static ApiError of(int status, byte[] body, Context context) {
        try {
            return of(status, JsonParser.parse(body), context);
        } catch (Json.Malformed plain) { // the beginning of the text itself is the message
            String all = context.secrets.mask(new String(body, StandardCharsets.UTF_8)).strip();
            String raw = all.substring(0, Math.min(MAX_RAW, all.length()));
            String bare = raw.replaceAll("(?s)<(style|script).*?</\\1>|<[^>]*>", " ").replaceAll("\\s+", " ").strip();
            String text = "%.200s".formatted(bare);
            boolean isElsewhere = raw.startsWith("<") && (status < 400 || status == 404 || status == 405);
            int kept = status < 400 ? 502 : status;
            String page = context.host + ": " + webPage(bare);
            if (isElsewhere) return new ApiError(kept, page).from(ApiError.Origin.ANSWER);
            boolean foreign = raw.startsWith("<") && status >= 500; // a gateway's page
            return foreign ? new ApiError(502, context.host + ": " + text).from(ApiError.Origin.ANSWER)
                    : of(status, JsonWriter.text(text), context);
        }
    }

    /**
     * An error that the upstream answered, as Anthropic's (SPEC E.3): by its words first, then by its status. With
     * status 200 the error came inside a reply, and its own code or type says the status.
     */
    static ApiError of(int status, Json body, Context context) {
        return ofAnswer(status, body, context).from(ApiError.Origin.ANSWER);
    }

    private static ApiError ofAnswer(int status, Json body, Context context) {
        Json outer = body.items().isEmpty() ? body : body.items().getFirst();
        Json error = outer.get("error") instanceof Json.Obj inner ? inner : outer;
        String raw = error.get("metadata").get("raw").text(); // where OpenRouter puts the words of the provider
        String message = context.secrets.mask(Stream.of(message(error), raw).filter(part -> !part.isEmpty())
                .collect(Collectors.joining(": ")));
        String words = Stream.of(error.get("code"), error.get("type"), error.get("error_type"), JsonWriter.text(message))
                .map(Json::text).collect(Collectors.joining(" ")).toLowerCase(Locale.ROOT);
        Optional<String> wrongAddress = wrongAddress(message);
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
                        ? at.items().stream().map(UpstreamError::message).collect(Collectors.joining("; ")) : message(at))
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

    /** {@return what is wrong with the address, if an answer in these words shows that it is no backend's} */
    static Optional<String> wrongAddress(String words) {
        if (TLS_IS_SPOKEN.matcher(words).find()) return Optional.of(NO_HTTP_THERE);
        boolean isA2o = IS_A2O.matcher(words).find();
        String advice = "that is A2o, not a backend; --upstream must be the address of what it is to ask";
        return isA2o ? Optional.of(advice) : Optional.empty();
    }

    /** {@return what a web page says that came in the place of a reply, and what that means} */
    static String webPage(String text) {
        String advice = "a web page came, not a reply; is --upstream right? its path often ends in /v1. The page: ";
        return advice + "%.120s".formatted(text);
    }
}
