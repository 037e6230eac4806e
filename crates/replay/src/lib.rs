//! The same sweep on real networks: pretrain, probe the head, finetune, measure.
//!
//! A [`Config`] says what; [`Replay::new`] reads the data and gets the backbone; [`Replay::run`] gives the
//! records that a sweep of the linear theory gives, so that figures and laws serve both. Cells run in
//! parallel on a CPU, one thread each, and a cell's numbers depend on its seed only.
//!
//! Two things differ from the linear theory: times count epochs, and with cross-entropy the residual is
//! e_y − softmax(f), in energies as well as in `residual` and `risk`.

mod cell;
pub mod config;
pub mod data;
pub mod device;
pub mod error;
mod measure;
mod memory;
pub mod network;
mod pretrain;
mod probing;
mod tangent;
mod train;
mod weights;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::{DType, Device};
use nalgebra::DMatrix;
use rayon::prelude::*;

use cell::Start;
use config::{Config, Data, Head, Precision};
use data::Dataset;
use error::ReplayError;
use network::Stack;
use probing::Energies;
use taskhead::sweep::SCHEMA;
use taskhead::sweep::grid::{self, Grid};
use taskhead::sweep::journal::{Journal, known_or};
use taskhead::sweep::plan::Digest;
use taskhead::sweep::record::{Cell, Record};

/// A replay that is ready to run.
#[derive(Debug)]
pub struct Replay {
    config: Config,
    dataset: Dataset,
    backbone: Option<Stack>,
    backbone_file: Option<PathBuf>,
    weights: Option<Digest>,
    dtype: DType,
    device: Device,
    grid: Grid,
    curves: Vec<Curve>,
}

/// One curve against energy.
#[derive(Debug)]
struct Curve {
    of: grid::Curve,
    head: Head,
    /// The energies along its probing, measured when first needed.
    energies: OnceLock<Result<Energies, String>>,
}

impl Replay {
    /// Reads the data and gets the backbone, from `cache` if it was pretrained before.
    ///
    /// # Errors
    ///
    /// A value of the configuration, a file, or a pretraining that failed.
    pub fn new(config: Config, device: Device, cache: Option<&Path>) -> Result<Self, ReplayError> {
        config.validate()?;
        let dtype = match config.dtype {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        };
        let dataset = Dataset::load(&config.data)?;
        if device.is_cpu() {
            let threads = rayon::current_num_threads();
            memory::most(&config, &dataset, threads)?.within(memory::available())?;
        }
        let (backbone, backbone_file, weights) = match &dataset {
            Dataset::Linear(_) => (None, None, None),
            Dataset::Images(tasks) => {
                let source = &tasks.source;
                let made = pretrain::backbone(&config, source, (dtype, &device), cache)?;
                if let Some(path) = config.pretrain.weights.as_ref() {
                    fits_images(&made.stack, &tasks.downstream.train, (dtype, &device), path)?;
                }
                (Some(made.stack), made.file, made.weights)
            }
        };
        let grid = Grid::new(&config.heads, config.head.len(), config.points(), &config.times);
        let curve = |&of: &grid::Curve| {
            let (head, energies) = (config.head[of.variant].clone(), OnceLock::new());
            Curve { of, head, energies }
        };
        let curves = grid.curves().iter().map(curve).collect();
        Ok(Self { config, dataset, backbone, backbone_file, weights, dtype, device, grid, curves })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was skipped or changed when the data were read, in words.
    pub fn notes(&self) -> &[String] {
        match &self.dataset {
            Dataset::Images(tasks) => &tasks.notes,
            Dataset::Linear(_) => &[],
        }
    }

    /// The file that the backbone was read from.
    pub fn backbone_file(&self) -> Option<&Path> {
        self.backbone_file.as_deref()
    }

    /// Everything that its records depend on, but for the machine: the digest of this text is its identity.
    ///
    /// Images and weights count by their content, and their paths do not.
    pub fn identity(&self) -> String {
        let mut config = self.config.clone();
        if let Data::Files(files) = &mut config.data {
            files.folder = PathBuf::new();
            files.source_folder = files.source_folder.as_ref().map(|_| PathBuf::new());
        }
        config.pretrain.weights = self.weights.map(|digest| digest.to_string());
        let config = toml::to_string(&config).expect("a configuration is plain data");
        let data = match &self.dataset {
            Dataset::Linear(_) => String::new(),
            Dataset::Images(tasks) => {
                let (source, downstream) = (&tasks.source, &tasks.downstream);
                [&source.train, &downstream.train, &downstream.validation, &downstream.test]
                    .map(|images| images.digest().to_string())
                    .join(" ")
            }
        };
        let (version, device) = (env!("CARGO_PKG_VERSION"), self.device.location());
        format!("replay, schema {SCHEMA}, taskhead {version}\non {device:?}\n{data}\n{config}")
    }

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
            let cells = self.grid.cells_of_a_point(&curve.of, point, &self.title(curve));
            known_or(journal, cells, |cells| {
                self.cell(curve, point, &cells).unwrap_or_else(|error| {
                    cells.into_iter().map(|cell| Record::failed(cell, &error)).collect()
                })
            })
        };
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

    /// Name of a curve.
    fn title(&self, curve: &Curve) -> String {
        self.config.title(&curve.head)
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

/// Images on which weights that were given are tried.
const TRIED: usize = 64;

/// Refuses weights under which images have features that are not finite, or none.
fn fits_images(
    stack: &Stack,
    images: &data::Images,
    (dtype, device): (DType, &Device),
    path: &str,
) -> Result<(), ReplayError> {
    let rows: Vec<usize> = (0..images.count().min(TRIED)).collect();
    let inputs = images.select(&rows).samples(dtype, device)?.inputs;
    let stack = stack.fork()?;
    measure::settle(&stack, &inputs)?;
    let features = measure::outputs(&stack, &inputs)?;
    let fault = if features.iter().any(|z| !z.is_finite()) {
        "with these weights the features of training images are not finite"
    } else if features.iter().all(|&z| z == 0.0) {
        "with these weights all features of training images are zero"
    } else {
        return Ok(());
    };
    Err(ReplayError::Weights { path: path.into(), fault: fault.into() })
}
