//! Products of matrices, written to memory that exists already, and counted.
//!
//! By faer where the feature is on, else by nalgebra: benches/RESULTS.md has the times of both.

use std::cell::Cell;

use nalgebra::{DMatrix, DVector};

use crate::parallel;

/// Multiplications above which a product is made in parts on all cores.
const PARALLEL: usize = 4_000_000;

/// Parts of such a product.
const PARTS: usize = 4;

/// A matrix to multiply: columns one after the other, possibly to be read as its transpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factor<'a> {
    data: &'a [f64],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Factor<'a> {
    /// A matrix of `rows` rows, column by column.
    pub fn new(data: &'a [f64], rows: usize) -> Self {
        Self { data, rows, columns: data.len() / rows.max(1), transposed: false }
    }

    /// The transpose.
    pub fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// Rows as they are read.
    pub fn rows(&self) -> usize {
        self.shape().0
    }

    fn shape(&self) -> (usize, usize) {
        if self.transposed { (self.columns, self.rows) } else { (self.rows, self.columns) }
    }
}

impl<'a> From<&'a DMatrix<f64>> for Factor<'a> {
    fn from(matrix: &'a DMatrix<f64>) -> Self {
        Self {
            data: matrix.as_slice(),
            rows: matrix.nrows(),
            columns: matrix.ncols(),
            transposed: false,
        }
    }
}

/// Multiplies, and counts the multiplications of numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Multiplier {
    count: Cell<u64>,
}

impl Multiplier {
    /// Multiplications so far.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Counts multiplications that were made elsewhere.
    pub fn add(&self, multiplications: usize) {
        self.count.set(self.count.get() + multiplications as u64);
    }

    /// out = factor · a · b, or out + factor · a · b with `keep`; `out` is column by column.
    pub fn multiply<'a, 'b>(
        &self,
        out: &mut [f64],
        keep: bool,
        factor: f64,
        a: impl Into<Factor<'a>>,
        b: impl Into<Factor<'b>>,
    ) {
        let (a, b) = (a.into(), b.into());
        // Without numbers to multiply, a slice does not tell its shape.
        if out.is_empty() || a.data.is_empty() || b.data.is_empty() {
            out.iter_mut().filter(|_| !keep).for_each(|x| *x = 0.0);
            return;
        }
        let ((rows, inner), (same, columns)) = (a.shape(), b.shape());
        assert!(inner == same && out.len() == rows * columns, "shapes of a product");
        let work = rows * inner * columns;
        self.add(work);
        if work < PARALLEL || b.transposed {
            return multiply(out, keep, factor, a, b);
        }
        // Always the same parts, so that the result does not depend on the number of threads.
        let part = columns.div_ceil(PARTS);
        parallel::each_chunk(out, rows * part, true, |i, out| {
            let data = &b.data[i * part * inner..][..out.len() / rows * inner];
            multiply(out, keep, factor, a, Factor::new(data, inner));
        });
    }
}

/// The same without counting.
#[cfg(feature = "faer")]
pub(crate) fn multiply(out: &mut [f64], keep: bool, factor: f64, a: Factor, b: Factor) {
    use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
    fn view(f: Factor<'_>) -> MatRef<'_, f64> {
        let matrix = MatRef::from_column_major_slice(f.data, f.rows, f.columns);
        if f.transposed { matrix.transpose() } else { matrix }
    }
    let (rows, columns) = (a.shape().0, b.shape().1);
    let accumulate = if keep { Accum::Add } else { Accum::Replace };
    let out = MatMut::from_column_major_slice_mut(out, rows, columns);
    matmul(out, accumulate, view(a), view(b), factor, Par::Seq);
}

/// The same without counting.
#[cfg(not(feature = "faer"))]
pub(crate) fn multiply(out: &mut [f64], keep: bool, factor: f64, a: Factor, b: Factor) {
    use nalgebra::{DMatrixView, DMatrixViewMut, Dyn};
    // Transposed by its strides, without a copy.
    fn view(f: Factor<'_>) -> DMatrixView<'_, f64, Dyn, Dyn> {
        let (rows, columns) = f.shape();
        let strides = if f.transposed { (f.rows, 1) } else { (1, f.rows) };
        DMatrixView::from_slice_with_strides(f.data, rows, columns, strides.0, strides.1)
    }
    let (rows, columns) = (a.shape().0, b.shape().1);
    let mut out = DMatrixViewMut::from_slice(out, rows, columns);
    let old = if keep { 1.0 } else { 0.0 };
    if a.transposed {
        let plain = Factor { transposed: false, ..a };
        out.gemm_tr(factor, &view(plain), &view(b), old);
    } else {
        out.gemm(factor, &view(a), &view(b), old);
    }
}

/// a · b, large ones on all cores.
pub(crate) fn product<'a, 'b>(a: impl Into<Factor<'a>>, b: impl Into<Factor<'b>>) -> DMatrix<f64> {
    let (a, b) = (a.into(), b.into());
    let mut out = DMatrix::zeros(a.shape().0, b.shape().1);
    Multiplier::default().multiply(out.as_mut_slice(), false, 1.0, a, b);
    out
}

/// Applies a diagonal matrix from the left.
pub(crate) fn scale_rows(a: &mut [f64], diagonal: &DVector<f64>) {
    for column in a.chunks_exact_mut(diagonal.len().max(1)) {
        column.iter_mut().zip(diagonal.iter()).for_each(|(x, d)| *x *= d);
    }
}

/// Takes from each entry its mean over the outputs, where there are two or more: what softmax sees of logits, and what
/// its residuals are but for rounding, which long steps would blow up. Output by output.
pub(crate) fn centre(block: &mut [f64], outputs: usize) {
    if outputs < 2 {
        return;
    }
    let piece = block.len() / outputs;
    for i in 0..piece {
        let mean = (0..outputs).map(|c| block[c * piece + i]).sum::<f64>() / outputs as f64;
        (0..outputs).for_each(|c| block[c * piece + i] -= mean);
    }
}

/// a += factor · b.
pub(crate) fn axpy(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(x, y)| *x += factor * y);
}

/// The Frobenius norm.
pub(crate) fn norm(a: &[f64]) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Y − ZV (N×k), each entry summed with twice the digits of f64 and then rounded (Ogita, Rump and Oishi 2005): where
/// the parts cancel, the digits that are left are right.
pub(crate) fn residual(y: &DMatrix<f64>, z: &DMatrix<f64>, v: &DMatrix<f64>) -> DMatrix<f64> {
    let mut residual = y.clone();
    let mut errors = vec![0.0; y.nrows()];
    for (mut sums, v) in residual.column_iter_mut().zip(v.column_iter()) {
        errors.fill(0.0);
        // Column by column of Z, as it lies in memory.
        for (z, v) in z.column_iter().zip(v.iter()) {
            for ((sum, error), z) in sums.iter_mut().zip(&mut errors).zip(z.iter()) {
                let product = -z * v;
                let lost = (-z).mul_add(*v, -product);
                let next = *sum + product;
                let part = next - *sum;
                *error += ((*sum - (next - part)) + (product - part)) + lost;
                *sum = next;
            }
        }
        // Beyond the range of f64 the errors are not finite.
        for (sum, error) in sums.iter_mut().zip(&errors).filter(|(_, error)| error.is_finite()) {
            *sum += error;
        }
    }
    residual
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;

    #[test]
    fn products_of_all_shapes_are_those_of_the_operators() {
        for (rows, inner, columns) in
            [(1, 1, 1), (7, 3, 5), (6, 9, 8), (20, 30, 10), (4, 0, 3), (3, 5, 0)]
        {
            let (a, b) = (wobble(rows, inner, 1.0), wobble(inner, columns, 2.0));
            let (a_t, b_t) = (a.transpose(), b.transpose());
            let factors: [(Factor, Factor); 4] = [
                ((&a).into(), (&b).into()),
                (Factor::from(&a_t).t(), (&b).into()),
                ((&a).into(), Factor::from(&b_t).t()),
                (Factor::from(&a_t).t(), Factor::from(&b_t).t()),
            ];
            for (x, y) in factors {
                for keep in [false, true] {
                    let before = wobble(rows, columns, 3.0);
                    let mut out = before.clone();
                    let multiplier = Multiplier::default();
                    multiplier.multiply(out.as_mut_slice(), keep, -2.0, x, y);
                    let wanted = &a * &b * -2.0 + before * if keep { 1.0 } else { 0.0 };
                    assert!((out - wanted).norm() < 1e-13);
                    assert_eq!(multiplier.count(), (rows * inner * columns) as u64);
                }
            }
        }
    }
}
