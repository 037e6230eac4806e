//! Singular values of a graded matrix, each to high relative accuracy.
//!
//! An ordinary decomposition knows singular values to a rounding of the largest. Here the matrix is first factored as
//! A = L D U by elimination with complete pivoting, in twice the digits of f64 and with a bound of what rounding does
//! to each entry. L and U are well conditioned whatever the scales of A are, and one-sided Jacobi rotations keep the
//! relative accuracy of D (Demmel, Gu, Eisenstat, Slapničar, Veselić and Drmač 1999). So 10¹⁰ beside 10⁻¹⁰ loses
//! nothing, and a row that is a multiple of another leaves an exact zero.

use nalgebra::DMatrix;

use crate::linalg::{DecompositionError, orthogonal_image};

/// A decomposition A = U diag(s) Wᵀ without the directions in which A is zero.
#[derive(Debug, Clone)]
pub(crate) struct Graded {
    /// Left singular vectors, rows × r.
    pub u: DMatrix<f64>,
    /// Singular values, descending, all above 0.
    pub s: Vec<f64>,
    /// Right singular vectors, columns × r.
    pub w: DMatrix<f64>,
    /// A bound of the relative error of each singular value, up to a small factor.
    pub doubt: Vec<f64>,
}

/// Relative rounding of a number of two parts.
const TWICE: f64 = f64::EPSILON * f64::EPSILON;

impl Graded {
    /// Decomposes a finite matrix. What cancels to zero within twice the digits of f64 is zero.
    pub fn new(a: &DMatrix<f64>) -> Result<Self, DecompositionError> {
        let Elimination { rows, columns, lower, pivots, upper, doubt } = Elimination::new(a);
        let r = pivots.len();
        if r == 0 {
            let empty = |n| DMatrix::zeros(n, 0);
            return Ok(Self {
                u: empty(a.nrows()),
                s: Vec::new(),
                w: empty(a.ncols()),
                doubt: Vec::new(),
            });
        }
        // L = QT, and the columns of Uᵀ D Tᵀ are scaled by D but otherwise well conditioned.
        let qr = nalgebra::QR::new(lower);
        let (q, t) = (qr.q(), qr.r());
        let graded = DMatrix::from_fn(r, r, |i, j| pivots[i] * t[(j, i)]);
        let image = upper.transpose() * graded;
        let (image, turn) = orthogonal_image(&image, DMatrix::identity(r, r), 0.0).ok_or(
            DecompositionError::NoConvergence {
                kind: "graded singular value decomposition",
                rows: a.nrows(),
                columns: a.ncols(),
            },
        )?;
        let left = q * turn;
        let sizes: Vec<f64> = image.column_iter().map(|c| size(c.as_slice())).collect();
        let mut order: Vec<usize> = (0..r).filter(|&j| sizes[j] > 0.0).collect();
        order.sort_by(|&i, &j| sizes[j].total_cmp(&sizes[i]));
        let m = order.len();
        let (mut u, mut w) = (DMatrix::zeros(a.nrows(), m), DMatrix::zeros(a.ncols(), m));
        for (to, &from) in order.iter().enumerate() {
            for (i, &row) in rows.iter().enumerate() {
                u[(row, to)] = left[(i, from)];
            }
            for (j, &column) in columns.iter().enumerate() {
                w[(column, to)] = image[(j, from)] / sizes[from];
            }
        }
        Ok(Self { u, s: order.iter().map(|&j| sizes[j]).collect(), w, doubt: doubt[..m].to_vec() })
    }
}

/// Norm of numbers whose squares may underflow.
fn size(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    if largest == 0.0 {
        0.0
    } else {
        crate::product::norm(&x.iter().map(|x| x / largest).collect::<Vec<_>>()) * largest
    }
}

/// A[rows, columns] = L D U.
struct Elimination {
    /// The order of rows and columns.
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// L, rows × r, and U, r × columns, with ones on their diagonals.
    lower: DMatrix<f64>,
    pivots: Vec<f64>,
    upper: DMatrix<f64>,
    /// The largest relative error of a pivot so far.
    doubt: Vec<f64>,
}

impl Elimination {
    fn new(a: &DMatrix<f64>) -> Self {
        let (n, m) = a.shape();
        // Both by a power of two, so that nothing is rounded.
        let unit = (-a.amax().log2().round()).clamp(-1000.0, 1000.0).exp2();
        let mut rest = a.map(|x| Twice { high: x * unit, low: 0.0 });
        let mut error = DMatrix::<f64>::zeros(n, m);
        let (mut rows, mut columns): (Vec<usize>, Vec<usize>) = ((0..n).collect(), (0..m).collect());
        let mut doubt: Vec<f64> = Vec::new();
        let mut r = 0;
        while r < n.min(m) {
            let places = (r..m).flat_map(|j| (r..n).map(move |i| (i, j)));
            let largest = places.max_by(|&x, &y| rest[x].high.abs().total_cmp(&rest[y].high.abs()));
            let Some((i, j)) = largest.filter(|&place| rest[place].high != 0.0) else { break };
            rows.swap(r, i);
            columns.swap(r, j);
            rest.swap_rows(r, i);
            error.swap_rows(r, i);
            rest.swap_columns(r, j);
            error.swap_columns(r, j);
            let (pivot, pivot_error) = (rest[(r, r)], error[(r, r)]);
            let before = doubt.last().copied().unwrap_or(f64::EPSILON);
            doubt.push(before.max(pivot_error / pivot.high.abs()));
            for i in r + 1..n {
                let factor = rest[(i, r)] / pivot;
                let size = factor.high.abs();
                let factor_error =
                    (error[(i, r)] + size * pivot_error) / pivot.high.abs() + 8.0 * TWICE * size;
                for j in r + 1..m {
                    let top = rest[(r, j)];
                    let taken = factor * top;
                    let left = rest[(i, j)] - taken;
                    let rounding = 8.0 * TWICE * (rest[(i, j)].high.abs() + taken.high.abs());
                    let bound = error[(i, j)]
                        + factor_error * top.high.abs()
                        + size * error[(r, j)]
                        + rounding
                        + f64::MIN_POSITIVE;
                    let zero = left.high.abs() <= bound && taken.high != 0.0;
                    rest[(i, j)] = if zero { Twice::ZERO } else { left };
                    error[(i, j)] = if zero { 0.0 } else { bound };
                }
                rest[(i, r)] = factor;
            }
            r += 1;
        }
        let pivots: Vec<f64> = (0..r).map(|i| rest[(i, i)].high / unit).collect();
        let lower = DMatrix::from_fn(n, r, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Greater => rest[(i, j)].high,
        });
        let upper = DMatrix::from_fn(r, m, |i, j| match j.cmp(&i) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Greater => rest[(i, j)].high / rest[(i, i)].high,
        });
        Self { rows, columns, lower, pivots, upper, doubt }
    }
}

/// A number as the sum of two that do not overlap (Dekker 1971).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Twice {
    high: f64,
    low: f64,
}

impl Twice {
    const ZERO: Self = Self { high: 0.0, low: 0.0 };

    /// high + low where |high| ≥ |low|.
    fn of(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }
}

impl std::ops::Sub for Twice {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let sum = self.high - other.high;
        let part = sum - self.high;
        let lost = (self.high - (sum - part)) - (other.high + part);
        Self::of(sum, lost + (self.low - other.low))
    }
}

impl std::ops::Mul for Twice {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = self.high * other.high;
        let lost = self.high.mul_add(other.high, -product);
        Self::of(product, lost + (self.high * other.low + self.low * other.high))
    }
}

impl std::ops::Div for Twice {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = Self { high: self.high / other.high, low: 0.0 };
        let rest = self - first * other;
        let second = rest.high / other.high;
        let third = (rest - Self { high: second, low: 0.0 } * other).high / other.high;
        Self::of(first.high, second + third)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use nalgebra::{DVector, dmatrix};

    fn gives_back(a: &DMatrix<f64>) -> Graded {
        let graded = Graded::new(a).unwrap();
        let r = graded.s.len();
        for q in [&graded.u, &graded.w] {
            assert!((q.tr_mul(q) - DMatrix::identity(r, r)).norm() < 1e-13);
        }
        let s = DMatrix::from_diagonal(&DVector::from_vec(graded.s.clone()));
        assert!((&graded.u * s * graded.w.transpose() - a).norm() < 1e-14 * a.norm() * a.len() as f64);
        graded
    }

    /// The product of all singular values is the determinant, here known in exact arithmetic.
    #[test]
    fn small_singular_values_have_their_digits() {
        let a = dmatrix![1.0, 1.0, 1.0; 0.0, 0.0, -1.0; 1.0, -0.9093165963433655, -1e10];
        let graded = gives_back(&a);
        let product: f64 = graded.s.iter().product();
        assert!((product / 1.9093165963433655 - 1.0).abs() < 1e-14, "{product}");
        assert!(graded.doubt.iter().all(|&d| d < 1e-15));
        // Rows and columns 10¹⁰⁰ apart.
        let scale = |i: usize| 1e-50f64.powi(i as i32);
        let a = wobble(4, 3, 1.0);
        let scaled = DMatrix::from_fn(4, 3, |i, j| a[(i, j)] * scale(i) * scale(j));
        let graded = Graded::new(&scaled).unwrap();
        assert_eq!(graded.s.len(), 3);
        for (i, s) in graded.s.iter().enumerate() {
            assert!((1e-3..1e3).contains(&(s / scale(2 * i))), "{i}: {s:e}");
        }
    }

    #[test]
    fn what_is_a_multiple_is_an_exact_zero() {
        let outer = dmatrix![1.0; -3.0; 0.1] * dmatrix![0.5, 2.0, 4.0];
        assert_eq!(gives_back(&outer).s.len(), 1);
        // 0.1 · 2.1 is not 0.3 · 0.7 in these numbers: the singular value is 1e-17 and not zero.
        let near = gives_back(&dmatrix![0.1, 0.3; 0.7, 2.1]);
        assert!(near.s.len() == 2 && near.s[1] < 1e-16 && near.doubt[1] < 1e-14, "{near:?}");
        assert_eq!(Graded::new(&DMatrix::zeros(2, 3)).unwrap().s.len(), 0);
    }

    #[test]
    fn ordinary_matrices_of_any_shape_are_those_of_the_ordinary_decomposition() {
        for (rows, columns) in [(1, 1), (5, 3), (3, 5), (7, 7), (1, 4)] {
            let a = wobble(rows, columns, 2.0);
            let (graded, svd) = (gives_back(&a), crate::linalg::Svd::new(&a).unwrap());
            for (x, y) in graded.s.iter().zip(svd.s.iter()) {
                assert!((x / y - 1.0).abs() < 1e-12);
            }
        }
    }
}
