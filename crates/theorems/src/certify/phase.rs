//! Beyond E = y (T13): where each law is proved to hold, proved to fail, and the band between.
//!
//! A law *holds* at (y, w, E) if the derivative of its metric along the energy has the law's sign there. A
//! map over (y, w) joins all energies from y to 2y: the law holds at (y, w) if it holds at each of them,
//! and fails if it fails at one. Cells are proved as boxes, for every real point inside; a cell fails if
//! one energy was found at which the law fails on all of the cell.

use serde::Serialize;

use super::interval::Interval;
use super::jet::Jet;
use super::laws::{Answer, Cell, Limit, S, W, Y, sign, widths};
use super::subdivision::{Leaf, Limits, subdivide};

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

    /// The law in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Distance => "distance rises",
            Self::Cosine => "cosine distance rises",
            Self::Dot => "dot product falls",
            Self::Norm => "norm falls",
        }
    }

    /// A form that is positive exactly where the law holds, for w > 0 and a < 0 (the cosine's is a lower
    /// bound, as it holds everywhere).
    pub(super) fn form(self, cell: &Cell) -> Jet {
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

impl From<Answer> for State {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Holds => Self::Holds,
            Answer::Fails => Self::Fails,
            Answer::Open(_) => Self::Undecided,
        }
    }
}

/// A cell of a map, from and to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MapCell {
    /// y
    pub y: [f64; 2],
    /// w
    pub w: [f64; 2],
    /// a/y = 1 − E/y
    pub s: [f64; 2],
    /// What is known there.
    pub state: State,
}

/// Where one law holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Map {
    /// The law.
    pub law: Law,
    /// The target of a slice over (E/y, w); none for the map over (y, w) that joins all energies from y to 2y.
    pub target: Option<f64>,
    /// Cells that tile it.
    pub cells: Vec<MapCell>,
    /// Shares of its area that hold, are undecided, and fail; logarithmic axes count as drawn.
    pub shares: [f64; 3],
}

/// The map of a law over y and w in a range, with at most `cells` (a power of two) cells per side.
pub(super) fn diagram(law: Law, range: [f64; 2], cells: u32, progress: &dyn Fn(f64)) -> Map {
    let region = Cell::new(range, range, [-1.0, 0.0]);
    map(law, None, region, cells, &|cell| up_to_twice(law, cell), progress)
}

/// The map of a law over E/y from 1 to `reach` and w in a range, at one target.
pub(super) fn slice(
    law: Law,
    target: f64,
    range: [f64; 2],
    reach: f64,
    cells: u32,
    progress: &dyn Fn(f64),
) -> Map {
    let region = Cell::new([target; 2], range, [1.0 - reach, 0.0]);
    map(law, Some(target), region, cells, &|cell| sign(cell, |c| law.form(c)), progress)
}

fn map(
    law: Law,
    target: Option<f64>,
    region: Cell,
    cells: u32,
    claim: &(dyn Fn(&Cell) -> Answer + Sync),
    progress: &dyn Fn(f64),
) -> Map {
    let x = if target.is_some() { S } else { Y };
    let full = widths(&region);
    // Halve the side that is longer as drawn, so that the smallest cells are squares of the drawing.
    let by_shape = |cell: &Cell| match claim(cell) {
        Answer::Open(_) => {
            let now = widths(cell);
            let mut weights = [0.0; 3];
            weights[x] = now[x] / full[x] * (1.0 + f64::EPSILON.sqrt());
            weights[W] = now[W] / full[W];
            Answer::Open(weights)
        }
        answer => answer,
    };
    let limits = Limits { depth: 2 * cells.ilog2(), boxes: u64::MAX };
    let (leaves, _) = subdivide(region, limits, &by_shape, progress);
    let mut shares = [0.0; 3];
    for leaf in &leaves {
        shares[State::from(leaf.answer) as usize] += leaf.share();
    }
    Map { law, target, cells: strips(&leaves, x), shares }
}

/// The law on all energies from y to 2y, over a box in (y, w).
fn up_to_twice(law: Law, cell: &Cell) -> Answer {
    /// Below this part of the uncertainty, halving the energies further decides nothing.
    const SMALL: f64 = 0.25;
    let mut open = vec![cell.0[S]];
    let mut undecided = false;
    while !open.is_empty() {
        let mut next = Vec::new();
        for energies in open {
            let slab = cell.with(S, energies);
            let thin = slab.with(S, slab.centre().0[S]);
            if sign(&thin, |c| law.form(c)) == Answer::Fails {
                return Answer::Fails;
            }
            match sign(&slab, |c| law.form(c)) {
                Answer::Holds => {}
                Answer::Fails => return Answer::Fails,
                Answer::Open(weights) if weights[S] > SMALL * (weights[Y] + weights[W]) => {
                    next.extend(slab.halves(S).map(|half| half.0[S]));
                }
                Answer::Open(_) => undecided = true,
            }
        }
        open = next;
    }
    if undecided { Answer::Open([0.0; 3]) } else { Answer::Holds }
}

/// Leaves in columns along x, where neighbours of one state are joined along w.
fn strips(leaves: &[Leaf], x: usize) -> Vec<MapCell> {
    let mut edges: Vec<f64> =
        leaves.iter().flat_map(|l| [l.cell.0[x].low(), l.cell.0[x].high()]).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let mut cells: Vec<MapCell> = Vec::new();
    for column in edges.windows(2) {
        let inside = |l: &&Leaf| l.cell.0[x].low() <= column[0] && column[1] <= l.cell.0[x].high();
        let mut here: Vec<&Leaf> = leaves.iter().filter(inside).collect();
        here.sort_by(|a, b| a.cell.0[W].low().total_cmp(&b.cell.0[W].low()));
        let first = cells.len();
        for leaf in here {
            let state = State::from(leaf.answer);
            let ends = |side: Interval| [side.low(), side.high()];
            match cells[first..].last_mut() {
                Some(below) if below.state == state => below.w[1] = leaf.cell.0[W].high(),
                _ => {
                    let cell = leaf.cell.with(x, Interval::new(column[0], column[1]));
                    let [y, w, s] = cell.0.map(ends);
                    cells.push(MapCell { y, w, s, state });
                }
            }
        }
    }
    cells
}

/// All maps as a table: `law,target,y_low,y_high,w_low,w_high,energy_low,energy_high,state`, energies in units of y.
pub fn csv(maps: &[Map]) -> String {
    let mut text = "law,target,y_low,y_high,w_low,w_high,energy_low,energy_high,state\n".to_owned();
    for map in maps {
        let target = map.target.map_or(String::new(), |y| y.to_string());
        let law = format!("{:?}", map.law).to_lowercase();
        for MapCell { y, w, s, state } in &map.cells {
            let state = format!("{state:?}").to_lowercase();
            text += &format!(
                "{law},{target},{},{},{},{},{},{},{state}\n",
                y[0],
                y[1],
                w[0],
                w[1],
                1.0 - s[1],
                1.0 - s[0]
            );
        }
    }
    text
}
