// ts-sdk.mjs — A2o with Anthropic's TypeScript SDK; run.mjs copies it to where that is installed.
import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { A2O_URL, assert, check, collect, failure, sawRequests, seen } from './check.mjs';

const TEXT = 'Hello, wörld 😀, from the mock.';
const client = new Anthropic({ apiKey: 'a-key', authToken: null, baseURL: A2O_URL, maxRetries: 0 });
const WEATHER = { name: 'weather', description: 'of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } };
const NOW = { name: 'now', input_schema: { type: 'object', properties: {} } };
const ask = (model, more = {}) => ({ model, max_tokens: 1000, messages: [{ role: 'user', content: 'Do it.' }], ...more });
const texts = message => message.content.filter(block => block.type === 'text').map(block => block.text).join('');

await check('create', async () => {
  const message = await client.messages.create(ask('text', { system: 'Be short.', stop_sequences: ['END'] }));
  assert.equal(texts(message), TEXT);
  assert.deepEqual([message.type, message.role, message.model, message.stop_reason], ['message', 'assistant', 'text', 'end_turn']);
  assert.deepEqual([message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens], [20, 80, 10]);
  assert.match(message._request_id, /^req_/);
  const [{ body, headers }] = await seen();
  assert.deepEqual(body.messages, [{ role: 'system', content: 'Be short.' }, { role: 'user', content: 'Do it.' }]);
  assert.deepEqual([body.max_tokens, body.stop, headers.authorization], [1000, undefined, 'Bearer a-key']);
});

await check('create: length and content filter', async () => {
  assert.equal((await client.messages.create(ask('length'))).stop_reason, 'max_tokens');
  assert.equal((await client.messages.create(ask('filter'))).stop_reason, 'refusal');
});

await check('more stop sequences than OpenAI takes', async () => {
  const body = ask('text', { stop_sequences: ['one', 'two', 'three', 'four', 'from'] });
  for (const send of [() => client.messages.create(body), () => client.messages.stream(body).finalMessage()]) {
    const message = await send();
    assert.deepEqual([texts(message), message.stop_reason, message.stop_sequence], ['Hello, wörld 😀, ', 'stop_sequence', 'from']);
  }
});

await check('create: image and PDF', async () => {
  const source = (media_type, data) => ({ type: 'base64', media_type, data });
  await client.messages.create(ask('text', { messages: [{ role: 'user', content: [{ type: 'image', source: source('image/png', 'aW1n') },
    { type: 'document', source: source('application/pdf', 'cGRm') }, { type: 'text', text: 'What is it?' }] }] }));
  const parts = (await seen())[0].body.messages[0].content;
  assert.equal(parts[0].image_url.url, 'data:image/png;base64,aW1n');
  assert.equal(parts[1].file.file_data, 'data:application/pdf;base64,cGRm');
  assert.deepEqual(parts[2], { type: 'text', text: 'What is it?' });
});

await check('stream: events', async () => {
  const events = await collect(await client.messages.create(ask('reasoning', { stream: true })));
  const kinds = events.map(event => event.type).filter((kind, at, all) => kind !== all[at - 1] && kind !== 'ping');
  const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];
  assert.deepEqual(kinds, ['message_start', ...block, ...block, 'message_delta', 'message_stop']);
  assert.ok(events.filter(event => event.delta?.type === 'text_delta').length > 5, 'many pieces');
});

await check('stream: finalMessage', async () => {
  const stream = client.messages.stream(ask('reasoning'));
  let heard = '';
  stream.on('text', text => { heard += text; });
  const message = await stream.finalMessage();
  assert.equal(heard, TEXT);
  assert.deepEqual(message.content.map(block => block.thinking ?? block.text), ['Let me think, ünd more. ', TEXT]);
  assert.deepEqual([message.stop_reason, message.usage.input_tokens, message.usage.output_tokens], ['end_turn', 20, 10]);
  assert.match(stream.request_id, /^req_/);
});

await check('stream: calls', async () => {
  const inputs = async (model, tool) => (await client.messages.stream(ask(model, { tools: [tool] })).finalMessage())
    .content.filter(block => block.type === 'tool_use').map(block => block.input);
  assert.deepEqual(await inputs('tool', WEATHER), [{ city: 'Köln "am" Rhein\n' }]);
  assert.deepEqual(await inputs('noargs', NOW), [{}]);
  assert.deepEqual(await inputs('parallel', WEATHER), [{ city: 'Oslo' }, { city: 'Rome' }]);
});

await check('stream: pings while the backend is silent', async () => {
  const [message, raw] = await Promise.all([client.messages.stream(ask('slow')).finalMessage(),
    client.messages.create(ask('slow', { stream: true })).asResponse().then(response => response.text())]);
  assert.equal(texts(message), TEXT);
  assert.match(raw, /event: ping\n/);
});

await check('stream: abort reaches the backend', async () => {
  const stream = client.messages.stream(ask('endless'));
  stream.once('text', () => stream.abort());
  assert.ok(await failure(stream.finalMessage()) instanceof Anthropic.APIUserAbortError);
  assert.equal((await seen())[0].closedEarly, true);
});

await check('thinking goes back in the next turn', async () => {
  for (const send of [body => client.messages.create(body), body => client.messages.stream(body).finalMessage()]) {
    const first = ask('tool', { tools: [WEATHER], thinking: { type: 'adaptive' }, output_config: { effort: 'high' } });
    const reply = await send(first);
    assert.deepEqual(reply.content.map(block => block.type), ['thinking', 'text', 'tool_use']);
    assert.ok(reply.content[0].signature);
    const result = { type: 'tool_result', tool_use_id: reply.content[2].id, content: 'sunny' };
    const messages = [...first.messages, { role: 'assistant', content: reply.content }, { role: 'user', content: [result] }];
    assert.equal(texts(await send({ ...first, messages })), 'The tools said: sunny');
    const { body } = (await seen()).at(-1);
    assert.equal(body.messages[1].reasoning_content, 'A tool will know. ');
    assert.equal(body.reasoning_effort, 'high');
  }
});

for (const stream of [false, true]) {
  for (const [kind, thread] of [['with its thread', undefined], ['without thread', false]]) {
    await check(`tool runner${stream ? ', streamed' : ''}, ${kind}`, async () => {
      const asked = [];
      const weather = betaZodTool({ name: 'weather', description: 'of a city', inputSchema: z.object({ city: z.string() }),
        run: ({ city }) => { asked.push(city); return `rain in ${city}`; } });
      const runner = client.beta.messages.toolRunner(ask('steps', { system: 'Be short.', tools: [weather], stream, thread }));
      const message = await runner.runUntilDone();
      assert.deepEqual(asked, ['Oslo', 'Rome']);
      assert.equal(texts(message), 'The tools said: rain in Oslo | rain in Rome');
      const requests = await seen();
      assert.equal(requests.length, 3);
      for (const { body } of requests) assert.deepEqual([body.messages[0].content, body.tools.length], ['Be short.', 1]);
    });
  }
}

await check('thread: refused, or goes on without', async () => {
  const turn = content => [{ role: 'user', content }];
  const refused = await failure(client.beta.messages.thread({ model: 'text', max_tokens: 100 }).send(turn('one')));
  assert.deepEqual([refused.status, refused.errorCode], [400, 'thread_unsupported_request']);
  const thread = client.beta.messages.thread({ model: 'text', max_tokens: 100, system: 'Be short.',
    unsupportedRequestBehavior: 'continue_unthreaded' });
  await thread.send(turn('one'));
  assert.equal(texts(await thread.stream(turn('two')).finalMessage()), TEXT);
  const last = (await seen()).at(-1).body.messages;
  assert.deepEqual(last.map(message => message.content), ['Be short.', 'one', TEXT, 'two']);
});

await check('tools of Anthropic: those that clients run are sent', async () => {
  const tools = [{ type: 'bash_20250124', name: 'bash' }, { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
    { type: 'web_search_20260318', name: 'web_search' }];
  const { response } = await client.messages.create(ask('text', { tools })).withResponse();
  assert.deepEqual((await seen())[0].body.tools.map(tool => tool.function.name), ['bash', 'str_replace_based_edit_tool']);
  assert.equal(response.headers.get('x-proxy-warnings'), 'server_tool_omitted');
});

await check('deferred tools are sent where only the server could search for them', async () => {
  const tools = [{ type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' }, { ...WEATHER, defer_loading: true }, NOW];
  await client.messages.create(ask('text', { tools }));
  assert.deepEqual((await seen())[0].body.tools.map(tool => tool.function.name), ['weather', 'now']);
});

await check('one call at a time', async () => {
  const body = ask('parallel', { tools: [WEATHER], tool_choice: { type: 'any', disable_parallel_tool_use: true } });
  for (const send of [() => client.messages.create(body), () => client.messages.stream(body).finalMessage()]) {
    assert.deepEqual((await send()).content.map(block => block.input), [{ city: 'Oslo' }]);
  }
  assert.deepEqual([(await seen())[0].body.tool_choice, (await seen())[0].body.parallel_tool_calls], ['required', false]);
});

await check('structured output', async () => {
  const City = z.object({ city: z.string(), people: z.number() });
  const body = ask('json', { output_config: { format: zodOutputFormat(City) } });
  assert.deepEqual((await client.messages.parse(body)).parsed_output, { city: 'Oslo', people: 700000 });
  assert.deepEqual((await client.messages.stream(body).finalMessage()).parsed_output, { city: 'Oslo', people: 700000 });
  const format = (await seen())[0].body.response_format;
  assert.deepEqual([format.type, Object.keys(format.json_schema.schema.properties)], ['json_schema', ['city', 'people']]);
});

await check('countTokens', async () => {
  const { messages } = ask('text');
  const few = (await client.messages.countTokens({ model: 'text', messages })).input_tokens;
  const more = (await client.messages.countTokens({ model: 'text', messages, tools: [WEATHER], system: 'Be short.' })).input_tokens;
  assert.ok(Number.isInteger(few) && few > 0 && more > few, `${few}, ${more}`);
  await sawRequests(0);
});

await check('models: pages, one, unknown', async () => {
  const ids = (await collect(client.models.list({ limit: 2 }))).map(model => model.id);
  assert.deepEqual(ids, ['claude-mock', 'anthropic/text', 'anthropic/org/model:tag', 'anthropic/ünï code', 'anthropic/last']);
  for (const id of ids) assert.equal((await client.models.retrieve(id)).id, id);
  assert.equal((await client.models.retrieve('org/model:tag')).id, 'anthropic/org/model:tag');
  assert.ok(await failure(client.models.retrieve('nobody/knows')) instanceof Anthropic.NotFoundError);
});

// model, class, status, type, and how often the backend is asked: A2o tries again after 502, 503, 504, 529
for (const [model, name, status, type, requests] of [
  ['error-400', 'BadRequestError', 400, 'invalid_request_error', 1],
  ['error-401', 'AuthenticationError', 401, 'authentication_error', 1],
  ['error-402', 'PaymentRequiredError', 402, 'billing_error', 1],
  ['quota', 'PaymentRequiredError', 402, 'billing_error', 1],
  ['error-403', 'PermissionDeniedError', 403, 'permission_error', 1],
  ['error-404', 'NotFoundError', 404, 'not_found_error', 1],
  ['error-408', 'RequestTimeoutError', 408, 'timeout_error', 1],
  ['error-409', 'OverloadedError', 529, 'overloaded_error', null],
  ['error-413', 'ContentTooLargeError', 413, 'request_too_large', 1],
  ['error-422', 'BadRequestError', 400, 'invalid_request_error', 1],
  ['error-429', 'RateLimitError', 429, 'rate_limit_error', 1],
  ['error-500', 'InternalServerError', 500, 'api_error', 1],
  ['error-503', 'OverloadedError', 529, 'overloaded_error', 3],
  ['error-504', 'GatewayTimeoutError', 504, 'timeout_error', 3],
  ['error-529', 'OverloadedError', 529, 'overloaded_error', 3],
  ['early', 'RateLimitError', 429, 'rate_limit_error', 1],
]) {
  await check(`${model} is ${name}`, async () => {
    for (const stream of [false, true]) {
      const before = (await seen()).length;
      const error = await failure(client.messages.create(ask(model, { stream })));
      assert.deepEqual([error.constructor.name, error.status, error.type], [name, status, type]);
      assert.match(error.requestID, /^req_/);
      if (requests) await sawRequests(before + requests);
    }
  });
}

await check('overflow has the words that make clients compact', async () => {
  const error = await failure(client.messages.create(ask('overflow')));
  assert.deepEqual([error.status, error.apiMessage], [400, 'prompt is too long: 140000 tokens > 128000 maximum']);
});

await check('retry-after is passed on; no retry without credit', async () => {
  const limited = await failure(client.messages.create(ask('error-429')));
  assert.equal(limited.headers.get('retry-after'), '30');
  await failure(client.messages.create(ask('quota'), { maxRetries: 2 }));
  await sawRequests(2);
});

await check('a passing fault is not seen', async () => {
  assert.equal(texts(await client.messages.create(ask('flaky'))), TEXT); // 503, tried again by A2o
  assert.equal(texts(await client.messages.create(ask('stumble'), { maxRetries: 1 })), TEXT); // 500, by the SDK
  await sawRequests(4);
});

for (const [model, type] of [['cut', 'api_error'], ['cut-call', 'api_error'], ['unfinished', 'api_error'], ['late', 'api_error']]) {
  await check(`stream that breaks off throws: ${model}`, async () => {
    const error = await failure(client.messages.stream(ask(model, { tools: [WEATHER] })).finalMessage());
    assert.ok(error instanceof Anthropic.APIError, error.constructor.name);
    assert.equal(error.type, type);
    const raw = await client.messages.create(ask(model, { stream: true, tools: [WEATHER] }));
    assert.ok(await failure(collect(raw)) instanceof Anthropic.APIError);
    await sawRequests(2);
  });
}

await check('reply that breaks off throws', async () => {
  const error = await failure(client.messages.create(ask('cut')));
  assert.ok(error instanceof Anthropic.InternalServerError, `${error.constructor.name} ${error.status}`);
});

await check('what is not there is refused, once', async () => {
  const batches = await failure(client.messages.batches.list({}, { maxRetries: 2 }));
  assert.ok(batches instanceof Anthropic.NotFoundError);
  const server = { type: 'url', name: 'x', url: 'https://mcp.invalid' };
  const mcp = await failure(client.beta.messages.create(ask('text', { mcp_servers: [server] })));
  assert.ok(mcp instanceof Anthropic.BadRequestError);
  await sawRequests(0);
});

const { NATIVE_URL, A2O_NATIVE_URL } = process.env;
const at = baseURL => new Anthropic({ apiKey: 'a-key', authToken: null, baseURL, maxRetries: 0 });
await check("a backend of Anthropic's own API: the same bytes with A2o and without", async () => {
  for (const stream of [true, false]) {
    const bytes = async url => Buffer.from(await (await at(url).messages.create(ask('claude-x', { stream })).asResponse()).arrayBuffer());
    const direct = await bytes(NATIVE_URL);
    assert.match(direct.toString(), stream ? /message_stop/ : /end_turn/);
    assert.ok(direct.equals(await bytes(A2O_NATIVE_URL)), `stream: ${stream}`);
  }
  const final = url => at(url).messages.stream(ask('claude-x')).finalMessage();
  const [direct, through] = await Promise.all([final(NATIVE_URL), final(A2O_NATIVE_URL)]);
  assert.deepEqual(through.content, direct.content);
  assert.equal(through.content[0].signature, 'EqQBCgIYAhIM');
  const count = url => at(url).messages.countTokens({ model: 'claude-x', messages: [{ role: 'user', content: 'hi' }] });
  assert.equal((await count(A2O_NATIVE_URL)).input_tokens, 4711);
});

await check('where that is overloaded, a backend of another API answers', async () => {
  const error = await failure(at(NATIVE_URL).messages.create(ask('text')));
  assert.deepEqual([error.status, error.type], [529, 'overloaded_error']);
  assert.equal(texts(await at(A2O_NATIVE_URL).messages.create(ask('text'))), TEXT);
  assert.equal(texts(await at(A2O_NATIVE_URL).messages.stream(ask('text')).finalMessage()), TEXT);
  await sawRequests(2);
});

process.exit();
