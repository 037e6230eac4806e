// The plane of feature and head: z₀ points right, e ⊥ z₀ points up; the head's tip can be dragged.

import { select } from 'd3-selection';
import { line } from './scale.js';
import { fitted } from './chart.js';
import { attrs, write } from './controls.js';
import { flush } from './state.js';

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
    this.fitsText = add('text', 'note fits').attr('y', 15).attr('text-anchor', 'end').text('heads that fit: z₀·v = y');
    this.probing = add('line', 'probing');
    this.before = add('circle', 'before').attr('r', 4.5);
    this.beforeText = add('text', 'note').text('before probing');
    this.ends = add('path', 'ends');
    this.endsText = add('text', 'note').text('ends for other energies');
    this.energy = add('line', 'energy');
    this.energyText = add('text', 'note energy');
    this.headPath = add('path', 'head path');
    this.path = add('path', 'feature path');
    this.z0 = add('line', 'arrow z0').attr('marker-end', 'url(#tip-z0)');
    this.head = add('line', 'arrow head').attr('marker-end', 'url(#tip-head)');
    this.headEnd = add('circle', 'head end').attr('r', 4);
    this.feature = add('line', 'arrow feature').attr('marker-end', 'url(#tip-feature)');
    this.names = ['z₀', 'v', 'z', 'v(t)'].map((text, i) => add('text', ['z0', 'head', 'feature', 'head'][i] + ' name').text(text));
    this.tip = add('circle', 'handle').attr('r', 13).attr('tabindex', 0).attr('role', 'slider').attr('data-handle', 'head');
    this.tip.attr('aria-label', 'Tip of the head; arrow keys move it along and across the feature');
    this.listen(move);
    fitted(parent, 600, (width) => {
      this.width = width;
      this.height = Math.round(Math.max(0.7 * width, 250));
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
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
      if (dx === undefined) return;
      event.preventDefault();
      // Keys may come faster than frames.
      flush();
      move({ along: this.at[0] + dx * step, across: this.at[1] + dy * step });
    });
  }

  /** Draws a scene of the engine. */
  draw(scene, head) {
    this.shown = [scene, head];
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
    const text = (s, p, dx, dy, anchor = 'start') => attrs(s, { x: X(p[0]) + dx, y: Y(p[1]) + dy, 'text-anchor': anchor });
    const visible = (s, yes) => attrs(s, { visibility: yes ? 'visible' : 'hidden' });
    const top = height / scale;
    segment(this.horizontal, [-reach, 0], [reach, 0]);
    segment(this.vertical, [0, -1], [0, top]);
    segment(this.fits, [target, -1], [target, top]);
    attrs(this.fitsText, { x: X(target) - 6 });
    segment(this.probing, [start, across], [target, across]);
    dot(this.before, [start, across]);
    text(this.beforeText, [start, across], 0, 22, X(start) < 60 ? 'start' : 'middle');
    visible(this.beforeText, (scene.head[0] - start) * scale > 35);
    attrs(this.ends, { d: path(scene.ends) });
    visible(this.endsText, width > 420);
    text(this.endsText, scene.ends[scene.ends.length - 1], -8, -6, 'end');
    segment(this.energy, scene.head, [target, scene.head[1]]);
    text(this.energyText, [(scene.head[0] + target) / 2, scene.head[1]], 0, 18, 'middle');
    write(this.energyText, (target - scene.head[0]) * scale > 70 ? 'energy E' : 'E');
    visible(this.energyText, scene.energy * scale > 16);
    attrs(this.path, { d: path(scene.feature_path) });
    attrs(this.headPath, { d: path(scene.head_path) });
    segment(this.z0, [0, 0], [1, 0]);
    segment(this.head, [0, 0], scene.head);
    segment(this.feature, [0, 0], scene.now.feature);
    dot(this.headEnd, scene.now.head);
    dot(this.tip, scene.head);
    const [z0, v, z, vt] = this.names;
    const beside = (s, p) => text(s, p, p[0] >= 0 ? 10 : -18, p[1] > 0.05 ? -8 : 18);
    text(z0, [1, 0], -14, 20);
    text(v, scene.head, -16, -12);
    beside(z, scene.now.feature);
    beside(vt, scene.now.head);
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) * scale;
    visible(vt, apart(scene.now.head, scene.head) > 26);
    visible(z, apart(scene.now.feature, [1, 0]) > 18);
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
