// The worksheet of the teachers' page: exercises drawn from a seed, with solutions by the engine.

import { engine, load } from './engine.js';

const $ = (id) => document.getElementById(id);
const say = (v, digits = 3) => v.toFixed(digits).replace('-', '−');

/** Numbers of a grid, the same ones for the same seed. */
function draws(seed) {
  let x = (seed * 2654435761) % 2147483647 || 1;
  return (low, high, step) => {
    for (let i = 0; i < 3; i++) x = (x * 48271) % 2147483647;
    return Number((low + step * Math.floor((x / 2147483647) * (Math.round((high - low) / step) + 1))).toFixed(6));
  };
}

/** The exercises of a seed: texts with their solutions. */
function exercises(seed) {
  const draw = draws(seed);
  const [y, w, a, tau] = [draw(1, 2, 0.1), draw(0.4, 1.2, 0.1), -draw(0.2, 0.9, 0.1), draw(0.3, 1.2, 0.1)];
  const scene = (over) => engine.scene({ target: y, across: w, start: a, probe: 0, time: Infinity, loss: 'squared', ...over });
  const [plain, probed] = [scene({}), scene({ probe: tau })];
  const [x1, x2] = plain.end.feature;
  const sigma = Math.asinh(x2 / w);
  const orthogonal = scene({ start: 0 });
  const label = scene({ loss: 'cross-entropy' });
  const [distance, cosine, dot, norm] = plain.end.metrics;
  return [
    [`The feature is z₀ = (1, 0), the head v = (${say(a, 1)}, ${say(w, 1)}) and the target y = ${say(y, 1)}. What are the output, the residual, the energy and the loss?`,
      `Output z₀·v = ${say(a, 1)}; residual and energy E = y − z₀·v = ${say(plain.energy, 1)}; loss ½E² = ${say(plain.energy ** 2 / 2)}.`],
    [`The head is probed for τ = ${say(tau, 1)}. Where is it then, and how much energy is left? After which time is a quarter of the energy left?`,
      `Probing multiplies the energy by e^−τ: E = ${say(probed.energy)}, so the head is at (${say(probed.head[0])}, ${say(w, 1)}): what lies across the feature stays. A quarter is left after τ = ln 4 = 1.386.`],
    ['Everything is finetuned from the head of exercise 1, without probing. How long is the new feature? (T9)',
      `With m = 1 + a² + w² = ${say(1 + a * a + w * w)}: |z|² = ½(√(4y² + m² − 4a²) + 1 − a² − w²) = ${say(norm ** 2)}, so |z| = ${say(norm)}.`],
    [`Check that σ = ${say(sigma, 4)} solves m sinh 2σ + 2a cosh 2σ = 2y. Where does the feature end, how far is that from z₀, and what are the cosine distance and the dot product?`,
      `z = cosh σ z₀ + sinh σ v = (${say(x1)}, ${say(x2)}); distance ${say(distance)}, cosine distance ${say(cosine)}, dot product ${say(dot)}.`],
    ['For which head with the same part across the feature is the new feature longest, and how long is it?',
      `For the one that sees nothing of the feature, v = (0, ${say(w, 1)}), at E = y: |z| = ${say(orthogonal.end.metrics[3])}.`],
    [`Now the loss is cross-entropy with label 1, and finetuning stops where the output is ${say(y, 1)}. What is the energy of the head of exercise 1? How far has the feature moved?`,
      `E = 1 − 1/(1 + e^−a) = ${say(label.energy)}. The feature has moved by ${say(label.end.metrics[0])}, as far as under the squared loss: the path is the same, only the clock is another one (T23); here it shows t = ${say(label.last, 2)}.`],
  ];
}

function show(seed) {
  const all = exercises(seed);
  const item = (text) => Object.assign(document.createElement('li'), { textContent: text });
  $('exercises').replaceChildren(...all.map(([text]) => item(text)));
  $('solutions').replaceChildren(...all.map(([, text]) => item(text)));
  $('sheet-seed').textContent = String(seed);
}

await load();
const field = $('seed');
const given = Number(new URLSearchParams(location.search).get('seed') ?? 1);
field.value = String(Number.isInteger(given) && given >= 0 && given <= 9999 ? given : 1);
show(Number(field.value));
field.addEventListener('input', () => {
  const seed = Math.round(Math.max(0, Math.min(9999, Number(field.value) || 0)));
  show(seed);
  history.replaceState(null, '', `?seed=${seed}${location.hash}`);
});
for (const [id, kind] of [['print-sheet', 'sheet'], ['print-solutions', 'solutions'], ['print-all', '']]) {
  $(id).addEventListener('click', () => {
    document.documentElement.dataset.print = kind;
    $('solved').open = kind !== 'sheet';
    print();
    delete document.documentElement.dataset.print;
  });
}
document.documentElement.dataset.ready = 'true';
