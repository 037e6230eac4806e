//! O1–O3: what is measured, not proved. Problems are drawn, cases are counted, counter-examples are kept.

use super::draw::Draw;
use super::drawn::{Across, random_linear};
use super::entry::{Entry, Evidence, Kind, Observation};
use super::finding::{
    Curves, Finding, METRICS, NO_ANGLE, RTOL, Row, SECOND_LOOK, TURN, count_laws, failures,
    shapes_with_norm,
};
use super::instance::Instance;
use super::observed_loss;
use super::settings::Settings;
use taskhead::flow::Flow;
use taskhead::metric::Metric;
use taskhead::parallel::each;
use taskhead::reduction::Reduction;
use taskhead::simulation::{self, Probe, Run};
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::{Measured, Record};
use taskhead::tasks::{Gaussian, TaskSpec};
use taskhead::trend::{Claim, Shape};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "O1",
        name: "the trend on random problems",
        kind: Kind::Observation,
        statement: "For random inputs, backbones and heads with any N and k the five curves keep the shape of the rank-one \
                    laws.",
        formula: "distances and cosine distance rise with E; dot product and norm rise, then may fall",
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

impl Observation {
    /// Units of work for a given number of instances.
    pub fn problems(self, instances: usize) -> usize {
        match self {
            Self::Trend => instances,
            Self::BestProbing => ANGLES.len() * SCALES.len(),
            Self::HeadNorm | Self::HeadNormCrossEntropy => instances.div_ceil(10),
            Self::TrendCrossEntropy => instances.div_ceil(20),
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
        Observation::TrendCrossEntropy => observed_loss::trend(problems, settings.seed, done),
        Observation::HeadNormCrossEntropy => observed_loss::head_norm(problems, settings.seed, done),
    }
}

/// Energies on each curve of O1, from none to all that there is.
const ENERGIES: usize = 13;

/// Groups in which the problems of O1 are counted.
const GROUPS: [&str; 3] = ["E ≤ |Y|", "up to E > |Y|", "h < N"];

/// A random problem of O1 and its group.
fn random_problem(seed: u64, problem: usize) -> Result<(Instance, usize), String> {
    let mut draw = Draw::new(seed, (u64::from(b'O') << 40) + problem as u64);
    let seed = seed.wrapping_mul(1_000_003).wrapping_add(problem as u64);
    let instance = random_linear(&mut draw, seed)?;
    let (samples, width) = instance.features.shape();
    let start = (&instance.targets - &instance.features * &instance.head).norm();
    let group = match start <= instance.targets.norm() {
        _ if width < samples => 2,
        true => 0,
        false => 1,
    };
    Ok((instance, group))
}

/// The shapes of the five curves over energy; a contradiction counts only if it is seen at a far lower
/// tolerance as well.
fn shapes(instance: &Instance) -> Result<[Shape; METRICS], String> {
    let first = shapes_at(instance, RTOL)?;
    let agrees =
        |i: usize| first[i] == Shape::Flat || Claim::of_metric(Metric::ALL[i]).agrees(&first[i]);
    if (0..METRICS).all(agrees) { Ok(first) } else { shapes_at(instance, SECOND_LOOK) }
}

fn shapes_at(instance: &Instance, rtol: f64) -> Result<[Shape; METRICS], String> {
    let problem = instance.problem().map_err(|e| e.to_string())?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(|e| e.to_string())?;
    let energy = |tau: f64| run.path().energy(tau).map(|e| e.frobenius).map_err(|e| e.to_string());
    let (low, high) = (energy(f64::INFINITY)?, energy(0.0)?);
    let settings = simulation::Settings { rtol, ..simulation::Settings::default() };
    let (mut x, mut y) = (Vec::new(), [const { Vec::new() }; METRICS]);
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
    Ok(y.map(|curve| Shape::of(&x, &curve, TURN)))
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
        let group: Vec<Curves> = (0..)
            .zip(&all)
            .filter_map(|(i, r)| r.as_ref().ok().map(|r| (i, r)))
            .filter(|(_, r)| r.2 == number)
            .map(|(problem, (shapes, instance, _))| Curves { problem, shapes, instance })
            .collect();
        count_laws(&mut finding, name, &group);
    }
    finding
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

fn head_norm(problems: usize, seed: u64, done: &(dyn Fn() + Sync)) -> Finding {
    let all = each(problems, |i| {
        let result = Across::random(seed, i).and_then(|problem| {
            problem.shapes(|problem, head| {
                let reduction = Reduction::new(problem, head).map_err(|e| e.to_string())?;
                let flow = Flow::new(&reduction, head, 1.0).map_err(|e| e.to_string())?;
                let state = super::general::solve(&flow, f64::INFINITY)?;
                Ok(reduction.adaptation(&state).values())
            })
        });
        done();
        result
    });
    let rows = shapes_with_norm(&all);
    Finding { problems, failed: failures(&all), rows, counter_examples: Vec::new() }
}
