// The chapters and the larger problems.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { close, drop, file, native, npy, npz, on, open, opening, problem, rankOne, safetensors, saved, settled, shown, simulate, slide, start, staticHost, table } from './harness.js';
import { unpack } from '../page/arrays.js';
import { addresses, files } from './mutations.js';

let site;
before(async () => (site = await start()));
after(() => site.stop());

const value = (page, id) => page.locator(`output[for="${id}"]`).evaluate((e) => Number(e.dataset.value));

test('chapter 1: sliders change what probing leaves', () =>
  on(site, '?ptau=0#energy', async (page) => {
    const none = await shown(page, 'probed');
    assert.equal(none, await shown(page, 'unprobed'));
    await slide(page, 'ptau', 200);
    assert.ok((await shown(page, 'probed')) < 1e-12, 'probing for ever leaves nothing');
    await slide(page, 'smoothing', 0.2);
    const floor = await shown(page, 'floor');
    await slide(page, 'smoothing', 0.4);
    close((await shown(page, 'floor')) / floor, 2, 1e-9, 'twice the smoothing leaves twice the floor (T21)');
    await slide(page, 'smoothing', 0);
    await slide(page, 'ptau', 80);
    const bars = () => page.locator('#energy-modes path.remains').evaluateAll((all) => all.map((p) => p.getBBox().height));
    const before = await bars();
    await slide(page, 'decay', 2);
    assert.notDeepEqual(await bars(), before);
    const seed = await shown(page, 'unprobed');
    await slide(page, 'pseed', 4);
    assert.notEqual(await shown(page, 'unprobed'), seed);
  }));

test('chapter 2: each factor stops what it should', () =>
  on(site, '#motion', async (page) => {
    const lengths = (kind) => page.locator(`#forces line.pull-${kind}`).evaluateAll((all) => all.map((l) => Math.hypot(l.x2.baseVal.value - l.x1.baseVal.value, l.y2.baseVal.value - l.y1.baseVal.value)));
    const [onA, onB, onC] = await lengths('a');
    assert.ok(onA > 5 && onB > 1 && onC > 5);
    await slide(page, 'kernel', 0);
    const apart = await lengths('a');
    assert.ok(apart[1] < 1e-9 && apart[0] > 5 && apart[2] > 5, 'without kernel A does not pull on B');
    await slide(page, 'ftau', 100);
    assert.ok((await lengths('a')).every((l) => l < 1e-9), 'without energy nothing pulls');
    await slide(page, 'ftau', 0);
    await slide(page, 'length', 0);
    assert.ok((await lengths('a')).every((l) => l < 1e-9), 'without head nothing pulls');
    const said = await page.textContent('#motion-said');
    await slide(page, 'length', 1);
    await slide(page, 'angle', -40);
    assert.notEqual(await page.textContent('#motion-said'), said);
  }));

test('chapter 2: no arrow leaves the plane', () =>
  on(site, '?length=2&ftau=0#motion', async (page) => {
    for (const angle of [115, -180, -90, 0, 90]) {
      await slide(page, 'angle', angle);
      const cut = await page.locator('#forces line:not(.zero)').evaluateAll((all) => all.filter((l) => {
        const { width, height } = l.ownerSVGElement.viewBox.baseVal;
        const [x, y] = [l.x2.baseVal.value, l.y2.baseVal.value];
        return x < 0 || x > width || y < 0 || y > height;
      }).map((l) => l.getAttribute('class')));
      assert.deepEqual(cut, [], `at ${angle}°`);
    }
  }));

test('chapter 3: the maps are the native certificate, with the exact boundary', () =>
  on(site, '?a=-0.2&tau=0#laws', async (page) => {
    await settled(page);
    assert.match(await page.textContent('#phase-source'), /^Proved .* at most 1\.1 % of a map is too close to call/);
    // What `taskhead reproduce` wrote; a native test of the engine compares all of it.
    const rows = table(await readFile(new URL('../../plots/phase-certified.csv', import.meta.url), 'utf8')).filter((row) => row.target === '');
    const native = (law, y, w) => rows.find((r) => r.law === law && r.y_low <= y && y <= r.y_high && r.w_low <= w && w <= r.w_high).state;
    const seen = new Set();
    for (const [y, w] of [[0.3, 0.06], [0.3, 0.1], [0.3, 0.2], [1, 0.3], [1, 0.5], [1.6, 0.3], [1.6, 0.9], [2, 1.24], [2.5, 0.8], [2.5, 1.26], [2.5, 1.5], [2.5, 2.26], [2.5, 2.7]]) {
      await slide(page, 'target', y);
      await slide(page, 'across', w);
      const found = await page.locator('#phase svg.map').evaluateAll((all) => all.map((svg) => {
        const cross = svg.querySelector('.cross');
        const at = cross.transform.baseVal[0].matrix;
        const covers = [...svg.querySelectorAll('.cells path')].filter((path) => path.isPointInFill(new DOMPoint(at.e, at.f)));
        return { state: cross.dataset.state, said: cross.getAttribute('aria-valuetext'), drawn: covers.map((path) => path.getAttribute('class')) };
      }));
      ['distance', 'cosine', 'dot', 'norm'].forEach((law, i) => {
        const expected = native(law, y, w);
        seen.add(`${law} ${expected}`);
        assert.equal(found[i].state, expected, `${law} at y = ${y}, w = ${w}`);
        assert.ok(found[i].said.endsWith({ holds: 'is proved to go on', fails: 'is proved to break', undecided: 'is too close to call' }[expected]));
        assert.deepEqual(found[i].drawn, [expected], `what is drawn of ${law} at y = ${y}, w = ${w}`);
      });
    }
    const all = ['distance holds', 'distance fails', 'distance undecided', 'dot holds', 'dot fails', 'dot undecided', 'cosine holds', 'norm holds'];
    assert.deepEqual([...seen].sort(), all.sort(), 'the points are of every kind');
    // At y = 2.5 the dot law ends where 4y²(m² − m + 2) = m²(3m − 2), m = 1 + y² + w²: at w = 1.2647….
    const curve = await page.locator('#phase svg.map').evaluateAll((all) => all.map((svg) => {
      const [left, right] = [svg.querySelector('clipPath rect').x.baseVal.value, svg.querySelector('clipPath rect').width.baseVal.value];
      const path = svg.querySelector('path.boundary:not(.under)');
      if (!path.getAttribute('d')) return null;
      const x = left + (right * Math.log(2.5 / 0.2)) / Math.log(3 / 0.2);
      const points = Array.from({ length: 4001 }, (_, i) => path.getPointAtLength((path.getTotalLength() * i) / 4000));
      const { y } = points.reduce((best, p) => (Math.abs(p.x - x) < Math.abs(best.x - x) ? p : best));
      const { y: top, height } = svg.querySelector('clipPath rect').getBBox();
      return 3 * (0.02 / 3) ** ((y - top) / height);
    }));
    assert.deepEqual([curve[1], curve[3]], [null, null], 'laws that never end have no boundary');
    const root = (positive) => {
      let [low, high] = [0.1, 5];
      for (let i = 0; i < 60; i++) [low, high] = positive((low + high) / 2) ? [low, (low + high) / 2] : [(low + high) / 2, high];
      return low;
    };
    const m = (w) => 1 + 2.5 ** 2 + w * w;
    const dot = root((w) => m(w) ** 2 * (3 * m(w) - 2) > 25 * (m(w) ** 2 - m(w) + 2));
    const distance = root((w) => m(w) - 1 < Math.sqrt(m(w) ** 2 - 25) + 25 / m(w) ** 2);
    close(curve[2], dot, 0.02, 'where the dot law ends');
    close(curve[0], distance, 0.03, 'where the distance law ends');
  }));

test('chapter 3: a click on a map loads its point into the figures', () =>
  on(site, '#laws', async (page) => {
    const map = page.locator('#phase svg').first();
    await map.waitFor();
    await map.scrollIntoViewIfNeeded();
    const box = await map.boundingBox();
    // Seven tenths of the axis of y to the right, six tenths of the axis of w up.
    await page.mouse.click(box.x + 38 + (box.width - 50) * 0.7, box.y + 8 + (box.height - 50) * 0.4);
    await settled(page);
    const [y, w] = [await value(page, 'target'), await value(page, 'across')];
    close(y, 0.2 * 15 ** 0.7, 0.02, 'y');
    close(w, 0.02 * 150 ** 0.6, 0.02, 'w');
    const found = await opening(page);
    const expected = await rankOne(site, { y, a: -y, w }, '--probe', '0');
    close(found.euclidean, expected.adaptation.euclidean, 1e-12, 'distance');
    assert.equal(await shown(page, 'phase-y'), y);
    assert.equal(await shown(page, 'phase-w'), w);
  }));

test('chapter 4: the best probing time depends on the teacher', () =>
  on(site, '?phi=0#downstream', async (page) => {
    const answer = async (phi) => {
      await page.waitForFunction((phi) => document.querySelector('#risk-said').textContent.startsWith(`φ = ${phi}`), phi, { timeout: 60_000 });
      return page.locator('#risk-said').evaluate((e) => [Number(e.dataset.best), Number(e.dataset.error)]);
    };
    assert.equal((await answer('0.000'))[0], Infinity, 'features that contain the teacher want full probing');
    await slide(page, 'phi', 1.2);
    const [best, error] = await answer('1.200');
    assert.ok(best > 0 && best < Infinity, `a stop inside: ${best}`);
    const config = 'times = [inf]\n[problem]\nkind = "gaussian"\nsamples = 30\ninputs = 60\nwidth = 8\noutputs = 1\nteacher-angle = 1.2\n[heads]\nscales = [0.5]\n[probe]\ntimes = [' + best + ']\n';
    await native('sweep', await file(site, 'teacher.toml', config), '--out', `${site.folder}/teacher`, '--quiet');
    const [row] = table(await readFile(`${site.folder}/teacher.csv`, 'utf8'));
    close(error, row.risk, 1e-8, 'error at the best stop');
    await slide(page, 'rseed', 3);
    await slide(page, 'size', 0.1);
    await page.waitForFunction(() => document.querySelector('#risk-said').textContent.includes('size 0.100'), null, { timeout: 60_000 });
    const gain = () => page.locator('#risk-said').evaluate((e) => Number(e.dataset.gain));
    assert.ok((await gain()) < 0.01, 'a tiny head gains nothing by an early stop');
    await slide(page, 'size', 1);
    await page.waitForFunction(() => document.querySelector('#risk-said').textContent.includes('size 1.000'), null, { timeout: 60_000 });
    assert.ok((await gain()) > 0.1, 'a larger one does');
  }));

test('what could not be loaded is told', async () => {
  const host = await staticHost(new Set(['engine.wasm']));
  const context = await site.browser.newContext();
  const page = await context.newPage();
  await page.goto(host.url);
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /^The engine did not start: engine\.wasm: 404/);
  await context.close();
  await host.stop();
});

test('beyond one sample: the curves are those of a native sweep', () =>
  on(site, '?samples=5&width=12&outputs=3&spectrum=0.5&rate=2&seed=7&seeds=3#many', async (page) => {
    await settled(page);
    const rows = table(await saved(page, 'many-csv'));
    const config = 'times = [inf]\n[problem]\nkind = "gaussian"\nsamples = 5\ninputs = 24\nwidth = 12\noutputs = 3\ninput-decay = 0.5\n[heads]\nfirst-seed = 7\nhead-rates = [2.0]\n[probe]\npoints = 24\n';
    await native('sweep', await file(site, 'random.toml', config), '--out', `${site.folder}/random`, '--quiet');
    const expected = table(await readFile(`${site.folder}/random.csv`, 'utf8'));
    assert.equal(rows.length, 24);
    rows.forEach((row, i) => {
      for (const name of ['aie', 'euclidean', 'cosine', 'dot', 'norm', 'budget_backbone']) close(row[name], expected[i][name], 1e-8, `${name} of point ${i}`);
    });
    assert.match(await page.textContent('#many-said'), /Distance rises.*Band: 3 seeds/);
    assert.equal(await page.locator('#many-curves path.band').count(), 4);
    const d = () => page.locator('#many-curves path.m0').first().getAttribute('d');
    const before = await d();
    await slide(page, 'seed', 8);
    await page.waitForFunction((before) => document.querySelector('#many-curves path.m0').getAttribute('d') !== before, before);
    await settled(page);
  }));

test('beyond one sample, by cross-entropy: the curves are those of the native command', () =>
  on(site, '?samples=5&width=12&outputs=3&seed=7&seeds=1&mloss=cross-entropy&until=0.2#many', async (page) => {
    await settled(page);
    const rows = table(await saved(page, 'many-csv'));
    assert.equal(rows.length, 24);
    assert.match(await page.textContent('#many-said'), /Finetuned by cross-entropy to a training loss of 0\.200/);
    const config = 'times = [inf]\n[problem]\nkind = "gaussian"\nsamples = 5\ninputs = 24\nwidth = 12\noutputs = 3\n[heads]\nfirst-seed = 7\n[probe]\npoints = 24\n';
    const cell = `${site.folder}/cell.cell-23.npz`;
    await native('sweep', await file(site, 'labels.toml', config), '--export-cell', '23', '--out', `${site.folder}/cell`, '--quiet');
    const { arrays } = await unpack(new Uint8Array(await readFile(cell)));
    const named = Object.fromEntries(arrays.map(({ name, shape, fortran, bytes }) => {
      const values = new Float64Array(bytes.slice().buffer);
      const [n, m = 1] = shape;
      return [name, Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => values[fortran ? j * n + i : i * m + j]))];
    }));
    const labels = named.targets.map((row) => row.map((v) => (v === Math.max(...row) ? 1 : 0)));
    const path = await file(site, 'labels.npz', npz({ ...named, targets: labels }));
    for (const row of [rows[23], rows[8]]) {
      const expected = await simulate(path, '--probe', String(row.probe_time), '--loss', 'cross-entropy', '--until-loss', '0.2');
      for (const name of ['euclidean', 'cosine', 'dot', 'norm']) close(row[name], expected.adaptation[name], 1e-7, name);
      close(row.time, expected.time, 1e-6, 'time');
    }
  }));

test('beyond one sample: sixteen samples are solved, all energies of them', () =>
  on(site, '?samples=16&width=64&outputs=2&seeds=1#many', async (page) => {
    await settled(page);
    assert.match(await page.textContent('#many-said'), /^24 energies by the solver in \d+\.\d\d s\. Distance /);
    assert.equal(table(await saved(page, 'many-csv')).filter((row) => row.status === 'converged').length, 24);
  }));

test('the stored digits are those of the program, and are drawn', () =>
  on(site, '#many', async (page) => {
    await native('sweep', '--problem', 'digits', '--seeds', '1', '--points', '17', '--out', `${site.folder}/digits`, '--quiet');
    const expected = table(await readFile(`${site.folder}/digits.csv`, 'utf8'));
    const stored = table(await readFile(new URL('../page/digits.csv', import.meta.url), 'utf8'));
    assert.equal(stored.length, 51);
    expected.forEach((row, i) => {
      for (const name of ['seed', 'frobenius', 'euclidean', 'cosine', 'dot', 'norm']) close(stored[i][name], row[name], 1e-7, `${name} of point ${i}`);
    });
    await page.waitForSelector('#digits path.m0');
    for (const kind of ['m0', 'm1', 'm2', 'm3']) assert.equal(await page.locator(`#digits path.${kind}`).count(), 3);
    assert.match(await page.textContent('#digits-said'), /^Distance: rises \(3 of 3\)\. Cosine distance: rises \(3 of 3\)\. Dot product: /);
  }));

for (const [kind, name, bytes] of [
  ['as numpy.savez writes it', 'own.npz', npz(problem())],
  ['compressed', 'own.npz', npz(problem(), { level: 6 })],
  ['in Fortran order', 'own.npz', npz(problem(), { fortran: true })],
  ['of safetensors', 'own.safetensors', safetensors(problem())],
]) {
  test(`a dropped problem file, ${kind}, gives its curves`, () =>
    on(site, '#own', async (page) => {
      const path = await file(site, name, bytes);
      await drop(page, name, bytes);
      await page.waitForSelector('#own-figure:not([hidden])');
      assert.match(await page.textContent('#own-said'), /N = 3, h = 4, k = 2.*Distance rises/);
      assert.equal(await page.locator('#own-curves path.m0').count(), 1);
      assert.equal(await page.locator('#own-notes li').count(), 0, 'nothing to note');
      const rows = table(await saved(page, 'own-csv'));
      assert.equal(rows.length, 24);
      for (const row of [rows[23], rows[11]]) {
        const expected = await simulate(path, '--probe', String(row.probe_time));
        for (const name of ['euclidean', 'cosine', 'dot', 'norm']) close(row[name], expected.adaptation[name], 1e-8, name);
        close(row.aie, expected.energy.aie, 1e-12, 'energy');
      }
    }));
}

test('features with labels as people export them are read, with the notes of the command', () =>
  on(site, '#own', async (page) => {
    const features = npy(problem().features, { dtype: '<f4' });
    for (const labels of [npy(['dog', 'cat', 'dog'], { dtype: '<U3' }), npy([1, 0, 1], { dtype: '<i8' }), npy([1, 0, 1], { dtype: '|b1' })]) {
      const bytes = npz({ features, labels, ids: [[7], [8], [9]] }, { others: { 'readme.txt': Buffer.from('hello'), '__MACOSX/._features.npy': Buffer.from('x') } });
      const expected = await simulate(await file(site, 'labels.npz', bytes));
      await drop(page, 'labels.npz', bytes);
      await settled(page);
      assert.equal(await page.textContent('#own-error'), '');
      assert.match(await page.textContent('#own-said'), /N = 3, h = 4, k = 2/);
      assert.deepEqual(await page.locator('#own-notes li').allTextContents(), expected.notes);
      assert.ok(expected.notes.length >= 4, 'unused, skipped, no kernel, no head');
      const rows = table(await saved(page, 'own-csv'));
      close(rows[23].euclidean, expected.adaptation.euclidean, 1e-8, 'distance without probing');
    }
  }));

test('a saddle is told in words', async () => {
  await on(site, '?y=1&w=0&a=-1&tau=0&t=inf', async (page) => {
    await settled(page);
    assert.ok(await page.locator('#opening-saddle').isVisible());
    await slide(page, 'across', 0.5);
    assert.ok(await page.locator('#opening-saddle').isHidden());
  });
  await on(site, '#own', async (page) => {
    // Twice: not rank one, and each mode as in the opening figure.
    const bytes = npz({ features: [[1, 0], [0, 1]], kernel: [[1, 0], [0, 1]], targets: [[1, 0], [0, 1]], head: [[-1, 0], [0, -1]] });
    await drop(page, 'saddle.npz', bytes);
    await settled(page);
    assert.match(await page.textContent('#own-said'), /1 point of 24 stopped before the end; the first: a saddle from time/);
  });
});

test('mutated files and addresses are read or refused', async () => {
  const found = await files(4000);
  assert.ok(found.read > 100 && found.refused > 1000, JSON.stringify(found));
  Object.assign(globalThis, { requestAnimationFrame: () => 0, document: { documentElement: { dataset: {} } } });
  const taken = addresses(4000);
  assert.ok(taken.read > 100 && taken.refused > 1000, JSON.stringify(taken));
});

test('a file can be chosen instead of dropped', () =>
  on(site, '#own', async (page) => {
    await page.setInputFiles('#file', { name: 'chosen.npz', mimeType: 'application/zip', buffer: npz(problem()) });
    await page.waitForSelector('#own-figure:not([hidden])');
    assert.match(await page.textContent('#own-said'), /chosen\.npz: N = 3/);
  }));

test('bad files are refused with one clear message', () =>
  on(site, '#own', async (page) => {
    const good = npz(problem());
    const cut = good.subarray(0, good.length - 40);
    const flipped = Buffer.from(good);
    flipped[200] ^= 0x40;
    const { targets, ...targetless } = problem();
    const { features, head } = targetless;
    const pickled = npy([1, 0, 1], { dtype: '|u1' }).indexOf('|u1') + 1;
    const cases = [
      ['notes.txt', Buffer.from('1.0, 2.0'), /notes\.txt: this is text that begins with "1\.0, 2\.0"; accepted: \.npz and \.safetensors files/],
      ['empty.npz', Buffer.alloc(0), /empty\.npz: the file is empty/],
      ['cut.npz', cut, /cut\.npz: the file is damaged or cut short \(the directory/],
      ['flipped.npz', flipped, /flipped\.npz: .*damaged/],
      ['targetless.npz', npz(targetless), /missing: `labels` or `targets`; found: `features`, `head`, `kernel`; needed: /],
      ['typo.npz', npz({ ...targetless, target: targets }), /found: .*`target`.* \(rename `target` to `targets`\?\)/],
      ['pickled.npz', npz({ features, labels: npy([1, 0, 1], { dtype: '|u1' }).map((b, i) => (i === pickled ? 0x4f : b)) }), /`labels` is of type \|O1.*pickle/],
      ['text.npz', npz({}, { others: { 'notes.txt': Buffer.from('x') } }), /the archive holds no \.npy array; found: notes\.txt/],
      ['nan.npz', npz({ ...problem(), head: head.map((r, i) => (i === 2 ? [NaN, 1] : r)) }), /`head` holds NaN at row 2, column 0/],
      ['shape.npz', npz({ ...problem(), head: head.slice(1) }), /`head` is 3x2, but one row for each feature/],
      ['kernel.npz', npz({ ...problem(), kernel: [[1, 0, 0], [0, -1, 0], [0, 0, 1]] }), /not positive semidefinite: its smallest eigenvalue is -1/],
    ];
    for (const [name, bytes, message] of cases) {
      await drop(page, name, bytes);
      await page.waitForFunction((name) => document.querySelector('#own-error').textContent.startsWith(`${name}:`), name);
      assert.match(await page.textContent('#own-error'), message);
      assert.equal(await page.textContent('#own-said'), '');
      assert.ok(await page.locator('#own-figure').isHidden());
    }
    await drop(page, 'good.npz', good);
    await page.waitForSelector('#own-figure:not([hidden])');
    assert.equal(await page.textContent('#own-error'), '', 'the message goes with the next good file');
    // A bad file after a good one leaves no curves of the good one under its name.
    await drop(page, 'notes.txt', Buffer.from('x'));
    await page.waitForFunction(() => document.querySelector('#own-error').textContent !== '');
    assert.ok(await page.locator('#own-figure').isHidden());
    assert.ok(await page.locator('#own-csv').isDisabled());
  }));
