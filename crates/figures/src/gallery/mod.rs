//! Numbers for the figures: of the rank-one theory, and of stored sweeps.

pub mod course;
pub mod stored;
pub mod theory;
pub mod transfer;

pub(crate) use taskhead::analysis::{
    Curve, METRICS, curves, log_steps, peak, quantile, same_group, steps,
};
