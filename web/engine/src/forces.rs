//! Chapter 2: kernel × direction × energy (T1) on two samples in the plane.
//!
//! A and B are trained on; C, halfway between their inputs, is not. Inputs have length 1, so that with
//! κ(A, B) = ρ the linear model gives C the feature (z_A + z_B)/√(2 + 2ρ) and the kernel values
//! κ(C, A) = κ(C, B) = √((1 + ρ)/2).

use nalgebra::{DMatrix, dmatrix};
use serde::{Deserialize, Serialize};
use taskhead::analysis::steps;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings};

use crate::refusal::{said, within};

/// The situation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// ρ = κ(A, B)
    kernel: f64,
    /// Angle of the initial head (rad) and its length.
    angle: f64,
    length: f64,
    /// Probing time.
    time: f64,
}

/// The answer; inputs are in the order A, B, C.
#[derive(Debug, Serialize)]
pub struct Forces {
    features: Vec<[f64; 2]>,
    /// Where finetuning ends.
    ends: Vec<[f64; 2]>,
    /// The way of each, from the start to the end, and the head's.
    paths: Vec<Vec<[f64; 2]>>,
    head_path: Vec<[f64; 2]>,
    /// The head after probing.
    head: [f64; 2],
    /// y − z·v of A and B.
    residuals: Vec<f64>,
    energy: f64,
    /// κ(x, A) and κ(x, B) of each input x.
    kernel: Vec<[f64; 2]>,
    /// What A and B contribute to the velocity of each input.
    pulls: Vec<[[f64; 2]; 2]>,
    velocities: Vec<[f64; 2]>,
    /// How far each has moved by the end.
    moved: Vec<f64>,
}

/// Points of a way: evenly in 1 − e^{−t}, the last at t = ∞.
const POINTS: usize = 41;

/// Targets of A and B.
const TARGETS: [f64; 2] = [1.2, 0.6];

/// The pulls at the start of finetuning.
pub fn forces(setting: Setting) -> Result<Forces, String> {
    let Setting { kernel: rho, angle, length, time } = setting;
    within("kernel", rho, 0.0..=1.0)?;
    within("length", length, 0.0..=5.0)?;
    within("angle", angle, -7.0..=7.0)?;
    let trained = dmatrix![1.0, 0.1; 0.35, 0.9];
    let middle = (trained.row(0) + trained.row(1)) / (2.0 + 2.0 * rho).sqrt();
    let gram = dmatrix![1.0, rho; rho, 1.0];
    let seen = ((1.0 + rho) / 2.0).sqrt();
    let problem =
        Problem::new(trained.clone(), gram.clone(), dmatrix![TARGETS[0]; TARGETS[1]]).map_err(said)?;
    let problem = problem
        .with_held_out(DMatrix::from_row_slice(1, 2, middle.as_slice()), dmatrix![seen, seen])
        .map_err(said)?;
    let initial = dmatrix![length * angle.cos(); length * angle.sin()];
    let run = Run::new(&problem, &initial, 0.0).map_err(said)?;
    let head = run.path().head(time).map_err(said)?;
    let residual = problem.residual(&head);
    let energy = run.path().energy(time).map_err(said)?.aie;
    let settings = Settings::default();
    let times: Vec<f64> = steps(0.0, 1.0, POINTS).into_iter().map(|share| -(-share).ln_1p()).collect();
    let moments = run.finetune(Probe::Time(time), &times, &settings).map_err(said)?;

    let pair = |m: &DMatrix<f64>, row: usize| [m[(row, 0)], m[(row, 1)]];
    let kernel = vec![pair(&gram, 0), pair(&gram, 1), [seen, seen]];
    let pulls: Vec<[[f64; 2]; 2]> = kernel
        .iter()
        .map(|k| [0, 1].map(|n| [k[n] * head[0] * residual[n], k[n] * head[1] * residual[n]]))
        .collect();
    let features = vec![pair(&trained, 0), pair(&trained, 1), [middle[0], middle[1]]];
    let mut paths = vec![Vec::new(); 3];
    let mut head_path = Vec::new();
    for moment in &moments {
        let trained = run.features(moment);
        let held_out = run.held_out_features(moment).expect("C is held out");
        for (path, at) in
            paths.iter_mut().zip([pair(&trained, 0), pair(&trained, 1), pair(&held_out, 0)])
        {
            path.push(at);
        }
        let head = run.head(moment);
        head_path.push([head[0], head[1]]);
    }
    let ends: Vec<[f64; 2]> = paths.iter().map(|path| path[POINTS - 1]).collect();
    let moved =
        features.iter().zip(&ends).map(|(z, end)| (end[0] - z[0]).hypot(end[1] - z[1])).collect();
    Ok(Forces {
        features,
        ends,
        paths,
        head_path,
        moved,
        head: [head[0], head[1]],
        residuals: residual.iter().copied().collect(),
        energy,
        kernel,
        velocities: pulls.iter().map(|[a, b]| [a[0] + b[0], a[1] + b[1]]).collect(),
        pulls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(kernel: f64, length: f64, time: f64) -> Forces {
        forces(Setting { kernel, angle: 2.0, length, time }).unwrap()
    }

    fn size(v: &[f64; 2]) -> f64 {
        v[0].hypot(v[1])
    }

    /// A product: each factor at zero stops the motion.
    #[test]
    fn without_head_or_energy_nothing_moves_at_first() {
        assert!(at(0.5, 0.0, 0.0).velocities.iter().all(|v| size(v) == 0.0));
        assert!(at(0.5, 1.0, f64::INFINITY).velocities.iter().all(|v| size(v) < 1e-12));
        let apart = at(0.0, 1.0, 0.0);
        assert_eq!(size(&apart.pulls[0][1]), 0.0);
        assert!(size(&apart.velocities[2]) > 0.0);
    }

    /// The ways begin at the features, along the arrows, and end at the ends.
    #[test]
    fn ways_begin_along_the_arrows() {
        let f = at(0.5, 1.0, 0.3);
        for i in 0..3 {
            let [start, next] = [f.paths[i][0], f.paths[i][1]];
            assert!(size(&[start[0] - f.features[i][0], start[1] - f.features[i][1]]) < 1e-12);
            assert_eq!(f.paths[i][POINTS - 1], f.ends[i]);
            let (way, v) = ([next[0] - start[0], next[1] - start[1]], f.velocities[i]);
            let cosine = (way[0] * v[0] + way[1] * v[1]) / (size(&way) * size(&v));
            assert!(cosine > 0.999, "{i}: {cosine}");
        }
    }

    /// The velocities are those of the flow: a short finetuning moves the features by them.
    #[test]
    fn pulls_are_the_flow_of_the_core() {
        let f = at(0.4, 1.0, 0.2);
        let along = |v: &[f64; 2]| v[0] * f.head[1] - v[1] * f.head[0];
        assert!(f.velocities.iter().all(|v| along(v).abs() < 1e-14));
        let halfway = (f.velocities[0][0] + f.velocities[1][0]) / 2.8_f64.sqrt();
        assert!((f.velocities[2][0] - halfway).abs() < 1e-14);
    }
}
