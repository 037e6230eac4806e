// Chapter 7: finetunings of real networks, run beforehand, beside the theory where there is one.

import { Chart, extent, padded } from './chart.js';
import { Curves } from './curves.js';
import { choices, csv, save, standalone } from './controls.js';
import { engine } from './engine.js';
import { METRICS } from './opening.js';
import { onChange, pending, state } from './state.js';
import { stored } from './stored.js';

const $ = (id) => document.getElementById(id);
/** A law counts as seen if the mean runs against it by less than this part of its range, as in the command. */
const TOLERANCE = 0.05;
/** What each law allows. */
const LAWFUL = [/^rises$/, /^rises$/, /^rises(, then falls)?( \(.*\))?$/, /^rises(, then falls)?( \(.*\))?$/];
const WORDS = ['distance', 'cosine distance', 'dot product', 'norm'];
const KEYS = [...METRICS.map(({ key }) => key), 'accuracy'];
/** What the page calls the variants, in the order of their lines; the first one of most is the usual finetuning. */
const NAMES = {
  theory: { 'digits mlp': 'network', 'digits mlp, full kernel': 'theory, full kernel', 'digits mlp, mean kernel': 'theory, mean kernel' },
  digits: { 'digits mlp': 'perceptron' },
  cnn: { 'digits cnn': 'convolutional network' },
  smoothing: { '': 'no smoothing', 'ε = 0.1': 'ε = 0.1', 'ε = 0.3': 'ε = 0.3' },
  head: { '': 'one layer', 'digits mlp, two-layer head': 'two layers' },
  partial: { '': 'whole backbone', 'digits mlp, 1 of its layers in the head': 'without its last layer' },
  scale: { 'scale 0.25': 'a quarter of the scale', '': 'usual scale', 'scale 4': 'four times the scale' },
  rate: { 'γ = 0.1': 'γ = 0.1', '': 'γ = 1', 'γ = 10': 'γ = 10' },
};

/** Number by number, the mean of the seeds. */
const mean = (lists) => lists[0].map((_, i) => lists.reduce((sum, list) => sum + list[i], 0) / lists.length);

/** A curve above its lowest point: how much it turns counts, and not how high it lies. */
function level(curve) {
  const [low] = extent(curve);
  return curve.map((v) => v - low);
}

/** The variants of a replay: name, mean and seeds of each number, and what the four metrics do. */
function variants(all, net) {
  return Object.entries(NAMES[net]).map(([key, name]) => {
    const seeds = key ? all[net].variants[key] : all.digits.variants['digits mlp'];
    const numbers = Object.fromEntries(Object.entries(seeds).map(([column, lists]) => [column, mean(lists)]));
    const shapes = engine.shapes({ x: numbers.aie, curves: METRICS.map((m) => level(numbers[m.key])), tolerance: TOLERANCE });
    return { name, seeds, numbers, shapes, theory: name.startsWith('theory') };
  });
}

/** Which laws a network shows, with those that it does not in bold. */
function verdict({ name, shapes }) {
  const unseen = shapes.map((shape, i) => [WORDS[i], shape, LAWFUL[i].test(shape)]).filter(([, , lawful]) => !lawful);
  const line = document.createElement('span');
  line.append(`${name.replace(/^[a-z]/, (letter) => letter.toUpperCase())}: `);
  if (unseen.length === 0) line.append('all four laws are seen. ');
  else {
    const bold = document.createElement('b');
    bold.textContent = `not seen: ${unseen.map(([word, shape]) => `${word} (it ${shape.replace(/ \(.*\)/, '')})`).join(', ')}`;
    line.append(bold, '. ');
  }
  return line;
}

export function networks() {
  const curves = new Curves($('net-curves'), 'energy E (AIE)');
  const figure = $('net-curves').appendChild(document.createElement('figure'));
  figure.appendChild(document.createElement('figcaption')).textContent = 'Accuracy on test images';
  const accuracy = new Chart(figure, { title: 'Accuracy on test images', xLabel: 'energy E (AIE)', height: 185 });
  let all = null;
  const draw = () => {
    if (!all) return;
    const shown = variants(all, state.net);
    const layers = shown.flatMap(({ numbers, seeds }, v) => [
      // The seeds of the first one only: more would hide each other.
      ...(shown.length === 1 || (v === 0 && shown.some((s) => s.theory)) ? seeds.aie.map((x, s) => ({ x, kind: `v${v} faint`, values: KEYS.map((key) => seeds[key]?.[s]) })) : []),
      { x: numbers.aie, kind: `v${v}`, values: KEYS.map((key) => numbers[key]) },
    ]);
    const most = extent(...layers.map((l) => l.x))[1];
    curves.draw({ layers, xRange: [0, most] });
    const scored = layers.filter((l) => l.values[4]);
    accuracy.draw({ x: [0, most], y: padded(extent(...scored.map((l) => l.values[4]))), lines: scored.map((l) => ({ x: l.x, y: l.values[4], kind: l.kind })) });
    $('net-said').replaceChildren(...shown.filter((s) => !s.theory).map(verdict));
    $('net-keys').innerHTML = '';
    shown.forEach(({ name }, v) => {
      const key = $('net-keys').appendChild(document.createElement('span'));
      key.className = 'key';
      key.innerHTML = `<svg class="stroke" viewBox="0 0 26 8" aria-hidden="true"><path class="v${v}" d="M0,4H26"/></svg>`;
      key.append(` ${name} `);
    });
    const words = shown.map(({ name, shapes }) => [name, shapes]);
    curves.charts.forEach((chart, i) => chart.describe(`${METRICS[i].name} against energy: ${words.map(([name, shapes]) => `${name} ${shapes[i]}`).join('; ')}.`));
    const ends = shown.filter((s) => s.numbers.accuracy).map(({ name, numbers }) => `${name} from ${numbers.accuracy[0].toFixed(3)} after the longest probing to ${numbers.accuracy.at(-1).toFixed(3)} without`);
    accuracy.describe(`Accuracy on test images against energy: ${ends.join('; ')}.`);
    $('net-command').textContent = all[state.net].command;
  };
  choices('net', (net) => {
  });
  onChange((changed) => changed.has('net') && draw());
  stored('networks').then((networks) => {
    all = networks;
    draw();
    for (const id of ['net-svg', 'net-csv']) $(id).disabled = false;
  }).catch((error) => ($('net-said').textContent = `No networks: ${error.message}`)).finally(pending());
  $('net-svg').addEventListener('click', () => save('taskhead-networks.svg', 'image/svg+xml', standalone(all[state.net].command, [...curves.charts, accuracy].map((c) => ({ svg: c.svg.node(), title: c.options.title })), 3)));
  $('net-csv').addEventListener('click', () => {
    const rows = variants(all, state.net).flatMap(({ name, seeds }) => seeds.aie.flatMap((list, seed) => list.map((aie, point) => [JSON.stringify(name), seed, point, aie, ...KEYS.map((key) => seeds[key]?.[seed][point] ?? '')])));
    const columns = ['variant', 'seed', 'point', 'aie', ...KEYS];
    save('taskhead-networks.csv', 'text/csv', csv(Object.fromEntries(columns.map((column, i) => [column, rows.map((row) => row[i])]))));
  });
}
