// dying.mjs PORT — a backend of chat completions that dies in the middle of its second reply; Node alone.
// First it calls the tool Agent; then it says half a sentence, and its process ends, so that nobody listens there any more.
import http from 'node:http';

const chunk = (delta, finish_reason = null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'big',
  choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const CALL = { index: 0, id: 'call_agent', type: 'function', function: { name: 'Agent', arguments: JSON.stringify({
  description: 'sub task', prompt: 'SUBAGENT-MARK do it', subagent_type: 'general-purpose', run_in_background: false }) } };
let replies = 0;

http.createServer(async (request, response) => {
  for await (const part of request) void part;
  if (request.method !== 'POST') return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (++replies === 1) {
    return response.end(chunk({ role: 'assistant', tool_calls: [CALL] }) + chunk({}, 'tool_calls') + 'data: [DONE]\n\n');
  }
  return response.write(chunk({ role: 'assistant', content: 'This sentence has no ' }), () => setTimeout(() => process.exit(), 100));
}).listen(Number(process.argv[2]), '127.0.0.1');
