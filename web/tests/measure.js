// How long an update takes in the browser: `node tests/measure.js` after scripts/build-web.

import { open, settled, start } from './harness.js';

const site = await start();
/** The time below which a share of some times lie. */
const quantile = (times, share) => [...times].sort((a, b) => a - b)[Math.floor(share * (times.length - 1))];

// A real drag: the mouse holds the head's tip and goes round, a hundred moves a second.
const page = await open(site);
await settled(page);
await page.evaluate(() => {
  const seen = (window.seen = { frames: [], updates: 0, times: [] });
  // An update: from the start of the frame's first callback until the browser comes back from layout and painting.
  const channel = new MessageChannel();
  let begun = 0;
  channel.port1.onmessage = () => {
    if (begun) seen.times.push(performance.now() - begun);
    begun = 0;
  };
  const request = window.requestAnimationFrame;
  window.requestAnimationFrame = (callback) => request((now) => {
    if (!begun) {
      begun = performance.now();
      channel.port2.postMessage(null);
    }
    callback(now);
  });
  const tip = document.querySelector('[data-handle="head"]');
  let last = '';
  request(function frame(now) {
    const place = `${tip.getAttribute('cx')} ${tip.getAttribute('cy')}`;
    if (place !== last) seen.updates += 1;
    last = place;
    seen.frames.push(now);
    request(frame);
  });
});
const box = await page.locator('[data-handle="head"]').boundingBox();
const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
const mouse = await page.context().newCDPSession(page);
const send = (type, dx, dy) => mouse.send('Input.dispatchMouseEvent', { type, x: x + dx, y: y + dy, button: 'left', buttons: 1, clickCount: 1 });
const MOVES = 600;
await send('mousePressed', 0, 0);
await page.evaluate(() => Object.assign(window.seen, { frames: [], updates: 0, times: [] }));
const begun = performance.now();
const sent = [];
for (let i = 0; i < MOVES; i++) {
  const turn = (2 * Math.PI * i) / 150;
  sent.push(send('mouseMoved', 60 * Math.cos(turn) - 60, -60 * Math.sin(turn)));
  await new Promise((done) => setTimeout(done, begun + 10 * (i + 1) - performance.now()));
}
await Promise.all(sent);
const { frames, updates, times } = await page.evaluate(() => window.seen);
await send('mouseReleased', 0, 0);
const seconds = (frames[frames.length - 1] - frames[0]) / 1000;
console.log(`a drag of ${MOVES} moves in ${seconds.toFixed(1)} s: ${(updates / seconds).toFixed(1)} updates/s, ${((frames.length - 1) / seconds).toFixed(1)} frames/s; ` +
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
