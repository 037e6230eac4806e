//! One row of a sweep, shared by the linear theory and by replays of real networks.

use serde::{Deserialize, Serialize};

/// What was measured in one cell: one head, one probing point, one finetuning time.
///
/// A value that a cell does not have is NaN in numbers and empty in texts; a cell that failed has its
/// reason in `error` and NaN everywhere else but in what was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number of the cell in the order of the configuration, from 0.
    pub cell: u64,
    /// Group of curves it belongs to: "gaussian", "rank-one", "digits" or the name of a file.
    pub problem: String,
    /// Seed of the problem and of the initial head.
    pub seed: u64,
    /// Scale of the initial head.
    pub head_scale: f64,
    /// Label smoothing in head probing.
    pub smoothing: f64,
    /// γ
    pub head_rate: f64,
    /// Number of the probing point on its curve, from 0.
    pub point: u64,
    /// Probing time τ.
    pub probe_time: f64,
    /// Average initial energy at the start of finetuning.
    pub aie: f64,
    /// Frobenius energy at the start of finetuning.
    pub frobenius: f64,
    /// Finetuning time.
    pub time: f64,
    /// How it was solved.
    pub method: String,
    /// How it ended.
    pub status: String,
    /// ‖R‖_F at the end.
    pub residual: f64,
    /// Relative drift of the conserved matrix (T2).
    pub drift: f64,
    /// Mean Euclidean distance of the training features.
    pub euclidean: f64,
    /// Mean cosine distance.
    pub cosine: f64,
    /// Mean dot product.
    pub dot: f64,
    /// Mean norm.
    pub norm: f64,
    /// The same four on the held-out inputs.
    pub held_out_euclidean: f64,
    /// Mean cosine distance, held out.
    pub held_out_cosine: f64,
    /// Mean dot product, held out.
    pub held_out_dot: f64,
    /// Mean norm, held out.
    pub held_out_norm: f64,
    /// Loss spent by the backbone.
    pub budget_backbone: f64,
    /// Loss spent by the head.
    pub budget_head: f64,
    /// ‖V‖_F at the start of finetuning.
    pub head_norm_start: f64,
    /// ‖V‖_F at the end.
    pub head_norm: f64,
    /// Downstream risk before finetuning: mean squared error on the held-out inputs.
    pub risk_start: f64,
    /// Downstream risk at the end.
    pub risk: f64,
    /// Training accuracy at the start of finetuning, for classes.
    pub accuracy_start: f64,
    /// Training accuracy at the end.
    pub accuracy: f64,
    /// Held-out accuracy at the start of finetuning.
    pub held_out_accuracy_start: f64,
    /// Held-out accuracy at the end.
    pub held_out_accuracy: f64,
    /// Why the cell failed; empty if it did not.
    pub error: String,
}

impl Default for Record {
    fn default() -> Self {
        const NONE: f64 = f64::NAN;
        Self {
            cell: 0,
            problem: String::new(),
            seed: 0,
            head_scale: NONE,
            smoothing: NONE,
            head_rate: NONE,
            point: 0,
            probe_time: NONE,
            aie: NONE,
            frobenius: NONE,
            time: NONE,
            method: String::new(),
            status: String::new(),
            residual: NONE,
            drift: NONE,
            euclidean: NONE,
            cosine: NONE,
            dot: NONE,
            norm: NONE,
            held_out_euclidean: NONE,
            held_out_cosine: NONE,
            held_out_dot: NONE,
            held_out_norm: NONE,
            budget_backbone: NONE,
            budget_head: NONE,
            head_norm_start: NONE,
            head_norm: NONE,
            risk_start: NONE,
            risk: NONE,
            accuracy_start: NONE,
            accuracy: NONE,
            held_out_accuracy_start: NONE,
            held_out_accuracy: NONE,
            error: String::new(),
        }
    }
}

impl Record {
    /// The metric with this number in [`crate::adaptation::METRICS`], on the training features.
    pub fn metric(&self, metric: usize) -> f64 {
        [self.euclidean, self.cosine, self.dot, self.norm][metric]
    }

    /// The same on the held-out inputs.
    pub fn held_out_metric(&self, metric: usize) -> f64 {
        [self.held_out_euclidean, self.held_out_cosine, self.held_out_dot, self.held_out_norm][metric]
    }

    /// Whether the cell has a result.
    pub fn succeeded(&self) -> bool {
        self.error.is_empty()
    }
}
