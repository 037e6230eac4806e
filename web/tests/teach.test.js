// The page for teachers: its texts, the worksheet, the questions for learning platforms.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import gift from 'gift-pegjs';
import { after, before, test } from 'node:test';
import { close, on, rankOne, settled, start } from './harness.js';

const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let site;
before(async () => (site = await start()));
after(() => site.stop());

/** Opens the teachers' page as it is. */
async function teachers(address, body) {
  const context = await site.browser.newContext({ viewport: { width: 1100, height: 900 } });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => request.url().startsWith(site.url) || wrong.push(request.url()));
  await page.goto(`${site.url}teach.html${address}`);
  await page.waitForSelector('html[data-ready]');
  await body(page);
  assert.deepEqual(wrong, []);
  await context.close();
}

test('the page for teachers has all its parts, and axe finds nothing', () =>
  teachers('', async (page) => {
    const titles = await page.locator('h2').allTextContents();
    for (const part of ['What the lesson is for', 'Plan for 45 minutes', 'Plan for 90 minutes', 'What students often think', 'On the board', 'Worksheet', 'Slides', 'Questions', 'Glossary', 'Assignment']) assert.ok(titles.some((t) => t.startsWith(part)), part);
    assert.ok((await page.locator('.katex').count()) > 30, 'formulas are drawn');
    assert.doesNotMatch(await page.textContent('main'), /\\\(|\\\[|@@/);
    const dead = await page.locator('nav a').evaluateAll((all) => all.filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash));
    assert.deepEqual(dead, []);
    await page.locator('#solved').evaluate((e) => (e.open = true));
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), []);
  }));

test('its links into the explorer are valid', async () => {
  let links;
  await teachers('', async (page) => (links = await page.locator('main a[href^="./?"], main a[href^="./#"]').evaluateAll((all) => [...new Set(all.map((a) => a.getAttribute('href').slice(2)))])));
  assert.ok(links.length >= 8, `${links.length}`);
  for (const link of links) {
    await on(site, link, async (page) => {
      assert.ok(await page.locator('#notice').isHidden(), link);
      const { hash } = new URL(link, site.url);
      if (hash) assert.equal(await page.locator(`main > section${hash}`).count(), 1, link);
      await settled(page);
    });
  }
});

test('the worksheet is drawn from its seed, with the solutions of the native command', () =>
  teachers('?seed=7', async (page) => {
    const [exercises, solutions] = [await page.locator('#exercises li').allTextContents(), await page.locator('#solutions li').allTextContents()];
    assert.deepEqual([exercises.length, solutions.length], [6, 6]);
    const number = (text) => Number(text.replace('−', '-'));
    const [, a, w, y] = exercises[0].match(/v = \(([−\d.]+), ([\d.]+)\) and the target y = (\d+\.\d)\./).map(number);
    const native = await rankOne(site, { y, a, w }, '--probe', '0');
    close(number(solutions[2].match(/\|z\| = ([\d.]+)\.$/)[1]), native.adaptation.norm, 5e-4, 'norm');
    const [, distance, cosine, dot] = solutions[3].match(/distance ([\d.]+), cosine distance ([\d.]+), dot product ([−\d.]+)\./).map(number);
    close(distance, native.adaptation.euclidean, 5.1e-4, 'distance');
    close(cosine, native.adaptation.cosine, 5.1e-4, 'cosine distance');
    close(dot, native.adaptation.dot, 5.1e-4, 'dot product');
    // The σ of the sheet solves its equation.
    const sigma = number(exercises[3].match(/σ = ([\d.]+)/)[1]);
    const m = 1 + a * a + w * w;
    close(m * Math.sinh(2 * sigma) + 2 * a * Math.cosh(2 * sigma), 2 * y, 1e-3, 'σ');
    await page.fill('#seed', '8');
    assert.notDeepEqual(await page.locator('#exercises li').allTextContents(), exercises);
    assert.match(page.url(), /seed=8/);
    await page.fill('#seed', '7');
    assert.deepEqual(await page.locator('#exercises li').allTextContents(), exercises, 'the same seed, the same sheet');
  }));

test('the questions for learning platforms are the questions of the page', () =>
  on(site, '', async (page) => {
    const text = await readFile(new URL('../dist/quiz.gift.txt', import.meta.url), 'utf8');
    const questions = text.split(/\n\n(?=::)/).slice(1);
    const names = await page.locator('fieldset.quiz').evaluateAll((all) => all.map((q) => q.dataset.question));
    assert.deepEqual(questions.map((q) => q.match(/^::(\w+)::/)[1]), names);
    for (const question of questions) {
      const lines = question.trim().split('\n');
      assert.match(lines[0], /^::\w+:: .+ \{$/);
      assert.equal(lines[lines.length - 1], '}');
      const choices = lines.slice(1, -1);
      assert.ok(choices.length >= 2);
      assert.equal(choices.filter((c) => c.startsWith('  =')).length, 1, 'one is right');
      for (const choice of choices) assert.match(choice, /^ {2}[=~](?:[^~=#{}:\\]|\\[~=#{}:\\])+#(?:[^~=#{}:\\]|\\[~=#{}:\\])+$/, 'special characters are escaped');
      assert.doesNotMatch(question, /<\/?\w|&lt;|\[T\d/);
    }
    // A parser of that format which is not ours reads the words that the page shows.
    const shown = await page.locator('fieldset.quiz').evaluateAll((all) => {
      const plain = (e) => {
        const copy = e.cloneNode(true);
        for (const link of copy.querySelectorAll('a.t')) link.remove();
        return copy.textContent.replace(/ +([.,:])/g, '$1').replace(/\s+/g, ' ').trim();
      };
      return all.map((q) => ({
        title: q.dataset.question, stem: plain(q.querySelector('legend')),
        choices: [...q.querySelectorAll('label')].map((label) => ({ text: plain(label), right: label.nextElementSibling.hasAttribute('data-right'), feedback: plain(label.nextElementSibling) })),
      }));
    });
    const read = gift.parse(text).map((q) => {
      assert.equal(q.type, 'MC', q.title);
      return { title: q.title, stem: q.stem.text, choices: q.choices.map((c) => ({ text: c.text.text, right: c.isCorrect, feedback: c.feedback.text })) };
    });
    assert.deepEqual(read, shown);
  }));

test('the slides are one file: nothing is loaded, each fits, keys and notes work, and axe finds nothing', async () => {
  const name = new URL('../dist/slides.html', import.meta.url).href;
  for (const [width, height, colorScheme] of [[1280, 720, 'light'], [1920, 1080, 'dark']]) {
    const context = await site.browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const wrong = [];
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('request', (request) => request.url().startsWith(name) || /^data:/.test(request.url()) || wrong.push(request.url()));
    await page.goto(name);
    const count = await page.locator('section').count();
    assert.ok(count >= 12, `${count} slides`);
    const titles = new Set();
    for (let i = 0; i < count; i++) {
      assert.equal(await page.locator('section:visible').count(), 1);
      titles.add(await page.locator('section:visible :is(h1, h2)').textContent());
      const { high, wide } = await page.evaluate(() => ({ high: document.querySelector('section.now').scrollHeight, wide: document.documentElement.scrollWidth }));
      assert.ok(high <= height && wide <= width, `slide ${i + 1}: ${wide} × ${high}`);
      assert.ok((await page.locator('section blockquote:visible').count()) === 0, 'notes are hidden at first');
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), [], `slide ${i + 1}`);
      await page.keyboard.press('ArrowRight');
    }
    assert.equal(titles.size, count);
    assert.match(page.url(), new RegExp(`#${count}$`), 'the last one stays');
    await page.keyboard.press('t');
    assert.equal(await page.locator('section blockquote:visible').count(), 1);
    await page.keyboard.press('Home');
    assert.match(await page.locator('section:visible h1').textContent(), /How far/);
    assert.ok((await page.locator('section .figures svg').count()) >= 9);
    assert.doesNotMatch(await page.textContent('main'), /\\\(|\\\[|\[figure|NaN|undefined/);
    assert.doesNotMatch(await page.content(), /NaN/);
    assert.deepEqual(wrong, []);
    await context.close();
  }
});
