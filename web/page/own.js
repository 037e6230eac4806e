// A head of your own: a dropped problem file, its curves over 24 energies, and files to save.

import { Curves, early, metricsOf, saveRecords } from './curves.js';
import { show } from './controls.js';
import { ask, arrays } from './engine.js';
import { pending } from './state.js';

/** Larger files would take the solver too long here. */
const MAX_BYTES = 20_000_000;
const $ = (id) => document.getElementById(id);

export function own() {
  const curves = new Curves($('own-curves'), 'energy E (AIE)');
  let shown = null;
  const fail = (name, message) => {
    $('own-error').textContent = `${name}: ${message}`;
    for (const id of ['own-said', 'own-notes']) $(id).replaceChildren();
    $('own-figure').hidden = true;
    for (const id of ['own-svg', 'own-csv']) $(id).disabled = true;
  };
  const read = async (file) => {
    $('own-error').textContent = '';
    if (file.size > MAX_BYTES) return fail(file.name, `the file has ${file.size} bytes; here at most ${MAX_BYTES}. The command taskhead simulate takes larger ones.`);
    $('own-said').textContent = `Computing ${file.name} …`;
    const done = pending();
    try {
      const unpacked = await (await arrays()).unpack(new Uint8Array(await file.arrayBuffer()));
      const { curve, samples, width, outputs, notes } = await ask('file', [{ name: file.name, ...unpacked, points: 24 }]);
      const { records, shapes } = curve;
      shown = records;
      $('own-figure').hidden = false;
      for (const id of ['own-svg', 'own-csv']) $(id).disabled = false;
      curves.draw({ layers: [{ x: records.map((r) => r.aie), values: metricsOf(records) }] });
      curves.charts.forEach((chart, i) => chart.describe(`Against energy this metric ${shapes[i]}.`));
      const energies = records.map((r) => r.aie);
      $('own-said').textContent = `${file.name}: N = ${samples}, h = ${width}, k = ${outputs}; energies ${show(Math.min(...energies))} to ${show(Math.max(...energies))}. ` +
        `Distance ${shapes[0]}; cosine distance ${shapes[1]}; dot product ${shapes[2]}; norm ${shapes[3]}.${early(curve)}`;
      $('own-notes').replaceChildren(...notes.map((note) => Object.assign(document.createElement('li'), { textContent: note })));
    } catch (error) {
      fail(file.name, error.message);
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
  $('own-svg').addEventListener('click', () => curves.saveSvg('taskhead-own.svg'));
  $('own-csv').addEventListener('click', () => saveRecords('taskhead-own.csv', shown));
}
