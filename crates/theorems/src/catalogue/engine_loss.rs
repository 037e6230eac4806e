//! The engine under cross-entropy against an independent integration: checks of T22 to T25.
//!
//! A violation is an error that an engine could have: the reference makes it, and the check must fail.

use nalgebra::DMatrix;

use super::check::{Case, Scored, Trial};
use super::draw::Draw;
use super::instance::{Instance, Linear};
use super::reference;
use super::softmax::{cross_entropy, labels, softmax};
use taskhead::flow::SolvedBy;
use taskhead::loss::Loss;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings, Simulation, Until};

/// Tolerance of the engine: what it achieves is compared, not what it promises by default.
const RTOL: f64 = 1e-11;

/// What an engine could do wrong with the residual of cross-entropy.
#[derive(Clone, Copy)]
enum Residual {
    Right,
    Twice,
    OverSamples,
}

impl Residual {
    fn of(self, targets: &DMatrix<f64>, predictions: &DMatrix<f64>) -> DMatrix<f64> {
        match self {
            Self::Right => targets - softmax(predictions),
            Self::Twice => (targets - softmax(predictions)) * 2.0,
            Self::OverSamples => targets - softmax(&predictions.transpose()).transpose(),
        }
    }
}

/// A small classifier, of samples that features of this width or more may or may not separate.
fn classifier(draw: &mut Draw, samples: usize, width: usize) -> Linear {
    let (k, h) = (draw.integer(2, 4), width + draw.integer(0, 5));
    let d = draw.integer(samples, samples + 2);
    let classes: Vec<usize> = (0..samples).map(|_| draw.integer(0, k - 1)).collect();
    let model = Linear::of_shape(draw, [samples, d, h, k]);
    Linear { targets: labels(&classes, k, 0.0), ..model }
}

fn instance(model: &Linear) -> Instance {
    Instance { loss: Loss::CrossEntropy, ..model.instance() }
}

fn engine(instance: &Instance) -> Result<(Problem, Simulation, DMatrix<f64>, DMatrix<f64>), String> {
    let problem = instance.problem().map_err(|e| e.to_string())?;
    let run = Run::with_loss(&problem, &instance.head, instance.smoothing, instance.loss)
        .map_err(|e| e.to_string())?;
    let settings = Settings {
        head_rate: instance.head_rate,
        rtol: RTOL,
        until: instance.until,
        ..Settings::default()
    };
    let result = run
        .finetune(Probe::Time(instance.probe_time), &[instance.time], &settings)
        .map_err(|e| e.to_string())?
        .remove(0);
    if let Some(reason) = result.stop.reason() {
        return Err(reason);
    }
    let (features, head) = (run.features(&result), run.head(&result));
    Ok((problem, result, features, head))
}

/// Features, head, and what backbone and head have spent, by the reference.
fn by_reference(
    instance: &Instance,
    time: f64,
    residual: Residual,
) -> Result<Vec<DMatrix<f64>>, String> {
    let Instance { features, kernel, targets, head, head_rate, .. } = instance;
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v) = (&parts[0], &parts[1]);
        let r = residual.of(targets, &(z * v));
        let (push, pull) = (kernel * &r * v.transpose(), z.transpose() * &r);
        let by_backbone = (r.transpose() * kernel * &r * v.transpose() * v).trace();
        let spent = [by_backbone, head_rate * pull.norm_squared()];
        vec![push, pull * *head_rate, DMatrix::from_row_slice(1, 2, &spent)]
    };
    reference::integrate(&[features.clone(), head.clone(), DMatrix::zeros(1, 2)], velocity, time)
}

fn relative(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    (a - b).norm() / b.norm()
}

/// Features, head and both parts of the budget at a time.
pub(super) fn state_at_a_time(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    let mut model = classifier(&mut draw, samples, 1);
    if edge == Some(1) {
        let k = model.targets.ncols() as f64;
        model.targets = model.targets.map(|y| 0.8 * y + 0.2 / k);
    }
    if edge == Some(2) {
        let f = &model.inputs * model.backbone.transpose() * &model.head;
        model.head *= 30.0 / f.abs().max();
    }
    let residual = match violation {
        Some(0) => Residual::Twice,
        Some(_) => Residual::OverSamples,
        None => Residual::Right,
    };
    let instance = instance(&model);
    let (_, result, features, head) = engine(&instance)?;
    let end = by_reference(&instance, instance.time, residual)?;
    let budget = result.budget.ok_or("the engine has no budget")?;
    let spent = DMatrix::from_row_slice(1, 2, &[budget.backbone, budget.head]);
    let error = relative(&features, &end[0]) + relative(&head, &end[1]) + relative(&spent, &end[2]);
    Ok(Trial::new(error, instance))
}

/// Head and energy after probing, with smoothed labels, for a time.
pub(super) fn probed_head(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    let model = classifier(&mut draw, samples, 1);
    let smoothing = if edge == Some(1) { 0.0 } else { draw.uniform(0.05, 0.5) };
    let probe_time = draw.log_uniform(1.0, 50.0);
    let instance = Instance { smoothing, probe_time, ..instance(&model) };
    let Instance { features, targets, head, .. } = &instance;
    let problem = instance.problem().map_err(|e| e.to_string())?;
    let run = Run::with_loss(&problem, head, smoothing, instance.loss).map_err(|e| e.to_string())?;
    let path = run.path();
    let k = targets.ncols() as f64;
    let smoothed = targets.map(|y| (1.0 - smoothing) * y + smoothing / k);
    let (towards, against) = match violation {
        None => (&smoothed, targets),
        Some(0) => (targets, &smoothed),
        Some(_) => (&smoothed, &smoothed),
    };
    let velocity =
        |v: &[DMatrix<f64>]| vec![features.transpose() * (towards - softmax(&(features * &v[0])))];
    let end = reference::integrate(std::slice::from_ref(head), velocity, probe_time)?.remove(0);
    let energy = (against - softmax(&(features * &end))).norm();
    let ours = path.energy(probe_time).map_err(|e| e.to_string())?.frobenius;
    let probed = path.head(probe_time).map_err(|e| e.to_string())?;
    let error = relative(&probed, &end) + (ours - energy).abs() / energy;
    Ok(Trial::new(error, instance))
}

/// The training loss, by the reference, when the engine says that it has fallen to a level.
pub(super) fn stop_at_a_loss(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    // Wide enough that every label can be learnt.
    let mut model = classifier(&mut draw, samples, samples);
    model.head_rate = draw.log_uniform(0.3, 3.0);
    let loss =
        |z: &DMatrix<f64>, v: &DMatrix<f64>| cross_entropy(&model.targets, &(z * v)) / samples as f64;
    let z = &model.inputs * model.backbone.transpose();
    let level = loss(&z, &model.head) * draw.log_uniform(0.05, 0.9);
    let instance = Instance { until: Until::Loss(level), time: f64::INFINITY, ..instance(&model) };
    let (_, result, features, head) = engine(&instance)?;
    let time = if violation.is_some() { 1.01 * result.time } else { result.time };
    let end = by_reference(&instance, time, Residual::Right)?;
    let error = (loss(&end[0], &end[1]) / level - 1.0).abs()
        + relative(&features, &end[0])
        + relative(&head, &end[1]);
    Ok(Trial::new(error, instance))
}

/// By how much the last sample that has to be right is on the wrong side, by the reference, when the engine says that
/// the training accuracy is reached: a share of the largest prediction.
pub(super) fn stop_at_an_accuracy(case: Case) -> Scored {
    let (mut draw, _, violation) = case.split();
    let samples = draw.integer(2, 4);
    // Wide enough that every label can be learnt.
    let mut model = classifier(&mut draw, samples, samples);
    // The start is wrong about the first sample.
    let z = &model.inputs * model.backbone.transpose();
    let first = (z.row(0) * &model.head).transpose().imax();
    let k = model.targets.ncols();
    model.targets.row_mut(0).fill(0.0);
    model.targets[(0, (first + 1) % k)] = 1.0;
    let instance = Instance { until: Until::Accuracy(1.0), time: f64::INFINITY, ..instance(&model) };
    let (_, result, ..) = engine(&instance)?;
    let time = if violation.is_some() { 1.01 * result.time } else { result.time };
    let end = by_reference(&instance, time, Residual::Right)?;
    let f = &end[0] * &end[1];
    let lead = |n: usize| {
        let right = model.targets.row(n).transpose().imax();
        (0..k).filter(|c| *c != right).map(|c| f[(n, right)] - f[(n, c)]).fold(f64::INFINITY, f64::min)
    };
    let last = (0..samples).map(lead).fold(f64::INFINITY, f64::min);
    Ok(Trial::new(last.abs() / f.abs().max(), instance))
}

/// Features, head, budget, loss and accuracy of the form for one output and colinear inputs: at a time, and where the
/// training loss has fallen to a level.
pub(super) fn one_output(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    let h = draw.integer(2, 4);
    let mut model = Linear::of_shape(&mut draw, [samples, 1, h, 1]);
    model.head_rate = draw.log_uniform(0.3, 3.0);
    // Every label can be learnt, unless one contradicts the others.
    model.targets = model.inputs.map(|x| if x > 0.0 { 1.0 } else { 0.0 });
    if edge == Some(1) {
        model.targets[0] = 1.0 - model.targets[0];
    }
    let y = &model.targets;
    let logistic = |f: f64| 1.0 / (1.0 + (-f).exp());
    let loss = |f: &DMatrix<f64>| {
        f.iter().zip(y).map(|(f, y)| f.exp().ln_1p() - y * f).sum::<f64>() / samples as f64
    };
    let right = |f: &DMatrix<f64>| {
        let right = f.iter().zip(y).filter(|(f, y)| (**f > 0.0) == (**y == 1.0)).count();
        right as f64 / samples as f64
    };
    let factor = if violation == Some(0) { 2.0 } else { 1.0 };
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v) = (&parts[0], &parts[1]);
        let r = (y - (z * v).map(logistic)) * factor;
        let kernel = &model.inputs * model.inputs.transpose();
        let (push, pull) = (&kernel * &r * v.transpose(), z.transpose() * &r);
        let by_backbone = (r.transpose() * &kernel * &r * v.transpose() * v).trace();
        let spent = [by_backbone, model.head_rate * pull.norm_squared()];
        vec![push, pull * model.head_rate, DMatrix::from_row_slice(1, 2, &spent)]
    };
    let instance = instance(&model);
    let start = [instance.features.clone(), instance.head.clone(), DMatrix::zeros(1, 2)];
    let level = loss(&(&start[0] * &start[1])) * draw.log_uniform(0.05, 0.9);
    let stopped = Instance { until: Until::Loss(level), time: f64::INFINITY, ..instance.clone() };
    let mut error = 0.0f64;
    for instance in [Some(&instance), (edge != Some(1)).then_some(&stopped)].into_iter().flatten() {
        let (_, result, features, head) = engine(instance)?;
        if result.method != SolvedBy::RankOne {
            return Err(format!("{} in place of rank-one", result.method));
        }
        let late = if violation == Some(1) { 1.01 } else { 1.0 };
        let end = reference::integrate(&start, velocity, late * result.time)?;
        let f = &end[0] * &end[1];
        let budget = result.budget.ok_or("the engine has no budget")?;
        let spent = DMatrix::from_row_slice(1, 2, &[budget.backbone, budget.head]);
        let wanted = if instance.until == Until::Time { loss(&f) } else { level };
        let found = result.accuracy.ok_or("the engine has no accuracy")?;
        error = error
            .max(relative(&features, &end[0]))
            .max(relative(&head, &end[1]))
            .max(relative(&spent, &end[2]))
            .max((loss(&f) / wanted - 1.0).abs())
            .max((result.loss / loss(&f) - 1.0).abs())
            .max((found - right(&f)).abs());
    }
    Ok(Trial::new(error, instance))
}
