package translate;

import anthropic.ApiError;
import config.Api;
import config.Options;
import json.Json;
import json.JsonParser;

/**
 * The errors of a backend of Anthropic's API: status, type and words stay, {@code
 * {"type":"error","error":{"type":T,"message":M}}}. What has another shape is read as any backend's.
 *
 * <p>Source: Anthropic, "Errors".
 */
final class NativeErrors {
    private final Options options;
    private final Dialect dialect;
    private final String model;

    NativeErrors(Options options, Dialect dialect, String model) {
        this.options = options;
        this.dialect = dialect;
        this.model = model;
    }

    ApiError answered(int status, byte[] body) {
        try {
            Json json = JsonParser.parse(body);
            if (isAnthropics(json)) return of(status, json);
        } catch (Json.Malformed e) {
            // it is read as text below
        }
        return UpstreamError.of(status, body, context());
    }

    /** {@return the error in an event, or in the place of a whole reply; its type says the status} */
    ApiError sent(Json error) {
        if (isAnthropics(error)) return of(ApiError.statusOf(error.get("error").get("type").text()), error);
        return UpstreamError.of(200, error, context());
    }

    private static boolean isAnthropics(Json body) {
        return body.get("type").is("error") && body.get("error").get("type").hasText();
    }

    private ApiError of(int status, Json body) {
        boolean isAboutKey = status == 401 || status == 403;
        if (isAboutKey && context().isKeyOurs()) return UpstreamError.of(status, body, context());
        Json said = body.get("error");
        ApiError error = new ApiError(status, said.get("message").text())
                .as(said.get("type").text(), said.get("details")).from(ApiError.Origin.ANSWER);
        if (UnknownModel.isIn(ErrorBody.of(body, options.secrets()), status)) return error.asMissingThere();
        return switch (status) {
            case 409, 502, 503, 504, 529 -> error.asPassing();
            default -> error;
        };
    }

    /** {@return an error of the proxy's own} */
    ApiError broken(int status, String what) { return context().error(status, what); }

    private ErrorContext context() {
        return new ErrorContext(dialect.target().label(), model, dialect.target().isKeyOurs(),
                options.secrets(), 0, 0, 0, Api.MESSAGES);
    }
}
