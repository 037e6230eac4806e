// "Which hypotheses save the trend": the tables of docs/beyond-one-sample.md with the picture of its examples.

import { readFile } from 'node:fs/promises';
import { marked } from 'marked';

/** What makes the section: from the ids that have a place on its page, so that their mentions lead there. */
export async function hypotheses(docs) {
  const note = await readFile(new URL('beyond-one-sample.md', docs), 'utf8');
  const section = note.match(/\n## What holds, what fails\n([^]*?)\n## /)?.[1];
  if (!section) throw new Error('docs/beyond-one-sample.md has no section "What holds, what fails"');
  let tables = 0;
  let html = marked.parse(section)
    .replaceAll('<table>', () => `<div class="scroll" role="region" aria-label="Table ${(tables += 1)}" tabindex="0" style="max-width:none"><table>`)
    .replaceAll('</table>', '</table></div>')
    .replaceAll('<img ', '<img style="max-width:100%;height:auto" ');
  for (const [link, name] of html.matchAll(/\.\.\/plots\/([\w-]+\.svg)/g)) {
    const svg = await readFile(new URL(`../plots/${name}`, docs), 'utf8');
    html = html.replace(link, () => `data:image/svg+xml,${encodeURIComponent(svg)}`);
  }
  return (ids) => {
    const linked = html.replace(/\bT\d+\b/g, (id) => (ids.includes(id) ? `<a href="#${id}">${id}</a>` : id));
    return `<section id="hypotheses"><h2>Which hypotheses save the trend</h2>${linked}</section>`;
  };
}
