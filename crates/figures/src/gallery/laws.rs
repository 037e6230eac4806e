//! What holds beyond one sample: a picture of each of T27, T23, T28 and T30.

use nalgebra::{DMatrix, dmatrix};

use super::{log_steps, peak, steps};
use crate::plot::{Beyond, Series, SeriesPanel};
use taskhead::adaptation::Adaptation;
use taskhead::flow::rank_one::Limit;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings, SimulationError};

/// Points of a curve.
const POINTS: usize = 61;

/// Two samples with Z₀ = diag(1, 2), and a head that starts at 0.
struct Two {
    problem: Problem,
    head: DMatrix<f64>,
}

impl Two {
    fn new(kernel: DMatrix<f64>, targets: DMatrix<f64>) -> Self {
        let head = DMatrix::zeros(2, targets.ncols());
        let problem = Problem::new(dmatrix![1.0, 0.0; 0.0, 2.0], kernel, targets);
        Self { problem: problem.expect("a valid problem"), head }
    }

    /// Energy and metrics after each probing time.
    fn trained(&self, times: &[f64], head_rate: f64) -> Result<Vec<(f64, Adaptation)>, SimulationError> {
        let run = Run::new(&self.problem, &self.head, 0.0)?;
        let settings = Settings { head_rate, rtol: 1e-11, ..Settings::default() };
        let at = |&tau: &f64| {
            let end = run.finetune(Probe::Time(tau), &[f64::INFINITY], &settings)?.remove(0);
            Ok((end.energy.frobenius, end.adaptation))
        };
        times.iter().map(at).collect()
    }
}

/// The kernel of the first counter-example, of which u₁ is no eigenvector.
fn skewed() -> DMatrix<f64> {
    dmatrix![1.0, 1.0; 1.0, 2.0]
}

/// The panels. Curves that fail a hypothesis are drawn beside those that have it.
///
/// # Errors
///
/// A flow without an answer.
pub fn laws() -> Result<Beyond, SimulationError> {
    Ok(Beyond {
        name: "laws",
        title: "What holds beyond one sample",
        panels: vec![frozen_head()?, any_loss(), first_step()?, head_rate()?],
    })
}

fn panel(title: &str, x: &str, y: &str, series: Vec<Series>) -> (String, SeriesPanel) {
    (x.into(), SeriesPanel { title: title.into(), y_label: y.into(), series })
}

/// T27: the distance rises with the energy for γ = 0; the same problem for γ = 1, where it does not.
fn frozen_head() -> Result<(String, SeriesPanel), SimulationError> {
    let two = Two::new(skewed(), dmatrix![1.0; -2.0]);
    let mut series = Vec::new();
    // The less a head is probed, the further it moves features that it cannot help.
    for (label, rate, first) in [("γ = 0", 0.0, 0.1), ("γ = 1", 1.0, 1e-3)] {
        let all = two.trained(&log_steps(first, 6.0, POINTS), rate)?;
        let most = all.iter().map(|(_, a)| a.frobenius_distance).fold(0.0, f64::max);
        let (x, y) = all.iter().rev().map(|(e, a)| (*e, a.frobenius_distance / most)).unzip();
        series.push(Series::line(label, x, y));
    }
    Ok(panel("T27: a frozen head", "energy E = ‖R‖_{F}", "‖Z_{T} − Z₀‖_{F} / largest", series))
}

/// T23: norm and distance at the prediction 2 under the logistic loss. The norm peaks at e = ½.
fn any_loss() -> (String, SeriesPanel) {
    let (q, across) = (2.0, 0.5);
    let energies = steps(1.0 / (1.0 + f64::exp(q)), 0.98, 4 * POINTS);
    // e = 1/(1 + eᵃ)
    let limit = |e: &f64| Limit::new(q, across, (1.0 / e - 1.0).ln()).adaptation();
    let norms: Vec<f64> = energies.iter().map(|e| limit(e).norm).collect();
    let distances: Vec<f64> = energies.iter().map(|e| limit(e).euclidean).collect();
    let top = peak(&energies, &norms);
    let norm = Series::line("norm", energies.clone(), norms).with_peak(top);
    let series = vec![norm, Series::line("distance", energies, distances)];
    panel("T23: logistic loss, at the prediction 2", "energy e = y − p", "norm, distance", series)
}

/// T28: how much the dot product grows for each unit of energy, and the formula for E → 0, where u₁ is an eigenvector
/// of K and where it is none.
fn first_step() -> Result<(String, SeriesPanel), SimulationError> {
    let times = steps(0.5, 7.0, POINTS);
    let mut series = Vec::new();
    for (label, kernel) in [("Ku₁ = κ₁u₁", dmatrix![1.0, 0.0; 0.0, 2.0]), ("Ku₁ not along u₁", skewed())]
    {
        let all = Two::new(kernel, dmatrix![1.0; -2.0]).trained(&times, 1.0)?;
        // The metric is a mean over two samples, and ‖Z₀‖² = 5.
        let (x, y) = all.iter().rev().map(|(e, a)| (*e, (2.0 * a.dot - 5.0) / e)).unzip();
        series.push(Series::line(label, x, y));
    }
    // κ₁ = λ₁ = γ = η = 1 and V_∞ = (1, −1): G = 2. For the skewed kernel (2K + Z₀Z₀ᵀ)S = u₁ has
    // S = (2/5, −1/10), and Y·KS = −1/10.
    series.push(Series::points("Ku₁ = κ₁u₁", vec![0.0], vec![slope()]));
    series.push(Series::points("Ku₁ not along u₁", vec![0.0], vec![-1.0 / 10.0]));
    Ok(panel("T28: the first step", "energy E = ‖R‖_{F}", "⟨Z_{T} − Z₀, Z₀⟩ / E", series))
}

/// κ₁ ηᵀ(κ₁G + γλ₁)⁻¹η/|η| of the problem with K = diag(1, 2).
fn slope() -> f64 {
    1.0 / (2.0 + 1.0)
}

/// T30: one sample, two energies: the distance falls with the head's learning rate from that of the frozen head.
fn head_rate() -> Result<(String, SeriesPanel), SimulationError> {
    let problem =
        Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![1.5]).expect("a valid problem");
    let rates = log_steps(1e-2, 1e2, POINTS);
    let mut series = Vec::new();
    for a in [0.0, 0.75] {
        let run = Run::new(&problem, &dmatrix![a; 0.5], 0.0)?;
        let at = |&head_rate: &f64| {
            let settings = Settings { head_rate, ..Settings::default() };
            let end = run.finetune(Probe::Time(0.0), &[f64::INFINITY], &settings)?.remove(0);
            Ok(end.adaptation.euclidean)
        };
        let y = rates.iter().map(at).collect::<Result<Vec<_>, SimulationError>>()?;
        let x = rates.iter().map(|rate| rate.log10()).collect();
        series.push(Series::line(format!("E = {}", 1.5 - a), x, y));
    }
    Ok(panel("T30: a faster head", "log₁₀ of the head rate γ", "‖z_{T} − z₀‖", series))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rises(y: &[f64]) -> bool {
        y.windows(2).all(|pair| pair[0] < pair[1])
    }

    #[test]
    fn each_panel_shows_its_law_and_what_lacks_a_hypothesis() {
        let panels = laws().unwrap().panels;
        let curve = |panel: usize, curve: usize| &panels[panel].1.series[curve];
        assert!(rises(&curve(0, 0).y) && !rises(&curve(0, 1).y));
        let top = curve(1, 0).y.iter().copied().fold(0.0, f64::max);
        let at = curve(1, 0).y.iter().position(|&y| y == top).unwrap();
        assert!((curve(1, 0).x[at] - 0.5).abs() < 5e-3, "{}", curve(1, 0).x[at]);
        for (line, point) in [(0, 2), (1, 3)] {
            let gap = curve(2, line).y[0] - curve(2, point).y[0];
            assert!(gap.abs() < 5e-3, "{gap} at the energy {}", curve(2, line).x[0]);
        }
        for line in 0..2 {
            let falling: Vec<f64> = curve(3, line).y.iter().map(|y| -y).collect();
            assert!(rises(&falling));
        }
    }
}
