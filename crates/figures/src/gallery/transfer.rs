//! What finetuning does to features and to held-out samples: each law with the spread of its seeds, and the best
//! energy.

use std::fmt;

use serde_json::{Value, json};

use super::paired::Difference;
use super::{Across, Group, Metric, Point, groups, reached};
use crate::plot::{Figure, Series, SeriesPanel, Transfer};
use taskhead::analysis::summary::{Row, summarize_curves};
use taskhead::sweep::record::{Record, ScoreKind};
use taskhead::trend::{Claim, Shape};

/// A run against the direction counts from this share of a curve's range on: batches are random.
pub const TOLERANCE: f64 = 0.05;

/// One law on the curves of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The group in words.
    pub group: String,
    /// The curves of the seeds, one by one.
    pub row: Row,
    /// The mean over the seeds.
    pub mean: Shape,
    /// Standard deviation between the curves of the seeds, each less its own average, over the range of their
    /// mean; NaN of one seed.
    pub spread: f64,
}

impl Finding {
    /// Whether the mean over the seeds agrees with the law.
    pub fn seen(&self) -> bool {
        Claim::of_metric(self.row.metric).agrees(&self.mean)
    }

    /// What was seen, in words. A law of two parts, a rise and then possibly a fall, may be seen in part; and a range
    /// of the mean below twice the spread of the seeds shows nothing.
    pub fn verdict(&self) -> &'static str {
        match (self.seen(), Claim::of_metric(self.row.metric), &self.mean) {
            (false, ..) => "not seen",
            _ if self.spread > 0.5 => "flat within the seeds",
            (true, Claim::Rises, _) => "seen",
            (true, Claim::RisesThenMayFall, Shape::Rising) => "rise seen, no fall",
            (true, Claim::RisesThenMayFall, _) => "rise and fall seen",
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "group": self.group,
            "metric": self.row.metric.name(),
            "claim": self.row.claim(),
            "seen": self.seen(),
            "verdict": self.verdict(),
            "mean": self.mean,
            "agree": self.row.agree.0,
            "seeds": self.row.agree.1,
            "spread": if self.spread.is_nan() { Value::Null } else { json!(self.spread) },
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:<18}  {:<20}  {:<22}  mean {}; {}",
            self.group,
            self.row.metric.title(),
            self.row.claim(),
            self.verdict(),
            self.mean.describe(),
            self.row.finding()
        )?;
        if self.spread.is_nan() { Ok(()) } else { write!(f, "; spread {:.0} %", 100.0 * self.spread) }
    }
}

/// The shape of a curve above its lowest point, so that only its range counts and not its level.
fn shape(x: &[f64], y: &[f64]) -> Shape {
    let low = y.iter().copied().fold(f64::INFINITY, f64::min);
    Shape::of(x, &y.iter().map(|v| v - low).collect::<Vec<_>>(), TOLERANCE)
}

/// The laws for each group of curves that differ in the seed only, at the last finetuning time.
pub fn findings(records: &[Record]) -> Vec<Finding> {
    groups(records).iter().filter(|g| !g.curves().is_empty()).flat_map(of_group).collect()
}

fn of_group(group: &Group) -> Vec<Finding> {
    let all = group.curves();
    let across = Across::of(&all);
    // What all seeds have, so that they can be compared.
    let shared: Vec<&Across> = across.iter().filter(|a| a.points.len() == all.len()).collect();
    let finding = |row: Row| {
        let of = |p: &Point| p.metric(row.metric);
        let x: Vec<f64> = shared.iter().map(|a| a.mean(|p| p.aie())).collect();
        let y: Vec<f64> = shared.iter().map(|a| a.mean(of)).collect();
        let range = y.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            - y.iter().copied().fold(f64::INFINITY, f64::min);
        let values: Vec<Vec<f64>> = shared.iter().map(|a| a.values(of)).collect();
        let count = shared.len() as f64;
        let levels: Vec<f64> = (0..all.len())
            .map(|c| values.iter().zip(&y).map(|(v, y)| v[c] - y).sum::<f64>() / count)
            .collect();
        let deviations = values.iter().zip(&y).map(|(v, y)| {
            let own = v.iter().zip(&levels).map(|(v, level)| v - level - y);
            (own.map(|d| d * d).sum::<f64>() / (all.len() - 1) as f64).sqrt()
        });
        let spread = if all.len() > 1 { deviations.sum::<f64>() / count / range } else { f64::NAN };
        Finding { group: group.label.clone(), mean: shape(&x, &y), spread, row }
    };
    summarize_curves(&group.label, &all, false, shape).into_iter().map(finding).collect()
}

/// Means over the seeds, point by point, by ascending average initial energy.
pub(super) struct Means<'a> {
    pub name: String,
    pub seeds: usize,
    pub energy: Vec<f64>,
    probe_time: Vec<f64>,
    pub points: Vec<Across<'a>>,
}

impl<'a> Means<'a> {
    fn of(group: &Group<'a>) -> Self {
        let all = group.curves();
        let points = Across::of(&all);
        let energy = points.iter().map(|a| a.mean(|p| p.aie())).collect();
        let probe_time = points.iter().map(|a| a.mean(|p| p.measured.probe_time)).collect();
        Self { name: group.label.clone(), seeds: all.len(), energy, probe_time, points }
    }

    /// Those of all groups that have curves.
    pub fn all(records: &'a [Record]) -> Vec<Self> {
        groups(records).iter().map(Self::of).filter(|means| means.seeds > 0).collect()
    }

    /// The mean, the least and the largest value over the seeds at each energy.
    pub fn series(&self, of: impl Fn(&Point) -> f64) -> Series {
        let y = self.points.iter().map(|a| a.mean(&of)).collect();
        let fold = |start: f64, pick: fn(f64, f64) -> f64| -> Vec<f64> {
            self.points.iter().map(|a| a.values(&of).into_iter().fold(start, pick)).collect()
        };
        let (low, high) = (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max));
        if self.seeds > 1 {
            Series::band(&self.name, self.energy.clone(), y, low, high)
        } else {
            Series::line(&self.name, self.energy.clone(), y)
        }
    }

    /// Differences of the test score at an inner point from that at both ends, seed by seed.
    fn inner(&self) -> Option<[Difference; 2]> {
        let whole: Vec<&Across> = self.points.iter().filter(|a| a.points.len() == self.seeds).collect();
        if self.seeds < 2 || whole.len() != self.points.len() || whole.len() < 3 {
            return None;
        }
        // Every point has the seeds in the same order.
        let of =
            |of: fn(&Point) -> f64| -> Vec<Vec<f64>> { whole.iter().map(|a| a.values(of)).collect() };
        let (validation, test) = (of(validation_score), of(held_out_score));
        let last = whole.len() - 1;
        let of_seed = |seed: usize| {
            let others = |i: usize| -> f64 {
                (0..self.seeds).filter(|&s| s != seed).map(|s| validation[i][s]).sum()
            };
            let best =
                (1..last).max_by(|&a, &b| others(a).total_cmp(&others(b))).expect("an inner point");
            [0, last].map(|end| test[best][seed] - test[end][seed])
        };
        let all: Vec<[f64; 2]> = (0..self.seeds).map(of_seed).collect();
        let differences = [0, 1].map(|end| all.iter().map(|d| d[end]).collect::<Vec<f64>>());
        if differences.iter().flatten().any(|d| !d.is_finite()) {
            return None;
        }
        Some(differences.map(|d| Difference::of(&d)))
    }

    /// The point of the largest mean; of equal ones that of the most energy, which takes the least probing.
    fn best(&self, of: impl Fn(&Point) -> f64) -> Option<(usize, f64)> {
        let means = self.points.iter().map(|a| a.mean(&of)).enumerate();
        means.filter(|(_, v)| v.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// The held-out accuracy of a point; NaN if there is none.
fn held_out_accuracy(p: &Point) -> f64 {
    p.measured.held_out_accuracy.map_or(f64::NAN, |accuracy| accuracy.end)
}

/// The held-out score of a point, which is its accuracy where it has no other; NaN if there is none.
fn held_out_score(p: &Point) -> f64 {
    p.measured.score.map_or_else(|| held_out_accuracy(p), |score| score.held_out.end)
}

/// The score by which a point is chosen; NaN if there is none.
fn validation_score(p: &Point) -> f64 {
    let score = p.measured.score.map(|score| score.validation);
    score.or(p.measured.validation_accuracy).unwrap_or(f64::NAN)
}

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

impl Optimum {
    /// As JSON.
    pub fn json(&self) -> Value {
        let name = self.score.map_or("accuracy", ScoreKind::name);
        json!({
            "group": self.group,
            "seeds": self.seeds,
            "aie": self.energy,
            "probe_time": self.probe_time,
            "chosen_by": format!("validation_{name}"),
            "test_accuracy": self.accuracy,
            format!("validation_{name}"): self.validation,
            format!("test_{name}"): self.test,
            format!("test_{name}_at_least_energy"): self.ends[0],
            format!("test_{name}_at_most_energy"): self.ends[1],
            "inner_minus_least_energy": self.inner.map(|[least, _]| least.json()),
            "inner_minus_most_energy": self.inner.map(|[_, most]| most.json()),
        })
    }
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
        let (i, validation) = means.best(validation_score)?;
        let ends = [means.points.first()?, means.points.last()?].map(|a| a.mean(held_out_score));
        Some(Optimum {
            score: means.points[i].points.first()?.measured.score.map(|score| score.kind),
            seeds: means.seeds,
            energy: means.energy[i],
            probe_time: means.probe_time[i],
            validation,
            test: means.points[i].mean(held_out_score),
            accuracy: means.points[i].mean(held_out_accuracy),
            ends,
            inner: means.inner(),
            group: means.name,
        })
    };
    Means::all(records).into_iter().filter_map(optimum).collect()
}

/// The panel of a metric.
fn panel_of(metric: Metric, means: &[Means]) -> SeriesPanel {
    SeriesPanel {
        title: metric.title().into(),
        y_label: metric.symbol().into(),
        series: means.iter().map(|m| m.series(|p| p.metric(metric))).collect(),
    }
}

/// The metrics against the average initial energy, and what it means for the held-out samples.
pub fn transfer(records: &[Record], metrics: &[Metric]) -> Option<Box<dyn Figure>> {
    let means = Means::all(records);
    if means.iter().all(|m| m.points.len() < 2) {
        return None;
    }
    let panel = |title: &str, label: &str, of: &dyn Fn(&Point) -> f64| SeriesPanel {
        title: title.into(),
        y_label: label.into(),
        series: means.iter().map(|m| m.series(of)).collect(),
    };
    let mut panels: Vec<_> = metrics.iter().map(|&metric| panel_of(metric, &means)).collect();
    if reached(records).iter().any(|p| p.measured.held_out_accuracy.is_some()) {
        let kind = reached(records).iter().find_map(|p| Some(p.measured.score?.kind));
        let name = kind.map_or("accuracy", ScoreKind::title);
        let mut score = panel(&format!("Test {name}"), name, &held_out_score);
        for (series, means) in score.series.iter_mut().zip(&means) {
            let best = means.best(validation_score);
            series.peak = best.map(|(i, _)| (means.energy[i], means.points[i].mean(held_out_score)));
        }
        if score.series.iter().any(|series| series.peak.is_some()) {
            score.title += ", best by validation marked";
        }
        panels.push(score);
        let risk = |p: &Point| p.measured.risk.map_or(f64::NAN, |risk| risk.end);
        panels.push(match kind {
            Some(_) => panel("Test accuracy", "accuracy", &held_out_accuracy),
            None => panel("Test squared error", "mean ‖r‖²", &risk),
        });
    }
    Some(Box::new(Transfer { x_label: "average initial energy".into(), panels }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{record, smoothed};
    use super::*;
    use taskhead::sweep::record::{Change, Measured, Outcome, Score};

    /// Two seeds whose curves differ by a level only, at a small range.
    fn records(dot: [f64; 4]) -> Vec<Record> {
        let one = |seed: u64, i: usize| {
            let norm = [1.0, 1.1, 1.104, 1.101][i];
            record(seed, i as u64, (i + 1) as f64, [i as f64, -(i as f64), dot[i] + seed as f64, norm])
        };
        (0..2).flat_map(|seed| (0..4).map(move |i| one(seed, i))).collect()
    }

    /// The same with a change of the numbers.
    fn changed(record: &Record, change: impl Fn(&mut Measured)) -> Record {
        let mut record = record.clone();
        if let Outcome::Reached(_, measured) = &mut record.outcome {
            change(measured);
        }
        record
    }

    #[test]
    fn laws_are_judged_by_the_range_above_the_level() {
        let all = findings(&records([100.0, 101.0, 100.5, 99.0]));
        assert_eq!(all.iter().map(Finding::seen).collect::<Vec<_>>(), [true, false, true, true]);
        assert_eq!(all[2].mean, Shape::RisingThenFalling { peak: 2.0 });
        // Three per cent of the range down is within the tolerance.
        assert_eq!(all[3].mean, Shape::Rising);
        assert!(all.iter().all(|f| f.spread.abs() < 1e-12 && f.row.agree.1 == 2));
        let verdicts: Vec<&str> = all.iter().map(Finding::verdict).collect();
        assert_eq!(verdicts, ["seen", "not seen", "rise and fall seen", "rise seen, no fall"]);
        let noisy = Finding { spread: 0.6, ..all[3].clone() };
        assert_eq!((noisy.seen(), noisy.verdict()), (true, "flat within the seeds"));
    }

    #[test]
    fn groups_are_kept_apart() {
        let mut all = records([0.0, 1.0, 2.0, 3.0]);
        all.extend(records([3.0, 2.0, 1.0, 0.0]).into_iter().map(smoothed));
        let all = findings(&all);
        assert_eq!(all.len(), 8);
        assert!(all[2].seen() && !all[6].seen() && all[6].group == "ε = 0.2");
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
        assert_eq!(best.json()["test_accuracy"], 0.5625);
        assert!(transfer(&all, &Metric::MEANS).is_some() && optima(&records([0.0; 4])).is_empty());
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
        assert_eq!(
            (&iou.json()["test_mean_iou"], &iou.json()["test_accuracy"]),
            (&json!(0.5625), &json!(0.75))
        );
        let panels = transfer(&scored, &Metric::MEANS).unwrap().svg(crate::plot::Theme::Light);
        assert!(panels.contains("Test mean IoU, best by validation marked"), "{panels}");
        // Without validation samples nothing is marked, and nothing says so.
        let unchosen = |r: &Record| changed(r, |m| m.validation_accuracy = None);
        let unchosen: Vec<Record> = all.iter().map(unchosen).collect();
        let panels = |records| transfer(records, &Metric::MEANS).unwrap().svg(crate::plot::Theme::Light);
        assert!(panels(&all).contains("Test accuracy, best by validation marked"));
        let panels = panels(&unchosen);
        assert!(panels.contains("Test accuracy") && !panels.contains("by validation"), "{panels}");
    }
}
