//! taskhead
pub mod adaptation;
pub mod energy;
pub mod flow;
pub mod linalg;
#[cfg(feature = "plot")]
pub mod plot;
pub mod probing;
pub mod problem;
pub mod reduction;
pub mod simulation;
pub mod sweep;
pub mod trend;
