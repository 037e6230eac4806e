//! What finetuning came to.

use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::DMatrix;
use numpy::PyArray2;
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use taskhead::flow::Stop;
use taskhead::flow::solver::{Progress, Watch};
use taskhead::simulation::{Method, Probe, Settings, Simulation, SimulationError, Until};
use taskhead::tasks::Scores;
use taskhead_figures::gallery::single::over_time;
use taskhead_figures::plot::{Figure as _, Theme};

use crate::adaptation::Adaptation;
use crate::arrays::to_numpy;
use crate::figure::Figure;
use crate::owned::Owned;
use crate::{error, wait};

/// Options of finetuning.
pub struct Options {
    settings: Settings,
    /// Seconds that it may take.
    max_time: Option<f64>,
}

impl Options {
    /// Checked options; `until` is a training loss, an accuracy or a residual.
    pub fn new(
        until: (Option<f64>, Option<f64>, Option<f64>),
        head_rate: f64,
        method: &str,
        rtol: f64,
        max_steps: i64,
        max_time: Option<f64>,
    ) -> PyResult<Self> {
        let until = match until {
            (None, None, None) => Until::Time,
            (Some(level), None, None) => Until::Loss(level),
            (None, Some(share), None) => Until::Accuracy(share),
            (None, None, Some(level)) => Until::Residual(level),
            _ => {
                let text = "of `until_loss`, `until_accuracy` and `until_residual` more than one is set; \
                            accepted: one of them";
                return Err(error::value(text));
            }
        };
        let Some(max_steps) = usize::try_from(max_steps).ok().filter(|&steps| steps > 0) else {
            let text = format!("`max_steps` is {max_steps}; accepted: a whole number above 0");
            return Err(error::value(text));
        };
        if let Some(seconds) = max_time.filter(|seconds| !(*seconds >= 0.0 && seconds.is_finite())) {
            let text = format!("`max_time` is {seconds}; accepted: a finite number of at least 0");
            return Err(error::value(text));
        }
        let method: Method = error::choice("method", method)?;
        let watch = Watch::default();
        Ok(Self { settings: Settings { head_rate, method, rtol, max_steps, watch, until }, max_time })
    }

    /// The settings with a watch that also ends it after this many seconds.
    fn watched(self, watch: Watch, seen: Option<Arc<Mutex<Option<Progress>>>>) -> Settings {
        let shown = seen.map_or_else(Watch::default, |seen| {
            Watch::new(move |here| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(*here);
                true
            })
        });
        let watch = shown.and(watch).and(Watch::for_seconds(self.max_time));
        Settings { watch, ..self.settings }
    }
}

/// Features and head after finetuning, and what was measured. Arrays are made when they are asked for.
#[pyclass(frozen, module = "taskhead")]
pub struct Run {
    run: Arc<Owned>,
    simulation: Simulation,
    /// What it was finetuned with, but for limits of time.
    settings: Arc<Settings>,
    scores: [Scores; 2],
    features: PyOnceLock<Py<PyArray2<f64>>>,
    head: PyOnceLock<Py<PyArray2<f64>>>,
}

impl Run {
    /// One run at all times from the head that was probed for a time τ.
    pub fn all(
        py: Python<'_>,
        run: &Arc<Owned>,
        tau: f64,
        times: &[f64],
        options: Options,
    ) -> PyResult<Vec<Self>> {
        if times.is_empty() {
            return Err(error::value("`times` is empty; it must hold at least one value"));
        }
        let (run, times) = (run.clone(), times.to_vec());
        let light = run.is_light();
        let finetune = move |settings: &Settings| -> Result<Vec<Self>, SimulationError> {
            let all = run.run().finetune(Probe::Time(tau), &times, settings)?;
            let kept = Arc::new(Settings { watch: Watch::default(), ..settings.clone() });
            let one = |simulation| Self::of(run.clone(), simulation, kept.clone());
            Ok(all.into_iter().map(one).collect())
        };
        let runs = if light {
            wait::here(py, move |watch| finetune(&options.watched(watch, None)))?
        } else {
            let seen = Arc::new(Mutex::new(None));
            let (bar, shown) = (wait::Bar::new(py, None, "step")?, seen.clone());
            let tick = |py: Python<'_>| match shown.lock().unwrap_or_else(PoisonError::into_inner).take()
            {
                None => Ok(()),
                Some(Progress { steps, time, residual }) => {
                    bar.say(py, &format!("step {steps}: time {time:.3e}, residual {residual:.3e}"))
                }
            };
            wait::for_work(py, tick, move |flag| finetune(&options.watched(flag.watch(), Some(seen))))?
        };
        let runs = runs.map_err(error::value)?;
        if let Some(early) = runs.iter().find(|run| !run.simulation.stop.is_success()) {
            early.warn(py)?;
        }
        Ok(runs)
    }

    fn of(run: Arc<Owned>, simulation: Simulation, settings: Arc<Settings>) -> Self {
        let (task, reduction) = (run.task(), run.run().reduction());
        let scores = [&simulation.states.0, &simulation.states.1].map(|state| {
            let held_out = reduction.held_out_predictions(state);
            let loss = reduction.loss_function();
            task.scores(loss, &reduction.predictions(state), held_out.as_ref())
        });
        let (features, head) = (PyOnceLock::new(), PyOnceLock::new());
        Self { run, simulation, settings, scores, features, head }
    }

    /// Says that the flow stopped early.
    fn warn(&self, py: Python<'_>) -> PyResult<()> {
        let more = match self.simulation.stop {
            Stop::StepLimit { .. } => "; max_steps lets it go further",
            Stop::Interrupted { .. } => "; max_time lets it go further",
            _ => "",
        };
        let reason = self.simulation.stop.reason().unwrap_or_default();
        let text = format!("the flow did not reach its end: {reason}{more}");
        let category = py.get_type::<PyRuntimeWarning>();
        PyErr::warn(py, &category, &std::ffi::CString::new(text)?, 1)
    }
}

/// An array that is made once, to be read only.
fn once<'py>(
    py: Python<'py>,
    place: &PyOnceLock<Py<PyArray2<f64>>>,
    make: impl FnOnce() -> DMatrix<f64> + Send,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let array = place.get_or_try_init(py, || {
        let array = to_numpy(py, py.detach(make))?;
        // Whoever asks again gets this array: what one changed would be what another is told.
        array.call_method1("setflags", (false,))?;
        Ok::<_, PyErr>(array.unbind())
    })?;
    Ok(array.bind(py).clone())
}

#[pymethods]
impl Run {
    /// The features Z after finetuning, N×h. The array can only be read; ``.copy()`` makes one of your own.
    #[getter]
    fn features<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        once(py, &self.features, || self.run.run().features(&self.simulation))
    }

    /// The head V after finetuning, h×k. The array can only be read.
    #[getter]
    fn head<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        once(py, &self.head, || self.run.run().head(&self.simulation))
    }

    /// The predictions ZV, N×k.
    #[getter]
    fn predictions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (run, simulation) = (&self.run, &self.simulation);
        to_numpy(py, py.detach(|| run.run().reduction().predictions(&simulation.states.1)))
    }

    /// The features of the held-out inputs after finetuning, P×h, if there are any.
    #[getter]
    fn probe_features<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<f64>>>> {
        let (run, simulation) = (&self.run, &self.simulation);
        py.detach(|| run.run().held_out_features(simulation)).map(|m| to_numpy(py, m)).transpose()
    }

    /// The predictions for the held-out inputs after finetuning, P×k, if there are any.
    #[getter]
    fn probe_predictions<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<f64>>>> {
        let (run, simulation) = (&self.run, &self.simulation);
        let predictions = py.detach(|| run.run().reduction().held_out_predictions(&simulation.states.1));
        predictions.map(|m| to_numpy(py, m)).transpose()
    }

    /// Adaptation of the training features.
    #[getter]
    fn adaptation(&self) -> Adaptation {
        self.simulation.adaptation.into()
    }

    /// Adaptation of the held-out features, if there are any.
    #[getter]
    fn probe_adaptation(&self) -> Option<Adaptation> {
        self.simulation.held_out.map(Into::into)
    }

    /// "rank-one", "decoupled", "frozen-head", "flow" or "descent".
    #[getter]
    fn method(&self) -> &'static str {
        self.simulation.method.name()
    }

    /// The size of a step of gradient descent; None for other methods.
    #[getter]
    fn step(&self) -> Option<f64> {
        self.simulation.method.step()
    }

    /// Why the flow was followed to ``time`` and no further: "exact", "time", "converged", "loss", "accuracy",
    /// "residual"; or, where it stopped early, "saddle", "rounding", "step-limit", "interrupted", "step-too-small".
    #[getter]
    fn status(&self) -> &'static str {
        self.simulation.stop.name()
    }

    /// Why the flow stopped early, if it did.
    #[getter]
    fn reason(&self) -> Option<String> {
        self.simulation.stop.reason()
    }

    /// The probing time τ, possibly ∞.
    #[getter]
    fn tau(&self) -> f64 {
        self.simulation.probe_time
    }

    /// The average initial energy (AIE) at the start of finetuning.
    #[getter]
    fn energy(&self) -> f64 {
        self.simulation.energy.aie
    }

    /// The Frobenius energy ‖R‖_F at the start of finetuning.
    #[getter]
    fn frobenius(&self) -> f64 {
        self.simulation.energy.frobenius
    }

    /// The finetuning time that was reached, possibly ∞, in units of one over the backbone's learning rate.
    #[getter]
    fn time(&self) -> f64 {
        self.simulation.time
    }

    /// ‖R‖_F at the end, of all samples.
    #[getter]
    fn residual(&self) -> f64 {
        self.simulation.residual
    }

    /// How much of ``residual``, and with it of ``loss``, may be the rounding of the predictions that it is formed
    /// from; ``None`` where that takes none of the digits that are printed.
    #[getter]
    fn residual_rounding(&self) -> Option<f64> {
        self.simulation.residual_rounding
    }

    /// The training loss at the end, on average over the samples.
    #[getter]
    fn loss(&self) -> f64 {
        self.simulation.loss
    }

    /// Relative drift of VVᵀ − γBBᵀ, which is conserved (T2); ``None`` where that does not apply.
    #[getter]
    fn drift(&self) -> Option<f64> {
        self.simulation.conservation_drift
    }

    /// An estimate of the relative error of features and head; gradient descent has none.
    #[getter]
    fn error_estimate(&self) -> Option<f64> {
        self.simulation.error_estimate
    }

    /// ‖V‖_F at the start of finetuning and at the end.
    #[getter]
    fn head_norm(&self) -> (f64, f64) {
        self.simulation.head_norm
    }

    /// Loss spent by backbone and head (T6); gradient descent has none.
    #[getter]
    fn budget(&self) -> Option<(f64, f64)> {
        self.simulation.budget.map(|budget| (budget.backbone, budget.head))
    }

    /// The share of training samples that are predicted right before and after finetuning, for classes.
    #[getter]
    fn accuracy(&self) -> Option<(f64, f64)> {
        self.pair(|scores| scores.accuracy)
    }

    /// The same of the held-out inputs.
    #[getter]
    fn probe_accuracy(&self) -> Option<(f64, f64)> {
        self.pair(|scores| scores.held_out_accuracy)
    }

    /// The mean loss on the held-out inputs before and after finetuning: for the squared loss the mean squared error.
    #[getter]
    fn risk(&self) -> Option<(f64, f64)> {
        self.pair(|scores| scores.risk)
    }

    /// Steps of the solver that were taken; a closed form takes none.
    #[getter]
    fn steps(&self) -> usize {
        self.simulation.work.steps
    }

    /// The course of this finetuning in time: residual, distance, norms of features and head, and the share of the loss
    /// that backbone and head have spent (T6). It is run again for that, at up to 300 times.
    ///
    /// Raises ``ValueError`` for a finetuning of time 0.
    #[pyo3(signature = (*, dark = false))]
    fn plot(&self, py: Python<'_>, dark: bool) -> PyResult<Figure> {
        let (run, settings) = (self.run.clone(), self.settings.clone());
        let end = self.simulation.clone();
        let work = move |flag: &wait::Flag| {
            let settings = Settings { watch: flag.watch(), ..Settings::clone(&settings) };
            let course = over_time(&run.task().problem, run.run(), &end, &settings);
            let theme = if dark { Theme::Dark } else { Theme::Light };
            course.map(|course| course.map(|course| course.svg(theme)))
        };
        let svg = wait::for_work(py, |_| Ok(()), work)?.map_err(error::value)?;
        let svg = svg.ok_or_else(|| error::value("a finetuning of time 0 has no course"))?;
        Ok(Figure { name: "trajectories", svg })
    }

    fn __repr__(&self) -> String {
        let Simulation { method, time, stop, adaptation, .. } = &self.simulation;
        format!(
            "<taskhead.Run: {method} to time {time} ({}), distance {:.6}, cosine distance {:.6}>",
            stop.name(),
            adaptation.euclidean,
            adaptation.cosine
        )
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.py().import("taskhead._support")?.call_method1("run_html", (slf,))?.extract()
    }
}

impl Run {
    fn pair(&self, of: fn(&Scores) -> Option<f64>) -> Option<(f64, f64)> {
        of(&self.scores[0]).zip(of(&self.scores[1]))
    }
}
