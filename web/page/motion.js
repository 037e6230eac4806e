// Chapter 2: kernel × direction × energy, on two samples and an input that is not trained on.

import { select } from 'd3-selection';
import { Chart, fitted, padded, textWidth } from './chart.js';
import { attrs, logTime, show, slider, still } from './controls.js';
import { engine } from './engine.js';
import { line, scaleLinear } from './scale.js';
import { onChange, state } from './state.js';

const KEYS = ['kernel', 'angle', 'length', 'ftau'];
const NAMES = ['A', 'B', 'C'];
/** What the plane shows at least, and how many times as much if need be. */
const X = [-1.5, 2.1];
const Y = [-0.7, 1.7];
const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const $ = (id) => document.getElementById(id);

export function motion() {
  const svg = select($('forces')).append('svg').attr('class', 'plane').attr('role', 'img');
  const defs = svg.append('defs');
  for (const kind of ['a', 'b', 'head', 'old']) {
    const tip = defs.append('marker').attr('id', `pull-${kind}`).attr('class', `pull-${kind}`);
    tip.attr('viewBox', '0 0 10 10').attr('refX', 9).attr('refY', 5).attr('markerWidth', 8).attr('markerHeight', 8);
    tip.attr('markerUnits', 'userSpaceOnUse').attr('orient', 'auto').append('path').attr('d', 'M0,0.5L10,5L0,9.5z');
  }
  const sx = scaleLinear();
  const sy = scaleLinear();
  const axes = svg.append('g');
  const ways = svg.append('g');
  const layer = svg.append('g');
  const bars = new Chart($('residuals'), { title: 'Residuals', xLabel: '', yLabel: 'residual r of A and B', width: 400, height: 266, margin: { bottom: 12 } });
  bars.xAxis.attr('display', 'none');
  slider($('kernel'), 'kernel');
  slider($('angle'), 'angle', { text: (v) => `${Math.round(v)}°` });
  slider($('length'), 'length');
  logTime($('ftau'), 'ftau', 1e-2, 1e2);

  let playing = null;
  let answer;
  const draw = () => {
    if (!playing) answer = engine.forces({ kernel: state.kernel, angle: (state.angle * Math.PI) / 180, length: state.length, time: state.ftau });
    const { features, ends, paths, head, head_path: turning, pulls, residuals } = answer;
    const last = paths[0].length - 1;
    const now = Math.round((playing?.share ?? 1) * last);
    // Pulls are velocities: drawn as the way of one unit of time, so that lengths can be compared.
    const arrows = features.flatMap((z, i) => {
      const [a, b] = pulls[i];
      return [{ from: z, by: a, kind: 'a', shift: -3 }, { from: z, by: b, kind: 'b', shift: 3 }];
    });
    // As large as it can be with every tip in sight, in a few steps, so that the scale rarely changes.
    const tips = [head, ...ends, ...paths.flat(), ...arrows.map(({ from, by }) => [from[0] + by[0], from[1] + by[1]])];
    const inside = (zoom) => tips.every(([x, y]) => X[0] * zoom < x && x < X[1] * zoom && Y[0] * zoom < y && y < Y[1] * zoom);
    const zoom = ZOOMS.find(inside) ?? ZOOMS[ZOOMS.length - 1];
    sx.domain(X.map((v) => v * zoom));
    sy.domain(Y.map((v) => v * zoom));
    axes.selectAll('line').data([[sx.domain()[0], 0, sx.domain()[1], 0], [0, sy.domain()[0], 0, sy.domain()[1]]]).join('line').attr('class', 'zero')
      .attr('x1', (d) => sx(d[0])).attr('y1', (d) => sy(d[1])).attr('x2', (d) => sx(d[2])).attr('y2', (d) => sy(d[3]));
    const size = ([x, y]) => Math.hypot(x, y) * Math.abs(sx(1) - sx(0));
    const normal = Math.hypot(...head) || 1;
    const [nx, ny] = [head[1] / normal, head[0] / normal];
    const lines = [
      { x1: 0, y1: 0, x2: (playing ? turning[now] : head)[0], y2: (playing ? turning[now] : head)[1], kind: 'arrow head', tip: size(head) > 9 && 'head' },
      ...arrows.map(({ from, by, kind, shift }) => ({ x1: from[0], y1: from[1], x2: from[0] + by[0], y2: from[1] + by[1], dx: shift * nx, dy: shift * ny, kind: `pull-${kind}`, tip: size(by) > 9 && kind })),
    ];
    layer.selectAll('line').data(lines).join('line').attr('class', (d) => d.kind)
      .attr('x1', (d) => sx(d.x1) + (d.dx ?? 0)).attr('y1', (d) => sy(d.y1) + (d.dy ?? 0))
      .attr('x2', (d) => sx(d.x2) + (d.dx ?? 0)).attr('y2', (d) => sy(d.y2) + (d.dy ?? 0))
      .attr('marker-end', (d) => (d.tip ? `url(#pull-${d.tip})` : null));
    const way = line((p) => sx(p[0]), (p) => sy(p[1]));
    attrs(ways.selectAll('path').data(paths).join('path'), { class: 'way', d: (d) => way(d.slice(0, now + 1)) });
    const dots = [...features.map((z, i) => ({ z, kind: `input ${NAMES[i].toLowerCase()}` })), ...paths.map((path) => ({ z: path[now], kind: 'input end' }))];
    layer.selectAll('circle').data(dots).join('circle').attr('class', (d) => d.kind).attr('r', (d) => (d.kind === 'input end' ? 3.5 : 6)).attr('cx', (d) => sx(d.z[0])).attr('cy', (d) => sy(d.z[1]));
    const names = features.map((z, i) => ({ z, text: NAMES[i], dx: 9, dy: 17, kind: 'name' }));
    const [large, small] = [17, 12];
    const box = ({ z, text, dx, dy, anchor }, size) => {
      const [wide, x, y] = [textWidth(text, size, 600), sx(z[0]) + dx, sy(z[1]) + dy];
      return { left: anchor ? x - wide : x, right: anchor ? x : x + wide, top: y - size, bottom: y + 0.3 * size };
    };
    const taken = names.map((name) => box(name, large));
    // The first place beside the head's tip that no name has taken.
    const places = [[6, -6], [-6, -6], [6, 18], [-6, 18], [6, -24], [-6, -24]].map(([dx, dy]) => ({ z: head, text: 'head', dx, dy, anchor: dx < 0 ? 'end' : undefined, kind: 'note head' }));
    const free = (place) => {
      const b = box(place, small);
      return b.left > 0 && b.right < sx(X[1] * zoom) && taken.every((t) => b.right < t.left || t.right < b.left || b.bottom < t.top || t.bottom < b.top);
    };
    const texts = [...names, places.find(free) ?? places[0]];
    layer.selectAll('text').data(texts).join('text').attr('class', (d) => d.kind).attr('x', (d) => sx(d.z[0]) + d.dx).attr('y', (d) => sy(d.z[1]) + d.dy).attr('text-anchor', (d) => d.anchor ?? 'start').text((d) => d.text);
    bars.draw({
      x: [0.4, 2.6],
      y: padded([Math.min(0, ...residuals), Math.max(0.2, ...residuals)], 0.12),
      areas: residuals.map((r, i) => ({ x: [i + 0.7, i + 1.3], low: [0, 0], high: [r, r], kind: `residual-${'ab'[i]}` })),
      rules: [{ y: 0, kind: 'floor' }],
      texts: residuals.map((r, i) => ({ x: i + 1, y: Math.max(r, 0), dy: -6, anchor: 'middle', text: `${NAMES[i]}  ${show(r)}` })),
    });
    const moved = answer.moved.map(show);
    const sentence = `κ(A, B) = ${show(state.kernel)}; residuals ${residuals.map(show).join(' and ')}, energy ${show(answer.energy)}. By the end A has moved by ${moved[0]}, B by ${moved[1]} and C, which was never trained on, by ${moved[2]}.`;
    $('motion-said').textContent = sentence;
    svg.attr('aria-label', `Features A, B and C in the plane with the pulls on each. ${sentence}`);
    bars.describe(`Residuals of A and B: ${residuals.map(show).join(' and ')}.`);
  };
  const stop = () => {
    cancelAnimationFrame(playing?.frame);
    playing = null;
    $('motion-play').textContent = 'Play finetuning';
  };
  $('motion-play').addEventListener('click', () => {
    if (playing) {
      stop();
      return draw();
    }
    if (still()) return;
    const begun = performance.now();
    const frame = (now) => {
      playing.share = Math.max(0, now - begun) / 3000;
      if (playing.share >= 1) stop();
      else playing.frame = requestAnimationFrame(frame);
      draw();
    };
    draw();
    playing = { share: 0, frame: requestAnimationFrame(frame) };
    $('motion-play').textContent = 'Stop';
  });
  onChange((changed) => {
    if (!KEYS.some((key) => changed.has(key))) return;
    stop();
    draw();
  });
  fitted($('forces'), 600, (width) => {
    const height = Math.round((width * 2) / 3);
    svg.attr('viewBox', `0 0 ${width} ${height}`);
    sx.range([0, width]);
    sy.range([height, 0]);
    draw();
  });
}
