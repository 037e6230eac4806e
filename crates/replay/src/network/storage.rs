//! Numbers of CPU tensors as slices, and products of matrices in them.
//!
//! candle's own product of matrices asks the operating system for the number of cores each time, which
//! costs more than a small product does, and its convolution has a slow way back. The layers of this
//! module do both on slices, with ndarray's product, on the thread that calls.

use candle_core::{CpuStorage, DType, Error, Layout, Result, Storage, Tensor, WithDType, bail};
use nalgebra::DMatrix;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, LinalgScalar};

/// A number that tensors and matrices share.
pub(super) trait Number: WithDType + LinalgScalar {}

impl Number for f32 {}
impl Number for f64 {}

/// Calls a function for the type of numbers of a tensor.
macro_rules! for_type {
    ($dtype:expr, $function:ident($($argument:expr),*)) => {
        match $dtype {
            candle_core::DType::F32 => $function::<f32>($($argument),*),
            candle_core::DType::F64 => $function::<f64>($($argument),*),
            other => candle_core::bail!("numbers of type {other:?} are not supported on the CPU"),
        }
    };
}
pub(super) use for_type;

/// The numbers of a contiguous storage.
pub(super) fn numbers<'a, T: Number>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<T>()?[from..to]),
        None => bail!("a contiguous tensor is needed"),
    }
}

/// Calls a function with the numbers of a CPU tensor.
pub(super) fn with_numbers<T: Number, R>(tensor: &Tensor, then: impl FnOnce(&[T]) -> R) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(then(numbers(storage, layout)?)),
        _ => bail!("a tensor on the CPU is needed"),
    }
}

/// The type of numbers of a storage.
pub(super) fn type_of(storage: &CpuStorage) -> DType {
    use candle_core::backend::BackendStorage;
    storage.dtype()
}

/// A matrix of rows, one after the other, or the transpose of one.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    numbers: &'a [T],
    /// Of what is stored.
    columns: usize,
    transposed: bool,
}

impl<'a, T: Number> Rows<'a, T> {
    pub fn new(numbers: &'a [T], columns: usize) -> Self {
        Self { numbers, columns, transposed: false }
    }

    /// The transpose.
    pub fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    fn view(&self) -> ArrayView2<'a, T> {
        let rows = self.numbers.len() / self.columns;
        let view = ArrayView2::from_shape((rows, self.columns), self.numbers);
        let view = view.expect("whole rows");
        if self.transposed { view.reversed_axes() } else { view }
    }
}

/// C ← AB + keep · C, C being stored row by row.
pub(super) fn multiply<T: Number>(c: &mut [T], a: Rows<'_, T>, b: Rows<'_, T>, keep: T) {
    let (a, b) = (a.view(), b.view());
    let c = ArrayViewMut2::from_shape((a.nrows(), b.ncols()), c);
    general_mat_mul(T::one(), &a, &b, keep, &mut c.expect("whole rows"));
}

/// The products of rows with each other, N×N, of N rows that lie one after the other.
pub fn gram(rows: &[f64], samples: usize) -> DMatrix<f64> {
    let rows = Rows::new(rows, rows.len() / samples);
    let mut all = vec![0.0; samples * samples];
    multiply(&mut all, rows, rows.t(), 0.0);
    DMatrix::from_vec(samples, samples, all)
}

/// An error for shapes that a layer cannot take.
pub(super) fn misfit(layer: &'static str, shape: &[usize]) -> Error {
    Error::Msg(format!("{layer} cannot take samples of shape {shape:?}")).bt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_rows_and_transposes() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 1.0, 0.0, 1.0];
        let (wide, tall) = (Rows::new(&a, 3), Rows::new(&b, 2));
        let mut c = [0.0; 4];
        multiply(&mut c, wide, tall, 0.0);
        assert_eq!(c, [5.0, 5.0, 14.0, 11.0]);
        multiply(&mut c, tall.t(), wide.t(), 1.0);
        assert_eq!(c, [10.0, 19.0, 19.0, 22.0]);
        // Sizes on both sides of every threshold between algorithms, against sums of products.
        for (m, k, n) in [(1, 1, 1), (3, 9, 5), (7, 8, 9), (40, 5, 33), (64, 70, 3)] {
            let a: Vec<f64> = (0..m * k).map(|i| (i % 7) as f64 - 3.0).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i % 5) as f64 - 2.0).collect();
            let entry = |i: usize, j: usize| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f64>();
            let expected: Vec<f64> = (0..m * n).map(|ij| entry(ij / n, ij % n)).collect();
            let mut c = vec![f64::NAN; m * n];
            multiply(&mut c, Rows::new(&a, k), Rows::new(&b, n), 0.0);
            assert_eq!(c, expected);
            let flip = |x: &[f64], rows: usize, columns: usize| -> Vec<f64> {
                (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect()
            };
            let (at, bt) = (flip(&a, m, k), flip(&b, k, n));
            multiply(&mut c, Rows::new(&at, m).t(), Rows::new(&bt, k).t(), 0.0);
            assert_eq!(c, expected);
        }
    }
}
