//! Means over the seeds of a group.

use super::{Across, Group, Point, groups};
use crate::sweep::record::Record;

/// Means over the seeds, point by point, by ascending average initial energy.
#[derive(Debug, Clone)]
pub struct Means<'a> {
    /// The group in words.
    pub name: String,
    /// How many seeds it has.
    pub seeds: usize,
    /// Average initial energy of each point.
    pub energy: Vec<f64>,
    /// Probing time of each point.
    pub probe_time: Vec<f64>,
    /// The points of all seeds.
    pub points: Vec<Across<'a>>,
}

impl<'a> Means<'a> {
    /// Those of one group.
    pub fn of(group: &Group<'a>) -> Self {
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

    /// The point of the largest mean; of equal ones that of the most energy, which takes the least probing.
    pub fn best(&self, of: impl Fn(&Point) -> f64) -> Option<(usize, f64)> {
        let means = self.points.iter().map(|a| a.mean(&of)).enumerate();
        means.filter(|(_, v)| v.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// For each seed which of some points, that all seeds have, the other seeds choose by the mean of their validation
/// scores; of equal ones the last. A single seed chooses for itself.
pub(super) fn chosen_by_others(points: &[Across]) -> Vec<usize> {
    let scores: Vec<Vec<f64>> = points.iter().map(|a| a.values(|p| p.validation_score())).collect();
    let seeds = scores.first().map_or(0, Vec::len);
    let choice = |seed: usize| {
        let others = |point: usize| -> f64 {
            (0..seeds).filter(|&s| s != seed || seeds == 1).map(|s| scores[point][s]).sum()
        };
        (0..points.len()).max_by(|&a, &b| others(a).total_cmp(&others(b))).expect("a point")
    };
    (0..seeds).map(choice).collect()
}
