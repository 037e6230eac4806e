// Printing: every figure is drawn, every fold open but those for experts, and afterwards all is as it was.

import { fitAll } from './chart.js';
import { drawAll } from './controls.js';
import { atRest } from './waiting.js';

export function printing() {
  let opened = [];
  const paper = document.documentElement.classList;
  addEventListener('beforeprint', () => {
    drawAll();
    opened = [...document.querySelectorAll('main details:not([open], .expert)')];
    for (const details of opened) details.open = true;
    // As wide as a sheet, so that figures are drawn for their size there.
    paper.add('paper');
    fitAll();
  });
  addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
    opened = [];
    paper.remove('paper');
    fitAll();
  });
  // Long answers take a while: this waits for them first.
  document.getElementById('print').addEventListener('click', async () => {
    drawAll();
    await atRest();
    print();
  });
}
