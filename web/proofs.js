// The machine-checked statements: the table of proofs/README.md with the sources that it names.

import { readFile } from 'node:fs/promises';

export const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
export const code = (text) => escape(text).replace(/`([^`]*)`/g, '<code>$1</code>');

/** A source without its comments, which may be nested. */
function plain(source) {
  let [depth, out] = [0, ''];
  for (const piece of source.split(/(\(\*|\*\))/)) {
    if (piece === '(*') depth += 1;
    else if (piece === '*)') depth -= 1;
    else if (depth === 0) out += piece;
  }
  return out;
}

/**
 * The statements of a source by name: `text` from its name to the full stop, and `context`, the variables, hypotheses
 * and abbreviations of the sections that it stands in, without which it says something else.
 */
function statements(source) {
  const found = new Map();
  const sections = [];
  const sentence = /^[ \t]*(Section|End|Variables?|Hypothes[ie]s|Context|Let|Theorem|Lemma|Corollary|Proposition)\b[^]*?\.(?=\s)/gm;
  for (const [whole, kind] of plain(source).matchAll(sentence)) {
    const text = whole.trim().replace(/\n\s*\n/g, '\n');
    const name = text.match(/^\w+\s+(\w+)/)?.[1];
    if (kind === 'Section') sections.push([]);
    else if (kind === 'End') sections.pop();
    else if (/^(Theorem|Lemma|Corollary|Proposition)$/.test(kind)) found.set(name, { text, context: sections.flat() });
    else if (sections.length > 0) sections[sections.length - 1].push(text);
  }
  if (sections.length > 0) throw new Error('a section has no end');
  return found;
}

/** The definitions of a source, by name. */
function definitions(source) {
  const all = plain(source).matchAll(/^(?:Definition|Fixpoint|Inductive|Record|Notation) +"?(\w+)[^]*?\.(?=\s)/gm);
  return new Map([...all].map(([text, name]) => [name, text.trim()]));
}

/**
 * What is proved, from a folder of proofs: the rows { id, words, name, file, check, text, context } by name, in the
 * order of the table, and the definitions that they mention.
 */
export async function proofs(folder) {
  const read = (name) => readFile(new URL(name, folder), 'utf8');
  const [sources, rows] = [new Map(), new Map()];
  for (const row of (await read('README.md')).matchAll(/^\| (\S+) \| (.*?) \| `(\w+)` \((\w+\.v)\) \| (.*?) \| .*? \|$/gm)) {
    const [, id, words, name, file, check] = row.map((cell) => cell.replaceAll('\\|', '|'));
    if (!sources.has(file)) sources.set(file, statements(await read(`theories/${file}`)));
    const stated = sources.get(file).get(name);
    if (!stated) throw new Error(`proofs/README.md names ${name}, which ${file} does not state`);
    rows.set(name, { id, words, name, file, check: check === '-' ? '' : check, ...stated });
  }
  if (rows.size === 0) throw new Error('proofs/README.md has no table of theorems');
  return { rows, definitions: definitions(await read('theories/Definitions.v')) };
}

/** A statement as Coq has it, after what it stands under. */
export const stated = ({ context, text }) => [...context, text].join('\n');

/**
 * The statement of a theorem as a part of a page: in words, in Coq, and the command that checks it. `link` leads its
 * names to their definitions; `at` is the page that has it, too.
 */
export function article({ words, name, file, check, context, text }, { link = (html) => html, at } = {}) {
  const named = `<code>${name}</code>`;
  return `<p>${code(words)}</p>
<pre tabindex="0" aria-label="${name} in Coq"><code>${link(escape(stated({ context, text })))}</code></pre>`
    + `<p class="small">Coq: ${at ? `<a href="${at}#${name}">${named}</a>` : named} in <code>proofs/theories/${file}</code>${check ? ` · Rust: ${code(check)}` : ''}</p>`;
}
