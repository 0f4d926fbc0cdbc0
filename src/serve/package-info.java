/**
 * The server: who may come in and what they get. It may use all other packages that have a name.
 *
 * <p>A request's way: {@link serve.ClientThreads} gives it a thread; {@link serve.Proxy} turns exceptions
 * into answers; {@link serve.Framing} and {@link serve.Gate} refuse what must not come in; {@link
 * serve.Routes} finds who answers. A message is read by {@link serve.Body} and becomes an {@link
 * serve.Exchange}, which makes one {@link serve.Attempt} after the other, at the backends that {@link
 * serve.Candidates} names. By which options all that is done, {@link serve.Serving} says. Of what the backend sends, {@link
 * serve.ReplySource} hands on the bytes and waits for more, and {@link serve.ClientStream} decides what the
 * client is sent and when. {@link serve.Outcome} is counted by
 * {@link serve.Counters} and logged; {@link serve.Metrics} writes the counts for Prometheus.
 *
 * <p>A client's key goes the same way: {@link serve.Gate} alone reads it off the headers; {@link
 * serve.Messages} hands it to the {@link serve.Exchange}, whose {@link serve.ClientRequest} keeps it for
 * each {@link serve.Attempt}, which gives it to {@link upstream.Upstream}. {@link serve.Routes} gives it to
 * {@link upstream.ModelList}. Texts for the log, for pages and in errors pass {@code config.Secrets}, which
 * masks it.
 */
package serve;
