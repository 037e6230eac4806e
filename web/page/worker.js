// The engine in a thread of its own: { id, question, setting } in, { id, answer } or { id, error } out.

import init, * as engine from '../build/engine/engine.js';

let ready;

self.onmessage = async ({ data }) => {
  if (data.module) {
    ready = init({ module_or_path: data.module });
    return;
  }
  const { id, question, setting } = data;
  try {
    await ready;
    self.postMessage({ id, answer: question === 'ready' ? true : engine[question](...setting) });
  } catch (error) {
    self.postMessage({ id, error: typeof error === 'string' ? error : String(error?.message ?? error) });
  }
};
