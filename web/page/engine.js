// The engine: the core of taskhead as a WebAssembly module, here for short answers and in a worker for long ones.

import init, * as engine from '../build/engine/engine.js';

const module = new URL('engine.wasm', document.baseURI);

export { engine };

/** Loads the module. */
export async function load() {
  await init({ module_or_path: module });
}

const workers = {};
const waiting = new Map();
let last = 0;

/** Asks a worker; each is one thread that answers in turn. */
export function ask(question, setting, worker = 'runs') {
  workers[worker] ??= start();
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    workers[worker].postMessage({ id, question, setting });
  });
}

function start() {
  const worker = new Worker(new URL('worker.js', document.baseURI), { type: 'module' });
  worker.postMessage({ module: module.href });
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(answer);
    else reject(new Error(error));
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || 'the engine stopped'));
    waiting.clear();
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
    while (next) {
      const now = next;
      next = null;
      await answer(...now);
    }
    busy = false;
  };
}
