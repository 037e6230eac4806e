// The finetunings of real networks that the page shows: `node replays.js` runs them with ../target/release/taskhead (or
// the command that TASKHEAD names), which has to be built with its feature `replay`, and writes page/networks.csv.
// `--check` runs the first seed of the first one and compares.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TASKHEAD = process.env.TASKHEAD ?? fileURLToPath(new URL('../target/release/taskhead', import.meta.url));
const STORED = new URL('page/networks.csv', import.meta.url);

/** Name, flags, and the variants that the first replay has already. */
const REPLAYS = [
  ['digits', ['digits']],
  ['cnn', ['digits-cnn']],
  ['smoothing', ['digits', '--experiment', 'smoothing'], 'ε = 0'],
  ['head', ['digits', '--experiment', 'head'], 'digits mlp'],
  ['partial', ['digits', '--experiment', 'partial'], 'digits mlp'],
  ['scale', ['digits', '--experiment', 'scale'], 'scale 1'],
  ['rate', ['digits', '--experiment', 'rate'], 'γ = 1'],
  ['theory', ['digits', '--samples', '40', '--batch', '0', '--rate', '0.001', '--times', '50', '--theory', 'mean,full']],
];
const NUMBERS = ['aie', 'euclidean', 'cosine', 'dot', 'norm', 'held_out_accuracy'];
const COLUMNS = ['replay', 'variant', 'seed', 'point', ...NUMBERS];

/** The rows of a table, one object each; a field with a comma is in quotes. */
export function table(text) {
  const [head, ...rows] = text.split('\n').filter((line) => line && !line.startsWith('#'))
    .map((line) => [...line.matchAll(/("[^"]*"|[^,]*)(?:,|$)/g)].map(([, field]) => field.replace(/^"|"$/g, '')));
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}

/** What varies within a replay, in the words of the command. */
function variant(name, row) {
  if (name === 'smoothing') return `ε = ${Number(row.smoothing)}`;
  if (name === 'scale') return `scale ${Number(row.head_scale)}`;
  if (name === 'rate') return `γ = ${Number(row.head_rate)}`;
  return row.problem;
}

/** The rows of a replay at its last time. */
function replay(folder, name, flags) {
  const out = join(folder, name);
  execFileSync(TASKHEAD, ['replay', ...flags, '--out', out, '--cache', join(folder, 'backbones'), '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const files = flags.includes('--theory') ? [`${out}.csv`, `${out}.theory.csv`] : [`${out}.csv`];
  const rows = files.flatMap((file) => table(readFileSync(file, 'utf8')));
  const last = Math.max(...rows.map((row) => Number(row.time)));
  const short = (text) => (text === '' ? '' : String(Number(Number(text).toPrecision(5))));
  return rows.filter((row) => Number(row.time) === last)
    .map((row) => ({ replay: name, variant: variant(name, row), seed: row.seed, point: row.point, ...Object.fromEntries(NUMBERS.map((n) => [n, short(row[n])])) }));
}

function main(check) {
  const folder = mkdtempSync(join(tmpdir(), 'taskhead-replays-'));
  try {
    if (check) {
      const [name, flags] = REPLAYS[0];
      const stored = table(readFileSync(STORED, 'utf8')).filter((row) => row.replay === name && row.seed === '0');
      const fresh = replay(folder, name, [...flags, '--seeds', '1']);
      if (fresh.length !== stored.length) throw new Error(`${fresh.length} points, ${stored.length} of them stored`);
      fresh.forEach((row, i) => NUMBERS.forEach((column) => {
        // Other processors round otherwise, and a hundred epochs make more of it.
        const [now, then] = [Number(row[column]), Number(stored[i][column])];
        if (!(Math.abs(now - then) <= 0.02 * Math.abs(then))) throw new Error(`point ${i}: ${column} is ${now}, and ${then} is stored; run node web/replays.js`);
      }));
      console.log(`page/networks.csv: ${fresh.length} points are those of taskhead replay ${flags.join(' ')}`);
      return;
    }
    const rows = REPLAYS.flatMap(([name, flags, known]) => replay(folder, name, flags).filter((row) => row.variant !== known));
    const field = (text) => (text.includes(',') ? `"${text}"` : text);
    const head = REPLAYS.map(([name, flags]) => `# ${name}: taskhead replay ${flags.join(' ')}`);
    writeFileSync(STORED, [...head, COLUMNS.join(','), ...rows.map((row) => COLUMNS.map((c) => field(row[c])).join(','))].join('\n') + '\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2] === '--check');
