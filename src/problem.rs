//! The one problem that everything else takes: features Z₀, kernel K and targets Y.
//!
//! The two-layer linear model, a feature matrix from a file and the empirical tangent kernel of a
//! real backbone are three ways to make a [`Problem`]; whoever takes one never asks which.

use nalgebra::{DMatrix, DVector};

use crate::linalg::{DecompositionError, Eigen, Svd, first_not_finite, null_threshold, rank};

/// Relative asymmetry and negative eigenvalue that a kernel in f64 may have from rounding.
pub const KERNEL_TOLERANCE: f64 = 1e-10;

/// The same for a kernel that was stored in single precision.
pub const KERNEL_TOLERANCE_F32: f64 = 1e-5;

/// What is wrong with the arrays offered for a problem or a head.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProblemError {
    /// An array has no rows or no columns.
    #[error("`{array}` is empty ({rows}x{columns}); every dimension must be at least 1")]
    Empty {
        /// Name of the array.
        array: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// Two arrays do not fit together.
    #[error("`{array}` is {rows}x{columns}, but {because} needs {expected}")]
    Shape {
        /// Name of the array.
        array: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// What the shape has to fit.
        because: &'static str,
        /// The shape that fits.
        expected: String,
    },
    /// A NaN or an infinity.
    #[error("`{array}` holds {value} at row {row}, column {column}; all values must be finite")]
    NotFinite {
        /// Name of the array.
        array: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// The kernel is not symmetric.
    #[error(
        "the kernel is not symmetric: entries ({row}, {column}) and ({column}, {row}) differ by {gap:e}, \
         which is {relative:e} of the largest entry (accepted: {tolerance:e})"
    )]
    Asymmetric {
        /// Row of the worst pair.
        row: usize,
        /// Column of the worst pair.
        column: usize,
        /// Their absolute difference.
        gap: f64,
        /// The difference divided by the largest entry.
        relative: f64,
        /// The relative difference that would be accepted.
        tolerance: f64,
    },
    /// The kernel has a negative eigenvalue.
    #[error(
        "the kernel is not positive semidefinite: its smallest eigenvalue is {smallest:e}, \
         {relative:e} of the largest magnitude {largest:e} (accepted: down to -{tolerance:e} of it)"
    )]
    Indefinite {
        /// The most negative eigenvalue.
        smallest: f64,
        /// The eigenvalue of the largest magnitude.
        largest: f64,
        /// Their ratio.
        relative: f64,
        /// The relative size that would be accepted.
        tolerance: f64,
    },
    /// A held-out kernel row is impossible for a positive semidefinite kernel.
    #[error(
        "row {row} of the held-out kernel leaves the range of the kernel by {relative:e} of its length \
         (accepted: {tolerance:e}): no positive semidefinite kernel has both"
    )]
    HeldOutRange {
        /// The held-out sample, from 0.
        row: usize,
        /// Length of the part outside the range over the length of the row.
        relative: f64,
        /// The ratio that would be accepted.
        tolerance: f64,
    },
    /// Targets that the loss does not take.
    #[error(transparent)]
    Loss(#[from] crate::loss::LossError),
    /// A decomposition failed.
    #[error(transparent)]
    Decomposition(#[from] DecompositionError),
}

/// Checks that an array has entries and that all are finite.
#[doc(hidden)]
pub fn check(array: &'static str, a: &DMatrix<f64>) -> Result<(), ProblemError> {
    if a.is_empty() {
        return Err(ProblemError::Empty { array, rows: a.nrows(), columns: a.ncols() });
    }
    match first_not_finite(a) {
        Some((row, column, value)) => Err(ProblemError::NotFinite { array, row, column, value }),
        None => Ok(()),
    }
}

/// Checks a shape; `None` leaves a dimension free.
#[doc(hidden)]
pub fn check_shape(
    array: &'static str,
    a: &DMatrix<f64>,
    rows: Option<usize>,
    columns: Option<usize>,
    because: &'static str,
) -> Result<(), ProblemError> {
    let fits = rows.is_none_or(|n| n == a.nrows()) && columns.is_none_or(|n| n == a.ncols());
    if fits {
        return Ok(());
    }
    let text = |n: Option<usize>| n.map_or("*".to_owned(), |n| n.to_string());
    Err(ProblemError::Shape {
        array,
        rows: a.nrows(),
        columns: a.ncols(),
        because,
        expected: format!("{}x{}", text(rows), text(columns)),
    })
}

/// A symmetric positive semidefinite N×N kernel K = U diag(λ) Uᵀ of the backbone: XXᵀ for the
/// linear model, any empirical tangent kernel for another.
#[derive(Debug, Clone)]
pub struct Kernel {
    matrix: DMatrix<f64>,
    modes: DMatrix<f64>,
    eigenvalues: DVector<f64>,
}

impl Kernel {
    /// Takes a kernel matrix (N×N) and checks that it is symmetric and positive semidefinite up to
    /// `tolerance`, relative to its largest entry and eigenvalue. What lies within the tolerance is
    /// taken for rounding: the symmetric part is used, negative eigenvalues are zero.
    pub fn new(matrix: DMatrix<f64>, tolerance: f64) -> Result<Self, ProblemError> {
        check("kernel", &matrix)?;
        let n = matrix.nrows();
        check_shape("kernel", &matrix, Some(n), Some(n), "a kernel")?;
        let scale = matrix.amax();
        let (mut gap, mut at) = (0.0, (0, 0));
        for r in 0..n {
            for c in 0..r {
                let difference = (matrix[(r, c)] - matrix[(c, r)]).abs();
                if difference > gap {
                    (gap, at) = (difference, (r, c));
                }
            }
        }
        if gap > tolerance * scale {
            return Err(ProblemError::Asymmetric {
                row: at.0,
                column: at.1,
                gap,
                relative: gap / scale,
                tolerance,
            });
        }
        let matrix = DMatrix::from_fn(n, n, |r, c| matrix[(r, c)] / 2.0 + matrix[(c, r)] / 2.0);
        let eigen = Eigen::new(&matrix)?;
        let smallest = eigen.d[n - 1];
        let largest = if smallest.abs() > eigen.d[0].abs() { smallest } else { eigen.d[0] };
        if smallest < -tolerance.max(null_threshold(n)) * largest.abs() {
            return Err(ProblemError::Indefinite {
                smallest,
                largest,
                relative: (smallest / largest).abs(),
                tolerance,
            });
        }
        let r = rank(eigen.d.as_slice(), n);
        Ok(Self {
            matrix,
            modes: eigen.q.columns(0, r).into_owned(),
            eigenvalues: eigen.d.rows(0, r).into_owned(),
        })
    }

    /// K = XXᵀ from inputs X (N×d), with eigenvalues from the singular values of X, which keeps the
    /// small ones accurate when X is ill-conditioned.
    pub fn of_inputs(inputs: &DMatrix<f64>) -> Result<Self, ProblemError> {
        let svd = Svd::new(inputs)?;
        let r = svd.rank();
        Ok(Self {
            matrix: inputs * inputs.transpose(),
            modes: svd.u.columns(0, r).into_owned(),
            eigenvalues: svd.s.rows(0, r).map(|s| s * s),
        })
    }

    /// K, N×N.
    pub fn matrix(&self) -> &DMatrix<f64> {
        &self.matrix
    }

    /// Orthonormal eigenvectors of the positive eigenvalues, N×r.
    pub fn modes(&self) -> &DMatrix<f64> {
        &self.modes
    }

    /// The r positive eigenvalues, descending. Eigenvalues that are zero to rounding are left out.
    pub fn eigenvalues(&self) -> &DVector<f64> {
        &self.eigenvalues
    }

    /// The rank r.
    pub fn rank(&self) -> usize {
        self.eigenvalues.len()
    }
}

/// Inputs that are measured but not trained on.
#[derive(Debug, Clone)]
pub struct HeldOut {
    features: DMatrix<f64>,
    kernel: DMatrix<f64>,
}

impl HeldOut {
    /// Features before finetuning, P×h.
    pub fn features(&self) -> &DMatrix<f64> {
        &self.features
    }

    /// Kernel between held-out inputs and training samples, P×N.
    pub fn kernel(&self) -> &DMatrix<f64> {
        &self.kernel
    }
}

/// A finetuning problem: features Z₀ (N×h), kernel K (N×N, positive semidefinite) and targets Y
/// (N×k), with held-out inputs if wanted. Validated once, here.
#[derive(Debug, Clone)]
pub struct Problem {
    features: DMatrix<f64>,
    kernel: Kernel,
    targets: DMatrix<f64>,
    held_out: Option<HeldOut>,
    kernel_tolerance: f64,
}

impl Problem {
    /// A problem from features (N×h), any positive semidefinite kernel (N×N) and targets (N×k).
    ///
    /// ```
    /// use nalgebra::{DMatrix, dmatrix};
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
        Ok(Self { features, kernel, targets, held_out: None, kernel_tolerance })
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
        check("features", &features)?;
        check("kernel", kernel.matrix())?;
        Ok(Self { features, kernel, targets, held_out: None, kernel_tolerance: KERNEL_TOLERANCE })
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
        let outside = &kernel - (&kernel * modes) * modes.transpose();
        for (row, (part, whole)) in outside.row_iter().zip(kernel.row_iter()).enumerate() {
            let relative = part.norm() / whole.norm();
            if relative > tolerance {
                return Err(ProblemError::HeldOutRange { row, relative, tolerance });
            }
        }
        self.held_out = Some(HeldOut { features, kernel });
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
        self.with_held_out(held_out * backbone.transpose(), held_out * inputs.transpose())
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

    /// Y, N×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        &self.targets
    }

    /// The held-out inputs, if there are any.
    pub fn held_out(&self) -> Option<&HeldOut> {
        self.held_out.as_ref()
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
    pub fn residual(&self, head: &DMatrix<f64>) -> DMatrix<f64> {
        crate::product::residual(&self.targets, &self.features, head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(m.contains("differ by 2.5e-1"), "{m}");
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
    fn kernel_of_inputs_equals_the_product() {
        let x = DMatrix::from_fn(4, 6, |r, c| ((r * 5 + c * 2) as f64).cos());
        let k = Kernel::of_inputs(&x).unwrap();
        let product = k.modes() * DMatrix::from_diagonal(k.eigenvalues()) * k.modes().transpose();
        assert!((product - k.matrix()).norm() < 1e-13);
    }

    #[test]
    fn impossible_held_out_kernels_are_refused() {
        let p = Problem::new(DMatrix::identity(2, 2), dmatrix![1.0, 0.0; 0.0, 0.0], dmatrix![1.0; 1.0])
            .unwrap();
        let m = message(p.clone().with_held_out(dmatrix![1.0, 0.0], dmatrix![0.0, 1.0]));
        assert!(m.contains("leaves the range of the kernel by 1e0"), "{m}");
        assert!(p.with_held_out(dmatrix![1.0, 0.0], dmatrix![1.0, 0.0]).is_ok());
    }
}
