//! Accuracy, and the four metrics, against the energy at the start of finetuning.

use super::axis::Axis;
use super::canvas::page;
use super::layout::PAGE_WIDTH;
use super::panel::labelled_row;
use super::{Figure, SeriesPanel, Theme};

/// Two panels with an energy axis each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Digits {
    /// Whether the problem is the digits transfer, which the figure is then named after.
    pub transfer: bool,
    /// Name of the energy axis on the left.
    pub accuracy_x_label: String,
    /// Accuracies.
    pub accuracy: SeriesPanel,
    /// Name of the energy axis on the right.
    pub adaptation_x_label: String,
    /// Adaptation metrics.
    pub adaptation: SeriesPanel,
}

impl Figure for Digits {
    fn name(&self) -> &'static str {
        if self.transfer { "digits" } else { "accuracy" }
    }

    fn svg(&self, theme: Theme) -> String {
        let title = if self.transfer {
            "Digits transfer: accuracy and adaptation"
        } else {
            "Accuracy and adaptation"
        };
        page((PAGE_WIDTH, 300), theme, title, |canvas| {
            let left = Axis::linear(&self.accuracy_x_label);
            let right = Axis::linear(&self.adaptation_x_label);
            let panels = [(&left, &self.accuracy), (&right, &self.adaptation)];
            labelled_row(canvas, &panels);
        })
    }
}
