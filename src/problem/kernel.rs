//! The kernel of a backbone as a factor, K = F Fᵀ.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::error::{ProblemError, check, check_shape};
use crate::graded::Graded;
use crate::linalg::{Eigen, Factors, null_threshold, rank};

/// Ratio of the eigenvalues of a kernel from which on the ordinary decomposition keeps their digits.
const ORDINARY: f64 = 1e-4;

/// The most rows of a kernel whose small eigenvalues are found to high relative accuracy.
const GRADED_ROWS: usize = 64;

/// How far singular vectors from both sides may differ for a positive eigenvalue.
const ONE_SIGN: f64 = 1e-8;

/// A symmetric positive semidefinite N×N kernel K = F Fᵀ of the backbone: XXᵀ for the linear model, any empirical
/// tangent kernel for another.
///
/// It is kept as the factor F = U Λ^{1/2} (N×r) with orthonormal modes U and the positive eigenvalues Λ. No N×N
/// matrix is formed but the one that is given. Clones share the factor.
#[derive(Debug, Clone)]
pub struct Kernel {
    modes: Arc<DMatrix<f64>>,
    eigenvalues: DVector<f64>,
    /// What rounding leaves open of each eigenvalue, relative.
    doubt: DVector<f64>,
    /// The matrix, if the kernel was given as one.
    given: Option<Arc<DMatrix<f64>>>,
    /// Right singular vectors W of the inputs X (d×r), if the kernel is XXᵀ: then F = XW.
    directions: Option<Arc<DMatrix<f64>>>,
}

impl Kernel {
    /// Takes a kernel matrix (N×N) and checks that it is symmetric and positive semidefinite up to
    /// `tolerance`, relative to its largest entry and eigenvalue. What lies within the tolerance is
    /// taken for rounding: the symmetric part is used, negative eigenvalues are zero.
    ///
    /// # Errors
    ///
    /// [`ProblemError::Asymmetric`], [`ProblemError::Indefinite`], a tolerance outside [0, 0.1], and those of any array.
    pub fn new(matrix: DMatrix<f64>, tolerance: f64) -> Result<Self, ProblemError> {
        if !(0.0..=0.1).contains(&tolerance) {
            return Err(ProblemError::Tolerance { tolerance });
        }
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
        let small = r > 0 && eigen.d[r - 1] < ORDINARY * eigen.d[0];
        let known = if small && n <= GRADED_ROWS { with_own_digits(&matrix, &eigen)? } else { None };
        let (modes, eigenvalues, doubt) = known.unwrap_or_else(|| {
            let (q, d) = (eigen.q.columns(0, r).into_owned(), eigen.d.rows(0, r).into_owned());
            let doubt = d.map(|value| f64::EPSILON * d[0] / value);
            (q, d, doubt)
        });
        Ok(Self {
            modes: Arc::new(modes),
            eigenvalues,
            doubt,
            given: Some(Arc::new(matrix)),
            directions: None,
        })
    }

    /// K = XXᵀ from inputs X (N×d), with eigenvalues from the singular values of X, which keeps the
    /// small ones accurate when X is ill-conditioned. It takes N·d numbers, not N².
    ///
    /// # Errors
    ///
    /// Those of the decomposition of X, and [`ProblemError::Overflow`] where the squares of X are beyond f64.
    pub fn of_inputs(inputs: &DMatrix<f64>) -> Result<Self, ProblemError> {
        Self::of_factors(&Factors::of(inputs)?, "`inputs`")
    }

    /// XXᵀ from the decomposition of X, the array `from`.
    pub(super) fn of_factors(inputs: &Factors, from: &'static str) -> Result<Self, ProblemError> {
        let eigenvalues = inputs.s.map(|s| s * s);
        if !eigenvalues.iter().all(|value| value.is_finite()) {
            let row = (&*inputs.u * DMatrix::from_diagonal(&inputs.s))
                .row_iter()
                .map(|row| row.norm())
                .enumerate()
                .fold((0, 0.0), |best, row| if row.1 > best.1 { row } else { best })
                .0;
            return Err(ProblemError::Overflow { formed: "the kernel", from, row });
        }
        let largest = inputs.s.as_slice().first().copied().unwrap_or(0.0);
        Ok(Self {
            modes: inputs.u.clone(),
            eigenvalues,
            doubt: inputs.s.map(|s| 2.0 * f64::EPSILON * largest / s),
            given: None,
            directions: Some(inputs.w.clone()),
        })
    }

    /// The factor F = U Λ^{1/2}, N×r.
    pub fn factor(&self) -> DMatrix<f64> {
        let mut factor = (*self.modes).clone();
        for (mut column, lambda) in factor.column_iter_mut().zip(self.eigenvalues.iter()) {
            column *= lambda.sqrt();
        }
        factor
    }

    /// K, N×N: the matrix that was given, or else F Fᵀ, formed here.
    pub fn to_matrix(&self) -> DMatrix<f64> {
        match &self.given {
            Some(matrix) => (**matrix).clone(),
            None => {
                let factor = self.factor();
                &factor * factor.transpose()
            }
        }
    }

    /// Orthonormal eigenvectors U of the positive eigenvalues, N×r.
    pub fn modes(&self) -> &DMatrix<f64> {
        &self.modes
    }

    /// The r positive eigenvalues Λ, descending. Eigenvalues that are zero to rounding are left out.
    pub fn eigenvalues(&self) -> &DVector<f64> {
        &self.eigenvalues
    }

    /// The relative error that rounding may leave in each eigenvalue: small beside the largest, it is known to a
    /// rounding of the largest, unless its own digits were found.
    pub(crate) fn doubt(&self) -> &DVector<f64> {
        &self.doubt
    }

    /// The rank r.
    pub fn rank(&self) -> usize {
        self.eigenvalues.len()
    }

    /// The modes, shared.
    pub(crate) fn shared_modes(&self) -> Arc<DMatrix<f64>> {
        self.modes.clone()
    }

    /// W (d×r) of the inputs that the kernel is made of.
    pub(super) fn directions(&self) -> Option<&DMatrix<f64>> {
        self.directions.as_deref()
    }
}

/// Modes, eigenvalues and the relative error of each.
type Decomposed = (DMatrix<f64>, DVector<f64>, DVector<f64>);

/// The modes of a positive semidefinite matrix: each to high relative accuracy, and
/// those that are zero to rounding left out. None where rounding has made the matrix indefinite.
fn with_own_digits(matrix: &DMatrix<f64>, eigen: &Eigen) -> Result<Option<Decomposed>, ProblemError> {
    let n = matrix.nrows();
    let Graded { u, s, w, doubt } = Graded::new(matrix)?;
    let r = rank(&s, n);
    // Singular vectors from the left and from the right are the same where the eigenvalue is positive.
    let zero = null_threshold(n);
    let one_sign = (0..r).all(|j| (u.column(j) - w.column(j)).norm() < ONE_SIGN);
    let close = eigen.d.iter().zip(s.iter()).take(r).all(|(d, s)| (d - s).abs() <= zero * eigen.d[0]);
    Ok((one_sign && close && doubt[..r].iter().all(|&d| d < 1.0)).then(|| {
        let doubt = doubt[..r].iter().map(|d| d.max(f64::EPSILON));
        (
            u.columns(0, r).into_owned(),
            DVector::from_column_slice(&s[..r]),
            DVector::from_iterator(r, doubt),
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;

    #[test]
    fn the_factor_of_inputs_gives_their_product() {
        for (rows, columns) in [(4, 6), (7, 3), (300, 5)] {
            let x = wobble(rows, columns, 1.0);
            let kernel = Kernel::of_inputs(&x).unwrap();
            let product = &x * x.transpose();
            assert!((kernel.to_matrix() - &product).norm() < 1e-13 * product.norm());
            // F = XW
            let image = &x * kernel.directions().unwrap();
            assert!((kernel.factor() - image).norm() < 1e-13 * x.norm());
        }
    }

    #[test]
    fn a_given_matrix_is_given_back() {
        let x = wobble(4, 6, 1.0);
        let given = &x * x.transpose();
        let kernel = Kernel::new(given.clone(), 1e-10).unwrap();
        assert_eq!(kernel.to_matrix(), given);
        let factor = kernel.factor();
        assert!((&factor * factor.transpose() - given).norm() < 1e-13);
    }

    #[test]
    fn squares_beyond_double_precision_are_an_error() {
        let error = Kernel::of_inputs(&(wobble(3, 2, 1.0) * 1e200)).unwrap_err();
        assert!(
            error.to_string().starts_with("the values of `inputs` are too large at row "),
            "{error}"
        );
    }
}
