//! The largest of each 2×2 square of images N×height×width×channels.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::storage::{Number, for_type, misfit, numbers, type_of, with_numbers};

/// Halves height and width; an odd last row or column is left out.
pub(super) fn pool(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(Pool);
    }
    plain(x)
}

/// The same in tensor operations. Not with candle's `max_pool2d`: of a square with one largest number it
/// passes back a quarter of the gradient.
pub(super) fn plain(x: &Tensor) -> Result<Tensor> {
    let (images, height, width, channels) = halved(x.dims())?;
    let x = x.narrow(1, 0, 2 * height)?.narrow(2, 0, 2 * width)?.contiguous()?;
    let columns = x.reshape((images * height, 2, width, 2, channels))?.max(3)?.max(1)?;
    columns.reshape((images, height, width, channels))
}

struct Pool;

/// Calls a function with the place of each output and the places of its four inputs.
fn squares(shape: &[usize], mut each: impl FnMut(usize, [usize; 4])) {
    let (height, width, channels) = (shape[1], shape[2], shape[3]);
    let row = width * channels;
    let mut out = 0;
    for image in 0..shape[0] {
        for y in 0..height / 2 {
            for x in 0..width / 2 {
                let corner = (image * height + 2 * y) * row + 2 * x * channels;
                for channel in corner..corner + channels {
                    each(out, [channel, channel + channels, channel + row, channel + row + channels]);
                    out += 1;
                }
            }
        }
    }
}

fn halved(shape: &[usize]) -> Result<(usize, usize, usize, usize)> {
    match *shape {
        [images, height, width, channels] if height > 1 && width > 1 => {
            Ok((images, height / 2, width / 2, channels))
        }
        _ => Err(misfit("pooling", shape.get(1..).unwrap_or(&[]))),
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pooling"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<T: Number>(x: &CpuStorage, layout: &Layout, shape: &Shape) -> Result<CpuStorage> {
            let x = numbers::<T>(x, layout)?;
            let mut y = vec![T::zero(); shape.elem_count()];
            squares(layout.dims(), |out, from| {
                y[out] =
                    from.into_iter().map(|i| x[i]).fold(x[from[0]], |a, b| if b > a { b } else { a });
            });
            Ok(T::to_cpu_storage_owned(y))
        }
        let shape: Shape = halved(layout.dims())?.into();
        Ok((for_type!(type_of(x), run(x, layout, &shape))?, shape))
    }

    /// The gradient goes to the first of equals.
    fn bwd(&self, x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        fn run<T: Number>(x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
            let mut all = vec![T::zero(); x.elem_count()];
            with_numbers(x, |numbers: &[T]| {
                with_numbers(y, |y: &[T]| {
                    with_numbers(gradient, |gradient: &[T]| {
                        squares(x.dims(), |out, from| {
                            if let Some(i) = from.into_iter().find(|&i| numbers[i] == y[out]) {
                                all[i] = gradient[out];
                            }
                        });
                    })
                })
            })???;
            Ok(Some(Tensor::from_vec(all, x.shape(), x.device())?))
        }
        for_type!(x.dtype(), run(x, y, gradient))
    }
}
