//! max(0, ·) with slope 0 at 0, as all layers have it.
//!
//! The tensor library's has slope 1 there, and exact zeros are common: black parts of an image behind a convolution
//! that has no bias yet, or the sum of a block that is 0 with a shortcut that is.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::storage::{Number, for_type, numbers, type_of, with_numbers};

/// max(0, x).
pub(super) fn relu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(Relu);
    }
    plain(x)
}

/// The same in tensor operations.
pub(super) fn plain(x: &Tensor) -> Result<Tensor> {
    x * x.gt(&x.zeros_like()?)?.to_dtype(x.dtype())?
}

/// The gradient where the output is above 0, if `relu`.
pub(super) fn masked<T: Number>(gradient: &Tensor, y: &Tensor, relu: bool) -> Result<Vec<T>> {
    let mut all = with_numbers(gradient, |g: &[T]| g.to_vec())?;
    if relu {
        with_numbers(y, |y: &[T]| {
            for (g, &y) in all.iter_mut().zip(y) {
                if y <= T::zero() {
                    *g = T::zero();
                }
            }
        })?;
    }
    Ok(all)
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "max(0, ·)"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<T: Number>(x: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
            // NaN stays NaN.
            let positive = |&x: &T| if x < T::zero() { T::zero() } else { x };
            Ok(T::to_cpu_storage_owned(numbers::<T>(x, layout)?.iter().map(positive).collect()))
        }
        Ok((for_type!(type_of(x), run(x, layout))?, layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        fn run<T: Number>(y: &Tensor, gradient: &Tensor) -> Result<Tensor> {
            Tensor::from_vec(masked::<T>(gradient, y, true)?, y.shape(), y.device())
        }
        Ok(Some(for_type!(y.dtype(), run(y, gradient))?))
    }
}
