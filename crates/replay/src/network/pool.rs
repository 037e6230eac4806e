//! The largest number of each square window of images N×height×width×channels.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::moving::Moving;
use super::storage::{Number, for_type, misfit, numbers, type_of, with_numbers};

/// Square windows and how they are laid on an image, with (size − 1)/2 pixels of padding that are never
/// the largest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pool {
    /// Height and width of a window.
    pub size: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
}

impl Pool {
    /// Squares of 2×2 side by side; an odd last row or column is left out.
    pub const SQUARES: Self = Self { size: 2, stride: 2 };

    /// Overlapping windows of 3×3, as after the first convolution of a ResNet for large images.
    pub const OVERLAPPING: Self = Self { size: 3, stride: 2 };

    fn padding(&self) -> usize {
        (self.size - 1) / 2
    }

    /// Height or width after pooling; 0 if no window fits.
    pub fn out(&self, side: usize) -> usize {
        (side + 2 * self.padding() + self.stride).saturating_sub(self.size) / self.stride
    }

    /// The shape after pooling.
    fn shape(&self, shape: &[usize]) -> Result<[usize; 4]> {
        match *shape {
            [images, height, width, channels] if self.out(height) > 0 && self.out(width) > 0 => {
                Ok([images, self.out(height), self.out(width), channels])
            }
            _ => Err(misfit("pooling", shape.get(1..).unwrap_or(&[]))),
        }
    }

    /// Calls a function for each window with the place of the first channel of its output, and that of each of
    /// its pixels.
    fn windows(&self, shape: &[usize], mut each: impl FnMut(usize, &[usize])) {
        let &[images, height, width, channels] = shape else { return };
        let reach = |at: usize, side: usize| {
            let first = (at * self.stride).saturating_sub(self.padding());
            first..(at * self.stride + self.size - self.padding()).min(side)
        };
        let (mut out, mut pixels) = (0, Vec::with_capacity(self.size * self.size));
        for image in 0..images {
            for y in 0..self.out(height) {
                for x in 0..self.out(width) {
                    pixels.clear();
                    for row in reach(y, height) {
                        let row = (image * height + row) * width;
                        pixels.extend(reach(x, width).map(|column| (row + column) * channels));
                    }
                    each(out, &pixels);
                    out += channels;
                }
            }
        }
    }
}

/// The largest number of each window.
pub(super) fn pool(x: &Tensor, pool: Pool) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(pool);
    }
    plain(x, pool)
}

/// The same in tensor operations, for numbers of at least 0. Not with candle's `max_pool2d`: of a square with one
/// largest number it passes back a quarter of the gradient.
pub(super) fn plain(x: &Tensor, pool: Pool) -> Result<Tensor> {
    let [_, height, width, _] = pool.shape(x.dims())?;
    let pad = |x: &Tensor, axis: usize, out: usize| {
        let whole = (out - 1) * pool.stride + pool.size;
        let after = whole.saturating_sub(x.dim(axis)? + pool.padding());
        x.pad_with_zeros(axis, pool.padding(), after)
    };
    let x = pad(&pad(x, 1, height)?, 2, width)?;
    let pick = |x: &Tensor, axis: usize, out: usize, from: usize| {
        let places = (0..out).map(|i| (i * pool.stride + from) as u32);
        x.index_select(&Tensor::from_iter(places, x.device())?, axis)
    };
    let mut largest: Option<Tensor> = None;
    for row in 0..pool.size {
        let rows = pick(&x, 1, height, row)?;
        for column in 0..pool.size {
            let part = pick(&rows, 2, width, column)?;
            largest = Some(match largest {
                Some(largest) => largest.maximum(&part)?,
                None => part,
            });
        }
    }
    Ok(largest.expect("a window has a pixel"))
}

/// The same for images that move: each window moves with the first of its largest.
pub(super) fn push(x: &Moving, pool: Pool) -> Result<Moving> {
    fn run<T: Number>(pool: &Pool, x: &Tensor, y: &Tensor, motion: &Tensor) -> Result<Tensor> {
        let channels = x.dim(3)?;
        let mut all = vec![T::zero(); y.elem_count()];
        with_numbers(x, |numbers: &[T]| {
            with_numbers(y, |y: &[T]| {
                with_numbers(motion, |motion: &[T]| {
                    pool.windows(x.dims(), |out, pixels| {
                        for channel in 0..channels {
                            let places = pixels.iter().map(|pixel| pixel + channel);
                            let largest = places.clone().find(|&i| numbers[i] == y[out + channel]);
                            all[out + channel] = largest.map_or(T::zero(), |place| motion[place]);
                        }
                    });
                })
            })
        })???;
        Tensor::from_vec(all, y.shape(), y.device())
    }
    let value = self::pool(&x.value, pool)?;
    let motion = match &x.motion {
        Some(motion) => Some(for_type!(value.dtype(), run(&pool, &x.value, &value, motion))?),
        None => None,
    };
    Ok(Moving { value, motion })
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pooling"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<T: Number>(
            pool: &Pool,
            x: &CpuStorage,
            layout: &Layout,
            shape: &Shape,
        ) -> Result<CpuStorage> {
            let x = numbers::<T>(x, layout)?;
            let channels = layout.dims()[3];
            let mut y = vec![T::zero(); shape.elem_count()];
            pool.windows(layout.dims(), |out, pixels| {
                let y = &mut y[out..out + channels];
                y.copy_from_slice(&x[pixels[0]..pixels[0] + channels]);
                for &pixel in &pixels[1..] {
                    for (y, &x) in y.iter_mut().zip(&x[pixel..pixel + channels]) {
                        *y = if x > *y { x } else { *y };
                    }
                }
            });
            Ok(T::to_cpu_storage_owned(y))
        }
        let shape: Shape = self.shape(layout.dims())?.as_slice().into();
        Ok((for_type!(type_of(x), run(self, x, layout, &shape))?, shape))
    }

    /// The gradient goes to the first of equals.
    fn bwd(&self, x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        fn run<T: Number>(
            pool: &Pool,
            x: &Tensor,
            y: &Tensor,
            gradient: &Tensor,
        ) -> Result<Option<Tensor>> {
            let channels = x.dim(3)?;
            let mut all = vec![T::zero(); x.elem_count()];
            with_numbers(x, |numbers: &[T]| {
                with_numbers(y, |y: &[T]| {
                    with_numbers(gradient, |gradient: &[T]| {
                        pool.windows(x.dims(), |out, pixels| {
                            for channel in 0..channels {
                                let places = pixels.iter().map(|pixel| pixel + channel);
                                let largest = places.clone().find(|&i| numbers[i] == y[out + channel]);
                                if let Some(place) = largest {
                                    all[place] += gradient[out + channel];
                                }
                            }
                        });
                    })
                })
            })???;
            Ok(Some(Tensor::from_vec(all, x.shape(), x.device())?))
        }
        for_type!(x.dtype(), run(self, x, y, gradient))
    }
}
