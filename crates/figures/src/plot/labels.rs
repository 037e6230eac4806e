//! Where labels go, so that none covers another.

use super::geometry::{Rect, Xy, distance};

/// Touching intervals that are moved together.
struct Block {
    top: f64,
    height: f64,
    members: usize,
    /// Sum of the tops that its members want the block to have.
    sum: f64,
}

/// Moves intervals, wanted at given centres with given heights, apart so that none overlap and all lie
/// within [low, high], as little as possible in the least-squares sense (pool adjacent violators).
/// Returns the centres in the order given. If they do not fit, they share the room evenly.
pub(crate) fn spread(wanted: &[(f64, f64)], low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].0.total_cmp(&wanted[b].0).then(a.cmp(&b)));
    let total: f64 = wanted.iter().map(|w| w.1).sum();
    let squeeze = if total > high - low { (high - low) / total } else { 1.0 };
    let mut blocks: Vec<Block> = Vec::new();
    for &i in &order {
        let height = wanted[i].1 * squeeze;
        let top = wanted[i].0 - height / 2.0;
        let mut block = Block { top, height, members: 1, sum: top };
        loop {
            let wish = block.sum / block.members as f64;
            block.top = wish.min(high - block.height).max(low);
            match blocks.pop() {
                Some(last) if last.top + last.height > block.top => {
                    block.sum += last.sum - block.members as f64 * last.height;
                    block.height += last.height;
                    block.members += last.members;
                }
                Some(last) => {
                    blocks.push(last);
                    break;
                }
                None => break,
            }
        }
        blocks.push(block);
    }
    let mut centres = vec![0.0; wanted.len()];
    let mut order = order.into_iter();
    for block in blocks {
        let mut top = block.top;
        for i in order.by_ref().take(block.members) {
            let height = wanted[i].1 * squeeze;
            centres[i] = top + height / 2.0;
            top += height;
        }
    }
    centres
}

/// Finds free places for labels near their points.
#[derive(Debug, Clone)]
pub(crate) struct Placer {
    window: Rect,
    taken: Vec<Rect>,
    curves: Vec<Vec<Xy>>,
}

impl Placer {
    /// Labels stay inside `window`.
    pub(crate) fn new(window: Rect) -> Self {
        Self { window, taken: Vec::new(), curves: Vec::new() }
    }

    /// No label covers this.
    pub(crate) fn avoid(&mut self, taken: Rect) {
        self.taken.push(taken);
    }

    /// No label lies on this curve if there is another place.
    pub(crate) fn avoid_curve(&mut self, points: Vec<Xy>) {
        self.curves.push(points);
    }

    /// The place of a label of width × height near `anchor`, kept free from now on.
    pub(crate) fn place(&mut self, anchor: Xy, size: (f64, f64)) -> Rect {
        let mut best = (f64::INFINITY, self.window);
        for (ring, reach) in [6.0, 11.0, 17.0, 26.0, 38.0, 54.0, 74.0].into_iter().enumerate() {
            for turn in 0..16 {
                // Above is preferred, then the sides, then below.
                let angle = std::f64::consts::TAU * f64::from(turn) / 16.0;
                let (side, up) = (angle.sin(), angle.cos());
                let rect = self.inside(at(anchor, (side, up), reach, size));
                let cost = ring as f64 * 6.0 + (1.0 - up) * 1.5 + self.cost(&rect, anchor);
                if cost < best.0 {
                    best = (cost, rect);
                }
            }
        }
        self.taken.push(best.1);
        best.1
    }

    /// The rectangle moved into the window.
    fn inside(&self, rect: Rect) -> Rect {
        let w = self.window;
        let dx = (w.left - rect.left).max(0.0) - (rect.right - w.right).max(0.0);
        let dy = (w.top - rect.top).max(0.0) - (rect.bottom - w.bottom).max(0.0);
        rect.moved(dx, dy)
    }

    fn cost(&self, rect: &Rect, anchor: Xy) -> f64 {
        let near = rect.grown(2.0);
        let covered: f64 = self.taken.iter().map(|t| near.overlap(t)).sum();
        let crossed: f64 = self.curves.iter().map(|c| crossing(&near, c)).sum();
        let on_anchor = if near.contains(anchor) { 60.0 } else { 0.0 };
        20.0 * covered + crossed + on_anchor
    }
}

/// A rectangle of a size in a direction from a point, `reach` away from it.
fn at(anchor: Xy, (side, up): (f64, f64), reach: f64, (width, height): (f64, f64)) -> Rect {
    let (hw, hh) = (width / 2.0, height / 2.0);
    let (x, y) = (anchor.0 + side * (hw + reach), anchor.1 - up * (hh + reach));
    Rect::new(x - hw, y - hh, x + hw, y + hh)
}

/// How much of a curve, in pixels, runs through a rectangle (roughly).
fn crossing(rect: &Rect, curve: &[Xy]) -> f64 {
    let centre = ((rect.left + rect.right) / 2.0, (rect.top + rect.bottom) / 2.0);
    let radius = rect.width().hypot(rect.height()) / 2.0;
    let mut inside = 0.0;
    for pair in curve.windows(2) {
        let near = distance(centre, pair[0], pair[1]) <= radius;
        if near && let Some((a, b)) = rect.clip(pair[0], pair[1]) {
            inside += (b.0 - a.0).hypot(b.1 - a.1);
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_intervals_do_not_overlap_and_move_little() {
        let wanted = [(50.0, 10.0), (52.0, 10.0), (10.0, 10.0), (51.0, 20.0), (98.0, 10.0)];
        let placed = spread(&wanted, 0.0, 100.0);
        assert_eq!(placed[2], 10.0);
        assert_eq!(placed[4], 95.0);
        let mut order: Vec<usize> = (0..5).collect();
        order.sort_by(|&a, &b| placed[a].total_cmp(&placed[b]));
        for pair in order.windows(2) {
            let room = (wanted[pair[0]].1 + wanted[pair[1]].1) / 2.0;
            assert!(placed[pair[1]] - placed[pair[0]] >= room - 1e-9);
        }
        // The three that collide stay around their common centre.
        let mean = (placed[0] + placed[1] + placed[3]) / 3.0;
        assert!((mean - 51.0).abs() < 2.0, "{placed:?}");
    }

    #[test]
    fn too_many_intervals_share_the_room() {
        let placed = spread(&[(5.0, 10.0); 4], 0.0, 20.0);
        assert_eq!(placed, [2.5, 7.5, 12.5, 17.5]);
        assert!(spread(&[], 0.0, 1.0).is_empty());
    }

    #[test]
    fn labels_near_one_point_find_places_of_their_own() {
        let mut placer = Placer::new(Rect::new(0.0, 0.0, 300.0, 300.0));
        placer.avoid_curve(vec![(0.0, 150.0), (300.0, 150.0)]);
        let rects: Vec<Rect> = (0..6).map(|_| placer.place((150.0, 150.0), (40.0, 12.0))).collect();
        for (i, a) in rects.iter().enumerate() {
            assert!(rects[..i].iter().all(|b| a.overlap(b) == 0.0));
            assert!(!(a.top..=a.bottom).contains(&150.0), "label on the curve: {a:?}");
        }
    }
}
