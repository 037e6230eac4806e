// Scales of charts, from numbers to places and back, and paths through points: the little of d3-scale and d3-shape that
// the page needs.

/** Ticks are this many times 1, 2 or 5 powers of ten apart, as d3 has it; below one its inverse, negative, so that
 * ticks stay exact. */
function increment(low, high, count) {
  const step = (high - low) / Math.max(1e-9, count);
  const power = Math.floor(Math.log10(step));
  const error = step / 10 ** power;
  const factor = error >= Math.sqrt(50) ? 10 : error >= Math.sqrt(10) ? 5 : error >= Math.sqrt(2) ? 2 : 1;
  return power < 0 ? -(10 ** -power) / factor : 10 ** power * factor;
}

/** Round numbers from low to high, about so many. */
function ticks(low, high, count) {
  if (!(low < high)) return [low];
  const by = increment(low, high, count);
  const [times, over] = by < 0 ? [1, -by] : [by, 1];
  const [first, last] = [Math.ceil((low * over) / times - 1e-9), Math.floor((high * over) / times + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ((first + i) * times) / over);
}

/** A range widened to round numbers. */
export function nice([low, high], count) {
  let before = 0;
  for (let i = 0; i < 10 && low < high; i++) {
    const by = increment(low, high, count);
    if (by === before) break;
    const round = (way, v) => (by > 0 ? way(v / by) * by : way(v * -by) / -by);
    [low, high, before] = [round(Math.floor, low), round(Math.ceil, high), by];
  }
  return [low, high];
}

const formats = [];
/** How numbers with so many decimals are written; to make one takes as long as to use it a hundred times. */
const plain = (digits) => (formats[digits] ??= new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }));

function scale(to, from) {
  let [domain, range, clamped] = [[0, 1], [0, 1], false];
  // Ends of the domain as `to` sees them: a curve asks for hundreds of places.
  let [a, b] = domain.map(to);
  const place = (value) => {
    const share = (to(value) - a) / (b - a || 1);
    return range[0] + (clamped ? Math.max(0, Math.min(1, share)) : share) * (range[1] - range[0]);
  };
  const access = (read, write) => (value) => (value === undefined ? read() : (write(value), place));
  return Object.assign(place, {
    domain: access(() => domain, (v) => ([a, b] = (domain = v.map(Number)).map(to))),
    range: access(() => range, (v) => (range = v.map(Number))),
    clamp: access(() => clamped, (v) => (clamped = v)),
    copy: () => scale(to, from).domain(domain).range(range).clamp(clamped),
    invert(at) {
      const share = (at - range[0]) / (range[1] - range[0]);
      return from(a + (clamped ? Math.max(0, Math.min(1, share)) : share) * (b - a));
    },
    ticks: (count = 10) => ticks(...domain, count),
    tickFormat(count = 10) {
      const by = increment(...domain, count);
      const digits = by < 0 ? Math.ceil(Math.log10(-by) - 1e-9) : 0;
      const most = Math.max(...domain.map(Math.abs));
      // What would take many digits is written in powers of ten, with as many as tell two ticks apart.
      if (digits > 4 || most >= 1e6) {
        const step = by < 0 ? -1 / by : by;
        const shown = Math.max(0, Math.floor(Math.log10(most) + 1e-9) - Math.floor(Math.log10(step) + 1e-9));
        return (v) => (v === 0 ? '0' : v.toExponential(Math.min(3, shown)).replace(/\.?0*e/, 'e').replace('e+', 'e').replaceAll('-', '−'));
      }
      return (v) => plain(digits).format(v).replace('-', '−');
    },
  });
}

export const scaleLinear = () => scale((v) => v, (v) => v);
export const scaleLog = () => scale(Math.log, Math.exp);

/** The runs of a list for which `defined` holds. */
function runs(points, defined) {
  const all = [[]];
  for (const point of points) {
    if (defined(point)) all[all.length - 1].push(point);
    else all.push([]);
  }
  return all.filter((run) => run.length > 0);
}

/** A place in a path: thousandths of a pixel are enough, and short for the browser to read. */
const at = (x, y) => `${Math.round(1e3 * x) / 1e3},${Math.round(1e3 * y) / 1e3}`;

/** The path of a line through points, broken where one is not defined. */
export const line = (x = (d) => d[0], y = (d) => d[1], defined = () => true) => (points) =>
  runs(points, defined).map((run) => `M${run.map((d) => at(x(d), y(d))).join('L')}${run.length === 1 ? 'Z' : ''}`).join('');

/** The path of the surface between two lines. */
export const area = (x, low, high, defined = () => true) => (points) =>
  runs(points, defined).map((run) => {
    const along = (y, list) => list.map((d) => at(x(d), y(d)));
    return `M${[...along(high, run), ...along(low, [...run].reverse())].join('L')}Z`;
  }).join('');
