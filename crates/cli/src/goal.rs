//! Where finetuning stops before its time: the flags that several commands share.

use taskhead::simulation::Until;

/// A level at which finetuning stops.
#[derive(Debug, clap::Args)]
pub struct Goal {
    /// Stop finetuning where the training loss, on average over the samples, has fallen to this.
    #[arg(long, value_name = "L", value_parser = super::amount, conflicts_with = "until_accuracy")]
    pub until_loss: Option<f64>,
    /// Stop finetuning where this share of the training samples is predicted right.
    #[arg(long, value_name = "A", value_parser = super::amount)]
    pub until_accuracy: Option<f64>,
}

impl Goal {
    /// The level asked for, if any.
    pub fn until(&self) -> Option<Until> {
        self.until_loss.map(Until::Loss).or(self.until_accuracy.map(Until::Accuracy))
    }
}
