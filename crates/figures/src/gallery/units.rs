//! The trend of several sets of problems in one figure: metrics in units of the features before finetuning.

use super::stored::series;
use super::theory::Law;
use super::{Curve, Metric, Point, curves, mean};
use crate::plot::{SeriesPanel, Trend};
use taskhead::energy::per_sample;
use taskhead::sweep::config::Config;
use taskhead::sweep::record::Record;
use taskhead::tasks::{Task, TaskError};

/// Sizes of the features before finetuning, for every seed of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Norms {
    first_seed: u64,
    /// Mean norm and mean squared norm.
    of_seed: Vec<[f64; 2]>,
}

impl Norms {
    /// Of the tasks of a sweep, which are made for it.
    ///
    /// # Errors
    ///
    /// A task that cannot be made.
    pub fn of(config: &Config) -> Result<Self, TaskError> {
        let first_seed = config.heads.first_seed;
        let one = |seed| -> Result<[f64; 2], TaskError> {
            let task = Task::new(&config.problem, seed)?;
            let z = task.problem.features();
            Ok([mean(&per_sample(z)), z.norm_squared() / z.nrows() as f64])
        };
        let of_seed =
            (first_seed..first_seed + config.heads.seeds).map(one).collect::<Result<_, _>>()?;
        Ok(Self { first_seed, of_seed })
    }

    /// A metric of a point in these units; the angle has none.
    fn units(&self, point: &Point, metric: Metric) -> f64 {
        let [norm, square] = self.of_seed[(point.cell.seed - self.first_seed) as usize];
        let value = point.metric(metric);
        match metric {
            Metric::Euclidean | Metric::Norm | Metric::Frobenius => value / norm,
            Metric::Cosine => value,
            Metric::Dot => value / square,
        }
    }
}

/// Problems that are drawn alike.
#[derive(Debug, Clone)]
pub struct Set<'a> {
    /// What they are.
    pub name: &'a str,
    curves: Vec<Curve<'a>>,
    norms: &'a Norms,
}

impl<'a> Set<'a> {
    /// The records of a sweep with the sizes of its features.
    pub fn new(name: &'a str, records: &'a [Record], norms: &'a Norms) -> Self {
        Self { name, curves: curves(records), norms }
    }
}

/// The four metrics of some sets against the share of the largest energy, and the law to draw beside them.
pub fn trend(sets: &[Set], law: Option<Law>) -> Trend {
    let panels = Metric::MEANS.map(|metric| {
        let of = |set: &Set| series(set.name, &set.curves, |p: &Point| set.norms.units(p, metric));
        let mut series: Vec<_> = sets.iter().map(of).collect();
        series.extend(law.map(|law| law.series(metric)));
        let start = if metric.is_distance() { 0 } else { 1 };
        let y_label = format!("{} (start = {start})", metric.symbol());
        SeriesPanel { title: metric.title().into(), y_label, series }
    });
    Trend { x_label: "initial energy E / E_{max}".into(), panels: panels.to_vec() }
}
