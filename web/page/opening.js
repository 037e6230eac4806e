// The opening figure: the plane, the loss, four curves against energy, and finetuning in time.

import { Chart, extent, padded } from './chart.js';
import { csv, lazily, put, putAll, save, show, slider, standalone, still } from './controls.js';
import { engine } from './engine.js';
import { Plane } from './plane.js';
import { atRest, onChange, reset, set, state } from './state.js';

export const METRICS = [
  { key: 'euclidean', name: 'Distance ‖z − z₀‖', kind: 'm0' },
  { key: 'cosine', name: 'Cosine distance', kind: 'm1' },
  { key: 'dot', name: 'Dot product z·z₀', kind: 'm2' },
  { key: 'norm', name: 'Norm ‖z‖', kind: 'm3' },
];

const KEYS = ['y', 'w', 'a', 'tau', 't'];
const $ = (id) => document.getElementById(id);
const between = (low, v, high) => Math.max(low, Math.min(high, v));

// Finetuning time on a slider: its share of the way, 1 at ∞; `pace` is the engine's time scale.
const SHARES = 40;
const timeOf = (share, pace) => (share >= 1 ? Infinity : -Math.log1p(-share) * pace);
const shareOf = (time, pace) => (time === Infinity ? 1 : -Math.expm1(-time / pace));

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
  const { y: target, w: across, a: start, tau: probe, t: time } = state;
  const setting = { target, across, time };
  const key = JSON.stringify(setting, (_, v) => (v === Infinity ? 'inf' : v));
  if (family?.key !== key) family = { key, curves: engine.family(setting) };
  return { ...family.curves, ...engine.scene({ ...setting, start, probe }) };
}

/** The probing time that leaves an energy, by the engine. */
const timeFor = (energy) => engine.probe_time({ target: state.y, start: state.a, energy });

/** Puts the head at a place: across is its own, along is reached by probing, or by a head that starts further back. */
function moveHead({ along, across }) {
  const { y, a } = state;
  const place = between(-y, along, y);
  const w = between(0, across, 3);
  if (place <= a) set({ a: place, w, tau: 0 });
  else set({ w, tau: timeFor(y - place) });
}

export function opening() {
  const plane = new Plane($('plane'), moveHead);
  const charts = METRICS.map((metric, i) => new Chart($('curves').children[i].querySelector('.canvas'), {
    title: metric.name, xLabel: 'energy E', height: 172,
  }));

  // Probing by its slider: even steps of energy.
  const probe = $('probe');
  probe.addEventListener('input', () => {
    const left = 1 - Number(probe.value) / Number(probe.max);
    set({ tau: left === 1 ? 0 : left === 0 ? Infinity : timeFor(left * scene.energy_before) });
  });
  slider($('target'), 'y', { toState: (y) => ({ y, a: between(-y, state.a, y) }) });
  slider($('across'), 'w');
  slider($('start'), 'a', { toState: (s) => s * state.y, toSlider: (a) => a / state.y });
  const time = $('time');
  time.addEventListener('input', () => {
    stop();
    set({ t: timeOf(Number(time.value) / SHARES, scene.pace) });
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
    const from = state.t === Infinity ? 0 : shareOf(state.t, scene.pace);
    const begun = performance.now();
    $('play').textContent = 'Pause';
    const frame = (now) => {
      const share = from + Math.max(0, now - begun) / 3500;
      set({ t: timeOf(share, scene.pace) });
      if (share >= 1) stop();
      else playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
  };
  const step = (direction) => {
    stop();
    const now = Math.round(shareOf(state.t, scene.pace) * SHARES);
    const next = direction > 0 && now === SHARES ? 0 : between(0, now + direction, SHARES);
    set({ t: timeOf(next / SHARES, scene.pace) });
  };
  $('play').addEventListener('click', play);
  $('step').addEventListener('click', () => step(1));
  $('back').addEventListener('click', () => step(-1));
  $('opening-reset').addEventListener('click', () => {
    stop();
    reset(KEYS);
  });
  $('opening-svg').addEventListener('click', () => save('taskhead-plane.svg', 'image/svg+xml', standalone([plane.svg.node()])));
  $('curves-svg').addEventListener('click', () => save('taskhead-curves.svg', 'image/svg+xml', standalone(charts.map((c) => c.svg.node()), 2)));
  $('opening-csv').addEventListener('click', () => save('taskhead-curves.csv', 'text/csv', csv({
    energy: scene.energies, ...Object.fromEntries(METRICS.map(({ key }, i) => [key, scene.curves[i]])),
  })));

  const describe = atRest(() => {
    const { now, energy } = scene;
    const sentence = `After probing for τ = ${show(state.tau)} the energy is ${show(energy)}. ` +
      `At finetuning time ${show(now.time)} the feature has moved by ${show(now.metrics[0])}, ` +
      `its cosine distance is ${show(now.metrics[1])}, its dot product with the old one ${show(now.metrics[2])} and its norm ${show(now.metrics[3])}.`;
    $('opening-said').textContent = sentence;
    plane.describe(sentence);
    charts.forEach((chart, i) => chart.describe(`${METRICS[i].name} against energy: on energies up to the target it ${scene.shapes[i]}. Now ${show(now.metrics[i])} at energy ${show(energy)}.`));
  });
  const drawFigure = lazily($('opening'), () => {
    const { now, energy, energies } = scene;
    const most = energies[energies.length - 1];
    plane.draw(scene, { target: state.y, across: state.w, start: state.a });
    charts.forEach((chart, i) => {
      const low = i < 2 ? [0] : [];
      chart.draw({
        x: [0, most],
        y: padded(extent(scene.limits[i], scene.curves[i], low)),
        areas: [{ x: [scene.energy_before, most], kind: 'beyond' }],
        rules: [{ x: state.y, label: 'E = y', kind: 'mark' }],
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
    putAll({ ...metrics, energy, tau: state.tau, backbone: now.backbone, headshare: now.head_share, left: now.loss });
    if (document.activeElement !== probe) {
      probe.value = String(scene.energy_before > 0 ? Math.round((1 - energy / scene.energy_before) * probe.max) : probe.max);
    }
    probe.setAttribute('aria-valuetext', `probing time ${show(state.tau)}, energy ${show(energy)} left`);
    time.value = String(shareOf(state.t, scene.pace) * SHARES);
    time.setAttribute('aria-valuetext', show(state.t));
    put($('time-shown'), state.t);
    $('opening-saddle').hidden = !scene.saddle;
    drawFigure();
    describe();
    for (const listener of listeners) listener(scene);
  };
  onChange((changed) => KEYS.some((key) => changed.has(key)) && draw());
  draw();
}
