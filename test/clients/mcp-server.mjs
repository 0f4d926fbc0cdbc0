// mcp-server.mjs SERVER TOOL [SCHEMA…] — an MCP server on standard input and output with one tool, which says what it was asked,
// or with one for each SCHEMA (JSON) of its input, called TOOL_1, TOOL_2 …; Node alone.
import { createInterface } from 'node:readline';

const [, , server, tool, ...schemas] = process.argv;
const inputSchema = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'], additionalProperties: false };
const description = 'Says a word again.';
const tools = schemas.length === 0 ? [{ name: tool, description, inputSchema }]
  : schemas.map((schema, i) => ({ name: `${tool}_${i + 1}`, description, inputSchema: JSON.parse(schema) }));
const ANSWERS = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: server, version: '1' } }),
  'tools/list': () => ({ tools }),
  'tools/call': ({ name, arguments: given }) => {
    const text = tools.some(each => each.name === name) ? `SAID ${given?.word}` : `no tool ${name}`;
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
