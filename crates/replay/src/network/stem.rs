//! The first layer of a ResNet.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::conv::{FILTER, filters, image};
use super::cost::{Cost, count};
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;
use super::normed::Normed;
use super::pool::{self, Pool, pool};

/// A convolution with batch normalisation and max(0, ·): 3×3 filters, or for `large` images 7×7 filters at every other
/// pixel and then the largest of overlapping 3×3 windows, also at every other one.
pub(super) struct Stem {
    pub channels: usize,
    pub large: bool,
}

impl Stem {
    /// Height and width of the filters, and pixels from one to the next.
    fn filters(&self) -> (usize, usize) {
        if self.large { (7, 2) } else { (FILTER, 1) }
    }
}

impl Kind for Stem {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        let [height, width, _] = image("a convolution", input)?;
        let out = |side: usize| {
            let side = side.div_ceil(self.filters().1);
            if self.large { Pool::OVERLAPPING.out(side) } else { side }
        };
        Ok(vec![out(height), out(width), self.channels])
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        let [height, width, depth] = image("a convolution", input)?;
        let (size, stride) = self.filters();
        let normed = 2.0 * count(&[height.div_ceil(stride), width.div_ceil(stride), self.channels]);
        let pooled = if self.large { count(&self.shape(input)?) } else { 0.0 };
        let weights = filters(size, depth, self.channels) + 4.0 * self.channels as f64;
        Ok(Cost { weights, outputs: normed + pooled })
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let [.., depth] = image("a convolution", input)?;
        let (size, stride) = self.filters();
        let normed = Normed::new(depth, self.channels, size, stride, maker)?;
        Ok(Arc::new(StemLayer { normed, large: self.large }))
    }
}

#[derive(Debug)]
struct StemLayer {
    normed: Normed,
    large: bool,
}

impl Layer for StemLayer {
    fn forward(&self, x: &Tensor, norm: &mut Normalise<'_>) -> Result<Tensor> {
        let y = self.normed.forward(x, true, norm)?;
        if self.large { pool(&y, Pool::OVERLAPPING) } else { Ok(y) }
    }

    fn normed(&self) -> Vec<(Option<&'static str>, &Normed)> {
        vec![(None, &self.normed)]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self { normed: self.normed.fork(copy)?, large: self.large }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let y = self.normed.push(x, true, motion)?;
        if self.large { pool::push(&y, Pool::OVERLAPPING) } else { Ok(y) }
    }
}
