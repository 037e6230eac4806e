// The page for teachers: its texts, the worksheet, the questions for learning platforms.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { strFromU8, unzipSync } from 'fflate';
import gift from 'gift-pegjs';
import { after, before, test } from 'node:test';
import { close, on, rankOne, settled, start } from './harness.js';

const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let site;
before(async () => (site = await start()));
after(() => site.stop());

/** Opens the teachers' page as it is. */
async function teachers(address, body) {
  const context = await site.browser.newContext({ viewport: { width: 1100, height: 900 } });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => request.url().startsWith(site.url) || wrong.push(request.url()));
  await page.goto(`${site.url}teach.html${address}`);
  await page.waitForSelector('html[data-ready]');
  await body(page);
  assert.deepEqual(wrong, []);
  await context.close();
}

test('the page for teachers has all its parts, and axe finds nothing', () =>
  teachers('', async (page) => {
    const titles = await page.locator('h2').allTextContents();
    for (const part of ['What the lesson is for', 'Plan for 45 minutes', 'Plan for 90 minutes', 'What students often think', 'On the board', 'Worksheet', 'Slides', 'Questions', 'Glossary', 'Assignment']) assert.ok(titles.some((t) => t.startsWith(part)), part);
    assert.ok((await page.locator('.katex').count()) > 30, 'formulas are drawn');
    assert.doesNotMatch(await page.textContent('main'), /\\\(|\\\[|@@/);
    const dead = await page.locator('nav a').evaluateAll((all) => all.filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash));
    assert.deepEqual(dead, []);
    await page.locator('#solved').evaluate((e) => (e.open = true));
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), []);
  }));

test('its links into the explorer are valid', async () => {
  let links;
  await teachers('', async (page) => (links = await page.locator('main a[href^="./?"], main a[href^="./#"]').evaluateAll((all) => [...new Set(all.map((a) => a.getAttribute('href').slice(2)))])));
  assert.ok(links.length >= 8, `${links.length}`);
  for (const link of links) {
    await on(site, link, async (page) => {
      assert.ok(await page.locator('#notice').isHidden(), link);
      const { hash } = new URL(link, site.url);
      if (hash) assert.equal(await page.locator(`main > section${hash}`).count(), 1, link);
      await settled(page);
    });
  }
});

test('the worksheet is drawn from its seed, with the solutions of the native command', () =>
  teachers('?seed=7', async (page) => {
    const [exercises, solutions] = [await page.locator('#exercises li').allTextContents(), await page.locator('#solutions li').allTextContents()];
    assert.deepEqual([exercises.length, solutions.length], [6, 6]);
    const number = (text) => Number(text.replace('−', '-'));
    const [, a, w, y] = exercises[0].match(/v = \(([−\d.]+), ([\d.]+)\) and the target y = (\d+\.\d)\./).map(number);
    const native = await rankOne(site, { y, a, w }, '--probe', '0');
    close(number(solutions[2].match(/\|z\| = ([\d.]+)\.$/)[1]), native.adaptation.norm, 5e-4, 'norm');
    const [, distance, cosine, dot] = solutions[3].match(/distance ([\d.]+), cosine distance ([\d.]+), dot product ([−\d.]+)\./).map(number);
    close(distance, native.adaptation.euclidean, 5.1e-4, 'distance');
    close(cosine, native.adaptation.cosine, 5.1e-4, 'cosine distance');
    close(dot, native.adaptation.dot, 5.1e-4, 'dot product');
    // The σ of the sheet solves its equation.
    const sigma = number(exercises[3].match(/σ = ([\d.]+)/)[1]);
    const m = 1 + a * a + w * w;
    close(m * Math.sinh(2 * sigma) + 2 * a * Math.cosh(2 * sigma), 2 * y, 1e-3, 'σ');
    await page.fill('#seed', '8');
    assert.notDeepEqual(await page.locator('#exercises li').allTextContents(), exercises);
    assert.match(page.url(), /seed=8/);
    await page.fill('#seed', '7');
    assert.deepEqual(await page.locator('#exercises li').allTextContents(), exercises, 'the same seed, the same sheet');
  }));

/** The questions as the page shows them. */
const shownQuestions = (page) => page.locator('fieldset.quiz').evaluateAll((all) => {
  const plain = (e) => {
    const copy = e.cloneNode(true);
    for (const link of copy.querySelectorAll('a.t')) link.remove();
    return copy.textContent.replace(/ +([.,:])/g, '$1').replace(/\s+/g, ' ').trim();
  };
  return all.map((q) => ({
    title: q.dataset.question, stem: plain(q.querySelector('legend')),
    choices: [...q.querySelectorAll('label')].map((label) => ({ text: plain(label), right: label.nextElementSibling.hasAttribute('data-right'), feedback: plain(label.nextElementSibling) })),
  }));
});

/**
 * What QTI 2.1 says of the elements that the package has, and content packaging of its manifest: their attributes (with
 * a question mark: may be left out) and their children in order; `*` stands for text.
 */
const RULES = {
  assessmentItem: ['identifier title adaptive timeDependent xml:lang? xsi:schemaLocation?', /^(responseDeclaration )*(outcomeDeclaration )*(itemBody )?(responseProcessing )?(modalFeedback )*$/],
  responseDeclaration: ['identifier cardinality baseType', /^(correctResponse )?$/],
  outcomeDeclaration: ['identifier cardinality baseType', /^(defaultValue )?$/],
  correctResponse: ['', /^(value )+$/],
  defaultValue: ['', /^(value )+$/],
  value: ['', '*'],
  itemBody: ['', /^(choiceInteraction )+$/],
  choiceInteraction: ['responseIdentifier shuffle maxChoices', /^(prompt )?(simpleChoice )+$/],
  prompt: ['', '*'],
  simpleChoice: ['identifier', '*'],
  responseProcessing: ['', /^(responseCondition |setOutcomeValue )*$/],
  responseCondition: ['', /^responseIf (responseElseIf )*(responseElse )?$/],
  responseIf: ['', /^match (setOutcomeValue )*$/],
  responseElse: ['', /^(setOutcomeValue )*$/],
  match: ['', /^(variable |correct ){2}$/],
  variable: ['identifier', /^$/],
  correct: ['identifier', /^$/],
  setOutcomeValue: ['identifier', /^(baseValue |variable )$/],
  baseValue: ['baseType', '*'],
  modalFeedback: ['outcomeIdentifier identifier showHide', /^(p )+$/],
  p: ['', '*'],
  assessmentTest: ['identifier title xsi:schemaLocation?', /^(outcomeDeclaration )*(testPart )+$/],
  testPart: ['identifier navigationMode submissionMode', /^(itemSessionControl )?(assessmentSection )+$/],
  itemSessionControl: ['maxAttempts? showFeedback?', /^$/],
  assessmentSection: ['identifier title visible', /^(assessmentItemRef )+$/],
  assessmentItemRef: ['identifier href', /^$/],
  manifest: ['identifier xsi:schemaLocation?', /^metadata organizations resources $/],
  metadata: ['', /^schema schemaversion $/],
  schema: ['', '*'],
  schemaversion: ['', '*'],
  organizations: ['', /^$/],
  resources: ['', /^(resource )+$/],
  resource: ['identifier type href', /^(file )+(dependency )*$/],
  file: ['href', /^$/],
  dependency: ['identifierref', /^$/],
};

test('the questions for other platforms are a package as QTI 2.1 has it', () =>
  on(site, '', async (page) => {
    const files = Object.entries(unzipSync(await readFile(new URL('../dist/quiz.qti.zip', import.meta.url)))).map(([name, bytes]) => [name, strFromU8(bytes)]);
    const shown = await shownQuestions(page);
    assert.equal(files[0][0], 'imsmanifest.xml');
    assert.equal(files.length, shown.length + 2);
    const trees = await page.evaluate((files) => {
      const tree = (e) => ({
        name: e.nodeName, space: e.namespaceURI, attributes: Object.fromEntries([...e.attributes].filter((a) => !a.name.startsWith('xmlns')).map((a) => [a.name, a.value])),
        children: [...e.children].map(tree), text: [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) ? e.textContent : '',
      });
      return files.map(([name, text]) => [name, tree(new DOMParser().parseFromString(text, 'application/xml').documentElement)]);
    }, files);
    const all = (e) => [e, ...e.children.flatMap(all)];
    const id = /^[A-Za-z_][\w.-]*$/;
    for (const [name, root] of trees) {
      for (const e of all(root)) {
        assert.ok(RULES[e.name], `${name}: ${e.name}`);
        const [attributes, children] = RULES[e.name];
        assert.equal(e.space, name === 'imsmanifest.xml' ? 'http://www.imsglobal.org/xsd/imscp_v1p1' : 'http://www.imsglobal.org/xsd/imsqti_v2p1');
        const wanted = attributes.split(' ').filter(Boolean);
        for (const attribute of wanted.filter((a) => !a.endsWith('?'))) assert.ok(e.attributes[attribute], `${name}: ${e.name} without ${attribute}`);
        for (const attribute of Object.keys(e.attributes)) assert.ok(wanted.some((a) => a.replace('?', '') === attribute), `${name}: ${e.name} with ${attribute}`);
        for (const [attribute, value] of Object.entries(e.attributes)) if (/identifier/i.test(attribute)) assert.match(value, id, `${name}: ${e.name}`);
        if (children === '*') assert.ok(e.text && e.children.length === 0, `${name}: ${e.name} has a text`);
        else {
          assert.equal(e.text, '', `${name}: ${e.name} has no text of its own`);
          assert.match(e.children.map((c) => `${c.name} `).join(''), children, `${name}: ${e.name}`);
        }
      }
    }
    const [manifest, exam, ...items] = trees.map(([, root]) => root);
    const of = (root, name) => all(root).filter((e) => e.name === name);
    const unique = (list) => assert.equal(new Set(list).size, list.length, `${list}`);
    // Each file is a resource, each resource a file, and what is referred to is there.
    const names = files.map(([name]) => name);
    const resources = of(manifest, 'resource');
    assert.deepEqual(resources.map((r) => r.attributes.href).sort(), names.slice(1).sort());
    for (const r of resources) assert.deepEqual([r.children[0].attributes.href, r.attributes.type], [r.attributes.href, r.attributes.href === 'test.xml' ? 'imsqti_test_xmlv2p1' : 'imsqti_item_xmlv2p1']);
    unique([manifest.attributes.identifier, ...resources.map((r) => r.attributes.identifier)]);
    for (const d of of(manifest, 'dependency')) assert.ok(resources.some((r) => r.attributes.identifier === d.attributes.identifierref), d.attributes.identifierref);
    unique(all(exam).map((e) => e.attributes.identifier).filter(Boolean));
    assert.deepEqual(of(exam, 'assessmentItemRef').map((r) => r.attributes.href), names.slice(2));
    // Each item is a question of the page; its one right choice scores, and each choice shows its own words.
    const read = items.map((item) => {
      const [declared] = of(item, 'responseDeclaration');
      const outcomes = of(item, 'outcomeDeclaration').map((o) => o.attributes.identifier);
      assert.deepEqual([declared.attributes.identifier, declared.attributes.cardinality, declared.attributes.baseType], ['RESPONSE', 'single', 'identifier']);
      assert.deepEqual(outcomes, ['SCORE', 'FEEDBACK']);
      for (const e of all(item)) {
        if (e.attributes.responseIdentifier || e.name === 'correct') assert.equal(e.attributes.responseIdentifier ?? e.attributes.identifier, 'RESPONSE');
        if (e.attributes.outcomeIdentifier || e.name === 'setOutcomeValue') assert.ok(outcomes.includes(e.attributes.outcomeIdentifier ?? e.attributes.identifier));
      }
      const choices = of(item, 'simpleChoice');
      const feedback = of(item, 'modalFeedback');
      assert.deepEqual(feedback.map((f) => f.attributes.identifier), choices.map((c) => c.attributes.identifier));
      unique(choices.map((c) => c.attributes.identifier));
      const right = of(of(item, 'correctResponse')[0], 'value').map((v) => v.text);
      return {
        title: item.attributes.identifier, stem: of(item, 'prompt')[0].text,
        choices: choices.map((c, i) => ({ text: c.text, right: right.includes(c.attributes.identifier), feedback: feedback[i].children[0].text })),
      };
    });
    assert.deepEqual(read, shown);
    unique(items.map((item) => item.attributes.title));
  }));

test('the questions for learning platforms are the questions of the page', () =>
  on(site, '', async (page) => {
    const text = await readFile(new URL('../dist/quiz.gift.txt', import.meta.url), 'utf8');
    const questions = text.split(/\n\n(?=::)/).slice(1);
    const names = await page.locator('fieldset.quiz').evaluateAll((all) => all.map((q) => q.dataset.question));
    assert.deepEqual(questions.map((q) => q.match(/^::(\w+)::/)[1]), names);
    for (const question of questions) {
      const lines = question.trim().split('\n');
      assert.match(lines[0], /^::\w+:: .+ \{$/);
      assert.equal(lines[lines.length - 1], '}');
      const choices = lines.slice(1, -1);
      assert.ok(choices.length >= 2);
      assert.equal(choices.filter((c) => c.startsWith('  =')).length, 1, 'one is right');
      for (const choice of choices) assert.match(choice, /^ {2}[=~](?:[^~=#{}:\\]|\\[~=#{}:\\])+#(?:[^~=#{}:\\]|\\[~=#{}:\\])+$/, 'special characters are escaped');
      assert.doesNotMatch(question, /<\/?\w|&lt;|\[T\d/);
    }
    // A parser of that format which is not ours reads the words that the page shows.
    const shown = await shownQuestions(page);
    const read = gift.parse(text).map((q) => {
      assert.equal(q.type, 'MC', q.title);
      return { title: q.title, stem: q.stem.text, choices: q.choices.map((c) => ({ text: c.text.text, right: c.isCorrect, feedback: c.feedback.text })) };
    });
    assert.deepEqual(read, shown);
  }));

test('the slides are one file: nothing is loaded, each fits, keys and notes work, and axe finds nothing', async () => {
  const name = new URL('../dist/slides.html', import.meta.url).href;
  for (const [width, height, colorScheme] of [[1280, 720, 'light'], [1920, 1080, 'dark']]) {
    const context = await site.browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const wrong = [];
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('request', (request) => request.url().startsWith(name) || /^data:/.test(request.url()) || wrong.push(request.url()));
    await page.goto(name);
    const count = await page.locator('section').count();
    assert.ok(count >= 12, `${count} slides`);
    const titles = new Set();
    for (let i = 0; i < count; i++) {
      assert.equal(await page.locator('section:visible').count(), 1);
      titles.add(await page.locator('section:visible :is(h1, h2)').textContent());
      const { high, wide } = await page.evaluate(() => ({ high: document.querySelector('section.now').scrollHeight, wide: document.documentElement.scrollWidth }));
      assert.ok(high <= height && wide <= width, `slide ${i + 1}: ${wide} × ${high}`);
      assert.ok((await page.locator('section blockquote:visible').count()) === 0, 'notes are hidden at first');
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), [], `slide ${i + 1}`);
      await page.keyboard.press('ArrowRight');
    }
    assert.equal(titles.size, count);
    assert.match(page.url(), new RegExp(`#${count}$`), 'the last one stays');
    await page.keyboard.press('t');
    assert.equal(await page.locator('section blockquote:visible').count(), 1);
    await page.keyboard.press('Home');
    assert.match(await page.locator('section:visible h1').textContent(), /How far/);
    assert.ok((await page.locator('section .figures svg').count()) >= 9);
    assert.doesNotMatch(await page.textContent('main'), /\\\(|\\\[|\[figure|NaN|undefined/);
    assert.doesNotMatch(await page.content(), /NaN/);
    assert.deepEqual(wrong, []);
    await context.close();
  }
});
