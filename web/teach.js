// The page for teachers, from the Markdown in teach/, and the questions of the explorer in a format that learning
// platforms import.

import { readFile } from 'node:fs/promises';
import { marked } from 'marked';

const HEAD = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:">
<title>For teachers · How far will the features move?</title><link rel="stylesheet" href="style.css"><link rel="icon" href="data:,"><script type="module" src="worksheet.js"></script></head>
<body class="theorems teach"><main><p><a href="./">← The explorer</a></p><h1>For teachers</h1>
<p>Goals, plans, <a href="slides.html">slides</a>, a derivation for the board, a worksheet with solutions, questions for your learning platform, a glossary and an assignment; for those who want to go on, <a href="beyond.html">what is proved beyond one sample, and what is not</a>. All of it is free to use and to change
(MIT or Apache-2.0, at your choice).</p>
<nav aria-label="Parts">LINKS</nav>
`;
const SHEET = `<h2 id="worksheet">Worksheet <span class="seed">no. <span id="sheet-seed"></span></span></h2>
<p class="control"><label for="seed">Seed, from 0 to 9999: another one gives other numbers</label> <input id="seed" type="number" min="0" max="9999" step="1"></p>
<ol id="exercises" class="exercises"></ol>
<details id="solved" class="more"><summary>Solutions</summary><ol id="solutions"></ol></details>
<p class="buttons"><button id="print-sheet" type="button">Print the exercises</button><button id="print-solutions" type="button">Print the solutions</button><button id="print-all" type="button">Print all of this page</button></p>
<h2 id="slides">Slides</h2><p><a href="slides.html">Slides for 45 minutes</a>, with notes for you (key t) and figures by the engine. It is one file that needs nothing else:
<a href="slides.html" download="taskhead-slides.html">save it</a>, show it in any browser, print it. Their text is <code>web/teach/slides.md</code> in the source.</p>
<h2 id="quiz">Questions</h2><p>The questions of the explorer with an answer to each choice, as a
<a href="quiz.gift.txt" download>GIFT file</a>, which Moodle imports, and as a <a href="quiz.qti.zip" download>package in QTI 2.1</a> for other platforms.</p>
`;

/** Markdown with formulas \\( … \\) left alone, and headings that can be linked to. */
export function html(markdown) {
  const formulas = [];
  const kept = markdown.replace(/\\\(.+?\\\)|\\\[.+?\\\]/gs, (formula) => `@@${formulas.push(formula) - 1}@@`);
  return marked.parse(kept)
    .replace(/<h2>(.*?)<\/h2>/g, (_, text) => `<h2 id="${text.toLowerCase().replace(/<[^>]*>|[^a-z0-9 ]/g, '').trim().split(/ +/).slice(0, 3).join('-')}">${text}</h2>`)
    .replace(/<table>/g, '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>').replace(/<\/table>/g, '</table></div>')
    .replace(/@@(\d+)@@/g, (_, i) => formulas[Number(i)].replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
}

/** The steps of the derivation for the board by their number; formulas are still to be drawn. */
export async function steps(folder) {
  const parts = (await readFile(new URL('derivation.md', folder), 'utf8')).split(/^(?=\*\*\d+\. )/m).slice(1);
  return new Map(parts.map((part) => [part.match(/^\*\*(\d+)/)[1], html(part.replace(/^\*\*\d+\. /, '**'))]));
}

/** The page of the texts in a folder; formulas are still to be drawn. */
export async function teach(folder) {
  const text = async (name) => html(await readFile(new URL(`${name}.md`, folder), 'utf8'));
  const body = `${await text('lesson')}${await text('derivation')}${SHEET}${await text('more')}`;
  const links = [...body.matchAll(/<h2 id="([^"]*)">(.*?)<\/h2>/g)].map(([, id, title]) => `<a href="#${id}">${title.replace(/<[^>]*>.*/, '').trim()}</a>`);
  return `${HEAD.replace('LINKS', links.join(' '))}${body}</main></body></html>\n`;
}

/** The questions of the explorer as plain text. */
export function questions(page) {
  const plain = (text) => text.replace(/<a class="t"[^>]*>.*?<\/a>|\[T\d+\]/g, '').replace(/<[^>]*>/g, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
    .replace(/ +([.,:])/g, '$1').replace(/\s+/g, ' ').trim();
  const all = page.split(/(?=<section id=")/).flatMap((section) => {
    const [chapter, title] = [section.match(/^<section id="(\w+)"/)?.[1], plain(section.match(/<h[12]>(.*?)<\/h[12]>/s)?.[1] ?? '')];
    return [...section.matchAll(/<fieldset class="quiz" id="q-(\w+)"[^>]*><legend>(.*?)<\/legend>(.*?)<\/fieldset>/gs)].map(([, id, stem, rest]) => ({
      id, chapter, title, stem: plain(stem),
      choices: [...rest.matchAll(/<label><input[^>]*>(.*?)<\/label>\s*<p class="feedback"( data-right)? hidden>(.*?)<\/p>/gs)]
        .map(([, label, right, feedback]) => ({ text: plain(label), right: right !== undefined, feedback: plain(feedback) })),
    }));
  });
  if (all.length < 12) throw new Error(`the page has ${all.length} questions only`);
  return all;
}

/** Questions in GIFT. */
export function gift(questions) {
  const escaped = (text) => text.replace(/[~=#{}:\\]/g, (c) => `\\${c}`);
  const choice = ({ text, right, feedback }) => `  ${right ? '=' : '~'}${escaped(text)}#${escaped(feedback)}`;
  const one = ({ id, stem, choices }) => `::${id}:: ${escaped(stem)} {\n${choices.map(choice).join('\n')}\n}`;
  return `// Questions of the explorer “How far will the features move?”, in GIFT.\n\n${questions.map(one).join('\n\n')}\n`;
}
