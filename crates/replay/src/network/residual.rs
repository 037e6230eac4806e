//! The residual blocks of a ResNet.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::conv::{FILTER, filters, image};
use super::cost::{Cost, count};
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;
use super::normed::Normed;
use super::relu::relu;

/// Two convolutions with 3×3 filters, each with batch normalisation, and a shortcut: where the shape changes a
/// convolution with 1×1 filters, else the identity.
pub(super) struct Residual {
    pub channels: usize,
    pub stride: usize,
    /// Whether the mean over all pixels is taken after it.
    pub mean: bool,
}

impl Residual {
    /// Whether the shortcut is more than the identity.
    fn changes(&self, depth: usize) -> bool {
        self.stride != 1 || self.channels != depth
    }

    /// Before the mean.
    fn image(&self, height: usize, width: usize) -> Shape {
        vec![height.div_ceil(self.stride), width.div_ceil(self.stride), self.channels]
    }
}

impl Kind for Residual {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        let [height, width, _] = image("a residual block", input)?;
        Ok(if self.mean { vec![self.channels] } else { self.image(height, width) })
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        let [height, width, depth] = image("a residual block", input)?;
        let channels = self.channels;
        let (convolutions, shortcut) =
            if self.changes(depth) { (3.0, filters(1, depth, channels)) } else { (2.0, 0.0) };
        let weights = filters(FILTER, depth, channels)
            + filters(FILTER, channels, channels)
            + shortcut
            + convolutions * 4.0 * channels as f64;
        // Each with its normalisation; the sum and max(0, ·).
        let outputs = (2.0 * convolutions + 2.0) * count(&self.image(height, width));
        Ok(Cost { weights, outputs })
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let [.., depth] = image("a residual block", input)?;
        let (channels, stride) = (self.channels, self.stride);
        let first = Normed::new(depth, channels, FILTER, stride, maker)?;
        let second = Normed::new(channels, channels, FILTER, 1, maker)?;
        let shortcut =
            self.changes(depth).then(|| Normed::new(depth, channels, 1, stride, maker)).transpose()?;
        Ok(Arc::new(ResidualLayer { first, second, shortcut, mean: self.mean }))
    }
}

/// x ↦ max(0, second(first(x)) + shortcut(x)); then the mean over all pixels if `mean`.
#[derive(Debug)]
struct ResidualLayer {
    first: Normed,
    second: Normed,
    /// The identity if absent.
    shortcut: Option<Normed>,
    mean: bool,
}

impl Layer for ResidualLayer {
    fn forward(&self, x: &Tensor, norm: &mut Normalise<'_>) -> Result<Tensor> {
        let y = self.first.forward(x, true, norm)?;
        let y = self.second.forward(&y, false, norm)?;
        let y = match &self.shortcut {
            Some(shortcut) => (y + shortcut.forward(x, false, norm)?)?,
            None => (y + x)?,
        };
        let y = relu(&y)?;
        if self.mean { y.flatten(1, 2)?.mean(1) } else { Ok(y) }
    }

    fn normed(&self) -> Vec<(Option<&'static str>, &Normed)> {
        let shortcut = self.shortcut.iter().map(|s| (Some("shortcut"), s));
        let two = [(Some("first"), &self.first), (Some("second"), &self.second)];
        two.into_iter().chain(shortcut).collect()
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self {
            first: self.first.fork(copy)?,
            second: self.second.fork(copy)?,
            shortcut: self.shortcut.as_ref().map(|shortcut| shortcut.fork(copy)).transpose()?,
            mean: self.mean,
        }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let y = self.first.push(x, true, motion)?;
        let y = self.second.push(&y, false, motion)?;
        let y = match &self.shortcut {
            Some(shortcut) => y.plus(&shortcut.push(x, false, motion)?)?,
            None => y.plus(x)?,
        };
        let y = y.relu()?;
        if self.mean { y.map(|y| y.flatten(1, 2)?.mean(1)) } else { Ok(y) }
    }
}
