//! Samples on a device.

use candle_core::Tensor;

use crate::targets::Targets;

/// Inputs (N×…) with targets.
#[derive(Debug, Clone)]
pub struct Samples {
    /// One sample per row.
    pub inputs: Tensor,
    /// One-hot for classes.
    pub targets: Targets,
}

impl Samples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// Shape of one input.
    pub fn shape(&self) -> &[usize] {
        &self.inputs.dims()[1..]
    }
}
