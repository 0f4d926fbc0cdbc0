/**
 * The server: who may come in and what they get. It may use all other packages that have a name.
 *
 * <p>A request's way: {@link serve.ClientThreads} gives it a thread; {@link serve.Proxy} turns exceptions
 * into answers; {@link serve.Framing} and {@link serve.Gate} refuse what must not come in; {@link
 * serve.Routes} finds who answers. A message is read by {@link serve.Body} and becomes an {@link
 * serve.Exchange}, which makes one {@link serve.Attempt} after the other, at the backends that {@link
 * serve.Candidates} names. By which options all that is done, {@link serve.Serving} says. Of what the
 * backend sends, {@link serve.ReplySource} hands on the bytes and waits for more, and {@link
 * serve.ClientStream} decides what the client is sent and when. {@link serve.Outcome} is counted by {@link
 * serve.Counters} and logged; {@link serve.Metrics} writes the counts for Prometheus.
 *
 * <p>A client's key goes the same way: {@link serve.Gate} alone reads it off the headers; {@link
 * serve.Messages} hands it to the {@link serve.Exchange}, whose {@link serve.ClientRequest} keeps it for
 * each {@link serve.Attempt}, which gives it to {@link upstream.Upstream}. {@link serve.Routes} gives it to
 * {@link upstream.ModelList}. Texts for the log, for pages and in errors pass {@code config.Secrets}, which
 * masks it.
 *
 * <h2>What clients meet</h2>
 * The client's key (x-api-key or Authorization: Bearer) is sent on as Authorization: Bearer, unless
 * --upstream-key replaces it or --auth-key says that it is A2o's own; the first line that A2o prints says
 * which key the backend gets. An OPENAI_API_KEY in the environment is sent to OpenAI and Azure alone. A key
 * that begins with sk-ant- is sent to Anthropic's hosts alone, wherever it comes from: a Claude Code that
 * is logged in sends its token by itself. Of the client's other headers traceparent and tracestate are sent
 * on, what --header-through names, and to a backend of Anthropic's own API anthropic-version and
 * anthropic-beta. Give secrets by environment: a command line can be seen by others.
 *
 * <p>A2o answers POST /v1/messages and /v1/messages/count_tokens, GET /v1/models (all backends', and the
 * names of --map and --model; those that do not begin with claude or anthropic, which alone Claude Code
 * shows, as anthropic/NAME, which is taken off again in requests) and /v1/models/NAME for each name that it
 * serves (these also without /v1, below /anthropic, and with a slash too many), GET /health, /ready,
 * /status.json, /metrics, / (a page for browsers), and /api/hello for those who knock; all else is a 404. A
 * stream is answered when the backend has said something that means a reply: until then an error is a real
 * status, after it an error event, never a silent end. After ten seconds of silence the client gets pings,
 * in pairs. A request waits at most --timeout for a silent backend, one for a whole reply no longer than
 * its client does (x-stainless-timeout, which Anthropic's SDKs send). A client that reads nothing for
 * --timeout is cut off.
 *
 * <p>When a client leaves, its request at the backend is cancelled: on Linux after two to four seconds,
 * elsewhere a stream with the next pings and a request for a whole reply not before the backend answers.
 * Such requests get three quarters of --max-connections at most, so that streams go on.
 *
 * <p>A signal (TERM, INT) stops A2o within 30 seconds; a second one at once. First /ready is 503, and each
 * answer closes its connection: for 5 seconds where /ready has been asked for in the last minute, else for
 * half a second. Then A2o takes no new connections, and ends when the last exchange has. A balancer that
 * asks for /ready every second or two loses no request in a rolling restart.
 *
 * <h2>When a backend fails</h2>
 * A2o retries only as long as nothing of a reply has been sent to the client.
 * <pre>
 *  what happens                    what A2o does
 *  connection reset, 502, 503,     tries again after a while, twice at most
 *  504, 520 to 524, 529; 429 with
 *  a retry-after of 5 s or less
 *  no connection: refused, or      does not try that backend again
 *  nothing answers for 8 s
 *  several --upstream: no          sets that one aside for 1 s, then 2, 4 … 60 s, and tries the next; the
 *  connection, 5xx, 429            client sees the last error that a backend answered, and only where none
 *                                  has answered that there was no connection
 *  4xx or 500 about something      leaves it out, renames, lowers or raises it, and sends again, 16 times at
 *  that A2o sent, in whatever      most; what helped is remembered for that backend and model until A2o is
 *  words, also several things at   restarted, logged once, and shown on the page; what did not help is not
 *  once, also after a ping: the    remembered
 *  name of max_tokens, a limit,
 *  temperature, reasoning_effort
 *  and its values, thinking,
 *  response_format, tool_choice,
 *  stop, the ids of calls,
 *  reasoning refused or required
 *  in the history, system
 *  messages, streams, images or
 *  PDFs …
 *  it refuses one image or PDF,    leaves that one out, with a line of text in its place: the newest ones
 *  such as one that is damaged,    first, each alone, then all new ones, then all; what helped is remembered
 *  too large or locked             for this very file, and others go up as before
 *  it takes only so many images,   sends the newest ones
 *  in a request or a message
 *  a tool's schema is refused      sends all tools with plain schemas: type, properties, required, items,
 *                                  enum, description; a tool that is named and still refused is left out, and
 *                                  so are the last ones where there are too many; what is too long of a
 *                                  description goes into the system prompt. x-proxy-warnings says so:
 *                                  tool_schemas_plain, tool_refused, too_many_tools, tool_description_cut
 *  400: the reply cannot be        an empty reply that ends as max_tokens
 *  finished within so few
 *  max_tokens, as when Claude
 *  Code tries out /model NAME
 *  the prompt fits into the        asks once more for a reply as long as there is room; where the backend
 *  context window, but not         does not count the prompt (vLLM from 0.12 on), by A2o's own estimate
 *  together with max_tokens
 *  the context window is full,     400 prompt is too long: N tokens &gt; M maximum: Claude Code compacts
 *  whatever the status
 *  no credit, quota used up        402, x-should-retry: false
 *  A2o's own key is refused        500, x-should-retry: false, so that no client asks its user to log in
 *  the backend's rate limits       the same as anthropic-ratelimit-…; retry-after, 60 s at most, also from a
 *  (x-ratelimit-…)                 date, retry-after-ms, or "try again in 1.5s"
 * </pre>
 *
 * <h2>The names in the log and in /metrics</h2>
 * With --log-format json each line of the log is an object: timestamp, severity_text, body (the line as it is
 * in text), and of an exchange the members below, by OpenTelemetry's semantic conventions for generative AI
 * where these have a name. Times are in seconds.
 * <pre>
 *  what                            member of the log, then metric
 *  model asked for, model sent     a2o.asked.model, gen_ai.request.model; label model is the one sent
 *  backend                         gen_ai.provider.name, server.address, server.port, a2o.upstream.name;
 *                                  label upstream
 *  client's name, request's id,    a2o.client.name, a2o.request.id, trace_id, span_id; label client
 *  trace
 *  of a request that no backend    client.address, http.request.method, url.path
 *  was asked for: the client's
 *  address, method, path
 *  status, error                   http.response.status_code, error.type, a2o.error.message; label status
 *  stop reason                     gen_ai.response.finish_reasons
 *  duration (OpenTelemetry:        a2o.duration; a2o_request_duration_seconds
 *  gen_ai.server.request.duration)
 *  of that in the queue            a2o.queue.duration; a2o_queue_wait_seconds
 *  time to the first token (…      gen_ai.response.time_to_first_chunk; a2o_time_to_first_token_seconds
 *  gen_ai.server.time_to_first_token)
 *  time per token after it (…      a2o.output_tokens_per_second; a2o_time_per_output_token_seconds
 *  gen_ai.server.time_per_output_token)
 *  tokens (…                       gen_ai.usage.input_tokens (all), gen_ai.usage.cache_read.input_tokens,
 *  gen_ai.client.token.usage)      gen_ai.usage.cache_write.input_tokens, gen_ai.usage.output_tokens,
 *                                  gen_ai.usage.reasoning.output_tokens; a2o_tokens_total by kind
 * </pre>
 */
package serve;
