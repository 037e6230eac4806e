//! The best probing point: chosen on validation samples, reported on test samples.

use std::fmt;

use super::means::chosen_by_others;
use super::paired::Difference;
use super::{Across, Means};
use crate::sweep::record::{Record, ScoreKind};

/// The best probing point of a group: chosen by the mean score (accuracy, where there is no other) on validation
/// samples, reported with that on test samples, which had no part in the choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// The group in words.
    pub group: String,
    /// The score, if it is not accuracy.
    pub score: Option<ScoreKind>,
    /// Seeds over which means are taken.
    pub seeds: usize,
    /// Average initial energy of the point.
    pub energy: f64,
    /// Its probing time.
    pub probe_time: f64,
    /// Its validation score, the largest of all points.
    pub validation: f64,
    /// Its test score.
    pub test: f64,
    /// Its test accuracy, the same if that is the score.
    pub accuracy: f64,
    /// Test score after the longest probing and without any.
    pub ends: [f64; 2],
    /// Test score at an inner point less that after the longest probing, and less that without any: means over the
    /// seeds, each of which has the inner point that the other seeds' validation scores choose. None of a single
    /// seed or without an inner point.
    pub inner: Option<[Difference; 2]>,
}

impl fmt::Display for Optimum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, energy, probe_time, validation, test, ends: [longest, none], .. } = self;
        let name = self.score.map_or("accuracy", ScoreKind::title);
        let beside = self.score.map_or(String::new(), |_| format!(" (accuracy {:.4})", self.accuracy));
        write!(
            f,
            "{group}: largest validation {name} ({validation:.4}) at energy {energy:.2} (τ = {probe_time:.1}), test \
             {name} {test:.4} there{beside}; {longest:.4} at the least energy, {none:.4} at the most"
        )?;
        let Some(inner) = self.inner else {
            let why = if self.seeds < 2 { "one seed says nothing about" } else { "no inner point for" };
            return write!(f, "; {why} differences");
        };
        write!(f, "; over {} seeds, with 95 % intervals:", self.seeds)?;
        for (i, (difference, end)) in inner.iter().zip(["the longest probing", "none"]).enumerate() {
            let (and, word) = (if i == 0 { "" } else { "," }, difference.word());
            write!(f, "{and} inner probing less {end} {difference} ({word})")?;
        }
        Ok(())
    }
}

/// The best points of all groups that have validation scores, at the last finetuning time.
pub fn optima(records: &[Record]) -> Vec<Optimum> {
    let optimum = |means: Means| {
        let (i, validation) = means.best(|p| p.validation_score())?;
        let ends = [means.points.first()?, means.points.last()?].map(|a| a.mean(|p| p.held_out_score()));
        Some(Optimum {
            score: means.points[i].points.first()?.measured.score.map(|score| score.kind),
            seeds: means.seeds,
            energy: means.energy[i],
            probe_time: means.probe_time[i],
            validation,
            test: means.points[i].mean(|p| p.held_out_score()),
            accuracy: means.points[i].mean(|p| p.held_out_accuracy()),
            ends,
            inner: inner(&means),
            group: means.name,
        })
    };
    Means::all(records).into_iter().filter_map(optimum).collect()
}

/// Differences of the test score at an inner point from that at both ends, seed by seed.
fn inner(means: &Means) -> Option<[Difference; 2]> {
    let whole = means.points.iter().all(|a| a.points.len() == means.seeds);
    let [least, inner @ .., most] = &means.points[..] else { return None };
    if means.seeds < 2 || !whole || inner.is_empty() {
        return None;
    }
    // Every point has the seeds in the same order.
    let of_seed = |(seed, best): (usize, usize)| {
        let test = |a: &Across| a.points[seed].held_out_score();
        [least, most].map(|end| test(&inner[best]) - test(end))
    };
    let all: Vec<[f64; 2]> = chosen_by_others(inner).into_iter().enumerate().map(of_seed).collect();
    let differences = [0, 1].map(|end| all.iter().map(|d| d[end]).collect::<Vec<f64>>());
    if differences.iter().flatten().any(|d| !d.is_finite()) {
        return None;
    }
    Some(differences.map(|d| Difference::of(&d)))
}

#[cfg(test)]
mod tests {
    use super::super::findings::tests::records;
    use super::*;
    use crate::sweep::record::{Change, Measured, Outcome, Score};

    /// The same with a change of the numbers.
    fn changed(record: &Record, change: impl Fn(&mut Measured)) -> Record {
        let mut record = record.clone();
        if let Outcome::Reached(_, measured) = &mut record.outcome {
            change(measured);
        }
        record
    }

    #[test]
    fn the_best_point_is_that_of_the_mean() {
        let validation = [[0.5, 0.9, 0.7, 0.6], [0.5, 0.7, 0.95, 0.6]];
        // On the test samples another point is better: it has no part in the choice.
        let test = [[0.4, 0.99, 0.5, 0.7], [0.4, 0.99, 0.625, 0.7]];
        let of = |r: &Record| {
            let (seed, point) = (r.cell.seed as usize, r.cell.point as usize);
            changed(r, |m| {
                m.validation_accuracy = Some(validation[seed][point]);
                m.held_out_accuracy = Some(Change { start: 0.0, end: test[seed][point] });
            })
        };
        let all: Vec<Record> = records([0.0; 4]).iter().map(of).collect();
        let best = &optima(&all)[0];
        assert_eq!((best.validation, best.energy, best.test), (0.825, 3.0, 0.5625));
        assert_eq!((best.ends, best.seeds), ([0.4, 0.7], 2));
        assert!(best.to_string().contains("largest validation accuracy (0.8250) at energy 3.00"));
        // The first seed's inner point is chosen by the second, point 2 (test 0.5), the second's by the first, point 1
        // (test 0.99).
        let [least, most] = best.inner.unwrap();
        assert!((least.mean - (0.1 + 0.59) / 2.0).abs() < 1e-12, "{least}");
        assert!((most.mean - (-0.2 + 0.29) / 2.0).abs() < 1e-12 && !most.is_seen(), "{most}");
        assert!(best.to_string().contains("inner probing less none +4.50 ± "), "{best}");
        let alone: Vec<Record> = all.iter().filter(|r| r.cell.seed == 0).cloned().collect();
        assert!(optima(&alone)[0].inner.is_none());
        assert_eq!(best.accuracy, 0.5625);
        assert!(optima(&records([0.0; 4])).is_empty());
        // With a score of its own, that chooses and is reported, and accuracy stands beside it.
        let scored = |r: &Record| {
            changed(r, |m| {
                let (held_out, validation) =
                    (m.held_out_accuracy.unwrap(), m.validation_accuracy.unwrap());
                m.score =
                    Some(Score { kind: ScoreKind::MeanIou, training: held_out, held_out, validation });
                m.validation_accuracy = Some(1.0 - validation);
                m.held_out_accuracy = Some(Change { start: 0.0, end: 0.75 });
            })
        };
        let scored: Vec<Record> = all.iter().map(scored).collect();
        let iou = &optima(&scored)[0];
        let kind = Some(ScoreKind::MeanIou);
        assert_eq!(
            iou,
            &Optimum { score: kind, accuracy: 0.75, group: iou.group.clone(), ..best.clone() }
        );
        assert!(
            iou.to_string().contains("largest validation mean IoU (0.8250) at energy 3.00"),
            "{iou}"
        );
        assert!(iou.to_string().contains("test mean IoU 0.5625 there (accuracy 0.7500);"), "{iou}");
    }
}
