/**
 * What is changed on the way: requests of the Anthropic API into OpenAI's, and replies and errors back. It
 * does no I/O and has no clock. It may use {@code anthropic}, {@code config} and {@code json}.
 *
 * <p>Of a request (README, "What becomes of each field", says what becomes of it):
 * <pre>
 *  member, by chat completions                 is written by
 *  model, max_tokens, stream, temperature,     ChatRequest, with the backend's names from Members
 *    top_p, top_k, stop_sequences, thinking,
 *    output_config, metadata, service_tier
 *  system, messages                            ChatMessages; Turns puts calls and results together
 *    of the assistant                          AssistantMessage
 *    text, image, document, other blocks       Blocks; Attachments says which images go up
 *  tools, tool_choice                          Tools; ToolSchemas for Anthropic's own,
 *                                              ToolNames for long names,
 *                                              ToolDescription for long descriptions,
 *                                              LoadedTools for those that are hidden until found
 *  a search that nobody runs                   ServerSearch: answered without a backend
 *  a search that A2o runs                      WebSearch, a function; in a history SearchedTurn, SearchResults
 *
 *  by the Responses API
 *  all but the following                       ResponsesRequest
 *  messages                                    ResponsesInput; Turns and Blocks as above
 *    of the assistant                          AssistantItems; Envelope opens signatures
 * </pre>
 * For backends of Anthropic's own API nothing is translated: NativeConversation hands on, NativeRequest takes
 * out of a history what only A2o understands, NativeErrors keeps errors as they are.
 *
 * <p>Which API, and what else a backend takes: Dialect, by the rows of Dialects and by what refusals have taught
 * (Lessons, MemberLessons, ResponsesLessons, ToolLessons, FileLessons, which read the words as Said, without
 * Escapes), each a Trait. Of a prompt that is too long: Overflow, OverflowCounts. What it counts: TokenEstimate, by
 * Tokens and a Calibration.
 *
 * <p>Of a reply:
 * <pre>
 *  member                                      is read by
 *  events, errors, finish_reason, usage,       ChatReply, with Finish, ChatUsage and BackendErrors;
 *    service_tier, stop_reason                 ChunkTemplate where only the text of a chunk is new
 *  delta, message                              ChatPieces, which makes a Piece of each thing in it
 *  events and items of the Responses API       ResponsesReply, with Searches and Envelope; EventTemplate where
 *                                              only the text of an event is new
 *                                              and is put together by
 *  pieces                                      Reply: blocks, their order, stop_reason, usage
 *    text                                      Prefill, then TextFilter: thinking in tags, stop sequences,
 *                                              prose around JSON
 *    calls                                     ToolCalls; CallFinder says whose a piece is, Arguments
 *                                              mends the input
 *    what the backend wants back               Opaque: kept in signatures
 *    calls of a search that A2o runs           SearchCalls, with DomainFilter; SearchPause waits for
 *                                              SearchAnswers and goes on by a Continuation, whose
 *                                              request is a ContinuedRequest
 * </pre>
 */
package translate;
