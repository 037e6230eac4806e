// Chapter 3: where each law ends, as maps over target y and head norm w; the point chosen is that of the opening figure.

import { axisBottom, axisLeft } from 'd3-axis';
import { scaleLog } from 'd3-scale';
import { select } from 'd3-selection';
import { fitted } from './chart.js';
import { putAll, show, whenNear } from './controls.js';
import { Curves } from './curves.js';
import { engine } from './engine.js';
import { onScene } from './opening.js';
import { onChange, set, state } from './state.js';

const LAWS = ['Distance keeps rising', 'Cosine distance keeps rising', 'Dot product keeps falling', 'Norm keeps falling'];
const STATES = ['holds', 'unsure', 'fails'];
const POINTS = 60;
const MARGIN = { top: 8, right: 12, bottom: 38, left: 38 };
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
    const svg = select(figure).append('svg').attr('class', 'chart map');
    svg.attr('role', 'group').attr('aria-label', `Map of the law “${LAWS[law]}” over target y and head norm w`);
    const ends = (list) => [list[0], list[list.length - 1]];
    this.sx = scaleLog().domain(ends(targets));
    this.sy = scaleLog().domain(ends(across));
    const edge = (list, i) => Math.sqrt(list[Math.max(0, i - 1)] * list[Math.min(list.length - 1, i)]);
    const cells = states[law].flatMap((row, j) => runs(row).map((run) => ({ ...run, j })));
    const box = ({ from, to, j }) => {
      const [left, right] = [this.sx(edge(targets, from)), this.sx(edge(targets, to)) + 0.3];
      return `M${left.toFixed(1)},${this.sy(edge(across, j + 1)).toFixed(1)}H${right.toFixed(1)}V${(this.sy(edge(across, j)) + 0.3).toFixed(1)}H${left.toFixed(1)}Z`;
    };
    const grid = svg.append('g').attr('class', 'cells').selectAll('path').data(STATES).join('path').attr('class', (d) => d);
    const below = svg.append('g').attr('class', 'axis');
    const beside = svg.append('g').attr('class', 'axis').attr('transform', `translate(${MARGIN.left},0)`);
    const label = svg.append('text').attr('class', 'label').attr('text-anchor', 'end').text('target y');
    const labelW = svg.append('text').attr('class', 'label').attr('x', 4).text('w ↑');
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
    fitted(figure, 300, (width) => {
      const height = Math.round(Math.max(0.85 * width, 150));
      svg.attr('viewBox', `0 0 ${width} ${height}`);
      this.sx.range([MARGIN.left, width - MARGIN.right]);
      this.sy.range([height - MARGIN.bottom, MARGIN.top]);
      grid.attr('d', (_, kind) => cells.filter((c) => c.state === kind).map(box).join(''));
      below.attr('transform', `translate(0,${height - MARGIN.bottom})`).call(axisBottom(this.sx).tickValues([0.1, 1, 10]).tickFormat(String).tickSizeOuter(0));
      beside.call(axisLeft(this.sy).tickValues([0.01, 0.1, 1, 10]).tickFormat(String).tickSizeOuter(0));
      label.attr('x', width - MARGIN.right).attr('y', height - 4);
      labelW.attr('y', height - 4);
      this.draw();
    });
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
  });
}
