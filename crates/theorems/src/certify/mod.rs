//! Certificates: T8–T13 proved for every real point of a box, by interval arithmetic.
//!
//! *Model.* The normalised rank-one limit: κ = γ = |z₀| = 1, v₀ = a z₀ + w e with e ⊥ z₀, |e| = 1, target
//! y > 0, t → ∞, energy E = |y − a|. Every other rank-one problem scales to it.
//!
//! *What is proved.* The derivative of each metric along E, with factors of known sign divided out, is a
//! form in y, w and s = a/y built from + − × ÷ √ (`laws.rs` has the algebra). Interval arithmetic
//! with outward rounding encloses the form over a box: an enclosure above zero proves the law at *every*
//! real point of the box, one below zero refutes it at every point. Otherwise the mean value theorem, with
//! enclosures of the form's slopes, is tried; then the box is halved along the axis that adds most to the
//! uncertainty. What is neither proved nor refuted within the budget is reported as undecided.
//!
//! *Degenerate faces.* σ (and with it every motion) vanishes at E = 0: the factor E is divided out, so the
//! forms do not vanish there. The norm's derivative vanishes at a = 0: it is taken along a². At w = 0 the
//! distance and dot forms are X + w²U: X ≥ 0 and U > 0 on a box prove the sign for every w > 0 in it, down
//! to 0. So T9–T11 need few boxes, as no terms of their forms cancel on 0 < E ≤ y.
//!
//! *A single peak* (T12) needs more than signs. On each box the sign of the form is proved, or else that its
//! slope along a is negative: so it is negative at every zero, and between two zeros there would be one with
//! another slope. The signs at E = 0 and E = y are proved on these faces. Beyond E = y the same with a positive
//! slope proves that the dot product turns up at most once more.
//!
//! [`boundary`] states what the maps of T13 led to, with proofs: the cosine law never ends, the dot product
//! turns exactly twice, and formulas for where the laws fail.

pub mod boundary;
mod interval;
mod jet;
mod laws;
mod phase;
mod subdivision;

pub use phase::{Law, Map, MapCell, State, csv};

use serde::Serialize;
use taskhead::Setting;

use interval::Interval;
use laws::{Answer, Cell, Limit, S, root, sign, sign_off_the_face};
use subdivision::{Limits, subdivide};

/// What to certify, and how hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    range: [f64; 2],
    reach: f64,
    boxes: u64,
    cells: u32,
}

/// Default range of y and w.
pub const RANGE: [f64; 2] = [1e-3, 1e3];

/// Default of the largest energy over y.
pub const REACH: f64 = 5.0;

/// Default limit of boxes per law.
pub const BOXES: u64 = 1_000_000;
/// Default number of cells per side of a map.
pub const CELLS: u32 = 256;

impl Default for Settings {
    fn default() -> Self {
        Self { range: RANGE, reach: REACH, boxes: BOXES, cells: CELLS }
    }
}

impl Settings {
    /// y and w from `low` to `high` (w from 0 in T9–T12), energies up to `reach`·y, at most `boxes` boxes per law, maps
    /// of at most `cells` cells per side.
    pub fn new(range: [f64; 2], reach: f64, boxes: u64, cells: u32) -> Result<Self, Setting> {
        let check = |name, value: f64, good: bool, accepted| {
            if good { Ok(()) } else { Err(Setting { name, value, accepted }) }
        };
        let [low, high] = range;
        check(
            "the lower end of y and w",
            low,
            (1e-9..1e9).contains(&low),
            "at least 1e-9 and below 1e9",
        )?;
        check(
            "the upper end of y and w",
            high,
            high > low && high <= 1e9,
            "above the lower end, at most 1e9",
        )?;
        check("the largest energy over y", reach, (2.0..=1e6).contains(&reach), "from 2 to 1e6")?;
        check("the number of boxes", boxes as f64, boxes >= 1, "at least 1")?;
        let power = cells.is_power_of_two() && (2..=1024).contains(&cells);
        check("the number of cells a side", f64::from(cells), power, "a power of two from 2 to 1024")?;
        Ok(Self { range, reach, boxes, cells })
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At every point of the region.
    Proved,
    /// It fails at every point of some box.
    Refuted,
    /// Some boxes could not be decided.
    Undecided,
}

/// Bounds of a box; w from 0 stands for every w > 0 up to its end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Region {
    /// Target y.
    pub y: [f64; 2],
    /// Orthogonal part w of the head.
    pub w: [f64; 2],
    /// a/y = 1 − E/y.
    pub s: [f64; 2],
}

impl Report {
    /// Whether a law that should hold everywhere fails somewhere.
    pub fn refuted(&self) -> bool {
        self.laws.iter().any(|law| law.verdict == Verdict::Refuted)
    }
}

impl From<Cell> for Region {
    fn from(cell: Cell) -> Self {
        let [y, w, s] = cell.0.map(|side| [side.low(), side.high()]);
        Self { y, w, s }
    }
}

/// The certificate of one law on one region.
///
/// Shares are of the region as subdivision halves it: y and w in the logarithm (w from 0 in w itself).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certificate {
    /// T-number.
    pub theorem: &'static str,
    /// The law in words.
    pub statement: &'static str,
    /// Where.
    pub region: Region,
    /// Boxes looked at.
    pub examined: u64,
    /// Boxes that were not divided further: proved, undecided, refuted.
    pub boxes: [u64; 3],
    /// Their shares of the region; they add up to 1 exactly.
    pub shares: [f64; 3],
    /// The largest box without a decision.
    pub largest_undecided: Option<Region>,
    /// A box on all of which the law fails.
    pub counterexample: Option<Region>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Everything that was certified.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// With which settings.
    pub settings: Settings,
    /// Laws that should hold on all of their region.
    pub laws: Vec<Certificate>,
    /// Laws that hold on part of their region beyond E = y only (T13): here failing boxes are findings.
    pub beyond: Vec<Certificate>,
    /// Where each law holds beyond E = y.
    pub maps: Vec<Map>,
}

/// A law to certify.
struct Task {
    theorem: &'static str,
    statement: &'static str,
    /// Energies over y, from and to; ∞ stands for the largest that is asked for.
    energy: [f64; 2],
    /// Whether w starts at 0.
    face: bool,
    claim: fn(&Cell) -> Answer,
}

const LAWS: [Task; 8] = [
    Task {
        theorem: "T8",
        statement: "the limit equation has exactly one root, positive iff a < y",
        energy: [-1.0, f64::INFINITY],
        face: false,
        claim: one_root,
    },
    Task {
        theorem: "T9",
        statement: "the norm rises with E on [0, y]",
        energy: [0.0, 1.0],
        face: true,
        claim: norm,
    },
    Task {
        theorem: "T10",
        statement: "the distance rises with E on [0, y]",
        energy: [0.0, 1.0],
        face: true,
        claim: distance,
    },
    Task {
        theorem: "T11",
        statement: "the cosine distance rises with E on [0, y]",
        energy: [0.0, 1.0],
        face: true,
        claim: cosine,
    },
    Task {
        theorem: "T12",
        statement: "the dot product rises, then falls with E on [0, y], with one peak inside",
        energy: [0.0, 1.0],
        face: true,
        claim: one_peak,
    },
    Task {
        theorem: "T13",
        statement: "the norm falls with E beyond E = y",
        energy: [1.0, f64::INFINITY],
        face: true,
        claim: norm,
    },
    Task {
        theorem: "T13",
        statement: "the cosine distance rises with E beyond E = y",
        energy: [1.0, f64::INFINITY],
        face: true,
        claim: cosine,
    },
    Task {
        theorem: "T13",
        statement: "the dot product turns up at most once beyond E = y",
        energy: [1.0, f64::INFINITY],
        face: false,
        claim: one_turn,
    },
];

/// Laws that do not hold everywhere.
const BEYOND: [Task; 2] = [
    Task {
        theorem: "T13",
        statement: "the distance rises with E beyond E = y",
        energy: [1.0, f64::INFINITY],
        face: false,
        claim: distance,
    },
    Task {
        theorem: "T13",
        statement: "the dot product falls with E beyond E = y",
        energy: [1.0, f64::INFINITY],
        face: false,
        claim: dot,
    },
];

/// α > 0 and β > 0 (see [`root`]).
fn one_root(cell: &Cell) -> Answer {
    both(sign(cell, |c| root(c)[0]), || sign(cell, |c| root(c)[1]))
}

fn norm(cell: &Cell) -> Answer {
    sign(cell, |c| Limit::over(c).norm())
}

fn distance(cell: &Cell) -> Answer {
    sign_off_the_face(cell, Limit::distance)
}

fn cosine(cell: &Cell) -> Answer {
    sign(cell, |c| Limit::over(c).cosine())
}

fn dot(cell: &Cell) -> Answer {
    sign_off_the_face(cell, Limit::dot)
}

/// No two zeros of the dot product's form along a; it falls at a = 0 and rises at a = y.
fn one_peak(cell: &Cell) -> Answer {
    let face = |at: f64| cell.with(S, Interval::point(at));
    let inside = crosses_once(cell, |slope| slope.high() < 0.0);
    let falls = || if cell.0[S].contains(0.0) { dot(&face(0.0)) } else { Answer::Holds };
    let rises = || if cell.0[S].contains(1.0) { opposite(dot(&face(1.0))) } else { Answer::Holds };
    both(both(inside, falls), rises)
}

/// No two zeros of the dot product's form along a, and it falls at a = 0.
fn one_turn(cell: &Cell) -> Answer {
    let inside = crosses_once(cell, |slope| slope.low() > 0.0);
    let face = || dot(&cell.with(S, Interval::ZERO));
    both(inside, || if cell.0[S].contains(0.0) { face() } else { Answer::Holds })
}

/// The sign of the dot product's form is proved, or else that of its slope along s.
fn crosses_once(cell: &Cell, monotone: fn(Interval) -> bool) -> Answer {
    match dot(cell) {
        Answer::Open(weights) => {
            let limit = Limit::over(cell);
            let slope = limit.total(limit.dot()).slope[S];
            if monotone(slope) { Answer::Holds } else { Answer::Open(weights) }
        }
        _ => Answer::Holds,
    }
}

fn both(first: Answer, second: impl FnOnce() -> Answer) -> Answer {
    match first {
        Answer::Holds => second(),
        Answer::Fails => Answer::Fails,
        open => {
            if second() == Answer::Fails {
                Answer::Fails
            } else {
                open
            }
        }
    }
}

fn opposite(answer: Answer) -> Answer {
    match answer {
        Answer::Holds => Answer::Fails,
        Answer::Fails => Answer::Holds,
        open => open,
    }
}

fn certificate(task: &Task, settings: &Settings, progress: &dyn Fn(f64)) -> Certificate {
    let Settings { range, reach, boxes, .. } = *settings;
    let across = if task.face { [0.0, range[1]] } else { range };
    let [least, most] = task.energy.map(|e| e.min(reach));
    let region = Cell::new(range, across, [1.0 - most, 1.0 - least]);
    // Deeper than any budget reaches with one open box a depth.
    let limits = Limits { depth: 200, boxes };
    let (leaves, examined) = subdivide(region, limits, &task.claim, progress);

    let (mut count, mut shares) = ([0; 3], [0.0; 3]);
    for leaf in &leaves {
        let kind = State::from(leaf.answer) as usize;
        count[kind] += 1;
        shares[kind] += leaf.share();
    }
    let first =
        |state: State| leaves.iter().find(|l| State::from(l.answer) == state).map(|l| l.cell.into());
    Certificate {
        theorem: task.theorem,
        statement: task.statement,
        region: region.into(),
        examined,
        boxes: count,
        shares,
        largest_undecided: first(State::Undecided),
        counterexample: first(State::Fails),
        verdict: match count {
            [_, 0, 0] => Verdict::Proved,
            [_, _, 0] => Verdict::Undecided,
            _ => Verdict::Refuted,
        },
    }
}

/// y and w of the maps.
const MAP_RANGE: [f64; 2] = [1e-2, 1e2];

/// Targets of the slices over (E/y, w).
const SLICES: [f64; 2] = [1.0, 3.0];

/// The theorems that have certificates.
pub const CERTIFIED: [&str; 6] = ["T8", "T9", "T10", "T11", "T12", "T13"];

/// Certifies some of [`CERTIFIED`]. `progress` is called with the share that is done, never twice at once.
pub fn certify(settings: &Settings, theorems: &[&str], progress: &(dyn Fn(f64) + Sync)) -> Report {
    let wanted = |task: &&Task| theorems.contains(&task.theorem);
    let laws: Vec<&Task> = LAWS.iter().filter(wanted).collect();
    let beyond: Vec<&Task> = BEYOND.iter().filter(wanted).collect();
    let drawn = theorems.contains(&"T13");
    let count = (laws.len() + beyond.len() + usize::from(drawn)) as f64;
    let part = |number: usize| move |share: f64| progress((number as f64 + share) / count);
    let certificates = |tasks: &[&Task], first: usize| -> Vec<Certificate> {
        let numbered = tasks.iter().zip(first..);
        numbered.map(|(task, number)| certificate(task, settings, &part(number))).collect()
    };
    let maps = |number| if drawn { maps(settings, &part(number)) } else { Vec::new() };
    Report {
        settings: *settings,
        laws: certificates(&laws, 0),
        beyond: certificates(&beyond, laws.len()),
        maps: maps(laws.len() + beyond.len()),
    }
}

/// The maps of T13 alone: over (y, w) for every law, and slices over (E/y, w) for those that end.
pub fn maps(settings: &Settings, progress: &dyn Fn(f64)) -> Vec<Map> {
    let diagrams = Law::ALL.map(|law| (law, None));
    let slices = [Law::Distance, Law::Dot].into_iter().flat_map(|law| SLICES.map(|y| (law, Some(y))));
    let all: Vec<(Law, Option<f64>)> = diagrams.into_iter().chain(slices).collect();
    let one = |(number, &(law, target)): (usize, &(Law, Option<f64>))| {
        let step = |share: f64| progress((number as f64 + share) / all.len() as f64);
        match target {
            None => diagram(law, settings, &step),
            Some(y) => phase::slice(law, y, MAP_RANGE, settings.reach, settings.cells, &step),
        }
    };
    all.iter().enumerate().map(one).collect()
}

/// The map of T13 over (y, w) of one law alone.
pub fn diagram(law: Law, settings: &Settings, progress: &dyn Fn(f64)) -> Map {
    phase::diagram(law, MAP_RANGE, settings.cells, progress)
}

#[cfg(test)]
mod tests;
