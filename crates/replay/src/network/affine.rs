//! x ↦ xW + b, with or without max(0, ·).

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::moving::Moving;
use super::relu::{self, masked};
use super::storage::{Number, Rows, for_type, multiply, numbers, type_of, with_numbers};

/// xW + b for samples in rows (N×d), W (d×h) and b (h), then max(0, ·) if `relu`.
pub(super) fn affine(x: &Tensor, weight: &Tensor, bias: &Tensor, relu: bool) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op3(weight, bias, Affine { relu });
    }
    plain(x, weight, bias, relu)
}

/// The same in tensor operations.
pub(super) fn plain(x: &Tensor, weight: &Tensor, bias: &Tensor, relu: bool) -> Result<Tensor> {
    let y = x.matmul(weight)?.broadcast_add(bias)?;
    if relu { relu::plain(&y) } else { Ok(y) }
}

/// The same for samples, weight and bias that move: [what they are, how they move].
pub(super) fn push(
    x: &Moving,
    [weight, weight_motion]: [Tensor; 2],
    [bias, bias_motion]: [Tensor; 2],
    relu: bool,
) -> Result<Moving> {
    let value = affine(&x.value, &weight, &bias, relu)?;
    let mut motion = affine(&x.value, &weight_motion, &bias_motion, false)?;
    if let Some(of_x) = &x.motion {
        motion = (motion + affine(of_x, &weight, &bias.zeros_like()?, false)?)?;
    }
    Moving::new(value, motion, relu)
}

struct Affine {
    relu: bool,
}

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn run<T: Number>(
            (x, xl): (&CpuStorage, &Layout),
            (weight, wl): (&CpuStorage, &Layout),
            (bias, bl): (&CpuStorage, &Layout),
            relu: bool,
        ) -> Result<(CpuStorage, Shape)> {
            let (samples, inputs) = xl.shape().dims2()?;
            let outputs = wl.shape().dims2()?.1;
            let bias = numbers::<T>(bias, bl)?;
            let mut y = vec![T::zero(); samples * outputs];
            multiply(
                &mut y,
                Rows::new(numbers(x, xl)?, inputs),
                Rows::new(numbers(weight, wl)?, outputs),
                T::zero(),
            );
            add_bias(&mut y, bias, relu);
            Ok((T::to_cpu_storage_owned(y), (samples, outputs).into()))
        }
        let (x, weight, bias) = ((x, x_layout), (weight, weight_layout), (bias, bias_layout));
        for_type!(type_of(x.0), run(x, weight, bias, self.relu))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        fn run<T: Number>(
            [x, weight, y, gradient]: [&Tensor; 4],
            relu: bool,
        ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
            let (samples, inputs) = x.dims2()?;
            let outputs = weight.dim(1)?;
            let device = x.device();
            let gradient = masked::<T>(gradient, y, relu)?;
            let gradient_rows = Rows::new(&gradient, outputs);
            let for_x = x.track_op().then(|| -> Result<Tensor> {
                let mut all = vec![T::zero(); samples * inputs];
                with_numbers(weight, |w| {
                    multiply(&mut all, gradient_rows, Rows::new(w, outputs).t(), T::zero());
                })?;
                Tensor::from_vec(all, x.shape(), device)
            });
            let mut for_weight = vec![T::zero(); inputs * outputs];
            with_numbers(x, |x| {
                multiply(&mut for_weight, Rows::new(x, inputs).t(), gradient_rows, T::zero());
            })?;
            let for_bias = column_sums(&gradient, outputs);
            Ok((
                for_x.transpose()?,
                Some(Tensor::from_vec(for_weight, weight.shape(), device)?),
                Some(Tensor::from_vec(for_bias, outputs, device)?),
            ))
        }
        for_type!(x.dtype(), run([x, weight, y, gradient], self.relu))
    }
}

/// Adds b to each row, then takes max(0, ·) if `relu`.
pub(super) fn add_bias<T: Number>(y: &mut [T], bias: &[T], relu: bool) {
    for row in y.chunks_exact_mut(bias.len()) {
        for (y, &b) in row.iter_mut().zip(bias) {
            *y += b;
            if relu && *y < T::zero() {
                *y = T::zero();
            }
        }
    }
}

/// Sums over the rows.
pub(super) fn column_sums<T: Number>(rows: &[T], columns: usize) -> Vec<T> {
    let mut sums = vec![T::zero(); columns];
    for row in rows.chunks_exact(columns) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}
