// Chapter 6: one head, finetuned by the squared loss and by cross-entropy: the same path, by two clocks (T23).

import { Chart, extent, padded } from './chart.js';
import { lazily, show, slider } from './controls.js';
import { engine } from './engine.js';
import { onScene } from './opening.js';
import { onChange, state } from './state.js';

/** Points of a curve in time. */
const POINTS = 25;
const LOSSES = ['squared', 'cross-entropy'];
const $ = (id) => document.getElementById(id);
/** A range of some width at least: where nothing moves there is nothing to enlarge. */
function wide([low, high], least = 0.1) {
  const room = Math.max(0, least - (high - low)) / 2;
  return [low - room, high + room];
}
const output = ({ feature, head }) => feature[0] * head[0] + feature[1] * head[1];

export function entropy() {
  const outputs = new Chart($('clock-outputs'), { title: 'Output z·v against finetuning time', xLabel: 'finetuning time t', yLabel: 'output z·v', width: 480, height: 230 });
  const distance = new Chart($('clock-distance'), { title: 'Distance against the output', xLabel: 'output z·v', yLabel: 'distance ‖z − z₀‖', width: 480, height: 230 });
  const peaks = [['peak-squared', 'energy E, squared loss'], ['peak-entropy', 'energy E, cross-entropy']]
    .map(([id, xLabel]) => new Chart($(id), { title: 'Norm against energy', xLabel, yLabel: 'norm ‖z‖', width: 480, height: 190 }));
  const said = $('clock-said');
  let last = 0;
  const write = slider($('way'), 'way', { text: (share) => `${show(share * last)} of ${show(last)}` });

  /** The head of the opening figure, as it is when finetuning begins, under a loss at a time. */
  const at = (head, loss, time) => engine.scene({ target: state.y, across: state.w, start: head, probe: 0, time, loss });

  let kept = {};
  /** All that does not depend on the slider of time. */
  const runs = (head) => {
    const key = [state.y, state.w, head].join();
    if (kept.key === key) return kept;
    const [square, clocked] = LOSSES.map((loss) => at(head, loss, Infinity));
    const long = Math.max(clocked.last, 3 * square.pace);
    const [slow, quick] = [['squared', long], ['cross-entropy', clocked.last]].map(([loss, end]) => {
      const times = Array.from({ length: POINTS }, (_, i) => (end * i) / (POINTS - 1));
      const moments = times.map((t) => at(head, loss, t).now);
      return { times, outputs: moments.map(output), distances: moments.map((m) => m.metrics[0]) };
    });
    const families = LOSSES.map((loss) => engine.family({ target: state.y, across: state.w, time: Infinity, loss }));
    return (kept = { key, square, clocked, long, slow, quick, families });
  };

  const draw = lazily($('entropy'), () => {
    const head = Math.max(-state.y, Math.min(state.y, scene.head[0]));
    const { square, clocked, long, slow, quick, families } = runs(head);
    ({ last } = clocked);
    write();
    const time = state.way >= 1 ? Infinity : state.way * last;
    const now = at(head, 'cross-entropy', time);
    const [first, second] = now.clocks;
    const other = at(head, 'squared', first);
    const reached = output(now.now);
    const [moved, again] = [now.now.metrics[0], other.now.metrics[0]];
    outputs.draw({
      x: [0, long], y: padded(wide(extent(slow.outputs, quick.outputs, [state.y]))),
      rules: [{ y: reached, kind: 'mark' }],
      lines: [{ x: slow.times, y: slow.outputs, kind: 'm0' }, { x: quick.times, y: quick.outputs, kind: 'm1' }],
      dots: [{ x: Math.min(first, long), y: output(other.now), kind: 'm0' }, { x: second, y: reached, kind: 'm1' }],
    });
    distance.draw({
      x: padded(wide(extent(slow.outputs, quick.outputs)), 0.02), y: padded(extent(slow.distances, quick.distances, [0, 0.1])),
      lines: [{ x: slow.outputs, y: slow.distances, kind: 'm0 under' }, { x: quick.outputs, y: quick.distances, kind: 'm1' }],
      dots: [{ x: reached, y: moved, kind: 'm1 now' }],
    });
    const text = scene.energy === 0 ? 'Probing has left no energy: nothing moves, by either clock.'
      : `At the output ${show(reached)} the clock of the squared loss shows t = ${show(first)}, that of cross-entropy t = ${show(second)}. The distance is ${show(again)} by the one and ${show(moved)} by the other.`;
    said.textContent = text;
    Object.assign(said.dataset, { squared: first, entropy: second, distance: moved, other: again, output: reached });
    outputs.describe(`Output against finetuning time for both losses. ${text}`);
    distance.describe(`Distance against the output: the curves of both losses lie on each other. ${text}`);
    peaks.forEach((chart, i) => {
      const family = families[i];
      const norm = family.limits[3];
      chart.draw({
        x: [0, extent(family.energies)[1]], y: padded(extent(norm)),
        rules: [{ x: family.middle, label: i === 0 ? 'E = y' : 'E = ½', kind: 'mark' }],
        lines: [{ x: family.energies, y: norm, kind: 'm3' }],
        dots: [{ x: [square, clocked][i].energy, y: [square, clocked][i].end.metrics[3], kind: 'm3 now' }],
      });
      chart.describe(`Norm against energy, ${LOSSES[i]}: it peaks at ${show(family.middle)}, where the head sees nothing of the feature.`);
    });
  }, { outOfSight: false });
  let scene;
  onScene((now) => {
    scene = now;
    draw();
  });
  onChange((changed) => changed.has('way') && draw());
}
