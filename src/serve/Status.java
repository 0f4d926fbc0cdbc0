package serve;

import anthropic.Ids;
import anthropic.Usage;
import com.sun.net.httpserver.Headers;
import config.Options;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import json.JsonWriter;
import upstream.Health;
import upstream.Upstream;

/**
 * What goes on, for those who run the proxy: counters and the last exchanges, as metrics for Prometheus, as JSON, and
 * as a page that shows that JSON. It knows no prompt and no key. Many threads may use it; it keeps each a microsecond.
 */
final class Status {
    private static final int MAX_LAST = 50; // exchanges that are shown
    private static final int MAX_MODELS = 100; // that are told apart, for clients choose their names; then "other"
    private static final long SECOND = 1_000_000_000; // in nanoseconds
    private static final List<Double> BOUNDS = List.of( // of the buckets of histograms, in seconds
            0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, Double.POSITIVE_INFINITY);
    private static final List<String> BUCKETS = BOUNDS.stream()
            .map(bound -> "_bucket{le=\"%s\"}".formatted(bound).replace("Infinity", "+Inf")).toList();
    private static final String METRICS = """
            build_info gauge The version that runs.
            requests_in_flight gauge Requests for a message that are being answered.
            requests_total counter Requests for a message by the status that they ended with and the backend's model.
            request_duration_seconds histogram Time to the end of the reply.
            time_to_first_token_seconds histogram Time to the first words of a good reply.
            tokens_total counter Tokens as the backends counted them, or guessed where they did not.
            upstream_errors_total counter Tries that failed, by the backend's status if it gave one.
            retries_total counter Tries after a request's first.
            learned_downgrades_total counter What was learned about backends.
            """;
    private static final String PAGE = """
    <!doctype html><html lang="en"><meta charset="utf-8"><title>A2o</title><link rel="icon" href="data:,">
    <meta name="viewport" content="width=device-width, initial-scale=1"><style nonce="NONCE">
    :root { color-scheme: light dark; --ink: light-dark(#1c2330, #e4e8ee); --dim: light-dark(#5f6b7c, #97a3b4);
      --card: light-dark(#fff, #1a2028); --line: light-dark(#dfe3e8, #2d3641); --hue: light-dark(#2563c9, #79a8ff) }
    body { max-width: 90rem; margin: 0 auto; padding: 1rem; color: var(--ink); background: light-dark(#f4f5f7, #11151a);
      font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
    h1, h2, p { margin: 0 } h1 { font-size: 1.4rem } h2, th { font-size: .8rem; font-weight: 600 }
    header { display: flex; flex-wrap: wrap; gap: 0 .8rem; align-items: baseline } #state { font-weight: 600 }
    .good { color: light-dark(#178246, #5bd08f) } .bad { color: light-dark(#b3261e, #ff8f85) } path { stroke-width: 4 }
    .grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: .6rem }
    #counts { grid-template-columns: repeat(8, 1fr) } #counts, section { margin: .6rem 0 }
    section, .grid > div { padding: .6rem .8rem; background: var(--card) } svg { width: 100%; height: 4rem }
    section, .grid > div, button { border: 1px solid var(--line); border-radius: 6px }
    h2, th, #what { color: var(--dim) } b, svg { display: block } b { font-size: 1.3rem } path { stroke: var(--hue) }
    button { font: inherit; color: var(--hue); background: none } #lines div { display: flex; gap: .6rem }
    code { flex: 1; font: 13px/1.5 monospace; user-select: all } #lines div { margin: .3rem 0; align-items: start }
    table { width: 100%; border-collapse: collapse } th, td { padding: .25rem .8rem .25rem 0; text-align: left }
    td { border-top: 1px solid var(--line) } :is(th, td):not(:nth-child(3)) { white-space: nowrap }
    :is(th, td):nth-child(n+7) { text-align: right } :is(th, td):last-child { padding-right: 0 }
    @media (max-width: 75rem) { thead { display: none } table, tbody { display: block }
      #counts { grid-template-columns: repeat(auto-fit, minmax(max(7rem, 25% - .6rem), 1fr)) }
      tr { display: flex; flex-wrap: wrap; gap: 0 .9rem; padding: .4rem 0; border-top: 1px solid var(--line) }
      tr td { padding: 0; border: 0 } td:nth-child(3) { flex: 1 0 100%; order: -1; font-weight: 600 }
      td:nth-child(n+4)::before { content: attr(data-name) " "; color: var(--dim); font-size: .8rem } }
    </style><header><h1>A2o</h1><p id="state" role="status">needs JavaScript</p><p id="what"></p></header>
    <div class="grid" id="counts"></div><div class="grid">
    <div id="first"><h2></h2><svg viewBox="0 0 300 60" preserveAspectRatio="none" aria-hidden="true"><path/></svg></div>
    <div id="speed"><h2></h2><svg viewBox="0 0 300 60" preserveAspectRatio="none" aria-hidden="true"><path/></svg></div>
    </div><section><h2>To connect</h2><div id="lines"></div></section><div class="grid" id="upstreams"></div>
    <section><h2>The last 50 exchanges</h2><table><thead><tr></tr></thead><tbody></tbody></table></section>
    <script nonce="NONCE">
    const $ = query => document.querySelector(query), rows = new Map(), seen = {}, count = n => n.toLocaleString('en');
    const add = (parent, tag, text = '', kind = '') => Object.assign(parent.appendChild(document.createElement(tag)),
      { textContent: text, className: kind }); // never as HTML: names and words are of others' making
    const fill = (query, data, build) => { const text = JSON.stringify(data); // anew only when there is something new
      if (seen[query] !== text) { seen[query] = text; $(query).replaceChildren(); build($(query)); } };
    const span = ms => ms < 0 ? '–' : ms < 1000 ? ms + ' ms' : (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + ' s';
    const age = s => s < 6000 ? `${s / 60 | 0} min` : s < 360000 ? `${s / 3600 | 0} h` : `${s / 86400 | 0} days`;
    const columns = { time: e => new Date(e.time).toTimeString().slice(0, 8), request: e => e.id,
      model: e => e.asked === e.model ? e.model : e.asked + ' → ' + e.model, backend: e => e.upstream,
      status: e => e.status, end: e => e.end || '–', 'first byte': e => span(e.first_ms), took: e => span(e.ms),
      in: e => count(e.input), cached: e => count(e.cached), out: e => count(e.output), 'tokens/s': e => e.rate };
    for (const name in columns) add($('thead tr'), 'th', name);
    const plot = (box, name, values, show) => { const sorted = [...values].sort((a, b) => a - b), most = sorted.at(-1);
      $(box + ' h2').textContent = name + ': ' + (!values.length ? 'nothing yet' : show(values.at(-1)) + ', median '
        + show(sorted[values.length >> 1]) + ', highest ' + show(most));
      $(box + ' path').setAttribute('d', values.map((value, i) =>
        `M${303 - 6 * (values.length - i)} 60V${(59 - 58 * value / (most || 1)).toFixed(1)}`).join('')); };
    const connect = variables => [`ANTHROPIC_BASE_URL=${location.origin} ${variables} claude`,
      `export ANTHROPIC_BASE_URL=${location.origin} ${variables}`];
    const backend = (box, one) => { add(box, 'h2', 'Backend ' + one.host);
      add(box, 'p', `${one.state}, errors: ${count(one.errors)}`, one.state === 'ready' ? 'good' : 'bad');
      const last = one.last_error, at = last && new Date(last.time).toLocaleString();
      if (last) add(box, 'p', `last error: ${last.status} at ${at}: ${last.message}`);
      for (const { model, rules } of one.learned) add(box, 'p', 'learned about ' + model + ': '
        + Object.entries(rules).map(([name, value]) => value ? name + ' = ' + value : 'no ' + name).join(', ')); };
    const exchange = e => { const row = $('tbody').insertRow(0), kind = [200, 499].includes(e.status) ? '' : 'bad';
      for (const name in columns) add(row, 'td', columns[name](e), kind).dataset.name = name;
      rows.set(e.id, row); };
    const say = text => Object.assign($('#state'), { textContent: text, className: text === 'ready' ? 'good' : 'bad' });
    const show = s => { const up = age((Date.now() - s.started) / 1000), since = new Date(s.started).toLocaleString();
      say(s.state); $('#what').textContent = `${s.version}, up ${up}, since ${since}`;
      fill('#counts', s.counts, box => Object.entries(s.counts).forEach(([name, value]) =>
        add(add(box, 'div', name.replace('_', ' ')), 'b', count(value))));
      const good = s.last.filter(e => e.status === 200 && e.first_ms >= 0).reverse();
      plot('#first', 'Time to first token', good.map(e => e.first_ms), span);
      plot('#speed', 'Tokens a second', good.filter(e => e.output).map(e => e.rate), count);
      fill('#lines', s.variables, box => connect(s.variables).forEach(line => {
        const row = add(box, 'div'); add(row, 'code', line);
        if (navigator.clipboard) add(row, 'button', 'copy').onclick = () => navigator.clipboard.writeText(line); }));
      fill('#upstreams', s.upstreams, box => s.upstreams.forEach(one => backend(add(box, 'div'), one)));
      [...s.last].reverse().filter(e => !rows.has(e.id)).forEach(exchange);
      for (const [id, row] of rows) if (!s.last.some(e => e.id === id)) { row.remove(); rows.delete(id); } };
    const refresh = () => fetch('status.json').then(reply => reply.json()).then(show)
      .catch(() => say('does not answer')).finally(() => setTimeout(refresh, 2000));
    refresh();
    </script></html>
    """;

    /**
     * An exchange that has ended; times in nanoseconds since it began, {@code first} is 0 if nothing was shown; the error,
     * if there was one, for the log alone.
     */
    record Entry(long epochMillis, String requestId, int status, String asked, String model, String host, long first,
                 long whole, int retries, Usage used, String end, String error) {
        /** {@return tokens a second since the first came; since the beginning, where they came in one piece} */
        private long perSecond() {
            return used.output() * SECOND / Math.max(1, whole - first > SECOND / 20 ? whole - first : whole);
        }

        String line() {
            return requestId + " " + status + " " + asked + " -> " + model + " at " + host + " " + millis(whole)
                    + " ms, first after " + millis(first == 0 ? whole : first) + " ms, tokens in " + used.input()
                    + " cached " + used.cacheRead() + " out " + used.output() + " (" + perSecond() + "/s) " + end
                    + (error.isEmpty() ? "" : ": " + error);
        }

        private static long millis(long nanos) { return nanos * 1000 / SECOND; }
    }

    private final Options options;
    private final List<Upstream> upstreams;
    private final long begun = System.currentTimeMillis();
    private final Map<String, Map<String, Double>> samples = new LinkedHashMap<>(); // by metric, then the name's rest
    private final List<String> models = new ArrayList<>(); // that are told apart
    private final List<Entry> last = new ArrayList<>(); // the newest first
    private volatile boolean isDraining;

    Status(Options options, List<Upstream> upstreams) {
        this.options = options;
        this.upstreams = upstreams;
    }

    /** Counts a request for which no backend was asked. */
    synchronized void refuse(int status) {
        count("requests_total", "{status=\"%d\",model=\"\"}".formatted(status), 1);
        count("errors", "", 1);
    }

    synchronized void add(Entry entry) {
        if (models.size() < MAX_MODELS && !models.contains(entry.model)) models.add(entry.model);
        String model = models.contains(entry.model) ? entry.model : "other";
        String escaped = model.replace("\\", "\\\\").replace("\"", "\\\"");
        count("requests_total", "{status=\"" + entry.status + "\",model=\"" + escaped + "\"}", 1);
        count("errors", "", entry.status < 400 || entry.status == 499 ? 0 : 1); // 499: the client has left
        count("retries_total", "", entry.retries);
        count("tokens_total", "{kind=\"input\"}", entry.used.input());
        count("tokens_total", "{kind=\"cache_read\"}", entry.used.cacheRead());
        count("tokens_total", "{kind=\"cache_creation\"}", entry.used.cacheWrite());
        count("tokens_total", "{kind=\"output\"}", entry.used.output());
        observe("request_duration_seconds", entry.whole);
        if (entry.status == 200 && entry.first > 0) observe("time_to_first_token_seconds", entry.first);
        last.addFirst(entry);
        if (last.size() > MAX_LAST) last.removeLast();
    }

    private void observe(String histogram, long nanos) {
        double seconds = (double) nanos / SECOND;
        for (int i = 0; i < BOUNDS.size(); i++) count(histogram, BUCKETS.get(i), seconds <= BOUNDS.get(i) ? 1 : 0);
        count(histogram, "_sum", seconds);
        count(histogram, "_count", 1);
    }

    private void count(String metric, String rest, double more) {
        samples.computeIfAbsent(metric, none -> new LinkedHashMap<>()).merge(rest, more, Double::sum);
    }

    /** {@return the metrics, in the text format 0.0.4 of Prometheus} */
    synchronized JsonWriter metrics(int inFlight) {
        samples.put("build_info", Map.of("{version=\"%s\"}".formatted(Options.VERSION), 1.0));
        samples.put("requests_in_flight", Map.of("", (double) inFlight));
        samples.keySet().removeAll(List.of("upstream_errors_total", "learned_downgrades_total")); // counted elsewhere:
        for (Upstream upstream : upstreams) { // of which two may have one name
            count("learned_downgrades_total", "", upstream.lessons());
            upstream.errors().forEach((status, errors) -> count("upstream_errors_total",
                    "{upstream=\"%s\",status=\"%d\"}".formatted(upstream.host(), status), errors.sum()));
        }
        var out = new JsonWriter();
        METRICS.lines().map(line -> line.split(" ", 3)).forEach(words -> {
            out.utf8("# HELP a2o_%1$s %3$s\n# TYPE a2o_%1$s %2$s\n".formatted((Object[]) words));
            samples.getOrDefault(words[0], Map.of()).forEach((rest, value) ->
                    out.utf8("a2o_" + words[0] + rest + " " + value + "\n"));
        });
        return out;
    }

    synchronized JsonWriter json(int inFlight) {
        long window = Upstream.window(upstreams, options.model(options.mainModel().orElse("")));
        var out = new JsonWriter().put("{'version':%,'state':%,'started':%,'key':%,'variables':%,'counts':{"
                + "'in_flight':%,'requests':%,'errors':%,'retries':%,'input_tokens':%,'cached_tokens':%,"
                + "'cache_writes':%,'output_tokens':%},'upstreams':[", Options.VERSION, state(), begun,
                ClientVariables.placeholder(options), ClientVariables.shown(options, window),
                inFlight, sum("requests_total", ""), sum("errors", ""), sum("retries_total", ""),
                sum("tokens_total", "input"), sum("tokens_total", "read"), sum("tokens_total", "creation"),
                sum("tokens_total", "output"));
        upstreams.forEach(upstream -> out.put("%,", upstream.json()));
        out.closeWith(']').put(",'last':["); // times in ms, -1 if there is none; rate in tokens a second
        for (Entry e : last) {
            out.put("{'time':%,'id':%,'asked':%,'model':%,'upstream':%,'status':%,'end':%,'first_ms':%,'ms':%,"
                    + "'retries':%,'input':%,'cached':%,'cache_writes':%,'output':%,'rate':%},", e.epochMillis,
                    e.requestId, e.asked, e.model, e.host, e.status, e.end, e.first == 0 ? -1 : Entry.millis(e.first),
                    Entry.millis(e.whole), e.retries, e.used.input(), e.used.cacheRead(), e.used.cacheWrite(),
                    e.used.output(), e.perSecond());
        }
        return out.closeWith(']').put("}");
    }

    private long sum(String metric, String words) {
        return (long) samples.getOrDefault(metric, Map.of()).entrySet().stream()
                .filter(sample -> sample.getKey().contains(words)).mapToDouble(Map.Entry::getValue).sum();
    }

    void drain() { isDraining = true; }

    /** {@return "ready", or why no request should be sent here now} */
    String state() {
        if (isDraining) return "the proxy is being stopped";
        if (!upstreams.stream().allMatch(Upstream::isDown)) return "ready";
        boolean isReached = upstreams.stream().anyMatch(each -> each.state() != Health.State.UNREACHABLE);
        return isReached ? "no backend works" : "no backend can be reached";
    }

    /** {@return the page; its headers allow it nothing but its own style and script, and to ask A2o} */
    static JsonWriter page(Headers headers) {
        String nonce = Ids.newId();
        headers.set("content-security-policy", ("default-src 'none'; style-src 'nonce-%1$s'; script-src 'nonce-%1$s'; "
                + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
                .formatted(nonce));
        return new JsonWriter().utf8(PAGE.replace("NONCE", nonce));
    }
}
