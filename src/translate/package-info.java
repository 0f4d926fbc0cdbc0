/**
 * What is changed on the way: requests of the Anthropic API into OpenAI's, and replies and errors back. It
 * does no I/O and has no clock. It may use {@code anthropic}, {@code config} and {@code json}.
 *
 * <p>Of a request (README, "What becomes of each field", says what becomes of it):
 * <pre>
 *  member                                      is written by
 *  model, max_tokens, stream, temperature,     ChatRequest, with the backend's names from Members
 *    top_p, top_k, stop_sequences, thinking,
 *    output_config, metadata, service_tier
 *  system, messages                            ChatMessages; Turns puts calls and results together
 *    of the assistant                          AssistantMessage
 *    text, image, document, other blocks       Blocks
 *  tools, tool_choice                          Tools; ToolSchemas for Anthropic's own,
 *                                              ToolNames for long names,
 *                                              LoadedTools for those that are hidden until found
 *  a search that nobody runs                   ServerSearch: answered without a backend
 * </pre>
 *
 * <p>Of a reply:
 * <pre>
 *  member                                      is read by
 *  events, errors, finish_reason, usage,       ChatReply, with Finish, ChatUsage and BackendErrors;
 *    service_tier, stop_reason                 ChunkTemplate where only the text of a chunk is new
 *  delta, message                              ChatPieces, which makes a Piece of each thing in it
 *                                              and is put together by
 *  pieces                                      Reply: blocks, their order, stop_reason, usage
 *    text                                      Prefill, then TextFilter: thinking in tags, stop sequences,
 *                                              prose around JSON
 *    calls                                     ToolCalls; CallFinder says whose a piece is, Arguments
 *                                              mends the input
 *    what the backend wants back               Opaque: kept in signatures
 * </pre>
 */
package translate;
