//! Convolution of images N×height×width×channels with square filters, then max(0, ·).
//!
//! Patches are copied into rows for a few images at a time, so that they stay in the cache between the
//! copying and the product.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::affine::{add_bias, column_sums};
use super::cost::count;
use super::moving::Moving;
use super::relu::{self, masked};
use super::storage::{Number, Rows, for_type, misfit, multiply, numbers, type_of, with_numbers};

/// Filters and how they are laid on an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conv {
    /// Height and width of the filters, odd.
    pub size: usize,
    /// Pixels from one patch to the next.
    pub stride: usize,
    /// Whether max(0, ·) follows.
    pub relu: bool,
}

/// Convolution with filters (size²·channels × outputs), with size/2 zeros around the image.
pub(super) fn conv(x: &Tensor, weight: &Tensor, bias: &Tensor, conv: Conv) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op3(weight, bias, conv);
    }
    plain(x, weight, bias, conv)
}

/// The same by the convolution of the tensor library.
pub(super) fn plain(x: &Tensor, weight: &Tensor, bias: &Tensor, conv: Conv) -> Result<Tensor> {
    let Conv { size, stride, relu } = conv;
    let (channels, outputs) = (x.dim(3)?, weight.dim(1)?);
    let filters = weight.reshape((size, size, channels, outputs))?.permute((3, 2, 0, 1))?;
    let x = x.permute((0, 3, 1, 2))?.contiguous()?;
    let y = x.conv2d(&filters.contiguous()?, size / 2, stride, 1, 1)?;
    let y = y.permute((0, 2, 3, 1))?.broadcast_add(bias)?;
    if relu { relu::plain(&y) } else { Ok(y) }
}

/// The same for images, filters and bias that move: [what they are, how they move].
pub(super) fn push(
    x: &Moving,
    [weight, weight_motion]: [Tensor; 2],
    [bias, bias_motion]: [Tensor; 2],
    kind: Conv,
) -> Result<Moving> {
    let linear = Conv { relu: false, ..kind };
    let value = conv(&x.value, &weight, &bias, kind)?;
    let mut motion = conv(&x.value, &weight_motion, &bias_motion, linear)?;
    if let Some(of_x) = &x.motion {
        motion = (motion + conv(of_x, &weight, &bias.zeros_like()?, linear)?)?;
    }
    Moving::new(value, motion, kind.relu)
}

/// Height and width of filters where nothing else is said.
pub(super) const FILTER: usize = 3;

/// Height, width and channels of the images that a layer takes.
pub(super) fn image(layer: &'static str, shape: &[usize]) -> Result<[usize; 3]> {
    shape.try_into().map_err(|_| misfit(layer, shape))
}

/// Numbers of filters.
pub(super) fn filters(size: usize, depth: usize, channels: usize) -> f64 {
    count(&[size, size, depth, channels])
}

/// Rows of patches that are made at once.
const ROWS: usize = 512;

/// The shapes of one convolution.
#[derive(Clone, Copy)]
struct Geometry {
    images: usize,
    height: usize,
    width: usize,
    channels: usize,
    size: usize,
    stride: usize,
}

impl Geometry {
    fn new(shape: &[usize], conv: &Conv) -> Result<Self> {
        let &[images, height, width, channels] = shape else {
            return Err(misfit("a convolution", shape.get(1..).unwrap_or(&[])));
        };
        Ok(Self { images, height, width, channels, size: conv.size, stride: conv.stride })
    }

    /// Height and width of the output.
    fn out(&self) -> (usize, usize) {
        (self.height.div_ceil(self.stride), self.width.div_ceil(self.stride))
    }

    /// Numbers of an image.
    fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Numbers of a patch.
    fn patch(&self) -> usize {
        self.size * self.size * self.channels
    }

    /// Patches of an image.
    fn patches(&self) -> usize {
        self.out().0 * self.out().1
    }

    /// Images whose patches are made at once.
    fn at_once(&self) -> usize {
        (ROWS / self.patches()).clamp(1, self.images)
    }

    /// Calls a function with each run of numbers that lie side by side both in a patch and in the image:
    /// (place in the patches, place in the image, length).
    fn runs(&self, mut each: impl FnMut(usize, usize, usize)) {
        let (rows, columns) = self.out();
        let pad = self.size / 2;
        let mut patch = 0;
        for top in (0..rows).map(|r| r * self.stride) {
            for left in (0..columns).map(|c| c * self.stride) {
                // In coordinates that are shifted by the zeros around the image.
                let first = pad.saturating_sub(left);
                let last = self.size.min(self.width + pad - left);
                for row in 0..self.size {
                    let y = top + row;
                    if (pad..self.height + pad).contains(&y) && first < last {
                        let from = ((y - pad) * self.width + left + first - pad) * self.channels;
                        let to = patch + (row * self.size + first) * self.channels;
                        each(to, from, (last - first) * self.channels);
                    }
                }
                patch += self.patch();
            }
        }
    }

    /// Copies the patches of images into rows; what lies outside an image stays as it is.
    fn gather<T: Number>(&self, images: &[T], rows: &mut [T]) {
        let pairs =
            images.chunks_exact(self.image()).zip(rows.chunks_exact_mut(self.patches() * self.patch()));
        for (image, rows) in pairs {
            self.runs(|to, from, length| {
                rows[to..to + length].copy_from_slice(&image[from..from + length]);
            });
        }
    }

    /// Adds rows of patches to where they come from.
    fn scatter<T: Number>(&self, rows: &[T], images: &mut [T]) {
        let pairs =
            images.chunks_exact_mut(self.image()).zip(rows.chunks_exact(self.patches() * self.patch()));
        for (image, rows) in pairs {
            self.runs(|from, to, length| {
                for (sum, &value) in image[to..to + length].iter_mut().zip(&rows[from..from + length]) {
                    *sum += value;
                }
            });
        }
    }
}

impl CustomOp3 for Conv {
    fn name(&self) -> &'static str {
        "convolution"
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
            geometry: Geometry,
            (x, weight, bias): (&[T], &[T], &[T]),
            relu: bool,
        ) -> Vec<T> {
            let (outputs, at_once) = (bias.len(), geometry.at_once());
            let per_image = geometry.patches() * outputs;
            let mut y = vec![T::zero(); geometry.images * per_image];
            let mut rows = vec![T::zero(); at_once * geometry.patches() * geometry.patch()];
            let images = x.chunks(at_once * geometry.image());
            for (images, y) in images.zip(y.chunks_mut(at_once * per_image)) {
                geometry.gather(images, &mut rows);
                let used = &rows[..y.len() / outputs * geometry.patch()];
                multiply(y, Rows::new(used, geometry.patch()), Rows::new(weight, outputs), T::zero());
                add_bias(y, bias, relu);
            }
            y
        }
        fn typed<T: Number>(
            geometry: Geometry,
            (x, xl): (&CpuStorage, &Layout),
            (weight, wl): (&CpuStorage, &Layout),
            (bias, bl): (&CpuStorage, &Layout),
            relu: bool,
        ) -> Result<CpuStorage> {
            let all = (numbers(x, xl)?, numbers(weight, wl)?, numbers(bias, bl)?);
            Ok(T::to_cpu_storage_owned(run::<T>(geometry, all, relu)))
        }
        let geometry = Geometry::new(x_layout.dims(), self)?;
        let outputs = bias_layout.shape().elem_count();
        let (height, width) = geometry.out();
        let (x, weight, bias) = ((x, x_layout), (weight, weight_layout), (bias, bias_layout));
        let y = for_type!(type_of(x.0), typed(geometry, x, weight, bias, self.relu))?;
        Ok((y, (geometry.images, height, width, outputs).into()))
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
            conv: &Conv,
            [x, weight, y, gradient]: [&Tensor; 4],
        ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
            let geometry = Geometry::new(x.dims(), conv)?;
            let (outputs, at_once) = (weight.dim(1)?, geometry.at_once());
            let gradient = masked::<T>(gradient, y, conv.relu)?;
            let weights = with_numbers(weight, |w: &[T]| w.to_vec())?;
            let mut for_weight = vec![T::zero(); weights.len()];
            let mut for_x = vec![T::zero(); if x.track_op() { x.elem_count() } else { 0 }];
            let mut rows = vec![T::zero(); at_once * geometry.patches() * geometry.patch()];
            let mut back = if x.track_op() { rows.clone() } else { Vec::new() };
            let part = at_once * geometry.patches() * outputs;
            with_numbers(x, |x: &[T]| {
                let images = x.chunks(at_once * geometry.image());
                for (i, (images, gradient)) in images.zip(gradient.chunks(part)).enumerate() {
                    let used = gradient.len() / outputs * geometry.patch();
                    let gradient = Rows::new(gradient, outputs);
                    geometry.gather(images, &mut rows);
                    let patches = Rows::new(&rows[..used], geometry.patch());
                    multiply(&mut for_weight, patches.t(), gradient, T::one());
                    if !back.is_empty() {
                        multiply(
                            &mut back[..used],
                            gradient,
                            Rows::new(&weights, outputs).t(),
                            T::zero(),
                        );
                        let from = i * at_once * geometry.image();
                        geometry.scatter(&back[..used], &mut for_x[from..from + images.len()]);
                    }
                }
            })?;
            let device = x.device();
            let for_x = x.track_op().then(|| Tensor::from_vec(for_x, x.shape(), device)).transpose()?;
            Ok((
                for_x,
                Some(Tensor::from_vec(for_weight, weight.shape(), device)?),
                Some(Tensor::from_vec(column_sums(&gradient, outputs), outputs, device)?),
            ))
        }
        for_type!(x.dtype(), run(self, [x, weight, y, gradient]))
    }
}
