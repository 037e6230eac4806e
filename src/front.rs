//! A finetuning in one sentence: `problem.head(v)?.probe(Energy::aie(0.9))?.finetune().to_limit()?`.
//!
//! Each step is a value that can be kept and used again: one [`Head`] for many energies, one [`Probed`] head for many
//! finetunings. All of them are thin; the work is that of [`simulation`](crate::simulation).

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use nalgebra::DMatrix;

use crate::energy::Energy;
use crate::loss::Loss;
use crate::probing::ProbingPath;
use crate::problem::Problem;
use crate::simulation::{Method, Probe, Run, Settings, Simulation, SimulationError, Until};

impl Problem {
    /// A task head V₀ (h×k) on this problem.
    ///
    /// # Errors
    ///
    /// A head of another shape, or with entries that are not finite.
    pub fn head(&self, head: DMatrix<f64>) -> Result<Head<'_>, SimulationError> {
        Head::new(self, head, 0.0, Loss::Squared)
    }
}

/// A task head before probing, with all that its probing path and its flows share.
#[derive(Clone)]
pub struct Head<'a> {
    problem: &'a Problem,
    start: DMatrix<f64>,
    smoothing: f64,
    loss: Loss,
    run: Arc<Run<'a>>,
}

impl<'a> Head<'a> {
    fn new(
        problem: &'a Problem,
        start: DMatrix<f64>,
        smoothing: f64,
        loss: Loss,
    ) -> Result<Self, SimulationError> {
        let run = Arc::new(Run::with_loss(problem, &start, smoothing, loss)?);
        Ok(Self { problem, start, smoothing, loss, run })
    }

    /// Probes and finetunes under this loss; the squared one unless told otherwise.
    ///
    /// # Errors
    ///
    /// Targets that the loss does not take ([`Loss::targets`]).
    pub fn loss(self, loss: Loss) -> Result<Self, SimulationError> {
        Self::new(self.problem, self.start, self.smoothing, loss)
    }

    /// Smooths the labels that the head is probed towards by a part in [0, 1] (T21). Energies are still measured
    /// against the labels themselves.
    ///
    /// # Errors
    ///
    /// A part outside [0, 1].
    pub fn label_smoothing(self, part: f64) -> Result<Self, SimulationError> {
        Self::new(self.problem, self.start, part, self.loss)
    }

    /// The probing path from this head: energies and heads for all probing times.
    pub fn path(&self) -> &ProbingPath {
        self.run.path()
    }

    /// Probes the head: down to an energy ([`Energy::aie`], [`Energy::frobenius`]), or for a time ([`Probe::Time`]).
    ///
    /// # Errors
    ///
    /// An energy that probing does not reach (the error says which it does), or an invalid time.
    pub fn probe(&self, until: impl Into<Probe>) -> Result<Probed<'a>, SimulationError> {
        let time = self.run.probe_time(until.into())?;
        let energy = self.run.path().energy(time)?;
        Ok(Probed { run: self.run.clone(), time, energy })
    }
}

/// A probed head, from which everything can be finetuned.
#[derive(Clone)]
pub struct Probed<'a> {
    run: Arc<Run<'a>>,
    time: f64,
    energy: Energy,
}

impl<'a> Probed<'a> {
    /// The probing time τ in [0, ∞]: of several times with the wanted energy the first.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// The energy that is left.
    pub fn energy(&self) -> Energy {
        self.energy
    }

    /// The head V(τ), h×k.
    pub fn head(&self) -> Result<DMatrix<f64>, SimulationError> {
        Ok(self.run.path().head(self.time)?)
    }

    /// Finetuning of features and head from here, with head rate 1 and the best method unless told otherwise.
    pub fn finetune(&self) -> Finetuning<'a> {
        Finetuning { run: self.run.clone(), time: self.time, settings: Settings::default() }
    }
}

/// A finetuning that is being described; [`to_limit`](Self::to_limit), [`until`](Self::until) or [`at`](Self::at) run
/// it.
#[derive(Clone)]
#[must_use]
pub struct Finetuning<'a> {
    run: Arc<Run<'a>>,
    time: f64,
    settings: Settings,
}

impl<'a> Finetuning<'a> {
    /// The learning rate γ ≥ 0 of the head, over that of the backbone.
    pub fn head_rate(mut self, rate: f64) -> Self {
        self.settings.head_rate = rate;
        self
    }

    /// How the flow is solved.
    pub fn method(mut self, method: Method) -> Self {
        self.settings.method = method;
        self
    }

    /// The relative tolerance of the solver, between 1e-13 and 1e-2.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.settings.rtol = rtol;
        self
    }

    /// Solver steps after which it gives up; gradient descent may take a thousand times as many.
    pub fn max_steps(mut self, steps: usize) -> Self {
        self.settings.max_steps = steps;
        self
    }

    /// Finetunes to the limit t → ∞.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, a closed form that does not fit, a problem beyond double precision. A solver that
    /// stops early is not an error: [`Simulation::stop`] tells.
    pub fn to_limit(self) -> Result<Tuned<'a>, SimulationError> {
        self.until(f64::INFINITY)
    }

    /// Finetunes for a time in [0, ∞], in units of the backbone's learning rate: gradient descent with step η takes t/η
    /// steps.
    ///
    /// # Errors
    ///
    /// Those of [`Self::to_limit`], and an invalid time.
    pub fn until(self, time: f64) -> Result<Tuned<'a>, SimulationError> {
        Ok(self.at(&[time])?.remove(0))
    }

    /// Finetunes until the training loss, on average over the samples, has fallen to a level (T25).
    ///
    /// # Errors
    ///
    /// Those of [`Self::to_limit`], and a level that finetuning never reaches.
    pub fn until_loss(mut self, level: f64) -> Result<Tuned<'a>, SimulationError> {
        self.settings.until = Until::Loss(level);
        self.until(f64::INFINITY)
    }

    /// Finetunes until a share of the training samples, between 0 and 1, is predicted right (T25).
    ///
    /// # Errors
    ///
    /// Those of [`Self::until_loss`], and targets that are not labels.
    pub fn until_accuracy(mut self, share: f64) -> Result<Tuned<'a>, SimulationError> {
        self.settings.until = Until::Accuracy(share);
        self.until(f64::INFINITY)
    }

    /// One run, seen at each of these times (ascending, in [0, ∞]).
    ///
    /// # Errors
    ///
    /// Those of [`Self::until`], and times that do not ascend.
    pub fn at(self, times: &[f64]) -> Result<Vec<Tuned<'a>>, SimulationError> {
        let all = self.run.finetune(Probe::Time(self.time), times, &self.settings)?;
        Ok(all.into_iter().map(|simulation| Tuned { run: self.run.clone(), simulation }).collect())
    }
}

/// What finetuning came to: a [`Simulation`], and the arrays that belong to it.
#[derive(Clone)]
pub struct Tuned<'a> {
    run: Arc<Run<'a>>,
    simulation: Simulation,
}

// What one wants to see of them is not their matrices.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (problem, loss) = (self.problem, self.loss);
        let shape = (problem.samples(), problem.width(), problem.outputs());
        f.debug_struct("Head").field("shape", &shape).field("loss", &loss).finish_non_exhaustive()
    }
}

impl fmt::Debug for Probed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, energy) = (&self.time, &self.energy);
        f.debug_struct("Probed").field("time", time).field("energy", energy).finish_non_exhaustive()
    }
}

impl fmt::Debug for Finetuning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, settings) = (&self.time, &self.settings);
        let mut text = f.debug_struct("Finetuning");
        text.field("probing_time", time).field("settings", settings).finish_non_exhaustive()
    }
}

impl fmt::Debug for Tuned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Simulation { method, time, stop, residual, adaptation, .. } = &self.simulation;
        let mut text = f.debug_struct("Tuned");
        text.field("method", method).field("time", time).field("stop", stop).field("residual", residual);
        text.field("adaptation", adaptation).finish_non_exhaustive()
    }
}

impl Deref for Tuned<'_> {
    type Target = Simulation;

    fn deref(&self) -> &Simulation {
        &self.simulation
    }
}

impl Tuned<'_> {
    /// The features Z, N×h.
    pub fn features(&self) -> DMatrix<f64> {
        self.run.features(&self.simulation)
    }

    /// The head V, h×k.
    pub fn head(&self) -> DMatrix<f64> {
        self.run.head(&self.simulation)
    }

    /// The predictions ZV, N×k.
    pub fn predictions(&self) -> DMatrix<f64> {
        self.run.reduction().predictions(&self.simulation.states.1)
    }

    /// The features of the held-out inputs, P×h, if there are any.
    pub fn held_out_features(&self) -> Option<DMatrix<f64>> {
        self.run.held_out_features(&self.simulation)
    }

    /// The predictions for the held-out inputs, P×k, if there are any.
    pub fn held_out_predictions(&self) -> Option<DMatrix<f64>> {
        self.run.reduction().held_out_predictions(&self.simulation.states.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;

    #[test]
    fn the_sentence_says_what_a_run_does() {
        let (n, h, k) = (5, 4, 2);
        let problem = Problem::on_features(wobble(n, h, 1.0), wobble(n, k, 2.0)).unwrap();
        let problem = problem.with_held_out_features(wobble(3, h, 4.0)).unwrap();
        let start = wobble(h, k, 3.0);
        let head = problem.head(start.clone()).unwrap().label_smoothing(0.1).unwrap();
        let wanted = (head.path().energy(0.0).unwrap().aie + head.path().energy(1.0).unwrap().aie) / 2.0;
        let probed = head.probe(Energy::aie(wanted)).unwrap();
        assert!((probed.energy().aie - wanted).abs() < 1e-12);
        let tuned = probed.finetune().head_rate(0.5).rtol(1e-7).until(2.0).unwrap();

        let run = Run::new(&problem, &start, 0.1).unwrap();
        let settings = Settings { head_rate: 0.5, rtol: 1e-7, ..Settings::default() };
        let other = run.finetune(Probe::Aie(wanted), &[2.0], &settings).unwrap().remove(0);
        assert_eq!(tuned.adaptation, other.adaptation);
        assert_eq!((tuned.features(), tuned.head()), (run.features(&other), run.head(&other)));
        assert_eq!(tuned.held_out_features(), run.held_out_features(&other));
        assert!((tuned.predictions() - tuned.features() * tuned.head()).norm() < 1e-13);
        let held_out = tuned.held_out_features().unwrap() * tuned.head();
        assert!((tuned.held_out_predictions().unwrap() - held_out).norm() < 1e-13);
        assert_eq!(probed.head().unwrap(), head.path().head(probed.time()).unwrap());
    }

    #[test]
    fn what_is_not_valid_is_said_where_it_is_given() {
        let problem = Problem::on_features(wobble(3, 2, 1.0), wobble(3, 1, 2.0)).unwrap();
        let error = problem.head(wobble(3, 1, 1.0)).unwrap_err().to_string();
        assert!(error.starts_with("`head` is 3x1"), "{error}");
        let head = problem.head(wobble(2, 1, 1.0)).unwrap();
        let error = head.probe(Energy::frobenius(1e9)).unwrap_err().to_string();
        assert!(error.contains("energy 1000000000 is not reached"), "{error}");
        let error = head.clone().label_smoothing(2.0).unwrap_err().to_string();
        assert!(error.starts_with("label smoothing 2 is not valid"), "{error}");
        let tune = head.probe(Probe::Time(1.0)).unwrap().finetune();
        for (bad, start) in [
            (tune.clone().head_rate(-1.0).to_limit().map(|_| ()), "the head rate -1 is not valid"),
            (
                tune.clone().rtol(0.5).method(Method::Flow).to_limit().map(|_| ()),
                "rtol 0.5 is not valid",
            ),
            (tune.clone().max_steps(0).to_limit().map(|_| ()), "the limit of steps 0 is not valid"),
            (tune.clone().until(f64::NAN).map(|_| ()), "the finetuning time NaN is not valid"),
            (
                tune.clone().method(Method::Flow).at(&[2.0, 1.0]).map(|_| ()),
                "time 1 is not valid; it must be in ascending order",
            ),
        ] {
            let text = bad.unwrap_err().to_string();
            assert!(text.starts_with(start), "{text}");
        }
    }
}
