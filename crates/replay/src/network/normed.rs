//! A convolution with batch normalisation, of which stems and residual blocks are made.

use candle_core::{Result, Tensor, Var};

use super::conv::{self, Conv, conv};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::{Norm, Normalise};

/// A convolution without bias, then batch normalisation.
#[derive(Debug, Clone)]
pub(super) struct Normed {
    /// size²·channels × outputs.
    pub weight: Var,
    zero: Tensor,
    size: usize,
    stride: usize,
    pub norm: Norm,
}

impl Normed {
    /// Filters of a size on images of `depth` channels, `stride` pixels from one patch to the next.
    pub fn new(
        depth: usize,
        channels: usize,
        size: usize,
        stride: usize,
        maker: &mut Maker<'_>,
    ) -> Result<Self> {
        let weight = maker.weight(size * size * depth, channels, 2.0)?;
        let norm = Norm::new(channels, maker.dtype, maker.device)?;
        Ok(Self { weight, zero: maker.zero(channels)?, size, stride, norm })
    }

    pub fn forward(&self, x: &Tensor, relu: bool, norm: &mut Normalise<'_>) -> Result<Tensor> {
        norm(&self.norm, &conv(x, &self.weight, &self.zero, self.plain())?, relu)
    }

    /// The same for images and variables that move.
    pub fn push(&self, x: &Moving, relu: bool, motion: &Motion<'_>) -> Result<Moving> {
        let y = conv::push(
            x,
            motion.pair(&self.weight)?,
            [self.zero.clone(), self.zero.clone()],
            self.plain(),
        )?;
        self.norm.push(&y, relu, motion)
    }

    fn plain(&self) -> Conv {
        Conv { size: self.size, stride: self.stride, relu: false }
    }

    pub fn fork(&self, copy: &Copy<'_>) -> Result<Self> {
        let weight = copy(&self.weight)?;
        let zero = Tensor::zeros(weight.dim(1)?, weight.dtype(), weight.device())?;
        Ok(Self { weight, zero, norm: self.norm.fork(copy)?, size: self.size, stride: self.stride })
    }
}
