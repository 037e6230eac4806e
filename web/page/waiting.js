// What a chapter shows while a long answer is on its way: its old figure in grey, how far the engine is, and a way to
// stop it.

import { Stopped } from './engine.js';

/** When the page shows all that was asked of it. */
export function atRest() {
  const root = document.documentElement;
  return new Promise((done) => {
    const look = () => {
      if (root.dataset.busy) return;
      watch.disconnect();
      done();
    };
    const watch = new MutationObserver(look);
    watch.observe(root, { attributeFilter: ['data-busy'] });
    look();
  });
}

export class Waiting {
  /** `figure` is what gets old, `said` the line for words, `thread` who answers. */
  constructor(figure, said, thread) {
    Object.assign(this, { figure, said, thread });
    const box = (this.box = document.createElement('p'));
    box.className = 'waiting';
    box.hidden = true;
    this.text = box.appendChild(document.createElement('span'));
    this.text.setAttribute('role', 'status');
    const cancel = box.appendChild(document.createElement('button'));
    Object.assign(cancel, { type: 'button', textContent: 'Cancel' });
    cancel.addEventListener('click', () => this.thread.stop(new Stopped('cancelled; the next change starts anew')));
    said.before(box);
  }

  /** From now on what the figure shows is old. */
  begin(text = 'Computing …') {
    this.figure.classList.add('stale');
    this.figure.setAttribute('aria-busy', 'true');
    this.box.hidden = false;
    this.text.textContent = text;
  }

  /** How far the engine is. */
  at(done, of) {
    this.text.textContent = `Computing: ${done} of ${of} points`;
  }

  /** The figure is up to date. */
  end() {
    this.figure.classList.remove('stale');
    this.figure.removeAttribute('aria-busy');
    this.box.hidden = true;
  }

  /** There is no answer: the old figure stays grey, and the line says why. */
  failed(error) {
    this.box.hidden = true;
    this.figure.removeAttribute('aria-busy');
    if (error.replaced) return;
    this.said.textContent = `No answer: ${error.message}${/[.!?]$/.test(error.message) ? '' : '.'} ${this.figure.classList.contains('stale') ? 'What is grey belongs to an earlier setting.' : ''}`.trim();
  }
}
