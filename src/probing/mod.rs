//! Head probing: gradient flow of the head alone, V̇ = Z₀ᵀR at fixed features.
//!
//! Under the squared loss it is solved exactly (T3); under any other it is a convex flow, which is integrated (T24).
//! Either way one path serves all probing times from 0 to ∞, and gives for a wanted energy the probing time at which
//! it is left. The unit of τ is that of finetuning time with head rate 1.
//!
//! With label smoothing (T21) the head is probed towards smoothed targets ([`Loss::smooth`]), while energy is measured
//! against Y itself.

mod convex;
mod curvature;
mod curve;
mod error;
mod level;
mod linear;
mod minimum;
mod modes;
pub mod practice;
mod root;
mod steps;

use nalgebra::DMatrix;

pub use self::error::ProbingError;
pub use crate::energy::Measure;

use self::convex::ConvexPath;
use self::error::check_time;
use self::linear::LinearPath;
use crate::energy::Energy;
use crate::flow::solver::{Watch, Work};
use crate::loss::Loss;
use crate::problem::{Problem, ProblemError};
use crate::setting::Setting;

/// The probing path of one initial head on one problem.
///
/// ```
/// use taskhead::nalgebra::{self, dmatrix};
/// use taskhead::loss::Loss;
/// use taskhead::probing::{Measure, ProbingPath};
/// use taskhead::problem::Problem;
///
/// let problem = Problem::new(dmatrix![1.0, 0.5; -1.0, 0.2], dmatrix![1.0, 0.0; 0.0, 1.0], dmatrix![1.0; 0.0])?;
/// let path = ProbingPath::with_loss(&problem, &dmatrix![0.0; 0.0], 0.0, Loss::CrossEntropy)?;
/// // The head that knows nothing leaves an energy of ½; two samples in two dimensions can be separated.
/// assert_eq!(path.energy(0.0)?.aie, 0.5);
/// let tau = path.time_for(Measure::Aie, 1e-3)?;
/// assert!((path.energy(tau)?.aie - 1e-3).abs() < 1e-12);
/// assert!(path.head(f64::INFINITY).unwrap_err().to_string().contains("separate the classes"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ProbingPath(Path);

#[derive(Debug, Clone)]
enum Path {
    Linear(Box<LinearPath>),
    Convex(Box<ConvexPath>),
}

impl ProbingPath {
    /// The path from an initial head (h×k) towards the targets of the problem, under the squared loss.
    pub fn new(problem: &Problem, head: &DMatrix<f64>) -> Result<Self, ProbingError> {
        Self::with_smoothing(problem, head, 0.0)
    }

    /// The path towards targets with label smoothing ε in [0, 1] (T21), under the squared loss.
    pub fn with_smoothing(
        problem: &Problem,
        head: &DMatrix<f64>,
        smoothing: f64,
    ) -> Result<Self, ProbingError> {
        Self::with_loss(problem, head, smoothing, Loss::Squared)
    }

    /// The same under any loss.
    pub fn with_loss(
        problem: &Problem,
        head: &DMatrix<f64>,
        smoothing: f64,
        loss: Loss,
    ) -> Result<Self, ProbingError> {
        problem.check_head(head)?;
        let part = |smoothing| (0.0..=1.0).contains(&smoothing);
        Setting::check("label smoothing", smoothing, part, "between 0 and 1")?;
        if loss == Loss::Squared {
            return Ok(Self(Path::Linear(Box::new(LinearPath::new(problem, head, smoothing)?))));
        }
        let targets = loss.targets(problem.targets()).map_err(ProblemError::from)?;
        let factors = problem.factors().map_err(ProblemError::from)?.clone();
        Ok(Self(Path::Convex(Box::new(ConvexPath::new(loss, factors, head, targets, smoothing)))))
    }

    /// The same path, which asks at every step whether to go on; if not, what was asked for is the error
    /// [`ProbingError::Interrupted`]. The squared loss has a formula and no steps.
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        Self(match self.0 {
            Path::Convex(path) => Path::Convex(Box::new(path.watched(watch))),
            path => path,
        })
    }

    /// The targets that the head is probed towards, N×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        match &self.0 {
            Path::Linear(path) => path.targets(),
            Path::Convex(path) => path.smoothed(),
        }
    }

    /// The head V(τ), h×k.
    pub fn head(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        check_time(tau)?;
        match &self.0 {
            Path::Linear(path) => path.head(tau),
            Path::Convex(path) => path.head(tau),
        }
    }

    /// The residual −∂L/∂F at Z₀V(τ), N×k, against the true targets: Y − Z₀V(τ) for the squared loss.
    pub fn residual(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        check_time(tau)?;
        match &self.0 {
            Path::Linear(path) => path.residual(tau),
            Path::Convex(path) => path.residual(tau),
        }
    }

    /// The size up to which an energy (Frobenius) is rounding of the data. Under the squared loss half a unit in the
    /// last place of features and targets changes the part of the targets that no head fits by as much; it is 0 if
    /// the features have full row rank, since then there is no such part, and for every other loss.
    pub fn rounding(&self) -> f64 {
        match &self.0 {
            Path::Linear(path) => path.rounding(),
            Path::Convex(_) => 0.0,
        }
    }

    /// The size up to which the energy (Frobenius) after probing for τ is rounding of the data: [`Self::rounding`], and
    /// under the squared loss what the rounding of the features does to modes that are far slower than others. 0 under
    /// every other loss.
    pub fn rounding_at(&self, tau: f64) -> f64 {
        match &self.0 {
            Path::Linear(path) => path.rounding_at(tau),
            Path::Convex(_) => 0.0,
        }
    }

    /// By how much, at most, the residual of a head of the path has lost digits where it is computed.
    pub(crate) fn residual_rounding(&self, head: &DMatrix<f64>, residual: &DMatrix<f64>) -> f64 {
        match &self.0 {
            Path::Linear(_) => 4.0 * f64::EPSILON * residual.norm(),
            Path::Convex(path) => path.residual_rounding(head),
        }
    }

    /// Work done so far to follow the path, in products of N×r×k with the rank r of the features: none under the
    /// squared loss, whose path has a formula.
    pub fn work(&self) -> Work {
        match &self.0 {
            Path::Linear(_) => Work::default(),
            Path::Convex(path) => path.work(),
        }
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
    /// The Frobenius energy does not increase while the head is probed towards the true targets; AIE and smoothed
    /// probing may turn, and every turn is found: each part of the path is either bounded away from the wanted
    /// energy, or monotone, or halved. An energy that the path does not reach is an error with the reachable
    /// interval; one that it only touches is reached if that is so within rounding. The energy of τ = ∞ has the
    /// answer ∞ unless a finite time has it too.
    pub fn times_for(&self, measure: Measure, wanted: f64) -> Result<Vec<f64>, ProbingError> {
        self.first_times(measure, wanted, usize::MAX)
    }

    fn first_times(&self, measure: Measure, wanted: f64, most: usize) -> Result<Vec<f64>, ProbingError> {
        Setting::check("the energy", wanted, f64::is_finite, "a finite number")?;
        match &self.0 {
            Path::Linear(path) => path.times_for(measure, wanted, most),
            Path::Convex(path) => {
                let times = path.times_for(measure, wanted, most)?;
                times.iter().try_for_each(|&tau| path.residual(tau).map(drop))?;
                Ok(times)
            }
        }
    }
}

/// Targets with label smoothing as the squared loss has it: (1−ε)Y + ε·mean(Y) with the mean of all entries, which
/// for one-hot targets with k classes is 1/k.
pub fn smooth(targets: &DMatrix<f64>, smoothing: f64) -> DMatrix<f64> {
    Loss::Squared.smooth(targets, smoothing)
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
