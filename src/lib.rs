//! taskhead
pub mod adaptation;
pub mod energy;
pub mod flow;
pub mod linalg;
pub mod probing;
pub mod problem;
pub mod reduction;
pub mod simulation;
pub mod sweep;
pub mod trend;
pub mod digits;
pub mod tasks;
