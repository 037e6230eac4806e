// Four small charts, one for each metric of the engine's records, against energy.

import { Chart, extent, padded } from './chart.js';
import { csv, save, standalone } from './controls.js';
import { METRICS } from './opening.js';

export class Curves {
  /** Four charts in a container; `xLabel` names the energy. */
  constructor(container, xLabel) {
    this.charts = METRICS.map(({ name }) => {
      const figure = container.appendChild(document.createElement('figure'));
      figure.appendChild(document.createElement('figcaption')).textContent = name;
      return new Chart(figure, { title: name, xLabel, height: 185 });
    });
  }

  /**
   * Draws curves of all metrics: `layers` is a list of { x, values: [4 lists], kind? } and `bands` of { x, low: [4],
   * high: [4] }.
   */
  draw({ layers, bands = [], rules = [], dot, xRange }) {
    this.charts.forEach((chart, i) => {
      const shown = [...layers.map((l) => l.values[i]), ...bands.flatMap((b) => [b.low[i], b.high[i]])];
      chart.draw({
        x: xRange ?? [0, extent(...layers.map((l) => l.x))[1]],
        y: padded(extent(...shown, i < 2 ? [0] : [])),
        areas: bands.map((b) => ({ x: b.x, low: b.low[i], high: b.high[i], kind: 'band' })),
        lines: layers.map((l) => ({ x: l.x, y: l.values[i], kind: `${METRICS[i].kind} ${l.kind ?? ''}` })),
        dots: dot ? [{ x: dot.x, y: dot.values[i], kind: `${METRICS[i].kind} now` }] : [],
        rules,
      });
      chart.describe(`${METRICS[i].name} against energy.`);
    });
  }

  saveSvg(name, title) {
    save(name, 'image/svg+xml', standalone(title, this.charts.map((c) => ({ svg: c.svg.node(), title: c.options.title })), 2));
  }
}

/** The metrics of records as four lists, each record's `prefix` + metric. */
export function metricsOf(records, prefix = '') {
  return METRICS.map(({ key }) => records.map((r) => r[prefix + key]));
}

const points = (count) => (count === 1 ? '1 point' : `${count} points`);

/** What there is to say about the points of a curve whose flow stopped before its end, or that have no answer, and why
 * the first one did. */
export function early({ records, unfinished, missing, why }) {
  const all = records.length + missing;
  const stopped = unfinished ? ` ${points(unfinished)} of ${all} stopped before the end; the first: ${records.find((r) => r.error).error}.` : '';
  return stopped + (missing ? ` ${points(missing)} of ${all} ${missing === 1 ? 'has' : 'have'} no answer; the first: ${why}.` : '');
}

/** Records as a CSV file with every column that holds something. */
export function saveRecords(name, records) {
  const columns = Object.keys(records[0]).filter((key) => records.some((r) => typeof r[key] === 'number' ? Number.isFinite(r[key]) || r[key] === Infinity : r[key] !== ''));
  save(name, 'text/csv', csv(Object.fromEntries(columns.map((key) => [key, records.map((r) => (r[key] === Infinity ? 'inf' : r[key]))]))));
}
