// The state of the page and its place in the URL: every slider has one number here, and a link holds all that differ
// from the default.

const number = (initial, min, max, accepted = `a number from ${min} to ${max}`) => ({
  initial,
  accepted,
  parse: (text) => (text === 'inf' ? Infinity : text.trim() === '' ? NaN : Number(text)),
  valid: (v) => v >= min && v <= max,
});
const choice = (initial, ...names) => ({ initial, accepted: names.join(' or '), parse: (text) => text, valid: (v) => names.includes(v) });
const text = (pattern, accepted) => ({ initial: '', accepted, parse: (given) => given, valid: (v) => pattern.test(v) });
const time = (initial) => number(initial, 0, Infinity, 'a time of at least 0, or inf');
const whole = (initial, min, max) => {
  const base = number(initial, min, max, `a whole number from ${min} to ${max}`);
  return { ...base, valid: (v) => Number.isInteger(v) && base.valid(v) };
};

// What a link may say. The names are those of the formulas.
const KEYS = {
  // The opening figure: target y, the head before probing (a, w), probing time, finetuning time, loss.
  y: number(1.4, 0.2, 3),
  w: number(0.6, 0, 3),
  a: number(-0.6, -3, 3),
  tau: time(0),
  t: time(Infinity),
  loss: choice('squared', 'squared', 'cross-entropy'),
  // What head probing leaves: decay of the spectrum, label smoothing, probing time, seed.
  decay: number(0.8, 0, 2),
  smoothing: number(0, 0, 1),
  ptau: time(2),
  pseed: whole(3, 0, 9999),
  // Why the feature moves: kernel, angle (degrees) and length of the head, probing time.
  kernel: number(0.5, 0, 1),
  angle: number(115, -180, 180),
  length: number(0.9, 0, 2),
  ftau: time(0.3),
  // Downstream: teacher angle in radians, size of the head's entries times √h, seed.
  phi: number(0.8, 0, Math.PI / 2, 'an angle from 0 to π/2'),
  size: number(0.5, 0.1, 2),
  rseed: whole(0, 0, 9999),
  // Beyond one sample.
  samples: whole(8, 1, 24),
  width: whole(32, 1, 128),
  outputs: whole(2, 1, 4),
  spectrum: number(0, 0, 2),
  rate: number(1, 0, 10),
  seed: whole(0, 0, 9999),
  seeds: whole(8, 1, 40),
  // Its loss, and under cross-entropy the training loss at which finetuning stops.
  mloss: choice('squared', 'squared', 'cross-entropy'),
  until: number(0.1, 0.01, 0.5),
  // Cross-entropy: the share of its time. Real networks: which of them.
  way: number(0.6, 0, 1),
  net: choice('theory', 'theory', 'digits', 'cnn', 'smoothing', 'head', 'partial', 'scale', 'rate'),
  // The four sketches of “Draw it yourself”, each with “!” if the engine's curve is shown beside it (draw.js).
  sketch: text(/^$|^([A-Za-z-]{21}!?)?(\.([A-Za-z-]{21}!?)?){3}$/, 'four sketches of 21 letters or none, with dots between them'),
  // Answers to the questions: a letter for each, by the name of its question.
  q: text(/^([a-z]+\d[a-d](\.|$))*$/, 'answers such as energy1a.motion2b'),
};

/** Links without `v` were made when other values were the default, and still mean what they meant. */
const EDITION = '2';
const ONCE = { y: 1, tau: 0.4 };
const initially = () => Object.fromEntries(Object.entries(KEYS).map(([key, { initial }]) => [key, initial]));

let open = 0;

/** Notes in `html[data-busy]` that something is still to be shown, until the returned function is called. */
export function pending() {
  const note = document.documentElement.dataset;
  note.busy = String(++open);
  return () => {
    if (--open === 0) delete note.busy;
    else note.busy = String(open);
  };
}

const values = initially();
const listeners = [];

export const state = values;

/** Calls `listener(changed)` with the set of keys that changed, at most once a frame. */
export function onChange(listener) {
  listeners.push(listener);
}

let changed = new Set();
let shown = () => {};

/** Changes values; whoever shows them is told before the next frame. */
export function set(update) {
  for (const [key, value] of Object.entries(update)) {
    if (!KEYS[key].valid(value)) throw new RangeError(`${key} = ${value}; accepted: ${KEYS[key].accepted}`);
    if (Object.is(values[key], value)) continue;
    values[key] = value;
    if (changed.size === 0) {
      shown = pending();
      requestAnimationFrame(flush);
    }
    changed.add(key);
  }
}

/** Tells now of what was to be told before the next frame. */
export function flush() {
  if (changed.size === 0) return;
  const now = changed;
  changed = new Set();
  for (const listener of listeners) listener(now);
  writeAddress();
  shown();
}

/** How long the hand has to be still before an action starts, in milliseconds. */
const PAUSE = 250;

/** An action that waits until the hand has come to rest. */
export function atRest(action) {
  let timer = 0;
  let done = null;
  return (...given) => {
    done ??= pending();
    clearTimeout(timer);
    timer = setTimeout(() => {
      action(...given);
      done();
      done = null;
    }, PAUSE);
  };
}

/** Where the page stands in its chapter: what Back and reload return to. */
const place = () => ({ scroll: scrollY });

let held = 0;

/** Leaves the address alone until the returned function is called. */
export function during() {
  held += 1;
  return () => (held -= 1);
}

const writeNow = () => {
  if (held) return;
  history.replaceState(place(), '', link());
  for (const told of written) told();
};
// Browsers limit how often an address may change.
const writeAddress = atRest(writeNow);
const written = [];

/** Calls `told` when the address has been written. */
export function onWritten(told) {
  written.push(told);
}

/** The chapter in view, for the address. */
export function inChapter(hash) {
  here = hash;
  writeAddress();
}

let here = '';

/** A change that Back undoes: what stands in the address now stays in the history. */
export function asStep(change) {
  writeNow();
  history.pushState(place(), '', location.href);
  change();
}

/** Follows the history: `moved(scroll)` is called when the values of the entry are in force; `scroll` is where the page
 * stood. */
export function followHistory(moved) {
  history.scrollRestoration = 'manual';
  here = location.hash;
  // What was changed just now belongs to the entry that a link leaves.
  document.addEventListener('click', (event) => event.target.closest?.('a[href^="#"]') && writeNow(), true);
  addEventListener('scrollend', () => writeAddress());
  addEventListener('popstate', (event) => {
    here = location.hash;
    set(read(location.search).now);
    flush();
    moved(event.state?.scroll);
  });
}

/** Back to the defaults, of some keys or of all; Back undoes it. */
export function reset(keys = Object.keys(KEYS)) {
  asStep(() => set(Object.fromEntries(keys.map((key) => [key, KEYS[key].initial]))));
}

/** The address of this situation. */
export function link(hash = here) {
  const query = new URLSearchParams();
  const embed = new URLSearchParams(location.search).get('embed');
  if (embed) query.set('embed', embed);
  for (const [key, { initial }] of Object.entries(KEYS)) {
    if (!Object.is(values[key], initial)) query.set(key, values[key] === Infinity ? 'inf' : String(values[key]));
  }
  const plain = [...query.keys()].every((key) => key === 'embed');
  if (!plain) query.set('v', EDITION);
  const text = query.toString();
  return `${location.pathname}${text && `?${text}`}${hash}`;
}

/** The values of some keys that a query stands for: what it does not name is as it was at first. */
const meant = (query, keys) => {
  const given = new URLSearchParams(query);
  return Object.fromEntries(keys.map((key) => [key, given.has(key) ? KEYS[key].parse(given.get(key)) : KEYS[key].initial]));
};

/** Sets some keys as a query says, a step that Back undoes. */
export function follow(query, keys) {
  asStep(() => set(meant(query, keys)));
}

/** Whether some keys are as a query says. */
export function where(query, keys) {
  return Object.entries(meant(query, keys)).every(([key, value]) => Object.is(values[key], value));
}

/** The values that a query stands for, and what is wrong with it, as sentences. */
function read(search) {
  const wrong = [];
  const query = new URLSearchParams(search);
  const once = !query.has('v') && [...query.keys()].some((key) => key !== 'embed');
  const defaults = { ...initially(), ...(once ? ONCE : {}) };
  const update = {};
  for (const [key, text] of query) {
    if (key === 'embed' || (key === 'v' && text === EDITION)) continue;
    const known = Object.hasOwn(KEYS, key) && KEYS[key];
    if (!known) wrong.push(`This page has no setting “${key}”.`);
    else if (!known.valid(known.parse(text))) {
      wrong.push(`“${key}=${text}” is not valid: ${key} must be ${known.accepted}. The default${known.initial === '' ? '' : ` ${defaults[key]}`} is used.`);
    } else update[key] = known.parse(text);
  }
  const now = { ...defaults, ...update };
  const { y, a } = now;
  if (Math.abs(a) > y) {
    if ('a' in update) wrong.push(`“a=${a}” is not valid: a must be from −y to y, here ${-y} to ${y}. The nearest is used.`);
    now.a = Math.max(-y, Math.min(y, a));
  }
  return { now, wrong };
}

/** Takes the values of the address; returns what was wrong with it, as sentences. */
export function fromAddress() {
  const { now, wrong } = read(location.search);
  Object.assign(values, now);
  return wrong;
}
