// Mutations of what a reader may bring: problem files and addresses. `node tests/mutations.js files|addresses ROUNDS`
// runs many; the tests run few.

import assert from 'node:assert/strict';
import { unpack } from '../page/arrays.js';
import { fromAddress, state } from '../page/state.js';
import { npy, npz, problem, safetensors } from './files.js';

/** Whole numbers below a limit, the same ones for the same seed (xorshift). */
function numbers(seed) {
  let x = seed | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Changes some bytes, cuts, doubles, or writes numbers that are hard to digest. */
function mutated(bytes, random) {
  let now = Buffer.from(bytes);
  for (let i = 1 + random(5); i > 0 && now.length > 0; i--) {
    // Headers and directories stand at the ends.
    const near = random(Math.min(256, now.length));
    const at = [near, now.length - 1 - near, random(now.length)][random(3)];
    const kind = random(8);
    if (kind === 0) now = Buffer.concat([now.subarray(0, at), now.subarray(at + 1)]);
    else if (kind === 1) now = Buffer.concat([now.subarray(0, at), Buffer.from([random(256)]), now.subarray(at)]);
    else if (kind === 2) now = Buffer.concat([now.subarray(0, at), now.subarray(at, at + 40), now.subarray(at)]);
    else if (kind === 3) now.fill([0, 0x7f, 0x80, 0xff][random(4)], at, Math.min(now.length, at + 1 + random(4)));
    else if (kind === 4) now[at] = 0x30 + random(10);
    else if (kind === 5 && random(4) === 0) now = now.subarray(0, at);
    else now[at] ^= 1 << random(8);
  }
  return now;
}

/** Reads mutations of problem files; the answer is arrays or an error for a reader, and never long in coming. */
export async function files(rounds) {
  const labels = npy(['a', 'b', 'a'], { dtype: '<U1' });
  const others = { '__MACOSX/._x.npy': Buffer.from('x'), 'readme.txt': Buffer.from('x') };
  const seeds = [npz(problem()), npz({ features: problem().features, labels }, { level: 6, others }), safetensors(problem())];
  const random = numbers(1);
  const seen = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const bytes = mutated(seeds[round % seeds.length], random);
    try {
      const { arrays, skipped } = await unpack(new Uint8Array(bytes));
      for (const { name, dtype, shape, fortran, bytes } of arrays) {
        assert.ok(typeof name === 'string' && typeof dtype === 'string' && typeof fortran === 'boolean' && bytes instanceof Uint8Array);
        assert.ok(shape.every((n) => Number.isSafeInteger(n) && n >= 0));
      }
      assert.ok(skipped.every((name) => typeof name === 'string'));
      seen.read++;
    } catch (error) {
      // Nothing but what `unpack` says itself: no error of the language.
      assert.ok(error.constructor === Error && !/undefined|NaN|\[object/.test(error.message), `${error.stack} of ${Buffer.from(bytes).toString('base64')}`);
      seen.refused++;
    }
  }
  return seen;
}

/** Takes mutations of addresses; every value stays within its limits, and whatever is wrong is told. */
export function addresses(rounds) {
  const initial = { ...state };
  const seeds = ['?y=2.6&w=0.4&a=-2.6&tau=0', '?samples=16&width=64&seeds=40&t=inf', '?embed=many&phi=1.2&rseed=3&size=0.1', '?ptau=inf&smoothing=0.2&kernel=0&angle=115'];
  const pieces = ['inf', 'NaN', '-', '1e999', '0x10', '%', '%00', '&', '=', '__proto__', 'constructor', 'a=', 'seed=', '.', '9', '%F0%9F', ' ', '1e-320'];
  const random = numbers(2);
  const seen = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    let text = seeds[round % seeds.length];
    for (let i = 1 + random(5); i > 0; i--) {
      const [from, to] = [random(text.length + 1), random(6)];
      const piece = random(2) ? pieces[random(pieces.length)] : random(2) ? '' : String.fromCharCode(32 + random(95));
      text = text.slice(0, from) + piece + text.slice(from + to);
    }
    globalThis.location = { search: text };
    const wrong = fromAddress();
    assert.ok(wrong.every((sentence) => typeof sentence === 'string' && sentence.length > 10));
    const { y, a, w, tau, t, samples, seeds: count, rate, phi } = state;
    const valid = y >= 0.2 && y <= 3 && Math.abs(a) <= y && w >= 0 && w <= 3 && tau >= 0 && t >= 0 && rate >= 0 && rate <= 10 && phi >= 0 && phi <= Math.PI / 2;
    assert.ok(valid && Number.isInteger(samples) && samples >= 1 && samples <= 24 && Number.isInteger(count) && count >= 1 && count <= 40, text);
    seen[wrong.length ? 'refused' : 'read']++;
    Object.assign(state, initial);
  }
  return seen;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [kind, rounds] = [process.argv[2], Number(process.argv[3] ?? 1e6)];
  const run = { files, addresses }[kind];
  if (!run || !(rounds > 0)) throw new Error('usage: node tests/mutations.js files|addresses ROUNDS');
  globalThis.requestAnimationFrame = () => 0;
  globalThis.document = { documentElement: { dataset: {} } };
  console.log(await run(rounds), `of ${rounds}`);
}
