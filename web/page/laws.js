// Chapter 3: where each law ends, as maps over target y and head norm w; the point chosen is that of the opening figure.

import { axisBottom, axisLeft } from 'd3-axis';
import { scaleLog } from 'd3-scale';
import { select } from 'd3-selection';
import { putAll, show, whenNear } from './controls.js';
import { Curves } from './curves.js';
import { engine } from './engine.js';
import { onScene } from './opening.js';
import { onChange, set, state } from './state.js';

const LAWS = ['Distance keeps rising', 'Cosine distance keeps rising', 'Dot product keeps falling', 'Norm keeps falling'];
const STATES = ['holds', 'unsure', 'fails'];
const POINTS = 60;
const [WIDTH, HEIGHT] = [300, 270];
const MARGIN = { top: 8, right: 10, bottom: 36, left: 44 };
const $ = (id) => document.getElementById(id);
const between = (low, v, high) => Math.max(low, Math.min(high, v));

/** Where the laws go on. */
async function regions() {
  return engine.phase({ points: POINTS });
}

/** Takes y and w for the opening figure, with a head that starts as far back as the maps look: E from 0 to 2y. */
function choose(y, w) {
  const target = between(0.2, y, 3);
  set({ y: target, w: between(0, w, 2), a: -target, tau: 0, t: Infinity });
}

class Map {
  constructor(container, law, { targets, across, states }) {
    const figure = container.appendChild(document.createElement('figure'));
    figure.appendChild(document.createElement('figcaption')).textContent = LAWS[law];
    const svg = select(figure).append('svg').attr('viewBox', `0 0 ${WIDTH} ${HEIGHT}`).attr('class', 'chart map');
    svg.attr('role', 'group').attr('aria-label', `Map of the law “${LAWS[law]}” over target y and head norm w`);
    const ends = (list) => [list[0], list[list.length - 1]];
    this.sx = scaleLog().domain(ends(targets)).range([MARGIN.left, WIDTH - MARGIN.right]);
    this.sy = scaleLog().domain(ends(across)).range([HEIGHT - MARGIN.bottom, MARGIN.top]);
    const edge = (list, i) => Math.sqrt(list[Math.max(0, i - 1)] * list[Math.min(list.length - 1, i)]);
    const cells = states[law].map((row, j) => runs(row).map(({ state, from, to }) => ({
      state, x: this.sx(edge(targets, from)), x2: this.sx(edge(targets, to)), y: this.sy(edge(across, j + 1)), y2: this.sy(edge(across, j)),
    }))).flat();
    const grid = svg.append('g').attr('class', 'cells');
    grid.selectAll('path').data(STATES).join('path').attr('class', (d) => d)
      .attr('d', (_, kind) => cells.filter((c) => c.state === kind).map((c) => `M${c.x.toFixed(1)},${c.y.toFixed(1)}H${(c.x2 + 0.3).toFixed(1)}V${(c.y2 + 0.3).toFixed(1)}H${c.x.toFixed(1)}Z`).join(''));
    svg.append('g').attr('class', 'axis').attr('transform', `translate(0,${HEIGHT - MARGIN.bottom})`).call(axisBottom(this.sx).ticks(3, '~g').tickSizeOuter(0));
    svg.append('g').attr('class', 'axis').attr('transform', `translate(${MARGIN.left},0)`).call(axisLeft(this.sy).ticks(3, '~g').tickSizeOuter(0));
    svg.append('text').attr('class', 'label').attr('x', WIDTH - MARGIN.right).attr('y', HEIGHT - 4).attr('text-anchor', 'end').text('target y');
    svg.append('text').attr('class', 'label').attr('x', 4).attr('y', HEIGHT - 4).text('w ↑');
    this.cross = svg.append('g').attr('class', 'cross').attr('tabindex', 0).attr('role', 'slider').attr('data-law', law);
    this.cross.append('path').attr('d', 'M-9,0H9M0,-9V9').attr('class', 'under');
    this.cross.append('path').attr('d', 'M-9,0H9M0,-9V9');
    this.cross.append('circle').attr('r', 11);
    this.cross.attr('aria-label', `Point on the map of “${LAWS[law]}”; arrow keys move it`).attr('aria-valuemin', targets[0]).attr('aria-valuemax', targets[targets.length - 1]);
    svg.on('pointerdown', (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.node().getScreenCTM().inverse());
      choose(this.sx.invert(point.x), this.sy.invert(point.y));
    });
    this.cross.on('keydown', (event) => {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
      if (dx === undefined) return;
      event.preventDefault();
      choose(state.y * 1.05 ** dx, Math.max(state.w, across[0]) * 1.1 ** dy);
    });
    // Which state the map has nearest to a point.
    this.at = (y, w) => STATES[states[law][nearest(across, w)][nearest(targets, y)]];
    this.law = law;
  }

  draw() {
    const [low, high] = this.sy.domain();
    const w = between(low, state.w, high);
    this.cross.attr('transform', `translate(${this.sx(state.y)},${this.sy(w)})`).attr('aria-valuenow', state.y);
    const said = { holds: 'goes on', fails: 'breaks', unsure: 'is too close to call' }[this.at(state.y, w)];
    this.cross.attr('aria-valuetext', `y ${show(state.y)}, w ${show(state.w)}: the law ${said}`).attr('data-state', this.at(state.y, w));
  }
}

/** Neighbouring equal states of a row as one. */
function runs(row) {
  const all = [];
  row.forEach((state, i) => {
    const last = all[all.length - 1];
    if (last?.state === state) last.to = i + 1;
    else all.push({ state, from: i, to: i + 1 });
  });
  return all;
}

function nearest(list, value) {
  return list.reduce((best, v, i) => (Math.abs(Math.log(v / value)) < Math.abs(Math.log(list[best] / value)) ? i : best), 0);
}

export function laws() {
  const curves = new Curves($('law-curves'), 'energy E');
  onScene((scene) => {
    curves.draw({
      layers: [{ x: scene.energies, values: scene.limits }],
      dot: { x: scene.energy, values: scene.end.metrics },
      rules: [{ x: state.y, label: 'E = y', kind: 'mark' }],
    });
    curves.charts.forEach((chart, i) => chart.describe(`After finetuning, on energies up to y: ${scene.shapes[i]}.`));
    putAll(document, { 'phase-y': state.y, 'phase-w': state.w });
  });
  whenNear($('laws'), async () => {
    const data = await regions();
    $('phase-source').textContent = data.certified ? 'Certified by interval arithmetic.' : 'Sampled on a grid, not certified.';
    const maps = LAWS.map((_, law) => new Map($('phase'), law, data));
    const draw = () => maps.forEach((map) => map.draw());
    onChange((changed) => (changed.has('y') || changed.has('w')) && draw());
    draw();
  });
}
