//! O4 and O5: the trend and the head norm under cross-entropy, where finetuning has no end (T25): runs are compared at
//! an equal training loss, at an equal time, or where all training samples are right.

use nalgebra::DMatrix;

use super::draw::Draw;
use super::drawn::{Across, random_linear};
use super::entry::{Entry, Evidence, Kind, Observation};
use super::finding::{
    Curves, Finding, METRICS, NO_ANGLE, RTOL, Row, SECOND_LOOK, TURN, count_laws, failures,
    shapes_with_norm,
};
use super::instance::Instance;
use taskhead::loss::Loss;
use taskhead::metric::Metric;
use taskhead::parallel::each;
use taskhead::probing::ProbingError;
use taskhead::simulation::{Probe, Run, Settings, Until};
use taskhead::trend::{Claim, Shape};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "O4",
        name: "the trend under cross-entropy",
        kind: Kind::Observation,
        statement: "For random classifiers the five curves keep the shape of the rank-one laws if runs are compared at an equal \
                    training loss, at an equal time, or where every training sample is right.",
        formula: "distance and cosine distance rise with E = ‖Y − p‖; dot product and norm rise, then may fall",
        hypotheses: &[
            "hard labels, one to four outputs, a kernel of full rank",
            "h ≥ N: the features separate the samples (h < N is counted apart)",
        ],
        source: "this project, after Ren, Guo, Bae, Sutherland, ICLR 2023",
        proofs: &[],
        figure: None,
        evidence: Evidence::Count(Observation::TrendCrossEntropy),
    },
    Entry {
        id: "O5",
        name: "head norm under cross-entropy",
        kind: Kind::Observation,
        statement: "Along probing the norm of the head grows while the energy falls; and at the same energy a head with a larger part \
                    orthogonal to the features moves them differently.",
        formula: "‖V(τ)‖ against E(τ); V₀ + s W with Z₀W = 0 and s from 0 to 4 leaves E unchanged",
        hypotheses: &["h > N", "finetuning down to a training loss of 0.01"],
        source: "Tomihari and Sato, NeurIPS 2024",
        proofs: &[],
        figure: None,
        evidence: Evidence::Count(Observation::HeadNormCrossEntropy),
    },
];

/// Energies on each curve: equal steps up to no probing. Full probing has no end where the features separate the
/// samples.
const ENERGIES: usize = 12;

/// The training loss at which runs are compared, on average over the samples.
const LEVEL: f64 = 0.01;

/// The time at which runs are compared.
const TIME: f64 = 10.0;

/// Where runs are compared, and until when they are followed.
const ENDS: [(&str, Until, f64); 3] = [
    ("training loss 0.01", Until::Loss(LEVEL), f64::INFINITY),
    ("time 10", Until::Time, TIME),
    ("all training samples right", Until::Accuracy(1.0), f64::INFINITY),
];

/// Random hard labels for `samples` samples; a single output has the labels 0 and 1.
fn hard_labels(draw: &mut Draw, samples: usize, outputs: usize) -> DMatrix<f64> {
    let mut targets = DMatrix::zeros(samples, outputs);
    for n in 0..samples {
        match outputs {
            1 => targets[(n, 0)] = draw.integer(0, 1) as f64,
            _ => targets[(n, draw.integer(0, outputs - 1))] = 1.0,
        }
    }
    targets
}

/// A random classifier of one of many shapes.
fn random_classifier(seed: u64, problem: usize) -> Result<Instance, String> {
    let mut draw = Draw::new(seed, (u64::from(b'O') << 42) + problem as u64);
    let seed = seed.wrapping_mul(1_000_003).wrapping_add(problem as u64);
    let instance = random_linear(&mut draw, seed)?;
    let (samples, outputs) = instance.targets.shape();
    let targets = hard_labels(&mut draw, samples, outputs);
    Ok(Instance { targets, loss: Loss::CrossEntropy, ..instance })
}

/// The shapes of the five curves over energy at each of the ends; a contradiction counts only if it is seen at a far
/// lower tolerance as well.
fn shapes(instance: &Instance) -> Result<[[Shape; METRICS]; 3], String> {
    let problem = instance.problem().map_err(|e| e.to_string())?;
    let run = Run::with_loss(&problem, &instance.head, 0.0, instance.loss).map_err(|e| e.to_string())?;
    let energy = |tau: f64| run.path().energy(tau).map(|e| e.frobenius);
    let high = energy(0.0).map_err(|e| e.to_string())?;
    let low = match energy(f64::INFINITY) {
        Ok(low) => low,
        Err(ProbingError::NoLimit { .. }) => 0.0,
        Err(error) => return Err(error.to_string()),
    };
    let mut probes = Vec::new();
    for i in 1..ENERGIES {
        let wanted = low + (high - low) * i as f64 / ENERGIES as f64;
        probes.push(run.probe_time(Probe::Frobenius(wanted)).map_err(|e| e.to_string())?);
    }
    probes.push(0.0);
    let mut all = [[Shape::Flat; METRICS]; 3];
    for (shapes, end) in all.iter_mut().zip(ENDS) {
        let first = shapes_at(&run, &probes, end, RTOL)?;
        let agrees =
            |i: usize| first[i] == Shape::Flat || Claim::of_metric(Metric::ALL[i]).agrees(&first[i]);
        *shapes =
            if (0..METRICS).all(agrees) { first } else { shapes_at(&run, &probes, end, SECOND_LOOK)? };
    }
    Ok(all)
}

fn shapes_at(
    run: &Run,
    probes: &[f64],
    (_, until, time): (&str, Until, f64),
    rtol: f64,
) -> Result<[Shape; METRICS], String> {
    let settings = Settings { rtol, until, ..Settings::default() };
    let mut curves = [const { Vec::new() }; METRICS];
    for &tau in probes {
        let result =
            run.finetune(Probe::Time(tau), &[time], &settings).map_err(|e| e.to_string())?.remove(0);
        if let Some(reason) = result.stop.reason() {
            return Err(reason);
        }
        curves.iter_mut().zip(result.adaptation.values()).for_each(|(curve, value)| curve.push(value));
    }
    curves[1].iter_mut().filter(|cosine| cosine.abs() < NO_ANGLE).for_each(|cosine| *cosine = 0.0);
    let shares: Vec<f64> = (1..=probes.len()).map(|i| i as f64 / probes.len() as f64).collect();
    Ok(curves.map(|curve| Shape::of(&shares, &curve, TURN)))
}

pub(super) fn trend(problems: usize, seed: u64, done: &(dyn Fn() + Sync)) -> Finding {
    let all = each(problems, |i| {
        let result = random_classifier(seed, i).and_then(|instance| {
            let shapes = shapes(&instance)?;
            let ends = ENDS.map(|(_, until, time)| Instance { until, time, ..instance.clone() });
            Ok((shapes, ends))
        });
        done();
        result
    });
    let mut finding =
        Finding { problems, failed: failures(&all), rows: Vec::new(), counter_examples: Vec::new() };
    for (end, (name, ..)) in ENDS.into_iter().enumerate() {
        for narrow in [false, true] {
            let group: Vec<Curves> = (0..)
                .zip(&all)
                .filter_map(|(problem, r)| r.as_ref().ok().map(|r| (problem, r)))
                .map(|(problem, (shapes, ends))| Curves {
                    problem,
                    shapes: &shapes[end],
                    instance: &ends[end],
                })
                .filter(|c| (c.instance.features.ncols() < c.instance.features.nrows()) == narrow)
                .collect();
            let width = if narrow { "h < N" } else { "h ≥ N" };
            count_laws(&mut finding, &format!("{name}, {width}"), &group);
        }
    }
    finding
}

pub(super) fn head_norm(problems: usize, seed: u64, done: &(dyn Fn() + Sync)) -> Finding {
    let along = each(problems, |i| norm_along_probing(seed, i));
    let across = each(problems, |i| {
        let result = norm_across(seed, i);
        done();
        result
    });
    let mut rows = Vec::new();
    for (small, name) in [(true, "below"), (false, "above")] {
        let good = || along.iter().filter_map(|r| r.as_ref().ok()).filter(|r| r.1 == small);
        let grows = good().filter(|(shape, _)| matches!(shape, Shape::Falling)).count();
        let what = format!("norm grows along probing, initial columns {name} ½");
        rows.push(Row::new(what, grows, good().count(), String::new()));
    }
    rows.extend(shapes_with_norm(&across));
    let failed = match (failures(&along), failures(&across)) {
        (Some((a, reason)), Some((b, _))) => Some((a + b, reason)),
        (a, b) => a.or(b),
    };
    Finding { problems, failed, rows, counter_examples: Vec::new() }
}

/// The shape of the head norm over the energy, from a twelfth of it to no probing; and whether the columns of the head
/// are shorter than ½ before, in the root mean square.
fn norm_along_probing(seed: u64, problem: usize) -> Result<(Shape, bool), String> {
    let instance = random_classifier(seed, problem)?;
    let small = instance.head.norm() < 0.5 * (instance.head.ncols() as f64).sqrt();
    let problem = instance.problem().map_err(|e| e.to_string())?;
    let run = Run::with_loss(&problem, &instance.head, 0.0, instance.loss).map_err(|e| e.to_string())?;
    let path = run.path();
    let high = path.energy(0.0).map_err(|e| e.to_string())?.frobenius;
    let low = match path.energy(f64::INFINITY) {
        Ok(energy) => energy.frobenius,
        Err(ProbingError::NoLimit { .. }) => 0.0,
        Err(error) => return Err(error.to_string()),
    };
    let (mut energies, mut norms) = (Vec::new(), Vec::new());
    for i in 1..=ENERGIES {
        let energy = low + (high - low) * i as f64 / ENERGIES as f64;
        let tau = match i {
            ENERGIES => 0.0,
            _ => run.probe_time(Probe::Frobenius(energy)).map_err(|e| e.to_string())?,
        };
        energies.push(energy);
        norms.push(path.head(tau).map_err(|e| e.to_string())?.norm());
    }
    Ok((Shape::of(&energies, &norms, TURN), small))
}

/// The shapes of the metrics over the size of the head's part that the features do not see.
fn norm_across(seed: u64, problem: usize) -> Result<[Shape; METRICS], String> {
    let mut draw = Draw::new(seed, (u64::from(b'O') << 43) + problem as u64);
    let across = Across::random(seed, problem)?;
    let (samples, outputs) = across.shape();
    let across = across.towards(hard_labels(&mut draw, samples, outputs))?;
    let settings = Settings { rtol: RTOL, until: Until::Loss(LEVEL), ..Settings::default() };
    across.shapes(|problem, head| {
        let run = Run::with_loss(problem, head, 0.0, Loss::CrossEntropy).map_err(|e| e.to_string())?;
        let result = run
            .finetune(Probe::Time(0.0), &[f64::INFINITY], &settings)
            .map_err(|e| e.to_string())?
            .remove(0);
        match result.stop.reason() {
            Some(reason) => Err(reason),
            None => Ok(result.adaptation.values()),
        }
    })
}
