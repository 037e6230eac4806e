//! Upsampling of images N×height×width×channels: every pixel becomes a square of equal ones.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::conv::image;
use super::cost::{Cost, count};
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;

/// Height and width of a square.
const SCALE: usize = 2;

/// Doubles height and width.
pub(super) struct Up;

impl Kind for Up {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        let [height, width, channels] = image("upsampling", input)?;
        Ok(vec![height * SCALE, width * SCALE, channels])
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        Ok(Cost { weights: 0.0, outputs: count(&self.shape(input)?) })
    }

    fn make(&self, _input: &[usize], _maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(UpLayer))
    }
}

#[derive(Debug)]
struct UpLayer;

fn up(x: &Tensor) -> Result<Tensor> {
    let (images, height, width, channels) = x.dims4()?;
    let squares = x.reshape((images, height, 1, width, 1, channels))?;
    let squares = squares.broadcast_as((images, height, SCALE, width, SCALE, channels))?;
    squares.reshape((images, height * SCALE, width * SCALE, channels))
}

impl Layer for UpLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        up(x)
    }

    fn fork(&self, _copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self))
    }

    fn push(&self, x: &Moving, _motion: &Motion<'_>) -> Result<Moving> {
        x.map(up)
    }
}
