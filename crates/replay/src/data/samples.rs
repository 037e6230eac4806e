//! Samples on a device.

use candle_core::Tensor;

/// Inputs (N×…) with targets (N×k).
#[derive(Debug, Clone)]
pub struct Samples {
    /// One sample a row.
    pub inputs: Tensor,
    /// One-hot for classes.
    pub targets: Tensor,
}

impl Samples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// Outputs k.
    pub fn outputs(&self) -> usize {
        self.targets.dims()[1]
    }

    /// Shape of one input.
    pub fn shape(&self) -> &[usize] {
        &self.inputs.dims()[1..]
    }
}
