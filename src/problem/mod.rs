//! The one problem that everything else takes: features Z₀, kernel K and targets Y.
//!
//! The two-layer linear model, a feature matrix from a file and the empirical tangent kernel of a
//! real backbone are three ways to make a [`Problem`]; code that takes one never asks which.

mod error;
mod kernel;

use std::sync::{Arc, OnceLock};

use nalgebra::DMatrix;

use error::check_formed;
pub use error::{ProblemError, check, check_shape};
pub use kernel::Kernel;

use crate::linalg::{DecompositionError, Factors};
use crate::product::{Factor, multiply, product};

/// Relative asymmetry and negative eigenvalue that a kernel in f64 may have from rounding.
pub const KERNEL_TOLERANCE: f64 = 1e-10;

/// The same for a kernel that was stored in single precision.
pub const KERNEL_TOLERANCE_F32: f64 = 1e-5;

/// Inputs that are measured but not trained on.
#[derive(Debug, Clone)]
pub struct HeldOut {
    features: DMatrix<f64>,
    /// F_P with k(x) = F_P Fᵀ, P×r.
    factor: Arc<DMatrix<f64>>,
    /// The kernel rows, if they were given.
    given: Option<Arc<DMatrix<f64>>>,
}

impl HeldOut {
    /// Features before finetuning, P×h.
    pub fn features(&self) -> &DMatrix<f64> {
        &self.features
    }

    /// The factor F_P (P×r) of their kernel with the training samples, F_P Fᵀ.
    pub fn factor(&self) -> &DMatrix<f64> {
        &self.factor
    }

    /// The factor, shared.
    pub(crate) fn shared_factor(&self) -> Arc<DMatrix<f64>> {
        self.factor.clone()
    }
}

/// A finetuning problem: features Z₀ (N×h), kernel K (N×N, positive semidefinite) and targets Y
/// (N×k), with held-out inputs if wanted. Validated once, here.
#[derive(Debug, Clone)]
pub struct Problem {
    features: Arc<DMatrix<f64>>,
    kernel: Kernel,
    targets: DMatrix<f64>,
    held_out: Option<HeldOut>,
    kernel_tolerance: f64,
    on_features: bool,
    /// The decomposition of the features, once it has been needed.
    factors: OnceLock<Factors>,
}

impl Problem {
    /// A problem from features (N×h), any positive semidefinite kernel (N×N) and targets (N×k).
    ///
    /// ```
    /// use taskhead::nalgebra::{self, DMatrix, dmatrix};
    /// use taskhead::problem::Problem;
    ///
    /// let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![2.0])?;
    /// assert_eq!((problem.samples(), problem.width(), problem.outputs()), (1, 2, 1));
    ///
    /// let indefinite = Problem::new(dmatrix![1.0, 0.0], dmatrix![-1.0], dmatrix![2.0]);
    /// assert!(indefinite.unwrap_err().to_string().contains("not positive semidefinite"));
    /// # Ok::<(), taskhead::problem::ProblemError>(())
    /// ```
    pub fn new(
        features: DMatrix<f64>,
        kernel: DMatrix<f64>,
        targets: DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        Self::with_tolerance(features, kernel, targets, KERNEL_TOLERANCE)
    }

    /// [`Problem::new`] with the rounding error that the kernel may have, relative to its size:
    /// [`KERNEL_TOLERANCE_F32`] for one that was stored in single precision.
    pub fn with_tolerance(
        features: DMatrix<f64>,
        kernel: DMatrix<f64>,
        targets: DMatrix<f64>,
        kernel_tolerance: f64,
    ) -> Result<Self, ProblemError> {
        let n = targets.nrows();
        check("targets", &targets)?;
        check("features", &features)?;
        check_shape("features", &features, Some(n), None, "one row for each row of `targets`")?;
        check("kernel", &kernel)?;
        check_shape("kernel", &kernel, Some(n), Some(n), "one row and column for each sample")?;
        let kernel = Kernel::new(kernel, kernel_tolerance)?;
        Ok(Self::of_parts(features, kernel, targets, kernel_tolerance))
    }

    /// The two-layer linear model: inputs X (N×d) and backbone B₀ (h×d) give Z₀ = X B₀ᵀ and K = XXᵀ.
    pub fn linear(
        inputs: &DMatrix<f64>,
        backbone: &DMatrix<f64>,
        targets: DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        check("targets", &targets)?;
        check("inputs", inputs)?;
        check("backbone", backbone)?;
        let (n, d) = (targets.nrows(), inputs.ncols());
        check_shape("inputs", inputs, Some(n), None, "one row for each row of `targets`")?;
        check_shape("backbone", backbone, None, Some(d), "one column for each column of `inputs`")?;
        let features = inputs * backbone.transpose();
        let kernel = Kernel::of_inputs(inputs)?;
        check_formed("the features", "`inputs` and `backbone`", &features)?;
        Ok(Self::of_parts(features, kernel, targets, KERNEL_TOLERANCE))
    }

    /// A problem from features (N×h) and targets (N×k) alone: the backbone is one more linear layer on the features,
    /// which starts as the identity, so that K = Z₀Z₀ᵀ. It takes N·h numbers and never N².
    ///
    /// ```
    /// use taskhead::nalgebra::{self, dmatrix};
    /// use taskhead::problem::Problem;
    ///
    /// let problem = Problem::on_features(dmatrix![1.0, 2.0; 0.0, 1.0], dmatrix![1.0; 0.0])?;
    /// assert!((problem.kernel().to_matrix() - dmatrix![5.0, 2.0; 2.0, 1.0]).norm() < 1e-14);
    /// # Ok::<(), taskhead::problem::ProblemError>(())
    /// ```
    pub fn on_features(features: DMatrix<f64>, targets: DMatrix<f64>) -> Result<Self, ProblemError> {
        check("targets", &targets)?;
        check("features", &features)?;
        let n = targets.nrows();
        check_shape("features", &features, Some(n), None, "one row for each row of `targets`")?;
        let factors = Factors::of(&features)?;
        let kernel = Kernel::of_factors(&factors, "`features`")?;
        let problem = Self::of_parts(features, kernel, targets, KERNEL_TOLERANCE);
        Ok(Self { factors: OnceLock::from(factors), on_features: true, ..problem })
    }

    /// A problem from features (N×h), a factor F (N×r) of the kernel K = FFᵀ and targets (N×k). It takes N·r numbers
    /// and never N². The rows of F may be the gradients of a network, or the inputs of the linear model.
    ///
    /// ```
    /// use taskhead::nalgebra::{self, dmatrix};
    /// use taskhead::problem::Problem;
    ///
    /// let problem = Problem::with_factor(dmatrix![1.0; 2.0], &dmatrix![1.0, 0.0; 1.0, 1.0], dmatrix![1.0; 0.0])?;
    /// assert!((problem.kernel().to_matrix() - dmatrix![1.0, 1.0; 1.0, 2.0]).norm() < 1e-14);
    /// # Ok::<(), taskhead::problem::ProblemError>(())
    /// ```
    pub fn with_factor(
        features: DMatrix<f64>,
        factor: &DMatrix<f64>,
        targets: DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        check("targets", &targets)?;
        check("features", &features)?;
        check("factor", factor)?;
        let n = targets.nrows();
        check_shape("features", &features, Some(n), None, "one row for each row of `targets`")?;
        check_shape("factor", factor, Some(n), None, "one row for each row of `targets`")?;
        let kernel = Kernel::of_inputs(factor)?;
        Ok(Self::of_parts(features, kernel, targets, KERNEL_TOLERANCE))
    }

    /// Adds held-out inputs of a problem [with a factor](Self::with_factor) by their features (P×h) and their rows F_P
    /// (P×r) of the factor: their kernel with the training samples is F_P Fᵀ.
    pub fn with_held_out_factor(
        self,
        features: DMatrix<f64>,
        factor: &DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        check("probe_factor", factor)?;
        check_shape(
            "probe_factor",
            factor,
            Some(features.nrows()),
            None,
            "one row for each held-out input",
        )?;
        let Some(directions) = self.kernel.directions() else {
            return Err(ProblemError::NoFactor);
        };
        check_shape("probe_factor", factor, None, Some(directions.nrows()), "the factor of the kernel")?;
        let factor = product(factor, directions);
        self.holding_out(features, factor)
    }

    fn of_parts(
        features: DMatrix<f64>,
        kernel: Kernel,
        targets: DMatrix<f64>,
        kernel_tolerance: f64,
    ) -> Self {
        let (features, factors) = (Arc::new(features), OnceLock::new());
        Self { features, kernel, targets, held_out: None, kernel_tolerance, factors, on_features: false }
    }

    /// Adds held-out inputs by their features (P×h) and their kernel with the training samples (P×N).
    pub fn with_held_out(
        mut self,
        features: DMatrix<f64>,
        kernel: DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        check("probe_features", &features)?;
        check("probe_kernel", &kernel)?;
        let p = features.nrows();
        check_shape("probe_features", &features, None, Some(self.width()), "`features`")?;
        check_shape(
            "probe_kernel",
            &kernel,
            Some(p),
            Some(self.samples()),
            "one row for each held-out input and one column for each sample",
        )?;
        // For a positive semidefinite kernel the part of k(x) along an eigenvector of eigenvalue λ is
        // at most sqrt(λ κ(x, x)), so an eigenvalue lost to rounding may leave its square root here.
        let tolerance = self.kernel_tolerance.sqrt();
        let modes = self.kernel.modes();
        let mut factor = product(&kernel, modes);
        let mut outside = kernel.clone();
        multiply(outside.as_mut_slice(), true, -1.0, (&factor).into(), Factor::from(modes).t());
        for (row, (part, whole)) in outside.row_iter().zip(kernel.row_iter()).enumerate() {
            let relative = part.norm() / whole.norm();
            if relative > tolerance {
                return Err(ProblemError::HeldOutRange { row, relative, tolerance });
            }
        }
        for (mut column, lambda) in factor.column_iter_mut().zip(self.kernel.eigenvalues().iter()) {
            column /= lambda.sqrt();
        }
        self.held_out =
            Some(HeldOut { features, factor: Arc::new(factor), given: Some(Arc::new(kernel)) });
        Ok(self)
    }

    /// Adds held-out inputs of the linear model: inputs (P×d), with the X and B₀ of the problem.
    pub fn with_held_out_inputs(
        self,
        held_out: &DMatrix<f64>,
        inputs: &DMatrix<f64>,
        backbone: &DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        check("probe_inputs", held_out)?;
        check_shape("probe_inputs", held_out, None, Some(inputs.ncols()), "`inputs`")?;
        check("inputs", inputs)?;
        check("backbone", backbone)?;
        check_shape("inputs", inputs, Some(self.samples()), None, "one row for each sample")?;
        check_shape(
            "backbone",
            backbone,
            Some(self.width()),
            Some(inputs.ncols()),
            "one row for each feature and one column for each input",
        )?;
        let difference = inputs * backbone.transpose() - &*self.features;
        for (row, gaps) in difference.row_iter().enumerate() {
            let gap = gaps.amax() / self.features.amax();
            if gap > 1e-9 {
                return Err(ProblemError::OtherInputs { row, gap });
            }
        }
        let features = held_out * backbone.transpose();
        check_formed("the held-out features", "`probe_inputs` and `backbone`", &features)?;
        match self.kernel.directions() {
            Some(directions) if directions.nrows() == held_out.ncols() => {
                let factor = product(held_out, directions);
                self.holding_out(features, factor)
            }
            _ => {
                let kernel = held_out * inputs.transpose();
                check_formed("the held-out kernel", "`probe_inputs` and `inputs`", &kernel)?;
                self.with_held_out(features, kernel)
            }
        }
    }

    /// Adds held-out inputs of a problem [on features](Self::on_features) by their features (P×h).
    ///
    /// # Errors
    ///
    /// Any other problem, whose kernel these features do not tell.
    pub fn with_held_out_features(self, features: DMatrix<f64>) -> Result<Self, ProblemError> {
        if !self.on_features {
            return Err(ProblemError::NotOnFeatures);
        }
        check("probe_features", &features)?;
        check_shape("probe_features", &features, None, Some(self.width()), "`features`")?;
        match self.kernel.directions() {
            Some(directions) if directions.nrows() == features.ncols() => {
                let factor = product(&features, directions);
                self.holding_out(features, factor)
            }
            _ => {
                let kernel = &features * self.features.transpose();
                check_formed("the held-out kernel", "`probe_features` and `features`", &kernel)?;
                self.with_held_out(features, kernel)
            }
        }
    }

    fn holding_out(
        mut self,
        features: DMatrix<f64>,
        factor: DMatrix<f64>,
    ) -> Result<Self, ProblemError> {
        check("probe_features", &features)?;
        check_shape("probe_features", &features, None, Some(self.width()), "`features`")?;
        self.held_out = Some(HeldOut { features, factor: Arc::new(factor), given: None });
        Ok(self)
    }

    /// Number of training samples N.
    pub fn samples(&self) -> usize {
        self.targets.nrows()
    }

    /// Feature width h.
    pub fn width(&self) -> usize {
        self.features.ncols()
    }

    /// Number of outputs k.
    pub fn outputs(&self) -> usize {
        self.targets.ncols()
    }

    /// Z₀, N×h.
    pub fn features(&self) -> &DMatrix<f64> {
        &self.features
    }

    /// K with its eigenvectors.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Whether the backbone is one more linear layer on the features ([`Self::on_features`]).
    pub fn is_on_features(&self) -> bool {
        self.on_features
    }

    /// Y, N×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        &self.targets
    }

    /// The held-out inputs, if there are any.
    pub fn held_out(&self) -> Option<&HeldOut> {
        self.held_out.as_ref()
    }

    /// The kernel between held-out inputs and training samples, P×N: as it was given, or else formed here.
    pub fn held_out_kernel(&self) -> Option<DMatrix<f64>> {
        self.held_out.as_ref().map(|held_out| match &held_out.given {
            Some(kernel) => (**kernel).clone(),
            None => product(&*held_out.factor, Factor::from(&self.kernel.factor()).t()),
        })
    }

    /// The features, shared.
    pub(crate) fn shared_features(&self) -> Arc<DMatrix<f64>> {
        self.features.clone()
    }

    /// The decomposition of the features, made once for all heads.
    pub(crate) fn factors(&self) -> Result<&Factors, DecompositionError> {
        if let Some(factors) = self.factors.get() {
            return Ok(factors);
        }
        let factors = Factors::of(&self.features)?;
        Ok(self.factors.get_or_init(|| factors))
    }

    /// The largest singular value of the features.
    pub(crate) fn feature_scale(&self) -> Result<f64, ProblemError> {
        Ok(self.factors()?.s.amax())
    }

    /// Checks a head V (h×k) against this problem.
    pub fn check_head(&self, head: &DMatrix<f64>) -> Result<(), ProblemError> {
        check("head", head)?;
        check_shape(
            "head",
            head,
            Some(self.width()),
            Some(self.outputs()),
            "one row for each feature and one column for each target",
        )
    }

    /// The residual R = Y − Z₀V, N×k, of a head (h×k), rounded as if it were summed with twice the digits.
    ///
    /// # Panics
    ///
    /// A head that is not h×k.
    pub fn residual(&self, head: &DMatrix<f64>) -> DMatrix<f64> {
        assert!(head.shape() == (self.width(), self.outputs()), "a head that is not h×k");
        crate::product::residual(&self.targets, &self.features, head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use nalgebra::dmatrix;

    fn message(r: Result<Problem, ProblemError>) -> String {
        r.unwrap_err().to_string()
    }

    #[test]
    fn shapes_are_checked_with_their_values() {
        let m =
            message(Problem::new(DMatrix::zeros(3, 2), DMatrix::identity(2, 2), DMatrix::zeros(2, 1)));
        assert_eq!(m, "`features` is 3x2, but one row for each row of `targets` needs 2x*");
        let m =
            message(Problem::new(DMatrix::zeros(2, 2), DMatrix::identity(3, 3), DMatrix::zeros(2, 1)));
        assert!(m.starts_with("`kernel` is 3x3"), "{m}");
        let m = message(Problem::new(DMatrix::zeros(0, 2), DMatrix::zeros(0, 0), DMatrix::zeros(0, 1)));
        assert!(m.contains("`targets` is empty (0x1)"), "{m}");
        let m =
            message(Problem::linear(&DMatrix::zeros(2, 3), &DMatrix::zeros(4, 2), DMatrix::zeros(2, 1)));
        assert!(m.starts_with("`backbone` is 4x2"), "{m}");
    }

    #[test]
    fn values_are_checked_with_their_place() {
        let m = message(Problem::new(
            dmatrix![1.0; f64::NAN],
            DMatrix::identity(2, 2),
            DMatrix::zeros(2, 1),
        ));
        assert_eq!(m, "`features` holds NaN at row 1, column 0; all values must be finite");
    }

    #[test]
    fn asymmetry_and_indefiniteness_are_reported_with_their_size() {
        let features = DMatrix::from_element(2, 1, 1.0);
        let targets = features.clone();
        let m = message(Problem::new(features.clone(), dmatrix![1.0, 0.5; 0.25, 1.0], targets.clone()));
        assert!(m.contains("differ by 0.25"), "{m}");
        let m = message(Problem::new(features.clone(), dmatrix![1.0, 2.0; 2.0, 1.0], targets.clone()));
        assert!(m.contains("smallest eigenvalue is -1"), "{m}");
        let rounding = dmatrix![1.0, 1.0; 1.0, 1.0 - 1e-15];
        assert_eq!(Problem::new(features, rounding, targets).unwrap().kernel().rank(), 1);
    }

    #[test]
    fn a_zero_kernel_is_a_backbone_that_cannot_move() {
        let p = Problem::new(dmatrix![1.0], dmatrix![0.0], dmatrix![1.0]).unwrap();
        assert_eq!(p.kernel().rank(), 0);
    }

    #[test]
    fn held_out_factors_are_those_of_their_kernels() {
        let (x, b) = (wobble(5, 3, 1.0), wobble(4, 3, 2.0));
        let held = wobble(2, 3, 3.0);
        let kernel = &held * x.transpose();
        let problem = Problem::linear(&x, &b, wobble(5, 2, 4.0)).unwrap();
        let by_inputs = problem.clone().with_held_out_inputs(&held, &x, &b).unwrap();
        let by_kernel = problem.with_held_out(&held * b.transpose(), kernel.clone()).unwrap();
        let factor = |p: &Problem| p.held_out().unwrap().factor().clone();
        assert!((factor(&by_inputs) - factor(&by_kernel)).norm() < 1e-13);
        assert!((by_inputs.held_out_kernel().unwrap() - &kernel).norm() < 1e-13);
        assert_eq!(by_kernel.held_out_kernel().unwrap(), kernel);

        let on_features = Problem::on_features(x.clone(), wobble(5, 2, 4.0)).unwrap();
        let on_features = on_features.with_held_out_features(held.clone()).unwrap();
        assert!((on_features.held_out_kernel().unwrap() - kernel).norm() < 1e-13);
    }

    /// Once their kernel was made up from the features, or from inputs of another problem.
    #[test]
    fn held_out_inputs_of_another_problem_are_refused() {
        let (x, b, held) = (wobble(5, 3, 1.0), wobble(4, 3, 2.0), wobble(2, 3, 3.0));
        let y = wobble(5, 2, 4.0);
        let linear = Problem::linear(&x, &b, y.clone()).unwrap();
        let other = linear.clone().with_held_out_inputs(&held, &x, &(&b * 7.0)).unwrap_err();
        assert!(other.to_string().contains("do not give the features"), "{other}");
        let narrow = linear.clone().with_held_out_inputs(&held, &x, &wobble(4, 2, 0.0)).unwrap_err();
        assert!(narrow.to_string().starts_with("`backbone` is 4x2"), "{narrow}");
        let short = linear.clone().with_held_out_inputs(&held, &wobble(4, 3, 1.0), &b).unwrap_err();
        assert!(short.to_string().starts_with("`inputs` is 4x3"), "{short}");
        let factor = Problem::with_factor(x.clone(), &x, y.clone()).unwrap();
        let given = Problem::new(x.clone(), DMatrix::identity(5, 5), y).unwrap();
        for tolerance in [f64::NAN, -1.0, 1.0, f64::INFINITY] {
            let (x, y) = (x.clone(), wobble(5, 2, 4.0));
            let error = Problem::with_tolerance(x, DMatrix::identity(5, 5), y, tolerance).unwrap_err();
            assert!(error.to_string().contains("accepted: a number from 0 to 0.1"), "{error}");
        }
        for problem in [linear, factor, given] {
            let held = wobble(2, problem.width(), 3.0);
            let error = problem.with_held_out_features(held).unwrap_err();
            assert_eq!(error, ProblemError::NotOnFeatures);
        }
    }

    #[test]
    fn rows_of_a_factor_are_the_kernel_of_all() {
        let (x, b, held) = (wobble(5, 3, 1.0), wobble(4, 3, 2.0), wobble(2, 3, 3.0));
        let problem = Problem::with_factor(&x * b.transpose(), &x, wobble(5, 2, 4.0)).unwrap();
        let problem = problem.with_held_out_factor(&held * b.transpose(), &held).unwrap();
        assert!((problem.kernel().to_matrix() - &x * x.transpose()).norm() < 1e-13);
        assert!((problem.held_out_kernel().unwrap() - &held * x.transpose()).norm() < 1e-13);
        assert!(!problem.is_on_features());
        let wrong = problem.with_held_out_factor(wobble(2, 4, 0.0), &wobble(2, 2, 0.0)).unwrap_err();
        assert!(wrong.to_string().starts_with("`probe_factor` is 2x2"), "{wrong}");
        let given = Problem::new(x, DMatrix::identity(5, 5), wobble(5, 2, 4.0)).unwrap();
        let wrong = given.with_held_out_factor(wobble(2, 3, 0.0), &wobble(2, 5, 0.0)).unwrap_err();
        assert!(wrong.to_string().contains("no factor"), "{wrong}");
    }

    #[test]
    fn impossible_held_out_kernels_are_refused() {
        let p = Problem::new(DMatrix::identity(2, 2), dmatrix![1.0, 0.0; 0.0, 0.0], dmatrix![1.0; 1.0])
            .unwrap();
        let m = message(p.clone().with_held_out(dmatrix![1.0, 0.0], dmatrix![0.0, 1.0]));
        assert!(m.contains("leaves the range of the kernel by 1"), "{m}");
        assert!(p.with_held_out(dmatrix![1.0, 0.0], dmatrix![1.0, 0.0]).is_ok());
    }
}
