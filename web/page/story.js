// The story beside the plane: each paragraph has a button that puts the figure into the situation it tells of.

import { KEYS } from './opening.js';
import { follow, onChange, where } from './state.js';

export function story() {
  const steps = [...document.querySelectorAll('.story li')].map((item) => {
    const title = item.querySelector('b').textContent.replace(/\.$/, '');
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Show in the figure' });
    button.setAttribute('aria-label', `Show in the figure: ${title}`);
    button.addEventListener('click', () => follow(item.dataset.set, KEYS));
    item.querySelector('p').append(' ', button);
    return { item, button };
  });
  const mark = () => {
    for (const { item, button } of steps) {
      const here = where(item.dataset.set, KEYS);
      button.setAttribute('aria-pressed', String(here));
      item.classList.toggle('here', here);
    }
  };
  onChange((changed) => KEYS.some((key) => changed.has(key)) && mark());
  mark();
}
