import { mkdirSync } from 'node:fs';
import { startStatic, settled } from './harness.js';
const out = process.argv[2];
const only = process.argv[3]?.split(',');
mkdirSync(out, { recursive: true });
const site = await startStatic();
const configs = {
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  laptop: { viewport: { width: 1366, height: 768 } },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  big: { viewport: { width: 3840, height: 2160 }, font: 24 },
};
const SECTIONS = ['opening', 'draw', 'energy', 'motion', 'laws', 'downstream', 'many', 'entropy', 'networks', 'practice', 'own', 'end'];
for (const [name, { font, ...options }] of Object.entries(configs)) {
  if (only && !only.includes(name)) continue;
  const context = await site.browser.newContext(options);
  const big = async (page) => { if (font) { await page.addStyleTag({ content: `html{font-size:${font * 1.0625}px !important}` }); await page.evaluate(() => dispatchEvent(new Event('resize'))); } };
  const page = await context.newPage();
  await page.goto(`${site.url}?y=1.4&tau=0.3&v=2`);
  await page.waitForSelector('html[data-ready]');
  await big(page);
  await page.evaluate(() => dispatchEvent(new Event('pointerdown')));
  await settled(page);
  await page.screenshot({ path: `${out}/${name}-00-first.png` });
  let i = 1;
  for (const id of SECTIONS) {
    await page.evaluate((id) => { dispatchEvent(new Event('wheel')); document.getElementById(id).scrollIntoView({ behavior: 'instant' }); }, id);
    await settled(page);
    await page.locator(`#${id}`).screenshot({ path: `${out}/${name}-${String(i++).padStart(2, '0')}-${id}.png` });
  }
  for (const file of ['theorems', 'teach', 'beyond']) {
    await page.goto(`${site.url}${file}.html`);
    await big(page);
    await page.waitForTimeout(300);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > options.viewport.width) console.log(name, file, 'overflow', wide);
    const part = file === 'theorems' ? Math.min(height, 3 * options.viewport.height) : height;
    const step = 3 * options.viewport.height;
    for (let y = 0, k = 0; y < part; y += step, k++) await page.screenshot({ path: `${out}/${name}-${20 + k}-${file}.png`, fullPage: true, clip: { x: 0, y, width: options.viewport.width, height: Math.min(step, height - y) } });
  }
  await page.goto(`${site.url}slides.html`);
  const count = await page.locator('section').count();
  for (let s = 1; s <= count; s++) {
    await page.evaluate((s) => (location.hash = String(s)), s);
    await page.waitForTimeout(60);
    await page.screenshot({ path: `${out}/${name}-40-slide${String(s).padStart(2, '0')}.png` });
  }
  await context.close();
  console.log(name, 'done');
}
if (!only || only.includes('print')) {
  const context = await site.browser.newContext({ viewport: { width: 1366, height: 768 } });
  const page = await context.newPage();
  for (const [file, address] of [['index', '?y=1.4&tau=0.3&v=2'], ['theorems', 'theorems.html'], ['teach', 'teach.html'], ['beyond', 'beyond.html'], ['slides', 'slides.html']]) {
    await page.goto(site.url + address);
    if (file === 'index') {
      await page.waitForSelector('html[data-ready]');
      await page.evaluate(() => dispatchEvent(new Event('pointerdown')));
      await settled(page);
      await page.evaluate(() => { window.print = () => { window.printed = true; }; document.getElementById('print').click(); });
      await page.waitForFunction(() => window.printed, null, { timeout: 120000 });
    }
    await page.waitForTimeout(500);
    await page.pdf({ path: `${out}/print-${file}.pdf`, preferCSSPageSize: true, format: 'A4' });
  }
  console.log('print done');
}
await site.stop();
