// run.mjs [CLIENT ...] — starts the mock backend and A2o, then one client after the other, all or those named; counts their lines.
// Clients are installed once, outside the tree, in A2O_CLIENTS or ~/.cache/a2o-clients, in the versions named here;
// one that cannot be had is skipped. Logs are in build/clients. Exit status 1 if a check failed.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../..');
const CLASSES = path.join(ROOT, 'build/clients/classes');
const LOGS = path.join(ROOT, 'build/clients');
const CACHE = process.env.A2O_CLIENTS || path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'a2o-clients');
const JAVA = process.env.JAVA || 'java';
const INSTALL_SECONDS = 300;
const CLIENT_SECONDS = 600;
const END_SECONDS = 10;

const CLIENTS = [
  { name: 'ts-sdk', tool: 'npm', packages: ['@anthropic-ai/sdk@1.14.0', 'zod@4.6.7'], script: 'ts-sdk.mjs' },
  { name: 'ts-sdk-0.68', tool: 'npm', packages: ['@anthropic-ai/sdk@0.68.0'], script: 'ts-sdk-old.mjs' },
  { name: 'ts-sdk-0.39', tool: 'npm', packages: ['@anthropic-ai/sdk@0.39.0'], script: 'ts-sdk-old.mjs' },
  { name: 'python-sdk', tool: 'pip', packages: ['anthropic==2.14.0'], script: 'python_sdk.py' },
  { name: 'openai-types', tool: 'pip', packages: ['openai==3.57.0'], script: 'openai_types.py' },
  { name: 'java-sdk', tool: 'mvn', packages: ['com.anthropic:anthropic-java:3.14.0'], script: 'JavaSdk.java' },
  { name: 'langchain4j', tool: 'mvn', packages: ['dev.langchain4j:langchain4j-anthropic:1.19.0'], script: 'LangChain4j.java' },
  { name: 'ai-sdk', tool: 'npm', packages: ['ai@7.0.173', '@ai-sdk/anthropic@4.0.105', 'zod@4.6.7'], script: 'ai-sdk.mjs' },
  { name: 'claude-code', tool: 'none', packages: [], script: 'claude-code.mjs' },
];

const count = { ok: 0, FAIL: 0, skip: 0 };
const children = new Set();

function say(line) {
  const word = line.split(' ', 1)[0];
  if (word in count) count[word]++;
  console.log(line);
}

/** Starts a program in a process group of its own, which ends with this one. */
function start(command, args, options) {
  const child = spawn(command, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  children.add(child);
  child.ended = new Promise(done => {
    child.on('error', e => done(e.message));
    child.on('close', (code, signal) => done(code ?? signal));
  }).finally(() => children.delete(child));
  return child;
}

function kill(child, signal) {
  try { process.kill(-child.pid, signal); } catch { /* it has ended */ }
}

/** Ends a program with all that it started: told to, most take away their own children, too. */
async function end(child) {
  kill(child, 'SIGTERM');
  const late = setTimeout(() => kill(child, 'SIGKILL'), END_SECONDS * 1000);
  await child.ended;
  clearTimeout(late);
}

process.on('exit', () => children.forEach(child => kill(child, 'SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => Promise.all([...children].map(end)).then(() => process.exit(1)));
}

/** Starts a server, and returns what of its first line matches `pattern`. */
async function serve(name, command, args, pattern, env) {
  const child = start(command, args, { env });
  const log = createWriteStream(path.join(LOGS, name + '.log'));
  child.stderr.pipe(log);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([new Promise(done => lines.once('line', done)), child.ended]);
  lines.on('line', line => log.write(line + '\n'));
  const found = String(first).match(pattern);
  if (found) return found[0];
  console.error(`${name} did not start, see ${path.relative(ROOT, LOGS)}/${name}.log`);
  return process.exit(1);
}

/** Installs a client where it is not yet. Returns the folder, or '' if it cannot be had. */
function install({ name, tool, packages }) {
  const versions = packages.map(one => one.match(/[\d.]+$/)[0]).join('-');
  const folder = path.join(CACHE, `${name}-${versions}`);
  if (tool === 'none' || existsSync(path.join(folder, 'complete'))) return folder;
  mkdirSync(folder, { recursive: true });
  const run = (command, ...args) => spawnSync(command, args,
    { cwd: folder, timeout: INSTALL_SECONDS * 1000, stdio: ['ignore', 'ignore', 'ignore'] }).status === 0;
  const steps = {
    npm: () => run('npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, ...packages),
    pip: () => run('python3', '-m', 'venv', folder) && run(path.join(folder, 'bin/pip'), 'install', ...packages),
    mvn: () => {
      const [group, artifact, version] = packages[0].split(':');
      writeFileSync(path.join(folder, 'pom.xml'), `<project><modelVersion>4.0.0</modelVersion><groupId>none</groupId>
        <artifactId>none</artifactId><version>1</version><dependencies><dependency><groupId>${group}</groupId>
        <artifactId>${artifact}</artifactId><version>${version}</version></dependency></dependencies></project>`);
      return run('mvn', '--batch-mode', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}/lib`);
    },
  };
  if (!steps[tool]()) return '';
  writeFileSync(path.join(folder, 'complete'), '');
  return folder;
}

/** The command line of a client's checks. */
function command({ tool, script }, folder) {
  const source = path.join(HERE, script);
  if (tool === 'pip') return [path.join(folder, 'bin/python'), source];
  if (tool === 'mvn') {
    const libraries = path.join(folder, 'lib/*');
    const compiler = JAVA.replace(/java$/, 'javac');
    const compiled = spawnSync(compiler, ['-encoding', 'UTF-8', '-cp', libraries, '-d', CLASSES, path.join(HERE, 'Check.java'), source],
      { encoding: 'utf8' });
    if (compiled.status !== 0) throw new Error(compiled.stderr ?? `no ${compiler}`);
    const classpath = [CLASSES, libraries].join(path.delimiter);
    return [JAVA, '-XX:TieredStopAtLevel=1', '-Dstdout.encoding=UTF-8', '-cp', classpath, path.parse(script).name];
  }
  if (tool === 'none') return [process.execPath, source];
  [script, 'check.mjs'].forEach(file => copyFileSync(path.join(HERE, file), path.join(folder, file))); // beside node_modules
  return [process.execPath, path.join(folder, script)];
}

async function tryClient(client, env) {
  const version = client.packages[0]?.match(/[\d.]+$/)[0] ?? '';
  const title = `${client.name} ${version}`.trim();
  const log = path.join(LOGS, `${client.name}.log`);
  const before = count.ok + count.FAIL + count.skip;
  const folder = install(client);
  if (!folder) return say(`skip  ${title}  could not be installed with ${client.tool}`);
  let program, args;
  try {
    [program, ...args] = command(client, folder);
  } catch (e) {
    writeFileSync(log, e.message);
    return say(`FAIL  ${title}  does not compile, see ${path.relative(ROOT, log)}`);
  }
  const child = start(program, args, { env: { ...env, CLIENT: title } });
  child.stderr.pipe(createWriteStream(log));
  const late = setTimeout(() => end(child), CLIENT_SECONDS * 1000);
  createInterface({ input: child.stdout }).on('line', say);
  const status = await child.ended;
  clearTimeout(late);
  if (status !== 0) say(`FAIL  ${title}  ended with ${status}, see ${path.relative(ROOT, log)}`);
  else if (count.ok + count.FAIL + count.skip === before) say(`FAIL  ${title}  checked nothing`);
}

const named = process.argv.slice(2);
const strange = named.find(name => !CLIENTS.some(client => client.name === name));
if (strange) {
  console.error(`no client ${strange}; there are ${CLIENTS.map(client => client.name).join(', ')}`);
  process.exit(2);
}
mkdirSync(LOGS, { recursive: true });
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$|^(anthropic|openai|a2o_(?!claude))/i.test(name)));
const mock = await serve('mock', process.execPath, [path.join(HERE, 'mock.mjs')], /^\d+$/, env);
env.MOCK_URL = `http://127.0.0.1:${mock}`;
env.A2O_URL = await serve('a2o', JAVA, ['-jar', 'build/a2o.jar', '--port', '0', '--upstream', `${env.MOCK_URL}/v1`, '--timeout', '20'],
  /http:\/\/127\.0\.0\.1:\d+/, env);
const native = await serve('native', process.execPath, [path.join(HERE, 'native.mjs')], /^\d+$/, env);
env.NATIVE_URL = `http://127.0.0.1:${native}`;
env.A2O_NATIVE_URL = await serve('a2o-native', JAVA, ['-jar', 'build/a2o.jar', '--port', '0', '--upstream', `${env.NATIVE_URL}/v1/messages`,
  '--upstream', `${env.MOCK_URL}/v1`], /http:\/\/127\.0\.0\.1:\d+/, env);
env.JAVA = JAVA;
for (const client of CLIENTS.filter(one => !named.length || named.includes(one.name))) await tryClient(client, env);
console.log(`${count.ok} passed, ${count.FAIL} failed, ${count.skip} skipped`);
process.exit(count.FAIL ? 1 : 0);
