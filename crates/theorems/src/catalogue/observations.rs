//! O1–O3: what is measured, not proved. Problems are drawn, cases are counted, counter-examples are kept.

use serde::Serialize;

use super::check::{Draw, unit};
pub use super::entry::Observation;
use super::entry::{Entry, Evidence, Kind};
use super::instance::Instance;
use super::settings::Settings;
use taskhead::flow::Flow;
use taskhead::metric::Metric;
use taskhead::parallel::each;
use taskhead::simulation::{self, Probe, Run};
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::{Measured, Record};
use taskhead::tasks::{Gaussian, Task, TaskSpec};
use taskhead::trend::{Claim, Shape};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "O1",
        name: "the trend on random problems",
        kind: Kind::Observation,
        statement: "For random inputs, backbones and heads with any N and k the four curves keep the shape of the rank-one \
                    laws.",
        formula: "distance and cosine distance rise with E; dot product and norm rise, then may fall",
        hypotheses: &[
            "h ≥ N: the head alone can fit the targets (h < N is counted apart)",
            "E ≤ |Y|: no more energy than a zero head leaves (more is counted apart: T13)",
        ],
        source: "Ren, Guo, Bae, Sutherland, ICLR 2023",
        proofs: &[],
        figure: Some("trend"),
        evidence: Evidence::Count(Observation::Trend),
    },
    Entry {
        id: "O2",
        name: "a best probing time",
        kind: Kind::Observation,
        statement: "Downstream risk has its optimum inside, between no probing and probing to convergence, when the features \
                    contain the target only in part.",
        formula: "risk(τ*) < 0.99 min(risk(0), risk(∞)), teacher at angle φ to the row space of B₀",
        hypotheses: &["N = 30, d = 60, h = 8, k = 1, orthonormal B₀"],
        source: "Ren, Guo, Bae, Sutherland, ICLR 2023; Kumar et al., ICLR 2022",
        proofs: &[],
        figure: Some("risk"),
        evidence: Evidence::Count(Observation::BestProbing),
    },
    Entry {
        id: "O3",
        name: "head norm beside energy",
        kind: Kind::Observation,
        statement: "At the same energy, a head with a larger part orthogonal to the features moves them differently.",
        formula: "V₀ + s W with Z₀W = 0 and s from 0 to 4 leaves E unchanged",
        hypotheses: &["h > N"],
        source: "Tomihari and Sato, NeurIPS 2024",
        proofs: &[],
        figure: Some("heatmap"),
        evidence: Evidence::Count(Observation::HeadNorm),
    },
];

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
    fn new(what: impl Into<String>, seen: usize, of: usize, note: String) -> Self {
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

impl Observation {
    /// Units of work for a number of instances.
    pub fn problems(self, instances: usize) -> usize {
        match self {
            Self::Trend => instances,
            Self::BestProbing => ANGLES.len() * SCALES.len(),
            Self::HeadNorm => instances.div_ceil(10),
        }
    }
}

/// Makes an observation; `done` is called after each problem.
pub fn run(observation: &Observation, settings: &Settings, done: &(dyn Fn() + Sync)) -> Finding {
    let problems = observation.problems(settings.instances);
    match observation {
        Observation::Trend => trend(problems, settings.seed, done),
        Observation::BestProbing => best_probing(settings, done),
        Observation::HeadNorm => head_norm(problems, settings.seed, done),
    }
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

/// Solver tolerance of the curves, that of a second look at a curve that contradicts a law, and the
/// change relative to its range below which a curve does not turn.
const RTOL: f64 = 1e-7;
const SECOND_LOOK: f64 = 1e-11;
const TURN: f64 = 1e-5;

/// A cosine distance below this is rounding: in width 1 there are no others.
const NO_ANGLE: f64 = 1e-12;

/// Energies on each curve of O1, from none to all that there is.
const ENERGIES: usize = 13;

/// Laws of O1 in the order of the metrics.
const LAWS: [&str; 4] = [
    "distance rises",
    "cosine distance rises",
    "dot product rises, then may fall",
    "norm rises, then may fall",
];

/// Groups in which the problems of O1 are counted.
const GROUPS: [&str; 3] = ["E ≤ |Y|", "up to E > |Y|", "h < N"];

/// A random problem of O1 and its group.
fn random_problem(seed: u64, problem: usize) -> Result<(Instance, usize), String> {
    let mut draw = Draw::new(seed, (u64::from(b'O') << 40) + problem as u64);
    let samples = draw.integer(1, 8);
    // One problem in five has fewer features than samples.
    let narrow = samples > 1 && draw.integer(0, 4) == 0;
    let width = if narrow { draw.integer(1, samples - 1) } else { draw.integer(samples, 4 * samples) };
    let spec = Gaussian {
        samples,
        inputs: draw.integer(samples, 3 * samples),
        width,
        outputs: draw.integer(1, 4),
        input_decay: draw.uniform(0.0, 1.0),
        backbone_decay: draw.uniform(0.0, 1.0),
        ..Gaussian::default()
    };
    let scale = draw.log_uniform(0.1, 3.0);
    let seed = seed.wrapping_mul(1_000_003).wrapping_add(problem as u64);
    let task = Task::new(&TaskSpec::Gaussian(spec), seed).map_err(|e| e.to_string())?;
    let head = task.initial_head(seed, scale);
    let p = &task.problem;
    let inputs = &task.linear.as_ref().expect("a Gaussian task has inputs").inputs;
    let kernel = inputs * inputs.transpose();
    let group = match p.residual(&head).norm() <= p.targets().norm() {
        _ if narrow => 2,
        true => 0,
        false => 1,
    };
    Ok((Instance::new(p.features().clone(), kernel, p.targets().clone(), head), group))
}

/// The shapes of the four curves over energy; a contradiction counts only if it is seen at a far lower
/// tolerance as well.
fn shapes(instance: &Instance) -> Result<[Shape; 4], String> {
    let first = shapes_at(instance, RTOL)?;
    let agrees =
        |i: usize| first[i] == Shape::Flat || Claim::of_metric(Metric::ALL[i]).agrees(&first[i]);
    if (0..4).all(agrees) { Ok(first) } else { shapes_at(instance, SECOND_LOOK) }
}

fn shapes_at(instance: &Instance, rtol: f64) -> Result<[Shape; 4], String> {
    let problem = instance.problem().map_err(|e| e.to_string())?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(|e| e.to_string())?;
    let energy = |tau: f64| run.path().energy(tau).map(|e| e.frobenius).map_err(|e| e.to_string());
    let (low, high) = (energy(f64::INFINITY)?, energy(0.0)?);
    let settings = simulation::Settings { rtol, ..simulation::Settings::default() };
    let (mut x, mut y) = (Vec::new(), [const { Vec::new() }; 4]);
    for i in 0..ENERGIES {
        let share = i as f64 / (ENERGIES - 1) as f64;
        let probe = match i {
            0 => Probe::Time(f64::INFINITY),
            _ if i + 1 == ENERGIES => Probe::Time(0.0),
            _ => Probe::Frobenius(low + (high - low) * share),
        };
        let result =
            run.finetune(probe, &[f64::INFINITY], &settings).map_err(|e| e.to_string())?.remove(0);
        if let Some(reason) = result.stop.reason() {
            return Err(reason);
        }
        x.push(share);
        y.iter_mut().zip(result.adaptation.values()).for_each(|(curve, value)| curve.push(value));
    }
    y[1].iter_mut().filter(|cosine| cosine.abs() < NO_ANGLE).for_each(|cosine| *cosine = 0.0);
    Ok([0, 1, 2, 3].map(|metric| Shape::of(&x, &y[metric], TURN)))
}

fn trend(problems: usize, seed: u64, done: &(dyn Fn() + Sync)) -> Finding {
    let all = each(problems, |i| {
        let result = random_problem(seed, i)
            .and_then(|(instance, group)| Ok((shapes(&instance)?, instance, group)));
        done();
        result
    });
    let mut finding =
        Finding { problems, failed: failures(&all), rows: Vec::new(), counter_examples: Vec::new() };
    for (number, name) in GROUPS.into_iter().enumerate() {
        let group: Vec<_> = (0..)
            .zip(&all)
            .filter_map(|(i, r)| r.as_ref().ok().map(|r| (i, r)))
            .filter(|(_, r)| r.2 == number)
            .collect();
        for (metric, law) in LAWS.into_iter().enumerate() {
            let what = format!("{law} ({name})");
            // A curve that does not move at all says nothing (a cosine distance in width 1).
            let moving: Vec<_> = group.iter().filter(|(_, r)| r.0[metric] != Shape::Flat).collect();
            let claim = Claim::of_metric(Metric::ALL[metric]);
            let seen = moving.iter().filter(|(_, r)| claim.agrees(&r.0[metric])).count();
            let turns = moving
                .iter()
                .filter(|(_, r)| matches!(r.0[metric], Shape::RisingThenFalling { .. }))
                .count();
            let note =
                if metric >= 2 { format!("{turns} of them fall in the end") } else { String::new() };
            finding.rows.push(Row::new(&what, seen, moving.len(), note));
            let against = moving.iter().filter(|(_, r)| !claim.agrees(&r.0[metric])).take(KEPT);
            finding.counter_examples.extend(against.map(|(i, r)| CounterExample {
                what: what.clone(),
                problem: *i,
                instead: r.0[metric].describe(),
                instance: r.1.clone(),
            }));
        }
    }
    finding
}

fn failures<T>(all: &[Result<T, String>]) -> Option<(usize, String)> {
    let mut errors = all.iter().filter_map(|r| r.as_ref().err());
    let first = errors.next()?.clone();
    Some((1 + errors.count(), first))
}

/// Angles between teacher and features, and head scales of O2.
const ANGLES: [f64; 6] = [0.0, 0.3, 0.6, 0.9, 1.2, 1.5];
const SCALES: [f64; 4] = [0.1, 0.5, 1.0, 2.0];

/// How much better the inside has to be than both ends.
const BETTER: f64 = 0.99;

fn best_probing(settings: &Settings, done: &(dyn Fn() + Sync)) -> Finding {
    let seeds = settings.instances.div_ceil(400) as u64;
    let mut times = vec![0.0];
    times.extend((0..14).map(|i| 1e-3 * 10f64.powf(f64::from(i) * 0.25)));
    times.push(f64::INFINITY);
    let mut finding =
        Finding { problems: 0, failed: None, rows: Vec::new(), counter_examples: Vec::new() };
    for angle in ANGLES {
        for scale in SCALES {
            let mut config = Config::new(TaskSpec::Gaussian(Gaussian::teacher(angle)));
            config.rtol = RTOL;
            config.heads.first_seed = settings.seed;
            config.heads.seeds = seeds;
            config.heads.scales = vec![scale];
            config.probe.times = Some(times.clone());
            let records = Plan::new(config).expect("a valid sweep").records();
            done();
            let reached = |curve: &[Record]| -> Option<Vec<Measured>> {
                curve.iter().map(|r| r.reached().cloned()).collect()
            };
            let curves: Vec<Vec<Measured>> = records.chunks(times.len()).filter_map(reached).collect();
            if curves.len() < seeds as usize {
                let reason = records.iter().find_map(Record::reason);
                let (before, _) = finding.failed.take().unwrap_or_default();
                finding.failed =
                    Some((before + seeds as usize - curves.len(), reason.unwrap_or_default()));
            }
            finding.problems += seeds as usize;
            finding.rows.push(best_row(angle, scale, &curves));
        }
    }
    finding
}

fn best_row(angle: f64, scale: f64, curves: &[Vec<Measured>]) -> Row {
    let risk = |m: &Measured| m.risk.map_or(f64::NAN, |risk| risk.end);
    let mut best: Vec<f64> = Vec::new();
    let (mut inside, mut shares) = (0, Vec::new());
    for curve in curves {
        let least = curve.iter().min_by(|a, b| risk(a).total_cmp(&risk(b))).expect("a curve has points");
        let ends = risk(&curve[0]).min(risk(&curve[curve.len() - 1]));
        inside += usize::from(risk(least) < BETTER * ends);
        best.push(least.probe_time);
        shares.push(least.energies.frobenius / curve[0].energies.frobenius);
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let note =
        format!("best τ {:.3}, energy left {:.2} (medians)", median(&mut best), median(&mut shares));
    Row::new(format!("φ = {angle} rad, head of size {scale}: best inside"), inside, curves.len(), note)
}

/// Sizes of the head's part orthogonal to the features, O3.
const ACROSS: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0];

fn head_norm(problems: usize, seed: u64, done: &(dyn Fn() + Sync)) -> Finding {
    let all = each(problems, |i| {
        let result = across(seed, i);
        done();
        result
    });
    let good: Vec<&[Shape; 4]> = all.iter().filter_map(|r| r.as_ref().ok()).collect();
    let mut rows = Vec::new();
    for (metric, name) in ["distance", "cosine distance", "dot product", "norm"].into_iter().enumerate()
    {
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
    Finding { problems, failed: failures(&all), rows, counter_examples: Vec::new() }
}

/// The shapes of the metrics over the size of the head's orthogonal part, at one energy.
fn across(seed: u64, problem: usize) -> Result<[Shape; 4], String> {
    let mut draw = Draw::new(seed, (u64::from(b'O') << 41) + problem as u64);
    let samples = draw.integer(1, 6);
    let spec = Gaussian {
        samples,
        inputs: 3 * samples,
        width: samples + draw.integer(1, 8),
        outputs: draw.integer(1, 3),
        ..Gaussian::default()
    };
    let task = Task::new(&TaskSpec::Gaussian(spec), draw.integer(0, usize::MAX >> 1) as u64)
        .map_err(|e| e.to_string())?;
    let z = task.problem.features();
    let (h, k) = (task.problem.width(), task.problem.outputs());
    let basis = nalgebra::QR::new(z.transpose()).q();
    let raw = draw.normal(h, k, 1.0);
    let orthogonal = (&raw - &basis * (basis.transpose() * &raw)).normalize();
    let head = draw.normal(h, k, unit(h));
    let head = &basis * (basis.transpose() * head);
    let mut values = [const { Vec::new() }; 4];
    for size in ACROSS {
        let head = &head + &orthogonal * size;
        let reduction =
            taskhead::reduction::Reduction::new(&task.problem, &head).map_err(|e| e.to_string())?;
        let flow = Flow::new(&reduction, &head, 1.0).map_err(|e| e.to_string())?;
        let state = super::general::solve(&flow, f64::INFINITY)?;
        let adaptation = reduction.adaptation(&state).values();
        values.iter_mut().zip(adaptation).for_each(|(curve, value)| curve.push(value));
    }
    Ok([0, 1, 2, 3].map(|metric| Shape::of(&ACROSS, &values[metric], TURN)))
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
