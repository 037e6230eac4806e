// Faults that readers have seen, each with its whole kind. In Chromium and, with BROWSER=firefox, in Firefox.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BROWSER, close, drop, launch, npy, npz, on, open, opening, overlaps, problem, ready, saved, settled, slide, startStatic, staticHost, visit } from './harness.js';

let site;
before(async () => (site = await startStatic()));
after(() => site.stop());

/** The driver of Firefox can neither switch off scripts nor set a colour scheme or print; such parts run in Chromium
 * only. */
const EVERYTHING = BROWSER === 'chromium';
const PHONE = { viewport: { width: 390, height: 844 } };
const search = (page) => new URL(page.url()).search;
const value = (page, id) => page.locator(`output[for="${id}"]`).evaluate((e) => Number(e.dataset.value));
/** What the chapters say that is not a number or a sentence. */
const broken = (page) => page.evaluate(() => {
  const attributes = [...document.querySelectorAll('svg *')].flatMap((e) => [...e.attributes].filter((a) => /NaN|undefined|Infinity/.test(a.value)).map((a) => `${e.tagName} ${a.name}=${a.value.slice(0, 40)}`));
  const said = [...document.querySelectorAll('output, [aria-label], p, text')].flatMap((e) => [e.textContent, e.getAttribute('aria-label') ?? ''].filter((t) => /undefined|NaN/.test(t)));
  return [...attributes, ...said].slice(0, 5);
});
/** Numbers of axes that leave their figure. */
const cut = (page) => page.locator('svg.chart').evaluateAll((all) => all.flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('.axis text')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5);
  }).map((e) => `${svg.getAttribute('aria-label').slice(0, 30)}: ${e.textContent}`);
}));
/** Names in the opening figure that one of its lines goes through. */
const crossed = (page) => page.evaluate(() => {
  const through = (text, path) => {
    const box = text.getBBox();
    const length = path.getTotalLength();
    return Array.from({ length: 401 }, (_, i) => path.getPointAtLength((length * i) / 400)).some((p) => p.x > box.x && p.x < box.x + box.width && p.y > box.y + 2 && p.y < box.y + box.height - 2);
  };
  const seen = (e) => e.textContent && getComputedStyle(e).visibility !== 'hidden';
  return [...document.querySelectorAll('#plane svg, #curves svg')].flatMap((svg) => {
    const lines = [...svg.querySelectorAll('line.arrow, line.fits, line.energy, path.path, path[class^="m"]')];
    return [...svg.querySelectorAll('text.name, text.energy, text.note')].filter(seen).flatMap((text) => lines.filter((l) => through(text, l)).map((l) => `${l.getAttribute('class')} through “${text.textContent}”`));
  });
});
/** Random numbers, the same ones every time. */
function random(rows, columns, size = 1) {
  let seed = 7;
  const next = () => (seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5;
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => 3 * size * next()));
}

test('every number of an axis lies inside its figure', async () => {
  for (const [address, options] of [['?seeds=1&width=100&rate=10&samples=12&outputs=1#many', {}], ['?seeds=1&width=100&rate=10&samples=12&outputs=1#many', PHONE]]) {
    await on(site, address, async (page) => {
      await settled(page);
      for (const id of ['energy', 'motion', 'laws', 'downstream']) await visit(page, id);
      assert.deepEqual(await cut(page), []);
      await visit(page, 'own');
      for (const size of [1, 700, 1e5, 1e-3]) {
        await drop(page, 'own.npz', npz({ features: random(5, 8, size), targets: random(5, 2), head: random(8, 2) }));
        await settled(page);
        assert.equal(await page.textContent('#own-error'), '', `${size}`);
        assert.ok((await page.locator('#own-curves .axis text').count()) > 12);
        assert.deepEqual(await cut(page), [], `features of size ${size}`);
        const twice = await page.locator('#own-curves svg').evaluateAll((all) => all.flatMap((svg) => [...svg.querySelectorAll('.axis')].flatMap((axis) => {
          const said = [...axis.querySelectorAll('text')].map((e) => e.textContent);
          return said.filter((t, i) => said.indexOf(t) !== i);
        })));
        assert.deepEqual(twice, [], 'each number of an axis is another one');
      }
    }, options);
  }
});

// Minutes of work for the solver: fewer features than samples, outputs and a fast head.
const SLOW = { features: random(120, 6), targets: random(120, 5), head: random(6, 5) };

test('an old figure is grey while a new one is computed, which can be seen, cancelled and replaced', () =>
  on(site, '?seeds=1#many', async (page) => {
    await settled(page);
    const at = () => page.evaluate(() => ({ stale: document.querySelector('#many-curves').classList.contains('stale'), busy: document.querySelector('#many-curves').getAttribute('aria-busy') }));
    const now = await page.evaluate(() => {
      for (const [id, v] of [['samples', 24], ['width', 128], ['outputs', 4], ['rate', 10], ['spectrum', 2]]) {
        const slider = document.getElementById(id);
        slider.value = String(v);
        slider.dispatchEvent(new Event('input'));
      }
      return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('#many-curves').classList.contains('stale')))));
    });
    assert.equal(now, true, 'grey in the next frame');
    await page.waitForFunction(() => /^Computing: \d+ of 24 points$/.test(document.querySelector('#many .waiting span').textContent));
    // Another chapter does not wait for this one.
    await page.evaluate(() => {
      document.getElementById('phi').value = '0.3';
      document.getElementById('phi').dispatchEvent(new Event('input'));
    });
    await page.evaluate(() => document.getElementById('downstream').scrollIntoView({ behavior: 'instant' }));
    await page.waitForFunction(() => document.querySelector('#risk-said').textContent.startsWith('φ = 0.300'));
    await page.locator('#many .waiting button').evaluate((e) => e.click());
    await settled(page);
    assert.match(await page.textContent('#many-said'), /^No answer: cancelled/);
    assert.deepEqual(await at(), { stale: true, busy: null }, 'what is old stays grey');
    await slide(page, 'samples', 3);
    await slide(page, 'width', 16);
    assert.deepEqual(await at(), { stale: false, busy: null });
    assert.match(await page.textContent('#many-said'), /^24 energies by the solver/);
  }));

test('a newer question does not wait for an older one that takes long', () =>
  on(site, '#own', async (page) => {
    await settled(page);
    await page.evaluate(() => {
      window.ended = 0;
      const { terminate } = Worker.prototype;
      Worker.prototype.terminate = function () {
        window.ended += 1;
        terminate.call(this);
      };
    });
    await drop(page, 'slow.npz', npz(SLOW));
    await page.waitForFunction(() => /Computing: \d+ of 24/.test(document.querySelector('#own .waiting span').textContent));
    await drop(page, 'own.npz', npz(problem()));
    await settled(page);
    assert.equal(await page.evaluate(() => window.ended), 1, 'the thread of the older file was ended');
    assert.match(await page.textContent('#own-said'), /^own\.npz: N = 3/);
    // An answer that comes late does not stand beside the error of another file.
    await drop(page, 'slow.npz', npz(SLOW));
    await drop(page, 'notes.txt', Buffer.from('x'));
    await settled(page);
    assert.match(await page.textContent('#own-error'), /^notes\.txt: /);
    assert.ok(await page.locator('#own-figure').isHidden());
    assert.equal(await page.textContent('#own-said'), '');
  }));

test('a point without an answer does not hide the others', async () => {
  const page = await open(site, '');
  try {
    await settled(page);
    // Some answers of a thread lose their last point on the way.
    await page.evaluate(() => {
      let curves = 0;
      window.lacking = [2, 3];
      Object.defineProperty(Worker.prototype, 'onmessage', {
        set(told) {
          this.addEventListener('message', (event) => {
            const { answer } = event.data;
            if (answer?.records && answer.shares && window.lacking.includes(++curves)) {
              answer.records.pop();
              answer.shares.pop();
              Object.assign(answer, { missing: 1, why: 'it fails a check' });
            }
            told(event);
          });
        },
      });
    });
    await visit(page, 'many');
    assert.match(await page.textContent('#many-said'), /^24 energies .* Band: 6 of 8 seeds; the others lack other points\.$/);
    await slide(page, 'seeds', 1);
    await page.evaluate(() => (window.lacking = { includes: () => true }));
    await slide(page, 'seed', 6);
    assert.match(await page.textContent('#many-said'), /^23 energies by the solver .* 1 point of 24 has no answer; the first: it fails a check\.$/);
    assert.ok((await page.locator('#many-curves path.m0').getAttribute('d')).length > 100, 'the others are drawn');
    assert.ok(await page.locator('#many-svg').isEnabled());
  } finally {
    await page.context().close();
  }
});

test('a file with the most significant byte first, and tiny numbers, are read as the command reads them', () =>
  on(site, '#own', async (page) => {
    const said = async (rows) => {
      await drop(page, 'own.npz', npz(rows));
      await settled(page);
      assert.equal(await page.textContent('#own-error'), '');
      return page.textContent('#own-said');
    };
    const usual = await said(problem());
    await said({ features: random(5, 8), targets: random(5, 2) });
    assert.equal(await said(Object.fromEntries(Object.entries(problem()).map(([name, rows]) => [name, npy(rows, { dtype: '>f8' })]))), usual);
    assert.match(await said({ features: random(5, 8, 1e-100), targets: random(5, 2) }), /^own\.npz: N = 5, h = 8, k = 2; energies/);
  }));

test('a thread that dies says so, and the next question is answered', async () => {
  const page = await open(site, '?seeds=1#many');
  try {
    await settled(page);
    await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message) {
        Worker.prototype.postMessage = postMessage;
        this.dispatchEvent(new ErrorEvent('error', { message: 'out of memory', cancelable: true }));
      };
    });
    await slide(page, 'seed', 3);
    assert.match(await page.textContent('#many-said'), /^No answer: the engine stopped \(out of memory\); it has been started anew\./);
    await slide(page, 'seed', 4);
    assert.match(await page.textContent('#many-said'), /^24 energies/);
  } finally {
    await page.context().close();
  }
});

test('an answer that takes too long is given up, which is said', async () => {
  const page = await open(site, '?seeds=1#many');
  try {
    await settled(page);
    // The thread never hears the question, and two minutes pass at once.
    await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function () {
        Worker.prototype.postMessage = postMessage;
      };
      const { setTimeout } = window;
      window.setTimeout = (action, delay, ...rest) => {
        if (delay === 120_000) [window.setTimeout, delay] = [setTimeout, 50];
        return setTimeout(action, delay, ...rest);
      };
    });
    await slide(page, 'seed', 3);
    assert.match(await page.textContent('#many-said'), /^No answer: stopped after 120 s; the command taskhead has no such limit\./);
    await slide(page, 'seed', 4);
    assert.match(await page.textContent('#many-said'), /^24 energies/);
  } finally {
    await page.context().close();
  }
});

test('a link opens at the heading of its chapter', async () => {
  for (const options of [{}, { viewport: { width: 1366, height: 768 } }, PHONE]) {
    for (const id of ['draw', 'energy', 'motion', 'laws', 'downstream', 'many', 'own', 'end']) {
      await on(site, `?w=1.1#${id}`, async (page) => {
        await settled(page);
        const [top, bar] = await page.evaluate((id) => [document.querySelector(`#${id} h2`).getBoundingClientRect().top, document.querySelector('.bar').getBoundingClientRect().bottom], id);
        assert.ok(top >= bar - 1 && top - bar <= 20, `${id} at ${options.viewport?.width ?? 1280}: its heading is at ${top}, the bar ends at ${bar}`);
      }, options);
    }
  }
});

test('Back, reload and the address agree', () =>
  on(site, '?y=1&w=1.5&tau=0', async (page) => {
    await slide(page, 'across', 0.8);
    assert.match(search(page), /w=0\.8/);
    await page.click('.bar a[href="#motion"]');
    await page.waitForFunction(() => location.hash === '#motion');
    await settled(page);
    await slide(page, 'kernel', 0.9);
    assert.match(page.url(), /kernel=0\.9.*#motion$/);
    await page.goBack();
    await settled(page);
    assert.doesNotMatch(search(page), /kernel/);
    assert.equal(await value(page, 'kernel'), 0.5, 'Back takes back what was changed');
    assert.equal(await value(page, 'across'), 0.8);
    assert.ok(await page.evaluate(() => scrollY < 200), 'and goes to where the page stood');
    await page.goForward();
    await settled(page);
    assert.equal(await value(page, 'kernel'), 0.9);
    await slide(page, 'angle', 40);
    await page.evaluate(() => scrollBy({ top: 130, behavior: 'instant' }));
    await page.waitForFunction(() => history.state.scroll === scrollY);
    await settled(page);
    const [url, before] = [page.url(), await page.evaluate(() => scrollY)];
    await page.reload();
    await ready(page);
    await settled(page);
    assert.equal(page.url(), url);
    assert.deepEqual([await value(page, 'kernel'), await value(page, 'angle')], [0.9, 40]);
    close(await page.evaluate(() => scrollY), before, 0.02, 'the place on the page');
  }));

test('a reset can be taken back', () =>
  on(site, '?y=1.6&w=1.5&decay=1.7', async (page) => {
    await page.click('#reset');
    await settled(page);
    assert.deepEqual([search(page), await value(page, 'across'), await value(page, 'decay')], ['', 0.6, 0.8]);
    await page.goBack();
    await settled(page);
    assert.deepEqual([await value(page, 'target'), await value(page, 'across'), await value(page, 'decay')], [1.6, 1.5, 1.7]);
  }));

test('the way back from the theorems and the note leads to the same situation', () =>
  on(site, '?y=1.6&w=1.5', async (page) => {
    await slide(page, 'across', 1.2);
    await visit(page, 'laws');
    await settled(page);
    await page.locator('#laws a.t').first().click();
    await page.waitForURL('**/theorems.html?**');
    await page.getByText('The whole note').click();
    await page.waitForURL('**/beyond.html?**');
    await page.getByText('← The explorer').click();
    await page.waitForURL('**/?**');
    await ready(page);
    await settled(page);
    assert.deepEqual([await value(page, 'target'), await value(page, 'across')], [1.6, 1.2]);
    assert.match(page.url(), /#laws$/);
  }));

test('links from before mean what they meant', async () => {
  for (const [address, y, tau] of [['?w=1.5', 1, 0.4], ['?tau=0&t=0', 1, 0], ['?y=2&w=0.4', 2, 0.4], ['', 1.4, 0], ['?v=2&w=1.5', 1.4, 0]]) {
    await on(site, address, async (page) => {
      await settled(page);
      assert.deepEqual([await value(page, 'target'), await value(page, 'probe')], [y, tau], address);
      // What the page writes now says the same.
      await slide(page, 'across', 0.9);
      const written = page.url().slice(site.url.length);
      await on(site, written, async (again) => assert.deepEqual([await value(again, 'target'), await value(again, 'probe'), await value(again, 'across')], [y, tau, 0.9], written));
    });
  }
});

test('the link is copied, or shown, where a page may not write to the clipboard', () =>
  on(site, '?y=1.3&w=1.5', async (page) => {
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
      document.execCommand = () => false;
    });
    await page.click('#copy');
    await page.waitForSelector('#address:not([hidden])');
    // The address bar follows when the hand has come to rest.
    await page.waitForFunction(() => document.querySelector('#address-text').value === location.href);
    assert.ok(await page.locator('#address-text').evaluate((e) => document.activeElement === e && e.selectionEnd - e.selectionStart === e.value.length), 'selected, ready for Ctrl+C');
    await page.click('#address-close');
    assert.ok(await page.locator('#address').isHidden());
  }));

test('a page that cannot start says what it needs', async () => {
  if (EVERYTHING) {
    const context = await site.browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(site.url);
    assert.match(await page.textContent('#wait'), /JavaScript, and a web server/);
    await page.waitForSelector('#wait .late', { state: 'visible' });
    await context.close();
  }
  // From a folder, and with a script that does not come.
  const other = await site.browser.newContext();
  const folder = await other.newPage();
  await folder.goto(new URL('../dist/index.html', import.meta.url).href);
  // A browser that lets a page read the files beside it may start it; any other has to say what is missing.
  await folder.waitForSelector(EVERYTHING ? '#wait .late' : 'html[data-ready]', { state: 'visible' });
  await other.close();
  const host = await staticHost(new Set(['main.js']));
  const third = await site.browser.newContext();
  const lacking = await third.newPage();
  await lacking.goto(host.url);
  await lacking.waitForSelector('#wait .late', { state: 'visible' });
  await third.close();
  await host.stop();
});

test('on a slow line the page says that it is loading, and what was not found', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  let release;
  const held = new Promise((done) => (release = done));
  await page.route('**/engine.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(site.url, { waitUntil: 'domcontentloaded' });
  assert.match(await page.textContent('#wait'), /being loaded/);
  assert.ok(await page.locator('#wait').isVisible());
  release();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.locator('#wait').count(), 0);
  await context.close();
});

test('a saved figure has a title, names of its axes, and light colours', () =>
  on(site, '?y=1.6&w=0.8', async (page) => {
    await settled(page);
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    if (EVERYTHING) assert.notEqual(dark, 'rgb(255, 255, 255)');
    for (const [id, texts] of [['curves-svg', ['Distance ‖z − z₀‖', 'Cosine distance', 'Dot product z·z₀', 'Norm ‖z‖', 'energy E', 'y = 1.600, head across w = 0.800']], ['opening-svg', ['Feature and head', 'y = 1.600']], ['many-svg', ['Norm ‖z‖', 'share of energy', 'N = 8, h = 32, k = 2']]]) {
      if (id === 'many-svg') await visit(page, 'many');
      else await page.locator('#opening details.more').evaluate((e) => (e.open = true));
      const svg = await saved(page, id);
      for (const text of texts) assert.ok(svg.includes(text), `${id} says ${text}`);
      assert.match(svg, /<rect width="100%" height="100%" fill="#ffffff"/);
      assert.doesNotMatch(svg, /rgb\(231, 234, 237\)|rgb\(20, 23, 26\)|rgb\(109, 184, 242\)/, 'no colour of the dark page');
    }
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), dark, 'the page stays as it was');
  }, { colorScheme: 'dark' }));

test('the page can be printed: all of it, light, with every figure', () =>
  on(site, '?y=1.4&seeds=2', async (page) => {
    await page.evaluate(() => {
      window.printed = 0;
      window.print = () => (window.printed += 1);
      document.querySelector('#print').click();
    });
    await page.waitForFunction(() => window.printed === 1, null, { timeout: 60_000 });
    assert.equal(await page.evaluate(() => document.documentElement.dataset.busy), undefined, 'when every answer has come');
    const wide = await page.locator('#clock-outputs svg').evaluate((e) => e.getBoundingClientRect().width);
    if (EVERYTHING) await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.evaluate(() => {
      document.querySelector('#laws .expert').open = true;
      dispatchEvent(new Event('beforeprint'));
    });
    // A sheet of A4 between margins of a centimetre.
    await page.setViewportSize({ width: 718, height: 1047 });
    const seen = await page.evaluate(() => ({
      paper: getComputedStyle(document.body).getPropertyValue('--paper').trim(),
      bar: document.querySelector('.bar').checkVisibility(),
      closed: document.querySelectorAll('main details:not([open], .expert)').length,
      cut: [...document.querySelectorAll('main pre')].filter((pre) => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth + 1).length,
      empty: [...document.querySelectorAll('main svg.chart')].filter((svg) => svg.checkVisibility() && !svg.querySelector('path[d], rect[width]')).map((svg) => svg.getAttribute('aria-label')),
      contained: [...document.querySelectorAll('main > section')].filter((s) => getComputedStyle(s).contain !== 'none' || getComputedStyle(s).contentVisibility === 'auto').length,
      small: [...document.querySelectorAll('main svg:is(.chart, .plane) text')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 0 && parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a < 8).map((e) => e.textContent).slice(0, 5),
      parts: new Set(['backbone', 'headshare', 'left'].map((part) => getComputedStyle(document.querySelector(`#loss .${part}`)).backgroundImage.replace(/\(.*/, ''))).size,
      figures: [...document.querySelectorAll('main svg.chart, main svg.plane')].filter((svg) => svg.checkVisibility() && svg.querySelectorAll('path[d]').length > 1).length,
    }));
    if (EVERYTHING) assert.deepEqual({ ...seen, figures: 0 }, { paper: '#fff', bar: false, closed: 0, cut: 0, empty: [], contained: 0, small: [], parts: 3, figures: 0 });
    assert.ok(seen.figures >= 25, `${seen.figures} figures`);
    await page.setViewportSize({ width: 1280, height: 900 });
    if (EVERYTHING) await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    assert.ok((await page.locator('main details:not([open])').count()) > 0, 'afterwards all is as it was');
    assert.equal(await page.locator('#clock-outputs svg').evaluate((e) => e.getBoundingClientRect().width), wide, 'figures, too');
    if (!EVERYTHING) return;
    const sheets = (await page.pdf({ format: 'A4', margin: { top: '1cm', bottom: '1cm', left: '1cm', right: '1cm' } })).toString('latin1').match(/\/Type ?\/Page\b/g).length;
    // 13, and four of the proofs of chapter 3.
    assert.ok(sheets >= 8 && sheets <= 18, `${sheets} sheets`);
  }, { colorScheme: 'dark' }));

test('the page of theorems prints light, and its tables can be read on a phone', async () => {
  const context = await site.browser.newContext({ colorScheme: 'dark', ...PHONE });
  const page = await context.newPage();
  await page.goto(`${site.url}theorems.html`);
  const ground = () => page.locator('#hypotheses svg polygon').first().evaluate((e) => getComputedStyle(e).fill);
  if (EVERYTHING) {
    assert.notEqual(await ground(), 'rgb(255, 255, 255)');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.equal(await ground(), 'rgb(255, 255, 255)', 'on paper');
    await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
  }
  const wide = await page.locator('#hypotheses table').evaluateAll((all) => all.map((table) => table.getBoundingClientRect().width / parseFloat(getComputedStyle(document.documentElement).fontSize)));
  assert.ok(wide.length === 2 && wide.every((rem) => rem >= 40), `${wide}`);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, 'they scroll, and not the page');
  await context.close();
});

test('nothing is undefined, overlaps or is cut off at the edges of the settings', async () => {
  for (const address of ['?y=1&w=0&a=-1&tau=0', '?y=1&w=0&a=-1&tau=0&t=0', '?w=0&tau=0', '?y=0.2&w=0&a=-0.2&tau=0', '?y=3&w=3&a=-3&tau=0', '?y=1&w=0&tau=inf', '?y=1.4&w=0.02&a=1.4', '?y=1.4&w=0.02&a=1.4#entropy', '?phi=0#downstream', '?phi=1.57#downstream', '?loss=cross-entropy&y=1.4&tau=0', '?loss=cross-entropy&y=1&w=0&a=-1&tau=0', '?loss=cross-entropy&y=3&w=0&tau=inf', '?length=0&ftau=inf#motion', '?ptau=inf&decay=2#energy']) {
    for (const options of [{}, PHONE]) {
      await on(site, address, async (page) => {
        await settled(page);
        assert.deepEqual(await broken(page), [], address);
        assert.deepEqual(await page.evaluate(overlaps, page.viewportSize().width), [], `${address} at ${page.viewportSize().width}`);
      }, options);
    }
  }
});

test('names in the opening figure stand clear of its lines', async () => {
  for (const address of ['', '?w=0&tau=0', '?y=1.4&w=0.6&a=-1.2&tau=0', '?y=1&w=1&a=-0.5&tau=0.3', '?y=2&w=0.5&a=-1&tau=0&t=0.4', '?w=1.5', '?y=1.4&tau=0.3']) {
    for (const options of [{}, { viewport: { width: 1366, height: 768 } }, PHONE]) {
      await on(site, address, async (page) => {
        await settled(page);
        assert.deepEqual(await crossed(page), [], `${address} at ${page.viewportSize().width}`);
      }, options);
    }
  }
});

test('a point at the end of its curve is drawn whole', () =>
  on(site, '', async (page) => {
    for (const id of ['draw', 'downstream']) {
      await visit(page, id);
      const parts = await page.locator(`#${id} svg.chart circle`).evaluateAll((all) => all.map((c) => {
        const [frame] = document.querySelectorAll(`${c.parentElement.getAttribute('clip-path').match(/#[\w-]+/)[0]} rect`);
        const [left, right] = [frame.x.baseVal.value, frame.x.baseVal.value + frame.width.baseVal.value];
        const [x, r] = [c.cx.baseVal.value, c.r.baseVal.value];
        return x - r >= left && x + r <= right;
      }));
      assert.ok(parts.length >= 4 && parts.every(Boolean), `${id}: ${parts}`);
    }
  }));

test('nothing to read is cut off at the side', async () => {
  for (const viewport of [{ width: 1366, height: 768 }, { width: 1280, height: 900 }]) {
    await on(site, '', async (page) => {
      await settled(page);
      assert.deepEqual(await page.locator('main > section > pre').evaluateAll((all) => all.filter((pre) => pre.scrollWidth > pre.clientWidth).map((pre) => pre.textContent.slice(0, 40))), []);
      const [end, begin] = await page.evaluate(() => {
        const box = (e) => e.getBoundingClientRect();
        return [box(document.querySelector('#network .gap')).right, box([...document.querySelectorAll('#network text')].find((e) => e.textContent === 'target')).left];
      });
      assert.ok(end < begin, `the arrow ends at ${end}, “target” begins at ${begin}`);
    }, { viewport });
  }
  await on(site, '', async (page) => {
    await visit(page, 'many');
    const lines = await page.locator('#many td, #entropy td').evaluateAll((all) => all.map((td) => {
      const text = document.createRange();
      text.selectNodeContents(td);
      return text.getClientRects().length;
    }));
    assert.ok(lines.length >= 9 && lines.every((n) => n === 1), `counts stand in one line each: ${lines}`);
  }, PHONE);
});

test('what is not drawn yet cannot be saved', () =>
  on(site, '', async (page) => {
    // Whether each figure is drawn, and so whether its buttons can be pressed.
    const agree = async (...least) => {
      await settled(page);
      const found = await page.evaluate(() => Object.fromEntries(['many', 'net', 'own'].map((name) => [name, {
        drawn: document.querySelector(`#${name}-curves path[class][d]`) !== null,
        pressed: ['svg', 'csv'].map((kind) => !document.getElementById(`${name}-${kind}`).disabled),
      }])));
      for (const [name, { drawn, pressed }] of Object.entries(found)) assert.deepEqual(pressed, [drawn, drawn], name);
      for (const name of least) assert.ok(found[name].drawn, name);
      return found;
    };
    const { many, own } = await agree();
    assert.deepEqual([many.drawn, own.drawn], [false, false], 'out of sight the solver is not asked yet');
    await visit(page, 'many');
    await agree('many');
    await visit(page, 'networks');
    await agree('many', 'net');
    await drop(page, 'own.npz', npz(problem()));
    await agree('many', 'net', 'own');
    await page.locator('#networks .expert').evaluateAll((all) => all.forEach((fold) => (fold.open = true)));
    assert.match(await saved(page, 'net-svg'), /^<svg[^]*Accuracy/);
  }));

test('an embedded part shows its controls at the size that README.md names', async () => {
  for (const [part, control] of [['opening', '#probe'], ['energy', '#ptau'], ['motion', '#kernel'], ['downstream', '#phi'], ['many', '#samples']]) {
    for (const width of [1000, 640]) {
      await on(site, `?embed=${part}`, async (page) => {
        await settled(page);
        const box = await page.locator(control).boundingBox();
        assert.ok(box && box.y >= 0 && box.y + box.height <= 760, `${part} at ${width}: ${JSON.stringify(box)}`);
      }, { viewport: { width, height: 760 } });
    }
  }
});

test('text and figures grow with the font size of the reader', { skip: !EVERYTHING }, async () => {
  const browser = await launch('--blink-settings=defaultFontSize=26');
  try {
    await on({ ...site, browser }, '', async (page) => {
      await settled(page);
      assert.ok((await page.locator('main p').first().evaluate((e) => parseFloat(getComputedStyle(e).fontSize))) > 26);
      // As many pixels as are drawn: a figure grows with its unit.
      const drawn = (selector) => page.locator(selector).first().evaluate((e) => e.getScreenCTM().a);
      const size = (selector) => page.locator(selector).first().evaluate((e) => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a);
      assert.ok((await size('#curves .axis text')) > 16, 'numbers of axes, too');
      assert.ok((await page.locator('#probe').evaluate((e) => e.getBoundingClientRect().height)) > 42, 'sliders, too');
      assert.ok((await page.locator('#probe').evaluate((e) => Number(getComputedStyle(e).zoom))) > 1.5, 'and their thumbs');
      for (const selector of ['#q-opening1 input', '#networks code']) {
        const height = await page.locator(selector).first().evaluate((e) => e.getBoundingClientRect().height);
        assert.ok(height > 18, `${selector}: ${height}`);
      }
      for (const selector of ['#curves circle.now', '#curves path.m0', '#plane .handle', '#plane .arrow.z0']) assert.ok((await drawn(selector)) > 1.5, `${selector}, too`);
      assert.deepEqual(await cut(page), []);
      assert.deepEqual(await page.evaluate(overlaps, 1280), []);
      assert.deepEqual(await crossed(page), []);
    });
  } finally {
    await browser.close();
  }
});

test('Home, End and the page keys move the tip of the head', () =>
  on(site, '?y=1.4&tau=0', async (page) => {
    await settled(page);
    await page.locator('[data-handle="head"]').focus();
    const along = () => page.locator('[data-handle="head"]').evaluate((e) => Number(e.getAttribute('aria-valuenow')));
    await page.keyboard.press('End');
    await settled(page);
    close(await along(), 1.4, 1e-9, 'End: a head that fits');
    await page.keyboard.press('PageDown');
    await settled(page);
    close(await along(), 1.3, 1e-6, 'a page is five steps');
    await page.keyboard.press('Home');
    await settled(page);
    close(await along(), -1.4, 1e-9, 'Home: as far back as it goes');
  }));

test('what a reader can refute is not said', () =>
  on(site, '', async (page) => {
    const text = await page.evaluate(() => document.querySelector('main').textContent);
    for (const wrong of ['that one only stops the start', 'Straight up.', 'Dotted: to where finetuning really ends']) assert.ok(!text.includes(wrong), wrong);
    assert.match(text, /Real data, linear backbone/);
    // With probing, a head of length 0 before it still moves the features; without, it moves them later.
    await visit(page, 'motion');
    const moved = async () => (await page.textContent('#motion-said')).match(/A has moved by ([\d.]+)/)[1];
    await slide(page, 'length', 0);
    assert.ok(Number(await moved()) > 0.01);
    await slide(page, 'ftau', 0);
    assert.ok(Number(await moved()) > 0.01);
    await slide(page, 'ftau', 100);
    assert.equal(Number(await moved()), 0);
    // The largest norm of all is that of the zero head: at E = y with w given, and with w = 0 of all.
    await page.evaluate(() => scrollTo(0, 0));
    const norm = async (y, w, a) => {
      await page.goto(`${site.url}?y=${y}&w=${w}&a=${a}&tau=0`);
      await ready(page);
      return (await opening(page)).norm;
    };
    const straightUp = await norm(1.4, 0.6, 0);
    assert.ok(straightUp > (await norm(1.4, 0.6, 0.3)) && straightUp > (await norm(1.4, 0.6, -0.3)));
    assert.ok((await norm(1.4, 0, 0)) > straightUp);
  }));

test('the ways of chapter 2 begin along the arrows and can be played', () =>
  on(site, '?ftau=0#motion', async (page) => {
    await settled(page);
    const ways = await page.locator('#forces path.way').evaluateAll((all) => all.map((p) => {
      const [a, b] = [p.getPointAtLength(0), p.getPointAtLength(2)];
      const arrows = [...document.querySelectorAll('#forces line.pull-a, #forces line.pull-b')];
      return { angle: Math.atan2(b.y - a.y, b.x - a.x), length: p.getTotalLength(), arrows: arrows.length };
    }));
    assert.equal(ways.length, 3);
    const head = await page.locator('#forces line.arrow.head').evaluate((l) => Math.atan2(l.y2.baseVal.value - l.y1.baseVal.value, l.x2.baseVal.value - l.x1.baseVal.value));
    for (const { angle, length } of ways) {
      assert.ok(length > 5);
      assert.ok(Math.abs(Math.sin(angle - head)) < 0.1, `a way leaves at ${angle}, the head points to ${head}`);
    }
    await page.click('#motion-play');
    assert.equal(await page.textContent('#motion-play'), 'Stop');
    await page.waitForFunction(() => document.querySelector('#motion-play').textContent === 'Play finetuning', null, { timeout: 15_000 });
  }));
