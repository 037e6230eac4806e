//! Training of the head alone, on features that stay as they are.

use candle_core::Tensor;

use super::config::{Config, Loss};
use super::error::ReplayError;
use super::measure::{apply, settle};
use super::network::Stack;
use super::targets::Targets;
use super::train::{Descent, Trainer};
use taskhead::energy::Energy;
use taskhead::probing::Measure;
use taskhead::tasks::stream;

/// Purpose of the random stream of the batches.
const BATCHES: u64 = 121;

/// Energies along probing, from none to the longest time.
#[derive(Debug, Clone)]
pub(super) struct Energies {
    /// Steps taken, and the energy that is left.
    seen: Vec<(usize, Energy)>,
}

impl Energies {
    /// The energy before probing.
    pub fn first(&self) -> Energy {
        self.seen[0].1
    }

    /// The energy after the longest probing.
    pub fn last(&self) -> Energy {
        self.seen[self.seen.len() - 1].1
    }
}

/// A value of an energy that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub measure: Measure,
    pub value: f64,
}

impl Wanted {
    fn reached(self, energy: &Energy) -> bool {
        self.measure.of(energy) <= self.value
    }
}

/// A head with what it is trained on.
pub(super) struct Probe<'a> {
    pub head: &'a Stack,
    pub features: &'a Tensor,
    /// Where probing goes: smoothed targets.
    pub smoothed: &'a Targets,
    /// What energy is measured against.
    pub targets: &'a Targets,
    pub seed: u64,
}

/// Energies that are measured in all along a flow, which has many steps in a unit of time.
const MEASURED: usize = 200;

impl Probe<'_> {
    fn trainer<'a>(&'a self, head: &'a Stack, config: &Config) -> Result<Trainer<'a>, ReplayError> {
        let training = config.probing.training;
        let rate = config.step_size(training, self.targets.count());
        let descent = Descent::new(training.momentum).with(head.variables("head"), rate);
        let samples = (self.features, self.smoothed);
        let rng = stream(self.seed, BATCHES);
        Ok(Trainer::new(head, samples, config.loss, training, descent, rng)?)
    }

    fn energy(&self, head: &Stack, loss: Loss) -> Result<Energy, ReplayError> {
        settle(head, self.features)?;
        let outputs = apply(head, self.features)?;
        let residual = self.targets.residual(loss, &outputs)?;
        Ok(Energy::of(&self.targets.rows(&residual)?))
    }

    /// The longest probing in steps.
    pub fn longest(&self, config: &Config) -> Result<usize, ReplayError> {
        self.steps(config.probing.longest, config)
    }

    /// A probing time in steps.
    pub fn steps(&self, time: f64, config: &Config) -> Result<usize, ReplayError> {
        Ok(config.steps(time, config.probing.training, self.targets.count()))
    }

    /// The energies along the whole of probing.
    pub fn energies(&self, config: &Config) -> Result<Energies, ReplayError> {
        let head = self.head.fork()?;
        let mut trainer = self.trainer(&head, config)?;
        let last = self.longest(config)?;
        let stride = trainer.per_epoch().max(last / MEASURED);
        let mut seen = vec![(0, self.energy(&head, config.loss)?)];
        while trainer.steps() < last {
            trainer.until((trainer.steps() + stride).min(last))?;
            seen.push((trainer.steps(), self.energy(&head, config.loss)?));
        }
        Ok(Energies { seen })
    }

    /// The first step after which an energy is reached.
    pub fn reach(
        &self,
        wanted: Wanted,
        energies: &Energies,
        config: &Config,
    ) -> Result<usize, ReplayError> {
        let Some(after) = energies.seen.iter().position(|(_, energy)| wanted.reached(energy)) else {
            let values = energies.seen.iter().map(|(_, energy)| wanted.measure.of(energy));
            let (low, high) = values.fold((f64::INFINITY, 0.0), |(l, h), v| (v.min(l), v.max(h)));
            return Err(ReplayError::Unreached { wanted: wanted.value, low, high });
        };
        let before = energies.seen[after.saturating_sub(1)].0;
        if after == 0 {
            // Before probing the energy is smaller already; it is reached only if it is exactly that.
            let high = wanted.measure.of(&energies.first());
            return if high == wanted.value {
                Ok(0)
            } else {
                Err(ReplayError::Unreached {
                    wanted: wanted.value,
                    low: wanted.measure.of(&energies.last()),
                    high,
                })
            };
        }
        let head = self.head.fork()?;
        let mut trainer = self.trainer(&head, config)?;
        trainer.until(before)?;
        while trainer.steps() < energies.seen[after].0 {
            trainer.until(trainer.steps() + 1)?;
            if wanted.reached(&self.energy(&head, config.loss)?) {
                break;
            }
        }
        Ok(trainer.steps())
    }

    /// The head after a given number of steps.
    pub fn head_after(&self, steps: usize, config: &Config) -> Result<Stack, ReplayError> {
        let head = self.head.fork()?;
        self.trainer(&head, config)?.until(steps)?;
        settle(&head, self.features)?;
        Ok(head)
    }
}
