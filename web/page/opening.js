// The opening figure: the plane, the loss, four curves against energy, and finetuning in time.

import { Chart, extent, padded } from './chart.js';
import { choices, csv, lazily, put, putAll, save, show, slider, standalone, still } from './controls.js';
import { demo } from './demo.js';
import { engine } from './engine.js';
import { Plane } from './plane.js';
import { atRest, onChange, reset, set, state } from './state.js';

export const METRICS = [
  { key: 'euclidean', name: 'Distance ‖z − z₀‖', kind: 'm0' },
  { key: 'cosine', name: 'Cosine distance', kind: 'm1' },
  { key: 'dot', name: 'Dot product z·z₀', kind: 'm2' },
  { key: 'norm', name: 'Norm ‖z‖', kind: 'm3' },
];

/** What the figure shows. */
export const KEYS = ['y', 'w', 'a', 'tau', 't', 'loss'];
const $ = (id) => document.getElementById(id);
const between = (low, v, high) => Math.max(low, Math.min(high, v));

// Finetuning time on a slider: its share of the way, 1 at its end. Under the squared loss that is ∞ and `pace` the
// engine's time scale; under cross-entropy finetuning stops at the time `last`.
const SHARES = 40;
const timeOf = (share, { pace, last }) => (share >= 1 ? Infinity : last < Infinity ? share * last : -Math.log1p(-share) * pace);
const shareOf = (time, { pace, last }) => (time >= last ? 1 : last < Infinity ? time / last : -Math.expm1(-time / pace));

let scene;
const listeners = [];

/** Calls `listener(scene)` with every new scene. */
export function onScene(listener) {
  listeners.push(listener);
  if (scene) listener(scene);
}

let family;

/** The scene of the state with the curves of its family, which are computed anew only when y, w or t has changed. */
function ask() {
  const { y: target, w: across, a: start, tau: probe, t: time, loss } = state;
  const setting = { target, across, time, loss };
  const key = JSON.stringify(setting, (_, v) => (v === Infinity ? 'inf' : v));
  if (family?.key !== key) family = { key, curves: engine.family(setting) };
  return { mark: loss === 'squared' ? 'E = y' : 'E = ½', ...family.curves, ...engine.scene({ ...setting, start, probe }) };
}

/** The probing time that leaves an energy, by the engine. */
const timeFor = (energy) => engine.probe_time({ target: state.y, start: state.a, energy, loss: state.loss });

/** The probing time that brings the head to a part along the feature. */
const timeTo = (along) => engine.probe_time({ target: state.y, start: state.a, along, loss: state.loss });

/** Puts the head at a place: across is its own, along is reached by probing, or by a head that starts further back. */
function moveHead({ along, across }) {
  const { y, a } = state;
  const place = between(-y, along, y);
  const w = between(0, across, 3);
  if (place <= a) set({ a: place, w, tau: 0 });
  else set({ w, tau: place >= y ? Infinity : timeTo(place) });
}

/** The energy of a head that has nothing to gain any more: 0, or under cross-entropy that of the output y. */
const least = () => scene.energies[0];

export function opening() {
  const plane = new Plane($('plane'), moveHead);
  const charts = METRICS.map((metric, i) => new Chart($('curves').children[i].querySelector('.canvas'), {
    title: metric.name, xLabel: 'energy E', height: 140,
  }));

  // Probing by its slider: even steps of energy.
  const probe = $('probe');
  probe.addEventListener('input', () => {
    const left = 1 - Number(probe.value) / Number(probe.max);
    set({ tau: left === 1 ? 0 : left === 0 ? Infinity : timeFor(least() + left * (scene.energy_before - least())) });
  });
  slider($('target'), 'y', { toState: (y) => ({ y, a: between(-y, state.a, y) }) });
  slider($('across'), 'w');
  choices('loss');
  slider($('start'), 'a', { toState: (s) => s * state.y, toSlider: (a) => a / state.y });
  const time = $('time');
  time.addEventListener('input', () => {
    stop();
    set({ t: timeOf(Number(time.value) / SHARES, scene) });
  });
  time.max = SHARES;

  let playing = 0;
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    $('play').textContent = 'Play';
  };
  const play = () => {
    if (playing) return stop();
    if (still()) return set({ t: Infinity });
    const from = state.t === Infinity ? 0 : shareOf(state.t, scene);
    const begun = performance.now();
    $('play').textContent = 'Pause';
    const frame = (now) => {
      const share = from + Math.max(0, now - begun) / 3500;
      set({ t: timeOf(share, scene) });
      if (share >= 1) stop();
      else playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
  };
  const step = (direction) => {
    stop();
    const now = Math.round(shareOf(state.t, scene) * SHARES);
    const next = direction > 0 && now === SHARES ? 0 : between(0, now + direction, SHARES);
    set({ t: timeOf(next / SHARES, scene) });
  };
  $('play').addEventListener('click', play);
  $('step').addEventListener('click', () => step(1));
  $('back').addEventListener('click', () => step(-1));
  $('opening-reset').addEventListener('click', () => {
    stop();
    reset(KEYS);
  });
  const setting = () => `y = ${show(state.y)}, head across w = ${show(state.w)}, along a = ${show(state.a)}; τ = ${show(scene.probe)}, t = ${show(state.t)}, ${state.loss === 'squared' ? 'squared loss' : 'cross-entropy'}`;
  $('opening-svg').addEventListener('click', () => save('taskhead-plane.svg', 'image/svg+xml', standalone(setting(), [{ svg: plane.svg.node(), title: 'Feature and head: along z₀ (right), across (up)' }])));
  $('curves-svg').addEventListener('click', () => save('taskhead-curves.svg', 'image/svg+xml', standalone(setting(), charts.map((c) => ({ svg: c.svg.node(), title: c.options.title })), 2)));
  $('opening-csv').addEventListener('click', () => save('taskhead-curves.csv', 'text/csv', csv({
    energy: scene.energies, ...Object.fromEntries(METRICS.map(({ key }, i) => [key, scene.curves[i]])),
  })));

  const describe = atRest(() => {
    const { now, energy } = scene;
    const sentence = `After probing for τ = ${show(scene.probe)} the energy is ${show(energy)}. ` +
      `At finetuning time ${show(now.time)} the feature has moved by ${show(now.metrics[0])}, ` +
      `its cosine distance is ${show(now.metrics[1])}, its dot product with the old one ${show(now.metrics[2])} and its norm ${show(now.metrics[3])}.`;
    $('opening-said').textContent = sentence;
    plane.describe(sentence);
    charts.forEach((chart, i) => chart.describe(`${METRICS[i].name} against energy: on energies up to the target it ${scene.shapes[i]}. Now ${show(now.metrics[i])} at energy ${show(energy)}.`));
  });
  const drawFigure = lazily($('opening'), () => {
    const { now, energy, energies } = scene;
    const most = energies[energies.length - 1];
    plane.draw(scene, { target: state.y, across: state.w, start: state.a }, state.loss);
    charts.forEach((chart, i) => {
      const low = i < 2 ? [0] : [];
      chart.draw({
        x: [0, most],
        y: padded(extent(scene.limits[i], scene.curves[i], low)),
        areas: [{ x: [scene.energy_before, most], kind: 'beyond' }],
        rules: [{ x: scene.middle, label: scene.mark, kind: 'mark' }],
        lines: [
          { x: energies, y: scene.limits[i], kind: state.t === Infinity ? METRICS[i].kind : `${METRICS[i].kind} faint` },
          ...(state.t === Infinity ? [] : [{ x: energies, y: scene.curves[i], kind: METRICS[i].kind }]),
        ],
        dots: [{ x: energy, y: now.metrics[i], kind: `${METRICS[i].kind} now` }],
      });
    });
    const bar = $('loss').children;
    [now.backbone, now.head_share, now.loss].forEach((part, i) => (bar[i].style.flexGrow = String(1e6 * part)));
  });
  const draw = () => {
    scene = ask();
    const { now, energy } = scene;
    const metrics = Object.fromEntries(METRICS.map(({ key }, i) => [key, now.metrics[i]]));
    putAll({ ...metrics, 'clock-squared': scene.clocks[0], 'clock-entropy': scene.clocks[1], energy, tau: scene.probe, backbone: now.backbone, headshare: now.head_share, left: now.loss });
    if (document.activeElement !== probe) {
      const room = scene.energy_before - least();
      probe.value = String(room > 0 ? Math.round((1 - (energy - least()) / room) * probe.max) : probe.max);
    }
    probe.setAttribute('aria-valuetext', `probing time ${show(scene.probe)}, energy ${show(energy)} left`);
    time.value = String(shareOf(state.t, scene) * SHARES);
    time.setAttribute('aria-valuetext', show(state.t));
    // Under cross-entropy the end of finetuning is a time.
    put($('time-shown'), state.t === Infinity ? scene.last : state.t);
    $('opening-saddle').hidden = !scene.saddle;
    drawFigure();
    describe();
    for (const listener of listeners) listener(scene);
  };
  onChange((changed) => KEYS.some((key) => changed.has(key)) && draw());
  draw();
  demo(() => scene, (share) => (share === 0 ? 0 : timeFor(least() + (1 - share) * (scene.energy_before - least()))), (share) => timeOf(share, scene));
}
