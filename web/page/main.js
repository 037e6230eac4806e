// Starts the page: the engine, the state from the address, then each figure.

import { load, prepare } from './engine.js';
import { downstream } from './downstream.js';
import { energy } from './energy.js';
import { laws } from './laws.js';
import { many } from './many.js';
import { motion } from './motion.js';
import { opening } from './opening.js';
import { own } from './own.js';
import { fromAddress, link, reset } from './state.js';

function notice(text) {
  const box = document.getElementById('notice');
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
      history.replaceState(null, '', link(target.id === 'opening' ? '' : `#${target.id}`));
    }
  }, { rootMargin: '-30% 0px -65% 0px' });
  for (const section of document.querySelectorAll('main > section')) observer.observe(section);
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
  for (const figure of [opening, energy, motion, laws, downstream, many, own]) figure();
  // The figures have taken their place only now.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: 'instant' });
  markChapter();
  document.getElementById('reset').addEventListener('click', () => reset());
  document.getElementById('copy').addEventListener('click', async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(new URL(link(), location.href).href);
    button.textContent = 'Link copied';
    setTimeout(() => (button.textContent = 'Copy link'), 1500);
  });
  // Once all parts have had their first layout, those out of sight need no more of it.
  requestAnimationFrame(() => requestAnimationFrame(() => document.documentElement.classList.add('drawn')));
  document.documentElement.dataset.ready = 'true';
  // Whoever needs what could not be loaded says so.
  await prepare().catch(() => {});
}

start().catch((error) => notice(`The engine did not start: ${error.message ?? error}`));
