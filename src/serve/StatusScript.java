package serve;

/** The script of {@link StatusPage}. It sets no text as HTML: names and messages are of others' making. */
final class StatusScript {
    static final String JAVASCRIPT = """
            const find = query => document.querySelector(query);
            // so many requests, until more are asked for
            const SHOWN = matchMedia('(max-width: 40rem)').matches ? 6 : 12;
            const SVG = find('svg').namespaceURI;

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

            const exact = n => n.toLocaleString('en');
            const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
            const count = n => n < 1e6 ? exact(n) : short.format(n);
            const date = millis => new Date(millis).toLocaleString();
            const clock = millis => new Date(millis).toTimeString().slice(0, 8);
            const isToday = millis => new Date(millis).toDateString() === new Date().toDateString();
            const when = millis => isToday(millis) ? clock(millis) : date(millis);

            function span(millis) {
              if (millis < 0) return '–';
              if (millis < 1000) return Math.round(millis) + ' ms';
              if (millis >= 100000) return Math.round(millis / 60000) + ' min';
              return (millis / 1000).toFixed(millis < 10000 ? 2 : 1) + ' s';
            }

            function age(seconds) {
              if (seconds < 60) return Math.max(0, Math.floor(seconds)) + ' s';
              if (seconds < 6000) return Math.floor(seconds / 60) + ' min';
              if (seconds < 360000) return Math.floor(seconds / 3600) + ' h';
              return Math.floor(seconds / 86400) + ' days';
            }

            function say(state) {
              find('#state').textContent = state;
              find('#state').className = state === 'ready' ? 'good' : 'bad';
            }

            const TILES = {
              in_flight: 'running', input_tokens: 'tokens in', cached_tokens: 'from cache',
              cache_writes: 'to cache', output_tokens: 'tokens out',
            };

            function showCounts(box, counts) {
              for (const [name, value] of Object.entries(counts)) {
                const tile = add(box, 'div');
                add(tile, 'small', TILES[name] || name);
                add(tile, 'b', count(value)).title = exact(value);
              }
            }

            // the first of 1, 2, 5, 10, 20 … that is no less
            function roundUp(value) {
              const ten = 10 ** Math.floor(Math.log10(value || 1));
              return [1, 2, 5, 10].map(n => n * ten).find(n => n >= value) || 1;
            }

            // a bar for each value, the newest at the right, a dashed line at the median
            function plot(query, points, format) {
              fill(query, points, box => {
                if (points.length === 0) {
                  add(box, 'p', 'nothing yet', 'dim');
                  return;
                }
                const sorted = points.map(p => p.value).sort((a, b) => a - b);
                const at = share => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
                const words = add(box, 'p', '', 'number');
                add(words, 'b', format(points.at(-1).value));
                add(words, 'span', ` last, median ${format(at(.5))}, p95 ${format(at(.95))}`);
                const top = roundUp(sorted.at(-1));
                const chart = add(box, 'div', '', 'chart');
                const scale = add(chart, 'div', '', 'scale');
                add(scale, 'small', format(top).replace(/[.]0+ /, ' '), 'number');
                add(scale, 'small', '0');
                draw(chart, points, top, at(.5), format);
                const times = add(chart, 'div', '', 'times');
                add(times, 'small', clock(points[0].time));
                add(times, 'small', `${points.length} requests`);
                add(times, 'small', clock(points.at(-1).time));
              });
            }

            function draw(chart, points, top, median, format) {
              const make = (parent, tag, attributes) => {
                const element = parent.appendChild(document.createElementNS(SVG, tag));
                for (const name in attributes) element.setAttribute(name, attributes[name]);
                return element;
              };
              const slots = Math.max(points.length, 20);
              const size = { viewBox: `0 0 ${slots} 100`, preserveAspectRatio: 'none' };
              const svg = make(chart, 'svg', size);
              points.forEach(({ value, time, name }, i) => {
                const height = Math.max(1, 100 * value / top);
                const x = slots - points.length + i + .1;
                const bar = make(svg, 'rect', { x, y: 100 - height, width: .8, height });
                make(bar, 'title').textContent = `${clock(time)} ${name} ${format(value)}`;
              });
              const y = 100 - 100 * median / top;
              make(svg, 'line', { x1: 0, x2: slots, y1: y, y2: y });
            }

            const isPlain = /^[A-Za-z0-9_.:/@%+-]+$/;
            const quoted = text => isPlain.test(text) ? text : "'" + text.replaceAll("'", "'\\\\''") + "'";

            // where this page was opened, and where clients find the proxy; without a password
            const HERE = new URL('.', location.origin + location.pathname).href;

            function showConnection(box, paste) {
              const url = HERE.replace(/[/]$/, '');
              const variables = `ANTHROPIC_BASE_URL=${quoted(url)} ${paste.variables}`;
              const hi = '{"model":"any","max_tokens":100,"messages":[{"role":"user","content":"Say hi."}]}';
              addLine(box, 'Claude Code', variables + ' claude');
              addLine(box, 'every client that is started in this shell', 'export ' + variables);
              const curl = `curl ${quoted(url + '/v1/messages')} -H x-api-key:${paste.key}`;
              addLine(box, 'one request', `${curl} -d '${hi}'`);
            }

            function addLine(box, name, text) {
              const row = add(box, 'div', '', 'line');
              add(row, 'small', name);
              const code = add(row, 'code', text);
              const button = add(row, 'button', 'copy');
              button.onclick = async () => {
                await copy(code);
                button.textContent = 'copied';
                setTimeout(() => { button.textContent = 'copy'; }, 1500);
              };
            }

            // without https, browsers have no clipboard but the one of the selection
            async function copy(code) {
              if (navigator.clipboard) {
                await navigator.clipboard.writeText(code.textContent);
              } else {
                getSelection().selectAllChildren(code);
                document.execCommand('copy');
              }
            }

            function showRunning(box, running) {
              add(box, 'h2', 'Running now');
              if (running.length === 0) add(box, 'p', 'nothing', 'dim');
              for (const one of running) {
                const row = add(box, 'div', '', 'run');
                add(row, 'b', route(one));
                add(row, 'span', `at ${one.upstream}`, 'dim');
                if (one.client) add(row, 'span', `client ${one.client}`, 'dim');
                add(row, 'span', span(one.ms));
                if (one.first_ms < 0) add(row, 'span', 'no token yet');
                if (one.tokens > 0) {
                  add(row, 'span', `about ${count(one.tokens)} tokens`);
                  add(row, 'span', `${count(one.rate)} tokens/s`);
                }
              }
            }

            const route = ({ asked, model }) => !model || asked === model ? asked : `${asked} → ${model}`;

            function showBackend(box, backend) {
              const head = add(box, 'div', '', 'line');
              add(head, 'b', backend.host);
              if (backend.address !== backend.host) add(head, 'span', backend.address, 'dim');
              add(head, 'span', backend.state, 'pill ' + (backend.state === 'ready' ? 'good' : 'bad'));
              add(head, 'span', `errors: ${count(backend.errors)}`, 'number dim');
              const last = backend.last_error;
              if (last) {
                const ago = age((Date.now() - last.time) / 1000);
                const row = add(box, 'p', `last error ${last.status}, ${ago} ago, at ${when(last.time)}: `);
                const isNamed = last.message.startsWith(backend.host + ': ');
                add(row, 'span', isNamed ? last.message.slice(backend.host.length + 2) : last.message, 'bad');
              }
              for (const known of backend.counted) add(box, 'p', calibration(known), 'dim');
              for (const { model, rules } of backend.learned) {
                const words = Object.entries(rules)
                  .map(([name, value]) => value ? `${name} = ${value}` : 'no ' + name);
                add(box, 'p', `learned about ${model}: ${words.join(', ')}`, 'dim');
              }
            }

            function calibration({ model, percent, replies, estimated, counted }) {
              const all = Math.round(100 * counted / Math.max(1, estimated));
              const sums = `${count(counted)} prompt tokens in ${count(replies)} replies`;
              return `counted for ${model}: ${sums}, ${all} % of A2o's estimate (newest reply: ${percent} %)`;
            }

            function showTotals(box, title, rows) {
              box.hidden = rows.length === 0;
              add(box, 'h2', title);
              const table = add(box, 'table', '', 'totals');
              const head = add(table, 'tr');
              add(head, 'th', 'name');
              if (rows.some(row => row.upstream)) add(head, 'th', 'at', 'at');
              for (const name of ['requests', 'errors', 'tokens in', 'out']) add(head, 'th', name, 'number');
              for (const row of rows) {
                const line = add(table, 'tr');
                const name = add(line, 'td', row.name);
                if (row.upstream) {
                  name.dataset.at = row.upstream; // for narrow pages, which have no column for it
                  add(line, 'td', row.upstream, 'at');
                }
                for (const sum of ['requests', 'errors', 'input_tokens', 'output_tokens']) {
                  const isBad = sum === 'errors' && row.errors > 0;
                  add(line, 'td', count(row[sum]), isBad ? 'number bad' : 'number').title = exact(row[sum]);
                }
              }
            }

            const columns = [
              ['time', e => clock(e.time), 'time'],
              ['model', route, 'model'],
              ['at', e => e.upstream, 'backend-name'],
              ['client', e => e.client || '', 'optional'],
              ['status', e => `${e.status} ${e.end}`, 'status'],
              ['first', e => span(e.first_ms), 'number'],
              ['took', e => span(e.ms), 'number'],
              ['in', e => count(e.input), 'number'],
              ['cached', e => count(e.cached), 'number optional'],
              ['out', e => count(e.output), 'number'],
              ['tokens/s', e => count(e.rate), 'number'],
              ['id', e => e.id, 'id'],
            ];
            for (const [name, , kind] of columns) {
              add(find('#last thead tr'), 'th', name, kind.startsWith('number') ? 'number' : '');
            }

            // rows are kept while their request is among the last, so that what is marked stays marked
            const rows = new Map();
            let isAllShown = false;
            function showRequests(last) {
              for (const request of [...last].reverse()) {
                if (!rows.has(request.id)) addRequest(request);
              }
              for (const [id, parts] of rows) {
                if (last.some(request => request.id === id)) continue;
                parts.forEach(part => part.remove());
                rows.delete(id);
              }
              const isMore = last.length > SHOWN && !isAllShown;
              last.forEach(({ id }, i) => {
                for (const part of rows.get(id)) part.hidden = isMore && i >= SHOWN;
              });
              find('#more').hidden = !isMore;
              find('#more').textContent = `show all ${last.length}`;
            }

            find('#more').onclick = () => {
              isAllShown = true;
              refresh();
            };

            function addRequest(request) {
              const body = find('#last tbody');
              const isFine = [200, 499].includes(request.status); // 499: the client has left
              const row = body.insertRow(0);
              for (const [name, text, kind] of columns) {
                const isBad = name === 'status' && !isFine;
                const cell = add(row, 'td', text(request), isBad ? kind + ' bad' : kind);
                if (cell.textContent) cell.dataset.name = name;
              }
              const parts = [row];
              if (request.error) {
                const why = body.insertRow(1);
                why.className = 'why';
                const cell = add(why, 'td', request.error, 'why bad');
                cell.colSpan = columns.length;
                parts.push(why);
              }
              rows.set(request.id, parts);
            }

            function points(last, value) {
              return last.map(e => ({ value: value(e), time: e.time, name: e.model })).reverse();
            }

            function show(status) {
              say(status.state);
              const up = age((Date.now() - status.started) / 1000);
              find('#what').textContent = `${status.version}, up ${up}, since ${date(status.started)}`;
              fill('#counts', status.counts, box => showCounts(box, status.counts));
              fill('#running', status.running, box => showRunning(box, status.running));
              const good = status.last.filter(e => e.status === 200 && e.first_ms >= 0);
              plot('#first', points(good, e => e.first_ms), span);
              plot('#speed', points(good.filter(e => e.output), e => e.rate), count);
              fill('#lines', status.paste, box => showConnection(box, status.paste));
              const minute = Math.floor(Date.now() / 60000); // ages are told anew
              fill('#upstreams', [status.upstreams, minute], box => {
                for (const backend of status.upstreams) showBackend(add(box, 'div', '', 'backend'), backend);
              });
              fill('#models', status.models, box => showTotals(box, 'By model', status.models));
              fill('#clients', status.clients, box => showTotals(box, 'By client', status.clients));
              showRequests(status.last);
              showEmpty(status.last.length === 0 && status.running.length === 0);
            }

            // what there is to try comes first as long as there is nothing else to see
            let wasEmpty = false;
            function showEmpty(isEmpty) {
              for (const id of ['#plots', '#running', '#last']) find(id).hidden = isEmpty;
              find('#empty').hidden = !isEmpty;
              if (isEmpty || wasEmpty) find('#connect').open = isEmpty;
              wasEmpty = isEmpty;
            }

            async function refresh() {
              try {
                const reply = await fetch(HERE + 'status.json');
                const status = await reply.json();
                if (reply.ok) show(status); else say(status.error.message);
              } catch {
                say('does not answer');
              }
            }

            async function follow() {
              await refresh();
              setTimeout(follow, 2000);
            }
            follow();
            """;

    private StatusScript() { }
}
