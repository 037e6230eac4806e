// The engine: the core of taskhead as a WebAssembly module, here for short answers and in threads for long ones.

import init, * as engine from '../build/engine/engine.js';
import worker from 'worker-source';
import { pending } from './state.js';

export { engine };

let module;

/** The bytes of the module: a file beside the page, or a part of the page where it is one file. */
async function bytes() {
  const inside = document.getElementById('engine-wasm');
  if (inside) {
    const packed = Uint8Array.from(atob(inside.textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  }
  const response = await fetch('engine.wasm');
  if (!response.ok) throw new Error(`engine.wasm: ${response.status}`);
  return response.arrayBuffer();
}

/** Loads the module; by its bytes, since not every host names the type of a .wasm file. */
export async function load() {
  module = await WebAssembly.compile(await bytes());
  await init({ module_or_path: module });
}

/** The reader of problem files, which the page can be drawn without. */
export const arrays = () => import('./arrays.js');

// Threads start from a text that the page holds: nothing is left to load when one is replaced and the network is gone.
const source = URL.createObjectURL(new Blob([worker], { type: 'text/javascript' }));

/** Why a question has no answer: its thread was stopped, because of something newer (`replaced`) or not. */
export class Stopped extends Error {
  constructor(message, replaced = false) {
    super(message);
    this.replaced = replaced;
  }
}

/** Seconds that a question may take; beyond that a command is the better place. */
export const LIMIT = 120;

/** A thread that answers questions in turn. Whoever stops it gets a new one with the next question. */
export class Thread {
  waiting = new Map();
  last = 0;

  /** Asks the engine; `told` hears how many points of a curve are done. */
  ask(question, setting, told = () => {}) {
    this.worker ??= this.start();
    const [id, answered] = [++this.last, pending()];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.stop(new Stopped(`stopped after ${LIMIT} s; the command taskhead has no such limit`)), 1000 * LIMIT);
      this.waiting.set(id, { resolve, reject, told, timer });
      this.worker.postMessage({ id, question, setting });
    }).finally(answered);
  }

  start() {
    const worker = new Worker(source);
    worker.postMessage({ module });
    worker.onmessage = ({ data: { id, answer, error, fatal, done } }) => {
      const asked = this.waiting.get(id);
      if (!asked) return;
      if (done !== undefined) return asked.told(done);
      clearTimeout(asked.timer);
      this.waiting.delete(id);
      if (error === undefined) asked.resolve(answer);
      else asked.reject(new Error(error));
      // After a trap nothing that the module holds can be trusted.
      if (fatal) this.stop(new Stopped('the engine stopped; it has been started anew'));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.stop(new Stopped(`the engine stopped (${event.message || 'its thread ended'}); it has been started anew`));
    };
    return worker;
  }

  /** Ends the thread; all that wait for an answer get the reason instead. */
  stop(reason) {
    this.worker?.terminate();
    this.worker = undefined;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.waiting.clear();
  }
}

/** How long an answer that is no longer wanted may still take, in milliseconds: quick ones are all shown. */
const GRACE = 400;

/**
 * What a chapter asks of its thread: of several requests only the newest counts. One that is being answered is given up
 * for a newer one if it takes long. `answer(...)` asks; it ends in a `Stopped` that is `replaced` if it was given up.
 */
export function latest(thread, answer) {
  let busy = null;
  let next = null;
  return async function request(...args) {
    next = args;
    if (busy) {
      busy.timer ??= setTimeout(() => thread.stop(new Stopped('something newer was asked', true)), Math.max(0, busy.since + GRACE - performance.now()));
      return;
    }
    const done = pending();
    while (next) {
      const now = next;
      [next, busy] = [null, { since: performance.now() }];
      await answer(...now);
      clearTimeout(busy.timer);
    }
    busy = null;
    done();
  };
}

/** Loads the reader of files, so that nothing is left to load when the network goes. */
export async function prepare() {
  const done = pending();
  await arrays().catch(() => {});
  done();
}
