/**
 * The way to the backends: which keys they get, how a request is sent and its reply comes in, and which of
 * them are up. It knows no client. It may use {@code translate}, {@code anthropic}, {@code config} and
 * {@code json}.
 *
 * <p>A key's way, from the options or from {@code serve}: {@link upstream.Credentials} decides which keys a
 * backend gets, and in which header; {@link upstream.Upstream} and {@link upstream.ModelList} put these on
 * their requests; {@link upstream.Transport} sends them as they are, and {@link upstream.Arrivals} is what
 * comes back.
 */
package upstream;
