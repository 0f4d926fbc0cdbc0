package serve;

import anthropic.Ids;
import com.sun.net.httpserver.Headers;
import json.JsonWriter;

/**
 * The page that browsers get at {@code /}: it fetches {@code status.json} every two seconds and shows it. It
 * loads nothing else, and shows texts as text, never as HTML.
 */
final class StatusPage {
    /** What the page may do: run its own style and script, by a nonce that is new each time, and ask A2o. */
    private static final String POLICY = "default-src 'none'; style-src 'nonce-NONCE'; "
            + "script-src 'nonce-NONCE'; connect-src 'self'; img-src data:; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'";

    private static final String STYLE = """
            :root {
              color-scheme: light dark;
              --ink: light-dark(#1c2330, #e4e8ee);
              --dim: light-dark(#5f6b7c, #97a3b4);
              --card: light-dark(#fff, #1a2028);
              --line: light-dark(#dfe3e8, #2d3641);
              --hue: light-dark(#2563c9, #79a8ff);
            }
            body {
              max-width: 90rem; margin: 0 auto; padding: 1rem;
              color: var(--ink); background: light-dark(#f4f5f7, #11151a);
              font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums;
              overflow-wrap: anywhere;
            }
            h1, h2, p { margin: 0 }
            h1 { font-size: 1.4rem }
            h2, th { font-size: .8rem; font-weight: 600 }
            h2, th, #what { color: var(--dim) }
            header { display: flex; flex-wrap: wrap; gap: 0 .8rem; align-items: baseline }
            #state { font-weight: 600 }
            .good { color: light-dark(#178246, #5bd08f) }
            .bad { color: light-dark(#b3261e, #ff8f85) }

            .grid {
              display: grid; gap: .6rem;
              grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
            }
            section, .grid > div { padding: .6rem .8rem; background: var(--card) }
            section, .grid > div, button { border: 1px solid var(--line); border-radius: 6px }
            #counts { grid-template-columns: repeat(8, 1fr) }
            #counts, section { margin: .6rem 0 }
            b, svg { display: block }
            b { font-size: 1.3rem }
            svg { width: 100%; height: 4rem }
            path { stroke: var(--hue); stroke-width: 4 }

            button { font: inherit; color: var(--hue); background: none }
            #lines div { display: flex; gap: .6rem; margin: .3rem 0; align-items: start }
            code { flex: 1; font: 13px/1.5 monospace; user-select: all }

            table { width: 100%; border-collapse: collapse }
            th, td { padding: .25rem .8rem .25rem 0; text-align: left }
            td { border-top: 1px solid var(--line) }
            :is(th, td):not(:nth-child(3)) { white-space: nowrap }
            :is(th, td):nth-child(n+7) { text-align: right }
            :is(th, td):last-child { padding-right: 0 }

            @media (max-width: 75rem) { /* each exchange is a card, with the columns' names in it */
              thead { display: none }
              table, tbody { display: block }
              #counts { grid-template-columns: repeat(auto-fit, minmax(max(7rem, 25% - .6rem), 1fr)) }
              tr { display: flex; flex-wrap: wrap; gap: 0 .9rem; padding: .4rem 0 }
              tr { border-top: 1px solid var(--line) }
              tr td { padding: 0; border: 0 }
              td:nth-child(3) { flex: 1 0 100%; order: -1; font-weight: 600 }
              td:nth-child(n+4)::before { content: attr(data-name) " "; color: var(--dim); font-size: .8rem }
            }
            """;

    private static final String BODY = """
            <header>
            <h1>A2o</h1>
            <p id="state" role="status">needs JavaScript</p>
            <p id="what"></p>
            </header>
            <div class="grid" id="counts"></div>
            <div class="grid">
            <div id="first"><h2></h2>PLOT</div>
            <div id="speed"><h2></h2>PLOT</div>
            </div>
            <section><h2>To connect</h2><div id="lines"></div></section>
            <div class="grid" id="upstreams"></div>
            <div class="grid" id="clients"></div>
            <section>
            <h2>The last 50 exchanges</h2>
            <table><thead><tr></tr></thead><tbody></tbody></table>
            </section>
            """.replace("PLOT",
            "<svg viewBox=\"0 0 300 60\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path/></svg>");

    private static final String SCRIPT = """
            const find = query => document.querySelector(query);

            // texts are never set as HTML: names and messages are of others' making
            function add(parent, tag, text = '', kind = '') {
              const element = parent.appendChild(document.createElement(tag));
              element.textContent = text;
              element.className = kind;
              return element;
            }

            // builds a part of the page anew when its data have changed, and only then
            const filled = {};
            function fill(query, data, build) {
              const text = JSON.stringify(data);
              if (filled[query] === text) return;
              filled[query] = text;
              const box = find(query);
              box.replaceChildren();
              build(box);
            }

            const count = n => n.toLocaleString('en');
            const date = millis => new Date(millis).toLocaleString();

            function span(millis) {
              if (millis < 0) return '–';
              if (millis < 1000) return millis + ' ms';
              return (millis / 1000).toFixed(millis < 10000 ? 2 : 1) + ' s';
            }

            function age(seconds) {
              if (seconds < 6000) return Math.floor(seconds / 60) + ' min';
              if (seconds < 360000) return Math.floor(seconds / 3600) + ' h';
              return Math.floor(seconds / 86400) + ' days';
            }

            function say(state) {
              find('#state').textContent = state;
              find('#state').className = state === 'ready' ? 'good' : 'bad';
            }

            function showCounts(box, counts) {
              for (const [name, value] of Object.entries(counts)) {
                add(add(box, 'div', name.replace('_', ' ')), 'b', count(value));
              }
            }

            // a bar for each value, the newest at the right
            function plot(box, name, values, format) {
              const sorted = [...values].sort((a, b) => a - b);
              const highest = sorted.at(-1) || 1;
              let words = 'nothing yet';
              if (values.length > 0) {
                const median = sorted[Math.floor(values.length / 2)];
                const newest = format(values.at(-1));
                words = `${newest}, median ${format(median)}, highest ${format(sorted.at(-1))}`;
              }
              find(box + ' h2').textContent = name + ': ' + words;
              const bars = values.map((value, i) => {
                const x = 303 - 6 * (values.length - i);
                const top = (59 - 58 * value / highest).toFixed(1);
                return `M${x} 60V${top}`;
              });
              find(box + ' path').setAttribute('d', bars.join(''));
            }

            function showConnection(box, variables) {
              const base = 'ANTHROPIC_BASE_URL=' + location.origin;
              for (const line of [`${base} ${variables} claude`, `export ${base} ${variables}`]) {
                const row = add(box, 'div');
                add(row, 'code', line);
                if (navigator.clipboard) {
                  add(row, 'button', 'copy').onclick = () => navigator.clipboard.writeText(line);
                }
              }
            }

            function showBackend(box, backend) {
              add(box, 'h2', 'Backend ' + backend.host);
              const isReady = backend.state === 'ready';
              add(box, 'p', `${backend.state}, errors: ${count(backend.errors)}`, isReady ? 'good' : 'bad');
              const last = backend.last_error;
              if (last) add(box, 'p', `last error: ${last.status} at ${date(last.time)}: ${last.message}`);
              for (const { model, rules } of backend.learned) {
                const words = Object.entries(rules)
                  .map(([name, value]) => value ? `${name} = ${value}` : 'no ' + name);
                add(box, 'p', `learned about ${model}: ${words.join(', ')}`);
              }
              for (const { model, percent } of backend.counted) {
                add(box, 'p', `counts ${percent} % of the estimated tokens for ${model}`);
              }
            }

            function showClient(box, client) {
              add(box, 'h2', 'Client ' + client.name);
              const requests = `requests: ${count(client.requests)}, errors: ${count(client.errors)}`;
              add(box, 'p', `${requests}, tokens in ${count(client.input_tokens)}, out ${count(client.output_tokens)}`);
            }

            const columns = {
              time: e => new Date(e.time).toTimeString().slice(0, 8),
              request: e => e.client ? `${e.id} of ${e.client}` : e.id,
              model: e => e.asked === e.model ? e.model : e.asked + ' → ' + e.model,
              backend: e => e.upstream,
              status: e => e.status,
              end: e => e.end || '–',
              'first byte': e => span(e.first_ms),
              took: e => span(e.ms),
              in: e => count(e.input),
              cached: e => count(e.cached),
              out: e => count(e.output),
              'tokens/s': e => e.rate,
            };
            for (const name in columns) add(find('thead tr'), 'th', name);

            // rows are kept while their exchange is among the last, so that what is marked stays marked
            const rows = new Map();
            function showExchanges(last) {
              for (const exchange of [...last].reverse()) {
                if (!rows.has(exchange.id)) addExchange(exchange);
              }
              for (const [id, row] of rows) {
                if (last.some(exchange => exchange.id === id)) continue;
                row.remove();
                rows.delete(id);
              }
            }

            function addExchange(exchange) {
              const row = find('tbody').insertRow(0);
              const isFine = [200, 499].includes(exchange.status); // 499: the client has left
              for (const name in columns) {
                add(row, 'td', columns[name](exchange), isFine ? '' : 'bad').dataset.name = name;
              }
              rows.set(exchange.id, row);
            }

            function show(status) {
              say(status.state);
              const up = age((Date.now() - status.started) / 1000);
              find('#what').textContent = `${status.version}, up ${up}, since ${date(status.started)}`;
              fill('#counts', status.counts, box => showCounts(box, status.counts));
              const good = status.last.filter(e => e.status === 200 && e.first_ms >= 0).reverse();
              plot('#first', 'Time to first token', good.map(e => e.first_ms), span);
              plot('#speed', 'Tokens a second', good.filter(e => e.output).map(e => e.rate), count);
              fill('#lines', status.variables, box => showConnection(box, status.variables));
              fill('#upstreams', status.upstreams, box => {
                for (const backend of status.upstreams) showBackend(add(box, 'div'), backend);
              });
              fill('#clients', status.clients, box => {
                for (const client of status.clients) showClient(add(box, 'div'), client);
              });
              showExchanges(status.last);
            }

            async function refresh() {
              try {
                const reply = await fetch('status.json');
                show(await reply.json());
              } catch {
                say('does not answer');
              }
              setTimeout(refresh, 2000);
            }
            refresh();
            """;

    private static final String PAGE = """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <title>A2o</title>
            <link rel="icon" href="data:,">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style nonce="NONCE">
            """ + STYLE + "</style>\n" + BODY
            + "<script nonce=\"NONCE\">\n" + SCRIPT + "</script>\n</html>\n";

    private StatusPage() { }

    /** {@return the page, whose policy goes into its headers} */
    static JsonWriter html(Headers headers) {
        String nonce = Ids.newId();
        headers.set("content-security-policy", POLICY.replace("NONCE", nonce));
        headers.set("content-type", "text/html; charset=utf-8");
        return new JsonWriter().utf8(PAGE.replace("NONCE", nonce));
    }
}
