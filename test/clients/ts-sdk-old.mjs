// ts-sdk-old.mjs — A2o with early versions of Anthropic's TypeScript SDK, which forgive less in a stream; run.mjs copies it.
import Anthropic from '@anthropic-ai/sdk';
import { A2O_URL, assert, check, collect, failure, seen } from './check.mjs';

const TEXT = 'Hello, wörld 😀, from the mock.';
const client = new Anthropic({ apiKey: 'a-key', authToken: null, baseURL: A2O_URL, maxRetries: 0 });
const tools = ['weather', 'now'].map(name => ({ name, input_schema: { type: 'object', properties: {} } }));
const ask = (model, more = {}) => ({ model, max_tokens: 1000, messages: [{ role: 'user', content: 'Do it.' }], ...more });
const whole = body => client.messages.create(body);
const streamed = body => client.messages.stream(body).finalMessage();

for (const [name, send] of [['create', whole], ['stream', streamed]]) {
  await check(`${name}: reasoning and text`, async () => {
    const message = await send(ask('reasoning'));
    assert.deepEqual(message.content.map(block => block.thinking ?? block.text), ['Let me think, ünd more. ', TEXT]);
    assert.deepEqual([message.stop_reason, message.usage.output_tokens], ['end_turn', 10]);
    assert.equal((await seen())[0].headers.authorization, 'Bearer a-key');
  });

  await check(`${name}: calls`, async () => {
    const expected = { tool: [{ city: 'Köln "am" Rhein\n' }], noargs: [{}], parallel: [{ city: 'Oslo' }, { city: 'Rome' }] };
    for (const [model, inputs] of Object.entries(expected)) {
      const message = await send(ask(model, { tools }));
      assert.deepEqual(message.content.filter(block => block.type === 'tool_use').map(block => block.input), inputs);
      assert.equal(message.stop_reason, 'tool_use');
    }
  });

  await check(`${name}: thinking goes back in the next turn`, async () => {
    const first = ask('tool', { tools, thinking: { type: 'enabled', budget_tokens: 2000 } });
    const reply = await send(first);
    const result = { type: 'tool_result', tool_use_id: reply.content.at(-1).id, content: 'sunny' };
    const turns = [{ role: 'assistant', content: reply.content }, { role: 'user', content: [result] }];
    const last = await send({ ...first, messages: [...first.messages, ...turns] });
    assert.equal(last.content.at(-1).text, 'The tools said: sunny');
    assert.equal((await seen()).at(-1).body.messages[1].reasoning_content, 'A tool will know. ');
  });

  await check(`${name}: errors`, async () => {
    for (const [model, status] of [['error-400', 400], ['error-401', 401], ['quota', 402], ['error-403', 403], ['error-404', 404],
      ['error-413', 413], ['error-429', 429], ['error-500', 500], ['error-503', 529], ['early', 429]]) {
      const error = await failure(send(ask(model)));
      assert.ok(error instanceof Anthropic.APIError, error.constructor.name);
      assert.equal(error.status, status, model);
    }
  });
}

await check('stream that breaks off throws', async () => {
  for (const model of ['cut', 'cut-call', 'unfinished', 'late']) {
    assert.ok(await failure(streamed(ask(model, { tools }))) instanceof Anthropic.AnthropicError);
    assert.ok(await failure((async () => collect(await whole(ask(model, { stream: true, tools }))))()) instanceof Anthropic.APIError);
  }
});

await check('models and countTokens', async () => {
  assert.equal((await collect(client.models.list({ limit: 2 }))).length, 5);
  assert.equal((await client.models.retrieve('anthropic/org/model:tag')).id, 'anthropic/org/model:tag');
  assert.ok((await client.messages.countTokens({ model: 'text', messages: ask('text').messages })).input_tokens > 0);
});

process.exit();
