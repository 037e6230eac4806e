// The stories beside the figures: each paragraph has a button that puts its figure into the situation it tells of.

import { KEYS } from './opening.js';
import { follow, onChange, where } from './state.js';

export function story() {
  for (const list of document.querySelectorAll('.story')) steps(list, list.dataset.keys?.split(' ') ?? KEYS);
}

/** A story that sets these keys. */
function steps(list, keys) {
  const sight = list.parentNode.querySelector('.sight');
  const all = [...list.querySelectorAll('li')].map((item) => {
    const title = item.querySelector('b').textContent.replace(/\.$/, '');
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Show in the figure' });
    button.setAttribute('aria-label', `Show in the figure: ${title}`);
    button.addEventListener('click', () => {
      follow(item.dataset.set, keys);
      // Where the figure stands above its story, it is shown.
      if (sight && getComputedStyle(sight).position === 'static') sight.scrollIntoView({ block: 'nearest' });
    });
    item.querySelector('p').append(' ', button);
    return { item, button };
  });
  const mark = () => {
    for (const { item, button } of all) {
      const here = where(item.dataset.set, keys);
      if (button.ariaPressed !== String(here)) button.ariaPressed = String(here);
      item.classList.toggle('here', here);
    }
  };
  onChange((changed) => keys.some((key) => changed.has(key)) && mark());
  mark();
}
