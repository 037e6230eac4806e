//! A result that cannot be right.

use super::outcome::SolvedBy;
use crate::setting::Number;

/// A result that breaks a law of the flow: an error of this program, or a problem beyond double precision.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the result of {method} at time {} fails a check: {law} is off by {size:e} (accepted: {allowed:e}); \
     the problem may be beyond double precision: rescale it or try another method",
    Number(*time)
)]
pub struct Broken {
    /// What gave the result.
    pub method: SolvedBy,
    /// Its time.
    pub time: f64,
    /// What should hold.
    pub law: &'static str,
    /// By how much it does not.
    pub size: f64,
    /// What rounding and the tolerance explain.
    pub allowed: f64,
}
