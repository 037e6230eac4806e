//! A convolution with a bias and max(0, ·), then pooling if wanted.

use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::conv::{self, Conv, FILTER, conv, filters, image};
use super::cost::{Cost, count};
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;
use super::pool::{self, Pool, pool};
use super::storage::misfit;

/// 3×3 filters and max(0, ·), then the largest of each 2×2 square if `pool`.
pub(super) struct Filtered {
    pub channels: usize,
    pub pool: bool,
}

impl Kind for Filtered {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        let [height, width, _] = image("a convolution", input)?;
        let scale = if self.pool { 2 } else { 1 };
        let shape = vec![height / scale, width / scale, self.channels];
        if shape.contains(&0) {
            return Err(misfit("pooling", &[height, width, self.channels]));
        }
        Ok(shape)
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        let [height, width, depth] = image("a convolution", input)?;
        let outputs = count(&[height, width, self.channels]) + count(&self.shape(input)?);
        let weights = filters(FILTER, depth, self.channels) + self.channels as f64;
        Ok(Cost { weights, outputs })
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let [.., depth] = image("a convolution", input)?;
        let bias = maker.bias(self.channels)?;
        let weight = maker.weight(FILTER * FILTER * depth, self.channels, 2.0)?;
        Ok(Arc::new(FilteredLayer { weight, bias, pool: self.pool }))
    }
}

const KIND: Conv = Conv { size: FILTER, stride: 1, relu: true };

#[derive(Debug)]
struct FilteredLayer {
    weight: Var,
    bias: Var,
    pool: bool,
}

impl Layer for FilteredLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        let y = conv(x, &self.weight, &self.bias, KIND)?;
        if self.pool { pool(&y, Pool::SQUARES) } else { Ok(y) }
    }

    fn variables(&self) -> Vec<(&'static str, &Var)> {
        vec![("weight", &self.weight), ("bias", &self.bias)]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self { weight: copy(&self.weight)?, bias: copy(&self.bias)?, pool: self.pool }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let y = conv::push(x, motion.pair(&self.weight)?, motion.pair(&self.bias)?, KIND)?;
        if self.pool { pool::push(&y, Pool::SQUARES) } else { Ok(y) }
    }
}
