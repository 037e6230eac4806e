//! Batch normalisation of channels, the last dimension of images N×height×width×channels.
//!
//! While it learns, a network takes mean and variance of each channel from the batch. To be measured, it takes
//! those that `Stack::settle` found on training samples with the present weights: features then depend on
//! weights and training samples only, not on the batches that came last.

use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor, Var};

use super::maker::Copy;
use super::moving::{Motion, Moving};
use super::relu::{self, masked};
use super::storage::{Number, for_type, numbers, type_of, with_numbers};

/// Added to variances.
const EPSILON: f64 = 1e-5;

/// What stands for batch normalisation on a walk through the layers: normalisation, input, whether
/// max(0, ·) follows.
pub(super) type Normalise<'a> = dyn FnMut(&Norm, &Tensor, bool) -> Result<Tensor> + 'a;

/// Batch normalisation of C channels.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    /// Deviation of each channel after it.
    pub scale: Var,
    /// Mean of each channel after it.
    pub shift: Var,
    /// Mean of each channel before it, where the batch does not say.
    pub mean: Var,
    /// Variance of each channel before it, where the batch does not say.
    pub variance: Var,
}

impl Norm {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self {
            scale: Var::ones(channels, dtype, device)?,
            shift: Var::zeros(channels, dtype, device)?,
            mean: Var::zeros(channels, dtype, device)?,
            variance: Var::ones(channels, dtype, device)?,
        })
    }

    pub fn fork(&self, copy: &Copy<'_>) -> Result<Self> {
        let Self { scale, shift, mean, variance } = self;
        Ok(Self {
            scale: copy(scale)?,
            shift: copy(shift)?,
            mean: copy(mean)?,
            variance: copy(variance)?,
        })
    }

    /// By the statistics of the batch, then max(0, ·) if `relu`.
    pub fn of_batch(&self, x: &Tensor, relu: bool) -> Result<Tensor> {
        if x.device().is_cpu() {
            return x.contiguous()?.apply_op3(&self.scale, &self.shift, BatchNorm { relu });
        }
        self.plain(x, relu)
    }

    /// The same in tensor operations.
    pub fn plain(&self, x: &Tensor, relu: bool) -> Result<Tensor> {
        let rows = x.flatten_to(x.rank() - 2)?;
        let mean = rows.mean_keepdim(0)?;
        let centred = rows.broadcast_sub(&mean)?;
        let deviation = (centred.sqr()?.mean_keepdim(0)? + EPSILON)?.sqrt()?;
        let y = centred.broadcast_div(&deviation)?;
        let y = y.broadcast_mul(&self.scale)?.broadcast_add(&self.shift)?.reshape(x.shape())?;
        if relu { relu::plain(&y) } else { Ok(y) }
    }

    /// The same as [`Self::of_batch`] for images and variables that move: mean and deviation move with them.
    pub fn push(&self, x: &Moving, relu: bool, motion: &Motion<'_>) -> Result<Moving> {
        let ([scale, of_scale], [shift, of_shift]) =
            (motion.pair(&self.scale)?, motion.pair(&self.shift)?);
        let rows = x.value.flatten_to(x.value.rank() - 2)?;
        let centred = rows.broadcast_sub(&rows.mean_keepdim(0)?)?;
        let deviation = (centred.sqr()?.mean_keepdim(0)? + EPSILON)?.sqrt()?;
        let unit = centred.broadcast_div(&deviation)?;
        let value = unit.broadcast_mul(&scale)?.broadcast_add(&shift)?;
        let mut moved = unit.broadcast_mul(&of_scale)?.broadcast_add(&of_shift)?;
        if let Some(of_x) = &x.motion {
            let of_x = of_x.flatten_to(of_x.rank() - 2)?;
            let of_x = of_x.broadcast_sub(&of_x.mean_keepdim(0)?)?;
            let along = unit.broadcast_mul(&(&unit * &of_x)?.mean_keepdim(0)?)?;
            let of_unit = (of_x - along)?.broadcast_div(&deviation)?;
            moved = (moved + of_unit.broadcast_mul(&scale)?)?;
        }
        let value = if relu { relu::relu(&value)? } else { value };
        Moving::new(value.reshape(x.value.shape())?, moved.reshape(x.value.shape())?, relu)
    }

    /// By the settled statistics, then max(0, ·) if `relu`.
    pub fn settled(&self, x: &Tensor, relu: bool) -> Result<Tensor> {
        let deviation = (self.variance.as_detached_tensor() + EPSILON)?.sqrt()?;
        let factor = self.scale.as_tensor().div(&deviation)?;
        let y = x.broadcast_sub(&self.mean.as_detached_tensor())?;
        let y = y.broadcast_mul(&factor)?.broadcast_add(&self.shift)?;
        if relu { relu::relu(&y) } else { Ok(y) }
    }

    /// Settles the statistics.
    pub fn settle(&self, moments: Moments) -> Result<()> {
        for (variable, values) in [(&self.mean, moments.mean), (&self.variance, moments.variance)] {
            let values = Tensor::new(values, &Device::Cpu)?.to_dtype(variable.dtype())?;
            variable.set(&values.to_device(variable.device())?)?;
        }
        Ok(())
    }
}

/// Mean and variance of each channel over a given number of pixels.
pub(super) struct Moments {
    count: f64,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Moments {
    pub fn of(x: &Tensor) -> Result<Self> {
        fn run<T: Number>(x: &Tensor) -> Result<Moments> {
            let channels = x.dim(x.rank() - 1)?;
            with_numbers(x, |x: &[T]| {
                let (mean, variance) = moments(x, channels);
                Moments { count: (x.len() / channels) as f64, mean, variance }
            })
        }
        let x = x.to_device(&Device::Cpu)?;
        for_type!(x.dtype(), run(&x))
    }

    /// Takes in those of other pixels.
    pub fn add(&mut self, other: &Self) {
        let (a, b) = (self.count, other.count);
        let share = b / (a + b);
        for c in 0..self.mean.len() {
            let gap = other.mean[c] - self.mean[c];
            self.mean[c] += share * gap;
            self.variance[c] +=
                share * (other.variance[c] - self.variance[c]) + share * (1.0 - share) * gap * gap;
        }
        self.count += b;
    }
}

/// Mean and variance of each channel.
fn moments<T: Number>(x: &[T], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let count = (x.len() / channels) as f64;
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    for row in x.chunks_exact(channels) {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.to_f64());
    }
    mean.iter_mut().for_each(|sum| *sum /= count);
    for row in x.chunks_exact(channels) {
        for ((sum, x), mean) in variance.iter_mut().zip(row).zip(&mean) {
            *sum += (x.to_f64() - mean).powi(2);
        }
    }
    variance.iter_mut().for_each(|sum| *sum /= count);
    (mean, variance)
}

struct BatchNorm {
    relu: bool,
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch normalisation"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn run<T: Number>(
            (x, xl): (&CpuStorage, &Layout),
            (scale, gl): (&CpuStorage, &Layout),
            (shift, bl): (&CpuStorage, &Layout),
            relu: bool,
        ) -> Result<CpuStorage> {
            let (x, scale, shift) =
                (numbers::<T>(x, xl)?, numbers::<T>(scale, gl)?, numbers::<T>(shift, bl)?);
            let (mean, variance) = moments(x, scale.len());
            let per_channel = mean.iter().zip(variance).zip(scale.iter().zip(shift));
            let (factor, offset): (Vec<T>, Vec<T>) = per_channel
                .map(|((mean, variance), (scale, shift))| {
                    let factor = scale.to_f64() / (variance + EPSILON).sqrt();
                    (T::from_f64(factor), T::from_f64(shift.to_f64() - mean * factor))
                })
                .unzip();
            let mut y = x.to_vec();
            for row in y.chunks_exact_mut(scale.len()) {
                for ((y, &factor), &offset) in row.iter_mut().zip(&factor).zip(&offset) {
                    *y = *y * factor + offset;
                    if relu && *y < T::zero() {
                        *y = T::zero();
                    }
                }
            }
            Ok(T::to_cpu_storage_owned(y))
        }
        let (all, scale, shift) = ((x, x_layout), (scale, scale_layout), (shift, shift_layout));
        let y = for_type!(type_of(x), run(all, scale, shift, self.relu))?;
        Ok((y, x_layout.shape().clone()))
    }

    /// With x̂ = (x − mean)/deviation and the gradient g of y, over M pixels:
    /// ∂x = scale/deviation · (g − Σg/M − x̂ Σ(g x̂)/M), ∂scale = Σ(g x̂), ∂shift = Σg.
    fn bwd(
        &self,
        x: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        fn run<T: Number>([x, scale, y, gradient]: [&Tensor; 4], relu: bool) -> Result<[Vec<T>; 3]> {
            let gradient = masked::<T>(gradient, y, relu)?;
            let scale = with_numbers(scale, |s: &[T]| s.iter().map(|s| s.to_f64()).collect::<Vec<_>>())?;
            let channels = scale.len();
            with_numbers(x, |x: &[T]| {
                let count = (x.len() / channels) as f64;
                let (mean, variance) = moments(x, channels);
                let inverse: Vec<f64> = variance.iter().map(|v| 1.0 / (v + EPSILON).sqrt()).collect();
                let (mut sum, mut along) = (vec![0.0; channels], vec![0.0; channels]);
                for (row, g) in x.chunks_exact(channels).zip(gradient.chunks_exact(channels)) {
                    for c in 0..channels {
                        let g = g[c].to_f64();
                        sum[c] += g;
                        along[c] += g * (row[c].to_f64() - mean[c]) * inverse[c];
                    }
                }
                // ∂x = a g + b x + c, channel by channel.
                let line = |c: usize| {
                    let a = scale[c] * inverse[c];
                    let b = -a * inverse[c] * along[c] / count;
                    [a, b, -a * sum[c] / count - b * mean[c]].map(T::from_f64)
                };
                let lines: Vec<[T; 3]> = (0..channels).map(line).collect();
                let mut for_x = gradient;
                for (row, g) in x.chunks_exact(channels).zip(for_x.chunks_exact_mut(channels)) {
                    for ((g, &x), &[a, b, c]) in g.iter_mut().zip(row).zip(&lines) {
                        *g = a * *g + b * x + c;
                    }
                }
                let numbers = |all: Vec<f64>| all.into_iter().map(T::from_f64).collect();
                [for_x, numbers(along), numbers(sum)]
            })
        }
        fn tensors<T: Number>(
            all: [&Tensor; 4],
            relu: bool,
            shift: &Tensor,
        ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
            let device = all[0].device();
            let [for_x, for_scale, for_shift] = run::<T>(all, relu)?;
            Ok((
                Some(Tensor::from_vec(for_x, all[0].shape(), device)?),
                Some(Tensor::from_vec(for_scale, all[1].shape(), device)?),
                Some(Tensor::from_vec(for_shift, shift.shape(), device)?),
            ))
        }
        for_type!(x.dtype(), tensors([x, scale, y, gradient], self.relu, shift))
    }
}
