//! Running the catalogue's checks.

use serde::Serialize;

use super::check::{Case, Check, Draw, Judge, Scored, Trial};
use super::entry::{Entry, Evidence, Kind};
use super::finding::Finding;
use super::instance::Instance;
use super::observations;
pub use super::settings::Settings;
use taskhead::parallel::each;

/// What came out for one entry.
#[derive(Debug, Clone)]
pub struct Report {
    /// The entry.
    pub entry: &'static Entry,
    /// One result per check.
    pub checks: Vec<CheckReport>,
    /// What an observation counted.
    pub finding: Option<Finding>,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every case passed, and every violation was seen.
    Holds,
    /// The same for a conjecture: nothing tried violates it, which proves nothing.
    Unviolated,
    /// A case that meets the hypotheses failed.
    Refuted,
    /// Every case passed, but so did one that violates a hypothesis: the check is blind.
    Blind,
    /// Counted.
    Observed,
}

/// What came out for one check.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The check.
    pub check: &'static Check,
    /// Random and edge cases tried.
    pub cases: usize,
    /// How many of them failed.
    pub failed: usize,
    /// The worst of them.
    pub worst: Option<Worst>,
    /// Mean slope and its standard error over the cases, where slopes are fitted.
    pub slope: Option<(f64, f64)>,
    /// Why a case has no score, if one has none.
    pub error: Option<String>,
    /// Violations that the check did not notice.
    pub unseen: Vec<&'static str>,
    /// What was found on each violation, in their order; none where there is no score.
    pub violating: Vec<Option<Trial>>,
}

/// The case that came closest to failing, or failed most.
#[derive(Debug, Clone)]
pub struct Worst {
    /// Its name: "random 17" or that of the edge case.
    pub name: String,
    /// What was found.
    pub trial: Trial,
}

impl CheckReport {
    /// The verdict on this check.
    pub fn verdict(&self) -> Verdict {
        if self.failed > 0 {
            Verdict::Refuted
        } else if !self.unseen.is_empty() {
            Verdict::Blind
        } else {
            Verdict::Holds
        }
    }
}

impl Report {
    /// The verdict on the entry: that of its worst check.
    pub fn verdict(&self) -> Verdict {
        if self.finding.is_some() {
            return Verdict::Observed;
        }
        let verdicts: Vec<Verdict> = self.checks.iter().map(CheckReport::verdict).collect();
        [Verdict::Refuted, Verdict::Blind].into_iter().find(|v| verdicts.contains(v)).unwrap_or(
            if self.entry.kind == Kind::Conjecture { Verdict::Unviolated } else { Verdict::Holds },
        )
    }

    /// The problems that it leaves to replay, by their names: `T1-2` is the worst case of the second check,
    /// `T1-2-violation-3` its third violated hypothesis, `O1-counter-4` the fourth counter-example.
    pub fn problems(&self) -> Vec<(String, &Instance)> {
        let id = self.entry.id;
        let worst = (1..).zip(&self.checks).filter_map(|(i, check)| {
            check.worst.as_ref().map(|worst| (worst_name(id, i), &worst.trial.instance))
        });
        let violating = (1..).zip(&self.checks).flat_map(|(i, check)| {
            let trials = (1..).zip(&check.violating);
            trials.filter_map(move |(j, trial)| {
                Some((format!("{id}-{i}-violation-{j}"), &trial.as_ref()?.instance))
            })
        });
        let counter = self.finding.iter().flat_map(|finding| &finding.counter_examples);
        let counter = (1..).zip(counter).map(|(i, c)| (counter_name(id, i), &c.instance));
        worst.chain(violating).chain(counter).collect()
    }
}

/// The name of the worst case of check i, from 1.
pub fn worst_name(id: &str, i: usize) -> String {
    format!("{id}-{i}")
}

/// The name of counter-example i, from 1.
pub fn counter_name(id: &str, i: usize) -> String {
    format!("{id}-counter-{i}")
}

/// The units of work of an entry: what `done` is called for.
pub fn work(entry: &Entry, settings: &Settings) -> usize {
    match &entry.evidence {
        Evidence::Checks(checks) => checks.iter().map(|c| cases(c, settings) + c.violations.len()).sum(),
        Evidence::Count(observation) => observation.problems(settings.instances),
    }
}

fn cases(check: &Check, settings: &Settings) -> usize {
    random_cases(check, settings) + check.edges.len()
}

fn random_cases(check: &Check, settings: &Settings) -> usize {
    if check.cost == 0 { 0 } else { settings.instances.div_ceil(check.cost) }
}

/// Verifies one entry; `done` is called after each case. The result does not depend on threads.
pub fn verify(entry: &'static Entry, settings: &Settings, done: &(dyn Fn() + Sync)) -> Report {
    match &entry.evidence {
        Evidence::Checks(checks) => {
            let checks = (0..).zip(*checks).map(|(i, check)| {
                let stream = stream_of(entry.id, i);
                run_check(check, settings, stream, done)
            });
            Report { entry, checks: checks.collect(), finding: None }
        }
        Evidence::Count(observation) => {
            let finding = observations::run(observation, settings, done);
            Report { entry, checks: Vec::new(), finding: Some(finding) }
        }
    }
}

/// The first random stream of a check: room for 2³² cases each.
fn stream_of(id: &str, check: u64) -> u64 {
    let name = id.bytes().fold(0_u64, |sum, b| sum * 64 + u64::from(b - b'0'));
    (name * 16 + check) << 32
}

fn run_check(
    check: &'static Check,
    settings: &Settings,
    stream: u64,
    done: &(dyn Fn() + Sync),
) -> CheckReport {
    let random = random_cases(check, settings);
    let total = random + check.edges.len();
    let run = |i: usize| {
        let case = match i.checked_sub(random) {
            None => Case::random(Draw::new(settings.seed, stream + i as u64)),
            Some(edge) => Case::edge(edge),
        };
        let scored = (check.trial)(case);
        done();
        scored
    };
    let name = |i: usize| match i.checked_sub(random) {
        None => format!("random {i}"),
        Some(edge) => check.edges[edge].to_owned(),
    };
    let fails = |scored: &Scored| scored.as_ref().map_or(true, |t| !check.judge.passes(t.score));
    let badness = |trial: &Trial| check.judge.badness(trial.score);
    let (mut failed, mut error, mut scores) = (0, None, Vec::new());
    let mut worst: Option<(usize, Trial)> = None;
    // Of millions of cases only the worst one has to be kept.
    for first in (0..total).step_by(AT_ONCE) {
        let scored = each(AT_ONCE.min(total - first), |i| run(first + i));
        for (i, scored) in (first..).zip(scored) {
            failed += usize::from(fails(&scored));
            match scored {
                Err(reason) => error = error.or_else(|| Some(format!("{}: {reason}", name(i)))),
                Ok(trial) => {
                    scores.push(trial.score);
                    if worst.as_ref().is_none_or(|(_, other)| badness(&trial) > badness(other)) {
                        worst = Some((i, trial));
                    }
                }
            }
        }
    }
    let slope = matches!(check.judge, Judge::Slope { .. }).then(|| mean_slope(&scores));
    let worst = worst.map(|(i, trial)| Worst { name: name(i), trial });
    let (mut unseen, mut violating) = (Vec::new(), Vec::new());
    for (i, name) in check.violations.iter().enumerate() {
        let scored = (check.trial)(Case::violation(i));
        done();
        if !fails(&scored) {
            unseen.push(*name);
        }
        violating.push(scored.ok());
    }
    CheckReport { check, cases: total, failed, worst, slope, error, unseen, violating }
}

/// Cases whose trials are in memory at once.
const AT_ONCE: usize = 10_000;

fn mean_slope(slopes: &[f64]) -> (f64, f64) {
    let n = slopes.len() as f64;
    let mean = slopes.iter().sum::<f64>() / n;
    let variance = slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}
