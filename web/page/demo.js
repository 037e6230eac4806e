// The loop that starts itself: finetune without probing, then probe and finetune again. The first touch ends it.

import { show, still } from './controls.js';
import { during, set, state } from './state.js';

const $ = (id) => document.getElementById(id);

/**
 * Runs once on a page without settings in its address. `scene()` is what the figure shows, `probed(share)` the probing
 * time that spends a share of the energy, `tuned(share)` the finetuning time of a share of the way.
 */
export function demo(scene, probed, tuned) {
  const root = document.documentElement;
  if (location.search || location.hash || still() || history.state) return;
  const before = { tau: state.tau, t: state.t };
  const told = $('told');
  const network = $('network');
  let frame = 0;
  const moved = () => show(scene().now.metrics[0]);
  const steps = [
    { seconds: 1.6, phase: '', said: () => `No probing: the head misses the target by the energy E = ${show(scene().energy)}.`, at: () => ({ tau: 0, t: 0 }) },
    { seconds: 3, phase: 'tune', said: () => `Finetuning: head and feature move, the feature by ${moved()}.`, at: (share) => ({ tau: 0, t: tuned(share) }) },
    { seconds: 1.4, phase: '', said: () => `The feature has moved by ${moved()}. Once more, with probing first.`, at: () => ({ tau: 0, t: Infinity }) },
    { seconds: 2.6, phase: 'probe', said: () => `Probing: only the head moves; energy left E = ${show(scene().energy)}.`, at: (share) => ({ tau: probed(0.7 * share), t: 0 }) },
    { seconds: 3, phase: 'tune', said: () => `Finetuning again: the feature moves by ${moved()} only.`, at: (share) => ({ tau: probed(0.7), t: tuned(share) }) },
    { seconds: 2, phase: '', said: () => 'Less energy, less motion. Your turn: pull Head probing.', at: () => ({ tau: probed(0.7), t: Infinity }) },
  ];
  const release = during();
  const events = ['pointerdown', 'keydown', 'wheel', 'touchstart', 'beforeprint'];
  const end = () => {
    cancelAnimationFrame(frame);
    for (const name of events) removeEventListener(name, end, true);
    delete network.dataset.phase;
    delete root.dataset.demo;
    told.hidden = true;
    set(before);
    release();
  };
  for (const name of events) addEventListener(name, end, { capture: true, passive: true });
  root.dataset.demo = 'true';
  told.hidden = false;
  let step = 0;
  let begun = 0;
  const next = (now) => {
    begun ||= now;
    const share = (now - begun) / 1000 / steps[step].seconds;
    if (share >= 1) {
      [step, begun] = [step + 1, now];
      if (step === steps.length) return end();
    }
    const { phase, said, at } = steps[step];
    network.dataset.phase = phase;
    set(at(Math.max(0, Math.min(1, share >= 1 ? 0 : share))));
    told.textContent = said();
    frame = requestAnimationFrame(next);
  };
  frame = requestAnimationFrame(next);
}
