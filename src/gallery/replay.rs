//! What a replay of a real network shows: each law, with the spread of its seeds.

use std::fmt;

use serde_json::{Value, json};

use super::summary::{Row, summarize_within};
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
    /// Standard deviation between seeds, averaged over the points, over the range of the mean; NaN of one seed.
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
        let deviations = (0..count).map(|i| {
            let squares = all.iter().map(|c| (of(c.records[i]) - y[i]).powi(2)).sum::<f64>();
            (squares / (all.len() - 1) as f64).sqrt()
        });
        let spread =
            if all.len() > 1 { deviations.sum::<f64>() / count as f64 / range } else { f64::NAN };
        Finding { group: group.clone(), mean: Shape::of(&x, &y, TOLERANCE), spread, row }
    };
    let rows = summarize_within(&group, records, false, TOLERANCE);
    debug_assert_eq!(rows.len(), METRICS.len());
    rows.into_iter().map(row).collect()
}
