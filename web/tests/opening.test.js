// The opening figure: its numbers are the engine's, however it is moved.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, frames, on, opening, rankOne, slide, start } from './harness.js';

let site;
before(async () => (site = await start()));
after(() => site.stop());

/** The opening figure shows what the native command says of the same head. */
async function agrees(page, head, time = 'inf') {
  const found = await opening(page);
  const expected = await rankOne(site, head, '--probe', String(found.tau === Infinity ? 'inf' : found.tau), '--time', String(time));
  close(found.energy, expected.energy.aie, 1e-12, 'energy');
  for (const name of ['euclidean', 'cosine', 'dot', 'norm']) close(found[name], expected.adaptation[name], 1e-12, name);
  close(found.backbone, expected.budget.backbone, 1e-12, 'loss spent by the backbone');
  close(found.headshare, expected.budget.head, 1e-12, 'loss spent by the head');
  return found;
}

test('the probing slider shows the numbers of the native command', () =>
  on(site, '', async (page) => {
    const first = await agrees(page, { y: 1, a: -0.6, w: 0.6 });
    await slide(page, 'probe', 50);
    const second = await agrees(page, { y: 1, a: -0.6, w: 0.6 });
    close(second.energy, 1.2, 1e-12, 'three quarters of the energy');
    assert.notEqual(first.euclidean, second.euclidean);
    await slide(page, 'probe', 200);
    const end = await agrees(page, { y: 1, a: -0.6, w: 0.6 });
    assert.deepEqual([end.tau, end.energy, end.euclidean], [Infinity, 0, 0]);
    await slide(page, 'probe', 120);
    const text = await page.locator('output.m0[data-show="euclidean"]').textContent();
    assert.equal(text, (await opening(page)).euclidean.toFixed(3), 'what is read is the number, rounded');
  }));

test('target, head and start sliders show the numbers of the native command', () =>
  on(site, '', async (page) => {
    await slide(page, 'target', 2.2);
    await slide(page, 'across', 1.3);
    await slide(page, 'start', -0.5);
    const found = await agrees(page, { y: 2.2, a: -1.1, w: 1.3 });
    close(found.energy, 3.3 * Math.exp(-0.4), 1e-12, 'energy');
    await slide(page, 'across', 0);
    assert.equal((await agrees(page, { y: 2.2, a: -1.1, w: 0 })).cosine, 0);
  }));

test('the finetuning time slider shows the numbers of the native command', () =>
  on(site, '', async (page) => {
    await slide(page, 'time', 18);
    const t = await page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    assert.ok(t > 0 && t < Infinity, `${t}`);
    const found = await agrees(page, { y: 1, a: -0.6, w: 0.6 }, t);
    assert.ok(found.backbone + found.headshare < found.energy ** 2 / 2 - 1e-3, 'some loss is left');
  }));

test('the tip of the head can be dragged', () =>
  on(site, '', async (page) => {
    const tip = page.locator('[data-handle="head"]');
    const box = await tip.boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 60, y - 70, { steps: 5 });
    await page.mouse.up();
    await frames(page);
    const now = await tip.boundingBox();
    close(now.x - box.x, 60, 0.05, 'the tip goes with the pointer to the right');
    close(now.y - box.y, -70, 0.05, 'and up');
    const w = await page.locator('output[for="across"]').evaluate((e) => Number(e.dataset.value));
    assert.ok(w > 0.8);
    await agrees(page, { y: 1, a: -0.6, w });
    // Further back than the head before probing: that head moves along.
    await page.mouse.move(x + 60, y - 70);
    await page.mouse.down();
    await page.mouse.move(x - 150, y - 70, { steps: 5 });
    await page.mouse.up();
    const found = await opening(page);
    const a = await page.locator('output[for="start"]').evaluate((e) => Number(e.dataset.value));
    assert.equal(found.tau, 0);
    assert.ok(a < -0.6);
    await agrees(page, { y: 1, a, w });
  }));

test('play runs finetuning to its end, and pauses', () =>
  on(site, '', async (page) => {
    const time = () => page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    await page.click('#play');
    await page.waitForFunction(() => Number(document.querySelector('#time-shown').dataset.value) > 0.05 && document.querySelector('#time-shown').dataset.value !== 'Infinity');
    const one = await opening(page);
    assert.equal(await page.locator('#play').textContent(), 'Pause');
    await page.click('#play');
    await frames(page);
    const paused = await time();
    await frames(page);
    assert.equal(await time(), paused, 'it stands still while paused');
    await page.click('#play');
    await page.waitForFunction(() => document.querySelector('#time-shown').dataset.value === 'Infinity', null, { timeout: 15000 });
    await frames(page);
    const end = await agrees(page, { y: 1, a: -0.6, w: 0.6 });
    assert.ok(end.euclidean > one.euclidean);
    assert.equal(await page.locator('#play').textContent(), 'Play');
  }));

test('single steps go forward and back', () =>
  on(site, '', async (page) => {
    const time = () => page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    await page.click('#step');
    await frames(page);
    assert.equal(await time(), 0, 'after the end comes the start');
    assert.equal((await agrees(page, { y: 1, a: -0.6, w: 0.6 }, 0)).euclidean, 0);
    const times = [0];
    for (let i = 0; i < 3; i++) {
      await page.click('#step');
      await frames(page);
      times.push(await time());
      assert.ok(times[i + 1] > times[i]);
    }
    await agrees(page, { y: 1, a: -0.6, w: 0.6 }, times[3]);
    await page.click('#back');
    await frames(page);
    close(await time(), times[2], 1e-12, 'a step back');
  }));

test('with reduced motion play goes to the end at once', () =>
  on(site, '?t=0', async (page) => {
    await page.click('#play');
    await frames(page);
    assert.equal(await page.locator('#time-shown').evaluate((e) => e.dataset.value), 'Infinity');
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), 'auto');
  }, { reducedMotion: 'reduce' }));
