// "Which hypotheses save the trend": the tables of docs/beyond-one-sample.md with the picture of its examples.

import { readFile } from 'node:fs/promises';
import { marked } from 'marked';

/** The corners of a line, of which there are many, as steps from one to the next. */
function steps(points) {
  const corners = points.trim().split(' ').map((corner) => corner.split(',').map(Number));
  const step = ([x, y], i) => (i === 0 ? `M${x},${y}l` : `${x - corners[i - 1][0]},${y - corners[i - 1][1]}`);
  return corners.map(step).join(' ').replaceAll('l ', 'l').replaceAll(',-', '-').replaceAll(' -', '-');
}

/**
 * A picture that exists in light and in dark colours as one drawing within the page: each pair of colours is one of the
 * page's style, so that paper shows the light ones and nothing is there twice. `name` is a class for it alone, where a
 * page has several.
 */
export function both(light, dark, said, name = 'drawn') {
  const colour = /#[0-9a-f]{6}\b/gi;
  if (light.replace(colour, '#') !== dark.replace(colour, '#')) throw new Error(`the two pictures of “${said}” differ in more than colours`);
  const others = dark.match(colour);
  const names = new Map();
  let i = 0;
  const drawn = light.replace(colour, (one) => {
    const pair = `${one} ${others[i++]}`;
    if (!names.has(pair)) names.set(pair, `--p${names.size}`);
    return `var(${names.get(pair)})`;
  });
  const set = (side) => [...names].map(([pair, name]) => `${name}:${pair.split(' ')[side]}`).join(';');
  const style = `<style>.${name}{max-width:100%;height:auto;${set(0)}}@media screen and (prefers-color-scheme:dark){.${name}{${set(1)}}}</style>`;
  return drawn.replace(/<title>[^<]*<\/title>\s*/, '').replace('<svg ', `<svg class="${name}" aria-label="${said}" `)
    .replace(/<polyline ([^>]*)points="([^"]*)"/g, (_, attributes, points) => `<path ${attributes}d="${steps(points)}"`)
    .replace(/>\n([^<\n]*)\n</g, '>$1<').trim() + style;
}

/** What makes the section: from the ids that have a place on its page, so that their mentions lead there. */
export async function hypotheses(docs) {
  const note = await readFile(new URL('beyond-one-sample.md', docs), 'utf8');
  const section = note.match(/\n## What holds, what fails\n([^]*?)\n## /)?.[1];
  if (!section) throw new Error('docs/beyond-one-sample.md has no section "What holds, what fails"');
  let tables = 0;
  let html = marked.parse(section)
    .replaceAll('<table>', () => `<div class="scroll" role="region" aria-label="Table ${(tables += 1)}" tabindex="0" style="max-width:none"><table>`)
    .replaceAll('</table>', '</table></div>');
  const picture = /<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]*)"><img alt="([^"]*)" src="([^"]*)"><\/picture>/g;
  for (const [all, dark, said, light] of html.matchAll(picture)) {
    const [first, second] = await Promise.all([light, dark].map((name) => readFile(new URL(name, docs), 'utf8')));
    html = html.replace(all, () => both(first, second, said));
  }
  if (/<img|\.\.\/plots/.test(html)) throw new Error('docs/beyond-one-sample.md has a picture that its page cannot show');
  return (ids) => {
    const linked = html.replace(/\bT\d+\b/g, (id) => (ids.includes(id) ? `<a href="#${id}">${id}</a>` : id));
    return `<section id="hypotheses"><h2>Which hypotheses save the trend</h2>${linked}<p><a class="note" href="beyond.html">The whole note: proofs, conjectures, and how they were searched for counter-examples</a></p></section>`;
  };
}
