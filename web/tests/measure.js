// How long an update takes in the browser: `node tests/measure.js` after scripts/build-web.

import { open, start } from './harness.js';

const site = await start();
const page = await open(site);
/** Median and least of some times: on a busy machine the least says more. */
function ms(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)].toFixed(1)} ms (least ${sorted[0].toFixed(1)} ms)`;
}

// Each frame moves the head and waits for everything to be drawn, layout and paint included.
const update = await page.evaluate(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const slider = document.querySelector('#probe');
  const times = [];
  let last = await frame();
  for (let i = 0; i < 240; i++) {
    slider.value = String(i % 200);
    slider.dispatchEvent(new Event('input'));
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  return times;
});
const busy = await page.evaluate(() => {
  const slider = document.querySelector('#across');
  const run = window.requestAnimationFrame;
  const times = [];
  // Without waiting for frames: the work of one update alone.
  let work;
  window.requestAnimationFrame = (next) => (work = next);
  for (let i = 0; i < 200; i++) {
    const begun = performance.now();
    slider.value = String(0.3 + 0.02 * ((i + 1) % 60));
    slider.dispatchEvent(new Event('input'));
    work(begun);
    document.body.getBoundingClientRect();
    times.push(performance.now() - begun);
  }
  window.requestAnimationFrame = run;
  return times;
});
console.log(`dragging: a frame every ${ms(update)}; engine, drawing and layout of an update ${ms(busy)}`);
await page.close();

for (const address of ['?samples=8&width=32&outputs=2&seeds=1#many', '?samples=16&width=64&outputs=2&seeds=1#many']) {
  const larger = await open(site, address);
  await larger.waitForFunction(() => document.querySelector('#many-said').dataset.milliseconds && !document.querySelector('#many-said').dataset.busy, null, { timeout: 60_000 });
  const times = [];
  for (let seed = 1; seed <= 7; seed++) {
    await larger.evaluate((seed) => {
      const said = document.querySelector('#many-said');
      delete said.dataset.milliseconds;
      const slider = document.querySelector('#seed');
      slider.value = String(seed);
      slider.dispatchEvent(new Event('input'));
    }, seed);
    await larger.waitForFunction(() => document.querySelector('#many-said').dataset.milliseconds && !document.querySelector('#many-said').dataset.busy, null, { timeout: 60_000 });
    times.push(await larger.evaluate(() => Number(document.querySelector('#many-said').dataset.milliseconds)));
  }
  console.log(`random problem ${address}: 24 energies in ${ms(times)}, 7 seeds`);
  await larger.close();
}
await site.stop();
