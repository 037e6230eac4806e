//! How long to probe: the recommendation with its heads.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use taskhead::advise::{self as engine, Row, Settings, Verdict};
use taskhead::flow::solver::Watch;
use taskhead::loss::Loss;
use taskhead::probing::practice::Optimiser;
use taskhead::simulation::Until;
use taskhead_figures::gallery::advice::advice as figure;
use taskhead_figures::plot::{Figure as _, Theme};
use taskhead_files::write_layer;

use crate::arrays::to_numpy;
use crate::figure::Figure;
use crate::problem::Problem;
use crate::{error, wait};

/// What each probing time is worth on held-out samples, and which is recommended.
#[pyclass(frozen, module = "taskhead")]
pub struct Advice {
    advice: engine::Advice,
}

/// A column of :attr:`Advice.table`.
type Column = (&'static str, fn(&Row) -> f64);

/// Weight and bias.
type Layer<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<f64>>);

const COLUMNS: [Column; 20] = [
    ("share", |row| row.share),
    ("probe_time", |row| row.probe_time),
    ("epochs", |row| row.epochs.unwrap_or(f64::NAN)),
    ("strength", |row| row.strength.unwrap_or(f64::NAN)),
    ("energy", |row| row.energy),
    ("accuracy", |row| row.accuracy.unwrap_or(f64::NAN)),
    ("head_norm", |row| row.head_norm),
    ("euclidean", |row| row.adaptation.euclidean),
    ("cosine", |row| row.adaptation.cosine),
    ("dot", |row| row.adaptation.dot),
    ("norm", |row| row.adaptation.norm),
    ("frobenius_distance", |row| row.adaptation.frobenius_distance),
    ("probed", |row| row.probed),
    ("score", |row| row.score),
    ("risk", |row| row.risk),
    ("over_seeds", |row| row.over_seeds),
    ("over_folds", |row| row.over_folds),
    ("behind", |row| row.behind.mean),
    ("behind_error", |row| row.behind.error),
    ("unmet", |row| row.unmet as f64),
];

#[pymethods]
impl Advice {
    /// The recommendation in words.
    #[getter]
    fn reason(&self) -> &str {
        &self.advice.reason
    }

    /// Whether some choice is clearly worse than the one with the best mean.
    #[getter]
    fn matters(&self) -> bool {
        self.advice.verdict == Verdict::Matters
    }

    /// The number of the recommended row of :attr:`table`.
    #[getter]
    fn best(&self) -> usize {
        self.advice.best
    }

    /// What the theory assumes and whether these features meet it.
    #[getter]
    fn assumptions(&self) -> Vec<String> {
        self.advice.assumptions.clone()
    }

    /// Columns by name, one entry per probing time, from full probing to none: the ``share`` of the energy that is
    /// left, ``probe_time`` τ, ``epochs`` and ``strength`` C (NaN if not asked for), ``energy`` (AIE), training
    /// ``accuracy`` and ``head_norm`` after probing; ``euclidean``, ``cosine``, ``dot``, ``norm`` and
    /// ``frobenius_distance`` after finetuning; the score of held-out samples when ``probed`` and when finetuned
    /// (``score``: accuracy, or minus the loss), its deviation ``over_seeds`` and ``over_folds``, the mean loss of
    /// held-out samples when finetuned (``risk``), and how far the score is ``behind`` that of the recommended row with
    /// the standard error of that; in how many flows the level at which finetuning was to stop was never met
    /// (``unmet``), so that it went on. A dictionary that ``pandas.DataFrame`` takes.
    #[getter]
    fn table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let table = PyDict::new(py);
        for (name, of) in COLUMNS {
            table.set_item(name, PyArray1::from_iter(py, self.advice.rows.iter().map(of)))?;
        }
        Ok(table)
    }

    /// The probed head of a row as ``(weight, bias)``: k×h and k, for the features as they were given.
    ///
    /// Parameters
    /// ----------
    /// row : int, optional
    ///     A row of :attr:`table`; the recommended one if it is left out.
    ///
    /// Raises ``ValueError`` for a row that is not there.
    #[pyo3(signature = (row = None))]
    fn head<'py>(&self, py: Python<'py>, row: Option<i128>) -> PyResult<Layer<'py>> {
        let row = self.row(row)?;
        let bias = PyArray1::from_vec(py, row.bias.as_slice().to_vec());
        Ok((to_numpy(py, row.weight.clone())?, bias))
    }

    /// Writes the probed head of a row to ``path``, .safetensors or .npz: ``weight`` k×h and ``bias`` k, which
    /// ``load_state_dict`` of a linear layer takes. What is there is replaced.
    ///
    /// Parameters
    /// ----------
    /// path : str or path
    ///     Where to.
    /// row : int, optional
    ///     A row of :attr:`table`; the recommended one if it is left out.
    ///
    /// Raises ``ValueError`` for a row that is not there, another extension or a folder that is not there.
    #[pyo3(signature = (path, row = None))]
    fn save(&self, py: Python<'_>, path: PathBuf, row: Option<i128>) -> PyResult<()> {
        let row = self.row(row)?;
        py.detach(|| write_layer(path, &row.weight, &row.bias)).map_err(error::of_file)
    }

    /// Score and distance against the share of the energy.
    #[pyo3(signature = (*, dark = false))]
    fn plot(&self, dark: bool) -> Figure {
        let theme = if dark { Theme::Dark } else { Theme::Light };
        Figure { name: "advice", svg: figure(&self.advice).svg(theme) }
    }

    fn __repr__(&self) -> String {
        format!("<taskhead.Advice: {}>", self.advice.reason)
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.py().import("taskhead._support")?.call_method1("advice_html", (slf,))?.extract()
    }
}

impl Advice {
    fn row(&self, number: Option<i128>) -> PyResult<&Row> {
        let number = number.unwrap_or(self.advice.best as i128);
        let row = usize::try_from(number).ok().and_then(|number| self.advice.rows.get(number));
        let last = self.advice.rows.len() - 1;
        row.ok_or_else(|| error::value(format!("`row` is {number}; accepted: 0 to {last}")))
    }
}

/// How long to probe the head of this problem before finetuning, by what finetuning from each head does to held-out
/// samples: those of the problem, or else folds. It draws its own heads; that of the problem is not used.
///
/// Parameters
/// ----------
/// problem : Problem, or array of shape (N, h)
///     The problem, or just its features.
/// labels : array of shape (N,), optional
///     Classes, where features are given.
/// probe_features, probe_labels : arrays of shape (P, h) and (P,), optional
///     Held-out samples, where features are given. Whatever else there is, as a kernel, comes with a :class:`Problem`.
/// loss : {"squared", "cross-entropy"}, optional
///     Cross-entropy for labels, squared for other targets, if it is left out.
/// points, seeds, folds : int
///     Probing times to compare, initial heads for each fold, and folds.
/// seed : int
///     The first seed.
/// head_scale : float
///     Deviation of the entries of the initial head times √h; a linear layer of PyTorch has 0.577.
/// head_rate : float
///     Learning rate of the head over that of the backbone, in finetuning.
/// time, until_loss, until_accuracy : float, optional
///     Where finetuning stops. Without any: for cross-entropy at a mean training loss of 0.05, else at the limit.
/// rate, batch, momentum : float, int, float, optional
///     Your optimiser for probing by mini-batches: then the table has epochs. ``rate`` and ``batch`` need each other,
///     and ``momentum`` both.
/// strengths : bool
///     Also find the strength C of scikit-learn's ``LogisticRegression`` with the same training loss, but that the
///     intercept is penalised, too.
/// standardise, intercept : bool
///     Bring features to mean 0 and deviation 1 first; add a constant column. Heads are for the features as given.
/// rtol : float
///     Relative tolerance of the solver.
/// max_time : float, optional
///     Seconds after which it is given up.
///
/// Raises ``ValueError`` with what is not accepted, or where finetuning from some head stops early.
#[pyfunction]
#[pyo3(signature = (problem, labels = None, *, probe_features = None, probe_labels = None, loss = None, points = 8, seeds = 3, folds = 5, seed = 0, head_scale = 0.577_350_269_189_625_8,
    head_rate = 1.0, time = None, until_loss = None, until_accuracy = None, rate = None, batch = None, momentum = None,
    strengths = false, standardise = false, intercept = true, rtol = 1e-6,
    max_time = None))]
#[allow(clippy::too_many_arguments)]
pub fn advise(
    py: Python<'_>,
    problem: &Bound<'_, PyAny>,
    labels: Option<&Bound<'_, PyAny>>,
    probe_features: Option<&Bound<'_, PyAny>>,
    probe_labels: Option<&Bound<'_, PyAny>>,
    loss: Option<&str>,
    points: i128,
    seeds: i128,
    folds: i128,
    seed: i128,
    head_scale: f64,
    head_rate: f64,
    time: Option<f64>,
    until_loss: Option<f64>,
    until_accuracy: Option<f64>,
    rate: Option<f64>,
    batch: Option<i128>,
    momentum: Option<f64>,
    strengths: bool,
    standardise: bool,
    intercept: bool,
    rtol: f64,
    max_time: Option<f64>,
) -> PyResult<Advice> {
    let arrays =
        [("labels", labels), ("probe_features", probe_features), ("probe_labels", probe_labels)];
    let problem = problem_of(problem, arrays)?;
    let loss: Option<Loss> = loss.map(|name| error::choice("loss", name)).transpose()?;
    let settings = Settings::of_task(&problem.get().task, loss);
    let until = match (until_loss, until_accuracy, time) {
        (Some(_), Some(_), _) => {
            return Err(error::value("`until_loss` and `until_accuracy` exclude each other"));
        }
        (Some(level), None, _) => Until::Loss(level),
        (None, Some(share), _) => Until::Accuracy(share),
        (None, None, Some(time)) if time < f64::INFINITY => Until::Time,
        (None, None, _) => settings.until,
    };
    if let Some(seconds) = max_time.filter(|seconds| !(*seconds >= 0.0 && seconds.is_finite())) {
        let text = format!("`max_time` is {seconds}; accepted: a finite number of at least 0");
        return Err(error::value(text));
    }
    let optimiser = match (rate, batch) {
        (Some(rate), Some(batch)) => {
            let batch = error::whole("batch", batch)?;
            Some(Optimiser { rate, batch, momentum: momentum.unwrap_or(0.0) })
        }
        (None, None) if momentum.is_none() => None,
        (None, None) => return Err(error::value("`momentum` needs `rate` and `batch`")),
        _ => return Err(error::value("`rate` and `batch` need each other")),
    };
    let settings = Settings {
        points: error::whole("points", points)?,
        seeds: error::whole("seeds", seeds)?,
        folds: error::whole("folds", folds)?,
        seed: error::whole("seed", seed)?,
        head_scale,
        head_rate,
        time: time.unwrap_or(f64::INFINITY),
        until,
        rtol,
        intercept,
        standardise,
        optimiser,
        strengths,
        ..settings
    };
    let task = Arc::clone(&problem.get().task);
    let flows = engine::flows(&task, &settings) as u64;
    let (bar, done) = (wait::Bar::new(py, Some(flows), "flow")?, Arc::new(AtomicU64::new(0)));
    let shown = done.clone();
    let tick = |py: Python<'_>| bar.set(py, shown.load(Ordering::Relaxed));
    let work = move |flag: &wait::Flag| {
        let watch = flag.watch().and(Watch::for_seconds(max_time));
        let count = || {
            done.fetch_add(1, Ordering::Relaxed);
        };
        engine::advise_with(&task, &Settings { watch, ..settings }, &count)
    };
    let advice = wait::for_work(py, tick, work)?;
    Ok(Advice { advice: advice.map_err(error::value)? })
}

/// A problem, which brings its arrays along, or features with other arrays.
fn problem_of<'py>(
    given: &Bound<'py, PyAny>,
    arrays: [(&str, Option<&Bound<'py, PyAny>>); 3],
) -> PyResult<Bound<'py, Problem>> {
    let arrays = arrays.into_iter().filter_map(|(name, array)| Some((name, array?)));
    if let Ok(problem) = given.cast::<Problem>() {
        return match arrays.into_iter().next() {
            None => Ok(problem.clone()),
            Some((name, _)) => Err(error::value(format!(
                "`{name}` has no effect beside a Problem; accepted: features, or a Problem that has it"
            ))),
        };
    }
    let py = given.py();
    let all = PyDict::new(py);
    all.set_item("features", given)?;
    arrays.into_iter().try_for_each(|(name, array)| all.set_item(name, array))?;
    Ok(py.get_type::<Problem>().call((), Some(&all))?.cast_into()?)
}
