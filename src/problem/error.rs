//! What can be wrong with the arrays of a problem, and the checks that find it.

use nalgebra::DMatrix;

use crate::linalg::{DecompositionError, first_not_finite};
use crate::setting::Number;

/// What is wrong with the arrays offered for a problem or a head.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
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
    /// Held-out rows of a factor for a kernel that was given as a matrix.
    #[error("the kernel was given as a matrix and has no factor; accepted: rows of the kernel")]
    NoFactor,
    /// A tolerance of the kernel that is none.
    #[error("a tolerance of the kernel of {tolerance} is not valid; accepted: a number from 0 to 0.1")]
    Tolerance {
        /// The value.
        tolerance: f64,
    },
    /// Held-out features alone, for a kernel that is not that of the features.
    #[error(
        "the kernel is not that of the features, so held-out features alone do not say what moves them; accepted: their \
         rows of the kernel or of its factor, or held-out inputs"
    )]
    NotOnFeatures,
    /// Inputs and backbone that are not those of the problem.
    #[error(
        "`inputs` and `backbone` do not give the features of the problem: sample {row} is off by {gap:.1e} of the \
         largest feature (accepted: 1e-9)"
    )]
    OtherInputs {
        /// The sample, from 0.
        row: usize,
        /// The largest difference of one of its features, relative to the largest of all.
        gap: f64,
    },
    /// A quantity formed from the given arrays is beyond f64.
    #[error(
        "the values of {from} are too large at row {row}: {formed} made of them would be beyond double precision; \
         scale them down"
    )]
    Overflow {
        /// The quantity.
        formed: &'static str,
        /// The arrays that it is formed of.
        from: &'static str,
        /// The sample, from 0.
        row: usize,
    },
    /// The kernel is not symmetric.
    #[error(
        "the kernel is not symmetric: entries ({row}, {column}) and ({column}, {row}) differ by {}, \
         which is {} of the largest entry (accepted: {})",
        Number(*gap),
        Number(*relative),
        Number(*tolerance)
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
        "the kernel is not positive semidefinite: its smallest eigenvalue is {}, \
         {} of the largest magnitude {} (accepted: down to -{} of it)",
        Number(*smallest),
        Number(*relative),
        Number(*largest),
        Number(*tolerance)
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
        "row {row} of the held-out kernel leaves the range of the kernel by {} of its length \
         (accepted: {}): no positive semidefinite kernel has both",
        Number(*relative),
        Number(*tolerance)
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
///
/// # Errors
///
/// [`ProblemError::Empty`] or [`ProblemError::NotFinite`], with the name of the array.
pub fn check(array: &'static str, a: &DMatrix<f64>) -> Result<(), ProblemError> {
    if a.is_empty() {
        return Err(ProblemError::Empty { array, rows: a.nrows(), columns: a.ncols() });
    }
    match first_not_finite(a) {
        Some((row, column, value)) => Err(ProblemError::NotFinite { array, row, column, value }),
        None => Ok(()),
    }
}

/// Checks that what was formed of arrays is finite.
pub(super) fn check_formed(
    formed: &'static str,
    from: &'static str,
    a: &DMatrix<f64>,
) -> Result<(), ProblemError> {
    match first_not_finite(a) {
        Some((row, ..)) => Err(ProblemError::Overflow { formed, from, row }),
        None => Ok(()),
    }
}

/// Checks the shape of an array; `None` leaves a dimension free. `because` says what the shape has to fit.
///
/// # Errors
///
/// [`ProblemError::Shape`], with the name of the array.
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
