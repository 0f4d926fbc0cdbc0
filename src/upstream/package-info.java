/**
 * The way to the backends: which of them are up, which keys they get, how a request is sent and its reply
 * comes in. It knows no client. It may use {@code translate}, {@code anthropic}, {@code config} and {@code
 * json}.
 */
package upstream;
