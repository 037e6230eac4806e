use serde::Serialize;

use super::interval::Interval;
use super::laws::{Answer, Cell, Limit, S, W, Y, sign, widths};
use super::jet::Jet;
use super::subdivision::{Limits, heaviest, subdivide};

/// A law beyond E = y.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// |z_T − z₀| rises with energy.
    Distance,
    /// 1 − cos(z_T, z₀) rises with energy.
    Cosine,
    /// z_T·z₀ falls with energy.
    Dot,
    /// |z_T| falls with energy.
    Norm,
}

impl Law {
    /// All of them, in the order of the metrics.
    pub const ALL: [Self; 4] = [Self::Distance, Self::Cosine, Self::Dot, Self::Norm];

    /// A form that is positive where the law holds (w > 0, a < 0).
    pub fn form(self, cell: &Cell) -> Jet {
        let limit = Limit::over(cell);
        match self {
            Self::Distance => limit.total(limit.distance()),
            Self::Cosine => limit.cosine(),
            Self::Dot => limit.total(limit.dot()),
            Self::Norm => limit.norm(),
        }
    }
}

/// What is known of a law on a cell of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Proved to hold at every point.
    Holds,
    /// Not decided at this resolution.
    Undecided,
    /// Proved to fail at every point.
    Fails,
}

/// A cell of a map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MapCell {
    /// From and to.
    pub y: [f64; 2],
    /// From and to.
    pub w: [f64; 2],
    /// E/y, from and to.
    pub energy: [f64; 2],
    /// What is known there.
    pub state: State,
}

/// Where one law holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Map {
    /// The law.
    pub law: Law,
    /// The target of a slice; none if the map is over (y, w), for all energies from y to 2y.
    pub target: Option<f64>,
    /// Its cells.
    pub cells: Vec<MapCell>,
}

fn holds_up_to_twice(law: Law, cell: &Cell) -> Answer {
    let mut open = vec![Interval::new(-1.0, 0.0)];
    let mut undecided = false;
    while !open.is_empty() {
        let mut next = Vec::new();
        for side in open {
            let slab = cell.with(S, side);
            let thin = slab.with(S, slab.centre().0[S]);
            if sign(&thin, |c| law.form(c)) == Answer::Fails {
                return Answer::Fails;
            }
            match sign(&slab, |c| law.form(c)) {
                Answer::Holds => {}
                Answer::Fails => return Answer::Fails,
                Answer::Open(weights) => {
                    if weights[S] > 0.25 * (weights[Y] + weights[W]) && side.high() - side.low() > 1e-9 {
                        next.extend(slab.halves(S).map(|h| h.0[S]));
                    } else {
                        undecided = true;
                    }
                }
            }
        }
        open = next;
    }
    if undecided { Answer::Open(plane(cell, Y)) } else { Answer::Holds }
}
fn plane(cell: &Cell, x: usize) -> [f64; 3] {
    let mut weights = widths(cell);
    weights[if x == Y { S } else { Y }] = 0.0;
    weights
}
pub fn explore(depth: u32) {
    for law in [Law::Distance, Law::Dot, Law::Norm, Law::Cosine] {
        let start = std::time::Instant::now();
        let region = Cell::new([1e-2, 1e2], [1e-2, 1e2], [-1.0, 0.0]);
        let (leaves, boxes) = subdivide(region, Limits { depth, boxes: 1 << 30 }, &|c| holds_up_to_twice(law, c), &|_| ());
        let share = |f: &dyn Fn(&Answer) -> bool| leaves.iter().filter(|l| f(&l.answer)).map(|l| l.share()).sum::<f64>();
        println!("{law:?} boxes {boxes} leaves {} holds {} fails {} open {} {:?}", leaves.len(), share(&|a| *a == Answer::Holds), share(&|a| *a == Answer::Fails),
            share(&|a| matches!(a, Answer::Open(_))), start.elapsed());
    }
    let _ = heaviest([0.0;3]);
}
#[cfg(test)]
mod tests {
    #[test]
    fn explore() { super::explore(std::env::var("DEPTH").unwrap().parse().unwrap()); }
}
