//! What every kind of layer gives: a [`Kind`] before it is made, a [`Layer`] after it.
//!
//! A new kind of layer is a file that has both, and a line in `plan.rs`.

use std::fmt::Debug;
use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::cost::Cost;
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;
use super::normed::Normed;

/// Shape of one sample: height × width × channels, or a single number of features.
pub type Shape = Vec<usize>;

/// A kind of layer with its sizes, before it is made.
pub(super) trait Kind {
    /// The shape of its output for inputs of a shape.
    ///
    /// # Errors
    ///
    /// A shape that it cannot take.
    fn shape(&self, input: &[usize]) -> Result<Shape>;

    /// The numbers that it holds, for inputs of a shape that it takes.
    fn cost(&self, input: &[usize]) -> Result<Cost>;

    /// Makes it for inputs of a shape that it takes.
    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>>;
}

/// A layer. Clones of the pointer share its variables; a fork has its own.
pub(super) trait Layer: Debug + Send + Sync {
    /// Applies it to samples in rows; `norm` stands for batch normalisation.
    fn forward(&self, x: &Tensor, norm: &mut Normalise<'_>) -> Result<Tensor>;

    /// The variables that learn, without those of [`Self::normed`], with their names in the layer.
    fn variables(&self) -> Vec<(&'static str, &Var)> {
        Vec::new()
    }

    /// Convolutions with batch normalisation in the order in which samples pass them, with their names in the layer:
    /// none for a layer that is a single one.
    fn normed(&self) -> Vec<(Option<&'static str>, &Normed)> {
        Vec::new()
    }

    /// The same layer with variables of its own.
    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>>;

    /// Applies it to samples that move, while its variables move too. Batch normalisation is that of these samples.
    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving>;
}
