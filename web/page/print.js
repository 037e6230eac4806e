// Printing: every figure is drawn, every fold open but those for experts, and afterwards all is as it was.

import { drawAll } from './controls.js';
import { atRest } from './waiting.js';

export function printing() {
  let opened = [];
  addEventListener('beforeprint', () => {
    drawAll();
    opened = [...document.querySelectorAll('main details:not([open], .expert)')];
    for (const details of opened) details.open = true;
  });
  addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
  // Long answers take a while: this waits for them first.
  document.getElementById('print').addEventListener('click', async () => {
    drawAll();
    await atRest();
    print();
  });
}
