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
use config::{Config, Head, Precision};
use data::Dataset;
use error::ReplayError;
use network::Stack;
use probing::Energies;
use taskhead::sweep::record::Record;

/// A replay that is ready to run.
#[derive(Debug)]
pub struct Replay {
    config: Config,
    dataset: Dataset,
    backbone: Option<Stack>,
    backbone_file: Option<PathBuf>,
    dtype: DType,
    device: Device,
    curves: Vec<Curve>,
}

/// One curve against energy: one seed, scale, smoothing and head rate.
#[derive(Debug)]
struct Curve {
    /// Number of its first record.
    first: u64,
    seed: u64,
    head: Head,
    scale: f64,
    smoothing: f64,
    head_rate: f64,
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
        let (backbone, backbone_file) = match &dataset {
            Dataset::Linear(_) => (None, None),
            Dataset::Images(tasks) => {
                let source = &tasks.source;
                let made = pretrain::backbone(&config, source, (dtype, &device), cache)?;
                if let Some(path) = config.pretrain.weights.as_ref() {
                    fits_images(&made.stack, &tasks.downstream.train, (dtype, &device), path)?;
                }
                (Some(made.stack), made.file)
            }
        };
        let curves = curves(&config);
        Ok(Self { config, dataset, backbone, backbone_file, dtype, device, curves })
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

    /// What the result depends on, as TOML with comments: two replays with the same text give the same
    /// numbers on one machine.
    pub fn identity(&self) -> String {
        let data = match &self.dataset {
            Dataset::Linear(_) => String::new(),
            Dataset::Images(tasks) => {
                let (source, downstream) = (&tasks.source, &tasks.downstream);
                let images =
                    [&source.train, &downstream.train, &downstream.validation, &downstream.test];
                format!("# data {}\n", images.map(|i| format!("{:08x}", i.checksum())).join(" "))
            }
        };
        let config = toml::to_string(&self.config).expect("a configuration is plain data");
        format!("# replay on {:?}\n{data}{config}", self.device.location())
    }

    /// Records of one cell, which is what is run or known as a whole.
    pub fn records_of_a_cell(&self) -> usize {
        self.config.times.len()
    }

    /// Runs all cells that are not known.
    ///
    /// `known` gives the records of a cell that an earlier, interrupted run finished, by the number of its
    /// first record; `done` is called with the records of each cell that was run now. A cell that fails
    /// keeps its reason and the rest goes on.
    pub fn run(
        &self,
        known: &(dyn Fn(u64) -> Option<Vec<Record>> + Sync),
        done: &(dyn Fn(&[Record]) + Sync),
    ) -> Vec<Record> {
        let points = self.config.points().count();
        let cells: Vec<(&Curve, usize)> =
            self.curves.iter().flat_map(|curve| (0..points).map(move |point| (curve, point))).collect();
        let one = |&(curve, point): &(&Curve, usize)| {
            let blanks: Vec<Record> =
                (0..self.config.times.len()).map(|time| self.blank(curve, point, time)).collect();
            known(blanks[0].cell).unwrap_or_else(|| {
                let records = self.cell(curve, point, &blanks).unwrap_or_else(|error| {
                    let error = error.to_string();
                    blanks.into_iter().map(|r| Record { error: error.clone(), ..r }).collect()
                });
                done(&records);
                records
            })
        };
        let all: Vec<Vec<Record>> = if self.device.is_cpu() {
            cells.par_iter().with_max_len(1).map(one).collect()
        } else {
            cells.iter().map(one).collect()
        };
        all.into_iter().flatten().collect()
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
        let one = |cell: &[Record]| {
            let curve = cell[0].cell as usize / (points * times);
            let made = starts[curve].get_or_init(|| {
                let start = Start::new(self, &self.curves[curve]).map_err(|e| e.to_string())?;
                let kernel = start.kernel(directions).map_err(|e| e.to_string())?;
                Ok((start, kernel))
            });
            let (start, kernel) = made.as_ref().map_err(|e| ReplayError::Unfit(e.clone()))?;
            let steps = start.probe_steps(&self.config, cell[0].probe_time)?;
            let records = start.theory(&self.config, kernel, steps, cell)?;
            done();
            Ok(records)
        };
        let cells: Vec<&[Record]> =
            records.chunks(times).filter(|cell| cell.iter().all(Record::succeeded)).collect();
        let all: Result<Vec<_>, ReplayError> =
            cells.par_iter().with_max_len(1).map(|c| one(c)).collect();
        Ok(all?.into_iter().flatten().collect())
    }

    /// Records whose finetuning left the training samples further from their targets than it found them.
    pub fn worse(records: &[Record]) -> usize {
        records.iter().filter(|r| r.status == cell::WORSE).count()
    }

    /// Name of a curve.
    fn title(&self, curve: &Curve) -> String {
        self.config.title(&curve.head)
    }

    /// The record of a cell before anything is known of it.
    fn blank(&self, curve: &Curve, point: usize, time: usize) -> Record {
        let times = self.config.times.len();
        Record {
            cell: curve.first + (point * times + time) as u64,
            problem: self.title(curve),
            seed: curve.seed,
            head_scale: curve.scale,
            smoothing: curve.smoothing,
            head_rate: curve.head_rate,
            point: point as u64,
            time: self.config.times[time],
            method: "gradient descent".into(),
            ..Record::default()
        }
    }

    /// Runs one cell.
    fn cell(&self, curve: &Curve, point: usize, blanks: &[Record]) -> Result<Vec<Record>, ReplayError> {
        let start = Start::new(self, curve)?;
        let energies = || {
            curve
                .energies
                .get_or_init(|| start.energies(&self.config).map_err(|e| e.to_string()))
                .as_ref()
                .map_err(|reason| ReplayError::Unfit(reason.clone()))
        };
        let probe_steps = start.place(&self.config, point, energies)?;
        start.finetune(&self.config, probe_steps, blanks)
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

fn curves(config: &Config) -> Vec<Curve> {
    let heads = &config.heads;
    let records = (config.points().count() * config.times.len()) as u64;
    let mut all = Vec::new();
    for seed in heads.first_seed..heads.first_seed.saturating_add(heads.seeds) {
        for head in &config.head {
            for &scale in &heads.scales {
                for &smoothing in &heads.smoothings {
                    for &head_rate in &heads.head_rates {
                        let first = all.len() as u64 * records;
                        let (head, energies) = (head.clone(), OnceLock::new());
                        all.push(Curve { first, seed, head, scale, smoothing, head_rate, energies });
                    }
                }
            }
        }
    }
    all
}
