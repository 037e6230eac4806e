// A small chart: axes, lines, bands, points and rules in a coordinate frame. d3 places ticks and draws paths.

import { axisBottom, axisLeft } from 'd3-axis';
import { scaleLinear, scaleLog } from 'd3-scale';
import { select } from 'd3-selection';
import { area, line } from 'd3-shape';
import { attrs, write } from './controls.js';

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
      svg.attr('viewBox', `0 0 ${now} ${height}`);
      const { top, right, bottom, left } = this.m;
      this.frame.attr('x', left - 1).attr('y', top - 1).attr('width', Math.max(0, now - left - right + 2)).attr('height', height - top - bottom + 2);
      this.xLabel.attr('x', now - right).attr('y', height - 4);
      this.xAxis.attr('transform', `translate(0,${height - bottom})`);
      this.yAxis.attr('transform', `translate(${left},0)`);
      if (this.shown) this.draw(this.shown);
    });
  }

  /** The scales of two ranges; the axes are drawn anew only when a range or the width has changed. */
  scales(x, y) {
    const key = [this.width, ...x, ...y].join();
    if (key === this.key) return;
    this.key = key;
    const { width, height, options } = this;
    const { top, right, bottom, left } = this.m;
    this.sx = (options.logX ? scaleLog() : scaleLinear()).domain(x).range([left, width - right]);
    this.sy = scaleLinear().domain(y).range([height - bottom, top]);
    const many = Math.max(2, Math.floor((width - left - right) / 48));
    const below = axisBottom(this.sx).tickSizeOuter(0);
    if (options.logX) {
      const powers = this.sx.ticks().filter((t) => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
      below.tickValues(powers.filter((_, i) => i % Math.ceil(powers.length / many) === 0)).tickFormat(power);
    } else if (options.xTicks) below.tickValues(options.xTicks).tickFormat(String);
    else below.ticks(many);
    this.xAxis.call(below);
    this.yAxis.call(axisLeft(this.sy).ticks(Math.max(3, Math.round(height / 50))).tickSizeOuter(0));
  }

  /**
   * Draws `{ x, y, areas, rules, lines, dots, texts }`: x and y are ranges; an area is { x, low, high, kind } (without low
   * and high: the whole height), a line { x, y, kind }, a dot { x, y, kind }, a rule { x | y, label, kind } and a text
   * { x, y, text, kind }.
   */
  draw(shown) {
    this.shown = shown;
    const { x, y, areas = [], rules = [], lines = [], dots = [], texts = [] } = shown;
    // In steps of about a tenth of the range: an axis that crept along with every move could not be read.
    this.scales(x, scaleLinear().domain(y).nice(12).domain());
    const { width, height, sx, sy } = this;
    const { top, right, bottom, left } = this.m;
    const join = (layer, element, data) => attrs(this.layers[layer].selectAll(element).data(data).join(element), { class: (d) => d.kind ?? '' });
    const finite = (d) => Number.isFinite(d[1]);
    const zip = ({ x, y }) => x.map((v, i) => [v, y[i]]);
    const path = line((d) => sx(d[0]), (d) => sy(d[1])).defined(finite);
    const surface = area((d) => sx(d[0]), (d) => sy(d[1]), (d) => sy(d[2])).defined(finite);
    const whole = (x) => `M${sx(x[0])},${top}H${sx(x[1])}V${height - bottom}H${sx(x[0])}Z`;
    attrs(join('areas', 'path', areas), { d: (d) => (d.low ? surface(d.x.map((v, i) => [v, d.low[i], d.high[i]])) : whole(d.x)) });
    attrs(join('lines', 'path', lines), { d: (d) => path(zip(d)) ?? '' });
    attrs(join('dots', 'circle', dots.filter((d) => Number.isFinite(d.y))), { cx: (d) => sx(d.x), cy: (d) => sy(d.y), r: (d) => d.r ?? 4.5 });
    attrs(join('rules', 'line', rules), {
      x1: (d) => ('x' in d ? sx(d.x) : left),
      x2: (d) => ('x' in d ? sx(d.x) : width - right),
      y1: (d) => ('x' in d ? top : sy(d.y)),
      y2: (d) => ('x' in d ? height - bottom : sy(d.y)),
    });
    const named = rules.filter((d) => d.label).map((d) => ({ x: d.x ?? x[0], y: d.y ?? this.sy.domain()[0], text: d.label, kind: 'note', dx: 3, dy: -5 }));
    write(attrs(join('texts', 'text', [...named, ...texts]), {
      x: (d) => sx(d.x) + (d.dx ?? 0),
      y: (d) => sy(d.y) + (d.dy ?? 0),
      'text-anchor': (d) => d.anchor ?? 'start',
    }), (d) => d.text);
  }

  /** Text for those who do not see the figure. */
  describe(text) {
    this.svg.attr('aria-label', text);
  }
}
