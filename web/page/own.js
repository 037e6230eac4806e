// A head of your own: a dropped problem file, its curves over 24 energies, and files to save.

import { Curves, early, metricsOf, saveRecords } from './curves.js';
import { show } from './controls.js';
import { Stopped, Thread, arrays } from './engine.js';
import { pending } from './state.js';
import { Waiting } from './waiting.js';

/** Larger files would take the solver too long here. */
const MAX_BYTES = 20_000_000;
/** Energies of a curve. */
const POINTS = 24;
const $ = (id) => document.getElementById(id);

export function own() {
  const curves = new Curves($('own-curves'), 'energy E (AIE)');
  const thread = new Thread();
  const waiting = new Waiting($('own-figure'), $('own-said'), thread);
  let shown = null;
  let last = 0;
  /** Nothing of an earlier file stays under the name of this one. */
  const clear = () => {
    for (const id of ['own-error', 'own-said', 'own-notes']) $(id).replaceChildren();
    $('own-figure').hidden = true;
    for (const id of ['own-svg', 'own-csv']) $(id).disabled = true;
    waiting.end();
  };
  const read = async (file) => {
    const mine = ++last;
    thread.stop(new Stopped('another file came', true));
    clear();
    const done = pending();
    try {
      if (file.size > MAX_BYTES) throw new Error(`the file has ${file.size} bytes; here at most ${MAX_BYTES}. The command taskhead simulate takes larger ones.`);
      waiting.begin(`Computing ${file.name} …`);
      const unpacked = await (await arrays()).unpack(new Uint8Array(await file.arrayBuffer()));
      if (mine !== last) return;
      const { curve, samples, width, outputs, notes } = await thread.ask('file', [{ name: file.name, ...unpacked, points: POINTS }], (n) => waiting.at(n, POINTS));
      if (mine !== last) return;
      waiting.end();
      const { records, shapes } = curve;
      shown = { records, title: `${file.name}: N = ${samples}, h = ${width}, k = ${outputs}` };
      $('own-figure').hidden = false;
      for (const id of ['own-svg', 'own-csv']) $(id).disabled = false;
      curves.draw({ layers: [{ x: records.map((r) => r.aie), values: metricsOf(records) }] });
      curves.charts.forEach((chart, i) => chart.describe(`Against energy this metric ${shapes[i]}.`));
      const energies = records.map((r) => r.aie);
      $('own-said').textContent = `${file.name}: N = ${samples}, h = ${width}, k = ${outputs}; energies ${show(Math.min(...energies))} to ${show(Math.max(...energies))}. ` +
        `Distance ${shapes[0]}; cosine distance ${shapes[1]}; dot product ${shapes[2]}; norm ${shapes[3]}.${early(curve)}`;
      $('own-notes').replaceChildren(...notes.map((note) => Object.assign(document.createElement('li'), { textContent: note })));
    } catch (error) {
      if (mine !== last) return;
      clear();
      $('own-error').textContent = `${file.name}: ${error.message}`;
    } finally {
      done();
    }
  };
  const drop = $('drop');
  $('file').addEventListener('change', (event) => {
    if (event.target.files[0]) read(event.target.files[0]);
    event.target.value = '';
  });
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  });
  $('own-svg').addEventListener('click', () => curves.saveSvg('taskhead-own.svg', shown.title));
  $('own-csv').addEventListener('click', () => saveRecords('taskhead-own.csv', shown.records));
}
