package translate;

import anthropic.ApiError;
import config.Api;
import config.Secrets;

/**
 * What the translation of a backend's error needs to know of the request.
 *
 * @param window the model's context window in tokens; 0 if it is not known
 * @param tokens an estimate of the request's
 * @param maxTokens the longest reply asked for; 0 if there is no limit
 * @param api       by which the backend was asked
 */
record ErrorContext(String host, String model, boolean isKeyOurs, Secrets secrets, long window, long tokens,
                    long maxTokens, Api api) {
    ApiError error(int status, String message) { return new ApiError(status, host + ": " + message); }
}
