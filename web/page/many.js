// Beyond one sample: random problems by the solver, a band over seeds, and the digits computed beforehand.

import { Curves, early, metricsOf, saveRecords } from './curves.js';
import { choices, show, slider, whenNear } from './controls.js';
import { Thread, engine, latest } from './engine.js';
import { METRICS } from './opening.js';
import { onChange, pending, state } from './state.js';
import { stored } from './stored.js';
import { Waiting } from './waiting.js';

const KEYS = ['samples', 'width', 'outputs', 'spectrum', 'rate', 'seed', 'seeds', 'mloss', 'until'];
/** Energies of a curve. */
const POINTS = 24;
const $ = (id) => document.getElementById(id);

function setting(seed, { samples, width, outputs, spectrum, rate, mloss, until }) {
  const problem = { samples, inputs: Math.max(24, 2 * samples), width, outputs, decay: spectrum, seed, scale: 1, rate };
  if (mloss === 'cross-entropy') problem.until_loss = until;
  return { problem, points: POINTS };
}

/** Texts with how often each occurs. */
function counted(texts) {
  return [...new Set(texts)].map((text) => `${text} (${texts.filter((t) => t === text).length} of ${texts.length})`).join(', ');
}

/** The digits transfer, computed beforehand: one curve for each seed. */
async function digits() {
  const seeds = await stored('digits');
  const curves = new Curves($('digits'), 'energy ‖R‖');
  const keys = METRICS.map(({ key }) => key);
  curves.draw({ layers: seeds.map((seed) => ({ x: seed.frobenius, values: keys.map((key) => seed[key]) })) });
  const words = seeds.map((seed) => engine.shapes({ x: seed.frobenius, curves: keys.map((key) => seed[key]) }));
  const all = METRICS.map(({ name }, i) => `${name.replace(/ [‖z].*/, '')}: ${counted(words.map((w) => w[i]))}.`);
  $('digits-said').textContent = all.join(' ');
  curves.charts.forEach((chart, i) => chart.describe(`Digits transfer, one curve for each of ${seeds.length} seeds. ${all[i]}`));
}

export function many() {
  const curves = new Curves($('many-curves'), 'share of energy');
  for (const key of ['samples', 'width', 'outputs', 'seed', 'seeds']) slider($(key), key, { text: String });
  slider($('spectrum'), 'spectrum');
  slider($('rate'), 'rate');
  const thread = new Thread();
  const said = $('many-said');
  const waiting = new Waiting($('many-curves'), said, thread);
  choices('mloss', (loss) => ($('until').disabled = loss === 'squared'));
  slider($('until'), 'until');
  let shown = null;
  let turn = 0;
  const draw = latest(thread, async () => {
    const mine = ++turn;
    const now = { ...state };
    const begun = performance.now();
    try {
      waiting.begin();
      const first = await thread.ask('curves', [setting(now.seed, now)], (done) => waiting.at(done, POINTS));
      const took = performance.now() - begun;
      shown = first.records;
      const layer = { x: first.shares, values: metricsOf(first.records) };
      curves.draw({ layers: [layer] });
      for (const id of ['many-svg', 'many-csv']) $(id).disabled = false;
      waiting.end();
      said.dataset.milliseconds = String(took);
      const end = now.mloss === 'squared' ? '' : ` Finetuned by cross-entropy to a training loss of ${show(now.until)}.`;
      const text = `${first.records.length} energies by ${first.records[0].method === 'flow' ? 'the solver' : `the closed form (${first.records[0].method})`} in ${(took / 1000).toFixed(2)} s.${end} ` +
        `Distance ${first.shapes[0]}; cosine distance ${first.shapes[1]}; dot product ${first.shapes[2]}; norm ${first.shapes[3]}.${early(first)}`;
      said.textContent = text;
      curves.charts.forEach((chart, i) => chart.describe(`Against the share of the largest energy this metric ${first.shapes[i]}.`));
      const all = [first];
      // A seed that lacks other points than the chosen one cannot be laid beside it.
      const places = ({ records }) => records.map((r) => r.point).join();
      for (let i = 1; i < now.seeds; i++) {
        if (turn !== mine || KEYS.some((key) => state[key] !== now[key])) return;
        const next = await thread.ask('curves', [setting(now.seed + i, now)]);
        if (places(next) === places(first)) all.push(next);
        if (i + 1 < now.seeds && (i + 1) % 4) continue;
        const bands = await Promise.all([0, 1, 2, 3].map((m) => thread.ask('band', [{ curves: all.map((a) => metricsOf(a.records)[m]), quantiles: [0.1, 0.9] }])));
        curves.draw({ layers: [layer], bands: [{ x: first.shares, low: bands.map((b) => b[0]), high: bands.map((b) => b[1]) }] });
        said.textContent = `${text} Band: ${all.length === i + 1 ? '' : `${all.length} of `}${i + 1} seeds${all.length === i + 1 ? '' : '; the others lack other points'}.`;
      }
    } catch (error) {
      waiting.failed(error);
    }
  });
  digits().catch((error) => ($('digits-said').textContent = `No digits: ${error.message}`)).finally(pending());
  $('many-svg').addEventListener('click', () => curves.saveSvg('taskhead-random.svg', `Random problem: N = ${state.samples}, h = ${state.width}, k = ${state.outputs}, γ = ${show(state.rate)}, seed ${state.seed}${state.mloss === 'squared' ? '' : `, cross-entropy to a loss of ${show(state.until)}`}`));
  $('many-csv').addEventListener('click', () => saveRecords('taskhead-random.csv', shown));
  whenNear($('many'), () => {
    onChange((changed) => {
      if (!KEYS.some((key) => changed.has(key))) return;
      waiting.begin();
      draw();
    });
    draw();
  });
}
