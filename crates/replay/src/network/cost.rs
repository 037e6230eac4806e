//! How many numbers layers hold, before any of them is made.

use candle_core::Result;

use super::pool::Pool;
use super::storage::misfit;
use super::{FILTER, Plan, Shape, stem};

/// Numbers that layers hold; not whole where they are more than can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Weights.
    pub weights: f64,
    /// Outputs of all operations for one sample, which are kept for the way back.
    pub outputs: f64,
}

impl Cost {
    /// That of layers for inputs of a shape, with the shape of their output.
    ///
    /// # Errors
    ///
    /// A shape that a layer cannot take.
    pub fn of(plans: &[Plan], input: &[usize]) -> Result<(Self, Shape)> {
        let mut shape = input.to_vec();
        let mut all = Self::default();
        for plan in plans {
            let before = count(&shape);
            let image = || match shape[..] {
                [height, width, depth] => Ok((height, width, depth)),
                _ => Err(misfit("a convolution", &shape)),
            };
            let filters =
                |size: usize, depth: usize, channels: usize| count(&[size, size, depth, channels]);
            let (weights, outputs, next) = match *plan {
                Plan::Dense { width } | Plan::Linear { width } => {
                    (before * width as f64 + width as f64, width as f64, vec![width])
                }
                Plan::Conv { channels, pool } => {
                    let (height, width, depth) = image()?;
                    let scale = if pool { 2 } else { 1 };
                    let next = vec![height / scale, width / scale, channels];
                    let outputs = count(&[height, width, channels]) + count(&next);
                    (filters(FILTER, depth, channels) + channels as f64, outputs, next)
                }
                Plan::Stem { channels, large } => {
                    let (height, width, depth) = image()?;
                    let (size, stride) = stem(large);
                    let [height, width] = [height, width].map(|side| side.div_ceil(stride));
                    let normed = 2.0 * count(&[height, width, channels]);
                    let weights = filters(size, depth, channels) + 4.0 * channels as f64;
                    if large {
                        let [height, width] = [height, width].map(|side| Pool::OVERLAPPING.out(side));
                        let next = vec![height, width, channels];
                        (weights, normed + count(&next), next)
                    } else {
                        (weights, normed, vec![height, width, channels])
                    }
                }
                Plan::Residual { channels, stride, mean } => {
                    let (height, width, depth) = image()?;
                    let next = vec![height.div_ceil(stride), width.div_ceil(stride), channels];
                    let changes = stride != 1 || channels != depth;
                    let convolutions = if changes { 3.0 } else { 2.0 };
                    let shortcut = if changes { filters(1, depth, channels) } else { 0.0 };
                    let weights = filters(FILTER, depth, channels)
                        + filters(FILTER, channels, channels)
                        + shortcut
                        + convolutions * 4.0 * channels as f64;
                    // Each with its normalisation; the sum and max(0, ·).
                    let outputs = (2.0 * convolutions + 2.0) * count(&next);
                    (weights, outputs, if mean { vec![channels] } else { next })
                }
            };
            all.weights += weights;
            all.outputs += outputs;
            shape = next;
        }
        Ok((all, shape))
    }

    /// That of these layers and others after them.
    pub fn with(self, others: Self) -> Self {
        Self { weights: self.weights + others.weights, outputs: self.outputs + others.outputs }
    }
}

fn count(shape: &[usize]) -> f64 {
    shape.iter().map(|&d| d as f64).product()
}
