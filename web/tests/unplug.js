// Unplugs one feature after the other and sees the tests fail: `node tests/unplug.js [FEATURE…]` after
// scripts/build-web.
//
// Each case changes one place of the page's source, builds, and runs the tests that are to notice. The source is put
// back.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const BUILD = 'the build';
/** Feature, file, text, what takes its place, the test that must fail (or BUILD, if the page must not even build). */
const CASES = [
  ['probing slider', 'opening.js', "probe.addEventListener('input'", "probe.addEventListener('never'", 'the probing slider'],
  ['numbers of the engine', 'opening.js', '[key, now.metrics[i]]', '[key, now.metrics[i] * (1 + 1e-11)]', 'the probing slider'],
  ['rounding of what is read', 'controls.js', '.toFixed(digits)', '.toFixed(digits - 1)', 'the probing slider'],
  ['target slider', 'opening.js', "toState: (y) => ({ y, a:", "toState: (y) => ({ a:", 'target, head and start'],
  ['finetuning time', 'opening.js', 'set({ t: timeOf(Number(time.value) / SHARES, scene) });', '', 'the finetuning time slider'],
  ['head across slider', 'opening.js', "slider($('across'), 'w');", '', 'target, head and start'],
  ['start slider', 'opening.js', 'toState: (s) => s * state.y', 'toState: (s) => s', 'target, head and start'],
  ['drawing of the energy', 'plane.js', 'segment(this.energy, scene.head, [target, scene.head[1]]);', 'segment(this.energy, scene.head, [1.1 * target, scene.head[1]]);', 'what the plane shows'],
  ['drawing of the feature', 'plane.js', 'segment(this.feature, [0, 0], scene.now.feature);', 'segment(this.feature, [0, 0], scene.end.feature);', 'what the plane shows'],
  ['drawing of the path', 'plane.js', 'attrs(this.path, { d: path(scene.feature_path) });', 'attrs(this.path, { d: path(scene.ends) });', 'what the plane shows'],
  ['parts of the loss', 'opening.js', '[now.backbone, now.head_share, now.loss]', '[now.head_share, now.backbone, now.loss]', 'what the plane shows'],
  ['points on the curves', 'opening.js', 'dots: [{ x: energy, y: now.metrics[i]', 'dots: [{ x: energy, y: scene.end.metrics[i]', 'each curve has'],
  ['curves at a finetuning time', 'opening.js', '{ x: energies, y: scene.curves[i], kind: METRICS[i].kind }', '', 'each curve has'],
  ['one drawing a frame', 'state.js', 'requestAnimationFrame(flush);', 'Promise.resolve().then(flush);', 'a drag draws once'],
  ['nothing out of sight', 'controls.js', 'near = entries[entries.length - 1].isIntersecting;', '', 'a drag draws once'],
  ['up to date at rest', 'controls.js', 'else if (outOfSight) later();', '', 'a drag draws once'],
  ['dragging with a finger', 'plane.js', "node.addEventListener('touchstart'", "node.addEventListener('never'", 'the tip can be dragged with a finger'],
  ['dragging', 'plane.js', "node.addEventListener('pointermove'", "node.addEventListener('never'", 'the tip of the head'],
  ['play', 'opening.js', "$('play').addEventListener('click', play)", 'play', 'play runs'],
  ['pause', 'opening.js', 'if (playing) return stop();', 'if (playing) return;', 'play runs'],
  ['step', 'opening.js', "$('step').addEventListener('click', () => step(1))", 'step', 'single steps'],
  ['step back', 'opening.js', "$('back').addEventListener('click', () => step(-1))", 'step', 'single steps'],
  ['reduced motion', 'opening.js', 'if (still()) return', 'if (false) return', 'with reduced motion'],
  ['chapter 1', 'energy.js', 'smoothing: state.smoothing', 'smoothing: 0', 'chapter 1'],
  ['decay of chapter 1', 'energy.js', 'decay: state.decay', 'decay: 0.8', 'chapter 1'],
  ['seed of chapter 1', 'energy.js', 'seed: state.pseed', 'seed: 3', 'chapter 1'],
  ['probing of chapter 1', 'energy.js', "logTime($('ptau'), 'ptau', 1e-2, 1e4);", '', 'chapter 1'],
  ['kernel of chapter 2', 'motion.js', 'kernel: state.kernel, angle', 'kernel: 0.5, angle', 'chapter 2'],
  ['direction of chapter 2', 'motion.js', 'angle: (state.angle * Math.PI) / 180', 'angle: 2', 'chapter 2'],
  ['length of chapter 2', 'motion.js', 'length: state.length, time', 'length: 0.9, time', 'chapter 2'],
  ['whole arrows', 'motion.js', 'ZOOMS.find(inside)', 'ZOOMS[0]', 'chapter 2: no arrow'],
  ['probing of chapter 2', 'motion.js', 'time: state.ftau', 'time: 0.3', 'chapter 2'],
  ['certificate of each law', 'laws.js', "thread.ask('phase', [{ law }])", "thread.ask('phase', [{ law: law ^ 2 }])", 'chapter 3: the maps'],
  ['drawing of the certificate', 'laws.js', 'c.state === kind', "c.state !== kind", 'chapter 3: the maps'],
  ['exact boundary', 'laws.js', "this.boundaries.attr('d'", "this.boundaries.attr('never'", 'chapter 3: the maps'],
  ['point of the cross', 'laws.js', 'this.at(state.y, w)', 'this.at(w, state.y)', 'chapter 3: the maps'],
  ['click on a map', 'laws.js', "svg.on('pointerdown'", "svg.on('never'", 'chapter 3: a click'],
  ['chapter 4', 'downstream.js', 'teacher: phi', 'teacher: 0.7', 'chapter 4'],
  ['size of the head', 'downstream.js', 'scale: size', 'scale: 0.5', 'chapter 4'],
  ['seed of chapter 4', 'downstream.js', 'seed: rseed', 'seed: 0', 'chapter 4'],
  ['samples', 'many.js', '{ samples, inputs', '{ samples: 8, inputs', 'beyond one sample'],
  ['width', 'many.js', '2 * samples), width,', '2 * samples), width: 32,', 'beyond one sample'],
  ['outputs', 'many.js', 'outputs, decay', 'outputs: 2, decay', 'beyond one sample'],
  ['spectrum', 'many.js', 'decay: spectrum', 'decay: 0', 'beyond one sample'],
  ['head rate', 'many.js', 'scale: 1, rate }', 'scale: 1, rate: 1 }', 'beyond one sample'],
  ['points that have an answer', 'curves.js', '(missing ?', '(false ?', 'a point without an answer'],
  ['seeds that lack points', 'many.js', 'if (places(next) === places(first)) all.push(next);', 'all.push(next);', 'a point without an answer'],
  ['another try', 'engine.js', 'this.worker = undefined;', '', 'a thread that dies'],
  ['energies of a curve', 'many.js', 'POINTS = 24', 'POINTS = 25', 'beyond one sample: sixteen'],
  ['random problems', 'many.js', 'seed, scale: 1', 'seed: seed + 1, scale: 1', 'beyond one sample'],
  ['band', 'many.js', 'i < now.seeds', 'i < 1', 'beyond one sample'],
  ['stored digits', 'digits.csv', '0,digits,0,', '0,digits,1,', 'the stored digits'],
  ['file drop', 'own.js', "drop.addEventListener('drop'", "drop.addEventListener('never'", 'a dropped problem file, as'],
  ['compressed files', 'arrays.js', 'await inflated(packed, size)', 'packed', 'a dropped problem file, compressed'],
  ['Fortran order', 'arrays.js', "fortran: order[1] === 'True'", 'fortran: false', 'a dropped problem file, in Fortran'],
  ['notes on a file', 'own.js', "$('own-notes').replaceChildren(...notes", "$('own-notes').replaceChildren(...[]", 'features with labels'],
  ['types of arrays', 'arrays.js', 'dtype: dtype[1] ?? dtype[2]', "dtype: '<f8'", 'features with labels'],
  ['saddle of the figure', 'opening.js', "$('opening-saddle').hidden = !scene.saddle;", '', 'a saddle is told'],
  ['saddle in a curve', 'curves.js', 'const stopped = unfinished ?', 'const stopped = false ?', 'a saddle is told'],
  ['limits of the address', 'state.js', 'else if (!known.valid(known.parse(text)))', 'else if (false)', 'mutated files and addresses'],
  ['choosing a file', 'own.js', "$('file').addEventListener('change'", "$('file').addEventListener('never'", 'a file can be chosen'],
  ['checksums', 'arrays.js', ' || checksum(content) !== crc', '', 'bad files'],
  ['old curves go', 'own.js', "$('own-figure').hidden = true;", '', 'bad files'],
  ['writing the address', 'state.js', "  writeAddress();\n", '', 'every setting survives'],
  ['reading the address', 'state.js', 'Object.assign(values, now);', '', 'every setting survives'],
  ['reset of all', 'main.js', "addEventListener('click', () => reset())", "addEventListener('click', () => {})", 'every setting survives'],
  ['reset of the figure', 'opening.js', 'reset(KEYS);', 'reset();', 'the reset of the opening figure'],
  ['chapter in the address', 'main.js', 'markChapter();', '', 'a chapter in the address'],
  ['wrong address', 'main.js', 'for (const sentence of fromAddress()) notice(sentence);', 'fromAddress();', 'a wrong address'],
  ['keys on the tip', 'plane.js', "node.addEventListener('keydown'", "node.addEventListener('never'", 'everything works by keyboard'],
  ['focus of the tip', 'plane.js', ".attr('tabindex', 0)", '', 'everything works by keyboard'],
  ['keys on the maps', 'laws.js', "this.cross.on('keydown'", "this.cross.on('never'", 'everything works by keyboard'],
  ['words for the figure', 'opening.js', "$('opening-said').textContent = sentence;", '', 'what figures show'],
  ['names of the charts', 'opening.js', 'it ${scene.shapes[i]}. Now', 'Now', 'what figures show'],
  ['phone layout', 'style.css', '.stage { grid-template-columns: minmax(0, 1fr); }', '.stage { grid-template-columns: 40rem 40rem; }', 'phone: nothing'],
  ['dark colours', 'style.css', '--paper: #14171a; --ink: #e7eaed;', '--paper: #14171a; --ink: #333333;', 'desktop-dark: nothing'],
  ['labels apart', 'plane.js', 'const found = boxes.find(free);', 'const found = boxes[0];', 'nothing is undefined'],
  ['dark colours on a phone', 'style.css', '--soft: #a7b0b9;', '--soft: #4a4f55;', 'phone-dark: nothing'],
  ['colours', 'style.css', '--soft: #5a626b;', '--soft: #a0a6ad;', 'reduced-motion: nothing'],
  ['names of controls', 'index.html', '<label for="phi">Angle φ of the teacher (rad) = <output for="phi"></output></label>', '<span>Angle φ of the teacher (rad) = <output for="phi"></output></span>', 'desktop: nothing'],
  ['axe on the theorems', '../theorems.js', '<html lang="en">', '<html>', 'every theorem number'],
  ['verdicts', 'quiz.js', "right ? 'Right.' : 'Not quite.'", "right ? 'Not quite.' : 'Right.'", 'every chapter asks'],
  ['answers', 'quiz.js', 'feedback.hidden = !input.checked;', 'feedback.hidden = true;', 'every chapter asks'],
  ['prepared links', 'state.js', 'smoothing: number(0, 0, 1)', 'smoothing: number(0, 0, 0.1)', 'every link that README'],
  ['bytes of any type', 'engine.js', 'WebAssembly.compile(await bytes())', "WebAssembly.compileStreaming(fetch('engine.wasm'))", 'it works from any static host'],
  ['nothing left to load', 'main.js', 'await prepare();', '', 'once loaded it works'],
  ['fonts cut down', '../build.js', "await subsetFont(whole, characters, { targetFormat: 'woff2' })", 'whole', BUILD],
  ['size of the page', '../build.js', 'if (total > BUDGET) throw', "await writeFile(at(`${out}more`), Float64Array.from({ length: 9000 }, Math.random));\nif (false) throw", 'all that the page loads'],
  ['formulas', 'style.css', ':is(.chart, .plane) path { fill: none; }', 'svg path { fill: none; }', 'formulas are whole'],
  ['saving random problems', 'many.js', "$('many-svg').addEventListener('click'", "$('many-svg').addEventListener('never'", 'figures and data'],
  ['saving own curves', 'own.js', "$('own-svg').addEventListener('click'", "$('own-svg').addEventListener('never'", 'figures and data'],
  ['saving numbers', 'own.js', "$('own-csv').addEventListener('click'", "$('own-csv').addEventListener('never'", 'a dropped problem file, as'],
  ['saving figures', 'controls.js', "for (const name of ['class', 'tabindex', 'role']) to[j].removeAttribute(name);", '', 'figures and data'],
  ['copying the link', 'main.js', 'await navigator.clipboard.writeText(', 'void (', 'the link of a situation'],
  ['embedding', 'main.js', "section.classList.add('shown');", '', 'each part can be embedded'],
  ['one part alone', 'style.css', '.embedded main > section:not(.shown), ', '', 'each part can be embedded'],
  ['links of theorems', '../build.js', 'theorems.html#${id}', 'theorems.html#x${id}', 'every theorem number'],
  ['other hosts', 'index.html', '<link rel="stylesheet" href="style.css">', '<link rel="stylesheet" href="style.css"><img src="http://127.0.0.2:9/x.png" alt="">', 'the reset of the opening figure'],
  ['console messages', 'main.js', 'markChapter();', 'markChapter(); console.error("x");', 'the reset of the opening figure'],
  ['quick updates', 'opening.js', 'engine.family(setting)', 'Array.from({ length: 40 }, () => engine.family(setting))[0]', 'a drag asks the engine'],
  ['room for numbers', 'chart.js', 'const left = Math.ceil(Math.max(38 * unit, widest', 'const left = Math.ceil(Math.min(38 * unit, widest', 'every number of an axis'],
  ['grey at once', 'waiting.js', "this.figure.classList.add('stale');", '', 'an old figure is grey'],
  ['how far the engine is', 'worker.js', 'self.postMessage({ id: asked, done })', 'done', 'an old figure is grey'],
  ['cancel', 'waiting.js', "this.thread.stop(new Stopped('cancelled", "void (new Stopped('cancelled", 'an old figure is grey'],
  ['newer files', 'own.js', "thread.stop(new Stopped('another file came', true));", '', 'a newer question'],
  ['place of a link', 'main.js', '  placeAndKeep(history.state?.scroll);', '', 'a link opens'],
  ['kept in its place', 'main.js', 'resized.observe(', 'void (', 'a link opens'],
  ['Back', 'state.js', 'set(read(location.search).now);', '', 'Back, reload'],
  ['place on the page', 'state.js', '({ scroll: scrollY })', '({})', 'Back, reload'],
  ['reset as a step', 'state.js', "  history.pushState(place(), '', location.href);\n", '', 'a reset can be'],
  ['way back', 'back.js', 'href = `./${from}`', "href = './'", 'the way back'],
  ['old links', 'state.js', "!query.has('v') && ", 'false && ', 'links from before'],
  ['link without clipboard', 'main.js', '    box.hidden = false;\n', '', 'the link is copied, or'],
  ['words without script', 'style.css', '.late { animation: late 0s 5s both; }', '.late { display: none; }', 'a page that cannot start'],
  ['words while loading', 'index.html', '<p>The figures are being loaded …</p>', '', 'on a slow line'],
  ['titles of saved figures', 'controls.js', 'return caption(title, x + 8, y + 16, 14, 600) + ', 'return ', 'a saved figure'],
  ['light saved figures', 'controls.js', "document.documentElement.classList.add('light');", '', 'a saved figure'],
  ['print waits', 'print.js', '    await atRest();\n', '', 'the page can be printed'],
  ['print style', 'style.css', 'main > section { contain: none !important;', 'main > section {', 'the page can be printed'],
  ['numbers of a saddle', 'controls.js', "return 'none';", "return 'undefined';", 'nothing is undefined'],
  ['best stop in sight', 'chart.js', "? { dx: -3, anchor: 'end' } :", '? { dx: 3 } :', 'nothing is undefined'],
  ['embedded controls', 'style.css', '.embedded .first, ', '', 'an embedded part'],
  ['font size of the reader', 'style.css', 'font: 106.25%/1.6', 'font: 17px/1.6', 'text and figures'],
  ['Home and End', 'plane.js', ', Home: [-Infinity, 0], End: [Infinity, 0]', '', 'Home, End'],
  ['ways', 'motion.js', 'way(d.slice(0, now + 1))', 'way([d[0], d[d.length - 1]])', 'the ways of chapter 2'],
  ['loss of the figure', 'opening.js', 'const setting = { target, across, time, loss };', "const setting = { target, across, time, loss: 'squared' };", 'under cross-entropy'],
  ['clocks', 'opening.js', "'clock-squared': scene.clocks[0]", "'clock-squared': scene.clocks[1]", 'under cross-entropy'],
  ['loss of random problems', 'many.js', 'problem.until_loss = until;', 'problem.until_loss = 2 * until;', 'beyond one sample, by cross-entropy'],
  ['loop', 'demo.js', "root.dataset.demo = 'true';", '', 'the loop at the start'],
  ['touch ends the loop', 'demo.js', 'for (const name of events) addEventListener(', 'for (const name of []) addEventListener(', 'the loop at the start'],
  ['curves of sketches', 'draw.js', 'this.shown = true;\n    this.frame();', 'this.shown = true;', 'what is drawn by hand'],
  ['scores', 'draw.js', '1 - 2 * miss', 'miss', 'what is drawn by hand'],
  ['one screen', 'opening.js', 'height: 140', 'height: 260', 'plane, slider'],
  ['sticky plane', 'style.css', '.sight { position: sticky;', '.sight { position: static;', 'plane, slider'],
  ['one file', 'engine.js', "document.getElementById('engine-wasm')", 'null', 'the page in one file'],
  ['story', 'story.js', "button.addEventListener('click'", "button.addEventListener('never'", 'every paragraph of the story'],
  ['step of the story', 'story.js', "button.setAttribute('aria-pressed', String(here));", "button.setAttribute('aria-pressed', 'false');", 'every paragraph of the story'],
  ['story as steps', 'state.js', 'asStep(() => set(meant(query, keys)));', 'set(meant(query, keys));', 'every paragraph of the story'],
  ['plane beside the story', 'style.css', '.sight { position: sticky;', '.sight { position: static;', 'the plane stays in sight'],
  ['words of Coq', '../proofs.js', "stated({ context, text })))}</code>", "stated({ context, text }).replace('<', '<=')))}</code>", 'the folds for experts'],
  ['hypotheses', '../proofs.js', 'context: sections.flat()', 'context: []', 'the folds for experts'],
  ['hypotheses of the theorems', '../proofs.js', 'context: sections.flat()', 'context: []', 'the page of theorems'],
  ['definitions', '../theorems.js', '<pre id="def-${name}"', '<pre id="defs-${name}"', 'the page of theorems'],
  ['boxes of the certificate', 'laws.js', 'map.said(state.y, between(ACROSS, state.w))', 'map.said(state.y, 1)', 'the certificate names'],
  ['clock of chapter 6', 'entropy.js', "at(head, 'squared', first)", "at(head, 'squared', second)", 'chapter 6'],
  ['probed head of chapter 6', 'entropy.js', 'scene.head[0]))', 'state.a))', 'chapter 6'],
  ['rest before chapter 6', 'entropy.js', ', { outOfSight: false }', '', 'chapter 6'],
  ['choice of a network', 'networks.js', "changed.has('net') && draw()", 'false', 'chapter 7'],
  ['laws of networks', 'networks.js', 'const TOLERANCE = 0.05', 'const TOLERANCE = 0.5', 'chapter 7'],
  ['seeds of networks', 'networks.js', 'shown.length === 1 ||', 'false ||', 'chapter 7'],
  ['stored networks', 'networks.csv', 'cnn,digits cnn,0,0,', 'cnn,digits cnn,0,1,', 'chapter 7'],
  ['links of principles', 'index.html', '<a href="?net=head#networks">', '<a href="?net=heads#networks">', 'every principle'],
  ['pre on paper', 'style.css', '  pre { white-space: pre-wrap; overflow: visible; }\n', '', 'the page can be printed'],
  ['range where nothing moves', 'entropy.js', 'padded(wide(extent(slow.outputs, quick.outputs, [state.y])))', 'padded(extent(slow.outputs, quick.outputs, [state.y]))', 'nothing is undefined'],
  ['slides in one file', '../slides.js', '<style>${katex}', '<link rel="stylesheet" href="style.css"><style>', 'the slides are one file'],
  ['slides that fit', '../slides.js', 'max-height:48vh', 'max-height:95vh', 'the slides are one file'],
  ['notes of slides', '../slides.js', "classList.toggle('notes')", "classList.toggle('note')", 'the slides are one file'],
  ['worksheet', 'worksheet.js', 'Math.asinh(x2 / w)', 'Math.asinh(x1 / w)', 'the worksheet'],
  ['unit of figures', 'chart.js', 'Math.round(parent.clientWidth / unit())', 'Math.round(parent.clientWidth)', 'text and figures grow'],
  ['names beside lines', 'plane.js', 'goesThrough(way, b.box)', 'false', 'names in the opening figure'],
  ['names of rules', 'chart.js', 'places.find(free) ?? places[0]', 'places[0]', 'names in the opening figure'],
  ['points at ends', 'chart.js', '[this.around, 8]', '[this.around, 1]', 'a point at the end'],
  ['figures on paper', 'print.js', "paper.add('paper');", '', 'the page can be printed'],
  ['stripes of the loss', 'style.css', 'repeating-linear-gradient(45deg, var(--head)', 'radial-gradient(var(--head)', 'the page can be printed'],
  ['counts in one line', 'style.css', ':is(#many, #entropy) td { white-space: nowrap; }', '', 'nothing to read is cut'],
  ['buttons before the figure', 'index.html', '<button id="many-svg" type="button" disabled>', '<button id="many-svg" type="button">', 'what is not drawn'],
  ['theorems on paper', '../hypotheses.js', '@media screen and (prefers', '@media (prefers', 'the page of theorems prints'],
  ['characters of formulas', '../build.js', 'if (/\\bmathnormal\\b/.test(names))', 'if (/\\bmathstrange\\b/.test(names))', 'each font has'],
  ['style of formulas', '../build.js', "selector.replace(/:not\\([^)]*\\)/g, '')", 'selector', 'formulas look as'],
  ['right answers of QTI', '../qti.js', 'choices.findIndex((c) => c.right)', '0', 'the questions for other platforms'],
  ['files of QTI', '../qti.js', '<file href="items/${id}.xml"/>', '', 'the questions for other platforms'],
  ['feedback for platforms', '../teach.js', '#${escaped(feedback)}', '#${escaped(text)}', 'the questions for learning'],
  ['right answers for platforms', '../teach.js', "right ? '=' : '~'", "'~'", 'the questions for learning'],
];

const builds = () => spawnSync('node', ['build.js'], { cwd: root }).status === 0;
const FILES = ['opening', 'chapters', 'course', 'page', 'faults', 'teach'].map((name) => `tests/${name}.test.js`);
/** Whether the tests whose names begin with a text run and fail. */
function fails(test) {
  const pattern = `^${test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`;
  // Names that are put together do not stand in a file as they are.
  const named = FILES.filter((file) => readFileSync(`${root}${file}`, 'utf8').includes(`test('${test}`));
  const { status, stdout } = spawnSync('node', ['--test', '--test-concurrency=1', `--test-name-pattern=${pattern}`, ...(named.length ? named : FILES)], { cwd: root, encoding: 'utf8' });
  return status !== 0 && /(?:#|ℹ) fail [1-9]/.test(stdout);
}
const only = process.argv.slice(2);
let missed = 0;
for (const [feature, name, text, instead, test] of CASES.filter(([feature]) => only.length === 0 || only.includes(feature))) {
  const path = `${root}page/${name}`;
  const source = readFileSync(path, 'utf8');
  if (source.split(text).length < 2) throw new Error(`${feature}: ${name} does not hold ${text}`);
  try {
    writeFileSync(path, source.replace(text, () => instead));
    const noticed = test === BUILD ? !builds() : builds() && fails(test);
    if (!noticed) missed += 1;
    console.log(`${noticed ? 'noticed' : 'MISSED '}  ${feature}: ${test}`);
  } finally {
    writeFileSync(path, source);
  }
}
if (!builds()) throw new Error('the page does not build again');
console.log(`${missed} missed`);
process.exitCode = missed ? 1 : 0;
