//! What finetuning does to features and to held-out samples: each law with the spread of its seeds, the best
//! energy, and the theory laid over a network.

use std::fmt;

use serde_json::{Value, json};

use super::{METRICS, curves, same_group};
use crate::plot::{Figure, Series, SeriesPanel, Transfer};
use taskhead::analysis::summary::{Row, summarize_by};
use taskhead::sweep::record::Record;
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

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "group": self.group,
            "metric": taskhead::adaptation::METRICS[self.row.metric],
            "claim": self.row.claim(),
            "seen": self.seen(),
            "mean": self.mean,
            "agree": self.row.agree.0,
            "seeds": self.row.agree.1,
            "spread": if self.spread.is_nan() { Value::Null } else { json!(self.spread) },
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.seen() { "seen" } else { "not seen" };
        write!(
            f,
            "{}: {:<18}  {:<20}  {verdict:<8}  mean {}; {}",
            self.group,
            self.row.metric_name(),
            self.row.claim(),
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

/// Records that differ in seed, point and time only.
fn groups(records: &[Record]) -> Vec<Vec<Record>> {
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in records {
        match groups.iter_mut().find(|g| g[0].problem == record.problem && same_group(&g[0], record)) {
            Some(group) => group.push(record.clone()),
            None => groups.push(vec![record.clone()]),
        }
    }
    groups
}

/// Names of the groups: what they differ in, or the problem if there is one group.
fn names(groups: &[Vec<Record>]) -> Vec<String> {
    let firsts: Vec<&Record> = groups.iter().map(|g| &g[0]).collect();
    let differs = |of: fn(&Record) -> f64| firsts.iter().any(|r| of(r) != of(firsts[0]));
    let problems = firsts.iter().any(|r| r.problem != firsts[0].problem);
    type Part = fn(&Record) -> String;
    let parts: [(bool, Part); 4] = [
        (problems || groups.len() == 1, |r| r.problem.clone()),
        (differs(|r| r.head_scale), |r| format!("scale {}", r.head_scale)),
        (differs(|r| r.smoothing), |r| format!("ε = {}", r.smoothing)),
        (differs(|r| r.head_rate), |r| format!("γ = {}", r.head_rate)),
    ];
    let name = |r: &&Record| {
        let used = parts.iter().filter(|(used, _)| *used).map(|(_, part)| part(r));
        used.collect::<Vec<_>>().join(", ")
    };
    firsts.iter().map(name).collect()
}

/// The four laws for each group of curves that differ in the seed only, at the last finetuning time.
pub fn findings(records: &[Record]) -> Vec<Finding> {
    let groups = groups(records);
    let names = names(&groups);
    groups.iter().zip(&names).flat_map(|(group, name)| of_group(group, name)).collect()
}

fn of_group(records: &[Record], group: &str) -> Vec<Finding> {
    let all = curves(records);
    let count = all.iter().map(|c| c.records.len()).min().unwrap_or(0);
    let mean = |of: &dyn Fn(&Record) -> f64, i: usize| {
        all.iter().map(|c| of(c.records[i])).sum::<f64>() / all.len() as f64
    };
    let row = |row: Row| {
        let of = |r: &Record| r.metric(row.metric);
        let x: Vec<f64> = (0..count).map(|i| mean(&|r| r.aie, i)).collect();
        let y: Vec<f64> = (0..count).map(|i| mean(&of, i)).collect();
        let range = y.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            - y.iter().copied().fold(f64::INFINITY, f64::min);
        let levels: Vec<f64> = all
            .iter()
            .map(|c| (0..count).map(|i| of(c.records[i]) - y[i]).sum::<f64>() / count as f64)
            .collect();
        let deviations = (0..count).map(|i| {
            let own = all.iter().zip(&levels).map(|(c, level)| of(c.records[i]) - level - y[i]);
            (own.map(|d| d * d).sum::<f64>() / (all.len() - 1) as f64).sqrt()
        });
        let spread =
            if all.len() > 1 { deviations.sum::<f64>() / count as f64 / range } else { f64::NAN };
        Finding { group: group.to_owned(), mean: shape(&x, &y), spread, row }
    };
    let rows = summarize_by(group, records, false, shape);
    debug_assert_eq!(rows.len(), METRICS.len());
    rows.into_iter().map(row).collect()
}

/// Means over the seeds, point by point, by ascending average initial energy.
struct Means {
    name: String,
    seeds: usize,
    energy: Vec<f64>,
    probe_time: Vec<f64>,
    points: Vec<Vec<Record>>,
}

impl Means {
    fn of(records: &[Record], name: &str) -> Self {
        let all = curves(records);
        let count = all.iter().map(|c| c.records.len()).min().unwrap_or(0);
        let points: Vec<Vec<Record>> =
            (0..count).map(|i| all.iter().map(|c| c.records[i].clone()).collect()).collect();
        let mean = |of: fn(&Record) -> f64| points.iter().map(|p| average(p, of)).collect();
        let (energy, probe_time) = (mean(|r| r.aie), mean(|r| r.probe_time));
        Self { name: name.to_owned(), seeds: all.len(), energy, probe_time, points }
    }

    /// Mean, least and most over the seeds at each energy.
    fn series(&self, of: impl Fn(&Record) -> f64) -> Series {
        let y = self.points.iter().map(|p| average(p, &of)).collect();
        let fold = |start: f64, pick: fn(f64, f64) -> f64| -> Vec<f64> {
            self.points.iter().map(|p| p.iter().map(&of).fold(start, pick)).collect()
        };
        let (low, high) = (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max));
        if self.seeds > 1 {
            Series::band(&self.name, self.energy.clone(), y, low, high)
        } else {
            Series::line(&self.name, self.energy.clone(), y)
        }
    }

    /// The point of the largest mean.
    fn best(&self, of: impl Fn(&Record) -> f64) -> Option<(usize, f64)> {
        let means = self.points.iter().map(|p| average(p, &of)).enumerate();
        means.filter(|(_, v)| v.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

fn average(records: &[Record], of: impl Fn(&Record) -> f64) -> f64 {
    records.iter().map(of).sum::<f64>() / records.len() as f64
}

/// Where the held-out accuracy of a group is best.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// The group in words.
    pub group: String,
    /// Best accuracy, average initial energy and probing time there.
    pub best: [f64; 3],
    /// Accuracy after the longest probing and without any.
    pub ends: [f64; 2],
}

impl fmt::Display for Optimum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([best, energy, time], [longest, none]) = (self.best, self.ends);
        write!(
            f,
            "{}: best held-out accuracy {best:.4} at energy {energy:.2} (τ = {time:.1}); {longest:.4} at the \
             least energy, {none:.4} at the most",
            self.group
        )
    }
}

/// The best points of all groups that have accuracies, at the last finetuning time.
pub fn optima(records: &[Record]) -> Vec<Optimum> {
    let groups = groups(records);
    let of = |r: &Record| r.held_out_accuracy;
    let optimum = |(group, name): (&Vec<Record>, &String)| {
        let means = Means::of(group, name);
        let (i, accuracy) = means.best(of)?;
        let ends = [means.points.first()?, means.points.last()?].map(|p| average(p, of));
        Some(Optimum {
            group: name.clone(),
            best: [accuracy, means.energy[i], means.probe_time[i]],
            ends,
        })
    };
    groups.iter().zip(&names(&groups)).filter_map(optimum).collect()
}

/// How near the theory comes to a network in one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearness {
    /// Number of the metric.
    pub metric: usize,
    /// Correlation over all cells; NaN if one of the two does not vary.
    pub correlation: f64,
    /// Mean of |theory − network| / |network| over the seeds, with the average initial energy: one for each point.
    pub errors: Vec<(f64, f64)>,
}

impl Nearness {
    /// The mean relative error over all points.
    pub fn mean_error(&self) -> f64 {
        self.errors.iter().map(|e| e.1).sum::<f64>() / self.errors.len() as f64
    }

    /// Energy and relative error where it is largest.
    pub fn worst(&self) -> (f64, f64) {
        self.errors.iter().copied().fold((f64::NAN, 0.0), |a, b| if b.1 > a.1 { b } else { a })
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let errors: Vec<_> = self.errors.iter().map(|(e, r)| json!({"aie": e, "error": r})).collect();
        json!({
            "metric": taskhead::adaptation::METRICS[self.metric],
            "correlation": if self.correlation.is_nan() { Value::Null } else { json!(self.correlation) },
            "errors": errors,
        })
    }
}

impl fmt::Display for Nearness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (energy, worst) = self.worst();
        write!(
            f,
            "theory over network: {:<18}  correlation {:.3}; relative error {:.0} % on average, {:.0} % at energy {energy:.2}",
            METRICS[self.metric].0,
            self.correlation,
            100.0 * self.mean_error(),
            100.0 * worst
        )
    }
}

/// The theory's records against those of the network with the same cells, at the last finetuning time.
pub fn nearness(network: &[Record], theory: &[Record]) -> Vec<Nearness> {
    let last = network.iter().map(|r| r.time).fold(0.0, f64::max);
    let mut pairs: Vec<(&Record, &Record)> = network
        .iter()
        .filter(|r| r.time == last)
        .filter_map(|r| Some((r, theory.iter().find(|t| t.cell == r.cell && t.succeeded())?)))
        .collect();
    pairs.sort_by_key(|(r, _)| r.point);
    let of_metric = |metric: usize| {
        let values: Vec<(f64, f64)> =
            pairs.iter().map(|(r, t)| (r.metric(metric), t.metric(metric))).collect();
        let error = |(r, t): &(&Record, &Record)| {
            (r.aie, (t.metric(metric) - r.metric(metric)).abs() / r.metric(metric).abs())
        };
        let errors = pairs.chunk_by(|a, b| a.0.point == b.0.point).map(|point| {
            let all: Vec<(f64, f64)> = point.iter().map(error).collect();
            let mean = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
            (mean(|e| e.0), mean(|e| e.1))
        });
        Nearness { metric, correlation: correlation(&values), errors: errors.collect() }
    };
    (0..METRICS.len()).map(of_metric).collect()
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let (xx, yy) = (sum(&|p| (p.0 - x).powi(2)), sum(&|p| (p.1 - y).powi(2)));
    sum(&|p| (p.0 - x) * (p.1 - y)) / (xx * yy).sqrt()
}

/// The four metrics of a network with those of the theory.
pub fn overlay(network: &[Record], theory: &[Record]) -> Option<Box<dyn Figure>> {
    let groups: Vec<Means> = [network, theory]
        .into_iter()
        .map(|records| Some(Means::of(records, &records.first()?.problem)))
        .collect::<Option<_>>()?;
    let panel = |(metric, (title, symbol)): (usize, &(&str, &str))| SeriesPanel {
        title: (*title).into(),
        y_label: (*symbol).into(),
        series: groups.iter().map(|m| m.series(|r| r.metric(metric))).collect(),
    };
    let panels = METRICS.iter().enumerate().map(panel).collect();
    Some(Box::new(Transfer { x_label: "average initial energy".into(), panels }))
}

/// The four metrics against the average initial energy, and what it means for the held-out samples.
pub fn transfer(records: &[Record]) -> Option<Box<dyn Figure>> {
    let groups = groups(records);
    let means: Vec<Means> =
        groups.iter().zip(&names(&groups)).map(|(group, name)| Means::of(group, name)).collect();
    if means.iter().all(|m| m.points.len() < 2) {
        return None;
    }
    let panel = |title: &str, label: &str, of: &dyn Fn(&Record) -> f64| SeriesPanel {
        title: title.into(),
        y_label: label.into(),
        series: means.iter().map(|m| m.series(of)).collect(),
    };
    let mut panels: Vec<SeriesPanel> = METRICS
        .iter()
        .enumerate()
        .map(|(metric, (title, symbol))| panel(title, symbol, &|r| r.metric(metric)))
        .collect();
    if records.iter().any(|r| r.held_out_accuracy.is_finite()) {
        let mut accuracy = panel("Held-out accuracy, best marked", "accuracy", &|r| r.held_out_accuracy);
        for (series, means) in accuracy.series.iter_mut().zip(&means) {
            series.peak = means.best(|r| r.held_out_accuracy).map(|(i, y)| (means.energy[i], y));
        }
        panels.push(accuracy);
        panels.push(panel("Held-out squared error", "mean ‖r‖²", &|r| r.risk));
    }
    Some(Box::new(Transfer { x_label: "average initial energy".into(), panels }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two seeds whose curves differ by a level only, at a small range.
    fn records(dot: [f64; 4]) -> Vec<Record> {
        let record = |seed: u64, i: usize| Record {
            seed,
            frobenius: (i + 1) as f64,
            aie: (i + 1) as f64,
            time: 1.0,
            head_scale: 1.0,
            smoothing: 0.0,
            head_rate: 1.0,
            euclidean: i as f64,
            cosine: -(i as f64),
            dot: dot[i] + seed as f64,
            norm: [1.0, 1.1, 1.104, 1.101][i],
            ..Record::default()
        };
        (0..2).flat_map(|seed| (0..4).map(move |i| record(seed, i))).collect()
    }

    #[test]
    fn laws_are_judged_by_the_range_above_the_level() {
        let all = findings(&records([100.0, 101.0, 100.5, 99.0]));
        assert_eq!(all.iter().map(Finding::seen).collect::<Vec<_>>(), [true, false, true, true]);
        assert_eq!(all[2].mean, Shape::RisingThenFalling { peak: 2.0 });
        // Three per cent of the range down is within the tolerance.
        assert_eq!(all[3].mean, Shape::Rising);
        assert!(all.iter().all(|f| f.spread.abs() < 1e-12 && f.row.agree.1 == 2));
    }

    #[test]
    fn groups_are_kept_apart() {
        let mut all = records([0.0, 1.0, 2.0, 3.0]);
        all.extend(records([3.0, 2.0, 1.0, 0.0]).into_iter().map(|r| Record { smoothing: 0.2, ..r }));
        let all = findings(&all);
        assert_eq!(all.len(), 8);
        assert!(all[2].seen() && !all[6].seen() && all[6].group == "ε = 0.2");
    }

    #[test]
    fn nearness_is_measured_cell_by_cell() {
        let number = |(i, r): (usize, Record)| Record { cell: i as u64, point: i as u64 % 4, ..r };
        let network: Vec<Record> =
            records([1.0, 2.0, 3.0, 4.0]).into_iter().enumerate().map(number).collect();
        let theory: Vec<Record> =
            network.iter().map(|r| Record { dot: 1.5 * r.dot, norm: 2.0, ..r.clone() }).collect();
        let all = nearness(&network, &theory);
        assert!((all[2].correlation - 1.0).abs() < 1e-12 && all[3].correlation.is_nan());
        assert_eq!(all[2].errors.len(), 4);
        assert!(all[2].errors.iter().all(|e| (e.1 - 0.5).abs() < 1e-12));
        assert_eq!(all[0].worst().1.to_bits(), 0f64.to_bits());
        assert!(overlay(&network, &theory).is_some());
    }

    #[test]
    fn the_best_point_is_that_of_the_mean() {
        let accuracy = [[0.5, 0.9, 0.7, 0.6], [0.5, 0.7, 0.95, 0.6]];
        let of =
            |r: Record| Record { held_out_accuracy: accuracy[r.seed as usize][r.aie as usize - 1], ..r };
        let all: Vec<Record> = records([0.0; 4]).into_iter().map(of).collect();
        let optimum = &optima(&all)[0];
        assert_eq!((optimum.best[0], optimum.best[1], optimum.ends), (0.825, 3.0, [0.5, 0.6]));
        assert!(transfer(&all).is_some() && optima(&records([0.0; 4])).is_empty());
    }
}
