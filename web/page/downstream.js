// Chapter 4: the error on all inputs after finetuning against probing time, for a teacher at an angle to the features.

import { Chart } from './chart.js';
import { show, slider, whenNear } from './controls.js';
import { Thread, latest } from './engine.js';
import { onChange, state } from './state.js';
import { Waiting } from './waiting.js';

const TIMES = [0, ...Array.from({ length: 17 }, (_, i) => 10 ** (-3 + i * 0.1875)), Infinity];
// On a logarithmic axis 0 and ∞ get a place at the ends.
const PLACES = TIMES.map((t) => (t === 0 ? 5e-4 : t === Infinity ? 2 : t));
const $ = (id) => document.getElementById(id);

export function downstream() {
  const options = { xLabel: 'probing time τ (ends: none, for ever)', logX: true };
  const risk = new Chart($('risk'), { ...options, title: 'Error against probing time', yLabel: 'error on all inputs', width: 560, height: 290 });
  const distance = new Chart($('risk-distance'), { ...options, title: 'Distance against probing time', xLabel: 'probing time τ', yLabel: 'distance moved', width: 400, height: 290 });
  slider($('phi'), 'phi');
  slider($('size'), 'size');
  slider($('rseed'), 'rseed', { text: String });
  const thread = new Thread();
  const waiting = new Waiting($('risk').parentElement, $('risk-said'), thread);
  const draw = latest(thread, async () => {
    const { phi, size, rseed } = state;
    const problem = { samples: 30, inputs: 60, width: 8, outputs: 1, decay: 0, teacher: phi, seed: rseed, scale: size, rate: 1 };
    try {
      waiting.begin();
      const { records, best, gain } = await thread.ask('downstream', [{ problem, times: TIMES }], (done) => waiting.at(done, TIMES.length));
      waiting.end();
      const risks = records.map((r) => r.risk);
      const ends = [PLACES[0], PLACES[PLACES.length - 1]];
      risk.draw({
        x: ends, y: [0, Math.max(...risks, 0.05) * 1.08],
        rules: [{ x: PLACES[best], label: 'best stop', kind: 'best' }],
        lines: [{ x: PLACES, y: risks, kind: 'line' }],
        dots: risks.map((y, i) => ({ x: PLACES[i], y, kind: i === best ? 'm0' : 'energy', r: i === best ? 6 : 3 })),
      });
      const moved = records.map((r) => r.euclidean);
      distance.draw({
        x: ends, y: [0, Math.max(...moved, 0.05) * 1.08],
        rules: [{ x: PLACES[best], kind: 'best' }],
        lines: [{ x: PLACES, y: moved, kind: 'm0' }],
      });
      const when = TIMES[best] === 0 ? 'not probing at all' : TIMES[best] === Infinity ? 'probing to the end' : `probing for τ = ${show(TIMES[best])}`;
      const text = `φ = ${show(phi)}, head of size ${show(size)}: best is ${when} (error ${show(risks[best])}${gain > 0 ? `, ${show(100 * gain)} % below the better end` : ''}). Not probing gives ${show(risks[0])}, probing to the end ${show(risks[risks.length - 1])}.`;
      $('risk-said').textContent = text;
      $('risk-said').dataset.best = String(TIMES[best]);
      $('risk-said').dataset.gain = String(gain);
      $('risk-said').dataset.error = String(risks[best]);
      risk.describe(`Error against probing time. ${text}`);
      distance.describe(`Distance moved: ${show(moved[0])} without probing, ${show(moved[moved.length - 1])} after probing to the end.`);
    } catch (error) {
      waiting.failed(error);
    }
  });
  whenNear($('downstream'), () => {
    onChange((changed) => {
      if (!['phi', 'size', 'rseed'].some((key) => changed.has(key))) return;
      waiting.begin();
      draw();
    });
    draw();
  });
}
