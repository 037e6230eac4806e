// A small chart: axes, lines, bands, points and rules in a coordinate frame. d3 places ticks and draws paths.

import { axisBottom, axisLeft } from 'd3-axis';
import { scaleLinear, scaleLog } from 'd3-scale';
import { select } from 'd3-selection';
import { area, line } from 'd3-shape';

let count = 0;

/** Lowest and highest finite number of several lists. */
export function extent(...lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const v of list) {
      if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A range with air around it; a range of no width gets some. */
export function padded([low, high], share = 0.08) {
  const room = (high - low) * share || Math.abs(high) * share || 0.1;
  return [low - room, high + room];
}

/** Redraws what a container holds when its width changes; `draw(width)` is called at once, too. */
export function fitted(parent, fallback, draw) {
  let width = 0;
  const update = () => {
    const now = Math.round(parent.clientWidth) || fallback;
    if (now === width) return;
    width = now;
    draw(now);
  };
  new ResizeObserver(update).observe(parent);
  update();
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
/** A power of ten as text. */
function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(exponent) <= 1) return String(10 ** exponent);
  return `10${exponent < 0 ? '⁻' : ''}${[...String(Math.abs(exponent))].map((d) => SUPERSCRIPTS[d]).join('')}`;
}

export class Chart {
  /** `options`: width (while the container has none), height, xLabel, yLabel, logX, xTicks, title, margin. */
  constructor(parent, options) {
    const { width = 300, height = 190, xLabel, yLabel, title, margin = {} } = options;
    this.options = options;
    this.m = { top: yLabel ? 24 : 10, right: 14, bottom: 38, left: 38, ...margin };
    this.height = height;
    this.id = `chart${++count}`;
    const svg = (this.svg = select(parent).append('svg'));
    svg.attr('class', 'chart').attr('role', 'img').attr('aria-label', title);
    this.frame = svg.append('clipPath').attr('id', this.id).append('rect');
    this.xAxis = svg.append('g').attr('class', 'axis');
    this.yAxis = svg.append('g').attr('class', 'axis');
    this.xLabel = svg.append('text').attr('class', 'label').attr('text-anchor', 'end').text(xLabel);
    svg.append('text').attr('class', 'label').attr('x', 4).attr('y', 13).text(yLabel ?? '');
    this.inside = svg.append('g').attr('clip-path', `url(#${this.id})`);
    this.layers = Object.fromEntries(['areas', 'rules', 'lines', 'dots', 'texts'].map((name) => [name, this.inside.append('g')]));
    fitted(parent, width, (now) => {
      this.width = now;
      if (this.shown) this.draw(this.shown);
    });
  }

  /**
   * Draws `{ x, y, areas, rules, lines, dots, texts }`: x and y are ranges; an area is { x, low, high, kind }, a line
   * { x, y, kind }, a dot { x, y, kind }, a rule { x | y, label, kind } and a text { x, y, text, kind }.
   */
  draw(shown) {
    this.shown = shown;
    const { x, y, areas = [], rules = [], lines = [], dots = [], texts = [] } = shown;
    const { width, height } = this;
    const { top, right, bottom, left } = this.m;
    this.svg.attr('viewBox', `0 0 ${width} ${height}`);
    this.frame.attr('x', left - 1).attr('y', top - 1).attr('width', Math.max(0, width - left - right + 2)).attr('height', height - top - bottom + 2);
    this.xLabel.attr('x', width - right).attr('y', height - 4);
    const sx = (this.options.logX ? scaleLog() : scaleLinear()).domain(x).range([left, width - right]);
    const sy = scaleLinear().domain(y).range([height - bottom, top]);
    const many = Math.max(2, Math.floor((width - left - right) / 48));
    const below = axisBottom(sx).tickSizeOuter(0);
    if (this.options.logX) {
      const powers = sx.ticks().filter((t) => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
      below.tickValues(powers.filter((_, i) => i % Math.ceil(powers.length / many) === 0)).tickFormat(power);
    } else if (this.options.xTicks) below.tickValues(this.options.xTicks).tickFormat(String);
    else below.ticks(many);
    this.xAxis.attr('transform', `translate(0,${height - bottom})`).call(below);
    this.yAxis.attr('transform', `translate(${left},0)`).call(axisLeft(sy).ticks(Math.max(3, Math.round(height / 50))).tickSizeOuter(0));
    const join = (layer, element, data) => this.layers[layer].selectAll(element).data(data).join(element).attr('class', (d) => d.kind ?? '');
    const finite = (d) => Number.isFinite(d[1]);
    const zip = ({ x, y }) => x.map((v, i) => [v, y[i]]);
    const path = line((d) => sx(d[0]), (d) => sy(d[1])).defined(finite);
    const surface = area((d) => sx(d[0]), (d) => sy(d[1]), (d) => sy(d[2])).defined(finite);
    join('areas', 'path', areas).attr('d', (d) => surface(d.x.map((v, i) => [v, d.low[i], d.high[i]])));
    join('lines', 'path', lines).attr('d', (d) => path(zip(d)));
    join('dots', 'circle', dots).attr('cx', (d) => sx(d.x)).attr('cy', (d) => sy(d.y)).attr('r', (d) => d.r ?? 4.5);
    join('rules', 'line', rules)
      .attr('x1', (d) => ('x' in d ? sx(d.x) : left))
      .attr('x2', (d) => ('x' in d ? sx(d.x) : width - right))
      .attr('y1', (d) => ('x' in d ? top : sy(d.y)))
      .attr('y2', (d) => ('x' in d ? height - bottom : sy(d.y)));
    const named = rules.filter((d) => d.label).map((d) => ({ x: d.x ?? x[0], y: d.y ?? y[0], text: d.label, kind: 'note', dx: 3, dy: -5 }));
    join('texts', 'text', [...named, ...texts])
      .attr('x', (d) => sx(d.x) + (d.dx ?? 0)).attr('y', (d) => sy(d.y) + (d.dy ?? 0))
      .attr('text-anchor', (d) => d.anchor ?? 'start').text((d) => d.text);
  }

  /** Text for those who do not see the figure. */
  describe(text) {
    this.svg.attr('aria-label', text);
  }
}
