//! What a row of features is: a sample, or a pixel of one.

use candle_core::{Result, Tensor};

use super::layer::Shape;
use super::storage::misfit;

/// What has features and outputs of its own, and so an energy and a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A whole sample, whatever its shape: classification.
    Sample,
    /// A pixel of images with channels last: segmentation.
    Pixel,
}

impl Row {
    /// Numbers of a row in a sample of a shape.
    pub fn width(self, shape: &[usize]) -> usize {
        match self {
            Self::Sample => shape.iter().product(),
            Self::Pixel => shape.last().copied().unwrap_or(1),
        }
    }

    /// Samples (N×…) as a matrix with a row for each of theirs, sample by sample.
    pub fn flatten(self, x: &Tensor) -> Result<Tensor> {
        match (self, x.dims()) {
            (Self::Sample, _) => x.flatten_from(1),
            (Self::Pixel, [.., width]) if x.rank() == 4 => x.reshape(((), *width)),
            (Self::Pixel, shape) => Err(misfit("a layer of pixels", shape.get(1..).unwrap_or(&[]))),
        }
    }

    /// A matrix of rows as samples again, of which `x` has as many, and as many rows.
    pub(super) fn restore(self, rows: Tensor, x: &Tensor) -> Result<Tensor> {
        match (self, x.dims()) {
            (Self::Pixel, &[images, height, width, _]) => {
                let outputs = rows.dim(1)?;
                rows.reshape((images, height, width, outputs))
            }
            _ => Ok(rows),
        }
    }

    /// The shape of a sample with this many numbers in each row.
    pub(super) fn shape(self, input: &[usize], width: usize) -> Result<Shape> {
        match (self, input) {
            (Self::Sample, _) => Ok(vec![width]),
            (Self::Pixel, &[height, columns, _]) => Ok(vec![height, columns, width]),
            (Self::Pixel, _) => Err(misfit("a layer of pixels", input)),
        }
    }
}
