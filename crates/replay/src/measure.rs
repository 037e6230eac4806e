//! Measuring: features, outputs, residuals and accuracy, of many samples in parts.

use candle_core::{Result, Tensor};
use nalgebra::DMatrix;

use super::network::{Stack, matrix};

/// Samples that go through a network at once.
pub const PART: usize = 512;

/// Sets the statistics of normalisations to those of training samples (N×…).
pub fn settle(stack: &Stack, samples: &Tensor) -> Result<()> {
    stack.settle(samples, PART)
}

/// The outputs (N×…) of layers, without a way back.
pub fn apply(stack: &Stack, inputs: &Tensor) -> Result<Tensor> {
    let count = inputs.dim(0)?;
    let parts = (0..count).step_by(PART).map(|from| {
        let part = inputs.narrow(0, from, PART.min(count - from))?;
        Ok(stack.forward(&part)?.detach())
    });
    Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)
}

/// The outputs of layers as numbers, one sample per row.
pub fn outputs(stack: &Stack, inputs: &Tensor) -> Result<DMatrix<f64>> {
    rows(&apply(stack, inputs)?)
}

/// Outputs (N×…) as numbers, one sample per row.
pub fn rows(outputs: &Tensor) -> Result<DMatrix<f64>> {
    matrix(&outputs.flatten_from(1)?)
}
