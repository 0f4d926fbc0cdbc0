package translate;

import anthropic.ApiError;
import anthropic.Request;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.function.LongSupplier;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/** The errors of one try, which name its backend. */
final class BackendErrors {
    private final Request request;
    private final Options options;
    private final Dialect dialect;
    private final LongSupplier window; // in tokens; 0 if it is not known
    private final LongSupplier inputTokens; // a guess

    BackendErrors(Request request, Options options, Dialect dialect, LongSupplier window, LongSupplier inputTokens) {
        this.request = request;
        this.options = options;
        this.dialect = dialect;
        this.window = window;
        this.inputTokens = inputTokens;
    }

    /** {@return the client's error for the one that a backend has answered with} */
    ApiError answered(int status, byte[] body) { return UpstreamError.of(status, body, context()); }

    /** {@return the client's error for one that a backend has sent in the place of a reply, or in mid-stream} */
    ApiError sent(Json error) { return UpstreamError.of(200, error, context()); }

    /** {@return the same, for an error that may be plain text} */
    ApiError sent(byte[] error) {
        try {
            return sent(JsonParser.parse(error));
        } catch (Json.Malformed e) {
            return sent(JsonWriter.text(new String(error, StandardCharsets.UTF_8)));
        }
    }

    /** {@return an error of the proxy's own} */
    ApiError broken(int status, String what) {
        return new ApiError(status, dialect.target().address() + ": " + what);
    }

    private ErrorContext context() {
        String model = options.routes().of(request.get("model").text()).model();
        boolean isKeyOurs = options.areKeysOurs(dialect.target());
        return new ErrorContext(dialect.target().address(), model, isKeyOurs, options.secrets(),
                window.getAsLong(), inputTokens.getAsLong(), request.get("max_tokens").toLong(0));
    }
}
