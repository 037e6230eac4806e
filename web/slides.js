// The slides: one HTML file that needs nothing else, from teach/slides.md, with figures by the engine.

import { readFile } from 'node:fs/promises';
import { html } from './teach.js';

/** Size of a figure, and the room of its axes. */
const [WIDTH, HEIGHT] = [360, 230];
const M = { top: 26, right: 14, bottom: 34, left: 44 };
const n = (v) => v.toFixed(1);

/** A chart: `lines` of { x, y, kind }, `rules` at x with a label, from the ranges of its numbers. */
function chart({ title, xLabel, lines, rules = [], dots = [], from, ends }) {
  const range = (lists) => [Math.min(...lists.flat()), Math.max(...lists.flat())];
  const [x0, x1] = range(lines.map((l) => l.x));
  const [least, high] = range(lines.map((l) => l.y));
  const low = from ?? least;
  const [y0, y1] = [low - 0.06 * (high - low), high + 0.06 * (high - low)];
  const sx = (x) => M.left + ((x - x0) / (x1 - x0)) * (WIDTH - M.left - M.right);
  const sy = (y) => HEIGHT - M.bottom - ((y - y0) / (y1 - y0)) * (HEIGHT - M.top - M.bottom);
  const number = (v) => String(Math.abs(v) < 1e-9 ? 0 : Number(v.toPrecision(2))).replace('-', '−');
  const path = ({ x, y, kind }) => `<path class="${kind}" d="M${x.map((v, i) => `${n(sx(v))},${n(sy(y[i]))}`).join('L')}"/>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: against ${xLabel}"><text class="title" x="${M.left}" y="16">${title}</text>
<path class="axis" d="M${M.left},${M.top}V${HEIGHT - M.bottom}H${WIDTH - M.right}"/>
${[low, high].map((v) => `<text class="tick" text-anchor="end" x="${M.left - 5}" y="${n(sy(v) + 4)}">${number(v)}</text>`).join('')}
${[x0, x1].map((v, i) => `<text class="tick" text-anchor="${i ? 'end' : 'start'}" x="${n(sx(v))}" y="${HEIGHT - M.bottom + 15}">${ends?.[i] ?? number(v)}</text>`).join('')}
<text class="tick" text-anchor="middle" x="${(M.left + WIDTH - M.right) / 2}" y="${HEIGHT - 6}">${xLabel}</text>
${rules.map(({ x, label }) => `<path class="rule" d="M${n(sx(x))},${M.top}V${HEIGHT - M.bottom}"/><text class="tick" x="${n(sx(x) + 4)}" y="${HEIGHT - M.bottom - 6}">${label}</text>`).join('')}
${lines.map(path).join('')}${dots.map(({ x, y, kind }) => `<circle class="${kind}" r="5" cx="${n(sx(x))}" cy="${n(sy(y))}"/>`).join('')}</svg>`;
}

const ONE = { target: 1.4, across: 0.6, start: -0.6 };
const NAMES = ['Distance', 'Cosine distance', 'Dot product', 'Norm'];
const output = ({ feature, head }) => feature[0] * head[0] + feature[1] * head[1];

/** The figures by name. */
function figures(engine, page) {
  const family = engine.family({ target: ONE.target, across: ONE.across, time: Infinity, loss: 'squared' });
  const scene = (more) => engine.scene({ ...ONE, probe: 0, time: Infinity, loss: 'squared', ...more });
  const even = (end) => Array.from({ length: 60 }, (_, i) => (end * i) / 59);
  return {
    network: () => page.match(/<svg id="network"[^]*?<\/svg>/)[0].replace(' id="network"', ' class="network"'),
    curves: () => family.limits.map((y, i) => chart({ title: NAMES[i], xLabel: 'energy E', lines: [{ x: family.energies, y, kind: `m${i}` }], rules: [{ x: family.middle, label: 'E = y' }] })).join(''),
    plane() {
      const [far, near] = [scene({}), scene({ probe: 0.7 })];
      const [sx, sy] = [(x) => 150 + 150 * x, (y) => 250 - 150 * y];
      const to = ([x, y]) => `${n(sx(x))},${n(sy(y))}`;
      const way = (points, kind) => `<path class="${kind}" d="M${points.map(to).join('L')}"/>`;
      const arrow = (end, kind) => `<path class="${kind} arrow" d="M${to([0, 0])}L${to(end)}" marker-end="url(#tip-${kind.split(' ')[0]})"/>`;
      const tip = (kind) => `<marker id="tip-${kind}" class="${kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0.5L10,5L0,9.5z"/></marker>`;
      return `<svg viewBox="-70 0 530 290" role="img" aria-label="One sample: from the head without probing the feature goes far along its hyperbola, from a probed head less far"><defs>${['z0', 'feature', 'head'].map(tip).join('')}</defs>
<path class="axis" d="M-60,${sy(0)}H450M${sx(0)},10V280"/>${way(far.feature_path, 'feature')}${way(near.feature_path, 'feature dashed')}
${arrow([1, 0], 'z0')}${arrow(far.head, 'head')}${arrow(near.head, 'head dashed')}${arrow(far.end.feature, 'feature')}
<circle class="feature" r="5" cx="${n(sx(near.end.feature[0]))}" cy="${n(sy(near.end.feature[1]))}"/>
<text class="z0" x="${n(sx(0.8))}" y="${sy(0) + 20}">z₀</text><text class="head" text-anchor="end" x="${n(sx(far.head[0]) - 8)}" y="${n(sy(far.head[1]))}">v, not probed</text>
<text class="head" text-anchor="end" x="${n(sx(near.head[0]) + 8)}" y="${n(sy(near.head[1]) - 10)}">v, probed</text><text class="feature" x="${n(sx(far.end.feature[0]) + 8)}" y="${n(sy(far.end.feature[1]))}">z</text></svg>`;
    },
    clocks() {
      const { last } = scene({ loss: 'cross-entropy' });
      const run = (loss, end) => even(end).map((time) => scene({ loss, time }).now);
      const [square, clocked] = [run('squared', 1.1 * last), run('cross-entropy', last)];
      const lines = (x) => [{ x: square.map(x), y: square.map((m) => m.metrics[0]), kind: 'm0 wide' }, { x: clocked.map(x), y: clocked.map((m) => m.metrics[0]), kind: 'm1' }];
      return chart({ title: 'Distance in time', xLabel: 'finetuning time', lines: lines((m) => m.time) })
        + chart({ title: 'Distance against the output', xLabel: 'output z·v', lines: lines(output) });
    },
    risk() {
      const times = [0, ...Array.from({ length: 17 }, (_, i) => 10 ** (-3 + i * 0.1875)), Infinity];
      return [0, 1.2].map((teacher) => {
        const problem = { samples: 30, inputs: 60, width: 8, outputs: 1, decay: 0, teacher, seed: 3, scale: 1, rate: 1 };
        const { records, best } = engine.downstream({ problem, times });
        const [x, y] = [records.map((_, i) => i / (records.length - 1)), records.map((r) => r.risk)];
        return chart({ title: teacher ? 'Error: features lack most of the task' : 'Error: features contain the task', xLabel: 'head probing', ends: ['none', 'to the end'], from: 0, lines: [{ x, y, kind: 'm3' }], dots: [{ x: x[best], y: y[best], kind: 'm0' }] });
      }).join('');
    },
  };
}

const STYLE = `:root{color-scheme:light dark;--paper:#fff;--ink:#1d2126;--soft:#5a626b;--hair:#c9ced4;--panel:#f5f6f8;--feature:#00795c;--head:#0060a8;--energy:#b34700;--old:#6a7178;--fit:#7f3f98;--m2:#a4508b}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e7eaed;--soft:#a7b0b9;--hair:#454c54;--panel:#1d2125;--feature:#35c79c;--head:#6db8f2;--energy:#f2955b;--old:#9aa3ac;--fit:#cf9ae6;--m2:#e893cc}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:clamp(16px,3.7vmin,64px)/1.4 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
section{min-height:100vh;padding:4vmin 7vmin 9vmin;display:flex;flex-direction:column;justify-content:center;break-after:page;break-inside:avoid}
h1{font-size:1.6em;margin:0 0 .6em}section:first-child h1{font-size:2em}p,ul,ol{margin:.4em 0;max-width:52em}li{margin:.25em 0}
table{border-collapse:collapse}thead{display:none}td{padding:.25em 1.2em .25em 0;border-bottom:1px solid var(--hair)}
.figures{display:flex;flex-wrap:wrap;gap:1vmin 3vmin;margin:.4em 0}.figures svg{flex:1 1 34vmin;max-width:78vmin;max-height:48vh;min-width:0}.figures svg:only-child{max-width:110vmin}
.figures.four svg{flex:1 1 40%;max-height:28vh}
svg text{font:15px system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--ink)}svg .tick{font-size:12px;fill:var(--soft)}svg .title{font-weight:600}
:where(.figures) svg path{fill:none;stroke-width:2.4}svg .axis,svg .rule{stroke:var(--hair);stroke-width:1.2}svg .rule{stroke:var(--fit);stroke-dasharray:4 4}
.m0{stroke:var(--feature)}.m1{stroke:var(--head);stroke-dasharray:7 3}.m2{stroke:var(--m2);stroke-dasharray:2.5 3}.m3{stroke:var(--energy);stroke-dasharray:9 3 2 3}svg path.wide{stroke-width:7;opacity:.45}svg path.dashed{stroke-dasharray:6 4}
path.z0{stroke:var(--old)}path.head{stroke:var(--head)}path.feature{stroke:var(--feature)}text.z0{fill:var(--old)!important}text.head{fill:var(--head)!important}text.feature{fill:var(--feature)!important}
circle.m0,circle.feature{fill:var(--feature)}marker path{stroke:none!important}marker.z0 path{fill:var(--old)}marker.head path{fill:var(--head)}marker.feature path{fill:var(--feature)}
.network text{font-size:13px;text-anchor:middle}.network .symbol{font-style:italic;font-weight:600}.network rect,.network circle,.network .part path{fill:var(--panel);stroke:var(--hair);stroke-width:1.5}.network .backbone-part path,.network .feature-part rect{stroke:var(--feature)}.network .head-part circle{stroke:var(--head)}.network .flow path{stroke:var(--soft);stroke-width:1.5;marker-end:url(#flow)}.network marker path{fill:var(--soft)}.network .said{font-size:12px;fill:var(--soft)}
blockquote{display:none;margin:1em 0 0;padding:.5em 1em;border-left:4px solid var(--energy);background:var(--panel);font-size:.8em;max-width:60em}.notes blockquote{display:block}
.katex-display{margin:.5em 0;text-align:left}.katex-display>.katex{text-align:left}
footer{position:fixed;bottom:0;left:0;right:0;display:flex;gap:1.2em;align-items:center;padding:.4em 1em;font-size:max(.875rem,1.6vmin);color:var(--soft);background:var(--paper)}footer button{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--hair);border-radius:.4em;padding:.2em .8em}
.show section:not(.now){display:none}:focus-visible{outline:3px solid var(--head)}
@media (max-width:40em){footer span:last-child{display:none}}
@media print{footer{display:none}section{min-height:0;height:100vh}.show section:not(.now){display:flex}@page{size:landscape;margin:8mm}}`;

const SCRIPT = `const all=[...document.querySelectorAll('section')];const root=document.documentElement;
const at=()=>Math.max(0,Math.min(all.length-1,(parseInt(location.hash.slice(1))||1)-1));
const show=()=>{root.classList.add('show');all.forEach((s,i)=>s.classList.toggle('now',i===at()));document.getElementById('place').textContent=(at()+1)+' of '+all.length;scrollTo(0,0)};
const go=d=>{location.hash=String(Math.max(1,Math.min(all.length,at()+1+d)))};
const notes=()=>{const on=root.classList.toggle('notes');document.getElementById('notes').setAttribute('aria-pressed',on)};
addEventListener('hashchange',show);document.getElementById('next').onclick=()=>go(1);document.getElementById('previous').onclick=()=>go(-1);document.getElementById('notes').onclick=notes;
addEventListener('keydown',e=>{if(e.ctrlKey||e.metaKey||e.altKey)return;const k=e.key;if(['ArrowRight','PageDown','n'].includes(k)||(k===' '&&e.target===document.body)){go(1);e.preventDefault()}else if(['ArrowLeft','PageUp','p'].includes(k)){go(-1);e.preventDefault()}else if(k==='Home')go(-99);else if(k==='End')go(99);else if(k==='t')notes()});show();`;

/** The text of the slides; formulas are still to be drawn. */
export async function slidesText(folder, engine, page) {
  const drawn = figures(engine, page);
  const parts = (await readFile(new URL('slides.md', folder), 'utf8')).split(/^---$/m);
  return parts.map((part) => `<section>${html(part).replace(/<p>\[figure (\w+)\]<\/p>/g, (_, name) => {
    if (!drawn[name]) throw new Error(`the slides name a figure ${name}, which there is not`);
    return `<div class="figures${name === 'curves' ? ' four' : ''}">${drawn[name]()}</div>`;
  }).replace(/<h2 id="[^"]*">(.*?)<\/h2>/g, '<h1>$1</h1>').replace(/<div class="scroll"[^>]*>|(?<=<\/table>)<\/div>/g, '')}</section>`).join('\n');
}

/** The file: `body` with its formulas drawn, `katex` the style of those with its fonts inside. */
export function slides(body, katex) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; font-src data:; img-src data:">
<title>Slides · How far will the features move?</title><link rel="icon" href="data:,"><style>${katex}${STYLE}</style></head>
<body><main>${body}</main><footer><button id="previous" type="button">Back</button><button id="next" type="button">Next</button><span id="place" role="status"></span><button id="notes" type="button" aria-pressed="false">Notes</button><span>Keys: arrows, Home, End; t for notes. Print for paper.</span></footer>
<script>${SCRIPT}</script></body></html>
`;
}
