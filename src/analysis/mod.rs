//! What records say: groups, curves against energy, peaks, quantiles, and whether each law was seen.

mod groups;
mod statistics;
pub mod summary;

pub use groups::{Across, Curve, Group, Point, curves, groups, reached};
pub use statistics::{log_steps, mean, peak, quantile, steps};
