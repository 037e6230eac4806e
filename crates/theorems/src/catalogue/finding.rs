//! What an observation counts: shapes of curves, with confidence intervals and counter-examples.

use serde::Serialize;

use super::instance::Instance;
use taskhead::metric::Metric;
use taskhead::trend::{Claim, Shape};

/// What was counted.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Problems looked at.
    pub problems: usize,
    /// Problems without a result, and the first reason.
    pub failed: Option<(usize, String)>,
    /// The counts.
    pub rows: Vec<Row>,
    /// The first few problems on which a row was not seen.
    #[serde(skip)]
    pub counter_examples: Vec<CounterExample>,
}

/// One count.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What is counted.
    pub what: String,
    /// How often it was seen.
    pub seen: usize,
    /// Out of how many.
    pub of: usize,
    /// 95 % confidence interval of the share (Wilson).
    pub interval: [f64; 2],
    /// What else there is to say.
    pub note: String,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, seen: usize, of: usize, note: String) -> Self {
        Self { what: what.into(), seen, of, interval: wilson(seen, of), note }
    }
}

/// A problem on which something was not seen.
#[derive(Debug, Clone)]
pub struct CounterExample {
    /// What was not seen.
    pub what: String,
    /// Number of the problem.
    pub problem: usize,
    /// What the curve did instead.
    pub instead: String,
    /// The problem, at no probing.
    pub instance: Instance,
}

/// Counter-examples kept for each row.
const KEPT: usize = 3;

/// Solver tolerance of the curves, that of a second look at a curve that contradicts a law, and the
/// change relative to its range below which a curve does not turn.
pub(super) const RTOL: f64 = 1e-7;
pub(super) const SECOND_LOOK: f64 = 1e-11;
pub(super) const TURN: f64 = 1e-5;

/// A cosine distance below this is rounding: in width 1 there are no others.
pub(super) const NO_ANGLE: f64 = 1e-12;

/// How many metrics are looked at: all of them.
pub(super) const METRICS: usize = Metric::ALL.len();

/// The laws in the order of the metrics.
const LAWS: [&str; METRICS] = [
    "distance rises",
    "cosine distance rises",
    "dot product rises, then may fall",
    "norm rises, then may fall",
    "Frobenius distance rises",
];

/// The shapes of the curves of one problem, one for each metric.
pub(super) struct Curves<'a> {
    /// Its number.
    pub problem: usize,
    pub shapes: &'a [Shape; METRICS],
    pub instance: &'a Instance,
}

/// Counts on how many problems of a group each law was seen, and keeps a few on which it was not.
pub(super) fn count_laws(finding: &mut Finding, group: &str, curves: &[Curves]) {
    for (metric, law) in LAWS.into_iter().enumerate() {
        let what = format!("{law} ({group})");
        // A curve that does not move at all says nothing (a cosine distance in width 1).
        let moving = || curves.iter().filter(|c| c.shapes[metric] != Shape::Flat);
        let claim = Claim::of_metric(Metric::ALL[metric]);
        let seen = moving().filter(|c| claim.agrees(&c.shapes[metric])).count();
        let turns =
            moving().filter(|c| matches!(c.shapes[metric], Shape::RisingThenFalling { .. })).count();
        let note = match claim {
            Claim::RisesThenMayFall => format!("{turns} of them fall in the end"),
            Claim::Rises => String::new(),
        };
        finding.rows.push(Row::new(&what, seen, moving().count(), note));
        let against = moving().filter(|c| !claim.agrees(&c.shapes[metric])).take(KEPT);
        finding.counter_examples.extend(against.map(|c| CounterExample {
            what: what.clone(),
            problem: c.problem,
            instead: c.shapes[metric].describe(),
            instance: c.instance.clone(),
        }));
    }
}

pub(super) fn failures<T>(all: &[Result<T, String>]) -> Option<(usize, String)> {
    let mut errors = all.iter().filter_map(|r| r.as_ref().err());
    let first = errors.next()?.clone();
    Some((1 + errors.count(), first))
}

/// How many curves over the head norm fall, rise and turn.
pub(super) fn shapes_with_norm(all: &[Result<[Shape; METRICS], String>]) -> Vec<Row> {
    let good: Vec<&[Shape; METRICS]> = all.iter().filter_map(|r| r.as_ref().ok()).collect();
    let mut rows = Vec::new();
    let names = ["distance", "cosine distance", "dot product", "norm", "Frobenius distance"];
    for (metric, name) in names.into_iter().enumerate() {
        let count = |want: fn(&Shape) -> bool| good.iter().filter(|s| want(&s[metric])).count();
        for (what, seen) in [
            ("falls", count(|s| matches!(s, Shape::Falling))),
            ("rises, then falls", count(|s| matches!(s, Shape::RisingThenFalling { .. }))),
            ("rises", count(|s| matches!(s, Shape::Rising))),
        ] {
            rows.push(Row::new(
                format!("{name} {what} with head norm"),
                seen,
                good.len(),
                String::new(),
            ));
        }
    }
    rows
}

/// The 95 % confidence interval of a share (Wilson 1927).
pub fn wilson(seen: usize, of: usize) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (z, n) = (1.959964, of as f64);
    let p = seen as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    [((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the Wilson interval from its definition, to four digits.
    #[test]
    fn confidence_intervals() {
        let [low, high] = wilson(10, 20);
        assert!((low - 0.2993).abs() < 1e-4 && (high - 0.7007).abs() < 1e-4);
        assert_eq!(wilson(0, 20)[0], 0.0);
        assert!((wilson(20, 20)[0] - 0.8389).abs() < 1e-4);
    }
}
