// search-service.mjs PORT COMMAND… — runs a command beside a search service on that port, which answers as SearXNG does: three pages
// about whatever is asked; to a query with "broken" in it a page of HTML.
import { spawn } from 'node:child_process';
import http from 'node:http';

const [port, command, ...args] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  const query = new URL(request.url, 'http://localhost').searchParams.get('q') ?? '';
  const isBroken = query.includes('broken');
  const results = [1, 2, 3].map(n => ({ url: `https://pages.test/${n}`, title: `Page ${n} about ${query}`, content: `Excerpt ${n}`, publishedDate: null }));
  response.setHeader('content-type', isBroken ? 'text/html' : 'application/json');
  response.end(isBroken ? '<html>Sorry</html>' : JSON.stringify({ query, results, answers: [], suggestions: [] }));
});
server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(command, args, { stdio: 'inherit' });
  child.on('close', code => process.exit(code ?? 1));
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
});
