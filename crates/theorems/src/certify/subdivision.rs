//! Adaptive subdivision: boxes are halved until a claim is decided on each.

use super::laws::{Answer, Cell};
use taskhead::parallel::each;

/// Where to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Halvings of a box.
    pub depth: u32,
    /// Boxes looked at, in all.
    pub boxes: u64,
}

/// A box that is not divided further.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaf {
    /// The box.
    pub cell: Cell,
    /// How often it was halved: its share of the whole is 2^−depth.
    pub depth: u32,
    /// What is known of the claim there.
    pub answer: Answer,
}

impl Leaf {
    /// The share of the whole, exactly.
    pub fn share(&self) -> f64 {
        0.5f64.powi(self.depth as i32)
    }
}

/// The leaves of a region, and how many boxes were looked at.
///
/// All boxes of one depth are looked at before the next, in an order that does not depend on threads.
/// `progress` is called after each depth with the decided share.
pub fn subdivide(
    region: Cell,
    limits: Limits,
    claim: &(dyn Fn(&Cell) -> Answer + Sync),
    progress: &dyn Fn(f64),
) -> (Vec<Leaf>, u64) {
    let (mut leaves, mut boxes, mut decided) = (Vec::new(), 0, 0.0);
    let mut open = vec![region];
    for depth in 0.. {
        let answers = each(open.len(), |i| claim(&open[i]));
        boxes += open.len() as u64;
        let still = answers.iter().filter(|a| matches!(a, Answer::Open(_))).count() as u64;
        let last = depth == limits.depth || boxes + 2 * still > limits.boxes;
        let mut next = Vec::with_capacity(if last { 0 } else { 2 * still as usize });
        for (&cell, answer) in open.iter().zip(answers) {
            match answer {
                Answer::Open(weights) if !last => next.extend(cell.halves(heaviest(weights))),
                _ => {
                    let leaf = Leaf { cell, depth, answer };
                    decided += leaf.share();
                    leaves.push(leaf);
                }
            }
        }
        progress(decided);
        open = next;
        if open.is_empty() {
            break;
        }
    }
    (leaves, boxes)
}

/// The first axis of the largest weight.
pub fn heaviest(weights: [f64; 3]) -> usize {
    (1..3).fold(0, |best, axis| if weights[axis] > weights[best] { axis } else { best })
}

#[cfg(test)]
mod tests {
    use super::super::laws::widths;
    use super::*;

    fn unit() -> Cell {
        Cell::new([1.0, 16.0], [1.0, 2.0], [-1.0, 1.0])
    }

    /// y + s > 5, whose boundary no box can decide.
    fn claim(cell: &Cell) -> Answer {
        let sum = cell.0[0] + cell.0[2];
        match (sum.low() > 5.0, sum.high() < 5.0) {
            (true, _) => Answer::Holds,
            (_, true) => Answer::Fails,
            _ => Answer::Open(widths(cell)),
        }
    }

    #[test]
    fn shares_add_up_to_one_and_leaves_tile_the_region() {
        let (leaves, boxes) = subdivide(unit(), Limits { depth: 12, boxes: u64::MAX }, &claim, &|_| ());
        assert_eq!(leaves.iter().map(Leaf::share).sum::<f64>(), 1.0);
        // Every inner node of a binary tree has two children.
        assert_eq!(boxes, 2 * leaves.len() as u64 - 1);
        let volume = |c: &Cell| widths(c).iter().product::<f64>();
        let sum: f64 = leaves.iter().map(|l| volume(&l.cell)).sum();
        assert!((sum / volume(&unit()) - 1.0).abs() < 1e-12);
        for leaf in &leaves {
            assert!((volume(&leaf.cell) / volume(&unit()) / leaf.share() - 1.0).abs() < 1e-12);
        }
        for answer in [Answer::Holds, Answer::Fails] {
            assert!(leaves.iter().any(|l| l.answer == answer));
        }
        assert!(leaves.iter().all(|l| l.depth == 12 || !matches!(l.answer, Answer::Open(_))));
    }

    #[test]
    fn a_budget_leaves_the_rest_open() {
        let (leaves, boxes) = subdivide(unit(), Limits { depth: 40, boxes: 100 }, &claim, &|_| ());
        assert!(boxes <= 100);
        assert_eq!(leaves.iter().map(Leaf::share).sum::<f64>(), 1.0);
        assert!(leaves.iter().any(|l| matches!(l.answer, Answer::Open(_))));
    }

    #[test]
    fn an_empty_depth_is_the_region_itself() {
        let (leaves, boxes) = subdivide(unit(), Limits { depth: 0, boxes: 1 }, &claim, &|_| ());
        assert_eq!((leaves.len(), boxes, leaves[0].cell), (1, 1, unit()));
    }
}
