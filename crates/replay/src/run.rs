//! Running a replay: the cells of the network.

use rayon::prelude::*;

use super::cell::Start;
use super::error::ReplayError;
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
