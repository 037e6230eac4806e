//! Networks as stacks of layers, on images with channels last.

mod affine;
mod conv;
mod convert;
mod cost;
mod dense;
mod filtered;
mod gin;
mod layer;
mod maker;
mod moving;
mod norm;
mod normed;
mod plan;
mod pool;
mod relu;
mod residual;
mod rows;
mod sparse;
mod stack;
mod stem;
mod storage;
mod up;

pub use convert::{matrix, tensor};
pub use cost::Cost;
pub use gin::{BONDS, GRAPH, NEIGHBOURS};
pub use layer::Shape;
pub use plan::Plan;
pub use rows::Row;
pub use stack::Stack;
pub use storage::gram;

#[cfg(test)]
mod tests;
