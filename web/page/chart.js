// A small chart: axes, lines, bands, points and rules in a coordinate frame. d3 places ticks and draws paths.

import { axisBottom, axisLeft } from 'd3-axis';
import { select } from 'd3-selection';
import { area, line, nice, scaleLinear, scaleLog } from './scale.js';
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

/** How much larger than usual the reader wants text. Figures are drawn in units of it: lines, points and gaps grow with
 * it. */
const unit = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 17;
document.documentElement.style.setProperty('--unit', Math.max(1, unit()));

const updates = [];

/** Redraws what a container holds when its width changes; `draw(width)` is called at once, too, with the width in
 * units. */
export function fitted(parent, fallback, draw) {
  let width = 0;
  const update = () => {
    const now = Math.round(parent.clientWidth / unit()) || fallback;
    if (now === width) return;
    width = now;
    draw(now);
  };
  updates.push(update);
  new ResizeObserver(update).observe(parent);
  update();
}

/** Fits every figure to its place now: before a page is printed nobody waits for observers. */
export function fitAll() {
  for (const update of updates) update();
}

/** Height of the window in units. */
export const windowHeight = () => innerHeight / unit();

/** The font of the figures. */
const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif';

const pen = document.createElement('canvas').getContext('2d');
const widths = new Map();

/** The width of a text of a size in pixels, without asking the browser for a layout. */
export function textWidth(text, size, weight = 400) {
  const key = `${size} ${weight} ${text}`;
  if (!widths.has(key)) {
    pen.font = `${weight} ${size}px ${FONT}`;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
/** A power of ten as text. */
function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(exponent) <= 1) return String(10 ** exponent);
  return `10${exponent < 0 ? '⁻' : ''}${[...String(Math.abs(exponent))].map((d) => SUPERSCRIPTS[d]).join('')}`;
}

/** Whether a curve through places (x, y) goes through a box [left, top, right, bottom]. */
function meets(x, y, [left, top, right, bottom]) {
  return x.some((x1, i) => {
    const [x0, y0, y1] = [x[i - 1], y[i - 1], y[i]];
    if (i === 0 || !Number.isFinite(y0 + y1)) return false;
    const [a, b] = [Math.max(left, Math.min(x0, x1)), Math.min(right, Math.max(x0, x1))];
    if (a > b) return false;
    const at = (place) => (x1 === x0 ? y1 : y0 + ((y1 - y0) * (place - x0)) / (x1 - x0));
    return Math.max(at(a), at(b)) > top && Math.min(at(a), at(b)) < bottom;
  });
}

export class Chart {
  /** `options`: width (while the container has none), height, xLabel, yLabel, logX, xTicks, title, margin. */
  constructor(parent, options) {
    const { width = 300, height = 190, title } = options;
    this.options = options;
    this.id = `chart${++count}`;
    const svg = (this.svg = select(parent).append('svg'));
    svg.attr('class', 'chart').attr('role', 'img').attr('aria-label', title);
    this.frame = svg.append('clipPath').attr('id', this.id).append('rect');
    this.xAxis = svg.append('g').attr('class', 'axis');
    this.yAxis = svg.append('g').attr('class', 'axis');
    this.xLabel = svg.append('text').attr('class', 'label').attr('text-anchor', 'end');
    this.yLabel = svg.append('text').attr('class', 'label').attr('x', 4);
    // A point at an end of its curve is drawn whole.
    this.around = svg.append('clipPath').attr('id', `${this.id}-dots`).append('rect');
    const group = (clip) => svg.append('g').attr('clip-path', `url(#${clip})`);
    this.inside = group(this.id);
    this.layers = Object.fromEntries(['areas', 'rules', 'lines'].map((name) => [name, this.inside.append('g')]));
    this.layers.dots = group(`${this.id}-dots`);
    this.layers.texts = group(this.id);
    fitted(parent, width, (now) => {
      this.width = now;
      this.height = height;
      this.key = '';
      svg.attr('viewBox', `0 0 ${now} ${this.height}`);
      if (this.shown) this.draw(this.shown);
    });
  }

  /** The place that the axes leave: as wide as their numbers need. */
  frameFor(x, y) {
    const { options, width, height } = this;
    const size = 11;
    const [top, bottom] = [options.yLabel ? 24 : 10, options.margin?.bottom ?? 42];
    const yTicks = Math.max(3, Math.round(options.height / 50 || 4));
    const widest = (scale, count) => Math.max(...scale.ticks(count).map((v) => textWidth(scale.tickFormat(count)(v), size)));
    const left = Math.ceil(Math.max(38, widest(scaleLinear().domain(y), yTicks) + 14));
    const sx = (options.logX ? scaleLog() : scaleLinear()).domain(x);
    let [many, ticks, labels] = [0, [], []];
    if (options.logX) {
      const [first, last] = [Math.ceil(Math.log10(x[0]) - 1e-9), Math.floor(Math.log10(x[1]) + 1e-9)];
      const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
      many = Math.max(2, Math.floor((width - left) / 48));
      ticks = powers.filter((_, i) => i % Math.ceil(powers.length / many) === 0);
      labels = ticks.map(power);
    } else if (options.xTicks) [ticks, labels] = [options.xTicks, options.xTicks.map(String)];
    else {
      // As many numbers as have room beside each other.
      for (many = Math.max(2, Math.floor((width - left) / 48)); ; many--) {
        const format = sx.tickFormat(many);
        ticks = sx.ticks(many);
        labels = ticks.map(format);
        const room = (width - left - 14) / Math.max(1, ticks.length);
        if (many <= 1 || Math.max(...labels.map((l) => textWidth(l, size))) + 8 < room) break;
      }
    }
    const right = Math.ceil(Math.max(14, textWidth(labels[labels.length - 1] ?? '', size) / 2 + 2));
    this.m = { top, bottom, left, right };
    return { sx: sx.range([left, width - right]), sy: scaleLinear().domain(y).range([height - bottom, top]), ticks, labels, yTicks };
  }

  /** The scales of two ranges; the axes are drawn anew only when a range or the width has changed. */
  scales(x, y) {
    const key = [this.width, ...x, ...y].join();
    if (key === this.key) return;
    this.key = key;
    const { width, height } = this;
    const { sx, sy, ticks, labels, yTicks } = this.frameFor(x, y);
    const { top, right, bottom, left } = this.m;
    [this.sx, this.sy] = [sx, sy];
    for (const [frame, room] of [[this.frame, 1], [this.around, 8]]) {
      frame.attr('x', left - room).attr('y', top - room).attr('width', Math.max(0, width - left - right + 2 * room)).attr('height', height - top - bottom + 2 * room);
    }
    this.xLabel.attr('x', width - right).attr('y', height - 4).text(this.options.xLabel);
    this.yLabel.attr('y', 13).text(this.options.yLabel ?? '');
    this.xAxis.attr('transform', `translate(0,${height - bottom})`).call(axisBottom(sx).tickSizeOuter(0).tickPadding(6).tickValues(ticks).tickFormat((_, i) => labels[i]));
    this.yAxis.attr('transform', `translate(${left},0)`).call(axisLeft(sy).ticks(yTicks).tickSizeOuter(0));
  }

  /**
   * Draws `{ x, y, areas, rules, lines, dots, texts }`: x and y are ranges; an area is { x, low, high, kind } (without
   * low and high: the whole height), a line { x, y, kind }, a dot { x, y, kind }, a rule { x | y, label, kind } and a
   * text { x, y, text, kind }.
   */
  draw(shown) {
    this.shown = shown;
    const { x, y, areas = [], rules = [], lines = [], dots = [], texts = [] } = shown;
    // In steps of about a tenth of the range: an axis that crept along with every move could not be read.
    this.scales(x, nice(y, 12));
    const { width, height, sx, sy } = this;
    const { top, right, bottom, left } = this.m;
    const join = (layer, element, data) => attrs(this.layers[layer].selectAll(element).data(data).join(element), { class: (d) => d.kind ?? '' });
    const finite = (d) => Number.isFinite(d[1]);
    const zip = ({ x, y }) => x.map((v, i) => [v, y[i]]);
    const path = line((d) => sx(d[0]), (d) => sy(d[1]), finite);
    const surface = area((d) => sx(d[0]), (d) => sy(d[1]), (d) => sy(d[2]), finite);
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
    // The name of a rule: on the side that has more room, at the foot or at the head, where no line or point is.
    const sides = (at) => (sx(at) > (left + width - right) / 2 ? ['end', 'start'] : ['start', 'end']);
    const [foot, head] = [[sy.domain()[0], -5], [sy.domain()[1], 12]];
    const ways = rules.some((d) => d.label) ? lines.map((l) => [l.x.map(sx), l.y.map(sy)]) : [];
    const name = (d) => {
      const at = d.x ?? x[0];
      const wide = textWidth(d.label, 12) + 3;
      const places = ('x' in d ? [foot, head] : [[d.y, -5], [d.y, 14]]).flatMap(([y, dy]) => sides(at).map((anchor) => ({ x: at, y, dx: anchor === 'end' ? -3 : 3, dy, anchor })));
      const free = (place) => {
        const [end, base] = [sx(at) + place.dx, sy(place.y) + place.dy];
        const [from, to] = place.anchor === 'end' ? [end - wide, end] : [end, end + wide];
        return from > left && to < width - right && !ways.some((way) => meets(...way, [from, base - 12, to, base + 3]))
          && !dots.some((dot) => sx(dot.x) > from - 6 && sx(dot.x) < to + 6 && sy(dot.y) > base - 18 && sy(dot.y) < base + 9);
      };
      return { ...(places.find(free) ?? places[0]), text: d.label, kind: 'note' };
    };
    const named = rules.filter((d) => d.label).map(name);
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
