// The note docs/beyond-one-sample.md as a page of the course: all of it, with its pictures, contents and links.

import { readFile } from 'node:fs/promises';
import { both } from './hypotheses.js';
import { html } from './teach.js';

const PICTURE = /<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]*)"><img alt="([^"]*)" src="([^"]*)"><\/picture>/g;
const STYLE = `.note p,.note h2,.note h3,.note ul{max-width:48rem}.note main{max-width:64rem}.note .scroll{max-width:none}.note table{min-width:46rem}.note td,.note th{vertical-align:top}
.note pre.formula{font-family:"STIX Two Math","Cambria Math","Latin Modern Math","DejaVu Serif",Georgia,serif;font-size:1rem;line-height:1.6;background:none;padding:0 0 0 1.6rem;margin:.6rem 0;max-width:48rem}
.note figure{margin:1rem 0}.note figure svg{display:block;min-width:40rem}.note sub,.note sup{line-height:0;font-size:.72em}.note figcaption{max-width:48rem;font-size:.92rem}.note tr:target{background:var(--panel)}.note main>nav{flex-direction:column;gap:.1rem;margin:.8rem 0}
@media print{.note figure svg{min-width:0}.note table{min-width:0;font-size:7.5pt}.note pre.formula{font-size:9pt;break-inside:avoid}.note td code{overflow-wrap:anywhere}.note table{break-inside:auto}.note tr,.note figure{break-inside:avoid}.note h2+.small{break-after:avoid}.note figure svg{max-height:23cm;width:auto}.note main>nav{display:none}}`;

/** The words of a piece of HTML. */
const words = (text) => text.replace(/<[^>]*>/g, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
/** What a heading is linked by: the number of its theorem, or its words. */
const idOf = (heading) => words(heading).match(/^T\d+/)?.[0] ?? words(heading).toLowerCase().replace(/[^a-z0-9 ]/g, '').trim().replace(/ +/g, '-');
/** Changes the text of a page and leaves tags, code, links and headings as they are. */
const inText = (page, change) => page.split(/(<(?:pre|code|a|h\d|svg|style)\b[^]*?<\/(?:pre|code|a|h\d|svg|style)>|<[^>]*>)/).map((part, i) => (i % 2 ? part : change(part))).join('');

/** Indices and exponents as they are set: V_init, e^(−λτ). */
function set(piece) {
  piece = piece.replace(/_(\p{L}+|∞)/gu, '<sub>$1</sub>');
  for (let from = piece.indexOf('^('); from >= 0; from = piece.indexOf('^(', from)) {
    let [depth, to] = [1, from + 2];
    for (; depth > 0 && to < piece.length; to++) depth += { '(': 1, ')': -1 }[piece[to]] ?? 0;
    if (depth > 0) throw new Error(`docs/beyond-one-sample.md has an exponent that does not end: ${piece.slice(from, from + 40)}`);
    piece = `${piece.slice(0, from)}<sup>${piece.slice(from + 2, to - 1)}</sup>${piece.slice(to)}`;
  }
  return piece;
}

/** The page; `theorems` are the ids that theorems.html has a place for. Formulas \( … \) are still to be drawn. */
export async function beyond(docs, theorems) {
  const note = await readFile(new URL('beyond-one-sample.md', docs), 'utf8');
  const [, title, text] = note.match(/^# (.*)\n([^]*)$/);
  let tables = 0;
  let body = html(text)
    .replace(/<(h[2-6])(?: id="[^"]*")?>(.*?)<\/\1>/g, (_, tag, heading) => `<${tag} id="${idOf(heading)}">${heading}</${tag}>`)
    .replaceAll('aria-label="Table"', () => `aria-label="Table ${(tables += 1)}"`)
    // Four spaces make a formula that stands alone.
    .replace(/<pre><code>\s*([^]*?)\s*<\/code><\/pre>/g, '<pre class="formula" tabindex="0" aria-label="Formula">$1</pre>')
    .replace(/<tr>\s*<td>(\d+)\. /g, '<tr id="example-$1"><td>$1. ')
    .replaceAll('href="../proofs/README.md"', 'href="theorems.html"');
  // A picture with the line below it that says what it shows.
  const pictures = [...body.matchAll(PICTURE)];
  for (const [i, [all, dark, said, light]] of pictures.entries()) {
    const [first, second] = await Promise.all([light, dark].map((name) => readFile(new URL(name, docs), 'utf8')));
    const drawn = both(first, second, said, `drawn${i}`);
    const [whole, caption] = body.match(new RegExp(`<p>${all.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}</p>\\s*<p><em>([^]*?)</em></p>`)) ?? [];
    if (!whole) throw new Error(`docs/beyond-one-sample.md has no line in *…* below the picture “${said}”`);
    body = body.replace(whole, () => `<figure><div class="scroll" tabindex="0" role="group" aria-label="Picture ${i + 1}">${drawn}</div><figcaption>${caption}</figcaption></figure>`);
  }
  const headings = [...body.matchAll(/<h2 id="([^"]*)">(.*?)<\/h2>/g)].map(([, id, heading]) => [id, heading]);
  const ids = [...body.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  const place = (id) => (ids.includes(id) ? `#${id}` : theorems.includes(id) ? `theorems.html#${id}` : undefined);
  const link = (id, shown) => (place(id) ? `<a href="${place(id)}">${shown}</a>` : shown);
  body = body.replace(/(<pre class="formula"[^>]*>)([^]*?)(?=<\/pre>)/g, (_, tag, formula) => `${tag}${set(formula)}`);
  body = inText(body, (piece) => set(piece)
    .replace(/\bT\d+\b/g, (id) => link(id, id))
    .replace(/\b(E|e)xample (\d)\b/g, (shown, _, number) => link(`example-${number}`, shown))
    .replace(/\b([Cc])onjecture ([AB])\b(?!\.)/g, (shown) => link('the-conjectures', shown)));
  // Below a heading with a number: where Coq's statement stands.
  body = body.replace(/<h2 id="(T\d+)">.*?<\/h2>/g, (heading, id) => `${heading}${theorems.includes(id) ? `<p class="small"><a href="theorems.html#${id}">Statement and check of ${id}</a></p>` : ''}`);
  const wrong = body.match(/<img|\.\.\/[a-z]|@@|href="(?!#|theorems\.html|https:)[^"]*"/);
  if (wrong) throw new Error(`docs/beyond-one-sample.md has something that its page cannot show: ${wrong[0]}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:">
<title>${words(title)} · How far will the features move?</title><link rel="stylesheet" href="style.css"><style>${STYLE}</style><link rel="icon" href="data:,"><script type="module" src="back.js"></script></head>
<body class="theorems note"><main><p><a id="back" href="./">← The explorer</a> · <a href="theorems.html">The theorems</a></p><h1>${title}</h1>
<nav aria-label="Contents">${headings.map(([id, heading]) => `<a href="#${id}">${heading}</a>`).join('')}</nav>
${body}</main></body></html>
`;
}
