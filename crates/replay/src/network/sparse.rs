//! Products of a sparse matrix that stays with a matrix of numbers: sums over chosen rows.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::storage::{Number, for_type, numbers, type_of, with_numbers};

/// A sparse matrix S, entry by entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse {
    rows: usize,
    columns: usize,
    /// Row, column and value.
    entries: Vec<(u32, u32, f64)>,
}

impl Sparse {
    pub fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, entries: Vec::new() }
    }

    /// Adds a value to an entry.
    pub fn add(&mut self, row: usize, column: usize, value: f64) {
        debug_assert!(row < self.rows && column < self.columns);
        self.entries.push((row as u32, column as u32, value));
    }

    fn t(&self) -> Self {
        let entries = self.entries.iter().map(|&(row, column, value)| (column, row, value)).collect();
        Self { rows: self.columns, columns: self.rows, entries }
    }

    fn multiply<T: Number>(&self, x: &[T], width: usize) -> Vec<T> {
        let mut y = vec![T::zero(); self.rows * width];
        for &(row, column, value) in &self.entries {
            let value = T::from_f64(value);
            let from = &x[column as usize * width..][..width];
            for (y, &x) in y[row as usize * width..][..width].iter_mut().zip(from) {
                *y += value * x;
            }
        }
        y
    }
}

/// SX.
pub(super) fn product(of: &Arc<Sparse>, x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(Product(of.clone()));
    }
    plain(of, x)
}

/// The same in tensor operations.
pub(super) fn plain(of: &Sparse, x: &Tensor) -> Result<Tensor> {
    let device = x.device();
    let place = |of: fn(&(u32, u32, f64)) -> u32, all: &[(u32, u32, f64)]| {
        Tensor::from_iter(all.iter().map(of), device)
    };
    let values: Vec<f64> = of.entries.iter().map(|entry| entry.2).collect();
    let values = Tensor::from_vec(values, (of.entries.len(), 1), device)?.to_dtype(x.dtype())?;
    let parts = x.index_select(&place(|e| e.1, &of.entries)?, 0)?.broadcast_mul(&values)?;
    let zero = Tensor::zeros((of.rows, x.dim(1)?), x.dtype(), device)?;
    zero.index_add(&place(|e| e.0, &of.entries)?, &parts, 0)
}

struct Product(Arc<Sparse>);

impl CustomOp1 for Product {
    fn name(&self) -> &'static str {
        "sparse product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<T: Number>(
            of: &Sparse,
            x: &CpuStorage,
            layout: &Layout,
            width: usize,
        ) -> Result<CpuStorage> {
            Ok(T::to_cpu_storage_owned(of.multiply(numbers::<T>(x, layout)?, width)))
        }
        let (_, width) = layout.shape().dims2()?;
        let shape = (self.0.rows, width).into();
        Ok((for_type!(type_of(x), run(&self.0, x, layout, width))?, shape))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        fn run<T: Number>(of: &Sparse, x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
            let width = x.dim(1)?;
            let all = with_numbers(gradient, |g: &[T]| of.t().multiply(g, width))?;
            Tensor::from_vec(all, x.shape(), x.device())
        }
        Ok(Some(for_type!(x.dtype(), run(&self.0, x, gradient))?))
    }
}
