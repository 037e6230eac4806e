//! Which probing time is best, and how sure that is: heads are compared on the same held-out samples.

use std::fmt;

use nalgebra::{DMatrix, DVector};

use super::row::{Difference, Row};

/// What the comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Some choice is clearly worse than the one with the best mean.
    Matters,
    /// None is: any will do here.
    DoesNotMatter,
}

/// The row with the best mean on held-out samples. Means that are equal to their resolution go to less energy.
pub(super) fn best(scores: &[Vec<f64>], resolution: f64) -> usize {
    highest(&means(scores), resolution, |_| true)
}

/// The recommended row: the best mean, or, where scores count samples, a smoother guess.
///
/// The accuracy of a few dozen samples goes up and down from row to row by chance, while what it estimates changes
/// slowly along the probing path. So, of the rows that are not clearly worse than the best mean, the one is taken where
/// the parabola through all means is highest. (Losses tell close rows apart, and may change abruptly.)
pub(super) fn recommended(scores: &[Vec<f64>], shares: &[f64], counts: bool, resolution: f64) -> usize {
    let first = best(scores, resolution);
    if !counts || scores.len() < LEAST {
        return first;
    }
    let smooth = parabola(shares, &means(scores));
    highest(&smooth, resolution, |row| !Difference::of(&scores[first], &scores[row]).is_clear())
}

/// Rows from which on their means are smoothed: a parabola goes through three.
const LEAST: usize = 5;

fn means(scores: &[Vec<f64>]) -> Vec<f64> {
    scores.iter().map(|row| row.iter().sum::<f64>() / row.len() as f64).collect()
}

/// The first of the largest values among the rows that may be chosen, of which there is one.
fn highest(values: &[f64], resolution: f64, may_be: impl Fn(usize) -> bool) -> usize {
    let rows = (0..values.len()).filter(|&row| may_be(row));
    rows.reduce(|best, row| if values[row] > values[best] + resolution { row } else { best })
        .unwrap_or(0)
}

/// The least-squares parabola through (x, y), at x.
fn parabola(x: &[f64], y: &[f64]) -> Vec<f64> {
    let powers = DMatrix::from_fn(x.len(), 3, |row, power| x[row].powi(power as i32));
    let q = powers.qr().q();
    let y = DVector::from_column_slice(y);
    (&q * q.tr_mul(&y)).as_slice().to_vec()
}

/// Whether some row is clearly worse than the one with the best mean.
pub(super) fn verdict(scores: &[Vec<f64>], resolution: f64) -> Verdict {
    let first = &scores[best(scores, resolution)];
    let clear = |row: &Vec<f64>| Difference::of(first, row).beyond(resolution).is_clear();
    let clear = scores.iter().any(clear);
    if clear { Verdict::Matters } else { Verdict::DoesNotMatter }
}

/// Sentences that give the reason. Those about why are left out where the numbers do not bear them out: unless finetuning `helps`, and the row is
/// clearly better than those that it is explained against.
pub(super) fn reason(verdict: Verdict, rows: &[Row], best: usize, counts: bool, helps: bool) -> String {
    let (full, none) = (0, rows.len() - 1);
    let unit = Unit { counts };
    if verdict == Verdict::DoesNotMatter {
        let most = rows.iter().map(|row| row.behind.mean.abs()).fold(0.0, f64::max);
        let most = if most > 0.0 {
            format!("largest difference {}, within two standard errors", unit.of(most))
        } else if counts {
            "all predict the same number of them right".into()
        } else {
            "all are the same to the tolerance of the solver".into()
        };
        return format!(
            "It does not matter here: no choice is clearly worse than another on held-out samples ({most}). The best guess is a share of {:.2}; probing fully moves the features least.",
            rows[best].share
        );
    }
    let against = |row: usize, name: &str| {
        let behind = rows[row].behind;
        if behind.mean <= 0.0 {
            return format!("no better than {name}");
        }
        let sure = if behind.is_clear() { "" } else { ", which may be chance" };
        format!("{} ± {} better than {name}{sure}", unit.of(behind.mean), unit.of(behind.error))
    };
    let clear = |row: usize| rows[row].behind.is_clear();
    let (text, why, borne_out) = match best {
        _ if best == full => (
            format!("Probe fully: on held-out samples it is {}.", against(none, "no probing")),
            " These features serve the task as they are; energy would move them away.",
            clear(none),
        ),
        _ if best == none => (
            format!("Do not probe: on held-out samples it is {}.", against(full, "probing fully")),
            " The features have to move for this task, and energy moves them.",
            clear(full) && helps,
        ),
        _ => (
            format!(
                "Probe in part, down to a share of {:.2} of the energy: on held-out samples it is {}, and {}.",
                rows[best].share,
                against(full, "probing fully"),
                against(none, "no probing")
            ),
            " Less energy leaves the features too far from the task, more takes them too far from where they were.",
            clear(full) && clear(none) && helps,
        ),
    };
    if borne_out { text + why } else { text }
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
    use crate::adaptation::Adaptation;

    #[test]
    fn equal_means_go_to_less_energy() {
        let row = |a: f64, b: f64| vec![a, b];
        assert_eq!(best(&[row(1.0, 0.0), row(0.0, 1.0), row(0.0, 0.0)], 0.0), 0);
        assert_eq!(best(&[row(0.0, 0.0), row(1.0, 1.0), row(1.0, 1.0)], 0.0), 1);
        let (same, shares) = (vec![row(1.0, 0.0); 5], [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(recommended(&same, &shares, true, 0.0), 0);
    }

    /// What is said about why is left out where the numbers do not bear it out.
    #[test]
    fn an_explanation_needs_a_clear_difference() {
        let behind = [0.2, 0.0, 0.2].map(|mean| Difference { mean, error: 0.01 });
        let row = |behind| Row {
            share: 0.5,
            probe_time: 1.0,
            epochs: None,
            strength: None,
            energy: 0.5,
            accuracy: None,
            head_norm: 1.0,
            weight: DMatrix::zeros(1, 1),
            bias: DVector::zeros(1),
            adaptation: Adaptation::of(&DMatrix::zeros(1, 1), &DMatrix::zeros(1, 1)),
            probed: 0.0,
            score: 0.0,
            over_seeds: 0.0,
            over_folds: 0.0,
            risk: 0.0,
            unmet: 0,
            behind,
        };
        let rows = |behind: [Difference; 3]| behind.map(row);
        let said = |rows: &[Row], best, helps| reason(Verdict::Matters, rows, best, true, helps);
        assert!(said(&rows(behind), 1, true).ends_with("from where they were."));
        assert!(said(&rows(behind), 1, false).ends_with("better than no probing."));
        let equal = [behind[0], behind[1], Difference { mean: 0.0, error: 0.0 }];
        assert!(said(&rows(equal), 1, true).ends_with("no better than no probing."));
        let chance = [Difference { mean: 0.01, error: 0.01 }, behind[0], behind[1]];
        assert!(said(&rows(chance), 2, true).ends_with("which may be chance."));
        assert!(said(&rows(behind), 2, true).ends_with("energy moves them."));
        assert!(said(&rows(behind), 2, false).ends_with("better than probing fully."));
    }

    #[test]
    fn a_parabola_is_its_own() {
        let x = [0.0, 0.2, 0.5, 0.9, 1.0];
        let y = x.map(|x| 1.0 - 3.0 * x + 2.0 * x * x);
        let found = parabola(&x, &y);
        assert!(found.iter().zip(y).all(|(found, y)| (found - y).abs() < 1e-14));
    }

    /// A lucky row among rows that cannot be told apart is passed over; where rows differ clearly the best mean stays.
    #[test]
    fn accuracies_are_smoothed_where_they_cannot_be_told_apart() {
        let shares = [0.0, 0.25, 0.5, 0.75, 1.0];
        // Which samples are right differs from row to row.
        let right = |counts: [usize; 5], of: usize| -> Vec<Vec<f64>> {
            let row = |(row, &right): (usize, &usize)| {
                (0..of).map(|i| f64::from(u8::from((i + row * of / 5) % of < right))).collect()
            };
            counts.iter().enumerate().map(row).collect()
        };
        let few = right([33, 30, 31, 31, 32], 40);
        assert_eq!((best(&few, 0.0), recommended(&few, &shares, true, 0.0)), (0, 0));
        let lucky = right([28, 30, 29, 33, 28], 40);
        assert_eq!((best(&lucky, 0.0), recommended(&lucky, &shares, true, 0.0)), (3, 2));
        assert_eq!(recommended(&lucky, &shares, false, 0.0), 3);
        let clear = right([2800, 3000, 2900, 3300, 2800], 4000);
        assert_eq!(recommended(&clear, &shares, true, 0.0), 3);
    }

    /// What lies within the resolution is no difference, however regular it is.
    #[test]
    fn differences_within_the_resolution_do_not_matter() {
        let scores = [vec![-1e-11, -2e-11], vec![0.0, 0.0], vec![-3e-11, -3e-11]];
        assert_eq!((best(&scores, 0.0), verdict(&scores, 0.0)), (1, Verdict::Matters));
        assert_eq!((best(&scores, 1e-9), verdict(&scores, 1e-9)), (0, Verdict::DoesNotMatter));
    }
}
