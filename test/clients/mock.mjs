// mock.mjs — an OpenAI-shaped backend whose replies are scripted by the model's name; Node alone, loopback, a free port.
// It prints its port. It refuses with 400 what OpenAI would refuse (wrong()), so that a client's check fails then.
//   POST /v1/chat/completions   the script of that model, streamed or not; error-NNN: that status
//   GET  /v1/models             five models, two of them with a name that has to be escaped
//   GET  /seen                  the chat requests since the last DELETE /seen: {body, headers, closedEarly}; answers when none is running
import http from 'node:http';

const TEXT = 'Hello, wörld 😀, from the mock.';
const call = (name, args, id = 'call_' + name) => ({ id, name, args: typeof args === 'string' ? args : JSON.stringify(args) });
const CITY = { city: 'Oslo', people: 700000 };
const results = body => body.messages.filter(message => message.role === 'tool').map(message => message.content);
const told = body => ({ text: 'The tools said: ' + results(body).join(' | ') });

/** What each model does: a function of the request and of how many this model had before. */
const SCRIPTS = {
  text: () => ({ text: TEXT }),
  reasoning: () => ({ reasoning: 'Let me think, ünd more. ', text: TEXT }),
  tool: body => results(body).length ? told(body)
    : { reasoning: 'A tool will know. ', text: 'I ask.', calls: [call('weather', { city: 'Köln "am" Rhein\n' })] },
  steps: body => {
    const step = results(body).length;
    return step === 2 ? told(body) : { calls: [call('weather', { city: ['Oslo', 'Rome'][step] }, 'call_' + step)] };
  },
  noargs: body => results(body).length ? told(body) : { calls: [call('now', '')] },
  parallel: body => results(body).length ? told(body)
    : { calls: [call('weather', { city: 'Oslo' }, 'call_a'), call('weather', { city: 'Rome' }, 'call_b')] },
  json: body => body.tools ? { calls: [call(body.tools[0].function.name, CITY)] }
    : { text: 'Sure:\n```json\n' + JSON.stringify(CITY) + '\n```' },
  length: () => ({ text: 'The first half', finish: 'length' }),
  filter: () => ({ text: 'Not', finish: 'content_filter' }),
  cut: () => ({ text: TEXT, cut: 4 }), // the connection is broken after 4 chunks, or in the middle of a plain reply
  'cut-call': () => ({ calls: [call('weather', { city: 'Oslo' })], cut: 3 }),
  unfinished: () => ({ text: TEXT, end: 4 }), // ends like a good reply after 4 chunks, without finish_reason and [DONE]
  late: () => ({ text: TEXT, error: { at: 4, message: 'worker died', type: 'server_error', code: 500 } }), // in the stream
  early: () => ({ text: TEXT, error: { at: 0, message: 'out of slots', type: 'rate_limit_error', code: 429 } }), // under status 200
  slow: () => ({ text: TEXT, wait: 11_000 }), // longer than A2o is silent
  endless: () => ({ text: TEXT.repeat(2000), pause: 20 }),
  flaky: (body, before) => before ? { text: TEXT } : { status: 503, message: 'Loading model' },
  stumble: (body, before) => before ? { text: TEXT } : { status: 500, message: 'oops' },
  quota: () => ({ status: 429, message: 'You exceeded your current quota', code: 'insufficient_quota' }),
  overflow: () => ({ status: 400, code: 'context_length_exceeded',
    message: "This model's maximum context length is 128000 tokens. However, your messages resulted in 140000 tokens." }),
};
const MODELS = ['claude-mock', 'text', 'org/model:tag', 'ünï code', 'last'];
const USAGE = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, prompt_tokens_details: { cached_tokens: 80 } };
const TOP = ('model messages stream stream_options max_tokens temperature top_p stop tools tool_choice '
  + 'parallel_tool_calls response_format reasoning_effort thinking user').split(' ');
const KEYS = { system: ['content'], user: ['content'], assistant: ['content', 'tool_calls', 'reasoning_content'],
  tool: ['content', 'tool_call_id'] };

/** What is wrong with a request by OpenAI's rules, or ''. */
function wrong(body) {
  const strange = Object.keys(body).find(key => !TOP.includes(key));
  if (strange) return `Unrecognized request argument supplied: ${strange}`;
  if (!body.messages?.length) return 'messages: empty';
  if (body.tool_choice && !body.tools) return 'tool_choice without tools';
  let open = [];
  for (const [at, message] of [...body.messages, { role: 'user', content: 'end' }].entries()) {
    const key = Object.keys(message).find(name => name !== 'role' && !KEYS[message.role]?.includes(name));
    if (key || !KEYS[message.role]) return `messages[${at}]: unknown ${key ?? message.role}`;
    if (message.role === 'tool' && !open.includes(message.tool_call_id)) return `messages[${at}]: answers no call`;
    if (message.role !== 'tool' && open.length) return `messages[${at}]: calls without answer before it`;
    if (message.content == null && !message.tool_calls?.length) return `messages[${at}]: no content`;
    open = message.role === 'tool' ? open.filter(id => id !== message.tool_call_id) : (message.tool_calls ?? []).map(one => one.id);
    for (const one of message.tool_calls ?? []) {
      try { JSON.parse(one.function.arguments); } catch { return `messages[${at}]: arguments are no JSON`; }
    }
  }
  const tool = (body.tools ?? []).find(one => one.type !== 'function' || !/^[\w-]{1,64}$/.test(one.function.name)
    || one.function.parameters?.type !== 'object');
  return tool ? `tools: ${JSON.stringify(tool)}` : '';
}

const pieces = text => text.match(/[\s\S]{1,3}/gu) ?? [];

function deltas(turn) { // with more than one call their arguments alternate
  const calls = (turn.calls ?? []).map(({ id, name, args }, index) => [{ index, id, type: 'function', function: { name, arguments: '' } },
    ...pieces(args).map(piece => ({ index, function: { arguments: piece } }))]);
  const longest = Math.max(0, ...calls.map(list => list.length));
  const alternating = Array.from({ length: longest }, (_, at) => calls.map(list => list[at]).filter(Boolean)).flat();
  return [{ role: 'assistant', content: '' }, ...pieces(turn.reasoning ?? '').map(text => ({ reasoning_content: text })),
    ...pieces(turn.text ?? '').map(text => ({ content: text })), ...alternating.map(one => ({ tool_calls: [one] }))];
}

async function stream(response, turn, base, finish) {
  const send = data => response.write(`data: ${JSON.stringify(data)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  await new Promise(done => setTimeout(done, turn.wait ?? 0));
  for (const [at, delta] of deltas(turn).entries()) {
    if (response.destroyed) return;
    if (at === turn.cut) return response.destroy();
    if (at === turn.end) return response.end();
    if (at === turn.error?.at) return response.end(`data: ${JSON.stringify({ error: turn.error })}\n\n`);
    send({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: null }] });
    await new Promise(done => setTimeout(done, turn.pause ?? 0)); // each chunk by itself
  }
  send({ ...base, choices: [{ index: 0, delta: {}, finish_reason: finish }] });
  send({ ...base, choices: [], usage: USAGE });
  response.end('data: [DONE]\n\n');
}

function whole(response, turn, base, finish) {
  if (turn.error) return json(response, 200, { error: turn.error });
  const message = { role: 'assistant', content: turn.text ?? null, reasoning_content: turn.reasoning,
    tool_calls: turn.calls?.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: args } })) };
  const choices = [{ index: 0, message, finish_reason: finish }];
  const text = JSON.stringify({ ...base, object: 'chat.completion', choices, usage: USAGE });
  if (!turn.cut && !turn.end) return json(response, 200, text);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, 60), () => response.destroy());
}

function json(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
}

let seen = [], running = 0, waiting = [];

async function chat(request, response, body) {
  const before = seen.filter(one => one.body.model === body.model).length;
  const entry = { body, headers: request.headers, closedEarly: false };
  seen.push(entry);
  running++;
  response.on('close', () => {
    entry.closedEarly = !response.writableFinished;
    if (--running === 0) waiting.splice(0).forEach(answer => answer());
  });
  const status = body.model.match(/^error-(\d+)$/)?.[1];
  const turn = status ? { status: +status, message: 'scripted error' } : SCRIPTS[body.model]?.(body, before);
  const refusal = wrong(body) || (turn ? '' : `no script for ${body.model}`);
  if (refusal) return json(response, 400, { error: { message: refusal, type: 'invalid_request_error', param: null, code: null } });
  if (turn.status) {
    return json(response, turn.status, { error: { message: turn.message, type: 'scripted', param: null, code: turn.code ?? null } },
      turn.status === 429 ? { 'retry-after': '30' } : {});
  }
  const base = { id: 'chatcmpl-1', created: 1700000000, model: body.model };
  const finish = turn.finish ?? (turn.calls ? 'tool_calls' : 'stop');
  return body.stream ? stream(response, turn, base, finish) : whole(response, turn, base, finish);
}

const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /v1/chat/completions') return chat(request, response, JSON.parse(text));
  if (route === 'GET /v1/models') {
    return json(response, 200, { object: 'list', data: MODELS.map(id => ({ id, object: 'model', created: 1700000000 })) });
  }
  if (route === 'DELETE /seen') { seen = []; return json(response, 200, {}); }
  if (route !== 'GET /seen') return json(response, 404, { error: { message: `unknown: ${route}` } });
  const answer = () => json(response, 200, seen);
  return running ? waiting.push(answer) : answer();
});
server.keepAliveTimeout = 0; // never: a connection that ends as it is used again is not what is tried here
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
