// The opening figure: its numbers are the engine's, however it is moved.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, drag, file, npz, numbers, on, open, opening, rankOne, ready, settled, simulate, slide, start, visit } from './harness.js';

let site;
before(async () => (site = await start()));
after(() => site.stop());

/** The situation that most tests start from: y = 1, and a head that is probed a little. */
const ONCE = '?y=1&tau=0.4&v=2';

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
  on(site, ONCE, async (page) => {
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
  on(site, ONCE, async (page) => {
    await slide(page, 'target', 2.2);
    await slide(page, 'across', 1.3);
    await slide(page, 'start', -0.5);
    const found = await agrees(page, { y: 2.2, a: -1.1, w: 1.3 });
    close(found.energy, 3.3 * Math.exp(-0.4), 1e-12, 'energy');
    await slide(page, 'across', 0);
    assert.equal((await agrees(page, { y: 2.2, a: -1.1, w: 0 })).cosine, 0);
  }));

test('the finetuning time slider shows the numbers of the native command', () =>
  on(site, ONCE, async (page) => {
    await slide(page, 'time', 18);
    const t = await page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    assert.ok(t > 0 && t < Infinity, `${t}`);
    const found = await agrees(page, { y: 1, a: -0.6, w: 0.6 }, t);
    assert.ok(found.backbone + found.headshare < found.energy ** 2 / 2 - 1e-3, 'some loss is left');
  }));

test('the tip of the head can be dragged', () =>
  on(site, ONCE, async (page) => {
    const tip = page.locator('[data-handle="head"]');
    const box = await tip.boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 60, y - 70, { steps: 5 });
    await page.mouse.up();
    await settled(page);
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
  on(site, ONCE, async (page) => {
    const time = () => page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    await page.click('#play');
    await page.waitForFunction(() => Number(document.querySelector('#time-shown').dataset.value) > 0.05 && document.querySelector('#time-shown').dataset.value !== 'Infinity');
    const one = await numbers(page);
    assert.equal(await page.locator('#play').textContent(), 'Pause');
    await page.click('#play');
    await settled(page);
    const paused = await time();
    assert.ok(paused < Infinity, 'it stops on the way');
    await settled(page);
    assert.equal(await time(), paused, 'it stands still while paused');
    await page.click('#play');
    await page.waitForFunction(() => document.querySelector('#time-shown').dataset.value === 'Infinity', null, { timeout: 15000 });
    await settled(page);
    const end = await agrees(page, { y: 1, a: -0.6, w: 0.6 });
    assert.ok(end.euclidean > one.euclidean);
    assert.equal(await page.locator('#play').textContent(), 'Play');
  }));

test('single steps go forward and back', () =>
  on(site, ONCE, async (page) => {
    const time = () => page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    await page.click('#step');
    await settled(page);
    assert.equal(await time(), 0, 'after the end comes the start');
    assert.equal((await agrees(page, { y: 1, a: -0.6, w: 0.6 }, 0)).euclidean, 0);
    const times = [0];
    for (let i = 0; i < 3; i++) {
      await page.click('#step');
      await settled(page);
      times.push(await time());
      assert.ok(times[i + 1] > times[i]);
    }
    await agrees(page, { y: 1, a: -0.6, w: 0.6 }, times[3]);
    await page.click('#back');
    await settled(page);
    close(await time(), times[2], 1e-12, 'a step back');
  }));

test('with reduced motion play goes to the end at once', () =>
  on(site, '?t=0', async (page) => {
    await settled(page);
    const next = await page.evaluate(() => {
      document.querySelector('#play').click();
      return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('#time-shown').dataset.value))));
    });
    assert.equal(next, 'Infinity', 'in the next frame');
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), 'auto');
  }, { reducedMotion: 'reduce' }));

test('what the plane shows is what the numbers say', () =>
  on(site, '?t=0.7', async (page) => {
    const figure = () => page.evaluate(() => {
      const box = (selector) => {
        const e = document.querySelector(`#plane ${selector}`);
        return Object.fromEntries(['x1', 'y1', 'x2', 'y2'].map((name) => [name, e[name].baseVal.value]));
      };
      const end = (selector) => {
        const path = document.querySelector(`#plane ${selector}`);
        const { x, y } = path.getPointAtLength(path.getTotalLength());
        return [x, y];
      };
      const share = [...document.querySelectorAll('#loss > *')].map((e) => Number(e.style.flexGrow));
      return { unit: box('.arrow.z0'), head: box('.arrow.head'), feature: box('.arrow.feature'), energy: box('line.energy'), path: end('path.feature.path'), headPath: end('path.head.path'), share };
    });
    for (const t of [0.7, 0]) {
      if (t === 0) await slide(page, 'time', 0);
      const found = await opening(page);
      const { unit, head, feature, energy, path, headPath, share } = await figure();
      const scale = unit.x2 - unit.x1;
      close((energy.x2 - energy.x1) / scale, found.energy, 1e-6, 'the length of the energy');
      close(Math.hypot(feature.x2 - unit.x2, feature.y2 - unit.y2) / scale, found.euclidean, 1e-6, 'the distance of the feature from z₀');
      close((head.x2 - head.x1) / scale, 1 - found.energy, 1e-6, 'the head along the feature');
      if (t === 0) continue;
      close(Math.hypot(path[0] - feature.x2, path[1] - feature.y2), 0, 0.01, 'the path ends at the feature');
      assert.ok(Math.hypot(headPath[0] - head.x2, headPath[1] - head.y2) > 5, 'the head moves, too');
      const spent = [found.backbone, found.headshare, found.energy ** 2 / 2 - found.backbone - found.headshare];
      spent.forEach((part, i) => close(share[i] / share.reduce((a, b) => a + b), part / (found.energy ** 2 / 2), 1e-5, `part ${i} of the loss`));
    }
  }));

test('each curve has the current point on it', () =>
  on(site, '?t=0.7', async (page) => {
    for (const position of [60, 150]) {
      await slide(page, 'probe', position);
      const found = await opening(page);
      const charts = await page.locator('#curves svg').evaluateAll((all) => all.map((svg) => {
        const dot = svg.querySelector('circle.now');
        const [x, y] = [dot.cx.baseVal.value, dot.cy.baseVal.value];
        const paths = [...svg.querySelectorAll('path[class^="m"]')];
        const path = paths[paths.length - 1];
        const away = Array.from({ length: 3001 }, (_, i) => path.getPointAtLength((path.getTotalLength() * i) / 3000)).map((p) => Math.hypot(p.x - x, p.y - y));
        const rule = svg.querySelector('line.mark').x1.baseVal.value;
        return { x, away: Math.min(...away), rule, lines: paths.length, left: svg.querySelector('clipPath rect').x.baseVal.value + 1 };
      }));
      assert.equal(charts.length, 4);
      for (const { x, away, rule, lines, left } of charts) {
        assert.equal(lines, 2, 'now and in the limit');
        assert.ok(away < 0.5, `the point is ${away} px off its curve`);
        close((x - left) / (rule - left), found.energy, 1e-6, 'the place of the point, in units of y = 1');
      }
    }
  }));

test('a drag draws once a frame, and nothing that is out of sight', () =>
  on(site, ONCE, async (page) => {
    await settled(page);
    await page.evaluate(() => {
      window.drawn = { plane: 0, chapter: 0 };
      const tip = document.querySelector('[data-handle="head"]');
      new MutationObserver((all) => (window.drawn.plane += all.length)).observe(tip, { attributeFilter: ['aria-valuenow'] });
      new MutationObserver((all) => (window.drawn.chapter += all.length)).observe(document.querySelector('#law-curves'), { subtree: true, childList: true, attributes: true });
    });
    const drawn = () => page.evaluate(() => ({ ...window.drawn }));
    const during = await page.evaluate(async () => {
      const slider = document.querySelector('#probe');
      const { port1, port2 } = new MessageChannel();
      let [frames, counting] = [0, true];
      requestAnimationFrame(function frame() {
        frames += 1;
        if (counting) requestAnimationFrame(frame);
      });
      // Each move is an event of its own, but they come faster than frames.
      for (let i = 1; i <= 200; i++) {
        slider.value = String(i % 150);
        slider.dispatchEvent(new Event('input'));
        await new Promise((done) => {
          port1.onmessage = done;
          port2.postMessage(null);
        });
      }
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      counting = false;
      return { ...window.drawn, frames };
    });
    assert.ok(during.plane > 0 && during.plane <= during.frames + 1, `${during.plane} drawings in ${during.frames} frames`);
    assert.ok(during.frames < 100, `the moves were no faster than frames: ${during.frames}`);
    assert.equal(during.chapter, 0, 'the chapter is out of sight');
    await settled(page);
    assert.ok((await drawn()).chapter > 0, 'at rest the chapter is up to date');
    await visit(page, 'laws');
    const seen = await drawn();
    await page.evaluate(async () => {
      const slider = document.querySelector('#probe');
      slider.value = '150';
      slider.dispatchEvent(new Event('input'));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    });
    assert.ok((await drawn()).chapter > seen.chapter, 'in sight it follows at once');
  }));

test('a drag asks the engine once a frame', () =>
  on(site, ONCE, async (page) => {
    // Counts what the page calls in the module of the engine.
    await page.addInitScript(() => {
      window.asked = {};
      const instantiate = WebAssembly.instantiate;
      WebAssembly.instantiate = async (module, imports) => {
        const { exports: own } = await instantiate(module, imports);
        const exports = {};
        for (const [name, of] of Object.entries(own)) {
          exports[name] = typeof of !== 'function' ? of : (...given) => {
            window.asked[name] = (window.asked[name] ?? 0) + 1;
            return of(...given);
          };
        }
        return { instance: { exports }, module };
      };
    });
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    await settled(page);
    await page.evaluate(() => (window.asked = {}));
    const { updates, frames } = await drag(page, 200);
    const { family, scene } = await page.evaluate(() => window.asked);
    assert.ok(updates > 5, `${updates} updates`);
    // The press itself, and the frame that is under way at the end.
    assert.ok(family > 5 && family <= scene && scene <= frames + 2, `${family} families, ${scene} scenes in ${frames} frames`);
  }));

test('the tip can be dragged with a finger', () =>
  on(site, ONCE, async (page) => {
    await settled(page);
    const across = () => page.locator('output[for="across"]').evaluate((e) => Number(e.dataset.value));
    const before = await across();
    const box = await page.locator('[data-handle="head"]').boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const touch = await page.context().newCDPSession(page);
    const send = (type, points) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: points });
    await send('touchStart', [{ x, y }]);
    for (let i = 1; i <= 8; i++) await send('touchMove', [{ x, y: y - 6 * i }]);
    await send('touchEnd', []);
    await settled(page);
    assert.ok((await across()) > before + 0.3, `${before}, then ${await across()}`);
    assert.equal(await page.evaluate(() => scrollY), 0, 'the page does not scroll meanwhile');
  }, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }));

test('under cross-entropy the path is the same and the clock another one', () =>
  on(site, '?y=1.4&w=0.6&a=-0.6&tau=0&v=2', async (page) => {
    const squared = await opening(page);
    const path = () => page.locator('#plane path.feature').getAttribute('d');
    const curve = () => page.locator('#curves path.m0').first().getAttribute('d');
    const [d, distance] = [await path(), await curve()];
    await page.locator('#opening details.more > summary').click();
    await page.click('input[name="loss"][value="cross-entropy"]');
    const found = await opening(page);
    assert.match(page.url(), /loss=cross-entropy/);
    for (const name of ['euclidean', 'cosine', 'dot', 'norm']) close(found[name], squared[name], 1e-10, name);
    close(found.energy, 1 / (1 + Math.exp(-0.6)), 1e-12, 'the probability that the label misses');
    // The same points, by their own way there.
    const ends = (d) => d.match(/-?[\d.]+/g).map(Number);
    const [a, b] = [ends(d), ends(await path())];
    [0, 1, a.length - 2, a.length - 1].forEach((i) => close(b[i < 2 ? i : b.length - (a.length - i)], a[i], 1e-3, 'an end of the path'));
    assert.notEqual(await curve(), distance, 'over another energy');
    const problem = { features: [[1, 0]], kernel: [[1]], targets: [[1]], head: [[-0.6], [0.6]] };
    const file_ = await file(site, 'label.npz', npz(problem));
    const level = Math.log1p(Math.exp(-1.4));
    const native = await simulate(file_, '--probe', '0', '--loss', 'cross-entropy', '--until-loss', String(level));
    for (const name of ['euclidean', 'cosine', 'dot', 'norm']) close(found[name], native.adaptation[name], 1e-9, name);
    const last = await page.locator('#time-shown').evaluate((e) => Number(e.dataset.value));
    close(last, native.time, 1e-9, 'finetuning stops at the time at which the output is y');
    // On the way: both clocks tell the same place.
    await slide(page, 'time', 20);
    const on_way = await opening(page);
    const clocks = await page.evaluate(() => ['clock-squared', 'clock-entropy'].map((name) => Number(document.querySelector(`[data-show="${name}"]`).dataset.value)));
    close(clocks[1], last / 2, 1e-9, 'its own clock');
    await page.click('input[name="loss"][value="squared"]');
    await page.evaluate((t) => {
      // The time of the squared loss at that place.
      history.replaceState(null, '', `?y=1.4&w=0.6&a=-0.6&tau=0&v=2&t=${t}`);
    }, clocks[0]);
    await page.reload();
    await ready(page);
    const same = await opening(page);
    for (const name of ['euclidean', 'cosine', 'dot', 'norm']) close(same[name], on_way[name], 1e-6, `${name} at the same place`);
  }));

test('the loop at the start shows probing and finetuning once, and yields to the first touch', async () => {
  const page = await open(site, '', { demo: true });
  try {
    await page.waitForSelector('html[data-demo]');
    await page.waitForFunction(() => /^Finetuning: head and feature move/.test(document.querySelector('#told').textContent) && Number(document.querySelector('[data-show="euclidean"]').dataset.value) > 0.1);
    assert.equal(await page.getAttribute('#network', 'data-phase'), 'tune');
    assert.equal(new URL(page.url()).search, '', 'the address stays bare');
    const after = await page.evaluate(() => {
      dispatchEvent(new Event('wheel'));
      return document.documentElement.dataset.demo;
    });
    assert.equal(after, undefined, 'it ends at once');
    await settled(page);
    const found = await opening(page);
    close(found.energy, 2, 1e-12, 'all is as if there had been no loop');
    assert.ok(await page.locator('#told').isHidden());
    assert.equal(new URL(page.url()).search, '');
  } finally {
    await page.context().close();
  }
  for (const [address, options] of [['', { reducedMotion: 'reduce' }], ['?y=1.2', {}], ['#laws', {}]]) {
    const quiet = await open(site, address, { demo: true, ...options });
    assert.equal(await quiet.evaluate(() => document.documentElement.dataset.demo), undefined, `${address} ${options.reducedMotion ?? ''}`);
    await quiet.context().close();
  }
});

test('plane, slider and curves are in sight together, also on a phone', async () => {
  await on(site, ONCE, async (page) => {
    await settled(page);
    for (const selector of ['#plane svg', '#probe', '#curves svg >> nth=3', '#time', '#play']) {
      const box = await page.locator(selector).first().boundingBox();
      assert.ok(box.y >= 0 && box.y + box.height <= 768, `${selector}: ${JSON.stringify(box)}`);
    }
  }, { viewport: { width: 1366, height: 768 } });
  await on(site, ONCE, async (page) => {
    await settled(page);
    await page.locator('#curves').evaluate((e) => scrollTo({ top: e.getBoundingClientRect().top + scrollY - 400, behavior: 'instant' }));
    await settled(page);
    for (const selector of ['#plane svg', '#probe', '#curves svg >> nth=1']) {
      const box = await page.locator(selector).first().boundingBox();
      assert.ok(box.y >= 0 && box.y + box.height <= 844, `${selector}: ${JSON.stringify(box)}`);
    }
  }, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
});

test('what is drawn by hand is compared with the curve of the engine', () =>
  on(site, '?y=1.4&w=0.6&a=-1.2&tau=0&v=2#draw', async (page) => {
    await settled(page);
    const sketch = (i) => page.locator('#sketches figure').nth(i);
    assert.equal(await page.locator('#sketches path.m0, #sketches path.m3').count(), 0, 'the curves are hidden');
    assert.ok(await sketch(0).locator('button').isDisabled());
    // Distance: a line that falls from its start to nothing.
    const box = await sketch(0).locator('svg').boundingBox();
    const dot = await sketch(0).locator('circle').boundingBox();
    const [x, y] = [dot.x + dot.width / 2, dot.y + dot.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 14, box.y + box.height - 39, { steps: 12 });
    await page.mouse.up();
    await sketch(0).locator('button').click();
    const said = await sketch(0).locator('[role=status]').textContent();
    const [, score] = said.match(/^(\d+) of 100\. Your curve falls, the engine’s falls: the right shape\./) ?? assert.fail(said);
    assert.ok(score > 60, said);
    assert.equal(await page.locator('#sketches path.m0').count(), 1, 'now the curve is there');
    // By keyboard, and wrong: the norm peaks where the head sees nothing of the feature.
    await sketch(3).locator('select').selectOption('falls, then rises');
    await sketch(3).locator('button').click();
    assert.match(await sketch(3).locator('[role=status]').textContent(), /^\d+ of 100\. Your curve falls, then rises, the engine’s rises, then falls\. The feature is longest/);
    // The address holds both sketches, and what was shown.
    await settled(page);
    const address = page.url();
    await on(site, new URL(address).search + '#draw', async (other) => {
      await settled(other);
      assert.equal(await other.locator('#sketches path.m0').count(), 1);
      const again = await other.locator('#sketches figure').nth(0).locator('[role=status]').textContent();
      const [, now] = again.match(/^(\d+) of 100\. Your curve falls, the engine’s falls: the right shape\./) ?? assert.fail(again);
      assert.ok(Math.abs(now - score) <= 2, again);
      assert.match(await other.locator('#sketches figure').nth(3).locator('[role=status]').textContent(), /Your curve falls, then rises/);
      assert.ok(await other.locator('#sketches figure').nth(1).locator('button').isDisabled(), 'nothing was drawn there');
    });
    // Another head has other curves: what was shown beside the old ones is wiped, from the address, too.
    await page.evaluate(() => document.getElementById('across').scrollIntoView());
    await page.locator('#opening details.more').evaluate((e) => (e.open = true));
    await slide(page, 'across', 1.2);
    await page.locator('#draw').evaluate((e) => e.scrollIntoView({ behavior: 'instant' }));
    await settled(page);
    assert.equal(await page.locator('#sketches path.m0').count(), 0);
    assert.equal(new URL(page.url()).searchParams.get('sketch'), null);
    await page.goto(address);
    await settled(page);
    assert.equal(await page.locator('#sketches path.m0').count(), 1);
    await page.click('#draw-again');
    assert.equal(await page.locator('#sketches path.m0').count(), 0);
  }));
