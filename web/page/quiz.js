// Questions with answers to choose from: each choice is answered at once, and the address keeps it.

import { onChange, set, state } from './state.js';

/** The answers in the state: question → letter. */
const answers = () => new Map(state.q.split('.').filter(Boolean).map((one) => [one.slice(0, -1), one.slice(-1)]));

export function quiz() {
  const all = [...document.querySelectorAll('fieldset.quiz')];
  const show = () => {
    const given = answers();
    for (const field of all) {
      const answer = given.get(field.dataset.question);
      for (const label of field.querySelectorAll('label')) {
        const input = label.querySelector('input');
        const feedback = label.nextElementSibling;
        input.checked = input.value === answer;
        feedback.hidden = !input.checked;
        const right = 'right' in feedback.dataset;
        feedback.dataset.verdict = right ? 'Right.' : 'Not quite.';
        if (input.checked) field.dataset.answered = right ? 'right' : 'wrong';
      }
      if (!answer) delete field.dataset.answered;
    }
  };
  for (const field of all) {
    field.addEventListener('change', (event) => {
      const given = answers().set(field.dataset.question, event.target.value);
      set({ q: [...given].map((pair) => pair.join('')).join('.') });
    });
    // Read out as soon as it is shown.
    for (const feedback of field.querySelectorAll('.feedback')) feedback.setAttribute('role', 'status');
  }
  onChange((changed) => changed.has('q') && show());
  show();
}
