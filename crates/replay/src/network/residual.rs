//! Convolutions with batch normalisation, and the residual blocks of a ResNet.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::conv::{Conv, conv};
use super::norm::Norm;
use super::relu::relu;

/// What stands for batch normalisation on a walk through the layers: normalisation, input, whether
/// max(0, ·) follows.
pub(super) type Normalise<'a> = dyn FnMut(&Norm, &Tensor, bool) -> Result<Tensor> + 'a;

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
    /// From the weight of filters of a size.
    pub fn new(
        weight: Var,
        size: usize,
        stride: usize,
        (dtype, device): (DType, &Device),
    ) -> Result<Self> {
        let outputs = weight.dim(1)?;
        let zero = Tensor::zeros(outputs, dtype, device)?;
        Ok(Self { weight, zero, size, stride, norm: Norm::new(outputs, dtype, device)? })
    }

    pub fn forward(&self, x: &Tensor, relu: bool, norm: &mut Normalise<'_>) -> Result<Tensor> {
        let plain = Conv { size: self.size, stride: self.stride, relu: false };
        norm(&self.norm, &conv(x, &self.weight, &self.zero, plain)?, relu)
    }

    pub fn fork(&self, copy: impl Fn(&Var) -> Result<Var>) -> Result<Self> {
        Ok(Self { weight: copy(&self.weight)?, norm: self.norm.fork(copy)?, ..self.clone() })
    }
}

/// x ↦ max(0, second(first(x)) + shortcut(x)); then the mean over all pixels if `mean`.
#[derive(Debug, Clone)]
pub(super) struct Residual {
    pub first: Normed,
    pub second: Normed,
    /// The identity if absent.
    pub shortcut: Option<Normed>,
    pub mean: bool,
}

impl Residual {
    pub fn forward(&self, x: &Tensor, norm: &mut Normalise<'_>) -> Result<Tensor> {
        let y = self.first.forward(x, true, norm)?;
        let y = self.second.forward(&y, false, norm)?;
        let y = match &self.shortcut {
            Some(shortcut) => (y + shortcut.forward(x, false, norm)?)?,
            None => (y + x)?,
        };
        let y = relu(&y)?;
        if self.mean { y.flatten(1, 2)?.mean(1) } else { Ok(y) }
    }

    pub fn fork(&self, copy: impl Fn(&Var) -> Result<Var> + Copy) -> Result<Self> {
        Ok(Self {
            first: self.first.fork(copy)?,
            second: self.second.fork(copy)?,
            shortcut: self.shortcut.as_ref().map(|s| s.fork(copy)).transpose()?,
            mean: self.mean,
        })
    }

    /// Its convolutions with their names.
    pub fn parts(&self) -> Vec<(&'static str, &Normed)> {
        let shortcut = self.shortcut.iter().map(|s| ("shortcut", s));
        [("first", &self.first), ("second", &self.second)].into_iter().chain(shortcut).collect()
    }
}
