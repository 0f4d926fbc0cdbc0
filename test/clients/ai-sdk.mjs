// ai-sdk.mjs — A2o with Vercel's AI SDK and its provider for Anthropic; run.mjs copies it to where they are installed.
import { createAnthropic } from '@ai-sdk/anthropic';
import { APICallError, generateObject, generateText, Output, stepCountIs, streamObject, streamText, tool } from 'ai';
import { z } from 'zod';
import { A2O_URL, assert, check, collect, failure, sawRequests, seen } from './check.mjs';

const TEXT = 'Hello, wörld 😀, from the mock.';
const anthropic = createAnthropic({ baseURL: A2O_URL + '/v1', apiKey: 'a-key' });
const ask = (model, more = {}) => ({ model: anthropic(model), prompt: 'Do it.', maxOutputTokens: 1000, maxRetries: 0,
  onError: () => {}, ...more });
const City = z.object({ city: z.string(), people: z.number() });
const weather = asked => tool({ description: 'of a city', inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => { asked.push(city); return `rain in ${city}`; } });
const now = asked => tool({ description: 'the time', inputSchema: z.object({}),
  execute: async () => { asked.push('now'); return 'noon'; } });

await check('generateText', async () => {
  const result = await generateText(ask('text', { system: 'Be short.' }));
  assert.deepEqual([result.text, result.finishReason], [TEXT, 'stop']);
  assert.deepEqual([result.usage.inputTokens, result.usage.outputTokens], [100, 10]); // the SDK adds the cached ones
  const [{ body }] = await seen();
  assert.deepEqual(body.messages, [{ role: 'system', content: 'Be short.' }, { role: 'user', content: 'Do it.' }]);
});

await check('streamText', async () => {
  const result = streamText(ask('text'));
  const parts = await collect(result.textStream);
  assert.ok(parts.length > 5, 'many pieces');
  assert.equal(parts.join(''), TEXT);
  assert.deepEqual([await result.finishReason, (await result.usage).outputTokens], ['stop', 10]);
});

await check('finish reasons', async () => {
  assert.equal((await generateText(ask('length'))).finishReason, 'length');
  assert.equal((await generateText(ask('filter'))).finishReason, 'content-filter');
});

await check('tools over several steps', async () => {
  const asked = [];
  const result = await generateText(ask('steps', { tools: { weather: weather(asked) }, stopWhen: stepCountIs(5) }));
  assert.deepEqual(asked, ['Oslo', 'Rome']);
  assert.equal(result.text, 'The tools said: rain in Oslo | rain in Rome');
  assert.equal(result.steps.length, 3);
  await sawRequests(3);
});

await check('tools over several steps, streamed', async () => {
  const calls = { steps: ['Oslo', 'Rome'], parallel: ['Oslo', 'Rome'], noargs: ['now'], tool: ['Köln "am" Rhein\n'] };
  for (const [model, expected] of Object.entries(calls)) {
    const asked = [];
    const result = streamText(ask(model, { tools: { weather: weather(asked), now: now(asked) }, stopWhen: stepCountIs(5) }));
    assert.match(await result.text, /^The tools said: /);
    assert.deepEqual(asked, expected);
  }
});

await check('a tool that fails', async () => {
  const failing = tool({ inputSchema: z.object({ city: z.string() }), execute: async () => { throw new Error('no rain today'); } });
  const result = await generateText(ask('tool', { tools: { weather: failing }, stopWhen: stepCountIs(5) }));
  assert.equal(result.text, 'The tools said: Error: no rain today');
});

await check('image, file, web search of the provider', async () => {
  const content = [{ type: 'text', text: 'What is it?' }, { type: 'file', data: Buffer.from('img'), mediaType: 'image/png' },
    { type: 'file', data: Buffer.from('pdf'), mediaType: 'application/pdf', filename: 'a.pdf' }];
  const tools = { web_search: anthropic.tools.webSearch_20250305(), now: now([]) }; // a search that nobody runs is left out
  await generateText(ask('text', { prompt: undefined, messages: [{ role: 'user', content }], tools }));
  const [{ body }] = await seen();
  assert.deepEqual(body.messages[0].content.map(part => part.image_url?.url ?? part.file?.file_data ?? part.text),
    ['What is it?', 'data:image/png;base64,aW1n', 'data:application/pdf;base64,cGRm']);
  assert.deepEqual(body.tools.map(each => each.function.name), ['now']);
});

const OSLO = { city: 'Oslo', people: 700000 };

await check('objects, by a tool', async () => {
  const mode = { providerOptions: { anthropic: { structuredOutputMode: 'jsonTool' } } };
  assert.deepEqual((await generateObject(ask('json', { schema: City, ...mode }))).object, OSLO);
  const streamed = streamObject(ask('json', { schema: City, ...mode }));
  assert.deepEqual((await collect(streamed.partialObjectStream)).at(-1), OSLO); // without a reader it does not go on
  assert.deepEqual(await streamed.object, OSLO);
  const [{ body }] = await seen();
  assert.deepEqual([body.tools.length, body.tool_choice], [1, 'required']);
});

await check('objects, by output format', async () => {
  const mode = { providerOptions: { anthropic: { structuredOutputMode: 'outputFormat' } } };
  assert.deepEqual((await generateObject(ask('json', { schema: City, ...mode }))).object, OSLO);
  const output = Output.object({ schema: City });
  assert.deepEqual((await generateText(ask('json', { output, ...mode }))).output, OSLO);
  assert.deepEqual(await streamText(ask('json', { output, ...mode })).output, OSLO);
  for (const { body } of await seen()) assert.equal(body.response_format.type, 'json_schema');
});

await check('reasoning', async () => {
  const providerOptions = { anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } } };
  assert.equal((await generateText(ask('reasoning', { providerOptions }))).reasoningText, 'Let me think, ünd more. ');
  const asked = [];
  const result = streamText(ask('tool', { providerOptions, tools: { weather: weather(asked) }, stopWhen: stepCountIs(5) }));
  assert.equal(await result.text, 'The tools said: rain in Köln "am" Rhein\n');
  assert.equal((await result.steps)[0].reasoningText, 'A tool will know. ');
  const { body } = (await seen()).at(-1);
  assert.equal(body.messages.find(message => message.role === 'assistant').reasoning_content, 'A tool will know. ');
});

for (const [model, status] of [['error-400', 400], ['error-401', 401], ['quota', 402], ['error-403', 403], ['error-404', 404],
  ['error-413', 413], ['error-429', 429], ['error-500', 500], ['error-503', 529]]) {
  await check(`${model} is ${status}`, async () => {
    const error = await failure(generateText(ask(model)));
    assert.ok(APICallError.isInstance(error), error.constructor.name);
    assert.equal(error.statusCode, status);
    const errors = [];
    await collect(streamText(ask(model, { onError: ({ error: one }) => errors.push(one.statusCode) })).textStream).catch(() => {});
    assert.deepEqual(errors, [status]);
  });
}

await check('stream that breaks off is an error', async () => {
  for (const model of ['cut', 'unfinished', 'late']) {
    const parts = await collect(streamText(ask(model)).fullStream);
    assert.ok(parts.some(part => part.type === 'error'), `${model}: ${parts.map(part => part.type)}`);
    assert.ok(!parts.some(part => part.type === 'finish' && part.finishReason === 'stop'), model);
  }
});

process.exit();
