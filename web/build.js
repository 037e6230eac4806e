// Assembles web/dist from the page, the engine, KaTeX and the proofs: everything that the page loads lies there.

import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import binaryen from 'binaryen';
import esbuild from 'esbuild';
import katex from 'katex';
import subsetFont from 'subset-font';
import { article, proofs } from './proofs.js';
import { table } from './replays.js';
import { slides, slidesText } from './slides.js';
import { qti } from './qti.js';
import { gift, questions, steps, teach } from './teach.js';
import { beyond } from './beyond.js';
import { hypotheses } from './hypotheses.js';
import { theorems } from './theorems.js';

const at = (path) => new URL(path, import.meta.url);
const out = 'dist/';
/** Of KaTeX's fonts those that its formulas here need. */
const FONTS = ['KaTeX_Main-Regular', 'KaTeX_Math-Italic', 'KaTeX_Size1-Regular', 'KaTeX_Size2-Regular'];
/** Classes of KaTeX that would need another font. */
const OTHER_FONTS = /class="[^"]*\b(mathbf|boldsymbol|mathit|textit|textbf|amsrm|mathbb|mathcal|mathscr|mathfrak|mathtt|mathsf|delimsizing size[34]|delim-size4)\b/;
/** The largest that all files of the explorer, with the page of the theorems, may be together, compressed. The pages for
 * teachers and the note open by themselves. */
const BUDGET = 500_000;

/** Text of a page without its escapes. */
const decoded = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** The font that a class of KaTeX asks for. */
function fontOf(names) {
  if (/\bmathnormal\b/.test(names)) return 'KaTeX_Math-Italic';
  if (/\b(small-op|size1|delim-size1)\b/.test(names) && /\b(op-symbol|delimsizing\w*|delim-size1)\b/.test(names)) return 'KaTeX_Size1-Regular';
  if (/\b(large-op|size2)\b/.test(names) && /\b(op-symbol|delimsizing\w*)\b/.test(names)) return 'KaTeX_Size2-Regular';
  return undefined;
}

/** Adds the characters of a drawn formula to those of each font. */
function addCharacters(drawn, fonts) {
  const open = ['KaTeX_Main-Regular'];
  for (const [, end, name, attributes, text] of drawn.matchAll(/<(\/?)(\w+)([^>]*)>([^<]*)/g)) {
    if (end) open.pop();
    else if (!attributes.endsWith('/')) open.push(fontOf(attributes.match(/class="([^"]*)"/)?.[1] ?? '') ?? open[open.length - 1]);
    if (name !== 'path') for (const character of decoded(text)) fonts[open[open.length - 1]].add(character);
  }
}

/** A text with its formulas \( … \) and \[ … \] drawn, and the characters that each font draws in them. */
function formulas(html) {
  const fonts = Object.fromEntries(FONTS.map((font) => [font, new Set()]));
  const draw = (displayMode) => (_, source) => {
    const tex = decoded(source);
    const options = { displayMode, strict: 'error', trust: false };
    addCharacters(katex.renderToString(tex, { ...options, output: 'html' }), fonts);
    // The source of a formula beside it is for nobody who reads the page.
    return katex.renderToString(tex, options).replace(/<annotation[^>]*>.*?<\/annotation>/s, '');
  };
  const drawn = html.replace(/\\\((.+?)\\\)/gs, draw(false)).replace(/\\\[(.+?)\\\]/gs, draw(true));
  const other = drawn.match(OTHER_FONTS);
  if (other) throw new Error(`a formula needs a font that is not copied: ${other[0]}`);
  return { drawn, fonts };
}

/** A font with no more than the characters that some texts draw with it; hints for small sizes are nothing to signs that
 * are large. */
async function cut(font, texts) {
  const whole = await readFile(at(`node_modules/katex/dist/fonts/${font}.woff2`));
  return subsetFont(whole, texts.flatMap((text) => [...text.fonts[font]]).join(''), { targetFormat: 'woff2', noHinting: /Size/.test(font) });
}

/** KaTeX's style without rules for classes that no formula of some texts has. */
function styleFor(css, texts) {
  const classes = new Set(texts.flatMap((text) => [...text.drawn.matchAll(/class="([^"]*)"/g)].flatMap(([, names]) => names.split(/\s+/))));
  return css.replace(/([^{}@]+)\{([^{}]*)\}/g, (rule, selectors, body) => {
    const used = selectors.split(',').filter((selector) => [...selector.replace(/:not\([^)]*\)/g, '').matchAll(/\.([a-z][\w-]*)/gi)].every(([, name]) => classes.has(name)));
    return selectors.trim() === 'font-face' ? rule : used.length ? `${used.join(',')}{${body}}` : '';
  });
}

/** Rows by what they have in a column, in their order. */
const by = (rows, column) => rows.reduce((groups, row) => groups.set(row[column], [...(groups.get(row[column]) ?? []), row]), new Map());

/** The columns of a stored sweep that the page shows, one object a seed. */
function digits(csv) {
  const names = ['frobenius', 'euclidean', 'cosine', 'dot', 'norm', 'held_out_accuracy'];
  return [...by(table(csv), 'seed').values()].map((rows) => Object.fromEntries(names.map((name) => [name, rows.map((row) => Number(Number(row[name]).toPrecision(5)))])));
}

/** The stored replays by name: their command, and by variant each number, to four digits, as a list for each seed. */
function networks(csv) {
  const names = { aie: 'aie', euclidean: 'euclidean', cosine: 'cosine', dot: 'dot', norm: 'norm', accuracy: 'held_out_accuracy' };
  const lists = (rows, name) => [...by(rows, 'seed').values()].map((seed) => seed.map((row) => (row[name] === '' ? null : Number(Number(row[name]).toPrecision(4)))));
  const variant = (rows) => Object.fromEntries(Object.entries(names).map(([key, name]) => [key, lists(rows, name)]).filter(([, all]) => all[0][0] !== null));
  return Object.fromEntries([...by(table(csv), 'replay')].map(([name, rows]) => [name, {
    command: csv.match(new RegExp(`^# ${name}: (.*)$`, 'm'))[1],
    variants: Object.fromEntries([...by(rows, 'variant')].map(([key, all]) => [key, variant(all)])),
  }]));
}

await rm(at(out), { recursive: true, force: true });
await mkdir(at(`${out}fonts`), { recursive: true });

/** The engine, optimized; kept for the next time, since that takes a while. */
async function engine() {
  const [source, kept] = [at('build/engine/engine_bg.wasm'), at('build/engine/optimized.wasm')];
  const age = (file) => stat(file).then((s) => s.mtimeMs, () => 0);
  if ((await age(kept)) > (await age(source))) return readFile(kept);
  const module = binaryen.readBinary(await readFile(source));
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(1);
  binaryen.setGenerateStackIR(true);
  binaryen.setOptimizeStackIR(true);
  // What Rust's wasm32 target uses; more would let binaryen write what browsers do not read yet.
  const { MutableGlobals, SignExt, BulkMemory, BulkMemoryOpt, CallIndirectOverlong, NontrappingFPToInt, ReferenceTypes, Multivalue } = binaryen.Features;
  module.setFeatures(MutableGlobals | SignExt | BulkMemory | BulkMemoryOpt | CallIndirectOverlong | NontrappingFPToInt | ReferenceTypes | Multivalue);
  module.optimize();
  module.runPasses(['strip-producers', 'strip-target-features']);
  await writeFile(kept, module.emitBinary());
  return readFile(kept);
}

await writeFile(at(`${out}engine.wasm`), await engine());

/** The engine itself, for figures that are drawn beforehand. */
async function running() {
  globalThis.taskheadTold = () => {};
  const module = await import('./build/engine/engine.js');
  module.initSync({ module: await readFile(at(`${out}engine.wasm`)) });
  return module;
}

/** A script with all that it needs, as text. */
async function script(entry) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: at('.').pathname, entryPoints: [entry], bundle: true, write: false, format: 'iife', minify: true, target: 'es2022',
    legalComments: 'none', logLevel: 'warning', logOverride: { 'empty-import-meta': 'silent' },
  });
  return outputFiles[0].text;
}

const worker = await script('page/worker.js');
/** The thread's script as a text within the page's own. */
const workerSource = {
  name: 'worker-source',
  setup(build) {
    build.onResolve({ filter: /^worker-source$/ }, () => ({ path: 'worker', namespace: 'worker-source' }));
    build.onLoad({ filter: /.*/, namespace: 'worker-source' }, () => ({ contents: worker, loader: 'text' }));
  },
};
const bundled = {
  absWorkingDir: at('.').pathname,
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [workerSource],
};
await esbuild.build({ ...bundled, entryPoints: ['page/main.js', 'page/back.js', 'page/worksheet.js'], outdir: out, splitting: true, chunkNames: '[name]-[hash]' });

/** A page with the steps of the derivation for the board in the place of [plain 1 2 …]. */
async function withSteps(html) {
  const all = await steps(at('teach/'));
  return html.replace(/\[plain ([\d ]+)\]/g, (_, numbers) => numbers.split(' ').map((number) => all.get(number)).join(''));
}

const source = await readFile(at('page/index.html'), 'utf8');
const explorer = formulas(await withSteps(source));
const teachers = formulas(await teach(at('teach/')));
const lecture = formulas(await slidesText(at('teach/'), await running(), source));
const proved = await proofs(at('../proofs/'));
const trend = await hypotheses(at('../docs/'));
const page = explorer.drawn.replace(/\[coq (\w+)\]/g, (_, name) => {
  if (!proved.rows.has(name)) throw new Error(`the page names ${name}, which the table of proofs/README.md does not have`);
  return `<div class="proved">${article(proved.rows.get(name), { at: 'theorems.html' })}</div>`;
});
const NAMED = /\[(T\d+)\]/g;
const named = [...new Set([...page.matchAll(NAMED)].map(([, id]) => id))];
const note = formulas(await beyond(at('../docs/'), [...new Set([...named, ...[...proved.rows.values()].map((row) => row.id)])]));
const texts = [explorer, teachers, note];
const css = await readFile(at('node_modules/katex/dist/katex.min.css'), 'utf8');
const faces = css.replace(/@font-face\{.*?\}/g, (face) => {
  const font = FONTS.find((name) => face.includes(`${name}.woff2`));
  return font ? face.replace(/src:.*?(?=[;}])/, `src:url(fonts/${font}.woff2) format("woff2")`) : '';
});
const style = await esbuild.transform(styleFor(faces, texts) + (await readFile(at('page/style.css'), 'utf8')), { loader: 'css', minify: true });
await writeFile(at(`${out}style.css`), style.code);
for (const font of FONTS) await writeFile(at(`${out}fonts/${font}.woff2`), await cut(font, texts));

await writeFile(at(`${out}teach.html`), teachers.drawn);
await writeFile(at(`${out}beyond.html`), note.drawn);
const asked = questions(page);
await writeFile(at(`${out}quiz.gift.txt`), gift(asked));
await writeFile(at(`${out}quiz.qti.zip`), qti(asked));
/** A style with the fonts that it names inside, for some texts. */
async function withFonts(css, texts) {
  for (const font of FONTS) {
    if (texts.every((text) => text.fonts[font].size === 0)) {
      css = css.replace(new RegExp(`@font-face\\{[^}]*${font}[^}]*\\}`), '');
      continue;
    }
    const bytes = await cut(font, texts);
    css = css.replace(`url(fonts/${font}.woff2)`, `url(data:font/woff2;base64,${bytes.toString('base64')})`);
  }
  return css;
}
await writeFile(at(`${out}slides.html`), slides(lecture.drawn, await withFonts((await esbuild.transform(styleFor(faces, [lecture]), { loader: 'css', minify: true })).code, [lecture])));

await writeFile(at(`${out}index.html`), page.replace(NAMED, (_, id) => `<a class="t" href="theorems.html#${id}" title="Statement and check of ${id}">${id}</a>`));
await writeFile(at(`${out}theorems.html`), theorems(proved, named, trend));
const stored = { digits: digits(await readFile(at('page/digits.csv'), 'utf8')), networks: networks(await readFile(at('page/networks.csv'), 'utf8')) };
for (const [name, numbers] of Object.entries(stored)) await writeFile(at(`${out}${name}.json`), JSON.stringify(numbers));

/** The whole page in one file, which opens from a memory stick: nothing is loaded. */
async function oneFile() {
  const { outputFiles } = await esbuild.build({ ...bundled, entryPoints: ['page/main.js'], write: false });
  const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
  const css = await withFonts(style.code, [explorer]);
  const wasm = gzipSync(await readFile(at(`${out}engine.wasm`)), { level: 9 }).toString('base64');
  const parts = theorems(proved, named, trend).match(/<p>Each statement[^]*<\/section>(?=<\/main>)/)[0];
  const swaps = [
    [/<meta http-equiv="Content-Security-Policy"[^>]*>/, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:; style-src 'unsafe-inline'; font-src data:; img-src data:">`],
    ['<link rel="stylesheet" href="style.css">', `<style>${css}</style>`],
    ['<script type="module" src="main.js"></script>', ''],
    [/<p class="late">[^]*?<\/p>/, '<p class="late">If they do not come: this page needs JavaScript.</p>'],
    ['</main>', `</main><div class="theorems apart" id="theorems"><h2>The theorems</h2>${parts}</div>`],
    ['</body>', `<script type="text/plain" id="engine-wasm">${wasm}</script>${Object.entries(stored).map(([name, numbers]) => `<script type="application/json" id="${name}-data">${JSON.stringify(numbers)}</script>`).join('')}<script type="module">${script}</script></body>`],
  ];
  let html = await readFile(at(`${out}index.html`), 'utf8');
  for (const [from, to] of swaps) {
    if (html.search(from) < 0 && !html.includes(from)) throw new Error(`the page does not hold ${from}`);
    html = html.replace(from, () => to);
  }
  html = html.replaceAll('href="theorems.html#', 'href="#').replaceAll('href="theorems.html"', 'href="#theorems"').replace(/<p><a class="note" href="beyond.html">[^]*?<\/p>/, '').replace('<a href="teach.html">For teachers</a>: goals, lesson plans, slides, worksheet, quiz. ', '');
  await mkdir(at('handout'), { recursive: true });
  await writeFile(at('handout/taskhead-explorer.html'), html);
  console.log(`${(html.length / 1000).toFixed(1).padStart(7)} kB  handout/taskhead-explorer.html, the whole page in one file (not compressed)`);
}
await oneFile();

const APART = /^(teach|worksheet|quiz|slides|beyond)/;
let [total, apart] = [0, 0];
for (const folder of ['', 'fonts/']) {
  for (const name of await readdir(at(out + folder))) {
    const file = at(out + folder + name);
    if ((await stat(file)).isDirectory()) continue;
    const size = gzipSync(await readFile(file), { level: 9 }).length;
    if (APART.test(name)) apart += size;
    else total += size;
    console.log(`${(size / 1000).toFixed(1).padStart(7)} kB  ${folder}${name}`);
  }
}
console.log(`${(total / 1000).toFixed(1).padStart(7)} kB  together, compressed (limit ${BUDGET / 1000} kB), and ${(apart / 1000).toFixed(1)} kB for teachers and of the note`);
if (total > BUDGET) throw new Error(`the page is ${total} bytes compressed; the limit is ${BUDGET}`);
