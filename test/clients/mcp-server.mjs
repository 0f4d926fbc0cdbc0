// mcp-server.mjs SERVER TOOL — an MCP server on standard input and output with one tool, which says what it was asked; Node alone.
import { createInterface } from 'node:readline';

const [, , server, tool] = process.argv;
const inputSchema = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'], additionalProperties: false };
const ANSWERS = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: server, version: '1' } }),
  'tools/list': () => ({ tools: [{ name: tool, description: 'Says a word again.', inputSchema }] }),
  'tools/call': ({ name, arguments: given }) => {
    const text = name === tool ? `SAID ${given?.word}` : `no tool ${name}`;
    return { content: [{ type: 'text', text }] };
  },
  ping: () => ({}),
};

createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return; // a notification
  const answer = ANSWERS[method];
  const outcome = answer ? { result: answer(params ?? {}) } : { error: { code: -32601, message: `no method ${method}` } };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }) + '\n');
});
