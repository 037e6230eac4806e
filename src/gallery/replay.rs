//! What a replay of a real network shows: each law, with the spread of its seeds.

use std::fmt;

use serde_json::{Value, json};

use super::summary::{Row, summarize_by};
use super::{METRICS, curves, same_group};
use crate::sweep::record::Record;
use crate::trend::{Claim, Shape};

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
            "metric": crate::adaptation::METRICS[self.row.metric],
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

/// The four laws for each group of curves that differ in the seed only, at the last finetuning time.
pub fn findings(records: &[Record]) -> Vec<Finding> {
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in records {
        match groups.iter_mut().find(|g| g[0].problem == record.problem && same_group(&g[0], record)) {
            Some(group) => group.push(record.clone()),
            None => groups.push(vec![record.clone()]),
        }
    }
    let many = groups.len() > 1;
    groups.iter().flat_map(|group| of_group(group, many)).collect()
}

fn of_group(records: &[Record], many: bool) -> Vec<Finding> {
    let first = &records[0];
    let group = if many {
        let Record { problem, head_scale, smoothing, head_rate, .. } = first;
        format!("{problem} (scale {head_scale}, ε = {smoothing}, γ = {head_rate})")
    } else {
        first.problem.clone()
    };
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
        Finding { group: group.clone(), mean: shape(&x, &y), spread, row }
    };
    let rows = summarize_by(&group, records, false, shape);
    debug_assert_eq!(rows.len(), METRICS.len());
    rows.into_iter().map(row).collect()
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
        assert!(all[2].seen() && !all[6].seen() && all[6].group.contains("ε = 0.2"));
    }
}
