// The story and the chapters on losses, networks and practice; the folds for experts.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { table } from '../replays.js';
import { close, file, npz, on, opening, saved, settled, simulate, slide, start, visit } from './harness.js';

let site;
before(async () => (site = await start()));
after(() => site.stop());

const here = (path) => new URL(path, import.meta.url);
const squeezed = (text) => text.replace(/\s+/g, ' ').trim();

test('every paragraph of the story puts the figure into its situation, and Back undoes it', () =>
  on(site, '?y=2&w=1.2&v=2', async (page) => {
    const steps = page.locator('#opening .story li');
    assert.equal(await steps.count(), 6);
    // Title: does the head stand where it began, and has the feature moved?
    const situations = { 'One sample': [2, false], Probing: [2 * Math.exp(-0.7), false], Finetuning: [2, true], 'First probing, then finetuning': [2 * Math.exp(-0.7), true], 'Probing to the end': [0, false], 'A head that sees nothing of the feature': [1.4, true] };
    for (const [title, [energy, moves]] of Object.entries(situations)) {
      await page.getByRole('button', { name: `Show in the figure: ${title}`, exact: true }).click();
      const now = await opening(page);
      close(now.energy, energy, 1e-12, title);
      assert.equal(now.euclidean > 0.01, moves, title);
      assert.equal(await page.locator('#opening .story [aria-pressed=true]').count(), 1, 'the one that is shown is marked');
    }
    await page.goBack();
    close((await opening(page)).energy, 0, 1e-12, 'one step back');
    for (let i = 0; i < 5; i++) await page.goBack();
    await settled(page);
    assert.equal(await page.locator('output[for="target"]').evaluate((e) => e.dataset.value), '2');
  }));

test('the plane stays in sight beside the story', () =>
  on(site, '', async (page) => {
    await page.locator('#opening .story li').nth(3).evaluate((e) => e.scrollIntoView({ block: 'center', behavior: 'instant' }));
    const { top, bottom } = await page.locator('#plane').evaluate((e) => e.getBoundingClientRect());
    assert.ok(top >= 0 && bottom <= 768, `${top} to ${bottom}`);
  }, { viewport: { width: 1366, height: 768 } }));

test('every chapter with a figure tells it step by step, beside it', () =>
  on(site, '', async (page) => {
    for (const [chapter, count] of Object.entries({ energy: 4, motion: 4, laws: 6, downstream: 4, many: 5, entropy: 3, networks: 8 })) {
      const steps = page.locator(`#${chapter} .story li`);
      assert.equal(await steps.count(), count, chapter);
      for (let i = 0; i < count; i++) {
        const step = steps.nth(i);
        await step.locator('button').click();
        await settled(page);
        assert.deepEqual(await page.locator(`#${chapter} .story .here`).evaluateAll((all) => all.map((e) => [...e.parentNode.children].indexOf(e))), [i], `${chapter} ${i}`);
      }
      // The figure is in sight when the last paragraph comes up.
      await steps.last().evaluate((e) => e.scrollIntoView({ block: 'end', behavior: 'instant' }));
      const { top, bottom, left } = await page.locator(`#${chapter} .sight .chart`).first().evaluate((e) => e.getBoundingClientRect());
      assert.ok(top >= 0 && bottom <= 768, `${chapter}: ${top} to ${bottom}`);
      assert.ok(left >= (await steps.last().evaluate((e) => e.getBoundingClientRect().right)), chapter);
    }
  }, { viewport: { width: 1366, height: 768 } }));

test('what the steps say of their figures is so', async () => {
  const at = async (address, read) => {
    let found;
    await on(site, `${address}&v=2`, async (page) => (await settled(page), (found = await read(page))));
    return found;
  };
  const residual = (address) => at(address, async (page) => {
    await visit(page, 'motion');
    return (await page.textContent('#motion-said')).match(/residuals (\S+) and/)[1];
  });
  assert.deepEqual([await residual('?ftau=0.3'), await residual('?ftau=2')], ['1.117', '0.286']);
  const [none, best] = await at('?phi=0.2', async (page) => {
    await visit(page, 'downstream');
    const said = await page.textContent('#risk-said');
    return [said.match(/Not probing gives ([\d.]+)/)[1], said.match(/\(error ([\d.]+)/)[1]].map(Number);
  });
  assert.ok(none > 7 * best, `${none}, ${best}`);
  const distance = (address) => at(address, async (page) => {
    await visit(page, 'many');
    return Math.max(...table(await saved(page, 'many-csv')).map((row) => Number(row.euclidean)));
  });
  assert.ok((await distance('?rate=5')) < (await distance('?rate=1')), 'a fast head');
});

test('the folds for experts hold what Coq has proved, word by word, with its hypotheses', () =>
  on(site, '', async (page) => {
    for (const [chapter, ids] of Object.entries({ opening: ['T6', 'T7'], energy: ['T3', 'T21'], motion: ['T1'], laws: ['T8', 'T9', 'T10', 'T11', 'T12', 'T13'], downstream: ['T27'], many: ['T31'], entropy: ['T22', 'T23'] })) {
      const names = await page.locator(`#${chapter} .expert .proved pre`).evaluateAll((all) => all.map((pre) => pre.getAttribute('aria-label').split(' ')[0]));
      for (const id of ids) assert.ok(names.some((name) => name.startsWith(`${id}_`)), `${id} in ${chapter}: ${names}`);
    }
    const found = await page.locator('.proved').evaluateAll((all) => all.map((e) => ({
      name: e.querySelector('a').textContent, href: e.querySelector('a').getAttribute('href'), text: e.querySelector('pre').textContent, said: e.textContent,
    })));
    assert.ok(found.length >= 20);
    for (const { name, href, text, said } of found) {
      assert.ok(href.endsWith(`#${name}`) && href.includes('theorems.html'), href);
      const [, source] = said.match(/proofs\/theories\/(\w+\.v)/);
      const coq = squeezed((await readFile(here(`../../proofs/theories/${source}`), 'utf8')).replace(/\(\*[^]*?\*\)/g, ''));
      const [, statement] = squeezed(text).match(new RegExp(`((?:Theorem|Lemma|Corollary|Proposition) ${name}\\b.*)$`));
      assert.ok(coq.includes(`${statement} Proof`), `${name} as ${source} has it`);
      assert.match(said, /taskhead verify T\d+/);
    }
    const boundary = found.find(({ name }) => name === 'T13_dot_boundary').text;
    for (const line of ['Hypothesis Hy : 0 < y.', 'Hypothesis Hw : w <> 0.', 'Let m := m_of w y.']) assert.ok(boundary.includes(line), line);
    // The plain proofs are those for the board.
    for (const [chapter, words] of [['opening', 'Another clock'], ['laws', 'it peaks at'], ['laws', 'the distance grows with the energy']]) assert.ok((await page.textContent(`#${chapter} .expert`)).includes(words), words);
    assert.doesNotMatch(await page.textContent('main'), /\[(coq|plain) /);
  }));

test('the page of theorems tells under what each one stands, and leads to definitions', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${site.url}theorems.html`);
  const law = await page.textContent('#T9_energy');
  for (const line of ['Hypothesis HE : energy h y z0 v1 < energy h y z0 v2.', 'Hypothesis Hz : 0 < sq h z0.']) assert.ok(law.includes(line), line);
  const dead = await page.locator('pre a').evaluateAll((all) => all.filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash));
  assert.deepEqual(dead, []);
  assert.ok((await page.locator('pre a').count()) > 200);
  assert.match(await page.textContent('#def-dist2T'), /^Definition dist2T .*sigma/s);
  await context.close();
});

test('the certificate names the boxes in which the point lies', () =>
  on(site, '?y=2.6&w=0.4&a=-2.6&v=2', async (page) => {
    await visit(page, 'laws');
    const lines = await page.locator('#certificate li').allTextContents();
    assert.equal(lines.length, 4);
    const states = await page.locator('#phase .cross').evaluateAll((all) => all.map((e) => e.dataset.state));
    const words = { holds: 'is proved to go on', fails: 'is proved to break', undecided: 'is too close to call' };
    lines.forEach((line, i) => {
      const [, ...box] = line.match(/for y from ([\d.]+) to ([\d.]+) and w from ([\d.]+) to ([\d.]+) the law/).map(Number);
      assert.ok(box[0] <= 2.6 && 2.6 <= box[1] && box[2] <= 0.4 && 0.4 <= box[3], line);
      assert.ok(line.includes(words[states[i]]), `${line}: ${states[i]}`);
    });
    assert.deepEqual([states[0], states[1]], ['fails', 'holds']);
  }));

test('chapter 6: two clocks on one path, both those of the native command', () =>
  on(site, '?y=1.4&w=0.6&a=-0.6&way=0.5&v=2', async (page) => {
    await slide(page, 'across', 0.7);
    await slide(page, 'across', 0.6);
    assert.equal(await page.textContent('#clock-said'), '', 'nothing is computed for it before it comes near');
    await visit(page, 'entropy');
    const numbers = () => page.locator('#clock-said').evaluate((e) => Object.fromEntries(Object.entries(e.dataset).map(([key, v]) => [key, Number(v)])));
    const check = async (start) => {
      const now = await numbers();
      close(now.distance, now.other, 1e-8, 'the same place');
      assert.ok(Math.abs(now.squared - now.entropy) > 0.1, 'and another time');
      for (const [target, time, ...loss] of [[1.4, now.squared], [1, now.entropy, '--loss', 'cross-entropy']]) {
        const path = await file(site, 'sample.npz', npz({ features: [[1, 0]], kernel: [[1]], targets: [[target]], head: [[start], [0.6]] }));
        const { adaptation } = await simulate(path, '--probe', '0', '--time', String(time), ...loss);
        close(now.distance, adaptation.euclidean, 1e-7, `distance ${loss}`);
      }
      return now;
    };
    const first = await check(-0.6);
    await slide(page, 'way', 0.9);
    const later = await check(-0.6);
    assert.ok(later.distance > first.distance && later.output > first.output);
    // Probed, the same head stands at the start of both.
    await slide(page, 'probe', 100);
    await visit(page, 'entropy');
    const { energy } = await page.evaluate(() => ({ energy: Number(document.querySelector('[data-show="energy"]').dataset.value) }));
    await check(1.4 - energy);
    // The curves lie on each other, and the norm peaks at E = y and at ½.
    const paths = await page.locator('#clock-distance .chart path.m0, #clock-distance .chart path.m1').evaluateAll((all) => all.map((p) => p.getPointAtLength(p.getTotalLength() / 2).y));
    assert.equal(paths.length, 2);
    for (const [id, peak] of [['peak-squared', '1.400'], ['peak-entropy', '0.500']]) assert.ok((await page.locator(`#${id} svg`).getAttribute('aria-label')).includes(`peaks at ${peak}`), id);
    await slide(page, 'probe', 200);
    await visit(page, 'entropy');
    assert.match(await page.textContent('#clock-said'), /no energy/);
  }));

test('chapter 7: the stored networks are drawn, and what is said of them is so', () =>
  on(site, '', async (page) => {
    await visit(page, 'networks');
    const csv = await readFile(here('../page/networks.csv'), 'utf8');
    const rows = table(csv);
    const names = await page.locator('#nets input').evaluateAll((all) => all.map((e) => e.value));
    assert.deepEqual(names, ['theory', 'digits', 'cnn', 'smoothing', 'head', 'partial', 'scale', 'rate']);
    // The means over the seeds, and the laws by the rule of the command, apart from the page.
    const mean = (replay, variant, column) => [0, 1, 2, 3, 4, 5, 6, 7].map((point) => {
      const mine = rows.filter((row) => row.replay === replay && row.variant === variant && Number(row.point) === point);
      assert.equal(mine.length, 3);
      return mine.reduce((sum, row) => sum + Number(row[column]), 0) / 3;
    });
    const against = (list) => list.reduce(([most, worst], v) => [Math.max(most, v), Math.max(worst, most - v)], [-Infinity, 0])[1];
    const rises = (list) => against(list) <= 0.05 * (Math.max(...list) - Math.min(...list));
    const seen = (replay, variant) => {
      const law = (column, turns) => {
        const list = mean(replay, variant, column);
        if (!turns || rises(list)) return rises(list);
        const top = list.indexOf(Math.max(...list));
        const slack = 0.05 * (Math.max(...list) - Math.min(...list));
        const falls = against(list.map((v) => -v)) <= slack;
        return !falls && against(list.slice(0, top + 1)) <= slack && against(list.slice(top).map((v) => -v)) <= slack;
      };
      return { distance: law('euclidean'), 'cosine distance': law('cosine'), 'dot product': law('dot', true), norm: law('norm', true) };
    };
    const unseen = {};
    for (const name of names) {
      await page.locator(`#nets input[value="${name}"]`).check();
      await settled(page);
      const said = await page.textContent('#net-said');
      const variants = [...new Set(rows.filter((row) => row.replay === name).map((row) => row.variant))].filter((v) => !/kernel/.test(v));
      const missing = variants.flatMap((variant) => Object.entries(seen(name, variant)).filter(([, is]) => !is).map(([law]) => law));
      unseen[name] = missing;
      assert.equal((said.match(/\(it /g) ?? []).length, missing.length, `${name}: ${said}`);
      for (const law of missing) assert.ok(said.includes(`${law} (it`), `${name}: ${said}`);
      assert.equal(await page.locator('#networks .story .here').count(), 1);
      assert.equal(await page.textContent('#net-command'), csv.match(new RegExp(`^# ${name}: (.*)$`, 'm'))[1]);
      // Every line has its eight points, and the bold one of a single network three faint ones beside it.
      const lines = await page.locator('#net-curves .chart').evaluateAll((all) => all.map((svg) => [...svg.querySelectorAll('path.v0, path.v1, path.v2')].map((p) => p.getAttribute('d').split(/[ML]/).length - 1)));
      assert.equal(lines.length, 5);
      for (const list of lines) assert.ok(list.length >= 2 && list.every((n) => n === 8), `${name}: ${JSON.stringify(lines)}`);
    }
    assert.deepEqual(unseen, { theory: [], digits: [], cnn: ['cosine distance'], smoothing: [], head: [], partial: [], scale: [], rate: ['dot product', 'norm'] });
    // Numbers in the texts.
    const distances = (variant) => rows.filter((row) => row.replay === 'theory' && row.variant === variant).map((row) => Number(row.euclidean));
    const network = distances('digits mlp');
    const off = (variant) => distances(variant).reduce((sum, v, i) => sum + Math.abs(v - network[i]), 0) / network.reduce((a, b) => a + b);
    const factor = (variant) => distances(variant).reduce((a, b) => a + b) / network.reduce((a, b) => a + b);
    assert.equal(Math.round(100 * off('digits mlp, full kernel')), 5);
    assert.ok(Math.abs(factor('digits mlp, mean kernel') - 0.5) < 0.1, `${factor('digits mlp, mean kernel')}`);
    const accuracy = mean('theory', 'digits mlp', 'held_out_accuracy');
    assert.equal(Math.max(...accuracy), accuracy[0], 'the longest probing is the most accurate');
    const [whole, part] = [mean('digits', 'digits mlp', 'euclidean'), mean('partial', 'digits mlp, 1 of its layers in the head', 'euclidean')];
    assert.ok(part.every((v, i) => v < whole[i] / 2), 'less than half as far');
    assert.ok(mean('smoothing', 'ε = 0.3', 'aie')[0] > 5 * mean('digits', 'digits mlp', 'aie')[0], 'smoothing leaves energy');
    assert.ok(mean('scale', 'scale 4', 'euclidean').slice(1, -1).every((v, i) => v < whole[i + 1]), 'a large head moves less');
  }));

test('every principle has links that show it', () =>
  on(site, '', async (page) => {
    assert.equal(await page.locator('#practice .home > li').count(), 5);
    const links = await page.locator('#practice a:not(.t)').evaluateAll((all) => [...new Set(all.map((a) => a.getAttribute('href')))]);
    assert.ok(links.length >= 10);
    for (const link of links) {
      await on(site, link, async (there) => {
        assert.ok(await there.locator('#notice').isHidden(), `${link}: ${await there.textContent('#notice')}`);
        const { hash, searchParams } = new URL(link, site.url);
        const { top } = await there.locator(`main > section${hash}`).evaluate((e) => e.getBoundingClientRect());
        assert.ok(top < 900, link);
        if (searchParams.has('net')) assert.ok(await there.locator(`#nets input[value="${searchParams.get('net')}"]`).isChecked(), link);
      });
    }
  }));

test('the note beyond one sample is a page: whole, with pictures, links and contents, also on a phone and on paper', async () => {
  const note = await readFile(here('../../docs/beyond-one-sample.md'), 'utf8');
  const context = await site.browser.newContext({ colorScheme: 'dark', viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('response', (response) => response.status() >= 400 && wrong.push(response.url()));
  await page.goto(`${site.url}teach.html`);
  await page.click('a[href="beyond.html"]');
  await page.waitForURL(/beyond\.html$/);
  // Every heading and every word of its text, in their order.
  assert.deepEqual((await page.locator('h1, h2').allTextContents()).map(squeezed), [...note.matchAll(/^##? (.*)$/gm)].map(([, heading]) => heading));
  assert.equal(await page.locator('main > nav a').count(), [...note.matchAll(/^## /gm)].length);
  const letters = (text) => text.replace(/[^\p{L}\p{N}]/gu, '');
  const shown = letters(await page.evaluate(() => {
    const main = document.querySelector('main').cloneNode(true);
    for (const e of main.querySelectorAll('svg, style, nav, h2 + .small, main > p:first-child')) e.remove();
    return main.textContent;
  }));
  const plain = letters(note.replace(/<picture>.*?<\/picture>/g, '').replace(/\]\(.*?\)/g, '').replace(/^\|[-|]*$/gm, ''));
  for (let i = 0; i + 60 <= plain.length; i += 60) assert.ok(shown.includes(plain.slice(i, i + 60)), plain.slice(i, i + 60));
  assert.doesNotMatch(await page.textContent('main'), /\\\(|\\\[|@@|\*\*|\]\(/);
  // Pictures are drawn, in the colours of the screen and light on paper.
  const pictures = page.locator('figure svg');
  assert.equal(await pictures.count(), [...note.matchAll(/<picture>/g)].length);
  const ground = () => pictures.evaluateAll((all) => all.map((svg) => getComputedStyle(svg.querySelector('polygon')).fill));
  assert.ok((await ground()).every((fill) => fill !== 'rgb(255, 255, 255)'), `${await ground()}`);
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  assert.ok((await ground()).every((fill) => fill === 'rgb(255, 255, 255)'), `${await ground()}`);
  await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
  assert.ok((await pictures.evaluateAll((all) => all.map((svg) => svg.getBoundingClientRect().height))).every((height) => height > 200));
  // Links lead somewhere, those into the theorems, too.
  const links = await page.locator('main a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  const dead = await page.evaluate((links) => links.filter((link) => link.startsWith('#') && !document.getElementById(link.slice(1))), links);
  assert.deepEqual(dead, []);
  assert.ok(links.includes('#example-8') && links.includes('#T27') && links.includes('theorems.html#T27'));
  const outside = [...new Set(links.filter((link) => link.startsWith('theorems.html#')).map((link) => link.split('#')[1]))];
  const theorems = await readFile(here('../dist/theorems.html'), 'utf8');
  assert.deepEqual(outside.filter((id) => !theorems.includes(`<section id="${id}"`)), []);
  assert.ok(theorems.includes('href="beyond.html"'), 'the page of theorems leads there');
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, 'tables and formulas scroll, and not the page');
  await page.evaluate(await readFile(here('../node_modules/axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), []);
  assert.deepEqual(wrong, []);
  await context.close();
});
