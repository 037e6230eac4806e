//! Head probing (T3): gradient flow of the head alone, V̇ = Z₀ᵀ(T − Z₀V), solved exactly.
//!
//! With the singular value decomposition Z₀ = U diag(s) Wᵀ and the residual R_init = T − Z₀V_init
//! towards the probing targets T,
//!
//! $$V(\tau) = V_{init} + W\mathrm{diag}\Big(s\tfrac{1-e^{-s^2\tau}}{s^2}\Big)U^\top R_{init}$$
//!
//! for every τ from 0 to ∞ and for any Z₀, singular ones included: one decomposition serves all τ.
//! The unit of τ is that of finetuning time with head rate 1.
//!
//! *Small energies.* The residual is R(τ) = R_⊥ + U e^{−s²τ}UᵀR_init, never Y − Z₀V(τ): what decays keeps its relative
//! accuracy down to the smallest numbers. What stays is R_⊥ = (1 − UUᵀ)Y, known to a rounding of the data; it is zero
//! where Z₀ has full row rank. So an energy is known to its digits if Z₀ has full row rank, and else as far as it is above
//! [`ProbingPath::rounding`].
//!
//! With label smoothing (T21) the probing targets are T = (1−ε)Y + ε·mean(Y), while energy is
//! measured against Y itself.

mod curve;
mod level;

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use self::curve::EnergyCurve;
use self::level::Curve;
use crate::energy::Energy;
pub use crate::energy::Measure;
use crate::linalg::Factors;
use crate::problem::{Problem, ProblemError};
use crate::product::{Factor, product, residual};
use crate::setting::Setting;

/// Why there is no answer to a question about probing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbingError {
    /// The arrays do not make a problem.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// A probing time or a smoothing that is not valid.
    #[error(transparent)]
    Setting(#[from] Setting),
    /// An energy that no probing time reaches.
    #[error(
        "the {measure} energy {wanted} is not reached by probing; reachable here: {lowest} to {highest}"
    )]
    Unreachable {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
        /// The lowest energy on the probing path.
        lowest: f64,
        /// The highest energy on the probing path.
        highest: f64,
    },
    /// An energy below the rounding of the part of the targets that the head cannot fit.
    #[error(
        "the {measure} energy {wanted:e} is below what the data determine: with fewer independent features than \
         samples the part of the targets that no head fits is known to {rounding:.1e} only (reachable here as \
         computed: {lowest:e} to {highest})"
    )]
    BelowRounding {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
        /// The size of rounding.
        rounding: f64,
        /// The lowest energy on the probing path as computed.
        lowest: f64,
        /// The highest energy on the probing path.
        highest: f64,
    },
    /// A probing time that is too long or too short for f64.
    #[error(
        "the {measure} energy {wanted:e} is reached at a probing time beyond the range of double precision; \
         rescale the features"
    )]
    Range {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
    },
}

/// The exact probing path of one initial head on one problem.
#[derive(Debug, Clone)]
pub struct ProbingPath {
    start: DMatrix<f64>,
    targets: DMatrix<f64>,
    /// Y − Z₀V_init, against the true targets.
    residual: DMatrix<f64>,
    /// R(∞), against the true targets: (1 − UUᵀ)Y + UUᵀ(Y − T).
    constant: DMatrix<f64>,
    rounding: f64,
    /// Z₀ = U diag(s) Wᵀ, N×r, r and h×r.
    u: Arc<DMatrix<f64>>,
    w: Arc<DMatrix<f64>>,
    s: DVector<f64>,
    /// Uᵀ R_init towards the probing targets, r×k.
    c: DMatrix<f64>,
}

impl ProbingPath {
    /// The path from an initial head (h×k) towards the targets of the problem.
    pub fn new(problem: &Problem, head: &DMatrix<f64>) -> Result<Self, ProbingError> {
        Self::with_smoothing(problem, head, 0.0)
    }

    /// The path towards [`smooth`]ed targets, with label smoothing ε in [0, 1] (T21).
    pub fn with_smoothing(
        problem: &Problem,
        head: &DMatrix<f64>,
        smoothing: f64,
    ) -> Result<Self, ProbingError> {
        problem.check_head(head)?;
        let part = |smoothing| (0.0..=1.0).contains(&smoothing);
        Setting::check("label smoothing", smoothing, part, "between 0 and 1")?;
        let Factors { u, s, w } = problem.factors().map_err(ProblemError::from)?.clone();
        let r = s.len();
        let (targets, features) = (problem.targets(), problem.features());
        let smoothed = smooth(targets, smoothing);
        let start_residual = problem.residual(head);
        let on_modes = |a: &DMatrix<f64>| product(Factor::from(&*u).t(), a);
        let c = if smoothing == 0.0 {
            on_modes(&start_residual)
        } else {
            on_modes(&residual(&smoothed, features, head))
        };
        // Twice: what the first projection leaves by rounding is taken away by the second.
        let project = |a: &DMatrix<f64>| a - product(&*u, &on_modes(a));
        let mut constant = if smoothing == 0.0 { targets * 0.0 } else { targets - &smoothed };
        let mut rounding = 0.0;
        if r < problem.samples() {
            constant = product(&*u, &on_modes(&constant)) + project(&project(targets));
            let fit = &*w * DMatrix::from_fn(r, c.ncols(), |i, j| c[(i, j)] / s[i]) + head;
            rounding = f64::EPSILON * (targets.norm() + features.norm() * fit.norm());
        }
        Ok(Self {
            start: head.clone(),
            residual: start_residual,
            targets: smoothed,
            constant,
            rounding,
            w,
            s,
            u,
            c,
        })
    }

    /// The targets that the head is probed towards, N×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        &self.targets
    }

    /// The head V(τ), h×k, for τ from 0 to ∞.
    pub fn head(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        check_time(tau)?;
        // s φ(s², τ) = (1 − e^{−s²τ}) / s
        let gain = self.s.map(|s| -(-s * (s * tau)).exp_m1() / s);
        Ok(&self.start + &*self.w * weighted(&self.c, &gain))
    }

    /// The residual Y − Z₀V(τ), N×k, against the true targets.
    pub fn residual(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        check_time(tau)?;
        if tau == 0.0 {
            return Ok(self.residual.clone());
        }
        let left = self.s.map(|s| (-s * (s * tau)).exp());
        Ok(&self.constant + product(&*self.u, &weighted(&self.c, &left)))
    }

    /// The size up to which an energy (Frobenius) is rounding of the data: half a unit in the last place of features and
    /// targets changes the part of the targets that no head fits by as much. 0 if the features have full row rank: then
    /// there is no such part.
    pub fn rounding(&self) -> f64 {
        self.rounding
    }

    /// The energy that is left after probing for τ.
    pub fn energy(&self, tau: f64) -> Result<Energy, ProbingError> {
        Ok(Energy::of(&self.residual(tau)?))
    }

    /// The first probing time at which the energy is `wanted`: the first of [`Self::times_for`].
    pub fn time_for(&self, measure: Measure, wanted: f64) -> Result<f64, ProbingError> {
        Ok(self.first_times(measure, wanted, 1)?[0])
    }

    /// All probing times at which the energy is `wanted`, in ascending order.
    ///
    /// The Frobenius energy does not increase while the head is probed towards the true targets; AIE and smoothed probing
    /// may turn, and every turn is found: each part of the path is either bounded away from the wanted energy, or monotone,
    /// or halved. An energy that the path does not reach is an error with the reachable interval; one that it only touches is
    /// reached if that is so within rounding. The energy of τ = ∞ has the answer ∞ unless a finite time has it too.
    pub fn times_for(&self, measure: Measure, wanted: f64) -> Result<Vec<f64>, ProbingError> {
        self.first_times(measure, wanted, usize::MAX)
    }

    fn first_times(&self, measure: Measure, wanted: f64, most: usize) -> Result<Vec<f64>, ProbingError> {
        Setting::check("the energy", wanted, f64::is_finite, "a finite number")?;
        let curve = EnergyCurve::new(self, measure);
        if !curve.is_finite() {
            return Err(ProbingError::Range { measure: measure.name(), wanted });
        }
        let value = |tau: f64| self.energy(tau).map(|e| measure.of(&e) - wanted);
        let mut times = Vec::new();
        for crossing in level::crossings(&curve, wanted, most) {
            let (a, b) = (curve.time(crossing.a), curve.time(crossing.b));
            if b.is_infinite() || (b == 0.0 && crossing.b > 0.0) {
                return Err(ProbingError::Range { measure: measure.name(), wanted });
            }
            let side = if crossing.from_above { 1.0 } else { -1.0 };
            times.push(if a == b { a } else { bisect(value, a, b, side)? });
        }
        if times.is_empty() && value(f64::INFINITY)?.abs() <= curve.rounding(curve.end()) {
            times.push(f64::INFINITY);
        }
        if !times.is_empty() {
            return Ok(times);
        }
        let (lowest, highest) = level::range(&curve);
        let measure = measure.name();
        Err(if wanted < lowest && self.rounding > 0.0 && lowest <= self.rounding {
            ProbingError::BelowRounding { measure, wanted, rounding: self.rounding, lowest, highest }
        } else {
            ProbingError::Unreachable { measure, wanted, lowest, highest }
        })
    }
}

/// (1−ε)Y + ε·mean(Y) with the mean of all entries: for one-hot targets with k classes it is 1/k,
/// which is the usual label smoothing.
pub fn smooth(targets: &DMatrix<f64>, smoothing: f64) -> DMatrix<f64> {
    let mean = targets.mean();
    targets.map(|y| (1.0 - smoothing) * y + smoothing * mean)
}

/// diag(weights) · a
fn weighted(a: &DMatrix<f64>, weights: &DVector<f64>) -> DMatrix<f64> {
    DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| weights[i] * a[(i, j)])
}

fn check_time(tau: f64) -> Result<(), ProbingError> {
    Ok(Setting::check_time("the probing time", tau)?)
}

/// Halves a bracket until its ends are neighbours; `low` is the sign at `a`.
fn bisect(
    value: impl Fn(f64) -> Result<f64, ProbingError>,
    mut a: f64,
    mut b: f64,
    low: f64,
) -> Result<f64, ProbingError> {
    loop {
        let middle = if a > 0.0 && b / a > 2.0 { (a * b).sqrt() } else { a + (b - a) / 2.0 };
        if middle <= a || middle >= b {
            return Ok(middle);
        }
        let m = value(middle)?;
        if m == 0.0 {
            return Ok(middle);
        }
        if m * low < 0.0 { b = middle } else { a = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    fn problem(features: DMatrix<f64>, targets: DMatrix<f64>) -> Problem {
        let n = targets.nrows();
        Problem::new(features, DMatrix::identity(n, n), targets).unwrap()
    }

    #[test]
    fn one_sample_decays_exponentially() {
        let p = problem(dmatrix![2.0, 0.0], dmatrix![3.0]);
        let path = ProbingPath::new(&p, &dmatrix![0.5; 7.0]).unwrap();
        let tau = 0.3;
        let r = path.residual(tau).unwrap()[(0, 0)];
        assert!((r - 2.0 * (-4.0 * tau).exp()).abs() < 1e-15);
        assert_eq!(path.head(f64::INFINITY).unwrap(), dmatrix![1.5; 7.0]);
        let found = path.time_for(Measure::Aie, r).unwrap();
        assert!((found - tau).abs() < 1e-14);
    }

    #[test]
    fn duplicate_rows_and_zero_features_are_exact() {
        let p = problem(dmatrix![1.0, 2.0; 1.0, 2.0; 0.0, 0.0], dmatrix![1.0; 3.0; 5.0]);
        let path = ProbingPath::new(&p, &DMatrix::zeros(2, 1)).unwrap();
        let r = path.residual(f64::INFINITY).unwrap();
        assert!((r - dmatrix![-1.0; 1.0; 5.0]).norm() < 1e-14);
        let zero = problem(DMatrix::zeros(2, 3), dmatrix![1.0; 2.0]);
        let path = ProbingPath::new(&zero, &DMatrix::zeros(3, 1)).unwrap();
        assert_eq!(path.residual(f64::INFINITY).unwrap(), *zero.targets());
        assert_eq!(path.time_for(Measure::Aie, 1.5).unwrap(), 0.0);
    }

    #[test]
    fn head_and_residual_agree() {
        let z = DMatrix::from_fn(5, 3, |r, c| ((3 * r + c) as f64).sin());
        let p = problem(z, DMatrix::from_fn(5, 2, |r, c| (r as f64 - c as f64).cos()));
        let path = ProbingPath::with_smoothing(&p, &DMatrix::from_element(3, 2, 0.2), 0.1).unwrap();
        for tau in [0.0, 1e-6, 0.1, 10.0, 1e9, f64::INFINITY] {
            let direct = p.residual(&path.head(tau).unwrap());
            assert!((direct - path.residual(tau).unwrap()).norm() < 1e-13);
        }
    }

    #[test]
    fn unreachable_energies_name_the_interval() {
        let p = problem(dmatrix![1.0; 1.0], dmatrix![1.0; 3.0]);
        let path = ProbingPath::new(&p, &dmatrix![0.0]).unwrap();
        let error = path.time_for(Measure::Frobenius, 0.5).unwrap_err();
        let ProbingError::Unreachable { lowest, highest, .. } = error else { panic!("{error}") };
        assert!((lowest - 2f64.sqrt()).abs() < 1e-14 && (highest - 10f64.sqrt()).abs() < 1e-14);
        assert_eq!(path.time_for(Measure::Frobenius, highest).unwrap(), 0.0);
        assert!(path.time_for(Measure::Frobenius, lowest).unwrap() > 5.0);
        assert!(matches!(path.head(-1.0), Err(ProbingError::Setting(time)) if time.value == -1.0));
        assert!(path.head(f64::NAN).is_err());
        for wanted in [f64::NAN, f64::INFINITY] {
            let error = path.time_for(Measure::Aie, wanted).unwrap_err();
            assert!(matches!(error, ProbingError::Setting(_)), "{error}");
        }
    }

    /// The energy of a head that overshoots towards a smoothed target is not monotone.
    #[test]
    fn the_first_crossing_is_found_when_aie_turns() {
        let p = problem(dmatrix![1.0, 0.0; 0.0, 0.1], dmatrix![1.0, 0.0; 0.0, 1.0]);
        let path = ProbingPath::with_smoothing(&p, &dmatrix![2.0, 0.0; 0.0, 10.0], 0.8).unwrap();
        let dip = path.energy(0.7).unwrap().aie;
        let tau = path.time_for(Measure::Aie, dip).unwrap();
        assert!(tau <= 0.7 + 1e-12);
        assert!((path.energy(tau).unwrap().aie - dip).abs() < 1e-14);
    }
}
