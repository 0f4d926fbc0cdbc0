// claude-code.mjs — A2o with Claude Code itself, as A2O_CLAUDE runs it: a script run-claude.sh that starts a backend of its own by a
// scenario, a proxy and Claude Code in a network namespace, and has scenarios beside it; those here have the same form.
// By default it is looked for in ../shared/claude-code beside the repository; where there is none, this is skipped.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, check, say } from './check.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../..');
const RUN = path.resolve(ROOT, process.env.A2O_CLAUDE || '../shared/claude-code/run-claude.sh');
const OWN = path.join(HERE, 'scenarios');
const GIVEN = path.join(path.dirname(RUN), 'scenarios');
const CACHE = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
const PACKAGE = path.join(process.env.CLAUDE_CACHE || path.join(CACHE, 'a2o-claude-code'),
  'node_modules/@anthropic-ai/claude-code-linux-x64'); // where run-claude.sh installs it
const RUN_SECONDS = 60; // of Claude Code in one run
const OUT = mkdtempSync(path.join(os.tmpdir(), 'a2o-claude-'));
process.on('exit', () => rmSync(OUT, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit(1)); // run-claude.sh gets it, too, and ends what it started

function skip(reason) {
  say('skip', reason);
  process.exit();
}

/** Runs one scenario, and returns how it ended, what Claude Code wrote, and the requests that the backend got. */
const A2O = [process.env.JAVA, '-jar', path.join(ROOT, 'build/a2o.jar'), '--port', '{PORT}', '--upstream', '{UPSTREAM}'];
const run = (scenario, ...options) => runWith(A2O, scenario, ...options);

/** The same, with the proxy that this command line starts. */
async function runWith(proxy, scenario, ...options) {
  const child = spawn('bash', [RUN, '-S', '-t', String(RUN_SECONDS), '-o', OUT, ...options, scenario, '--', ...proxy],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', text => { printed += text; });
  const status = await new Promise((done, fail) => child.on('close', done).on('error', fail));
  const read = name => existsSync(path.join(OUT, name)) ? readFileSync(path.join(OUT, name), 'utf8') : '';
  const log = read('upstream.jsonl').split('\n').filter(Boolean).map(line => JSON.parse(line));
  return { status, printed, claude: read('claude.out'), read, bodies: log.filter(entry => entry.kind).map(entry => entry.body) };
}

/** Claude Code's last words, when the run was good and the backend asked for so many replies. */
function words(outcome, requests) {
  const why = outcome.printed.split('\n').filter(line => /EXPECTATION|violation|did not/.test(line)).join('; ');
  assert.equal(outcome.status, 0, `run-claude.sh ended with ${outcome.status}: ${why || outcome.claude.slice(0, 300)}`);
  assert.equal(outcome.bodies.length, requests, 'requests that reached the backend');
  return JSON.parse(outcome.claude).result;
}

const scenario = (name, body) => check(name, body, 3 * RUN_SECONDS);
const given = name => path.join(GIVEN, `${name}.json`);
const own = name => path.join(OWN, `${name}.json`);

/** A scenario of our own with something put in its place. */
function variant(name, places) {
  const file = path.join(OUT, `${name}.json`);
  const text = readFileSync(own(name), 'utf8');
  writeFileSync(file, Object.entries(places).reduce((made, [place, value]) => made.replaceAll(place, value), text));
  return file;
}

if (!existsSync(RUN)) skip('no run-claude.sh; A2O_CLAUDE says where it is');
const first = await run(given('hello'));
if (!first.printed.includes('--- claude exit status') && first.status !== 90) {
  skip(`it cannot run here: ${first.printed.trim().split('\n').at(-1)}`);
}
if (!process.env.CLAUDE_BIN) process.env.CLIENT += ' ' + JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'))).version;

await scenario('hello', async () => assert.equal(words(first, 1), 'Hello from the fake upstream.'));

// the last words and the number of requests of each scenario beside run-claude.sh
const KNOWN = { cut: ['second try', 2], length: ['second half', 2], loop: ['All done: final text.', 9],
  overflow: ['after the compaction', 5], rate: ['after the wait', 2] };
for (const file of readdirSync(GIVEN).filter(name => name.endsWith('.json') && name !== 'hello.json')) {
  const name = path.parse(file).name;
  await scenario(name, async () => {
    const outcome = await run(given(name), '-s', path.join(path.dirname(RUN), 'seed'));
    const [last, requests] = KNOWN[name] ?? [JSON.parse(outcome.claude).result, outcome.bodies.length];
    assert.equal(words(outcome, requests), last);
    if (name === 'loop') assert.equal(outcome.read('work/a.txt'), 'alpha\ngamma é 中\n');
  });
}

await scenario("the same loop through a backend of Anthropic's own API, which is another A2o", async () => {
  const proxy = ['sh', path.join(HERE, 'native-loop.sh'), process.env.JAVA, path.join(ROOT, 'build/a2o.jar'), '{PORT}', '{UPSTREAM}'];
  const outcome = await runWith(proxy, given('loop'), '-s', path.join(path.dirname(RUN), 'seed'));
  assert.equal(words(outcome, KNOWN.loop[1]), KNOWN.loop[0]);
  assert.equal(outcome.read('work/a.txt'), 'alpha\ngamma é 中\n');
});

await scenario('small models and sub-agents at one backend, the others at one that dies in the middle', async () => {
  const proxy = ['sh', path.join(HERE, 'two-backends.sh'), process.env.JAVA, path.join(ROOT, 'build/a2o.jar'), '{PORT}', '{UPSTREAM}'];
  const outcome = await runWith(proxy, own('two-backends'), '-m', 'main-model', '-e', 'CLAUDE_CODE_SUBAGENT_MODEL=a-haiku');
  assert.equal(words(outcome, 4), 'It went on at the other backend.');
  const printed = outcome.read('proxy.out');
  const page = JSON.parse(printed.split('\n').find(line => line.startsWith('{"version"')));
  const went = page.last.map(one => `${one.asked} ${one.model}@${one.upstream} ${one.status}`).reverse();
  assert.deepEqual(went, ['main-model big@cloud 200', 'a-haiku small@local 200', 'a-haiku small@local 200',
    'main-model big@cloud 502', 'main-model big@local 200', 'main-model big@local 200']);
  assert.match(page.upstreams.map(one => `${one.host} ${one.state}`).join(', '), /^local ready, cloud (set aside|unreachable|failing)$/);
  for (const one of page.last) assert.ok(printed.split('\n').some(line => line.includes(one.id) && line.includes(one.upstream)), one.id);
});

await scenario('overflow, compaction, and on with tools', async () => {
  assert.equal(words(await run(own('overflow-goes-on')), 6), 'It went on.');
});

const WINDOWS = [['CLAUDE_CODE_AUTO_COMPACT_WINDOW', 100000, 98000], ['CLAUDE_CODE_MAX_CONTEXT_TOKENS', 64000, 50000]];
for (const [variable, window, used] of WINDOWS) {
  await scenario(`compaction in time, by the usage and ${variable}`, async () => {
    const outcome = await run(variant('compaction-in-time', { '"@USED@"': used }), '-m', 'a-model', '-e', `${variable}=${window}`);
    assert.equal(words(outcome, 4), 'It was in time.');
  });
}

await scenario('reasoning goes back', async () => {
  assert.equal(words(await run(own('reasoning')), 3), 'Thought over.');
});

await scenario('error in a stream', async () => {
  assert.equal(words(await run(own('late-error')), 2), 'second try');
});

await scenario('no credit: says so, asks once', async () => {
  const outcome = await run(own('quota'));
  assert.equal(outcome.bodies.length, 1);
  assert.match(JSON.parse(outcome.claude).result, /402 .*You exceeded your current quota/);
});

await scenario('models are discovered', async () => {
  assert.equal(words(await run(given('hello'), '-e', 'CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY=1'), 2), 'Hello from the fake upstream.');
  const folder = path.join(OUT, 'home/.claude/cache');
  const cache = readdirSync(folder).map(name => readFileSync(path.join(folder, name), 'utf8'));
  assert.ok(cache.some(text => text.includes('{"id":"anthropic/gpt-5","display_name":"gpt-5"}')), cache.join());
});

await scenario('web search is answered as text', async () => {
  const outcome = await run(own('web-search'));
  assert.equal(words(outcome, 4), 'The web says 42.');
  assert.equal(outcome.bodies[2].tools, undefined); // the search itself, whose only tool was web_search_20250305
});

await scenario('web search by a service of its own', async () => {
  const proxy = [process.execPath, path.join(HERE, 'search-service.mjs'), '9098', ...A2O, '--search', 'http://127.0.0.1:9098'];
  assert.equal(words(await runWith(proxy, own('own-search')), 6), 'The web says 42.');
});

await scenario('structured output of a hook', async () => {
  const hooks = { Stop: [{ hooks: [{ type: 'prompt', prompt: 'May it stop? $ARGUMENTS' }] }] };
  const outcome = await run(own('hook'), '-a', '--settings', '-a', JSON.stringify({ hooks }));
  assert.equal(words(outcome, 4), 'Now it may stop.');
  assert.equal(outcome.bodies[1].response_format.type, 'json_schema');
});

await scenario('structured title of a session', async () => {
  const claude = process.env.CLAUDE_BIN || path.join(PACKAGE, 'claude');
  const outcome = await run(own('titles'), '-f', 'stream-json', '-e', `CLAUDE=${claude}`, '-c', path.join(HERE, 'claude-title.sh'));
  assert.equal(outcome.status, 0, outcome.printed.slice(-300));
  assert.match(outcome.claude, /"title":"Mended login"/);
});

const SERVER = 'a-server-of-20-chars';
const TOOL = 'says_a_word_again_and_has_a_name_of_exactly_58_characters1';
const FULL = `mcp__${SERVER}__${TOOL}`;
const mcp = { mcpServers: { [SERVER]: { command: process.execPath, args: [path.join(HERE, 'mcp-server.mjs'), SERVER, TOOL] } } };
let short;

/** Runs mcp.json, with the tool called as `called`. */
function runMcp(called) {
  const file = variant('mcp', { '@FULL@': FULL, '@CALLED@': called, '@SHORT@': short ?? '[\\\\w-]{64}' });
  return run(file, '-a', '--mcp-config', '-a', JSON.stringify(mcp));
}

await scenario('MCP tool with a name of 85 characters, called by it', async () => {
  assert.equal(FULL.length, 85);
  const outcome = await runMcp(FULL);
  short = outcome.bodies[1].tools.map(tool => tool.function.name).find(name => name.startsWith('mcp__'));
  assert.equal(short.length, 64);
  assert.equal(words(outcome, 3), 'It said the word.');
});

await scenario('MCP tool with a name of 85 characters, called by the one it was sent with', async () => {
  const outcome = await runMcp(short);
  assert.equal(words(outcome, 3), 'It said the word.');
});

/**
 * Schemas of an MCP server's tools that vendors refuse, by what they refuse in each. Claude Code itself mends unions at the top level,
 * and leaves out tools whose schemas are not valid.
 */
const word = { type: 'string' };
const REFUSED = {
  '"anyOf"': { type: 'object', properties: { word, either: { anyOf: [word, { type: 'null' }] } } },
  '"oneOf"': { type: 'object', properties: { word, either: { oneOf: [word, { type: 'number' }] } } },
  '"allOf"': { type: 'object', properties: { word, all: { allOf: [{ properties: { word } }] } } },
  '"const":': { type: 'object', properties: { word, kind: { const: 'a' } } },
  '"pattern":': { type: 'object', properties: { word: { ...word, pattern: '(?i)^a' } } },
  '"minItems":': { type: 'object', properties: { word, list: { type: 'array', items: word, minItems: 1 } } },
  '"exclusiveMinimum":': { type: 'object', properties: { word, n: { type: 'number', exclusiveMinimum: 0 } } },
  '"propertyNames":': { type: 'object', properties: { word, map: { type: 'object', propertyNames: word } } },
  '\\["object","null"\\]': { type: 'object', properties: { word, o: { type: ['object', 'null'] } } },
  '"prefixItems"': { type: 'object', properties: { word, pair: { type: 'array', prefixItems: [word, { type: 'number' }] } } },
  '\\{"type":"array"\\}': { type: 'object', properties: { word, list: { type: 'array' } } },
  '"format":"uri"': { type: 'object', properties: { word: { ...word, format: 'uri' } } },
};
const VENDORS = {
  OpenAI: "Invalid schema for function 'mcp__odd__say_11': In context=('properties', 'list'), array schema missing items.",
  Gemini: `Invalid JSON payload received. Unknown name "const" at 'tools[0].function_declarations[3].parameters.properties[1].value': Cannot find field.`,
  Bedrock: 'The model returned the following errors: tools.2.custom.input_schema: JSON schema is invalid.',
};

for (const [vendor, message] of Object.entries(VENDORS)) {
  await scenario(`MCP server with schemas that ${vendor} refuses`, async () => {
    const forbid = Object.keys(REFUSED);
    const names = forbid.map((_, i) => `mcp__odd__say_${i + 1}`);
    const file = path.join(OUT, 'schemas.json');
    writeFileSync(file, JSON.stringify({ turns: [
      { tool_calls: [{ name: 'ToolSearch', arguments: { query: `select:${names.join(',')}`, max_results: 20 } }] },
      { expect: forbid, status: 400, error: { message, type: 'invalid_request_error', param: null, code: null } },
      { expect: names, tool_calls: [{ name: names[0], arguments: { word: 'the word' } }] },
      { expect: ['SAID the word'], text: 'It said the word.' }] }));
    const odd = { command: process.execPath, args: [path.join(HERE, 'mcp-server.mjs'), 'odd', 'say', ...Object.values(REFUSED).map(each => JSON.stringify(each))] };
    const outcome = await run(file, '-a', '--mcp-config', '-a', JSON.stringify({ mcpServers: { odd } }));
    assert.equal(words(outcome, 4), 'It said the word.');
    for (const body of outcome.bodies.slice(2)) {
      const tools = JSON.stringify(body.tools);
      for (const refused of forbid) assert.doesNotMatch(tools, new RegExp(refused));
    }
  });
}

await scenario('MCP tool that was searched for is named as it was sent', async () => {
  const told = (await runMcp(short)).bodies[1].messages.at(-1).content;
  assert.equal(told, `[tool available: ${short}]`);
});
