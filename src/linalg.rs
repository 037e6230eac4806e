//! The few decompositions that the project needs, each checked after it is made.
//!
//! A decomposition that did not converge, or that does not give its matrix back, is an error here
//! and never a wrong number further on.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use crate::product::{Factor, multiply, product};

/// Largest relative reconstruction error, per row and column, that a decomposition may have.
/// Backward stable algorithms stay below a small multiple of `n * EPSILON`; this leaves a factor of 100.
const RECONSTRUCTION: f64 = 100.0 * f64::EPSILON;

/// Relative size below which a singular value or an eigenvalue counts as zero, per row or column:
/// ten times the rounding error of the decomposition that produced it.
const RANK: f64 = 10.0 * f64::EPSILON;

/// Rows over columns, and rows, from which on the triangular factor of a matrix is decomposed instead of the matrix: it
/// is made in one pass over the rows, and the rotations see as many rows as columns only.
const TALL: usize = 2;
const TALL_ROWS: usize = 200;

/// A decomposition failed, so that nothing can be said about the matrix.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecompositionError {
    /// The iteration did not converge.
    #[error("the {kind} of a {rows}x{columns} matrix did not converge")]
    NoConvergence {
        /// Which decomposition.
        kind: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// An entry is not finite.
    #[error("the {kind} of a {rows}x{columns} matrix needs finite entries; one is {value}")]
    NotFinite {
        /// Which decomposition.
        kind: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// The first such entry.
        value: f64,
    },
    /// The factors do not multiply to the matrix.
    #[error(
        "the {kind} of a {rows}x{columns} matrix is inaccurate: relative reconstruction error {error:e}"
    )]
    Inaccurate {
        /// Which decomposition.
        kind: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// Relative Frobenius error of the product of the factors.
        error: f64,
    },
}

/// A thin singular value decomposition A = U diag(s) Wᵀ with s descending.
#[derive(Debug, Clone)]
pub struct Svd {
    /// Left singular vectors, rows × min(rows, columns).
    pub u: DMatrix<f64>,
    /// Singular values, descending.
    pub s: DVector<f64>,
    /// Right singular vectors, columns × min(rows, columns).
    pub w: DMatrix<f64>,
}

impl Svd {
    /// Decomposes a matrix; empty matrices have empty factors.
    pub fn new(a: &DMatrix<f64>) -> Result<Self, DecompositionError> {
        let (rows, columns) = a.shape();
        let kind = "singular value decomposition";
        let scale = scale(a, kind)?;
        if scale == 0.0 || rows.min(columns) == 0 {
            let m = rows.min(columns);
            return Ok(Self {
                u: DMatrix::identity(rows, m),
                s: DVector::zeros(m),
                w: DMatrix::identity(columns, m),
            });
        }
        if rows < columns {
            let Self { u, s, w } = Self::new(&a.transpose())?;
            return Ok(Self { u: w, s, w: u });
        }
        let mut scaled = a / scale;
        let Self { u, s, w } = if rows >= TALL * columns && rows >= TALL_ROWS {
            // Of a tall matrix the triangular factor is decomposed: A = QR = (Q U_R) diag(s) Wᵀ.
            let (q, r) = triangular(&scaled);
            let Self { u, s, w } = Self::jacobi(&r)?;
            Self { u: product(&q, &u), s, w }
        } else {
            Self::jacobi(&scaled)?
        };
        let size = scaled.norm();
        let mut weighted = u.clone();
        weighted.column_iter_mut().zip(s.iter()).for_each(|(mut column, s)| column *= *s);
        multiply(scaled.as_mut_slice(), true, -1.0, (&weighted).into(), Factor::from(&w).t());
        let error = scaled.norm() / size;
        if error.is_nan() || error > RECONSTRUCTION * (rows + columns) as f64 {
            return Err(DecompositionError::Inaccurate { kind, rows, columns, error });
        }
        Ok(Self { u, s: s * scale, w })
    }

    /// The decomposition of a matrix of moderate entries with at least as many rows as columns, not yet checked.
    fn jacobi(a: &DMatrix<f64>) -> Result<Self, DecompositionError> {
        let (rows, columns) = a.shape();
        // The library's result is a first guess only: on some small matrices its relative error is 1e-12.
        // One or two sweeps of one-sided Jacobi rotations make it accurate, small values included.
        let guess = right_vectors(a).map_or_else(|| DMatrix::identity(columns, columns), spanning_basis);
        // Columns below this are rounding of the others and need not be orthogonal to each other.
        let negligible = a.norm() * null_threshold(rows) / 100.0;
        let (image, w) =
            orthogonal_image(a, guess, negligible).ok_or(DecompositionError::NoConvergence {
                kind: "singular value decomposition",
                rows,
                columns,
            })?;

        let norms: Vec<f64> = image.column_iter().map(|c| c.norm()).collect();
        let mut order: Vec<usize> = (0..columns).collect();
        order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
        let s = DVector::from_iterator(columns, order.iter().map(|&i| norms[i]));
        let w = w.select_columns(&order);
        let mut u = image.select_columns(&order);
        let r = rank(s.as_slice(), rows);
        u.column_iter_mut().zip(s.iter()).take(r).for_each(|(mut column, s)| column /= *s);
        if r < columns {
            u = completed(&u, r, columns);
        }
        Ok(Self { u, s, w })
    }

    /// The number of singular values that are not zero to rounding.
    pub fn rank(&self) -> usize {
        let n = self.u.nrows().max(self.w.nrows());
        rank(self.s.as_slice(), n)
    }
}

/// The part of a singular value decomposition that is not zero to rounding, A = U diag(s) Wᵀ. Clones share U and W.
#[derive(Debug, Clone)]
pub(crate) struct Factors {
    /// Left singular vectors, rows × r.
    pub u: Arc<DMatrix<f64>>,
    /// Singular values, descending, r.
    pub s: DVector<f64>,
    /// Right singular vectors, columns × r.
    pub w: Arc<DMatrix<f64>>,
}

impl Factors {
    /// Decomposes a matrix.
    pub fn of(a: &DMatrix<f64>) -> Result<Self, DecompositionError> {
        let svd = Svd::new(a)?;
        let r = svd.rank();
        let first = |m: DMatrix<f64>| Arc::new(m.resize_horizontally(r, 0.0));
        Ok(Self { u: first(svd.u), s: svd.s.rows(0, r).into_owned(), w: first(svd.w) })
    }
}

/// Eigenvalues (descending) and orthonormal eigenvectors of a symmetric matrix, A = Q diag(d) Qᵀ.
#[derive(Debug, Clone)]
pub struct Eigen {
    /// Eigenvectors as columns.
    pub q: DMatrix<f64>,
    /// Eigenvalues, descending.
    pub d: DVector<f64>,
}

impl Eigen {
    /// Decomposes the symmetric part of a matrix.
    pub fn new(a: &DMatrix<f64>) -> Result<Self, DecompositionError> {
        let n = a.nrows();
        let kind = "symmetric eigendecomposition";
        let scale = scale(a, kind)?;
        if n == 0 || scale == 0.0 {
            return Ok(Self { q: DMatrix::identity(n, n), d: DVector::zeros(n) });
        }
        let scaled = (a / scale + a.transpose() / scale) / 2.0;
        let (values, vectors) = symmetric_eigen(&scaled).ok_or(DecompositionError::NoConvergence {
            kind,
            rows: n,
            columns: n,
        })?;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
        let d = DVector::from_iterator(n, order.iter().map(|&i| values[i]));
        let q = vectors.select_columns(&order);
        let mut product = DMatrix::zeros(n, n);
        let weighted = DMatrix::from_fn(n, n, |i, j| q[(i, j)] * d[j]);
        multiply(product.as_mut_slice(), false, 1.0, (&weighted).into(), Factor::from(&q).t());
        let error = (&scaled - product).norm() / scaled.norm();
        if error.is_nan() || error > RECONSTRUCTION * n as f64 {
            return Err(DecompositionError::Inaccurate { kind, rows: n, columns: n, error });
        }
        Ok(Self { q, d: d * scale })
    }
}

/// Rows from which on faer decomposes faster than nalgebra (measured: benches/RESULTS.md).
#[cfg(feature = "faer")]
const FAER_ROWS: usize = 12;

/// Columns from which on it does so by singular values.
#[cfg(feature = "faer")]
const FAER_COLUMNS: usize = 100;

/// Eigenvalues and eigenvectors of a symmetric matrix, not yet checked.
fn symmetric_eigen(a: &DMatrix<f64>) -> Option<(DVector<f64>, DMatrix<f64>)> {
    #[cfg(feature = "faer")]
    if a.nrows() >= FAER_ROWS {
        let (n, _) = a.shape();
        let view = faer::MatRef::from_column_major_slice(a.as_slice(), n, n);
        let eigen = view.self_adjoint_eigen(faer::Side::Lower).ok()?;
        let (s, u) = (eigen.S(), eigen.U());
        return Some((DVector::from_fn(n, |i, _| s[i]), DMatrix::from_fn(n, n, |i, j| u[(i, j)])));
    }
    let eigen = nalgebra::SymmetricEigen::try_new(a.clone(), f64::EPSILON, 10_000)?;
    Some((eigen.eigenvalues, eigen.eigenvectors))
}

/// The largest magnitude of a finite matrix; `amax` alone would pass over a NaN.
fn scale(a: &DMatrix<f64>, kind: &'static str) -> Result<f64, DecompositionError> {
    let (rows, columns) = a.shape();
    match a.iter().copied().find(|v| !v.is_finite()) {
        Some(value) => Err(DecompositionError::NotFinite { kind, rows, columns, value }),
        None => Ok(a.amax()),
    }
}

/// The number of leading values (descending, non-negative) that exceed the rounding error of a
/// decomposition of an n-row matrix.
pub fn rank(values: &[f64], n: usize) -> usize {
    let Some(&largest) = values.first() else { return 0 };
    let threshold = largest * null_threshold(n);
    values.iter().take_while(|&&v| v > threshold).count()
}

/// The relative size below which a value from a decomposition of an n-row matrix is zero to rounding.
pub fn null_threshold(n: usize) -> f64 {
    RANK * n.max(1) as f64
}

/// One-sided Jacobi rotations (Hestenes 1958): turns an orthogonal `w` until the columns of `a` · w that are larger
/// than `negligible` are orthogonal to rounding, and returns both.
pub(crate) fn orthogonal_image(
    a: &DMatrix<f64>,
    mut w: DMatrix<f64>,
    negligible: f64,
) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
    const SWEEPS: usize = 60;
    let n = a.ncols();
    let mut b = a * &w;
    for _ in 0..SWEEPS {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                let (x, y, cross) =
                    (b.column(p).norm(), b.column(q).norm(), b.column(p).dot(&b.column(q)));
                if x.min(y) <= negligible || cross.abs() <= 8.0 * f64::EPSILON * x * y {
                    continue;
                }
                turned = true;
                let zeta = (y - x) * (y + x) / (2.0 * cross);
                let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let c = t.hypot(1.0).recip();
                rotate(&mut b, p, q, c, c * t);
                rotate(&mut w, p, q, c, c * t);
            }
        }
        if !turned {
            return Some((b, w));
        }
    }
    None
}

fn rotate(a: &mut DMatrix<f64>, p: usize, q: usize, c: f64, s: f64) {
    for i in 0..a.nrows() {
        let (x, y) = (a[(i, p)], a[(i, q)]);
        (a[(i, p)], a[(i, q)]) = (c * x - s * y, s * x + c * y);
    }
}

/// The first r columns of `u`, which are orthonormal, completed to `columns` orthonormal columns (at most as many as
/// rows).
pub fn completed(u: &DMatrix<f64>, r: usize, columns: usize) -> DMatrix<f64> {
    let n = u.nrows();
    let mut all = DMatrix::zeros(n, r + columns);
    all.columns_mut(0, r).copy_from(&u.columns(0, r));
    all.columns_mut(r, columns).fill_with_identity();
    // However dependent the columns are, those of Q are orthonormal.
    let mut q = spanning_basis(all).columns(0, columns).into_owned();
    q.columns_mut(0, r).copy_from(&u.columns(0, r));
    q
}

/// An orthonormal basis (rows × min(rows, columns)) whose span contains every column of `a`.
/// Householder QR: no rank is decided, so nothing is lost.
pub fn spanning_basis(a: DMatrix<f64>) -> DMatrix<f64> {
    nalgebra::QR::new(a).q()
}

/// Q (rows × columns) and R of a matrix with more rows than columns.
#[cfg(feature = "faer")]
fn triangular(a: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let (rows, columns) = a.shape();
    let qr = faer::MatRef::from_column_major_slice(a.as_slice(), rows, columns).qr();
    let r = qr.thin_R();
    let r = DMatrix::from_fn(columns, columns, |i, j| if i <= j { r[(i, j)] } else { 0.0 });
    let q = qr.compute_thin_Q();
    drop(qr);
    (DMatrix::from_fn(rows, columns, |i, j| q[(i, j)]), r)
}

/// The same without faer.
#[cfg(not(feature = "faer"))]
fn triangular(a: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let qr = nalgebra::QR::new(a.clone());
    (qr.q(), qr.r())
}

/// Right singular vectors (columns × columns) of a matrix with at least as many rows, as a library gives them.
fn right_vectors(a: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    #[cfg(feature = "faer")]
    if a.ncols() >= FAER_COLUMNS {
        let (rows, columns) = a.shape();
        let svd = faer::MatRef::from_column_major_slice(a.as_slice(), rows, columns).thin_svd().ok()?;
        let v = svd.V();
        return Some(DMatrix::from_fn(columns, columns, |i, j| v[(i, j)]));
    }
    let svd = nalgebra::SVD::try_new(a.clone(), false, true, f64::EPSILON, 10_000)?;
    Some(svd.v_t?.transpose())
}

/// The mean Euclidean norm of the rows.
pub fn mean_row_norm(a: &DMatrix<f64>) -> f64 {
    a.row_iter().map(|row| row.norm()).sum::<f64>() / a.nrows() as f64
}

/// The first entry that is not finite, as (row, column, value).
pub fn first_not_finite(a: &DMatrix<f64>) -> Option<(usize, usize, f64)> {
    (0..a.nrows())
        .flat_map(|r| (0..a.ncols()).map(move |c| (r, c)))
        .map(|(r, c)| (r, c, a[(r, c)]))
        .find(|(_, _, v)| !v.is_finite())
}

/// A full-rank test matrix with entries in [-1, 1] that differ for every seed.
#[cfg(test)]
pub(crate) fn wobble(rows: usize, columns: usize, seed: f64) -> DMatrix<f64> {
    let hash = |r: usize, c: usize| ((r as f64) * 12.9898 + (c as f64) * 78.233 + seed).sin() * 437.585;
    DMatrix::from_fn(rows, columns, |r, c| 2.0 * (hash(r, c) - hash(r, c).floor()) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn svd_of_a_rank_deficient_matrix_has_its_rank() {
        let a = wobble(7, 2, 0.0) * wobble(2, 5, 0.0);
        let svd = Svd::new(&a).unwrap();
        assert_eq!(svd.rank(), 2);
        let gram = svd.u.transpose() * &svd.u;
        assert!((gram - DMatrix::identity(5, 5)).norm() < 1e-13);
    }

    #[test]
    fn decompositions_survive_extreme_scales_and_empty_matrices() {
        for scale in [1e-300, 1.0, 1e300] {
            let a = wobble(4, 4, 0.0) * scale;
            assert_eq!(
                Svd::new(&a).unwrap().rank(),
                rank(Svd::new(&wobble(4, 4, 0.0)).unwrap().s.as_slice(), 4)
            );
            let s = (&a + a.transpose()) / 2.0;
            assert_eq!(Eigen::new(&s).unwrap().d.len(), 4);
        }
        assert_eq!(Svd::new(&DMatrix::zeros(3, 0)).unwrap().rank(), 0);
        assert_eq!(Svd::new(&DMatrix::zeros(3, 2)).unwrap().rank(), 0);
        assert_eq!(Eigen::new(&DMatrix::zeros(0, 0)).unwrap().d.len(), 0);
    }

    #[test]
    fn singular_values_keep_their_relative_accuracy() {
        let (u, w) = (spanning_basis(wobble(6, 4, 1.0)), spanning_basis(wobble(4, 4, 2.0)));
        let s = [1.0, 1e-3, 1e-6, 1e-9];
        let a = &u * DMatrix::from_diagonal(&DVector::from_row_slice(&s)) * w.transpose();
        let svd = Svd::new(&a).unwrap();
        for (found, expected) in svd.s.iter().zip(s) {
            // The product itself rounds at 1e-16 of the largest.
            assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
        }
        for svd in [svd, Svd::new(&a.transpose()).unwrap(), Svd::new(&(&a * a.transpose())).unwrap()] {
            let n = svd.s.len();
            assert!((svd.u.tr_mul(&svd.u) - DMatrix::identity(n, n)).norm() < 1e-14);
            assert!((svd.w.tr_mul(&svd.w) - DMatrix::identity(n, n)).norm() < 1e-14);
        }
    }

    #[test]
    fn a_matrix_that_is_not_finite_is_an_error() {
        for bad in [f64::NAN, f64::INFINITY] {
            let a = DMatrix::from_element(2, 2, bad);
            assert!(Svd::new(&a).is_err() && Eigen::new(&a).is_err());
        }
    }

    #[test]
    fn eigenvalues_are_descending() {
        let a = wobble(6, 6, 0.0);
        let e = Eigen::new(&(&a * a.transpose())).unwrap();
        assert!(e.d.as_slice().windows(2).all(|p| p[0] >= p[1]));
    }
}
