//! A convolution with batch normalisation, of which stems and residual blocks are made.

use candle_core::{Result, Tensor, Var};

use super::conv::{Conv, conv};
use super::maker::{Maker, copy};
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
        let plain = Conv { size: self.size, stride: self.stride, relu: false };
        norm(&self.norm, &conv(x, &self.weight, &self.zero, plain)?, relu)
    }

    pub fn fork(&self) -> Result<Self> {
        Ok(Self { weight: copy(&self.weight)?, norm: self.norm.fork(copy)?, ..self.clone() })
    }
}
