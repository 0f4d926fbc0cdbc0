package translate;

import anthropic.ApiError;
import config.Api;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * Turns the error that a backend has answered into the client's (SPEC E.3): by its words first, then by
 * its status. {@link ErrorBody} reads it, {@link Overflow} knows those of the context window.
 */
public final class UpstreamError {
    public static final String NO_HTTP_THERE = "TLS is spoken there; use https:// in --upstream";
    private static final String NOT_A_BACKEND =
            "that is A2o, not a backend; --upstream must be the address of what it is to ask";
    private static final int MAX_SHOWN = 200; // characters of a text that is not JSON
    private static final int MAX_PAGE_SHOWN = 120; // characters of a web page
    private static final int IN_A_REPLY = 200; // the status of an error inside a reply, if it names none

    /** As in "Could not finish the message because max_tokens or model output limit was reached". */
    private static final Pattern REPLY_REACHED_ITS_LENGTH = Pattern.compile(
            "max_\\w{0,40}tokens.{0,60}\\breached|output (?:token )?limit.{0,20}\\breached"
            + "|reached.{0,40}(?:max_\\w{0,40}tokens|output (?:token )?limit)"
            + "|(?:could not|unable to|cannot|failed to) (?:finish|complete) .{0,60}max_\\w{0,40}tokens",
            Pattern.DOTALL);
    /** Codes of OpenAI and others, and "You exceeded your current quota", "Insufficient Balance". */
    private static final List<String> UNPAID = List.of("insufficient_quota", "insufficient quota",
            "insufficient_balance", "insufficient balance", "insufficient_credits", "insufficient credits",
            "exceeded your current quota", "余额不足", "欠费", "in arrears", "arrearage", "not enough credit",
            "not enough balance", "payment required", "account balance", "overdue");
    /** As Gemini says, of a quota that fills again: "Please retry in 34s". */
    private static final List<String> TELLS_WHEN = List.of("retry in ", "try again in ", "retry after ");
    /** As Groq says where the model's call of a tool is no JSON: the next one may be. */
    private static final List<String> CALL_IS_BAD = List.of("tool_use_failed", "failed to call a function");
    /** As nginx, Go's server and Apache answer plain HTTP where they speak TLS, with status 400. */
    private static final List<String> TLS_IS_SPOKEN = List.of("plain http request was sent to https port",
            "http request to an https server", "plain http to an ssl-enabled");
    /** As A2o answers a client that takes it for a backend. */
    private static final List<String> IS_A2O =
            List.of("is not available on this proxy", "this proxy needs its own key");

    /** What is no text in a page: {@code <style>p { color: red }</style>}, also if the end is missing. */
    private static final Pattern STYLE_OR_SCRIPT = Pattern.compile("(?s)<(style|script).*?(?:</\\1>|\\z)");
    private static final Pattern TAG = Pattern.compile("<[^<>]*+>");
    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+");

    private UpstreamError() { }

    /** {@return the error in a body of any shape: JSON, plain text, a web page} */
    public static ApiError of(int status, byte[] body, ErrorContext context) {
        Json json;
        try {
            json = JsonParser.parse(body);
        } catch (Json.Malformed e) { // then it is text
            return ofText(status, body, context);
        }
        return of(status, json, context);
    }

    /** {@return the error of JSON} A status of 200 means that it came inside a reply. */
    static ApiError of(int status, Json body, ErrorContext context) {
        ErrorBody said = ErrorBody.of(body, context.secrets());
        int meant = status == IN_A_REPLY ? said.status().orElse(IN_A_REPLY) : status;
        ApiError error = wrongAddress(said, context)
                .or(() -> byWords(meant, said, context))
                .orElseGet(() -> byStatus(meant, said, body, context));
        return error.from(ApiError.Origin.ANSWER);
    }

    private static ApiError ofText(int status, byte[] body, ErrorContext context) {
        String all = context.secrets().mask(new String(body, StandardCharsets.UTF_8)).strip();
        String raw = ErrorBody.beginning(all);
        String withoutStyle = STYLE_OR_SCRIPT.matcher(raw).replaceAll(" ");
        String withoutTags = TAG.matcher(withoutStyle).replaceAll(" ");
        String text = WHITE_SPACE.matcher(withoutTags).replaceAll(" ").strip();
        if (raw.startsWith("<")) {
            Optional<ApiError> page = ofPage(status, text, context);
            if (page.isPresent()) return page.get().from(ApiError.Origin.ANSWER);
        }
        return of(status, JsonWriter.text(cut(text, MAX_SHOWN)), context);
    }

    /** {@return the error that a web page stands for; none where its status says more, such as 413} */
    private static Optional<ApiError> ofPage(int status, String text, ErrorContext context) {
        String gateway = cut(text, MAX_SHOWN);
        return switch (status) {
            case 404, 405 -> Optional.of(context.error(status, notABackend(text)).refusing(missingRoute(context)));
            case 501 -> Optional.of(context.error(502, gateway).refusing(missingRoute(context)));
            case 502, 503, 504, 520, 521, 522, 523, 524 -> Optional.of(context.error(502, gateway).asPassing());
            default -> {
                if (status < 400) yield Optional.of(context.error(502, notABackend(text)));
                if (status < 500) yield Optional.empty();
                yield Optional.of(context.error(502, gateway));
            }
        };
    }

    /** {@return what is to be learned of a page in the place of the API's path} */
    private static String missingRoute(ErrorContext context) {
        return context.api() == Api.RESPONSES ? ResponsesLessons.noRoute("") : "";
    }

    private static String notABackend(String page) {
        return "a web page came, not a reply; is --upstream right? its path often ends in /v1. The page: "
                + cut(page, MAX_PAGE_SHOWN);
    }

    private static String cut(String text, int most) {
        return text.substring(0, Math.min(most, text.length()));
    }

    /** {@return the error, if what answers is no backend} */
    private static Optional<ApiError> wrongAddress(ErrorBody said, ErrorContext context) {
        if (said.saysAny(TLS_IS_SPOKEN)) return Optional.of(context.error(502, NO_HTTP_THERE));
        if (said.saysAny(IS_A2O)) return Optional.of(context.error(502, NOT_A_BACKEND));
        return Optional.empty();
    }

    /** {@return the error, if the backend's words say more than its status} */
    private static Optional<ApiError> byWords(int status, ErrorBody said, ErrorContext context) {
        if (Overflow.isIn(said, status, context.maxTokens())) return Optional.of(Overflow.error(said, context));
        String text = shown(status, said);
        boolean maySayLength = status == IN_A_REPLY || status == 400 || status == 422;
        boolean isOfReply = maySayLength && said.says(REPLY_REACHED_ITS_LENGTH);
        if (isOfReply) return Optional.of(context.error(400, text).asAtLimit());
        boolean isBadCall = said.saysAny(CALL_IS_BAD);
        if (isBadCall) return Optional.of(context.error(529, text).asPassing());
        boolean isFilledAgain = status == 429 && said.saysAny(TELLS_WHEN);
        boolean isUnpaid = status == 402 || said.saysAny(UNPAID) && !isFilledAgain;
        if (isUnpaid) return Optional.of(context.error(402, text).asFinal());
        boolean maySayBusy = status == IN_A_REPLY || status == 429 || status >= 500;
        boolean isBusy = maySayBusy && said.says("overloaded");
        if (isBusy) return Optional.of(context.error(529, text).asPassing());
        return Optional.empty();
    }

    private static ApiError byStatus(int status, ErrorBody said, Json body, ErrorContext context) {
        String text = shown(status, said);
        if (isNoRoute(status, said, context)) {
            return context.error(status == 404 ? status : general(status), text)
                    .refusing(ResponsesLessons.noRoute(body.raw()));
        }
        if (UnknownModel.isIn(said, status)) return noSuchModel(text, context).refusing(body.raw());
        return switch (status) {
            case 401 -> denied(status, said, text, context);
            case 403 -> denied(status, said, text, context).refusing(body.raw());
            case 404 -> context.error(404, text).refusing(body.raw());
            case 408, 429 -> context.error(status, text);
            case 413 -> context.error(status, text).refusing(body.raw());
            // 520 to 524 are Cloudflare's: the server behind it is down, cannot be reached, or says nothing
            case 409, 502, 503, 520, 521, 522, 523, 529 -> context.error(529, text).asPassing();
            case 504, 524 -> context.error(504, text).asPassing();
            default -> context.error(general(status), text).refusing(body.raw());
        };
    }

    /** {@return whether the backend has no such path: what it misses is neither a model nor an item of the input} */
    private static boolean isNoRoute(int status, ErrorBody said, ErrorContext context) {
        boolean maySay = status == 404 || status == 405 || status == 501;
        boolean isOther = said.says("model") || said.says("item with id");
        return context.api() == Api.RESPONSES && maySay && !isOther;
    }

    /** {@return the status that stands for others of its class; 502 for what is no error's} */
    private static int general(int status) {
        if (status >= 500) return 500;
        return status >= 400 ? 400 : 502;
    }

    /** {@return the backend's message, or what is known without one} */
    private static String shown(int status, ErrorBody said) {
        if (!said.message().isEmpty()) return said.message();
        return status == IN_A_REPLY ? "not a reply" : "status " + status;
    }

    /** A client may mend its own key; of the operator's key it is told no more than this. */
    private static ApiError denied(int status, ErrorBody said, String text, ErrorContext context) {
        boolean isOurs = context.isKeyOurs() && !said.says("moderation");
        if (isOurs) return context.error(500, "backend rejected the proxy's credentials").asFinal();
        return context.error(status, text);
    }

    /** Clients know a wrong model by the words {@code model: X}. */
    private static ApiError noSuchModel(String text, ErrorContext context) {
        return new ApiError(404, "model: %s, %s: %s".formatted(context.model(), context.host(), text))
                .asMissingThere();
    }
}
