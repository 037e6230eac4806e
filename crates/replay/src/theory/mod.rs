//! Theory over network: the network that is linear in the weights of its backbone, from the same features and probed
//! heads.
//!
//! Finetuning moves the features of a network by ż = J θ̇ with the Jacobian J = ∂z/∂θ, which changes on the way. The
//! linearised network keeps that of the start, so that its features follow Ż = 𝐊(R Vᵀ) with 𝐊 = J Jᵀ, Nh×Nh (T26). The
//! two-layer linear theory has 𝐊 = K ⊗ I. Between both lie the diagonal blocks of 𝐊, one for each feature direction.
//! Where the three differ from each other is the form of the kernel; where the full one differs from the network is its
//! change.

mod kernel;
mod learner;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use super::cell::Start;
use super::config::{self, Config, Dynamics, Theory};
use super::data::Dataset;
use super::error::ReplayError;
use super::network::matrix;
use super::pretrain::plan;
use super::replay::Replay;
use super::train::Batches;
use super::{memory, network};
use kernel::{Kernel, Linearised};
use learner::{Descent, Learner, State};
use taskhead::adaptation::Adaptation;
use taskhead::energy::Energy;
use taskhead::flow::Stop;
use taskhead::sweep::record::{Cell, Change, Measured, Outcome, Record};
use taskhead::tasks::stream;

/// Purpose of the random stream of the matrices by which kernels are compared.
const COMPARED: u64 = 142;

/// How many of them.
const PROBES: usize = 8;

/// Far more exact than a network can be compared.
const RTOL: f64 = 1e-6;

/// The theory laid over a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// A record for each kernel and each cell of the network that succeeded, kernel by kernel. The numbers of cells go
    /// on from kernel to kernel.
    pub records: Vec<Record>,
    /// For each of these cells what the records do not say.
    pub grounds: Vec<Ground>,
}

/// What a cell of the network was, beyond its record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    /// The number of the cell among those of the network.
    pub number: u64,
    /// Mean dot product z₀·z₀ and mean norm ‖z₀‖ before finetuning.
    pub start: [f64; 2],
    /// ‖𝐊_T − 𝐊₀‖_F / ‖𝐊₀‖_F: how far the network's own full kernel changed until the last finetuning time; none at
    /// other times. Both norms are estimated from the same eight random matrices.
    pub kernel_change: Option<f64>,
}

/// A curve ready for the theory.
struct Base {
    start: Start,
    features: DMatrix<f64>,
    kernels: Vec<Kernel>,
    /// Random matrices with what the kernel makes of them.
    probes: Vec<[DMatrix<f64>; 2]>,
}

impl Base {
    fn new(replay: &Replay, curve: usize, theory: &Theory) -> Result<Self, ReplayError> {
        let start = Start::new(replay, &replay.curves[curve])?;
        let (features, inputs) = (start.features()?, &start.train.inputs);
        let kernels = Kernel::of(&start.backbone, inputs, &theory.kernels)?;
        let linearised = Linearised::new(&start.backbone, inputs)?;
        let mut rng = stream(start.seed, COMPARED);
        let probe = |_| {
            let (samples, width) = features.shape();
            let m = DMatrix::from_fn(samples, width, |_, _| rng.sample::<f64, _>(StandardNormal));
            let times = linearised.times(&m)?;
            Ok([m, times])
        };
        let probes = (0..PROBES).map(probe).collect::<Result<_, ReplayError>>()?;
        Ok(Self { start, features, kernels, probes })
    }

    /// The theory's states at the times of cells, for one kernel.
    fn states(
        &self,
        config: &Config,
        dynamics: Dynamics,
        learner: &Learner<'_>,
        head: DMatrix<f64>,
        cells: &[Record],
    ) -> Result<Vec<State>, ReplayError> {
        let (training, samples) = (config.finetune, self.features.nrows());
        let rate = config.step_size(training, samples);
        let steps = cells.iter().map(|r| config.steps(r.cell.time, training, samples));
        let start = State::start(samples, head);
        match dynamics {
            Dynamics::Flow => {
                let step = rate / ((1.0 - training.momentum) * samples as f64);
                let times: Vec<f64> = steps.map(|steps| steps as f64 * step).collect();
                learner.flow(&start, &times, RTOL)
            }
            Dynamics::Descent => {
                let batches = Batches::new(samples, training.batch, self.start.batches());
                let descent = Descent { rate, momentum: training.momentum, batches };
                learner.descend(&start, descent, &steps.collect::<Vec<_>>())
            }
        }
    }

    /// The theory's records for the cells of one probing point, one list for each kernel.
    fn records(
        &self,
        config: &Config,
        theory: &Theory,
        probe_steps: usize,
        cells: &[Record],
    ) -> Result<Vec<Vec<Record>>, ReplayError> {
        let (_, head, _) = self.start.probed(config, probe_steps)?;
        let head = matrix(head.variables("head").pop().expect("a linear head").1.as_tensor())?;
        let loss = config.loss;
        let targets =
            loss.targets(&self.start.targets).map_err(|e| ReplayError::Unfit(e.to_string()))?;
        let of_kernel = |(place, (kind, kernel)): (usize, (&config::Kernel, &Kernel))| {
            let (features, head_rate) = (&self.features, self.start.head_rate);
            let learner = Learner { kernel, features, targets: &targets, loss, head_rate };
            let states = self.states(config, theory.dynamics, &learner, head.clone(), cells)?;
            let record = |(record, state): (&Record, State)| {
                let network = record.reached()?;
                let problem = format!("{}, {}", record.cell.problem, kind.title());
                let measured = Measured {
                    method: match theory.dynamics {
                        Dynamics::Flow => "flow".into(),
                        Dynamics::Descent => "gradient descent".into(),
                    },
                    probe_time: network.probe_time,
                    energies: network.energies,
                    time: network.time,
                    residual: Energy::of(&learner.residual(&state)).frobenius,
                    loss: None,
                    drift: None,
                    training: Adaptation::of(features, &state.moved).into(),
                    held_out: None,
                    budget: None,
                    head_norm: Change { start: head.norm(), end: state.head.norm() },
                    risk: None,
                    accuracy: None,
                    held_out_accuracy: None,
                    validation_accuracy: None,
                    score: None,
                };
                let number = record.cell.number + (place * config.cells()) as u64;
                let cell = Cell { number, problem, ..record.cell.clone() };
                Some(Record { cell, outcome: Outcome::of(Stop::Time, measured) })
            };
            Ok(cells.iter().zip(states).filter_map(record).collect())
        };
        theory.kernels.iter().zip(&self.kernels).enumerate().map(of_kernel).collect()
    }

    /// How far the kernel of the network changes until the last of these cells, which it is trained for again.
    fn grounds(
        &self,
        config: &Config,
        probe_steps: usize,
        cells: &[Record],
    ) -> Result<Vec<Ground>, ReplayError> {
        let (backbone, head, whole) = self.start.probed(config, probe_steps)?;
        let mut trainer = self.start.trainer(config, &backbone, &head, &whole)?;
        let last = cells.last().expect("a probing point has a time").cell.time;
        trainer.until(config.steps(last, config.finetune, self.features.nrows()))?;
        let after = Linearised::new(&backbone, &self.start.train.inputs)?;
        let (mut changed, mut whole) = (0.0, 0.0);
        for [probe, before] in &self.probes {
            changed += (after.times(probe)? - before).norm_squared();
            whole += before.norm_squared();
        }
        let still = Adaptation::of(&self.features, &(&self.features * 0.0));
        let ground = |record: &Record| Ground {
            number: record.cell.number,
            start: [still.dot, still.norm],
            kernel_change: (record.cell.time == last).then_some((changed / whole).sqrt()),
        };
        Ok(cells.iter().map(ground).collect())
    }
}

impl Replay {
    /// Whether [`Self::theory`] can be asked for.
    ///
    /// # Errors
    ///
    /// A head that is not linear; pixels with features of their own; more numbers than there is memory for.
    pub fn admits_theory(&self) -> Result<(), ReplayError> {
        self.config.admits_theory().map_err(|needs| ReplayError::Unfit(needs.into()))?;
        let Dataset::Images(tasks) = &self.dataset else { return Ok(()) };
        let shape = tasks.downstream.train.shape();
        let (cost, features) = network::Cost::of(&plan(&self.config.backbone), &shape)?;
        let samples = tasks.samples.unwrap_or(tasks.downstream.train.count());
        memory::of_kernel(cost, &features, samples).within(memory::available())
    }

    /// What the theory makes of the cells of this replay that succeeded. `done` is called after each probing point.
    ///
    /// # Errors
    ///
    /// Those of [`Self::admits_theory`]; targets that are no probabilities under cross-entropy; a theory that cannot be
    /// followed to the end.
    pub fn theory(
        &self,
        records: &[Record],
        theory: &Theory,
        done: &(dyn Fn() + Sync),
    ) -> Result<Overlay, ReplayError> {
        self.admits_theory()?;
        let times = self.config.times.len();
        let points = self.config.points().count();
        let bases: Vec<OnceLock<Result<Base, String>>> =
            self.curves.iter().map(|_| OnceLock::new()).collect();
        let one = |cells: &[Record]| {
            let curve = cells[0].cell.number as usize / (points * times);
            let base = bases[curve]
                .get_or_init(|| Base::new(self, curve, theory).map_err(|e| e.to_string()))
                .as_ref()
                .map_err(|e| ReplayError::Unfit(e.clone()))?;
            let probe_time = cells[0].reached().map_or(f64::NAN, |m| m.probe_time);
            let steps = base.start.probe_steps(&self.config, probe_time)?;
            let records = base.records(&self.config, theory, steps, cells)?;
            let grounds = base.grounds(&self.config, steps, cells)?;
            done();
            Ok((records, grounds))
        };
        let cells: Vec<&[Record]> =
            records.chunks(times).filter(|cell| cell.iter().all(|r| r.reached().is_some())).collect();
        let all: Result<Vec<_>, ReplayError> =
            cells.par_iter().with_max_len(1).map(|c| one(c)).collect();
        let mut by_kernel = vec![Vec::new(); theory.kernels.len()];
        let mut grounds = Vec::new();
        for (records, of_cell) in all? {
            by_kernel.iter_mut().zip(records).for_each(|(all, records)| all.extend(records));
            grounds.extend(of_cell);
        }
        Ok(Overlay { records: by_kernel.concat(), grounds })
    }
}
