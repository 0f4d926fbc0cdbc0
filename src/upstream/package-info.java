/**
 * The way to the backends: which keys they get, how a request is sent and its reply comes in, and which of
 * them are up. It knows no client. It may use {@code translate}, {@code anthropic}, {@code config} and
 * {@code json}.
 *
 * <p>A key's way, from the options or from {@code serve}: {@link upstream.Credentials} decides which keys a
 * backend gets, and in which header; {@link upstream.Upstream} and {@link upstream.ModelList} put these on
 * their requests; {@link upstream.Transport} sends them as they are, and {@link upstream.Arrivals} is what
 * comes back.
 *
 * <h2>Web search</h2>
 * Claude Code's WebSearch, and any request with the tool web_search_…, needs somebody who searches. OpenAI,
 * Azure, xAI and OpenRouter do it themselves. For all other backends --search names a service that A2o
 * asks:
 *
 * <p>The model gets a function web_search(query). When it calls it, A2o asks the service by GET, shows the
 * client the search and its results, gives the model titles, addresses and excerpts, and lets it go on in
 * the same reply. Only the words that the model searches for leave, with the domains that the client
 * allows: nothing else of the conversation, and no key of the client's or the backend's. The log and
 * /metrics (a2o_searches_total, a2o_search_errors_total) count searches and do not know their words.
 * <pre>
 *  service                         options
 *  [SearXNG](https://docs.searxng  --search 'http://localhost:8888/search?format=json', or only
 *  .org/), one's own               http://localhost:8888. Its settings.yml must have formats: [html, json]
 *                                  under search:, else it answers 403; its limiter must be off, or know A2o's
 *                                  address
 *  Brave                           --search https://api.search.brave.com/res/v1/web/search --search-header
 *                                  'X-Subscription-Token: KEY'
 *  another                         its URL, with {query} where the words stand (else they become q= at the
 *                                  end). Its answer must be JSON with a list of objects that have an address
 *                                  (url, link, href) and a title
 * </pre>
 *
 * <p>max_uses, allowed_domains (told to the service as site:, and what it finds elsewhere is left out) and
 * blocked_domains hold, and a request whose limits cannot be read, or that gives both lists, is refused as by
 * Anthropic; user_location is told to the model alone. Of a search ten pages are shown. A reply
 * makes 20 searches and 10 requests to the backend at most, a search takes 20 seconds at most, all of a
 * reply 60. A service that fails is an error in the result (unavailable, too_many_requests, query_too_long,
 * max_uses_exceeded, invalid_tool_input), which the model reads, and the log says why. usage is the sum of
 * all requests. What was found comes back with the history: the excerpts are in encrypted_content, in
 * clear, not sealed.
 *
 * <p>With --search URL&#64;NAME that backend's models search by the service even where the backend could;
 * several services can be given, each for a backend. --search-header values are secrets. Give the key in
 * A2O_SEARCH_HEADER.
 *
 * <p>WebFetch is another thing: Claude Code loads the page itself, from where it runs, and has its small
 * model read it. Before that it asks api.anthropic.com whether the domain may be loaded. In a network that
 * does not let this through, put "skipWebFetchPreflight": true into Claude Code's settings.json;
 * HTTPS_PROXY in its environment says how it gets to the pages.
 */
package upstream;
