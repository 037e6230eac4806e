//! What records say: groups, curves against energy, peaks, quantiles, whether each law was seen, the best probing
//! point, how ways to prepare the head compare, and how near a theory comes to a network.

pub mod comparison;
pub mod findings;
mod groups;
mod means;
pub mod nearness;
pub mod optimum;
pub mod paired;
mod statistics;
pub mod summary;

pub use groups::{Across, Curve, Group, Point, curves, groups, is_squared, reached};
pub use means::Means;
pub use statistics::{deviation, log_steps, mean, peak, quantile, steps};
