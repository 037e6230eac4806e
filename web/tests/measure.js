// How long an update takes in the browser: `node tests/measure.js` after scripts/build-web.

import { drag, open, quantile, settled, start } from './harness.js';

const site = await start();
const page = await open(site);
await settled(page);
const MOVES = 600;
const { seconds, frames, updates, times } = await drag(page, MOVES);
console.log(`a drag of ${MOVES} moves in ${seconds.toFixed(1)} s: ${(updates / seconds).toFixed(1)} updates/s, ${(frames / seconds).toFixed(1)} frames/s; ` +
  `one update (engine, drawing, layout, painting): median ${quantile(times, 0.5).toFixed(1)} ms, 95 % ${quantile(times, 0.95).toFixed(1)} ms`);
await page.close();

for (const [N, h, k] of [[8, 32, 2], [16, 64, 2]]) {
  const larger = await open(site, `?samples=${N}&width=${h}&outputs=${k}&seeds=1#many`);
  await settled(larger);
  const taken = [];
  for (let seed = 1; seed <= 7; seed++) {
    await larger.evaluate((seed) => {
      const slider = document.querySelector('#seed');
      slider.value = String(seed);
      slider.dispatchEvent(new Event('input'));
    }, seed);
    await settled(larger);
    taken.push(await larger.evaluate(() => Number(document.querySelector('#many-said').dataset.milliseconds)));
  }
  console.log(`random problem N = ${N}, h = ${h}, k = ${k}, 24 energies: median ${quantile(taken, 0.5).toFixed(0)} ms, least ${Math.min(...taken).toFixed(0)} ms of 7 seeds`);
  await larger.close();
}

const maps = await open(site, '#laws');
await settled(maps);
console.log(`the certificate of all four maps: ${(await maps.evaluate(() => Number(document.querySelector('#phase-source').dataset.milliseconds) / 1000)).toFixed(1)} s`);
await site.stop();
