// “Draw it yourself”: the student sketches each measure against probing, then the engine's curve appears beside it.

import { select } from 'd3-selection';
import { Chart, extent, padded } from './chart.js';
import { attrs, lazily } from './controls.js';
import { engine } from './engine.js';
import { line } from './scale.js';
import { METRICS, onScene } from './opening.js';
import { onChange, set, state } from './state.js';

/** Places of a sketch, from no probing (0) to probing to the end (1). */
const POINTS = 41;
/** The part of its range by which a drawn curve may waver without it counting as a turn. */
const HAND = 0.12;
/** Heights of a sketch in an address, from the bottom of its frame to the top; `-` is a place without one. */
const HEIGHTS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** The address holds every other place. */
const EVERY = 2;
const $ = (id) => document.getElementById(id);
const share = (i) => i / (POINTS - 1);

/** What each curve does as probing goes on, and why. */
const WHY = [
  'The less energy is left, the less far the feature moves: to nothing at the end.',
  'The less energy is left, the less the feature turns. An angle that is not made costs nothing.',
  'Seen from the end: with a little energy the feature grows along itself, and the product with the old one rises; with more it turns away, and the product falls again.',
  'The feature is longest where the head sees nothing of it (E = y): there all of the output has to be built. At the end nothing moves, and the length is that of z₀.',
];

/** Choices for those who cannot or do not want to draw, as shares of the range of the answer. */
const SHAPES = {
  'falls all the way': (x) => 1 - x,
  'rises all the way': (x) => x,
  'rises, then falls': (x) => 1 - Math.abs(2 * x - 1) ** 2,
  'falls, then rises': (x) => Math.abs(2 * x - 1) ** 2,
};

class Sketch {
  /** `changed` is called when the hand has drawn, chosen, shown or wiped. */
  constructor(container, metric, index, changed) {
    Object.assign(this, { metric, index, drawn: Array(POINTS).fill(NaN), shown: false });
    const figure = container.appendChild(document.createElement('figure'));
    figure.appendChild(document.createElement('figcaption')).textContent = metric.name;
    const canvas = figure.appendChild(document.createElement('div'));
    this.chart = new Chart(canvas, { title: `Your sketch of: ${metric.name}`, xLabel: 'head probing →', height: 200, xTicks: [] });
    this.pencil = select(this.chart.svg.node()).append('path').attr('class', 'pencil');
    const svg = this.chart.svg.classed('sketch', true).node();
    const put = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      this.to(this.chart.sx.invert(point.x), this.chart.sy.invert(point.y));
    };
    svg.addEventListener('pointerdown', (event) => {
      if (this.shown) return;
      svg.setPointerCapture(event.pointerId);
      this.at = null;
      put(event);
    });
    svg.addEventListener('pointermove', (event) => svg.hasPointerCapture(event.pointerId) && !this.shown && put(event));
    svg.addEventListener('pointerup', () => {
      this.buttons();
      changed();
    });
    const row = figure.appendChild(document.createElement('p'));
    row.className = 'buttons';
    this.choice = row.appendChild(document.createElement('select'));
    this.choice.setAttribute('aria-label', `Shape of: ${metric.name}`);
    this.choice.append(new Option('or choose a shape', ''), ...Object.keys(SHAPES).map((name) => new Option(name, name)));
    this.choice.addEventListener('change', () => {
      const shape = SHAPES[this.choice.value];
      if (!shape) return;
      const [low, high] = extent(this.answer);
      this.drawn = this.drawn.map((_, i) => low + (high - low) * shape(share(i)));
      this.paint();
      this.buttons();
      changed();
    });
    this.show = row.appendChild(Object.assign(document.createElement('button'), { type: 'button', textContent: 'Show the curve', disabled: true }));
    this.show.addEventListener('click', () => {
      this.reveal();
      changed();
    });
    this.said = figure.appendChild(document.createElement('p'));
    this.said.className = 'small';
    this.said.setAttribute('role', 'status');
  }

  /** The pencil at a place; what lies between it and where it was is drawn, too. */
  to(x, y) {
    const i = Math.round(Math.max(0, Math.min(1, x)) * (POINTS - 1));
    const [low, high] = this.chart.sy.domain();
    const at = { i, y: Math.max(low, Math.min(high, y)) };
    const from = this.at ?? at;
    const steps = Math.max(1, Math.abs(i - from.i));
    for (let s = 0; s <= steps; s++) this.drawn[Math.round(from.i + ((i - from.i) * s) / steps)] = from.y + ((at.y - from.y) * s) / steps;
    this.at = at;
    this.paint();
  }

  /** The whole width has to be drawn before there is something to compare. */
  buttons() {
    this.show.disabled = this.shown || this.drawn.filter(Number.isFinite).length < 0.8 * POINTS;
  }

  /** Takes the engine's curve against probing. */
  take(answer) {
    this.answer = answer;
    this.frame();
  }

  frame() {
    // The range says where the curve starts and how far it may go, and nothing of its shape.
    const range = padded(extent(this.answer, this.index < 2 ? [0] : []), 0.25);
    const x = this.answer.map((_, i) => share(i));
    this.chart.draw({
      x: [0, 1],
      y: this.index < 2 ? [0, range[1]] : range,
      lines: this.shown ? [{ x, y: this.answer, kind: this.metric.kind }] : [],
      dots: this.shown ? [] : [{ x: 0, y: this.answer[0], kind: `${this.metric.kind} now` }],
    });
    this.paint();
  }

  paint() {
    const { sx, sy } = this.chart;
    attrs(this.pencil, { d: line((i) => sx(share(i)), (i) => sy(this.drawn[i]), (i) => Number.isFinite(this.drawn[i]))(this.drawn.map((_, i) => i)) });
  }

  /** The sketch as letters, for the address. */
  code() {
    if (!this.drawn.some(Number.isFinite)) return '';
    const [low, high] = this.chart.sy.domain();
    const letter = (y) => (Number.isFinite(y) ? HEIGHTS[Math.round(((y - low) / (high - low)) * (HEIGHTS.length - 1))] : '-');
    return this.drawn.filter((_, i) => i % EVERY === 0).map(letter).join('') + (this.shown ? '!' : '');
  }

  /** The sketch of such letters. */
  restore(code) {
    this.again();
    const [low, high] = this.chart.sy.domain();
    const known = [...code.replace('!', '')].map((letter) => (letter === '-' ? NaN : low + ((high - low) * HEIGHTS.indexOf(letter)) / (HEIGHTS.length - 1)));
    if (known.length === 0) return;
    this.drawn = this.drawn.map((_, i) => (known[Math.floor(i / EVERY)] + known[Math.ceil(i / EVERY)]) / 2);
    this.paint();
    this.buttons();
    if (code.endsWith('!')) this.reveal();
  }

  reveal() {
    this.shown = true;
    this.frame();
    this.buttons();
    this.choice.disabled = true;
    const known = this.drawn.map((v, i) => (Number.isFinite(v) ? i : -1)).filter((i) => i >= 0);
    const [low, high] = extent(this.answer);
    const miss = known.reduce((sum, i) => sum + Math.abs(this.drawn[i] - this.answer[i]), 0) / known.length / (high - low || 1);
    const score = Math.round(100 * Math.max(0, 1 - 2 * miss));
    const bare = (text) => text.replace(/ \(.*\)/, '');
    const [mine] = engine.shapes({ x: known.map(share), curves: [known.map((i) => this.drawn[i])], tolerance: HAND });
    const [its] = engine.shapes({ x: this.answer.map((_, i) => share(i)), curves: [this.answer], tolerance: 1e-6 });
    const same = bare(mine) === bare(its);
    this.said.textContent = `${score} of 100. Your curve ${bare(mine)}, the engine’s ${bare(its)}${same ? ': the right shape' : ''}. ${WHY[this.index]}`;
    this.chart.describe(`${this.metric.name} against probing, as the engine has it: it ${bare(its)}, from ${this.answer[0].toFixed(3)} to ${this.answer[POINTS - 1].toFixed(3)}.`);
  }

  again() {
    Object.assign(this, { drawn: Array(POINTS).fill(NaN), shown: false, at: null });
    this.said.textContent = '';
    this.choice.value = '';
    this.choice.disabled = false;
    this.frame();
    this.buttons();
  }
}

export function draw() {
  // What the sketches are in the address.
  let written = '';
  const write = () => {
    const codes = sketches.map((sketch) => sketch.code());
    written = codes.some(Boolean) ? codes.join('.') : '';
    set({ sketch: written });
  };
  const sketches = METRICS.map((metric, i) => new Sketch($('sketches'), metric, i, write));
  const restore = () => {
    if (state.sketch === written) return;
    written = state.sketch;
    const codes = written.split('.');
    sketches.forEach((sketch, i) => sketch.restore(codes[i] ?? ''));
  };
  let scene;
  let key = '';
  const update = lazily($('draw'), () => {
    // Even steps of energy from none probed to all of it, as on the slider.
    const { energies, limits, energy_before: before } = scene;
    const at = (list, energy) => {
      const j = Math.min(energies.length - 2, Math.max(0, energies.findIndex((e) => e > energy) - 1));
      const part = (energy - energies[j]) / (energies[j + 1] - energies[j]);
      return list[j] + (list[j + 1] - list[j]) * part;
    };
    const now = JSON.stringify([limits[0][80], limits[3][80], before]);
    if (now === key) return;
    key = now;
    sketches.forEach((sketch, i) => {
      sketch.take(Array.from({ length: POINTS }, (_, p) => at(limits[i], energies[0] + (before - energies[0]) * (1 - share(p)))));
      if (sketch.shown) sketch.again();
    });
    // Those of an address that is followed belong to its figure; others are wiped with the curves that they were beside.
    if (state.sketch === written) write();
    else restore();
  });
  onChange((changed) => changed.has('sketch') && key && restore());
  onScene((now) => {
    scene = now;
    update();
  });
  $('draw-again').addEventListener('click', () => {
    for (const sketch of sketches) sketch.again();
    write();
  });
}
