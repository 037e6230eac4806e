// The engine in a thread of its own: { id, question, setting } in, { id, done } on the way, { id, answer } or { id,
// error } out.

import init, * as engine from '../build/engine/engine.js';

let ready;
let asked;

// What the module calls when one more point of a curve is done. The page hears it a few times a second.
let told = 0;
self.taskheadTold = (done) => {
  const now = performance.now();
  if (now - told < 100) return;
  told = now;
  self.postMessage({ id: asked, done });
};

self.onmessage = async ({ data }) => {
  if (data.module) {
    ready = init({ module_or_path: data.module });
    return;
  }
  const { id, question, setting } = data;
  try {
    await ready;
    asked = id;
    self.postMessage({ id, answer: engine[question](...setting) });
  } catch (error) {
    const fatal = error instanceof WebAssembly.RuntimeError;
    self.postMessage({ id, fatal, error: typeof error === 'string' ? error : `${fatal ? 'the engine stopped: ' : ''}${error?.message ?? error}` });
  }
};
