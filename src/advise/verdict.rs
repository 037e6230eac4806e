//! Which probing time is best, and how sure that is: heads are compared on the same held-out samples.

use std::fmt;

use super::row::{Difference, Row};

/// What the comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The recommended point is clearly better than some other choice.
    Matters,
    /// No choice is clearly worse than the recommended one: any will do here.
    DoesNotMatter,
}

/// The recommended row: the best mean on held-out samples. Where it is not clearly better than less motion of the
/// features, the row with the least energy that it is not clearly better than would do as well; but the best mean is
/// still the best guess. Equal means go to less energy.
pub(super) fn best(scores: &[Vec<f64>]) -> usize {
    let mean = |row: &Vec<f64>| row.iter().sum::<f64>() / row.len() as f64;
    let means: Vec<f64> = scores.iter().map(mean).collect();
    (0..means.len()).fold(0, |best, row| if means[row] > means[best] { row } else { best })
}

/// Sentences that give the reason.
pub(super) fn reason(rows: &[Row], best: usize, counts: bool) -> (Verdict, String) {
    let (full, none) = (0, rows.len() - 1);
    let matters = rows.iter().any(|row| row.behind.is_clear());
    let unit = Unit { counts };
    if !matters {
        let most = rows.iter().map(|row| row.behind.mean).fold(0.0, f64::max);
        let text = format!(
            "It does not matter here: no choice is clearly worse than another on held-out samples (largest difference {}, \
             within two standard errors). Probing fully moves the features least.",
            unit.of(most)
        );
        return (Verdict::DoesNotMatter, text);
    }
    let against = |row: usize, name: &str| {
        let behind = rows[row].behind;
        let sure = if behind.is_clear() { "" } else { ", which may be chance" };
        format!("{} ± {} better than {name}{sure}", unit.of(behind.mean), unit.of(behind.error))
    };
    let text = match best {
        _ if best == full => format!(
            "Probe fully: on held-out samples it is {}. These features serve the task as they are; energy would move \
             them away.",
            against(none, "no probing")
        ),
        _ if best == none => format!(
            "Do not probe: on held-out samples it is {}. The features have to move for this task, and energy moves them.",
            against(full, "probing fully")
        ),
        _ => format!(
            "Probe in part, down to a share of {:.2} of the energy: on held-out samples it is {}, and {}. Less energy \
             leaves the features too far from the task, more takes them too far from where they were.",
            rows[best].share,
            against(full, "probing fully"),
            against(none, "no probing")
        ),
    };
    (Verdict::Matters, text)
}

/// What to say where not finetuning is better than finetuning.
pub(super) fn without_finetuning(share: f64, gain: Difference, counts: bool) -> String {
    let unit = Unit { counts };
    format!(
        " But a head that is probed down to a share of {share:.2}, without finetuning, is {} ± {} better than finetuning \
         for as long as was asked for: finetune for a shorter time.",
        unit.of(gain.mean),
        unit.of(gain.error)
    )
}

/// Points of accuracy, or loss.
struct Unit {
    counts: bool,
}

impl Unit {
    fn of(&self, value: f64) -> impl fmt::Display {
        if self.counts { format!("{:.1} points", 100.0 * value) } else { format!("{value:.2e} of loss") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_means_go_to_less_energy() {
        let row = |a: f64, b: f64| vec![a, b];
        assert_eq!(best(&[row(1.0, 0.0), row(0.0, 1.0), row(0.0, 0.0)]), 0);
        assert_eq!(best(&[row(0.0, 0.0), row(1.0, 1.0), row(1.0, 1.0)]), 1);
    }
}
