//! What a check is: cases that meet a theorem's hypotheses, cases that do not, and how they are judged.

pub use super::draw::{Draw, unit};
use super::instance::Instance;

/// One check of one theorem.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What is checked, in one sentence.
    pub claim: &'static str,
    /// How a score is judged.
    pub judge: Judge,
    /// Scores one case.
    pub trial: fn(Case) -> Scored,
    /// The cost of a random case in units of a cheap one: the number of cases is divided by it. 0: examples only.
    pub cost: usize,
    /// Edge cases, by name: they meet the hypotheses, barely.
    pub edges: &'static [&'static str],
    /// Cases that violate a hypothesis, by name: the check must fail on each, or it is blind.
    pub violations: &'static [&'static str],
}

/// The score of a case, or why there is none; having none counts as failing.
pub type Scored = Result<Trial, String>;

/// A case of a check: a random one, an edge case or a violation, with random numbers for the rest.
#[derive(Debug, Clone)]
pub struct Case {
    draw: Draw,
    edge: Option<usize>,
    violation: Option<usize>,
}

impl Case {
    /// A random case.
    pub fn random(draw: Draw) -> Self {
        Self { draw, edge: None, violation: None }
    }

    /// The edge case of this number.
    pub fn edge(number: usize) -> Self {
        Self { draw: Draw::new(0xED6E, number as u64), edge: Some(number), violation: None }
    }

    /// The violation of this number.
    pub fn violation(number: usize) -> Self {
        Self { draw: Draw::new(0xBAD, number as u64), edge: None, violation: Some(number) }
    }

    /// Its random numbers, and the numbers of edge case and violation.
    pub fn split(self) -> (Draw, Option<usize>, Option<usize>) {
        (self.draw, self.edge, self.violation)
    }
}

/// What a trial found.
#[derive(Debug, Clone)]
pub struct Trial {
    /// An error, a margin, a ratio or a slope, as the judge expects.
    pub score: f64,
    /// Standard error of a fitted slope.
    pub deviation: f64,
    /// The problem that was looked at.
    pub instance: Instance,
}

impl Trial {
    /// A trial with a score.
    pub fn new(score: f64, instance: Instance) -> Self {
        Self { score, deviation: 0.0, instance }
    }
}

/// How a score is judged.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Judge {
    /// An identity: the relative error is at most `tolerance`.
    Error {
        /// Largest relative error that counts as rounding.
        tolerance: f64,
    },
    /// A law: the margin, relative to the size of the curve, is above 0.
    Margin,
    /// A bound: the ratio of value to bound is at most 1. The largest ratio is its tightness.
    Ratio,
    /// An order of approximation: the fitted slope is within `within` of `expected`.
    Slope {
        /// The order.
        expected: f64,
        /// How far a fit over finite steps may be off.
        within: f64,
    },
}

impl Judge {
    /// Whether a score passes. NaN never does.
    pub fn passes(self, score: f64) -> bool {
        self.badness(score) <= 0.0
    }

    /// Grows with how bad a score is; above 0 it fails.
    pub fn badness(self, score: f64) -> f64 {
        let badness = match self {
            Self::Error { tolerance } => score - tolerance,
            // The smallest positive number passes, 0 does not.
            Self::Margin => f64::MIN_POSITIVE - score,
            Self::Ratio => score - 1.0,
            Self::Slope { expected, within } => (score - expected).abs() - within,
        };
        if badness.is_nan() { f64::INFINITY } else { badness }
    }

    /// What the worst score is called.
    pub fn worst_name(self) -> &'static str {
        match self {
            Self::Error { .. } => "worst error",
            Self::Margin => "smallest margin",
            Self::Ratio => "largest ratio to the bound",
            Self::Slope { .. } => "worst slope",
        }
    }
}

/// The least-squares slope of log y over log x and its standard error.
pub fn fit_slope(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / n;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = logs.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let slope = logs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / sxx;
    let rest: f64 = logs.iter().map(|p| (p.1 - my - slope * (p.0 - mx)).powi(2)).sum();
    (slope, (rest / (n - 2.0) / sxx).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_fail_what_they_should() {
        let slope = Judge::Slope { expected: 2.0, within: 0.1 };
        for (judge, good, bad) in [
            (Judge::Error { tolerance: 1e-10 }, 1e-10, 1.1e-10),
            (Judge::Margin, 1e-300, 0.0),
            (Judge::Ratio, 1.0, 1.001),
            (slope, 1.95, 1.8),
            (slope, 2.05, 2.2),
        ] {
            assert!(judge.passes(good) && !judge.passes(bad), "{judge:?}");
            assert!(!judge.passes(f64::NAN), "{judge:?}");
        }
    }

    #[test]
    fn slopes_of_powers_are_exact() {
        let points: Vec<_> = [1.0, 0.5, 0.25, 0.1].map(|x: f64| (x, 3.0 * x.powi(2))).to_vec();
        let (slope, error) = fit_slope(&points);
        assert!((slope - 2.0).abs() < 1e-12 && error < 1e-12);
    }
}
