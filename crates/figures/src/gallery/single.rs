//! Figures of one head on one problem: finetuning in time, and probing towards smoothed labels.

use nalgebra::DMatrix;

use super::log_steps;
use crate::plot::{Axis, Smoothing, SmoothingCurve, Trajectories, Trajectory};
use taskhead::flow::Budget;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings, Simulation, SimulationError, Until};

/// Finetuning in time from some shares of the energy that the head has before probing.
///
/// # Errors
///
/// An energy that probing does not reach, or a flow without an answer.
pub fn in_time(run: &Run, shares: &[f64]) -> Result<Trajectories, SimulationError> {
    let most = run.path().energy(0.0)?.frobenius;
    let times = log_steps(1e-2, 1e3, 120);
    let mut runs = Vec::new();
    for share in shares {
        let energy = share * most;
        let results = run.finetune(Probe::Frobenius(energy), &times, &Settings::default())?;
        let of = |f: &dyn Fn(&Simulation) -> f64| results.iter().map(f).collect::<Vec<f64>>();
        let loss = energy * energy / 2.0;
        runs.push(Trajectory {
            label: format!("E = {share} E_{{max}}"),
            time: times.clone(),
            residual: of(&|s| s.residual),
            distance: of(&|s| s.adaptation.euclidean),
            feature_norm: of(&|s| s.adaptation.norm),
            head_norm: of(&|s| s.head_norm.1),
            backbone: of(&|s| s.budget.map_or(f64::NAN, |b| b.backbone / loss)),
            head: of(&|s| s.budget.map_or(f64::NAN, |b| b.head / loss)),
        });
    }
    Ok(axes(Axis::log("‖R‖").with_range(1e-6, 10.0), runs))
}

fn axes(residual: Axis, runs: Vec<Trajectory>) -> Trajectories {
    Trajectories {
        time: Axis::log("time t (1 / backbone rate)"),
        residual,
        distance: Axis::linear("‖z_{t} − z₀‖, mean"),
        feature_norm: Axis::linear("‖z_{t}‖, mean"),
        head_norm: Axis::linear("‖V‖_{F}"),
        spent: Axis::linear("share of the loss spent").with_range(0.0, 1.0),
        runs,
    }
}

/// How near to its limit a finetuning has come that is shown to its end, relative.
const NEAR: f64 = 1e-3;

/// One finetuning in time, from soon after its start to its end; one that went to the limit to where it has come near.
/// None if it had no time.
///
/// # Errors
///
/// Those of [`Run::finetune`].
pub fn over_time(
    problem: &Problem,
    run: &Run,
    end: &Simulation,
    settings: &Settings,
) -> Result<Option<Trajectories>, SimulationError> {
    if end.time <= 0.0 {
        return Ok(None);
    }
    let limit = end.time == f64::INFINITY;
    let times = if limit {
        let scale = problem.features().norm_squared() * settings.head_rate;
        let fastest = problem.kernel().eigenvalues().amax().max(scale);
        log_steps(1e-2 / fastest, 1e8 / fastest, 300)
    } else {
        log_steps(1e-4 * end.time, end.time, 120)
    };
    let settings = Settings { until: Until::Time, ..settings.clone() };
    let mut all = run.finetune(Probe::Time(end.probe_time), &times, &settings)?;
    all.retain(|s| s.stop.is_success());
    if limit {
        let far = |s: &Simulation| {
            let rest = (s.adaptation.frobenius_distance - end.adaptation.frobenius_distance).abs();
            rest > NEAR * end.adaptation.frobenius_distance
                || s.residual - end.residual > NEAR * end.energy.frobenius
        };
        let count = all.iter().rposition(far).map_or(1, |last| last + 1);
        // Some of the rest is seen, too.
        all.truncate(count + 20);
    }
    let of = |f: &dyn Fn(&Simulation) -> f64| all.iter().map(f).collect::<Vec<f64>>();
    let samples = problem.samples() as f64;
    let spent = |part: fn(&Budget) -> f64| {
        of(&|s| s.budget.map_or(f64::NAN, |b| part(&b) / (b.backbone + b.head + s.loss * samples)))
    };
    let one = Trajectory {
        label: format!("E = {:.3} (AIE)", end.energy.aie),
        time: all.iter().map(|s| s.time).collect(),
        residual: of(&|s| s.residual),
        distance: of(&|s| s.adaptation.euclidean),
        feature_norm: of(&|s| s.adaptation.norm),
        head_norm: of(&|s| s.head_norm.1),
        backbone: spent(|b| b.backbone),
        head: spent(|b| b.head),
    };
    Ok((!all.is_empty()).then(|| axes(Axis::log("‖R‖"), vec![one])))
}

/// The energy along probing for some label smoothings, and what is left of it at τ = ∞ for every smoothing (T21).
///
/// # Errors
///
/// A head that does not fit the problem, or a path without an answer.
pub fn smoothing(
    problem: &Problem,
    head: &DMatrix<f64>,
    shown: &[f64],
) -> Result<Smoothing, SimulationError> {
    let mut time = vec![0.0];
    time.extend(log_steps(1e-4, 1e3, 120));
    time.push(f64::INFINITY);
    let path = |epsilon: f64| -> Result<Vec<f64>, SimulationError> {
        let run = Run::new(problem, head, epsilon)?;
        time.iter().map(|&t| Ok(run.path().energy(t)?.aie)).collect()
    };
    let mut curves = Vec::new();
    for &epsilon in shown {
        let energy = path(epsilon)?;
        let floor = energy[energy.len() - 1];
        curves.push(SmoothingCurve { name: String::new(), epsilon, time: time.clone(), energy, floor });
    }
    let mut floors = Vec::new();
    for i in 0..=10 {
        let epsilon = f64::from(i) / 10.0;
        floors.push((epsilon, path(epsilon)?[time.len() - 1]));
    }
    Ok(Smoothing {
        time_label: "probing time τ (1 / head rate)".into(),
        energy_label: "average initial energy".into(),
        curves,
        epsilon_label: "label smoothing ε".into(),
        floor_label: "energy at τ = ∞".into(),
        floors: vec![floors],
    })
}
