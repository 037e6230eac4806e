//! Layers to be made, by name.

use candle_core::Result;

use super::cost::Cost;
use super::dense::{Dense, Linear};
use super::filtered::Filtered;
use super::gin::Gin;
use super::layer::{Kind, Shape};
use super::residual::Residual;
use super::rows::Row;
use super::stem::Stem;
use super::up::Up;

/// A layer to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// x ↦ max(0, xW + b), on flattened inputs.
    Dense {
        /// Outputs.
        width: usize,
    },
    /// x ↦ xW.
    Linear {
        /// Outputs.
        width: usize,
    },
    /// A dense or a linear layer on each pixel: a convolution with 1×1 filters.
    Pixels {
        /// Output channels.
        width: usize,
        /// Whether max(0, ·) follows, and a bias is added before it.
        relu: bool,
    },
    /// Every pixel becomes a square of 2×2 equal ones.
    Up,
    /// A convolution with 3×3 filters and max(0, ·), then the largest of each 2×2 square if `pool`.
    Conv {
        /// Output channels.
        channels: usize,
        /// Whether height and width are halved.
        pool: bool,
    },
    /// A convolution with batch normalisation and max(0, ·): 3×3 filters, or for `large` images 7×7 filters at
    /// every other pixel and then the largest of overlapping 3×3 windows, also at every other one.
    Stem {
        /// Output channels.
        channels: usize,
        /// Whether height and width are divided by 4.
        large: bool,
    },
    /// A residual block of two convolutions with 3×3 filters, each with batch normalisation. Where it changes
    /// the shape, the shortcut is a convolution with 1×1 filters, else the identity.
    Residual {
        /// Output channels.
        channels: usize,
        /// What height and width are divided by, rounding up.
        stride: usize,
        /// Whether the mean over all pixels is taken after it.
        mean: bool,
    },
    /// A layer of a graph isomorphism network, on samples of atoms × 1 × channels of which the first are the graph.
    Gin {
        /// Features of each atom.
        width: usize,
        /// Whether the mean over the atoms is taken after it.
        mean: bool,
    },
}

impl Plan {
    /// A layer without bias on each row.
    pub fn linear(row: Row, width: usize) -> Self {
        match row {
            Row::Sample => Self::Linear { width },
            Row::Pixel => Self::Pixels { width, relu: false },
        }
    }

    /// A layer on each row that ends in max(0, ·).
    pub fn dense(row: Row, width: usize) -> Self {
        match row {
            Row::Sample => Self::Dense { width },
            Row::Pixel => Self::Pixels { width, relu: true },
        }
    }

    /// Its kind.
    pub(super) fn kind(&self) -> Box<dyn Kind> {
        match *self {
            Self::Dense { width } => Box::new(Dense { width, row: Row::Sample }),
            Self::Linear { width } => Box::new(Linear { width, row: Row::Sample }),
            Self::Pixels { width, relu: true } => Box::new(Dense { width, row: Row::Pixel }),
            Self::Pixels { width, relu: false } => Box::new(Linear { width, row: Row::Pixel }),
            Self::Up => Box::new(Up),
            Self::Conv { channels, pool } => Box::new(Filtered { channels, pool }),
            Self::Stem { channels, large } => Box::new(Stem { channels, large }),
            Self::Residual { channels, stride, mean } => Box::new(Residual { channels, stride, mean }),
            Self::Gin { width, mean } => Box::new(Gin { width, mean }),
        }
    }
}

impl Cost {
    /// That of layers for inputs of a shape, with the shape of their output.
    ///
    /// # Errors
    ///
    /// A shape that a layer cannot take.
    pub fn of(plans: &[Plan], input: &[usize]) -> Result<(Self, Shape)> {
        let (mut all, mut shape) = (Self::default(), input.to_vec());
        for kind in plans.iter().map(Plan::kind) {
            all = all.with(kind.cost(&shape)?);
            shape = kind.shape(&shape)?;
        }
        Ok((all, shape))
    }
}
