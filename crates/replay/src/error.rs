//! What can go wrong in a replay.

use std::path::PathBuf;

use taskhead::sweep::config::ConfigError;
use taskhead::tasks::TaskError;

/// Why a replay, or one cell of it, failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The configuration holds a value that is not accepted.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A random task could not be made.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A tensor operation failed.
    #[error("{}", plain(.0))]
    Tensor(#[from] candle_core::Error),
    /// A device that is not there.
    #[error("device {name} cannot be used: {reason}; accepted: {accepted}")]
    Device {
        /// The device asked for.
        name: String,
        /// Why not.
        reason: String,
        /// What this build can use.
        accepted: String,
    },
    /// Two parts of a configuration that do not belong together.
    #[error("{0}")]
    Unfit(
        /// What does not fit what, and what would.
        String,
    ),
    /// A variable that should learn has no gradient: a layer without a backward pass.
    #[error("the variable `{name}` has no gradient")]
    NoGradient {
        /// Its name.
        name: String,
    },
    /// Training left the range of numbers, or silenced the whole network.
    #[error(
        "{stage} diverged: after a time of {time} at a rate of {rate} outputs are not finite or all features \
         are zero; a smaller rate helps"
    )]
    Diverged {
        /// What was trained.
        stage: &'static str,
        /// For how long.
        time: f64,
        /// At which rate.
        rate: f64,
    },
    /// An energy that probing does not reach.
    #[error("an energy of {wanted} is not reached by probing; seen here: {low} to {high}")]
    Unreached {
        /// The energy.
        wanted: f64,
        /// The smallest that was seen.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// More memory than there is.
    #[error(
        "{stage} needs at least {needed:.1} GiB of memory with {batch} samples in a batch and {at_once} at once, \
         but {available:.1} GiB are available; a smaller batch, narrower layers or fewer threads need less"
    )]
    Memory {
        /// What needs it.
        stage: &'static str,
        /// How much, in GiB.
        needed: f64,
        /// How much there is, in GiB.
        available: f64,
        /// Samples that go through the network at once.
        batch: usize,
        /// Networks that run at once.
        at_once: usize,
    },
    /// A file of weights that does not fit.
    #[error("{}: {fault}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// A data file that does not fit.
    #[error("{}: {fault}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
}

/// The message of the tensor library without its backtrace.
fn plain(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => plain(inner),
        other => other.to_string(),
    }
}
