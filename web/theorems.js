// The page of theorems: each row of the table in proofs/README.md with its statement in Coq and its check in Rust.

import { readFile } from 'node:fs/promises';
import { marked } from 'marked';

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const code = (text) => escape(text).replace(/`([^`]*)`/g, '<code>$1</code>');

/** The statement of a theorem, from its name to the full stop. */
function statement(source, name, file) {
  const found = source.match(new RegExp(`^(?:Theorem|Lemma|Corollary|Proposition) ${name}\\b[^]*?\\.(?=\\s*\\n\\s*Proof\\b)`, 'm'));
  if (!found) throw new Error(`proofs/README.md names ${name}, which ${file} does not state`);
  return found[0];
}

/** The tables of the note that say which hypotheses save the trend, with the picture of its examples; `ids` have a place
 * on the page. */
async function hypotheses(folder, ids) {
  const note = await readFile(new URL('../docs/beyond-one-sample.md', folder), 'utf8');
  const section = note.match(/\n## What holds, what fails\n([^]*?)\n## /)?.[1];
  if (!section) throw new Error('docs/beyond-one-sample.md has no section "What holds, what fails"');
  let html = marked.parse(section)
    .replace(/\bT\d+\b/g, (id) => (ids.includes(id) ? `<a href="#${id}">${id}</a>` : id))
    .replaceAll('<table>', '<div class="scroll" role="region" aria-label="Table" tabindex="0" style="max-width:none"><table>')
    .replaceAll('</table>', '</table></div>')
    .replaceAll('<img ', '<img style="max-width:100%;height:auto" ');
  for (const [link, name] of html.matchAll(/\.\.\/plots\/([\w-]+\.svg)/g)) {
    const svg = await readFile(new URL(`../plots/${name}`, folder), 'utf8');
    html = html.replace(link, () => `data:image/svg+xml,${encodeURIComponent(svg)}`);
  }
  return `<section id="hypotheses"><h2>Which hypotheses save the trend</h2>${html}</section>`;
}

/** The page of the theorems in a folder of proofs; `named` are the ids that the explorer refers to. */
export async function theorems(folder, named) {
  const table = await readFile(new URL('README.md', folder), 'utf8');
  const sources = {};
  const groups = new Map();
  for (const row of table.matchAll(/^\| (\S+) \| (.*?) \| `(\w+)` \((\w+\.v)\) \| (.*?) \| .*? \|$/gm)) {
    const [, id, words, name, file, check] = row.map((cell) => cell.replaceAll('\\|', '|'));
    sources[file] ??= await readFile(new URL(`theories/${file}`, folder), 'utf8');
    const text = statement(sources[file], name, file);
    groups.set(id, [...(groups.get(id) ?? []), { words, name, file, check, text }]);
  }
  if (groups.size === 0) throw new Error('proofs/README.md has no table of theorems');
  const articles = [...groups].map(([id, rows]) => {
    const parts = rows.map(({ words, name, file, check, text }) => `<article id="${name}"><p>${code(words)}</p>
<pre tabindex="0" aria-label="Statement in Coq">${escape(text)}</pre>
<p class="small">Coq: <code>${name}</code> in <code>proofs/theories/${file}</code>${check === '-' ? '' : ` · Rust: ${code(check)}`}</p></article>`);
    return `<section id="${id}"><h2>${id}</h2>${parts.join('\n')}</section>`;
  });
  for (const id of named.filter((id) => !groups.has(id))) {
    groups.set(id, []);
    articles.push(`<section id="${id}"><h2>${id}</h2><p>Not machine-checked. It is checked numerically: <code>taskhead verify ${id}</code>.</p></section>`);
  }
  articles.unshift(await hypotheses(folder, [...groups.keys()]));
  const links = [...groups.keys()].map((id) => `<a href="#${id}">${id}</a>`).join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Theorems · How far will the features move?</title><link rel="stylesheet" href="style.css"><link rel="icon" href="data:,"><script type="module" src="back.js"></script></head>
<body class="theorems"><main><p><a id="back" href="./">← The explorer</a></p><h1>The theorems</h1>
<p>Each statement as Coq has checked it, and the command that checks it numerically. The proofs, with their definitions and
axioms, are in the folder <code>proofs</code> of the source.</p><nav aria-label="Theorems"><a href="#hypotheses">Which hypotheses save the trend</a> ${links}</nav>
${articles.join('\n')}</main></body></html>
`;
}
