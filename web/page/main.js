// Starts the page: the engine, the state from the address, then each figure.

import { load } from './engine.js';
import { opening } from './opening.js';
import { fromAddress, link, reset } from './state.js';

function notice(text) {
  const box = document.getElementById('notice');
  box.hidden = false;
  box.append(Object.assign(document.createElement('p'), { textContent: text }));
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
  opening();
  document.getElementById('reset').addEventListener('click', () => reset());
  document.getElementById('copy').addEventListener('click', async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(new URL(link(), location.href).href);
    button.textContent = 'Link copied';
    setTimeout(() => (button.textContent = 'Copy link'), 1500);
  });
  document.documentElement.dataset.ready = 'true';
}

start().catch((error) => notice(`The engine did not start: ${error.message ?? error}`));
