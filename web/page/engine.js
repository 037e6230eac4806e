// The engine: the core of taskhead as a WebAssembly module, here for short answers and in workers for long ones.

import init, * as engine from '../build/engine/engine.js';
import { pending } from './state.js';

export { engine };

let module;

/** Loads the module; by its bytes, since not every host names the type of a .wasm file. */
export async function load() {
  const response = await fetch('engine.wasm');
  if (!response.ok) throw new Error(`engine.wasm: ${response.status}`);
  module = await WebAssembly.compile(await response.arrayBuffer());
  await init({ module_or_path: module });
}

const workers = {};
const waiting = new Map();
let last = 0;

/** Asks a worker; each is one thread that answers in turn. */
export function ask(question, setting, worker = 'runs') {
  workers[worker] ??= start(worker);
  const [id, answered] = [++last, pending()];
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    workers[worker].postMessage({ id, question, setting });
  }).finally(answered);
}

/** Starts the workers and loads the reader of files, so that nothing is left to load when the network goes. */
export async function prepare() {
  const done = pending();
  for (const name of ['runs', 'proofs']) workers[name] ??= start(name);
  await Promise.all([arrays(), ...Object.keys(workers).map((name) => ask('ready', [], name))]).finally(done);
}

/** The reader of problem files, which the page can be drawn without. */
export const arrays = () => import('./arrays.js');

function start(name) {
  const worker = new Worker(new URL('worker.js', document.baseURI), { type: 'module' });
  worker.postMessage({ module });
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(answer);
    else reject(new Error(error));
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || 'the engine stopped'));
    waiting.clear();
    // The next question tries again.
    delete workers[name];
  };
  return worker;
}

/** One question at a time: of several asked while one is answered only the newest is asked next. */
export function latest(answer) {
  let busy = false;
  let next = null;
  return async function request(...args) {
    next = args;
    if (busy) return;
    busy = true;
    const done = pending();
    while (next) {
      const now = next;
      next = null;
      await answer(...now);
    }
    busy = false;
    done();
  };
}
