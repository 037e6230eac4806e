//! The laws on curves with noise, as those of trained networks: what the mean over the seeds does, and how far the
//! seeds are apart.

use std::fmt;

use super::summary::{Row, summarize_curves};
use super::{Across, Group, Point, groups};
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

    /// What was seen, in words. A law of two parts, a rise and then possibly a fall, may be seen in part; and a range
    /// of the mean below twice the spread of the seeds shows nothing.
    pub fn verdict(&self) -> &'static str {
        match (self.seen(), Claim::of_metric(self.row.metric), &self.mean) {
            _ if self.row.agree.1 == 0 => "not judged",
            (false, ..) => "not seen",
            _ if self.spread > 0.5 => "flat within the seeds",
            (true, Claim::Rises, _) => "seen",
            (true, Claim::RisesThenMayFall, Shape::Rising) => "rise seen, no fall",
            (true, Claim::RisesThenMayFall, _) => "rise and fall seen",
        }
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
    // What all seeds have, so that they can be compared.
    let shared = Across::whole(&all);
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sweep::record::tests::{reached as record, smoothed};

    /// Two seeds whose curves differ by a level only, at a small range.
    pub fn records(dot: [f64; 4]) -> Vec<Record> {
        let one = |seed: u64, i: usize| {
            let norm = [1.0, 1.1, 1.104, 1.101][i];
            record(seed, i as u64, (i + 1) as f64, [i as f64, -(i as f64), dot[i] + seed as f64, norm])
        };
        (0..2).flat_map(|seed| (0..4).map(move |i| one(seed, i))).collect()
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
}
