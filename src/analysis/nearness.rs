//! The theory laid over a network: how near each of its kernels comes, and how much of the rest is that the network's
//! own kernel changes.

use std::collections::HashMap;
use std::fmt;

use super::{Group, Means, Point, groups, mean, reached};
use crate::metric::Metric;
use crate::sweep::record::{Cell, Record};

/// What a cell of the network was, beyond its record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    /// Mean dot product z₀·z₀ and mean norm ‖z₀‖ before finetuning.
    pub start: [f64; 2],
    /// By how much the network's tangent kernel changed, relative to what it was; none if it was not measured.
    pub kernel_change: Option<f64>,
}

/// What a cell of the network has in common with the theory's cells that lie over it: all but number and problem.
pub type Place = (u64, u64, [u64; 4]);

/// That of a cell.
pub fn place(cell: &Cell) -> Place {
    let numbers = [cell.head_scale, cell.smoothing, cell.head_rate, cell.time].map(f64::to_bits);
    (cell.seed, cell.point, numbers)
}

/// The cells of a network that has one kind of head.
#[derive(Debug, Clone, Default)]
pub struct Grounds(HashMap<Place, Ground>);

impl FromIterator<(Cell, Ground)> for Grounds {
    fn from_iter<I: IntoIterator<Item = (Cell, Ground)>>(cells: I) -> Self {
        Self(cells.into_iter().map(|(cell, ground)| (place(&cell), ground)).collect())
    }
}

impl Grounds {
    fn get(&self, point: &Point) -> Option<&Ground> {
        self.0.get(&place(point.cell))
    }
}

/// A distance, or by how much dot product or norm changed; NaN if the cell has none.
pub fn moved(point: &Point, metric: Metric, grounds: &Grounds) -> f64 {
    let start = grounds.get(point).map_or([f64::NAN; 2], |ground| ground.start);
    let value = point.metric(metric);
    match metric {
        Metric::Euclidean | Metric::Cosine | Metric::Frobenius => value,
        Metric::Dot => value - start[0],
        Metric::Norm => value - start[1],
    }
}

/// What is compared, in words.
pub fn title(metric: Metric) -> String {
    if metric.is_distance() {
        metric.title().to_owned()
    } else {
        format!("Change of {}", metric.title().to_lowercase())
    }
}

/// How near a theory comes to a network in one metric, at the last finetuning time.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearness {
    /// The group of the theory's records in words, with its kernel.
    pub group: String,
    /// The metric; of dot product and norm the change is compared.
    pub metric: Metric,
    /// Mean of the network over mean of the theory, over all cells.
    pub factor: f64,
    /// Mean of |theory − network| over mean of |network|, over all cells.
    pub error: f64,
    /// Correlation over all cells; NaN if one of the two does not vary.
    pub correlation: f64,
    /// The same error over the seeds at each probing point, with its average initial energy.
    pub errors: Vec<(f64, f64)>,
}

impl Nearness {
    /// Energy and relative error where it is largest.
    pub fn worst(&self) -> (f64, f64) {
        self.errors.iter().copied().fold((f64::NAN, 0.0), |a, b| if b.1 > a.1 { b } else { a })
    }
}

impl fmt::Display for Nearness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (energy, worst) = self.worst();
        let correlation = if self.correlation.is_finite() {
            format!("correlation {:.3}", self.correlation)
        } else {
            "no correlation: it is the same at all points".into()
        };
        write!(
            f,
            "theory over {}: {:<21}  network ×{:.2}, error {:.0} % ({:.0} % at energy {energy:.2}), {correlation}",
            self.group,
            title(self.metric),
            self.factor,
            100.0 * self.error,
            100.0 * worst,
        )
    }
}

/// Four for each kernel and each group of the network.
pub fn nearness(network: &[Record], theory: &[Record], grounds: &Grounds) -> Vec<Nearness> {
    let of_network: HashMap<Place, Point> =
        reached(network).into_iter().map(|p| (place(p.cell), p)).collect();
    groups(theory).iter().flat_map(|group| near(group, &of_network, grounds)).collect()
}

fn near(group: &Group, network: &HashMap<Place, Point>, grounds: &Grounds) -> Vec<Nearness> {
    let curves = group.curves();
    let mut pairs: Vec<(Point, Point)> = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .filter_map(|p| Some((*network.get(&place(p.cell))?, *p)))
        .collect();
    pairs.sort_by_key(|(p, _)| (p.cell.point, p.cell.number));
    let problem = &group.cell().problem;
    let label = match group.label.contains(problem) {
        true => group.label.clone(),
        false => format!("{problem}, {}", group.label),
    };
    let of_metric = |metric: Metric| {
        let both = |pairs: &[(Point, Point)]| -> Vec<(f64, f64)> {
            let of = |p: &Point| moved(p, metric, grounds);
            pairs.iter().map(|(p, t)| (of(p), of(t))).collect()
        };
        let error = |values: &[(f64, f64)]| {
            let missed: f64 = values.iter().map(|(p, t)| (t - p).abs()).sum();
            missed / values.iter().map(|(p, _)| p.abs()).sum::<f64>()
        };
        let values = both(&pairs);
        let points = pairs.chunk_by(|a, b| a.0.cell.point == b.0.cell.point);
        let errors = points.map(|point| {
            let energies: Vec<f64> = point.iter().map(|(p, _)| p.aie()).collect();
            (mean(&energies), error(&both(point)))
        });
        Nearness {
            group: label.clone(),
            metric,
            factor: values.iter().map(|v| v.0).sum::<f64>() / values.iter().map(|v| v.1).sum::<f64>(),
            error: error(&values),
            correlation: correlation(&values),
            errors: errors.collect(),
        }
    };
    Metric::MEANS.map(of_metric).to_vec()
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let (xx, yy) = (sum(&|p| (p.0 - x).powi(2)), sum(&|p| (p.1 - y).powi(2)));
    sum(&|p| (p.0 - x) * (p.1 - y)) / (xx * yy).sqrt()
}

/// By how much the tangent kernel of a network changed until the last finetuning time.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelChange {
    /// The group of the network's records in words.
    pub group: String,
    /// Mean over the seeds at each probing point, with its average initial energy.
    pub changes: Vec<(f64, f64)>,
}

impl fmt::Display for KernelChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the network's own kernel changed by", self.group)?;
        for (i, (energy, change)) in self.changes.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma} {:.0} % at energy {energy:.2}", 100.0 * change)?;
        }
        Ok(())
    }
}

/// By how much the network's tangent kernel changed; NaN if it was not measured.
pub fn kernel_change(point: &Point, grounds: &Grounds) -> f64 {
    grounds.get(point).and_then(|ground| ground.kernel_change).unwrap_or(f64::NAN)
}

/// One for each group of a network in which it was measured.
pub fn kernel_changes(network: &[Record], grounds: &Grounds) -> Vec<KernelChange> {
    let of = |means: Means| {
        let at = means.points.iter().map(|a| a.mean(|p| kernel_change(p, grounds)));
        let changes: Vec<(f64, f64)> =
            means.energy.iter().copied().zip(at).filter(|(_, change)| change.is_finite()).collect();
        (!changes.is_empty()).then_some(KernelChange { group: means.name, changes })
    };
    Means::all(network).into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::record::tests::{reached as record, smoothed};

    /// A network of two seeds whose features have z₀·z₀ = 100 and ‖z₀‖ = 10, and a theory that has 1.5 times the change
    /// of its dot product and does not see that its norm changes.
    fn pair() -> (Vec<Record>, Vec<Record>, Vec<(Cell, Ground)>) {
        let (mut network, mut theory, mut grounds) = (vec![], vec![], vec![]);
        for seed in 0..2 {
            for i in 0..4u64 {
                let change = (i + 1 + seed) as f64;
                let of = |dot: f64, norm: f64| record(seed, i, change, [change, change, dot, norm]);
                network.push(of(100.0 + change, 10.0 + change));
                let mut one = of(100.0 + 1.5 * change, 10.0);
                let ground = Ground { start: [100.0, 10.0], kernel_change: Some(change / 100.0) };
                grounds.push((one.cell.clone(), ground));
                one.cell.problem += ", full kernel";
                one.cell.number += 500;
                theory.push(one);
            }
        }
        (network, theory, grounds)
    }

    #[test]
    fn dot_product_and_norm_are_compared_by_their_change() {
        let (network, theory, grounds) = pair();
        let grounds = grounds.into_iter().collect();
        let all = nearness(&network, &theory, &grounds);
        assert_eq!(all.len(), 4);
        assert_eq!((all[0].error, all[0].factor, all[0].correlation), (0.0, 1.0, 1.0));
        let dot = &all[2];
        assert!((dot.error - 0.5).abs() < 1e-12 && (dot.factor * 1.5 - 1.0).abs() < 1e-12);
        assert!((dot.correlation - 1.0).abs() < 1e-12 && dot.errors.len() == 4);
        assert!(dot.errors.iter().all(|e| (e.1 - 0.5).abs() < 1e-12));
        assert!(all[3].correlation.is_nan() && all[3].error == 1.0);
        assert!(dot.to_string().contains("test, full kernel: Change of dot product"), "{dot}");
        let change = &kernel_changes(&network, &grounds)[0];
        assert_eq!((change.changes.len(), change.changes[1]), (4, (2.5, 0.025)));
    }

    /// Groups are measured one by one, with the kernel in their names.
    #[test]
    fn groups_are_kept_apart() {
        let (network, theory, mut grounds) = pair();
        let both = |records: &[Record]| -> Vec<Record> {
            records.iter().cloned().chain(records.iter().cloned().map(smoothed)).collect()
        };
        for (mut cell, ground) in grounds.clone() {
            cell.smoothing = 0.2;
            grounds.push((cell, ground));
        }
        let all = nearness(&both(&network), &both(&theory), &grounds.into_iter().collect());
        let groups: Vec<&str> = all.iter().map(|n| n.group.as_str()).collect();
        assert_eq!([groups[0], groups[4]], ["test, full kernel, ε = 0", "test, full kernel, ε = 0.2"]);
        assert!(all.iter().all(|n| n.errors.len() == 4));
    }
}
