// The page of theorems: each row of the table in proofs/README.md with its statement in Coq and its check in Rust, and
// the definitions that they mention.

import { article, escape } from './proofs.js';

/** The page of what is proved; `named` are the ids that the explorer refers to, `hypotheses` a section that it begins
 * with. */
export function theorems({ rows, definitions }, named, hypotheses) {
  // Names that stand for a definition lead to it, where they come first.
  const link = (html) => {
    const seen = new Set();
    return html.replace(/&\w+;|[A-Za-z_]\w*/g, (name) => {
      if (!definitions.has(name) || seen.has(name)) return name;
      seen.add(name);
      return `<a href="#def-${name}">${name}</a>`;
    });
  };
  const groups = new Map();
  for (const row of rows.values()) groups.set(row.id, [...(groups.get(row.id) ?? []), row]);
  const sections = [...groups].map(([id, all]) =>
    `<section id="${id}"><h2>${id}</h2>${all.map((row) => `<article id="${row.name}">${article(row, { link })}</article>`).join('\n')}</section>`);
  for (const id of named.filter((id) => !groups.has(id))) {
    groups.set(id, []);
    sections.push(`<section id="${id}"><h2>${id}</h2><p>Not machine-checked. It is checked numerically: <code>taskhead verify ${id}</code>.</p></section>`);
  }
  const defined = [...definitions].map(([name, text]) => `<pre id="def-${name}" tabindex="0" aria-label="Definition of ${name}"><code>${link(escape(text)).replace(`<a href="#def-${name}">${name}</a>`, `<b>${name}</b>`)}</code></pre>`);
  sections.push(`<section id="definitions"><h2>Definitions</h2><p>Vectors and matrices are functions of an index; only the indices below the stated size count.</p>${defined.join('\n')}</section>`);
  const links = [...groups.keys()].map((id) => `<a href="#${id}">${id}</a>`).join(' ') + ' <a href="#definitions">Definitions</a>';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Theorems · How far will the features move?</title><link rel="stylesheet" href="style.css"><link rel="icon" href="data:,"><script type="module" src="back.js"></script></head>
<body class="theorems"><main><p><a id="back" href="./">← The explorer</a></p><h1>The theorems</h1>
<p>Each statement as Coq has checked it, after the variables and hypotheses that it stands under, and the command that checks
it numerically. Names lead to their definitions. The proofs, with their axioms, are in the folder <code>proofs</code> of the source.</p><nav aria-label="Theorems"><a href="#hypotheses">Which hypotheses save the trend</a> ${links}</nav>
${hypotheses([...groups.keys()])}
${sections.join('\n')}</main></body></html>
`;
}
