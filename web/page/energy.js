// Chapter 1: what head probing leaves.

import { Chart } from './chart.js';
import { logTime, putAll, show, slider } from './controls.js';
import { engine } from './engine.js';
import { onChange, state } from './state.js';

const KEYS = ['decay', 'smoothing', 'ptau', 'pseed'];
const $ = (id) => document.getElementById(id);

export function energy() {
  const curve = new Chart($('energy-curve'), { title: 'Energy against probing time', xLabel: 'probing time τ', yLabel: 'energy E', logX: true, width: 430, height: 250 });
  const modes = new Chart($('energy-modes'), { title: 'Residual of each singular direction', xLabel: 'singular direction i', yLabel: '‖uᵢᵀR‖ before (line) and left (bar)', width: 430, height: 250, xTicks: [1, 2, 3, 4, 5, 6] });
  logTime($('ptau'), 'ptau', 1e-2, 1e4);
  slider($('decay'), 'decay');
  slider($('smoothing'), 'smoothing');
  slider($('pseed'), 'pseed', { text: String });
  const draw = () => {
    const answer = engine.probing({ decay: state.decay, smoothing: state.smoothing, time: state.ptau, seed: state.pseed });
    const { times, energies } = answer;
    const highest = Math.max(answer.energy_before, ...energies);
    const [first, last] = [times[0], times[times.length - 1]];
    curve.draw({
      x: [first, last],
      y: [0, highest * 1.08],
      rules: answer.floor > 1e-9 ? [{ y: answer.floor, label: 'floor', kind: 'floor' }] : [],
      lines: [{ x: times, y: energies, kind: 'energy' }],
      dots: [{ x: Math.max(first, Math.min(last, state.ptau)), y: answer.energy, kind: 'energy now' }],
    });
    const bar = (i) => [i + 0.68, i + 1.32];
    modes.draw({
      x: [0.4, answer.rates.length + 0.6],
      y: [0, Math.max(...answer.before, ...answer.left) * 1.12],
      areas: answer.left.map((v, i) => ({ x: bar(i), low: [0, 0], high: [v, v], kind: 'remains' })),
      lines: answer.before.map((v, i) => ({ x: bar(i), y: [v, v], kind: 'initial' })),
    });
    putAll({ probed: answer.energy, unprobed: answer.energy_before, floor: answer.floor });
    curve.describe(`Energy against probing time. It starts at ${show(answer.energy_before)} and ends at ${show(answer.floor)}; after τ = ${show(state.ptau)} it is ${show(answer.energy)}.`);
    modes.describe(`Residual left in each singular direction, from the fastest to the slowest: ${answer.left.map(show).join(', ')}; before probing: ${answer.before.map(show).join(', ')}.`);
  };
  onChange((changed) => KEYS.some((key) => changed.has(key)) && draw());
  draw();
}
