// check.mjs — what the checks in JavaScript have in common: one line for each, a deadline, and what the mock has seen.
import assert from 'node:assert/strict';

export const { A2O_URL, MOCK_URL } = process.env;

/** Prints a line of this client, whose name and version is in CLIENT. */
export const say = (word, text) => console.log(`${word.padEnd(4)}  ${process.env.CLIENT}  ${text}`);

/** Runs one check against a mock that has seen nothing, and prints its line. */
export async function check(name, body, seconds = 30) {
  let timer;
  try {
    await fetch(MOCK_URL + '/seen', { method: 'DELETE' });
    await Promise.race([body(), new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done in ${seconds} s`)), seconds * 1000);
    })]);
    say('ok', name);
  } catch (e) {
    const compared = e?.code === 'ERR_ASSERTION' && 'actual' in e && ['strictEqual', 'deepStrictEqual'].includes(e.operator);
    const claim = compared && !e.generatedMessage ? e.message + ': ' : '';
    const why = compared ? `${claim}${JSON.stringify(e.actual)} instead of ${JSON.stringify(e.expected)}` : `${e?.name}: ${e?.message}`;
    say('FAIL', `${name}: ${why.replace(/\s+/g, ' ').slice(0, 600)}`);
  }
  clearTimeout(timer);
}

/** The chat requests that the mock got since the check began, when none of them is running any more. */
export const seen = async () => (await fetch(MOCK_URL + '/seen')).json();

export async function sawRequests(count) {
  assert.equal((await seen()).length, count, 'requests that reached the backend');
}

/** The error that a promise must end with. */
export async function failure(promise) {
  let value;
  try { value = await promise; } catch (e) { return e; }
  throw new assert.AssertionError({ message: `no error, but ${JSON.stringify(value)?.slice(0, 200)}` });
}

export async function collect(iterable) {
  const list = [];
  for await (const one of iterable) list.push(one);
  return list;
}

export { assert };
