// Chapter 3: where each law ends, as maps over target y and head norm w; the point chosen is that of the opening
// figure.

import { axisBottom, axisLeft } from 'd3-axis';
import { select } from 'd3-selection';
import { line, scaleLog } from './scale.js';
import { fitted } from './chart.js';
import { lazily, putAll, show, whenNear } from './controls.js';
import { Curves } from './curves.js';
import { Thread } from './engine.js';
import { onScene } from './opening.js';
import { onChange, set, state } from './state.js';

const LAWS = ['Distance keeps rising', 'Cosine distance keeps rising', 'Dot product keeps falling', 'Norm keeps falling'];
const STATES = { holds: 'is proved to go on', fails: 'is proved to break', undecided: 'is too close to call' };
/** What the maps show: all that the sliders of y and w reach, but for w near 0. */
const TARGETS = [0.2, 3];
const ACROSS = [0.02, 3];
const MARGIN = { top: 8, right: 12, bottom: 42, left: 38 };
const $ = (id) => document.getElementById(id);
const between = ([low, high], v) => Math.max(low, Math.min(high, v));
const meet = ([a, b], [c, d]) => a < d && c < b;

/** Takes y and w for the opening figure, with a head that starts as far back as the maps look: E from 0 to 2y. */
function choose(y, w) {
  const target = between(TARGETS, y);
  set({ y: target, w: between(ACROSS, w), a: -target, tau: 0, t: Infinity });
}

let count = 0;

class Map {
  constructor(container, law) {
    this.law = law;
    this.title = LAWS[law];
    const figure = container.appendChild(document.createElement('figure'));
    figure.appendChild(document.createElement('figcaption')).textContent = LAWS[law];
    const svg = select(figure).append('svg').attr('class', 'chart map');
    svg.attr('role', 'group').attr('aria-label', `Map of the law “${LAWS[law]}” over target y and head norm w`);
    this.sx = scaleLog().domain(TARGETS).clamp(true);
    this.sy = scaleLog().domain(ACROSS).clamp(true);
    const id = `map${++count}`;
    const frame = svg.append('clipPath').attr('id', id).append('rect');
    // Fails is hatched as well, so that it is told from holds without colour.
    const hatch = svg.append('pattern').attr('id', `${id}-fails`).attr('class', 'fails').attr('width', 6).attr('height', 6).attr('patternUnits', 'userSpaceOnUse').attr('patternTransform', 'rotate(45)');
    hatch.append('rect').attr('width', 6).attr('height', 6);
    hatch.append('line').attr('y2', 6).attr('x1', 3).attr('x2', 3);
    const inside = svg.append('g').attr('clip-path', `url(#${id})`);
    this.grid = inside.append('g').attr('class', 'cells').selectAll('path').data(Object.keys(STATES)).join('path').attr('class', (d) => d);
    this.grid.filter((d) => d === 'fails').attr('fill', `url(#${id}-fails)`);
    this.boundaries = inside.selectAll('path.boundary').data(['boundary under', 'boundary']).join('path').attr('class', (d) => d);
    const below = svg.append('g').attr('class', 'axis');
    const beside = svg.append('g').attr('class', 'axis');
    const label = svg.append('text').attr('class', 'label').attr('text-anchor', 'end').text('target y');
    const labelW = svg.append('text').attr('class', 'label').attr('x', 4).text('w ↑');
    this.cross = svg.append('g').attr('class', 'cross').attr('tabindex', 0).attr('role', 'slider').attr('data-law', law);
    this.cross.append('path').attr('d', 'M-9,0H9M0,-9V9').attr('class', 'under');
    this.cross.append('path').attr('d', 'M-9,0H9M0,-9V9');
    this.cross.append('circle').attr('r', 11);
    this.cross.attr('aria-label', `Point on the map of “${LAWS[law]}”; arrow keys move it`).attr('aria-valuemin', TARGETS[0]).attr('aria-valuemax', TARGETS[1]);
    svg.on('pointerdown', (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.node().getScreenCTM().inverse());
      choose(this.sx.invert(point.x), this.sy.invert(point.y));
    });
    this.cross.on('keydown', (event) => {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
      if (dx === undefined) return;
      event.preventDefault();
      choose(state.y * 1.05 ** dx, Math.max(state.w, ACROSS[0]) * 1.1 ** dy);
    });
    fitted(figure, 300, (width) => {
      const height = Math.round(Math.max(0.85 * width, 150));
      svg.attr('viewBox', `0 0 ${width} ${height}`);
      this.sx.range([MARGIN.left, width - MARGIN.right]);
      this.sy.range([height - MARGIN.bottom, MARGIN.top]);
      frame.attr('x', MARGIN.left).attr('y', MARGIN.top).attr('width', width - MARGIN.left - MARGIN.right).attr('height', height - MARGIN.top - MARGIN.bottom);
      below.attr('transform', `translate(0,${height - MARGIN.bottom})`).call(axisBottom(this.sx).tickValues([0.2, 0.5, 1, 2]).tickFormat(String).tickSizeOuter(0).tickPadding(5));
      beside.call(axisLeft(this.sy).tickValues([0.02, 0.1, 0.5, 2]).tickFormat(String).tickSizeOuter(0).tickPadding(5));
      beside.attr('transform', `translate(${MARGIN.left},0)`);
      label.attr('x', width - MARGIN.right).attr('y', height - 4);
      labelW.attr('y', height - 4);
      this.paint();
      this.draw();
    });
  }

  /** Takes the engine's certificate. */
  show({ cells, boundary }) {
    // The rest of the certificate, from 0.01 to 100, is out of the sliders' reach.
    this.cells = cells.filter(({ y, w }) => meet(y, TARGETS) && meet(w, ACROSS));
    this.boundary = boundary;
    this.paint();
    this.draw();
  }

  paint() {
    if (!this.cells) return;
    const { sx, sy, cells } = this;
    const box = ({ y, w }) => `M${sx(y[0]).toFixed(2)},${sy(w[1]).toFixed(2)}H${(sx(y[1]) + 0.3).toFixed(2)}V${(sy(w[0]) + 0.3).toFixed(2)}H${sx(y[0]).toFixed(2)}Z`;
    this.grid.attr('d', (kind) => cells.filter((c) => c.state === kind).map(box).join(''));
    const shown = this.boundary.filter(([y, w]) => meet([y, y], TARGETS) && meet([w, w], ACROSS));
    this.boundaries.attr('d', line(([y]) => sx(y), ([, w]) => sy(w))(shown));
  }

  /** The box of the certificate that a point lies in. */
  box(y, w) {
    return this.cells?.find((c) => c.y[0] <= y && y <= c.y[1] && c.w[0] <= w && w <= c.w[1]);
  }

  /** What is proved of a point. */
  at(y, w) {
    return this.box(y, w)?.state;
  }

  /** The same for its whole box, as a sentence. */
  said(y, w) {
    const box = this.box(y, w);
    const range = ([low, high]) => `${show(low)} to ${show(high)}`;
    return `${this.title}: ${box ? `for y from ${range(box.y)} and w from ${range(box.w)} the law ${STATES[box.state]}` : 'not certified yet'}.`;
  }

  draw() {
    const w = between(ACROSS, state.w);
    const found = this.at(state.y, w);
    this.cross.attr('transform', `translate(${this.sx(state.y)},${this.sy(w)})`).attr('aria-valuenow', state.y);
    const said = found ? `the law ${STATES[found]}` : 'not certified yet';
    this.cross.attr('aria-valuetext', `y ${show(state.y)}, w ${show(state.w)}: ${said}`).attr('data-state', found);
  }
}

export function laws() {
  const curves = new Curves($('law-curves'), 'energy E');
  let scene;
  const drawCurves = lazily($('laws'), () => {
    curves.draw({
      layers: [{ x: scene.energies, values: scene.limits }],
      dot: { x: scene.energy, values: scene.end.metrics },
      rules: [{ x: scene.middle, label: scene.mark, kind: 'mark' }],
    });
    curves.charts.forEach((chart, i) => chart.describe(`After finetuning, on energies up to y: ${scene.shapes[i]}.`));
  });
  onScene((now) => {
    scene = now;
    drawCurves();
    putAll({ 'phase-y': state.y, 'phase-w': state.w });
  });
  const maps = LAWS.map((_, law) => new Map($('phase'), law));
  const boxes = maps.map(() => $('certificate').appendChild(document.createElement('li')));
  const drawMaps = lazily($('laws'), () => maps.forEach((map, i) => {
    map.draw();
    boxes[i].textContent = map.said(state.y, between(ACROSS, state.w));
  }));
  onChange((changed) => (changed.has('y') || changed.has('w')) && drawMaps());
  whenNear($('laws'), async () => {
    const source = $('phase-source');
    const thread = new Thread();
    try {
      const begun = performance.now();
      const shares = await Promise.all(maps.map(async (map, law) => {
        const answer = await thread.ask('phase', [{ law }]);
        map.show(answer);
        drawMaps();
        return answer.shares;
      }));
      source.dataset.milliseconds = String(performance.now() - begun);
      const open = Math.max(...shares.map(([, undecided]) => undecided));
      source.textContent = `Proved here and now by interval arithmetic, for every real y and w from 0.01 to 100; at most ${(100 * open).toFixed(1)} % of a map is too close to call.`;
    } catch (error) {
      source.textContent = `No certificate: ${error.message}`;
    }
  });
}
