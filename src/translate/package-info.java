/**
 * What is changed on the way: requests of the Anthropic API into OpenAI's, and replies and errors back. It
 * does no I/O and has no clock. It may use {@code anthropic}, {@code config} and {@code json}.
 */
package translate;
