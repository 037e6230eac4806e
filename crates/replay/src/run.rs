//! Running a replay: the network's cells, and the theory laid over them.

use std::sync::OnceLock;

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::cell::Start;
use super::config::Head;
use super::data::Dataset;
use super::error::ReplayError;
use super::memory;
use super::replay::{Curve, Replay};
use taskhead::sweep::journal::{Journal, known_or};
use taskhead::sweep::record::{Cell, Record};

impl Replay {
    /// Records of one probing point of a curve, which is what is run or known as a whole.
    pub fn records_of_a_cell(&self) -> usize {
        self.config.times.len()
    }

    /// Runs all cells that the journal does not know. A cell that fails keeps its reason and the rest goes on.
    pub fn run(&self, journal: &dyn Journal) -> Vec<Record> {
        let points = self.config.points().count();
        let all: Vec<(&Curve, usize)> =
            self.curves.iter().flat_map(|curve| (0..points).map(move |point| (curve, point))).collect();
        let one = |&(curve, point): &(&Curve, usize)| {
            let cells = self.grid.cells_of_a_point(&curve.of, point, &self.config.title(&curve.head));
            let run = |cells: Vec<Cell>| {
                self.cell(curve, point, &cells).unwrap_or_else(|error| {
                    cells.into_iter().map(|cell| Record::failed(cell, &error)).collect()
                })
            };
            known_or(journal, cells, |cells| Some(run(cells))).unwrap_or_default()
        };
        let all = &all[self.points.clone()];
        let records: Vec<Vec<Record>> = if self.device.is_cpu() {
            all.par_iter().with_max_len(1).map(one).collect()
        } else {
            all.iter().map(one).collect()
        };
        records.into_iter().flatten().collect()
    }

    /// Whether [`Self::theory`] can be asked for.
    ///
    /// # Errors
    ///
    /// A head that is not linear; more gradients than there is memory for.
    pub fn admits_theory(&self) -> Result<(), ReplayError> {
        if self.config.head.iter().any(|head| *head != Head::default()) {
            let needs = "the theory needs a linear head on the whole backbone";
            return Err(ReplayError::Unfit(needs.into()));
        }
        let (Dataset::Images(tasks), Some(backbone)) = (&self.dataset, &self.backbone) else {
            return Ok(());
        };
        let weights = backbone.variables("backbone").iter().map(|(_, v)| v.elem_count()).sum();
        let samples = tasks.samples.unwrap_or(tasks.downstream.train.count());
        memory::of_kernel(weights, samples).within(memory::available())
    }

    /// What the engine makes of the cells of this replay that succeeded: a record for each of theirs, from the
    /// same features and probed heads and the network's mean tangent kernel, which is estimated from so many
    /// random directions. `done` is called after each cell.
    ///
    /// # Errors
    ///
    /// Those of [`Self::admits_theory`], or a problem that the engine refuses.
    pub fn theory(
        &self,
        records: &[Record],
        directions: usize,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<Record>, ReplayError> {
        self.admits_theory()?;
        let times = self.config.times.len();
        let points = self.config.points().count();
        type Made = Result<(Start, DMatrix<f64>), String>;
        let starts: Vec<OnceLock<Made>> = self.curves.iter().map(|_| OnceLock::new()).collect();
        let probe_time = |r: &Record| r.reached().map_or(f64::NAN, |m| m.probe_time);
        let one = |cell: &[Record]| {
            let curve = cell[0].cell.number as usize / (points * times);
            let made = starts[curve].get_or_init(|| {
                let start = Start::new(self, &self.curves[curve]).map_err(|e| e.to_string())?;
                let kernel = start.kernel(directions).map_err(|e| e.to_string())?;
                Ok((start, kernel))
            });
            let (start, kernel) = made.as_ref().map_err(|e| ReplayError::Unfit(e.clone()))?;
            let steps = start.probe_steps(&self.config, probe_time(&cell[0]))?;
            let records = start.theory(&self.config, kernel, steps, cell)?;
            done();
            Ok(records)
        };
        let cells: Vec<&[Record]> =
            records.chunks(times).filter(|cell| cell.iter().all(|r| r.reached().is_some())).collect();
        let all: Result<Vec<_>, ReplayError> =
            cells.par_iter().with_max_len(1).map(|c| one(c)).collect();
        Ok(all?.into_iter().flatten().collect())
    }

    /// Records whose finetuning left the training samples further from their targets than it found them.
    pub fn worse(records: &[Record]) -> usize {
        let worse = |r: &&Record| r.reached().is_some_and(|m| m.residual > m.energies.frobenius);
        records.iter().filter(worse).count()
    }

    /// Runs one cell.
    fn cell(&self, curve: &Curve, point: usize, cells: &[Cell]) -> Result<Vec<Record>, ReplayError> {
        let start = Start::new(self, curve)?;
        let energies = || {
            curve
                .energies
                .get_or_init(|| start.energies(&self.config).map_err(|e| e.to_string()))
                .as_ref()
                .map_err(|reason| ReplayError::Unfit(reason.clone()))
        };
        let probe_steps = start.place(&self.config, point, energies)?;
        start.finetune(&self.config, probe_steps, cells)
    }
}
