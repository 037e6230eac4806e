// Starts the page: the engine, the state from the address, then each figure.

import { downstream } from './downstream.js';
import { draw } from './draw.js';
import { energy } from './energy.js';
import { entropy } from './entropy.js';
import { load, prepare } from './engine.js';
import { laws } from './laws.js';
import { many } from './many.js';
import { motion } from './motion.js';
import { networks } from './networks.js';
import { opening } from './opening.js';
import { own } from './own.js';
import { printing } from './print.js';
import { quiz } from './quiz.js';
import { story } from './story.js';
import { atRest } from './waiting.js';
import { followHistory, fromAddress, inChapter, link, onWritten, pending, reset } from './state.js';

const $ = (id) => document.getElementById(id);

function notice(text) {
  const box = $('notice');
  box.hidden = false;
  box.append(Object.assign(document.createElement('p'), { textContent: text }));
}

/** Marks the chapter in view in the navigation and in the address. */
function markChapter() {
  const links = [...document.querySelectorAll('.bar nav a')];
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      for (const anchor of links) {
        if (anchor.hash === `#${target.id}`) anchor.setAttribute('aria-current', 'true');
        else anchor.removeAttribute('aria-current');
      }
      inChapter(target.id === 'opening' ? '' : `#${target.id}`);
    }
  }, { rootMargin: '-30% 0px -65% 0px' });
  for (const section of document.querySelectorAll('main > section')) observer.observe(section);
}

/** Goes to where the page stood, or to the chapter in the address. */
function place(scroll) {
  if (scroll !== undefined) scrollTo({ top: scroll, behavior: 'instant' });
  else if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: 'instant' });
  else scrollTo({ top: 0, behavior: 'instant' });
}

/** The same, and again whenever the page above changes its height, until it has come to rest or somebody touches it. */
function placeAndKeep(scroll) {
  place(scroll);
  const resized = new ResizeObserver(() => place(scroll));
  const touches = ['wheel', 'pointerdown', 'keydown', 'touchstart'];
  const done = pending();
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    resized.disconnect();
    for (const name of touches) removeEventListener(name, end, true);
  };
  resized.observe(document.querySelector('main'));
  for (const name of touches) addEventListener(name, end, { capture: true, passive: true });
  // Fonts come late, and so do long answers of the chapters above.
  document.fonts.ready.then(done).then(atRest).then(() => requestAnimationFrame(() => requestAnimationFrame(end)));
}

/** Copies the address; where the browser does not let a page write to the clipboard, shows it for copying by hand. */
async function copy(event) {
  const button = event.currentTarget;
  const address = new URL(link(), location.href).href;
  const box = $('address');
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    box.hidden = false;
    const field = $('address-text');
    field.value = address;
    field.focus();
    field.select();
    if (!document.execCommand('copy')) return;
  }
  button.textContent = 'Link copied';
  setTimeout(() => (button.textContent = 'Copy link'), 1500);
}

async function start() {
  for (const sentence of fromAddress()) notice(sentence);
  const embed = new URLSearchParams(location.search).get('embed');
  if (embed !== null) {
    const section = document.getElementById(embed);
    if (section?.matches('main > section')) {
      document.documentElement.classList.add('embedded');
      section.classList.add('shown');
    } else notice(`There is no part “${embed}” to embed.`);
  }
  await load();
  for (const figure of [opening, story, draw, energy, motion, laws, downstream, many, entropy, networks, own, quiz]) figure();
  document.documentElement.dataset.ready = 'true';
  $('wait').remove();
  followHistory(place);
  // The figures have taken their place only now. A link opens at its chapter, a page that is reloaded where it stood.
  placeAndKeep(history.state?.scroll);
  markChapter();
  $('reset').addEventListener('click', () => reset());
  $('copy').addEventListener('click', copy);
  $('address-close').addEventListener('click', () => ($('address').hidden = true));
  printing();
  // The way back from the theorems leads to this very situation.
  const links = document.querySelectorAll('a[href^="theorems.html"]');
  const back = () => {
    const from = link().slice(location.pathname.length);
    for (const anchor of links) anchor.search = from && `?from=${encodeURIComponent(from)}`;
  };
  onWritten(back);
  back();
  await prepare();
}

start().catch((error) => notice(`The engine did not start: ${error.message ?? error}`));
