//! Making the variables of layers.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand_chacha::ChaCha8Rng;
use taskhead::tasks::normal;

use super::convert::tensor;

/// Makes the variables of layers, in the order in which they draw random numbers.
pub(super) struct Maker<'a> {
    pub rng: &'a mut ChaCha8Rng,
    pub dtype: DType,
    pub device: &'a Device,
}

impl Maker<'_> {
    /// A random weight, inputs × outputs, of deviation √(gain / inputs).
    pub fn weight(&mut self, inputs: usize, outputs: usize, gain: f64) -> Result<Var> {
        let deviation = (gain / inputs as f64).sqrt();
        let entries = normal(self.rng, inputs, outputs, deviation);
        Var::from_tensor(&tensor(&entries, self.dtype, self.device)?)
    }

    /// A bias that starts at zero.
    pub fn bias(&self, outputs: usize) -> Result<Var> {
        Var::zeros(outputs, self.dtype, self.device)
    }

    /// Zeros that stay.
    pub fn zero(&self, outputs: usize) -> Result<Tensor> {
        Tensor::zeros(outputs, self.dtype, self.device)
    }
}

/// Makes a variable that is its own, from another one.
pub(super) type Copy<'a> = dyn Fn(&Var) -> Result<Var> + 'a;

/// A variable of the same value.
pub(super) fn copy(variable: &Var) -> Result<Var> {
    Var::from_tensor(&variable.as_tensor().copy()?.detach())
}
