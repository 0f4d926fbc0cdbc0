/**
 * The client's side of the wire, the Anthropic Messages API: what a request holds, how a message, an error
 * and a list of models are written. It knows no backend. It may use {@code config} and {@code json}.
 */
package anthropic;
