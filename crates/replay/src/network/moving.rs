//! Numbers with how they move, which a walk through the layers carries on: the Jacobian of a network times a direction
//! in its variables. The tensor library differentiates backwards only.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var, bail};

use super::relu;

/// A direction in the variables of a network.
pub(super) struct Motion<'a>(pub &'a GradStore);

impl Motion<'_> {
    /// What a variable is and how it moves.
    pub fn pair(&self, variable: &Var) -> Result<[Tensor; 2]> {
        match self.0.get(variable) {
            Some(motion) => Ok([variable.as_detached_tensor(), motion.clone()]),
            None => {
                bail!("a direction does not say how a variable of shape {:?} moves", variable.dims())
            }
        }
    }
}

/// Numbers and how they move.
#[derive(Debug, Clone)]
pub(super) struct Moving {
    pub value: Tensor,
    /// Of the same shape; none if they stay.
    pub motion: Option<Tensor>,
}

impl Moving {
    /// What moved before max(0, ·) if `relu`, whose `value` is behind it: it has slope 0 where that is 0.
    pub fn new(value: Tensor, motion: Tensor, relu: bool) -> Result<Self> {
        let motion = if relu {
            (motion * value.gt(&value.zeros_like()?)?.to_dtype(value.dtype())?)?
        } else {
            motion
        };
        Ok(Self { value, motion: Some(motion) })
    }

    /// A linear map of both.
    pub fn map(&self, of: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self { value: of(&self.value)?, motion: self.motion.as_ref().map(of).transpose()? })
    }

    pub fn plus(&self, other: &Self) -> Result<Self> {
        let motion = match (&self.motion, &other.motion) {
            (Some(a), Some(b)) => Some((a + b)?),
            (a, b) => a.as_ref().or(b.as_ref()).cloned(),
        };
        Ok(Self { value: (&self.value + &other.value)?, motion })
    }

    /// max(0, ·).
    pub fn relu(self) -> Result<Self> {
        let value = relu::relu(&self.value)?;
        match self.motion {
            Some(motion) => Self::new(value, motion, true),
            None => Ok(Self { value, motion: None }),
        }
    }
}
