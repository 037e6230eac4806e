// The plane of feature and head: z₀ points right, e ⊥ z₀ points up; the head's tip can be dragged.

import { select } from 'd3-selection';
import { line } from './scale.js';
import { fitted, textWidth, windowHeight } from './chart.js';
import { attrs, write } from './controls.js';
import { flush } from './state.js';

/** Whether the way through some places goes through a box [left, top, right, bottom]. */
function goesThrough(way, [left, top, right, bottom]) {
  return way.some(([x1, y1], i) => {
    if (i === 0) return false;
    const [x0, y0] = way[i - 1];
    // The part of the step between the sides, then between top and bottom.
    let [from, to] = [0, 1];
    for (const [a, b, low, high] of [[x0, x1, left, right], [y0, y1, top, bottom]]) {
      if (a === b) {
        if (a < low || a > high) return false;
        continue;
      }
      const [s, t] = [(low - a) / (b - a), (high - a) / (b - a)];
      [from, to] = [Math.max(from, Math.min(s, t)), Math.min(to, Math.max(s, t))];
    }
    return from <= to;
  });
}

export class Plane {
  /** `move({ along, across })` is called while the tip is dragged or moved by arrow keys. */
  constructor(parent, move) {
    const svg = (this.svg = select(parent).append('svg'));
    svg.attr('class', 'plane').attr('role', 'group').attr('aria-label', 'Plane of feature and head');
    const defs = svg.append('defs');
    for (const kind of ['z0', 'feature', 'head']) {
      const tip = defs.append('marker').attr('id', `tip-${kind}`).attr('class', kind);
      tip.attr('viewBox', '0 0 10 10').attr('refX', 9).attr('refY', 5).attr('markerWidth', 9).attr('markerHeight', 9);
      tip.attr('markerUnits', 'userSpaceOnUse').attr('orient', 'auto').append('path').attr('d', 'M0,0.5L10,5L0,9.5z');
    }
    const add = (element, kind) => svg.append(element).attr('class', kind);
    this.horizontal = add('line', 'zero');
    this.vertical = add('line', 'zero');
    this.fits = add('line', 'fits');
    this.fitsText = add('text', 'note fits');
    this.probing = add('line', 'probing');
    this.before = add('circle', 'before').attr('r', 4.5);
    this.beforeText = add('text', 'note');
    this.ends = add('path', 'ends');
    this.endsText = add('text', 'note');
    this.energy = add('line', 'energy');
    this.energyText = add('text', 'note energy');
    this.headPath = add('path', 'head path');
    this.path = add('path', 'feature path');
    this.z0 = add('line', 'arrow z0').attr('marker-end', 'url(#tip-z0)');
    this.head = add('line', 'arrow head').attr('marker-end', 'url(#tip-head)');
    this.headEnd = add('circle', 'head end').attr('r', 4);
    this.feature = add('line', 'arrow feature').attr('marker-end', 'url(#tip-feature)');
    this.names = ['z0', 'head', 'feature', 'head'].map((kind) => add('text', `${kind} name`));
    this.tip = add('circle', 'handle').attr('r', 13).attr('tabindex', 0).attr('role', 'slider').attr('data-handle', 'head');
    this.tip.attr('aria-label', 'Tip of the head; arrow keys move it along and across the feature');
    this.listen(move);
    fitted(parent, 600, (width) => {
      this.width = width;
      // Never so high that the figure beside or below it is out of sight.
      this.height = Math.round(Math.min(Math.max(0.7 * width, 250), windowHeight() * (matchMedia('(max-width: 60rem)').matches ? 0.36 : 0.58)));
      svg.attr('viewBox', `0 0 ${width} ${this.height}`);
      if (this.shown) this.draw(...this.shown);
    });
  }

  listen(move) {
    const node = this.tip.node();
    const at = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.node().getScreenCTM().inverse());
      return { along: (point.x - this.x0) / this.scale, across: (this.y0 - point.y) / this.scale };
    };
    node.addEventListener('pointerdown', (event) => {
      node.setPointerCapture(event.pointerId);
      const { along, across } = at(event);
      this.grip = { along: this.at[0] - along, across: this.at[1] - across };
      node.focus({ preventScroll: true });
      event.preventDefault();
    });
    // A finger on the tip does not scroll the page; `touch-action` is not heeded on parts of an SVG.
    node.addEventListener('touchstart', (event) => event.preventDefault(), { passive: false });
    node.addEventListener('pointermove', (event) => {
      if (!this.grip) return;
      const { along, across } = at(event);
      move({ along: along + this.grip.along, across: across + this.grip.across });
    });
    for (const end of ['pointerup', 'pointercancel']) node.addEventListener(end, () => {
      this.grip = null;
      if (this.shown) this.draw(...this.shown);
    });
    node.addEventListener('keydown', (event) => {
      const step = event.shiftKey ? 0.1 : 0.02;
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], PageUp: [5, 0], PageDown: [-5, 0], Home: [-Infinity, 0], End: [Infinity, 0] }[event.key] ?? [];
      if (dx === undefined) return;
      event.preventDefault();
      // Keys may come faster than frames.
      flush();
      move({ along: this.at[0] + dx * step, across: this.at[1] + dy * step });
    });
  }

  /**
   * Puts texts where nothing else is written: each { to, text, at: [x, y], size, weight?, italic?, spare? } takes the
   * first of its `places` ([dx, dy, anchor]) that is free and inside, if it can one that none of the `ways` (lists of
   * places) goes through; one that is `spare` goes if it cannot.
   */
  write(texts, ways) {
    const taken = [];
    const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
    for (const { to, text, at, size, weight, spare, places, hidden } of texts) {
      const wide = hidden ? 0 : textWidth(text, size, weight) * 1.04 + 2;
      const boxes = hidden ? [] : places.map(([dx, dy, anchor]) => {
        const x = at[0] + dx - { start: 0, middle: wide / 2, end: wide }[anchor];
        const shift = Math.max(3 - x, Math.min(0, this.width - 3 - x - wide));
        return { x: at[0] + dx + (spare ? 0 : shift), y: at[1] + dy, anchor, box: [x + (spare ? 0 : shift), at[1] + dy - 0.95 * size, x + wide + (spare ? 0 : shift), at[1] + dy + 0.3 * size] };
      });
      const free = ({ box }) => box[0] >= 2 && box[2] <= this.width - 2 && box[1] >= 2 && box[3] <= this.height - 2 && !taken.some((other) => meets(box, other));
      const found = boxes.find((b) => free(b) && !ways.some((way) => goesThrough(way, b.box))) ?? (spare ? undefined : boxes.find(free));
      attrs(to, { visibility: found ? 'visible' : 'hidden' });
      if (!found) continue;
      taken.push(found.box);
      attrs(to, { x: found.x, y: found.y, 'text-anchor': found.anchor });
      write(to, text);
    }
  }

  /** Draws a scene of the engine; `head` is its setting, `loss` what the finetuning lowers. */
  draw(scene, head, loss) {
    this.shown = [scene, head, loss];
    const { target, across, start } = head;
    const { width, height } = this;
    // Room for target and head; while the tip is dragged the scale stays.
    const reach = Math.max(1.45, target + 0.3, ((across + 0.2) * width) / 2 / (height - 84));
    const scale = (this.scale = this.grip ? this.scale : width / 2 / reach);
    const x0 = (this.x0 = width / 2);
    const y0 = (this.y0 = height - 0.2 * scale - 24);
    this.at = scene.head;
    const X = (x) => x0 + x * scale;
    const Y = (y) => y0 - y * scale;
    const segment = (s, a, b) => attrs(s, { x1: X(a[0]), y1: Y(a[1]), x2: X(b[0]), y2: Y(b[1]) });
    const path = line((p) => X(p[0]), (p) => Y(p[1]));
    const dot = (s, p) => attrs(s, { cx: X(p[0]), cy: Y(p[1]) });
    const top = height / scale;
    segment(this.horizontal, [-reach, 0], [reach, 0]);
    segment(this.vertical, [0, -1], [0, top]);
    segment(this.fits, [target, -1], [target, top]);
    segment(this.probing, [start, across], [target, across]);
    dot(this.before, [start, across]);
    attrs(this.ends, { d: path(scene.ends) });
    segment(this.energy, scene.head, [target, scene.head[1]]);
    attrs(this.path, { d: path(scene.feature_path) });
    attrs(this.headPath, { d: path(scene.head_path) });
    segment(this.z0, [0, 0], [1, 0]);
    segment(this.head, [0, 0], scene.head);
    segment(this.feature, [0, 0], scene.now.feature);
    dot(this.headEnd, scene.now.head);
    dot(this.tip, scene.head);
    const [z0, v, z, vt] = this.names;
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) * scale;
    const at = (p) => [X(p[0]), Y(p[1])];
    const [name, note] = [{ size: 17, weight: 600 }, { size: 12 }];
    const around = [[10, -8, 'start'], [10, 20, 'start'], [-10, -8, 'end'], [-10, 20, 'end'], [0, -18, 'middle'], [0, 30, 'middle'], [22, 6, 'start'], [-22, 6, 'end'], [0, -38, 'middle'], [0, 50, 'middle']];
    const squared = loss === 'squared';
    const middle = [(scene.head[0] + target) / 2, scene.head[1]];
    const long = (target - scene.head[0]) * scale > 78;
    const ways = [[[0, 0], scene.now.feature], [[0, 0], scene.head], [[0, 0], [1, 0]], [[target, -1], [target, top]], [scene.head, [target, scene.head[1]]], scene.feature_path, scene.head_path].map((way) => way.map(at));
    this.write([
      { to: this.fitsText, text: squared ? 'heads that fit: z₀·v = y' : 'prediction y: z₀·v = y', at: [X(target), 15], ...note, places: [[-6, 0, 'end'], [6, 0, 'start']] },
      { to: v, text: 'v', at: at(scene.head), ...name, places: [[-16, -12, 'end'], [16, -12, 'start'], ...around] },
      { to: z, text: 'z', at: at(scene.now.feature), ...name, hidden: apart(scene.now.feature, [1, 0]) <= 18, places: around },
      { to: z0, text: 'z₀', at: at([1, 0]), ...name, places: [[-14, 20, 'middle'], [-14, -10, 'middle'], ...around] },
      { to: vt, text: 'v(t)', at: at(scene.now.head), ...name, hidden: apart(scene.now.head, scene.head) <= 26, places: around },
      { to: this.energyText, text: squared ? (long ? 'energy E' : 'E') : (long ? 'still to gain' : ''), at: at(middle), size: 12, weight: 600, hidden: (target - scene.head[0]) * scale <= 16, places: [0, -0.25, 0.25].flatMap((part) => [18, -10].map((dy) => [part * (target - scene.head[0]) * scale, dy, 'middle'])) },
      { to: this.beforeText, text: 'before probing', at: at([start, across]), ...note, spare: true, hidden: (scene.head[0] - start) * scale <= 35, places: [[0, 22, 'middle'], [0, -12, 'middle'], [-4, 22, 'start']] },
      { to: this.endsText, text: 'ends for other energies', at: at(scene.ends[scene.ends.length - 1]), ...note, spare: true, hidden: width <= 420, places: [[-8, -6, 'end'], [8, -6, 'start'], [-8, 16, 'end'], [0, -16, 'middle'], [0, 24, 'middle']] },
    ], ways);
    attrs(this.tip, {
      'aria-valuemin': -target,
      'aria-valuemax': target,
      'aria-valuenow': scene.head[0],
      'aria-valuetext': `along the feature ${scene.head[0].toFixed(2)}, across ${scene.head[1].toFixed(2)}`,
    });
  }

  /** Text for those who do not see the figure. */
  describe(text) {
    this.svg.attr('aria-label', text);
  }
}
