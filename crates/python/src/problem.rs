//! Problems, heads and probed heads: the steps before finetuning.

use std::path::PathBuf;
use std::sync::Arc;

use nalgebra::DMatrix;
use numpy::PyArray2;
use pyo3::prelude::*;
use taskhead::Energy;
use taskhead::flow::solver::Watch;
use taskhead::loss::Loss;
use taskhead::probing::Measure;
use taskhead::simulation;
use taskhead::tasks::Task;
use taskhead_files::{FileError, MAX_KERNEL_TOLERANCE, ProblemFile, ProblemParts, check_head};

use crate::arrays::{Given, to_numpy};
use crate::config::task_spec;
use crate::owned::{Owned, is_light};
use crate::run::{Options, Run};
use crate::{error, wait};

/// A finetuning problem: features Z₀ (N×h), targets Y (N×k), a kernel, held-out inputs.
///
/// Parameters
/// ----------
/// features : array of shape (N, h) or (N, h, 1, 1)
///     Features before finetuning.
/// labels : array of shape (N,) or (N, 1)
///     Classes: integers from 0, whole floats, bool, or strings, which become classes in sorted order. They make
///     one-hot targets.
/// targets : array of shape (N, k)
///     Instead of ``labels``: one-hot rows, or numbers to regress on.
/// kernel : array of shape (N, N), optional
///     An empirical tangent kernel. Without one the backbone is one more linear layer on the features, which starts as
///     the identity (K = ZZᵀ).
/// inputs, backbone : arrays of shape (N, d) and (h, d)
///     Instead of ``features`` and ``kernel``: the two-layer linear model Z₀ = X B₀ᵀ, K = XXᵀ.
/// head : array of shape (h, k), optional
///     The initial head that :meth:`head` takes where it is given none.
/// probe_features, probe_inputs : arrays of shape (P, h) and (P, d), optional
///     Held-out data; with a kernel, ``probe_kernel`` (P, N) as well.
/// probe_labels, probe_targets : arrays of shape (P,) and (P, k), optional
///     They give the held-out risk and, for classes, accuracy.
/// kernel_tolerance : float, optional
///     Rounding error that the kernel may have, relative to its size, up to 0.1 (default: 1e-5 if its numbers are those
///     of single precision, else 1e-10).
///
/// Arrays are NumPy's or whatever becomes one (tensors, lists), of type f16, bf16, f32, f64, integer or bool and of any
/// layout; they are read where they lie. Raises ``ValueError`` with what is wrong and what is accepted.
#[pyclass(frozen, module = "taskhead")]
pub struct Problem {
    /// The task.
    pub task: Arc<Task>,
    classes: Option<Vec<String>>,
    notes: Vec<String>,
}

impl Problem {
    fn of(py: Python<'_>, parts: ProblemParts) -> PyResult<Result<Self, taskhead_files::Fault>> {
        let file = wait::for_work(py, |_| Ok(()), move |_| parts.problem())?;
        Ok(file.map(Self::of_file))
    }

    /// A problem that no user's arrays make.
    pub fn of_task(task: Task) -> Self {
        Self { task: Arc::new(task), classes: None, notes: Vec::new() }
    }

    fn of_file(file: ProblemFile) -> Self {
        let task = Task::of_problem(file.problem, file.head, file.held_out_targets);
        Self {
            task: Arc::new(Task { linear: file.linear, ..task }),
            classes: file.class_names,
            notes: file.notes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The largest problem that is made without another thread, in bytes of its arrays.
const SMALL: f64 = 1e5;

#[pymethods]
impl Problem {
    #[new]
    #[pyo3(signature = (*, features = None, labels = None, targets = None, kernel = None, inputs = None,
        backbone = None, head = None, probe_features = None, probe_labels = None, probe_targets = None,
        probe_kernel = None, probe_inputs = None, kernel_tolerance = None))]
    #[allow(clippy::too_many_arguments)]
    fn new<'py>(
        py: Python<'py>,
        features: Option<&Bound<'py, PyAny>>,
        labels: Option<&Bound<'py, PyAny>>,
        targets: Option<&Bound<'py, PyAny>>,
        kernel: Option<&Bound<'py, PyAny>>,
        inputs: Option<&Bound<'py, PyAny>>,
        backbone: Option<&Bound<'py, PyAny>>,
        head: Option<&Bound<'py, PyAny>>,
        probe_features: Option<&Bound<'py, PyAny>>,
        probe_labels: Option<&Bound<'py, PyAny>>,
        probe_targets: Option<&Bound<'py, PyAny>>,
        probe_kernel: Option<&Bound<'py, PyAny>>,
        probe_inputs: Option<&Bound<'py, PyAny>>,
        kernel_tolerance: Option<f64>,
    ) -> PyResult<Self> {
        let given = [
            ("features", features),
            ("labels", labels),
            ("targets", targets),
            ("kernel", kernel),
            ("inputs", inputs),
            ("backbone", backbone),
            ("head", head),
            ("probe_features", probe_features),
            ("probe_labels", probe_labels),
            ("probe_targets", probe_targets),
            ("probe_kernel", probe_kernel),
            ("probe_inputs", probe_inputs),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some(Given::new(name, value?)));
        let given: Vec<Given> = given.collect::<PyResult<_>>()?;
        let arrays = given.iter().map(Given::named).collect::<PyResult<Vec<_>>>()?;
        let parts =
            py.detach(|| ProblemParts::of_arrays(arrays, Vec::new())).map_err(error::of_arrays)?;
        let parts = with_tolerance(parts, kernel_tolerance)?;
        let problem = if parts.memory(0) < SMALL {
            parts.problem().map(Self::of_file)
        } else {
            Self::of(py, parts)?
        };
        problem.map_err(error::of_arrays)
    }

    /// Reads a problem: a .npz or .safetensors file, a ``model.safetensors.index.json`` with its files beside it, or a
    /// folder of .npy files, with arrays of the names of the parameters above.
    ///
    /// Raises ``FileNotFoundError`` and its like where the operating system refuses, else ``ValueError``.
    #[staticmethod]
    #[pyo3(signature = (path, *, kernel_tolerance = None))]
    fn read(py: Python<'_>, path: PathBuf, kernel_tolerance: Option<f64>) -> PyResult<Self> {
        let from = path.clone();
        let named = |fault| error::of_file(FileError { path: path.clone(), fault });
        let parts = wait::for_work(py, |_| Ok(()), move |_| ProblemParts::read(from))?;
        let parts = with_tolerance(parts.map_err(error::of_file)?, kernel_tolerance)?;
        Self::of(py, parts)?.map_err(named)
    }

    /// A problem as sweeps draw it: a random one, the normalised rank-one model, or the digits.
    ///
    /// Parameters
    /// ----------
    /// kind : {"gaussian", "rank-one", "digits"}
    ///     Random inputs, backbone and targets; z₀ of length 1, head a z₀ + w e and target y; or a backbone pretrained
    ///     on the digits 0–4, finetuned on 5–9.
    /// seed : int
    ///     What is random in it: the problem is that of this seed in a sweep, and ``head(seed=seed)`` its head there.
    ///     The rank-one problem has its own head.
    /// samples, inputs, width, outputs, input_decay, backbone_decay, held_out, teacher_angle
    ///     Of random problems, as in :func:`sweep`; ``samples`` and ``width`` of the digits, too.
    /// target, across, along : float
    ///     y, w and a of the rank-one problem.
    /// pretrain_time, pretrain_scale : float
    ///     Pretraining of the digits backbone.
    ///
    /// Raises ``ValueError`` for an option of another kind of problem, and for numbers out of their range.
    #[staticmethod]
    #[pyo3(signature = (kind = "gaussian", *, seed = 0, samples = None, inputs = None, width = None, outputs = None,
        input_decay = None, backbone_decay = None, held_out = None, teacher_angle = None, target = None,
        across = None, along = None, pretrain_time = None, pretrain_scale = None))]
    #[allow(clippy::too_many_arguments)]
    fn task<'py>(
        py: Python<'py>,
        kind: &str,
        seed: i128,
        samples: Option<&Bound<'py, PyAny>>,
        inputs: Option<&Bound<'py, PyAny>>,
        width: Option<&Bound<'py, PyAny>>,
        outputs: Option<&Bound<'py, PyAny>>,
        input_decay: Option<&Bound<'py, PyAny>>,
        backbone_decay: Option<&Bound<'py, PyAny>>,
        held_out: Option<&Bound<'py, PyAny>>,
        teacher_angle: Option<&Bound<'py, PyAny>>,
        target: Option<&Bound<'py, PyAny>>,
        across: Option<&Bound<'py, PyAny>>,
        along: Option<&Bound<'py, PyAny>>,
        pretrain_time: Option<&Bound<'py, PyAny>>,
        pretrain_scale: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let options = [
            ("samples", samples),
            ("inputs", inputs),
            ("width", width),
            ("outputs", outputs),
            ("input-decay", input_decay),
            ("backbone-decay", backbone_decay),
            ("held-out", held_out),
            ("teacher-angle", teacher_angle),
            ("target", target),
            ("across", across),
            ("along", along),
            ("pretrain-time", pretrain_time),
            ("pretrain-scale", pretrain_scale),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let (spec, seed) = (task_spec(py, kind, given)?, error::whole("seed", seed)?);
        let task = wait::for_work(py, |_| Ok(()), move |_| Task::new(&spec, seed))?;
        task.map(Self::of_task).map_err(error::value)
    }

    /// The head V₀ (h×k) that finetuning starts from, before probing.
    ///
    /// Parameters
    /// ----------
    /// weights : array of shape (h, k), or (h,) for k = 1, optional
    ///     The head; without it that of the problem, or else one that is drawn: normal entries of deviation
    ///     scale/√h, the same as those of a sweep with this seed.
    /// scale : float
    ///     A factor on the head.
    /// seed : int
    ///     The seed of a head that is drawn.
    /// loss : {"squared", "cross-entropy"}
    ///     What probing and finetuning lower. Cross-entropy takes labels, or targets whose rows sum to 1.
    /// smoothing : float
    ///     Label smoothing ε while probing, from 0 to 1 (T21): towards (1 − ε)Y + ε·m with the mean m of all targets;
    ///     under cross-entropy m = 1/k, and 1/2 for a single output.
    ///
    /// Raises ``ValueError`` for another shape, entries that are not finite, or targets that the loss does not take.
    #[pyo3(signature = (weights = None, *, scale = 1.0, seed = 0, loss = "squared", smoothing = 0.0))]
    fn head<'py>(
        &self,
        py: Python<'py>,
        weights: Option<&Bound<'py, PyAny>>,
        scale: f64,
        seed: i128,
        loss: &str,
        smoothing: f64,
    ) -> PyResult<Head> {
        let loss: Loss = error::choice("loss", loss)?;
        let seed = error::whole("seed", seed)?;
        if !(scale >= 0.0 && scale.is_finite()) {
            return Err(error::value(format!(
                "`scale` is {scale}; accepted: a finite number of at least 0"
            )));
        }
        let start = match weights {
            None => self.task.initial_head(seed, scale),
            Some(weights) => Given::new("head", weights)?.matrix()? * scale,
        };
        check_head(&self.task.problem, &start).map_err(error::of_arrays)?;
        let (task, head, light) = (self.task.clone(), start.clone(), is_light(&self.task));
        let make = move || {
            Owned::try_new(task, |task| {
                simulation::Run::with_loss(&task.problem, &head, smoothing, loss)
            })
        };
        let run = if light { py.detach(make) } else { wait::for_work(py, |_| Ok(()), move |_| make())? };
        Ok(Head { run: Arc::new(run.map_err(error::value)?), start })
    }

    /// Features before finetuning, N×h.
    #[getter]
    fn features<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        to_numpy(py, self.task.problem.features().clone())
    }

    /// Targets, N×k.
    #[getter]
    fn targets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        to_numpy(py, self.task.problem.targets().clone())
    }

    /// The kernel, N×N: it is formed when it is asked for.
    #[getter]
    fn kernel<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let problem = &self.task.problem;
        let kernel = py.detach(|| problem.kernel().to_matrix());
        to_numpy(py, kernel)
    }

    /// Number of samples N.
    #[getter]
    fn samples(&self) -> usize {
        self.task.problem.samples()
    }

    /// Feature width h.
    #[getter]
    fn width(&self) -> usize {
        self.task.problem.width()
    }

    /// Number of outputs k.
    #[getter]
    fn outputs(&self) -> usize {
        self.task.problem.outputs()
    }

    /// The names of the classes in the order of the columns of the targets, if labels are strings.
    #[getter]
    fn classes(&self) -> Option<Vec<String>> {
        self.classes.clone()
    }

    /// What there is to know about the arrays.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn __repr__(&self) -> String {
        let problem = &self.task.problem;
        let held_out = problem
            .held_out()
            .map_or(String::new(), |held_out| format!(", held out {}", held_out.features().nrows()));
        format!(
            "<taskhead.Problem: {} samples, width {}, {} outputs{held_out}>",
            problem.samples(),
            problem.width(),
            problem.outputs()
        )
    }
}

/// The parts with the tolerance of a user.
fn with_tolerance(parts: ProblemParts, tolerance: Option<f64>) -> PyResult<ProblemParts> {
    let tolerance = check_tolerance(tolerance)?;
    Ok(match tolerance {
        Some(tolerance) => parts.with_kernel_tolerance(tolerance),
        None => parts,
    })
}

/// Checks the tolerance of a user.
pub fn check_tolerance(tolerance: Option<f64>) -> PyResult<Option<f64>> {
    match tolerance {
        Some(value) if !(0.0..=MAX_KERNEL_TOLERANCE).contains(&value) => {
            let text = format!("`kernel_tolerance` is {value}; accepted: a number from 0 to 0.1");
            Err(error::value(text))
        }
        _ => Ok(tolerance),
    }
}

/// A task head before probing, with its probing path.
#[pyclass(frozen, module = "taskhead")]
pub struct Head {
    run: Arc<Owned>,
    start: DMatrix<f64>,
}

impl Head {
    fn probed(&self, py: Python<'_>, wanted: Option<(Measure, f64)>, tau: f64) -> PyResult<Probed> {
        let run = self.run.clone();
        let light = is_light(run.task());
        let probe = move |watch: Watch| -> Result<Probed, simulation::SimulationError> {
            // It shares what has been followed so far.
            let path = run.run().path().clone().watched(watch);
            let times = match wanted {
                Some((measure, value)) => path.times_for(measure, value)?,
                None => vec![tau],
            };
            let (energy, head) = (path.energy(times[0])?, path.head(times[0])?);
            Ok(Probed { run, times, energy, head })
        };
        let probed = match light {
            true => wait::here(py, probe)?,
            false => wait::for_work(py, |_| Ok(()), move |flag| probe(flag.watch()))?,
        };
        probed.map_err(error::value)
    }
}

#[pymethods]
impl Head {
    /// Trains the head alone (T3): down to an energy, or for a time.
    ///
    /// Parameters
    /// ----------
    /// energy : float
    ///     Average initial energy (AIE) that is left: the mean over the samples of ‖y − p‖. Of several times that
    ///     leave it the first is taken.
    /// frobenius : float
    ///     The same in ‖R‖_F.
    /// tau : float
    ///     Probing time in [0, ∞], in units of one over the head's learning rate.
    ///
    /// Raises ``ValueError`` unless exactly one is given, and for an energy that probing does not reach, with those
    /// that it does.
    #[pyo3(signature = (*, energy = None, frobenius = None, tau = None))]
    fn probe(
        &self,
        py: Python<'_>,
        energy: Option<f64>,
        frobenius: Option<f64>,
        tau: Option<f64>,
    ) -> PyResult<Probed> {
        match (energy, frobenius, tau) {
            (Some(energy), None, None) => self.probed(py, Some((Measure::Aie, energy)), 0.0),
            (None, Some(energy), None) => self.probed(py, Some((Measure::Frobenius, energy)), 0.0),
            (None, None, Some(tau)) => self.probed(py, None, tau),
            _ => {
                let given = [energy, frobenius, tau].iter().flatten().count();
                let text = "of `energy`, `frobenius` and `tau`; accepted: exactly one";
                Err(error::value(format!("`probe` has {given} {text}")))
            }
        }
    }

    /// Finetunes features and head without probing: ``probe(tau=0).finetune(…)``.
    #[pyo3(signature = (**options))]
    fn finetune<'py>(
        &self,
        py: Python<'py>,
        options: Option<&Bound<'py, pyo3::types::PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let probed = Bound::new(py, self.probed(py, None, 0.0)?)?;
        probed.getattr("finetune")?.call((), options)
    }

    /// The average initial energy (AIE) that is left after probing for a time τ in [0, ∞].
    fn energy(&self, py: Python<'_>, tau: f64) -> PyResult<f64> {
        Ok(self.probed(py, None, tau)?.energy.aie)
    }

    /// The head V₀, h×k.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        to_numpy(py, self.start.clone())
    }

    fn __repr__(&self) -> String {
        let (h, k) = self.start.shape();
        let loss = self.run.run().reduction().loss_function().name();
        format!("<taskhead.Head {h}×{k}, {loss} loss>")
    }
}

/// A probed head V(τ), from which everything can be finetuned.
#[pyclass(frozen, module = "taskhead")]
pub struct Probed {
    run: Arc<Owned>,
    /// Probing times that leave the energy, the first of them taken.
    times: Vec<f64>,
    energy: Energy,
    head: DMatrix<f64>,
}

#[pymethods]
impl Probed {
    /// The probing time τ, possibly ∞.
    #[getter]
    fn tau(&self) -> f64 {
        self.times[0]
    }

    /// All probing times that leave this energy, ascending.
    #[getter]
    fn taus(&self) -> Vec<f64> {
        self.times.clone()
    }

    /// The average initial energy (AIE) that is left.
    #[getter]
    fn energy(&self) -> f64 {
        self.energy.aie
    }

    /// The Frobenius energy ‖R‖_F that is left.
    #[getter]
    fn frobenius(&self) -> f64 {
        self.energy.frobenius
    }

    /// The Frobenius energy up to which it is rounding of the data.
    #[getter]
    fn rounding(&self) -> f64 {
        self.run.run().path().rounding()
    }

    /// The head V(τ), h×k.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        to_numpy(py, self.head.clone())
    }

    /// Finetunes features and head by gradient flow, to the limit t → ∞ unless told otherwise.
    ///
    /// Parameters
    /// ----------
    /// time : float
    ///     Finetuning time in [0, ∞], in units of one over the backbone's learning rate: gradient descent with step η
    ///     takes t/η steps.
    /// until_loss, until_accuracy, until_residual : float, optional
    ///     Stop earlier, where the training loss (on average over the samples) has fallen to this, where this share of
    ///     the training samples is predicted right, or where ‖R‖_F has fallen to this (T25). One of them.
    /// head_rate : float
    ///     The learning rate γ ≥ 0 of the head over that of the backbone.
    /// method : {"auto", "closed-form", "flow", "descent"}
    ///     A closed form if its hypotheses hold, else the solver; a closed form or an error with what it misses; the
    ///     solver; or gradient descent.
    /// rtol : float
    ///     Relative tolerance of the solver, between 1e-13 and 1e-2.
    /// max_steps : int
    ///     Steps of the solver after which it ends with what was reached; gradient descent takes a thousand times as
    ///     many.
    /// max_time : float, optional
    ///     Seconds after which it ends with what was reached.
    ///
    /// Warns with ``RuntimeWarning`` where the flow stopped early; ``status`` and ``reason`` say why. Raises
    /// ``ValueError`` for what is not accepted, and for a level that finetuning never comes to.
    #[pyo3(signature = (*, time = f64::INFINITY, until_loss = None, until_accuracy = None, until_residual = None,
        head_rate = 1.0, method = "auto", rtol = 1e-9, max_steps = 20_000, max_time = None))]
    #[allow(clippy::too_many_arguments)]
    fn finetune(
        &self,
        py: Python<'_>,
        time: f64,
        until_loss: Option<f64>,
        until_accuracy: Option<f64>,
        until_residual: Option<f64>,
        head_rate: f64,
        method: &str,
        rtol: f64,
        max_steps: i64,
        max_time: Option<f64>,
    ) -> PyResult<Run> {
        let until = (until_loss, until_accuracy, until_residual);
        let options = Options::new(until, head_rate, method, rtol, max_steps, max_time)?;
        Ok(Run::all(py, &self.run, self.times[0], &[time], options)?.remove(0))
    }

    /// One finetuning, seen at each of these ``times`` (ascending, in [0, ∞]): dense output of the solver, or the
    /// closed form. The options are those of :meth:`finetune`.
    #[pyo3(signature = (times, *, until_loss = None, until_accuracy = None, until_residual = None,
        head_rate = 1.0, method = "auto", rtol = 1e-9, max_steps = 20_000, max_time = None))]
    #[allow(clippy::too_many_arguments)]
    fn finetune_at(
        &self,
        py: Python<'_>,
        times: Vec<f64>,
        until_loss: Option<f64>,
        until_accuracy: Option<f64>,
        until_residual: Option<f64>,
        head_rate: f64,
        method: &str,
        rtol: f64,
        max_steps: i64,
        max_time: Option<f64>,
    ) -> PyResult<Vec<Run>> {
        let until = (until_loss, until_accuracy, until_residual);
        let options = Options::new(until, head_rate, method, rtol, max_steps, max_time)?;
        Run::all(py, &self.run, self.times[0], &times, options)
    }

    fn __repr__(&self) -> String {
        format!(
            "<taskhead.Probed: energy {} (AIE) after probing for {}>",
            self.energy.aie, self.times[0]
        )
    }
}
