//! Numbers for the figures: of the rank-one theory, and of stored sweeps.

pub mod advice;
pub mod beyond;
pub mod course;
pub mod laws;
pub mod overlay;
pub mod single;
pub mod stored;
pub mod theory;
pub mod transfer;
pub mod units;

pub(crate) use taskhead::analysis::{
    Across, Curve, Group, Point, curves, groups, is_squared, log_steps, mean, peak, quantile, reached,
    steps,
};
pub(crate) use taskhead::metric::Metric;

#[cfg(test)]
pub(crate) mod testing {
    use taskhead::energy::Energy;
    use taskhead::flow::Stop;
    use taskhead::sweep::record::{Asked, Cell, Change, Measured, Outcome, Record};

    /// A cell that reached its end at time 1, with both energies and the means; there is no Frobenius distance.
    pub fn record(seed: u64, point: u64, energy: f64, metrics: [f64; 4]) -> Record {
        let [euclidean, cosine, dot, norm] = metrics.map(Some);
        let cell = Cell {
            number: 100 * seed + point,
            problem: "test".into(),
            seed,
            head_scale: 1.0,
            smoothing: 0.0,
            head_rate: 1.0,
            point,
            probe: Asked::Time(0.0),
            time: 1.0,
        };
        let measured = Measured {
            method: "flow".into(),
            probe_time: point as f64,
            energies: Energy { aie: energy, frobenius: energy },
            time: 1.0,
            residual: 0.0,
            loss: None,
            drift: None,
            training: [euclidean, cosine, dot, norm, None].into(),
            held_out: None,
            budget: None,
            head_norm: Change { start: 1.0, end: 1.0 },
            risk: None,
            accuracy: None,
            held_out_accuracy: None,
            validation_accuracy: None,
            score: None,
        };
        Record { cell, outcome: Outcome::of(Stop::Time, measured) }
    }

    /// The same cell with label smoothing.
    pub fn smoothed(mut record: Record) -> Record {
        record.cell.smoothing = 0.2;
        record
    }
}
