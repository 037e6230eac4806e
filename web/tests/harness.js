// What the browser tests share: the page served by `taskhead explore`, Chromium, native answers.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, firefox } from 'playwright-core';
import { npz } from './files.js';

export { npy, npz, problem, safetensors } from './files.js';

const run = promisify(execFile);
export const TASKHEAD = process.env.TASKHEAD ?? new URL('../../target/release/taskhead', import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
/** Which browser the tests run in: `chromium` or `firefox`, the one that the distribution brings. */
export const BROWSER = process.env.BROWSER ?? 'chromium';
/** The built page. */
const DIST = new URL(process.env.DIST ? `file://${process.env.DIST}/` : '../dist/', import.meta.url);
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts the browser; with more arguments, Chromium only. */
export function launch(...more) {
  if (BROWSER === 'firefox') return firefox.launch({ executablePath: FIREFOX, channel: 'moz-firefox' });
  return chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...more] });
}

/** What a test needs that asks nothing of the native command: the page from any static host, and a browser. */
export async function startStatic() {
  const host = await staticHost();
  const browser = await launch();
  return { url: host.url, browser, stop: async () => [await browser.close(), await host.stop()] };
}

/** Everything that a test needs; `stop` ends it. */
export async function start() {
  const folder = await mkdtemp(join(tmpdir(), 'taskhead-web-'));
  const server = spawn(TASKHEAD, ['explore', '--no-open', '--quiet', '--page', DIST.pathname]);
  const url = await new Promise((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (text) => {
      said += text;
      if (said.includes('\n')) resolve(said.trim());
    });
    server.stderr.on('data', (text) => reject(new Error(String(text))));
    server.on('error', reject);
  });
  const browser = await launch();
  return {
    url,
    folder,
    browser,
    async stop() {
      await browser.close();
      server.kill();
      await rm(folder, { recursive: true });
    },
  };
}

/** Any static host: it serves the page's folder below a path of its own, and knows the types of no files but the
 * oldest; it lacks the files named in `lacks`. */
export async function staticHost(lacks = new Set()) {
  const [path, dist] = ['/lessons/trend/', DIST];
  const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, 'http://host').pathname;
    const inside = name.startsWith(path) && (name.slice(path.length) || 'index.html');
    const bytes = inside && !lacks.has(inside) && (await readFile(new URL(inside, dist)).catch(() => null));
    response.writeHead(bytes ? 200 : 404, { 'Content-Type': types[inside && inside.split('.').pop()] ?? 'application/octet-stream' }).end(bytes || '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}${path}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A page of the explorer that remembers in `page.wrong` everything it should not do. */
export async function open({ browser, url }, address = '', { demo = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('requestfailed', (request) => wrong.push(`failed: ${request.url()}`));
  page.on('response', (response) => response.status() >= 400 && wrong.push(`${response.status()}: ${response.url()}`));
  page.on('request', (request) => /^(blob|data):/.test(request.url()) || request.url().startsWith(url) || wrong.push(`other host: ${request.url()}`));
  page.wrong = wrong;
  await page.goto(url + address);
  if (!demo) await ready(page);
  else await page.waitForSelector('html[data-ready]');
  return page;
}

/** Waits until the page has started; the loop at the start ends at the first touch. */
export async function ready(page) {
  await page.waitForSelector('html[data-ready]');
  await page.evaluate(() => document.documentElement.dataset.demo && dispatchEvent(new Event('pointerdown')));
}

/** Runs `body(page)` on a page of its own, which must not have done anything wrong. */
export async function on(site, address, body, options) {
  const page = await open(site, address, options);
  try {
    await body(page);
  } finally {
    await page.context().close();
  }
  assert.deepEqual(page.wrong, [], 'no console message, failed request or request to another host');
}

/** The full number behind the first element that shows it. */
export const shown = (page, name) => page.locator(`[data-show="${name}"]`).first().evaluate((e) => Number(e.dataset.value));

/** The numbers of the opening figure as they stand. */
export function numbers(page) {
  const names = ['tau', 'energy', 'euclidean', 'cosine', 'dot', 'norm', 'backbone', 'headshare'];
  return page.evaluate((names) => Object.fromEntries(names.map((n) => [n, Number(document.querySelector(`[data-show="${n}"]`)?.dataset.value)])), names);
}

/** The numbers of the opening figure when it has come to rest. */
export async function opening(page) {
  await settled(page);
  return numbers(page);
}

/** Waits until the page shows all that was asked of it; what it may have to notice by itself (a new place, a new width)
 * it notices within two frames. */
export async function settled(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForFunction(() => !document.documentElement.dataset.busy, null, { timeout: 60_000 });
}

/** Scrolls to a part, as by the wheel, so that its figures are drawn: from then on the page no longer keeps its first
 * place. */
export async function visit(page, id) {
  await page.evaluate((id) => {
    dispatchEvent(new Event('wheel'));
    document.getElementById(id).scrollIntoView({ behavior: 'instant' });
  }, id);
  await settled(page);
}

/** Moves a slider as a hand would: focus, value, input event. */
export async function slide(page, id, value) {
  await page.locator(`#${id}`).evaluate((input, value) => {
    input.focus();
    input.value = String(value);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, value);
  await settled(page);
}

/** The answer of the native command, which has to succeed. */
export async function native(...args) {
  const { stdout } = await run(TASKHEAD, args, { maxBuffer: 1e8 });
  return stdout;
}

/** `taskhead simulate` on a problem file. */
export async function simulate(path, ...args) {
  return JSON.parse(await native('simulate', path, '--json', '--quiet', ...args));
}

/** Asserts that two numbers agree to a relative (near zero: absolute) tolerance. */
export function close(found, expected, tolerance, what) {
  const size = Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(found - expected) <= tolerance * size, `${what}: ${found} on the page, ${expected} natively`);
}

/** Writes a file into the folder of the tests. */
export async function file(site, name, bytes) {
  const path = join(site.folder, name);
  await writeFile(path, bytes);
  return path;
}

/** The native answer for one sample with head (a, w) and target y. */
export async function rankOne(site, { y, a, w }, ...args) {
  const path = await file(site, 'rank-one.npz', npz({ features: [[1, 0]], kernel: [[1]], targets: [[y]], head: [[a], [w]] }));
  return simulate(path, ...args);
}

/** Drops a file on the page. */
export async function drop(page, name, bytes) {
  const transfer = await page.evaluateHandle(([name, text]) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name));
    return transfer;
  }, [name, Buffer.from(bytes).toString('base64')]);
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
}

/** The text of the file that a button saves. */
export async function saved(page, id) {
  await page.waitForSelector(`#${id}:enabled`);
  if (BROWSER === 'firefox') {
    // Its driver does not tell of downloads: what the page hands to the browser is read instead.
    return page.evaluate((id) => {
      const { createObjectURL } = URL;
      const { click } = HTMLAnchorElement.prototype;
      return new Promise((done) => {
        URL.createObjectURL = (blob) => {
          Object.assign(URL, { createObjectURL });
          blob.text().then(done);
          return createObjectURL(blob);
        };
        HTMLAnchorElement.prototype.click = () => Object.assign(HTMLAnchorElement.prototype, { click });
        document.getElementById(id).click();
      });
    }, id);
  }
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`#${id}`)]);
  return readFile(await download.path(), 'utf8');
}

/** The rows of a CSV file as objects of numbers and texts. */
export function table(text) {
  const [head, ...rows] = text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(','));
  const value = (v) => (v === 'inf' ? Infinity : v !== '' && !Number.isNaN(Number(v)) ? Number(v) : v);
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, value(row[i])])));
}

/** The time below which a share of some times lie. */
export const quantile = (times, share) => [...times].sort((a, b) => a - b)[Math.floor(share * (times.length - 1))];

/**
 * A real drag: the mouse holds the head's tip and goes round it, a hundred moves a second. Gives the seconds it took,
 * the frames and the updates of the figure in them, and how long each update took: from the start of the frame's first
 * callback until the browser comes back from layout and painting.
 */
export async function drag(page, moves) {
  await page.evaluate(() => {
    const seen = (window.seen = { frames: [], updates: 0, times: [] });
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
  await send('mousePressed', 0, 0);
  await page.evaluate(() => Object.assign(window.seen, { frames: [], updates: 0, times: [] }));
  const [begun, sent] = [performance.now(), []];
  for (let i = 0; i < moves; i++) {
    const turn = (2 * Math.PI * i) / 150;
    sent.push(send('mouseMoved', 60 * Math.cos(turn) - 60, -60 * Math.sin(turn)));
    await new Promise((done) => setTimeout(done, begun + 10 * (i + 1) - performance.now()));
  }
  await Promise.all(sent);
  const { frames, updates, times } = await page.evaluate(() => window.seen);
  await send('mouseReleased', 0, 0);
  return { seconds: (frames[frames.length - 1] - frames[0]) / 1000, frames: frames.length - 1, updates, times };
}

/** In the browser: texts of a figure that lie over each other or outside of it, and controls that do. */
export function overlaps(width) {
  const found = [];
  const meet = (a, b, slack) => a.left < b.right - slack && b.left < a.right - slack && a.top < b.bottom - slack && b.top < a.bottom - slack;
  const visible = (e) => e.textContent.trim() && e.checkVisibility() && getComputedStyle(e).visibility !== 'hidden' && e.getBoundingClientRect().width > 0;
  for (const svg of document.querySelectorAll('svg.chart, svg.plane')) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].filter(visible).map((e) => ({ said: e.textContent, box: e.getBoundingClientRect() }));
    texts.forEach(({ said, box }, i) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) found.push(`“${said}” leaves its figure (${svg.getAttribute('aria-label').slice(0, 40)})`);
      for (const other of texts.slice(i + 1)) if (meet(box, other.box, 2)) found.push(`“${said}” lies over “${other.said}” (${svg.getAttribute('aria-label').slice(0, 40)})`);
    });
  }
  const controls = [...document.querySelectorAll('.control label, .control input, button, .values, figcaption, summary')].filter((e) => e.getBoundingClientRect().width > 0 && e.checkVisibility({ contentVisibilityAuto: true }) && !e.closest('.bar, .sight'));
  const boxes = controls.map((e) => ({ said: e.id || e.textContent.slice(0, 30), box: e.getBoundingClientRect(), e }));
  boxes.forEach(({ said, box, e }, i) => {
    if (box.right > width + 1 || box.left < -1) found.push(`${said} leaves the window`);
    for (const other of boxes.slice(i + 1)) if (!e.contains(other.e) && !other.e.contains(e) && meet(box, other.box, 2)) found.push(`${said} lies over ${other.said}`);
  });
  return found;
}
