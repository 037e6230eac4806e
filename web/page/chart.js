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

export class Chart {
  /** `options`: width, height, xLabel, yLabel, logX, title, margin, ticks. */
  constructor(parent, options) {
    const { width = 300, height = 190, xLabel, yLabel, title, margin = {} } = options;
    this.options = options;
    this.m = { top: 10, right: 12, bottom: 36, left: 44, ...margin };
    this.width = width;
    this.height = height;
    this.id = `chart${++count}`;
    const svg = (this.svg = select(parent).append('svg'));
    svg.attr('viewBox', `0 0 ${width} ${height}`).attr('class', 'chart').attr('role', 'img').attr('aria-label', title);
    const { top, right, bottom, left } = this.m;
    const frame = svg.append('clipPath').attr('id', this.id).append('rect');
    frame.attr('x', left - 1).attr('y', top - 1).attr('width', width - left - right + 2).attr('height', height - top - bottom + 2);
    this.xAxis = svg.append('g').attr('class', 'axis').attr('transform', `translate(0,${height - bottom})`);
    this.yAxis = svg.append('g').attr('class', 'axis').attr('transform', `translate(${left},0)`);
    this.xLabel = svg.append('text').attr('class', 'label').attr('text-anchor', 'end');
    this.xLabel.attr('x', width - right).attr('y', height - 4).text(xLabel);
    svg.append('text').attr('class', 'label').attr('x', 4).attr('y', top - 1).text(yLabel ?? '');
    this.inside = svg.append('g').attr('clip-path', `url(#${this.id})`);
    this.layers = Object.fromEntries(['areas', 'rules', 'lines', 'dots', 'texts'].map((name) => [name, this.inside.append('g')]));
  }

  /**
   * Draws `{ x, y, areas, rules, lines, dots, texts }`: x and y are ranges; an area is { x, low, high, kind }, a line
   * { x, y, kind }, a dot { x, y, kind }, a rule { x | y, label, kind } and a text { x, y, text, kind }.
   */
  draw({ x, y, areas = [], rules = [], lines = [], dots = [], texts = [] }) {
    const { top, right, bottom, left } = this.m;
    const sx = (this.options.logX ? scaleLog() : scaleLinear()).domain(x).range([left, this.width - right]);
    const sy = scaleLinear().domain(y).range([this.height - bottom, top]);
    Object.assign(this, { sx, sy });
    const ticks = this.options.ticks ?? Math.max(3, Math.round(this.width / 80));
    this.xAxis.call(axisBottom(sx).ticks(ticks, this.options.logX ? '.1~g' : undefined).tickSizeOuter(0));
    this.yAxis.call(axisLeft(sy).ticks(Math.max(3, Math.round(this.height / 50))).tickSizeOuter(0));
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
      .attr('x2', (d) => ('x' in d ? sx(d.x) : this.width - right))
      .attr('y1', (d) => ('x' in d ? top : sy(d.y)))
      .attr('y2', (d) => ('x' in d ? this.height - bottom : sy(d.y)));
    const named = rules.filter((d) => d.label).map((d) => ({ x: d.x ?? x[0], y: d.y ?? y[1], text: d.label, kind: 'note', dx: 3, dy: 'x' in d ? 9 : -3 }));
    join('texts', 'text', [...named, ...texts])
      .attr('x', (d) => sx(d.x) + (d.dx ?? 0)).attr('y', (d) => sy(d.y) + (d.dy ?? 0))
      .attr('text-anchor', (d) => d.anchor ?? 'start').text((d) => d.text);
  }

  /** Text for those who do not see the figure. */
  describe(text) {
    this.svg.attr('aria-label', text);
  }
}
