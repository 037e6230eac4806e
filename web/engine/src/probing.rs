//! Chapter 1: what head probing leaves, mode by mode (T3, T21).

use serde::{Deserialize, Serialize};
use taskhead::analysis::log_steps;
use taskhead::decomposition::Svd;
use taskhead::probing::ProbingPath;
use taskhead::tasks::{Gaussian, gaussian};

use crate::refusal::said;

/// Times of the curve.
const TIMES: (f64, f64, usize) = (1e-2, 1e4, 181);

/// The situation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// How fast the spectrum of the features decays.
    decay: f64,
    /// Label smoothing.
    smoothing: f64,
    /// Probing time.
    time: f64,
    /// Seed of the problem.
    seed: u64,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct Probed {
    energy: f64,
    energy_before: f64,
    /// The energy after probing for ever.
    floor: f64,
    times: Vec<f64>,
    energies: Vec<f64>,
    /// s² of each mode, and the norm of its residual before probing and now.
    rates: Vec<f64>,
    before: Vec<f64>,
    left: Vec<f64>,
}

/// A random problem whose head alone can fit the targets: N = 6 samples, h = 16, k = 2.
pub fn probing(setting: Setting) -> Result<Probed, String> {
    let spec = Gaussian {
        samples: 6,
        inputs: 24,
        width: 16,
        outputs: 2,
        input_decay: setting.decay,
        ..Gaussian::default()
    };
    let task = gaussian(&spec, setting.seed).map_err(said)?;
    let head = task.initial_head(setting.seed, 1.0);
    let path = ProbingPath::with_smoothing(&task.problem, &head, setting.smoothing).map_err(said)?;
    let energy = |tau: f64| path.energy(tau).map(|e| e.aie).map_err(said);
    let (from, to, count) = TIMES;
    let times = log_steps(from, to, count);
    let energies = times.iter().map(|&t| energy(t)).collect::<Result<_, _>>()?;
    let svd = Svd::new(task.problem.features()).map_err(said)?;
    let modes = |tau: f64| -> Result<Vec<f64>, String> {
        let residual = svd.u.tr_mul(&path.residual(tau).map_err(said)?);
        Ok(residual.row_iter().map(|r| r.norm()).collect())
    };
    Ok(Probed {
        energy: energy(setting.time)?,
        energy_before: energy(0.0)?,
        floor: energy(f64::INFINITY)?,
        times,
        energies,
        rates: svd.s.iter().map(|s| s * s).collect(),
        before: modes(0.0)?,
        left: modes(setting.time)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_decays_at_its_own_rate() {
        let p = probing(Setting { decay: 1.0, smoothing: 0.0, time: 2.0, seed: 1 }).unwrap();
        for i in 0..6 {
            let expected = p.before[i] * (-p.rates[i] * 2.0).exp();
            assert!((p.left[i] - expected).abs() < 1e-13);
        }
        assert!(p.floor < 1e-12);
    }

    /// T21: the floor is proportional to the smoothing.
    #[test]
    fn smoothing_leaves_a_floor() {
        let floor =
            |smoothing| probing(Setting { decay: 0.5, smoothing, time: 0.0, seed: 1 }).unwrap().floor;
        assert!((floor(0.4) / floor(0.1) - 4.0).abs() < 1e-10);
    }
}
