package translate;

import config.Secrets;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;

/**
 * The error that a backend has sent, read from JSON of any shape. It does not decide what the error means.
 *
 * <p>Shapes: OpenAI's {@code {"error":{"message":M,"type":T,"code":C}}}, FastAPI's {@code
 * {"detail":[{"msg":M}]}}, Gemini's {@code [{"error":{…}}]}, Tencent's {@code {"Response":{"Error":{"Code":C,
 * "Message":M}}}}, Naver's {@code {"status":{"message":M}}}, {@code {"error":M}}, {@code {"message":M}}, or a
 * string alone.
 *
 * @param error the object that holds the members of the error
 * @param message what the backend says, without secrets, at most {@link #MAX_CHARACTERS}
 * @param words the error's code, its type and the message, in lower case: for patterns
 * @param said the same in plain form, with one word for each name of the reply's limit
 */
record ErrorBody(Json error, String message, String words, Said said) {
    /**
     * Characters that are looked at; a backend may send a long text, and patterns take their time with
     * one.
     */
    static final int MAX_CHARACTERS = 8192;
    private static final List<String> MESSAGE_NAMES =
            List.of("message", "error", "detail", "error_message", "error_msg", "msg", "errors", "base_resp",
            "status_msg", "Message", "description", "title");
    private static final List<String> STATUS_NAMES = List.of("code", "status_code", "status", "error_code", "http_code");
    /** A status as a number or as text: {@code 429}, {@code "429"}. */
    private static final Pattern STATUS = Pattern.compile("\"?([45]\\d\\d)\"?");
    /** Words of codes and types, and the status they stand for; the first that is found counts. */
    private static final List<StatusWords> STATUS_WORDS = List.of(
            new StatusWords(429, List.of("rate_limit", "rate limit", "resource_exhausted", "too many requests",
                    "request limit reached", "requestlimit", "qps", "throttl", "限流", "流控", "频率", "频繁", "并发",
                    "请求过多")),
            new StatusWords(400, List.of("invalid_request", "invalid_argument", "badrequest")),
            new StatusWords(401, List.of("authentication", "invalid_api_key", "api key", "apikey", "unauthorized",
                    "login fail", "鉴权", "access token", "认证")),
            new StatusWords(403, List.of("permission")),
            new StatusWords(404, List.of("not_found", "notfound")),
            new StatusWords(504, List.of("timeout")));

    private record StatusWords(int status, List<String> words) { }

    static ErrorBody of(Json body, Secrets secrets) {
        Json first = body.items().isEmpty() ? body : body.items().getFirst();
        Json error = Stream.of(first.get("error"), first.get("Response").get("Error"), first.get("status"))
                .filter(Json.Obj.class::isInstance).findFirst().orElse(first);
        String ofProvider = error.get("metadata").get("raw").text(); // at OpenRouter
        String why = sentence(error.get("param"));
        String all = secrets.mask(joined(": ", Stream.of(message(error), ofProvider, why)));
        String message = beginning(all);
        Stream<Json> listed = first.get("errors").items().stream().limit(1);
        Stream<String> names = Stream.concat(Stream.of(error), listed)
                .flatMap(one -> Stream.of("code", "type", "error_type", "Code").map(one::get))
                .map(name -> beginning(name.text()));
        String words = Stream.concat(names, Stream.of(message)).collect(Collectors.joining(" "));
        return new ErrorBody(error, message, words.toLowerCase(Locale.ROOT), Said.of(words).withReplyLimits());
    }

    /** {@return the part of a text that is looked at} */
    static String beginning(String text) {
        return text.substring(0, Math.min(MAX_CHARACTERS, text.length()));
    }

    /** {@return what an error says: a string, a list of errors, or an object with a message} */
    private static String message(Json error) {
        return switch (error) {
            case Json.Obj object -> memberMessage(object);
            case Json.Arr list -> joined("; ", list.items().stream().map(ErrorBody::message));
            default -> error.text();
        };
    }

    /** {@return a parameter's name that is none, as MiMo says "Param Incorrect" and here the reason} */
    private static String sentence(Json param) {
        boolean isSentence = param.text().indexOf(' ') >= 0;
        return isSentence ? param.text() : "";
    }

    /** {@return what stands under the first of the names that says anything} */
    private static String memberMessage(Json.Obj error) {
        for (String name : MESSAGE_NAMES) {
            String message = message(error.get(name));
            if (!message.isEmpty()) return message;
        }
        return "";
    }

    private static String joined(String separator, Stream<String> texts) {
        return texts.filter(text -> !text.isEmpty()).collect(Collectors.joining(separator));
    }

    boolean says(Pattern pattern) { return pattern.matcher(words).find(); }
    boolean says(String text) { return words.contains(text); }
    boolean saysAny(List<String> texts) { return texts.stream().anyMatch(words::contains); }

    /** {@return the HTTP status that the error itself names, by its code or else by its words} */
    OptionalInt status() {
        for (String name : STATUS_NAMES) {
            Matcher matcher = STATUS.matcher(beginning(error.get(name).raw()));
            if (matcher.matches()) return OptionalInt.of(Integer.parseInt(matcher.group(1)));
        }
        return STATUS_WORDS.stream().filter(row -> saysAny(row.words))
                .mapToInt(StatusWords::status).findFirst();
    }

    /** {@return the number in a member of the error, or the other one if there is none} */
    long number(String name, long otherwise) { return error.get(name).toLong(otherwise); }
}
