//! Why there is no answer to a question about probing.

use crate::problem::ProblemError;
use crate::setting::{Number, Setting};

/// Why there is no answer to a question about probing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbingError {
    /// The arrays do not make a problem.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// A probing time or a smoothing that is not valid.
    #[error(transparent)]
    Setting(#[from] Setting),
    /// An energy that no probing time reaches.
    #[error(
        "the {measure} energy {} is not reached by probing; reachable here{}: {} to {}",
        Number(*wanted),
        if *whole { "" } else { ", at least" },
        Number(*lowest),
        Number(*highest)
    )]
    Unreachable {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
        /// The lowest energy that was seen on the probing path.
        lowest: f64,
        /// The highest energy that was seen on the probing path.
        highest: f64,
        /// Whether the whole path was seen: no energy beyond these two is on it.
        whole: bool,
    },
    /// Whether an energy is reached could not be settled.
    #[error(
        "the {measure} energy {} and the probing path come so close for so long that it was not settled whether they \
         meet; ask for another energy nearby",
        Number(*wanted)
    )]
    Unsettled {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
    },
    /// An energy below the rounding of the part of the targets that the head cannot fit.
    #[error(
        "the {measure} energy {wanted:e} is below what the data determine: with fewer independent features than \
         samples the part of the targets that no head fits is known to {rounding:.1e} only (reachable here as \
         computed: {lowest:e} to {})",
        Number(*highest)
    )]
    BelowRounding {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
        /// The size of rounding.
        rounding: f64,
        /// The lowest energy on the probing path as computed.
        lowest: f64,
        /// The highest energy on the probing path.
        highest: f64,
    },
    /// A probing time that is too long or too short for f64.
    #[error(
        "the {measure} energy {wanted:e} is reached at a probing time beyond the range of double precision; \
         rescale the features"
    )]
    Range {
        /// "AIE" or "Frobenius".
        measure: &'static str,
        /// The energy asked for.
        wanted: f64,
    },
    /// A probing time of ∞ where the head grows without end.
    #[error(
        "probing has no end: the features separate the classes (a head with a summed training loss of {}, below \
         ln 2, was found), so under cross-entropy with hard labels the energy falls to 0 like 1/tau while the head grows \
         like ln tau; ask for a finite probing time, for an energy above 0, or for label smoothing",
        Number(*loss)
    )]
    NoLimit {
        /// The loss of that head, summed over the samples.
        loss: f64,
    },
    /// Predictions that have moved so far that the tolerance of the path hides the residual.
    #[error(
        "probing for {} moves predictions by {moved:.1e}, of which the path is known to a share of {share:.1e}: the \
         residual is not known to 1e-4; accepted: a smaller initial head, or a shorter time",
        Number(*tau)
    )]
    Lost {
        /// The probing time.
        tau: f64,
        /// ‖Z₀(V(τ) − V_init)‖.
        moved: f64,
        /// The relative error of the path.
        share: f64,
    },
    /// Whether there is a limit could not be decided.
    #[error(
        "it is not certain whether probing has an end: some predictions are as good as certain (smallest probability \
         {smallest:e}) while the head is still pulled by {gradient:e}; ask for a finite probing time or for label smoothing"
    )]
    Undecided {
        /// ‖UᵀR‖ where the search ended.
        gradient: f64,
        /// The smallest probability of a class there.
        smallest: f64,
    },
    /// The caller has ended it.
    #[error("probing was interrupted {}", place(*time))]
    Interrupted {
        /// The probing time that was reached; ∞ while its limit was looked for.
        time: f64,
    },
    /// The flow of the head could not be followed.
    #[error("the flow of the head could not be followed: {reason}")]
    Unsolved {
        /// What the solver says.
        reason: String,
    },
}

fn place(time: f64) -> String {
    if time.is_finite() {
        format!("at a probing time of {time:.3e}")
    } else {
        "while its limit was looked for".into()
    }
}

/// Checks a probing time.
pub(super) fn check_time(tau: f64) -> Result<(), ProbingError> {
    Ok(Setting::check_time("the probing time", tau)?)
}
