// Unplugs one feature after the other and sees the tests fail: `node tests/unplug.js [FEATURE…]` after scripts/build-web.
//
// Each case changes one place of the page's source, builds, and runs the tests that are to notice. The source is put back.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
/** Feature, file, text, what takes its place, the test that must fail. */
const CASES = [
  ['probing slider', 'opening.js', "probe.addEventListener('input'", "probe.addEventListener('never'", 'the probing slider'],
  ['numbers of the engine', 'opening.js', '[key, now.metrics[i]]', '[key, now.metrics[i] * (1 + 1e-11)]', 'the probing slider'],
  ['rounding of what is read', 'controls.js', '.toFixed(digits)', '.toFixed(digits - 1)', 'the probing slider'],
  ['target slider', 'opening.js', "toState: (y) => ({ y, a:", "toState: (y) => ({ a:", 'target, head and start'],
  ['finetuning time', 'opening.js', "set({ t: timeOf(Number(time.value) / SHARES, scene.pace) });", '', 'the finetuning time slider'],
  ['dragging', 'plane.js', "node.addEventListener('pointermove'", "node.addEventListener('never'", 'the tip of the head'],
  ['play', 'opening.js', "$('play').addEventListener('click', play)", 'play', 'play runs'],
  ['pause', 'opening.js', 'if (playing) return stop();', 'if (playing) return;', 'play runs'],
  ['step', 'opening.js', "$('step').addEventListener('click', () => step(1))", 'step', 'single steps'],
  ['step back', 'opening.js', "$('back').addEventListener('click', () => step(-1))", 'step', 'single steps'],
  ['reduced motion', 'opening.js', 'if (still()) return', 'if (false) return', 'with reduced motion'],
  ['chapter 1', 'energy.js', 'smoothing: state.smoothing', 'smoothing: 0', 'chapter 1'],
  ['chapter 2', 'motion.js', 'kernel: state.kernel, angle', 'kernel: 0.5, angle', 'chapter 2'],
  ['certificate of each law', 'laws.js', "ask('phase', [{ law }], 'proofs')", "ask('phase', [{ law: law ^ 2 }], 'proofs')", 'chapter 3: the maps'],
  ['drawing of the certificate', 'laws.js', 'c.state === kind', "c.state !== kind", 'chapter 3: the maps'],
  ['exact boundary', 'laws.js', "this.boundaries.attr('d'", "this.boundaries.attr('never'", 'chapter 3: the maps'],
  ['point of the cross', 'laws.js', 'this.at(state.y, w)', 'this.at(w, state.y)', 'chapter 3: the maps'],
  ['click on a map', 'laws.js', "svg.on('pointerdown'", "svg.on('never'", 'chapter 3: a click'],
  ['chapter 4', 'downstream.js', "'teacher-angle': phi", "'teacher-angle': 0.7", 'chapter 4'],
  ['size of the head', 'downstream.js', 'scales: [size]', 'scales: [0.5]', 'chapter 4'],
  ['random problems', 'many.js', "'first-seed': seed,", "'first-seed': seed + 1,", 'beyond one sample'],
  ['band', 'many.js', 'i < now.seeds', 'i < 1', 'beyond one sample'],
  ['stored digits', 'digits.csv', '0,digits,0,', '0,digits,1,', 'the stored digits'],
  ['file drop', 'own.js', "drop.addEventListener('drop'", "drop.addEventListener('never'", 'a dropped problem file, as'],
  ['compressed files', 'npz.js', 'await entry.arrayBuffer()', 'await entry.arrayBuffer({ passThrough: true })', 'a dropped problem file, compressed'],
  ['Fortran order', 'npz.js', 'fortranOrder && shape', 'false && shape', 'a dropped problem file, in Fortran'],
  ['choosing a file', 'own.js', "$('file').addEventListener('change'", "$('file').addEventListener('never'", 'a file can be chosen'],
  ['checksums', 'npz.js', 'checkSignature: true', 'checkSignature: false', 'bad files'],
  ['old curves go', 'own.js', "$('own-figure').hidden = true;", '', 'bad files'],
  ['writing the address', 'state.js', "write = setTimeout(() => history.replaceState(null, '', link()), 150);", '', 'every setting survives'],
  ['reading the address', 'state.js', 'Object.assign(values, update);', '', 'every setting survives'],
  ['reset of all', 'main.js', "addEventListener('click', () => reset())", "addEventListener('click', () => {})", 'every setting survives'],
  ['reset of the figure', 'opening.js', 'reset(KEYS);', 'reset();', 'the reset of the opening figure'],
  ['chapter in the address', 'main.js', 'markChapter();', '', 'a chapter in the address'],
  ['wrong address', 'main.js', 'for (const sentence of fromAddress()) notice(sentence);', 'fromAddress();', 'a wrong address'],
  ['keys on the tip', 'plane.js', "node.addEventListener('keydown'", "node.addEventListener('never'", 'everything works by keyboard'],
  ['focus of the tip', 'plane.js', ".attr('tabindex', 0)", '', 'everything works by keyboard'],
  ['keys on the maps', 'laws.js', "this.cross.on('keydown'", "this.cross.on('never'", 'everything works by keyboard'],
  ['words for the figure', 'opening.js', 'say(sentence);', '', 'what figures show'],
  ['names of the charts', 'opening.js', 'it ${scene.shapes[i]}. Now', 'Now', 'what figures show'],
  ['phone layout', 'style.css', '.stage { grid-template-columns: minmax(0, 1fr); }', '.stage { grid-template-columns: 40rem 40rem; }', 'phone: nothing'],
  ['dark colours', 'style.css', '--paper: #14171a; --ink: #e7eaed;', '--paper: #14171a; --ink: #333333;', 'desktop-dark: nothing'],
  ['labels apart', 'plane.js', '0, 18);', '0, 18).attr("y", 15).attr("x", X(target) - 60);', 'desktop: nothing'],
  ['formulas', 'style.css', ':is(.chart, .plane) path { fill: none; }', 'svg path { fill: none; }', 'formulas are whole'],
  ['saving figures', 'controls.js', "for (const name of ['class', 'tabindex', 'role']) to[j].removeAttribute(name);", '', 'figures and data'],
  ['copying the link', 'main.js', 'await navigator.clipboard.writeText(', 'void (', 'the link of a situation'],
  ['embedding', 'main.js', "section.classList.add('shown');", '', 'one part can be embedded'],
  ['links of theorems', '../build.js', 'theorems.html#${id}', 'theorems.html#x${id}', 'every theorem number'],
  ['other hosts', 'index.html', '<link rel="stylesheet" href="style.css">', '<link rel="stylesheet" href="style.css"><img src="http://127.0.0.2:9/x.png" alt="">', 'the reset of the opening figure'],
  ['console messages', 'main.js', 'markChapter();', 'markChapter(); console.error("x");', 'the reset of the opening figure'],
];

const build = () => execFileSync('node', ['build.js'], { cwd: root, stdio: 'pipe' });
const only = process.argv.slice(2);
let missed = 0;
for (const [feature, name, text, instead, test] of CASES.filter(([feature]) => only.length === 0 || only.includes(feature))) {
  const path = `${root}page/${name}`;
  const source = readFileSync(path, 'utf8');
  if (source.split(text).length < 2) throw new Error(`${feature}: ${name} does not hold ${text}`);
  try {
    writeFileSync(path, source.replace(text, () => instead));
    build();
    const pattern = `^${test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`;
    const { status, stdout } = spawnSync('node', ['--test', '--test-concurrency=1', `--test-name-pattern=${pattern}`, 'tests/opening.test.js', 'tests/chapters.test.js', 'tests/page.test.js'], { cwd: root, encoding: 'utf8' });
    const noticed = status !== 0 && /(?:#|ℹ) fail [1-9]/.test(stdout);
    if (!noticed) missed += 1;
    console.log(`${noticed ? 'noticed' : 'MISSED '}  ${feature}: ${test}`);
  } finally {
    writeFileSync(path, source);
  }
}
build();
console.log(`${missed} missed`);
process.exitCode = missed ? 1 : 0;
