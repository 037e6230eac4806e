// The page as a whole: address, keyboard, screen readers, looks, files to save, embedding.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TASKHEAD, close, drop, npz, on, opening, overlaps, problem, ready, saved, settled, shown, slide, start, staticHost, table, visit } from './harness.js';

const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const SHOTS = new URL('../build/screens/', import.meta.url).pathname;
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

let site;
before(async () => (site = await start()));
after(() => site.stop());

/** Scrolls through the page, so that every figure is drawn; from then on all of it is laid out, for looks and
 * for axe. */
async function readThrough(page) {
  for (const id of ['draw', 'energy', 'motion', 'laws', 'downstream', 'many', 'entropy', 'networks', 'practice', 'own', 'end']) await visit(page, id);
  await page.evaluate(() => {
    scrollTo({ top: 0, behavior: 'instant' });
  });
}

test('every setting survives the way through the address', () =>
  on(site, '', async (page) => {
    const changes = { target: 1.6, across: 1.1, start: 0.25, probe: 60, time: 11, ptau: 40, decay: 1.3, smoothing: 0.15, pseed: 9, kernel: 0.8, angle: -70, length: 1.5, ftau: 30, phi: 0.3, size: 0.75, rseed: 4, samples: 6, width: 20, outputs: 3, spectrum: 0.7, rate: 3, seed: 5, seeds: 2, way: 0.35 };
    for (const [id, value] of Object.entries(changes)) await slide(page, id, value);
    for (const name of ['loss', 'mloss']) await page.locator(`input[name="${name}"][value="cross-entropy"]`).evaluate((e) => e.click());
    await slide(page, 'until', 0.2);
    await page.locator('input[name="net"][value="cnn"]').check();
    await page.locator('#q-energy1 input[value="b"]').check();
    await settled(page);
    const address = page.url().slice(site.url.length);
    const numbers = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('output[data-value]')].filter((o) => o.htmlFor.length).map((o) => [o.htmlFor.value, o.dataset.value])));
    const [before, figure] = [await numbers(page), await opening(page)];
    assert.equal(Object.keys(before).length, 25);
    await on(site, address, async (copy) => {
      assert.deepEqual(await numbers(copy), before);
      assert.deepEqual(await opening(copy), figure);
      for (const name of ['loss', 'mloss']) assert.ok(await copy.locator(`input[name="${name}"][value="cross-entropy"]`).isChecked(), name);
      assert.ok(await copy.locator('input[name="net"][value="cnn"]').isChecked(), 'the network');
      assert.ok(await copy.locator('#q-energy1 input[value="b"]').isChecked(), 'answers, too');
    });
    await page.click('#reset');
    await settled(page);
    assert.equal(new URL(page.url()).search, '', 'a reset page has a bare address');
    await on(site, '', async (fresh) => {
      await settled(fresh);
      assert.deepEqual(await numbers(page), await numbers(fresh));
    });
  }));

test('the reset of the opening figure leaves the chapters alone', () =>
  on(site, '?w=1.5&decay=1.7', async (page) => {
    await page.locator('#opening details.more > summary').click();
    await page.click('#opening-reset');
    await settled(page);
    assert.equal(new URL(page.url()).search, '?decay=1.7&v=2');
  }));

test('a chapter in the address is where the page opens', () =>
  on(site, '?w=1.5#laws', async (page) => {
    await page.waitForFunction(() => document.querySelector('.bar a[aria-current]')?.hash === '#laws');
    await settled(page);
    assert.match(page.url(), /\?y=1&w=1\.5&tau=0\.4&v=2#laws$/);
    const top = await page.locator('#laws').evaluate((e) => e.getBoundingClientRect().top);
    assert.ok(Math.abs(top) < 300, `${top}`);
    await page.click('.bar a[href="#motion"]');
    await page.waitForFunction(() => location.hash === '#motion');
  }));

test('a wrong address is told, and the rest of it is used', () =>
  on(site, '?w=9&tau=soon&a=-2&y=1.5&colour=red', async (page) => {
    const notice = await page.textContent('#notice');
    for (const part of ['“w=9” is not valid', 'from 0 to 3', '“tau=soon”', '“a=-2” is not valid', 'no setting “colour”']) assert.ok(notice.includes(part), `${part} in: ${notice}`);
    assert.equal(await page.locator('output[for="target"]').evaluate((e) => e.dataset.value), '1.5');
    assert.equal(await page.locator('output[for="across"]').evaluate((e) => e.dataset.value), '0.6');
  }));

test('everything works by keyboard alone', () =>
  on(site, '?y=1&tau=0.4&v=2', async (page) => {
    const tabTo = async (selector) => {
      for (let i = 0; i < 120; i++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
      }
      assert.fail(`Tab never reaches ${selector}`);
    };
    const first = await opening(page);
    await tabTo('[data-handle="head"]');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowRight');
    const moved = await opening(page);
    close(moved.energy, first.energy - 0.02, 1e-9, 'an arrow key moves the tip by 0.02');
    close(await page.locator('output[for="across"]').evaluate((e) => Number(e.dataset.value)), 0.62, 1e-12, 'and so did the one before');
    assert.notEqual(moved.euclidean, first.euclidean);
    await tabTo('#probe');
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    assert.ok((await opening(page)).energy < moved.energy);
    await tabTo('#step');
    await page.keyboard.press('Enter');
    await settled(page);
    assert.equal(await page.locator('#time-shown').evaluate((e) => e.dataset.value), '0');
    await tabTo('#opening details.more > summary');
    await page.keyboard.press('Enter');
    await tabTo('#target');
    await page.keyboard.press('ArrowRight');
    await settled(page);
    close(await page.locator('output[for="target"]').evaluate((e) => Number(e.dataset.value)), 1.05, 1e-12, 'target');
    await tabTo('#q-opening1 input');
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await settled(page);
    assert.ok(await page.locator('#q-opening1 .feedback[data-right]').isVisible());
    await page.evaluate(() => document.getElementById('laws').scrollIntoView({ behavior: 'instant' }));
    await page.waitForSelector('#phase [data-law]');
    await tabTo('[data-law="0"]');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    await settled(page);
    close(await shown(page, 'phase-y'), 1, 1e-9, 'y after one step back');
    close(await shown(page, 'phase-w'), 0.62 * 1.1, 1e-9, 'w after one step up');
    await tabTo('#file');
  }));

test('what figures show is said in words', () =>
  on(site, '?y=1&tau=0.4&v=2', async (page) => {
    await slide(page, 'probe', 100);
    await page.waitForFunction(() => document.querySelector('#opening-said').textContent.includes('energy is 0.800'));
    const { euclidean } = await opening(page);
    assert.ok((await page.textContent('#opening-said')).includes(`moved by ${euclidean.toFixed(3)}`));
    await readThrough(page);
    const labels = await page.locator('svg.chart, svg.plane').evaluateAll((all) => all.filter((svg) => svg.checkVisibility()).map((svg) => svg.getAttribute('aria-label') ?? ''));
    assert.ok(labels.length >= 34, `${labels.length} figures`);
    for (const label of labels) assert.ok(label.length > 20, `a figure says no more than “${label}”`);
    assert.match(labels[1], /^Distance .* it rises\. Now \d/);
    assert.match(await page.getAttribute('#probe', 'aria-valuetext'), /^probing time 0\.693, energy 0\.800 left$/);
  }));

for (const [name, options] of [
  ['desktop', {}],
  ['desktop-dark', { colorScheme: 'dark' }],
  ['phone', PHONE],
  ['phone-dark', { ...PHONE, colorScheme: 'dark' }],
  ['reduced-motion', { reducedMotion: 'reduce' }],
]) {
  test(`${name}: nothing overlaps, nothing is cut off, and axe finds nothing`, () =>
    on(site, '', async (page) => {
      await readThrough(page);
      await mkdir(SHOTS, { recursive: true });
      await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
      // Not innerWidth: on a phone it grows with a page that is too wide.
      const { width } = page.viewportSize();
      const wide = (await page.evaluate(() => document.documentElement.scrollWidth)) - width;
      assert.ok(wide <= 0, `the page is ${wide} px wider than the window`);
      assert.deepEqual(await page.evaluate(overlaps, width), []);
      await page.locator('main details').evaluateAll((all) => all.forEach((d) => (d.open = true)));
      await page.locator('.quiz').evaluateAll((all) => all.forEach((q) => q.querySelector('input').click()));
      await settled(page);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      assert.deepEqual(violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), []);
    }, options));
}

test('formulas are whole: roots and braces are drawn', () =>
  on(site, '', async (page) => {
    const drawn = await page.locator('.katex svg path').evaluateAll((all) => all.map((p) => [getComputedStyle(p).fill, p.getBoundingClientRect().width]));
    assert.ok(drawn.length >= 4, 'a root and three braces');
    for (const [fill, width] of drawn) assert.ok(fill !== 'none' && width > 5, `${fill}, ${width} px wide`);
    const fonts = await page.evaluate(() => document.fonts.ready.then((set) => [...set].filter((f) => f.status === 'loaded').map((f) => f.family)));
    for (const name of ['KaTeX_Main', 'KaTeX_Math', 'KaTeX_Size2']) assert.ok(fonts.includes(name), name);
  }));

test('formulas look as KaTeX has them, with no more of its style than they need', async () => {
  const whole = (await readFile(new URL('../node_modules/katex/dist/katex.min.css', import.meta.url), 'utf8')).replace(/@font-face\{.*?\}/g, '');
  for (const name of ['', 'teach.html', 'slides.html']) {
    const context = await site.browser.newContext();
    const page = await context.newPage();
    await page.goto(site.url + name);
    if (name === '') await page.waitForSelector('html[data-ready]');
    const [before, after] = await page.evaluate(async (whole) => {
      await document.fonts.ready;
      for (const e of document.querySelectorAll('details')) e.open = true;
      // One after the other, each in a place of its own: nothing else on the page moves them.
      const places = () => [...document.querySelectorAll('.katex')].map((formula) => {
        const copy = document.body.appendChild(document.createElement('div'));
        copy.style = 'position:absolute;left:0;top:0;width:60rem';
        copy.append(formula.cloneNode(true));
        const boxes = [...copy.querySelectorAll('.katex-html, .katex-html *')].map((e) => [e.getAttribute('class') ?? e.tagName, ...['x', 'y', 'width', 'height'].map((k) => e.getBoundingClientRect()[k].toFixed(2)), getComputedStyle(e).fill].join(' '));
        copy.remove();
        return boxes;
      });
      const before = places();
      document.head.insertAdjacentHTML('afterbegin', `<style>${whole}</style>`);
      return [before, places()];
    }, whole);
    assert.ok(before.length > 10, name);
    assert.deepEqual(before, after, name);
    const fills = await page.locator('.katex svg path').evaluateAll((all) => all.map((path) => getComputedStyle(path).fill));
    assert.ok(fills.every((fill) => fill !== 'none'), `${name}: ${fills}`);
    await context.close();
  }
});

test('each font has the characters that formulas draw with it', async () => {
  for (const name of ['', 'teach.html', 'slides.html']) {
    const context = await site.browser.newContext();
    const page = await context.newPage();
    await page.goto(site.url + name);
    if (name === '') await page.waitForSelector('html[data-ready]');
    const { checked, lacking } = await page.evaluate(async () => {
      await Promise.all([...document.fonts].map((font) => font.load()));
      const used = new Map();
      for (const root of document.querySelectorAll('.katex-html')) {
        const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
          const { fontFamily, fontStyle } = getComputedStyle(walk.currentNode.parentElement);
          const family = fontFamily.split(',')[0];
          for (const character of walk.currentNode.textContent.replace(/[\s\u200b]/g, '')) used.set(`${fontStyle} ${family} ${character}`, { family, fontStyle, character });
        }
      }
      // A character that its font lacks comes from another one, of another width.
      const pen = document.createElement('canvas').getContext('2d');
      const width = (style, family, character) => {
        pen.font = `${style} 200px ${family}`;
        return pen.measureText(character).width;
      };
      const lacking = [...used.values()].filter(({ family, fontStyle, character }) => !/^"?KaTeX_/.test(family)
        || ['serif', 'monospace', 'sans-serif'].some((other) => width(fontStyle, `${family}, ${other}`, character) !== width(fontStyle, `${family}, cursive`, character)));
      return { checked: used.size, lacking: lacking.map(({ family, character }) => `${family} ${character}`) };
    });
    assert.ok(checked > 30, `${name}: ${checked} characters`);
    assert.deepEqual(lacking, [], name);
    await context.close();
  }
});

test('figures and data can be saved', () =>
  on(site, '?y=1&tau=0.4&v=2', async (page) => {
    await page.locator('#opening details.more').evaluate((e) => (e.open = true));
    await visit(page, 'many');
    await drop(page, 'own.npz', npz(problem()));
    await settled(page);
    for (const [id, texts] of [['opening-svg', 'energy E'], ['curves-svg', 'E = y'], ['many-svg', 'share of energy'], ['own-svg', 'energy E (AIE)']]) {
      const svg = await saved(page, id);
      assert.ok(svg.startsWith('<svg xmlns=') && svg.includes(texts), `${id}: ${svg.slice(0, 400)}`);
      assert.doesNotMatch(svg, /class=|var\(/, id);
      const parsed = await page.evaluate((text) => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent ?? '', svg);
      assert.equal(parsed, '');
    }
    const rows = table(await saved(page, 'opening-csv'));
    assert.deepEqual(Object.keys(rows[0]), ['energy', 'euclidean', 'cosine', 'dot', 'norm']);
    assert.deepEqual([rows[0].energy, rows[0].euclidean, rows[80].energy], [0, 0, 2]);
    close(rows[0].norm, 1, 1e-12, 'norm without energy');
  }));

test('the link of a situation can be copied', () =>
  on(site, '?w=1.5', async (page) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.click('#copy');
    await page.waitForFunction(() => document.querySelector('#copy').textContent === 'Link copied');
    await settled(page);
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
    assert.match(page.url(), /w=1\.5/);
  }));

test('each part can be embedded in another page', async () => {
  const parts = { opening: '#plane svg', energy: '#energy-curve svg', motion: '#forces svg', laws: '#phase svg', downstream: '#risk svg', many: '#many-curves svg', entropy: '#clock-outputs svg', networks: '#net-curves svg', own: '#drop' };
  for (const [part, figure] of Object.entries(parts)) {
    await on(site, `?embed=${part}&kernel=0.9`, async (page) => {
      await settled(page);
      assert.ok(await page.locator(figure).first().isVisible(), figure);
      for (const other of ['.bar', 'footer', ...Object.values(parts).filter((f) => f !== figure)]) assert.ok(await page.locator(other).first().isHidden(), `${other} beside ${part}`);
      if (part !== 'motion') return;
      assert.equal(await page.locator('output[for="kernel"]').evaluate((e) => e.dataset.value), '0.9');
      await slide(page, 'kernel', 0.4);
      assert.match(page.url(), /embed=motion/);
    });
  }
  await on(site, '?embed=nothing', async (wrong) => assert.match(await wrong.textContent('#notice'), /no part “nothing”/));
});

test('every link that README.md prepares is valid', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const links = [...readme.matchAll(/`(\?[^`]*)`/g)].map(([, link]) => link).filter((link) => link.includes('&') || link.includes('#') || link.includes('tau'));
  assert.ok(links.length >= 12, `${links.length} links`);
  for (const link of links) {
    await on(site, link, async (page) => {
      assert.ok(await page.locator('#notice').isHidden(), `${link}: ${await page.textContent('#notice')}`);
      const { hash } = new URL(link, site.url);
      if (hash) assert.ok(await page.locator(`main > section${hash}`).isVisible(), link);
    });
  }
});

test('every chapter asks at least two questions, and answers each choice at once', () =>
  on(site, '', async (page) => {
    for (const part of ['opening', 'energy', 'motion', 'laws', 'downstream', 'many', 'entropy', 'networks', 'practice']) {
      const questions = page.locator(`#${part} fieldset.quiz`);
      const count = await questions.count();
      assert.ok(count >= 2, `${part} asks ${count}`);
      for (let i = 0; i < count; i++) {
        const question = questions.nth(i);
        const choices = await question.locator('input').count();
        assert.equal(await question.locator('.feedback').count(), choices);
        assert.equal(await question.locator('.feedback[data-right]').count(), 1, 'one is right');
        assert.equal(await question.locator('.feedback:not([hidden])').count(), 0, 'hidden at first');
        for (let c = 0; c < choices; c++) {
          await question.locator('input').nth(c).check();
          await settled(page);
          const feedback = question.locator('.feedback:not([hidden])');
          assert.equal(await feedback.count(), 1);
          const right = (await feedback.getAttribute('data-right')) !== null;
          assert.equal(await feedback.getAttribute('data-verdict'), right ? 'Right.' : 'Not quite.');
          assert.equal(await question.getAttribute('data-answered'), right ? 'right' : 'wrong');
          assert.ok((await feedback.textContent()).length > 40);
        }
      }
    }
    assert.match(new URL(page.url()).searchParams.get('q'), /opening1c\.opening2c\.energy1c/);
  }));

test('all that the page loads, with the theorems, is smaller than 500 kB, compressed', async () => {
  const dist = new URL('../dist/', import.meta.url);
  const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((f) => f.isFile() && !/^(teach|worksheet|quiz|slides|beyond)/.test(f.name));
  const sizes = await Promise.all(files.map(async (f) => gzipSync(await readFile(`${f.parentPath ?? f.path}/${f.name}`), { level: 9 }).length));
  const total = sizes.reduce((a, b) => a + b);
  assert.ok(files.length > 10 && total < 500_000, `${total} bytes in ${files.length} files`);
});

test('it works from any static host', async () => {
  const host = await staticHost();
  try {
    await on({ ...site, url: host.url }, '?w=1.1#laws', async (page) => {
      await settled(page);
      assert.ok((await opening(page)).euclidean > 0.1);
      assert.match(await page.textContent('#phase-source'), /^Proved/);
      await page.locator('#laws a.t').first().click();
      await page.waitForURL(`${host.url}theorems.html?**`);
      await page.getByText('The explorer').click();
      await page.waitForURL(`${host.url}?**`);
      await ready(page);
    });
  } finally {
    await host.stop();
  }
});

test('once loaded it works without any network', async () => {
  const host = await staticHost();
  await on({ ...site, url: host.url }, '', async (page) => {
    await settled(page);
    await page.context().setOffline(true);
    await host.stop();
    await readThrough(page);
    assert.match(await page.textContent('#phase-source'), /^Proved/);
    assert.match(await page.textContent('#risk-said'), /best is/);
    assert.match(await page.textContent('#many-said'), /Band: 8 seeds/);
    await drop(page, 'own.npz', npz(problem(), { level: 6 }));
    await settled(page);
    assert.match(await page.textContent('#own-said'), /N = 3, h = 4, k = 2/);
    assert.ok((await saved(page, 'own-svg')).startsWith('<svg'));
  });
});

test('every theorem number leads to its statement and its check', () =>
  on(site, '', async (page) => {
    const links = await page.locator('a.t').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    assert.ok(links.length > 12);
    await page.goto(`${site.url}theorems.html`);
    for (const link of new Set(links)) assert.equal(await page.locator(new URL(link, site.url).hash).count(), 1, link);
    const law = await page.textContent('#T10_distance_law');
    assert.match(await page.textContent('#hypotheses'), /conjecture A[^]*taskhead simulate cases\/C1-1-violation-1\.npz/);
    assert.ok(await page.locator('#hypotheses svg').evaluate((picture) => picture.getBoundingClientRect().width > 300 && picture.querySelectorAll('path').length > 16));
    assert.match(law, /Theorem T10_distance_law[^]*dist2T[^]*DistanceLaw\.v[^]*taskhead verify T10/);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map((v) => v.id), []);
  }));

test('the command carries the page inside', { skip: process.env.CARRIED ? false : 'CARRIED is set where the command was built with its feature page' }, async () => {
  const dist = new URL('../dist/', import.meta.url);
  const program = await readFile(TASKHEAD);
  const server = spawn(TASKHEAD, ['explore', '--no-open', '--quiet'], { cwd: tmpdir() });
  try {
    const url = await new Promise((resolve, reject) => {
      server.stdout.once('data', (text) => resolve(String(text).trim()));
      server.on('exit', (code) => reject(new Error(`it ends with ${code}`)));
    });
    const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((f) => f.isFile()).map((f) => `${f.parentPath ?? f.path}/${f.name}`);
    assert.ok(files.length > 15);
    for (const name of files) {
      const bytes = await readFile(name);
      const path = name.replaceAll('//', '/').slice(dist.pathname.length);
      const answer = Buffer.from(await (await fetch(url + path)).arrayBuffer());
      assert.ok(answer.equals(bytes), path);
      assert.ok(program.includes(bytes), `${path} is a part of the program`);
    }
  } finally {
    server.kill();
  }
});

test('the page in one file opens from a folder, and needs nothing else', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => /^(blob|data):/.test(request.url()) || request.url().endsWith('taskhead-explorer.html?y=1.4&seeds=2') || wrong.push(request.url()));
  await page.goto(`${new URL('../handout/taskhead-explorer.html', import.meta.url).href}?y=1.4&seeds=2`);
  await ready(page);
  assert.ok((await opening(page)).euclidean > 0.1);
  await visit(page, 'many');
  assert.match(await page.textContent('#many-said'), /Band: 2 seeds/);
  assert.match(await page.textContent('#digits-said'), /^Distance: rises/);
  await visit(page, 'laws');
  assert.match(await page.textContent('#phase-source'), /^Proved/);
  await drop(page, 'own.npz', npz(problem(), { level: 6 }));
  await settled(page);
  assert.match(await page.textContent('#own-said'), /N = 3, h = 4, k = 2/);
  await slide(page, 'across', 1.2);
  assert.match(page.url(), /w=1\.2/);
  await page.locator('#laws a.t').first().click();
  assert.match(await page.locator(`[id="${new URL(page.url()).hash.slice(1)}"]`).textContent(), /Theorem|Lemma|machine-checked/);
  assert.deepEqual(wrong, []);
  await context.close();
});
