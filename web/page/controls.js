// What several figures share: numbers as text, sliders bound to the state, and files to save.

import { atRest, onChange, set, state } from './state.js';

/** A number for reading: four significant digits at most, no scientific notation in the usual range. */
export function show(value) {
  if (value === Infinity) return '∞';
  if (!Number.isFinite(value)) return 'none';
  const size = Math.abs(value);
  // Below 1e-12 it is rounding, in numbers of the size of one.
  if (size > 1e-12 && (size < 1e-4 || size >= 1e5)) return value.toExponential(2).replace('e+', 'e').replace('-', '−');
  const digits = size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return (size < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace('-', '−');
}

/** Writes a number into an element, in full in `data-value`. */
export function put(element, value, text = show(value)) {
  if (element.textContent !== text) element.textContent = text;
  element.dataset.value = String(value);
}

const shown = new Map();

/** Writes several numbers into the elements that are named by `data-show`. */
export function putAll(numbers) {
  for (const [name, value] of Object.entries(numbers)) {
    if (!shown.has(name)) shown.set(name, document.querySelectorAll(`[data-show="${name}"]`));
    for (const element of shown.get(name)) put(element, value);
  }
}

/** Sets attributes of a selection, but leaves alone what is so already: the browser would lay it out again. */
export function attrs(selection, values) {
  return selection.each(function (datum) {
    for (const [name, value] of Object.entries(values)) {
      const text = String(typeof value === 'function' ? value(datum) : value);
      if (this.getAttribute(name) !== text) this.setAttribute(name, text);
    }
  });
}

/** The same for the text. */
export function write(selection, value) {
  return selection.each(function (datum) {
    const text = typeof value === 'function' ? value(datum) : value;
    if (this.textContent !== text) this.textContent = text;
  });
}

/**
 * Binds a range input to a key of the state. `toState` and `toSlider` convert between the two, `text` says the value.
 */
export function slider(input, key, { toState = Number, toSlider = (v) => v, text = show } = {}) {
  const output = document.querySelector(`output[for="${input.id}"]`);
  const write = () => {
    // The slider under the hand stays where the hand put it.
    if (document.activeElement !== input || Math.abs(Number(input.value) - toSlider(state[key])) > 1.01 * Number(input.step)) {
      input.value = String(toSlider(state[key]));
    }
    const said = text(state[key]);
    put(output, state[key], said);
    input.setAttribute('aria-valuetext', said);
  };
  input.addEventListener('input', () => {
    const value = toState(Number(input.value));
    set(typeof value === 'object' ? value : { [key]: value });
  });
  onChange((changed) => changed.has(key) && write());
  write();
  return write;
}

/** Binds the radio buttons of a name to the key of that name; `told` hears the value, also at the start. */
export function choices(key, told = () => {}) {
  const all = [...document.querySelectorAll(`input[type=radio][name="${key}"]`)];
  const write = () => {
    for (const input of all) input.checked = input.value === state[key];
    told(state[key]);
  };
  for (const input of all) input.addEventListener('change', () => input.checked && set({ [key]: input.value }));
  onChange((changed) => changed.has(key) && write());
  write();
}

/** A slider from 0 to ∞ over the logarithm: 0 at the left end, ∞ at the right one. */
export function logTime(input, key, low, high) {
  const steps = Number(input.max);
  const ratio = Math.log(high / low);
  const toState = (s) => (s === 0 ? 0 : s === steps ? Infinity : low * Math.exp((ratio * (s - 1)) / (steps - 2)));
  const toSlider = (t) =>
    t === 0 ? 0 : t === Infinity ? steps : Math.min(steps - 1, Math.max(1, Math.round(1 + (Math.log(t / low) / ratio) * (steps - 2))));
  return slider(input, key, { toState, toSlider });
}

const waitingToDraw = new Set();

/** Draws and starts now what waits until it comes near the window. */
export function drawAll() {
  for (const now of waitingToDraw) now();
}

/**
 * A drawing that is done at once while its element is near the window, and else when the hand has come to rest; one
 * that takes long (`outOfSight` false) not before it comes near.
 */
export function lazily(element, draw, { outOfSight = true } = {}) {
  let near = outOfSight;
  let stale = false;
  const now = () => {
    if (stale) draw();
    stale = false;
  };
  waitingToDraw.add(now);
  const later = atRest(now);
  new IntersectionObserver((entries) => {
    near = entries[entries.length - 1].isIntersecting;
    if (near) now();
  }, { rootMargin: '200px' }).observe(element);
  return () => {
    stale = true;
    if (near) now();
    else if (outOfSight) later();
  };
}

/** Whether someone asked their system for less motion. */
export const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Runs `start` when an element comes near the window for the first time. */
export function whenNear(element, start) {
  const now = () => {
    observer.disconnect();
    waitingToDraw.delete(now);
    start();
  };
  const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && now(), { rootMargin: '300px' });
  waitingToDraw.add(now);
  observer.observe(element);
}

/** Saves a text as a file. */
export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const anchor = Object.assign(document.createElement('a'), { href: url, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Columns as CSV, numbers in full. */
export function csv(columns) {
  const names = Object.keys(columns);
  const rows = columns[names[0]].map((_, i) => names.map((name) => columns[name][i]).join(','));
  return [names.join(','), ...rows].join('\n') + '\n';
}

const STYLES = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'fill-opacity', 'font', 'font-family', 'font-size', 'font-style', 'font-weight', 'visibility', 'paint-order', 'stroke-linejoin'];
/** Height of the titles of a saved figure. */
const [HEAD, TITLE] = [30, 24];

/** A text of a saved figure. */
function caption(text, x, y, size, weight) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  for (const [name, value] of Object.entries({ x, y, 'font-size': size, 'font-weight': weight, 'font-family': 'system-ui, "DejaVu Sans", sans-serif', fill: '#1d2126' })) element.setAttribute(name, value);
  element.textContent = text;
  return new XMLSerializer().serializeToString(element);
}

/**
 * Figures as one standalone SVG file, side by side in rows, in light colours and with a title each: `figures` is a list
 * of { svg, title }, `title` says what all of them show.
 */
export function standalone(title, figures, columns = figures.length) {
  const boxes = figures.map(({ svg }) => svg.viewBox.baseVal);
  const width = Math.max(...boxes.map((b) => b.width));
  const height = Math.max(...boxes.map((b) => b.height)) + TITLE;
  const rows = Math.ceil(figures.length / columns);
  document.documentElement.classList.add('light');
  const parts = figures.map(({ svg, title }, i) => {
    const copy = svg.cloneNode(true);
    const [from, to] = [svg.querySelectorAll('*'), copy.querySelectorAll('*')];
    from.forEach((element, j) => {
      const style = getComputedStyle(element);
      to[j].setAttribute('style', STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(';'));
      for (const name of ['class', 'tabindex', 'role']) to[j].removeAttribute(name);
    });
    const [x, y] = [(i % columns) * width, HEAD + Math.floor(i / columns) * height];
    for (const [name, value] of Object.entries({ x, y: y + TITLE, width: boxes[i].width, height: boxes[i].height })) copy.setAttribute(name, value);
    for (const name of ['class', 'style', 'role']) copy.removeAttribute(name);
    return caption(title, x + 8, y + 16, 14, 600) + new XMLSerializer().serializeToString(copy);
  });
  document.documentElement.classList.remove('light');
  const [across, down] = [width * columns, HEAD + height * rows];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${across} ${down}" width="${across}" height="${down}">` +
    `<rect width="100%" height="100%" fill="#ffffff"/>${caption(title, 8, 20, 13, 400)}${parts.join('')}</svg>\n`;
}
